//! Training: losses, schedule, loop, checkpoints, the live view.

mod error;

pub use error::TrainError;
