//! The training loop.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use burn::tensor::Tensor;

use super::batch::Batch;
use super::checkpoint::{Checkpoint, Settings};
use super::checks;
use super::model::{Model, Parts};
use super::options::{Fit, Length};
use super::run::{Run, StopReason, Timings};
use super::trainable::{Trainable, example_output};
use super::validate::read;
use super::view::{Progress, View};
use super::{AdamW, EpochRecord, History, OneCycle, Rates, Step, TrainError};
use crate::chips::Chips;
use crate::device::Device;
use crate::models::{AnyModule, Blueprint, NamedTensors, Normalisation};
use crate::scene::Scene;
use crate::{Error, Result};

/// Steps between two reads of the loss on a GPU: each read waits for all the work before it.
const READ_EVERY: usize = 10;
/// Steps over which the speed is averaged.
const SPEED_OVER: usize = 20;

/// Longest time between two checkpoints, so that a lost process costs little.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(120);

/// Runs a training. `stop` is asked before every step and every validation batch.
pub(super) fn fit<T: Trainable, M: From<Model<T>>>(
    model: &Model<T>,
    chips: &Chips,
    valid: &Scene,
    options: &Fit,
    stop: &dyn Fn() -> bool,
) -> Result<Run<M>> {
    checks::settings(options)?;
    T::check(model, chips, valid)?;
    checks::scenes(model, chips, valid)?;
    let mut trainer = Trainer::new(model, chips, valid, options, stop)?;
    let stopped = trainer.run()?;
    trainer.finish(stopped)
}

/// The loop. It knows nothing of what the network is for: [`Trainable`] gives losses, validation and pictures.
struct Trainer<'a, T: Trainable> {
    model: &'a Model<T>,
    chips: &'a Chips,
    options: &'a Fit,
    stop: &'a dyn Fn() -> bool,
    device: Device,
    settings: Settings,
    normalisation: Normalisation,
    objective: T::Objective,
    /// Taken out while the optimiser moves it, so that it updates memory in place.
    network: Option<Box<T::Network>>,
    optimiser: AdamW,
    rates: Rates,
    schedule: OneCycle,
    validation: T::Validation,
    history: History,
    best: Option<Box<T::Network>>,
    step: usize,
    steps: usize,
    steps_per_epoch: usize,
    /// Losses on the device, not read yet.
    pending: Vec<Tensor<1>>,
    /// Losses of the epoch under way.
    epoch_losses: Vec<f32>,
    epoch_seconds: f64,
    /// Seconds of the latest steps.
    recent: VecDeque<f64>,
    last_validation: f64,
    view: View,
    timings: Timings,
    checkpoints: Option<PathBuf>,
    written: Instant,
    started: Instant,
}

impl<'a, T: Trainable> Trainer<'a, T> {
    fn new(
        model: &'a Model<T>,
        chips: &'a Chips,
        valid: &'a Scene,
        options: &'a Fit,
        stop: &'a dyn Fn() -> bool,
    ) -> Result<Self> {
        let device = model.device_for_run()?;
        let batch = options.batch.min(chips.len()).max(1);
        let steps_per_epoch = chips.len() / batch;
        let steps = match options.length {
            Length::Epochs(epochs) => epochs * steps_per_epoch,
            Length::Steps(steps) => steps,
        };
        let classes = &model.classes;
        let settings = Settings {
            architecture: model.architecture.name(),
            classes: classes.names().into_iter().map(str::to_owned).collect(),
            bands: chips.scene().band_count(),
            chips: chips.len(),
            chip_size: chips.size(),
            batch,
            steps,
            lr: options.lr,
            weight_decay: options.weight_decay,
            loss: options.loss,
            seed: options.seed,
        };
        device.burn().seed(options.seed);
        let optimiser = AdamW::new(options.weight_decay, options.clip_norm);
        let resumed = match &options.resume {
            Some(folder) => Some(Checkpoint::read(folder, &settings)?),
            None => None,
        };
        let bands = settings.bands;
        let mut history = History::default();
        let (mut step, mut epoch_losses, mut epoch_seconds) = (0, Vec::new(), 0.0);
        let (network, normalisation, best, optimiser) = match resumed {
            Some(mut checkpoint) => {
                let blank = || {
                    model
                        .architecture
                        .build_blank(bands, classes.len(), &device)
                };
                let load = |tensors: &NamedTensors| -> Result<Box<T::Network>> {
                    let mut network = blank()?;
                    network.load_tensors(tensors)?;
                    Ok(network)
                };
                let network = load(&checkpoint.network)?;
                let best = if checkpoint.best.is_empty() {
                    None
                } else {
                    Some(load(&checkpoint.best)?.inference())
                };
                let optimiser = checkpoint.optimiser(optimiser);
                history = checkpoint.history;
                (step, epoch_losses, epoch_seconds) = (
                    checkpoint.step,
                    checkpoint.epoch_losses,
                    checkpoint.epoch_seconds,
                );
                (network, checkpoint.normalisation, best, optimiser)
            }
            None => {
                let (network, normalisation) = model.start(chips.scene(), &device)?;
                (network, normalisation, None, optimiser)
            }
        };
        let mut network = network.training();
        let rates = rates(model, options, &mut network);
        let share = (steps_per_epoch.min(steps) * batch) as f64 * options.validation_share;
        let side = chips.size();
        let validation = T::validation(
            valid,
            classes,
            crate::raster::Size::new(side, side),
            batch,
            (share as usize).max(batch),
        );
        let view = View::new(
            title(model, chips, options),
            device.explain(),
            options.quiet,
        );
        let objective = T::objective(options, classes, &device);
        Ok(Self {
            model,
            chips,
            options,
            stop,
            settings,
            normalisation,
            objective,
            network: Some(network),
            optimiser,
            rates,
            schedule: OneCycle::new(options.lr, steps),
            validation,
            history,
            best,
            step,
            steps,
            steps_per_epoch,
            pending: Vec::new(),
            epoch_losses,
            epoch_seconds,
            recent: VecDeque::new(),
            last_validation: 0.0,
            view,
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

    fn run(&mut self) -> Result<StopReason> {
        self.view.show(&self.progress(None), &self.history);
        while self.step < self.steps {
            if let Some(reason) = self.epoch()? {
                return Ok(reason);
            }
            if let Some(reason) = self.validate()? {
                return Ok(reason);
            }
        }
        Ok(StopReason::Finished)
    }

    /// Trains to the end of the epoch, or of the run.
    fn epoch(&mut self) -> Result<Option<StopReason>> {
        let epoch = self.step / self.steps_per_epoch;
        let end = ((epoch + 1) * self.steps_per_epoch).min(self.steps);
        // A resumed run finds the generator of the device as an uninterrupted one does.
        self.device
            .burn()
            .seed(self.options.seed.wrapping_add(epoch as u64 + 1));
        let mut stream = self
            .chips
            .epoch(epoch, self.settings.batch, self.options.workers);
        for _ in 0..self.step % self.steps_per_epoch {
            stream.next().transpose()?;
        }
        while self.step < end {
            if (self.stop)() {
                return self.interrupted().map(Some);
            }
            let start = Instant::now();
            let chips = match stream.next() {
                Some(Err(Error::Interrupted { .. })) => return self.interrupted().map(Some),
                Some(chips) => chips?,
                None => break,
            };
            self.timings.waiting += start.elapsed().as_secs_f64();
            let batch = Batch::new(&chips, &self.normalisation);
            if let Some(reason) = self.train(batch)? {
                return Ok(Some(reason));
            }
            let seconds = start.elapsed().as_secs_f64();
            self.epoch_seconds += seconds;
            self.recent.push_back(seconds);
            if self.recent.len() > SPEED_OVER {
                self.recent.pop_front();
            }
            self.view.show(&self.progress(None), &self.history);
            if self.written.elapsed() >= CHECKPOINT_EVERY && self.step < end {
                if let Some(reason) = self.read_losses()? {
                    return Ok(Some(reason));
                }
                self.write_checkpoint()?;
            }
        }
        Ok(None)
    }

    /// One step. Returns a reason when the loss or a gradient is not finite.
    fn train(&mut self, batch: Batch) -> Result<Option<StopReason>> {
        let start = Instant::now();
        let Some(network) = self.network.take() else {
            return Ok(None);
        };
        let tracked = self.device.burn().clone().autodiff();
        let loss = T::loss(&self.objective, network.as_ref(), batch, &tracked)?;
        self.pending.push(loss.clone().inner());
        if !self.device.is_gpu() {
            // On the CPU reading costs nothing, and a bad loss never reaches the weights.
            if let Some(reason) = self.read_losses()? {
                self.network = Some(network);
                return Ok(Some(reason));
            }
        }
        let gradients = loss.backward();
        self.rates.base = self.schedule.rate(self.step);
        let (network, taken) = network.adamw(&mut self.optimiser, gradients, &self.rates);
        self.network = Some(network);
        self.timings.steps += start.elapsed().as_secs_f64();
        if taken == Step::NotFinite {
            self.history.step_losses.pop();
            return Ok(Some(StopReason::NotFinite {
                step: self.step + 1,
            }));
        }
        self.step += 1;
        if self.device.is_gpu() && self.pending.len() >= READ_EVERY {
            return self.read_losses();
        }
        Ok(None)
    }

    /// Reads the pending losses, all at once.
    fn read_losses(&mut self) -> Result<Option<StopReason>> {
        if self.pending.is_empty() {
            return Ok(None);
        }
        let pending = std::mem::take(&mut self.pending);
        let first = self.history.step_losses.len();
        for (offset, loss) in read(Tensor::cat(pending, 0), &self.device)?
            .into_iter()
            .enumerate()
        {
            if !loss.is_finite() {
                return Ok(Some(StopReason::NotFinite {
                    step: first + offset + 1,
                }));
            }
            self.history.step_losses.push(loss);
            self.epoch_losses.push(loss);
        }
        Ok(None)
    }

    fn validate(&mut self) -> Result<Option<StopReason>> {
        if let Some(reason) = self.read_losses()? {
            return Ok(Some(reason));
        }
        let Some(network) = self.network.as_ref().map(|network| network.inference()) else {
            return Ok(None);
        };
        let start = Instant::now();
        let all = T::windows(&self.validation);
        let base = self.progress(None);
        let (view, history, stop) = (&mut self.view, &self.history, self.stop);
        let outcome = T::validate(
            &mut self.validation,
            &self.objective,
            network.as_ref(),
            &self.normalisation,
            &self.device,
            &mut |done| {
                view.show(
                    &Progress {
                        validating: Some((done, all)),
                        ..base.clone()
                    },
                    history,
                );
                stop()
            },
        )?;
        let Some(outcome) = outcome else {
            return self.interrupted().map(Some);
        };
        self.last_validation = start.elapsed().as_secs_f64();
        self.timings.validation += self.last_validation;
        let record = EpochRecord {
            epoch: self.history.epochs.len() + 1,
            step: self.step,
            train_loss: mean(&self.epoch_losses),
            valid_loss: outcome.loss,
            scores: outcome.scores,
            lr: self.rates.base,
            images_per_second: (self.epoch_losses.len() * self.settings.batch) as f64
                / self.epoch_seconds.max(1e-9),
            seconds: self.epoch_seconds + self.last_validation,
        };
        if !record.valid_loss.is_finite() {
            return Ok(Some(StopReason::NotFinite { step: self.step }));
        }
        if self
            .history
            .best()
            .is_none_or(|best| record.is_better_than(best))
        {
            self.best = Some(network);
        }
        if let Some(example) = &outcome.example {
            let statistics = self.chips.scene().statistics().ok();
            let classes = &self.model.classes;
            self.view
                .example(|| example_output::<T>(example, &record, classes, statistics.as_deref()));
        }
        self.history.epochs.push(record);
        self.epoch_losses.clear();
        self.epoch_seconds = 0.0;
        self.write_checkpoint()?;
        self.view.show(&self.progress(None), &self.history);
        Ok(self.out_of_patience())
    }

    fn out_of_patience(&self) -> Option<StopReason> {
        let patience = self.options.patience?;
        let best = self.history.best()?.epoch;
        let since = self.history.epochs.len() - best;
        (since >= patience.max(1) && self.step < self.steps)
            .then_some(StopReason::NoImprovement { epochs: since })
    }

    fn interrupted(&mut self) -> Result<StopReason> {
        if let Some(reason) = self.read_losses()? {
            return Ok(reason);
        }
        self.write_checkpoint()?;
        Ok(StopReason::Interrupted)
    }

    fn write_checkpoint(&mut self) -> Result<()> {
        self.written = Instant::now();
        let (Some(folder), Some(network)) = (&self.checkpoints, &self.network) else {
            return Ok(());
        };
        let start = Instant::now();
        let checkpoint = Checkpoint {
            settings: self.settings.clone(),
            normalisation: self.normalisation.clone(),
            step: self.step,
            epoch_losses: self.epoch_losses.clone(),
            epoch_seconds: self.epoch_seconds,
            history: self.history.clone(),
            network: network.named_tensors(),
            best: self
                .best
                .as_ref()
                .map(|best| best.named_tensors())
                .unwrap_or_default(),
            optimiser_steps: self.optimiser.steps(),
            moments: self.optimiser.to_records(),
        };
        checkpoint.write(folder)?;
        self.timings.checkpoints += start.elapsed().as_secs_f64();
        Ok(())
    }

    fn progress(&self, validating: Option<(usize, usize)>) -> Progress {
        let step_seconds = (!self.recent.is_empty())
            .then(|| self.recent.iter().sum::<f64>() / self.recent.len() as f64);
        let left = self.steps - self.step.min(self.steps);
        let validations = left.div_ceil(self.steps_per_epoch) as f64;
        Progress {
            step: self.step,
            steps: self.steps,
            steps_per_epoch: self.steps_per_epoch,
            images_per_second: step_seconds.map(|seconds| self.settings.batch as f64 / seconds),
            seconds_left: step_seconds
                .map(|seconds| seconds * left as f64 + validations * self.last_validation),
            validating,
        }
    }

    fn finish<M: From<Model<T>>>(mut self, stopped: StopReason) -> Result<Run<M>> {
        let current = self.network.take().map(|network| network.inference());
        // Weights that are not finite are worth nothing; the best epoch's are.
        let usable = current.filter(|network| {
            !matches!(stopped, StopReason::NotFinite { .. }) || is_finite::<T>(network.as_ref())
        });
        let (best, last) = match (self.best.take(), usable) {
            (Some(best), Some(last)) => (best, last),
            (Some(best), None) => (best.clone_box(), best),
            (None, Some(last)) => (last.clone_box(), last),
            (None, None) => {
                let loss = f32::NAN;
                return Err(TrainError::NotFinite {
                    loss,
                    step: self.step + 1,
                }
                .into());
            }
        };
        self.timings.view = self.view.seconds;
        self.timings.total = self.started.elapsed().as_secs_f64();
        let trained = |network: Box<T::Network>, record: Option<&EpochRecord>| {
            let trained = Parts::after(
                network,
                self.normalisation.clone(),
                self.chips,
                self.step,
                record,
            );
            M::from(self.model.with_weights(trained))
        };
        let run = Run {
            best: trained(best, self.history.best()),
            last: trained(last, self.history.epochs.last()),
            stopped,
            device: self.device.explain(),
            steps: self.steps,
            batch: self.settings.batch,
            timings: self.timings,
            history: self.history,
        };
        self.view.finish(&run.summary(), &run.history, run.steps);
        Ok(run)
    }
}

/// The encoder frozen, or at its share of the learning rate, as the architecture or the options say.
fn rates<T: Trainable>(model: &Model<T>, options: &Fit, network: &mut Box<T::Network>) -> Rates {
    let share = match (options.freeze_encoder, options.encoder_rate) {
        (Some(true), _) => 0.0,
        (_, Some(share)) => share,
        (Some(false), None) if model.architecture.encoder_rate() == 0.0 => 1.0,
        _ => model.architecture.encoder_rate(),
    };
    let prefixes = network.encoder_prefixes();
    if share == 0.0 {
        network.freeze(&prefixes);
        return Rates {
            base: options.lr,
            shares: Vec::new(),
        };
    }
    let shares = if share == 1.0 {
        Vec::new()
    } else {
        prefixes
            .iter()
            .map(|name| ((*name).to_owned(), share))
            .collect()
    };
    Rates {
        base: options.lr,
        shares,
    }
}

fn title<T: Trainable>(model: &Model<T>, chips: &Chips, options: &Fit) -> String {
    let name = model.architecture.name();
    let (count, size) = (chips.len(), chips.size());
    format!(
        "{name} on {count} chips of {size} px from {}, {} a step",
        chips.scene().name(),
        options.batch
    )
}

fn mean(losses: &[f32]) -> f64 {
    losses.iter().map(|loss| f64::from(*loss)).sum::<f64>() / losses.len().max(1) as f64
}

fn is_finite<T: Trainable>(network: &T::Network) -> bool {
    let tensors = network.named_tensors();
    tensors.values().all(|data| {
        data.as_slice::<f32>()
            .is_ok_and(|values| values.iter().all(|value| value.is_finite()))
    })
}
