//! Numbers from a generator, the same on any machine.

use std::ops::RangeInclusive;

use rand::{Rng, RngExt};
use rand_pcg::Pcg64Mcg;

use crate::chips::chip::generator;

/// A number of the range, each as likely as any other.
pub(super) fn between(random: &mut impl Rng, range: &RangeInclusive<f64>) -> f64 {
    let (low, high) = (*range.start(), *range.end());
    low + (high - low) * random.random::<f64>()
}

/// From `-strength` to `strength`.
pub(super) fn signed(random: &mut impl Rng, strength: f64) -> f64 {
    between(random, &(-strength..=strength))
}

/// A whole number of the range, as 64 bits whatever a `usize` has.
pub(super) fn whole(random: &mut impl Rng, range: RangeInclusive<usize>) -> usize {
    let (low, high) = (*range.start() as u64, *range.end() as u64);
    match low < high {
        true => random.random_range(low..=high) as usize,
        false => *range.start(),
    }
}

/// `count` of the numbers below `all`, or all of them, in a random order.
pub(super) fn some_of(random: &mut impl Rng, count: usize, all: usize) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..all).collect();
    for at in 0..count.min(all) {
        let other = whole(random, at..=all - 1);
        numbers.swap(at, other);
    }
    numbers.truncate(count);
    numbers
}

/// Numbers of the standard normal distribution, by Marsaglia's polar method; beyond 8.6 deviations there is none.
#[derive(Debug)]
pub(super) struct Normal {
    random: Pcg64Mcg,
    other: Option<f32>,
}

impl Normal {
    pub(super) fn new(random: Pcg64Mcg) -> Self {
        Self {
            random,
            other: None,
        }
    }

    pub(super) fn next(&mut self) -> f32 {
        if let Some(other) = self.other.take() {
            return other;
        }
        loop {
            // Both halves of one number: 32 bits each are more than a value of 24 shows.
            let bits: u64 = self.random.random();
            let half = |bits: u32| f64::from(bits) / f64::from(1_u32 << 31) - 1.0;
            let (x, y) = (half(bits as u32), half((bits >> 32) as u32));
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                let factor = (-2.0 * libm::log(square) / square).sqrt();
                self.other = Some((y * factor) as f32);
                return (x * factor) as f32;
            }
        }
    }
}

/// Generators of one chip in one epoch: each change has its own, so that what it draws does not depend on the others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draws {
    pub(super) seed: u64,
    pub(super) index: usize,
    pub(super) epoch: usize,
}

impl Draws {
    /// The generator of the change of this number, from 0. The numbers that places, sizes, flips and colors use
    /// (0, the largest, and those of the epochs) lie elsewhere.
    pub(super) fn of(self, change: u8) -> Pcg64Mcg {
        let purpose = ((u64::from(change) + 1) << 48).wrapping_add(self.epoch as u64);
        generator(self.seed, self.index, purpose)
    }

    /// The same of another chip.
    pub(super) fn at(self, index: usize) -> Self {
        Self { index, ..self }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn normal_numbers_have_the_moments_of_the_normal_distribution() {
        let mut normal = Normal::new(Pcg64Mcg::seed_from_u64(1));
        let numbers: Vec<f64> = (0..200_000).map(|_| f64::from(normal.next())).collect();
        let moment = |power: i32| numbers.iter().map(|x| x.powi(power)).sum::<f64>() / 200_000.0;
        // 0, 1, 0, 3; the tolerances are four deviations of each estimate.
        assert!(moment(1).abs() < 0.009, "{}", moment(1));
        assert!((moment(2) - 1.0).abs() < 0.013, "{}", moment(2));
        assert!(moment(3).abs() < 0.035, "{}", moment(3));
        assert!((moment(4) - 3.0).abs() < 0.09, "{}", moment(4));
        // 4.55 % lie beyond two deviations.
        let far = numbers.iter().filter(|x| x.abs() > 2.0).count() as f64 / 200_000.0;
        assert!((far - 0.0455).abs() < 0.002, "{far}");
    }

    #[test]
    fn some_of_several_are_different_ones() {
        let mut random = Pcg64Mcg::seed_from_u64(2);
        let mut seen = [0; 5];
        for _ in 0..500 {
            let mut some = some_of(&mut random, 3, 5);
            some.iter().for_each(|&one| seen[one] += 1);
            some.sort_unstable();
            some.dedup();
            assert_eq!(some.len(), 3);
        }
        assert!(
            seen.iter().all(|&times| (240..360).contains(&times)),
            "{seen:?}"
        );
        assert_eq!(some_of(&mut random, 9, 2).len(), 2);
        assert!(some_of(&mut random, 1, 0).is_empty());
    }
}
