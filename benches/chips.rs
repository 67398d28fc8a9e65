//! Chips per second from a 20,000 x 20,000 town (tiled GeoTIFF) with labels and flips, beside the plain rate at which GDAL
//! reads the same number of bytes in whole blocks.
//!
//! `make bench BENCH=chips`; `SWATH_BENCH_SIZE=4000` for a smaller town.

use std::time::Instant;

use swath::chips::Chips;
use swath::raster::PixelWindow;

fn main() -> swath::Result<()> {
    let size: usize = std::env::var("SWATH_BENCH_SIZE")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20_000);
    let folder = swath::data::cache_dir().join(format!("bench-town-{size}"));
    let began = Instant::now();
    let town = swath::samples::town_in(&folder, 11, size)?;
    println!(
        "town {size} x {size}: drawn in {:.1} s",
        began.elapsed().as_secs_f64()
    );

    let began = Instant::now();
    let scene = town.scene()?;
    println!(
        "opened with its labels in {:.1} s",
        began.elapsed().as_secs_f64()
    );

    // Whole rows of blocks, as the file stores them, by one handle.
    let raster = scene.raster();
    let rows = size.min(4096);
    let began = Instant::now();
    for row in (0..rows).step_by(512) {
        raster.read(&PixelWindow::new(0, row as i64, size, 512.min(rows - row)))?;
    }
    let seconds = began.elapsed().as_secs_f64();
    let blocks_rate = (rows * size) as f64 / seconds / 1e6;
    println!(
        "block reads, one thread: {blocks_rate:.1} Mpixel/s ({} bands)",
        scene.band_count()
    );

    for workers in [1, 2] {
        let chips = scene.chips(Chips::random(2000, 256).seed(3))?;
        let began = Instant::now();
        let mut count = 0;
        for batch in chips.epoch(0, 8, workers) {
            count += batch?.len();
        }
        let seconds = began.elapsed().as_secs_f64();
        println!(
            "chips of 256 px with labels, {workers} worker(s): {:.1} chips/s = {:.1} Mpixel/s, {:.2} of the block rate",
            count as f64 / seconds,
            count as f64 * 65_536.0 / seconds / 1e6,
            count as f64 * 65_536.0 / seconds / 1e6 / blocks_rate
        );
    }
    Ok(())
}
