//! Bands that become their mean.

use rand::Rng;

use super::draw::{some_of, whole};
use super::values::BandValues;
use crate::raster::Patch;

pub(super) const WHAT: &str = "the number of bands to drop";

pub(super) fn apply(patch: &mut Patch, bands: &[BandValues], most: usize, random: &mut impl Rng) {
    let most = most.min(patch.bands.saturating_sub(1));
    if most == 0 {
        return;
    }
    let count = whole(random, 1..=most);
    let area = patch.size.area();
    for dropped in some_of(random, count, patch.bands.min(bands.len())) {
        let values = &mut patch.data[dropped * area..(dropped + 1) * area];
        for (value, &valid) in values.iter_mut().zip(&patch.valid) {
            if valid != 0 {
                *value = bands[dropped].mean;
            }
        }
    }
}
