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
    let powers = Powers::new(exponent);
    change(patch, bands, |band, value| {
        let width = band.p98 - band.p2;
        let share = (value - band.p2) / width;
        match width > 0.0 && share > 0.0 && share < 1.0 {
            true => band.p2 + width * powers.of(share),
            false => value,
        }
    });
}

/// Powers of numbers from 0 to 1 by a table, within 0.00003 of the true ones: a power takes fifty times as long.
struct Powers {
    exponent: f32,
    /// Of `0 / STEPS` to `STEPS / STEPS`, and one more.
    table: Vec<f32>,
}

const STEPS: usize = 4096;
/// Below this a root is too steep for lines between the steps.
const STEEP: f32 = 1.0 / 256.0;

impl Powers {
    fn new(exponent: f32) -> Self {
        let power = |step: usize| libm::powf(step as f32 / STEPS as f32, exponent);
        Self {
            exponent,
            table: (0..=STEPS + 1).map(power).collect(),
        }
    }

    fn of(&self, share: f32) -> f32 {
        let place = share * STEPS as f32;
        let step = place as usize;
        match self.table.get(step..step + 2) {
            Some(&[low, high]) if share >= STEEP => low + (high - low) * (place - step as f32),
            _ => libm::powf(share, self.exponent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_the_table_are_near_those_of_the_function() {
        for exponent in [0.1, 0.5, 1.0, 1.3, 10.0] {
            let powers = Powers::new(exponent);
            for step in 1..100_000 {
                let share = step as f32 / 100_000.0;
                let (found, exact) = (powers.of(share), f64::from(share).powf(f64::from(exponent)));
                assert!(
                    (f64::from(found) - exact).abs() < 3e-5,
                    "{share} to the {exponent}"
                );
            }
        }
    }
}
