//! Training: losses, schedule, optimiser, loop, checkpoints, the live view.
//!
//! [`Segmenter`] is the model, [`Fit`] says how to train it, [`Run`] is what comes back. The loop reads chips ahead in
//! worker threads, reads nothing back from a GPU at most steps, validates after every pass, keeps the best weights, and
//! stops within a step when the user interrupts.

mod average;
mod batch;
mod checkpoint;
mod checks;
mod descent;
mod detection;
mod detector;
#[cfg(test)]
mod detector_tests;
mod error;
mod finder;
mod fit;
mod history;
#[cfg(test)]
mod lasting_tests;
mod loss;
mod lovasz;
mod material;
mod model;
mod one_cycle;
mod optimiser;
mod options;
#[cfg(test)]
mod oracle;
mod random;
mod run;
mod schedule;
mod segmentation;
mod segmenter;
mod start;
mod step;
#[cfg(test)]
mod tests;
mod trainable;
mod update;
mod validate;
mod view;

pub use average::Average;
pub use descent::{Descent, MomentRecord};
pub use detector::Detector;
pub use error::TrainError;
pub use finder::RateSearch;
pub use history::{DetectionScores, EpochRecord, History, ValidationScores};
pub use loss::{Loss, Targets};
pub use one_cycle::OneCycle;
pub use optimiser::{Optimiser, Rates, Step};
pub use options::{Fit, Length};
pub use run::{Run, StopReason, Timings};
pub use schedule::{Plateau, Schedule};
pub use segmenter::Segmenter;
