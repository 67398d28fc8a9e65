//! Writes networks with random weights for PyTorch, and what they compute, for `tests/python/test_torchvision_export.py`.
//!
//! `cargo run --release -p swath --example export_torchvision -- FOLDER` leaves two files for each network:
//! `NAME.safetensors`, the exported weights, and `NAME.numbers.safetensors` with `input` and `output`, or what a detector
//! found.

#![allow(
    clippy::print_stdout,
    clippy::panic,
    reason = "a program that tells what it does, and stops where it is called wrongly"
)]

use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use swath::burn::tensor::{Tensor, TensorData};
use swath::models::bundle::save_tensors;
use swath::models::{
    AnyClassificationNetwork, AnyModule as _, AnyNetwork, Blueprint, BundleMeta, DetectOptions,
    Model, Task,
};
use swath::prelude::*;

fn main() -> swath::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let folder = Path::new(&folder);
    write(
        folder,
        "deeplabv3_resnet50",
        DeepLabV3::resnet50(),
        3,
        5,
        areas,
    )?;
    write(
        folder,
        "deeplabv3_resnet101",
        DeepLabV3::resnet101(),
        3,
        2,
        areas,
    )?;
    write(folder, "unet_resnet18", Unet::resnet18(), 4, 3, areas)?;
    write(folder, "unet_resnet50", Unet::resnet50(), 3, 3, areas)?;
    write(folder, "resnet18", ImageClassifier::resnet18(), 4, 5, whole)?;
    write(folder, "resnet50", ImageClassifier::resnet50(), 3, 2, whole)?;
    write_detector(
        folder,
        "retinanet_resnet18",
        RetinaNet::resnet18().into(),
        4,
        40.0,
    )?;
    write_detector(
        folder,
        "retinanet_resnet50",
        RetinaNet::resnet50().into(),
        3,
        8.0,
    )?;
    write_detector(
        folder,
        "fasterrcnn_resnet50",
        FasterRcnn::resnet50().into(),
        3,
        3.0,
    )
}

/// Numbers that go up and down, two images of some bands.
fn waves(shape: [usize; 4]) -> Vec<f32> {
    (0..shape.iter().product::<usize>())
        .map(|index| ((index as f32 * 0.37).sin() * 7.0 + (index as f32 * 0.011).cos()) * 0.25)
        .collect()
}

/// A detector with three classes, scores spread `strength` times as far, and its boxes as `boxes.0`, `scores.0`, `labels.0` for the first image and so on.
fn write_detector(
    folder: &Path,
    name: &str,
    architecture: DetectorArchitecture,
    bands: usize,
    strength: f32,
) -> swath::Result<()> {
    let (device, classes) = (Device::current(), 3);
    device.burn().seed(7);
    let mut network = architecture.build(bands, classes, &device)?;
    // Scores of random weights are nearly all alike, and which of them is best would depend on rounding.
    let mut tensors = network.named_tensors();
    for (name, data) in &mut tensors {
        if name.ends_with("cls_logits.weight") || name.ends_with("cls_score.weight") {
            for value in data.as_mut_slice::<f32>().unwrap_or_default() {
                *value *= strength;
            }
        }
        // The background's own score, which RetinaNet never trains, takes places among torchvision's candidates.
        if name.ends_with("classification_head.cls_logits.bias") {
            let biases = data.as_mut_slice::<f32>().unwrap_or_default();
            for value in biases.iter_mut().step_by(classes) {
                *value = -10.0;
            }
        }
    }
    network.load_tensors(&tensors)?;
    let shape = [2, bands, 96, 128];
    let input = waves(shape);
    let images = |device: &swath::burn::tensor::Device| {
        Tensor::<4>::from_data(TensorData::new(input.clone(), shape), device)
    };
    // Passes in training: with statistics of 0 and 1 the features of 50 layers explode.
    let training = network.training();
    for _ in 0..8 {
        let _ = training.losses(images(&device.burn().clone().autodiff()), &[vec![], vec![]]);
    }
    let network = training.inference();
    let found = network.detect(images(device.burn()), &DetectOptions::default());

    let names = (0..classes).map(|class| format!("class {class}")).collect();
    let normalization = Normalization::eight_bit(bands);
    let meta = BundleMeta::for_task(architecture, bands, names, normalization, 256);
    let bundle = folder.join(format!("{name}.swath"));
    save_tensors(&bundle, &meta, &network.named_tensors())?;
    Detector::load(&bundle)?.export_torchvision(folder.join(format!("{name}.safetensors")))?;

    let mut numbers = vec![("input".to_owned(), shape.to_vec(), bytes(&input))];
    for (image, found) in found.iter().enumerate() {
        let each = |value: fn(&swath::boxes::Detection) -> Vec<f32>| -> Vec<f32> {
            found.iter().flat_map(value).collect()
        };
        let boxes = each(|found| {
            let bounds = found.bounds;
            [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max]
                .map(|edge| edge as f32)
                .to_vec()
        });
        let scores = each(|found| vec![found.score]);
        let labels = each(|found| vec![found.class as f32]);
        for (what, values, shape) in [
            ("boxes", boxes, vec![found.len(), 4]),
            ("scores", scores, vec![found.len()]),
            ("labels", labels, vec![found.len()]),
        ] {
            numbers.push((format!("{what}.{image}"), shape, bytes(&values)));
        }
    }
    write_numbers(
        &folder.join(format!("{name}.numbers.safetensors")),
        &numbers,
    );
    Ok(())
}

fn write_numbers(path: &Path, numbers: &[(String, Vec<usize>, Vec<u8>)]) {
    let views = numbers.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
        (name, view.unwrap_or_else(|error| panic!("{error}")))
    });
    safetensors::serialize_to_file(views, None, path).unwrap_or_else(|error| panic!("{error}"));
}

/// The scores of a segmentation network, `[n, classes, height, width]`.
fn areas(network: &dyn AnyNetwork, images: Tensor<4>) -> Tensor<4> {
    network.forward(images)
}

/// The scores of a classification network, `[n, classes]`.
fn whole(network: &dyn AnyClassificationNetwork, images: Tensor<4>) -> Tensor<2> {
    network.forward(images)
}

fn write<T: Task, const D: usize>(
    folder: &Path,
    name: &str,
    architecture: impl Into<Blueprint<T>>,
    bands: usize,
    classes: usize,
    forward: fn(&T::Network, Tensor<4>) -> Tensor<D>,
) -> swath::Result<()> {
    let architecture = architecture.into();
    let device = Device::current();
    device.burn().seed(7);
    let network = architecture.build(bands, classes, &device)?;
    let shape = [2, bands, 72, 88];
    let input = waves(shape);
    let images = |device: &swath::burn::tensor::Device| {
        Tensor::<4>::from_data(TensorData::new(input.clone(), shape), device)
    };
    // A pass in training, so that the running statistics are not all alike.
    let training = network.training();
    let _ = forward(&training, images(&device.burn().clone().autodiff()));
    let network = training.inference();
    let output = forward(&network, images(device.burn())).into_data();

    // Through a bundle, as a model that was trained would come.
    let names = (0..classes).map(|class| format!("class {class}")).collect();
    let normalization = Normalization::eight_bit(bands);
    let meta = BundleMeta::for_task(architecture, bands, names, normalization, 256);
    let bundle = folder.join(format!("{name}.swath"));
    save_tensors(&bundle, &meta, &network.named_tensors())?;
    Model::<T>::load(&bundle)?.export_torchvision(folder.join(format!("{name}.safetensors")))?;

    let values = output
        .try_to_vec::<f32>()
        .unwrap_or_else(|error| panic!("scores are 32-bit floats: {error:?}"));
    let numbers = [
        ("input".to_owned(), shape.to_vec(), bytes(&input)),
        ("output".to_owned(), output.shape().to_vec(), bytes(&values)),
    ];
    write_numbers(
        &folder.join(format!("{name}.numbers.safetensors")),
        &numbers,
    );
    Ok(())
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}
