//! Colors: how far apart they look, which contrast, and the usual ones of series.

mod palette;
pub(crate) mod vision;

pub(crate) use palette::hex;
pub use palette::{contrast, series_color, text_on};
