//! Boxes out of a heat map: its local maxima, each with the sides at its cell.

use burn::tensor::{Tensor, activation};

use super::targets::middle;
use crate::boxes::{BoundingBox, Detection, batched_nms};
use crate::models::DetectOptions;

/// The objects of each image, best first.
///
/// # Shapes
/// - `heat`: `[n, classes - 1, h, w]`, before the sigmoid; `sides`: `[n, 4, h, w]`, in pixels
/// - `image`: height and width in pixels, which boxes are cut to
pub(super) fn detections(
    heat: Tensor<4>,
    sides: Tensor<4>,
    image: [usize; 2],
    options: &DetectOptions,
) -> Vec<Vec<Detection>> {
    let [_, classes, height, width] = heat.dims();
    // A device that cannot give its results panics here; whoever calls a network catches that.
    let read = |tensor: Tensor<4>| {
        tensor
            .into_data()
            .convert::<f32>()
            .try_to_vec::<f32>()
            .unwrap_or_default()
    };
    let (heat, sides) = (read(activation::sigmoid(heat)), read(sides));
    let cells = height * width;
    heat.chunks_exact((classes * cells).max(1))
        .zip(sides.chunks_exact((4 * cells).max(1)))
        .map(|(heat, sides)| of_image(heat, sides, [height, width], image, options))
        .collect()
}

fn of_image(
    heat: &[f32],
    sides: &[f32],
    [height, width]: [usize; 2],
    image: [usize; 2],
    options: &DetectOptions,
) -> Vec<Detection> {
    let cells = height * width;
    let mut found = Vec::new();
    for (class, plane) in heat.chunks_exact(cells.max(1)).enumerate() {
        for (row, column) in peaks(plane, [height, width], options.min_score) {
            let cell = row * width + column;
            let side = |index: usize| f64::from(sides[index * cells + cell]);
            let (x, y) = middle(row, column);
            let bounds = BoundingBox::new(x - side(0), y - side(1), x + side(2), y + side(3))
                .clip(image[1] as f64, image[0] as f64);
            if bounds.is_valid() {
                found.push(Detection::new(bounds, class + 1, plane[cell]));
            }
        }
    }
    let mut kept: Vec<_> = batched_nms(&found, options.nms_iou)
        .into_iter()
        .map(|index| found[index])
        .collect();
    kept.truncate(options.max_boxes);
    kept
}

/// Cells of at least `least` that none of their eight neighbors exceeds, row by row.
fn peaks(plane: &[f32], [height, width]: [usize; 2], least: f32) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (row, line) in plane.chunks_exact(width.max(1)).enumerate() {
        for (column, &value) in line.iter().enumerate() {
            if value < least || value.is_nan() {
                continue;
            }
            let rows = row.saturating_sub(1)..=(row + 1).min(height - 1);
            let columns = column.saturating_sub(1)..(column + 2).min(width);
            let highest = rows
                .flat_map(|row| &plane[row * width..][columns.clone()])
                .all(|&other| value >= other);
            if highest {
                found.push((row, column));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    #[test]
    fn a_peak_is_a_cell_that_no_neighbor_exceeds() {
        #[rustfmt::skip]
        let plane = [
            0.9, 0.1, 0.1, 0.1,
            0.1, 0.5, 0.6, 0.1,
            0.1, 0.1, 0.1, 0.04,
        ];
        assert_eq!(peaks(&plane, [3, 4], 0.05), [(0, 0), (1, 2)]);
        assert_eq!(peaks(&plane, [3, 4], 0.7), [(0, 0)]);
        assert_eq!(peaks(&[f32::NAN, 0.5], [1, 2], 0.1), []);
    }

    #[test]
    fn boxes_come_from_the_sides_at_the_peak_best_first_and_cut_to_the_image() {
        let device = Device::flex();
        // Two classes on 2 x 3 cells; logits 0 (0.5) and 2 (0.88) at the peaks.
        let mut heat = vec![-5.0_f32; 12];
        (heat[0], heat[6 + 5]) = (0.0, 2.0);
        let mut sides = vec![1.0_f32; 24];
        for (side, distance) in [3.0, 1.0, 4.0, 5.0].into_iter().enumerate() {
            sides[side * 6] = distance;
        }
        let heat = Tensor::<4>::from_data(TensorData::new(heat, [1, 2, 2, 3]), &device);
        let sides = Tensor::<4>::from_data(TensorData::new(sides, [1, 4, 2, 3]), &device);
        let found = detections(heat, sides, [8, 12], &DetectOptions::default());
        assert_eq!(found.len(), 1);
        let boxes: Vec<_> = found[0]
            .iter()
            .map(|found| (found.class, found.bounds))
            .collect();
        assert_eq!(
            boxes,
            [
                (2, BoundingBox::new(9.0, 5.0, 11.0, 7.0)),
                (1, BoundingBox::new(0.0, 1.0, 6.0, 7.0)),
            ]
        );
        assert!((found[0][0].score - 0.880_797).abs() < 1e-5 && found[0][1].score == 0.5);
    }
}
