//! Training: losses, schedule, optimizer, loop, checkpoints, the live view.
//!
//! [`crate::models::Model::fit`] trains a model, [`FitOptions`] says how to train it, [`Run`] is what comes back. The loop reads chips ahead in
//! worker threads, reads nothing back from a GPU at most steps, validates after every pass, keeps the best weights, and
//! stops within a step when the user interrupts.

mod batch;
mod checkpoint;
mod checks;
mod classification;
mod detection;
#[cfg(test)]
mod detector_tests;
mod error;
mod fingerprint;
mod fit;
mod halt;
mod history;
#[cfg(test)]
mod lasting_tests;
mod loss;
mod lovasz;
mod lr_finder;
mod model;
mod options;
mod run;
mod segmentation;
mod start;
mod step;
#[cfg(test)]
mod tests;
mod trainable;
mod unclassed;
mod validate;
mod view;

pub use crate::models::{Classifier, Detector, Segmenter};
pub use crate::optim::{
    Ema, MomentRecord, OneCycle, Optimizer, OptimizerState, Plateau, Rates, Schedule, Step,
};
pub(crate) use checkpoint::checkpoint_file;
pub use error::TrainError;
pub use history::{DetectionScores, EpochRecord, History, Measured, ValidationScores};
pub use loss::{Loss, Targets};
pub use lr_finder::LrFinder;
pub use options::{FitOptions, Length};
pub use run::{Run, StopReason, Timings};
pub use trainable::Trainable;
pub(crate) use {batch::Batch, trainable::Outcome};
