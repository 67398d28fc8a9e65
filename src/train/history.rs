//! What happened during a training run, step by step and epoch by epoch.

use serde::{Deserialize, Serialize};

use crate::evaluate::{Confusion, Scores};

/// One epoch: a pass over the chips and the validation after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Epochs finished, this one included.
    pub epoch: usize,
    /// Optimizer steps taken since the start of the run.
    pub step: usize,
    /// Mean loss over the epoch's steps.
    pub train_loss: f64,
    /// Mean loss over the validation windows.
    pub valid_loss: f64,
    /// The scores on the validation windows.
    pub scores: ValidationScores,
    /// The learning rate of the epoch's last step.
    pub lr: f64,
    /// Chips trained on per second, validation left out.
    pub images_per_second: f64,
    /// Seconds that the epoch took, validation included.
    pub seconds: f64,
}

impl EpochRecord {
    /// What decides which epoch is the best: see [`ValidationScores::main`].
    #[must_use]
    pub fn score(&self) -> Option<f64> {
        self.scores.main()
    }

    /// Whether this epoch is better than `other`: by score, and where there is none, because the validation windows hold no
    /// object, by the sum of training and validation loss. The validation loss alone would choose a model that finds
    /// nothing anywhere.
    #[must_use]
    pub fn is_better_than(&self, other: &Self) -> bool {
        let losses = |epoch: &Self| epoch.train_loss + epoch.valid_loss;
        match (self.score(), other.score()) {
            (Some(score), Some(other)) if self.scores.lower_is_better() => score < other,
            (Some(score), Some(other)) => score > other,
            (None, None) => losses(self) < losses(other),
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
    /// Whether the scores are those of the running average of the weights ([`crate::train::FitOptions::ema`]).
    #[serde(default)]
    pub averaged: bool,
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

    /// The name of the score that decides which epoch is the best; `mean IoU` before the first validation.
    #[must_use]
    pub fn score_name(&self) -> &str {
        self.epochs
            .first()
            .map_or("mean IoU", |epoch| epoch.scores.name())
    }

    /// [`History::score_name`], with ` (EMA)` where the scores are those of averaged weights.
    #[must_use]
    pub fn score_label(&self) -> String {
        let averaged = if self.averaged { " (EMA)" } else { "" };
        format!("{}{averaged}", self.score_name())
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

/// The scores of one validation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
#[non_exhaustive]
pub enum ValidationScores {
    /// Of class maps.
    Segmentation(Scores),
    /// Of boxes.
    Detection(DetectionScores),
    /// One number, for a task that has no scores of its own here.
    Measured(Measured),
}

/// A number that says how good a model is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// What is measured, such as `mean absolute error`.
    pub measure: String,
    /// The value; NaN where nothing could be measured.
    pub value: f64,
    /// Whether lower values are better, as of errors.
    pub lower_is_better: bool,
}

/// Scores of boxes on the validation windows, each window an image of its own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectionScores {
    /// Average precision at IoU 0.5, as COCO computes it, averaged over the classes that have boxes there; `None` when
    /// none has.
    pub ap50: Option<f64>,
    /// The highest F1 at IoU 0.5 over all thresholds of the score, all classes together.
    pub f1: f64,
    /// The threshold that gives [`DetectionScores::f1`].
    pub threshold: f32,
    /// Boxes in the labels.
    pub truth: usize,
}

impl ValidationScores {
    /// What decides which epoch is the best. For segmentation, the mean IoU ([`Scores::mean_iou`]) over the classes that the
    /// validation windows hold; for detection, AP50. `None` where these hold no class but the background: whatever is
    /// predicted there, such a score says nothing, and the losses decide ([`EpochRecord::is_better_than`]).
    #[must_use]
    pub fn main(&self) -> Option<f64> {
        match self {
            Self::Segmentation(scores) => {
                let any = scores
                    .per_class()
                    .iter()
                    .skip(1)
                    .any(|class| class.support > 0);
                any.then(|| scores.mean_iou_of_labeled())
            }
            Self::Detection(scores) => scores.ap50.filter(|_| scores.truth > 0),
            Self::Measured(measured) => Some(measured.value).filter(|value| !value.is_nan()),
        }
    }

    /// The IoU of each class that the validation windows hold, the background left out: ` (building 0.612)`; nothing for
    /// boxes and for more classes than a line holds.
    pub(super) fn by_class(&self) -> String {
        let Self::Segmentation(scores) = self else {
            return String::new();
        };
        let labeled = scores
            .per_class()
            .iter()
            .skip(1)
            .filter(|class| class.support > 0);
        let parts: Vec<String> = labeled
            .map(|class| format!("{} {:.3}", class.name, class.iou))
            .collect();
        match parts.len() {
            1..=4 => format!(", {}", parts.join(", ")),
            _ => String::new(),
        }
    }

    /// The name of [`ValidationScores::main`].
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Segmentation(_) => "mean IoU",
            Self::Detection(_) => "AP50",
            Self::Measured(measured) => &measured.measure,
        }
    }

    /// Whether a lower [`ValidationScores::main`] is better.
    fn lower_is_better(&self) -> bool {
        matches!(self, Self::Measured(measured) if measured.lower_is_better)
    }

    /// The threshold of a detector's scores that these found best.
    pub(super) fn threshold(&self) -> Option<f32> {
        match self {
            Self::Detection(scores) if scores.truth > 0 => Some(scores.threshold),
            _ => None,
        }
    }
}

/// How a checkpoint holds scores: those of class maps are derived from their confusion matrix, so that is what is kept.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Stored {
    Segmentation(Confusion),
    Detection(DetectionScores),
    Measured(Measured),
}

impl From<Stored> for ValidationScores {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::Segmentation(confusion) => Self::Segmentation(confusion.scores()),
            Stored::Detection(scores) => Self::Detection(scores),
            Stored::Measured(measured) => Self::Measured(measured),
        }
    }
}

impl From<ValidationScores> for Stored {
    fn from(scores: ValidationScores) -> Self {
        match scores {
            ValidationScores::Segmentation(scores) => {
                Self::Segmentation(scores.confusion().clone())
            }
            ValidationScores::Detection(scores) => Self::Detection(scores),
            ValidationScores::Measured(measured) => Self::Measured(measured),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

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
            scores: ValidationScores::Segmentation(confusion.scores()),
            lr: 1e-3,
            images_per_second: 4.0,
            seconds: 10.0,
        }
    }

    #[test]
    fn the_best_epoch_is_the_earliest_with_the_highest_mean_iou() {
        let history = History {
            epochs: vec![
                record(1, [50, 10, 10, 30], 0.1),
                record(2, [50, 0, 10, 40], 0.9),
                record(3, [50, 0, 10, 40], 0.2),
            ],
            ..History::default()
        };
        assert_eq!(history.best().map(|epoch| epoch.epoch), Some(2));
        // (50 / 60 + 40 / 50) / 2, as the tables have it: torchmetrics' macro Jaccard index.
        let score = history
            .best()
            .and_then(EpochRecord::score)
            .unwrap_or_default();
        assert!((score - (50.0 / 60.0 + 0.8) / 2.0).abs() < 1e-12, "{score}");
    }

    /// rslearn#696, mmsegmentation#2021 (f20): every epoch had false pixels, so 0, and the first one stayed the best.
    #[test]
    fn without_an_object_in_the_truth_the_loss_decides_whatever_is_predicted() {
        let history = History {
            epochs: vec![
                record(1, [40, 10, 0, 0], 0.9),
                record(2, [49, 1, 0, 0], 0.2),
                record(3, [50, 0, 0, 0], 0.4),
            ],
            ..History::default()
        };
        assert_eq!(history.best().map(|epoch| epoch.epoch), Some(2));
        assert_eq!(history.best().and_then(EpochRecord::score), None);
        // A model that finds nothing has no loss where nothing is, but it has one in training.
        let blind = EpochRecord {
            train_loss: 0.9,
            ..record(1, [50, 0, 0, 0], 0.0)
        };
        let sees = EpochRecord {
            train_loss: 0.1,
            ..record(2, [49, 1, 0, 0], 0.1)
        };
        assert!(sees.is_better_than(&blind) && !blind.is_better_than(&sees));
    }

    /// A class that the validation area lacks: a single false pixel of it must not halve the score.
    #[test]
    fn false_pixels_of_a_class_that_is_not_there_do_not_decide() {
        let epoch = |epoch, counts: [u64; 9]| {
            let confusion = Confusion {
                classes: ["background", "crop", "water"].map(str::to_owned).to_vec(),
                counts: counts.to_vec(),
            };
            EpochRecord {
                scores: ValidationScores::Segmentation(confusion.scores()),
                ..record(epoch, [1; 4], 0.1)
            }
        };
        let history = History {
            epochs: vec![
                epoch(1, [60, 20, 0, 10, 10, 0, 0, 0, 0]),
                epoch(2, [79, 0, 1, 0, 20, 0, 0, 0, 0]),
            ],
            ..History::default()
        };
        assert_eq!(history.best().map(|epoch| epoch.epoch), Some(2));
    }

    #[test]
    fn detection_scores_decide_by_ap50_and_come_back_from_json() {
        let epoch = |epoch, ap50| EpochRecord {
            scores: ValidationScores::Detection(DetectionScores {
                ap50: Some(ap50),
                f1: 0.7,
                threshold: 0.3,
                truth: 12,
            }),
            ..record(epoch, [1; 4], 0.1)
        };
        let history = History {
            epochs: vec![epoch(1, 0.4), epoch(2, 0.6), epoch(3, 0.5)],
            ..History::default()
        };
        assert_eq!(history.best().map(|epoch| epoch.epoch), Some(2));
        let text = serde_json::to_string(&history).unwrap_or_default();
        assert_eq!(serde_json::from_str::<History>(&text).ok(), Some(history));
    }

    #[test]
    fn without_any_foreground_the_lowest_loss_decides() {
        let history = History {
            epochs: vec![
                record(1, [50, 0, 0, 0], 0.4),
                record(2, [50, 0, 0, 0], 0.3),
                record(3, [50, 0, 0, 0], 0.5),
            ],
            ..History::default()
        };
        assert_eq!(history.best().map(|epoch| epoch.epoch), Some(2));
    }

    #[test]
    fn smoothing_starts_at_the_first_loss_and_skips_what_is_not_finite() {
        let history = History {
            step_losses: vec![2.0, f32::NAN, 2.0, 1.0],
            ..History::default()
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
            averaged: true,
        };
        let text = serde_json::to_string(&history).unwrap_or_default();
        assert_eq!(serde_json::from_str::<History>(&text).ok(), Some(history));
    }
}
