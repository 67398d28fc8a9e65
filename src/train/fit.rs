//! The training loop.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use burn::tensor::Tensor;

use super::batch::Batch;
use super::checkpoint::Settings;
use super::checks;
use super::halt::{Going, Halt};
use super::model;
use super::options::FitOptions;
use super::run::{Run, StopReason, Timings};
use super::trainable::{Trainable, example_output};
use super::unclassed::Unclassed;
use super::view::{Progress, View};
use super::{Ema, EpochRecord, History, OptimizerState, Plateau, Rates, TrainError};
use crate::chips::Chips;
use crate::device::{Device, memory, random};
use crate::display::Show as _;
use crate::models::{AnyModule, Model, Normalization, TrainedBand};
use crate::report::Report;
use crate::scenes::Scenes;
use crate::{Error, Result, session};

/// Steps over which the speed is averaged.
const SPEED_OVER: usize = 20;

/// Longest time between two checkpoints, so that a lost process costs little.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(120);

/// Runs a training. `stop` is asked before every step and every validation batch.
pub(super) fn fit<T: Trainable>(
    model: &Model<T>,
    chips: &Chips,
    valid: &Scenes,
    options: &FitOptions,
    stop: &dyn Fn() -> bool,
) -> Result<Run<Model<T>>> {
    checks::settings(options)?;
    T::check(options, chips, valid)?;
    checks::scenes(model, chips, valid)?;
    checks::class_weights(options, model.classes())?;
    checks::checkpoints(options)?;
    let mut report = chips.report().clone();
    report.extend(checks::unseen(chips, valid));
    report.extend(checks::changed_alike(chips));
    report.extend(checks::values(model, chips, valid, options.any_values)?);
    let chips = T::chips(chips);
    let mut trainer = Trainer::new(model, &chips, Some(valid), options, stop)?;
    report.extend(std::mem::take(&mut trainer.report));
    trainer.report = report;
    if !options.quiet && !trainer.report.is_empty() {
        session::display(&trainer.report);
    }
    let stopped = match trainer.run() {
        Ok(()) => StopReason::Finished,
        Err(Halt::Stop(reason)) => reason,
        Err(Halt::Fail(error)) => {
            trainer.view.fail(&error);
            return Err(error);
        }
    };
    trainer.finish(stopped)
}

/// The loop. It knows nothing of what the network is for: [`Trainable`] gives losses, validation and pictures.
pub(super) struct Trainer<'a, T: Trainable> {
    pub(super) model: &'a Model<T>,
    pub(super) chips: &'a Chips,
    pub(super) options: &'a FitOptions,
    pub(super) stop: &'a dyn Fn() -> bool,
    pub(super) device: Device,
    pub(super) settings: Settings,
    pub(super) normalization: Normalization,
    pub(super) objective: T::Objective,
    /// Taken out while the optimizer moves it, so that it updates memory in place.
    pub(super) network: Option<Box<T::Network>>,
    /// The network at the start of the step under way: a forward moves running statistics even when the step is then
    /// not taken.
    pub(super) before: Option<Box<T::Network>>,
    pub(super) descent: OptimizerState,
    pub(super) rates: Rates,
    pub(super) plateau: Plateau,
    /// A rate that the schedule does not decide, for the finder.
    pub(super) fixed_rate: Option<f64>,
    pub(super) average: Option<Ema>,
    /// None for a search, which validates nothing.
    pub(super) validation: Option<T::Validation>,
    /// What the bands of the training scene hold.
    pub(super) bands: Vec<TrainedBand>,
    pub(super) report: Report,
    /// Of the chips of the first epoch, how many came and how many of them have no class.
    pub(super) unclassed: Unclassed,
    pub(super) history: History,
    pub(super) best: Option<Box<T::Network>>,
    pub(super) step: usize,
    pub(super) steps: usize,
    pub(super) steps_per_epoch: usize,
    /// Losses of the batches of the step under way, on the device.
    pub(super) parts: Vec<Tensor<1>>,
    /// Losses of steps on the device, not read yet.
    pub(super) pending: Vec<Tensor<1>>,
    /// Losses of the epoch under way.
    pub(super) epoch_losses: Vec<f32>,
    pub(super) epoch_seconds: f64,
    /// Seconds of the latest steps.
    pub(super) recent: VecDeque<f64>,
    pub(super) last_validation: f64,
    pub(super) view: View,
    pub(super) timings: Timings,
    pub(super) checkpoints: Option<PathBuf>,
    pub(super) written: Instant,
    pub(super) started: Instant,
}

impl<T: Trainable> Trainer<'_, T> {
    fn run(&mut self) -> Going {
        self.view.show(&self.progress(None), &self.history);
        // A run that had ended for want of a better score has ended when it is resumed, too.
        if self.step.is_multiple_of(self.steps_per_epoch)
            && let Some(reason) = self.out_of_patience()
        {
            return Err(Halt::Stop(reason));
        }
        while self.step < self.steps {
            self.epoch()?;
            self.validate()?;
        }
        Ok(())
    }

    /// Trains to the end of the epoch, or of the run.
    fn epoch(&mut self) -> Going {
        let epoch = self.step / self.steps_per_epoch;
        let end = ((epoch + 1) * self.steps_per_epoch).min(self.steps);
        let mut stream = self
            .chips
            .epoch(epoch, self.settings.batch, self.options.workers);
        for _ in 0..self.step % self.steps_per_epoch * self.settings.accumulate {
            stream.next().transpose()?;
        }
        while self.step < end {
            let start = Instant::now();
            // A resumed run finds the generator of the device as an uninterrupted one does.
            let seed = self.options.seed.wrapping_add(self.step as u64 + 1);
            let _alone = random::seeded(&self.device, seed);
            self.before = self.network.as_ref().map(|network| network.inference());
            for _ in 0..self.settings.accumulate {
                if (self.stop)() {
                    return Err(self.interrupted());
                }
                let waiting = Instant::now();
                let chips = match stream.next() {
                    Some(Err(Error::Interrupted { .. })) => return Err(self.interrupted()),
                    Some(chips) => chips?,
                    None => {
                        return Err(TrainError::ChipsEnded {
                            step: self.step + 1,
                        }
                        .into());
                    }
                };
                self.timings.waiting += waiting.elapsed().as_secs_f64();
                if epoch == 0 {
                    self.unclassed.count(&chips);
                }
                let batch = Batch::new(&chips, &self.normalization);
                self.gather(batch)?;
            }
            self.descend()?;
            let seconds = start.elapsed().as_secs_f64();
            self.epoch_seconds += seconds;
            self.recent.push_back(seconds);
            if self.recent.len() > SPEED_OVER {
                self.recent.pop_front();
            }
            self.view.show(&self.progress(None), &self.history);
            if self.written.elapsed() >= CHECKPOINT_EVERY && self.step < end {
                self.read_losses()?;
                self.write_checkpoint()?;
            }
        }
        Ok(())
    }

    fn validate(&mut self) -> Going {
        self.read_losses()?;
        let start = Instant::now();
        let network = self.usable_weights()?.ok_or_else(|| self.no_memory())?;
        let base = self.progress(None);
        // A search for a learning rate validates nothing.
        let Some(validation) = &mut self.validation else {
            return Ok(());
        };
        let all = T::windows(validation);
        let (view, history, stop) = (&mut self.view, &self.history, self.stop);
        let objective = &self.objective;
        let (normalization, device) = (&self.normalization, &self.device);
        let outcome = memory::guarded(device, || {
            T::validate(
                validation,
                objective,
                network.as_ref(),
                normalization,
                device,
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
            )
        });
        let outcome = match outcome {
            Err(trouble) => return Err(self.troubled(trouble)),
            Ok(Err(error)) if memory::is_shortage(&error.to_string()) => {
                return Err(self.out_of_memory());
            }
            Ok(outcome) => outcome?,
        };
        let outcome = outcome.ok_or_else(|| self.interrupted())?;
        self.last_validation = start.elapsed().as_secs_f64();
        self.timings.validation += self.last_validation;
        let record = EpochRecord {
            epoch: self.history.epochs.len() + 1,
            step: self.step,
            train_loss: mean(&self.epoch_losses),
            valid_loss: outcome.loss,
            scores: outcome.scores,
            lr: self.rates.base,
            images_per_second: (self.epoch_losses.len() * self.settings.chips_a_step) as f64
                / self.epoch_seconds.max(1e-9),
            seconds: self.epoch_seconds + self.last_validation,
        };
        if !record.valid_loss.is_finite() {
            return Err(Halt::Stop(StopReason::NotFinite { step: self.step }));
        }
        if self
            .history
            .best()
            .is_none_or(|best| record.is_better_than(best))
        {
            self.best = Some(network);
        }
        if let Some(example) = &outcome.example {
            let statistics = self.chips.scenes().statistics().ok();
            let classes = self.model.classes();
            self.view
                .example(|| example_output::<T>(example, &record, classes, statistics.as_deref()));
        }
        self.options
            .schedule
            .validated(self.settings.lr, record.valid_loss, &mut self.plateau);
        self.history.epochs.push(record);
        self.epoch_losses.clear();
        self.epoch_seconds = 0.0;
        self.view.epoch(&base, &self.history);
        self.write_checkpoint()?;
        self.view.show(&self.progress(None), &self.history);
        match self.out_of_patience() {
            Some(reason) => Err(Halt::Stop(reason)),
            None => Ok(()),
        }
    }

    fn out_of_patience(&self) -> Option<StopReason> {
        let patience = self.options.patience?;
        let best = self.history.best()?.epoch;
        let since = self.history.epochs.len() - best;
        (since >= patience.max(1) && self.step < self.steps)
            .then_some(StopReason::NoImprovement { epochs: since })
    }

    fn interrupted(&mut self) -> Halt {
        // The step under way starts again from its first batch when the run goes on.
        self.undo_step();
        let written = self
            .read_losses()
            .and_then(|()| Ok(self.write_checkpoint()?));
        match written {
            Ok(()) => Halt::Stop(StopReason::Interrupted),
            Err(halt) => halt,
        }
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
            images_per_second: step_seconds
                .map(|seconds| self.settings.chips_a_step as f64 / seconds),
            seconds_left: step_seconds
                .map(|seconds| seconds * left as f64 + validations * self.last_validation),
            validating,
        }
    }

    fn finish(mut self, stopped: StopReason) -> Result<Run<Model<T>>> {
        let usable = match stopped {
            // Weights that are not finite are worth nothing; the best epoch's are.
            StopReason::NotFinite { .. } | StopReason::OutOfMemory { .. } => {
                self.finite_weights()?
            }
            _ => self.usable_weights()?,
        };
        self.network = None;
        let (best, last) = match (self.best.take(), usable) {
            (Some(best), Some(last)) => (best, last),
            (Some(best), None) => (best.clone_box(), best),
            (None, Some(last)) => (last.clone_box(), last),
            (None, None) => {
                let error = match stopped {
                    StopReason::OutOfMemory { .. } => self.no_memory(),
                    _ => TrainError::NotFinite {
                        loss: f32::NAN,
                        step: self.step + 1,
                    },
                };
                let error = error.into();
                self.view.fail(&error);
                return Err(error);
            }
        };
        if let Some(rule) = T::cells(self.chips.scenes()) {
            self.report.extend(self.unclassed.notice(&rule));
        }
        self.timings.view = self.view.seconds;
        self.timings.total = self.started.elapsed().as_secs_f64();
        let trained = |network: Box<T::Network>, record: Option<&EpochRecord>| {
            let of_bands = (self.normalization.clone(), self.bands.clone());
            model::trained(self.model, network, of_bands, self.chips, self.step, record)
        };
        let run = Run {
            best: trained(best, self.history.best()),
            last: trained(last, self.history.epochs.last()),
            stopped,
            device: self.device.explain(),
            steps: self.steps,
            batch: self.settings.chips_a_step,
            timings: self.timings,
            history: self.history,
            report: self.report,
        };
        self.view.finish(&run.output());
        Ok(run)
    }
}

fn mean(losses: &[f32]) -> f64 {
    losses.iter().map(|loss| f64::from(*loss)).sum::<f64>() / losses.len().max(1) as f64
}
