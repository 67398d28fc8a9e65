//! Two chips over each other.

use rand::{Rng, RngExt};

use crate::chips::Chip;
use crate::labels::IGNORE;

/// Uniform numbers whose middle one is drawn from Beta(32, 32): the k-th of n is of Beta(k, n + 1 - k).
const NUMBERS: usize = 63;

/// The share of the first chip, from Beta(32, 32) as in ultralytics' `MixUp`.
pub(super) fn draw(random: &mut impl Rng) -> f32 {
    let mut numbers: Vec<f64> = (0..NUMBERS).map(|_| random.random()).collect();
    numbers.sort_by(f64::total_cmp);
    numbers[NUMBERS / 2] as f32
}

pub(super) fn mix(chip: &mut Chip, other: &Chip, share: f32) {
    let area = chip.patch.size.area();
    if other.patch.data.len() != chip.patch.data.len() || other.patch.valid.len() != area {
        return;
    }
    for pixel in 0..area {
        let both = (chip.patch.valid[pixel] != 0, other.patch.valid[pixel] != 0);
        if !both.1 {
            continue;
        }
        for place in (0..chip.patch.bands).map(|band| band * area + pixel) {
            let (one, two) = (chip.patch.data[place], other.patch.data[place]);
            chip.patch.data[place] = if both.0 {
                one * share + two * (1.0 - share)
            } else {
                two
            };
        }
        chip.patch.valid[pixel] = 1;
        if let (Some(label), Some(&second)) = (chip.labels.get_mut(pixel), other.labels.get(pixel))
        {
            match both.0 {
                false => *label = second,
                true if *label != second => *label = IGNORE,
                true => {}
            }
        }
    }
    chip.boxes.extend_from_slice(&other.boxes);
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    /// Mean and variance of Beta(32, 32): 1/2 and 1/260.
    #[test]
    fn shares_have_the_moments_of_their_distribution() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(3);
        let shares: Vec<f64> = (0..20_000).map(|_| f64::from(draw(&mut random))).collect();
        let mean = shares.iter().sum::<f64>() / 20_000.0;
        let variance = shares.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!((mean - 0.5).abs() < 0.002, "{mean}");
        assert!((variance * 260.0 - 1.0).abs() < 0.05, "{variance}");
    }
}
