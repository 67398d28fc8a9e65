//! Chips per second without changes, with `Augment::light()`, with `Augment::strong()` and with four chips in each, by one worker,
//! beside the images per second at which a U-Net trains on this machine's CPU in the same run.
//!
//! `make bench BENCH=augment`; `SWATH_BENCH_CHIPS=2000` for more chips. A training's worker reads ahead while the network
//! computes, so changes cost nothing as long as a chip takes less processor time than a training step takes for an image.

#![allow(clippy::print_stdout, reason = "a program that tells what it does")]

mod clock;

use std::time::Instant;

use clock::processor_seconds;
use swath::prelude::*;

fn main() -> swath::Result<()> {
    let count: usize = std::env::var("SWATH_BENCH_CHIPS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(600);
    let folder = std::env::temp_dir().join("swath-bench-augment");
    let scene = swath::samples::town_in(&folder, 5, 2048)?.scene()?;
    let (train, valid) = scene.split(Split::columns(0.75));
    let valid = valid.crop(PixelWindow::new(1536, 0, 256, 256))?;

    // The quickest network there is: whatever keeps up with it keeps up with all.
    let model = Segmenter::new(Unet::efficientnet_lite0(), scene.classes());
    let chips = train.chips(Chips::random(64, 256).seed(1))?;
    let run = model.fit(&chips, &valid, FitOptions::steps(12).batch(4).quiet(true))?;
    let epochs = &run.history().epochs;
    let trained = epochs
        .iter()
        .map(|epoch| epoch.images_per_second)
        .fold(0.0, f64::max);
    println!("training, U-Net-EfficientNet-Lite0, 4 x 256 px: {trained:.2} images/s");

    let none = Augment::none;
    for (name, augment) in [
        ("none", none()),
        ("light", Augment::light()),
        ("strong", Augment::strong()),
        ("strong, mosaic", Augment::strong().mosaic(1.0)),
        // Each alone and always.
        ("affine", none().affine(Affine::new().rotation(45.0), 1.0)),
        (
            "affine, smaller",
            none().affine(Affine::new().scale(0.5..=0.5), 1.0),
        ),
        ("brightness", none().brightness(0.4, 1.0)),
        ("contrast", none().contrast(0.4, 1.0)),
        ("gamma", none().gamma(0.8..=1.2, 1.0)),
        ("saturation", none().saturation(0.4, 1.0)),
        ("hue", none().hue(0.1, 1.0)),
        ("blur", none().blur(1.0..=1.0, 1.0)),
        ("noise", none().noise(0.1, 1.0)),
        ("band dropout", none().band_dropout(1, 1.0)),
        ("cutout", none().cutout(1..=2, 0.1..=0.2, 1.0)),
        ("mixup", none().mixup(1.0)),
        ("copy-paste", none().copy_paste(CopyPaste::new(), 1.0)),
    ] {
        let chips = train.chips(Chips::random(count, 256).seed(3).augment(augment))?;
        // Statistics and places are found once, whatever follows.
        chips.get(0)?;
        let (began, busy) = (Instant::now(), processor_seconds());
        let mut read = 0;
        for batch in chips.epoch(0, 8, 1) {
            read += batch?.len();
        }
        let rate = read as f64 / began.elapsed().as_secs_f64();
        let busy = (processor_seconds() - busy) / read as f64;
        println!(
            "{name}: {rate:.0} chips/s by one worker, {:.2} ms of processor time a chip; {:.0} times the rate of the training",
            busy * 1e3,
            rate / trained
        );
    }
    std::fs::remove_dir_all(&folder).ok();
    Ok(())
}
