//! Values further from their band's mean, or nearer to it.

use rand::Rng;

use super::draw::signed;
use super::values::{BandValues, change};
use crate::raster::Patch;

pub(super) const WHAT: &str = "the change of contrast";

pub(super) fn apply(patch: &mut Patch, bands: &[BandValues], strength: f64, random: &mut impl Rng) {
    stretch(patch, bands, 1.0 + signed(random, strength) as f32);
}

/// Torchvision's `adjust_contrast` about the mean of the band over the scene: the chip's own would take away what sets it apart.
pub(super) fn stretch(patch: &mut Patch, bands: &[BandValues], factor: f32) {
    change(patch, bands, |band, value| {
        band.mean + factor * (value - band.mean)
    });
}
