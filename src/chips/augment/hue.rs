//! Hues turned around the circle of colors.

use rand::Rng;

use super::colors;
use super::draw::signed;
use crate::raster::Patch;

pub(super) const WHAT: &str = "the change of hue";

pub(super) fn apply(patch: &mut Patch, places: [usize; 3], share: f64, random: &mut impl Rng) {
    turn(patch, places, signed(random, share) as f32);
}

pub(super) fn turn(patch: &mut Patch, places: [usize; 3], share: f32) {
    if let Some(mut colors) = colors::of(patch, places) {
        colors.turn(share);
    }
}
