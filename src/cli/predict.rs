//! Predicting maps and scoring them; models that find objects are in [`super::boxes`].

use std::path::PathBuf;

use super::arguments::{Arguments, Usage};
use super::scenes::{self, Labels, OF_BOXES, OF_MODELS, each_scene, labeled_scene, say};
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
pub(super) fn predict(arguments: &Arguments) -> Result<(), Failure> {
    // Mistakes of writing come before those of files.
    boxes::check(arguments)?;
    let (options, saving) = (prediction(arguments)?, saving(arguments)?);
    let out = PathBuf::from(arguments.required("out")?);
    if finds_objects(arguments) {
        return boxes::predict(arguments);
    }
    let ensemble = models(arguments)?;
    each_scene(arguments, &out, |path, folder| {
        let scene = labeled_scene(path, arguments, ensemble.classes(), Labels::Areas)?;
        let map = ensemble.predict_with(&scene, options.clone())?;
        if scene.has_labels() {
            let scores = map.evaluate(&scene)?;
            say(arguments, || scores.output());
        }
        let saved = map.save_with(folder, &saving)?;
        say(arguments, || saved.output());
        Ok(())
    })
}

/// Whether the first word is the bundle of a model that finds objects.
fn finds_objects(arguments: &Arguments) -> bool {
    bundle_task(arguments.word(0)).as_deref() == Some(ObjectDetection::NAME)
}

/// The model that the first word names, averaged with further ones.
fn models(arguments: &Arguments) -> Result<Ensemble, Failure> {
    let device = scenes::device(arguments)?;
    let load = |path: &str| -> Result<Segmenter> {
        let model = Segmenter::load(path)?;
        Ok(match &device {
            Some(device) => model.device(device),
            None => model,
        })
    };
    let models = scenes::bundles(arguments)
        .map(load)
        .collect::<Result<Vec<_>>>()?;
    scenes::refuse(
        arguments,
        &OF_BOXES,
        "its model",
        "maps areas, and this option is for models that find objects",
    )?;
    Ok(Ensemble::new(&models)?)
}

fn prediction(arguments: &Arguments) -> Result<PredictOptions, Failure> {
    let options = PredictOptions::new().scores(!arguments.has("no-scores"));
    let mut options = scenes::with_windows!(options, arguments);
    if let Some(threshold) = arguments.parsed("threshold", "a probability from 0 to 1")? {
        options = options.threshold(threshold);
    }
    Ok(options)
}

fn saving(arguments: &Arguments) -> Result<SaveOptions, Failure> {
    let mut saving = SaveOptions::new().polygons(!arguments.has("no-polygons"));
    if let Some(area) = arguments.parsed("min-area", "a number of square meters")? {
        saving = saving.min_area_m2(area);
    }
    if let Some(names) = arguments.option("formats") {
        let formats = names.split(',').map(|name| match name.trim() {
            "gpkg" => Ok(Format::GeoPackage),
            "geojson" => Ok(Format::GeoJson),
            other => Err(Usage(format!(
                "`--formats {other}` is no format of polygons: expected `gpkg`, `geojson` or `gpkg,geojson`"
            ))),
        });
        saving = saving.formats(formats.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(saving)
}

/// Scores a saved map, saved boxes, or what a model of either task makes of the scene.
pub(super) fn evaluate(arguments: &Arguments) -> Result<(), Failure> {
    scenes::labels_are_given(arguments)?;
    boxes::check(arguments)?;
    let options = prediction(arguments)?;
    let scores = match bundle_task(arguments.word(0)).as_deref() {
        Some(ObjectDetection::NAME) => return boxes::evaluate(arguments),
        Some(_) => {
            let ensemble = models(arguments)?;
            let classes = ensemble.classes();
            let scene = labeled_scene(arguments.word(1), arguments, classes, Labels::Areas)?;
            ensemble
                .predict_with(&scene, options.scores(false))?
                .evaluate(&scene)?
        }
        None if boxes::is_saved(arguments.word(0)) => return boxes::evaluate_saved(arguments),
        None => score_saved_map(arguments)?,
    };
    if let Some(path) = arguments.option("json") {
        let text = format!("{:#}\n", scores.to_json());
        write_synced(path.as_ref(), text.as_bytes())?;
    }
    // What was asked for is in the file, where there is one.
    if !(arguments.has("quiet") && arguments.option("json").is_some()) {
        session::result(scores.output());
    }
    Ok(())
}

fn score_saved_map(arguments: &Arguments) -> Result<Scores, Failure> {
    let path = arguments.word(0);
    let map = Raster::open(path)?;
    let of_models: Vec<&str> = OF_MODELS
        .into_iter()
        .chain(OF_BOXES)
        .chain(["threshold"])
        .collect();
    scenes::refuse(
        arguments,
        &of_models,
        "it",
        "is a map that was predicted before, and this option is for models",
    )?;
    let names = map.category_names();
    if names.is_empty() {
        return Err(Usage(format!(
            "{} names no classes: a map to score is the labels.tif that `swath predict` writes",
            arguments.word(0)
        ))
        .into());
    }
    let classes = Classes::new(names.iter().skip(1).cloned());
    let scene = labeled_scene(arguments.word(1), arguments, &classes, Labels::Areas)?;
    Ok(score_class_map(&map, &scene)?)
}
