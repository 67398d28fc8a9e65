//! The precision that convolutions compute in.

use std::cell::Cell;

use burn::tensor::ops::ConvOptions;
use burn::tensor::{DType, FloatDType, Tensor, module};
use serde::{Deserialize, Serialize};

/// The precision of convolutions during training.
///
/// Weights, gradients, optimizer, batch norms and losses are f32 whatever it is. Convolutions take nearly all the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Precision {
    /// 32 bit. NVIDIA GPUs may round the factors of a product to 19 bit (TF32).
    #[default]
    F32,
    /// Factors of 16 bit with the exponent of f32 (bfloat16), sums in f32: mixed precision. For NVIDIA GPUs from Ampere
    /// on; a CPU computes it more slowly than f32, so training refuses it there.
    Bf16,
}

impl Precision {
    /// Its name: `f32` or `bf16`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        }
    }

    /// Runs `work` with convolutions of this precision on this thread.
    pub fn during<R>(self, work: impl FnOnce() -> R) -> R {
        let before = CURRENT.replace(self);
        // Also when the work panics: a later run must not find this run's precision.
        let _restore = Restore(before);
        work()
    }
}

thread_local! {
    static CURRENT: Cell<Precision> = const { Cell::new(Precision::F32) };
}

struct Restore(Precision);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

/// The convolution in bf16, without bias, where that is this thread's precision and the input is f32.
pub(super) fn conv2d(
    input: &Tensor<4>,
    weight: &Tensor<4>,
    options: &ConvOptions<2>,
) -> Option<Tensor<4>> {
    if CURRENT.get() == Precision::F32 || input.dtype() != DType::F32 {
        return None;
    }
    let [input, weight] = [input, weight].map(|tensor| tensor.clone().cast(FloatDType::BF16));
    let output = module::conv2d(input, weight, None, options.clone());
    Some(output.cast(FloatDType::F32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::conv;
    use burn::tensor::{Device, TensorData};

    fn wave(shape: [usize; 4], phase: f32, device: &Device) -> Tensor<4> {
        let count = shape.iter().product::<usize>();
        let values: Vec<f32> = (0..count)
            .map(|index| (index as f32 * 1.3 + phase).sin())
            .collect();
        Tensor::from_data(TensorData::new(values, shape), device).require_grad()
    }

    /// The same convolution with its gradients, in a precision: output, gradients of input, weight and bias.
    fn convolved(precision: Precision) -> [Vec<f32>; 4] {
        let device = Device::flex().autodiff();
        let input = wave([2, 3, 8, 8], 0.1, &device);
        let weight = wave([4, 3, 3, 3], 0.7, &device);
        let bias = Tensor::<1>::from_floats([0.1, 0.2, 0.3, 0.4], &device).require_grad();
        let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
        let output = precision
            .during(|| conv::conv2d(input.clone(), weight.clone(), Some(bias.clone()), options));
        assert_eq!(output.dtype(), DType::F32);
        let gradients = output.clone().square().mean().backward();
        let read = |data: TensorData| data.try_to_vec::<f32>().unwrap_or_default();
        [
            read(output.into_data()),
            input
                .grad(&gradients)
                .map(|grad| read(grad.into_data()))
                .unwrap_or_default(),
            weight
                .grad(&gradients)
                .map(|grad| read(grad.into_data()))
                .unwrap_or_default(),
            bias.grad(&gradients)
                .map(|grad| read(grad.into_data()))
                .unwrap_or_default(),
        ]
    }

    #[test]
    fn bf16_convolutions_are_near_f32_and_their_gradients_are_f32() {
        let (exact, mixed) = (convolved(Precision::F32), convolved(Precision::Bf16));
        for (part, (exact, mixed)) in ["output", "input", "weight", "bias"]
            .iter()
            .zip(exact.iter().zip(&mixed))
        {
            assert!(!exact.is_empty() && exact.len() == mixed.len(), "{part}");
            let largest = exact
                .iter()
                .fold(0.0_f32, |largest, value| largest.max(value.abs()));
            let apart = exact
                .iter()
                .zip(mixed)
                .map(|(exact, mixed)| (exact - mixed).abs());
            let apart = apart.fold(0.0, f32::max) / largest;
            assert!(apart < 0.02, "{part}: {apart}");
            assert!(apart > 0.0, "{part} was not computed in bf16");
        }
    }

    #[test]
    fn the_precision_ends_with_its_work_even_when_that_panics() {
        let outcome = std::panic::catch_unwind(|| Precision::Bf16.during(|| panic!("as asked")));
        assert!(outcome.is_err());
        assert_eq!(CURRENT.get(), Precision::F32);
    }
}
