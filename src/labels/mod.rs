//! Labels: classes, and polygons burned into class maps by the pixel-centre rule. No I/O here.

mod classes;

pub use classes::{BACKGROUND, Class, Classes, IGNORE};
