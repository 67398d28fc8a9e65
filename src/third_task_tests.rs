//! The smallest third task: one number for each chip, the share of it that is labeled. It is all in this file, and one call
//! of `registered!` makes its network known; models are trained, saved, loaded and predicted with by the calls that all
//! tasks have.
#![expect(
    dead_code,
    unreachable_pub,
    reason = "a builder has the methods of all builders"
)]

use std::fmt::Debug;

use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device as BurnDevice, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::chips::Chips;
use crate::device::Device;
use crate::labels::{Classes, IGNORE};
use crate::models::choices::{
    EncoderOptions, KnownNetwork, NetworkConfig, check_channels, encoder_of_field,
};
use crate::models::module::{AnyModule, any_module};
use crate::models::registry::registered;
use crate::models::{
    Blueprint, Conv2d, Conv2dConfig, Encoder, Model, Normalization, Segmenter, Task, TrainedArea,
    bundle_task,
};
use crate::plot::image::{RgbImage, rgb_shown};
use crate::predict::{Ensemble, Inputs, Member, OptionsFor, Predictable, on_device, placed};
use crate::raster::{BandStatistics, PixelWindow, Size};
use crate::report::Report;
use crate::scene::{Scene, Split};
use crate::scenes::Scenes;
use crate::train::{
    Batch, FitOptions, Measured, Optimizer, Outcome, StopReason, Trainable, ValidationScores,
};

/// A chip has a share of labeled pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShareOfLabels;

impl Task for ShareOfLabels {
    const NAME: &'static str = "share";
    const MODEL: &'static str = "Model<ShareOfLabels>";
    const ARCHITECTURE: &'static str = "Blueprint<ShareOfLabels>";
    type Network = dyn AnyShareNetwork;

    fn networks() -> &'static [KnownNetwork<Self>] {
        NETWORKS
    }
}

/// From images `[n, bands, h, w]` to shares `[n, 1, 1, 1]`.
pub(crate) trait ShareNetwork: Module + Sync + Debug + 'static {
    fn shares(&self, images: Tensor<4>) -> Tensor<4>;

    fn fold_norms(&mut self) {}

    fn encoder_prefixes(&self) -> Vec<&'static str>;
}

pub(crate) trait AnyShareNetwork: AnyModule<ShareOfLabels> {
    fn shares(&self, images: Tensor<4>) -> Tensor<4>;
}

impl<N: ShareNetwork> AnyShareNetwork for N {
    fn shares(&self, images: Tensor<4>) -> Tensor<4> {
        ShareNetwork::shares(self, images)
    }
}

any_module!(ShareNetwork for ShareOfLabels, boxed as Box<dyn AnyShareNetwork>);

/// An encoder, a hidden layer over the mean of its features, one number.
#[derive(Module, Debug)]
pub(crate) struct ShareNetModel {
    encoder: Encoder,
    hidden: Conv2d,
    out: Conv2d,
}

impl ShareNetwork for ShareNetModel {
    fn shares(&self, images: Tensor<4>) -> Tensor<4> {
        let features = self.encoder.features(images).pop().unwrap();
        let mean = features.mean_dim(3).mean_dim(2);
        let hidden = burn::tensor::activation::relu(self.hidden.forward(mean));
        sigmoid(self.out.forward(hidden))
    }

    fn encoder_prefixes(&self) -> Vec<&'static str> {
        vec!["encoder"]
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ShareNet {
    #[serde(flatten)]
    encoder: EncoderOptions,
    hidden: usize,
}

impl ShareNet {
    fn hidden(mut self, channels: usize) -> Self {
        self.hidden = channels;
        self
    }
}

impl NetworkConfig<ShareOfLabels> for ShareNet {
    fn on(encoder: EncoderOptions) -> Self {
        Self {
            encoder,
            hidden: 16,
        }
    }

    encoder_of_field!();

    fn check(&self) -> Result<(), String> {
        check_channels("hidden channels", &[self.hidden])
    }

    fn init(
        &self,
        bands: usize,
        _classes: usize,
        device: &BurnDevice,
    ) -> Result<Box<dyn AnyShareNetwork>, String> {
        let encoder = self.encoder.encoder;
        let conv = |channels| Conv2dConfig::new(channels, 1).with_bias().init(device);
        Ok(Box::new(ShareNetModel {
            hidden: conv([encoder.channels()[4], self.hidden]),
            out: conv([self.hidden, 1]),
            encoder: encoder.init(bands, device),
        }))
    }
}

registered! {
    ShareOfLabels: NETWORKS {
        ShareNet, "ShareNet", "sharenet", file "share-net", on [resnet18];
    }
}

/// The share of labeled pixels among those of a window that count.
fn share(labels: &[u8]) -> f32 {
    let labeled = labels
        .iter()
        .filter(|&&label| label != 0 && label != IGNORE);
    let counted = labels.iter().filter(|&&label| label != IGNORE);
    labeled.count() as f32 / counted.count().max(1) as f32
}

fn values(tensor: Tensor<4>) -> Vec<f32> {
    tensor.into_data().try_to_vec::<f32>().unwrap()
}

pub(crate) struct Validation {
    scene: Scene,
    windows: Vec<PixelWindow>,
}

impl Trainable for ShareOfLabels {
    type Objective = ();
    type Validation = Validation;
    type Example = (crate::raster::Patch, Vec<usize>);

    fn check(_: &FitOptions, _: &Chips, _: &Scenes) -> Result<()> {
        Ok(())
    }

    fn objective(_: &FitOptions, _: &Classes, _: &Device) {}

    fn loss(
        (): &(),
        network: &dyn AnyShareNetwork,
        mut batch: Batch,
        device: &BurnDevice,
    ) -> Result<Tensor<1>> {
        let [chips, _, height, width] = batch.shape;
        let truth: Vec<f32> = batch
            .labels
            .chunks_exact(height * width)
            .map(share)
            .collect();
        let truth = Tensor::from_data(TensorData::new(truth, [chips, 1, 1, 1]), device);
        let error = network.shares(batch.upload(device)) - truth;
        Ok((error.clone() * error).mean())
    }

    fn validation(
        valid: &Scenes,
        _: &Classes,
        chip: Size,
        _: usize,
        _: usize,
    ) -> Result<(Validation, Report)> {
        let whole = |window: &PixelWindow| window.size() == chip;
        let valid = valid.first();
        let windows = valid.area().tiles(chip).filter(whole).step_by(16).collect();
        let scene = valid.clone();
        Ok((Validation { scene, windows }, Report::new()))
    }

    fn windows(validation: &Validation) -> usize {
        validation.windows.len()
    }

    fn validate(
        validation: &mut Validation,
        (): &(),
        network: &dyn AnyShareNetwork,
        normalization: &Normalization,
        device: &Device,
        progress: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Option<Outcome<Self::Example>>> {
        let (mut squared, mut absolute, mut example) = (0.0, 0.0, None);
        let scene = &validation.scene;
        for (done, window) in validation.windows.iter().enumerate() {
            if progress(done) {
                return Ok(None);
            }
            let (patch, labels) = (scene.read(window)?, scene.label_window(window)?);
            let batch =
                Batch::of_patches(&[(&patch, &labels)], normalization).upload(device.burn());
            let error = f64::from(values(network.shares(batch))[0] - share(&labels));
            squared += error * error;
            absolute += error.abs();
            example = Some((patch, scene.shown_bands()));
        }
        let windows = validation.windows.len() as f64;
        Ok(Some(Outcome {
            loss: squared / windows,
            scores: ValidationScores::Measured(Measured {
                measure: "mean absolute error".to_owned(),
                value: absolute / windows,
                lower_is_better: true,
            }),
            example,
        }))
    }

    fn panels(
        (patch, bands): &Self::Example,
        _: &Classes,
        statistics: Option<&[BandStatistics]>,
    ) -> Result<(Vec<RgbImage>, &'static str)> {
        Ok((vec![rgb_shown(patch, bands, statistics)?], "image"))
    }
}

/// The share of each window of a scene, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shares(Vec<(PixelWindow, f32)>);

impl Predictable for ShareOfLabels {
    type Options = ();
    type Prediction = Shares;
    type Scores = f32;

    const FIGURES: &'static [&'static str] = &["mean absolute error"];
    const OVERLAP_DIVISOR: usize = 8;
    const ANY_VALUES: &'static str = "`OptionsFor::new().any_values(true)`";

    fn predict(
        members: &[Member<'_, Self>],
        _: &Classes,
        scene: &Scene,
        device: &Device,
        options: &OptionsFor<Self>,
    ) -> Result<Shares> {
        let area = scene.area();
        let side = options.tiling.window.min(area.width).min(area.height);
        let size = Size::new(side, side);
        let whole = |window: &PixelWindow| window.size() == size;
        let windows: Vec<PixelWindow> = area.tiles(size).filter(whole).collect();
        let mut sums = vec![0.0; windows.len()];
        for member in members {
            let network = placed::<Self>(member.network.prediction(), device);
            let inputs = Inputs::of([member.normalization]);
            for (window, sum) in windows.iter().zip(&mut sums) {
                let patches: Vec<_> = inputs.read(scene, window)?.into_iter().collect();
                *sum += on_device(device, &patches, |images| {
                    Ok(values(network.shares(images))[0])
                })?;
            }
        }
        let means = sums.iter().map(|sum| sum / members.len() as f32);
        Ok(Shares(windows.into_iter().zip(means).collect()))
    }

    fn with_notes(shares: Shares, _: Report, _: Vec<TrainedArea>) -> Shares {
        shares
    }

    fn evaluate(Shares(shares): &Shares, scene: &Scene) -> Result<f32> {
        let mut sum = 0.0;
        for (window, found) in shares {
            sum += (found - share(&scene.label_window(window)?)).abs();
        }
        Ok(sum / shares.len() as f32)
    }

    fn pool(scores: &[&f32]) -> Result<f32> {
        Ok(scores.iter().copied().sum::<f32>() / scores.len() as f32)
    }

    fn figures(scores: &f32) -> Vec<f64> {
        vec![f64::from(*scores)]
    }

    fn save(
        Shares(shares): &Shares,
        folder: &std::path::Path,
    ) -> Result<crate::predict::SavedFiles> {
        std::fs::create_dir_all(folder).unwrap();
        let file = folder.join("shares.txt");
        std::fs::write(&file, format!("{shares:?}")).unwrap();
        Ok(crate::predict::SavedFiles::new(vec![file]))
    }
}

#[test]
fn a_third_task_is_trained_saved_loaded_and_predicted_by_the_calls_of_all() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let town = crate::samples::town_in(folder.path(), 1, 512)?.scene()?;
    let (train, valid) = town.split(Split::columns(0.5));
    let chips = train.chips(Chips::random(24, 32).seed(1))?;
    let model: Model<ShareOfLabels> = Model::new(ShareNet::resnet18(), train.classes());
    let model = model.device(Device::cpu());
    let unready = model.predict(&valid).unwrap_err().to_string();
    assert!(unready.contains("no weights yet"), "{unready}");

    // Each step sees all chips, so that the loss falls whatever the shuffle and the first weights are.
    let options = FitOptions::epochs(8)
        .batch(24)
        .optimizer(Optimizer::adamw())
        .lr(1e-3)
        .checkpoints(folder.path())
        .quiet(true);
    let run = model.fit(&chips, &valid, &options)?;
    assert_eq!(run.stopped(), StopReason::Finished);
    let history = run.history();
    assert_eq!(history.score_name(), "mean absolute error");
    let errors: Vec<f64> = history
        .epochs
        .iter()
        .map(|epoch| epoch.score().unwrap())
        .collect();
    let lowest = errors.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(history.best().unwrap().score(), Some(lowest), "{errors:?}");
    let losses = &history.step_losses;
    let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
    assert!(mean(&losses[6..]) < 0.8 * mean(&losses[..2]), "{losses:?}");
    // The checkpoint says that all steps were taken.
    let resumed = model.fit(&chips, &valid, options.resume(folder.path()))?;
    assert_eq!(resumed.history().step_losses, *losses);

    let path = folder.path().join("share.swath");
    run.best().save(&path)?;
    assert_eq!(bundle_task(&path).as_deref(), Some("share"));
    let loaded = Model::<ShareOfLabels>::load(&path)?.device(Device::cpu());
    assert_eq!(loaded.architecture().name(), "ShareNet ResNet-18");
    let windows = OptionsFor::new().window(32).quiet(true);
    let shares = run.best().predict_with(&valid, &windows)?;
    assert_eq!(shares.0.len(), 8 * 16);
    assert_eq!(loaded.predict_with(&valid, &windows)?, shares);
    // Validation looked at each 16th of these windows.
    let seen = Shares(shares.0.iter().step_by(16).copied().collect());
    let error = ShareOfLabels::evaluate(&seen, &valid)?;
    assert!((f64::from(error) - lowest).abs() < 1e-3, "{error} {lowest}");
    assert!((0.0..1.0).contains(&run.best().evaluate(&valid)?));

    // Two of one kind predict what one does.
    let both = Ensemble::new([&loaded, run.best()])?.predict_with(&valid, &windows)?;
    for ((_, one), (_, both)) in shares.0.iter().zip(&both.0) {
        assert!((one - both).abs() < 1e-6);
    }

    let other = Segmenter::load(&path).unwrap_err().to_string();
    assert!(other.contains("share"), "{other}");
    let impossible: Blueprint<ShareOfLabels> = ShareNet::resnet18().hidden(0).into();
    let refused = Model::new(impossible, train.classes())
        .fit(&chips, &valid, FitOptions::steps(1))
        .unwrap_err();
    assert!(
        refused.to_string().contains("hidden channels [0]"),
        "{refused}"
    );
    Ok(())
}
