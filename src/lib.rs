//! Swath: geospatial deep learning in Rust notebooks.
//!
//! Open a scene, look at it, cut chips, train a model, predict the whole scene, score it, save GIS files: one
//! expression a step. `ARCHITECTURE.md` says how the parts fit.
#![recursion_limit = "256"]

#[cfg(test)]
mod aliases;
mod cache;
pub mod chips;
pub mod cli;
pub mod data;
pub mod detect;
pub mod device;
pub mod display;
mod error;
pub mod evaluate;
pub mod labels;
pub mod models;
mod optim;
mod paths;
pub mod plot;
pub mod predict;
pub mod prelude;
pub mod raster;
pub mod report;
#[doc(hidden)]
pub mod rt;
pub mod samples;
pub mod scene;
pub mod session;
mod staged;
#[cfg(test)]
mod third_task_tests;
pub mod train;
pub mod vector;

pub use burn;
pub use swath_boxes as boxes;

pub use error::{Error, Hint, Result};
