//! Depthwise convolutions: one kernel a channel, image by image and channel by channel, straight from planes.

use std::cell::RefCell;

use rayon::prelude::*;

use super::epilogue::Epilogue;
use super::planes::{ConvShape, Layout};
use super::simd::{Lanes, WIDTH, dispatch, unwritten, written};

/// Vectors of pixels computed together, to hide the latency of their sums.
const TOGETHER: usize = 4;
/// Taps summed together in the weight gradient.
const TAPS: usize = 6;

thread_local! {
    static SCRATCH: RefCell<[Vec<f32>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
}

/// `output[n, c, y, x]`; `weights` is `[c, 1, kh, kw]`.
pub(super) fn forward(
    sizes: &ConvShape,
    input: &[f32],
    weights: &[f32],
    epilogue: Option<Epilogue<'_>>,
) -> Vec<f32> {
    let [channels, height, width] = sizes.output;
    let pixels = height * width;
    let area = sizes.taps();
    let source = sizes.input[1] * sizes.input[2];
    let layout = Layout::new(sizes, height);
    let taps = layout.taps(sizes);
    let mut output = unwritten(sizes.batch * channels * pixels);
    output
        .par_chunks_exact_mut(pixels)
        .with_min_len(4)
        .enumerate()
        .for_each(|(index, output)| {
            SCRATCH.with_borrow_mut(|[planes, row]| {
                planes.resize(layout.channel() + TOGETHER * WIDTH, 0.0);
                row.resize(width.next_multiple_of(TOGETHER * WIDTH), 0.0);
                layout.fill(sizes, &input[index * source..][..source], 0, planes);
                let weights = &weights[index % channels * area..][..area];
                for (y, output) in output.chunks_exact_mut(width).enumerate() {
                    let direct = width.is_multiple_of(TOGETHER * WIDTH);
                    let (target, length) = match direct {
                        true => (output.as_mut_ptr().cast(), width),
                        false => (row.as_mut_ptr(), row.len()),
                    };
                    // SAFETY: the planes have the vectors of a row to spare, and the target is a multiple of them long.
                    unsafe {
                        weigh(
                            planes.as_ptr().add(y * layout.pitch),
                            &taps,
                            weights,
                            target,
                            length,
                        );
                    };
                    if !direct {
                        output.write_copy_of_slice(&row[..width]);
                    }
                }
                if let Some(epilogue) = epilogue {
                    // SAFETY: every row of the plane was written.
                    epilogue.apply(index % channels, unsafe { output.assume_init_mut() });
                }
            });
        });
    // SAFETY: every row of every plane was written.
    unsafe { written(output) }
}

/// The gradient of the input from that of the output.
pub(super) fn input_gradient(sizes: &ConvShape, gradient: &[f32], weights: &[f32]) -> Vec<f32> {
    let mut flipped = weights.to_vec();
    for kernel in flipped.chunks_exact_mut(sizes.taps()) {
        kernel.reverse();
    }
    forward(&sizes.transposed(), gradient, &flipped, None)
}

/// The gradient of the weights, `[c, 1, kh, kw]`.
pub(super) fn weight_gradient(sizes: &ConvShape, input: &[f32], gradient: &[f32]) -> Vec<f32> {
    let [channels, height, width] = sizes.output;
    let pixels = height * width;
    let source = sizes.input[1] * sizes.input[2];
    let layout = Layout::new(sizes, height);
    let taps = layout.taps(sizes);
    let padded = width.next_multiple_of(WIDTH);
    let mut sums = vec![0.0; channels * sizes.taps()];
    sums.par_chunks_exact_mut(taps.len())
        .enumerate()
        .for_each(|(channel, sums)| {
            SCRATCH.with_borrow_mut(|[planes, rows]| {
                planes.resize(layout.channel() + WIDTH, 0.0);
                for image in 0..sizes.batch {
                    let index = image * channels + channel;
                    layout.fill(sizes, &input[index * source..][..source], 0, planes);
                    let mut gradient = &gradient[index * pixels..][..pixels];
                    if padded != width {
                        rows.clear();
                        for row in gradient.chunks_exact(width) {
                            rows.extend_from_slice(row);
                            rows.resize(rows.len() + padded - width, 0.0);
                        }
                        gradient = &rows[..];
                    }
                    for (taps, sums) in taps.chunks(TAPS).zip(sums.chunks_mut(TAPS)) {
                        let offsets: [usize; TAPS] =
                            std::array::from_fn(|tap| taps[tap.min(taps.len() - 1)]);
                        // SAFETY: every tap of every vector lies in the planes.
                        let found = unsafe {
                            products(planes.as_ptr(), layout.pitch, &offsets, gradient, padded)
                        };
                        for (sum, found) in sums.iter_mut().zip(found) {
                            *sum += found;
                        }
                    }
                }
            });
        });
    sums
}

dispatch! {
    /// One output row: `target[x] = sum over taps of weight * plane[x + tap]`, for each `x` below `length`.
    fn weigh = weigh_generic(
        planes: *const f32,
        taps: &[usize],
        weights: &[f32],
        target: *mut f32,
        length: usize,
    )
}

#[inline(always)]
unsafe fn weigh_generic<L: Lanes>(
    planes: *const f32,
    taps: &[usize],
    weights: &[f32],
    target: *mut f32,
    length: usize,
) {
    // SAFETY: the caller's promise about all the addresses.
    unsafe {
        for x in (0..length).step_by(TOGETHER * WIDTH) {
            let mut sums = [L::splat(0.0); TOGETHER];
            for (&tap, &weight) in taps.iter().zip(weights) {
                let pixels = planes.add(tap + x);
                let weight = L::splat(weight);
                for (index, sum) in sums.iter_mut().enumerate() {
                    *sum = sum.fma(weight, L::load(pixels.add(index * WIDTH)));
                }
            }
            for (index, sum) in sums.into_iter().enumerate() {
                sum.store(target.add(x + index * WIDTH));
            }
        }
    }
}

dispatch! {
    /// Sums over an image of the gradient times each of some taps.
    fn products = products_generic(
        planes: *const f32,
        pitch: usize,
        taps: &[usize; TAPS],
        gradient: &[f32],
        width: usize,
    ) -> [f32; TAPS]
}

#[inline(always)]
unsafe fn products_generic<L: Lanes>(
    planes: *const f32,
    pitch: usize,
    taps: &[usize; TAPS],
    gradient: &[f32],
    width: usize,
) -> [f32; TAPS] {
    // SAFETY: the caller's promise about all the addresses.
    unsafe {
        let mut sums = [L::splat(0.0); TAPS];
        for (y, row) in gradient.chunks_exact(width).enumerate() {
            for x in (0..width).step_by(WIDTH) {
                let gradient = L::load(row.as_ptr().add(x));
                let pixels = planes.add(y * pitch + x);
                for (sum, &tap) in sums.iter_mut().zip(taps) {
                    *sum = sum.fma(gradient, L::load(pixels.add(tap)));
                }
            }
        }
        let mut totals = [0.0; TAPS];
        for (total, sum) in totals.iter_mut().zip(&sums) {
            *total = sum.sum();
        }
        totals
    }
}
