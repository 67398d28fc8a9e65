//! Options and records of training.

use crate::display::records::{NOTHING, count, number, perhaps};
use crate::display::{Output, Record, Show, show_fields, show_records};
use crate::train::{
    DetectionScores, Ema, EpochRecord, FitOptions, Length, Loss, Measured, MomentRecord, OneCycle,
    Optimizer, OptimizerState, Plateau, Rates, Schedule, Step, StopReason, Timings,
    ValidationScores,
};

impl Record for EpochRecord {
    const COLUMNS: &'static [&'static str] = &[
        "epoch",
        "step",
        "train loss",
        "valid loss",
        "mean IoU",
        "F1",
        "AP50",
        "measured",
        "learning rate",
        "images/s",
        "seconds",
    ];

    fn cells(&self) -> Vec<String> {
        let (iou, f1, ap50) = match &self.scores {
            ValidationScores::Segmentation(scores) => (Some(scores.mean_iou()), None, None),
            ValidationScores::Detection(scores) => (None, Some(scores.f1), scores.ap50),
            ValidationScores::Measured(_) => (None, None, None),
        };
        let measured = match &self.scores {
            ValidationScores::Measured(measured) => {
                format!("{} {}", measured.measure, number(measured.value))
            }
            _ => NOTHING.to_owned(),
        };
        let score = |score: Option<f64>| match score {
            Some(score) if score.is_finite() => format!("{score:.3}"),
            _ => NOTHING.to_owned(),
        };
        vec![
            self.epoch.to_string(),
            self.step.to_string(),
            format!("{:.4}", self.train_loss),
            format!("{:.4}", self.valid_loss),
            score(iou),
            score(f1),
            score(ap50),
            measured,
            format!("{:.1e}", self.lr),
            format!("{:.1}", self.images_per_second),
            format!("{:.1}", self.seconds),
        ]
    }
}

impl Record for DetectionScores {
    const COLUMNS: &'static [&'static str] = &["F1", "AP50", "threshold", "objects"];

    fn cells(&self) -> Vec<String> {
        vec![
            number(self.f1),
            perhaps(self.ap50),
            format!("{:.2}", self.threshold),
            count(self.truth),
        ]
    }
}

impl Record for Timings {
    const COLUMNS: &'static [&'static str] = &[
        "total s",
        "steps",
        "waiting",
        "validation",
        "view",
        "checkpoints",
    ];

    fn cells(&self) -> Vec<String> {
        let seconds = [
            self.total,
            self.steps,
            self.waiting,
            self.validation,
            self.view,
            self.checkpoints,
        ];
        seconds.map(|seconds| format!("{seconds:.1}")).to_vec()
    }
}

impl Record for MomentRecord {
    const COLUMNS: &'static [&'static str] = &["path", "first moments", "second moments"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.path.clone(),
            count(self.first.len()),
            count(self.second.len()),
        ]
    }
}

show_records!(EpochRecord, DetectionScores, Timings, MomentRecord);
show_fields!(
    Measured,
    FitOptions,
    Length,
    Loss,
    OneCycle,
    Optimizer,
    OptimizerState,
    Ema,
    Plateau,
    Rates,
    Schedule,
    Step,
    StopReason
);

/// The scores of the task.
impl Show for ValidationScores {
    fn output(&self) -> Output {
        match self {
            Self::Segmentation(scores) => scores.output(),
            Self::Detection(scores) => scores.output(),
            Self::Measured(measured) => measured.output(),
        }
    }
}
