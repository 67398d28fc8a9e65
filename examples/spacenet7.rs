//! Buildings of SpaceNet 7 (4.8 m pixels): the two scenes of Raster Vision's training tutorial, with its recipe and with
//! our own defaults in as many steps.
//!
//! ```text
//! cargo run --release --example spacenet7 -- [folder of the four files] [peer|own] [floored|exact] [epochs]
//! ```
//!
//! The peer's recipe: 400 random windows of 150 to 200 pixels, the upper end left out, each resized to 256, batches of 8,
//! classes weighted 1:10, three epochs. It validates on windows of 200 pixels resized to 256, so here the validation scene
//! is seen at 256/200 of its resolution.
//!
//! `floored` moves every vertex of the label polygons to the corner of its pixel, as all released versions of Raster Vision
//! do; what it scores is measured against labels like that.

#![allow(clippy::print_stdout, reason = "a program that tells what it does")]

mod progress;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use swath::display::Show;
use swath::prelude::*;
use swath::raster::GeoTransform;

const TRAIN: (&str, &str) = (
    "sn7_train_L15-0331E-1257N_1327_3160_13.tif",
    "sn7_train_Buildings.geojson",
);
const VALID: (&str, &str) = (
    "sn7_val_L15-0357E-1223N_1429_3296_13.tif",
    "sn7_val_Buildings.geojson",
);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    swath::session::set_sink(Arc::new(progress::Progress::default()));
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |index: usize| arguments.get(index).map(String::as_str);
    let folder = argument(0).map_or_else(|| PathBuf::from("../shared/data/sn7"), PathBuf::from);
    let peer = argument(1).unwrap_or("peer") == "peer";
    let floored = argument(2).unwrap_or("floored") == "floored";
    let epochs = argument(3).and_then(|text| text.parse().ok()).unwrap_or(3);

    let scratch = tempfile::tempdir()?;
    let open =
        |(image, labels): (&str, &str), factor: f64| -> Result<Scene, Box<dyn std::error::Error>> {
            let image = folder.join(image);
            let labels = match floored {
                true => floor_vertices(&image, &folder.join(labels), scratch.path())?,
                false => folder.join(labels),
            };
            let scene = Scene::open_at(image, Resolution::Factor(factor))?;
            Ok(scene.with_labels(labels, "building")?)
        };
    let (zoom, valid_zoom) = if peer {
        (1.0, 256.0 / 200.0)
    } else {
        (2.0, 2.0)
    };
    let (train, valid) = (open(TRAIN, zoom)?, open(VALID, valid_zoom)?);

    let mut cut = Chips::random(400, 256).seed(7).photometric(0.4);
    if peer {
        cut = cut.window_sizes(150..=199);
    }
    let chips = train.chips(cut)?;
    let model = Segmenter::new(Unet::efficientnet_lite0(), train.classes());
    let mut fit = FitOptions::epochs(epochs).batch(8);
    if peer {
        fit = fit.loss(Loss::CrossEntropy).class_weights([1.0, 10.0]);
    }
    let run = model.fit(&chips, &valid, fit)?;
    println!("{}", run.output().text);

    // The last weights: what is scored must not choose the model.
    let scores = run.last().predict(&valid)?.evaluate(&valid)?;
    println!("{}", scores.output().text);
    let building = scores.class("building")?;
    println!(
        "building F1 on the validation scene, {} labels: {:.4} (precision {:.4}, recall {:.4})",
        if floored { "floored" } else { "exact" },
        building.f1,
        building.precision,
        building.recall
    );
    Ok(())
}

/// Writes the labels with every vertex at the top left corner of the pixel that holds it.
fn floor_vertices(
    image: &Path,
    labels: &Path,
    folder: &Path,
) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let scene = Scene::open(image)?.with_labels(labels, "building")?;
    let (raster, transform) = (scene.raster(), scene.raster().transform());
    let features: Vec<Value> = scene
        .label_polygons()
        .iter()
        .map(|(shape, _)| {
            let polygons: Vec<Vec<Vec<[f64; 2]>>> = shape
                .0
                .iter()
                .map(|polygon| {
                    std::iter::once(polygon.exterior())
                        .chain(polygon.interiors())
                        .map(|ring| {
                            ring.0
                                .iter()
                                .map(|at| floored(&transform, at.x, at.y))
                                .collect()
                        })
                        .collect()
                })
                .collect();
            json!({
                "type": "Feature",
                "properties": {},
                "geometry": {"type": "MultiPolygon", "coordinates": polygons},
            })
        })
        .collect();
    let code = raster.crs_name().replace("EPSG:", "urn:ogc:def:crs:EPSG::");
    let collection = json!({
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": code}},
        "features": features,
    });
    let target = folder.join(labels.file_name().unwrap_or_default());
    std::fs::write(&target, collection.to_string())?;
    Ok(target)
}

fn floored(transform: &GeoTransform, col: f64, row: f64) -> [f64; 2] {
    let (x, y) = transform.world_from_pixel((col.floor(), row.floor()));
    [x, y]
}
