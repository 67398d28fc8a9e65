//! The encoders against torchvision and `efficientnet_lite_pytorch`, in inference and in training.
//!
//! `tests/python/make_encoder_oracles.py` says how the numbers were made.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;

use super::tensors;
use super::{Encoder, EncoderKind, origin, weights};
use crate::optim::{NamedTensors, enter, exit};

/// Of a tensor: its shape, the mean of its absolute values, and 24 values spread over it.
#[derive(Deserialize)]
pub(super) struct Summary {
    shape: Vec<usize>,
    mean_abs: f64,
    /// What PyTorch's 32-bit values are off by, at most, where the script says it.
    #[serde(default)]
    float32: f64,
    values: Vec<f64>,
}

impl Summary {
    pub(super) fn is_zero(&self) -> bool {
        self.mean_abs == 0.0
    }
}

#[derive(Deserialize)]
struct Oracle {
    inference: Vec<Summary>,
    training: Vec<Summary>,
    gradients: std::collections::BTreeMap<String, Summary>,
    running: std::collections::BTreeMap<String, Summary>,
}

fn oracle(name: &str) -> Oracle {
    let text = include_str!("../../tests/fixtures/models/encoders.json");
    let mut all: std::collections::BTreeMap<String, Oracle> = serde_json::from_str(text).unwrap();
    all.remove(name).unwrap()
}

/// The script's `noise`.
pub(super) fn noise(name: &str, count: usize) -> Vec<f32> {
    let seed = name.bytes().fold(2_166_136_261u32, |seed, byte| {
        (seed ^ u32::from(byte)).wrapping_mul(16_777_619)
    });
    let number = |index: u32| {
        let state = index.wrapping_mul(2_654_435_761).wrapping_add(seed);
        let state = (state ^ (state >> 15)).wrapping_mul(2_246_822_519);
        (f64::from(state >> 8) / f64::from(1 << 24) - 0.5) as f32
    };
    (0..count as u32).map(number).collect()
}

/// The script's `formula`.
pub(super) fn formula(name: &str, shape: &[usize]) -> TensorData {
    let values = noise(name, shape.iter().product());
    let change =
        |factor: f32, offset: f32| values.iter().map(|value| offset + factor * value).collect();
    let values: Vec<f32> = match shape {
        &[_, inputs, height, width] => {
            change((24.0 / (inputs * height * width) as f64).sqrt() as f32, 0.0)
        }
        _ if name.ends_with("running_var") => change(0.4, 1.0),
        // The last norm of a bottleneck: large ones make the sum over 33 blocks explode.
        _ if name.ends_with("bn3.weight") => change(0.05, 0.25),
        _ if name.ends_with("weight") => change(0.2, 1.0),
        _ => change(0.2, 0.0),
    };
    TensorData::new(values, shape.to_vec())
}

/// The script's `images`.
pub(super) fn images([height, width]: [usize; 2], device: &Device) -> Tensor<4> {
    let mut values = Vec::new();
    for (n, c) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)] {
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let value = (n * 31 + c * 47 + y * 5 + x * 3 + (y * x) % 19 * 7) % 256;
            values.push((value as f32 - 127.0) / 128.0);
        }
    }
    Tensor::from_data(TensorData::new(values, [2, 3, height, width]), device)
}

/// Every value within `tolerance`, or six times what PyTorch's own are off by, of the greater of itself and the mean
/// size of the tensor: single values may be close to 0.
pub(super) fn assert_summary(data: &TensorData, expected: &Summary, tolerance: f64, what: &str) {
    assert_eq!(data.shape().as_slice(), expected.shape, "{what}");
    let tolerance = tolerance.max(6.0 * expected.float32);
    let values = data.as_slice::<f32>().unwrap();
    let mean = values
        .iter()
        .map(|&value| f64::from(value).abs())
        .sum::<f64>()
        / values.len() as f64;
    assert!(
        (mean - expected.mean_abs).abs() <= tolerance * expected.mean_abs,
        "{what}: {mean} {}",
        expected.mean_abs
    );
    for (index, expected_value) in expected.values.iter().enumerate() {
        let value = f64::from(values[index * (values.len() - 1) / 23]);
        let error = (value - expected_value).abs();
        assert!(
            error <= tolerance * expected.mean_abs.max(expected_value.abs()),
            "{what}: {value} {expected_value}"
        );
    }
}

/// Every gradient by its parameter's name.
pub(super) fn named_gradients<M: Module>(module: &M, gradients: &GradientsParams) -> NamedTensors {
    struct Collect<'a> {
        path: Vec<String>,
        gradients: &'a GradientsParams,
        found: NamedTensors,
    }
    impl burn::module::ModuleVisitor for Collect<'_> {
        fn enter_module(&mut self, name: &str, container: &str) {
            enter(&mut self.path, name, container);
        }
        fn exit_module(&mut self, _name: &str, container: &str) {
            exit(&mut self.path, container);
        }
        fn visit_float<const D: usize>(&mut self, param: &burn::module::Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.get::<D>(param.id) {
                self.found.insert(self.path.join("."), gradient.into_data());
            }
        }
    }
    let mut collect = Collect {
        path: Vec::new(),
        gradients,
        found: NamedTensors::new(),
    };
    module.visit(&mut collect);
    collect.found
}

/// Compares an encoder with the given weights in inference and in training.
fn compare(kind: EncoderKind, named: &NamedTensors, oracle: &Oracle) {
    let device = Device::flex();
    let encoder: Encoder = tensors::load(kind.init(3, &device), named, kind.name()).unwrap();
    for (index, (found, expected)) in encoder
        .valid()
        .features(images([64, 96], &device))
        .into_iter()
        .zip(&oracle.inference)
        .enumerate()
    {
        assert_summary(
            &found.into_data(),
            expected,
            1e-4,
            &format!("inference, feature {index}"),
        );
    }
    let encoder = encoder.train();
    let features = encoder.features(images([64, 96], &device.autodiff()));
    let mut loss = None;
    for (index, (found, expected)) in features.into_iter().zip(&oracle.training).enumerate() {
        assert_summary(
            &found.to_data(),
            expected,
            2e-4,
            &format!("training, feature {index}"),
        );
        let part = (found.clone() * found).mean();
        loss = Some(match loss {
            Some(loss) => loss + part,
            None => part,
        });
    }
    let gradients = GradientsParams::from_grads(loss.unwrap().backward(), &encoder);
    let named = named_gradients(&encoder, &gradients);
    for (name, expected) in &oracle.gradients {
        let what = format!("gradient of {name}");
        assert_summary(&named[name], expected, 2e-3, &what);
    }
    let named = tensors::collect(&encoder.valid());
    for (name, expected) in &oracle.running {
        assert_summary(&named[name], expected, 1e-4, name);
    }
}

fn with_formula(kind: EncoderKind) -> NamedTensors {
    let blank = tensors::collect(&kind.init(3, &Device::flex()).valid());
    blank
        .into_iter()
        .map(|(name, data)| (name.clone(), formula(&name, data.shape().as_slice())))
        .collect()
}

#[test]
fn resnet_18_computes_what_torchvisions_does_and_learns_as_it_does() {
    compare(
        EncoderKind::Resnet18,
        &with_formula(EncoderKind::Resnet18),
        &oracle("resnet18"),
    );
}

#[test]
fn efficientnet_lite0_computes_what_its_reference_does_and_learns_as_it_does() {
    let kind = EncoderKind::EfficientnetLite0;
    compare(
        kind,
        &with_formula(kind),
        &oracle("efficientnet_lite0_formula"),
    );
}

#[test]
#[ignore = "needs the data set efficientnet-lite0"]
fn efficientnet_lite0_with_imagenet_weights_agrees_with_its_reference() {
    let path = origin::efficientnet_lite0().unwrap();
    let named = weights::encoder_names(weights::load(path).unwrap());
    let named = named
        .into_iter()
        .filter_map(|(name, data)| Some((name.strip_prefix("encoder.")?.to_owned(), data)));
    compare(
        EncoderKind::EfficientnetLite0,
        &named.collect(),
        &oracle("efficientnet_lite0_imagenet"),
    );
}
