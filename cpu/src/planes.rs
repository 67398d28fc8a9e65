//! A convolution's sizes, and its input rearranged so that every kernel tap reads whole rows.
//!
//! A block of output rows needs a block of input rows. They are copied into *planes*: zero-padded, and for a stride `s`
//! split into `s * s` phases (every `s`-th pixel of every `s`-th row), so that for each tap the pixels of an output row
//! lie side by side. The copy fits the cache, and its pitch keeps channels out of each other's cache sets.

use super::simd::WIDTH;

/// The sizes of one convolution over images in NCHW.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvShape {
    /// Images.
    pub batch: usize,
    /// Input channels, rows, columns.
    pub input: [usize; 3],
    /// Output channels, rows, columns.
    pub output: [usize; 3],
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Input pixels between the places of the kernel, in both directions.
    pub stride: usize,
    /// Input pixels between the kernel's taps, in both directions: 1 for an ordinary convolution.
    pub dilation: usize,
    /// Zeros above and to the left.
    pub padding: [usize; 2],
    /// Zeros put between input pixels, plus one: 1 except for data gradients of strided convolutions.
    pub input_dilation: usize,
    /// Whether each channel has its own kernel.
    pub depthwise: bool,
}

impl ConvShape {
    /// Kernel taps over all the input channels of one output channel.
    pub(super) fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1] * if self.depthwise { 1 } else { self.input[0] }
    }

    /// Rows and columns of the input that the kernel spans.
    pub(super) fn reach(&self) -> [usize; 2] {
        self.kernel.map(|taps| (taps - 1) * self.dilation + 1)
    }

    /// The convolution by which a gradient of the output becomes one of the input, with the flipped kernel.
    pub(super) fn transposed(&self) -> Self {
        let [kh, kw] = self.reach();
        Self {
            batch: self.batch,
            input: self.output,
            output: self.input,
            kernel: self.kernel,
            stride: 1,
            dilation: self.dilation,
            padding: [kh - 1 - self.padding[0], kw - 1 - self.padding[1]],
            input_dilation: self.stride,
            depthwise: self.depthwise,
        }
    }

    /// The same 1 x 1 convolution over images of another shape: pixels have no neighbors in it, so rows may be of any
    /// length, and long ones that fill whole vectors are best.
    pub(super) fn reshaped(mut self) -> Self {
        let [_, h, w] = self.input;
        if self.kernel == [1, 1]
            && self.stride == 1
            && self.input_dilation == 1
            && self.input[1..] == self.output[1..]
            && let Some(width) = [128, 64, 32, 16, 8]
                .into_iter()
                .find(|width| (h * w).is_multiple_of(*width))
        {
            for shape in [&mut self.input, &mut self.output] {
                shape[1] = h * w / width;
                shape[2] = width;
            }
        }
        self
    }

    pub(super) fn output_image(&self) -> usize {
        self.output.iter().product()
    }
}

/// Where things are in the planes of a block of output rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Floats from one row to the next.
    pub(super) pitch: usize,
    /// Floats from one plane to the next: an odd number of cache lines.
    pub(super) plane: usize,
    /// Rows of a plane.
    rows: usize,
    /// Phases in both directions.
    phases: [usize; 2],
}

impl Layout {
    pub(super) fn new(sizes: &ConvShape, rows: usize) -> Self {
        let [kh, kw] = sizes.reach();
        let s = sizes.stride;
        let pitch = sizes.output[2].next_multiple_of(WIDTH) + (kw - 1) / s;
        let rows = rows + (kh - 1) / s;
        let lines = (rows * pitch).div_ceil(16);
        Self {
            pitch,
            plane: (lines | 1) * 16,
            rows,
            phases: [s.min(kh), s.min(kw)],
        }
    }

    /// Floats of one channel.
    pub(super) fn channel(&self) -> usize {
        self.plane * self.phases[0] * self.phases[1]
    }

    /// The offset of each tap within a channel, by kernel row and column.
    pub(super) fn taps(&self, sizes: &ConvShape) -> Vec<usize> {
        let [kh, kw] = sizes.kernel;
        let s = sizes.stride;
        let tap = |y: usize, x: usize| {
            let [y, x] = [y * sizes.dilation, x * sizes.dilation];
            (y % s * self.phases[1] + x % s) * self.plane + y / s * self.pitch + x / s
        };
        (0..kh)
            .flat_map(|y| (0..kw).map(move |x| tap(y, x)))
            .collect()
    }

    /// Copies what the output rows from `first` on need of one input channel (`source`: its rows) into `target`.
    pub(super) fn fill(&self, sizes: &ConvShape, source: &[f32], first: usize, target: &mut [f32]) {
        let [_, height, width] = sizes.input;
        let s = sizes.stride;
        for a in 0..self.phases[0] {
            for b in 0..self.phases[1] {
                let plane = &mut target[(a * self.phases[1] + b) * self.plane..][..self.plane];
                for (row, values) in plane
                    .chunks_exact_mut(self.pitch)
                    .take(self.rows)
                    .enumerate()
                {
                    let y = ((first + row) * s + a) as isize - sizes.padding[0] as isize;
                    let inside = y >= 0
                        && (y as usize).is_multiple_of(sizes.input_dilation)
                        && (y as usize / sizes.input_dilation) < height;
                    if !inside {
                        values.fill(0.0);
                        continue;
                    }
                    let y = y as usize / sizes.input_dilation;
                    let from = b as isize - sizes.padding[1] as isize;
                    fill_row(
                        values,
                        &source[y * width..][..width],
                        from,
                        s,
                        sizes.input_dilation,
                    );
                }
            }
        }
    }
}

/// `target[j] = source[(j * stride + from) / input_dilation]` where that is a pixel, 0 elsewhere.
fn fill_row(target: &mut [f32], source: &[f32], from: isize, stride: usize, input_dilation: usize) {
    if stride == 1 && input_dilation == 1 {
        let skip = from.max(0) as usize;
        let lead = (-from).max(0) as usize;
        let length = source
            .len()
            .saturating_sub(skip)
            .min(target.len().saturating_sub(lead));
        let lead = lead.min(target.len());
        target[..lead].fill(0.0);
        target[lead..lead + length].copy_from_slice(&source[skip..skip + length]);
        target[lead + length..].fill(0.0);
        return;
    }
    target.fill(0.0);
    if stride == 1 {
        for (x, &value) in source.iter().enumerate() {
            let column = (x * input_dilation) as isize - from;
            if (0..target.len() as isize).contains(&column) {
                target[column as usize] = value;
            }
        }
        return;
    }
    let first = if from < 0 {
        from.unsigned_abs().div_ceil(stride)
    } else {
        0
    };
    let start = (first * stride).wrapping_add_signed(from);
    if first < target.len() && start < source.len() {
        for (value, &pixel) in target[first..]
            .iter_mut()
            .zip(source[start..].iter().step_by(stride))
        {
            *value = pixel;
        }
    }
}

/// A part of the work: some images, and some of their output rows.
#[derive(Clone, Debug)]
pub(super) struct WorkBlock {
    pub(super) images: std::ops::Range<usize>,
    pub(super) rows: std::ops::Range<usize>,
}

/// Splits the work into blocks, enough for every thread: of at most `limit` floats of planes of `channels` channels where
/// that leaves four rows, and with images taken together until there are `least` pixels.
pub(super) fn work_blocks(
    sizes: &ConvShape,
    channels: usize,
    limit: usize,
    least: usize,
) -> Vec<WorkBlock> {
    let threads = rayon::current_num_threads().max(1);
    let [_, height, width] = sizes.output;
    let together = (least / (height * width).max(1)).clamp(1, sizes.batch.div_ceil(threads).max(1));
    let layout = Layout::new(sizes, 1);
    let halo = (sizes.reach()[0] - 1) / sizes.stride;
    let row = channels * layout.pitch * layout.phases[0] * layout.phases[1] * together;
    // A block that is short against what it needs above and below would copy most of its pixels many times.
    let fit = (limit / row.max(1))
        .saturating_sub(halo)
        .max(4)
        .max(halo / 2);
    // Even parts, and no fewer than two a thread where the image allows it.
    let groups = sizes.batch.div_ceil(together);
    let parts = height
        .div_ceil(fit)
        .max((2 * threads).div_ceil(groups).min(height.div_ceil(4)))
        .max(1);
    let rows = height.div_ceil(parts).max(1);
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
