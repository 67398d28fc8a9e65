use crate::annotation::by_falling_score;
use crate::grid::BoxGrid;
use crate::{BoundingBox, Detection};

/// Non-maximum suppression: the boxes that overlap no better one by an intersection over union above `iou`, best first.
/// Equal scores keep their order, as in torchvision's `nms`. Boxes without area or with NaN overlap nothing and stay.
///
/// A grid finds the neighbors, so that a million boxes take about a second and not a million times a million looks.
///
/// # Shapes
/// `boxes` and `scores` are of one length (what is longer is cut); returns indices into them.
#[must_use]
pub fn nms(boxes: &[BoundingBox], scores: &[f32], iou: f64) -> Vec<usize> {
    let count = boxes.len().min(scores.len());
    suppress(&scores[..count], iou, |index| (&boxes[index], 0))
}

/// [`nms`] within each class: boxes of different classes leave each other alone. Best first over all classes, as
/// torchvision's `batched_nms`.
#[must_use]
pub fn batched_nms(detections: &[Detection], iou: f64) -> Vec<usize> {
    let scores: Vec<f32> = detections.iter().map(|found| found.score).collect();
    suppress(&scores, iou, |index| {
        (&detections[index].bounds, detections[index].class)
    })
}

fn suppress<'a>(
    scores: &[f32],
    iou: f64,
    of: impl Fn(usize) -> (&'a BoundingBox, usize),
) -> Vec<usize> {
    let mut grid = BoxGrid::default();
    let mut kept = Vec::new();
    for index in by_falling_score(scores.iter().copied()) {
        let (bounds, class) = of(index);
        if !grid.any_near(bounds, class, iou, |better| of(better).0.iou(bounds) > iou) {
            grid.insert(index, bounds, class);
            kept.push(index);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::*;

    /// Suppression as it is defined, with a look at every pair.
    fn by_definition(detections: &[Detection], iou: f64) -> Vec<usize> {
        let mut kept: Vec<usize> = Vec::new();
        for index in by_falling_score(detections.iter().map(|found| found.score)) {
            let one = &detections[index];
            let beaten = kept.iter().any(|&better| {
                detections[better].class == one.class
                    && detections[better].bounds.iou(&one.bounds) > iou
            });
            if !beaten {
                kept.push(index);
            }
        }
        kept
    }

    fn detections(count: usize, extent: f64, seed: u64) -> Vec<Detection> {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(seed);
        let mut one = || {
            let side = 2f64.powf(random.random_range(2.0..6.0));
            let shape = random.random_range(0.5..2.0);
            let (x, y) = (
                random.random_range(0.0..extent),
                random.random_range(0.0..extent),
            );
            // Few different scores: ties are the rule.
            let score = random.random_range(0..200u16);
            Detection::new(
                BoundingBox::from_xywh(x, y, side, side * shape),
                random.random_range(1..4),
                f32::from(score) / 200.0,
            )
        };
        (0..count).map(|_| one()).collect()
    }

    #[test]
    fn the_grid_keeps_what_the_definition_keeps() {
        for (seed, iou) in [0.0, 0.1, 0.3, 0.5, 0.7, 1.0].into_iter().enumerate() {
            let count = if cfg!(miri) { 60 } else { 700 };
            let detections = detections(count, 250.0, seed as u64);
            let expected = by_definition(&detections, iou);
            assert_eq!(batched_nms(&detections, iou), expected, "at {iou}");
            assert!(
                iou == 1.0 || (10..count).contains(&expected.len()),
                "{iou}: {}",
                expected.len()
            );
        }
    }

    #[test]
    fn ties_keep_their_order_and_classes_leave_each_other_alone() {
        let bounds = BoundingBox::new(0.0, 0.0, 10.0, 10.0);
        let found = [(1, 0.5), (2, 0.5), (1, 0.5), (1, 0.9), (2, f32::NAN)]
            .map(|(class, score)| Detection::new(bounds, class, score));
        assert_eq!(batched_nms(&found, 0.5), [3, 1]);
        assert_eq!(nms(&[bounds; 3], &[0.2, 0.4, 0.4], 0.5), [1]);
    }

    #[test]
    fn boxes_that_are_none_neither_suppress_nor_loop() {
        let nan = BoundingBox::new(f64::NAN, 0.0, 1.0, 1.0);
        let empty = BoundingBox::new(3.0, 3.0, 3.0, 3.0);
        let vast = BoundingBox::new(-1e150, -1e150, 1e150, 1e150);
        let speck = BoundingBox::from_xywh(5.0, 5.0, 1e-9, 1e-9);
        let boxes = [nan, empty, vast, speck, nan, empty];
        assert_eq!(nms(&boxes, &[0.9; 6], 0.0).len(), 5);
        assert_eq!(nms(&boxes, &[0.9; 6], 0.5).len(), 6);
        assert!(nms(&[], &[], 0.5).is_empty());
    }

    #[test]
    fn a_million_boxes_take_seconds() {
        let detections = detections(1_000_000, 20_000.0, 1);
        let start = std::time::Instant::now();
        let kept = batched_nms(&detections, 0.5);
        let took = start.elapsed();
        println!("a million boxes, {} kept: {took:?}", kept.len());
        assert!(kept.len() > 100_000 && took.as_secs() < 60, "{took:?}");
    }
}
