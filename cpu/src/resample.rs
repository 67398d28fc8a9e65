//! A decoder step's input: the coarse features doubled (nearest neighbor), and the skip connection's behind them.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::simd::{unwritten, written};

/// The sizes of one joining.
#[derive(Clone, Copy, Debug)]
pub struct Join {
    /// Images.
    pub batch: usize,
    /// Channels of the coarse features.
    pub coarse: usize,
    /// Channels of the skip connection, or 0.
    pub skip: usize,
    /// Height and width of the result; the coarse ones are half, rounded up.
    pub size: [usize; 2],
}

impl Join {
    fn coarse_size(&self) -> [usize; 2] {
        self.size.map(|size| size.div_ceil(2))
    }

    fn pixels(&self) -> usize {
        self.size[0] * self.size[1]
    }
}

/// `[n, coarse + skip, h, w]`.
pub fn join(shape: Join, coarse: &[f32], skip: &[f32]) -> Vec<f32> {
    let [ch, cw] = shape.coarse_size();
    let [_, width] = shape.size;
    let channels = shape.coarse + shape.skip;
    let mut output = unwritten(shape.batch * channels * shape.pixels());
    output
        .par_chunks_exact_mut(shape.pixels())
        .with_min_len(4)
        .enumerate()
        .for_each(|(index, output)| {
            let (image, channel) = (index / channels, index % channels);
            if channel >= shape.coarse {
                let source = image * shape.skip + channel - shape.coarse;
                output.write_copy_of_slice(&skip[source * shape.pixels()..][..shape.pixels()]);
                return;
            }
            let source = &coarse[(image * shape.coarse + channel) * ch * cw..][..ch * cw];
            for (rows, source) in output.chunks_mut(2 * width).zip(source.chunks_exact(cw)) {
                let (first, second) = rows.split_at_mut(width);
                for (pair, &value) in first.chunks_mut(2).zip(source) {
                    pair.fill(MaybeUninit::new(value));
                }
                let length = second.len();
                second.copy_from_slice(&first[..length]);
            }
        });
    // SAFETY: every plane was written: a row for each coarse one, and the one below it where there is one.
    unsafe { written(output) }
}

/// The gradient of the coarse features.
pub fn coarse_gradient(shape: Join, gradient: &[f32]) -> Vec<f32> {
    let [ch, cw] = shape.coarse_size();
    let [_, width] = shape.size;
    let channels = shape.coarse + shape.skip;
    let mut output = unwritten(shape.batch * shape.coarse * ch * cw);
    output
        .par_chunks_exact_mut(ch * cw)
        .with_min_len(4)
        .enumerate()
        .for_each(|(index, output)| {
            let (image, channel) = (index / shape.coarse, index % shape.coarse);
            let source =
                &gradient[(image * channels + channel) * shape.pixels()..][..shape.pixels()];
            for (target, rows) in output.chunks_exact_mut(cw).zip(source.chunks(2 * width)) {
                let (first, second) = rows.split_at(width);
                for (target, pair) in target.iter_mut().zip(first.chunks(2)) {
                    target.write(pair.iter().sum());
                }
                // SAFETY: there are as many pairs as targets.
                let target = unsafe { target.assume_init_mut() };
                for (target, pair) in target.iter_mut().zip(second.chunks(2)) {
                    *target += pair.iter().sum::<f32>();
                }
            }
        });
    // SAFETY: every row of every plane was written.
    unsafe { written(output) }
}

/// The gradient of the skip connection.
pub fn skip_gradient(shape: Join, gradient: &[f32]) -> Vec<f32> {
    let image = shape.skip * shape.pixels();
    let channels = shape.coarse + shape.skip;
    let mut output = Vec::with_capacity(shape.batch * image);
    for n in 0..shape.batch {
        output.extend_from_slice(
            &gradient[(n * channels + shape.coarse) * shape.pixels()..][..image],
        );
    }
    output
}
