//! One step of one parameter: AdamW's and SGD's arithmetic, in one pass over memory on the CPU and as tensors elsewhere.

use burn::tensor::{DType, Tensor, TensorData};
use rayon::prelude::*;

use super::{Optimizer, floats};

/// Decay of AdamW's first moment.
const BETA_1: f32 = 0.9;
/// Decay of AdamW's second moment.
const BETA_2: f32 = 0.999;
/// Keeps the division by the second moment finite.
const EPSILON: f32 = 1e-8;
/// Floats a thread updates at a time on the CPU: small enough to share the work, large enough to be worth a hand-over.
pub(super) const CHUNK: usize = 1 << 15;

/// What an optimizer remembers of one parameter. AdamW: the running means of the gradient and of its square. SGD: the
/// momentum as `first`, and an empty `second`.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one for each parameter, and on a device all are the large one"
)]
pub(super) enum Moments {
    Host { first: Vec<f32>, second: Vec<f32> },
    Device { first: Tensor<1>, second: Tensor<1> },
}

/// One step of one parameter.
pub(super) struct Update {
    pub(super) optimizer: Optimizer,
    pub(super) rate: f64,
    pub(super) decay: f64,
    /// Steps taken, this one included.
    pub(super) steps: u64,
}

impl Update {
    fn corrections(&self) -> (f32, f32) {
        let steps = i32::try_from(self.steps).unwrap_or(i32::MAX);
        (
            (1.0 - f64::from(BETA_1).powi(steps)) as f32,
            (1.0 - f64::from(BETA_2).powi(steps)) as f32,
        )
    }

    /// Lengths of `first` and `second` for a parameter of so many elements.
    fn lengths(&self, elements: usize) -> (usize, usize) {
        match self.optimizer {
            Optimizer::AdamW => (elements, elements),
            Optimizer::Sgd { momentum: 0.0, .. } => (0, 0),
            Optimizer::Sgd { .. } => (elements, 0),
        }
    }

    /// In place where the tensor's memory is nobody else's. The gradient counts times `scale`. Floats of other kinds are
    /// moved as `f32` and stay what they are.
    pub(super) fn on_host<const D: usize>(
        &self,
        tensor: Tensor<D>,
        gradient: &TensorData,
        moments: Option<Moments>,
        scale: f32,
    ) -> (Tensor<D>, Moments) {
        let device = tensor.device();
        let mut data = tensor.into_data();
        let dtype = data.dtype();
        if dtype != DType::F32 {
            data = data.convert::<f32>();
        }
        let lengths = self.lengths(data.num_elements());
        let (mut first, mut second) = match moments {
            Some(Moments::Host { first, second }) if (first.len(), second.len()) == lengths => {
                (first, second)
            }
            _ => (vec![0.0; lengths.0], vec![0.0; lengths.1]),
        };
        // They are floats of this kind by now.
        if let Ok(values) = data.as_mut_slice::<f32>() {
            let gradients = &floats(gradient);
            match self.optimizer {
                Optimizer::AdamW => {
                    self.adamw(values, gradients, (&mut first, &mut second), scale);
                }
                Optimizer::Sgd { momentum, nesterov } => {
                    self.sgd(values, gradients, &mut first, (momentum, nesterov), scale);
                }
            }
        }
        (
            Tensor::from_data(data, (&device, dtype)),
            Moments::Host { first, second },
        )
    }

    fn adamw(
        &self,
        values: &mut [f32],
        gradients: &[f32],
        (first, second): (&mut [f32], &mut [f32]),
        scale: f32,
    ) {
        let (correction_1, correction_2) = self.corrections();
        let rate = self.rate as f32;
        let kept = (1.0 - self.rate * self.decay) as f32;
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

    fn sgd(
        &self,
        values: &mut [f32],
        gradients: &[f32],
        first: &mut [f32],
        (momentum, nesterov): (f64, bool),
        scale: f32,
    ) {
        let (rate, decay, momentum) = (self.rate as f32, self.decay as f32, momentum as f32);
        if first.is_empty() {
            values
                .par_chunks_mut(CHUNK)
                .zip(gradients.par_chunks(CHUNK))
                .for_each(|(values, gradients)| {
                    for (value, gradient) in values.iter_mut().zip(gradients) {
                        *value -= rate * (gradient * scale + decay * *value);
                    }
                });
            return;
        }
        values
            .par_chunks_mut(CHUNK)
            .zip(gradients.par_chunks(CHUNK))
            .zip(first.par_chunks_mut(CHUNK))
            .for_each(|((values, gradients), first)| {
                for ((value, gradient), first) in values.iter_mut().zip(gradients).zip(first) {
                    let gradient = gradient * scale + decay * *value;
                    *first = momentum * *first + gradient;
                    *value -= rate
                        * if nesterov {
                            gradient + momentum * *first
                        } else {
                            *first
                        };
                }
            });
    }

    /// The same with tensor operations, which stay on the device.
    pub(super) fn on_device<const D: usize>(
        &self,
        tensor: Tensor<D>,
        gradient: Tensor<1>,
        moments: Option<Moments>,
    ) -> (Tensor<D>, Moments) {
        let shape = tensor.shape();
        let device = tensor.device();
        let elements = shape.num_elements();
        let lengths = self.lengths(elements);
        let of_gradient = (&device, gradient.dtype());
        let (first, second) = match moments {
            Some(Moments::Device { first, second }) => (first, second),
            // After a resume the moments are still on the host.
            Some(Moments::Host { first, second }) if (first.len(), second.len()) == lengths => (
                Tensor::from_data(first.as_slice(), of_gradient),
                Tensor::from_data(second.as_slice(), of_gradient),
            ),
            _ => (
                Tensor::zeros([lengths.0], of_gradient),
                Tensor::zeros([lengths.1], of_gradient),
            ),
        };
        let values = tensor.reshape([elements]);
        let (value, first, second) = match self.optimizer {
            Optimizer::AdamW => {
                let first = first.mul_scalar(BETA_1) + gradient.clone().mul_scalar(1.0 - BETA_1);
                let second = second.mul_scalar(BETA_2) + gradient.square().mul_scalar(1.0 - BETA_2);
                let (correction_1, correction_2) = self.corrections();
                let direction = first.clone().div_scalar(correction_1)
                    / (second
                        .clone()
                        .div_scalar(correction_2)
                        .sqrt()
                        .add_scalar(EPSILON));
                let value = values.mul_scalar(1.0 - self.rate * self.decay)
                    - direction.mul_scalar(self.rate);
                (value, first, second)
            }
            Optimizer::Sgd { momentum, nesterov } => {
                let gradient = gradient + values.clone().mul_scalar(self.decay);
                let (first, direction) = if momentum == 0.0 {
                    (first, gradient)
                } else {
                    let first = first.mul_scalar(momentum) + gradient.clone();
                    let direction = if nesterov {
                        gradient + first.clone().mul_scalar(momentum)
                    } else {
                        first.clone()
                    };
                    (first, direction)
                };
                (values - direction.mul_scalar(self.rate), first, second)
            }
        };
        (value.reshape(shape), Moments::Device { first, second })
    }
}
