//! Labels: classes, and polygons burned into class maps by the pixel-centre rule. No I/O here.

mod classes;
mod colors;
mod index;
mod rasterize;

pub use classes::{BACKGROUND, Class, Classes, IGNORE};
pub use index::LabelPolygons;
pub(crate) use rasterize::Scanline;
pub use rasterize::rasterize;
