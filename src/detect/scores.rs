use crate::boxes::score::{
    self, CocoOptions, CocoScores, ImageBoxes, MatchScore, Matching, Ranked, ranked,
};
use crate::labels::Classes;
use crate::predict::{ThresholdChoice, ThresholdPoint};
use crate::report::{Notice, Report};

/// The scores of a scene's boxes against labeled ones: average precision, precision and recall, F1.
///
/// Shows itself as a table with the curve of precision over recall.
#[derive(Clone, Debug)]
pub struct BoxScores {
    /// Each scene is one image.
    images: Vec<ImageBoxes>,
    coco: CocoScores,
    pub(super) classes: Classes,
    threshold: f32,
    pub(super) scene: String,
    report: Report,
}

impl BoxScores {
    pub(super) fn new(image: ImageBoxes, classes: &Classes, threshold: f32, scene: &str) -> Self {
        let images = vec![image];
        let options = CocoOptions::without_limit();
        Self {
            coco: score::coco_with(&images, classes.len() - 1, &options),
            images,
            classes: classes.clone(),
            threshold,
            scene: scene.to_owned(),
            report: Report::new(),
        }
    }

    /// The scores of several scenes, each of which is an image, at the threshold of the first; there is at least one.
    pub(super) fn pooled(scores: &[&Self]) -> Self {
        let images: Vec<ImageBoxes> = scores.iter().flat_map(|one| one.images.clone()).collect();
        let (classes, threshold) = (scores[0].classes.clone(), scores[0].threshold);
        let mut report = Report::new();
        for one in scores {
            report.extend(one.report.clone());
        }
        Self {
            coco: score::coco_with(&images, classes.len() - 1, &CocoOptions::without_limit()),
            images,
            classes,
            threshold,
            scene: match scores {
                [one] => one.scene.clone(),
                many => format!("{} scenes", many.len()),
            },
            report,
        }
    }

    /// These scores with what else there is to say.
    pub(super) fn with_report(self, report: Report) -> Self {
        Self { report, ..self }
    }

    /// What a person should know about the scores, such as that they are of pixels that were trained on.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The same scores with counts at another threshold; average precision does not depend on it.
    pub(super) fn at(&self, threshold: f32) -> Self {
        Self {
            threshold,
            ..self.clone()
        }
    }

    /// Average precision at IoU 0.5, the mean over the classes that have objects; NaN when none has.
    #[must_use]
    pub fn ap50(&self) -> f64 {
        self.coco.ap50
    }

    /// COCO's average precision, the mean over IoU 0.50, 0.55, … 0.95 and over the classes that have objects; NaN when
    /// none has.
    #[must_use]
    pub fn ap(&self) -> f64 {
        self.coco.ap
    }

    /// All of COCO's figures, by size and class. Every box counts, not only COCO's 100 best of an image: a scene has more
    /// objects than that.
    #[must_use]
    pub fn coco(&self) -> &CocoScores {
        &self.coco
    }

    /// The labeled and the found boxes of each scene that were compared.
    #[must_use]
    pub fn images(&self) -> &[ImageBoxes] {
        &self.images
    }

    /// The labeled and the found boxes that were compared, in pixels of their common area; of several scenes those of the
    /// first ([`BoxScores::images`]).
    #[must_use]
    pub fn boxes(&self) -> &ImageBoxes {
        &self.images[0]
    }

    /// The threshold that [`BoxScores::counts`] and [`BoxScores::f1`] use.
    #[must_use]
    pub fn threshold(&self) -> f32 {
        self.threshold
    }

    /// Right, wrong and missed boxes of all classes at the threshold; a box is right from this intersection over union.
    #[must_use]
    pub fn counts(&self, iou: f64) -> MatchScore {
        self.counts_by(iou, Matching::Coco)
    }

    /// [`BoxScores::counts`] by another matching, such as Raster Vision's, so that its published figures can be compared.
    #[must_use]
    pub fn counts_by(&self, iou: f64, matching: Matching) -> MatchScore {
        (1..self.classes.len())
            .map(|class| self.class_counts(class, iou, matching))
            .fold(MatchScore::new(0, 0, 0), |sum, one| sum.and(&one))
    }

    pub(super) fn class_counts(&self, class: usize, iou: f64, matching: Matching) -> MatchScore {
        score::f1(&self.images, class, iou, self.threshold, matching)
    }

    /// F1 of all classes at the threshold; a box is right from this intersection over union (0.5 is usual, 0.4 for objects
    /// whose outlines nobody can tell exactly). NaN when there is neither object nor box.
    #[must_use]
    pub fn f1(&self, iou: f64) -> f64 {
        self.counts(iou).f1
    }

    /// The threshold with the highest F1 on these very boxes, and its counts. For a figure that holds elsewhere take
    /// [`BoxScores::f1`], whose threshold comes from the validation area.
    #[must_use]
    pub fn best_f1(&self, iou: f64) -> (f32, MatchScore) {
        best_threshold(&self.images, self.classes.len(), iou)
    }

    /// The threshold of [`BoxScores::best_f1`] with precision, recall and F1 at every score that occurs: shows itself as a
    /// small curve, and goes wherever a threshold does. One half where no box is right.
    #[must_use]
    pub fn best_threshold(&self, iou: f64) -> ThresholdChoice {
        let all = all_ranked(&self.images, self.classes.len(), iou);
        let (mut right, mut points) = (0_u64, Vec::new());
        let labeled = all.objects as u64;
        for (at, &(score, hit)) in all.found.iter().enumerate() {
            right += u64::from(hit);
            if all.found.get(at + 1).is_none_or(|next| next.0 != score) {
                let wrong = at as u64 + 1 - right;
                points.push(ThresholdPoint::of(score, right, wrong, labeled));
            }
        }
        points.reverse();
        let (threshold, counts) = best_of(&all);
        let chosen = ThresholdPoint::of(
            threshold,
            counts.true_positives as u64,
            counts.false_positives as u64,
            labeled,
        );
        let of = format!("boxes at IoU {iou:.2}");
        let choice = ThresholdChoice::new(chosen, points, of, self.scene.clone());
        match counts.true_positives {
            0 => choice.with_notice(
                Notice::assumed("no box is right at any threshold: one half was taken")
                    .next("train longer, or look at the boxes with `boxes.threshold(0.0)`"),
            ),
            _ => choice,
        }
    }

    /// Precision and recall of a class, by name, after each score that occurs: `(score, precision, recall)`, scores
    /// falling. Empty for a class that is not there.
    #[must_use]
    pub fn precision_recall(&self, class: &str, iou: f64) -> Vec<(f32, f64, f64)> {
        let index = self.classes.index_of(class).filter(|&index| index > 0);
        index.map_or_else(Vec::new, |index| self.curve_of(index, iou))
    }

    pub(super) fn curve_of(&self, class: usize, iou: f64) -> Vec<(f32, f64, f64)> {
        ranked(&self.images, class, iou).curve()
    }

    /// The scores as JSON.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let number = |value: f64| value.is_finite().then_some(value);
        let classes: Vec<_> = self
            .coco
            .per_class
            .iter()
            .map(|class| {
                let counts = self.class_counts(class.class, 0.5, Matching::Coco);
                serde_json::json!({
                    "class": self.classes.get(class.class).map(|class| &class.name),
                    "objects": class.objects,
                    "ap50": number(class.ap50),
                    "ap75": number(class.ap75),
                    "ap": number(class.ap),
                    "true_positives": counts.true_positives,
                    "false_positives": counts.false_positives,
                    "false_negatives": counts.false_negatives,
                    "precision": number(counts.precision),
                    "recall": number(counts.recall),
                    "f1": number(counts.f1),
                })
            })
            .collect();
        serde_json::json!({
            "scene": self.scene,
            "threshold": self.threshold,
            "iou": 0.5,
            "ap50": number(self.coco.ap50),
            "ap75": number(self.coco.ap75),
            "ap": number(self.coco.ap),
            "ap_small": number(self.coco.ap_small),
            "ap_medium": number(self.coco.ap_medium),
            "ap_large": number(self.coco.ap_large),
            "f1": number(self.f1(0.5)),
            "classes": classes,
        })
    }
}

/// The threshold of boxes of which none is right.
const NONE_IS_RIGHT: f32 = 0.5;

/// The threshold with the highest F1 over all classes together, and its counts; `classes` counts the background. Where no
/// box is right every threshold is as bad: then it is one half.
pub(crate) fn best_threshold(images: &[ImageBoxes], classes: usize, iou: f64) -> (f32, MatchScore) {
    best_of(&all_ranked(images, classes, iou))
}

fn best_of(all: &Ranked) -> (f32, MatchScore) {
    let best = all.best();
    if best.1.f1 > 0.0 {
        return best;
    }
    let wrong = all
        .found
        .iter()
        .filter(|(score, _)| *score >= NONE_IS_RIGHT);
    (
        NONE_IS_RIGHT,
        MatchScore::new(0, wrong.count(), all.objects),
    )
}

/// The boxes of all classes, best first.
fn all_ranked(images: &[ImageBoxes], classes: usize, iou: f64) -> Ranked {
    let mut all = Ranked::default();
    for class in 1..classes {
        let of_class = ranked(images, class, iou);
        all.found.extend(of_class.found);
        all.objects += of_class.objects;
    }
    all.found.sort_by(|one, other| other.0.total_cmp(&one.0));
    all
}
