//! The networks against torchvision's: inference, training, the weights after a step, and the running statistics.
//!
//! `tests/python/make_torchvision_oracles.py` says how the numbers were made.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;

use super::oracle_tests::{Summary, assert_summary, formula, images, named_gradients, noise};
use super::tensors;
use super::{DeepLabV3Model, ExtraLevels, FeaturePyramid, Network, ResNetConfig, ResNetKind};

#[derive(Deserialize)]
struct Oracle {
    inference: Vec<Summary>,
    training: Vec<Summary>,
    loss: f64,
    rate: f64,
    gradients: BTreeMap<String, Summary>,
    stepped: BTreeMap<String, Summary>,
    running: BTreeMap<String, Summary>,
}

fn oracle(name: &str) -> Oracle {
    let text = include_str!("../../tests/fixtures/models/torchvision.json");
    let mut all: BTreeMap<String, Oracle> = serde_json::from_str(text).unwrap();
    all.remove(name).unwrap()
}

fn squares(outputs: &[Tensor<4>]) -> Tensor<1> {
    outputs
        .iter()
        .map(|output| (output.clone() * output.clone()).mean())
        .reduce(|sum, part| sum + part)
        .unwrap()
}

/// Gives the module the script's weights and compares what `run` makes of it, before and during training.
///
/// Tolerances, besides the shares below: six times what PyTorch's own 32-bit arithmetic is off by.
fn compare<M: Module + 'static>(
    name: &str,
    module: M,
    run: impl Fn(&M, &Device) -> Vec<Tensor<4>>,
    loss: impl Fn(&[Tensor<4>]) -> Tensor<1>,
) {
    let oracle = oracle(name);
    let device = Device::flex();
    let weights = tensors::collect(&module.valid())
        .into_iter()
        .map(|(name, data)| (name.clone(), formula(&name, data.shape().as_slice())))
        .collect();
    let module = tensors::load(module, &weights, name).unwrap();
    let found = run(&module.valid(), &device);
    assert_eq!(found.len(), oracle.inference.len());
    for (index, (found, expected)) in found.into_iter().zip(&oracle.inference).enumerate() {
        let what = format!("inference of {name}, output {index}");
        assert_summary(&found.into_data(), expected, 1e-4, &what);
    }
    let module = module.train();
    let outputs = run(&module, &device.clone().autodiff());
    for (index, (found, expected)) in outputs.iter().zip(&oracle.training).enumerate() {
        let what = format!("training of {name}, output {index}");
        assert_summary(&found.to_data(), expected, 1e-4, &what);
    }
    let loss = loss(&outputs);
    let value = f64::from(loss.clone().into_scalar::<f32>());
    assert!(
        (value - oracle.loss).abs() <= 1e-4 * oracle.loss,
        "{name}: loss {value} {}",
        oracle.loss
    );
    let gradients = GradientsParams::from_grads(loss.backward(), &module);
    let named = named_gradients(&module, &gradients);
    for (parameter, expected) in &oracle.gradients {
        let what = format!("{name}, gradient of {parameter}");
        assert_summary(&named[parameter], expected, 1e-3, &what);
    }
    let mut sgd = SgdConfig::new()
        .with_momentum(Some(MomentumConfig::new().with_dampening(0.0)))
        .with_weight_decay(Some(WeightDecayConfig::new(1e-4)))
        .init();
    let module = sgd.step(oracle.rate, module, gradients);
    let named = tensors::collect(&module.valid());
    for (parameter, expected) in &oracle.stepped {
        let what = format!("{name}, {parameter} after a step");
        assert_summary(&named[parameter], expected, 1e-3, &what);
    }
    for (statistic, expected) in &oracle.running {
        let what = format!("{name}, {statistic}");
        assert_summary(&named[statistic], expected, 1e-4, &what);
    }
}

fn compare_resnet(name: &str, config: ResNetConfig, size: [usize; 2]) {
    compare(
        name,
        config.init(&Device::flex()),
        |resnet, device| resnet.features(images(size, device)),
        squares,
    );
}

#[test]
fn resnets_compute_what_torchvisions_do_and_learn_as_they_do() {
    for (name, kind) in [
        ("resnet18", ResNetKind::Resnet18),
        ("resnet34", ResNetKind::Resnet34),
        ("resnet50", ResNetKind::Resnet50),
        ("resnet101", ResNetKind::Resnet101),
    ] {
        compare_resnet(name, ResNetConfig::new(kind, 3), [96, 128]);
    }
}

#[test]
fn a_dilated_resnet_computes_what_torchvisions_does_and_learns_as_it_does() {
    let config = ResNetConfig::new(ResNetKind::Resnet50, 3)
        .replace_stride_with_dilation([false, true, true]);
    compare_resnet("resnet50_dilated", config, [56, 72]);
}

/// The script's `labels` and PyTorch's `cross_entropy`.
fn cross_entropy(scores: &Tensor<4>) -> Tensor<1> {
    let [batch, classes, height, width] = scores.dims();
    let mut labels = Vec::with_capacity(batch * height * width);
    for n in 0..batch {
        for y in 0..height {
            labels.extend((0..width).map(|x| ((y / 7 + x / 5 + n) % classes) as i64));
        }
    }
    let labels = TensorData::new(labels, [batch, 1, height, width]);
    let labels = Tensor::<4, burn::tensor::Int>::from_data(labels, &scores.device());
    -burn::tensor::activation::log_softmax(scores.clone(), 1)
        .gather(1, labels)
        .mean()
}

#[test]
fn deeplab_v3_computes_what_torchvisions_does_and_learns_as_it_does() {
    compare(
        "deeplabv3_resnet50",
        DeepLabV3Model::new(ResNetKind::Resnet50, 3, 5, 0.0, &Device::flex()),
        |deeplab, device| vec![deeplab.forward(images([56, 72], device))],
        |outputs| cross_entropy(&outputs[0]),
    );
}

#[test]
fn feature_pyramids_compute_what_torchvisions_do_and_learn_as_they_do() {
    let features = |device: &Device| -> Vec<Tensor<4>> {
        [(6, 19, 26), (8, 10, 13), (12, 5, 7)]
            .into_iter()
            .enumerate()
            .map(|(index, (channels, height, width))| {
                let shape = [2, channels, height, width];
                let values = noise(&format!("feature{index}"), shape.iter().product());
                Tensor::from_data(TensorData::new(values, shape), device)
            })
            .collect()
    };
    for (name, extra) in [
        ("fpn_pool", ExtraLevels::Pool),
        ("fpn_p6p7", ExtraLevels::P6P7 { input: 12 }),
    ] {
        compare(
            name,
            FeaturePyramid::new(&[6, 8, 12], 16, extra, &Device::flex()),
            |pyramid, device| pyramid.forward(&features(device)),
            squares,
        );
    }
}
