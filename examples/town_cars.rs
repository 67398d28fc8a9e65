//! Cars of a drawn town, found by a detector that begins with random weights: what tutorial 3 does, without any file.
//! Trains on one town and scores on another.
//!
//! ```text
//! cargo run --release --example town_cars -- [steps] [folder to save the boxes in]
//! ```

#![allow(clippy::print_stdout, reason = "a program that tells what it does")]

mod progress;

use std::sync::Arc;

use swath::display::Show;
use swath::prelude::*;

fn main() -> swath::Result<()> {
    swath::session::set_sink(Arc::new(progress::Progress::default()));
    let mut arguments = std::env::args().skip(1);
    let steps = arguments
        .next()
        .and_then(|steps| steps.parse().ok())
        .unwrap_or(500);

    let (train, valid) = samples::town(1, 2048)?
        .scene()?
        .only(["car"])?
        .split(Split::columns(0.9));
    let test = samples::town(2, 1024)?.scene()?.only(["car"])?;
    let chips = train.chips(Chips::random(1000, 256).seed(7).neg_ratio(0.1))?;
    let model = Detector::new(
        CenterNet::efficientnet_lite0().pretrained(false),
        train.classes(),
    );
    let run = model.fit(&chips, &valid, FitOptions::steps(steps))?;
    println!("{}", run.output().text);

    let found = run.last().predict(&test)?;
    let scores = found.evaluate(&test)?;
    println!("{}", scores.output().text);
    println!(
        "AP50 of the cars of another town: {:.4} ({} cars, {steps} steps)",
        scores.ap50(),
        test.boxes().len()
    );
    if let Some(folder) = arguments.next() {
        found.save(folder)?;
    }
    Ok(())
}
