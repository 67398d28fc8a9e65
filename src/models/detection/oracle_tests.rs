//! Numbers and comparisons for the tests against torchvision. `tests/python/make_detection_fixtures.py` says how the
//! expected numbers were made.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use super::coder::Corners;
use crate::models::{NamedTensors, tensors};

pub(super) use crate::models::oracle_tests::{Summary, assert_summary, noise};

/// The script's `array`.
pub(super) fn array<const D: usize>(name: &str, shape: [usize; D], device: &Device) -> Tensor<D> {
    let values = noise(name, shape.iter().product());
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// The script's `formula`.
fn formula(name: &str, shape: &[usize]) -> TensorData {
    let values = noise(name, shape.iter().product());
    let change =
        |factor: f32, offset: f32| values.iter().map(|value| offset + factor * value).collect();
    let is_last = ["cls_logits", "bbox_reg", "bbox_pred", "cls_score"]
        .iter()
        .any(|part| name.contains(part));
    let values: Vec<f32> = if shape.len() > 1 {
        let inputs = shape[1..].iter().product::<usize>() as f64;
        let strength = if is_last { 0.3 } else { 1.0 };
        change((strength * (24.0 / inputs).sqrt()) as f32, 0.0)
    } else if name.ends_with("running_var") {
        change(0.4, 1.0)
    } else if name.ends_with("bn2.weight") || name.ends_with("bn3.weight") {
        change(0.1, 0.4)
    } else if name.ends_with("weight") {
        change(0.2, 1.0)
    } else {
        change(0.2, 0.0)
    };
    TensorData::new(values, shape.to_vec())
}

/// The network with the script's weights.
pub(super) fn filled<M: Module>(network: M) -> M {
    let blank = tensors::collect(&network.valid());
    let mut named: NamedTensors = blank
        .into_iter()
        .map(|(name, data)| (name.clone(), formula(&name, data.shape().as_slice())))
        .collect();
    if let Some(bias) = named.get_mut("head.classification_head.cls_logits.bias") {
        let values = bias.as_mut_slice::<f32>().unwrap();
        for value in values.iter_mut().step_by(3) {
            *value -= 10.0;
        }
    }
    tensors::load(network, &named, "the detector").unwrap()
}

/// The script's `boxes`.
pub(super) fn boxes(name: &str, count: usize, size: f32, smallest: f32) -> Vec<Corners> {
    noise(name, count * 4)
        .chunks_exact(4)
        .map(|values| {
            let center = |index: usize| (values[index] + 0.5) * size;
            let extent = |index: usize| {
                let half = values[index] + 0.5;
                smallest + half * half * size * 0.6
            };
            let (x, y, width, height) = (center(0), center(1), extent(2), extent(3));
            [
                x - width / 2.0,
                y - height / 2.0,
                x + width / 2.0,
                y + height / 2.0,
            ]
        })
        .collect()
}

pub(super) fn corners(boxes: &[Corners], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(boxes.concat(), [boxes.len(), 4]), device)
}

pub(super) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

/// Every value equal to `tolerance` of the values' mean size, or of its own.
pub(super) fn assert_close(found: &[f32], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let size = expected.iter().map(|value| value.abs()).sum::<f64>() / expected.len().max(1) as f64;
    for (index, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(found) - expected).abs();
        assert!(
            error <= tolerance * size.max(expected.abs()),
            "{what}, value {index}: {found}, expected {expected}"
        );
    }
}
