//! Prediction of whole scenes in bounded memory, and the map it makes.

mod band;
mod error;
mod progress;
mod stream;
mod windows;

pub use error::PredictError;
