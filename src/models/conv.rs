//! The operations that training on the CPU spends its time in, for any device.
//!
//! On Burn's CPU backend they run the kernels of `swath_cpu` with gradients of their own (Burn 0.22's CPU gradients of
//! convolutions take two to fifteen times as long); on any other device, and for the rarer options, they are Burn's own
//! operations. Both give the same numbers up to rounding.

use burn::backend::Dispatch;
use burn::tensor::ops::{ConvOptions, InterpolateMode, InterpolateOptions};
use burn::tensor::{DType, Device, Tensor, TensorData, activation, module};

use super::Activation;
use super::biased::BiasedOps;
use super::ops::CpuOps;
use super::precision;
use swath_cpu::ConvShape;
use swath_cpu::norm::Clamp;
use swath_cpu::resample::Join;

fn on_cpu<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.dtype() == DType::F32 && tensor.device().inner() == Device::flex()
}

/// A 2-D convolution with PyTorch's meaning.
///
/// # Shapes
///
/// - `input`: `[n, in, h, w]`
/// - `weight`: `[out, in / groups, k_h, k_w]`
/// - `bias`: `[out]`
/// - output: `[n, out, h', w']`
///
/// # Panics
///
/// As Burn's own, when the shapes do not fit each other.
pub fn conv2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvOptions<2>,
) -> Tensor<4> {
    conv2d_activated(input, weight, bias, options, Activation::None)
}

/// [`conv2d`] and an activation; with a bias on the CPU, in the same pass.
///
/// # Panics
///
/// As [`conv2d`].
pub fn conv2d_activated(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvOptions<2>,
    kind: Activation,
) -> Tensor<4> {
    let output = if let Some(output) = precision::conv2d(&input, &weight, &options) {
        output
    } else if let Some(sizes) = sizes(&input, &weight, &options) {
        let (input, weight) = (input.into_dispatch(), weight.into_dispatch());
        return match bias {
            Some(bias) => Tensor::from_dispatch(Dispatch::swath_conv2d_biased(
                input,
                weight,
                bias.into_dispatch(),
                sizes,
                limits(kind),
            )),
            None => activate(
                Tensor::from_dispatch(Dispatch::swath_conv2d(input, weight, sizes)),
                kind,
            ),
        };
    } else {
        return activate(module::conv2d(input, weight, bias, options), kind);
    };
    let output = match bias {
        Some(bias) => output + bias.reshape([1, -1, 1, 1]),
        None => output,
    };
    activate(output, kind)
}

/// The sizes, where the kernels of `swath_cpu` can do it.
fn sizes(input: &Tensor<4>, weight: &Tensor<4>, options: &ConvOptions<2>) -> Option<ConvShape> {
    let [batch, channels, height, width] = input.dims();
    let [out, inputs, kh, kw] = weight.dims();
    let depthwise =
        options.groups == channels && options.groups == out && inputs == 1 && channels > 1;
    // The rows and columns that the kernel spans.
    let reach = [
        kh.saturating_sub(1) * options.dilation[0] + 1,
        kw.saturating_sub(1) * options.dilation[1] + 1,
    ];
    let fits = on_cpu(input)
        && on_cpu(weight)
        && (depthwise || options.groups == 1 && inputs == channels)
        && options.dilation[0] == options.dilation[1]
        && options.stride[0] == options.stride[1]
        && reach
            .iter()
            .zip(options.padding)
            .all(|(&reach, (begin, end))| begin < reach && end < reach);
    let padded = [
        height + options.padding[0].0 + options.padding[0].1,
        width + options.padding[1].0 + options.padding[1].1,
    ];
    if !fits
        || padded[0] < reach[0]
        || padded[1] < reach[1]
        || [batch, channels, height, width, out].contains(&0)
    {
        return None;
    }
    let stride = options.stride[0];
    Some(ConvShape {
        batch,
        input: [channels, height, width],
        output: [
            out,
            (padded[0] - reach[0]) / stride + 1,
            (padded[1] - reach[1]) / stride + 1,
        ],
        kernel: [kh, kw],
        stride,
        dilation: options.dilation[0],
        padding: [options.padding[0].0, options.padding[1].0],
        input_dilation: 1,
        depthwise,
    })
}

fn activate(x: Tensor<4>, kind: Activation) -> Tensor<4> {
    match kind {
        Activation::None => x,
        Activation::Relu => activation::relu(x),
        Activation::Relu6 => x.clamp(0.0, 6.0),
    }
}

fn limits(kind: Activation) -> Clamp {
    match kind {
        Activation::None => (f32::NEG_INFINITY, f32::INFINITY),
        Activation::Relu => (0.0, f32::INFINITY),
        Activation::Relu6 => (0.0, 6.0),
    }
}

/// Batch normalization by the batch's own statistics, and an activation. Returns the output, and the batch's mean and
/// biased variance, `[channels]` each, which carry no gradient.
pub fn batch_norm_train(
    input: Tensor<4>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    epsilon: f64,
    kind: Activation,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    if on_cpu(&input) {
        let [input, weight, bias] = [
            input.into_dispatch(),
            weight.into_dispatch(),
            bias.into_dispatch(),
        ];
        let (output, mean, variance) =
            Dispatch::swath_batch_norm(input, weight, bias, epsilon, limits(kind));
        return (
            Tensor::from_dispatch(output),
            Tensor::from_dispatch(mean),
            Tensor::from_dispatch(variance),
        );
    }
    let result = module::batch_norm_train(input, weight, bias, epsilon);
    (
        activate(result.output, kind),
        result.mean.detach(),
        result.variance.detach(),
    )
}

/// Batch normalization by given statistics, and an activation.
pub fn batch_norm(
    input: Tensor<4>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    mean: Tensor<1>,
    variance: Tensor<1>,
    epsilon: f64,
    kind: Activation,
) -> Tensor<4> {
    if on_cpu(&input) && !weight.is_require_grad() && !bias.is_require_grad() {
        let scale = weight / variance.add_scalar(epsilon).sqrt();
        let offset = bias - mean * scale.clone();
        let [input, scale, offset] = [
            input.into_dispatch(),
            scale.into_dispatch(),
            offset.into_dispatch(),
        ];
        return Tensor::from_dispatch(Dispatch::swath_affine(input, scale, offset, limits(kind)));
    }
    activate(
        module::batch_norm(input, weight, bias, mean, variance, epsilon),
        kind,
    )
}

/// A decoder step's input: `coarse` doubled by repeating each pixel and cut to `size`, and the channels of `skip`
/// behind its own.
///
/// Nearest neighbor, because Burn 0.22's bilinear interpolation has no gradient on CUDA.
///
/// # Shapes
///
/// - `coarse`: `[n, c, ceil(h / 2), ceil(w / 2)]`
/// - `skip`: `[n, d, h, w]`
/// - output: `[n, c + d, h, w]` for `size` `[h, w]`
pub fn upsample_and_join(
    coarse: Tensor<4>,
    skip: Option<Tensor<4>>,
    size: [usize; 2],
) -> Tensor<4> {
    let [batch, channels, height, width] = coarse.dims();
    if on_cpu(&coarse) && [height, width] == size.map(|size| size.div_ceil(2)) {
        let skip =
            skip.unwrap_or_else(|| Tensor::empty([batch, 0, size[0], size[1]], &coarse.device()));
        let [_, skips, _, _] = skip.dims();
        let shape = Join {
            batch,
            coarse: channels,
            skip: skips,
            size,
        };
        return Tensor::from_dispatch(Dispatch::swath_join(
            coarse.into_dispatch(),
            skip.into_dispatch(),
            shape,
        ));
    }
    let doubled = [2 * height, 2 * width];
    let nearest = InterpolateOptions::new(InterpolateMode::Nearest);
    let x = module::interpolate(coarse, nearest.with_output_size(doubled));
    let x = x.slice([
        0..batch,
        0..channels,
        0..size[0].min(doubled[0]),
        0..size[1].min(doubled[1]),
    ]);
    match skip {
        Some(skip) => Tensor::cat(vec![x, skip], 1),
        None => x,
    }
}

/// `x` enlarged to `size` by repeating pixels, as PyTorch's `interpolate(mode="nearest")`.
///
/// # Shapes
///
/// `[n, c, h, w]` to `[n, c, size[0], size[1]]`
pub fn enlarge_nearest(x: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    if [height, width] == size {
        return x;
    }
    if [height, width] == size.map(|size| size.div_ceil(2)) {
        return upsample_and_join(x, None, size);
    }
    let nearest = InterpolateOptions::new(InterpolateMode::Nearest);
    module::interpolate(x, nearest.with_output_size(size))
}

/// `x` resampled to `size` bilinearly, as PyTorch's `interpolate(mode="bilinear", align_corners=False)`.
///
/// On the CPU this is Burn's own operation; elsewhere two products with constant matrices, because Burn 0.22's bilinear
/// interpolation has no gradient on CUDA.
///
/// # Shapes
///
/// `[n, c, h, w]` to `[n, c, size[0], size[1]]`
pub fn resize_bilinear(x: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    if [height, width] == size {
        return x;
    }
    if [height, width] == [1, 1] {
        let [batch, channels, _, _] = x.dims();
        return x.expand([batch, channels, size[0], size[1]]);
    }
    if on_cpu(&x) {
        let bilinear = InterpolateOptions::new(InterpolateMode::Bilinear);
        return module::interpolate(x, bilinear.with_align_corners(false).with_output_size(size));
    }
    bilinear_products(x, size)
}

pub(super) fn bilinear_products(x: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let device = x.device();
    let matrix = |from: usize, to: usize| {
        Tensor::<2>::from_data(
            TensorData::new(bilinear_matrix(from, to), [from, to]),
            &device,
        )
    };
    // Columns, then rows, each as one large product.
    let x = x
        .reshape([batch * channels * height, width])
        .matmul(matrix(width, size[1]))
        .reshape([batch * channels, height, size[1]])
        .swap_dims(1, 2)
        .reshape([batch * channels * size[1], height])
        .matmul(matrix(height, size[0]))
        .reshape([batch * channels, size[1], size[0]])
        .swap_dims(1, 2);
    x.reshape([batch, channels, size[0], size[1]])
}

/// The weight of each of `from` pixels (rows) in each of `to` resampled ones (columns).
fn bilinear_matrix(from: usize, to: usize) -> Vec<f32> {
    let mut weights = vec![0.0; from * to];
    for target in 0..to {
        let place = ((target as f64 + 0.5) * from as f64 / to as f64 - 0.5).max(0.0);
        let first = (place as usize).min(from - 1);
        let second = (first + 1).min(from - 1);
        let share = (place - first as f64) as f32;
        weights[first * to + target] += 1.0 - share;
        weights[second * to + target] += share;
    }
    weights
}
