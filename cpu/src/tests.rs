use super::norm::{self, Planes};
use super::resample::{self, Join};
use super::*;

/// Numbers that look random and are the same every time.
fn noise(length: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12345);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 * 2.0 - 1.0
    };
    (0..length).map(|_| next()).collect()
}

fn sizes(
    batch: usize,
    channels: [usize; 2],
    size: [usize; 2],
    kernel: usize,
    stride: usize,
    padding: [usize; 2],
    depthwise: bool,
) -> ConvShape {
    let [pad, end] = padding;
    let out = size.map(|size| (size + pad + end - kernel) / stride + 1);
    ConvShape {
        batch,
        input: [channels[0], size[0], size[1]],
        output: [channels[1], out[0], out[1]],
        kernel: [kernel; 2],
        stride,
        dilation: 1,
        padding: [pad; 2],
        input_dilation: 1,
        depthwise,
    }
}

impl ConvShape {
    /// The output's size by the kernel's reach, where `sizes` counted its taps.
    fn fitted(mut self) -> Self {
        for (axis, reach) in self.reach().into_iter().enumerate() {
            let padded = self.input[axis + 1] + 2 * self.padding[axis];
            self.output[axis + 1] = (padded - reach) / self.stride + 1;
        }
        self
    }
}

/// A 3 x 3 convolution of stride 1 that keeps the size.
fn dilated(channels: [usize; 2], size: [usize; 2], dilation: usize, depthwise: bool) -> ConvShape {
    ConvShape {
        dilation,
        padding: [dilation; 2],
        ..sizes(2, channels, size, 3, 1, [1, 1], depthwise)
    }
}

/// Under Miri, which takes a thousand times as long, those of few products.
fn cases() -> Vec<ConvShape> {
    let products = |s: &ConvShape| s.batch * s.output_image() * s.taps();
    let mut cases = all_cases();
    cases.retain(|case| !cfg!(miri) || products(case) <= 2_000);
    cases
}

fn all_cases() -> Vec<ConvShape> {
    vec![
        dilated([5, 6], [9, 14], 2, false),
        dilated([12, 7], [7, 9], 12, false),
        dilated([6, 6], [17, 20], 4, true),
        dilated([20, 102], [7, 11], 3, false),
        sizes(3, [20, 97], [9, 13], 3, 2, [1, 1], false),
        sizes(2, [17, 100], [21, 19], 1, 1, [0, 0], false),
        sizes(5, [35, 98], [4, 4], 5, 1, [2, 2], false),
        sizes(1, [18, 99], [3, 300], 3, 1, [1, 1], false),
        ConvShape {
            dilation: 2,
            ..sizes(2, [4, 6], [13, 17], 5, 2, [2, 2], false)
        }
        .fitted(),
        sizes(1, [17, 97], [3, 9], 1, 1, [0, 0], false),
        sizes(1, [16, 96], [3, 3], 2, 1, [0, 0], false),
        sizes(1, [16, 96], [1, 5], 1, 1, [0, 0], false),
        sizes(1, [2, 3], [5, 9], 3, 1, [1, 1], false),
        sizes(1, [2, 3], [7, 9], 3, 2, [1, 1], false),
        dilated([2, 2], [5, 9], 2, true),
        sizes(2, [5, 7], [15, 18], 5, 3, [2, 2], false),
        sizes(2, [5, 7], [14, 17], 3, 3, [1, 1], false),
        sizes(2, [4, 4], [12, 10], 2, 2, [0, 0], false),
        sizes(2, [4, 4], [13, 11], 2, 2, [1, 1], false),
        sizes(1, [9, 70], [20, 33], 3, 2, [1, 1], false),
        sizes(2, [3, 5], [8, 8], 3, 1, [1, 1], false),
        sizes(1, [4, 8], [17, 13], 3, 1, [1, 1], false),
        sizes(3, [5, 6], [16, 24], 3, 2, [1, 1], false),
        sizes(2, [3, 7], [16, 16], 3, 2, [0, 1], false),
        sizes(2, [3, 4], [21, 19], 7, 2, [3, 3], false),
        sizes(2, [7, 10], [8, 16], 1, 1, [0, 0], false),
        sizes(2, [6, 9], [5, 7], 1, 1, [0, 0], false),
        sizes(1, [6, 9], [9, 8], 1, 2, [0, 0], false),
        sizes(4, [40, 33], [4, 4], 3, 1, [1, 1], false),
        sizes(2, [70, 12], [6, 10], 3, 1, [1, 1], false),
        sizes(2, [5, 5], [16, 40], 3, 1, [1, 1], true),
        sizes(2, [5, 5], [17, 11], 5, 1, [2, 2], true),
        sizes(2, [3, 3], [16, 16], 5, 2, [1, 2], true),
        sizes(1, [3, 3], [15, 33], 3, 2, [1, 1], true),
        sizes(2, [3, 3], [2, 2], 5, 1, [2, 2], true),
    ]
}

/// Calls `f(output index, input index, weight index)` for every product of a convolution.
fn every_product(s: &ConvShape, mut f: impl FnMut(usize, usize, usize)) {
    let [c, h, w] = s.input;
    let [o, oh, ow] = s.output;
    let [kh, kw] = s.kernel;
    for n in 0..s.batch {
        for m in 0..o {
            let channels = if s.depthwise { m..m + 1 } else { 0..c };
            for (index, channel) in channels.enumerate() {
                for (y, x) in (0..oh).flat_map(|y| (0..ow).map(move |x| (y, x))) {
                    for (ky, kx) in (0..kh).flat_map(|y| (0..kw).map(move |x| (y, x))) {
                        let iy = (y * s.stride + ky * s.dilation).wrapping_sub(s.padding[0]);
                        let ix = (x * s.stride + kx * s.dilation).wrapping_sub(s.padding[1]);
                        if iy < h && ix < w {
                            let per = if s.depthwise { 1 } else { c };
                            f(
                                ((n * o + m) * oh + y) * ow + x,
                                ((n * c + channel) * h + iy) * w + ix,
                                ((m * per + index) * kh + ky) * kw + kx,
                            );
                        }
                    }
                }
            }
        }
    }
}

fn assert_close(found: &[f32], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - expected).abs();
        assert!(
            error < 2e-4 * (1.0 + expected.abs()),
            "{what}[{index}]: {found} instead of {expected}"
        );
    }
}

#[test]
fn convolutions_and_both_gradients_agree_with_the_definition() {
    for s in cases() {
        let input = noise(s.batch * s.input.iter().product::<usize>(), 1);
        let weights = noise(s.output[0] * s.taps(), 2);
        let gradient = noise(s.batch * s.output_image(), 3);
        let mut output = vec![0.0f64; gradient.len()];
        let mut by_input = vec![0.0f64; input.len()];
        let mut by_weight = vec![0.0f64; weights.len()];
        every_product(&s, |o, i, w| {
            output[o] += f64::from(input[i]) * f64::from(weights[w]);
            by_input[i] += f64::from(gradient[o]) * f64::from(weights[w]);
            by_weight[w] += f64::from(gradient[o]) * f64::from(input[i]);
        });
        assert_close(
            &forward(&s, &input, &weights, None),
            &output,
            &format!("{s:?} output"),
        );
        let (bias, limits) = (noise(s.output[0], 5), (0.0, 0.7));
        let pixels = s.output[1] * s.output[2];
        let finished: Vec<f64> = output
            .iter()
            .enumerate()
            .map(|(index, value)| {
                (value + f64::from(bias[index / pixels % s.output[0]])).clamp(0.0, 0.7)
            })
            .collect();
        let bias = &bias;
        assert_close(
            &forward(&s, &input, &weights, Some(Epilogue { bias, limits })),
            &finished,
            &format!("{s:?} finished output"),
        );
        assert_close(
            &input_gradient(&s, &gradient, &weights),
            &by_input,
            &format!("{s:?} input gradient"),
        );
        assert_close(
            &weight_gradient(&s, &input, &gradient),
            &by_weight,
            &format!("{s:?} weight gradient"),
        );
    }
}

#[test]
fn batch_statistics_stay_exact_far_from_zero() {
    // More than a block of sums; under Miri, which takes a thousand times as long, a part of one.
    let pixels = if cfg!(miri) { 203 } else { 5003 };
    let shape = Planes {
        batch: 2,
        channels: 2,
        pixels,
    };
    let mut values = noise(2 * 2 * pixels, 4);
    for value in &mut values {
        *value += 1000.0;
    }
    let (mean, variance) = norm::statistics(shape, &values);
    for channel in 0..2 {
        let all: Vec<f64> = (0..2)
            .flat_map(|n| {
                values[(n * 2 + channel) * pixels..][..pixels]
                    .iter()
                    .map(|&value| f64::from(value))
            })
            .collect();
        let expected = all.iter().sum::<f64>() / all.len() as f64;
        let spread = all
            .iter()
            .map(|value| (value - expected).powi(2))
            .sum::<f64>()
            / all.len() as f64;
        assert!(
            (f64::from(mean[channel]) - expected).abs() < 1e-3,
            "{} {expected}",
            mean[channel]
        );
        assert!(
            (f64::from(variance[channel]) - spread).abs() < 1e-4,
            "{} {spread}",
            variance[channel]
        );
    }
}

/// Planes of whole vectors and of some that end in the middle of one, each channel with a scale and an offset.
fn planes(pixels: usize) -> (Planes, Vec<f32>, Vec<f32>) {
    let shape = Planes {
        batch: 2,
        channels: 3,
        pixels,
    };
    (shape, noise(6 * pixels, 6), noise(6 * pixels, 7))
}

const SCALE: [f32; 3] = [0.5, -1.5, 2.0];
const OFFSET: [f32; 3] = [0.1, 0.0, -0.3];
const LIMITS: (f32, f32) = (-0.2, 0.4);

#[test]
fn scales_limits_and_their_gradients_agree_with_the_definition() {
    for pixels in [1, 8, 13, 32] {
        let (shape, input, gradient) = planes(pixels);
        let affine = |index: usize| {
            let channel = index / pixels % 3;
            f64::from(input[index]) * f64::from(SCALE[channel]) + f64::from(OFFSET[channel])
        };
        let limits = LIMITS;
        let (low, high): (f64, f64) = (f64::from(LIMITS.0), f64::from(LIMITS.1));
        let expected: Vec<f64> = (0..input.len())
            .map(|index| affine(index).clamp(low, high))
            .collect();
        let output = norm::apply(shape, &input, &SCALE, &OFFSET, limits);
        assert_close(&output, &expected, "output");
        let passed = |index: usize| {
            let inside = low < affine(index) && affine(index) < high;
            f64::from(gradient[index]) * f64::from(u8::from(inside))
        };
        let expected: Vec<f64> = (0..input.len())
            .map(|index| passed(index) * f64::from(SCALE[index / pixels % 3]))
            .collect();
        let found = norm::affine_gradient(shape, &input, &gradient, &SCALE, &OFFSET, limits);
        assert_close(&found, &expected, "gradient");
        // What an epilogue left: its bias is in the input already.
        let ones = [1.0; 3];
        let finished = norm::apply(shape, &input, &ones, &[0.0; 3], limits);
        let (found, of_bias) = epilogue::gradients(shape, &finished, &gradient, limits);
        let passes = |index: usize| {
            let inside = LIMITS.0 < input[index] && input[index] < LIMITS.1;
            f64::from(gradient[index]) * f64::from(u8::from(inside))
        };
        let expected: Vec<f64> = (0..input.len()).map(passes).collect();
        assert_close(&found, &expected, "gradient of what was limited");
        let mut sums = [0.0; 3];
        for (index, value) in expected.iter().enumerate() {
            sums[index / pixels % 3] += value;
        }
        assert_close(&of_bias, &sums, "gradient of the bias");
    }
}

/// The gradient of the input by small steps, of `sum(gradient * output)`, in 64 bits.
#[test]
fn the_gradients_of_a_batch_norm_agree_with_small_steps() {
    for pixels in [5, 16, 19] {
        let (shape, input, gradient) = planes(pixels);
        let epsilon = 1e-5;
        let limits = (f32::NEG_INFINITY, f32::INFINITY);
        let values: Vec<f64> = input.iter().map(|&value| f64::from(value)).collect();
        let of_channel =
            |channel: usize| (0..6 * pixels).filter(move |index| index / pixels % 3 == channel);
        let moments = |values: &[f64], channel: usize| {
            let count = 2.0 * pixels as f64;
            let mean = of_channel(channel).map(|at| values[at]).sum::<f64>() / count;
            let squares = of_channel(channel).map(|at| (values[at] - mean).powi(2));
            (mean, (squares.sum::<f64>() / count + epsilon).sqrt())
        };
        let loss = |values: &[f64], channel: usize| -> f64 {
            let (mean, deviation) = moments(values, channel);
            let output = |at: usize| (values[at] - mean) / deviation * f64::from(SCALE[channel]);
            of_channel(channel)
                .map(|at| f64::from(gradient[at]) * output(at))
                .sum()
        };
        let (means, deviations): (Vec<f32>, Vec<f32>) = (0..3)
            .map(|channel| moments(&values, channel))
            .map(|(mean, deviation)| (mean as f32, deviation as f32))
            .unzip();
        let (found, weights, biases) = norm::backward(
            shape,
            &input,
            &gradient,
            &SCALE,
            &OFFSET,
            &means,
            &deviations,
            limits,
        );
        let step = 1e-5;
        let expected: Vec<f64> = (0..values.len())
            .map(|index| {
                let channel = index / pixels % 3;
                let mut moved = values.clone();
                moved[index] += step;
                let above = loss(&moved, channel);
                moved[index] -= 2.0 * step;
                (above - loss(&moved, channel)) / (2.0 * step)
            })
            .collect();
        assert_close(&found, &expected, "input");
        let per_channel = |of: &dyn Fn(usize) -> f64| -> Vec<f64> {
            (0..3)
                .map(|channel| of_channel(channel).map(of).sum())
                .collect()
        };
        let normalized = |index: usize| {
            let (mean, deviation) = moments(&values, index / pixels % 3);
            f64::from(gradient[index]) * (values[index] - mean) / deviation
        };
        assert_close(&weights, &per_channel(&normalized), "weights");
        assert_close(
            &biases,
            &per_channel(&|index| f64::from(gradient[index])),
            "biases",
        );
    }
}

#[test]
#[should_panic(expected = "floats of Planes")]
fn values_of_another_shape_are_refused() {
    let (shape, input, _) = planes(9);
    norm::apply(shape, &input[1..], &SCALE, &OFFSET, LIMITS);
}

#[test]
fn joining_and_its_gradients_agree_with_the_definition() {
    for size in [[4, 6], [5, 3], [1, 1], [3, 8]] {
        let shape = Join {
            batch: 2,
            coarse: 2,
            skip: 1,
            size,
        };
        let [height, width] = size;
        let [ch, cw] = size.map(|side: usize| side.div_ceil(2));
        let coarse = noise(2 * 2 * ch * cw, 8);
        let skip = noise(2 * height * width, 9);
        let joined = resample::join(shape, &coarse, &skip);
        let gradient = noise(joined.len(), 10);
        let mut by_coarse = vec![0.0; coarse.len()];
        let mut by_skip = vec![0.0; skip.len()];
        for (index, (&value, &slope)) in joined.iter().zip(&gradient).enumerate() {
            let (plane, pixel) = (index / (height * width), index % (height * width));
            let (image, channel) = (plane / 3, plane % 3);
            let expected = if channel < 2 {
                let (row, col) = (pixel / width / 2, pixel % width / 2);
                let at = ((image * 2 + channel) * ch + row) * cw + col;
                by_coarse[at] += f64::from(slope);
                coarse[at]
            } else {
                let at = image * height * width + pixel;
                by_skip[at] += f64::from(slope);
                skip[at]
            };
            assert_eq!(value, expected, "{size:?}: {index}");
        }
        let what = format!("{size:?}");
        assert_close(
            &resample::coarse_gradient(shape, &gradient),
            &by_coarse,
            &what,
        );
        assert_close(&resample::skip_gradient(shape, &gradient), &by_skip, &what);
    }
}
