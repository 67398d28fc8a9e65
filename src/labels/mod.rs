//! Labels: classes, polygons burned into class maps by the pixel-center rule, and what the values of label rasters mean.
//! No I/O here.

mod cell_rule;
mod classes;
mod clip_area;
mod color_words;
mod colors;
mod error;
mod index;
mod qml;
mod rasterize;
mod resolve;
#[cfg(test)]
mod resolve_tests;
mod suggest;
mod value_counts;
mod value_map;
mod value_table;
mod values;
mod values_text;

pub use cell_rule::CellRule;
pub(crate) use cell_rule::{Otherwise, counts_as_cell};
pub use classes::{BACKGROUND, Class, Classes, IGNORE};
pub(crate) use clip_area::area_inside;
pub use color_words::ClassColor;
pub use error::LabelError;
pub use index::LabelPolygons;
pub(crate) use qml::{Drawn, MARK, raster_style, vector_style};
pub(crate) use rasterize::Scanline;
pub use rasterize::rasterize;
pub(crate) use resolve::{Found, Resolved, resolve};
pub(crate) use suggest::colors as suggest_colors;
pub(crate) use value_counts::{NumberKind, Tally, ValueCounts};
pub(crate) use value_map::ValueMap;
pub use value_table::{ValueCount, ValueTable};
pub use values::{LabelValue, LabelValues};
pub(crate) use values::{Meaning, packed, unpacked};
