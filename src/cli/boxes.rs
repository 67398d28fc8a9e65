//! Finding objects with a detection model, and scoring what it finds.

use std::path::Path;

use swath_cli::{EvaluateArguments, Fusion, ObjectOptions, PredictArguments};

use super::Failure;
use super::job::Job;
use super::scenes::{self, Labels, each_scene, labeled_scene, say};
use crate::boxes::BoxFusion;
use crate::detect::{DetectionOptions, DetectorEnsemble, SceneBoxes, saved_class_names};
use crate::display::{Output, Show as _};
use crate::labels::Classes;
use crate::predict::{check_probability, write_synced};
use crate::scene::Scene;
use crate::session;
use crate::train::Detector;

/// Finds the objects of every scene, with one model or several, and saves them.
pub(super) fn predict(job: &Job<'_>, arguments: &PredictArguments) -> Result<(), Failure> {
    let (models, options) = models(job)?;
    each_scene(arguments, |path, folder| {
        let scene = labeled_scene(path, job, models.classes(), Labels::Boxes)?;
        let found = models.predict_with(&scene, options.clone())?;
        say(job.quiet, || counts(&found));
        if scene.has_boxes() {
            let scores = found.evaluate(&scene)?;
            say(job.quiet, || scores.output());
        }
        let saved = found.save(folder)?;
        say(job.quiet, || saved.output());
        Ok(())
    })
}

/// Finds the objects of a scene and scores them.
pub(super) fn evaluate(job: &Job<'_>, arguments: &EvaluateArguments) -> Result<(), Failure> {
    let (models, options) = models(job)?;
    let scene = labeled_scene(&arguments.scene, job, models.classes(), Labels::Boxes)?;
    let found = models.predict_with(&scene, options)?;
    score(&found, &scene, arguments)
}

/// Whether a file is, by its name, one of the boxes that prediction saves, and not a map.
pub(super) fn is_saved(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    ["gpkg", "geojson", "json"]
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}

/// Scores boxes that were found and saved before.
pub(super) fn evaluate_saved(job: &Job<'_>, arguments: &EvaluateArguments) -> Result<(), Failure> {
    job.refuse(
        job.model.given().or(job.objects.given()),
        "it holds boxes that were found before, and this option is for models",
    )?;
    if let Some(threshold) = job.threshold {
        check_probability("threshold", threshold)?;
    }
    let scene = scene_of_saved(job, &arguments.scene)?;
    let found = SceneBoxes::open(job.first, &scene)?;
    let found = match job.threshold {
        Some(threshold) => found.threshold(threshold),
        None => found,
    };
    score(&found, &scene, arguments)
}

/// The scene with its labels and the classes of saved boxes and labels: some may occur only in one of them.
fn scene_of_saved(job: &Job<'_>, scene: &Path) -> Result<Scene, Failure> {
    let saved_names = saved_class_names(job.first, &Scene::open(scene)?)?;
    let numbered = saved_names.is_none();
    let mut names = saved_names.unwrap_or_default();
    if let Some((labels, property)) = scenes::labels_with_classes(&job.labels.file) {
        let labeled = Scene::open(scene)?.with_boxes(labels, property)?;
        let of_labels = labeled.classes().names().into_iter().skip(1);
        names.extend(of_labels.map(str::to_owned));
        if numbered && names.len() > 1 {
            return Err(Failure::Usage(format!(
                "{} numbers its classes and the labels name {}: score the `boxes.gpkg` beside it, which names them",
                job.first.display(),
                names.len()
            )));
        }
    }
    labeled_scene(scene, job, &Classes::new(names), Labels::Boxes)
}

/// Scores what was found in a scene, and shows and writes the scores.
fn score(found: &SceneBoxes, scene: &Scene, arguments: &EvaluateArguments) -> Result<(), Failure> {
    let scores = found.evaluate(scene)?;
    if let Some(path) = &arguments.json {
        write_synced(path, format!("{:#}\n", scores.to_json()).as_bytes())?;
    }
    // What was asked for is in the file, where there is one.
    if !(arguments.quiet && arguments.json.is_some()) {
        session::result(counts(found));
        session::result(scores.output());
    }
    Ok(())
}

/// The model that the first word names, together with further ones.
fn models(job: &Job<'_>) -> Result<(DetectorEnsemble, DetectionOptions), Failure> {
    job.refuse(
        job.maps.and_then(swath_cli::MapOptions::given),
        "its model finds objects, and this option is for models that map areas",
    )?;
    let (options, device) = (detection(job), job.device()?);
    let load = |path: &Path| -> crate::Result<Detector> {
        let model = Detector::load(path)?;
        Ok(match &device {
            Some(device) => model.device(device),
            None => model,
        })
    };
    let models = job.bundles().map(load).collect::<crate::Result<Vec<_>>>()?;
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

/// How scenes are searched.
fn detection(job: &Job<'_>) -> DetectionOptions {
    let options = DetectionOptions::new().fusion(fusion(job.objects));
    let mut options = scenes::with_windows!(options, job);
    if let Some(threshold) = job.threshold {
        options = options.threshold(threshold);
    }
    if let Some(score) = job.objects.min_score {
        options = options.min_score(score);
    }
    if let Some(boxes) = job.objects.max_boxes {
        options = options.max_boxes(boxes);
    }
    options
}

/// The overlap from which weighted boxes become one, as usual.
const WEIGHTED_IOU: f64 = 0.55;
/// How gently soft suppression lowers scores, as usual.
const SIGMA: f64 = 0.5;
/// The score to which soft suppression drops a box, as usual.
const SOFT_MIN_SCORE: f32 = 0.001;

fn fusion(objects: &ObjectOptions) -> BoxFusion {
    match (objects.fusion, objects.fusion_iou) {
        (None | Some(Fusion::Nms), None) => BoxFusion::default(),
        (None | Some(Fusion::Nms), Some(iou)) => BoxFusion::Nms { iou },
        (Some(Fusion::Weighted), iou) => BoxFusion::WeightedBoxes {
            iou: iou.unwrap_or(WEIGHTED_IOU),
        },
        // The parser refuses an overlap here.
        (Some(Fusion::SoftNms), _) => BoxFusion::SoftNms {
            sigma: SIGMA,
            min_score: SOFT_MIN_SCORE,
        },
    }
}
