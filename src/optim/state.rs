//! A descent: an optimizer at work on one network, with gradients gathered over several batches, their norm clipped,
//! rates by part, and a state kept by parameter name.
//!
//! Burn's own optimizers keep their state by parameter ids that differ from run to run, clip each parameter apart, and
//! take some twelve passes over memory a step on the CPU, where one suffices.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{DType, Gradients, Tensor, TensorData};
use rayon::prelude::*;

use super::update::{CHUNK, Moments, Update};
use super::{Optimizer, Rates, Step, floats};

/// An [`Optimizer`] at work on one network: what it remembers of every parameter, and the gradients of the step under
/// way.
///
/// # Source
/// The clipping as `torch.nn.utils.clip_grad_norm_`; gradients of several batches are averaged, as when each loss is
/// divided by their number in PyTorch.
#[derive(Clone, Debug)]
pub struct OptimizerState {
    optimizer: Optimizer,
    weight_decay: f64,
    /// Largest norm of all gradients together; larger ones are scaled down to it.
    clip_norm: Option<f64>,
    steps: u64,
    moments: HashMap<String, Moments>,
    /// Sums over the batches of the step under way.
    gathered: HashMap<ParamId, (String, Gradient)>,
    batches: usize,
}

/// Moments of one parameter, on the host, for a checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct MomentRecord {
    /// The path of the parameter in its network.
    pub path: String,
    /// Running mean of the gradient; SGD's momentum.
    pub first: Vec<f32>,
    /// Running mean of its square; empty for SGD.
    pub second: Vec<f32>,
}

impl OptimizerState {
    /// A descent that has taken no step.
    #[must_use]
    pub fn new(optimizer: Optimizer, weight_decay: f64, clip_norm: Option<f64>) -> Self {
        Self {
            optimizer,
            weight_decay,
            clip_norm,
            steps: 0,
            moments: HashMap::new(),
            gathered: HashMap::new(),
            batches: 0,
        }
    }

    /// Adds the gradients of one batch's loss, computed with `module`, to those of the step under way.
    pub fn gather<M: Module>(&mut self, module: &M, gradients: Gradients) {
        let mut collector = Collector {
            path: Vec::new(),
            gradients,
            found: std::mem::take(&mut self.gathered),
        };
        module.visit(&mut collector);
        self.gathered = collector.found;
        self.batches += 1;
    }

    /// Moves every parameter of `module` that has a gradient by the mean of the gathered gradients, and forgets these.
    ///
    /// The module must live on an autodiff device.
    #[must_use]
    pub fn step<M: Module>(&mut self, module: M, rates: &Rates) -> (M, Step) {
        let mut found = std::mem::take(&mut self.gathered);
        let batches = std::mem::take(&mut self.batches).max(1);
        if rates.shares.iter().any(|(_, share)| *share == 0.0) {
            found.retain(|_, (path, _)| rates.of(path) > 0.0);
        }
        let Some(scale) = self.scale(&found, batches as f64) else {
            return (module, Step::NotFinite);
        };
        self.steps += 1;
        let module = module.map(&mut Updater {
            path: Vec::new(),
            descent: self,
            found,
            rates,
            scale,
        });
        (module, Step::Taken)
    }

    /// Forgets the gradients of a step that will not be taken.
    pub fn forget_gathered(&mut self) {
        self.gathered.clear();
        self.batches = 0;
    }

    /// What to multiply the sums of gradients by; `None` when one is not finite.
    fn scale(&self, found: &HashMap<ParamId, (String, Gradient)>, batches: f64) -> Option<Scale> {
        let mut on_host: Vec<f32> = Vec::new();
        let mut on_device: Option<Tensor<1>> = None;
        for (_, gradient) in found.values() {
            match gradient {
                Gradient::Host(data) => {
                    let values = floats(data);
                    let squares =
                        |chunk: &[f32]| chunk.iter().map(|value| value * value).sum::<f32>();
                    on_host.par_extend(values.par_chunks(CHUNK).map(squares));
                }
                Gradient::Device(values) => {
                    let sum = values.clone().square().sum();
                    on_device = Some(match on_device {
                        Some(total) => total + sum,
                        None => sum,
                    });
                }
            }
        }
        if let Some(sum) = on_device {
            let Some(limit) = self.clip_norm else {
                return Some(Scale::Host((1.0 / batches) as f32));
            };
            let norm = sum.sqrt().div_scalar(batches);
            return Some(Scale::Device(
                (norm + 1e-6)
                    .recip()
                    .mul_scalar(limit)
                    .clamp_max(1.0)
                    .div_scalar(batches),
            ));
        }
        // In one order, so that the same run gives the same weights to the last bit.
        on_host.sort_unstable_by(f32::total_cmp);
        let norm = on_host.into_iter().map(f64::from).sum::<f64>().sqrt() / batches;
        norm.is_finite().then(|| match self.clip_norm {
            Some(limit) => Scale::Host(((limit / (norm + 1e-6)).min(1.0) / batches) as f32),
            None => Scale::Host((1.0 / batches) as f32),
        })
    }

    /// Steps taken so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The whole state between two steps, for a checkpoint.
    #[must_use]
    pub fn to_records(&self) -> Vec<MomentRecord> {
        let read = |tensor: &Tensor<1>| floats(&tensor.to_data()).into_owned();
        let mut records: Vec<_> = self
            .moments
            .iter()
            .map(|(path, moments)| match moments {
                Moments::Host { first, second } => MomentRecord {
                    path: path.clone(),
                    first: first.clone(),
                    second: second.clone(),
                },
                Moments::Device { first, second } => MomentRecord {
                    path: path.clone(),
                    first: read(first),
                    second: read(second),
                },
            })
            .collect();
        records.sort_by(|one, other| one.path.cmp(&other.path));
        records
    }

    /// Goes on from a checkpoint: `steps` taken, with these moments.
    #[must_use]
    pub fn resume(mut self, steps: u64, records: Vec<MomentRecord>) -> Self {
        self.steps = steps;
        let moments = |record: MomentRecord| {
            (
                record.path,
                Moments::Host {
                    first: record.first,
                    second: record.second,
                },
            )
        };
        self.moments = records.into_iter().map(moments).collect();
        self
    }
}

#[derive(Clone, Debug)]
enum Gradient {
    Host(TensorData),
    Device(Tensor<1>),
}

impl Gradient {
    fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Host(mut sum), Self::Host(more)) => {
                // The collector makes all of them floats of this kind.
                if let Ok(sum) = sum.as_mut_slice::<f32>() {
                    sum.par_chunks_mut(CHUNK)
                        .zip(floats(&more).par_chunks(CHUNK))
                        .for_each(|(sum, more)| {
                            for (sum, more) in sum.iter_mut().zip(more) {
                                *sum += more;
                            }
                        });
                }
                Self::Host(sum)
            }
            (Self::Device(sum), Self::Device(more)) => Self::Device(sum + more),
            // A parameter stays on its device within a step.
            (_, more) => more,
        }
    }
}

#[expect(clippy::large_enum_variant, reason = "one at a time, on the stack")]
enum Scale {
    Host(f32),
    Device(Tensor<1>),
}

struct Collector {
    path: Vec<String>,
    gradients: Gradients,
    found: HashMap<ParamId, (String, Gradient)>,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = param.val().grad_remove(&mut self.gradients) else {
            return;
        };
        let gradient = if is_host(&gradient) {
            let data = gradient.into_data();
            Gradient::Host(match data.dtype() {
                DType::F32 => data,
                _ => data.convert::<f32>(),
            })
        } else {
            let elements = gradient.shape().num_elements();
            Gradient::Device(gradient.reshape([elements]))
        };
        let (path, gradient) = match self.found.remove(&param.id) {
            Some((path, sum)) => (path, sum.plus(gradient)),
            None => (self.path.join("."), gradient),
        };
        self.found.insert(param.id, (path, gradient));
    }
}

pub(super) fn is_host<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.device().without_autodiff() == burn::tensor::Device::flex()
}

struct Updater<'a> {
    path: Vec<String>,
    descent: &'a mut OptimizerState,
    found: HashMap<ParamId, (String, Gradient)>,
    rates: &'a Rates,
    scale: Scale,
}

impl ModuleMapper for Updater<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some((path, gradient)) = self.found.remove(&param.id) else {
            return param;
        };
        let (id, tensor, mapper) = param.consume();
        let tracked = tensor.is_require_grad();
        let decays = D > 1;
        let update = Update {
            optimizer: self.descent.optimizer,
            rate: self.rates.of(&path),
            decay: if decays {
                self.descent.weight_decay
            } else {
                0.0
            },
            steps: self.descent.steps,
        };
        let moments = self.descent.moments.remove(&path);
        let (value, moments) = match (gradient, &self.scale) {
            (Gradient::Host(gradient), Scale::Host(scale)) => {
                update.on_host(tensor.inner(), &gradient, moments, *scale)
            }
            (Gradient::Host(gradient), Scale::Device(_)) => {
                update.on_host(tensor.inner(), &gradient, moments, 1.0)
            }
            (Gradient::Device(gradient), Scale::Host(scale)) => {
                update.on_device(tensor.inner(), gradient.mul_scalar(*scale), moments)
            }
            (Gradient::Device(gradient), Scale::Device(scale)) => {
                let gradient = gradient * scale.clone();
                update.on_device(tensor.inner(), gradient, moments)
            }
        };
        self.descent.moments.insert(path, moments);
        let value = Tensor::from_inner(value);
        Param::from_mapped_value(
            id,
            if tracked { value.require_grad() } else { value },
            mapper,
        )
    }
}

#[cfg(test)]
mod tests;
