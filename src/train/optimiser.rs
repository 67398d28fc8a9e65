//! AdamW over a whole network, with the norm of all gradients clipped, rates by part, and a state kept by parameter name.
//!
//! Burn's own AdamW keeps its state by parameter ids that differ from run to run, clips each parameter apart, and takes
//! some twelve passes over memory a step on the CPU, where one suffices.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Gradients, Tensor, TensorData};
use rayon::prelude::*;

/// Decay of the first moment.
const BETA_1: f32 = 0.9;
/// Decay of the second moment.
const BETA_2: f32 = 0.999;
/// Keeps the division by the second moment finite.
const EPSILON: f32 = 1e-8;
/// Floats a thread updates at a time on the CPU: small enough to share the work, large enough to be worth a hand-over.
const CHUNK: usize = 1 << 15;

/// The learning rate of one step, and which parameters get less of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    /// The rate of every parameter that no prefix names.
    pub base: f64,
    /// Path prefixes (such as `encoder`) and the share of the base rate that their parameters get; 0 leaves them as
    /// they are.
    pub shares: Vec<(String, f64)>,
}

impl Rates {
    fn of(&self, path: &str) -> f64 {
        let share = self.shares.iter().find(|(prefix, _)| {
            path.strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        self.base * share.map_or(1.0, |(_, share)| *share)
    }
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// The parameters moved. On a GPU nothing was read back, and a gradient that is not finite shows in the next loss.
    Taken,
    /// A gradient was infinite or not a number; the parameters are as they were.
    NotFinite,
}

/// AdamW: Adam with the weight decay apart from the gradient.
///
/// Weight decay applies to weights of two and more dimensions; biases and the scales of normalisation are left out, as
/// is usual.
///
/// # Source
/// Loshchilov and Hutter, Decoupled Weight Decay Regularization (2019), as `torch.optim.AdamW`; the clipping as
/// `torch.nn.utils.clip_grad_norm_`.
#[derive(Clone, Debug)]
pub struct AdamW {
    weight_decay: f64,
    /// Largest norm of all gradients together; larger ones are scaled down to it.
    clip_norm: Option<f64>,
    steps: u64,
    moments: HashMap<String, Moments>,
}

#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one for each parameter, and on a device all are the large one"
)]
enum Moments {
    Host { first: Vec<f32>, second: Vec<f32> },
    Device { first: Tensor<1>, second: Tensor<1> },
}

/// Moments of one parameter, on the host, for a checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct MomentRecord {
    /// The path of the parameter in its network.
    pub path: String,
    /// Running mean of the gradient.
    pub first: Vec<f32>,
    /// Running mean of its square.
    pub second: Vec<f32>,
}

impl AdamW {
    /// An optimiser that has taken no step.
    #[must_use]
    pub fn new(weight_decay: f64, clip_norm: Option<f64>) -> Self {
        Self {
            weight_decay,
            clip_norm,
            steps: 0,
            moments: HashMap::new(),
        }
    }

    /// Moves every parameter of `module` that has a gradient.
    ///
    /// The module must live on an autodiff device, and `gradients` come from a loss computed with it.
    #[must_use]
    pub fn step<M: Module>(&mut self, module: M, gradients: Gradients, rates: &Rates) -> (M, Step) {
        let mut collected = Collector {
            path: Vec::new(),
            gradients,
            found: HashMap::new(),
        };
        module.visit(&mut collected);
        let mut found = collected.found;
        if rates.shares.iter().any(|(_, share)| *share == 0.0) {
            found.retain(|_, (path, _)| rates.of(path) > 0.0);
        }
        let scale = match self.scale(&found) {
            Some(scale) => scale,
            None => return (module, Step::NotFinite),
        };
        self.steps += 1;
        let module = module.map(&mut Updater {
            path: Vec::new(),
            optimiser: self,
            found,
            rates,
            scale,
        });
        (module, Step::Taken)
    }

    /// What to multiply the gradients by; `None` when one is not finite.
    fn scale(&self, found: &HashMap<ParamId, (String, Gradient)>) -> Option<Scale> {
        let mut on_host: Vec<f32> = Vec::new();
        let mut on_device: Option<Tensor<1>> = None;
        for (_, gradient) in found.values() {
            match gradient {
                Gradient::Host(data) => {
                    let values = data.as_slice::<f32>().unwrap_or_default();
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
                return Some(Scale::Host(1.0));
            };
            return Some(Scale::Device(
                (sum.sqrt() + 1e-6).recip().mul_scalar(limit).clamp_max(1.0),
            ));
        }
        // In one order, so that the same run gives the same weights to the last bit.
        on_host.sort_unstable_by(f32::total_cmp);
        let norm = on_host.into_iter().map(f64::from).sum::<f64>().sqrt();
        norm.is_finite().then(|| match self.clip_norm {
            Some(limit) => Scale::Host((limit / (norm + 1e-6)).min(1.0) as f32),
            None => Scale::Host(1.0),
        })
    }

    /// Steps taken so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The whole state, for a checkpoint.
    #[must_use]
    pub fn to_records(&self) -> Vec<MomentRecord> {
        let read = |tensor: &Tensor<1>| tensor.to_data().try_to_vec::<f32>().unwrap_or_default();
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

enum Gradient {
    Host(TensorData),
    Device(Tensor<1>),
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
            Gradient::Host(gradient.into_data())
        } else {
            let elements = gradient.shape().num_elements();
            Gradient::Device(gradient.reshape([elements]))
        };
        self.found.insert(param.id, (self.path.join("."), gradient));
    }
}

fn is_host<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.device().without_autodiff() == burn::tensor::Device::flex()
}

struct Updater<'a> {
    path: Vec<String>,
    optimiser: &'a mut AdamW,
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
            rate: self.rates.of(&path),
            decay: if decays {
                self.optimiser.weight_decay
            } else {
                0.0
            },
            steps: self.optimiser.steps,
        };
        let moments = self.optimiser.moments.remove(&path);
        let (value, moments) = match (gradient, &self.scale) {
            (Gradient::Host(gradient), Scale::Host(scale)) => {
                update.on_host(tensor.inner(), &gradient, moments, *scale)
            }
            (Gradient::Host(gradient), Scale::Device(_)) => {
                update.on_host(tensor.inner(), &gradient, moments, 1.0)
            }
            (Gradient::Device(gradient), Scale::Host(_)) => {
                update.on_device(tensor.inner(), gradient, moments)
            }
            (Gradient::Device(gradient), Scale::Device(scale)) => {
                let gradient = gradient * scale.clone();
                update.on_device(tensor.inner(), gradient, moments)
            }
        };
        self.optimiser.moments.insert(path, moments);
        let value = Tensor::from_inner(value);
        Param::from_mapped_value(
            id,
            if tracked { value.require_grad() } else { value },
            mapper,
        )
    }
}

/// One step of one parameter.
struct Update {
    rate: f64,
    decay: f64,
    steps: u64,
}

impl Update {
    fn corrections(&self) -> (f32, f32) {
        let steps = i32::try_from(self.steps).unwrap_or(i32::MAX);
        (
            (1.0 - f64::from(BETA_1).powi(steps)) as f32,
            (1.0 - f64::from(BETA_2).powi(steps)) as f32,
        )
    }

    /// One pass over the five arrays, in place where the tensor's memory is nobody else's.
    fn on_host<const D: usize>(
        &self,
        tensor: Tensor<D>,
        gradient: &TensorData,
        moments: Option<Moments>,
        scale: f32,
    ) -> (Tensor<D>, Moments) {
        let device = tensor.device();
        let mut data = tensor.into_data();
        let elements = data.num_elements();
        let (mut first, mut second) = match moments {
            Some(Moments::Host { first, second })
                if first.len() == elements && second.len() == elements =>
            {
                (first, second)
            }
            _ => (vec![0.0; elements], vec![0.0; elements]),
        };
        let (correction_1, correction_2) = self.corrections();
        let rate = self.rate as f32;
        let kept = (1.0 - self.rate * self.decay) as f32;
        if let (Ok(values), Ok(gradients)) =
            (data.as_mut_slice::<f32>(), gradient.as_slice::<f32>())
        {
            values
                .par_chunks_mut(CHUNK)
                .zip(gradients.par_chunks(CHUNK))
                .zip(
                    first
                        .par_chunks_mut(CHUNK)
                        .zip(second.par_chunks_mut(CHUNK)),
                )
                .for_each(|((values, gradients), (first, second))| {
                    for (((value, gradient), first), second) in
                        values.iter_mut().zip(gradients).zip(first).zip(second)
                    {
                        let gradient = gradient * scale;
                        *first = BETA_1 * *first + (1.0 - BETA_1) * gradient;
                        *second = BETA_2 * *second + (1.0 - BETA_2) * gradient * gradient;
                        let direction =
                            (*first / correction_1) / ((*second / correction_2).sqrt() + EPSILON);
                        *value = *value * kept - rate * direction;
                    }
                });
        }
        (
            Tensor::from_data(data, &device),
            Moments::Host { first, second },
        )
    }

    fn on_device<const D: usize>(
        &self,
        tensor: Tensor<D>,
        gradient: Tensor<1>,
        moments: Option<Moments>,
    ) -> (Tensor<D>, Moments) {
        let shape = tensor.shape();
        let device = tensor.device();
        let elements = shape.num_elements();
        let (first, second) = match moments {
            Some(Moments::Device { first, second }) => (first, second),
            // After a resume the moments are still on the host.
            Some(Moments::Host { first, second })
                if first.len() == elements && second.len() == elements =>
            {
                (
                    Tensor::from_data(first.as_slice(), &device),
                    Tensor::from_data(second.as_slice(), &device),
                )
            }
            _ => (
                Tensor::zeros([elements], &device),
                Tensor::zeros([elements], &device),
            ),
        };
        let first = first.mul_scalar(BETA_1) + gradient.clone().mul_scalar(1.0 - BETA_1);
        let second = second.mul_scalar(BETA_2) + gradient.square().mul_scalar(1.0 - BETA_2);
        let (correction_1, correction_2) = self.corrections();
        let direction = first.clone().div_scalar(correction_1)
            / (second
                .clone()
                .div_scalar(correction_2)
                .sqrt()
                .add_scalar(EPSILON));
        let value = tensor
            .reshape([elements])
            .mul_scalar(1.0 - self.rate * self.decay)
            - direction.mul_scalar(self.rate);
        (value.reshape(shape), Moments::Device { first, second })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Module, Debug)]
    struct Parameters {
        weight: Param<Tensor<2>>,
        other: Param<Tensor<2>>,
    }

    fn parameters() -> Parameters {
        let device = burn::tensor::Device::flex().autodiff();
        let tensor = || Tensor::<2>::from_floats([[1.0, -2.0, 3.0]], &device);
        Parameters {
            weight: Param::from_tensor(tensor()),
            other: Param::from_tensor(tensor()),
        }
    }

    fn gradients(parameters: &Parameters) -> Gradients {
        let curvature =
            Tensor::<2>::from_floats([[1.0, 2.0, 3.0]], &parameters.weight.val().device());
        (parameters.weight.val().square() * curvature)
            .sum()
            .backward()
    }

    fn values(parameters: &Parameters) -> Vec<f32> {
        parameters
            .weight
            .val()
            .into_data()
            .try_to_vec()
            .unwrap_or_default()
    }

    #[track_caller]
    fn close(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        for (found_value, expected_value) in found.iter().zip(expected) {
            assert!(
                (found_value - expected_value).abs() < 2e-6,
                "expected {expected:?}, found {found:?}"
            );
        }
    }

    const TORCH: [[f32; 3]; 3] = [
        [0.989, -1.988, 2.987],
        [0.978_012_8, -1.976_012_5, 2.974_013],
        [0.967_039_4, -1.964_037_4, 2.961_038_8],
    ];

    /// ```python
    /// import torch                                                                                   # 2.15.0
    /// p = torch.nn.Parameter(torch.tensor([1.0, -2.0, 3.0])); o = torch.optim.AdamW([p], lr=0.01, weight_decay=0.1)
    /// for s in range(3):
    ///     o.zero_grad(); (p ** 2 * torch.tensor([1., 2., 3.])).sum().backward()
    ///     torch.nn.utils.clip_grad_norm_([p], 5.0); o.step(); print(p.tolist())
    /// ```
    #[test]
    fn three_clipped_steps_agree_with_torch() {
        let mut module = parameters();
        let mut optimiser = AdamW::new(0.1, Some(5.0));
        let rates = Rates {
            base: 0.01,
            shares: Vec::new(),
        };
        for expected in TORCH {
            let gradients = gradients(&module);
            let step;
            (module, step) = optimiser.step(module, gradients, &rates);
            assert_eq!(step, Step::Taken);
            close(&values(&module), &expected);
        }
    }

    #[test]
    fn the_host_and_the_tensor_form_agree() {
        let device = burn::tensor::Device::flex();
        let update = Update {
            rate: 0.01,
            decay: 0.1,
            steps: 1,
        };
        let tensor = Tensor::<2>::from_floats([[1.0, -2.0, 3.0]], &device);
        let gradient = Tensor::<1>::from_floats([0.3, -4.0, 2.5], &device);
        let (host, _) = update.on_host(tensor.clone(), &gradient.to_data(), None, 1.0);
        let (tensors, _) = update.on_device(tensor, gradient, None);
        let read = |tensor: Tensor<2>| tensor.into_data().try_to_vec::<f32>().unwrap_or_default();
        close(&read(host), &read(tensors));
    }

    #[test]
    fn a_share_of_zero_leaves_a_part_alone_and_a_prefix_is_a_whole_name() {
        let module = parameters();
        let before = values(&module);
        let gradients_now = gradients(&module);
        let rates = Rates {
            base: 0.01,
            shares: vec![("weight".to_owned(), 0.0)],
        };
        let (module, _) = AdamW::new(0.1, None).step(module, gradients_now, &rates);
        assert_eq!(values(&module), before);
        let rates = Rates {
            base: 0.01,
            shares: vec![("wei".to_owned(), 0.0), ("weight".to_owned(), 0.5)],
        };
        assert_eq!(rates.of("weight"), 0.005);
        assert_eq!(rates.of("weights.0"), 0.01);
    }

    #[test]
    fn a_gradient_that_is_not_finite_moves_nothing() {
        let module = parameters();
        let before = values(&module);
        let gradients = (module.weight.val() * f32::INFINITY).sum().backward();
        let (module, step) = AdamW::new(0.1, Some(1.0)).step(
            module,
            gradients,
            &Rates {
                base: 0.01,
                shares: Vec::new(),
            },
        );
        assert_eq!(step, Step::NotFinite);
        assert_eq!(values(&module), before);
    }

    #[test]
    fn a_resumed_optimiser_goes_on_as_if_never_stopped() {
        let rates = Rates {
            base: 0.01,
            shares: Vec::new(),
        };
        let mut module = parameters();
        let mut optimiser = AdamW::new(0.1, Some(5.0));
        let first_gradients = gradients(&module);
        (module, _) = optimiser.step(module, first_gradients, &rates);
        let mut resumed =
            AdamW::new(0.1, Some(5.0)).resume(optimiser.steps(), optimiser.to_records());
        let second = |optimiser: &mut AdamW| {
            let gradients_now = gradients(&module);
            values(&optimiser.step(module.clone(), gradients_now, &rates).0)
        };
        assert_eq!(second(&mut optimiser), second(&mut resumed));
    }
}
