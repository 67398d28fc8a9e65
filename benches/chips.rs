//! Chips per second from a 20,000 x 20,000 town (tiled GeoTIFF) with labels and flips, beside the plain rate at which GDAL
//! reads the same number of bytes in whole blocks.
//!
//! `make bench BENCH=chips`; `SWATH_BENCH_SIZE=4000` for a smaller town. Beside the wall time it gives processor time, which
//! other work on the machine hardly changes. `benches/peers/chips.py` reads the same windows through Raster Vision.

#![allow(clippy::print_stdout, reason = "a program that tells what it does")]

mod clock;

use std::time::Instant;

use clock::processor_seconds;
use swath::chips::Chips;
use swath::raster::PixelWindow;

fn main() -> swath::Result<()> {
    let size: usize = std::env::var("SWATH_BENCH_SIZE")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20_000);
    let count = std::env::var("SWATH_BENCH_CHIPS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(2000);
    let began = Instant::now();
    let town = swath::samples::town(1, size)?;
    println!(
        "town {size} x {size}: drawn or found in {:.1} s: {}",
        began.elapsed().as_secs_f64(),
        town.scene_path.display()
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

    let plain = Chips::random(count, 256).seed(3);
    for (workers, from, options) in [
        (1, "", plain.clone()),
        (2, "", plain.clone()),
        // A fifth smaller or larger: as many pixels to read, and all of them to resize.
        (
            1,
            " from windows of 205 to 307 px",
            plain.window_sizes(205..=307),
        ),
    ] {
        let chips = scene.chips(options)?;
        let (began, busy) = (Instant::now(), processor_seconds());
        let mut count = 0;
        let mut windows = Vec::new();
        for batch in chips.epoch(0, 8, workers) {
            let batch = batch?;
            count += batch.len();
            windows.extend(batch.iter().map(|chip| [chip.window.col, chip.window.row]));
        }
        let seconds = began.elapsed().as_secs_f64();
        let busy = processor_seconds() - busy;
        println!(
            "chips of 256 px{from} with labels, {workers} worker(s): {:.1} chips/s = {:.1} Mpixel/s, {:.2} of the block rate; \
             {:.2} ms of processor time a chip",
            count as f64 / seconds,
            count as f64 * 65_536.0 / seconds / 1e6,
            count as f64 * 65_536.0 / seconds / 1e6 / blocks_rate,
            busy * 1e3 / count as f64
        );
        // For the peer, which reads the same ones.
        if let Some(path) = std::env::var_os("SWATH_BENCH_WINDOWS").filter(|_| from.is_empty()) {
            let text = serde_json::json!({"scene": town.scene_path, "labels": town.labels_path, "edge": 256, "windows": windows});
            std::fs::write(path, text.to_string()).map_err(|error| {
                swath::Error::from(swath::FileError::Io {
                    action: "write the windows",
                    path: "SWATH_BENCH_WINDOWS".into(),
                    source: error,
                })
            })?;
        }
    }
    Ok(())
}
