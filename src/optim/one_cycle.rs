//! The one-cycle schedule of the learning rate.

use std::f64::consts::PI;

/// Warm-up from a small rate to the highest, then a long cosine down to almost nothing.
///
/// # Source
/// Smith and Topin, Super-Convergence (2018), as `torch.optim.lr_scheduler.OneCycleLR` with `anneal_strategy="cos"`,
/// `pct_start=0.3`, `div_factor=25`, `final_div_factor=1e4`; the momentum stays as it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneCycle {
    highest: f64,
    steps: usize,
    warm_up: f64,
}

/// Share of the steps that warm up.
pub(super) const WARM_UP: f64 = 0.3;
/// The first rate is the highest divided by this.
const START_DIVISOR: f64 = 25.0;
/// The last rate is the first divided by this.
const END_DIVISOR: f64 = 1e4;

impl OneCycle {
    /// A cycle of `steps` optimizer steps that reaches `highest`.
    #[must_use]
    pub fn new(highest: f64, steps: usize) -> Self {
        Self {
            highest,
            steps,
            warm_up: WARM_UP,
        }
    }

    /// Another share of the steps for the warm-up than 0.3.
    #[must_use]
    pub fn warm_up(mut self, share: f64) -> Self {
        self.warm_up = share;
        self
    }

    /// The learning rate of optimizer step `step`, counted from 0. Steps after the last keep the last rate.
    #[must_use]
    pub fn rate(&self, step: usize) -> f64 {
        let first = self.highest / START_DIVISOR;
        let last_step = self.steps.saturating_sub(1) as f64;
        let peak = (self.warm_up * self.steps as f64 - 1.0).max(0.0);
        let step = (step as f64).min(last_step);
        if step <= peak && peak > 0.0 {
            between(first, self.highest, step / peak)
        } else if last_step > peak {
            between(
                self.highest,
                first / END_DIVISOR,
                (step - peak) / (last_step - peak),
            )
        } else {
            self.highest
        }
    }
}

/// Along half a cosine from `start` (share 0) to `end` (share 1).
fn between(start: f64, end: f64, share: f64) -> f64 {
    end + (start - end) / 2.0 * (1.0 + (PI * share).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() <= 1e-9 * expected.abs().max(1e-3),
            "expected {expected}, found {found}"
        );
    }

    /// Expected from the arithmetic of torch's `OneCycleLR.get_lr` (two phases ending at `pct_start * total - 1` and
    /// `total - 1`, `_annealing_cos` in each), written out in Python with `max_lr=0.01, total_steps=10`.
    #[test]
    fn ten_steps_agree_with_torch() {
        let expected = [
            0.0004,
            0.0052,
            0.01,
            0.009_504_846_320_134_737,
            0.008_117_456_539_497_631,
            0.006_112_620_219_362_892_5,
            0.003_887_419_780_637_108,
            0.001_882_583_460_502_37,
            0.000_495_193_679_865_262_8,
            4e-8,
        ];
        let cycle = OneCycle::new(0.01, 10);
        for (step, expected) in expected.into_iter().enumerate() {
            close(cycle.rate(step), expected);
        }
        close(cycle.rate(11), 4e-8);
    }

    /// The same with `max_lr=0.001, total_steps=400`.
    #[test]
    fn four_hundred_steps_agree_with_torch() {
        let cycle = OneCycle::new(0.001, 400);
        close(cycle.rate(0), 4e-5);
        close(cycle.rate(1), 4.016_725_990_295_248e-5);
        close(cycle.rate(60), 0.000_526_335_801_189_164_2);
        close(cycle.rate(119), 0.001);
        close(cycle.rate(120), 0.000_999_968_528_503_236_8);
        close(cycle.rate(260), 0.000_494_392_153_262_153_7);
        close(cycle.rate(399), 4e-9);
    }

    #[test]
    fn a_cycle_of_a_few_steps_stays_finite_and_positive() {
        for steps in 0..6 {
            for step in 0..6 {
                let rate = OneCycle::new(0.01, steps).rate(step);
                assert!(
                    rate.is_finite() && rate > 0.0 && rate <= 0.01,
                    "{steps} steps, step {step}: {rate}"
                );
            }
        }
    }
}
