use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

use serde::{Deserialize, Serialize};

use crate::annotation::by_falling_score;
use crate::grid::BoxGrid;
use crate::{BoundingBox, BoxIndex, Detection, batched_nms};

/// What becomes of boxes of one class that overlap. Boxes of different classes leave each other alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum BoxFusion {
    /// The better box stays: [`crate::nms()`].
    Nms {
        /// Boxes that overlap a better one by an intersection over union above this go.
        iou: f64,
    },
    /// A box keeps a share of its score, the less the more it overlaps better ones: `score * exp(-iou² / sigma)`. Keeps
    /// objects that stand close together, which plain suppression takes for one.
    SoftNms {
        /// How gently scores fall; 0.5 is usual.
        sigma: f64,
        /// Boxes whose score has fallen to this or below go; 0.001 is usual.
        min_score: f32,
    },
    /// One box from all that lie together: the mean of their edges, weighted by their scores, with the mean of their
    /// scores. For boxes that are right on average but none of them exactly, such as those of several models.
    WeightedBoxes {
        /// Boxes that overlap the merged box so far by an intersection over union above this join it; 0.55 is usual.
        iou: f64,
    },
}

impl Default for BoxFusion {
    fn default() -> Self {
        Self::Nms { iou: 0.5 }
    }
}

impl BoxFusion {
    /// Merges boxes; the result is sorted from the best to the worst.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "what is merged is not needed any more"
    )]
    pub fn apply(&self, detections: Vec<Detection>) -> Vec<Detection> {
        match *self {
            Self::Nms { iou } => batched_nms(&detections, iou)
                .into_iter()
                .map(|index| detections[index])
                .collect(),
            Self::SoftNms { sigma, min_score } => soft_nms(&detections, sigma, min_score),
            Self::WeightedBoxes { iou } => weighted_boxes(&detections, iou, 1),
        }
    }
}

/// Suppression that lowers the scores of boxes instead of dropping them (Bodla et al. 2017, arXiv:1704.04503, the Gaussian
/// form): from the best box down, each lowers those it overlaps by `exp(-iou² / sigma)`. Returns boxes whose score stays
/// above `min_score` with their new scores, best first, of equal ones the lower class first.
#[must_use]
pub fn soft_nms(detections: &[Detection], sigma: f64, min_score: f32) -> Vec<Detection> {
    let mut by_class: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    // Also leaves out NaN.
    let candidates = detections.iter().enumerate();
    for (index, found) in candidates.filter(|(_, found)| found.score > min_score) {
        by_class.entry(found.class).or_default().push(index);
    }
    let mut kept = Vec::new();
    for members in by_class.into_values() {
        let boxes: Vec<BoundingBox> = members
            .iter()
            .map(|&index| detections[index].bounds)
            .collect();
        let index = BoxIndex::new(boxes.clone());
        let score = |member: usize| f64::from(detections[members[member]].score);
        let mut scores: Vec<f64> = (0..members.len()).map(score).collect();
        let mut done = vec![false; members.len()];
        let first = |place: usize| Candidate {
            score: scores[place],
            place,
        };
        let mut queue: BinaryHeap<Candidate> = (0..members.len()).map(first).collect();
        while let Some(best) = queue.pop() {
            // A box whose score has fallen since is in the queue once more.
            if done[best.place] || best.score != scores[best.place] {
                continue;
            }
            if best.score <= f64::from(min_score) {
                break;
            }
            done[best.place] = true;
            kept.push(Detection {
                score: best.score as f32,
                ..detections[members[best.place]]
            });
            for place in index.touching(&boxes[best.place]) {
                if !done[place] {
                    let iou = boxes[best.place].iou(&boxes[place]);
                    scores[place] *= (-iou * iou / sigma).exp();
                    let score = scores[place];
                    queue.push(Candidate { score, place });
                }
            }
        }
    }
    best_first(&kept)
}

/// A box in the queue of its class: the best score comes out first, the first place among equals.
#[derive(PartialEq)]
struct Candidate {
    score: f64,
    place: usize,
}

impl Eq for Candidate {}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_score = self.score.total_cmp(&other.score);
        by_score.then(other.place.cmp(&self.place))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Weighted boxes fusion (Solovyev et al. 2021, arXiv:1910.13302): from the best box down, each joins the merged box that
/// it overlaps most, if by more than `iou`, or begins one of its own. A merged box has the mean edges, weighted by score,
/// and the mean score; of several `models`, one that fewer boxes than models made has as much less: the confidence of
/// `ensemble_boxes`' `conf_type="avg"`. Best first; boxes without area or score are left out.
#[must_use]
pub fn weighted_boxes(detections: &[Detection], iou: f64, models: usize) -> Vec<Detection> {
    let mut merged: Vec<Merged> = Vec::new();
    let mut grid = BoxGrid::default();
    for place in by_falling_score(detections.iter().map(|found| found.score)) {
        let found = &detections[place];
        if !found.bounds.is_valid() || found.score.is_nan() || found.score <= 0.0 {
            continue;
        }
        let mut best: Option<(f64, usize)> = None;
        grid.any_near(&found.bounds, found.class, iou, |other| {
            let overlap = merged[other].bounds.iou(&found.bounds);
            let better = best
                .is_none_or(|(most, first)| overlap > most || (overlap == most && other < first));
            if overlap > iou && better {
                best = Some((overlap, other));
            }
            false
        });
        match best {
            Some((_, index)) => {
                let one = &mut merged[index];
                grid.remove(index, &one.bounds, one.class);
                one.join(found);
                grid.insert(index, &one.bounds, one.class);
            }
            None => {
                let one = Merged::new(found);
                grid.insert(merged.len(), &one.bounds, one.class);
                merged.push(one);
            }
        }
    }
    let models = models.max(1) as f64;
    let fused = merged.into_iter().map(|one| {
        let share = one.count.min(models) / models;
        Detection::new(
            one.bounds,
            one.class,
            (one.scores / one.count * share) as f32,
        )
    });
    best_first(&fused.collect::<Vec<_>>())
}

/// Boxes that have become one.
struct Merged {
    bounds: BoundingBox,
    class: usize,
    /// Sum of the boxes' edges, each times its score.
    weighted: BoundingBox,
    scores: f64,
    count: f64,
}

impl Merged {
    fn new(found: &Detection) -> Self {
        let score = f64::from(found.score);
        Self {
            bounds: found.bounds,
            class: found.class,
            weighted: found.bounds.scale(score, score),
            scores: score,
            count: 1.0,
        }
    }

    fn join(&mut self, found: &Detection) {
        let score = f64::from(found.score);
        let (sum, one) = (&self.weighted, found.bounds.scale(score, score));
        self.weighted = BoundingBox::new(
            sum.x_min + one.x_min,
            sum.y_min + one.y_min,
            sum.x_max + one.x_max,
            sum.y_max + one.y_max,
        );
        self.scores += score;
        self.count += 1.0;
        self.bounds = self.weighted.scale(1.0 / self.scores, 1.0 / self.scores);
    }
}

fn best_first(detections: &[Detection]) -> Vec<Detection> {
    let order = by_falling_score(detections.iter().map(|found| found.score));
    order.into_iter().map(|place| detections[place]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Fixture {
        /// `[x_min, y_min, x_max, y_max, class, score]`
        detections: Vec<[f64; 6]>,
        nms: Vec<[f64; 6]>,
        soft: Vec<[f64; 6]>,
        weighted: Vec<[f64; 6]>,
        weighted_of_three: Vec<[f64; 6]>,
    }

    fn detections(rows: &[[f64; 6]]) -> Vec<Detection> {
        rows.iter()
            .map(|&[x_min, y_min, x_max, y_max, class, score]| {
                let bounds = BoundingBox::new(x_min, y_min, x_max, y_max);
                Detection::new(bounds, class as usize, score as f32)
            })
            .collect()
    }

    fn assert_close(found: &[Detection], expected: &[[f64; 6]], within: f64, what: &str) {
        assert_eq!(found.len(), expected.len(), "{what}");
        for (one, other) in found.iter().zip(detections(expected)) {
            let edges =
                |bounds: &BoundingBox| [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max];
            let (found, expected) = (edges(&one.bounds), edges(&other.bounds));
            let edges_apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
            let apart = edges_apart.fold(f64::from((one.score - other.score).abs()), f64::max);
            assert!(
                one.class == other.class && apart < within,
                "{what}: {one:?} is not {other:?}"
            );
        }
    }

    /// `tests/python/make_box_fixtures.py` made it with ensemble-boxes.
    #[test]
    fn merging_agrees_with_ensemble_boxes() {
        let text = include_str!("../../tests/fixtures/boxes/merging.json");
        let fixture: Fixture = serde_json::from_str(text).unwrap();
        let all = detections(&fixture.detections);
        let merged = |fusion: BoxFusion| fusion.apply(all.clone());
        assert_close(
            &merged(BoxFusion::Nms { iou: 0.5 }),
            &fixture.nms,
            1e-6,
            "nms",
        );
        let soft = BoxFusion::SoftNms {
            sigma: 0.5,
            min_score: 0.05,
        };
        assert_close(&merged(soft), &fixture.soft, 1e-6, "soft-NMS");
        // It computes merged edges in single precision, as shares of 512 pixels.
        let within = 512.0 * 2e-7;
        let weighted = BoxFusion::WeightedBoxes { iou: 0.55 };
        assert_close(
            &merged(weighted),
            &fixture.weighted,
            within,
            "weighted boxes",
        );
        let of_three = weighted_boxes(&all, 0.55, 3);
        let of = "weighted boxes of three models";
        assert_close(&of_three, &fixture.weighted_of_three, within, of);
        assert!(fixture.soft.len() > fixture.nms.len() && fixture.nms.len() < all.len());
    }

    #[test]
    fn equal_scores_of_many_classes_come_in_the_order_of_the_classes() {
        // Forty classes come in their order by chance once in 40! times.
        let at =
            |class: usize| Detection::new(BoundingBox::from_xywh(0.0, 0.0, 9.0, 9.0), class, 0.5);
        let all: Vec<Detection> = (1..=40).rev().map(at).collect();
        let merged = soft_nms(&all, 0.5, 0.0);
        let classes: Vec<usize> = merged.iter().map(|found| found.class).collect();
        assert_eq!(classes, (1..=40).collect::<Vec<_>>());
    }

    #[test]
    fn merging_ends_with_what_is_no_box() {
        let nan = BoundingBox::new(f64::NAN, 0.0, 1.0, 1.0);
        let good = BoundingBox::new(0.0, 0.0, 1.0, 1.0);
        let rows = [
            (nan, 0.5),
            (good, f32::NAN),
            (good, 0.9),
            (good, 0.0),
            (good, 0.8),
        ];
        let all: Vec<Detection> = rows
            .map(|(bounds, score)| Detection::new(bounds, 1, score))
            .to_vec();
        for fusion in [
            BoxFusion::default(),
            BoxFusion::SoftNms {
                sigma: 0.5,
                min_score: 0.001,
            },
            BoxFusion::WeightedBoxes { iou: 0.5 },
        ] {
            let merged = fusion.apply(all.clone());
            assert!(
                merged[0].score > 0.8 && merged[0].bounds.iou(&good) > 0.999,
                "{fusion:?}: {merged:?}"
            );
            assert!(fusion.apply(Vec::new()).is_empty());
        }
    }

    #[test]
    fn ten_thousand_boxes_on_one_spot_merge_in_seconds() {
        let spot = |at: usize| BoundingBox::from_xywh(at as f64 * 1e-4, 0.0, 50.0, 50.0);
        let count = if cfg!(miri) { 100 } else { 10_000 };
        let all: Vec<Detection> = (0..count)
            .map(|at| Detection::new(spot(at), 1, 0.5 + at as f32 * 1e-5))
            .collect();
        assert_eq!(BoxFusion::default().apply(all.clone()).len(), 1);
        assert_eq!(BoxFusion::WeightedBoxes { iou: 0.5 }.apply(all).len(), 1);
    }
}
