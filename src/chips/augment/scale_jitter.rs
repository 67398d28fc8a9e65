//! The chip smaller or larger, anywhere.

use std::ops::RangeInclusive;

use rand::{Rng, RngExt};

use super::draw::between;
use super::plane_map::PlaneMap;
use crate::raster::Size;

pub(super) const WHAT: &str = "the range of scales";

/// Torchvision's `ScaleJitter`, padded or cropped to the chip's size at a random place.
pub(super) fn draw(random: &mut impl Rng, factors: &RangeInclusive<f64>, size: Size) -> PlaneMap {
    let factor = between(random, factors);
    // What is left around a smaller chip, or over of a larger one.
    let mut shift = |length: usize| (1.0 - factor) * length as f64 * random.random::<f64>();
    PlaneMap::scaling(factor, factor, shift(size.width), shift(size.height))
}
