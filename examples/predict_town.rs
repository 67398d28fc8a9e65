//! Predicts a drawn town and reports time and peak memory.
//!
//! ```text
//! cargo run --release -p swath --example predict_town -- 20000 tiny
//! cargo run --release -p swath --example predict_town -- 20000 resnet18 2048   # the top 2048 rows alone
//! cargo run --release -p swath --example predict_town -- 20000 cars
//! ```
//!
//! Arguments: size of the town in pixels, network (`tiny`: two convolutions; `resnet18`, `efficientnet`: U-Nets with
//! random weights; `cars`: a CenterNet on a ResNet-18 with random weights, which is asked for the twenty best boxes of every
//! tile), rows to predict. The town is drawn once and kept in the per-user cache.

#![allow(clippy::print_stdout, reason = "a program that tells what it does")]
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::time::Instant;

use swath::burn;
use swath::burn::module::Module;
use swath::burn::nn::PaddingConfig2d;
use swath::burn::nn::conv::{Conv2d, Conv2dConfig};
use swath::burn::tensor::{Tensor, activation::relu};
use swath::detect::{DetectionOptions, detect_scene};
use swath::device::Device;
use swath::display::Show;
use swath::models::{Architecture, CenterNet, Network, Normalization, Unet};
use swath::predict::{PredictOptions, SaveOptions, predict_scene};
use swath::raster::PixelWindow;
use swath::scene::Scene;
use swath::{Result, samples};

/// Two 3 x 3 convolutions.
#[derive(Module, Debug)]
struct Tiny {
    first: Conv2d,
    second: Conv2d,
}

impl Network for Tiny {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        self.second.forward(relu(self.first.forward(images)))
    }
}

fn tiny() -> Architecture {
    Architecture::custom("tiny", |bands, classes, device| {
        let convolution = |from, to| {
            let same = PaddingConfig2d::Explicit(1, 1, 1, 1);
            Conv2dConfig::new([from, to], [3, 3])
                .with_padding(same)
                .init(device)
        };
        Tiny {
            first: convolution(bands, 8),
            second: convolution(8, classes),
        }
    })
}

/// The largest memory that this process has held, in MiB; `None` where the system does not tell.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

fn report(step: &str, since: Instant) {
    let peak = peak_mib().map_or_else(|| "unknown".to_owned(), |mib| format!("{mib} MiB"));
    println!(
        "{step:<28} {:8.1} s   peak so far {peak}",
        since.elapsed().as_secs_f64()
    );
}

fn find_cars(scene: &Scene) -> Result<()> {
    let (device, architecture) = (Device::best(), CenterNet::resnet18().pretrained(false));
    println!("{} on {}", architecture.name(), device.name());
    let network = architecture.build(scene.band_count(), scene.classes().len(), &device)?;
    let normalization = Normalization::eight_bit(scene.band_count());
    let options = DetectionOptions::new().min_score(0.0).max_boxes(20);
    let start = Instant::now();
    let boxes = detect_scene(
        &*network,
        &normalization,
        scene.classes(),
        scene,
        &device,
        &options,
        Some(0.0),
    )?;
    report("searched", start);
    println!("{} boxes", boxes.len());
    let start = Instant::now();
    println!("{}", boxes.evaluate(scene)?.output().text);
    report("evaluated", start);
    let folder = std::env::temp_dir().join("swath-find-cars");
    let start = Instant::now();
    println!("{}", boxes.save(&folder)?.output().text);
    report("saved", start);
    Ok(())
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let size = arguments
        .first()
        .and_then(|text| text.parse().ok())
        .unwrap_or(2000);
    let architecture = match arguments.get(1).map(String::as_str) {
        Some("resnet18") => Unet::resnet18().into(),
        Some("efficientnet") => Unet::efficientnet_lite0().pretrained(false).into(),
        _ => tiny(),
    };
    let start = Instant::now();
    let scene = samples::town(1, size)?.scene()?;
    let area = scene.area();
    let rows = arguments
        .get(2)
        .and_then(|text| text.parse().ok())
        .unwrap_or(area.height)
        .min(area.height);
    let scene = scene.crop(PixelWindow {
        height: rows,
        ..area
    })?;
    report("town drawn or found", start);
    if arguments.get(1).is_some_and(|name| name == "cars") {
        return find_cars(&scene.only(["car"])?);
    }

    let device = Device::best();
    println!("{} on {}", architecture.name(), device.name());
    let network = architecture.build(scene.band_count(), scene.classes().len(), &device)?;
    let normalization = Normalization::eight_bit(scene.band_count());
    let start = Instant::now();
    let map = predict_scene(
        &*network,
        &normalization,
        scene.classes(),
        &scene,
        &device,
        &PredictOptions::new(),
    )?;
    report("predicted", start);
    let (width, height) = map.size();
    println!(
        "{:.2} million pixels a second",
        (width * height) as f64 / start.elapsed().as_secs_f64() / 1e6
    );

    let start = Instant::now();
    println!("{}", map.evaluate(&scene)?);
    report("evaluated", start);
    let folder = std::env::temp_dir().join("swath-predict-town");
    let start = Instant::now();
    // Random weights give a polygon every few pixels: no measure of anything.
    let saving = SaveOptions::new().polygons(false);
    println!("{}", map.save_with(&folder, &saving)?.output().text);
    report("saved", start);
    Ok(())
}
