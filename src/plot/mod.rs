//! Pictures: imagery, overlays, chip grids, curves, bars, matrices, histograms.

mod error;

pub use error::PlotError;
