//! All bands brighter or darker.

use rand::Rng;

use super::draw::signed;
use super::values::{BandValues, change};
use crate::raster::Patch;

pub(super) const WHAT: &str = "the change of brightness";

pub(super) fn apply(
    patch: &mut Patch,
    bands: &[BandValues],
    deviations: f64,
    random: &mut impl Rng,
) {
    brighter(patch, bands, signed(random, deviations) as f32);
}

/// Each value by so many of its band's deviations.
pub(super) fn brighter(patch: &mut Patch, bands: &[BandValues], deviations: f32) {
    change(patch, bands, |band, value| value + deviations * band.std);
}
