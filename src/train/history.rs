//! What happened during a training run, step by step and epoch by epoch.

use serde::{Deserialize, Serialize};

use crate::evaluate::Scores;

/// One epoch: a pass over the chips and the validation after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Epochs finished, this one included.
    pub epoch: usize,
    /// Optimiser steps taken since the start of the run.
    pub step: usize,
    /// Mean loss over the epoch's steps.
    pub train_loss: f64,
    /// Mean loss over the validation windows.
    pub valid_loss: f64,
    /// The scores on the validation windows.
    #[serde(with = "as_confusion")]
    pub scores: Scores,
    /// The learning rate of the epoch's last step.
    pub lr: f64,
    /// Chips trained on per second, validation left out.
    pub images_per_second: f64,
    /// Seconds that the epoch took, validation included.
    pub seconds: f64,
}

impl EpochRecord {
    /// The mean IoU over the classes other than background that the validation area has or the model predicts: what
    /// decides which epoch is the best. `None` when there is no such class.
    #[must_use]
    pub fn score(&self) -> Option<f64> {
        let ious: Vec<f64> = self
            .scores
            .per_class()
            .iter()
            .skip(1)
            .map(|class| class.iou)
            .filter(|iou| !iou.is_nan())
            .collect();
        (!ious.is_empty()).then(|| ious.iter().sum::<f64>() / ious.len() as f64)
    }

    /// Whether this epoch is better than `other`: by score, and by validation loss where there is none.
    #[must_use]
    pub fn is_better_than(&self, other: &Self) -> bool {
        match (self.score(), other.score()) {
            (Some(score), Some(other)) => score > other,
            (None, None) => self.valid_loss < other.valid_loss,
            (score, _) => score.is_some(),
        }
    }
}

/// The course of a training run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// One record an epoch, in order.
    pub epochs: Vec<EpochRecord>,
    /// The training loss of every step, in order.
    pub step_losses: Vec<f32>,
}

impl History {
    /// The epoch with the best validation score; the earliest of equals.
    #[must_use]
    pub fn best(&self) -> Option<&EpochRecord> {
        self.epochs.iter().reduce(|best, epoch| {
            if epoch.is_better_than(best) {
                epoch
            } else {
                best
            }
        })
    }

    /// The step losses, smoothed: an exponential mean with the given share of the new value, corrected for its start.
    #[must_use]
    pub fn smoothed(&self, share: f64) -> Vec<f64> {
        let (mut mean, mut weight) = (0.0, 0.0);
        let smooth = |loss: &f32| {
            if loss.is_finite() {
                mean = (1.0 - share) * mean + share * f64::from(*loss);
                weight = (1.0 - share) * weight + share;
            }
            if weight > 0.0 {
                mean / weight
            } else {
                f64::NAN
            }
        };
        self.step_losses.iter().map(smooth).collect()
    }
}

/// Scores are derived from their confusion matrix, so that is what a checkpoint holds.
mod as_confusion {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::evaluate::{Confusion, Scores};

    pub(super) fn serialize<S: Serializer>(
        scores: &Scores,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        scores.confusion().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Scores, D::Error> {
        Ok(Confusion::deserialize(deserializer)?.scores())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::evaluate::Confusion;

    pub(in crate::train) fn record(epoch: usize, counts: [u64; 4], valid_loss: f64) -> EpochRecord {
        let confusion = Confusion {
            classes: vec!["background".into(), "building".into()],
            counts: counts.to_vec(),
        };
        EpochRecord {
            epoch,
            step: epoch * 10,
            train_loss: 0.5,
            valid_loss,
            scores: confusion.scores(),
            lr: 1e-3,
            images_per_second: 4.0,
            seconds: 10.0,
        }
    }

    #[test]
    fn the_best_epoch_is_the_earliest_with_the_highest_foreground_iou() {
        let history = History {
            epochs: vec![
                record(1, [50, 10, 10, 30], 0.1),
                record(2, [50, 0, 10, 40], 0.9),
                record(3, [50, 0, 10, 40], 0.2),
            ],
            step_losses: Vec::new(),
        };
        assert_eq!(history.best().map(|epoch| epoch.epoch), Some(2));
        assert_eq!(history.best().and_then(EpochRecord::score), Some(0.8));
    }

    #[test]
    fn without_any_foreground_the_lowest_validation_loss_decides() {
        let history = History {
            epochs: vec![
                record(1, [50, 0, 0, 0], 0.4),
                record(2, [50, 0, 0, 0], 0.3),
                record(3, [50, 0, 0, 0], 0.5),
            ],
            step_losses: Vec::new(),
        };
        assert_eq!(history.best().map(|epoch| epoch.epoch), Some(2));
    }

    #[test]
    fn smoothing_starts_at_the_first_loss_and_skips_what_is_not_finite() {
        let history = History {
            epochs: Vec::new(),
            step_losses: vec![2.0, f32::NAN, 2.0, 1.0],
        };
        let smoothed = history.smoothed(0.5);
        assert_eq!(&smoothed[..3], &[2.0, 2.0, 2.0]);
        assert!(smoothed[3] < 2.0 && smoothed[3] > 1.0);
    }

    #[test]
    fn a_history_comes_back_from_json() {
        let history = History {
            epochs: vec![record(1, [50, 10, 10, 30], 0.1)],
            step_losses: vec![0.5],
        };
        let text = serde_json::to_string(&history).unwrap_or_default();
        assert_eq!(serde_json::from_str::<History>(&text).ok(), Some(history));
    }
}
