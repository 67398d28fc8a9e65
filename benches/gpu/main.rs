//! What only a GPU can show: that results agree with the CPU's, and how fast training steps and whole epochs are.
//! `carry.sh` builds it and gathers what it needs, `run.sh` runs it beside PyTorch. Prints one JSON object a line.
//!
//! ```text
//! gpu-bench check    segmentation networks: forward and one training step on both devices, compared; bf16 beside f32
//! gpu-bench detect   detectors from the same weights on both devices: losses, boxes found, seconds
//! gpu-bench predict  a map on both devices: pixels that differ; windows a second with the batch found by trying
//! gpu-bench memory   a batch that no GPU holds, in training and in prediction: halved until it fits, nothing lost
//! gpu-bench steps    training steps on images that are on the GPU already
//! gpu-bench epoch    epochs read from disk; once more in a second process it finds the first one's autotune cache
//! ```
//!
//! `SWATH_BENCH_DEVICE=cpu` compares the CPU with itself, on small images: how the bench is tried where no GPU is.

#![allow(clippy::print_stdout, reason = "a program that tells what it does")]

mod whole;

use std::time::Instant;

use burn::tensor::{Distribution, Tensor};
use serde_json::json;
use swath::burn;
use swath::models::{BoxedNetwork, DeepLabV3, Precision};
use swath::prelude::*;
use swath::train::{Optimizer, OptimizerState, Rates, Targets};

fn main() -> swath::Result<()> {
    let group = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "check".to_owned());
    let device = if on_cpu() {
        Device::cpu()
    } else {
        Device::cuda(0)?
    };
    match group.as_str() {
        "check" => check(&device),
        "detect" => whole::detect(&device),
        "predict" => whole::predict(&device),
        "memory" => whole::memory(&device),
        "steps" => steps(&device),
        "epoch" => whole::epoch(&device),
        other => {
            eprintln!("{other}: expected check, detect, predict, memory, steps or epoch");
            std::process::exit(2);
        }
    }
}

/// Whether the bench itself is tried, on a machine without a GPU.
fn on_cpu() -> bool {
    std::env::var("SWATH_BENCH_DEVICE").is_ok_and(|device| device == "cpu")
}

/// `full` on a GPU, `small` where the bench itself is tried.
fn size(full: usize, small: usize) -> usize {
    if on_cpu() { small } else { full }
}

/// The networks of the figures, with the size of their images and of their batches.
fn cases() -> [(Architecture, usize, usize); 2] {
    [
        (
            Unet::resnet50().pretrained(false).into(),
            size(512, 64),
            size(16, 1),
        ),
        (
            DeepLabV3::resnet50().pretrained(false).into(),
            size(300, 75),
            size(16, 1),
        ),
    ]
}

fn descent() -> OptimizerState {
    OptimizerState::new(Optimizer::AdamW, 0.01, Some(1.0))
}

/// The same weights and images on both devices: the largest difference of the logits and of the weights after a step,
/// relative to the largest value.
fn check(device: &Device) -> swath::Result<()> {
    // Without dropout, whose random numbers differ from device to device.
    let deeplab = DeepLabV3::resnet50().dropout(0.0);
    let architectures: [Architecture; 3] = [
        Unet::resnet18().pretrained(false).into(),
        Unet::resnet50().pretrained(false).into(),
        deeplab.pretrained(false).into(),
    ];
    for architecture in architectures {
        let cpu = Device::cpu();
        cpu.burn().seed(1);
        let network = architecture.build(3, 2, &cpu)?;
        let images =
            Tensor::<4>::random([2, 3, 128, 128], Distribution::Normal(0.0, 1.0), cpu.burn());
        let data = images.into_data();
        let on_device = |precision: Precision| {
            precision.during(|| {
                let images = Tensor::<4>::from_data(data.clone(), device.burn());
                values(network.to_device(device.burn()).inference().forward(images))
            })
        };
        let (full, half) = (on_device(Precision::F32), on_device(Precision::Bf16));
        let mut outputs = Vec::new();
        let mut weights = Vec::new();
        for place in [&cpu, device] {
            let copy = network.to_device(place.burn());
            let images = Tensor::<4>::from_data(data.clone(), place.burn());
            outputs.push(values(copy.inference().forward(images)));
            let moved = step(copy.training(), place, &data);
            let named = moved.named_tensors();
            weights.push(
                named
                    .values()
                    .flat_map(|tensor| {
                        tensor
                            .clone()
                            .convert::<f32>()
                            .try_to_vec::<f32>()
                            .unwrap_or_default()
                    })
                    .collect::<Vec<f32>>(),
            );
        }
        println!(
            "{}",
            json!({
                "check": architecture.name(),
                "forward difference": difference(&outputs[0], &outputs[1]),
                "weights after a step, difference": difference(&weights[0], &weights[1]),
                "forward in bf16, difference": difference(&full, &half),
            })
        );
    }
    Ok(())
}

fn values(tensor: Tensor<4>) -> Vec<f32> {
    tensor
        .into_data()
        .convert::<f32>()
        .try_to_vec()
        .unwrap_or_default()
}

fn difference(a: &[f32], b: &[f32]) -> f32 {
    let largest = a
        .iter()
        .fold(1e-12_f32, |largest, value| largest.max(value.abs()));
    let apart = a
        .iter()
        .zip(b)
        .fold(0.0_f32, |apart, (a, b)| apart.max((a - b).abs()));
    apart / largest
}

/// The network after one step.
fn step(network: BoxedNetwork, device: &Device, images: &burn::tensor::TensorData) -> BoxedNetwork {
    let tracked = device.burn().clone().autodiff();
    let images = Tensor::<4>::from_data(images.clone(), &tracked);
    let [batch, _, height, width] = images.dims();
    let shape = [batch, 2, height, width];
    let targets = Targets::new(&labels(batch * height * width), shape, &tracked);
    let loss = Loss::CrossEntropy.of(network.forward(images), &targets, None);
    let mut descent = descent();
    network.gather(&mut descent, loss.backward());
    network.descend(&mut descent, &Rates::even(1e-3)).0
}

/// Images a second: the images and labels stay on the GPU, and the loss is read once at the end.
fn steps(device: &Device) -> swath::Result<()> {
    for (architecture, size, batch) in cases() {
        for precision in [Precision::F32, Precision::Bf16] {
            let name = architecture.name();
            device.burn().seed(0);
            let network = architecture.build(3, 2, device)?.training();
            let (seconds, warm) = precision.during(|| timed(network, device, size, batch));
            println!(
                "{}",
                json!({
                    "who": "Swath", "model": name, "size": size, "batch": batch, "dtype": precision.name(),
                    "images_per_second": (batch as f64 / seconds * 100.0).round() / 100.0,
                    "warm_up_seconds": (warm * 10.0).round() / 10.0,
                })
            );
        }
    }
    Ok(())
}

/// Seconds of a step, and of the steps before the counted ones, which compile and tune kernels.
fn timed(mut network: BoxedNetwork, device: &Device, edge: usize, batch: usize) -> (f64, f64) {
    let warm_up = size(8, 1) as u32;
    let counted = size(30, 1) as u32;
    let tracked = device.burn().clone().autodiff();
    let mut descent = descent();
    let rates = Rates::even(1e-3);
    let normal = Distribution::Normal(0.0, 1.0);
    let images = Tensor::<4>::random([batch, 3, edge, edge], normal, device.burn());
    let targets = Targets::new(
        &labels(batch * edge * edge),
        [batch, 2, edge, edge],
        &tracked,
    );
    let (mut warm, mut began) = (0.0, Instant::now());
    for number in 1..=warm_up + counted {
        let logits = network.forward(Tensor::from_inner(images.clone()));
        let loss = Loss::CrossEntropy.of(logits, &targets, None);
        let kept = loss.clone().inner();
        network.gather(&mut descent, loss.backward());
        (network, _) = network.descend(&mut descent, &rates);
        if number == warm_up || number == warm_up + counted {
            // Reading the loss waits for all the work before it.
            let loss = kept.into_scalar::<f32>();
            assert!(loss.is_finite(), "the loss is {loss}");
            if number == warm_up {
                warm = began.elapsed().as_secs_f64();
                began = Instant::now();
            }
        }
    }
    (began.elapsed().as_secs_f64() / f64::from(counted), warm)
}

/// Every seventh pixel is of class 1.
fn labels(pixels: usize) -> Vec<u8> {
    (0..pixels).map(|pixel| u8::from(pixel % 7 == 0)).collect()
}
