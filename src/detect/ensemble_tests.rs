//! Detectors that search together: networks that find bright rectangles exactly, all of them or some.

use std::path::Path;

use burn::module::Module;
use burn::tensor::Tensor;

use super::tests::{Finder, corners, drawn, folder};
use super::{DetectionOptions, DetectorEnsemble};
use crate::boxes::{Annotation, BoxFusion, Detection};
use crate::device::Device;
use crate::display::Show;
use crate::labels::Classes;
use crate::models::{
    BundleMeta, DetectOptions, DetectionNetwork, DetectorArchitecture, Normalization, bundle,
};
use crate::raster::Size;
use crate::train::Detector;
use crate::{Hint, Result};

/// Finds the rectangles that are wider than high.
#[derive(Module, Debug)]
struct Wide {
    finder: Finder,
}

/// Finds the others, in images whose values are 2 lower.
#[derive(Module, Debug)]
struct High {
    finder: Finder,
}

type Losses = Vec<(&'static str, Tensor<1>)>;

impl DetectionNetwork for Wide {
    fn losses(&self, images: Tensor<4>, targets: &[Vec<Annotation>]) -> Losses {
        DetectionNetwork::losses(&self.finder, images, targets)
    }

    fn detect(&self, images: Tensor<4>, options: &DetectOptions) -> Vec<Vec<Detection>> {
        only(
            DetectionNetwork::detect(&self.finder, images, options),
            is_wide,
        )
    }
}

impl DetectionNetwork for High {
    fn losses(&self, images: Tensor<4>, targets: &[Vec<Annotation>]) -> Losses {
        DetectionNetwork::losses(&self.finder, images, targets)
    }

    fn detect(&self, images: Tensor<4>, options: &DetectOptions) -> Vec<Vec<Detection>> {
        let found = DetectionNetwork::detect(&self.finder, images + 2.0, options);
        only(found, |found| !is_wide(found))
    }
}

fn is_wide(found: &Detection) -> bool {
    found.bounds.width() > found.bounds.height()
}

fn only(mut found: Vec<Vec<Detection>>, kept: impl Fn(&Detection) -> bool) -> Vec<Vec<Detection>> {
    for found in &mut found {
        found.retain(&kept);
    }
    found
}

fn all() -> DetectorArchitecture {
    DetectorArchitecture::custom("all", |_, _, _| Finder::new())
}

fn wide() -> DetectorArchitecture {
    DetectorArchitecture::custom("wide", |_, _, _| Wide {
        finder: Finder::new(),
    })
}

fn high() -> DetectorArchitecture {
    DetectorArchitecture::custom("high", |_, _, _| High {
        finder: Finder::new(),
    })
}

/// What was drawn at 200 becomes 1, the ground 0.
fn bright() -> Normalization {
    Normalization::new(vec![0.0], vec![200.0])
}

/// What was drawn at 200 becomes -1, the ground -2: for [`High`].
fn dark() -> Normalization {
    Normalization::new(vec![400.0], vec![200.0])
}

fn model(
    folder: &Path,
    architecture: DetectorArchitecture,
    normalization: Normalization,
    classes: &[&str],
    threshold: Option<f32>,
) -> Result<Detector> {
    let names: Vec<String> = std::iter::once("background")
        .chain(classes.iter().copied())
        .map(str::to_owned)
        .collect();
    let bands = normalization.bands();
    let network = architecture.build(bands, names.len(), &Device::cpu())?;
    let mut meta = BundleMeta::for_task(architecture.clone(), bands, names, normalization, 64);
    meta.threshold = threshold;
    let path = folder.join("model.swath");
    bundle::save_tensors(&path, &meta, &network.named_tensors())?;
    Ok(Detector::load_as(path, architecture)?.device(Device::cpu()))
}

/// Tiles that lie wholly on the scene: [`High`] sees brightness where there is nothing.
fn options() -> DetectionOptions {
    DetectionOptions::new()
        .window(96)
        .overlap(48)
        .batch(2)
        .min_score(0.0)
        .quiet(true)
}

#[test]
fn a_model_together_with_itself_finds_its_own_boxes_with_their_scores() -> Result<()> {
    let folder = folder();
    let scene = drawn(folder.path(), Size::new(260, 200), 11)?;
    let model = model(folder.path(), all(), bright(), &["car"], Some(0.2))?;
    for (count, merge) in [
        (1, BoxFusion::default()),
        (2, BoxFusion::default()),
        (3, BoxFusion::default()),
        (3, BoxFusion::WeightedBoxes { iou: 0.55 }),
    ] {
        let options = || options().fusion(merge);
        let alone = model.predict_with(&scene, options())?;
        assert!(alone.len() > 20);
        let together = DetectorEnsemble::new(vec![&model; count])?;
        let together = together.predict_with(&scene, options())?;
        assert_eq!(together.threshold_score(), 0.2, "{count} models");
        let (all, own) = (together.all_detections(), alone.all_detections());
        assert_eq!(all.len(), own.len(), "{count} models, {merge:?}");
        for (found, own) in all.iter().zip(own) {
            assert!(
                (found.score - own.score).abs() < 1e-6
                    && found.bounds.iou(&own.bounds) > 1.0 - 1e-9,
                "{found:?} is not {own:?}"
            );
        }
    }
    Ok(())
}

#[test]
fn two_models_that_find_half_of_the_objects_each_find_all_together() -> Result<()> {
    let folder = folder();
    let scene = drawn(folder.path(), Size::new(230, 190), 12)?;
    let truth = corners(scene.boxes().iter().map(|one| &one.bounds));
    let (wide, high) = (
        model(folder.path(), wide(), bright(), &["car"], Some(0.0))?,
        model(folder.path(), high(), dark(), &["car"], Some(0.0))?,
    );
    let (some, others) = (
        wide.predict_with(&scene, options())?,
        high.predict_with(&scene, options())?,
    );
    assert!(!some.is_empty() && !others.is_empty());
    assert_eq!(some.len() + others.len(), truth.len());

    let both = DetectorEnsemble::new([&wide, &high])?.predict_with(&scene, options())?;
    assert_eq!(
        corners(both.detections().iter().map(|one| &one.bounds)),
        truth
    );
    for found in both.detections() {
        let alone = (found.bounds.area() as f32 / 1000.0).min(1.0);
        assert!(
            (found.score - alone / 2.0).abs() < 1e-6,
            "one of two: {found:?}"
        );
    }
    let scores = both.evaluate(&scene)?;
    assert_eq!((scores.ap50(), scores.f1(0.9)), (1.0, 1.0));

    // A third model that finds all of them makes it two of three, whatever the order.
    let all = model(folder.path(), all(), bright(), &["car"], Some(0.3))?;
    let three = DetectorEnsemble::new([&high, &all, &wide])?;
    let found = three.predict_with(&scene, options())?;
    assert_eq!(
        (found.all_detections().len(), found.threshold_score()),
        (truth.len(), 0.1)
    );
    for found in found.all_detections() {
        let alone = (found.bounds.area() as f32 / 1000.0).min(1.0);
        assert!(
            (found.score - alone * 2.0 / 3.0).abs() < 1e-6,
            "two of three: {found:?}"
        );
    }
    assert!(
        three.output().text.contains("high"),
        "{}",
        three.output().text
    );
    Ok(())
}

#[test]
fn detectors_that_do_not_fit_together_are_named() -> Result<()> {
    let folder = folder();
    let folder = folder.path();
    let first = model(folder, all(), bright(), &["car", "bus"], None)?;
    let error = |models: &[&Detector]| {
        let error = DetectorEnsemble::new(models.iter().copied()).expect_err("they do not fit");
        assert!(error.hint().is_some(), "{error}");
        error.to_string()
    };
    let turned = model(folder, all(), bright(), &["bus", "car"], None)?;
    assert_eq!(
        error(&[&first, &first, &turned]),
        "model 3 of the ensemble tells apart background, bus, car, the first one background, car, bus"
    );
    let bands = model(
        folder,
        all(),
        Normalization::eight_bit(3),
        &["car", "bus"],
        None,
    )?;
    assert_eq!(
        error(&[&first, &bands]),
        "model 2 of the ensemble was trained on 3 bands, the first one on 1"
    );
    assert!(error(&[]).contains("at least 1"));
    let untrained = Detector::new(all(), Classes::new(["car", "bus"]));
    assert!(error(&[&first, &untrained]).contains("weights"));

    let scene = drawn(folder, Size::new(130, 100), 13)?;
    let other = DetectorEnsemble::new([&bands, &bands])?.predict(&scene);
    let other = other.expect_err("two bands too few").to_string();
    assert!(other.contains("3 bands"), "{other}");
    Ok(())
}
