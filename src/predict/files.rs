//! The files behind a map: class map and scores, written strip by strip while the scene is predicted.

use std::path::{Path, PathBuf};

use super::blend_strip::{BlendStrip, NODATA};
use super::stream::RowSink;
use crate::FileError;
use crate::Result;
use crate::labels::Classes;
use crate::raster::{GeoTransform, RasterType, RasterWriter, Size, WriterOptions};

/// Rows written at once: a row of the files' tiles, so that no tile is compressed twice.
const STRIP_ROWS: usize = 256;

/// Names of the files in a map's folder, working and saved alike.
pub(super) const LABELS: &str = "labels.tif";
pub(super) const SCORES: &str = "scores.tif";
/// Names of the further files of a saved map.
pub(super) const POLYGONS_GPKG: &str = "polygons.gpkg";
pub(super) const POLYGONS_GEOJSON: &str = "polygons.geojson";
pub(super) const SCORES_JSON: &str = "scores.json";

/// A folder of working files that disappears with the map.
pub(super) fn working_folder() -> Result<tempfile::TempDir> {
    tempfile::Builder::new()
        .prefix("swath-map-")
        .tempdir()
        .map_err(|source| {
            FileError::Io {
                action: "make a folder for the map",
                path: std::env::temp_dir(),
                source,
            }
            .into()
        })
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
pub(crate) fn score_options(classes: &Classes) -> WriterOptions {
    WriterOptions::default()
        .nodata(f64::from(NODATA))
        .band_names(&classes.names())
}

/// Writes finished rows into the working files.
#[derive(Debug)]
pub(super) struct MapWriter {
    size: Size,
    classes: usize,
    labels: RasterWriter,
    scores: Option<RasterWriter>,
    /// Pixels with a class so far.
    mapped: u64,
    /// First row of the strip, and rows of it that are filled.
    top: usize,
    filled: usize,
    /// `[STRIP_ROWS, width]`
    label_strip: Vec<u8>,
    /// `[classes, STRIP_ROWS, width]`; empty without scores.
    score_strip: Vec<u8>,
}

impl MapWriter {
    pub(super) fn create(
        folder: &Path,
        size: Size,
        classes: &Classes,
        transform: GeoTransform,
        crs_wkt: &str,
        with_scores: bool,
    ) -> Result<Self> {
        let create = |name: &str, bands: usize, options: WriterOptions| {
            let options = options.plain_tiles();
            RasterWriter::create(
                folder.join(name),
                size,
                bands,
                RasterType::U8,
                transform,
                crs_wkt,
                options,
            )
        };
        let labels = create(LABELS, 1, label_options(classes))?;
        let scores = if with_scores {
            Some(create(SCORES, classes.len(), score_options(classes))?)
        } else {
            None
        };
        let strip = size.width * STRIP_ROWS.min(size.height);
        let score_strip = vec![
            0;
            if with_scores {
                strip * classes.len()
            } else {
                0
            }
        ];
        let label_strip = vec![0; strip];
        Ok(Self {
            size,
            classes: classes.len(),
            labels,
            scores,
            mapped: 0,
            top: 0,
            filled: 0,
            label_strip,
            score_strip,
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
            if filled * width == planes {
                scores.write_rows(self.top, &self.score_strip)?;
            } else {
                // The last strip is lower: its planes move together.
                let rows: Vec<u8> = (self.score_strip.chunks_exact(planes))
                    .flat_map(|plane| &plane[..filled * width])
                    .copied()
                    .collect();
                scores.write_rows(self.top, &rows)?;
            }
        }
        self.top += filled;
        self.filled = 0;
        Ok(())
    }
}

impl RowSink for MapWriter {
    fn row(&mut self, strip: &mut BlendStrip) -> Result<()> {
        let (width, row) = (self.size.width, self.filled);
        let planes = self.strip_rows() * width;
        let mut scores: Vec<&mut [u8]> = Vec::with_capacity(self.classes);
        if !self.score_strip.is_empty() {
            scores.extend(
                self.score_strip
                    .chunks_exact_mut(planes)
                    .map(|plane| &mut plane[row * width..][..width]),
            );
        }
        strip.finish_row(&mut self.label_strip[row * width..][..width], &mut scores);
        self.filled += 1;
        if self.filled == self.strip_rows() || self.top + self.filled == self.size.height {
            self.flush()?;
        }
        Ok(())
    }
}
