//! What a training step does to the weights: gradients, updates, averages, and the learning rate of each step. It knows
//! modules by the names of their tensors, and neither networks nor tasks.

mod average;
mod descent;
mod names;
mod one_cycle;
mod optimiser;
#[cfg(test)]
pub(crate) mod oracle;
mod schedule;
mod update;

pub use average::Average;
pub use descent::{Descent, MomentRecord};
pub use names::NamedTensors;
pub(crate) use names::{enter, exit};
pub use one_cycle::OneCycle;
pub use optimiser::{Optimiser, Rates, Step};
pub use schedule::{Plateau, Schedule};
