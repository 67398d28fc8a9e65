//! Training: losses, schedule, optimiser, loop, checkpoints, the live view.

mod error;
mod loss;
mod optimiser;
mod schedule;

pub use error::TrainError;
pub use loss::{Loss, Targets};
pub use optimiser::{AdamW, MomentRecord, Rates, Step};
pub use schedule::OneCycle;
