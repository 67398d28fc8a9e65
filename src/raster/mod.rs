//! Rasters: any file that GDAL reads, with windows, masks, statistics and overviews. GDAL appears only here and in
//! [`crate::vector`].
//!
//! # Pixel convention
//! Pixel `(col, row)` covers `[col, col + 1) x [row, row + 1)`; its centre is `(col + 0.5, row + 0.5)`. Windows are
//! half-open and may reach beyond the raster.

mod error;
pub(crate) mod webp;

use std::path::{Path, PathBuf};

pub use error::RasterError;

use crate::Result;

/// A size in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// A rectangle of pixels, half-open; it may lie partly or wholly outside the raster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct PixelWindow {
    /// First column.
    pub col: i64,
    /// First row.
    pub row: i64,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// The affine map from pixel to world coordinates, in GDAL's order:
/// `x = t[0] + col * t[1] + row * t[2]`, `y = t[3] + col * t[4] + row * t[5]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeoTransform(pub [f64; 6]);

/// Pixels of a window: values and which of them are valid.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    /// Columns and rows.
    pub size: Size,
    /// Bands.
    pub bands: usize,
    /// Values, `[bands, height, width]`, as stored in the file (not scaled); 0 where invalid.
    pub data: Vec<f32>,
    /// `[height, width]`: 1 where every band is valid and inside the raster, otherwise 0.
    pub valid: Vec<u8>,
}

/// Exact statistics of one band over its valid pixels.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct BandStatistics {
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Mean.
    pub mean: f64,
    /// Population standard deviation.
    pub std: f64,
    /// Valid pixels.
    pub count: u64,
    /// The 2nd percentile, for display.
    pub p2: f64,
    /// The 98th percentile, for display.
    pub p98: f64,
}

/// An opened raster. Cheap to clone; each thread that reads opens its own GDAL handle behind it.
#[derive(Clone, Debug)]
pub struct Raster {
    path: PathBuf,
}

impl Raster {
    /// Opens any raster that GDAL reads.
    ///
    /// # Errors
    /// [`RasterError`] when there is no such file or it is not a raster.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self { path: path.as_ref().to_owned() })
    }
}
