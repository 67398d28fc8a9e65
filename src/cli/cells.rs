//! Classifying the cells of scenes, and scoring them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use swath_cli::EvaluateArguments;

use super::Failure;
use super::job::Job;
use super::many::Together;
use super::scenes::{self, Labels, labeled_scene};
use super::task::{self, CommandTask};
use crate::classify::{CELL_LABELS, ClassificationOptions, SceneCells};
use crate::display::Output;
use crate::evaluate::Scores;
use crate::labels::Classes;
use crate::models::ChipClassification;
use crate::predict::{Ensemble, Predictable as _, SavedFiles, join_classes};
use crate::raster::{PixelWindow, Raster};
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

    fn summary(cells: &SceneCells, area: &PixelWindow) -> Option<Output> {
        Some(Output::text(cells.summary_in(area)))
    }

    fn json(scores: &Scores) -> Value {
        scores.to_json()
    }

    fn write(cells: &SceneCells, folder: &Path, _: &Job<'_>) -> crate::Result<SavedFiles> {
        cells.save(folder)
    }

    fn score_saved(folder: &Path, scene: &Scene) -> crate::Result<Scores> {
        Self::evaluate(&SceneCells::open(folder, scene)?, scene)
    }

    fn join(
        together: &Together<'_>,
        models: &Ensemble<Self>,
        _: &dyn Fn(usize) -> Result<Scene, Failure>,
        folder: &Path,
        _: &Job<'_>,
    ) -> Result<SavedFiles, Failure> {
        let files = together
            .folders
            .iter()
            .map(|folder| folder.join(CELL_LABELS));
        let files: Vec<PathBuf> = files.collect();
        Ok(join_classes(&files, models.classes(), folder, CELL_LABELS)?)
    }
}

/// Scores cells that were classified and saved before.
pub(super) fn evaluate_saved(job: &Job<'_>, arguments: &EvaluateArguments) -> Result<(), Failure> {
    let path = scenes::one_file(&arguments.scenes, job)?;
    job.refuse(
        job.model.given().or(job.objects.given()),
        "it holds cells that were classified before, and this option is for models",
    )?;
    let folder = job.first.parent().unwrap_or(Path::new(""));
    let names = Raster::open(folder.join(CELL_LABELS))?.category_names();
    let classes = Classes::new(names.iter().skip(1).cloned());
    let scene = labeled_scene(&path, job, &classes, Labels::Either)?;
    let cells = SceneCells::open(job.first, &scene)?;
    let cells = match job.threshold {
        Some(threshold) => cells.threshold(threshold)?,
        None => cells,
    };
    task::score::<ChipClassification>(&cells, &scene, arguments)
}
