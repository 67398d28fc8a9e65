//! Images in another size: linear between the pixels' centers, and over as many pixels as fall together where the size
//! shrinks, so that nothing aliases.
//!
//! The filter is the triangle of PyTorch's `interpolate(mode="bilinear", antialias=True)` and of Pillow's `resize`: one source
//! pixel to each side where the size grows, `from / to` of them where it shrinks. At an edge the weights of the pixels that
//! there are make up the whole. Rust joins no multiplication with an addition, so the numbers are the same on any processor.

/// Rows and columns.
pub type HeightWidth = [usize; 2];

/// `[planes, to height, to width]` of `[planes, from height, from width]`. Where `valid` (`[from height, from width]`) is
/// given, only pixels with 1 take part, the others must be 0 in `source`; what no valid pixel reaches is 0.
///
/// # Panics
/// When `source` or `valid` is shorter than the sizes say.
#[must_use]
pub fn resize(
    source: &[f32],
    planes: usize,
    from: HeightWidth,
    to: HeightWidth,
    valid: Option<&[u8]>,
) -> Vec<f32> {
    let (area, target_area) = (from[0] * from[1], to[0] * to[1]);
    let mut output = vec![0.0; planes * target_area];
    if area == 0 || target_area == 0 {
        return output;
    }
    let (rows, columns) = (Taps::new(from[0], to[0]), Taps::new(from[1], to[1]));
    let mut narrow = vec![0.0; from[0] * to[1]];
    let mut plane = |source: &[f32], target: &mut [f32]| {
        let lines = source.chunks_exact(from[1]);
        for (target, source) in narrow.chunks_exact_mut(to[1]).zip(lines) {
            columns.along(source, target);
        }
        rows.across(&narrow, to[1], target);
    };
    for (source, target) in source[..planes * area]
        .chunks_exact(area)
        .zip(output.chunks_exact_mut(target_area))
    {
        plane(source, target);
    }
    if let Some(valid) = valid {
        // How much of each target's weight lies on valid pixels.
        let mask: Vec<f32> = valid[..area]
            .iter()
            .map(|&valid| f32::from(valid))
            .collect();
        let mut weight = vec![0.0; target_area];
        plane(&mask, &mut weight);
        for target in output.chunks_exact_mut(target_area) {
            for (value, &weight) in target.iter_mut().zip(&weight) {
                *value = if weight > 0.0 { *value / weight } else { 0.0 };
            }
        }
    }
    output
}

/// Which source pixels make each target pixel of a line, and with which weights.
struct Taps {
    /// Weights of each target.
    count: usize,
    /// The first source pixel of each target.
    starts: Vec<usize>,
    /// `[target, count]`.
    weights: Vec<f32>,
}

impl Taps {
    fn new(from: usize, to: usize) -> Self {
        let scale = from as f64 / to as f64;
        let reach = scale.max(1.0);
        let center = |target: usize| (target as f64 + 0.5) * scale;
        let ends = |target: usize| {
            let (low, high) = (center(target) - reach + 0.5, center(target) + reach + 0.5);
            // A cast saturates at 0.
            (low as usize, (high as usize).min(from))
        };
        let count = (0..to)
            .map(|target| ends(target).1 - ends(target).0)
            .max()
            .unwrap_or(1)
            .max(1);
        let mut weights = Vec::with_capacity(to * count);
        let mut starts = Vec::with_capacity(to);
        for target in 0..to {
            let start = ends(target).0.min(from - count);
            let weight = |tap: usize| {
                let distance = (start + tap) as f64 + 0.5 - center(target);
                (1.0 - distance.abs() / reach).max(0.0)
            };
            let sum: f64 = (0..count).map(weight).sum();
            starts.push(start);
            weights.extend((0..count).map(|tap| (weight(tap) / sum) as f32));
        }
        Self {
            count,
            starts,
            weights,
        }
    }

    /// Resizes one line.
    fn along(&self, source: &[f32], target: &mut [f32]) {
        match self.count {
            2 => self.along_fixed::<2>(source, target),
            3 => self.along_fixed::<3>(source, target),
            4 => self.along_fixed::<4>(source, target),
            _ => {
                let weights = self.weights.chunks_exact(self.count);
                for ((value, &start), weights) in target.iter_mut().zip(&self.starts).zip(weights) {
                    let source = &source[start..start + self.count];
                    *value = source.iter().zip(weights).map(|(a, b)| a * b).sum();
                }
            }
        }
    }

    /// As [`Taps::along`] for the usual counts, which the compiler unrolls.
    fn along_fixed<const COUNT: usize>(&self, source: &[f32], target: &mut [f32]) {
        let (weights, _) = self.weights.as_chunks::<COUNT>();
        for ((value, &start), weights) in target.iter_mut().zip(&self.starts).zip(weights) {
            let source = &source[start..start + COUNT];
            let mut sum = source[0] * weights[0];
            for tap in 1..COUNT {
                sum += source[tap] * weights[tap];
            }
            *value = sum;
        }
    }

    /// Resizes an image's columns: every target row is a weighted sum of source rows.
    fn across(&self, source: &[f32], width: usize, target: &mut [f32]) {
        let weights = self.weights.chunks_exact(self.count);
        for ((line, &start), weights) in target
            .chunks_exact_mut(width)
            .zip(&self.starts)
            .zip(weights)
        {
            let rows = source[start * width..].chunks_exact(width);
            for (tap, (row, &weight)) in rows.zip(weights).enumerate() {
                if tap == 0 {
                    for (value, &source) in line.iter_mut().zip(row) {
                        *value = source * weight;
                    }
                } else if weight != 0.0 {
                    for (value, &source) in line.iter_mut().zip(row) {
                        *value += source * weight;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random, from 0 to 1.
    fn noise(count: usize) -> Vec<f32> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32
        };
        (0..count).map(|_| next()).collect()
    }

    /// The definition, pixel by pixel, in double precision.
    fn defined(source: &[f32], from: HeightWidth, to: HeightWidth, valid: &[u8]) -> Vec<f32> {
        let weight = |target: usize, at: usize, axis: usize| {
            let scale = from[axis] as f64 / to[axis] as f64;
            let distance = at as f64 + 0.5 - (target as f64 + 0.5) * scale;
            (1.0 - distance.abs() / scale.max(1.0)).max(0.0)
        };
        let mut output = Vec::new();
        for row in 0..to[0] {
            for col in 0..to[1] {
                let (mut sum, mut weights) = (0.0, 0.0);
                for (pixel, &value) in source.iter().enumerate() {
                    let (at_row, at_col) = (pixel / from[1], pixel % from[1]);
                    let weight =
                        weight(row, at_row, 0) * weight(col, at_col, 1) * f64::from(valid[pixel]);
                    sum += weight * f64::from(value);
                    weights += weight;
                }
                output.push(if weights > 0.0 {
                    (sum / weights) as f32
                } else {
                    0.0
                });
            }
        }
        output
    }

    #[test]
    fn every_size_and_mask_agrees_with_the_definition() {
        let sizes = [
            ([7, 5], [7, 5]),
            ([6, 4], [12, 8]),
            ([5, 9], [11, 13]),
            ([12, 8], [6, 4]),
            ([20, 11], [7, 5]),
            ([13, 17], [3, 16]),
            ([1, 6], [4, 9]),
            ([9, 2], [1, 1]),
        ];
        for (from, to) in sizes {
            let area = from[0] * from[1];
            let source = noise(2 * area);
            let whole = vec![1; area];
            let expected = [
                defined(&source[..area], from, to, &whole),
                defined(&source[area..], from, to, &whole),
            ]
            .concat();
            let found = resize(&source, 2, from, to, None);
            let near = |a: &[f32], b: &[f32]| {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 2e-6)
            };
            assert!(near(&found, &expected), "{from:?} to {to:?}");
            let valid: Vec<u8> = noise(3 * area)[2 * area..]
                .iter()
                .map(|&value| u8::from(value > 0.4))
                .collect();
            let mut masked = source[..area].to_vec();
            masked
                .iter_mut()
                .zip(&valid)
                .for_each(|(value, &valid)| *value *= f32::from(valid));
            let found = resize(&masked, 1, from, to, Some(&valid));
            let expected = defined(&masked, from, to, &valid);
            let (found_zero, expected_zero) = (
                found.iter().filter(|&&value| value == 0.0).count(),
                expected.iter().filter(|&&value| value == 0.0).count(),
            );
            assert_eq!(
                found_zero, expected_zero,
                "{from:?} to {to:?}: what nothing reaches"
            );
            assert!(
                found
                    .iter()
                    .zip(&expected)
                    .all(|(a, b)| (a - b).abs() < 1e-4),
                "{from:?} to {to:?}, masked"
            );
        }
    }

    #[test]
    fn the_same_size_is_the_same_image_and_nothing_stays_nothing() {
        let source = noise(3 * 35);
        assert_eq!(resize(&source, 3, [7, 5], [7, 5], None), source);
        assert_eq!(resize(&[], 2, [0, 5], [2, 1], None), [0.0; 4]);
    }

    /// Numbers of PyTorch 2.15: `interpolate(x, size, mode="bilinear", antialias=True)` of 0, 1, 4, 9, 16, 25.
    #[test]
    fn lines_agree_with_pytorch() {
        let source = [0.0, 1.0, 4.0, 9.0, 16.0, 25.0];
        let near = |to: usize, expected: &[f32]| {
            let found = resize(&source, 1, [1, 6], [1, to], None);
            let close = found
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 1e-5);
            assert!(close && found.len() == expected.len(), "{found:?}");
        };
        near(4, PYTORCH_4);
        near(9, PYTORCH_9);
    }

    const PYTORCH_4: &[f32] = &[0.375, 3.555_556, 10.777_778, 21.625];
    const PYTORCH_9: &[f32] = &[0.0, 0.5, 1.5, 3.5, 6.5, 10.166_667, 14.833_334, 20.5, 25.0];
}
