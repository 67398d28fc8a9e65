//! Colors further from gray, or nearer to it.

use rand::Rng;

use super::colors;
use super::draw::signed;
use crate::raster::Patch;

pub(super) const WHAT: &str = "the change of saturation";

pub(super) fn apply(patch: &mut Patch, places: [usize; 3], strength: f64, random: &mut impl Rng) {
    saturate(patch, places, 1.0 + signed(random, strength) as f32);
}

pub(super) fn saturate(patch: &mut Patch, places: [usize; 3], factor: f32) {
    if let Some(mut colors) = colors::of(patch, places) {
        colors.saturate(factor);
    }
}
