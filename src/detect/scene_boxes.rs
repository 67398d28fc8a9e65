use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::BoxScores;
use super::DetectError;
use crate::boxes::score::ImageBoxes;
use crate::boxes::{Annotation, Detection};
use crate::labels::Classes;
use crate::models::{ObjectDetection, TrainedArea};
use crate::predict::{IntoThreshold, Predictions, ThresholdChoice, check_probability, wrong};
use crate::raster::PixelWindow;
use crate::report::{Notice, Report};
use crate::scene::{AreaOfInterest, Scene};
use crate::scenes::Scenes;
use crate::{Result, session};

/// The objects found in a scene: boxes with class and score. Cheap to clone.
///
/// As the last expression of a cell it shows itself over the imagery. [`SceneBoxes::threshold`] changes which boxes count,
/// [`SceneBoxes::evaluate`] scores them, [`SceneBoxes::save`] writes GIS files.
///
/// | to | methods |
/// |---|---|
/// | score | [`SceneBoxes::evaluate`] |
/// | decide anew | [`SceneBoxes::threshold`], [`SceneBoxes::best_threshold`] |
/// | measure | [`SceneBoxes::objects`], [`SceneBoxes::counts`] |
/// | look | [`SceneBoxes::zoom`], [`SceneBoxes::show_bands`] |
/// | save | [`SceneBoxes::save`] |
#[derive(Clone)]
pub struct SceneBoxes {
    inner: Arc<Inner>,
    threshold: f32,
    /// What prediction had to say.
    report: Report,
    /// What the models were trained on.
    trained: Vec<TrainedArea>,
}

struct Inner {
    /// Best first, in pixels of the scene's raster.
    detections: Vec<Detection>,
    classes: Classes,
    scene: Scene,
    area: PixelWindow,
    /// The area of interest that limited the search.
    within: Option<AreaOfInterest>,
    /// The latest evaluation, at whatever threshold, which is saved with the boxes.
    evaluated: Mutex<Option<BoxScores>>,
}

impl SceneBoxes {
    pub(super) fn new(
        mut detections: Vec<Detection>,
        threshold: f32,
        classes: Classes,
        scene: Scene,
        area: PixelWindow,
    ) -> Self {
        // One class has one color in the pictures of a scene, of its chips and of what was found there.
        let classes = classes.in_colors_of(scene.classes());
        let within = scene.aoi().cloned();
        detections.sort_by(|one, other| other.score.total_cmp(&one.score));
        Self {
            inner: Arc::new(Inner {
                detections,
                classes,
                scene,
                area,
                within,
                evaluated: Mutex::new(None),
            }),
            threshold,
            report: Report::new(),
            trained: Vec::new(),
        }
    }

    /// These boxes, whose search an area of interest limited that need not be the scene's.
    pub(super) fn searched_in(mut self, within: Option<AreaOfInterest>) -> Self {
        if let (Some(within), Some(inner)) = (within, Arc::get_mut(&mut self.inner)) {
            inner.within = Some(within);
        }
        self
    }

    /// The area of interest that limited the search.
    pub(super) fn searched_within(&self) -> Option<&AreaOfInterest> {
        self.inner.within.as_ref()
    }

    /// These boxes with what prediction had to say.
    pub(crate) fn with_report(self, report: Report) -> Self {
        Self { report, ..self }
    }

    /// These boxes, which know what their models were trained on.
    pub(crate) fn of_models(mut self, trained: impl IntoIterator<Item = TrainedArea>) -> Self {
        self.trained.extend(trained);
        self
    }

    /// What a person should know about the prediction, such as values unlike those of the training.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The same boxes with another threshold: those of a lower score are neither counted nor drawn nor saved. Nothing is
    /// detected again, and a lower threshold brings back what a higher one hid. NaN changes nothing. A threshold that is no score
    /// from 0 to 1 is a notice in the report.
    #[must_use]
    #[doc(alias = "filter")]
    #[doc(alias = "min_score")]
    #[doc(alias = "score_thresh")]
    #[doc(alias = "confidence")]
    pub fn threshold(&self, score: impl IntoThreshold) -> Self {
        let score = score.into_threshold();
        let mut boxes = self.clone();
        if !(0.0..=1.0).contains(&score) {
            let what = match score {
                above if above > 1.0 => "no box counts",
                below if below < 0.0 => "every box counts",
                _ => "the threshold stays as it was",
            };
            let text = format!("a threshold of {score} is no score from 0 to 1: {what}");
            boxes.report.push(Notice::assumed(text));
        }
        if !score.is_nan() {
            boxes.threshold = score;
        }
        boxes
    }

    /// The lowest score that counts.
    #[must_use]
    pub fn threshold_score(&self) -> f32 {
        self.threshold
    }

    /// The boxes at or above the threshold, best first, in pixels of the scene's raster.
    #[must_use]
    #[doc(alias = "boxes")]
    #[doc(alias = "bboxes")]
    #[doc(alias = "predictions")]
    pub fn detections(&self) -> &[Detection] {
        let all = &self.inner.detections;
        &all[..all.partition_point(|found| found.score >= self.threshold)]
    }

    /// All boxes that were found, best first, whatever the threshold.
    #[must_use]
    pub fn all_detections(&self) -> &[Detection] {
        &self.inner.detections
    }

    /// How many boxes count.
    #[must_use]
    #[doc(alias = "count")]
    pub fn len(&self) -> usize {
        self.detections().len()
    }

    /// Whether no box counts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The classes, background first.
    #[must_use]
    #[doc(alias = "class_names")]
    #[doc(alias = "num_classes")]
    #[doc(alias = "categories")]
    pub fn classes(&self) -> &Classes {
        &self.inner.classes
    }

    /// The scene that was searched.
    #[must_use]
    pub fn scene(&self) -> &Scene {
        &self.inner.scene
    }

    /// The pixels of the scene's raster that were searched.
    #[must_use]
    pub fn area(&self) -> PixelWindow {
        self.inner.area
    }

    /// How many boxes of each class count, by name; classes without any are left out.
    #[must_use]
    #[doc(alias = "value_counts")]
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for found in self.detections() {
            *counts.entry(self.class_name(found.class)).or_insert(0) += 1;
        }
        counts
    }

    pub(super) fn class_name(&self, class: usize) -> String {
        self.classes()
            .names()
            .get(class)
            .map_or_else(|| format!("class {class}"), |name| (*name).to_owned())
    }

    /// Scores the boxes against those of `scene`, over the pixels that both cover: the scene that was searched, or a part
    /// of it. Average precision looks at the scores of all boxes, whatever the threshold; F1 counts those that it leaves.
    ///
    /// A box at the edge of the common pixels or of an area of interest counts when at least half of it lies inside. Of
    /// boxes that lie inside by less COCO's rule holds for what is ignored: a found one is right where it matches a labeled
    /// one that counts, and otherwise neither right nor wrong; a labeled one is not missed, and the box that finds it is
    /// neither right nor wrong, and the report counts these. Boxes are compared as the edge of the common pixels cuts them.
    /// A scene that is known to hold no object has no average precision (NaN), and every box found there is a wrong one.
    ///
    /// # Errors
    /// [`DetectError::NoBoxes`], [`crate::evaluate::EvaluateError::NoOverlap`], [`crate::evaluate::EvaluateError::OtherGrid`],
    /// [`DetectError::ClassesDiffer`] when the two cannot be compared.
    #[doc(alias = "score")]
    #[doc(alias = "compare")]
    pub fn evaluate(&self, scene: &Scene) -> Result<BoxScores> {
        let own = self.inner.scene.raster();
        scene.check_grid(own)?;
        let name = scene.name();
        if !scene.has_boxes() {
            return Err(DetectError::NoBoxes { scene: name }.into());
        }
        if self.classes().names() != scene.classes().names() {
            let owned = |classes: &Classes| {
                let names = classes.names().into_iter();
                names.map(str::to_owned).collect::<Vec<_>>()
            };
            return Err(DetectError::ClassesDiffer {
                expected: owned(self.classes()),
                found: owned(scene.classes()),
            }
            .into());
        }
        let common = scene.shared_area(self.area())?;
        session::check_interrupt("evaluating the boxes")?;
        let mut report = scene.report_scored(own.path(), common, &self.trained);
        let (mut truth, mut ignored) = scene.boxes_by_share(&common, VISIBLE);
        let mut left_out = |count: usize, labeled: usize, why: &str| {
            if count > 0 {
                let text = format!("{count} of {labeled} labeled boxes {why}");
                report.push(Notice::left_out(text).about(scene.name()).count(count));
            }
        };
        left_out(
            ignored.len(),
            truth.len() + ignored.len(),
            "lie by less than half within what is scored: ignored, as COCO has it (none of them is missed, and what finds one is \
             neither right nor wrong)",
        );
        let (col, row) = (common.col as f64, common.row as f64);
        if let Some(within) = self.searched_within() {
            let labeled = truth.len();
            let searched = |one: &Annotation| within.share(&one.bounds.translate(col, row));
            let (inside, beside): (Vec<_>, Vec<_>) =
                truth.into_iter().partition(|one| searched(one) >= VISIBLE);
            left_out(
                beside.len(),
                labeled,
                "lie outside the area of interest that was searched, and do not count",
            );
            truth = inside;
            ignored.extend(beside);
        }
        let (width, height) = (common.width as f64, common.height as f64);
        let (mut found, mut cut) = (Vec::new(), Vec::new());
        for one in &self.inner.detections {
            let local = one.bounds.translate(-col, -row);
            let inside = local.clip(width, height);
            if inside.area() > 0.0 {
                let visible = local.intersection_over_area(&inside) >= VISIBLE
                    && scene.share_counted(&one.bounds) >= VISIBLE;
                let list = if visible { &mut found } else { &mut cut };
                list.push(one.with_bounds(inside));
            }
        }
        let image = ImageBoxes {
            truth,
            found,
            ignored,
            cut,
        };
        let scores =
            BoxScores::new(image, self.classes(), self.threshold, &name).with_report(report);
        *self
            .inner
            .evaluated
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(scores.clone());
        Ok(scores)
    }

    /// What [`SceneBoxes::evaluate`] found last, counted at the present threshold.
    #[must_use]
    #[doc(alias = "metrics")]
    pub fn scores(&self) -> Option<BoxScores> {
        self.inner
            .evaluated
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(|scores| scores.at(self.threshold))
    }
}

/// The share of a box that must lie inside for it to count at the edge.
const VISIBLE: f64 = 0.5;

impl SceneBoxes {
    /// The threshold with the highest F1 on the labeled boxes of a scene, with its curve, where a box is right from an
    /// intersection over union of 0.5. It belongs to the scene that it was found on: choose it where the model was
    /// validated, and score it elsewhere.
    ///
    /// ```no_run
    /// # use swath::prelude::*;
    /// # fn example(run: &Run<Detector>, valid: &Scene, test: &Scene) -> swath::Result<()> {
    /// let choice = run.best().predict(valid)?.best_threshold(valid)?;
    /// let found = run.best().predict(test)?.threshold(&choice);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`DetectError::NothingRight`] when no box is right, and those of [`SceneBoxes::evaluate`].
    #[doc(alias = "choose_threshold")]
    #[doc(alias = "optimal_threshold")]
    pub fn best_threshold(&self, scene: &Scene) -> Result<ThresholdChoice> {
        self.best_threshold_at(scene, USUAL_IOU)
    }

    /// As [`SceneBoxes::best_threshold`], where a box is right from another intersection over union: 0.4 for objects whose
    /// outlines nobody can tell exactly.
    ///
    /// # Errors
    /// [`crate::predict::PredictError::Option`] for an intersection over union that cannot be; those of
    /// [`SceneBoxes::best_threshold`].
    pub fn best_threshold_at(&self, scene: &Scene, iou: f64) -> Result<ThresholdChoice> {
        check_iou(iou)?;
        right_ones(&self.evaluate(scene)?, iou)
    }
}

impl Predictions<ObjectDetection> {
    /// The threshold with the highest F1 on the labeled boxes of all scenes together, as [`SceneBoxes::best_threshold`] finds
    /// one for a scene. [`Predictions::at_threshold`] takes it.
    ///
    /// # Errors
    /// [`crate::predict::PredictError::OtherScenes`] for other scenes than those that were searched; those of
    /// [`SceneBoxes::best_threshold`].
    pub fn best_threshold(&self, scenes: &Scenes) -> Result<ThresholdChoice> {
        self.best_threshold_at(scenes, USUAL_IOU)
    }

    /// As [`Predictions::best_threshold`], where a box is right from another intersection over union.
    ///
    /// # Errors
    /// [`crate::predict::PredictError::Option`] for an intersection over union that cannot be; those of
    /// [`Predictions::best_threshold`].
    pub fn best_threshold_at(&self, scenes: &Scenes, iou: f64) -> Result<ThresholdChoice> {
        check_iou(iou)?;
        right_ones(self.evaluate(scenes)?.pooled(), iou)
    }
}

/// From so much overlap on a box is usually called right.
const USUAL_IOU: f64 = 0.5;

fn check_iou(iou: f64) -> Result<()> {
    match iou > 0.0 && iou <= 1.0 {
        true => Ok(()),
        false => Err(wrong("iou", &iou, "above 0 and at most 1").into()),
    }
}

/// The choice, when it means anything.
fn right_ones(scores: &BoxScores, iou: f64) -> Result<ThresholdChoice> {
    let choice = scores.best_threshold(iou);
    if choice.f1() > 0.0 {
        return Ok(choice);
    }
    let scene = scores.scene.clone();
    Err(DetectError::NothingRight { scene }.into())
}

impl crate::predict::AtThreshold for SceneBoxes {
    fn at_threshold(&self, score: impl IntoThreshold) -> Result<Self> {
        let score = score.into_threshold();
        check_probability("threshold", score)?;
        Ok(self.threshold(score))
    }

    fn threshold_for(&self, scene: &Scene) -> Result<ThresholdChoice> {
        self.best_threshold(scene)
    }
}
