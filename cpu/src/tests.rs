use super::norm::{self, Planes};
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

fn cases() -> Vec<ConvShape> {
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
    let shape = Planes {
        batch: 2,
        channels: 2,
        pixels: 5003,
    };
    let mut values = noise(2 * 2 * 5003, 4);
    for value in &mut values {
        *value += 1000.0;
    }
    let (mean, variance) = norm::statistics(shape, &values);
    for channel in 0..2 {
        let all: Vec<f64> = (0..2)
            .flat_map(|n| {
                values[(n * 2 + channel) * 5003..][..5003]
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
