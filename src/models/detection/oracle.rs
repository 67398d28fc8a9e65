//! Numbers and comparisons for the tests against torchvision. `tests/python/make_detection_fixtures.py` says how the
//! expected numbers were made.

use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;

use super::coder::Corners;

#[derive(Deserialize)]
pub(super) struct Summary {
    shape: Vec<usize>,
    mean_abs: f64,
    values: Vec<f64>,
}

impl Summary {
    pub(super) fn is_zero(&self) -> bool {
        self.mean_abs == 0.0
    }
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

/// The script's `array`.
pub(super) fn array<const D: usize>(name: &str, shape: [usize; D], device: &Device) -> Tensor<D> {
    let values = noise(name, shape.iter().product());
    Tensor::from_data(TensorData::new(values, shape), device)
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

pub(super) fn assert_summary<const D: usize>(
    tensor: Tensor<D>,
    expected: &Summary,
    tolerance: f64,
    what: &str,
) {
    assert_eq!(tensor.dims().as_slice(), expected.shape, "{what}");
    let values = values(tensor);
    let mean = values
        .iter()
        .map(|&value| f64::from(value).abs())
        .sum::<f64>()
        / values.len() as f64;
    assert!(
        (mean - expected.mean_abs).abs() <= tolerance * expected.mean_abs,
        "{what}: mean size {mean}, expected {}",
        expected.mean_abs
    );
    for (index, &wanted) in expected.values.iter().enumerate() {
        let place = index * (values.len() - 1) / 23;
        let error = (f64::from(values[place]) - wanted).abs();
        assert!(
            error <= tolerance * expected.mean_abs.max(wanted.abs()),
            "{what}, value {place}: {}, expected {wanted}",
            values[place]
        );
    }
}
