//! The start of a training: its settings, the network with its optimizer, fresh or from a checkpoint.

use std::collections::VecDeque;
use std::time::Instant;

use super::checkpoint::{Checkpoint, Settings};
use super::checks;
use super::fingerprint::Fingerprint;
use super::fit::Trainer;
use super::model;
use super::options::{FitOptions, Length};
use super::run::Timings;
use super::trainable::Trainable;
use super::unclassed::Unclassed;
use super::view::View;
use super::{Ema, History, OptimizerState, Plateau, Rates, TrainError};
use crate::Result;
use crate::chips::Chips;
use crate::device::random;
use crate::models::{AnyModule, Model, ModelError, NamedTensors, TrainedBand};
use crate::predict::{FOR_TRAINING, Known, compare};
use crate::raster::Size;
use crate::report::Report;
use crate::scenes::Scenes;

impl<'a, T: Trainable> Trainer<'a, T> {
    pub(super) fn new(
        model: &'a Model<T>,
        chips: &'a Chips,
        valid: Option<&Scenes>,
        options: &'a FitOptions,
        stop: &'a dyn Fn() -> bool,
    ) -> Result<Self> {
        let device = model.device_for_run()?;
        checks::precision(options, &device)?;
        let batch = options.batch.min(chips.len()).max(1);
        let accumulate = options.accumulate.min(chips.len() / batch).max(1);
        let steps_per_epoch = (chips.len() / (batch * accumulate)).max(1);
        let steps = match options.length {
            Length::Epochs(epochs) => epochs * steps_per_epoch,
            Length::Steps(steps) => steps,
        };
        let classes = model.classes();
        let settings = Settings {
            architecture: model.architecture().name(),
            classes: classes.names().into_iter().map(str::to_owned).collect(),
            bands: chips.scenes().band_count(),
            chips: chips.len(),
            chip_size: chips.size(),
            batch,
            accumulate,
            chips_a_step: batch * accumulate,
            steps,
            optimizer: options.optimizer,
            lr: options.highest_rate(),
            schedule: options.schedule,
            weight_decay: options.decay(),
            clip_norm: options.clip_norm,
            ema: options.ema,
            precision: options.precision,
            loss: options.loss_or_default(),
            class_weights: options.class_weights.clone(),
            encoder_share: encoder_share(model, options),
            seed: options.seed,
            material: Some(Fingerprint::of(chips, valid.unwrap_or(chips.scenes()))),
            network: serde_json::to_value(model.architecture())
                .map_err(|error| ModelError::description(model.architecture().name(), &error))?,
        };
        let fresh = OptimizerState::new(
            settings.optimizer,
            settings.weight_decay,
            settings.clip_norm,
        );
        let mut average = options.ema.map(Ema::new);
        let resumed = match &options.resume {
            Some(folder) => Some(Checkpoint::read(folder, &settings)?),
            None => None,
        };
        let mut history = History {
            averaged: average.is_some(),
            ..History::default()
        };
        let mut plateau = Plateau::default();
        let (mut step, mut epoch_losses, mut epoch_seconds) = (0, Vec::new(), 0.0);
        let scenes = chips.scenes();
        let bands = TrainedBand::all(scenes.first().raster().bands(), &scenes.statistics()?);
        let mut report = Report::new();
        let (mut network, normalization, best, descent) = match resumed {
            Some(mut checkpoint) => {
                let known = Known {
                    bands: &checkpoint.bands,
                    who: "the run to be resumed was trained on",
                    on_purpose: FOR_TRAINING,
                };
                for scene in scenes.iter() {
                    report.extend(compare(&known, scene, options.any_values)?);
                }
                let load = |tensors: &NamedTensors| -> Result<Box<T::Network>> {
                    let _alone = random::alone();
                    let mut network =
                        model
                            .architecture()
                            .build_blank(settings.bands, classes.len(), &device)?;
                    network.load_tensors(tensors)?;
                    Ok(network)
                };
                let network = load(&checkpoint.network)?;
                let best = if checkpoint.best.is_empty() {
                    None
                } else {
                    Some(load(&checkpoint.best)?.inference())
                };
                average = average
                    .map(|average| average.resume(checkpoint.average_updates, &checkpoint.average));
                let descent = checkpoint.descent(fresh);
                history = checkpoint.history;
                plateau = checkpoint.plateau;
                (step, epoch_losses, epoch_seconds) = (
                    checkpoint.step,
                    checkpoint.epoch_losses,
                    checkpoint.epoch_seconds,
                );
                (network.training(), checkpoint.normalization, best, descent)
            }
            None => {
                let _alone = random::seeded(&device, options.seed);
                let (network, normalization) = model::start(model, chips.scenes(), &device)?;
                // Weights are drawn when they are first looked at, which is here.
                (network.training(), normalization, None, fresh)
            }
        };
        let rates = rates::<T>(settings.lr, settings.encoder_share, &mut network)?;
        let chips_an_epoch = steps_per_epoch.min(steps) * settings.chips_a_step;
        let share = chips_an_epoch as f64 * options.validation_share;
        let side = chips.size();
        let (chip, limit) = (Size::new(side, side), (share as usize).max(batch));
        let validation = valid
            .map(|valid| T::validation(valid, classes, chip, batch, limit))
            .transpose()?;
        let (validation, lacking) = validation.unzip();
        report.extend(lacking.into_iter().flatten());
        let view = View::new(
            title(model, chips, &settings),
            device.explain(),
            options.quiet,
        );
        Ok(Self {
            model,
            chips,
            options,
            stop,
            objective: T::objective(options, classes, &device),
            settings,
            normalization,
            network: Some(network),
            before: None,
            descent,
            rates,
            plateau,
            fixed_rate: None,
            average,
            validation,
            bands,
            report,
            history,
            best,
            step,
            steps,
            steps_per_epoch,
            parts: Vec::new(),
            pending: Vec::new(),
            epoch_losses,
            epoch_seconds,
            recent: VecDeque::new(),
            last_validation: 0.0,
            view,
            unclassed: Unclassed::default(),
            timings: Timings::default(),
            checkpoints: options
                .checkpoints
                .clone()
                .or_else(|| options.resume.clone()),
            written: Instant::now(),
            started: Instant::now(),
            device,
        })
    }
}

/// The encoder's share of the learning rate, 0 when it is frozen, as the options or the architecture say.
pub(super) fn encoder_share<T: Trainable>(model: &Model<T>, options: &FitOptions) -> f64 {
    let usual = model.architecture().encoder_lr_scale();
    match (options.freeze_encoder, options.encoder_lr_scale) {
        (Some(true), _) => 0.0,
        (_, Some(share)) => share,
        (Some(false), None) if usual == 0.0 => 1.0,
        _ => usual,
    }
}

/// Freezes the encoder, or gives it its share of the learning rate.
fn rates<T: Trainable>(
    base: f64,
    share: f64,
    network: &mut Box<T::Network>,
) -> Result<Rates, TrainError> {
    let prefixes = network.encoder_prefixes();
    if share == 1.0 {
        return Ok(Rates::even(base));
    }
    if prefixes.is_empty() {
        return Err(TrainError::NoEncoder { share });
    }
    if share == 0.0 {
        network.freeze(&prefixes);
        return Ok(Rates::even(base));
    }
    let shares = prefixes
        .iter()
        .map(|name| ((*name).to_owned(), share))
        .collect();
    Ok(Rates { base, shares })
}

fn title<T: Trainable>(model: &Model<T>, chips: &Chips, settings: &Settings) -> String {
    let name = model.architecture().name();
    let (count, size) = (chips.len(), chips.size());
    let parts = match settings.accumulate {
        1 => String::new(),
        parts => format!(" in {parts} batches"),
    };
    format!(
        "{name} on {count} chips of {size} px from {}, {} a step{parts}",
        chips.scenes().name(),
        settings.chips_a_step
    )
}
