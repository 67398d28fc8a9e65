//! Several models that predict together, and a device whose memory runs out.

use std::path::Path;
use std::sync::Mutex;

use swath::burn;
use swath::burn::module::Module;
use swath::burn::nn::conv::{Conv2d, Conv2dConfig};
use swath::burn::tensor::Tensor;
use swath::device::Device;
use swath::labels::Classes;
use swath::models::{Architecture, BundleMeta, Network, Normalization, save_bundle};
use swath::predict::{Ensemble, PredictOptions, SceneMap, predict_scene};
use swath::raster::{Raster, RasterType, Size, WriterOptions};
use swath::scene::Scene;
use swath::train::Segmenter;
use swath::{Hint, Result};

use crate::support;

/// One 1 x 1 convolution with random weights.
#[derive(Module, Debug)]
struct Pixelwise {
    convolution: Conv2d,
}

impl Network for Pixelwise {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        self.convolution.forward(images)
    }
}

fn pixelwise() -> Architecture {
    Architecture::custom("pixelwise", |bands, classes, device| Pixelwise {
        convolution: Conv2dConfig::new([bands, classes], [1, 1]).init(device),
    })
}

fn scene(folder: &Path, bands: usize) -> Result<Scene> {
    let options = WriterOptions::default().plain_tiles().nodata(0.0);
    let value = |band: usize, col: usize, row: usize| {
        let hole = row < 40 && col < 30;
        let value = (col * 7 + row * 13 + band * 50) % 250 + 1;
        if hole { 0.0 } else { value as f32 }
    };
    let path = folder.join(format!("scene-{bands}.tif"));
    Scene::open(support::raster(
        &path,
        Size::new(200, 150),
        bands,
        RasterType::U8,
        options,
        value,
    ))
}

fn model(
    folder: &Path,
    name: &str,
    classes: &[&str],
    normalization: Normalization,
) -> Result<Segmenter> {
    let bands = normalization.bands();
    let names: Vec<String> = std::iter::once("background")
        .chain(classes.iter().copied())
        .map(str::to_owned)
        .collect();
    let network = pixelwise().build(bands, names.len(), &Device::cpu())?;
    let path = folder.join(name);
    save_bundle(
        &path,
        &BundleMeta::new(pixelwise(), bands, names, normalization, 64),
        &*network,
    )?;
    Ok(Segmenter::load_as(path, pixelwise())?.device(Device::cpu()))
}

fn scores(map: &SceneMap) -> Result<Vec<f32>> {
    let scores = Raster::open(map.scores_path().expect("scores are kept"))?;
    Ok(scores.read(&scores.full())?.data)
}

#[test]
fn an_ensemble_averages_the_probabilities_of_its_models() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let scene = scene(folder.path(), 3)?;
    let other = Normalization::new(vec![90.0, 100.0, 110.0], vec![20.0, 30.0, 40.0]);
    let classes = ["road", "building"];
    let models = [
        model(folder.path(), "a", &classes, Normalization::eight_bit(3))?,
        model(folder.path(), "b", &classes, other.clone())?,
        model(folder.path(), "c", &classes, other)?,
    ];
    let options = || {
        PredictOptions::new()
            .window(64)
            .overlap(20)
            .batch(2)
            .quiet(true)
    };
    let alone: Vec<Vec<f32>> = (models.iter())
        .map(|model| scores(&model.predict_with(&scene, options())?))
        .collect::<Result<_>>()?;
    let together = Ensemble::new(&models)?.predict_with(&scene, options())?;
    let together = scores(&together)?;
    for (pixel, score) in together.iter().enumerate() {
        let mean = alone.iter().map(|scores| scores[pixel]).sum::<f32>() / 3.0;
        // Each of the three was rounded to a whole step, and so is their mean.
        assert!((score - mean).abs() <= 1.01, "{score}, not {mean}");
    }
    assert!(alone[0] != alone[1] && alone[1] != alone[2]);
    let of_one = Ensemble::new([&models[1]])?.predict_with(&scene, options())?;
    assert!(scores(&of_one)? == alone[1]);
    Ok(())
}

#[test]
fn models_that_do_not_fit_together_are_named() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let first = model(folder.path(), "a", &["road"], Normalization::eight_bit(3))?;
    let error = |models: &[&Segmenter]| {
        let error = Ensemble::new(models.iter().copied()).expect_err("they do not fit");
        assert!(error.hint().is_some(), "{error}");
        error.to_string()
    };
    let classes = model(folder.path(), "b", &["tree"], Normalization::eight_bit(3))?;
    assert_eq!(
        error(&[&first, &first, &classes]),
        "model 3 of the ensemble tells apart background, tree, the first one background, road"
    );
    let bands = model(folder.path(), "c", &["road"], Normalization::eight_bit(4))?;
    assert_eq!(
        error(&[&first, &bands]),
        "model 2 of the ensemble was trained on 4 bands, the first one on 3"
    );
    assert!(error(&[]).contains("at least 1"));
    let untrained = Segmenter::new(pixelwise(), Classes::new(["road"]));
    assert!(error(&[&first, &untrained]).contains("weights"));

    let ensemble = Ensemble::new([&first, &first])?;
    let error = ensemble
        .predict(&scene(folder.path(), 4)?)
        .expect_err("a band too many");
    assert!(error.to_string().contains("3 bands"), "{error}");
    Ok(())
}

/// Batches that [`Greedy`] was given, in order.
static BATCHES: Mutex<Vec<usize>> = Mutex::new(Vec::new());

/// A network on a device that has room for so many windows at once: it fails as cubecl does.
#[derive(Module, Debug)]
struct Greedy {
    most: usize,
}

impl Network for Greedy {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let windows = images.dims()[0];
        if self.most == 2 {
            BATCHES.lock().expect("no other panic").push(windows);
        }
        assert!(
            windows <= self.most,
            "out of device memory allocating 1073741824 bytes\n   0: some backtrace"
        );
        let first = images.narrow(1, 0, 1);
        Tensor::cat(vec![-first.clone(), first], 1)
    }
}

fn greedy(most: usize, scene: &Scene, options: PredictOptions) -> Result<SceneMap> {
    predict_scene(
        &Greedy { most },
        &Normalization::eight_bit(scene.band_count()),
        &Classes::new(["bright"]),
        scene,
        &Device::cpu(),
        &options.window(32).overlap(4).quiet(true),
    )
}

#[test]
fn a_full_device_gets_fewer_windows_at_once_and_nothing_is_lost() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let scene = scene(folder.path(), 3)?;
    let expected = greedy(1000, &scene, PredictOptions::new())?;
    let map = greedy(2, &scene, PredictOptions::new().batch(9))?;
    assert!(map.labels(&scene.area())? == expected.labels(&scene.area())?);
    assert!(scores(&map)? == scores(&expected)?);
    let batches = BATCHES.lock().expect("no other panic");
    assert_eq!(batches[..4], [9, 4, 2, 2]);
    assert!(
        batches[2..].iter().all(|windows| *windows <= 2),
        "the size that fits is kept: {batches:?}"
    );
    Ok(())
}

#[test]
fn a_device_too_small_for_one_window_is_an_error_that_says_so() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let scene = scene(folder.path(), 3)?;
    let error = greedy(0, &scene, PredictOptions::new().batch(3)).expect_err("no room at all");
    assert_eq!(
        error.to_string(),
        "the device has not enough memory for 1 window(s) of 32 x 32 pixels: \
         out of device memory allocating 1073741824 bytes"
    );
    let hint = error.hint().expect("a way out");
    assert!(hint.contains("window("), "{hint}");
    Ok(())
}
