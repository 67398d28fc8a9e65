//! Predicting maps and scoring them; models that find objects are in [`super::boxes`].

use std::path::Path;

use serde_json::Value;
use swath_cli::{
    EvaluateArguments, MapOptions, OutlineWay, PolygonFormat, PredictArguments, ScoreWay,
};

use super::job::Job;
use super::many::Together;
use super::saved::{Saved, saved};
use super::scenes::{Labels, labeled_scene, whole_imagery, with_windows};
use super::task::{self, CommandTask};
use super::{Failure, boxes, cells};
use crate::Result;
use crate::display::Output;
use crate::evaluate::Scores;
use crate::labels::Classes;
use crate::models::{ChipClassification, ObjectDetection, Segmentation, Task as _, bundle_task};
use crate::predict::{
    Ensemble, PredictOptions, SaveOptions, SavedFiles, SavedScenes, SceneMap, ScoreType,
    pixel_size_of, score_class_map,
};
use crate::raster::{PixelWindow, Raster};
use crate::report::{Notice, Report, file_name};
use crate::scene::Scene;
use crate::scenes::ListedScene;
use crate::session;
use crate::vector::{Format, Outlines};

/// Predicts every scene with a model of any task.
pub(super) fn predict(arguments: &PredictArguments) -> Result<(), Failure> {
    let job = Job::from(arguments);
    match bundle_task(job.first).as_deref() {
        Some(ObjectDetection::NAME) => task::predict::<ObjectDetection>(&job, arguments),
        Some(ChipClassification::NAME) => task::predict::<ChipClassification>(&job, arguments),
        _ => task::predict::<Segmentation>(&job, arguments),
    }
}

/// Scores a saved map, saved boxes, saved cells, or what a model of any task makes of the scene.
pub(super) fn evaluate(arguments: &EvaluateArguments) -> Result<(), Failure> {
    let (found, kind) = saved(&arguments.predicted)?;
    let job = Job {
        first: &found,
        ..Job::from(arguments)
    };
    match kind {
        Some(Saved::Cells) => return cells::evaluate_saved(&job, arguments),
        Some(Saved::Boxes) => return boxes::evaluate_saved(&job, arguments),
        Some(Saved::Map) | None => {}
    }
    match bundle_task(job.first).as_deref() {
        Some(ObjectDetection::NAME) => task::evaluate::<ObjectDetection>(&job, arguments),
        Some(ChipClassification::NAME) => task::evaluate::<ChipClassification>(&job, arguments),
        Some(_) => task::evaluate::<Segmentation>(&job, arguments),
        None => {
            let scores = score_saved_map(&job, &super::scenes::one_file(&arguments.scenes, &job)?)?;
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
        job.refuse(
            job.labels.cells.map(|_| "--cells"),
            "its model maps areas, and this option is for models that give a class to cells",
        )?;
        // Only saving needs the scores of all classes.
        let scores = job.maps.is_some_and(|maps| !maps.no_scores);
        let options = PredictOptions::new().scores(scores);
        let options = match job.maps.and_then(|maps| maps.scores) {
            Some(way) => options.score_type(match way {
                ScoreWay::U8 => ScoreType::U8,
                ScoreWay::Percent => ScoreType::Percent,
                ScoreWay::F16 => ScoreType::F16,
                ScoreWay::F32 => ScoreType::F32,
            }),
            None => options,
        };
        let options = with_windows!(options, job);
        Ok(match job.threshold {
            Some(threshold) => options.threshold(threshold),
            None => options,
        })
    }

    fn is_labeled(scene: &Scene) -> bool {
        scene.has_labels()
    }

    fn summary(_: &SceneMap, _: &PixelWindow) -> Option<Output> {
        None
    }

    fn json(scores: &Scores) -> Value {
        scores.to_json()
    }

    fn write(map: &SceneMap, folder: &Path, job: &Job<'_>) -> Result<SavedFiles> {
        let saving = job.maps.map(saving).unwrap_or_default();
        map.save_with(folder, &saving)
    }

    fn score_saved(folder: &Path, scene: &Scene) -> Result<Scores> {
        score_class_map(&Raster::open(folder.join("labels.tif"))?, scene)
    }

    fn join(
        together: &Together<'_>,
        models: &Ensemble<Self>,
        _: &dyn Fn(usize) -> Result<Scene, Failure>,
        folder: &Path,
        job: &Job<'_>,
    ) -> Result<SavedFiles, Failure> {
        let saved = SavedScenes::of(
            together.out.to_owned(),
            together.names.clone(),
            models.classes().clone(),
            together.trained.clone(),
        );
        if let Some(notice) = saved.why_not_joined()? {
            return Ok(SavedFiles::new(Vec::new()).with_report(Report::from_iter([notice])));
        }
        let map = saved.mosaic()?;
        let report = map.report().clone();
        Ok(Self::write(&map, folder, job)?.with_report(report))
    }
}

fn saving(maps: &MapOptions) -> SaveOptions {
    let mut saving = SaveOptions::new().polygons(!maps.no_polygons);
    if let Some(area) = maps.min_area {
        saving = saving.min_area_m2(area);
    }
    if let Some(pixels) = maps.min_pixels {
        saving = saving.min_area_pixels(pixels);
    }
    let right = maps.outlines == Some(OutlineWay::RightAngles);
    let mut outlines = Outlines::new().right_angles(right);
    if let Some(meters) = maps.simplify {
        outlines = outlines.simplify_m(meters);
    }
    if let Some(area) = maps.fill_holes {
        outlines = outlines.fill_holes_m2(area);
    }
    saving = saving.outlines(outlines);
    match formats(maps) {
        Some(formats) => saving.formats(formats),
        None => saving,
    }
}

/// The formats that `--formats` names.
pub(super) fn formats(maps: &MapOptions) -> Option<Vec<Format>> {
    let named = maps.formats.iter().map(|format| match format {
        PolygonFormat::Gpkg => Format::GeoPackage,
        PolygonFormat::Geojson => Format::GeoJson,
        PolygonFormat::Fgb => Format::FlatGeobuf,
        PolygonFormat::Shp => Format::Shapefile,
        PolygonFormat::Parquet => Format::GeoParquet,
    });
    (!maps.formats.is_empty()).then(|| named.collect())
}

fn score_saved_map(job: &Job<'_>, scene: &ListedScene) -> Result<Scores, Failure> {
    let map = Raster::open(job.first)?;
    let threshold = job.threshold.map(|_| "--threshold");
    let cells = job.labels.cells.map(|_| "--cells");
    job.refuse(
        (job.model.given().or(job.objects.given()))
            .or(threshold)
            .or(cells),
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
    // A part of the scene is one at the map's own pixel size.
    let at = pixel_size_of(&map, &whole_imagery(scene, job)?);
    if let (Some(_), false) = (at, job.quiet) {
        let pixels = map.pixel_words().unwrap_or_else(|| map.size().to_string());
        let notice = Notice::noted(format!(
            "the map was predicted at another pixel size ({pixels}): the scene is opened at it"
        ));
        session::display(&Report::from_iter([notice.about(file_name(map.path()))]));
    }
    let scene = labeled_scene(scene, &Job { at, ..*job }, &classes, Labels::Areas)?;
    Ok(score_class_map(&map, &scene)?)
}
