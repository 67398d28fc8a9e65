//! Drawn scenes with exact truth, for tests, scale and no network at all.

mod noise;
mod paint;
mod plan;
mod shapes;
mod town;

pub use town::{Town, town, town_in};
