//! What normalization by each scene's own statistics does for a new place: the models of the tutorials 1 and 3, trained with the
//! statistics of the training scene and with those of each scene, and scored on the validation area, which may choose, and
//! on the place that neither training nor choice has seen. It trains four models for each seed and compares scores, not times.
//!
//! `make bench BENCH=normalization`; `SWATH_BENCH_SEEDS=3`, `SWATH_BENCH_STEPS=400`, `SWATH_BENCH_ONLY=maps` or `boxes`.

#![allow(clippy::print_stdout, reason = "a program that tells what it does")]

use swath::data;
use swath::prelude::*;

/// Scores of one model.
struct Row {
    validation: f64,
    elsewhere: f64,
    /// The elsewhere score when the threshold is the best that this place has.
    at_best: Option<f64>,
}

fn main() -> swath::Result<()> {
    let number = |name: &str, or: usize| {
        let text = std::env::var(name).ok();
        text.and_then(|text| text.parse().ok()).unwrap_or(or)
    };
    let steps = number("SWATH_BENCH_STEPS", 200);
    let only = std::env::var("SWATH_BENCH_ONLY").unwrap_or_default();
    println!(
        "{steps} steps; score of the validation area, of another place, of it at its best threshold"
    );
    for seed in 0..number("SWATH_BENCH_SEEDS", 1) as u64 {
        for (name, each) in [("training scene", false), ("each scene", true)] {
            if only != "boxes" {
                tell("Banepa, IoU", seed, name, &maps(seed, steps, each)?);
            }
            if only != "maps" {
                tell(
                    "NEON, F1 at IoU 0.4",
                    seed,
                    name,
                    &boxes(seed, steps, each)?,
                );
            }
        }
    }
    Ok(())
}

fn tell(what: &str, seed: u64, name: &str, row: &Row) {
    let at_best = row
        .at_best
        .map_or_else(String::new, |score| format!(" {score:.3}"));
    println!(
        "{what} | seed {seed} | statistics of {name}: {:.3} {:.3}{at_best}",
        row.validation, row.elsewhere
    );
}

/// The bands by the scene's own mean and deviation, or as they are: the model then goes by those of the training scene.
fn normalized(scene: Scene, each: bool) -> swath::Result<Scene> {
    if each {
        scene.with_transforms([BandTransform::standard().of_each_scene()])
    } else {
        Ok(scene)
    }
}

/// Tutorial 1.
fn maps(seed: u64, steps: usize, each: bool) -> swath::Result<Row> {
    let banepa = data::fetch("banepa")?;
    let open = |name: &str| {
        let scene = Scene::open(banepa.file(&format!("{name}.tif"))?)?
            .with_labels(banepa.file(&format!("{name}.geojson"))?, "building")?;
        normalized(scene, each)
    };
    let (west, test) = (open("banepa_train_west")?, open("banepa_test")?);
    let (train, valid) = west.split(Split::rows(0.9));
    let chips = train.chips(Chips::random(400, 256).seed(7 + seed).photometric(0.2))?;
    let model = Segmenter::new(Unet::efficientnet_lite0(), west.classes());
    let options = FitOptions::steps(steps).seed(seed).quiet(true);
    let run = model.fit(&chips, &valid, options)?;
    let quiet = || PredictOptions::new().quiet(true);
    let choice = run
        .best()
        .predict_with(&valid, quiet())?
        .best_threshold(&valid)?;
    let validated = run
        .best()
        .predict_with(&valid, quiet().threshold(&choice))?;
    let map = run.best().predict_with(&test, quiet().threshold(&choice))?;
    Ok(Row {
        validation: validated.evaluate(&valid)?.class("building")?.iou,
        elsewhere: map.evaluate(&test)?.class("building")?.iou,
        at_best: None,
    })
}

/// Tutorial 3.
fn boxes(seed: u64, steps: usize, each: bool) -> swath::Result<Row> {
    let neon = data::fetch("neon")?;
    let open = |name: &str| {
        let scene = Scene::open(neon.file(&format!("{name}.png"))?)?
            .with_boxes(neon.file(&format!("{name}.xml"))?, "tree")?;
        normalized(scene, each)
    };
    let (forest, test) = (open("neon_train")?, open("neon_test")?);
    let (train, valid) = forest.split(Split::columns(0.9));
    let cut = Chips::random(1000, 256).window_sizes(192..=320);
    let chips = train.chips(cut.seed(7 + seed).photometric(0.4))?;
    let model = Detector::new(CenterNet::efficientnet_lite0(), forest.classes());
    let options = FitOptions::steps(steps).ema(0.99).seed(seed).quiet(true);
    let run = model.fit(&chips, &valid, options)?;
    let quiet = || DetectionOptions::new().quiet(true);
    let validated = run.last().predict_with(&valid, quiet())?;
    let choice = validated.best_threshold_at(&valid, 0.4)?;
    let found = run.last().predict_with(&test, quiet())?.threshold(&choice);
    let scores = found.evaluate(&test)?;
    Ok(Row {
        validation: validated.threshold(&choice).evaluate(&valid)?.f1(0.4),
        elsewhere: scores.f1(0.4),
        at_best: Some(scores.best_threshold(0.4).f1()),
    })
}
