//! Finding objects with a detection model, and scoring what it finds.

use std::path::PathBuf;

use super::Failure;
use super::arguments::{Arguments, Usage};
use super::scenes::{self, Labels, OF_MAPS, each_scene, labelled_scene};
use crate::boxes::Merge;
use crate::detect::{DetectionOptions, SceneBoxes};
use crate::display::{Output, Show as _};
use crate::predict::write_synced;
use crate::session;
use crate::train::Detector;

/// Finds the objects of every scene and saves them.
pub(super) fn predict(arguments: &Arguments) -> Result<(), Failure> {
    let out = PathBuf::from(arguments.required("out")?);
    let (model, options) = model(arguments)?;
    each_scene(arguments, &out, |path, folder| {
        let scene = labelled_scene(path, arguments, model.classes(), Labels::Boxes)?;
        let found = model.predict_with(&scene, options.clone())?;
        say_counts(&found);
        if scene.has_boxes() {
            session::result(found.evaluate(&scene)?.output());
        }
        session::result(found.save(folder)?.output());
        Ok(())
    })
}

/// Finds the objects of a scene and scores them.
pub(super) fn evaluate(arguments: &Arguments) -> Result<(), Failure> {
    let (model, options) = model(arguments)?;
    let scene = labelled_scene(arguments.word(1), arguments, model.classes(), Labels::Boxes)?;
    let found = model.predict_with(&scene, options)?;
    let scores = found.evaluate(&scene)?;
    if let Some(path) = arguments.option("json") {
        write_synced(
            path.as_ref(),
            format!("{:#}\n", scores.to_json()).as_bytes(),
        )?;
    }
    say_counts(&found);
    session::result(scores.output());
    Ok(())
}

fn model(arguments: &Arguments) -> Result<(Detector, DetectionOptions), Failure> {
    scenes::refuse(
        arguments,
        &OF_MAPS,
        "its model",
        "finds objects, and this option is for models that map areas",
    )?;
    let (options, device) = (detection(arguments)?, scenes::device(arguments)?);
    let model = Detector::load(arguments.word(0))?;
    Ok(match device {
        Some(device) => (model.device(device), options),
        None => (model, options),
    })
}

/// `279 boxes scored 0.32 or more: 270 tree, 9 bush`.
fn say_counts(found: &SceneBoxes) {
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
    session::result(Output::text(format!(
        "{all} scored {:.2} or more{colon}{}",
        found.threshold_score(),
        counts.join(", ")
    )));
}

/// Whether the options for finding objects are written rightly, whatever the model.
pub(super) fn check(arguments: &Arguments) -> Result<(), Usage> {
    detection(arguments).map(drop)
}

/// How scenes are searched.
fn detection(arguments: &Arguments) -> Result<DetectionOptions, Usage> {
    let options = DetectionOptions::new().merge(merging(arguments)?);
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

fn merging(arguments: &Arguments) -> Result<Merge, Usage> {
    let iou: Option<f64> = arguments.parsed("merge-iou", "an overlap from 0 to 1")?;
    if let Some(iou) = iou.filter(|iou| !(0.0..=1.0).contains(iou)) {
        return Err(Usage(format!(
            "`--merge-iou {iou}` is not an overlap from 0 to 1"
        )));
    }
    match (arguments.option("merge"), iou) {
        (None, None) => Ok(Merge::default()),
        (None | Some("nms"), Some(iou)) => Ok(Merge::Nms { iou }),
        (Some("nms"), None) => Ok(Merge::default()),
        (Some("weighted"), iou) => Ok(Merge::WeightedBoxes {
            iou: iou.unwrap_or(WEIGHTED_IOU),
        }),
        (Some("soft-nms"), None) => Ok(Merge::SoftNms {
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
