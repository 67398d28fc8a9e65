//! Rasters: any file that GDAL reads, with windows, masks, statistics and overviews. GDAL appears only here and in
//! [`crate::vector`].
//!
//! # Pixel convention
//! Pixel `(col, row)` covers `[col, col + 1) x [row, row + 1)`; its center is `(col + 0.5, row + 0.5)`. Windows are
//! half-open and may reach beyond the raster.

mod band;
mod band_transform;
mod band_words;
pub(crate) mod bound;
mod by_band;
mod color_table;
pub(crate) mod crs;
mod describe;
mod error;
mod expression;
mod files;
pub(crate) mod gdal_library;
mod grid;
mod gsd;
mod handle;
mod information;
mod join_error;
mod kept;
mod label_file;
mod layer;
mod look;
mod map_window;
mod mosaic;
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
mod sensors;
mod spectral_index;
mod stack;
mod statistics;
mod statistics_cache;
mod style;
mod tile_names;
mod transform;
mod transform_error;
mod vsi;
mod warp;
pub(crate) mod webp;
mod window;
mod writer;

pub use band::{Band, BandRole, DataType};
pub use band_transform::BandTransform;
pub use error::RasterError;
pub(crate) use gsd::{has_no_plane, unit_of_plane};
pub use join_error::JoinError;
pub(crate) use label_file::{LabelFile, Reading};
pub use map_window::{MapWindow, ZoomWindow};
pub use mosaic::{Mosaic, Tiles};
pub(crate) use names::is_raster_name;
pub use open::Raster;
pub use options::{BandChoice, OpenOptions};
pub(crate) use outline::{is_geographic, lon_lat_outline, outline};
pub use patch::Patch;
pub(crate) use pixel_map::{PixelMap, is_local, spread};
pub use resample::Resolution;
pub(crate) use resize::under_centers;
pub use spectral_index::SpectralIndex;
pub use stack::{Stack, StackExtent, StackGrid, StackPart};
pub use statistics::BandStatistics;
pub(crate) use statistics::{Part, pooled_statistics};
pub(crate) use style::{Style, StyledValue, beside as style_beside, read as read_style};
pub use transform::{GeoReference, GeoTransform};
pub use transform_error::TransformError;
pub(crate) use vsi::read_whole;
pub use warp::Resampling;
pub use window::{PixelWindow, Size};
pub(crate) use writer::Pixel;
pub use writer::{RasterType, RasterWriter, WriterOptions};
