//! The training loop on a small drawn scene, with a network small enough for a test.

use std::cell::Cell;
use std::sync::OnceLock;

use burn::module::{Module, Param};
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Tensor, TensorData, activation};

use super::{FitOptions, Run, Segmenter, StopReason, TrainError};
use crate::chips::Chips;
use crate::device::Device;
use crate::display::Show;
use crate::labels::Classes;
use crate::models::{Activation, Architecture, BatchNorm2d, NamedTensors, Network};
use crate::raster::{GeoTransform, RasterType, RasterWriter, Size, WriterOptions};
use crate::scene::{Scene, Split};
use crate::{Error, Hint, Result};

#[derive(Module, Debug)]
struct Tiny {
    first: Conv2d,
    norm: BatchNorm2d,
    encoder: Conv2d,
    last: Conv2d,
}

impl Network for Tiny {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let features = self.norm.forward(self.first.forward(images));
        self.last
            .forward(activation::relu(self.encoder.forward(features)))
    }

    fn encoder_prefixes(&self) -> Vec<&'static str> {
        vec!["encoder"]
    }
}

/// Its first weights are waves instead of random numbers: the generator of the CPU is shared with tests that run beside.
pub(super) fn tiny() -> Architecture {
    Architecture::custom("tiny", |bands, classes, device| {
        let conv = |input: usize, output: usize, side: usize| {
            let padding = PaddingConfig2d::Explicit(side / 2, side / 2, side / 2, side / 2);
            let mut conv = Conv2dConfig::new([input, output], [side, side])
                .with_padding(padding)
                .init(device);
            let count = input * output * side * side;
            let wave =
                |index: usize| (index as f32 * 1.7).sin() / ((input * side * side) as f32).sqrt();
            let weight = TensorData::new(
                (0..count).map(wave).collect::<Vec<_>>(),
                [output, input, side, side],
            );
            conv.weight = Param::from_tensor(Tensor::from_data(weight, device));
            conv.bias = Some(Param::from_tensor(Tensor::zeros([output], device)));
            conv
        };
        Tiny {
            first: conv(bands, 8, 3),
            norm: BatchNorm2d::new(8, 1e-5, 0.1, Activation::Relu, device),
            encoder: conv(8, 8, 3),
            last: conv(8, classes, 1),
        }
    })
}

const SIDE: usize = 192;

/// Bright squares on a dark, uneven ground, with their outlines as labels; drawn once for all tests.
pub(super) fn squares() -> Scene {
    static SQUARES: OnceLock<(tempfile::TempDir, Scene)> = OnceLock::new();
    SQUARES
        .get_or_init(|| draw().unwrap_or_else(|error| panic!("the scene cannot be drawn: {error}")))
        .1
        .clone()
}

fn draw() -> Result<(tempfile::TempDir, Scene)> {
    let io = |source| TrainError::File(crate::FileError::new("squares", source));
    let folder = tempfile::tempdir().map_err(io)?;
    let transform = GeoTransform([85.5, 1e-5, 0.0, 27.6, 0.0, -1e-5]);
    let mut values = vec![0_u8; 3 * SIDE * SIDE];
    for (index, value) in values.iter_mut().enumerate() {
        *value = 60 + (index.wrapping_mul(2_654_435_761) >> 7 & 31) as u8;
    }
    let mut features = Vec::new();
    for (left, top) in (0..SIDE)
        .step_by(24)
        .flat_map(|top| (0..SIDE).step_by(24).map(move |left| (left, top)))
    {
        let (left, top, side) = (left + top % 7, top + left % 5, 8 + (left + top) % 9);
        for (band, row) in (0..3).flat_map(|band| (top..top + side).map(move |row| (band, row))) {
            let start = (band * SIDE + row.min(SIDE - 1)) * SIDE;
            values[start + left.min(SIDE)..start + (left + side).min(SIDE)].fill(190);
        }
        let corner = |col: usize, row: usize| {
            let (x, y) = transform.world_from_pixel((col as f64, row as f64));
            format!("[{x},{y}]")
        };
        let (right, bottom) = (left + side, top + side);
        let ring = [
            corner(left, top),
            corner(left, bottom),
            corner(right, bottom),
            corner(right, top),
            corner(left, top),
        ];
        features.push(format!(
            "{{\"type\":\"Feature\",\"properties\":{{}},\"geometry\":{{\"type\":\"Polygon\",\"coordinates\":[[{}]]}}}}",
            ring.join(",")
        ));
    }
    let labels = folder.path().join("squares.geojson");
    let text = format!(
        "{{\"type\":\"FeatureCollection\",\"features\":[{}]}}",
        features.join(",")
    );
    std::fs::write(&labels, text).map_err(io)?;
    let (path, size) = (folder.path().join("squares.tif"), Size::new(SIDE, SIDE));
    let options = WriterOptions::default().plain_tiles();
    let mut writer =
        RasterWriter::create(&path, size, 3, RasterType::U8, transform, WGS84, options)?;
    writer.write_rows(0, &values)?;
    writer.finish()?;
    let scene = Scene::open(path)?.with_labels(labels, "building")?;
    Ok((folder, scene))
}

const WGS84: &str = "GEOGCS[\"WGS 84\",DATUM[\"WGS_1984\",SPHEROID[\"WGS 84\",6378137,298.257223563]],\
    PRIMEM[\"Greenwich\",0],UNIT[\"degree\",0.0174532925199433],AXIS[\"Latitude\",NORTH],AXIS[\"Longitude\",EAST],\
    AUTHORITY[\"EPSG\",\"4326\"]]";

pub(super) fn parts() -> Result<(Chips, Scene)> {
    let (train, valid) = squares().split(Split::columns(0.66));
    Ok((train.chips(Chips::random(16, 32).seed(1))?, valid))
}

pub(super) fn model() -> Segmenter {
    Segmenter::new(tiny(), squares().classes()).device(Device::cpu())
}

pub(super) fn quiet(options: FitOptions) -> FitOptions {
    options.lr(0.02).quiet(true)
}

pub(super) fn fit(
    model: &Segmenter,
    chips: &Chips,
    valid: &Scene,
    options: &FitOptions,
    stop: &dyn Fn() -> bool,
) -> Result<Run> {
    super::fit::fit(model, chips, &valid.into(), options, stop)
}

fn run(options: FitOptions) -> Result<Run> {
    let (chips, valid) = parts()?;
    fit(&model(), &chips, &valid, &quiet(options), &|| false)
}

pub(super) fn tensors(model: &Segmenter) -> NamedTensors {
    model
        .network()
        .map(|(network, _)| network.named_tensors())
        .unwrap_or_default()
}

#[test]
fn training_lowers_the_loss_and_keeps_the_best_epoch() -> Result<()> {
    let run = run(FitOptions::epochs(10))?;
    let history = run.history();
    assert_eq!((history.epochs.len(), history.step_losses.len()), (10, 40));
    let (first, last) = (history.epochs[0].train_loss, history.epochs[9].train_loss);
    assert!(last < 0.8 * first, "{first} to {last}");
    assert_eq!(run.stopped(), StopReason::Finished);
    let best = history.best().map(|epoch| epoch.step.to_string());
    assert_eq!(
        run.best()
            .meta()
            .and_then(|meta| meta.provenance.get("steps").cloned()),
        best
    );
    let shown = run.output();
    assert!(
        shown.text.contains("Finished: 40 steps") && shown.text.contains('★'),
        "{}",
        shown.text
    );
    Ok(())
}

#[test]
fn the_same_run_gives_the_same_weights_and_other_chips_give_others() -> Result<()> {
    let weights = |seed| -> Result<NamedTensors> {
        let (train, valid) = squares().split(Split::columns(0.66));
        let chips = train.chips(Chips::random(16, 32).seed(seed))?;
        let run = fit(
            &model(),
            &chips,
            &valid,
            &quiet(FitOptions::steps(6)),
            &|| false,
        )?;
        Ok(tensors(run.last()))
    };
    assert!(weights(5)? == weights(5)?, "the same chips");
    assert!(weights(5)? != weights(6)?, "other chips");
    Ok(())
}

#[test]
fn a_resumed_run_ends_as_an_uninterrupted_one() -> Result<()> {
    let (chips, valid) = parts()?;
    let whole = fit(
        &model(),
        &chips,
        &valid,
        &quiet(FitOptions::epochs(3)),
        &|| false,
    )?;
    // Once after a whole epoch, once in the middle of one; stops are asked before each step and validation batch.
    for asked in [4, 7] {
        let folder = tempfile::tempdir()
            .map_err(|source| TrainError::File(crate::FileError::new("checkpoints", source)))?;
        let count = Cell::new(0);
        let stop = || {
            count.set(count.get() + 1);
            count.get() > asked
        };
        let options = quiet(FitOptions::epochs(3)).checkpoints(folder.path());
        let part = fit(&model(), &chips, &valid, &options, &stop)?;
        assert_eq!(part.stopped(), StopReason::Interrupted);
        let resumed = fit(
            &model(),
            &chips,
            &valid,
            &quiet(FitOptions::epochs(3)).resume(folder.path()),
            &|| false,
        )?;
        assert_eq!(
            resumed.history().step_losses,
            whole.history().step_losses,
            "interrupted after {asked}"
        );
        assert!(
            tensors(resumed.last()) == tensors(whole.last()),
            "the last weights after {asked}"
        );
        assert!(
            tensors(resumed.best()) == tensors(whole.best()),
            "the best weights after {asked}"
        );
    }
    Ok(())
}

#[test]
fn an_interrupt_stops_before_the_next_step_and_keeps_the_best_weights() -> Result<()> {
    let (chips, valid) = parts()?;
    let count = Cell::new(0);
    let stop = || {
        count.set(count.get() + 1);
        count.get() > 2
    };
    let run = fit(
        &model(),
        &chips,
        &valid,
        &quiet(FitOptions::epochs(3)),
        &stop,
    )?;
    assert_eq!(
        (run.stopped(), run.history().step_losses.len()),
        (StopReason::Interrupted, 2)
    );
    assert!(run.best().is_trained());
    assert!(
        run.summary()
            .starts_with("Interrupted by you after 2 of 12 steps"),
        "{}",
        run.summary()
    );
    assert!(run.summary().contains("weights reached are kept"));
    Ok(())
}

#[test]
fn a_loss_that_blows_up_stops_with_finite_weights() -> Result<()> {
    let (chips, valid) = parts()?;
    let options = FitOptions::epochs(3)
        .lr(1e38)
        .clip_norm(f64::INFINITY)
        .quiet(true);
    match fit(&model(), &chips, &valid, &options, &|| false) {
        Ok(run) => {
            assert!(
                matches!(run.stopped(), StopReason::NotFinite { .. }),
                "{:?}",
                run.stopped()
            );
            let finite = |data: &burn::tensor::TensorData| {
                data.as_slice::<f32>()
                    .is_ok_and(|values| values.iter().all(|value| value.is_finite()))
            };
            assert!(tensors(run.best()).values().all(finite));
        }
        Err(error) => assert!(
            matches!(error, Error::Train(TrainError::NotFinite { .. })),
            "{error}"
        ),
    }
    Ok(())
}

#[test]
fn patience_ends_a_run_that_does_not_get_better() -> Result<()> {
    // With a rate of nearly nothing every epoch scores the same, so the first stays the best.
    let (chips, valid) = parts()?;
    let options = FitOptions::epochs(20)
        .lr(1e-30)
        .weight_decay(0.0)
        .patience(2)
        .quiet(true);
    let run = fit(&model(), &chips, &valid, &options, &|| false)?;
    assert!(
        matches!(run.stopped(), StopReason::NoImprovement { epochs: 2 }),
        "{:?}",
        run.stopped()
    );
    assert!(run.history().epochs.len() < 20);
    Ok(())
}

#[test]
fn a_frozen_encoder_stays_and_a_slower_one_moves_less() -> Result<()> {
    let weight = |tensors: &NamedTensors| -> Vec<f32> {
        tensors
            .get("encoder.weight")
            .and_then(|data| data.as_slice::<f32>().ok())
            .unwrap_or_default()
            .to_vec()
    };
    let first = weight(
        &tiny()
            .build(
                squares().band_count(),
                squares().classes().len(),
                &Device::cpu(),
            )?
            .named_tensors(),
    );
    let moved = |options: FitOptions| -> Result<f32> {
        let after = weight(&tensors(run(options)?.last()));
        assert_eq!((first.len(), after.len()), (576, 576));
        Ok(first
            .iter()
            .zip(&after)
            .map(|(first, after)| (first - after).abs())
            .sum())
    };
    let (frozen, slow, full) = (
        moved(FitOptions::steps(8).freeze_encoder(true))?,
        moved(FitOptions::steps(8).encoder_lr_scale(0.1))?,
        moved(FitOptions::steps(8))?,
    );
    assert_eq!(frozen, 0.0);
    assert!(slow > 0.0 && slow < 0.5 * full, "slow {slow}, full {full}");
    Ok(())
}

#[test]
fn a_saved_model_comes_back_with_the_same_weights() -> Result<()> {
    let folder = tempfile::tempdir()
        .map_err(|source| TrainError::File(crate::FileError::new("models", source)))?;
    let path = folder.path().join("squares.swath");
    let run = run(FitOptions::steps(4))?;
    let license = "CC BY-SA 4.0";
    run.best().clone().with_license(license).save(&path)?;
    let loaded = Segmenter::load_as(&path, tiny())?;
    assert_eq!(tensors(&loaded), tensors(run.best()));
    assert_eq!(loaded.classes(), run.best().classes());
    let license_of = |model: &Segmenter| model.meta().and_then(|meta| meta.license.clone());
    assert_eq!(license_of(run.best()), None);
    assert_eq!(license_of(&loaded).as_deref(), Some(license));
    assert!(loaded.output().text.contains("license: CC BY-SA 4.0"));
    let (chips, valid) = parts()?;
    let further = fit(
        &loaded,
        &chips,
        &valid,
        &quiet(FitOptions::steps(1)),
        &|| false,
    )?;
    assert_eq!(license_of(further.last()).as_deref(), Some(license));

    let scores = loaded.evaluate(&valid)?;
    assert_eq!(scores, loaded.predict(&valid)?.evaluate(&valid)?);
    assert!(
        loaded
            .evaluate(&Scene::open(valid.raster().path())?)
            .is_err()
    );
    let error = Segmenter::load(&path)
        .err()
        .map(|error| error.hint().unwrap_or_default())
        .unwrap_or_default();
    assert!(error.contains("load_as"), "{error}");
    Ok(())
}

#[track_caller]
pub(super) fn refused(result: Result<Run>, message: &str, hint: &str) {
    let Err(error) = result else {
        panic!("expected an error with {message:?}")
    };
    assert!(error.to_string().contains(message), "{error}");
    let found = error.hint().unwrap_or_default();
    assert!(found.contains(hint), "hint {found:?} of {error}");
}

#[test]
fn what_cannot_be_trained_is_an_error_with_the_way_out() -> Result<()> {
    let (chips, valid) = parts()?;
    let fit = |model: &Segmenter, chips: &Chips, valid: &Scene, options: FitOptions| {
        super::fit::fit(model, chips, &valid.into(), &options.quiet(true), &|| false)
    };
    let other = Segmenter::new(tiny(), Classes::new(["lake"]));
    refused(
        fit(&other, &chips, &valid, FitOptions::epochs(1)),
        "the model has [\"background\", \"lake\"]",
        "scene.classes()",
    );
    let bare = Scene::open(squares().raster().path())?;
    refused(
        fit(&model(), &chips, &bare, FitOptions::epochs(1)),
        "the validation scene has no labels",
        "with_labels",
    );
    refused(
        fit(&model(), &chips, &valid, FitOptions::epochs(1).batch(0)),
        "cannot train with batch = 0",
        "",
    );
    refused(
        fit(&model(), &chips, &valid, FitOptions::epochs(0)),
        "cannot train with epochs = 0",
        "",
    );
    refused(
        fit(&model(), &chips, &valid, FitOptions::epochs(1).lr(f64::NAN)),
        "cannot train with lr = NaN",
        "",
    );
    let missing = std::path::Path::new("/nonexistent/checkpoints");
    refused(
        fit(
            &model(),
            &chips,
            &valid,
            FitOptions::epochs(1).resume(missing),
        ),
        "cannot access the file",
        "FitOptions::checkpoints",
    );
    let error = model()
        .predict(&valid)
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    assert!(error.contains("no weights yet"), "{error}");
    Ok(())
}
