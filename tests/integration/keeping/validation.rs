//! Validation that can choose an epoch, and what a run tells.

use std::sync::{Arc, Mutex, PoisonError};

use swath::burn::nn::conv::Conv2dConfig;
use swath::chips::Chips;
use swath::device::Device;
use swath::display::Output;
use swath::labels::{Classes, IGNORE};
use swath::models::{Architecture, Unet};
use swath::predict::PredictOptions;
use swath::scene::{Scene, Split};
use swath::train::{FitOptions, Segmenter};
use swath::{Hint, Result, session};

use super::{Small, imagery, labels, model, rectangles};
use crate::support::{assert_passed, case, in_child, is_child};

/// rslearn#696, mmsegmentation#2021: without an object in the validation area every epoch scored 0, and the first was kept:
/// 0.194 on the training part, the last one 0.952.
#[test]
fn f20_a_validation_area_without_objects_is_told_and_the_loss_decides() -> Result<()> {
    let scene = Scene::open(case("f20-empty-validation/image.tif"))?
        .with_labels(case("f20-empty-validation/b.gpkg"), "k")?;
    let (train, valid) = scene.split(Split::columns(0.7));
    let chips = train.chips(Chips::random(40, 96).seed(1))?;
    let run =
        model(scene.classes()).fit(&chips, &valid, FitOptions::epochs(4).lr(0.01).quiet(true))?;
    let report = run.report();
    assert!(
        report.mentions("the validation area holds no pixel of a class"),
        "{report}"
    );
    assert!(report.iter().all(|notice| notice.next_step().is_some()));
    assert!(
        run.history()
            .epochs
            .iter()
            .all(|epoch| epoch.score().is_none())
    );
    let iou = |model: &Segmenter| -> Result<f64> {
        let map = model.predict_with(&train, PredictOptions::new().quiet(true))?;
        Ok(map.evaluate(&train)?.class("sq")?.iou)
    };
    let (best, last) = (iou(run.best())?, iou(run.last())?);
    println!("best {best:.3}, last {last:.3}");
    for epoch in &run.history().epochs {
        println!(
            "{} {:.4} {:.4}",
            epoch.epoch, epoch.train_loss, epoch.valid_loss
        );
    }
    assert!(best > last - 0.05, "best {best}, last {last}");
    assert!(
        run.summary().contains("validation loss"),
        "{}",
        run.summary()
    );
    Ok(())
}

/// D1: "validation loss 0.0000, mean IoU –", best epoch 1: labels lay in a corner, windows every n-th elsewhere.
#[test]
fn validation_windows_lie_where_labels_are() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path(), 512, 1);
    // Labeled, with an object, in one of 64 windows of 64 pixels.
    let value = |col: usize, row: usize| match (col / 64, row / 64) {
        (6, 1) => u8::from(col % 64 < 20),
        _ => IGNORE,
    };
    let scene =
        scene.with_label_raster(labels(folder.path(), 512, value), Classes::new(["crop"]))?;
    let chips = scene.chips(Chips::random(8, 64).seed(1))?;
    let fit = |valid: &Scene| {
        model(scene.classes()).fit(&chips, valid, FitOptions::epochs(2).quiet(true))
    };
    let run = fit(&scene)?;
    // Nothing but that the same pixels are trained on.
    let told = run.report().to_string();
    assert!(
        told.starts_with("note: the whole validation area is trained on") && !told.contains('\n'),
        "{told}"
    );
    for epoch in &run.history().epochs {
        assert!(
            epoch.valid_loss > 0.0 && epoch.score().is_some(),
            "{epoch:?}"
        );
    }
    // An area in which nothing is labeled at all.
    let (left, _) = scene.split(Split::at_column(256));
    let error = fit(&left).unwrap_err();
    assert!(
        error.to_string().contains("holds a labeled pixel"),
        "{error}"
    );
    assert!(error.hint().is_some());
    Ok(())
}

/// D9: "mean IoU" was 0.214 in training and 0.625 in the table, of the same weights.
#[test]
fn mean_iou_is_the_same_figure_in_training_table_and_bundle() -> Result<()> {
    let scene = Scene::open(case("f21-other-type/u8.tif"))?
        .with_labels(case("f21-other-type/b.gpkg"), "k")?;
    // One window over the whole scene, in validation and in prediction.
    let chips = scene.chips(Chips::random(8, 160).seed(1))?;
    let run =
        model(scene.classes()).fit(&chips, &scene, FitOptions::epochs(2).lr(0.01).quiet(true))?;
    let best = run
        .history()
        .best()
        .and_then(swath::train::EpochRecord::score)
        .unwrap_or_default();
    let options = PredictOptions::new().window(160).quiet(true);
    let scores = run.best().predict_with(&scene, options)?.evaluate(&scene)?;
    assert!(
        (best - scores.mean_iou()).abs() < 1e-6,
        "{best} {}",
        scores.mean_iou()
    );
    let bundle = run.best().meta().unwrap().provenance["validation mean IoU"].clone();
    assert_eq!(bundle, format!("{:.4}", scores.mean_iou()));
    Ok(())
}

/// Keeps what is shown.
#[derive(Default)]
struct Shown(Mutex<Vec<String>>);

impl session::Sink for Shown {
    fn result(&self, output: Output) {
        self.update(output, "");
    }
    fn display(&self, output: Output, id: Option<&str>) {
        self.update(output, id.unwrap_or_default());
    }
    fn update(&self, output: Output, _id: &str) {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shown.push(output.text);
    }
    fn clear(&self, _wait: bool) {}
    fn input(&self, _prompt: &str, _password: bool) -> Option<String> {
        None
    }
}

/// D12: a fit that failed left a live view with a bar that never moved again.
#[test]
fn a_run_shows_its_notices_once_and_its_error_in_place_of_the_progress() -> Result<()> {
    if !is_child() {
        // Where outputs go belongs to the whole process.
        let name = "keeping::validation::a_run_shows_its_notices_once_and_its_error_in_place_of_the_progress";
        assert_passed(&in_child(name, &[]));
        return Ok(());
    }
    let shown = Arc::new(Shown::default());
    session::set_sink(Arc::clone(&shown) as Arc<dyn session::Sink>);
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path(), 128, 1);
    let path = labels(folder.path(), 128, |_, _| 0);
    let scene = scene.with_label_raster(path, Classes::new(["house"]))?;
    let chips = scene.chips(Chips::random(8, 32))?;
    // It predicts for one class too few.
    let narrow = Architecture::custom("narrow", |bands, _, device| Small {
        first: Conv2dConfig::new([bands, 2], [1, 1]).init(device),
        second: Conv2dConfig::new([2, 2], [1, 1]).init(device),
        third: Conv2dConfig::new([2, 1], [1, 1]).init(device),
    });
    let model = Segmenter::new(narrow, scene.classes()).device(Device::cpu());
    let error = model.fit(&chips, &scene, FitOptions::steps(2)).unwrap_err();
    let shown = shown.0.lock().unwrap_or_else(PoisonError::into_inner);
    let last = shown.last().cloned().unwrap_or_default();
    assert!(last.contains(&format!("Failed: {error}")), "{last}");
    let told = shown
        .iter()
        .filter(|text| text.contains("training and validation loss decide"));
    assert_eq!(told.count(), 1, "{shown:?}");
    Ok(())
}

/// D12: `--quiet` printed tables.
#[test]
fn quiet_commands_show_nothing_but_what_was_asked_for() -> Result<()> {
    if !is_child() {
        let name = "keeping::validation::quiet_commands_show_nothing_but_what_was_asked_for";
        assert_passed(&in_child(name, &[]));
        return Ok(());
    }
    let shown = Arc::new(Shown::default());
    session::set_sink(Arc::clone(&shown) as Arc<dyn session::Sink>);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let scene = imagery(folder.path(), 96, 3);
    let houses = rectangles(
        folder.path().join("b.geojson").as_ref(),
        &[[10.0, 10.0, 40.0, 40.0]],
    );
    let scene = scene.with_labels(&houses, "house")?;
    let chips = scene.chips(Chips::random(2, 64))?;
    let network = Unet::efficientnet_lite0()
        .pretrained(false)
        .decoder_widths([8, 8, 8, 8, 4]);
    let model = Segmenter::new(network, scene.classes()).device(Device::cpu());
    let run = model.fit(&chips, &scene, FitOptions::steps(1).quiet(true))?;
    run.last().save(path("model.swath"))?;
    let swath = |line: String| {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        assert_eq!(swath::cli::run(&words), swath::cli::DONE, "{line}");
        std::mem::take(&mut *shown.0.lock().unwrap_or_else(PoisonError::into_inner)).len()
    };
    let (bundle, image) = (path("model.swath"), path("imagery.tif"));
    let labeled = format!(
        "--labels {} --class house --device cpu --quiet",
        houses.display()
    );
    let (out, json) = (path("map"), path("scores.json"));
    assert_eq!(
        swath(format!("predict {bundle} {image} -o {out} {labeled}")),
        0
    );
    assert_eq!(
        swath(format!("evaluate {bundle} {image} {labeled} --json {json}")),
        0
    );
    assert_eq!(swath(format!("evaluate {bundle} {image} {labeled}")), 1);
    Ok(())
}
