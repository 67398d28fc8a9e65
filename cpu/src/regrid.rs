//! Values of one grid on another whose rows and columns are parallel to it: what a stack of bands of several resolutions does.
//!
//! Arithmetic is that of doubles in a stated order, so that the numbers are the same on any processor and as those of a walk
//! from pixel to pixel.

/// Where the values along one axis come from: for each place two neighbors, and the share of the second.
#[derive(Clone, Debug, Default)]
pub struct Taps {
    /// The neighbor before.
    pub first: Vec<usize>,
    /// The neighbor behind; the same one at an end.
    pub second: Vec<usize>,
    /// How much of the value is the second's, from 0 to 1.
    pub share: Vec<f64>,
}

/// The four values around each place of a row, weighted by how near they are.
struct Row<'a> {
    plane: &'a [f32],
    width: usize,
    across: &'a Taps,
    /// The row of the plane that is held.
    held: usize,
    left: Vec<f64>,
    right: Vec<f64>,
}

impl<'a> Row<'a> {
    fn new(plane: &'a [f32], width: usize, across: &'a Taps) -> Self {
        Self {
            plane,
            width,
            across,
            held: usize::MAX,
            left: vec![0.0; across.first.len()],
            right: vec![0.0; across.first.len()],
        }
    }

    fn hold(&mut self, row: usize) {
        if self.held == row {
            return;
        }
        self.held = row;
        let line = &self.plane[row * self.width..(row + 1) * self.width];
        for (value, &at) in self.left.iter_mut().zip(&self.across.first) {
            *value = f64::from(line[at]);
        }
        for (value, &at) in self.right.iter_mut().zip(&self.across.second) {
            *value = f64::from(line[at]);
        }
    }
}

/// Bilinear values of a `plane` of rows of `width`, written to rows of `target` that begin `stride` apart. With `whole` they are
/// rounded, halves away from 0.
///
/// # Panics
/// When a place lies outside the plane or the target is too short.
pub fn bilinear(
    plane: &[f32],
    width: usize,
    (across, down): (&Taps, &Taps),
    whole: bool,
    target: &mut [f32],
    stride: usize,
) {
    let columns = across.first.len();
    let (mut upper, mut lower) = (
        Row::new(plane, width, across),
        Row::new(plane, width, across),
    );
    let mut line = vec![0.0_f64; columns];
    for (row, &share) in down.share.iter().enumerate() {
        let (top, bottom) = (down.first[row], down.second[row]);
        if lower.held == top {
            std::mem::swap(&mut upper, &mut lower);
        }
        upper.hold(top);
        lower.hold(bottom);
        blend(&upper, &lower, &across.share, share, &mut line);
        let target = &mut target[row * stride..][..columns];
        match whole {
            true => {
                for (to, &value) in target.iter_mut().zip(&line) {
                    *to = rounded(value) as f32;
                }
            }
            false => {
                for (to, &value) in target.iter_mut().zip(&line) {
                    *to = value as f32;
                }
            }
        }
    }
}

fn blend(upper: &Row<'_>, lower: &Row<'_>, across: &[f64], down: f64, line: &mut [f64]) {
    let above = 1.0 - down;
    let values = upper.left.iter().zip(&upper.right);
    let values = values.zip(lower.left.iter().zip(&lower.right));
    for ((to, &share), ((&a, &b), (&c, &d))) in line.iter_mut().zip(across).zip(values) {
        let rest = 1.0 - share;
        let weights = [rest * above, share * above, rest * down, share * down];
        let sum = weights[0] * a + weights[1] * b + weights[2] * c + weights[3] * d;
        *to = sum / (weights[0] + weights[1] + weights[2] + weights[3]);
    }
}

/// As `f64::round`, which is a call of the C library at every value where the processor's own rounding is not known.
fn rounded(value: f64) -> f64 {
    // Larger ones are whole already.
    if value.is_nan() || value.abs() >= 4_503_599_627_370_496.0 {
        return value;
    }
    let whole = value as i64 as f64;
    let rest = value - whole;
    whole + f64::from(i32::from(rest >= 0.5)) - f64::from(i32::from(rest <= -0.5))
}

/// The value of the pixel that each place lies in, written as by [`bilinear`].
///
/// # Panics
/// When a place lies outside the plane or the target is too short.
pub fn nearest(
    plane: &[f32],
    width: usize,
    (across, down): (&[usize], &[usize]),
    target: &mut [f32],
    stride: usize,
) {
    for (row, &from) in down.iter().enumerate() {
        let line = &plane[from * width..(from + 1) * width];
        let target = &mut target[row * stride..][..across.len()];
        for (to, &at) in target.iter_mut().zip(across) {
            *to = line[at];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_that_of_the_standard_library() {
        let odd = 0.499_999_999_999_999_94;
        for value in [
            0.0,
            0.5,
            -0.5,
            1.5,
            -2.5,
            odd,
            -odd,
            1e15 + 0.5,
            4e18,
            65_534.5,
            -3.2,
        ] {
            assert_eq!(rounded(value), f64::round(value), "{value}");
        }
        assert!(rounded(f64::NAN).is_nan());
    }

    /// By hand: a plane of 2 x 2 doubled, whose places are a quarter of a pixel from the centers.
    #[test]
    fn a_plane_is_doubled() {
        let taps = Taps {
            first: vec![0, 0, 0, 1],
            second: vec![1, 1, 1, 1],
            share: vec![0.0, 0.25, 0.75, 0.0],
        };
        let mut target = [0.0; 4 * 5];
        bilinear(
            &[0.0, 4.0, 8.0, 12.0],
            2,
            (&taps, &taps),
            false,
            &mut target,
            5,
        );
        let rows = [
            [0.0, 1.0, 3.0, 4.0, 0.0],
            [2.0, 3.0, 5.0, 6.0, 0.0],
            [6.0, 7.0, 9.0, 10.0, 0.0],
            [8.0, 9.0, 11.0, 12.0, 0.0],
        ];
        assert_eq!(target, *rows.as_flattened());
        let mut target = [0.0; 4];
        nearest(
            &[0.0, 4.0, 8.0, 12.0],
            2,
            (&[1, 0], &[1, 1]),
            &mut target,
            2,
        );
        assert_eq!(target, [12.0, 8.0, 12.0, 8.0]);
    }
}
