//! What a training step does to the weights: gradients, updates, averages, and the learning rate of each step. It knows
//! modules by the names of their tensors, and neither networks nor tasks.

mod ema;
mod names;
mod one_cycle;
mod optimizer;
#[cfg(test)]
pub(crate) mod oracle_tests;
mod schedule;
mod state;
mod update;

pub use ema::Ema;
pub use names::NamedTensors;
pub(crate) use names::{enter, exit, floats};
pub use one_cycle::OneCycle;
pub use optimizer::{Optimizer, Rates, Step};
pub use schedule::{Plateau, Schedule};
pub use state::{MomentRecord, OptimizerState};
