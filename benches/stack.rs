//! Twelve bands of three resolutions (4 of 10 m, 6 of 20 m, 2 of 60 m, as Sentinel-2 has them) read as one stack on the grid of
//! 10 m, window by window, beside the plain rate at which GDAL reads the blocks of the same files, in one thread.
//!
//! `make bench BENCH=stack`; `SWATH_BENCH_SIZE=3000` for smaller files. Rates are of the bytes in the files, and of pixels:
//! those handed out, of which the coarser bands have four and 36 for each one in their file.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program that tells what it does"
)]

use std::path::PathBuf;
use std::time::Instant;

use gdal::Dataset;
use swath::raster::{
    GeoTransform, PixelWindow, RasterType, RasterWriter, Resampling, Size, Stack, WriterOptions,
};
use swath::scene::Scene;

/// Bands, and how many pixels of 10 m lie along one of theirs.
const BANDS: [(&str, usize); 12] = [
    ("B02", 1),
    ("B03", 1),
    ("B04", 1),
    ("B08", 1),
    ("B05", 2),
    ("B06", 2),
    ("B07", 2),
    ("B8A", 2),
    ("B11", 2),
    ("B12", 2),
    ("B01", 6),
    ("B09", 6),
];
/// The edge of a window of the stack.
const WINDOW: usize = 1024;

fn main() -> swath::Result<()> {
    let size: usize = std::env::var("SWATH_BENCH_SIZE")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(6000);
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let files = BANDS.map(|(name, factor)| {
        let path = folder.path().join(format!("{name}.tif"));
        (name, draw(path, size / factor, factor).expect("a file"))
    });
    let pixels: usize = BANDS.iter().map(|(_, factor)| (size / factor).pow(2)).sum();
    let bytes = 2.0 * pixels as f64;

    let mut best = [f64::INFINITY; 3];
    for _ in 0..3 {
        let began = Instant::now();
        for (_, path) in &files {
            blocks(path);
        }
        best[0] = best[0].min(began.elapsed().as_secs_f64());
        for (at, resampling) in [(1, Resampling::Nearest), (2, Resampling::Bilinear)] {
            let stack = Scene::stack_with(Stack::new(files.clone()).resampling(resampling))?;
            let area = stack.area();
            let began = Instant::now();
            for window in area.tiles(Size::new(WINDOW, WINDOW)) {
                stack.raster().read(&window)?;
            }
            best[at] = best[at].min(began.elapsed().as_secs_f64());
        }
    }
    let rate = |seconds: f64| bytes / seconds / 1e6;
    println!(
        "{size} x {size} pixels of 10 m, {:.0} MB of blocks: GDAL {:.0} MB/s",
        bytes / 1e6,
        rate(best[0])
    );
    for (name, seconds) in [("nearest", best[1]), ("bilinear", best[2])] {
        println!(
            "the stack, {name}: {:.0} MB/s, {:.2} of that; in pixels of the grid of 10 m, 12 a place, {:.2} of GDAL's rate",
            rate(seconds),
            best[0] / seconds,
            12.0 * (size * size) as f64 / seconds / (pixels as f64 / best[0])
        );
    }
    Ok(())
}

/// A band of smooth values with some noise.
fn draw(path: PathBuf, size: usize, factor: usize) -> swath::Result<PathBuf> {
    let grid = GeoTransform::north_up(600_000.0, 5_400_000.0, 10.0 * factor as f64);
    let size = Size::new(size, size);
    let options = WriterOptions::default().plain_tiles();
    let mut writer =
        RasterWriter::create(path, size, 1, RasterType::U16, grid, "EPSG:32632", options)?;
    let (mut state, mut values) = (1_u64, vec![0_u16; size.width * 256]);
    for row in (0..size.height).step_by(256) {
        let rows = 256.min(size.height - row);
        for (at, value) in values[..rows * size.width].iter_mut().enumerate() {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let (line, col) = (row + at / size.width, at % size.width);
            *value = (1000 + (line * factor + col * factor) / 8) as u16 + (state >> 58) as u16;
        }
        writer.write_window(
            &PixelWindow::new(0, row as i64, size.width, rows),
            &values[..rows * size.width],
        )?;
    }
    writer.finish()
}

/// Every block of a file as it lies there.
fn blocks(path: &PathBuf) {
    let dataset = Dataset::open(path).expect("a file");
    let band = dataset.rasterband(1).expect("a band");
    let ((width, height), (columns, rows)) = (dataset.raster_size(), band.block_size());
    let mut sum = 0_u64;
    for row in 0..height.div_ceil(rows) {
        for col in 0..width.div_ceil(columns) {
            let block = band.read_block::<u16>((col, row)).expect("a block");
            sum += u64::from(block.data()[0]);
        }
    }
    std::hint::black_box(sum);
}
