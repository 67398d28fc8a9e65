//! Drawn scenes with exact truth, for tests, scale and no network at all.

mod noise;
mod paint;
mod plan;
mod sentinel;
mod shapes;
mod town;

pub use sentinel::{Sentinel, sentinel, sentinel_in, sentinel_of};
pub use town::{Town, town, town_in};
