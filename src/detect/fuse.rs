//! What several models found in one scene, as one set of boxes.

use crate::boxes::{BoxFusion, Detection, weighted_boxes};

/// Boxes of several models or views that overlap by more than this intersection over union are one object: the default of
/// weighted boxes fusion.
pub(super) const ONE_OBJECT: f64 = 0.55;

/// Fuses the boxes that each model has found, in pixels of one raster and merged as `fusion` says for each model. What one
/// model found stays as it is.
///
/// Boxes of one object become their mean, weighted by their scores. Its score is the mean of theirs times `min(T, N) / N`,
/// for `T` boxes of `N` models: what only some of the models find has their share of the score. Boxes below `min_score`
/// are dropped.
///
/// Boxes are of one object when they overlap by more than [`ONE_OBJECT`], or by what [`BoxFusion::WeightedBoxes`] says;
/// [`BoxFusion::Nms`] is applied to the fused boxes once more, so that no two of them overlap by more than it allows.
///
/// # Source
/// Weighted boxes fusion, Solovyev and others, *Weighted boxes fusion: Ensembling boxes from different object detection
/// models*, 2021, arXiv:1910.13302; scores as `conf_type="avg"` of their package `ensemble_boxes`.
pub(super) fn fused(
    found: Vec<Vec<Detection>>,
    fusion: BoxFusion,
    min_score: f32,
) -> Vec<Detection> {
    let models = found.len();
    let all: Vec<Detection> = found.into_iter().flatten().collect();
    if models < 2 {
        return all;
    }
    let iou = match fusion {
        BoxFusion::WeightedBoxes { iou } => iou,
        _ => ONE_OBJECT,
    };
    let mut joined = weighted_boxes(&all, iou, models);
    joined.retain(|found| found.score >= min_score);
    match fusion {
        BoxFusion::Nms { .. } => fusion.apply(joined),
        _ => joined,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::boxes::BoundingBox;

    /// `[x_min, y_min, x_max, y_max, class, score]`
    type Row = [f64; 6];

    #[derive(Deserialize)]
    struct Fixture {
        iou: f64,
        min_score: f32,
        models: Vec<Vec<Row>>,
        fused: Vec<Row>,
    }

    fn detections(rows: &[Row]) -> Vec<Detection> {
        let detection = |&[x_min, y_min, x_max, y_max, class, score]: &Row| {
            let bounds = BoundingBox::new(x_min, y_min, x_max, y_max);
            Detection::new(bounds, class as usize, score as f32)
        };
        rows.iter().map(detection).collect()
    }

    /// `tests/python/make_box_fixtures.py` made it: three models, of which one misses every second object, another finds
    /// things that are not there.
    #[test]
    fn what_three_models_find_is_fused_as_by_ensemble_boxes() {
        let text = include_str!("../../tests/fixtures/boxes/models.json");
        let fixture: Fixture = serde_json::from_str(text).expect("the fixture is whole");
        let found: Vec<_> = fixture.models.iter().map(|rows| detections(rows)).collect();
        let fusion = BoxFusion::WeightedBoxes { iou: fixture.iou };
        let ours = fused(found.clone(), fusion, fixture.min_score);
        let expected = detections(&fixture.fused);
        assert_eq!(ours.len(), expected.len());
        // Its fused edges are in single precision, as shares of 512 pixels.
        let within = 512.0 * 2e-7;
        for (one, other) in ours.iter().zip(&expected) {
            let edges = |found: &Detection| {
                let bounds = found.bounds;
                [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max]
            };
            let apart = edges(one).into_iter().zip(edges(other));
            let apart = apart.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            let scores_apart = (one.score - other.score).abs();
            assert!(
                one.class == other.class && apart < within && scores_apart < 1e-6,
                "{one:?} is not {other:?}"
            );
        }
        // The same at the usual overlap, which plain suppression of each model leaves to it.
        let plain = fused(found, BoxFusion::Nms { iou: 1.0 }, fixture.min_score);
        assert_eq!((fixture.iou, plain), (ONE_OBJECT, ours));
    }

    #[test]
    fn what_one_model_found_stays_and_what_some_found_loses_score() {
        let at =
            |x: f64, score| Detection::new(BoundingBox::from_xywh(x, 0.0, 20.0, 20.0), 1, score);
        let fusion = BoxFusion::default();
        let alone = vec![at(0.0, 0.9), at(5.0, 0.8)];
        assert_eq!(fused(vec![alone.clone()], fusion, 0.5), alone);
        let kept = fused(vec![vec![at(0.0, 0.9)], vec![at(50.0, 0.6)]], fusion, 0.4);
        assert_eq!(kept, [at(0.0, 0.45)], "half of 0.6 is below 0.4");
        // They overlap by a third: too little for one object, too much to stay where the options say so.
        let (left, right) = (at(0.0, 0.8), at(10.0, 0.4));
        let strict = BoxFusion::Nms { iou: 0.3 };
        let kept = fused(vec![vec![left], vec![right]], strict, 0.0);
        assert_eq!(kept, [at(0.0, 0.4)]);
        assert_eq!(fused(vec![vec![left], vec![right]], fusion, 0.0).len(), 2);
    }
}
