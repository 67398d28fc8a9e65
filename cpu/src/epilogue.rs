//! What follows the products of a convolution, while its output is still in the cache: a bias and limits.

use rayon::prelude::*;

use super::norm::{Clamp, Planes, gradient_sums, input_gradient};
use super::simd::{Lanes, WIDTH, dispatch, unwritten, written};

/// `limits(products + bias)`, with a bias a channel.
#[derive(Clone, Copy, Debug)]
pub struct Epilogue<'a> {
    /// One a channel.
    pub bias: &'a [f32],
    /// Of an activation; infinite without.
    pub limits: Clamp,
}

impl Epilogue<'_> {
    /// Finishes pixels of one channel, in place.
    pub(super) fn apply(&self, channel: usize, pixels: &mut [f32]) {
        // SAFETY: `pixels` is a slice.
        unsafe { add_and_limit(pixels, self.bias[channel], self.limits) };
    }
}

dispatch! {
    fn add_and_limit = add_and_limit_generic(pixels: &mut [f32], bias: f32, limits: Clamp)
}

#[inline(always)]
unsafe fn add_and_limit_generic<L: Lanes>(pixels: &mut [f32], bias: f32, limits: Clamp) {
    let (offset, low, high) = (L::splat(bias), L::splat(limits.0), L::splat(limits.1));
    let whole = pixels.len() / WIDTH * WIDTH;
    for index in (0..whole).step_by(WIDTH) {
        // SAFETY: whole vectors of a slice.
        unsafe {
            let place = pixels.as_mut_ptr().add(index);
            L::load(place).add(offset).max(low).min(high).store(place);
        }
    }
    for value in &mut pixels[whole..] {
        *value = (*value + bias).max(limits.0).min(limits.1);
    }
}

/// The gradient before the limits, and each channel's sum of it, which is the bias's gradient. `output` is what
/// [`Epilogue`] left: values at a limit pass no gradient.
pub fn gradients(
    shape: Planes,
    output: &[f32],
    gradient: &[f32],
    limits: Clamp,
) -> (Vec<f32>, Vec<f32>) {
    let mut passed = unwritten(shape.floats([output, gradient]));
    let sums: Vec<f64> = passed
        .par_chunks_exact_mut(shape.pixels)
        .enumerate()
        .map(|(index, passed)| {
            let plane = index * shape.pixels..(index + 1) * shape.pixels;
            let (output, gradient) = (&output[plane.clone()], &gradient[plane]);
            // SAFETY: all have the same length.
            unsafe {
                input_gradient(output, gradient, (0.0, 0.0), (1.0, 0.0), limits, passed);
            };
            bias_gradient(output, gradient, limits)
        })
        .collect();
    let mut of_channels = vec![0.0; shape.channels];
    for (index, sum) in sums.into_iter().enumerate() {
        of_channels[index % shape.channels] += sum;
    }
    // SAFETY: every plane is written.
    let passed = unsafe { written(passed) };
    (
        passed,
        of_channels.into_iter().map(|sum| sum as f32).collect(),
    )
}

/// A plane's part of the gradient of the bias.
fn bias_gradient(output: &[f32], gradient: &[f32], limits: Clamp) -> f64 {
    let blocks = output.chunks(super::norm::BLOCK);
    blocks
        .zip(gradient.chunks(super::norm::BLOCK))
        .map(|(output, gradient)| {
            // SAFETY: both have the same length.
            let (sum, _) = unsafe { gradient_sums(output, gradient, 0.0, (1.0, 0.0), limits) };
            f64::from(sum)
        })
        .sum()
}
