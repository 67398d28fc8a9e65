//! Gaussian blur over the valid pixels.

use std::ops::RangeInclusive;

use rand::Rng;

use super::draw::between;
use crate::raster::Patch;

pub(super) const WHAT: &str = "the range of blurs in pixels";

/// Deviations to where the kernel ends: SciPy's `truncate`.
const TRUNCATED: f64 = 4.0;

pub(super) fn apply(patch: &mut Patch, sigma: &RangeInclusive<f64>, random: &mut impl Rng) {
    blur(patch, between(random, sigma));
}

/// SciPy's `ndimage.gaussian_filter` of values times mask, divided by that of the mask (`mode="constant"`).
pub(super) fn blur(patch: &mut Patch, sigma: f64) {
    let radius = (TRUNCATED * sigma + 0.5) as usize;
    let weight = |step: usize| libm::exp(-0.5 * (step as f64 / sigma).powi(2)) as f32;
    // The deviation of nothing is no blur.
    if radius == 0 {
        return;
    }
    let half: Vec<f32> = (0..=radius).map(weight).collect();
    let whole = !patch.valid.contains(&0);
    let size = [patch.size.height, patch.size.width];
    let valid = (!whole).then_some(patch.valid.as_slice());
    swath_cpu::blur::blur(&mut patch.data, patch.bands, size, &half, valid);
}
