//! Batch normalization with the activation that follows it, forward and backward, channel by channel.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::simd::{Lanes, Shared, WIDTH, dispatch, unwritten, written};

/// Pixels summed in 32-bit floats before the sum goes into a 64-bit one.
pub(super) const BLOCK: usize = 2048;

/// The shape of what is normalized.
#[derive(Clone, Copy, Debug)]
pub struct Planes {
    /// Images.
    pub batch: usize,
    /// Channels of each image.
    pub channels: usize,
    /// Pixels of each channel.
    pub pixels: usize,
}

impl Planes {
    /// How many floats values of this shape are. Loops without checks of bounds follow, so those given are counted.
    pub(super) fn floats<const N: usize>(&self, values: [&[f32]; N]) -> usize {
        let floats = self.batch * self.channels * self.pixels;
        for values in values {
            assert_eq!(values.len(), floats, "floats of {self:?}");
        }
        floats
    }

    fn count(&self) -> f64 {
        (self.batch * self.pixels) as f64
    }

    fn channel<'a>(&self, values: &'a [f32], channel: usize) -> impl Iterator<Item = &'a [f32]> {
        let Self {
            batch,
            channels,
            pixels,
        } = *self;
        (0..batch).map(move |image| &values[(image * channels + channel) * pixels..][..pixels])
    }
}

/// What is cut off after normalizing: values outside `low..high`.
pub type Clamp = (f32, f32);

/// Each channel's mean and biased variance.
pub fn statistics(shape: Planes, input: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let found: Vec<(f64, f64)> = (0..shape.channels)
        .into_par_iter()
        .map(|channel| {
            // Sums of differences to one pixel keep their accuracy where the mean is large and the spread small.
            let shift = input[channel * shape.pixels];
            let (mut sum, mut squares) = (0.0, 0.0);
            for plane in shape.channel(input, channel) {
                for block in plane.chunks(BLOCK) {
                    // SAFETY: the block is a slice.
                    let (s, q) = unsafe { moments(block, shift) };
                    sum += f64::from(s);
                    squares += f64::from(q);
                }
            }
            let mean = sum / shape.count();
            (
                f64::from(shift) + mean,
                (squares / shape.count() - mean * mean).max(0.0),
            )
        })
        .collect();
    found
        .into_iter()
        .map(|(mean, variance)| (mean as f32, variance as f32))
        .unzip()
}

/// `limits(input * scale + offset)`, with a scale and an offset a channel.
pub fn apply(
    shape: Planes,
    input: &[f32],
    scale: &[f32],
    offset: &[f32],
    limits: Clamp,
) -> Vec<f32> {
    let mut output = unwritten(shape.floats([input]));
    output
        .par_chunks_exact_mut(shape.pixels)
        .zip(input.par_chunks_exact(shape.pixels))
        .enumerate()
        .for_each(|(index, (output, input))| {
            let channel = index % shape.channels;
            // SAFETY: both planes have the same length.
            unsafe { scale_and_limit(input, scale[channel], offset[channel], limits, output) };
        });
    // SAFETY: every plane is written.
    unsafe { written(output) }
}

/// The gradients of the input, of the weights and of the biases of a batch norm and its activation.
#[expect(
    clippy::too_many_arguments,
    reason = "everything the forward pass knew"
)]
pub fn backward(
    shape: Planes,
    input: &[f32],
    gradient: &[f32],
    weight: &[f32],
    bias: &[f32],
    mean: &[f32],
    deviation: &[f32],
    limits: Clamp,
) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let mut output = unwritten(shape.floats([input, gradient]));
    let target = Shared::of(&mut output);
    let sums: Vec<(f32, f32)> = (0..shape.channels)
        .into_par_iter()
        .map(|channel| {
            let inverse = 1.0 / deviation[channel];
            let scale = weight[channel] * inverse;
            let affine = (scale, bias[channel] - mean[channel] * scale);
            let (mut plain, mut product) = (0.0, 0.0);
            for (x, g) in shape
                .channel(input, channel)
                .zip(shape.channel(gradient, channel))
            {
                for (x, g) in x.chunks(BLOCK).zip(g.chunks(BLOCK)) {
                    // SAFETY: both blocks have the same length.
                    let (s, p) = unsafe { gradient_sums(x, g, mean[channel], affine, limits) };
                    plain += f64::from(s);
                    product += f64::from(p);
                }
            }
            let product = product * f64::from(inverse);
            // dx = scale * (g - mean(g) - normalized * mean(g * normalized)), as factor * x + constant + scale * g.
            let factor = -f64::from(scale) * f64::from(inverse) * product / shape.count();
            let constant =
                -f64::from(scale) * plain / shape.count() - factor * f64::from(mean[channel]);
            let parts = shape
                .channel(input, channel)
                .zip(shape.channel(gradient, channel));
            for (image, (x, g)) in parts.enumerate() {
                let start = (image * shape.channels + channel) * shape.pixels;
                // SAFETY: each channel of each image is a part of the output that no other task writes.
                unsafe {
                    let output = target.at(start).cast::<MaybeUninit<f32>>();
                    let output = std::slice::from_raw_parts_mut(output, shape.pixels);
                    input_gradient(
                        x,
                        g,
                        (factor as f32, constant as f32),
                        affine,
                        limits,
                        output,
                    );
                }
            }
            (product as f32, plain as f32)
        })
        .collect();
    let (weights, biases) = sums.into_iter().unzip();
    // SAFETY: each channel of each image was written.
    (unsafe { written(output) }, weights, biases)
}

dispatch! {
    fn moments = moments_generic(values: &[f32], shift: f32) -> (f32, f32)
}

#[inline(always)]
unsafe fn moments_generic<L: Lanes>(values: &[f32], shift: f32) -> (f32, f32) {
    let center = L::splat(shift);
    let mut sums = [L::splat(0.0); 2];
    let mut squares = [L::splat(0.0); 2];
    let blocks = values.chunks_exact(2 * WIDTH);
    let rest = blocks.remainder();
    for block in blocks {
        for half in 0..2 {
            // SAFETY: the block has two vectors.
            let difference = unsafe { L::load(block.as_ptr().add(half * WIDTH)) }.sub(center);
            sums[half] = sums[half].add(difference);
            squares[half] = squares[half].fma(difference, difference);
        }
    }
    let (mut sum, mut square) = (sums[0].add(sums[1]).sum(), squares[0].add(squares[1]).sum());
    for value in rest {
        sum += value - shift;
        square += (value - shift) * (value - shift);
    }
    (sum, square)
}

dispatch! {
    /// Writes all of `output`.
    fn scale_and_limit = scale_and_limit_generic(
        input: &[f32],
        scale: f32,
        offset: f32,
        limits: Clamp,
        output: &mut [MaybeUninit<f32>],
    )
}

#[inline(always)]
unsafe fn scale_and_limit_generic<L: Lanes>(
    input: &[f32],
    scale: f32,
    offset: f32,
    limits: Clamp,
    output: &mut [MaybeUninit<f32>],
) {
    let (low, high) = (L::splat(limits.0), L::splat(limits.1));
    let whole = input.len() / WIDTH * WIDTH;
    for x in (0..whole).step_by(WIDTH) {
        // SAFETY: whole vectors of slices of the same length.
        unsafe {
            let value = L::splat(offset).fma(L::splat(scale), L::load(input.as_ptr().add(x)));
            value
                .max(low)
                .min(high)
                .store(output.as_mut_ptr().add(x).cast());
        }
    }
    for (output, input) in output[whole..].iter_mut().zip(&input[whole..]) {
        output.write((input * scale + offset).max(limits.0).min(limits.1));
    }
}

dispatch! {
    /// Sums of the gradient that passes the limits, and of it times `x - mean`.
    pub(super) fn gradient_sums = gradient_sums_generic(
        input: &[f32],
        gradient: &[f32],
        mean: f32,
        affine: (f32, f32),
        limits: Clamp,
    ) -> (f32, f32)
}

#[inline(always)]
unsafe fn gradient_sums_generic<L: Lanes>(
    input: &[f32],
    gradient: &[f32],
    mean: f32,
    affine: (f32, f32),
    limits: Clamp,
) -> (f32, f32) {
    let (low, high) = (L::splat(limits.0), L::splat(limits.1));
    let mut plain = L::splat(0.0);
    let mut product = L::splat(0.0);
    let whole = input.len() / WIDTH * WIDTH;
    for index in (0..whole).step_by(WIDTH) {
        // SAFETY: whole vectors of slices of the same length.
        let (x, g) = unsafe {
            (
                L::load(input.as_ptr().add(index)),
                L::load(gradient.as_ptr().add(index)),
            )
        };
        let before = L::splat(affine.1).fma(L::splat(affine.0), x);
        let g = g.where_between(before, low, high);
        plain = plain.add(g);
        product = product.fma(g, x.sub(L::splat(mean)));
    }
    let (mut plain, mut product) = (plain.sum(), product.sum());
    for (x, g) in input[whole..].iter().zip(&gradient[whole..]) {
        let before = x * affine.0 + affine.1;
        if limits.0 < before && before < limits.1 {
            plain += g;
            product += g * (x - mean);
        }
    }
    (plain, product)
}

dispatch! {
    /// `line.0 * x + line.1 + affine.0 * (the gradient that passes the limits)`, for all of `output`.
    pub(super) fn input_gradient = input_gradient_generic(
        input: &[f32],
        gradient: &[f32],
        line: (f32, f32),
        affine: (f32, f32),
        limits: Clamp,
        output: &mut [MaybeUninit<f32>],
    )
}

#[inline(always)]
unsafe fn input_gradient_generic<L: Lanes>(
    input: &[f32],
    gradient: &[f32],
    line: (f32, f32),
    affine: (f32, f32),
    limits: Clamp,
    output: &mut [MaybeUninit<f32>],
) {
    let (low, high) = (L::splat(limits.0), L::splat(limits.1));
    let whole = input.len() / WIDTH * WIDTH;
    for index in (0..whole).step_by(WIDTH) {
        // SAFETY: whole vectors of slices of the same length.
        unsafe {
            let x = L::load(input.as_ptr().add(index));
            let before = L::splat(affine.1).fma(L::splat(affine.0), x);
            let g = L::load(gradient.as_ptr().add(index)).where_between(before, low, high);
            let value = L::splat(line.1)
                .fma(L::splat(line.0), x)
                .fma(L::splat(affine.0), g);
            value.store(output.as_mut_ptr().add(index).cast());
        }
    }
    for (output, (x, g)) in output[whole..]
        .iter_mut()
        .zip(input[whole..].iter().zip(&gradient[whole..]))
    {
        let before = x * affine.0 + affine.1;
        let g = if limits.0 < before && before < limits.1 {
            *g
        } else {
            0.0
        };
        output.write(line.0 * x + line.1 + affine.0 * g);
    }
}

/// The gradient of [`apply`]'s input.
pub fn affine_gradient(
    shape: Planes,
    input: &[f32],
    gradient: &[f32],
    scale: &[f32],
    offset: &[f32],
    limits: Clamp,
) -> Vec<f32> {
    let mut output = unwritten(shape.floats([input, gradient]));
    output
        .par_chunks_exact_mut(shape.pixels)
        .enumerate()
        .for_each(|(index, output)| {
            let channel = index % shape.channels;
            let plane = index * shape.pixels..(index + 1) * shape.pixels;
            let affine = (scale[channel], offset[channel]);
            // SAFETY: the three planes have the same length.
            unsafe {
                input_gradient(
                    &input[plane.clone()],
                    &gradient[plane],
                    (0.0, 0.0),
                    affine,
                    limits,
                    output,
                );
            };
        });
    // SAFETY: every plane is written.
    unsafe { written(output) }
}
