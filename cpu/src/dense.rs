//! Dense convolutions as matrix products whose one side is read in place from planes: `output = weights x taps`, the
//! weight gradient as `gradient x taps`, and the data gradient as a convolution with the flipped kernel.
//!
//! Both products keep 12 vectors of sums in the 16 registers: 6 output channels by 2 vectors of pixels, or 4 output
//! channels by 3 taps. (4 by 3 in the first would need a 17th register: the compiler spills a sum, at half the speed.)

use std::cell::RefCell;

use rayon::prelude::*;

use super::epilogue::Epilogue;
use super::phases;
use super::planes::{ConvShape, Layout, WorkBlock, work_blocks};
use super::simd::{Lanes, Shared, WIDTH, dispatch, unwritten, written};
use super::taps;

/// Vectors of pixels of one tile of the output.
pub(super) const PIXEL_VECTORS: usize = 2;
/// Output channels of one tile of the weight gradient.
const ROWS: usize = 4;
/// Taps of one tile of the weight gradient.
const COLUMNS: usize = 3;
/// Taps taken at a time, so that their pixels stay in the first-level cache.
const DEPTH: usize = 256;

/// Floats of a block's planes, to fit the second-level cache.
const PLANES: usize = 80 << 10;
/// Pixels of a block, at least: small images are taken together.
const PIXELS: usize = 512;
/// The same for the weight gradient, whose sums over pixels should be long, and which reads each row from the cache less
/// often.
const LONG_PLANES: usize = 512 << 10;
const LONG_PIXELS: usize = 1024;

thread_local! {
    static SCRATCH: RefCell<[Vec<f32>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
}

/// Eight pixels of an output row.
#[derive(Clone, Copy)]
pub(super) struct Vector {
    /// Offset in the planes, before a tap's own.
    pub(super) planes: usize,
    /// Offset in the output (or in the packed gradient), before a channel's own.
    pub(super) output: usize,
    /// Pixels that exist.
    pub(super) valid: usize,
}

/// `output[n, o, y, x]` of a convolution; `weights` is `[o, c, kh, kw]`.
pub(super) fn forward(
    sizes: &ConvShape,
    input: &[f32],
    weights: &[f32],
    epilogue: Option<Epilogue<'_>>,
) -> Vec<f32> {
    let sizes = sizes.reshaped();
    let taps = sizes.taps();
    let packed = pack(weights, sizes.output[0], taps);
    let mut output = unwritten(sizes.batch * sizes.output_image());
    let target = Shared::of(&mut output);
    work_blocks(&sizes, sizes.input[0], PLANES, PIXELS)
        .into_par_iter()
        .for_each(|block| {
            SCRATCH.with_borrow_mut(|[planes, _]| {
                let layout = Layout::new(&sizes, block.rows.len());
                fill(&sizes, &layout, &block, input, planes);
                let offsets = offsets(&sizes, &layout);
                let vectors = output_vectors(&sizes, &layout, &block);
                multiply(&sizes, planes, &offsets, &packed, &vectors, target);
            });
            if let Some(epilogue) = epilogue {
                let [out, height, width] = sizes.output;
                for plane in block.images.start * out..block.images.end * out {
                    let start = (plane * height + block.rows.start) * width;
                    // SAFETY: these are rows of this block, written above, which no other task writes.
                    let pixels = unsafe {
                        std::slice::from_raw_parts_mut(target.at(start), block.rows.len() * width)
                    };
                    epilogue.apply(plane % out, pixels);
                }
            }
        });
    // SAFETY: the blocks cover every output row of every image, and each writes all channels of its rows.
    unsafe { written(output) }
}

/// The gradient of the input from that of the output.
pub(super) fn input_gradient(sizes: &ConvShape, gradient: &[f32], weights: &[f32]) -> Vec<f32> {
    let channels = [sizes.output[0], sizes.input[0]];
    let area = sizes.kernel[0] * sizes.kernel[1];
    let taps: Vec<usize> = (0..area).rev().collect();
    let flipped = phases::exchange(weights, channels, area, &taps);
    forward(&sizes.transposed(), gradient, &flipped, None)
}

/// The gradient of the weights, `[o, c, kh, kw]`.
pub(super) fn weight_gradient(sizes: &ConvShape, input: &[f32], gradient: &[f32]) -> Vec<f32> {
    let sizes = sizes.reshaped();
    if taps::fits(&sizes) {
        return taps::weight_gradient(&sizes, input, gradient);
    }
    let (out, taps) = (sizes.output[0], sizes.taps());
    let [_, height, width] = sizes.output;
    if sizes.batch * height * width <= 2 * LONG_PIXELS {
        // So few pixels that every thread takes all of them, for some of the output channels.
        let block = WorkBlock {
            images: 0..sizes.batch,
            rows: 0..height,
        };
        let layout = Layout::new(&sizes, height);
        let (mut planes, mut gradients) = (Vec::new(), Vec::new());
        fill(&sizes, &layout, &block, input, &mut planes);
        let (vectors, channel) = pack_gradient(&sizes, &layout, &block, gradient, &mut gradients);
        let offsets = offsets(&sizes, &layout);
        let mut sums = vec![0.0; out * taps];
        let share = out
            .div_ceil(4 * rayon::current_num_threads())
            .next_multiple_of(ROWS);
        sums.par_chunks_mut(share * taps)
            .enumerate()
            .for_each(|(index, sums)| {
                let first = index * share;
                correlate(
                    first..(first + share).min(out),
                    &planes,
                    &offsets,
                    &gradients,
                    channel,
                    &vectors,
                    sums,
                );
            });
        return sums;
    }
    let work = work_blocks(
        &sizes,
        sizes.input[0] + sizes.output[0],
        LONG_PLANES,
        LONG_PIXELS,
    );
    let share = work
        .len()
        .div_ceil(rayon::current_num_threads().max(1))
        .max(1);
    work.par_chunks(share)
        .map(|blocks| {
            let mut sums = vec![0.0; out * taps];
            SCRATCH.with_borrow_mut(|[planes, gradients]| {
                for block in blocks {
                    let layout = Layout::new(&sizes, block.rows.len());
                    fill(&sizes, &layout, block, input, planes);
                    let (vectors, channel) =
                        pack_gradient(&sizes, &layout, block, gradient, gradients);
                    let offsets = offsets(&sizes, &layout);
                    correlate(
                        0..out,
                        planes,
                        &offsets,
                        gradients,
                        channel,
                        &vectors,
                        &mut sums,
                    );
                }
            });
            sums
        })
        .reduce_with(|mut total, part| {
            for (sum, value) in total.iter_mut().zip(part) {
                *sum += value;
            }
            total
        })
        .unwrap_or_else(|| vec![0.0; out * taps])
}

/// Output channels of the next tile when so many are left; odd numbers are padded.
#[inline(always)]
pub(super) fn tile_rows(left: usize) -> usize {
    match left {
        0..=2 => 2,
        3..=4 => 4,
        _ => 6,
    }
}

/// Weights in tiles of [`tile_rows`] output channels, tap by tap; missing channels are 0.
fn pack(weights: &[f32], out: usize, taps: usize) -> Vec<f32> {
    let mut packed = vec![0.0; out.next_multiple_of(2) * taps];
    let mut first = 0;
    while first < out {
        let rows = tile_rows(out - first);
        let tile = &mut packed[first * taps..][..rows * taps];
        for (row, weights) in weights
            .chunks_exact(taps)
            .skip(first)
            .take(rows)
            .enumerate()
        {
            for (tap, &weight) in weights.iter().enumerate() {
                tile[tap * rows + row] = weight;
            }
        }
        first += rows;
    }
    packed
}

/// The planes of a block: image by image, channel by channel.
fn fill(
    sizes: &ConvShape,
    layout: &Layout,
    block: &WorkBlock,
    input: &[f32],
    planes: &mut Vec<f32>,
) {
    let [channels, height, width] = sizes.input;
    let channel = layout.channel();
    // A vector of pixels may reach past the last row.
    planes.resize(block.images.len() * channels * channel + WIDTH, 0.0);
    for (index, image) in block.images.clone().enumerate() {
        for c in 0..channels {
            let source = &input[(image * channels + c) * height * width..][..height * width];
            let target = &mut planes[(index * channels + c) * channel..][..channel];
            layout.fill(sizes, source, block.rows.start, target);
        }
    }
}

/// Every tap's offset in the planes of an image, in the order of the weights.
fn offsets(sizes: &ConvShape, layout: &Layout) -> Vec<usize> {
    let taps = layout.taps(sizes);
    (0..sizes.input[0])
        .flat_map(|c| taps.iter().map(move |tap| c * layout.channel() + tap))
        .collect()
}

fn output_vectors(sizes: &ConvShape, layout: &Layout, block: &WorkBlock) -> Vec<Vector> {
    let [_, _, width] = sizes.output;
    let image = sizes.input[0] * layout.channel();
    let mut vectors = Vec::new();
    for (index, n) in block.images.clone().enumerate() {
        for (row, y) in block.rows.clone().enumerate() {
            for x in (0..width).step_by(WIDTH) {
                vectors.push(Vector {
                    planes: index * image + row * layout.pitch + x,
                    output: n * sizes.output_image() + y * width + x,
                    valid: (width - x).min(WIDTH),
                });
            }
        }
    }
    while !vectors.len().is_multiple_of(PIXEL_VECTORS) {
        let last = vectors[vectors.len() - 1];
        vectors.push(Vector { valid: 0, ..last });
    }
    vectors
}

/// The output gradient of a block, channel by channel with rows padded to whole vectors by zeros; returns the vectors and
/// the floats from one channel to the next.
fn pack_gradient(
    sizes: &ConvShape,
    layout: &Layout,
    block: &WorkBlock,
    gradient: &[f32],
    packed: &mut Vec<f32>,
) -> (Vec<Vector>, usize) {
    let [out, height, width] = sizes.output;
    let padded = width.next_multiple_of(WIDTH);
    let pixels = block.images.len() * block.rows.len() * padded;
    let channel = (pixels.div_ceil(16) | 1) * 16;
    packed.resize(out * channel, 0.0);
    let image = sizes.input[0] * layout.channel();
    let mut vectors = Vec::with_capacity(pixels / WIDTH);
    for (index, n) in block.images.clone().enumerate() {
        for o in 0..out {
            let source = &gradient[((n * out + o) * height + block.rows.start) * width..]
                [..block.rows.len() * width];
            let target = &mut packed[o * channel + index * block.rows.len() * padded..]
                [..block.rows.len() * padded];
            for (target, source) in target
                .chunks_exact_mut(padded)
                .zip(source.chunks_exact(width))
            {
                target[..width].copy_from_slice(source);
                target[width..].fill(0.0);
            }
        }
        for row in 0..block.rows.len() {
            for x in (0..width).step_by(WIDTH) {
                vectors.push(Vector {
                    planes: index * image + row * layout.pitch + x,
                    output: (index * block.rows.len() + row) * padded + x,
                    valid: WIDTH,
                });
            }
        }
    }
    (vectors, channel)
}

fn multiply(
    sizes: &ConvShape,
    planes: &[f32],
    offsets: &[usize],
    packed: &[f32],
    vectors: &[Vector],
    target: Shared,
) {
    let [out, height, width] = sizes.output;
    let taps = offsets.len();
    for start in (0..taps).step_by(DEPTH) {
        let part = start..(start + DEPTH).min(taps);
        for pair in vectors.chunks_exact(PIXEL_VECTORS) {
            // SAFETY: offsets and vectors stay within the planes (which have a vector to spare) and the output; other
            // blocks write other rows.
            unsafe {
                pixels(
                    planes.as_ptr(),
                    offsets,
                    part.clone(),
                    packed,
                    pair,
                    target,
                    height * width,
                    out,
                    start > 0,
                );
            };
        }
    }
}

dispatch! {
    /// Every output channel of two vectors of pixels, from some of the taps.
    pub(super) fn pixels = pixels_generic(
        planes: *const f32,
        offsets: &[usize],
        part: std::ops::Range<usize>,
        weights: &[f32],
        vectors: &[Vector],
        target: Shared,
        channel: usize,
        channels: usize,
        accumulate: bool,
    )
}

#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "a kernel's addresses")]
unsafe fn pixels_generic<L: Lanes>(
    planes: *const f32,
    offsets: &[usize],
    part: std::ops::Range<usize>,
    weights: &[f32],
    vectors: &[Vector],
    target: Shared,
    channel: usize,
    channels: usize,
    accumulate: bool,
) {
    let taps = offsets.len();
    let offsets = &offsets[part.clone()];
    let mut first = 0;
    while first < channels {
        let rows = tile_rows(channels - first);
        // SAFETY: the caller's promise about all the addresses.
        unsafe {
            let weights = weights.as_ptr().add(first * taps + part.start * rows);
            let outputs = [
                target.at(first * channel + vectors[0].output),
                target.at(first * channel + vectors[1].output),
            ];
            let inputs = [planes.add(vectors[0].planes), planes.add(vectors[1].planes)];
            let valid = [vectors[0].valid, vectors[1].valid];
            let left = channels - first;
            match rows {
                2 => tile::<L, 2>(
                    inputs, offsets, weights, outputs, valid, channel, left, accumulate,
                ),
                4 => tile::<L, 4>(
                    inputs, offsets, weights, outputs, valid, channel, left, accumulate,
                ),
                _ => tile::<L, 6>(
                    inputs, offsets, weights, outputs, valid, channel, left, accumulate,
                ),
            }
        }
        first += rows;
    }
}

#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "a kernel's addresses")]
unsafe fn tile<L: Lanes, const R: usize>(
    inputs: [*const f32; PIXEL_VECTORS],
    offsets: &[usize],
    mut weight: *const f32,
    outputs: [*mut f32; PIXEL_VECTORS],
    valid: [usize; PIXEL_VECTORS],
    channel: usize,
    left: usize,
    accumulate: bool,
) {
    // SAFETY: the caller's promise about all the addresses.
    unsafe {
        let mut sums = [[L::splat(0.0); PIXEL_VECTORS]; R];
        for &offset in offsets {
            let x = [
                L::load(inputs[0].add(offset)),
                L::load(inputs[1].add(offset)),
            ];
            for (row, sums) in sums.iter_mut().enumerate() {
                let factor = L::splat(*weight.add(row));
                sums[0] = sums[0].fma(factor, x[0]);
                sums[1] = sums[1].fma(factor, x[1]);
            }
            weight = weight.add(R);
        }
        if left >= R && valid == [WIDTH; PIXEL_VECTORS] {
            for (row, sums) in sums.iter().enumerate() {
                for (&sum, output) in sums.iter().zip(outputs) {
                    let output = output.add(row * channel);
                    let sum = if accumulate {
                        sum.add(L::load(output))
                    } else {
                        sum
                    };
                    sum.store(output);
                }
            }
            return;
        }
        for (row, sums) in sums.iter().enumerate().take(left) {
            for ((&sum, output), valid) in sums.iter().zip(outputs).zip(valid) {
                let mut values = [0.0f32; WIDTH];
                sum.store(values.as_mut_ptr());
                for (lane, value) in values.iter().enumerate().take(valid) {
                    let output = output.add(row * channel + lane);
                    *output = if accumulate { *output + value } else { *value };
                }
            }
        }
    }
}

/// Adds the products of some output channels' gradients with every tap to `sums`, a row of taps a channel.
fn correlate(
    channels: std::ops::Range<usize>,
    planes: &[f32],
    offsets: &[usize],
    gradients: &[f32],
    channel: usize,
    vectors: &[Vector],
    sums: &mut [f32],
) {
    let taps = offsets.len();
    for (tile, sums) in sums.chunks_mut(ROWS * taps).enumerate() {
        let first = channels.start + tile * ROWS;
        // Missing channels and taps repeat the last one; their sums are dropped.
        let rows: [usize; ROWS] =
            std::array::from_fn(|row| (first + row).min(channels.end - 1) * channel);
        for start in (0..taps).step_by(COLUMNS) {
            let columns: [usize; COLUMNS] =
                std::array::from_fn(|column| offsets[(start + column).min(taps - 1)]);
            // SAFETY: offsets and vectors stay within the planes and the packed gradient.
            let found = unsafe {
                products(
                    planes.as_ptr(),
                    &columns,
                    gradients.as_ptr(),
                    &rows,
                    vectors,
                )
            };
            for (sums, found) in sums.chunks_exact_mut(taps).zip(&found) {
                for (sum, found) in sums[start..].iter_mut().zip(found) {
                    *sum += found;
                }
            }
        }
    }
}

dispatch! {
    /// Sums over all vectors of pixels of four gradients times three taps.
    fn products = products_generic(
        planes: *const f32,
        columns: &[usize; COLUMNS],
        gradients: *const f32,
        rows: &[usize; ROWS],
        vectors: &[Vector],
    ) -> [[f32; COLUMNS]; ROWS]
}

#[inline(always)]
unsafe fn products_generic<L: Lanes>(
    planes: *const f32,
    columns: &[usize; COLUMNS],
    gradients: *const f32,
    rows: &[usize; ROWS],
    vectors: &[Vector],
) -> [[f32; COLUMNS]; ROWS] {
    // SAFETY: the caller's promise about all the addresses.
    unsafe {
        let columns = [
            planes.add(columns[0]),
            planes.add(columns[1]),
            planes.add(columns[2]),
        ];
        let rows = [
            gradients.add(rows[0]),
            gradients.add(rows[1]),
            gradients.add(rows[2]),
            gradients.add(rows[3]),
        ];
        let mut sums = [[L::splat(0.0); COLUMNS]; ROWS];
        for vector in vectors {
            let x = [
                L::load(columns[0].add(vector.planes)),
                L::load(columns[1].add(vector.planes)),
                L::load(columns[2].add(vector.planes)),
            ];
            for (sums, row) in sums.iter_mut().zip(rows) {
                let gradient = L::load(row.add(vector.output));
                sums[0] = sums[0].fma(gradient, x[0]);
                sums[1] = sums[1].fma(gradient, x[1]);
                sums[2] = sums[2].fma(gradient, x[2]);
            }
        }
        // A loop: closures given to `map` are not always inlined, and lose the target features.
        let mut totals = [[0.0; COLUMNS]; ROWS];
        for (totals, sums) in totals.iter_mut().zip(&sums) {
            for (total, sum) in totals.iter_mut().zip(sums) {
                *total = sum.sum();
            }
        }
        totals
    }
}
