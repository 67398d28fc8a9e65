//! Maps as what segmentation predicts.

use std::path::Path;

use super::options::OptionsFor;
use super::predictable::{Member, Predictable};
use super::scene::predict_members;
use super::{MapOptions, SavedFiles, SceneMap};
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

    const FIGURES: &'static [&'static str] = &["mean IoU", "mean F1", "accuracy", "pixels"];
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

    fn pool(scores: &[&Scores]) -> Result<Scores> {
        let mut all = scores[0].confusion().clone();
        for one in &scores[1..] {
            all.merge(one.confusion())?;
        }
        let mut report = Report::new();
        for one in scores {
            report.extend(one.report().clone());
        }
        Ok(all.scores().with_report(report))
    }

    fn figures(scores: &Scores) -> Vec<f64> {
        vec![
            scores.mean_iou(),
            scores.mean_f1(),
            scores.accuracy(),
            scores.confusion().total() as f64,
        ]
    }

    fn save(map: &SceneMap, folder: &Path) -> Result<SavedFiles> {
        map.save(folder)
    }
}
