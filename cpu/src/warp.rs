//! Images under an affine map: turned, sheared, scaled, moved. Linear between the pixels' centers, or the nearest pixel.
//!
//! Places are measured from the corner of the image, in pixels: the center of the first pixel is (0.5, 0.5), as in torchvision's
//! `affine` and, with half a pixel between, SciPy's `ndimage.affine_transform`. Rust joins no multiplication with an addition, so
//! the numbers are the same on any processor.

use crate::resize::HeightWidth;

/// A map of the plane, `(x, y)` to `(m[0] x + m[1] y + m[2], m[3] x + m[4] y + m[5])`.
pub type Matrix = [f64; 6];

/// What [`nearest`] says of a pixel whose center comes from outside.
pub const OUTSIDE: u32 = u32::MAX;

/// Where the center of a pixel of the target lies in the source.
fn source_of(map: &Matrix, row: usize, col: usize) -> (f64, f64) {
    let (x, y) = (col as f64 + 0.5, row as f64 + 0.5);
    (
        map[0] * x + map[1] * y + map[2],
        map[3] * x + map[4] * y + map[5],
    )
}

/// For each pixel of the target (`[to height, to width]`) the pixel of the source that its center lies in, or [`OUTSIDE`].
/// A center on an edge between two pixels belongs to the one to the right and below.
#[must_use]
pub fn nearest(from: HeightWidth, to: HeightWidth, source_from_target: &Matrix) -> Vec<u32> {
    let inside = |at: f64, length: usize| at >= 0.0 && at < length as f64;
    let mut found = Vec::with_capacity(to[0] * to[1]);
    for row in 0..to[0] {
        found.extend((0..to[1]).map(|col| {
            let (x, y) = source_of(source_from_target, row, col);
            match inside(x, from[1]) && inside(y, from[0]) {
                true => u32::try_from(y as i64 * from[1] as i64 + x as i64).unwrap_or(OUTSIDE),
                false => OUTSIDE,
            }
        }));
    }
    found
}

/// The values of a plane at the places that [`nearest`] gave, `outside` for what has none there.
#[must_use]
pub fn pick(plane: &[u8], places: &[u32], outside: u8) -> Vec<u8> {
    let of = |&place: &u32| plane.get(place as usize).copied().unwrap_or(outside);
    places.iter().map(of).collect()
}

/// Makes values 0 where `valid` (`[height, width]`) is 0; `data` is `[planes, height, width]`.
pub fn clear(data: &mut [f32], valid: &[u8]) {
    if valid.is_empty() {
        return;
    }
    for plane in data.chunks_exact_mut(valid.len()) {
        for (value, &valid) in plane.iter_mut().zip(valid) {
            *value = if valid == 0 { 0.0 } else { *value };
        }
    }
}

/// Which four pixels make one of the target, and with which weights.
#[derive(Clone, Copy, Default)]
struct Taps {
    pixels: [usize; 4],
    weights: [f32; 4],
}

impl Taps {
    fn at(x: f64, y: f64, from: HeightWidth, valid: Option<&[u8]>) -> Self {
        // NaN is outside, too.
        let touches = |at: f64, length: usize| at > -0.5 && at < length as f64 + 0.5;
        if !(touches(x, from[1]) && touches(y, from[0])) {
            return Self::default();
        }
        // Both are at least -1: rounded towards zero where they are 1 more, since `floor` is a call on plain x86-64.
        let (left, top) = ((x + 0.5) as i64 - 1, (y + 0.5) as i64 - 1);
        let (right_share, lower_share) = (
            (x - 0.5 - left as f64) as f32,
            (y - 0.5 - top as f64) as f32,
        );
        let weights = [
            (1.0 - lower_share) * (1.0 - right_share),
            (1.0 - lower_share) * right_share,
            lower_share * (1.0 - right_share),
            lower_share * right_share,
        ];
        if left >= 0 && top >= 0 && left + 1 < from[1] as i64 && top + 1 < from[0] as i64 {
            let pixel = top as usize * from[1] + left as usize;
            let pixels = [pixel, pixel + 1, pixel + from[1], pixel + from[1] + 1];
            if valid.is_none_or(|valid| pixels.iter().all(|&pixel| valid[pixel] != 0)) {
                return Self { pixels, weights };
            }
        }
        Self::of_some([top, left], weights, from, valid)
    }

    /// Where not all four take part.
    #[cold]
    fn of_some(
        [top, left]: [i64; 2],
        all: [f32; 4],
        from: HeightWidth,
        valid: Option<&[u8]>,
    ) -> Self {
        let mut taps = Self::default();
        let mut sum = 0.0;
        for (index, (down, right)) in [(0, 0), (0, 1), (1, 0), (1, 1)].into_iter().enumerate() {
            let (row, col) = (top + down, left + right);
            if row < 0 || col < 0 || row >= from[0] as i64 || col >= from[1] as i64 {
                continue;
            }
            let pixel = row as usize * from[1] + col as usize;
            if valid.is_some_and(|valid| valid[pixel] == 0) {
                continue;
            }
            taps.pixels[index] = pixel;
            taps.weights[index] = all[index];
            sum += all[index];
        }
        if sum > 0.0 {
            taps.weights = taps.weights.map(|weight| weight / sum);
        }
        taps
    }
}

/// `[planes, to height, to width]` of `[planes, from height, from width]`: linear between the centers of the four pixels around
/// the place that each target's center comes from. Where `valid` (`[from height, from width]`) is given, only pixels with 1 take
/// part; of those that do, and of those that lie inside the source, the weights make up the whole. What none reaches is 0.
///
/// # Panics
/// When `source` or `valid` is shorter than the sizes say.
#[must_use]
pub fn bilinear(
    source: &[f32],
    planes: usize,
    from: HeightWidth,
    to: HeightWidth,
    source_from_target: &Matrix,
    valid: Option<&[u8]>,
) -> Vec<f32> {
    let (area, target_area) = (from[0] * from[1], to[0] * to[1]);
    let mut output = vec![0.0; planes * target_area];
    if area == 0 || target_area == 0 {
        return output;
    }
    let source = &source[..planes * area];
    let valid = valid.map(|valid| &valid[..area]);
    let mut taps = vec![Taps::default(); to[1]];
    for row in 0..to[0] {
        for (col, taps) in taps.iter_mut().enumerate() {
            let (x, y) = source_of(source_from_target, row, col);
            *taps = Taps::at(x, y, from, valid);
        }
        let targets = output.chunks_exact_mut(target_area);
        for (source, target) in source.chunks_exact(area).zip(targets) {
            let line = &mut target[row * to[1]..(row + 1) * to[1]];
            for (value, taps) in line.iter_mut().zip(&taps) {
                let [a, b, c, d] = taps.pixels.map(|pixel| source[pixel]);
                let [wa, wb, wc, wd] = taps.weights;
                *value = a * wa + b * wb + c * wc + d * wd;
            }
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(count: usize) -> Vec<f32> {
        let mut state = 7_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32
        };
        (0..count).map(|_| next()).collect()
    }

    const MAPS: [Matrix; 6] = [
        [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        [0.8, 0.3, -1.2, -0.25, 1.1, 2.4],
        [0.5, 0.0, 1.0, 0.0, 0.4, 0.3],
        [-1.0, 0.0, 9.0, 0.0, -1.0, 7.0],
        [2.0, 0.1, -3.0, 0.2, 1.7, -2.0],
        [0.0, 1.0, 100.0, 1.0, 0.0, 0.0],
    ];

    /// The definition: every source pixel's tent, in double precision.
    fn defined(
        source: &[f32],
        from: HeightWidth,
        to: HeightWidth,
        map: &Matrix,
        valid: &[u8],
    ) -> Vec<f32> {
        let mut output = Vec::new();
        for row in 0..to[0] {
            for col in 0..to[1] {
                let (x, y) = source_of(map, row, col);
                let (mut sum, mut weights) = (0.0, 0.0);
                for (pixel, &value) in source.iter().enumerate() {
                    let tent =
                        |at: usize, place: f64| (1.0 - (at as f64 + 0.5 - place).abs()).max(0.0);
                    let weight = tent(pixel % from[1], x)
                        * tent(pixel / from[1], y)
                        * f64::from(valid[pixel]);
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
    fn every_map_and_mask_agrees_with_the_definition() {
        let (from, to) = ([7, 9], [8, 6]);
        let source = noise(2 * 63);
        for map in &MAPS {
            let whole = vec![1; 63];
            let found = bilinear(&source, 2, from, to, map, None);
            let expected: Vec<f32> = source
                .chunks(63)
                .flat_map(|plane| defined(plane, from, to, map, &whole))
                .collect();
            let near = |a: &[f32], b: &[f32]| {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5)
            };
            assert!(near(&found, &expected), "{map:?}");
            let valid: Vec<u8> = noise(3 * 63)[126..]
                .iter()
                .map(|&value| u8::from(value > 0.4))
                .collect();
            let found = bilinear(&source[..63], 1, from, to, map, Some(&valid));
            assert!(
                near(&found, &defined(&source[..63], from, to, map, &valid)),
                "{map:?}, masked"
            );
        }
    }

    #[test]
    fn whole_steps_and_turns_move_values_bit_by_bit() {
        let (size, source) = ([5, 4], noise(20));
        assert_eq!(bilinear(&source, 1, size, size, &MAPS[0], None), source);
        let indices: Vec<u32> = (0..20).collect();
        assert_eq!(nearest(size, size, &MAPS[0]), indices);
        // Turned by half: the last pixel comes first.
        let turn = [-1.0, 0.0, 4.0, 0.0, -1.0, 5.0];
        let turned: Vec<f32> = source.iter().rev().copied().collect();
        assert_eq!(bilinear(&source, 1, size, size, &turn, None), turned);
        assert_eq!(
            nearest(size, size, &turn),
            (0..20).rev().collect::<Vec<u32>>()
        );
        // One to the right, two down: what comes from outside is nothing.
        let step = [1.0, 0.0, 1.0, 0.0, 1.0, 2.0];
        let moved = nearest(size, size, &step);
        assert_eq!((moved[0], moved[3], moved[19]), (9, OUTSIDE, OUTSIDE));
        assert_eq!(pick(&[7; 20], &moved[..4], 255), [7, 7, 7, 255]);
        let mut twice = [1.0, f32::NAN, 3.0, 4.0];
        clear(&mut twice, &[1, 0]);
        assert_eq!(twice, [1.0, 0.0, 3.0, 0.0]);
        assert_eq!(bilinear(&source, 1, size, size, &step, None)[0], source[9]);
    }

    #[test]
    fn maps_of_nonsense_and_images_of_nothing_are_nothing() {
        let nonsense = [f64::NAN, 0.0, 0.0, 0.0, f64::INFINITY, 1e300];
        assert_eq!(
            bilinear(&noise(4), 1, [2, 2], [2, 2], &nonsense, None),
            [0.0; 4]
        );
        assert_eq!(nearest([2, 2], [2, 2], &nonsense), [OUTSIDE; 4]);
        assert_eq!(bilinear(&[], 1, [0, 2], [1, 2], &MAPS[0], None), [0.0; 2]);
    }
}
