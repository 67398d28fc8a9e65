//! A symmetric blur along rows and then along columns, over those pixels alone that are valid.

use crate::resize::HeightWidth;

/// Blurs `[planes, height, width]` in place. `half` is the kernel from its middle outwards, so that it has `2 half.len() - 1`
/// taps; its sum does not matter, since each pixel's weights make up the whole over the valid pixels inside the image
/// (normalized convolution, Knutsson and Westin 1993). Where `valid` (`[height, width]`) is given, the values of pixels with 0
/// must be 0; they give nothing and stay as they are.
///
/// # Panics
/// When `data` or `valid` is shorter than the sizes say.
pub fn blur(
    data: &mut [f32],
    planes: usize,
    size: HeightWidth,
    half: &[f32],
    valid: Option<&[u8]>,
) {
    let area = size[0] * size[1];
    if area == 0 || half.len() < 2 {
        return;
    }
    let mut narrow = vec![0.0; area];
    let mut wide = vec![0.0; area];
    let mut spread = |plane: &[f32], target: &mut [f32]| {
        let lines = plane.chunks_exact(size[1]);
        for (line, target) in lines.zip(narrow.chunks_exact_mut(size[1])) {
            along(line, target, half);
        }
        across(&narrow, target, size[1], half);
    };
    let mask: Vec<f32> = match valid {
        Some(valid) => valid[..area]
            .iter()
            .map(|&valid| f32::from(valid))
            .collect(),
        None => vec![1.0; area],
    };
    let mut weights = vec![0.0; area];
    spread(&mask, &mut weights);
    for plane in data[..planes * area].chunks_exact_mut(area) {
        spread(plane, &mut wide);
        for (((value, &sum), &weight), &mask) in
            plane.iter_mut().zip(&wide).zip(&weights).zip(&mask)
        {
            // A valid pixel counts itself, so its weight is above 0.
            if mask != 0.0 {
                *value = sum / weight;
            }
        }
    }
}

/// One line, each pixel with its neighbors.
fn along(line: &[f32], target: &mut [f32], half: &[f32]) {
    let width = line.len();
    for (value, &source) in target.iter_mut().zip(line) {
        *value = source * half[0];
    }
    for (step, &weight) in half
        .iter()
        .enumerate()
        .skip(1)
        .take_while(|(step, _)| *step < width)
    {
        for (value, &source) in target[step..].iter_mut().zip(line) {
            *value += source * weight;
        }
        for (value, &source) in target.iter_mut().zip(&line[step..]) {
            *value += source * weight;
        }
    }
}

/// Whole rows with those above and below.
fn across(plane: &[f32], target: &mut [f32], width: usize, half: &[f32]) {
    let height = plane.len() / width;
    let row = |at: usize| &plane[at * width..(at + 1) * width];
    for (at, line) in target.chunks_exact_mut(width).enumerate() {
        for (value, &source) in line.iter_mut().zip(row(at)) {
            *value = source * half[0];
        }
        for (step, &weight) in half.iter().enumerate().skip(1) {
            for other in [
                at.checked_sub(step),
                Some(at + step).filter(|&row| row < height),
            ]
            .into_iter()
            .flatten()
            {
                for (value, &source) in line.iter_mut().zip(row(other)) {
                    *value += source * weight;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_becomes_the_kernel_and_a_plain_image_stays() {
        let half = [4.0, 2.0, 1.0];
        let mut flat = vec![3.0; 2 * 30];
        blur(&mut flat, 2, [5, 6], &half, None);
        assert!(flat.iter().all(|value| (value - 3.0).abs() < 1e-6));
        let mut point = vec![0.0; 11 * 11];
        point[5 * 11 + 5] = 100.0;
        blur(&mut point, 1, [11, 11], &half, None);
        let at = |row: usize, col: usize| point[row * 11 + col];
        assert!(
            (at(5, 5) - 16.0).abs() < 1e-5
                && (at(4, 6) - 4.0).abs() < 1e-5
                && (at(5, 7) - 4.0).abs() < 1e-5
        );
        assert_eq!((at(5, 8), at(2, 5)), (0.0, 0.0));
    }

    #[test]
    fn what_is_not_valid_gives_nothing_and_stays() {
        let mut data = vec![10.0, 10.0, 0.0, 10.0, 10.0, 10.0];
        blur(
            &mut data,
            1,
            [2, 3],
            &[2.0, 1.0, 0.5, 0.25],
            Some(&[1, 1, 0, 1, 1, 1]),
        );
        assert_eq!(data[2], 0.0);
        assert!(
            [0, 1, 3, 4, 5]
                .iter()
                .all(|&at| (data[at] - 10.0_f32).abs() < 1e-5)
        );
        blur(&mut [], 1, [0, 3], &[1.0, 1.0], None);
        let mut one = [5.0];
        blur(&mut one, 1, [1, 1], &[1.0, 1.0, 1.0], None);
        assert_eq!(one, [5.0]);
    }
}
