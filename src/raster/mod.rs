//! Rasters: any file that GDAL reads, with windows, masks, statistics and overviews. GDAL appears only here and in
//! [`crate::vector`].
//!
//! # Pixel convention
//! Pixel `(col, row)` covers `[col, col + 1) x [row, row + 1)`; its center is `(col + 0.5, row + 0.5)`. Windows are
//! half-open and may reach beyond the raster.

mod band;
mod by_band;
mod color_table;
pub(crate) mod crs;
mod describe;
mod error;
mod files;
pub(crate) mod gdal_library;
mod gsd;
mod handle;
mod information;
mod label_file;
mod look;
mod map_window;
mod names;
mod open;
mod options;
mod outline;
mod patch;
mod pixel_map;
mod place;
mod read;
mod regrid;
mod resample;
mod resize;
mod roles;
mod statistics;
mod statistics_cache;
mod transform;
mod vsi;
pub(crate) mod webp;
mod window;
mod writer;

pub use band::{Band, BandRole, DataType};
pub use error::RasterError;
pub(crate) use gsd::{has_no_plane, unit_of_plane};
pub(crate) use label_file::{LabelFile, Reading};
pub use map_window::{MapWindow, ZoomWindow};
pub use open::Raster;
pub use options::{BandChoice, OpenOptions};
pub(crate) use outline::{is_geographic, lon_lat_outline, outline};
pub use patch::Patch;
pub(crate) use pixel_map::{PixelMap, is_local, spread};
pub use resample::Resolution;
pub(crate) use resize::under_centers;
pub use statistics::BandStatistics;
pub(crate) use statistics::{Part, pooled_statistics};
pub use transform::{GeoReference, GeoTransform};
pub(crate) use vsi::read_whole;
pub use window::{PixelWindow, Size};
pub use writer::{RasterType, RasterWriter, WriterOptions};
