//! Buildings of Las Vegas (SpaceNet 2, image 205): trains on the left three quarters, scores on the right quarter.
//!
//! ```text
//! cargo run --release --example vegas -- [folder of the two files] [steps]
//! ```

#![allow(clippy::print_stdout, reason = "a program that tells what it does")]

mod progress;

use std::path::PathBuf;
use std::sync::Arc;

use swath::display::Show;
use swath::prelude::*;

fn main() -> swath::Result<()> {
    swath::session::set_sink(Arc::new(progress::Progress::default()));
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .map_or_else(|| PathBuf::from("../shared/data/vegas"), PathBuf::from);
    let steps = arguments
        .next()
        .and_then(|steps| steps.parse().ok())
        .unwrap_or(300);

    let scene = Scene::open(folder.join("RGB-PanSharpen_AOI_2_Vegas_img205.tif"))?.with_labels(
        folder.join("buildings_AOI_2_Vegas_img205.geojson"),
        "building",
    )?;
    let (train, right) = scene.split(Split::columns(0.75));
    let chips = train.chips(Chips::random(300, 256).seed(7))?;
    let model = Segmenter::new(Unet::resnet18(), scene.classes());
    let run = model.fit(&chips, &right, FitOptions::steps(steps))?;
    println!("{}", run.output().text);

    // The last weights, not the best on `right`: what is scored must not choose the model.
    let scores = run.last().predict(&right)?.evaluate(&right)?;
    println!("{}", scores.output().text);
    println!(
        "building F1 on the right quarter: {:.4}",
        scores.class("building")?.f1
    );
    Ok(())
}
