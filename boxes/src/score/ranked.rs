use super::matching::ClassBoxes;
use super::{ImageBoxes, MatchScore};
use crate::annotation::by_falling_score;

/// The found boxes of one class over all images, best first, each right or wrong. Boxes that count neither way are left out:
/// those in crowds and on [`ImageBoxes::ignored`] objects, and those of [`ImageBoxes::cut`] that match nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranked {
    /// Score, and whether the box matches an object.
    pub found: Vec<(f32, bool)>,
    /// Objects that count: neither crowds nor ignored ones.
    pub objects: usize,
}

/// Matches the boxes of one class as COCO does, at an intersection over union of `iou`, without a limit of boxes an image.
#[must_use]
pub fn ranked(images: &[ImageBoxes], class: usize, iou: f64) -> Ranked {
    let mut all = Vec::new();
    let mut objects = 0;
    for image in images {
        let boxes = ClassBoxes::of(image, class, usize::MAX, iou.min(1.0 - 1e-10));
        objects += boxes.ignored.iter().filter(|&&ignored| !ignored).count();
        let matches = boxes.matches(iou, &boxes.ignored);
        let found = boxes.found.iter().zip(&boxes.cut).zip(matches);
        let counted = found.filter(|((_, cut), one)| !one.ignored && (one.taken || !**cut));
        all.extend(counted.map(|((found, _), one)| (found.score, one.taken)));
    }
    let order = by_falling_score(all.iter().map(|(score, _)| *score));
    Ranked {
        found: order.into_iter().map(|at| all[at]).collect(),
        objects,
    }
}

impl Ranked {
    /// The counts among boxes of at least this score.
    #[must_use]
    pub fn at(&self, score_threshold: f32) -> MatchScore {
        let kept = self
            .found
            .iter()
            .filter(|(score, _)| *score >= score_threshold);
        let (right, all) = kept.fold((0, 0), |(right, all), (_, hit)| {
            (right + usize::from(*hit), all + 1)
        });
        MatchScore::new(right, all - right, self.objects - right)
    }

    /// Precision and recall when the best box counts, the best two, and so on; of boxes of one score, after the last.
    ///
    /// # Shapes
    /// `(score, precision, recall)` for each score that occurs, falling.
    #[must_use]
    pub fn curve(&self) -> Vec<(f32, f64, f64)> {
        let (mut right, mut points) = (0, Vec::new());
        for (at, &(score, hit)) in self.found.iter().enumerate() {
            right += usize::from(hit);
            if self.found.get(at + 1).is_none_or(|next| next.0 != score) {
                let precision = right as f64 / (at + 1) as f64;
                points.push((score, precision, right as f64 / self.objects as f64));
            }
        }
        points
    }

    /// The threshold with the highest F1 and the counts there; of equal ones the highest. Without any found box the
    /// threshold is 1.
    #[must_use]
    pub fn best(&self) -> (f32, MatchScore) {
        let mut best = (1.0, MatchScore::new(0, 0, self.objects));
        let mut right = 0;
        for (at, &(score, hit)) in self.found.iter().enumerate() {
            right += usize::from(hit);
            if self.found.get(at + 1).is_none_or(|next| next.0 != score) {
                let here = MatchScore::new(right, at + 1 - right, self.objects - right);
                if here.f1 > best.1.f1 || best.1.f1.is_nan() {
                    best = (score, here);
                }
            }
        }
        best
    }
}
