use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::ImageBoxes;
use super::matching::ClassBoxes;
use crate::annotation::by_falling_score;

/// Thresholds of intersection over union: 0.50, 0.55, … 0.95.
const LEVELS: usize = 10;
/// Recalls at which precision is read: 0, 0.01, … 1.
const RECALLS: usize = 101;
/// All objects, small ones up to 32 x 32 pixels, medium ones up to 96 x 96, large ones.
const AREAS: [(f64, f64); 4] = [(0.0, 1e10), (0.0, 1024.0), (1024.0, 9216.0), (9216.0, 1e10)];

/// What the scores look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CocoOptions {
    /// How many of the best boxes of each image and class count, for the three average recalls; average precision takes
    /// the last. COCO's are 1, 10 and 100, which is too few for a scene of hundreds of objects.
    pub max_detections: [usize; 3],
}

impl Default for CocoOptions {
    fn default() -> Self {
        Self {
            max_detections: [1, 10, 100],
        }
    }
}

impl CocoOptions {
    /// All boxes count: for whole scenes, of which each is one image.
    #[must_use]
    pub const fn without_limit() -> Self {
        Self {
            max_detections: [1, 10, usize::MAX],
        }
    }
}

/// COCO's twelve figures, those of each class, and the curves behind them. NaN where there is no object to find
/// (`pycocotools` says -1).
#[derive(Clone, Debug, PartialEq)]
pub struct CocoScores {
    /// Average precision: the mean over ten intersections over union (0.50, 0.55, … 0.95), 101 recalls, and classes.
    pub ap: f64,
    /// Average precision at an intersection over union of 0.5.
    pub ap50: f64,
    /// Average precision at an intersection over union of 0.75.
    pub ap75: f64,
    /// [`CocoScores::ap`] of objects of at most 32 x 32 pixels.
    pub ap_small: f64,
    /// [`CocoScores::ap`] of objects between 32 x 32 and 96 x 96 pixels.
    pub ap_medium: f64,
    /// [`CocoScores::ap`] of objects of at least 96 x 96 pixels.
    pub ap_large: f64,
    /// Average recall with the best box of each image: the mean over the ten intersections over union and classes.
    pub ar1: f64,
    /// Average recall with the ten best boxes of each image.
    pub ar10: f64,
    /// Average recall with the hundred best boxes of each image, or as many as the options let count.
    pub ar100: f64,
    /// [`CocoScores::ar100`] of objects of at most 32 x 32 pixels.
    pub ar_small: f64,
    /// [`CocoScores::ar100`] of objects between 32 x 32 and 96 x 96 pixels.
    pub ar_medium: f64,
    /// [`CocoScores::ar100`] of objects of at least 96 x 96 pixels.
    pub ar_large: f64,
    /// The figures of each class, from class 1.
    pub per_class: Vec<ClassAp>,
    curves: Vec<Vec<Option<PrecisionRecall>>>,
}

/// Average precision of one class; NaN where it has no object.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassAp {
    /// The class's index.
    pub class: usize,
    /// Labeled objects that count: neither crowds nor ignored ones.
    pub objects: usize,
    /// Found boxes, all of them.
    pub found: usize,
    /// The mean over the ten intersections over union.
    pub ap: f64,
    /// At an intersection over union of 0.5.
    pub ap50: f64,
    /// At an intersection over union of 0.75.
    pub ap75: f64,
    /// Of objects of at most 32 x 32 pixels.
    pub ap_small: f64,
    /// Of objects between 32 x 32 and 96 x 96 pixels.
    pub ap_medium: f64,
    /// Of objects of at least 96 x 96 pixels.
    pub ap_large: f64,
}

/// Precision at 101 recalls as COCO reads it: the highest precision at that recall or any higher one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PrecisionRecall {
    /// 0, 0.01, … 1.
    pub recall: Vec<f64>,
    /// The precision at each; 0 where the recall is not reached.
    pub precision: Vec<f64>,
    /// The score threshold at which each recall is reached; 0 where it is not.
    pub score: Vec<f32>,
}

/// COCO's scores of the classes from 1 to `classes`, equal to those of `pycocotools` 2.0.11 with its defaults.
///
/// ```
/// use swath_boxes::score::{ImageBoxes, coco};
/// use swath_boxes::{Annotation, BoundingBox, Detection};
/// let tree = BoundingBox::new(10.0, 10.0, 50.0, 60.0);
/// let image = ImageBoxes {
///     truth: vec![Annotation::new(tree, 1)],
///     found: vec![Detection::new(tree.translate(1.0, 0.0), 1, 0.9)],
///     ..ImageBoxes::default()
/// };
/// let scores = coco(&[image], 1);
/// assert!((scores.ap50 - 1.0).abs() < 1e-9 && scores.ap_large.is_nan());
/// ```
#[must_use]
pub fn coco(images: &[ImageBoxes], classes: usize) -> CocoScores {
    coco_with(images, classes, &CocoOptions::default())
}

/// [`coco`] with other limits of boxes an image.
#[must_use]
pub fn coco_with(images: &[ImageBoxes], classes: usize, options: &CocoOptions) -> CocoScores {
    let classes: Vec<ClassCurves> = (1..classes + 1)
        .into_par_iter()
        .map(|class| ClassCurves::of(images, class, options))
        .collect();
    let ap = |area: usize, levels: std::ops::Range<usize>| {
        let values = classes
            .iter()
            .flat_map(|class| class.precisions(area, levels.clone()));
        mean(values)
    };
    let ar = |area: usize, limit: usize| {
        let parts = classes
            .iter()
            .filter_map(|class| class.recalls[area][limit]);
        mean(parts.flatten())
    };
    CocoScores {
        ap: ap(0, 0..LEVELS),
        ap50: ap(0, 0..1),
        ap75: ap(0, 5..6),
        ap_small: ap(1, 0..LEVELS),
        ap_medium: ap(2, 0..LEVELS),
        ap_large: ap(3, 0..LEVELS),
        ar1: ar(0, 0),
        ar10: ar(0, 1),
        ar100: ar(0, 2),
        ar_small: ar(1, 2),
        ar_medium: ar(2, 2),
        ar_large: ar(3, 2),
        per_class: classes.iter().map(ClassCurves::summary).collect(),
        curves: classes
            .into_iter()
            .map(|class| class.curves[0].clone())
            .collect(),
    }
}

impl CocoScores {
    /// The curve of a class at one of the ten intersections over union; `None` for another one, for a class without
    /// objects, and for one that is not there. [`super::Ranked::curve`] has every point at any intersection over union.
    #[must_use]
    pub fn precision_recall(&self, class: usize, iou: f64) -> Option<&PrecisionRecall> {
        let level = (0..LEVELS).find(|&level| (level_of(level) - iou).abs() < 1e-6)?;
        self.curves.get(class.checked_sub(1)?)?.get(level)?.as_ref()
    }
}

/// Intersection over union number `level`, to the last digit as numpy's `linspace` has it.
fn level_of(level: usize) -> f64 {
    let step = (0.95 - 0.5) / 9.0;
    match level {
        9 => 0.95,
        level => level as f64 * step + 0.5,
    }
}

/// Recall number `at`, to the last digit as numpy's `linspace` has it.
fn recall_of(at: usize) -> f64 {
    match at {
        100 => 1.0,
        at => at as f64 * 0.01,
    }
}

/// All that one class contributes.
struct ClassCurves {
    class: usize,
    objects: usize,
    found: usize,
    /// By area and level, with the highest limit; `None` without objects.
    curves: Vec<Vec<Option<PrecisionRecall>>>,
    /// By area, limit and level.
    recalls: Vec<[Option<[f64; LEVELS]>; 3]>,
}

/// The found boxes of one image: scores, and one bit for each level.
struct Flags {
    scores: Vec<f32>,
    taken: Vec<u16>,
    ignored: Vec<u16>,
}

impl ClassCurves {
    fn of(images: &[ImageBoxes], class: usize, options: &CocoOptions) -> Self {
        let mut limits = options.max_detections;
        limits.sort_unstable();
        let boxes: Vec<ClassBoxes> = images
            .par_iter()
            .map(|image| ClassBoxes::of(image, class, limits[2], level_of(0)))
            .collect();
        let mut this = Self {
            class,
            objects: 0,
            found: images
                .iter()
                .flat_map(|image| image.found.iter().chain(&image.cut))
                .filter(|found| found.class == class)
                .count(),
            curves: Vec::new(),
            recalls: Vec::new(),
        };
        for (number, area) in AREAS.iter().enumerate() {
            let outside = |size: f64| size < area.0 || size > area.1;
            let (mut objects, mut flags) = (0, Vec::with_capacity(boxes.len()));
            for boxes in &boxes {
                let ignored: Vec<bool> = boxes
                    .truth
                    .iter()
                    .zip(&boxes.ignored)
                    .map(|(object, &ignored)| ignored || outside(object.area()))
                    .collect();
                objects += ignored.iter().filter(|&&ignored| !ignored).count();
                flags.push(Flags::of(boxes, &ignored, &outside));
            }
            if number == 0 {
                this.objects = objects;
            }
            let mut curves = vec![None; LEVELS];
            let mut recalls = [None; 3];
            if objects > 0 {
                for (limit, recalls) in limits.iter().zip(&mut recalls) {
                    let ranking = Ranking::of(&flags, *limit);
                    let all: Vec<(f64, PrecisionRecall)> = (0..LEVELS)
                        .map(|level| ranking.curve(&flags, level, objects))
                        .collect();
                    *recalls = Some(std::array::from_fn(|level| all[level].0));
                    // The last limit is the highest and stays.
                    curves = all.into_iter().map(|(_, curve)| Some(curve)).collect();
                }
            }
            this.curves.push(curves);
            this.recalls.push(recalls);
        }
        this
    }

    fn precisions(
        &self,
        area: usize,
        levels: std::ops::Range<usize>,
    ) -> impl Iterator<Item = f64> + '_ {
        let curves = self.curves[area][levels].iter().flatten();
        curves.flat_map(|curve| curve.precision.iter().copied())
    }

    fn summary(&self) -> ClassAp {
        let ap = |area, levels| mean(self.precisions(area, levels));
        ClassAp {
            class: self.class,
            objects: self.objects,
            found: self.found,
            ap: ap(0, 0..LEVELS),
            ap50: ap(0, 0..1),
            ap75: ap(0, 5..6),
            ap_small: ap(1, 0..LEVELS),
            ap_medium: ap(2, 0..LEVELS),
            ap_large: ap(3, 0..LEVELS),
        }
    }
}

impl Flags {
    fn of(boxes: &ClassBoxes, ignored: &[bool], outside: &impl Fn(f64) -> bool) -> Self {
        let count = boxes.found.len();
        let mut flags = Self {
            scores: boxes.found.iter().map(|found| found.score).collect(),
            taken: vec![0; count],
            ignored: vec![0; count],
        };
        for level in 0..LEVELS {
            for (at, one) in boxes
                .matches(level_of(level), ignored)
                .into_iter()
                .enumerate()
            {
                flags.taken[at] |= u16::from(one.taken) << level;
                // A box of another size, or of which too little is visible, that took nothing may belong to an object that
                // does not count.
                let alone = boxes.cut[at] || outside(boxes.found[at].bounds.area());
                let ignored = one.ignored || (!one.taken && alone);
                flags.ignored[at] |= u16::from(ignored) << level;
            }
        }
        flags
    }
}

/// The found boxes of all images, best first: image and place.
struct Ranking(Vec<(usize, usize)>);

impl Ranking {
    fn of(flags: &[Flags], limit: usize) -> Self {
        let all: Vec<(usize, usize)> = flags
            .iter()
            .enumerate()
            .flat_map(|(image, flags)| {
                (0..flags.scores.len().min(limit)).map(move |at| (image, at))
            })
            .collect();
        let order = by_falling_score(all.iter().map(|&(image, at)| flags[image].scores[at]));
        Self(order.into_iter().map(|place| all[place]).collect())
    }

    /// The recall that is reached, and the curve.
    fn curve(&self, flags: &[Flags], level: usize, objects: usize) -> (f64, PrecisionRecall) {
        let count = self.0.len();
        let (mut precision, mut recall) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let (mut right, mut wrong) = (0.0, 0.0);
        for &(image, at) in &self.0 {
            let bit = |flags: &[u16]| flags[at] >> level & 1 == 1;
            if !bit(&flags[image].ignored) {
                if bit(&flags[image].taken) {
                    right += 1.0;
                } else {
                    wrong += 1.0;
                }
            }
            recall.push(right / objects as f64);
            precision.push(right / (wrong + right + f64::EPSILON));
        }
        for at in (1..count).rev() {
            precision[at - 1] = precision[at - 1].max(precision[at]);
        }
        let mut curve = PrecisionRecall {
            recall: (0..RECALLS).map(recall_of).collect(),
            precision: vec![0.0; RECALLS],
            score: vec![0.0; RECALLS],
        };
        for at in 0..RECALLS {
            let first = recall.partition_point(|reached| *reached < recall_of(at));
            if first < count {
                let (image, place) = self.0[first];
                curve.precision[at] = precision[first];
                curve.score[at] = flags[image].scores[place];
            }
        }
        (recall.last().copied().unwrap_or(0.0), curve)
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), value| {
        (sum + value, count + 1)
    });
    sum / count as f64
}
