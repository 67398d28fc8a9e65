//! What a training run is asked to do.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Loss, Optimizer, Schedule};
use crate::models::Precision;

/// How long to train.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Length {
    /// This many passes over all chips.
    Epochs(usize),
    /// This many batches; the last pass may be a part of one.
    Steps(usize),
}

/// What a training run is asked to do. Start with [`FitOptions::epochs`] or [`FitOptions::steps`]; every other setting has a default.
///
/// | setting | default |
/// |---|---|
/// | [`FitOptions::batch`] | 4 chips a step |
/// | [`FitOptions::accumulate`] | 1 batch a step |
/// | [`FitOptions::optimizer`] | [`Optimizer::AdamW`] |
/// | [`FitOptions::lr`] | the highest rate of the schedule: 1e-3 with AdamW, 1e-2 with SGD |
/// | [`FitOptions::schedule`] | [`Schedule::one_cycle`] |
/// | [`FitOptions::weight_decay`] | 0.01 with AdamW, 1e-4 with SGD; biases and normalization scales excepted |
/// | [`FitOptions::loss`] | [`Loss::Sum`]: cross-entropy + dice |
/// | [`FitOptions::class_weights`] | all 1 |
/// | [`FitOptions::clip_norm`] | 1.0, the largest norm of all gradients together |
/// | [`FitOptions::ema`] | none: the weights of the steps themselves |
/// | [`FitOptions::precision`] | [`Precision::F32`] |
/// | [`FitOptions::patience`] | none: all epochs are run |
/// | [`FitOptions::seed`] | 0 |
/// | [`FitOptions::checkpoints`], [`FitOptions::resume`] | none |
/// | [`FitOptions::freeze_encoder`], [`FitOptions::encoder_lr_scale`] | as the architecture says |
/// | [`FitOptions::workers`] | 1 thread that reads chips ahead |
/// | [`FitOptions::validation_share`] | 0.5: validation sees at most half as many chips as the epoch trained on |
/// | [`FitOptions::quiet`] | false: the live view is shown |
///
/// ```
/// use swath::train::{FitOptions, Loss, Optimizer, Schedule};
/// let fit = FitOptions::epochs(12).batch(8).lr(5e-4).loss(Loss::CrossEntropy).patience(3);
/// let long = FitOptions::epochs(80)
///     .optimizer(Optimizer::sgd(0.9).nesterov())
///     .schedule(Schedule::cosine())
///     .ema(0.999)
///     .accumulate(4);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct FitOptions {
    pub(super) length: Length,
    pub(super) batch: usize,
    pub(super) accumulate: usize,
    pub(super) optimizer: Optimizer,
    pub(super) lr: Option<f64>,
    pub(super) schedule: Schedule,
    pub(super) weight_decay: Option<f64>,
    pub(super) loss: Option<Loss>,
    pub(super) class_weights: Option<Vec<f64>>,
    pub(super) clip_norm: Option<f64>,
    pub(super) ema: Option<f64>,
    pub(super) precision: Precision,
    pub(super) patience: Option<usize>,
    pub(super) seed: u64,
    pub(super) checkpoints: Option<PathBuf>,
    pub(super) resume: Option<PathBuf>,
    pub(super) freeze_encoder: Option<bool>,
    pub(super) encoder_lr_scale: Option<f64>,
    pub(super) workers: usize,
    pub(super) validation_share: f64,
    pub(super) quiet: bool,
    pub(super) any_values: bool,
}

impl FitOptions {
    fn new(length: Length) -> Self {
        Self {
            length,
            batch: 4,
            accumulate: 1,
            optimizer: Optimizer::AdamW,
            lr: None,
            schedule: Schedule::one_cycle(),
            weight_decay: None,
            loss: None,
            class_weights: None,
            clip_norm: Some(1.0),
            ema: None,
            precision: Precision::F32,
            patience: None,
            seed: 0,
            checkpoints: None,
            resume: None,
            freeze_encoder: None,
            encoder_lr_scale: None,
            workers: 1,
            validation_share: 0.5,
            quiet: false,
            any_values: false,
        }
    }

    /// The loss of a segmentation network.
    pub(super) fn loss_or_default(&self) -> Loss {
        self.loss.unwrap_or(Loss::Sum)
    }

    /// Trains for `epochs` passes over all chips, with a validation after each.
    #[doc(alias = "num_epochs")]
    #[doc(alias = "max_epochs")]
    #[doc(alias = "n_epochs")]
    #[doc(alias = "nb_epochs")]
    pub fn epochs(epochs: usize) -> Self {
        Self::new(Length::Epochs(epochs))
    }

    /// Trains for `steps` batches, with a validation after each pass over all chips and at the end.
    #[doc(alias = "max_steps")]
    #[doc(alias = "num_steps")]
    #[doc(alias = "iterations")]
    #[doc(alias = "max_iter")]
    pub fn steps(steps: usize) -> Self {
        Self::new(Length::Steps(steps))
    }

    /// Chips that go through the network together: what decides how much memory a step takes.
    #[doc(alias = "batch_size")]
    #[doc(alias = "bs")]
    #[doc(alias = "batch_size_per_gpu")]
    pub fn batch(mut self, chips: usize) -> Self {
        self.batch = chips;
        self
    }

    /// Batches in one step: their gradients are averaged before the weights move, as if one batch were that many times as
    /// large, in the memory of one. Batch norms still see one batch at a time.
    #[doc(alias = "accumulate_grad_batches")]
    #[doc(alias = "gradient_accumulation_steps")]
    #[doc(alias = "accumulation_steps")]
    pub fn accumulate(mut self, batches: usize) -> Self {
        self.accumulate = batches;
        self
    }

    /// How gradients become changes of the weights.
    #[doc(alias = "optimiser")]
    #[doc(alias = "opt")]
    pub fn optimizer(mut self, optimizer: Optimizer) -> Self {
        self.optimizer = optimizer;
        self
    }

    /// The highest learning rate of the schedule; the one-cycle schedule reaches it after 30 % of the steps.
    /// `find_rate` of a model looks for a good one.
    #[doc(alias = "learning_rate")]
    #[doc(alias = "max_lr")]
    #[doc(alias = "lr_max")]
    #[doc(alias = "base_lr")]
    pub fn lr(mut self, rate: f64) -> Self {
        self.lr = Some(rate);
        self
    }

    /// How the learning rate goes from the first step to the last.
    #[doc(alias = "scheduler")]
    #[doc(alias = "lr_scheduler")]
    #[doc(alias = "lr_schedule")]
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// How strongly the optimizer pulls weights towards zero.
    #[doc(alias = "wd")]
    #[doc(alias = "l2")]
    pub fn weight_decay(mut self, decay: f64) -> Self {
        self.weight_decay = Some(decay);
        self
    }

    /// What to make small. For maps: a detector has a loss of its own, and this is an error there.
    #[doc(alias = "criterion")]
    #[doc(alias = "loss_fn")]
    #[doc(alias = "loss_function")]
    pub fn loss(mut self, loss: Loss) -> Self {
        self.loss = Some(loss);
        self
    }

    /// How much a pixel of each class counts in the cross-entropy and focal losses, and a class in Lovász, background
    /// first. For maps: an error for a detector.
    #[doc(alias = "class_weight")]
    #[doc(alias = "weights")]
    #[doc(alias = "class_loss_weights")]
    pub fn class_weights(mut self, weights: impl IntoIterator<Item = f64>) -> Self {
        self.class_weights = Some(weights.into_iter().collect());
        self
    }

    /// The largest norm of all gradients together; `f64::INFINITY` leaves them as they are.
    #[doc(alias = "gradient_clip_val")]
    #[doc(alias = "clip_grad_norm")]
    #[doc(alias = "max_grad_norm")]
    pub fn clip_norm(mut self, norm: f64) -> Self {
        self.clip_norm = norm.is_finite().then_some(norm);
        self
    }

    /// Averages the weights over the steps, keeping this share of the average at each, such as 0.999; validation, the
    /// best weights and the last ones are then those of the average. See [`super::Ema`].
    #[doc(alias = "moving_average")]
    #[doc(alias = "swa")]
    pub fn ema(mut self, decay: f64) -> Self {
        self.ema = Some(decay);
        self
    }

    /// The precision of the convolutions; weights, optimizer and everything else stay in f32. [`Precision::Bf16`] needs a
    /// GPU.
    #[doc(alias = "amp")]
    #[doc(alias = "fp16")]
    #[doc(alias = "bf16")]
    #[doc(alias = "mixed_precision")]
    #[doc(alias = "dtype")]
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// Stops after this many epochs without a better validation score.
    #[doc(alias = "early_stopping")]
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = Some(epochs);
        self
    }

    /// Decides random weights. Where chips lie, how they are flipped and in which order they come is the chips' own seed
    /// ([`crate::chips::ChipOptions::seed`]). The same seeds on the same CPU give the same run.
    #[doc(alias = "manual_seed")]
    #[doc(alias = "random_state")]
    #[doc(alias = "seed_everything")]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Writes a checkpoint to this folder after every epoch, every two minutes in a long one, and when interrupted.
    #[doc(alias = "checkpoint")]
    #[doc(alias = "checkpoint_dir")]
    #[doc(alias = "ckpt_dir")]
    #[doc(alias = "save_every")]
    #[doc(alias = "default_root_dir")]
    pub fn checkpoints(mut self, folder: impl Into<PathBuf>) -> Self {
        self.checkpoints = Some(crate::paths::expanded(&folder.into()).into_owned());
        self
    }

    /// Goes on from the checkpoint in this folder, as if the run had never stopped, and writes further ones there.
    #[doc(alias = "resume_from_checkpoint")]
    #[doc(alias = "ckpt_path")]
    #[doc(alias = "resume_from")]
    pub fn resume(mut self, folder: impl Into<PathBuf>) -> Self {
        self.resume = Some(crate::paths::expanded(&folder.into()).into_owned());
        self
    }

    /// Leaves the encoder's weights as they are, whatever the architecture says.
    #[doc(alias = "freeze")]
    #[doc(alias = "freeze_backbone")]
    pub fn freeze_encoder(mut self, freeze: bool) -> Self {
        self.freeze_encoder = Some(freeze);
        self
    }

    /// The encoder's share of the learning rate, such as 0.1, whatever the architecture says.
    #[doc(alias = "discriminative_lr")]
    #[doc(alias = "encoder_lr")]
    pub fn encoder_lr_scale(mut self, share: f64) -> Self {
        self.encoder_lr_scale = Some(share);
        self
    }

    /// Threads that read and label chips ahead of the training.
    #[doc(alias = "num_workers")]
    pub fn workers(mut self, threads: usize) -> Self {
        self.workers = threads;
        self
    }

    /// Validation sees at most this share of the number of chips that an epoch trains on (a chip costs about a third as
    /// much there); the same windows at every epoch. They are spread evenly over those of the validation scene that hold a
    /// labeled pixel of the area of interest, windows with and without objects in proportion, and every class that the
    /// scene has is in at least one of them.
    #[doc(alias = "validation_split")]
    #[doc(alias = "val_size")]
    #[doc(alias = "limit_val_batches")]
    pub fn validation_share(mut self, share: f64) -> Self {
        self.validation_share = share;
        self
    }

    /// Trains on imagery, or validates on it, whose values or order of bands are not those that the model or the training
    /// scene has, with a notice; otherwise that is an error ([`crate::predict::PredictError::OtherValues`],
    /// [`crate::predict::PredictError::BandOrder`]).
    pub fn any_values(mut self, any: bool) -> Self {
        self.any_values = any;
        self
    }

    /// Without the live view and without notices, which [`super::Run::report`] still has.
    #[doc(alias = "verbose")]
    #[doc(alias = "silent")]
    #[doc(alias = "progress_bar")]
    pub fn quiet(mut self, quiet: bool) -> Self {
        self.quiet = quiet;
        self
    }

    /// The highest learning rate: the one asked for, or the optimizer's usual one.
    pub(super) fn highest_rate(&self) -> f64 {
        self.lr.unwrap_or(self.optimizer.usual_rate())
    }

    /// The weight decay asked for, or the optimizer's usual one.
    pub(super) fn decay(&self) -> f64 {
        self.weight_decay.unwrap_or(self.optimizer.usual_decay())
    }
}
