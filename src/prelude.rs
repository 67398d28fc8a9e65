//! Everything a notebook needs, in scope in every cell.

pub use crate::device::Device;
pub use crate::train::{Fit, Loss, Run, Segmenter, StopReason};
