//! Pictures: imagery, overlays, chip grids, curves, bars, matrices, histograms.
//!
//! Plots are SVG, imagery is WebP or PNG inside HTML; every picture has a plain form and alternative text. Plots stand
//! on a light ground of their own, so that they read the same on light and dark themes and in viewers that know no
//! themes; [`Figure::live_html`] follows JupyterLab's theme instead.

mod bars;
mod canvas;
mod chips;
mod curves;
mod error;
mod figure;
mod histogram;
pub mod image;
mod legend;
mod matrix;
mod overlay;
mod patch;
mod series;
mod strip;
mod swipe;
mod theme;

#[cfg(test)]
mod tests;

pub use crate::color::{contrast, series_color, text_on};
pub use crate::display::html::{facts_html, image_html, table_html, table_text};
pub use bars::bars;
pub(crate) use chips::finish as picture_figure;
pub use chips::{ChipGrid, Tile, chip_grid, chip_grid_with, comparison};
pub use curves::{Curves, curves};
pub use error::PlotError;
pub use figure::Figure;
pub use histogram::histogram;
pub(crate) use histogram::value_histogram;
pub use image::{RgbImage, RgbaImage};
pub use legend::legend_html;
pub(crate) use legend::{Entry, INVALID, Swatch};
pub use matrix::confusion_matrix;
pub use overlay::{Overlay, prediction_overlay};
pub use series::Series;
pub(crate) use strip::{DateCell, date_strip};
pub use swipe::Swipe;
