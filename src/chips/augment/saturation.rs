//! Colors further from gray, or nearer to it.

use rand::Rng;

use super::colors::change;
use super::draw::signed;
use crate::raster::Patch;

pub(super) const WHAT: &str = "the change of saturation";

/// How much of each color is in gray: torchvision's `rgb_to_grayscale`, which is ITU-R BT.601's luma.
const GRAY: [f32; 3] = [0.2989, 0.587, 0.114];

pub(super) fn apply(patch: &mut Patch, colors: [usize; 3], strength: f64, random: &mut impl Rng) {
    saturate(patch, colors, 1.0 + signed(random, strength) as f32);
}

/// Torchvision's `adjust_saturation`.
pub(super) fn saturate(patch: &mut Patch, colors: [usize; 3], factor: f32) {
    change(patch, colors, |color| {
        let gray: f32 = color
            .iter()
            .zip(GRAY)
            .map(|(value, share)| value * share)
            .sum();
        color.map(|value| gray + factor * (value - gray))
    });
}
