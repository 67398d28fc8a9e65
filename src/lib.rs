//! Swath: geospatial deep learning in Rust notebooks.
//!
//! Open a scene, look at it, cut chips, train a model, predict the whole scene, score the result, save GIS files. Each
//! step is one expression. In a notebook everything below is in scope already; in a program, `use swath::prelude::*`.
//!
//! # From a file to a score
//!
//! ```no_run
//! use swath::prelude::*;
//!
//! // Imagery with its labels: any raster and any vector file that GDAL reads.
//! let scene = Scene::open("town.tif")?.with_labels("buildings.geojson", "building")?;
//!
//! // Two parts of the ground that never overlap, and 400 training chips of 256 x 256 pixels from the first.
//! let (train, valid) = scene.split(Split::columns(0.75));
//! let chips = train.chips(Chips::random(400, 256).seed(7))?;
//!
//! // A U-Net whose encoder knows ImageNet, trained for twelve passes over the chips.
//! let model = Segmenter::new(Unet::efficientnet_lite0(), scene.classes());
//! let run = model.fit(&chips, &valid, FitOptions::epochs(12))?;
//! run.best().save("buildings.swath")?;
//!
//! // Another scene: nothing of it was used for training. Memory does not grow with its size.
//! let other = Scene::open("village.tif")?.with_labels("village.geojson", "building")?;
//! let map = Segmenter::load("buildings.swath")?.predict(&other)?;
//! let scores = map.evaluate(&other)?;
//! println!("IoU {:.3}, F1 {:.3}", scores.class("building")?.iou, scores.class("building")?.f1);
//!
//! // labels.tif, scores.tif, polygons.gpkg, polygons.geojson, scores.json.
//! map.save("out/village")?;
//! # Ok::<(), swath::Error>(())
//! ```
//!
//! Finding objects reads the same, with boxes instead of areas:
//!
//! ```no_run
//! use swath::prelude::*;
//!
//! let scene = Scene::open("forest.tif")?.with_boxes("trees.xml", "tree")?;
//! let (train, valid) = scene.split(Split::columns(0.75));
//! let chips = train.chips(Chips::random(300, 256).seed(7).neg_ratio(0.1))?;
//! let model = Detector::new(CenterNet::efficientnet_lite0(), scene.classes());
//! let run = model.fit(&chips, &valid, FitOptions::epochs(12))?;
//! let found = run.best().predict(&scene)?;
//! println!("{} trees, AP50 {:.3}", found.len(), found.evaluate(&scene)?.ap50());
//! found.save("out/trees")?;
//! # Ok::<(), swath::Error>(())
//! ```
//!
//! # What is where
//!
//! | to | start at | module |
//! |---|---|---|
//! | get a data set or pretrained weights | [`data::fetch`] | [`data`] |
//! | draw a town with exact labels, to try things on | [`samples::town`] | [`samples`] |
//! | open imagery, choose bands, state nodata or another pixel size | [`scene::Scene::open`], [`raster::OpenOptions`], [`raster::Resolution`] | [`raster`], [`scene`] |
//! | add labels: polygons, rasters, boxes | [`scene::Scene::with_labels`], [`scene::Scene::with_label_raster`], [`scene::Scene::with_boxes`] | [`labels`], [`vector`], [`boxes`] |
//! | see what was left out, assumed or converted | [`scene::Scene::report`] | [`report`] |
//! | split the ground, limit it to an area of interest | [`scene::Scene::split`], [`scene::Scene::with_aoi`] | [`scene`] |
//! | many scenes as one: files, labels, splits that do not leak | [`scenes::Scenes::open`], [`scenes::Scenes::with_labels`], [`scenes::Scenes::split`] | [`scenes`] |
//! | join files, change bands, spectral indices | [`scene::Scene::stack`], [`scene::Scene::mosaic`], [`scene::Scene::with_index`] | [`raster`] |
//! | cut training chips | [`scene::Scene::chips`], [`chips::Chips::random`], [`chips::Chips::sliding`] | [`chips`] |
//! | chips as files, data sets of chips | [`chips::Chips::save`], [`chips::ChipSet::open`] | [`chips`] |
//! | choose a network and its first weights | [`models::Unet`], [`models::Fpn`], [`models::DeepLabV3`], [`models::CenterNet`], [`models::RetinaNet`], [`models::FasterRcnn`] | [`models`] |
//! | train | [`train::Segmenter::fit`], [`train::Detector::fit`], [`train::FitOptions`] | [`train`] |
//! | keep a model, go on with a training | [`train::Segmenter::save`], [`train::FitOptions::checkpoints`], [`train::FitOptions::resume`] | [`train`] |
//! | map a whole scene | [`train::Segmenter::predict_with`], [`predict::PredictOptions`], [`predict::SceneMap`] | [`predict`] |
//! | find the objects of a whole scene | [`train::Detector::predict_with`], [`detect::DetectionOptions`], [`detect::SceneBoxes`] | [`detect`] |
//! | score a result | [`predict::SceneMap::evaluate`], [`detect::SceneBoxes::evaluate`] | [`evaluate`], [`boxes`] |
//! | see where a map is wrong | [`predict::SceneMap::errors`], [`predict::SceneMap::worst`] | [`predict`] |
//! | count and measure what was found | [`predict::SceneMap::objects`], [`detect::SceneBoxes::objects`] | [`predict`] |
//! | save GIS files | [`predict::SceneMap::save`], [`detect::SceneBoxes::save`], [`predict::Objects::save`] | [`predict`], [`detect`] |
//! | draw | every value shows itself; [`scene::Scene::show_bands`], [`scene::Scene::zoom`] | [`plot`], [`display`] |
//! | choose a device | [`device::Device::best`], [`device::Device::gpus`] | [`device`] |
//! | write a network of your own | [`models::Network`], [`models::Architecture::custom`], Burn itself as [`burn`] | [`models`] |
//! | run commands without a notebook | the program `swath` | [`cli`] |
//!
//! # Errors
//!
//! Calls return [`Result`]. An [`Error`] says what failed, what was expected and what was found; [`Hint::hint`] names
//! the next step. Interrupting a notebook cell gives [`Error::Interrupted`], except in training, which returns its run.
//!
//! # Further reading
//!
//! The book (`make docs`, or the folder `docs/`) has a guide for each task, file formats and troubleshooting.
//! `ARCHITECTURE.md` says how the parts fit together.
#![recursion_limit = "256"]

#[cfg(test)]
mod aliases_tests;
#[cfg(doctest)]
mod book;
mod cache;
#[cfg(test)]
mod cache_trial_tests;
pub mod chips;
pub mod classify;
pub mod cli;
mod color;
pub mod data;
pub mod detect;
pub mod device;
pub mod display;
mod error;
pub mod evaluate;
mod file_error;
#[cfg(test)]
#[path = "../tests/fuzz/harness.rs"]
mod fuzz_harness;
mod host;
pub mod labels;
pub mod models;
mod optim;
mod paths;
pub mod plot;
pub mod predict;
pub mod prelude;
pub mod raster;
pub mod report;
#[doc(hidden)]
pub mod rt;
pub mod samples;
pub mod scene;
pub mod scenes;
pub mod session;
mod show_values;
mod staged;
#[cfg(test)]
mod third_task_tests;
pub mod train;
pub mod vector;

pub use burn;
pub use ndarray;
pub use swath_boxes as boxes;

pub use error::{Error, Hint, Result};
pub use file_error::FileError;
