//! Several files as one scene, and changed bands: values and validity as rasterio and numpy have them
//! (`tests/python/make_join_fixtures.py`), and what is said about files that do not fit.

/// Indices, expressions and scales, in chips, statistics and saved models.
mod changed_bands;
/// Pixel centers on corners of other pixels.
mod corners;
/// Tiles beside each other.
mod mosaics;
/// Scenes of several dates.
mod series;
/// Bands of several files on one grid.
mod stacks;

use std::path::{Path, PathBuf};

use serde_json::Value;
use swath::raster::{
    GeoTransform, Patch, PixelWindow, Raster, RasterType, RasterWriter, Size, WriterOptions,
};

use crate::support::CRS;

const RED: &str = "T33UUP_20220612T101559_B04_10m.tif";
const NIR: &str = "T33UUP_20220612T101559_B08_10m.tif";
const SWIR: &str = "T33UUP_20220612T101559_B11_20m.tif";

fn file(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/joins")
        .join(name);
    assert!(path.exists(), "{} is missing", path.display());
    path
}

fn expected() -> Value {
    serde_json::from_slice(&std::fs::read(file("expected.json")).unwrap()).unwrap()
}

fn floats(value: &Value) -> Vec<f64> {
    let list = value.as_array().unwrap();
    list.iter().map(|one| one.as_f64().unwrap()).collect()
}

fn whole(raster: &Raster) -> Patch {
    raster.read(&raster.full()).unwrap()
}

/// A band with the validity that it has by itself.
fn band(raster: &Raster, band: usize) -> (Vec<f32>, Vec<u8>) {
    let area = raster.size().area();
    let valid = raster.valid_by_band(&raster.full()).unwrap();
    let values = whole(raster).band(band).to_vec();
    (values, valid[band * area..(band + 1) * area].to_vec())
}

/// Writes a raster of one value a band, anywhere.
fn plain(
    path: &Path,
    size: (usize, usize),
    transform: GeoTransform,
    crs: &str,
    values: &[f32],
    options: WriterOptions,
) -> PathBuf {
    let size = Size::new(size.0, size.1);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut writer = RasterWriter::create(
        path,
        size,
        values.len(),
        RasterType::U8,
        transform,
        crs,
        options,
    )
    .unwrap();
    let all: Vec<f32> = values
        .iter()
        .flat_map(|&value| vec![value; size.area()])
        .collect();
    writer.write_window(&PixelWindow::full(size), &all).unwrap();
    writer.finish().unwrap()
}

/// A tile of 10 x 10 px of 1 m whose left and top edges lie so many meters from a corner.
fn tile(path: &Path, (east, south): (f64, f64), values: &[f32]) -> PathBuf {
    let grid = GeoTransform::north_up(500_000.0 + east, 5_000_000.0 - south, 1.0);
    plain(path, (10, 10), grid, CRS, values, WriterOptions::default())
}

/// An image without a place.
fn bare(path: &Path, size: (usize, usize), values: &[u8]) -> PathBuf {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut encoder = png_encoder(file, size, values.len());
    let pixels: Vec<u8> = (0..size.0 * size.1).flat_map(|_| values.to_vec()).collect();
    encoder.write_image_data(&pixels).unwrap();
    encoder.finish().unwrap();
    path.to_owned()
}

fn png_encoder(
    file: std::fs::File,
    size: (usize, usize),
    bands: usize,
) -> png::Writer<std::fs::File> {
    let mut encoder = png::Encoder::new(file, size.0 as u32, size.1 as u32);
    encoder.set_color(match bands {
        1 => png::ColorType::Grayscale,
        3 => png::ColorType::Rgb,
        _ => png::ColorType::Rgba,
    });
    encoder.write_header().unwrap()
}
