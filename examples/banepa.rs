//! Buildings of Banepa, Nepal: trains on the west mosaic, scores on the test mosaic, which is another place.
//!
//! ```text
//! cargo run --release --example banepa -- [folder of the four files] [steps]
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
        .map_or_else(|| PathBuf::from("../shared/data/banepa"), PathBuf::from);
    let steps = arguments
        .next()
        .and_then(|steps| steps.parse().ok())
        .unwrap_or(400);

    let open = |name: &str| {
        Scene::open(folder.join(format!("{name}.tif")))?
            .with_labels(folder.join(format!("{name}.geojson")), "building")
    };
    let (west, test) = (open("banepa_train_west")?, open("banepa_test")?);

    // The lower tenth of the west mosaic chooses the best epoch; the test mosaic is only scored.
    let (train, valid) = west.split(Split::rows(0.9));
    let chips = train.chips(Chips::random(400, 256).seed(7).photometric(0.2))?;
    let model = Segmenter::new(Unet::efficientnet_lite0(), west.classes());
    let run = model.fit(&chips, &valid, FitOptions::steps(steps))?;
    println!("{}", run.output().text);

    let scores = run.best().predict(&test)?.evaluate(&test)?;
    println!("{}", scores.output().text);
    println!(
        "building IoU on the test mosaic: {:.4}",
        scores.class("building")?.iou
    );
    Ok(())
}
