//! Training: losses, schedule, optimiser, loop, checkpoints, the live view.
//!
//! [`Segmenter`] is the model, [`Fit`] says how to train it, [`Run`] is what comes back. The loop reads chips ahead in
//! worker threads, reads nothing back from a GPU at most steps, validates after every pass, keeps the best weights, and
//! stops within a step when the user interrupts.

mod batch;
mod checkpoint;
mod checks;
mod error;
mod fit;
mod history;
mod loss;
mod model;
mod optimiser;
mod options;
mod run;
mod schedule;
mod segmentation;
mod segmenter;
#[cfg(test)]
mod tests;
mod trainable;
mod validate;
mod view;

pub use error::TrainError;
pub use history::{DetectionScores, EpochRecord, History, ValidationScores};
pub use loss::{Loss, Targets};
pub use optimiser::{AdamW, MomentRecord, Rates, Step};
pub use options::{Fit, Length};
pub use run::{Run, StopReason, Timings};
pub use schedule::OneCycle;
pub use segmenter::Segmenter;
