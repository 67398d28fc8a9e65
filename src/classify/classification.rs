//! Cells as what chip classification predicts.

use std::path::Path;

use super::scene::classify_members;
use super::{CellOptions, ClassificationOptions, SceneCells};
use crate::Result;
use crate::device::Device;
use crate::evaluate::Scores;
use crate::labels::Classes;
use crate::models::{ChipClassification, Segmentation, TrainedArea};
use crate::predict::{Ensemble, Member, Predictable, Predictions, SavedFiles, ScenesScores};
use crate::report::Report;
use crate::scene::Scene;

/// Several classifiers whose probabilities are averaged: see [`Ensemble`].
pub type ClassifierEnsemble = Ensemble<ChipClassification>;

/// The cells of many scenes: see [`Predictions`].
pub type ClassifierPredictions = Predictions<ChipClassification>;

/// The scores of the cells of many scenes: see [`ScenesScores`].
pub type ClassifierScenesScores = ScenesScores<ChipClassification>;

impl Predictable for ChipClassification {
    type Options = CellOptions;
    type Prediction = SceneCells;
    type Scores = Scores;

    const FIGURES: &'static [&'static str] = &["mean F1", "accuracy", "cells"];
    const OVERLAP_DIVISOR: usize = 8;
    const ANY_VALUES: &'static str = "`ClassificationOptions::new().any_values(true)`";

    fn predict(
        members: &[Member<'_, Self>],
        classes: &Classes,
        scene: &Scene,
        device: &Device,
        options: &ClassificationOptions,
    ) -> Result<SceneCells> {
        classify_members(members, classes, scene, device, options)
    }

    fn with_notes(cells: SceneCells, report: Report, trained: Vec<TrainedArea>) -> SceneCells {
        cells.with_report(report).of_models(trained)
    }

    fn evaluate(cells: &SceneCells, scene: &Scene) -> Result<Scores> {
        cells.evaluate(scene)
    }

    fn pool(scores: &[&Scores]) -> Result<Scores> {
        Ok(Segmentation::pool(scores)?.of_cells())
    }

    fn figures(scores: &Scores) -> Vec<f64> {
        vec![
            scores.mean_f1(),
            scores.accuracy(),
            scores.confusion().total() as f64,
        ]
    }

    fn save(cells: &SceneCells, folder: &Path) -> Result<SavedFiles> {
        cells.save(folder)
    }
}
