//! Saving a map as GIS files, all of them or none.

use std::borrow::Borrow;
use std::fs;
use std::path::{Path, PathBuf};

use super::SceneMap;
use super::blend_strip::NODATA;
use super::files::{
    LABELS, LABELS_STYLE, POLYGONS_STYLE, SCORES, SCORES_JSON, label_options, score_options,
};
use super::objects::{check_area, check_outlines, check_pixels};
use super::ours::check_folder_name;
use super::publish::publish;
use super::score_type::stored_type;
use crate::FileError;
use crate::display::units::file_size;
use crate::display::{Output, Show};
use crate::labels::{Drawn, raster_style, vector_style};
use crate::raster::{Patch, PixelWindow, Raster, RasterType, RasterWriter, Size, WriterOptions};
use crate::report::Report;
use crate::vector::{Format, Outlines};
use crate::{Result, session, staged};

/// What [`SceneMap::save_with`] writes besides the class map and the scores.
///
/// | choice | unless set |
/// |---|---|
/// | [`SaveOptions::polygons`] | true: polygons are traced and written |
/// | [`SaveOptions::formats`] | `polygons.gpkg` and `polygons.geojson` |
/// | [`SaveOptions::min_area_m2`] | 0: the smallest polygon that is kept, in square meters on the ground |
/// | [`SaveOptions::min_area_pixels`] | 0: the same in pixels |
/// | [`SaveOptions::outlines`] | along the edges of pixels |
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct SaveOptions {
    pub(super) polygons: bool,
    pub(super) formats: Vec<Format>,
    pub(super) min_area_m2: f64,
    pub(super) min_area_pixels: f64,
    pub(super) outlines: Outlines,
}

impl Default for SaveOptions {
    fn default() -> Self {
        Self {
            polygons: true,
            formats: vec![Format::GeoPackage, Format::GeoJson],
            min_area_m2: 0.0,
            min_area_pixels: 0.0,
            outlines: Outlines::new(),
        }
    }
}

impl SaveOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether polygons are written.
    #[doc(alias = "vector_outputs")]
    #[doc(alias = "vectorize")]
    pub fn polygons(mut self, write: bool) -> Self {
        self.polygons = write;
        self
    }

    /// The files that polygons are written as: `polygons.gpkg`, `polygons.fgb`, …. What a format does not hold is in
    /// [`SavedFiles::report`].
    pub fn formats(mut self, formats: impl Into<Vec<Format>>) -> Self {
        self.formats = formats.into();
        self
    }

    /// Leaves out polygons smaller than this many square meters on the ground: the specks of a prediction.
    #[doc(alias = "min_area")]
    #[doc(alias = "min_polygon_area")]
    pub fn min_area_m2(mut self, area: f64) -> Self {
        self.min_area_m2 = area;
        self
    }

    /// Leaves out polygons of fewer pixels than this.
    #[doc(alias = "min_pixels")]
    #[doc(alias = "sieve")]
    pub fn min_area_pixels(mut self, pixels: f64) -> Self {
        self.min_area_pixels = pixels;
        self
    }

    /// How outlines are drawn: with right angles, simplified, without small holes. The areas below which polygons are left
    /// out are those of the pixels, the saved area is that of the outline.
    #[doc(alias = "building_outlines")]
    pub fn outlines(mut self, outlines: Outlines) -> Self {
        self.outlines = outlines;
        self
    }
}

/// The files that something was saved as; a slice of paths that shows itself with sizes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedFiles {
    files: Vec<PathBuf>,
    report: Report,
}

impl SavedFiles {
    pub(crate) fn new(files: Vec<PathBuf>) -> Self {
        let report = Report::new();
        Self { files, report }
    }

    pub(crate) fn with_report(self, report: Report) -> Self {
        let mut all = self.report;
        all.extend(report);
        Self {
            report: all,
            files: self.files,
        }
    }

    /// What the files do not hold as it was, such as names that a format shortens.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }
}

impl std::ops::Deref for SavedFiles {
    type Target = [PathBuf];

    fn deref(&self) -> &[PathBuf] {
        &self.files
    }
}

impl IntoIterator for SavedFiles {
    type Item = PathBuf;
    type IntoIter = std::vec::IntoIter<PathBuf>;

    fn into_iter(self) -> Self::IntoIter {
        self.files.into_iter()
    }
}

impl SceneMap {
    /// Writes the map into the folder `dir`, which is made when it is missing:
    ///
    /// - `labels.tif`: the class map, a cloud-optimized GeoTIFF with color table and class names; 255 is "no data"; the
    ///   background is transparent (said in `labels.tif.aux.xml`, which belongs to it);
    /// - `scores.tif`: one band per class, the probability as [`super::ScoreType`] says (when scores were kept);
    /// - `polygons.gpkg` and `polygons.geojson` (RFC 7946), or other [`Format`]s: the connected areas of every class but the background;
    /// - `labels.qml` and `polygons.qml`: styles with names and colors, which QGIS takes for the files beside them by itself;
    ///   one that somebody has changed stays, and the report says so;
    /// - `scores.json` in the shape of Raster Vision's `eval.json`, when the map was evaluated.
    ///
    /// Everything is written under other names first: when the disk runs full, the user interrupts or a file cannot be
    /// replaced, files that were there before are untouched. Files of an earlier map that this one does not have are
    /// removed, so that the folder never holds parts of two maps.
    ///
    /// # Errors
    /// [`FileError::OfOthers`] when a file of one of these names lies in the folder that no map was saved to,
    /// [`FileError::FolderName`] for the name of a file, such as `map.tif`,
    /// [`FileError::Io`] or [`crate::raster::RasterError::Write`] when the folder cannot be written,
    /// [`crate::Error::Interrupted`] when the user asked to stop.
    #[doc(alias = "to_file")]
    #[doc(alias = "write")]
    #[doc(alias = "export")]
    #[doc(alias = "to_raster")]
    #[doc(alias = "save_all")]
    pub fn save(&self, dir: impl AsRef<Path>) -> Result<SavedFiles> {
        self.save_with(dir, SaveOptions::default())
    }

    /// [`SceneMap::save`] with choices.
    ///
    /// # Errors
    /// As [`SceneMap::save`]; [`super::PredictError::Option`] for an area that is negative or not a number.
    pub fn save_with(
        &self,
        dir: impl AsRef<Path>,
        options: impl Borrow<SaveOptions>,
    ) -> Result<SavedFiles> {
        let options = options.borrow();
        let dir = &*crate::paths::expanded(dir.as_ref());
        check_folder_name(dir)?;
        check_area(options.min_area_m2)?;
        check_pixels(options.min_area_pixels)?;
        check_outlines(&options.outlines)?;
        let staging = staging_folder(dir)?;
        let staged = staging.path();

        copy_raster(
            &self.inner.labels,
            &staged.join(LABELS),
            RasterType::U8,
            label_options(self.classes()),
        )?;
        let style = raster_style(self.classes());
        write_synced(&staged.join(LABELS_STYLE), style.as_bytes())?;
        if let Some(scores) = &self.inner.scores {
            let kind = stored_type(scores);
            let options = score_options(self.classes(), kind);
            copy_raster(scores, &staged.join(SCORES), kind.raster_type(), options)?;
        }
        let mut lost = Report::new();
        if options.polygons && !options.formats.is_empty() {
            let style = vector_style(self.classes(), Drawn::Areas);
            write_synced(&staged.join(POLYGONS_STYLE), style.as_bytes())?;
            lost = self.write_polygons(staged, options)?;
        }
        if let Some(scores) = self.scores() {
            write_synced(
                &staged.join(SCORES_JSON),
                format!("{:#}\n", scores.to_json()).as_bytes(),
            )?;
        }
        Ok(publish(staged, dir)?.with_report(lost))
    }
}

/// Makes the folder `dir` and one in it for files under way: beside the final files, so that renaming never copies.
pub(crate) fn staging_folder(dir: &Path) -> Result<tempfile::TempDir> {
    fs::create_dir_all(dir).map_err(io("make the folder", dir))?;
    tempfile::Builder::new()
        .prefix(".swath-save-")
        .tempdir_in(dir)
        .map_err(io("write into the folder", dir))
}

/// Copies a file of classes or scores as a GeoTIFF of the same type, strip by strip.
pub(super) fn copy_raster(
    source: &Raster,
    path: &Path,
    raster_type: RasterType,
    options: WriterOptions,
) -> Result<()> {
    let size = source.size();
    let bands = source.band_count();
    let (transform, crs) = (source.transform(), source.crs_wkt());
    let mut writer =
        RasterWriter::create(path, size, bands, raster_type, transform, &crs, options)?;
    // A strip of tiles is read as f32: 256 rows of 20,000 columns are 20 MB a band.
    for window in PixelWindow::full(size).tiles(Size {
        width: size.width,
        height: 256,
    }) {
        session::check_interrupt("saving the map")?;
        let patch = source.read(&window)?;
        if raster_type == RasterType::U8 {
            writer.write_window(&window, &in_bytes(&patch, window.area()))?;
        } else {
            let mut values = patch.data;
            for plane in values.chunks_exact_mut(window.area()) {
                for (value, valid) in plane.iter_mut().zip(&patch.valid) {
                    if *valid == 0 {
                        *value = f32::NAN;
                    }
                }
            }
            writer.write_window(&window, &values)?;
        }
    }
    writer.finish()?;
    Ok(())
}

fn in_bytes(patch: &Patch, area: usize) -> Vec<u8> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the file holds bytes"
    )]
    let mut values: Vec<u8> = patch.data.iter().map(|value| *value as u8).collect();
    for plane in values.chunks_exact_mut(area) {
        for (value, valid) in plane.iter_mut().zip(&patch.valid) {
            if *valid == 0 {
                *value = NODATA;
            }
        }
    }
    values
}

/// Writes a small file whole or not at all, and flushes it to the disk.
///
/// # Errors
/// [`FileError::Io`].
pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    staged::write(path, bytes).map_err(io("write the file", path))
}

pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> crate::Error {
    let path = path.to_owned();
    move |source| {
        FileError::Io {
            action,
            path,
            source,
        }
        .into()
    }
}

impl Show for SavedFiles {
    fn output(&self) -> Output {
        let row = |path: &PathBuf| {
            let bytes = fs::metadata(path).map_or(0, |about| about.len());
            vec![path.display().to_string(), file_size(bytes)]
        };
        let rows: Vec<Vec<String>> = self.files.iter().map(row).collect();
        let heads = ["file", "size"];
        Output::styled(
            crate::plot::table_text(&heads, &rows),
            crate::plot::table_html(&heads, &rows),
        )
        .with_report(&self.report)
    }
}

crate::show_in_cells!(SavedFiles);
