//! Values raised to a power, between the percentiles that imagery is shown by.

use std::ops::RangeInclusive;

use rand::Rng;

use super::draw::between;
use super::values::{BandValues, change};
use crate::raster::Patch;

pub(super) const WHAT: &str = "the range of exponents";

pub(super) fn apply(
    patch: &mut Patch,
    bands: &[BandValues],
    exponents: &RangeInclusive<f64>,
    random: &mut impl Rng,
) {
    power(patch, bands, between(random, exponents) as f32);
}

/// Torchvision's `adjust_gamma` with the 2nd percentile as 0 and the 98th as 1. What lies outside stays, so that the order of
/// values stays, too.
pub(super) fn power(patch: &mut Patch, bands: &[BandValues], exponent: f32) {
    change(patch, bands, |band, value| {
        let width = band.p98 - band.p2;
        let share = (value - band.p2) / width;
        match width > 0.0 && share > 0.0 && share < 1.0 {
            true => band.p2 + width * libm::powf(share, exponent),
            false => value,
        }
    });
}
