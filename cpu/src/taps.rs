//! The weight gradient of a dense convolution with many output channels, as the product `gradient x taps` with the taps
//! side by side in vectors.
//!
//! Each task has a few input channels and writes the columns of their taps, over all pixels, so nothing has to be added up
//! between tasks. For some hundred pixels at a time it lays 16 taps of one pixel next to each other (a *panel*: pixel after
//! pixel), and multiplies by the same kernel as the forward pass: 6 output channels by 16 taps. Sums over pixels within
//! vectors, which [`super::dense::weight_gradient`] has for few output channels, load twice as much for each product.

use std::cell::RefCell;

use rayon::prelude::*;

use super::dense::{PIXEL_VECTORS, Vector, pixels, tile_rows};
use super::planes::{ConvShape, Layout, WorkBlock};
use super::simd::{Shared, WIDTH, unwritten, written};

/// Taps of a panel.
const PANEL: usize = PIXEL_VECTORS * WIDTH;
/// Input channels of a task: any kernel's taps of so many fill whole panels.
const CHANNELS: usize = 16;
/// Pixels taken at a time, about: a panel of them stays in the first-level cache.
const PIXELS: usize = 256;
/// Output channels from which on laying out the taps pays: with 64 it took half as long again as the sums within vectors,
/// with 128 as long, with 512 two fifths.
const LEAST: usize = 96;

thread_local! {
    static SCRATCH: RefCell<[Vec<f32>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
}

/// Pixels of the gradient, packed as the forward pass packs weights.
struct Block {
    work: WorkBlock,
    pixels: usize,
    packed: Vec<f32>,
}

/// Whether there are enough channels for it.
pub(super) fn fits(sizes: &ConvShape) -> bool {
    sizes.output[0] >= LEAST && sizes.input[0] >= CHANNELS
}

/// The gradient of the weights, `[o, c, kh, kw]`.
pub(super) fn weight_gradient(sizes: &ConvShape, input: &[f32], gradient: &[f32]) -> Vec<f32> {
    let [inputs, _, _] = sizes.input;
    let out = sizes.output[0];
    let taps = sizes.taps();
    let area = taps / inputs;
    let blocks: Vec<Block> = blocks(sizes)
        .into_par_iter()
        .map(|work| pack(sizes, work, gradient))
        .collect();
    let mut sums = unwritten(out * taps);
    let target = Shared::of(&mut sums);
    (0..inputs.div_ceil(CHANNELS))
        .into_par_iter()
        .for_each(|task| {
            let channels = task * CHANNELS..((task + 1) * CHANNELS).min(inputs);
            let columns = channels.start * area..channels.end * area;
            SCRATCH.with_borrow_mut(|[planes, panels]| {
                for (index, block) in blocks.iter().enumerate() {
                    lay_out(sizes, block, channels.clone(), input, planes, panels);
                    let offsets: Vec<usize> = (0..block.pixels).map(|p| p * PANEL).collect();
                    for (panel, first) in columns.clone().step_by(PANEL).enumerate() {
                        let vector = |part: usize| Vector {
                            planes: panel * block.pixels * PANEL + part * WIDTH,
                            // A vector without taps must still point into the sums.
                            output: (first + part * WIDTH).min(columns.end - 1),
                            valid: columns.end.saturating_sub(first + part * WIDTH).min(WIDTH),
                        };
                        // SAFETY: the panels have a vector for every offset, the sums a row for every channel; other
                        // tasks write other columns.
                        unsafe {
                            pixels(
                                panels.as_ptr(),
                                &offsets,
                                0..block.pixels,
                                &block.packed,
                                &[vector(0), vector(1)],
                                target,
                                taps,
                                out,
                                index > 0,
                            );
                        }
                    }
                }
            });
        });
    // SAFETY: every task writes its columns of every row, and together they have all columns.
    unsafe { written(sums) }
}

/// All output pixels in blocks of about [`PIXELS`]: some rows of an image, or some images.
fn blocks(sizes: &ConvShape) -> Vec<WorkBlock> {
    let [_, height, width] = sizes.output;
    let together = (PIXELS / (height * width).max(1)).clamp(1, sizes.batch);
    let rows = (PIXELS / width.max(1)).clamp(1, height);
    let mut blocks = Vec::new();
    for image in (0..sizes.batch).step_by(together) {
        for first in (0..height).step_by(rows) {
            blocks.push(WorkBlock {
                images: image..(image + together).min(sizes.batch),
                rows: first..(first + rows).min(height),
            });
        }
    }
    blocks
}

/// The gradient of a block in tiles of [`tile_rows`] output channels, pixel by pixel; missing channels are 0.
fn pack(sizes: &ConvShape, work: WorkBlock, gradient: &[f32]) -> Block {
    let [out, height, width] = sizes.output;
    let run = work.rows.len() * width;
    let count = work.images.len() * run;
    let mut packed = vec![0.0; out.next_multiple_of(2) * count];
    let mut first = 0;
    while first < out {
        let rows = tile_rows(out - first);
        let tile = &mut packed[first * count..][..rows * count];
        for row in 0..rows.min(out - first) {
            for (index, image) in work.images.clone().enumerate() {
                let at = (image * out + first + row) * height + work.rows.start;
                let source = &gradient[at * width..][..run];
                let target = tile[index * run * rows + row..].iter_mut().step_by(rows);
                for (target, &value) in target.zip(source) {
                    *target = value;
                }
            }
        }
        first += rows;
    }
    Block {
        work,
        pixels: count,
        packed,
    }
}

/// The taps of some input channels at a block's pixels, panel by panel, pixel by pixel.
fn lay_out(
    sizes: &ConvShape,
    block: &Block,
    channels: std::ops::Range<usize>,
    input: &[f32],
    planes: &mut Vec<f32>,
    panels: &mut Vec<f32>,
) {
    let [inputs, height, width] = sizes.input;
    let columns = sizes.output[2];
    let work = &block.work;
    let layout = Layout::new(sizes, work.rows.len());
    let taps = layout.taps(sizes);
    let channel = layout.channel();
    let image = channels.len() * channel;
    planes.resize(work.images.len() * image, 0.0);
    for (index, n) in work.images.clone().enumerate() {
        for (at, c) in channels.clone().enumerate() {
            let source = &input[(n * inputs + c) * height * width..][..height * width];
            let target = &mut planes[index * image + at * channel..][..channel];
            layout.fill(sizes, source, work.rows.start, target);
        }
    }
    let offsets: Vec<usize> = (0..channels.len())
        .flat_map(|c| taps.iter().map(move |tap| c * channel + tap))
        .collect();
    panels.resize(offsets.len().div_ceil(PANEL) * block.pixels * PANEL, 0.0);
    for (offsets, panel) in offsets
        .chunks(PANEL)
        .zip(panels.chunks_exact_mut(block.pixels * PANEL))
    {
        // Missing taps repeat the last one; their sums are dropped.
        let offsets: [usize; PANEL] =
            std::array::from_fn(|tap| offsets[tap.min(offsets.len() - 1)]);
        let rows = panel.chunks_exact_mut(columns * PANEL);
        for (row, target) in rows.enumerate() {
            let (index, y) = (row / work.rows.len(), row % work.rows.len());
            let start = index * image + y * layout.pitch;
            let sources: [&[f32]; PANEL] =
                std::array::from_fn(|tap| &planes[start + offsets[tap]..][..columns]);
            for (x, target) in target.chunks_exact_mut(PANEL).enumerate() {
                for (target, source) in target.iter_mut().zip(&sources) {
                    *target = source[x];
                }
            }
        }
    }
}
