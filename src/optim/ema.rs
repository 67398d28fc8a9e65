//! The running average of a network's weights (EMA), which often scores better than the weights of the last step.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use super::names::{NamedTensors, enter, exit, floats};
use super::state::is_host;
use super::update::CHUNK;

/// An exponential moving average of every float tensor of a network, running statistics included.
///
/// The first update copies the weights; update `n`, counted from 0, keeps `min(decay, (1 + n) / (10 + n))` of the
/// average, so that the random first weights are forgotten soon in a short run.
///
/// # Source
/// Polyak and Juditsky, Acceleration of stochastic approximation by averaging (1992); the decay's warm-up as
/// TensorFlow's `ExponentialMovingAverage` with `num_updates`; statistics included as timm's `ModelEmaV2`.
#[derive(Clone, Debug)]
pub struct Ema {
    decay: f64,
    updates: u64,
    tensors: BTreeMap<String, (Vec<usize>, Held)>,
}

#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one for each parameter, and on a device all are the large one"
)]
enum Held {
    Host(Vec<f32>),
    Device(Tensor<1>),
}

impl Ema {
    /// An average without any weights yet. `decay` is the share that an update keeps, such as 0.999.
    #[must_use]
    pub fn new(decay: f64) -> Self {
        Self {
            decay,
            updates: 0,
            tensors: BTreeMap::new(),
        }
    }

    /// Goes on from a checkpoint: `updates` made, with these averages.
    #[must_use]
    pub fn resume(mut self, updates: u64, tensors: &NamedTensors) -> Self {
        self.updates = updates;
        self.tensors = tensors
            .iter()
            .map(|(name, data)| {
                let values = floats(data).into_owned();
                (name.clone(), (data.shape().to_vec(), Held::Host(values)))
            })
            .collect();
        self
    }

    /// Updates made so far.
    #[must_use]
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Takes in the weights of `module`, an inference copy, after a step.
    pub fn update<M: Module>(&mut self, module: &M) {
        let count = self.updates as f64;
        let kept = self.decay.min((1.0 + count) / (10.0 + count));
        module.visit(&mut Updater {
            path: Vec::new(),
            kept: if self.updates == 0 { 0.0 } else { kept },
            tensors: &mut self.tensors,
        });
        self.updates += 1;
    }

    /// The averages by name, on the host: for a checkpoint, or to load into a network.
    #[must_use]
    pub fn to_tensors(&self) -> NamedTensors {
        self.tensors
            .iter()
            .map(|(name, (shape, held))| {
                let values = match held {
                    Held::Host(values) => values.clone(),
                    Held::Device(values) => floats(&values.to_data()).into_owned(),
                };
                (name.clone(), TensorData::new(values, shape.clone()))
            })
            .collect()
    }
}

struct Updater<'a> {
    path: Vec<String>,
    kept: f64,
    tensors: &'a mut BTreeMap<String, (Vec<usize>, Held)>,
}

impl ModuleVisitor for Updater<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        enter(&mut self.path, name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        exit(&mut self.path, container);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = self.path.join(".");
        let weights = param.val();
        let shape = weights.dims().to_vec();
        let before = self.tensors.remove(&name).map(|(_, held)| held);
        let held = if is_host(&weights) {
            on_host(before, &weights.into_data(), self.kept as f32)
        } else {
            on_device(before, weights, self.kept)
        };
        self.tensors.insert(name, (shape, held));
    }
}

fn on_host(before: Option<Held>, weights: &TensorData, kept: f32) -> Held {
    let weights = floats(weights);
    match before {
        Some(Held::Host(mut values)) if values.len() == weights.len() => {
            values
                .par_chunks_mut(CHUNK)
                .zip(weights.par_chunks(CHUNK))
                .for_each(|(values, weights)| {
                    for (value, weight) in values.iter_mut().zip(weights) {
                        *value = kept * *value + (1.0 - kept) * weight;
                    }
                });
            Held::Host(values)
        }
        _ => Held::Host(weights.to_vec()),
    }
}

fn on_device<const D: usize>(before: Option<Held>, weights: Tensor<D>, kept: f64) -> Held {
    let device = weights.device();
    let elements = weights.shape().num_elements();
    let weights: Tensor<1> = weights.reshape([elements]);
    let values = match before {
        Some(Held::Device(values)) => values,
        // After a resume the averages are still on the host.
        Some(Held::Host(values)) if values.len() == elements => {
            Tensor::from_data(values.as_slice(), &device)
        }
        _ => return Held::Device(weights),
    };
    Held::Device(values.mul_scalar(kept) + weights.mul_scalar(1.0 - kept))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::oracle_tests::{Number, oracle};

    #[derive(Module, Debug)]
    struct Weights {
        weight: Param<Tensor<2>>,
        bias: Param<Tensor<1>>,
    }

    /// The weights of step `step` in `tests/python/make_training.py`.
    fn weights(step: usize) -> Weights {
        let device = burn::tensor::Device::flex();
        let wave = |count: usize, phase: f64| {
            let values = (0..count).map(|index| (1.7 * index as f64 + phase).sin() as f32);
            values.collect::<Vec<_>>()
        };
        let weight = TensorData::new(wave(6, step as f64), [2, 3]);
        let bias = TensorData::new(wave(2, step as f64 + 0.5), [2]);
        Weights {
            weight: Param::from_tensor(Tensor::from_data(weight, &device)),
            bias: Param::from_tensor(Tensor::from_data(bias, &device)),
        }
    }

    fn numbers(average: &Ema) -> Vec<f32> {
        let tensors = average.to_tensors();
        ["weight", "bias"]
            .iter()
            .filter_map(|name| tensors.get(*name)?.as_slice::<f32>().ok())
            .flatten()
            .copied()
            .collect()
    }

    #[track_caller]
    fn close(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn the_average_agrees_with_torch_at_every_update_and_after_a_resume() {
        let cases = oracle("averages");
        for case in &cases {
            let decay = case["decay"].number();
            let mut average = Ema::new(decay);
            for step in 0..8 {
                if step == 4 {
                    average = Ema::new(decay).resume(average.updates(), &average.to_tensors());
                }
                average.update(&weights(step));
                close(&numbers(&average), &case["steps"][step].floats());
            }
        }
        assert_eq!(cases.len(), 2);
    }

    #[test]
    fn the_host_and_the_tensor_form_agree() {
        let device = burn::tensor::Device::flex();
        let before = || Tensor::<1>::from_floats([1.0, -2.0, 0.5], &device);
        let weights = Tensor::<1>::from_floats([0.3, 4.0, -0.5], &device);
        let held = |values: Held| match values {
            Held::Host(values) => values,
            Held::Device(values) => values.into_data().try_to_vec().unwrap_or_default(),
        };
        let host = on_host(
            Some(Held::Host(vec![1.0, -2.0, 0.5])),
            &weights.to_data(),
            0.9,
        );
        let tensors = on_device(Some(Held::Device(before())), weights.clone(), 0.9);
        close(&held(host), &held(tensors));
        let resumed = on_device(Some(Held::Host(vec![1.0, -2.0, 0.5])), weights, 0.9);
        close(&held(resumed), &[0.93, -1.4, 0.4]);
    }
}
