use rayon::prelude::*;

use crate::BoundingBox;

/// Intersection over union of every box of `a` with every one of `b`.
///
/// # Shapes
/// Returns `[a, b]`, row by row.
///
/// For thousands of boxes on both sides, [`crate::nms()`] and [`crate::score`] look only at those that are near.
#[must_use]
pub fn iou_matrix(a: &[BoundingBox], b: &[BoundingBox]) -> Vec<f64> {
    let row = |one: &BoundingBox| b.iter().map(|other| one.iou(other)).collect::<Vec<_>>();
    if a.len() * b.len() < 100_000 {
        a.iter().flat_map(row).collect()
    } else {
        a.par_iter().flat_map_iter(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_the_first_boxes_however_many_there_are() {
        let boxes: Vec<BoundingBox> = (0..400)
            .map(|at| BoundingBox::from_xywh(f64::from(at), 0.0, 4.0, 4.0))
            .collect();
        for (a, b) in [(&boxes[..3], &boxes[..]), (&boxes[..], &boxes[1..])] {
            let matrix = iou_matrix(a, b);
            assert_eq!(matrix.len(), a.len() * b.len());
            for (place, iou) in matrix.iter().enumerate() {
                assert_eq!(*iou, a[place / b.len()].iou(&b[place % b.len()]));
            }
        }
    }
}
