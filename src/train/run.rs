//! A finished training run.

use super::view::{curves, duration};
use super::{EpochRecord, History, Trainable};
use crate::display::{FONT, Output, Show, escape};
use crate::models::{Model, Segmenter};
use crate::plot::{table_html, table_text};
use crate::report::Report;

/// Why a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// All steps were taken.
    Finished,
    /// The user interrupted it; the best weights so far are kept.
    Interrupted,
    /// The validation score did not rise for as many epochs as `FitOptions::patience` allows.
    NoImprovement {
        /// Epochs since the best one.
        epochs: usize,
    },
    /// The loss or a gradient was infinite or not a number; the weights from before are kept.
    NotFinite {
        /// The step where it was seen, counted from 1.
        step: usize,
    },
    /// The device ran out of memory; the weights from before are kept.
    OutOfMemory {
        /// The step where it happened, counted from 1.
        step: usize,
    },
}

/// Where the time of a run went, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timings {
    /// The whole run.
    pub total: f64,
    /// Forward, backward, optimizer.
    pub steps: f64,
    /// Waiting for chips to be read.
    pub waiting: f64,
    /// Validation.
    pub validation: f64,
    /// Drawing and sending the live view.
    pub view: f64,
    /// Writing checkpoints.
    pub checkpoints: f64,
}

/// A finished training run: its models, its course, why it ended. Shows itself as a table of epochs with curves.
///
/// `M` is the kind of model: [`Segmenter`] or [`crate::models::Detector`].
#[derive(Clone)]
#[must_use]
pub struct Run<M = Segmenter> {
    pub(super) best: M,
    pub(super) last: M,
    pub(super) history: History,
    pub(super) stopped: StopReason,
    pub(super) device: String,
    pub(super) steps: usize,
    pub(super) batch: usize,
    pub(super) timings: Timings,
    pub(super) report: Report,
}

impl<M> Run<M> {
    /// The model of the epoch with the best validation score; without a validation, the last one.
    #[must_use]
    #[doc(alias = "best_model")]
    #[doc(alias = "model")]
    #[doc(alias = "best_estimator")]
    #[doc(alias = "save")]
    #[doc(alias = "predict")]
    #[doc(alias = "evaluate")]
    pub fn best(&self) -> &M {
        &self.best
    }

    /// The model after the last step.
    #[must_use]
    #[doc(alias = "final_model")]
    #[doc(alias = "last_model")]
    pub fn last(&self) -> &M {
        &self.last
    }

    /// What happened, step by step and epoch by epoch.
    #[must_use]
    #[doc(alias = "metrics")]
    #[doc(alias = "losses")]
    #[doc(alias = "recorder")]
    #[doc(alias = "log")]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Why it ended.
    #[must_use]
    #[doc(alias = "reason")]
    pub fn stopped(&self) -> StopReason {
        self.stopped
    }

    /// What a person should know about the run: a validation area without objects, chips of background alone, scenes whose
    /// values differ. It is shown when the run starts and under its table.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Where its time went.
    #[must_use]
    #[doc(alias = "duration")]
    #[doc(alias = "time")]
    #[doc(alias = "elapsed")]
    pub fn timings(&self) -> Timings {
        self.timings
    }

    /// One sentence: how far it came, why it ended, which weights are kept.
    #[must_use]
    #[doc(alias = "describe")]
    pub fn summary(&self) -> String {
        let taken = self.history.step_losses.len();
        let ended = match self.stopped {
            StopReason::Finished => format!("Finished: {taken} steps"),
            StopReason::Interrupted => {
                format!("Interrupted by you after {taken} of {} steps", self.steps)
            }
            StopReason::NoImprovement { epochs } => {
                let plural = if epochs == 1 { "" } else { "s" };
                format!(
                    "Stopped after {taken} of {} steps: no better score for {epochs} epoch{plural}",
                    self.steps
                )
            }
            StopReason::NotFinite { step } => {
                format!(
                    "Stopped: the loss or a gradient was not finite at step {step} of {} (try a lower `lr`)",
                    self.steps
                )
            }
            StopReason::OutOfMemory { step } => {
                format!(
                    "Stopped: out of memory at step {step} of {} (lower `batch` and raise `accumulate` as much)",
                    self.steps
                )
            }
        };
        let kept = match self.history.best() {
            Some(best) => {
                let score = match best.score() {
                    Some(score) => format!(
                        "{} {score:.3}{}",
                        self.history.score_label(),
                        best.scores.by_class()
                    ),
                    None => format!(
                        "training loss {:.3}, validation loss {:.3}",
                        best.train_loss, best.valid_loss
                    ),
                };
                format!("best weights of epoch {} kept ({score})", best.epoch)
            }
            None => "the weights reached are kept; they were not validated".to_owned(),
        };
        format!("{ended} in {}; {kept}", duration(self.timings.total))
    }

    /// `2 min 3 s in steps, 1 s waiting for chips, ...`
    fn where_time_went(&self) -> String {
        let Timings {
            steps,
            waiting,
            validation,
            view,
            checkpoints,
            ..
        } = self.timings;
        let mut parts = Vec::new();
        for (seconds, what) in [
            (steps, "in steps"),
            (waiting, "waiting for chips"),
            (validation, "validating"),
            (view, "drawing"),
            (checkpoints, "writing checkpoints"),
        ] {
            if seconds > 0.0 {
                parts.push(format!("{seconds:.1} s {what}"));
            }
        }
        parts.join(", ")
    }
}

/// `Run(Finished: 40 steps in 12 s; best weights of epoch 2 kept (mean IoU 0.612))`.
impl<M> std::fmt::Debug for Run<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Run({})", self.summary())
    }
}

/// The table's headers; `score` names the score that decides.
fn headers(score: &str) -> [&str; 8] {
    [
        "epoch",
        "step",
        "train loss",
        "valid loss",
        score,
        "lr",
        "images/s",
        "seconds",
    ]
}

fn row(epoch: &EpochRecord, best: bool) -> Vec<String> {
    let score = epoch
        .score()
        .map_or_else(|| "–".to_owned(), |score| format!("{score:.4}"));
    vec![
        epoch.epoch.to_string(),
        epoch.step.to_string(),
        format!("{:.4}", epoch.train_loss),
        format!("{:.4}", epoch.valid_loss),
        if best { format!("{score} ★") } else { score },
        format!("{:.1e}", epoch.lr),
        format!("{:.1}", epoch.images_per_second),
        format!("{:.1}", epoch.seconds),
    ]
}

fn rows(history: &History) -> Vec<Vec<String>> {
    let best = history.best().map(|epoch| epoch.epoch);
    let epochs = history.epochs.iter();
    epochs
        .map(|epoch| row(epoch, best == Some(epoch.epoch)))
        .collect()
}

/// The curves, and a row for each epoch.
impl Show for History {
    fn output(&self) -> Output {
        let steps = self.step_losses.len();
        let (rows, figure) = (rows(self), curves(self, steps));
        let score = self.score_label();
        let headers = headers(&score);
        let summary = match self.epochs.len() {
            1 => format!("{steps} steps in 1 epoch"),
            epochs => format!("{steps} steps in {epochs} epochs"),
        };
        let html = format!(
            "<b>{summary}</b>{}{}",
            figure.html(),
            table_html(&headers, &rows)
        );
        Output {
            svg: figure.svg(),
            alt: figure.alt().to_owned(),
            ..Output::styled(format!("{summary}\n{}", table_text(&headers, &rows)), html)
        }
    }
}

crate::show_in_cells!(History);

impl<M> Show for Run<M> {
    fn output(&self) -> Output {
        let (rows, summary) = (rows(&self.history), self.summary());
        let details = format!(
            "{} · {} chips a step · {}",
            self.device,
            self.batch,
            self.where_time_went()
        );
        // A run that was stopped fills its picture.
        let figure = curves(&self.history, self.history.step_losses.len());
        let score = self.history.score_label();
        let headers = headers(&score);
        let text = format!("{summary}\n{details}\n{}", table_text(&headers, &rows));
        let table = match rows.as_slice() {
            [] => String::new(),
            rows => table_html(&headers, rows),
        };
        let html = format!(
            "<div style=\"{FONT}\"><div><b>{}</b></div><div>{}</div>{}{table}</div>",
            escape(&summary),
            escape(&details),
            figure.html(),
        );
        Output {
            svg: figure.svg(),
            alt: figure.alt().to_owned(),
            ..Output::html(text, html).with_report(&self.report)
        }
    }
}

crate::show_in_cells!(<T: Trainable> Run<Model<T>>);
