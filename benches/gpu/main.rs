//! What only a GPU can show: that results agree with the CPU's, and how fast training steps and whole epochs are.
//! `carry.sh` builds it and gathers what it needs, `run.sh` runs it beside PyTorch. Prints one JSON object a line.
//!
//! ```text
//! gpu-bench check    forward and one training step on both devices, compared
//! gpu-bench steps    training steps on images that are on the GPU already
//! gpu-bench epoch    epochs read from disk: share of the time that the GPU had work, and the first epoch's autotune
//! ```

use std::time::Instant;

use burn::tensor::{Distribution, Tensor};
use serde_json::json;
use swath::burn;
use swath::models::{BoxedNetwork, DeepLabV3};
use swath::prelude::*;
use swath::train::{AdamW, Rates, Targets};

fn main() -> swath::Result<()> {
    let group = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "check".to_owned());
    let device = Device::cuda(0)?;
    match group.as_str() {
        "check" => check(&device),
        "steps" => steps(&device),
        "epoch" => epoch(&device),
        other => {
            eprintln!("{other}: expected check, steps or epoch");
            std::process::exit(2);
        }
    }
}

/// The networks of the figures, with the size of their images and of their batches.
fn cases() -> [(Architecture, usize, usize); 2] {
    [
        (Unet::resnet50(), 512, 16),
        (DeepLabV3::resnet50(), 300, 16),
    ]
}

/// The same weights and images on both devices: the largest difference of the logits and of the weights after a step,
/// relative to the largest value.
fn check(device: &Device) -> swath::Result<()> {
    for architecture in [Unet::resnet18(), Unet::resnet50(), DeepLabV3::resnet50()] {
        let cpu = Device::cpu();
        cpu.burn().seed(1);
        let network = architecture.build(3, 2, &cpu)?;
        let images =
            Tensor::<4>::random([2, 3, 128, 128], Distribution::Normal(0.0, 1.0), cpu.burn());
        let data = images.into_data();
        let mut outputs = Vec::new();
        let mut weights = Vec::new();
        for place in [&cpu, device] {
            let copy = network.to_device(place.burn());
            let images = Tensor::<4>::from_data(data.clone(), place.burn());
            outputs.push(values(copy.inference().forward(images)));
            let (moved, _, _) = step(
                copy.training(),
                &mut AdamW::new(0.01, Some(1.0)),
                place,
                &data,
            )?;
            let named = moved.named_tensors();
            weights.push(
                named
                    .values()
                    .flat_map(|tensor| {
                        tensor
                            .clone()
                            .convert::<f32>()
                            .to_vec::<f32>()
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
            })
        );
    }
    Ok(())
}

fn values(tensor: Tensor<4>) -> Vec<f32> {
    tensor
        .into_data()
        .convert::<f32>()
        .to_vec()
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

type Stepped = (BoxedNetwork, Tensor<1>, f64);

fn step(
    network: BoxedNetwork,
    optimiser: &mut AdamW,
    device: &Device,
    images: &burn::tensor::TensorData,
) -> swath::Result<Stepped> {
    let tracked = device.burn().clone().autodiff();
    let images = Tensor::<4>::from_data(images.clone(), &tracked);
    let [batch, _, height, width] = images.dims();
    let labels: Vec<u8> = (0..batch * height * width)
        .map(|i| (i % 7 == 0) as u8)
        .collect();
    let targets = Targets::new(&labels, [batch, 2, height, width], &tracked);
    let began = Instant::now();
    let loss = Loss::CrossEntropy.of(network.forward(images), &targets, None);
    let kept = loss.clone().inner();
    let rates = Rates {
        base: 1e-3,
        shares: Vec::new(),
    };
    let (network, _) = network.adamw(optimiser, loss.backward(), &rates);
    Ok((network, kept, began.elapsed().as_secs_f64()))
}

/// Images a second: the images and labels stay on the GPU, and the loss is read once at the end.
fn steps(device: &Device) -> swath::Result<()> {
    for (architecture, size, batch) in cases() {
        device.burn().seed(0);
        let tracked = device.burn().clone().autodiff();
        let mut network = architecture
            .pretrained(false)
            .build(3, 2, device)?
            .training();
        let mut optimiser = AdamW::new(0.01, Some(1.0));
        let rates = Rates {
            base: 1e-3,
            shares: Vec::new(),
        };
        let images = Tensor::<4>::random(
            [batch, 3, size, size],
            Distribution::Normal(0.0, 1.0),
            device.burn(),
        );
        let labels: Vec<u8> = (0..batch * size * size)
            .map(|i| (i % 7 == 0) as u8)
            .collect();
        let targets = Targets::new(&labels, [batch, 2, size, size], &tracked);
        let (mut warm, mut began) = (0.0, Instant::now());
        let (warm_up, counted) = (8, 30);
        for number in 0..warm_up + counted {
            let loss = Loss::CrossEntropy.of(
                network.forward(Tensor::from_inner(images.clone())),
                &targets,
                None,
            );
            let kept = loss.clone().inner();
            (network, _) = network.adamw(&mut optimiser, loss.backward(), &rates);
            if number + 1 == warm_up || number + 1 == warm_up + counted {
                // Reading the loss waits for all the work before it.
                let loss = kept.into_scalar::<f32>();
                assert!(loss.is_finite(), "the loss is {loss}");
                if number + 1 == warm_up {
                    warm = began.elapsed().as_secs_f64();
                    began = Instant::now();
                }
            }
        }
        let seconds = began.elapsed().as_secs_f64() / f64::from(counted);
        println!(
            "{}",
            json!({
                "who": "Swath", "model": architecture_name(&network, size), "size": size, "batch": batch, "dtype": "f32",
                "images_per_second": (batch as f64 / seconds * 100.0).round() / 100.0,
                "warm_up_seconds": (warm * 10.0).round() / 10.0,
            })
        );
    }
    Ok(())
}

fn architecture_name(_network: &BoxedNetwork, size: usize) -> &'static str {
    if size == 512 {
        "U-Net ResNet-50"
    } else {
        "DeepLabV3 ResNet-50"
    }
}

/// A training as a notebook runs it, twice: the second kernel finds the first one's autotune cache.
fn epoch(device: &Device) -> swath::Result<()> {
    let folder = std::env::temp_dir().join("swath-gpu-epoch");
    let scene = swath::samples::town_in(&folder, 5, 4096)?.scene()?;
    let (train, valid) = scene.split(Split::columns(0.9));
    let chips = train.chips(Chips::random(320, 512).seed(1))?;
    for round in ["first run", "second run"] {
        let began = Instant::now();
        let model = Segmenter::new(Unet::resnet50(), scene.classes()).device(device);
        let run = model.fit(
            &chips,
            &valid,
            Fit::epochs(3).batch(16).workers(8).quiet(true),
        )?;
        let timings = run.timings();
        let epochs: Vec<f64> = run
            .history()
            .epochs
            .iter()
            .map(|epoch| epoch.seconds)
            .collect();
        println!(
            "{}",
            json!({
                "epoch": round,
                "seconds": began.elapsed().as_secs_f64(),
                "epochs": epochs,
                "share of the loop not waiting for chips": timings.steps / (timings.steps + timings.waiting),
            })
        );
    }
    Ok(())
}
