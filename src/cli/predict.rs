//! Predicting maps and scoring them; models that find objects are in [`super::boxes`].

use std::path::Path;

use swath_cli::{EvaluateArguments, MapOptions, PolygonFormat, PredictArguments};

use super::job::Job;
use super::scenes::{Labels, each_scene, labeled_scene, say, with_windows};
use super::{Failure, boxes};
use crate::display::Show as _;
use crate::evaluate::Scores;
use crate::labels::Classes;
use crate::models::{ObjectDetection, Task as _, bundle_task};
use crate::predict::{Ensemble, PredictOptions, SaveOptions, score_class_map, write_synced};
use crate::raster::Raster;
use crate::train::Segmenter;
use crate::vector::Format;
use crate::{Result, session};

/// Predicts every scene with a model of either task.
pub(super) fn predict(arguments: &PredictArguments) -> Result<(), Failure> {
    let job = Job::from(arguments);
    if finds_objects(&arguments.bundle) {
        return boxes::predict(&job, arguments);
    }
    let (options, saving) = (prediction(&job), saving(&arguments.maps));
    let ensemble = models(&job)?;
    each_scene(arguments, |path, folder| {
        let scene = labeled_scene(path, &job, ensemble.classes(), Labels::Areas)?;
        let map = ensemble.predict_with(&scene, options.clone())?;
        if scene.has_labels() {
            let scores = map.evaluate(&scene)?;
            say(job.quiet, || scores.output());
        }
        let saved = map.save_with(folder, &saving)?;
        say(job.quiet, || saved.output());
        Ok(())
    })
}

/// Whether a file is the bundle of a model that finds objects.
fn finds_objects(path: &Path) -> bool {
    bundle_task(path).as_deref() == Some(ObjectDetection::NAME)
}

/// The model that the first word names, averaged with further ones.
fn models(job: &Job<'_>) -> Result<Ensemble, Failure> {
    let device = job.device()?;
    let load = |path: &Path| -> Result<Segmenter> {
        let model = Segmenter::load(path)?;
        Ok(match &device {
            Some(device) => model.device(device),
            None => model,
        })
    };
    let models = job.bundles().map(load).collect::<Result<Vec<_>>>()?;
    job.refuse(
        job.objects.given(),
        "its model maps areas, and this option is for models that find objects",
    )?;
    Ok(Ensemble::new(&models)?)
}

fn prediction(job: &Job<'_>) -> PredictOptions {
    let scores = !job.maps.is_some_and(|maps| maps.no_scores);
    let options = with_windows!(PredictOptions::new().scores(scores), job);
    match job.threshold {
        Some(threshold) => options.threshold(threshold),
        None => options,
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
        });
        saving = saving.formats(formats.collect::<Vec<_>>());
    }
    saving
}

/// Scores a saved map, saved boxes, or what a model of either task makes of the scene.
pub(super) fn evaluate(arguments: &EvaluateArguments) -> Result<(), Failure> {
    let job = Job::from(arguments);
    let scores = match bundle_task(&arguments.predicted).as_deref() {
        Some(ObjectDetection::NAME) => return boxes::evaluate(&job, arguments),
        Some(_) => {
            let ensemble = models(&job)?;
            let classes = ensemble.classes();
            let scene = labeled_scene(&arguments.scene, &job, classes, Labels::Areas)?;
            ensemble
                .predict_with(&scene, prediction(&job).scores(false))?
                .evaluate(&scene)?
        }
        None if boxes::is_saved(&arguments.predicted) => {
            return boxes::evaluate_saved(&job, arguments);
        }
        None => score_saved_map(&job, &arguments.scene)?,
    };
    if let Some(path) = &arguments.json {
        let text = format!("{:#}\n", scores.to_json());
        write_synced(path, text.as_bytes())?;
    }
    // What was asked for is in the file, where there is one.
    if !(arguments.quiet && arguments.json.is_some()) {
        session::result(scores.output());
    }
    Ok(())
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
