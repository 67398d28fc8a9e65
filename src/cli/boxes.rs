//! Finding objects with a detection model, and scoring what it finds.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use swath_cli::{EvaluateArguments, Fusion, ObjectOptions};

use super::Failure;
use super::job::Job;
use super::many::Together;
use super::scenes::{self, Labels, labeled_scene};
use super::task::{self, CommandTask};
use crate::boxes::BoxFusion;
use crate::detect::{BoxSaveOptions, BoxScores, DetectionOptions, SceneBoxes, saved_class_names};
use crate::display::Output;
use crate::labels::Classes;
use crate::models::ObjectDetection;
use crate::predict::{Ensemble, Predictable as _, SavedFiles, check_probability};
use crate::raster::PixelWindow;
use crate::scene::Scene;
use crate::scenes::ListedScene;
use crate::session;

impl CommandTask for ObjectDetection {
    const LABELS: Labels = Labels::Boxes;

    fn options(job: &Job<'_>) -> Result<DetectionOptions, Failure> {
        job.refuse(
            job.maps.and_then(swath_cli::MapOptions::of_maps_alone),
            "its model finds objects, and this option is for models that map areas",
        )?;
        job.refuse(
            job.labels.cells.map(|_| "--cells"),
            "its model finds objects, and this option is for models that give a class to cells",
        )?;
        Ok(detection(job))
    }

    fn is_labeled(scene: &Scene) -> bool {
        scene.has_boxes()
    }

    fn summary(found: &SceneBoxes, area: &PixelWindow) -> Option<Output> {
        Some(counts(found, area))
    }

    fn json(scores: &BoxScores) -> Value {
        scores.to_json()
    }

    fn write(found: &SceneBoxes, folder: &Path, job: &Job<'_>) -> crate::Result<SavedFiles> {
        found.save_with(folder, saving(job))
    }

    fn score_saved(folder: &Path, scene: &Scene) -> crate::Result<BoxScores> {
        let classes = scene.classes().clone();
        let found = SceneBoxes::open_with_classes(folder.join(RESULTS), scene, classes)?;
        Self::evaluate(&found, scene)
    }

    fn join(
        together: &Together<'_>,
        models: &Ensemble<Self>,
        opened: &dyn Fn(usize) -> Result<Scene, Failure>,
        folder: &Path,
        job: &Job<'_>,
    ) -> Result<SavedFiles, Failure> {
        let mut all = Vec::with_capacity(together.folders.len());
        for (index, saved) in together.folders.iter().enumerate() {
            session::check_interrupt("joining boxes")?;
            let (path, classes) = (saved.join(RESULTS), models.classes().clone());
            all.push(SceneBoxes::open_with_classes(
                path,
                &opened(index)?,
                classes,
            )?);
        }
        Ok(SceneBoxes::save_together(&all, folder, saving(job))?)
    }
}

/// The file of boxes that is always written, in pixels and with the numbers of the model's classes.
const RESULTS: &str = "detections.json";

fn saving(job: &Job<'_>) -> BoxSaveOptions {
    match job.maps.and_then(super::predict::formats) {
        Some(formats) => BoxSaveOptions::new().formats(formats),
        None => BoxSaveOptions::new(),
    }
}

/// Scores boxes that were found and saved before.
pub(super) fn evaluate_saved(job: &Job<'_>, arguments: &EvaluateArguments) -> Result<(), Failure> {
    job.refuse(
        (job.model.given().or(job.objects.given())).or(job.labels.cells.map(|_| "--cells")),
        "it holds boxes that were found before, and this option is for models",
    )?;
    if let Some(threshold) = job.threshold {
        check_probability("threshold", threshold)?;
    }
    let listed = scenes::one_file(&arguments.scenes, job)?;
    let scene = scene_of_saved(job, &listed)?;
    // All that were found: those at the edge of a part of the scene may find what lies inside.
    let searched = scenes::whole_imagery(&listed, job)?;
    let found = match scene.classes().len() {
        0 | 1 => SceneBoxes::open(job.first, &searched)?,
        _ => SceneBoxes::open_with_classes(job.first, &searched, scene.classes())?,
    };
    if !(found.report().is_empty() || job.quiet) {
        session::display(found.report());
    }
    let found = match job.threshold {
        Some(threshold) => found.threshold(threshold),
        None => found,
    };
    task::score::<ObjectDetection>(&found, &scene, arguments)
}

/// The scene with its labels and the classes of saved boxes and labels: some may occur only in one of them.
fn scene_of_saved(job: &Job<'_>, listed: &ListedScene) -> Result<Scene, Failure> {
    let scene = &listed.path;
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
    labeled_scene(listed, job, &Classes::new(names), Labels::Boxes)
}

/// `279 boxes scored 0.32 or more: 270 tree, 9 bush`, of those whose middle lies in the area.
fn counts(found: &SceneBoxes, area: &PixelWindow) -> Output {
    let inside: Vec<usize> = found
        .detections()
        .iter()
        .filter(|one| {
            let (x, y) = one.bounds.center();
            // Casts saturate, so that far places lie outside as well.
            area.contains_pixel(x.floor() as i64, y.floor() as i64)
        })
        .map(|one| one.class)
        .collect();
    let mut by_name: BTreeMap<&str, usize> = BTreeMap::new();
    for class in &inside {
        let class = found.classes().get(*class);
        *by_name
            .entry(class.map_or("", |class| &class.name))
            .or_default() += 1;
    }
    let counts: Vec<String> = by_name
        .iter()
        .map(|(class, count)| format!("{count} {class}"))
        .collect();
    let all = match inside.len() {
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
