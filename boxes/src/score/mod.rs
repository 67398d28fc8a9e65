//! Scores of found boxes against labeled ones: COCO's average precision, and F1 at one threshold by COCO's matching or
//! Raster Vision's.

mod coco;
mod counts;
mod matching;
mod ranked;
mod raster_vision;

pub use coco::{ClassAp, CocoOptions, CocoScores, PrecisionRecall, coco, coco_with};
pub use counts::MatchScore;
pub use ranked::{Ranked, ranked};

use serde::{Deserialize, Serialize};

use crate::{Annotation, Detection};

/// The labeled and the found boxes of one image. A whole scene is one image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageBoxes {
    /// What is there.
    pub truth: Vec<Annotation>,
    /// What was found, in any order.
    pub found: Vec<Detection>,
    /// Further objects that count neither way, such as those of which too little is visible: a found box that matches one of
    /// them and no object that counts is neither right nor wrong, and none of them is missed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<Annotation>,
    /// Further found boxes of which too little is visible: right where they match an object, and wrong nowhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cut: Vec<Detection>,
}

/// Which found box goes with which labeled one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Matching {
    /// From the best found box down, within a class: each takes the free object that it overlaps most, at the least
    /// intersection over union or above (`pycocotools.cocoeval`, without a limit of boxes an image). Boxes in crowds
    /// count neither way. [`ImageBoxes::ignored`] and [`ImageBoxes::cut`] are what objects and found boxes of another size
    /// are in COCO's figures by size.
    #[default]
    Coco,
    /// As Raster Vision's `ObjectDetectionEvaluator`: whatever the class, each object keeps the found box that it
    /// overlaps most, above the intersection over union; then each found box keeps the object it overlaps most. A pair
    /// is right when the classes agree, so that a box of the wrong class can take an object from one of the right class;
    /// scores decide nothing. Its published figures were computed so. It knows no crowds: they count as objects; and it knows
    /// neither [`ImageBoxes::ignored`] nor [`ImageBoxes::cut`].
    RasterVision,
}

/// Right, wrong and missed boxes of one class among those found with at least `score_threshold`, where `iou` is the
/// intersection over union from which (Raster Vision: above which) a box can match.
#[must_use]
pub fn f1(
    images: &[ImageBoxes],
    class: usize,
    iou: f64,
    score_threshold: f32,
    matching: Matching,
) -> MatchScore {
    match matching {
        Matching::Coco => ranked(images, class, iou).at(score_threshold),
        Matching::RasterVision => {
            raster_vision::Pairs::of(images, iou).counts(class, score_threshold)
        }
    }
}

/// The score threshold with the highest F1 of a class, and the counts there; of equal ones the highest. Raster Vision's
/// matching is tried at 200 thresholds at most, evenly spread over the scores that occur.
///
/// It is the best on these very boxes: to judge a model choose the threshold on other ones.
#[must_use]
pub fn best_f1(
    images: &[ImageBoxes],
    class: usize,
    iou: f64,
    matching: Matching,
) -> (f32, MatchScore) {
    match matching {
        Matching::Coco => ranked(images, class, iou).best(),
        Matching::RasterVision => raster_vision::Pairs::of(images, iou).best(class),
    }
}

#[cfg(test)]
mod tests;
