//! The files behind a map: class map and scores, written strip by strip while the scene is predicted.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use swath_link::permissions;

use super::ScoreType;
use super::blend_strip::{BlendStrip, NODATA};
use super::stream::RowSink;
use crate::FileError;
use crate::Result;
use crate::labels::Classes;
use crate::raster::{GeoTransform, Pixel, RasterType, RasterWriter, Size, WriterOptions};

/// Rows written at once: a row of the files' tiles, so that no tile is compressed twice.
const STRIP_ROWS: usize = 256;

/// Names of the files in a map's folder, working and saved alike.
pub(super) const LABELS: &str = "labels.tif";
pub(super) const SCORES: &str = "scores.tif";
/// Names of the further files of a saved map.
pub(super) const SCORES_JSON: &str = "scores.json";
pub(super) const LABELS_STYLE: &str = "labels.qml";
pub(super) const POLYGONS_STYLE: &str = "polygons.qml";

/// Every name that saving a map gives, beside those of polygons.
pub(super) const MAP: [&str; 5] = [LABELS, SCORES, SCORES_JSON, LABELS_STYLE, POLYGONS_STYLE];

/// A folder of working files that disappears with the map.
pub(super) fn working_folder() -> Result<tempfile::TempDir> {
    let place = std::env::temp_dir();
    let failed = |source| FileError::Io {
        action: "make a folder for the map",
        path: place.clone(),
        source,
    };
    if let Some(why) = permissions::unfit_for_private(&place) {
        let why = format!("the folder for temporary files {why}; set TMPDIR to one of your own");
        return Err(failed(std::io::Error::other(why)).into());
    }
    tempfile::Builder::new()
        .prefix("swath-map-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir()
        .map_err(|source| failed(source).into())
}

/// What a class map's file carries beside its pixels.
pub(crate) fn label_options(classes: &Classes) -> WriterOptions {
    // Where nothing was found, a map shows the imagery below.
    let hidden: &[u8] = if classes.have_background() { &[0] } else { &[] };
    WriterOptions::default()
        .nodata(f64::from(NODATA))
        .color_table(&classes.colors())
        .transparent(hidden)
        .category_names(&classes.names())
        .band_names(&["class"])
}

/// What a file of scores carries beside its pixels: one band per class.
pub(crate) fn score_options(classes: &Classes, score_type: ScoreType) -> WriterOptions {
    let options = WriterOptions::default()
        .nodata(score_type.nodata())
        .band_names(&classes.names());
    match score_type.scale() {
        Some(scale) => options.scale(scale, 0.0),
        None => options,
    }
}

/// Rows of scores that wait to be written.
#[derive(Debug)]
enum ScoreStrip {
    Bytes(Vec<u8>),
    Floats(Vec<f32>),
}

/// Writes finished rows into the working files.
#[derive(Debug)]
pub(super) struct MapWriter {
    size: Size,
    labels: RasterWriter,
    scores: Option<RasterWriter>,
    score_type: ScoreType,
    /// Pixels with a class so far.
    mapped: u64,
    /// First row of the strip, and rows of it that are filled.
    top: usize,
    filled: usize,
    /// `[STRIP_ROWS, width]`
    label_strip: Vec<u8>,
    /// `[classes, STRIP_ROWS, width]`; empty without scores.
    score_strip: ScoreStrip,
    /// `[classes, width]`
    score_row: Vec<f32>,
}

impl MapWriter {
    pub(super) fn create(
        folder: &Path,
        size: Size,
        classes: &Classes,
        transform: GeoTransform,
        crs_wkt: &str,
        scores_as: Option<ScoreType>,
    ) -> Result<Self> {
        let create = |name: &str, bands: usize, raster_type, options: WriterOptions| {
            let options = options.plain_tiles();
            RasterWriter::create(
                folder.join(name),
                size,
                bands,
                raster_type,
                transform,
                crs_wkt,
                options,
            )
        };
        let labels = create(LABELS, 1, RasterType::U8, label_options(classes))?;
        let score_type = scores_as.unwrap_or_default();
        let scores = match scores_as {
            Some(kind) => {
                let options = score_options(classes, kind);
                Some(create(SCORES, classes.len(), kind.raster_type(), options)?)
            }
            None => None,
        };
        let strip = size.width * STRIP_ROWS.min(size.height);
        let values = scores_as.map_or(0, |_| strip * classes.len());
        Ok(Self {
            size,
            labels,
            scores,
            score_type,
            mapped: 0,
            top: 0,
            filled: 0,
            label_strip: vec![0; strip],
            score_strip: match score_type.is_byte() {
                true => ScoreStrip::Bytes(vec![0; values]),
                false => ScoreStrip::Floats(vec![0.0; values]),
            },
            score_row: vec![0.0; scores_as.map_or(0, |_| size.width * classes.len())],
        })
    }

    /// Pixels that have got a class.
    pub(super) const fn mapped(&self) -> u64 {
        self.mapped
    }

    /// Completes the files: the class map and, where kept, the scores.
    pub(super) fn finish(self) -> Result<(PathBuf, Option<PathBuf>)> {
        debug_assert_eq!(self.filled, 0, "the last row flushes its strip");
        Ok((
            self.labels.finish()?,
            self.scores.map(RasterWriter::finish).transpose()?,
        ))
    }

    fn strip_rows(&self) -> usize {
        STRIP_ROWS.min(self.size.height)
    }

    fn flush(&mut self) -> Result<()> {
        let (width, filled, planes) = (
            self.size.width,
            self.filled,
            self.strip_rows() * self.size.width,
        );
        let rows = &self.label_strip[..filled * width];
        self.mapped += rows.iter().filter(|&&label| label != NODATA).count() as u64;
        self.labels.write_rows(self.top, rows)?;
        if let Some(scores) = &mut self.scores {
            let part = filled * width;
            match &self.score_strip {
                ScoreStrip::Bytes(strip) => write_strip(scores, self.top, strip, planes, part)?,
                ScoreStrip::Floats(strip) => write_strip(scores, self.top, strip, planes, part)?,
            }
        }
        self.top += filled;
        self.filled = 0;
        Ok(())
    }
}

/// Writes the upper `part` pixels of each of a strip's planes.
fn write_strip<T: Pixel>(
    writer: &mut RasterWriter,
    top: usize,
    strip: &[T],
    planes: usize,
    part: usize,
) -> Result<()> {
    if part == planes {
        return writer.write_rows(top, strip);
    }
    // The last strip is lower: its planes move together.
    let rows: Vec<T> = (strip.chunks_exact(planes))
        .flat_map(|plane| &plane[..part])
        .copied()
        .collect();
    writer.write_rows(top, &rows)
}

impl RowSink for MapWriter {
    fn row(&mut self, strip: &mut BlendStrip) -> Result<()> {
        let (width, row) = (self.size.width, self.filled);
        let planes = self.strip_rows() * width;
        let mut scores: Vec<&mut [f32]> = self.score_row.chunks_exact_mut(width).collect();
        strip.finish_row(&mut self.label_strip[row * width..][..width], &mut scores);
        for (class, scores) in scores.iter().enumerate() {
            let at = class * planes + row * width;
            match &mut self.score_strip {
                ScoreStrip::Bytes(strip) => {
                    for (stored, score) in strip[at..][..width].iter_mut().zip(scores.iter()) {
                        *stored = self.score_type.byte(*score);
                    }
                }
                ScoreStrip::Floats(strip) => strip[at..][..width].copy_from_slice(scores),
            }
        }
        self.filled += 1;
        if self.filled == self.strip_rows() || self.top + self.filled == self.size.height {
            self.flush()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn working_files_are_for_their_user_alone() {
        let folder = working_folder().unwrap();
        let mode = std::fs::metadata(folder.path())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700, "a usual mask leaves 0755");
    }
}
