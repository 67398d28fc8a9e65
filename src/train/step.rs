//! One step of a training: the gradients of its batches, the optimizer, the running average, and reading losses back.

use std::time::Instant;

use burn::tensor::Tensor;

use super::batch::Batch;
use super::checkpoint::Checkpoint;
use super::fit::Trainer;
use super::halt::{Going, Halt};
use super::run::StopReason;
use super::trainable::Trainable;
use super::validate::read;
use super::{Ema, Step, TrainError};
use crate::Result;
use crate::device::memory::{self, Trouble};
use crate::models::AnyModule;
use crate::session;

/// Steps between two reads of the loss on a GPU: each read waits for all the work before it.
const READ_EVERY: usize = 10;

impl<T: Trainable> Trainer<'_, T> {
    /// Forward and backward of one batch; halts when the loss is not finite or memory is short.
    pub(super) fn gather(&mut self, batch: Batch) -> Going {
        let start = Instant::now();
        let network = self.network.as_ref().ok_or_else(|| self.no_memory())?;
        let tracked = self.device.burn().clone().autodiff();
        let (objective, precision) = (&self.objective, self.options.precision);
        let (descent, device) = (&mut self.descent, &self.device);
        let outcome = memory::guarded(device, || -> Result<(Tensor<1>, bool)> {
            let loss =
                precision.during(|| T::loss(objective, network.as_ref(), batch, &tracked))?;
            let value = loss.clone().inner();
            // On the CPU reading costs nothing, and a bad loss never reaches the weights.
            let finite = device.is_gpu()
                || read(value.clone(), device)?
                    .iter()
                    .all(|loss| loss.is_finite());
            if finite {
                network.gather(descent, loss.backward());
            }
            Ok((value, finite))
        });
        self.timings.steps += start.elapsed().as_secs_f64();
        let (loss, finite) = outcome.map_err(|trouble| self.troubled(trouble))??;
        if !finite {
            return Err(self.not_finite());
        }
        self.parts.push(loss);
        Ok(())
    }

    /// Moves the weights by the gathered gradients.
    pub(super) fn descend(&mut self) -> Going {
        let start = Instant::now();
        // A second handle on the weights would make the optimizer copy them.
        self.before = None;
        let network = self.network.take().ok_or_else(|| self.no_memory())?;
        let position = (self.step, self.steps);
        let schedule = self.options.schedule;
        self.rates.base = self
            .fixed_rate
            .unwrap_or_else(|| schedule.rate(self.settings.lr, position, &self.plateau));
        let (descent, rates, average) = (&mut self.descent, &self.rates, &mut self.average);
        let outcome = memory::guarded(&self.device, || {
            let (network, taken) = network.descend(descent, rates);
            if let (Step::Taken, Some(average)) = (taken, average) {
                network.average_into(average);
            }
            (network, taken)
        });
        self.timings.steps += start.elapsed().as_secs_f64();
        // Without an outcome the network went down with the optimizer; the best one is left.
        let (network, taken) = outcome.map_err(|trouble| self.troubled(trouble))?;
        self.network = Some(network);
        if taken == Step::NotFinite {
            return Err(self.not_finite());
        }
        let parts = std::mem::take(&mut self.parts);
        self.pending.push(Tensor::cat(parts, 0).mean());
        self.step += 1;
        if !self.device.is_gpu() || self.pending.len() >= READ_EVERY {
            self.read_losses()?;
        }
        Ok(())
    }

    fn not_finite(&mut self) -> Halt {
        self.undo_step();
        Halt::Stop(StopReason::NotFinite {
            step: self.step + 1,
        })
    }

    /// Takes back what the batches of the step under way did: gathered gradients, running statistics.
    pub(super) fn undo_step(&mut self) {
        self.descent.forget_gathered();
        self.parts.clear();
        if let Some(before) = self.before.take() {
            self.network = Some(before.training());
        }
    }

    /// Reads the pending losses, all at once.
    pub(super) fn read_losses(&mut self) -> Going {
        if self.pending.is_empty() {
            return Ok(());
        }
        let pending = std::mem::take(&mut self.pending);
        let first = self.history.step_losses.len();
        // A GPU works behind: what it could not do shows here.
        let losses =
            match memory::guarded(&self.device, || read(Tensor::cat(pending, 0), &self.device)) {
                Err(trouble) => return Err(self.troubled(trouble)),
                Ok(Err(error)) if memory::is_shortage(&error.to_string()) => {
                    return Err(self.out_of_memory());
                }
                Ok(losses) => losses?,
            };
        for (offset, loss) in losses.into_iter().enumerate() {
            if !loss.is_finite() {
                return Err(Halt::Stop(StopReason::NotFinite {
                    step: first + offset + 1,
                }));
            }
            self.history.step_losses.push(loss);
            self.epoch_losses.push(loss);
        }
        Ok(())
    }

    /// Ends the run for lack of memory: an error when nothing was learned yet, otherwise a reason, with the state written
    /// where it is whole.
    pub(super) fn out_of_memory(&mut self) -> Halt {
        self.undo_step();
        self.pending.clear();
        if self.history.step_losses.is_empty() {
            return self.no_memory().into();
        }
        if !self.device.is_gpu() || matches!(self.finite_weights(), Ok(Some(_))) {
            // The history may lack losses that were never read; the step stays with it.
            if self.history.step_losses.len() == self.step
                && let Err(error) = self.write_checkpoint()
            {
                return error.into();
            }
        }
        Halt::Stop(StopReason::OutOfMemory {
            step: self.step + 1,
        })
    }

    /// Ends the run for what the device could not do. A device that has failed gives nothing back, not even the weights: what
    /// the checkpoints hold is left.
    pub(super) fn troubled(&mut self, trouble: Trouble) -> Halt {
        match trouble {
            Trouble::Shortage => self.out_of_memory(),
            Trouble::Failure(reason) => TrainError::Device {
                device: self.device.name().to_owned(),
                step: self.step + 1,
                kept: self.checkpoints.clone(),
                reason,
            }
            .into(),
        }
    }

    pub(super) fn no_memory(&self) -> TrainError {
        TrainError::OutOfMemory {
            device: self.device.name().to_owned(),
            step: self.step + 1,
            batch: self.settings.batch,
            size: self.settings.chip_size,
            bands: self.settings.bands,
        }
    }

    /// An inference copy of the weights that count: those of the steps, or their running average.
    pub(super) fn usable_weights(&self) -> Result<Option<Box<T::Network>>> {
        let Some(network) = &self.network else {
            return Ok(None);
        };
        let mut network = network.inference();
        if let Some(average) = &self.average
            && average.updates() > 0
        {
            network.load_tensors(&average.to_tensors())?;
        }
        Ok(Some(network))
    }

    /// [`Trainer::usable_weights`], when all are finite numbers.
    pub(super) fn finite_weights(&self) -> Result<Option<Box<T::Network>>> {
        let weights = memory::guarded(&self.device, || {
            let network = self.usable_weights()?;
            let finite = network.as_ref().is_some_and(|network| {
                network.named_tensors().values().all(|data| {
                    data.as_slice::<f32>()
                        .is_ok_and(|values| values.iter().all(|value| value.is_finite()))
                })
            });
            Ok(network.filter(|_| finite))
        });
        weights.unwrap_or(Ok(None))
    }

    /// Writes the whole state, when the run has a place for it.
    pub(super) fn write_checkpoint(&mut self) -> Result<()> {
        self.written = Instant::now();
        let (Some(folder), Some(network)) = (&self.checkpoints, &self.network) else {
            return Ok(());
        };
        let start = Instant::now();
        let checkpoint = Checkpoint {
            settings: self.settings.clone(),
            normalization: self.normalization.clone(),
            bands: self.bands.clone(),
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
            average: self
                .average
                .as_ref()
                .map(Ema::to_tensors)
                .unwrap_or_default(),
            average_updates: self.average.as_ref().map_or(0, Ema::updates),
            plateau: self.plateau,
            optimizer_steps: self.descent.steps(),
            moments: self.descent.to_records(),
        };
        let path = checkpoint.write(folder)?;
        self.timings.checkpoints += start.elapsed().as_secs_f64();
        let step = self.step;
        session::tell(|| {
            let facts = serde_json::json!({ "path": path, "step": step });
            session::Event::new("checkpoint", "", facts)
        });
        Ok(())
    }
}
