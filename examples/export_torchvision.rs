//! Writes networks with random weights for PyTorch, and what they compute, for `tests/python/test_torchvision_export.py`.
//!
//! `cargo run --release -p swath --example export_torchvision -- FOLDER` leaves two files for each network:
//! `NAME.safetensors`, the exported weights, and `NAME.numbers.safetensors` with `input` and `output`.

use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use swath::burn::tensor::{Tensor, TensorData};
use swath::models::{BundleMeta, save_bundle};
use swath::prelude::*;

fn main() -> swath::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let folder = Path::new(&folder);
    write(folder, "deeplabv3_resnet50", &DeepLabV3::resnet50(), 3, 5)?;
    write(folder, "deeplabv3_resnet101", &DeepLabV3::resnet101(), 3, 2)?;
    write(folder, "unet_resnet18", &Unet::resnet18(), 4, 3)?;
    write(folder, "unet_resnet50", &Unet::resnet50(), 3, 3)
}

fn write(
    folder: &Path,
    name: &str,
    architecture: &Architecture,
    bands: usize,
    classes: usize,
) -> swath::Result<()> {
    let device = Device::current();
    device.burn().seed(7);
    let network = architecture.build(bands, classes, &device)?;
    let shape = [2, bands, 72, 88];
    let input: Vec<f32> = (0..shape.iter().product::<usize>())
        .map(|index| ((index as f32 * 0.37).sin() * 7.0 + (index as f32 * 0.011).cos()) * 0.25)
        .collect();
    let images = |device: &swath::burn::tensor::Device| {
        Tensor::<4>::from_data(TensorData::new(input.clone(), shape), device)
    };
    // A pass in training, so that the running statistics are not all alike.
    let training = network.training();
    let _ = training.forward(images(&device.burn().clone().autodiff()));
    let network = training.inference();
    let output = network.forward(images(device.burn())).into_data();

    // Through a bundle, as a model that was trained would come.
    let names = (0..classes).map(|class| format!("class {class}")).collect();
    let normalisation = Normalisation::eight_bit(bands);
    let meta = BundleMeta::new(architecture.clone(), bands, names, normalisation, 256);
    let bundle = folder.join(format!("{name}.swath"));
    save_bundle(&bundle, &meta, network.as_ref())?;
    Segmenter::load(&bundle)?.export_torchvision(folder.join(format!("{name}.safetensors")))?;

    let values = output
        .try_to_vec::<f32>()
        .unwrap_or_else(|error| panic!("scores are 32-bit floats: {error:?}"));
    let numbers = [
        ("input", shape.to_vec(), bytes(&input)),
        ("output", output.shape().to_vec(), bytes(&values)),
    ];
    let views = numbers.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
        (*name, view.unwrap_or_else(|error| panic!("{error}")))
    });
    let path = folder.join(format!("{name}.numbers.safetensors"));
    safetensors::serialize_to_file(views, None, &path).unwrap_or_else(|error| panic!("{error}"));
    Ok(())
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}
