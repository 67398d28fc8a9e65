//! Training images per second: U-Net on ResNet-18, 256 px, batch 4, as a notebook trains it (chips read and turned by a
//! worker, loss, gradients, AdamW). `benches/training.sh` runs it in turns with PyTorch.

#![allow(clippy::print_stdout, reason = "a program that tells what it does")]

use std::time::Instant;

use swath::prelude::*;

fn main() -> swath::Result<()> {
    let folder = std::env::temp_dir().join("swath-bench-training");
    let scene = swath::samples::town_in(&folder, 5, 1024)?.scene()?;
    let (train, valid) = scene.split(Split::columns(0.75));
    let chips = train.chips(Chips::random(64, 256).seed(1))?;
    let model = Segmenter::new(Unet::resnet18(), scene.classes());
    let began = Instant::now();
    let run = model.fit(&chips, &valid, FitOptions::steps(14).batch(4).quiet(true))?;
    let epochs = &run.history().epochs;
    let fastest = epochs
        .iter()
        .map(|epoch| epoch.images_per_second)
        .fold(0.0, f64::max);
    println!(
        "swath: {fastest:.3} images/s ({:.0} s in all, validation included)",
        began.elapsed().as_secs_f64()
    );
    std::fs::remove_dir_all(&folder).ok();
    Ok(())
}
