//! Gaussian noise in units of each band's deviation.

use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use super::draw::Normal;
use super::values::{BandValues, change};
use crate::raster::Patch;

pub(super) const WHAT: &str = "the strength of noise";

pub(super) fn apply(
    patch: &mut Patch,
    bands: &[BandValues],
    deviations: f64,
    mut random: Pcg64Mcg,
) {
    let deviations = (deviations * random.random::<f64>()) as f32;
    let mut normal = Normal::new(random);
    change(patch, bands, |band, value| {
        value + deviations * band.std * normal.next()
    });
}
