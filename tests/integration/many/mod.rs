//! Many scenes: opened, labeled, split, cut into chips, trained on, scored.

use std::path::{Path, PathBuf};

use swath::raster::{GeoTransform, PixelWindow, RasterType, RasterWriter, Size, WriterOptions};

/// Boxes of several scenes in one file: which image is which scene.
mod box_images;
/// Chips from all scenes.
mod chips;
/// One label file for all scenes.
mod label_once;
/// Labels: which file is whose, one list of classes for all.
mod labels;
/// What is found, in which order, and what is said of the files that cannot be used.
mod opening;
/// Splits that keep a place on the ground on one side.
mod splits;
/// Five thousand of them.
mod thousands;
/// Statistics, training, scores, files.
mod training;

/// A tile of [`Size`] `size` whose upper left corner lies at these pixels of a grid of half a meter in a UTM zone.
pub(crate) fn tile(
    path: &Path,
    zone: u32,
    (col, row): (f64, f64),
    size: Size,
    bands: usize,
    value: impl Fn(usize, usize, usize) -> f32,
) -> PathBuf {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let grid = GeoTransform::north_up(500_000.0 + col * 0.5, 5_000_000.0 - row * 0.5, 0.5);
    let crs = format!("EPSG:326{zone}");
    let mut writer = RasterWriter::create(
        path,
        size,
        bands,
        RasterType::U8,
        grid,
        &crs,
        WriterOptions::default(),
    )
    .unwrap();
    let values: Vec<f32> = (0..bands)
        .flat_map(|band| (0..size.area()).map(move |at| (band, at)))
        .map(|(band, at)| value(band, at % size.width, at / size.width))
        .collect();
    writer
        .write_window(&PixelWindow::full(size), &values)
        .unwrap();
    writer.finish().unwrap()
}

/// Tiles side by side, `tile_1.tif` and so on, whose values are their numbers and columns.
pub(crate) fn row_of_tiles(folder: &Path, count: usize, size: Size) -> Vec<PathBuf> {
    (1..=count)
        .map(|number| {
            let path = folder.join(format!("tile_{number}.tif"));
            let place = ((number * size.width) as f64, 0.0);
            let value = |band: usize, col: usize, _: usize| (number + band + col % 7) as f32;
            tile(&path, 32, place, size, 3, value)
        })
        .collect()
}
