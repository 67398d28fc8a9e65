//! Training keeps the right epoch and refuses nonsense; chips hold what counts; an area of interest limits labels, not
//! imagery; a model knows the bands that it was trained on.
//!
//! The numbers f19 to f21 and D1 to D13 are those of the list of faults; the files are in `tests/fixtures/geo`.

/// Chips where imagery, areas of interest and labels are.
mod chips;
/// What a model has seen in training.
mod seen;
/// Validation that can choose an epoch, and what a run tells.
mod validation;
/// Bands and values unlike those of the training.
mod values;

use std::path::{Path, PathBuf};

use swath::Result;
use swath::burn;
use swath::burn::module::Module;
use swath::burn::nn::PaddingConfig2d;
use swath::burn::nn::conv::{Conv2d, Conv2dConfig};
use swath::burn::tensor::{Tensor, activation::relu};
use swath::chips::Chips;
use swath::device::Device;
use swath::labels::{Classes, IGNORE};
use swath::models::{Architecture, Network};
use swath::raster::{RasterType, Size, WriterOptions};
use swath::scene::Scene;
use swath::train::{FitOptions, Run, Segmenter};

use crate::support::{grid, raster};

/// Three 3 x 3 convolutions.
#[derive(Module, Debug)]
struct Small {
    first: Conv2d,
    second: Conv2d,
    third: Conv2d,
}

impl Network for Small {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let features = relu(self.second.forward(relu(self.first.forward(images))));
        self.third.forward(features)
    }
}

fn small() -> Architecture {
    Architecture::custom("small", |bands, classes, device| {
        let convolution = |from, to| {
            let same = PaddingConfig2d::Explicit(1, 1, 1, 1);
            Conv2dConfig::new([from, to], [3, 3])
                .with_padding(same)
                .init(device)
        };
        Small {
            first: convolution(bands, 12),
            second: convolution(12, 12),
            third: convolution(12, classes),
        }
    })
}

fn model(classes: &Classes) -> Segmenter {
    Segmenter::new(small(), classes).device(Device::cpu())
}

fn trained(scene: &Scene, steps: usize) -> Result<Run> {
    let chips = scene.chips(Chips::random(24, 64).seed(1))?;
    model(scene.classes()).fit(&chips, scene, FitOptions::steps(steps).lr(0.01).quiet(true))
}

/// GeoJSON in the pixels of a scene on the grid of [`raster`]: rectangles of left, top, right, bottom.
fn rectangles(path: &Path, rectangles: &[[f64; 4]]) -> PathBuf {
    let features: Vec<String> = rectangles
        .iter()
        .map(|&[left, top, right, bottom]| {
            let ring = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
            let ring: Vec<String> = ring
                .iter()
                .map(|&pixel| {
                    let (x, y) = grid().world_from_pixel(pixel);
                    format!("[{x},{y}]")
                })
                .collect();
            format!(
                "{{\"type\":\"Feature\",\"properties\":{{}},\"geometry\":{{\"type\":\"Polygon\",\"coordinates\":[[{}]]}}}}",
                ring.join(",")
            )
        })
        .collect();
    let text = format!(
        "{{\"type\":\"FeatureCollection\",\"crs\":{{\"type\":\"name\",\"properties\":{{\"name\":\
         \"urn:ogc:def:crs:EPSG::32632\"}}}},\"features\":[{}]}}",
        features.join(",")
    );
    std::fs::write(path, text).unwrap();
    path.to_owned()
}

/// Byte imagery of `bands` bands with values that differ from pixel to pixel.
fn imagery(folder: &Path, side: usize, bands: usize) -> Scene {
    let value =
        |band: usize, col: usize, row: usize| (20 + (col * 31 + row * 17 + band * 40) % 200) as f32;
    let (size, options) = (
        Size::new(side, side),
        WriterOptions::default().plain_tiles(),
    );
    let path = folder.join("imagery.tif");
    Scene::open(raster(&path, size, bands, RasterType::U8, options, value)).unwrap()
}

/// A label raster beside [`imagery`].
fn labels(folder: &Path, side: usize, value: impl Fn(usize, usize) -> u8) -> PathBuf {
    let (size, options) = (
        Size::new(side, side),
        WriterOptions::default().plain_tiles(),
    );
    let path = folder.join("labels.tif");
    let value = |_: usize, col: usize, row: usize| f32::from(value(col, row));
    raster(&path, size, 1, RasterType::U8, options, value)
}

fn counted(labels: &[u8]) -> usize {
    labels.iter().filter(|&&label| label != IGNORE).count()
}
