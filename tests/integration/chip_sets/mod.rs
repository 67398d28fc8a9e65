use std::path::{Path, PathBuf};

use swath::chips::Chip;
use swath::prelude::*;
use swath::raster::{PixelWindow, RasterType, RasterWriter, Size, WriterOptions};

use crate::support::{CRS, grid};

mod layouts;
mod others;
mod reading;
mod saving;
mod values;

fn town(folder: &Path) -> Scene {
    std::fs::create_dir_all(folder).unwrap();
    samples::town_in(folder, 3, 256).unwrap().scene().unwrap()
}

fn quiet() -> ChipSetOptions {
    ChipSetOptions::new().quiet(true)
}

/// The same pixels, validity and labels, bit by bit, and boxes to within the last bit of COCO's widths.
fn assert_same(one: &Chip, other: &Chip, what: &str) {
    let bits = |chip: &Chip| -> Vec<u32> {
        chip.patch
            .data
            .iter()
            .map(|value| value.to_bits())
            .collect()
    };
    assert_eq!(one.patch.size, other.patch.size, "{what}");
    assert_eq!(one.patch.valid, other.patch.valid, "{what}: validity");
    assert!(bits(one) == bits(other), "{what}: pixels");
    assert!(one.labels == other.labels, "{what}: labels");
    assert_eq!(one.boxes.len(), other.boxes.len(), "{what}: boxes");
    for (a, b) in one.boxes.iter().zip(&other.boxes) {
        assert_eq!((a.class, a.crowd), (b.class, b.crowd), "{what}");
        for (a, b) in [
            (a.bounds.x_min, b.bounds.x_min),
            (a.bounds.y_min, b.bounds.y_min),
            (a.bounds.x_max, b.bounds.x_max),
            (a.bounds.y_max, b.bounds.y_max),
        ] {
            assert!((a - b).abs() < 1e-12 * 256.0, "{what}: {a} and {b}");
        }
    }
}

/// A raster with the value `value(band, col, row)`, through the writer's own options.
fn imagery(
    path: &Path,
    size: Size,
    bands: usize,
    raster_type: RasterType,
    nodata: Option<f64>,
    value: impl Fn(usize, usize, usize) -> f32,
) -> PathBuf {
    let options = nodata.map_or_else(WriterOptions::default, |nodata| {
        WriterOptions::default().nodata(nodata)
    });
    let mut writer = RasterWriter::create(
        path,
        size,
        bands,
        raster_type,
        grid(),
        CRS,
        options.plain_tiles(),
    )
    .unwrap();
    let mut values = Vec::with_capacity(bands * size.area());
    for band in 0..bands {
        for row in 0..size.height {
            values.extend((0..size.width).map(|col| value(band, col, row)));
        }
    }
    writer
        .write_window(&PixelWindow::full(size), &values)
        .unwrap();
    writer.finish().unwrap()
}

/// A mask of bytes without a place.
fn mask(path: &Path, size: Size, value: impl Fn(usize, usize) -> u8) {
    let mut bytes = Vec::new();
    for row in 0..size.height {
        bytes.extend((0..size.width).map(|col| value(col, row)));
    }
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut encoder = png::Encoder::new(
        std::fs::File::create(path).unwrap(),
        u32::try_from(size.width).unwrap(),
        u32::try_from(size.height).unwrap(),
    );
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder
        .write_header()
        .unwrap()
        .write_image_data(&bytes)
        .unwrap();
}

/// An image of three bands without a place.
fn picture(path: &Path, size: Size, value: impl Fn(usize, usize) -> u8) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut image = plot::image::RgbImage::filled(size.width, size.height, [0; 3]);
    for row in 0..size.height {
        for col in 0..size.width {
            let at = 3 * (row * size.width + col);
            image.data[at..at + 3].fill(value(col, row));
        }
    }
    std::fs::write(path, plot::image::encode_png(&image).unwrap()).unwrap();
}
