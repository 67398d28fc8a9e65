//! Boxes as what detection predicts.

use std::path::Path;

use super::scene::detect_members;
use super::{BoxOptions, BoxScores, DetectionOptions, SceneBoxes};
use crate::Result;
use crate::device::Device;
use crate::labels::Classes;
use crate::models::{ObjectDetection, TrainedArea};
use crate::predict::{Ensemble, Member, Predictable, Predictions, SavedFiles, ScenesScores};
use crate::report::Report;
use crate::scene::Scene;

/// Several detectors that search together: see [`Ensemble`].
pub type DetectorEnsemble = Ensemble<ObjectDetection>;

/// The boxes of many scenes: see [`Predictions`].
pub type DetectorPredictions = Predictions<ObjectDetection>;

/// The scores of the boxes of many scenes: see [`ScenesScores`].
pub type DetectorScenesScores = ScenesScores<ObjectDetection>;

impl Predictable for ObjectDetection {
    type Options = BoxOptions;
    type Prediction = SceneBoxes;
    type Scores = BoxScores;

    const FIGURES: &'static [&'static str] =
        &["AP50", "AP", "F1", "precision", "recall", "objects"];
    const OVERLAP_DIVISOR: usize = 4;
    const ANY_VALUES: &'static str = "`DetectionOptions::new().any_values(true)`";

    fn predict(
        members: &[Member<'_, Self>],
        classes: &Classes,
        scene: &Scene,
        device: &Device,
        options: &DetectionOptions,
    ) -> Result<SceneBoxes> {
        detect_members(members, classes, scene, device, options)
    }

    fn with_notes(found: SceneBoxes, report: Report, trained: Vec<TrainedArea>) -> SceneBoxes {
        found.with_report(report).of_models(trained)
    }

    fn evaluate(found: &SceneBoxes, scene: &Scene) -> Result<BoxScores> {
        found.evaluate(scene)
    }

    fn pool(scores: &[&BoxScores]) -> Result<BoxScores> {
        Ok(BoxScores::pooled(scores))
    }

    fn figures(scores: &BoxScores) -> Vec<f64> {
        let counts = scores.counts(0.5);
        vec![
            scores.ap50(),
            scores.ap(),
            counts.f1,
            counts.precision,
            counts.recall,
            (counts.true_positives + counts.false_negatives) as f64,
        ]
    }

    fn save(found: &SceneBoxes, folder: &Path) -> Result<SavedFiles> {
        found.save(folder)
    }
}
