//! Maps as what segmentation predicts.

use super::options::OptionsFor;
use super::predictable::{Member, Predictable};
use super::scene::predict_members;
use super::{MapOptions, SceneMap};
use crate::Result;
use crate::device::Device;
use crate::evaluate::Scores;
use crate::labels::Classes;
use crate::models::{Segmentation, TrainedArea};
use crate::report::Report;
use crate::scene::Scene;

impl Predictable for Segmentation {
    type Options = MapOptions;
    type Prediction = SceneMap;
    type Scores = Scores;

    const OVERLAP_DIVISOR: usize = 8;
    const ANY_VALUES: &'static str = "`PredictOptions::new().any_values(true)`";

    fn predict(
        members: &[Member<'_, Self>],
        classes: &Classes,
        scene: &Scene,
        device: &Device,
        options: &OptionsFor<Self>,
    ) -> Result<SceneMap> {
        predict_members(members, classes, scene, device, options)
    }

    fn with_notes(map: SceneMap, report: Report, trained: Vec<TrainedArea>) -> SceneMap {
        map.with_report(report).of_models(trained)
    }

    fn evaluate(map: &SceneMap, scene: &Scene) -> Result<Scores> {
        map.evaluate(scene)
    }
}
