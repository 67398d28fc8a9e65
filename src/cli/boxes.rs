//! Finding objects with a detection model, and scoring what it finds.

use std::path::{Path, PathBuf};

use super::Failure;
use super::arguments::{Arguments, Usage};
use super::scenes::{self, Labels, OF_BOXES, OF_MAPS, OF_MODELS, each_scene, labeled_scene, say};
use crate::boxes::BoxFusion;
use crate::detect::{DetectionOptions, DetectorEnsemble, SceneBoxes, saved_class_names};
use crate::display::{Output, Show as _};
use crate::labels::Classes;
use crate::predict::{check_probability, write_synced};
use crate::scene::Scene;
use crate::session;
use crate::train::Detector;

/// Finds the objects of every scene, with one model or several, and saves them.
pub(super) fn predict(arguments: &Arguments) -> Result<(), Failure> {
    let out = PathBuf::from(arguments.required("out")?);
    let (models, options) = models(arguments)?;
    each_scene(arguments, &out, |path, folder| {
        let scene = labeled_scene(path, arguments, models.classes(), Labels::Boxes)?;
        let found = models.predict_with(&scene, options.clone())?;
        say(arguments, || counts(&found));
        if scene.has_boxes() {
            let scores = found.evaluate(&scene)?;
            say(arguments, || scores.output());
        }
        let saved = found.save(folder)?;
        say(arguments, || saved.output());
        Ok(())
    })
}

/// Finds the objects of a scene and scores them.
pub(super) fn evaluate(arguments: &Arguments) -> Result<(), Failure> {
    let (models, options) = models(arguments)?;
    let scene = labeled_scene(
        arguments.word(1),
        arguments,
        models.classes(),
        Labels::Boxes,
    )?;
    let found = models.predict_with(&scene, options)?;
    score(&found, &scene, arguments)
}

/// Whether a file is, by its name, one of the boxes that prediction saves, and not a map.
pub(super) fn is_saved(path: &str) -> bool {
    let extension = Path::new(path).extension().unwrap_or_default();
    ["gpkg", "geojson", "json"]
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}

/// Scores boxes that were found and saved before.
pub(super) fn evaluate_saved(arguments: &Arguments) -> Result<(), Failure> {
    let of_models: Vec<&str> = OF_MODELS.into_iter().chain(OF_BOXES).collect();
    scenes::refuse(
        arguments,
        &of_models,
        "it",
        "holds boxes that were found before, and this option is for models",
    )?;
    let threshold = arguments.parsed("threshold", "a score from 0 to 1")?;
    if let Some(threshold) = threshold {
        check_probability("threshold", threshold)?;
    }
    let scene = scene_of_saved(arguments)?;
    let found = SceneBoxes::open(arguments.word(0), &scene)?;
    let found = match threshold {
        Some(threshold) => found.threshold(threshold),
        None => found,
    };
    score(&found, &scene, arguments)
}

/// The scene with its labels and the classes of saved boxes and labels: some may occur only in one of them.
fn scene_of_saved(arguments: &Arguments) -> Result<Scene, Failure> {
    let (saved, scene) = (arguments.word(0), arguments.word(1));
    let saved_names = saved_class_names(saved.as_ref(), &Scene::open(scene)?)?;
    let numbered = saved_names.is_none();
    let mut names = saved_names.unwrap_or_default();
    if let Some((labels, property)) = scenes::labels_with_classes(arguments) {
        let labeled = Scene::open(scene)?.with_boxes(labels, property)?;
        let of_labels = labeled.classes().names().into_iter().skip(1);
        names.extend(of_labels.map(str::to_owned));
        if numbered && names.len() > 1 {
            return Err(Usage(format!(
                "{saved} numbers its classes and the labels name {}: score the `boxes.gpkg` beside it, which names them",
                names.len()
            ))
            .into());
        }
    }
    labeled_scene(scene, arguments, &Classes::new(names), Labels::Boxes)
}

/// Scores what was found in a scene, and shows and writes the scores.
fn score(found: &SceneBoxes, scene: &Scene, arguments: &Arguments) -> Result<(), Failure> {
    let scores = found.evaluate(scene)?;
    if let Some(path) = arguments.option("json") {
        write_synced(
            path.as_ref(),
            format!("{:#}\n", scores.to_json()).as_bytes(),
        )?;
    }
    // What was asked for is in the file, where there is one.
    if !(arguments.has("quiet") && arguments.option("json").is_some()) {
        session::result(counts(found));
        session::result(scores.output());
    }
    Ok(())
}

/// The model that the first word names, together with further ones.
fn models(arguments: &Arguments) -> Result<(DetectorEnsemble, DetectionOptions), Failure> {
    scenes::refuse(
        arguments,
        &OF_MAPS,
        "its model",
        "finds objects, and this option is for models that map areas",
    )?;
    let (options, device) = (detection(arguments)?, scenes::device(arguments)?);
    let load = |path: &str| -> crate::Result<Detector> {
        let model = Detector::load(path)?;
        Ok(match &device {
            Some(device) => model.device(device),
            None => model,
        })
    };
    let models = scenes::bundles(arguments)
        .map(load)
        .collect::<crate::Result<Vec<_>>>()?;
    Ok((DetectorEnsemble::new(&models)?, options))
}

/// `279 boxes scored 0.32 or more: 270 tree, 9 bush`.
fn counts(found: &SceneBoxes) -> Output {
    let counts: Vec<String> = found
        .counts()
        .iter()
        .map(|(class, count)| format!("{count} {class}"))
        .collect();
    let all = match found.len() {
        1 => "1 box".to_owned(),
        count => format!("{count} boxes"),
    };
    let colon = if counts.is_empty() { "" } else { ": " };
    Output::text(format!(
        "{all} scored {:.2} or more{colon}{}",
        found.threshold_score(),
        counts.join(", ")
    ))
}

/// Whether the options for finding objects are written rightly, whatever the model.
pub(super) fn check(arguments: &Arguments) -> Result<(), Usage> {
    detection(arguments).map(drop)
}

/// How scenes are searched.
fn detection(arguments: &Arguments) -> Result<DetectionOptions, Usage> {
    let options = DetectionOptions::new().fusion(merging(arguments)?);
    let mut options = scenes::with_windows!(options, arguments);
    if let Some(threshold) = arguments.parsed("threshold", "a score from 0 to 1")? {
        options = options.threshold(threshold);
    }
    if let Some(score) = arguments.parsed("min-score", "a score from 0 to 1")? {
        options = options.min_score(score);
    }
    if let Some(boxes) = arguments.parsed("max-boxes", "a number of boxes")? {
        options = options.max_boxes(boxes);
    }
    Ok(options)
}

/// The overlap from which weighted boxes become one, as usual.
const WEIGHTED_IOU: f64 = 0.55;
/// How gently soft suppression lowers scores, as usual.
const SIGMA: f64 = 0.5;
/// The score to which soft suppression drops a box, as usual.
const SOFT_MIN_SCORE: f32 = 0.001;

fn merging(arguments: &Arguments) -> Result<BoxFusion, Usage> {
    let iou: Option<f64> = arguments.parsed("merge-iou", "an overlap from 0 to 1")?;
    if let Some(iou) = iou.filter(|iou| !(0.0..=1.0).contains(iou)) {
        return Err(Usage(format!(
            "`--merge-iou {iou}` is not an overlap from 0 to 1"
        )));
    }
    match (arguments.option("merge"), iou) {
        (None, None) => Ok(BoxFusion::default()),
        (None | Some("nms"), Some(iou)) => Ok(BoxFusion::Nms { iou }),
        (Some("nms"), None) => Ok(BoxFusion::default()),
        (Some("weighted"), iou) => Ok(BoxFusion::WeightedBoxes {
            iou: iou.unwrap_or(WEIGHTED_IOU),
        }),
        (Some("soft-nms"), None) => Ok(BoxFusion::SoftNms {
            sigma: SIGMA,
            min_score: SOFT_MIN_SCORE,
        }),
        (Some("soft-nms"), Some(_)) => Err(Usage(
            "`--merge-iou` is not for `--merge soft-nms`, which lowers scores by the overlap and has no limit of it"
                .to_owned(),
        )),
        (Some(other), _) => Err(Usage(format!(
            "`--merge {other}` is no way to merge boxes: expected `nms`, `soft-nms` or `weighted`"
        ))),
    }
}
