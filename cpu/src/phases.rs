//! The data gradient of a strided dense convolution, without multiplying by the zeros between its outputs.
//!
//! The input pixels of one phase (every `s`-th row and column) see only every `s`-th tap of the kernel. So the gradient is
//! `s * s` convolutions of the output's gradient, of stride 1, with the taps of one phase each; their results lie between
//! each other in the input. A 3 x 3 kernel of stride 2 becomes kernels of 2 x 2, 2 x 1, 1 x 2 and 1 x 1: as many products as
//! the forward pass, where a convolution over the gradient with zeros between its pixels needs four times as many.
//! (Depthwise convolutions spend their time on reading, not on products: for them this is slower.)

use rayon::prelude::*;

use super::dense;
use super::planes::ConvShape;
use super::simd::{unwritten, written};

/// What one phase of one direction (rows or columns) is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Phase {
    /// Its first kernel tap; the others follow in steps of the stride.
    tap: usize,
    /// Its taps; 0 when no output depends on its pixels.
    taps: usize,
    /// Its first input pixel; the others follow in steps of the stride.
    first: usize,
    /// Its input pixels.
    pixels: usize,
    /// Zeros before the gradient.
    padding: usize,
}

/// The phases of one direction; `None` where one of them would start behind the gradient's first pixel.
fn phases(kernel: usize, stride: usize, padding: usize, pixels: usize) -> Option<Vec<Phase>> {
    (0..stride)
        .map(|tap| {
            // The first pixel that this phase's taps reach, and the gradient's pixel at its first tap.
            let first = (tap + stride - padding % stride) % stride;
            let at = (first + padding) / stride;
            let taps = kernel.saturating_sub(tap).div_ceil(stride);
            Some(Phase {
                tap,
                taps,
                first,
                pixels: pixels.saturating_sub(first).div_ceil(stride),
                padding: if taps == 0 {
                    0
                } else {
                    (taps - 1).checked_sub(at)?
                },
            })
        })
        .collect()
}

/// The gradient of the input of a dense convolution, where the sizes allow it.
pub(super) fn input_gradient(
    sizes: &ConvShape,
    gradient: &[f32],
    weights: &[f32],
) -> Option<Vec<f32>> {
    let s = sizes.stride;
    if s == 1 || sizes.dilation > 1 || sizes.input_dilation > 1 || sizes.depthwise {
        return None;
    }
    let [channels, height, width] = sizes.input;
    let rows = phases(sizes.kernel[0], s, sizes.padding[0], height)?;
    let columns = phases(sizes.kernel[1], s, sizes.padding[1], width)?;
    let mut parts = Vec::with_capacity(s * s);
    for row in &rows {
        for column in &columns {
            let part = (row.taps * column.taps * row.pixels * column.pixels > 0).then(|| {
                let phase = ConvShape {
                    input: sizes.output,
                    output: [channels, row.pixels, column.pixels],
                    kernel: [row.taps, column.taps],
                    stride: 1,
                    padding: [row.padding, column.padding],
                    ..*sizes
                };
                dense::forward(
                    &phase,
                    gradient,
                    &taps_of(sizes, weights, row, column),
                    None,
                )
            });
            parts.push(part);
        }
    }
    let mut input = unwritten(sizes.batch * channels * height * width);
    input
        .par_chunks_exact_mut(height * width)
        .with_min_len(4)
        .enumerate()
        .for_each(|(plane, pixels)| {
            for (y, target) in pixels.chunks_exact_mut(width).enumerate() {
                let (a, row) = phase_of(&rows, y, s);
                let at = plane * row.pixels + (y - row.first) / s;
                let part = |b: usize| {
                    let pixels = columns[b].pixels;
                    parts[a * s + b]
                        .as_deref()
                        .map(|part| &part[at * pixels..][..pixels])
                };
                if s == 2
                    && let [Some(first), Some(second)] = [part(0), part(1)]
                {
                    let swap = columns[0].first == 1;
                    let [even, odd] = if swap {
                        [second, first]
                    } else {
                        [first, second]
                    };
                    let mut pairs = target.chunks_exact_mut(2);
                    for ((pair, &even), &odd) in pairs.by_ref().zip(even).zip(odd) {
                        pair[0].write(even);
                        pair[1].write(odd);
                    }
                    if let ([last], Some(&even)) = (pairs.into_remainder(), even.last()) {
                        last.write(even);
                    }
                    continue;
                }
                for (b, column) in columns.iter().enumerate() {
                    let targets = target.iter_mut().skip(column.first).step_by(s);
                    match part(b) {
                        Some(source) => {
                            for (target, &value) in targets.zip(source) {
                                target.write(value);
                            }
                        }
                        None => targets.for_each(|target| {
                            target.write(0.0);
                        }),
                    }
                }
            }
        });
    // SAFETY: the phases have every pixel of every row between them.
    Some(unsafe { written(input) })
}

/// The phase that a pixel belongs to, with its number.
fn phase_of(phases: &[Phase], pixel: usize, stride: usize) -> (usize, &Phase) {
    let index = phases
        .iter()
        .position(|phase| phase.first == pixel % stride)
        .unwrap_or(0);
    (index, &phases[index])
}

/// The kernel of one phase, flipped, with input and output channels exchanged.
fn taps_of(sizes: &ConvShape, weights: &[f32], row: &Phase, column: &Phase) -> Vec<f32> {
    let [kh, kw] = sizes.kernel;
    let s = sizes.stride;
    let taps: Vec<usize> = (row.tap..kh)
        .step_by(s)
        .rev()
        .flat_map(|y| (column.tap..kw).step_by(s).rev().map(move |x| y * kw + x))
        .collect();
    exchange(weights, [sizes.output[0], sizes.input[0]], kh * kw, &taps)
}

/// Weights `[o, c, area]` as `[c, o, taps]`, each kernel with the given taps of its own.
pub(super) fn exchange(
    weights: &[f32],
    [out, inputs]: [usize; 2],
    area: usize,
    taps: &[usize],
) -> Vec<f32> {
    /// Input channels taken together, so that reading and writing both stay within few cache lines.
    const TOGETHER: usize = 16;
    let mut exchanged = vec![0.0; out * inputs * taps.len()];
    if taps.is_empty() {
        return exchanged;
    }
    exchanged
        .par_chunks_mut(TOGETHER * out * taps.len())
        .enumerate()
        .for_each(|(block, exchanged)| {
            let first = block * TOGETHER;
            let count = TOGETHER.min(inputs - first);
            for o in 0..out {
                let kernels = &weights[(o * inputs + first) * area..][..count * area];
                for (c, kernel) in kernels.chunks_exact(area).enumerate() {
                    let target = &mut exchanged[(c * out + o) * taps.len()..][..taps.len()];
                    for (target, &tap) in target.iter_mut().zip(taps) {
                        *target = kernel[tap];
                    }
                }
            }
        });
    exchanged
}
