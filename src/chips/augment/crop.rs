//! A part of the chip in its place.

use std::ops::RangeInclusive;

use rand::{Rng, RngExt};

use super::draw::between;
use super::plane_map::PlaneMap;
use crate::raster::Size;

pub(super) const WHAT: &str = "the range of the chip's share that is cropped";

/// Torchvision's `ratio`.
const RATIO: f64 = 4.0 / 3.0;
/// Shapes that are tried before the whole chip is taken.
const TRIES: usize = 10;

/// Torchvision's `RandomResizedCrop.get_params`, without rounding: an area, a ratio from the logarithm's range, a place.
pub(super) fn draw(random: &mut impl Rng, area: &RangeInclusive<f64>, size: Size) -> PlaneMap {
    let log_ratio = libm::log(RATIO);
    for _ in 0..TRIES {
        let area = between(random, area);
        let ratio = libm::exp(between(random, &(-log_ratio..=log_ratio)));
        let (width, height) = ((area * ratio).sqrt(), (area / ratio).sqrt());
        if width <= 1.0 && height <= 1.0 {
            let mut start =
                |share: f64, length: usize| (1.0 - share) * random.random::<f64>() * length as f64;
            let (left, top) = (start(width, size.width), start(height, size.height));
            return PlaneMap::scaling(1.0 / width, 1.0 / height, -left / width, -top / height);
        }
    }
    PlaneMap::IDENTITY
}
