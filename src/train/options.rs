//! What a training run is asked to do.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Loss;

/// How long to train.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Length {
    /// This many passes over all chips.
    Epochs(usize),
    /// This many batches; the last pass may be a part of one.
    Steps(usize),
}

/// What a training run is asked to do. Start with [`Fit::epochs`] or [`Fit::steps`]; every other setting has a default.
///
/// | setting | default |
/// |---|---|
/// | [`Fit::batch`] | 4 chips a step |
/// | [`Fit::lr`] | 1e-3, the highest rate of the one-cycle schedule |
/// | [`Fit::weight_decay`] | 0.01 (AdamW; biases and normalisation scales excepted) |
/// | [`Fit::loss`] | [`Loss::Sum`]: cross-entropy + dice |
/// | [`Fit::class_weights`] | all 1 |
/// | [`Fit::clip_norm`] | 1.0, the largest norm of all gradients together |
/// | [`Fit::patience`] | none: all epochs are run |
/// | [`Fit::seed`] | 0 |
/// | [`Fit::checkpoints`], [`Fit::resume`] | none |
/// | [`Fit::freeze_encoder`], [`Fit::encoder_rate`] | as the architecture says |
/// | [`Fit::workers`] | 1 thread that reads chips ahead |
/// | [`Fit::validation_share`] | 0.5: validation sees at most half as many chips as the epoch trained on |
/// | [`Fit::quiet`] | false: the live view is shown |
///
/// ```
/// use swath::train::{Fit, Loss};
/// let fit = Fit::epochs(12).batch(8).lr(5e-4).loss(Loss::CrossEntropy).patience(3);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Fit {
    pub(super) length: Length,
    pub(super) batch: usize,
    pub(super) lr: f64,
    pub(super) weight_decay: f64,
    pub(super) loss: Loss,
    pub(super) class_weights: Option<Vec<f64>>,
    pub(super) clip_norm: Option<f64>,
    pub(super) patience: Option<usize>,
    pub(super) seed: u64,
    pub(super) checkpoints: Option<PathBuf>,
    pub(super) resume: Option<PathBuf>,
    pub(super) freeze_encoder: Option<bool>,
    pub(super) encoder_rate: Option<f64>,
    pub(super) workers: usize,
    pub(super) validation_share: f64,
    pub(super) quiet: bool,
}

impl Fit {
    fn new(length: Length) -> Self {
        Self {
            length,
            batch: 4,
            lr: 1e-3,
            weight_decay: 0.01,
            loss: Loss::Sum,
            class_weights: None,
            clip_norm: Some(1.0),
            patience: None,
            seed: 0,
            checkpoints: None,
            resume: None,
            freeze_encoder: None,
            encoder_rate: None,
            workers: 1,
            validation_share: 0.5,
            quiet: false,
        }
    }

    /// Trains for `epochs` passes over all chips, with a validation after each.
    pub fn epochs(epochs: usize) -> Self {
        Self::new(Length::Epochs(epochs))
    }

    /// Trains for `steps` batches, with a validation after each pass over all chips and at the end.
    pub fn steps(steps: usize) -> Self {
        Self::new(Length::Steps(steps))
    }

    /// Chips in one step.
    pub fn batch(mut self, chips: usize) -> Self {
        self.batch = chips;
        self
    }

    /// The highest learning rate of the one-cycle schedule, reached after 30 % of the steps.
    pub fn lr(mut self, rate: f64) -> Self {
        self.lr = rate;
        self
    }

    /// How strongly AdamW pulls weights towards zero.
    pub fn weight_decay(mut self, decay: f64) -> Self {
        self.weight_decay = decay;
        self
    }

    /// What to make small.
    pub fn loss(mut self, loss: Loss) -> Self {
        self.loss = loss;
        self
    }

    /// How much a pixel of each class counts in the cross-entropy, background first.
    pub fn class_weights(mut self, weights: impl IntoIterator<Item = f64>) -> Self {
        self.class_weights = Some(weights.into_iter().collect());
        self
    }

    /// The largest norm of all gradients together; `f64::INFINITY` leaves them as they are.
    pub fn clip_norm(mut self, norm: f64) -> Self {
        self.clip_norm = norm.is_finite().then_some(norm);
        self
    }

    /// Stops after this many epochs without a better validation score.
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = Some(epochs);
        self
    }

    /// Decides random weights. Where chips lie, how they are flipped and in which order they come is the chips' own seed
    /// ([`crate::chips::ChipOptions::seed`]). The same seeds on the same CPU give the same run.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Writes a checkpoint to this folder after every epoch, every two minutes in a long one, and when interrupted.
    pub fn checkpoints(mut self, folder: impl Into<PathBuf>) -> Self {
        self.checkpoints = Some(folder.into());
        self
    }

    /// Goes on from the checkpoint in this folder, as if the run had never stopped, and writes further ones there.
    pub fn resume(mut self, folder: impl Into<PathBuf>) -> Self {
        self.resume = Some(folder.into());
        self
    }

    /// Leaves the encoder's weights as they are, whatever the architecture says.
    pub fn freeze_encoder(mut self, freeze: bool) -> Self {
        self.freeze_encoder = Some(freeze);
        self
    }

    /// The encoder's share of the learning rate, such as 0.1, whatever the architecture says.
    pub fn encoder_rate(mut self, share: f64) -> Self {
        self.encoder_rate = Some(share);
        self
    }

    /// Threads that read and label chips ahead of the training.
    pub fn workers(mut self, threads: usize) -> Self {
        self.workers = threads;
        self
    }

    /// Validation sees at most this share of the number of chips that an epoch trains on (a chip costs about a third as
    /// much there); evenly spread windows, the same ones at every epoch.
    pub fn validation_share(mut self, share: f64) -> Self {
        self.validation_share = share;
        self
    }

    /// Without the live view.
    pub fn quiet(mut self, quiet: bool) -> Self {
        self.quiet = quiet;
        self
    }
}
