//! Predicting maps and scoring them; models that find objects are in [`super::boxes`].

use std::path::Path;

use serde_json::Value;
use swath_cli::{EvaluateArguments, MapOptions, PolygonFormat, PredictArguments};

use super::job::Job;
use super::scenes::{Labels, labeled_scene, with_windows};
use super::task::{self, CommandTask};
use super::{Failure, boxes};
use crate::Result;
use crate::display::{Output, Show as _};
use crate::evaluate::Scores;
use crate::labels::Classes;
use crate::models::{ChipClassification, ObjectDetection, Segmentation, Task as _, bundle_task};
use crate::predict::{PredictOptions, SaveOptions, SceneMap, score_class_map};
use crate::raster::Raster;
use crate::scene::Scene;
use crate::vector::Format;

/// Predicts every scene with a model of any task.
pub(super) fn predict(arguments: &PredictArguments) -> Result<(), Failure> {
    let job = Job::from(arguments);
    match bundle_task(job.first).as_deref() {
        Some(ObjectDetection::NAME) => task::predict::<ObjectDetection>(&job, arguments),
        Some(ChipClassification::NAME) => task::predict::<ChipClassification>(&job, arguments),
        _ => task::predict::<Segmentation>(&job, arguments),
    }
}

/// Scores a saved map, saved boxes, or what a model of any task makes of the scene.
pub(super) fn evaluate(arguments: &EvaluateArguments) -> Result<(), Failure> {
    let job = Job::from(arguments);
    match bundle_task(job.first).as_deref() {
        Some(ObjectDetection::NAME) => task::evaluate::<ObjectDetection>(&job, arguments),
        Some(ChipClassification::NAME) => task::evaluate::<ChipClassification>(&job, arguments),
        Some(_) => task::evaluate::<Segmentation>(&job, arguments),
        None if boxes::is_saved(job.first) => boxes::evaluate_saved(&job, arguments),
        None => {
            let scores = score_saved_map(&job, super::scenes::one_file(&arguments.scenes, &job)?)?;
            task::tell(&scores, &scores.to_json(), None, arguments)
        }
    }
}

impl CommandTask for Segmentation {
    const LABELS: Labels = Labels::Areas;

    fn options(job: &Job<'_>) -> Result<PredictOptions, Failure> {
        job.refuse(
            job.objects.given(),
            "its model maps areas, and this option is for models that find objects",
        )?;
        // Only saving needs the scores of all classes.
        let scores = job.maps.is_some_and(|maps| !maps.no_scores);
        let options = with_windows!(PredictOptions::new().scores(scores), job);
        Ok(match job.threshold {
            Some(threshold) => options.threshold(threshold),
            None => options,
        })
    }

    fn is_labeled(scene: &Scene) -> bool {
        scene.has_labels()
    }

    fn summary(_: &SceneMap) -> Option<Output> {
        None
    }

    fn json(scores: &Scores) -> Value {
        scores.to_json()
    }

    fn write(map: &SceneMap, folder: &Path, job: &Job<'_>) -> Result<Output> {
        let saving = job.maps.map(saving).unwrap_or_default();
        Ok(map.save_with(folder, &saving)?.output())
    }
}

fn saving(maps: &MapOptions) -> SaveOptions {
    let mut saving = SaveOptions::new().polygons(!maps.no_polygons);
    if let Some(area) = maps.min_area {
        saving = saving.min_area_m2(area);
    }
    if !maps.formats.is_empty() {
        let formats = maps.formats.iter().map(|format| match format {
            PolygonFormat::Gpkg => Format::GeoPackage,
            PolygonFormat::Geojson => Format::GeoJson,
            PolygonFormat::Fgb => Format::FlatGeobuf,
            PolygonFormat::Shp => Format::Shapefile,
            PolygonFormat::Parquet => Format::GeoParquet,
        });
        saving = saving.formats(formats.collect::<Vec<_>>());
    }
    saving
}

fn score_saved_map(job: &Job<'_>, scene: &Path) -> Result<Scores, Failure> {
    let map = Raster::open(job.first)?;
    let threshold = job.threshold.map(|_| "--threshold");
    job.refuse(
        (job.model.given().or(job.objects.given())).or(threshold),
        "it is a map that was predicted before, and this option is for models",
    )?;
    let names = map.category_names();
    if names.is_empty() {
        return Err(Failure::Usage(format!(
            "{} names no classes: a map to score is the labels.tif that `swath predict` writes",
            job.first.display()
        )));
    }
    let classes = Classes::new(names.iter().skip(1).cloned());
    let scene = labeled_scene(scene, job, &classes, Labels::Areas)?;
    Ok(score_class_map(&map, &scene)?)
}
