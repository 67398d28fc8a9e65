//! The operations that training on the CPU spends its time in.

use burn::tensor::ops::{ConvOptions, InterpolateMode, InterpolateOptions};
use burn::tensor::{Tensor, activation, module};

use super::Activation;

/// A 2-D convolution with PyTorch's meaning.
///
/// # Shapes
///
/// - `input`: `[n, in, h, w]`
/// - `weight`: `[out, in / groups, k_h, k_w]`
/// - `bias`: `[out]`
/// - output: `[n, out, h', w']`
pub fn conv2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvOptions<2>,
) -> Tensor<4> {
    module::conv2d(input, weight, bias, options)
}

fn activate(x: Tensor<4>, kind: Activation) -> Tensor<4> {
    match kind {
        Activation::None => x,
        Activation::Relu => activation::relu(x),
        Activation::Relu6 => x.clamp(0.0, 6.0),
    }
}

/// Batch normalisation by the batch's own statistics, and an activation. Returns the output, and the batch's mean and
/// biased variance, `[channels]` each.
pub fn batch_norm_train(
    input: Tensor<4>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    epsilon: f64,
    kind: Activation,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    let result = module::batch_norm_train(input, weight, bias, epsilon);
    (activate(result.output, kind), result.mean, result.variance)
}

/// Batch normalisation by given statistics, and an activation.
pub fn batch_norm(
    input: Tensor<4>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    mean: Tensor<1>,
    variance: Tensor<1>,
    epsilon: f64,
    kind: Activation,
) -> Tensor<4> {
    activate(module::batch_norm(input, weight, bias, mean, variance, epsilon), kind)
}

/// Doubles height and width by repeating each pixel, then cuts to `size`.
///
/// Nearest neighbour, because Burn's bilinear interpolation has no gradient on CUDA in 0.22.
pub fn upsample(input: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    module::interpolate(input, InterpolateOptions::new(InterpolateMode::Nearest).with_output_size(size))
}
