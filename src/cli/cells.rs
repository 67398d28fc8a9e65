//! Classifying the cells of scenes, and scoring them.

use std::path::Path;

use serde_json::Value;

use super::Failure;
use super::job::Job;
use super::scenes::Labels;
use super::task::CommandTask;
use crate::classify::{ClassificationOptions, SceneCells};
use crate::display::{Output, Show as _};
use crate::evaluate::Scores;
use crate::models::ChipClassification;
use crate::scene::Scene;

impl CommandTask for ChipClassification {
    const LABELS: Labels = Labels::Either;

    fn options(job: &Job<'_>) -> Result<ClassificationOptions, Failure> {
        let maps = job.maps.and_then(swath_cli::MapOptions::given);
        let overlap = job.model.overlap.map(|_| "--overlap");
        job.refuse(
            job.objects.given().or(maps).or(overlap),
            "its model gives a class to each cell of a grid, and this option is for other models",
        )?;
        let (flips, turns) = job.views();
        let mut options = ClassificationOptions::new()
            .quiet(job.quiet)
            .any_values(job.model.any_values)
            .flips(flips)
            .turns(turns);
        if let Some(cell) = job.model.window {
            options = options.cell(cell);
        }
        if let Some(batch) = job.model.batch {
            options = options.batch(batch);
        }
        Ok(match job.threshold {
            Some(threshold) => options.threshold(threshold),
            None => options,
        })
    }

    fn is_labeled(scene: &Scene) -> bool {
        scene.has_labels() || scene.has_boxes()
    }

    fn summary(cells: &SceneCells) -> Option<Output> {
        Some(Output::text(cells.summary()))
    }

    fn json(scores: &Scores) -> Value {
        scores.to_json()
    }

    fn write(cells: &SceneCells, folder: &Path, _: &Job<'_>) -> crate::Result<Output> {
        Ok(cells.save(folder)?.output())
    }
}
