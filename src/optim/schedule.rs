//! The learning rate over the steps of a run.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::OneCycle;
use super::one_cycle::WARM_UP;

/// A loss counts as lower when it is lower by this share, as in PyTorch.
const THRESHOLD: f64 = 1e-4;
/// A rate is not lowered by less than this, as in PyTorch.
const SMALLEST_CUT: f64 = 1e-8;

/// How the learning rate goes from the first step to the last. [`crate::train::FitOptions::lr`] is the highest rate.
///
/// ```
/// use swath::train::{FitOptions, Schedule};
/// let fit = FitOptions::epochs(20).schedule(Schedule::cosine().warm_up(0.05));
/// let slow_end = FitOptions::epochs(20).schedule(Schedule::poly(0.9));
/// let careful = FitOptions::epochs(20).schedule(Schedule::plateau(0.5, 2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    shape: Shape,
    warm_up: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    OneCycle,
    Cosine,
    Poly { power: f64 },
    Plateau { factor: f64, patience: usize },
    Constant,
}

impl Schedule {
    const fn new(shape: Shape, warm_up: f64) -> Self {
        Self { shape, warm_up }
    }

    /// The default: up from 1/25 of the rate over 30 % of the steps, then down to almost nothing. See [`OneCycle`].
    #[must_use]
    pub const fn one_cycle() -> Self {
        Self::new(Shape::OneCycle, WARM_UP)
    }

    /// Half a cosine from the rate to 0, after a warm-up over 5 % of the steps.
    ///
    /// # Source
    /// Loshchilov and Hutter, SGDR (2017), as `torch.optim.lr_scheduler.CosineAnnealingLR` without restarts.
    #[must_use]
    pub const fn cosine() -> Self {
        Self::new(Shape::Cosine, 0.05)
    }

    /// `(1 - step / steps) ^ power` of the rate, 0.9 usually, without warm-up.
    ///
    /// # Source
    /// Chen et al., DeepLab (2017), as `torch.optim.lr_scheduler.PolynomialLR`.
    #[must_use]
    pub const fn poly(power: f64) -> Self {
        Self::new(Shape::Poly { power }, 0.0)
    }

    /// The rate, times `factor` whenever the validation loss has not fallen (by a ten-thousandth of itself) for more
    /// than `patience` epochs; without warm-up.
    ///
    /// # Source
    /// `torch.optim.lr_scheduler.ReduceLROnPlateau`.
    #[must_use]
    pub const fn plateau(factor: f64, patience: usize) -> Self {
        Self::new(Shape::Plateau { factor, patience }, 0.0)
    }

    /// The same rate at every step, without warm-up.
    #[must_use]
    pub const fn constant() -> Self {
        Self::new(Shape::Constant, 0.0)
    }

    /// The share of the steps, 0 to 1, over which the rate rises to its highest in equal amounts; the schedule's own
    /// course takes the other steps. In [`Schedule::one_cycle`] the rise is half a cosine.
    #[must_use]
    pub const fn warm_up(mut self, share: f64) -> Self {
        self.warm_up = share;
        self
    }

    /// Its name, as a person reads it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.shape {
            Shape::OneCycle => "one-cycle",
            Shape::Cosine => "cosine",
            Shape::Poly { .. } => "poly",
            Shape::Plateau { .. } => "plateau",
            Shape::Constant => "constant",
        }
    }

    /// What is wrong with it: the value found, and what was expected.
    pub(crate) fn problem(self) -> Option<(String, &'static str)> {
        if !(0.0..1.0).contains(&self.warm_up) {
            let found = format!("{} with a warm-up of {}", self.name(), self.warm_up);
            return Some((
                found,
                "a warm-up over a share of the steps, at least 0 and less than 1",
            ));
        }
        match self.shape {
            Shape::Poly { power } if !(power.is_finite() && power > 0.0) => Some((
                format!("poly({power})"),
                "a positive power, such as Schedule::poly(0.9)",
            )),
            Shape::Plateau { factor, .. } if !(factor > 0.0 && factor < 1.0) => Some((
                format!("plateau({factor}, ..)"),
                "a factor between 0 and 1, such as Schedule::plateau(0.5, 2)",
            )),
            _ => None,
        }
    }

    /// The learning rate of optimizer step `step`, counted from 0, of `steps` in all, where `highest` is the highest
    /// rate. What [`Schedule::plateau`] learned from the validation is in `plateau`; other schedules ignore it.
    #[must_use]
    pub fn rate(self, highest: f64, (step, steps): (usize, usize), plateau: &Plateau) -> f64 {
        if self.shape == Shape::OneCycle {
            return OneCycle::new(highest, steps)
                .warm_up(self.warm_up)
                .rate(step);
        }
        let warm = (self.warm_up * steps as f64).round() as usize;
        if step < warm {
            // Reaches the rate at the step after the last of the warm-up.
            return highest * plateau.scale * (step + 1) as f64 / (warm + 1) as f64;
        }
        let share = ((step - warm) as f64 / steps.saturating_sub(warm).max(1) as f64).min(1.0);
        match self.shape {
            Shape::Cosine => highest * (1.0 + (PI * share).cos()) / 2.0,
            Shape::Poly { power } => highest * (1.0 - share).powf(power),
            Shape::Plateau { .. } => highest * plateau.scale,
            Shape::OneCycle | Shape::Constant => highest,
        }
    }

    /// Tells [`Schedule::plateau`] the loss of a validation; other schedules ignore it.
    pub fn validated(self, highest: f64, loss: f64, plateau: &mut Plateau) {
        let Shape::Plateau { factor, patience } = self.shape else {
            return;
        };
        if plateau
            .lowest
            .is_none_or(|lowest| loss < lowest * (1.0 - THRESHOLD))
        {
            plateau.lowest = Some(loss);
            plateau.since = 0;
        } else {
            plateau.since += 1;
        }
        if plateau.since > patience {
            plateau.since = 0;
            let cut = highest * plateau.scale * (1.0 - factor);
            if cut > SMALLEST_CUT {
                plateau.scale *= factor;
            }
        }
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Self::one_cycle()
    }
}

/// What [`Schedule::plateau`] has seen so far; part of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plateau {
    /// What the highest rate is multiplied by now.
    pub scale: f64,
    /// The lowest validation loss.
    pub lowest: Option<f64>,
    /// Validations since then, or since the last cut.
    pub since: usize,
}

impl Default for Plateau {
    fn default() -> Self {
        Self {
            scale: 1.0,
            lowest: None,
            since: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::oracle_tests::{Number, oracle};

    #[track_caller]
    fn close(found: f64, expected: f64, what: &str) {
        assert!(
            (found - expected).abs() <= 1e-7 * expected.abs().max(1e-6),
            "{what}: expected {expected}, found {found}"
        );
    }

    #[test]
    fn every_schedule_agrees_with_torch_at_every_step() {
        let cases = oracle("schedules");
        for case in &cases {
            let schedule = match case["name"].as_str() {
                Some("one-cycle") => Schedule::one_cycle(),
                Some("cosine") => Schedule::cosine(),
                Some("poly") => Schedule::poly(case["power"].number()),
                Some("constant") => Schedule::constant(),
                other => panic!("unknown schedule {other:?}"),
            }
            .warm_up(case["warm_up"].number());
            let expected = case["rates"].numbers();
            assert_eq!(expected.len(), 20);
            for (step, expected) in expected.into_iter().enumerate() {
                let found = schedule.rate(0.02, (step, 20), &Plateau::default());
                close(found, expected, &format!("{schedule:?} at step {step}"));
            }
        }
        assert_eq!(cases.len(), 7);
    }

    #[test]
    fn plateau_lowers_the_rate_when_torch_does() {
        let cases = oracle("plateau");
        for case in &cases {
            let patience = case["patience"].as_u64().unwrap_or_default() as usize;
            let schedule = Schedule::plateau(case["factor"].number(), patience);
            let mut plateau = Plateau::default();
            let pairs = case["losses"]
                .numbers()
                .into_iter()
                .zip(case["rates"].numbers());
            for (epoch, (loss, expected)) in pairs.enumerate() {
                schedule.validated(0.02, loss, &mut plateau);
                let found = schedule.rate(0.02, (epoch, 17), &plateau);
                close(found, expected, &format!("{schedule:?} after {epoch}"));
            }
        }
        assert_eq!(cases.len(), 3);
    }

    #[test]
    fn any_number_of_steps_gives_finite_rates_within_the_highest() {
        for schedule in [
            Schedule::one_cycle(),
            Schedule::cosine(),
            Schedule::poly(0.9),
            Schedule::plateau(0.1, 0),
            Schedule::constant().warm_up(0.9),
        ] {
            for steps in 0..7 {
                for step in 0..8 {
                    let rate = schedule.rate(0.01, (step, steps), &Plateau::default());
                    assert!(
                        (0.0..=0.01).contains(&rate),
                        "{schedule:?}, {steps} steps, step {step}: {rate}"
                    );
                }
            }
        }
    }

    #[test]
    fn settings_that_make_no_schedule_are_named() {
        for (schedule, found) in [
            (Schedule::cosine().warm_up(1.0), "a warm-up of 1"),
            (Schedule::cosine().warm_up(f64::NAN), "NaN"),
            (Schedule::poly(0.0), "poly(0)"),
            (Schedule::plateau(1.5, 1), "plateau(1.5"),
        ] {
            let problem = schedule.problem().unwrap_or_default();
            assert!(problem.0.contains(found), "{problem:?}");
        }
        assert_eq!(Schedule::default().problem(), None);
    }
}
