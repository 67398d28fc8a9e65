//! Whole trainings and predictions of scenes, as a notebook runs them.

#![allow(clippy::print_stdout, reason = "a program that tells what it does")]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;
use swath::models::{CenterNet, FasterRcnn, RetinaNet};
use swath::prelude::*;

use crate::size;

/// A drawn town, kept for the groups after this one.
fn town(seed: u64, edge: usize) -> swath::Result<Scene> {
    let folder = std::env::temp_dir().join(format!("swath-gpu-town-{seed}-{edge}"));
    swath::samples::town_in(folder, seed, edge)?.scene()
}

fn seconds(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 100.0).round() / 100.0
}

/// Each detector is begun on the CPU and saved; from that file both devices train on and search a town.
pub(crate) fn detect(device: &Device) -> swath::Result<()> {
    let cpu = Device::cpu();
    let (train, valid) = town(1, 1024)?.only(["car"])?.split(Split::columns(0.8));
    let edge = size(256, 128);
    let chips = train.chips(Chips::random(64, edge).seed(7).neg_ratio(0.1))?;
    let architectures: [DetectorArchitecture; 4] = [
        CenterNet::efficientnet_lite0().pretrained(false).into(),
        CenterNet::resnet18().into(),
        RetinaNet::resnet18().into(),
        FasterRcnn::resnet18().into(),
    ];
    for architecture in architectures {
        let name = architecture.name();
        let begun = std::env::temp_dir().join(format!("swath-gpu-{}.swath", std::process::id()));
        let fit = |steps| {
            FitOptions::steps(steps)
                .batch(2)
                .validation_share(0.2)
                .quiet(true)
        };
        Detector::new(architecture, train.classes())
            .device(&cpu)
            .fit(&chips, &valid, fit(2))?
            .last()
            .save(&begun)?;
        let mut losses = Vec::new();
        let mut found = Vec::new();
        let mut times = Vec::new();
        for place in [&cpu, device] {
            let model = Detector::load(&begun)?.device(place);
            let began = Instant::now();
            let boxes =
                model.predict_with(&valid, DetectionOptions::new().min_score(0.01).quiet(true))?;
            let searched = seconds(began);
            let began = Instant::now();
            let run = model.fit(&chips, &valid, fit(size(4, 2)))?;
            times.push(json!({ "search": searched, "training": seconds(began) }));
            losses.push(run.history().step_losses.clone());
            found.push(boxes);
        }
        let mut apart = 0.0_f32;
        for (one, other) in losses[0].iter().zip(&losses[1]) {
            apart = apart.max((one - other).abs() / one.abs().max(1e-6));
        }
        let strongest = |index: usize| found[index].all_detections().first().map(|one| one.score);
        println!(
            "{}",
            json!({
                "detector": name,
                "losses, largest relative difference": apart,
                "boxes on the CPU": found[0].all_detections().len(),
                "boxes on the device": found[1].all_detections().len(),
                "highest scores": [strongest(0), strongest(1)],
                "seconds on the CPU and on the device": times,
            })
        );
        let _ = std::fs::remove_file(begun);
    }
    Ok(())
}

/// The same weights map a part of a town on both devices, then the device maps all of a larger one.
pub(crate) fn predict(device: &Device) -> swath::Result<()> {
    let cpu = Device::cpu();
    let scene = town(3, size(1024, 256))?;
    let chips = scene.chips(Chips::random(32, size(256, 128)).seed(2))?;
    let architecture = Unet::resnet18().pretrained(false);
    let fit = FitOptions::steps(size(20, 2))
        .batch(4)
        .validation_share(0.2)
        .quiet(true);
    let run = Segmenter::new(architecture, scene.classes())
        .device(device)
        .fit(&chips, &scene, fit)?;
    let quiet = PredictOptions::new().quiet(true);
    let area = scene.area();
    let mut labels = Vec::new();
    for place in [&cpu, device] {
        let model = run.last().clone().device(place);
        labels.push(model.predict_with(&scene, quiet.clone())?.labels(&area)?);
    }
    let differ = labels[0]
        .iter()
        .zip(&labels[1])
        .filter(|(a, b)| a != b)
        .count();
    println!(
        "{}",
        json!({ "map": "U-Net ResNet-18", "pixels": area.area(), "pixels that differ between the devices": differ })
    );

    let large = town(4, size(8192, 384))?;
    let model = run.last().clone().device(device);
    for round in ["first", "second"] {
        let began = Instant::now();
        let map = model.predict_with(&large, quiet.clone())?;
        let megapixels = map.area().area() as f64 / 1e6;
        println!(
            "{}",
            json!({ "map of a large town": round, "seconds": seconds(began),
                    "megapixels a second": (megapixels / began.elapsed().as_secs_f64() * 100.0).round() / 100.0 })
        );
    }
    Ok(())
}

/// Batches that no GPU holds. On the CPU, which has no limit to meet, small ones.
pub(crate) fn memory(device: &Device) -> swath::Result<()> {
    let scene = town(3, size(4096, 256))?;
    let (train, valid) = scene.split(Split::columns(0.9));
    let chips = train.chips(Chips::random(size(4096, 8), size(1024, 64)).seed(2))?;
    let model = Segmenter::new(Unet::resnet50().pretrained(false), scene.classes()).device(device);
    let fit = FitOptions::steps(2)
        .batch(size(2048, 4))
        .workers(16)
        .validation_share(0.01)
        .quiet(true);
    let began = Instant::now();
    let run = model.fit(&chips, &valid, fit)?;
    println!(
        "{}",
        json!({ "training with a batch of": size(2048, 4), "ended": run.summary(),
                "losses": run.history().step_losses, "seconds": seconds(began) })
    );
    let began = Instant::now();
    let options = PredictOptions::new()
        .window(size(2048, 128))
        .batch(size(4096, 4))
        .quiet(true);
    let map = run.last().predict_with(&valid, options)?;
    println!(
        "{}",
        json!({ "map with a batch of": size(4096, 4), "pixels": map.area().area(), "seconds": seconds(began) })
    );
    Ok(())
}

/// A training as a notebook runs it. The times let `table.py` tell how busy the GPU was in each epoch.
pub(crate) fn epoch(device: &Device) -> swath::Result<()> {
    let scene = town(5, size(4096, 512))?;
    let (train, valid) = scene.split(Split::columns(0.9));
    let chips = train.chips(Chips::random(size(960, 4), size(512, 64)).seed(1))?;
    let model = Segmenter::new(Unet::resnet50().pretrained(false), scene.classes()).device(device);
    let clock = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0.0, |since| since.as_secs_f64())
    };
    let fit = FitOptions::epochs(3)
        .batch(size(16, 2))
        .workers(8)
        .quiet(true);
    let run = model.fit(&chips, &valid, fit)?;
    let ended = clock();
    let timings = run.timings();
    let epochs: Vec<f64> = run
        .history()
        .epochs
        .iter()
        .map(|epoch| epoch.seconds)
        .collect();
    let speeds: Vec<f64> = run
        .history()
        .epochs
        .iter()
        .map(|epoch| epoch.images_per_second)
        .collect();
    println!(
        "{}",
        json!({
            "epochs of": "U-Net ResNet-50", "seconds": epochs, "images a second": speeds, "ended": ended,
            "share of the loop not waiting for chips": timings.steps / (timings.steps + timings.waiting),
            "share of the run in validation": timings.validation / timings.total,
        })
    );
    Ok(())
}
