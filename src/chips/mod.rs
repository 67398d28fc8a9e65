//! Chips: windows of a scene with their labels, sampled reproducibly and decoded in worker threads.

mod error;

pub use error::ChipsError;
