//! Boxes as what detection predicts.

use super::scene::detect_members;
use super::{BoxOptions, BoxScores, DetectionOptions, SceneBoxes};
use crate::Result;
use crate::device::Device;
use crate::labels::Classes;
use crate::models::{ObjectDetection, TrainedArea};
use crate::predict::{Ensemble, Member, Predictable};
use crate::report::Report;
use crate::scene::Scene;

/// Several detectors that search together: see [`Ensemble`].
pub type DetectorEnsemble = Ensemble<ObjectDetection>;

impl Predictable for ObjectDetection {
    type Options = BoxOptions;
    type Prediction = SceneBoxes;
    type Scores = BoxScores;

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
}
