//! Prediction of whole scenes in bounded memory, and the map it makes.

mod error;

pub use error::PredictError;
