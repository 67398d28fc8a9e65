//! A prediction of 25,000 x 25,000 pixels and 6 classes: scored against labels, and its polygons traced and written, with
//! the time and the peak of memory of each step. The goal is 1 GiB.
//!
//! Two maps. `patches` are about 1.2 million patches of some 25 px with ragged edges, of any of five classes and the
//! background, as fields and blocks of houses have them: more patches a pixel than a prediction of buildings has. `cover` is
//! the same with two thirds of the patches of one class, as land cover has it: one polygon that spans the map, with the other
//! patches as its holes. No map of noise: a prediction has no hundred million polygons.
//!
//! `make bench BENCH=maps`; `SWATH_BENCH_SIZE=8192` for a smaller one, `SWATH_BENCH_MAP=cover` for the other map,
//! `SWATH_BENCH_KEEP=FOLDER` leaves the map in a folder, for `benches/peers/polygonize.py`.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program that tells what it does"
)]

use std::path::Path;
use std::time::Instant;

use swath::evaluate::Scores;
use swath::labels::Classes;
use swath::predict::{SaveOptions, SceneMap};
use swath::raster::{GeoTransform, RasterType, RasterWriter, Size, WriterOptions};
use swath::scene::Scene;
use swath::vector::{Format, Outlines};

const CLASSES: [&str; 5] = ["building", "road", "tree", "water", "field"];
/// The edge of the patches in pixels, about.
const PATCH: usize = 25;

fn main() -> swath::Result<()> {
    let size: usize = std::env::var("SWATH_BENCH_SIZE")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(25_000);
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let classes = Classes::new(CLASSES);
    let cover = std::env::var("SWATH_BENCH_MAP").is_ok_and(|name| name == "cover");
    let kept = std::env::var_os("SWATH_BENCH_KEEP").map(std::path::PathBuf::from);
    let map = kept.unwrap_or_else(|| folder.path().join("map"));
    let labels = folder.path().join("truth.tif");
    step("drawn", || {
        draw(&map.join("labels.tif"), size, &classes, (1, cover))?;
        draw(&labels, size, &classes, (2, cover))
    })?;
    let scene = step("labels opened", || {
        Scene::open(&labels)?.with_label_raster(&labels, classes.clone())
    })?;
    let map = step("map opened", || SceneMap::open(&map, &scene))?;
    let scores: Scores = step("evaluated", || map.evaluate(&scene))?;
    println!("mean F1 {:.4}", scores.mean_f1());
    let out = folder.path().join("out");
    for (what, options) in [
        (
            "GeoPackage",
            SaveOptions::new().formats([Format::GeoPackage]),
        ),
        (
            "FlatGeobuf",
            SaveOptions::new().formats([Format::FlatGeobuf]),
        ),
        (
            "FlatGeobuf, right angles",
            SaveOptions::new()
                .formats([Format::FlatGeobuf])
                .outlines(Outlines::new().right_angles(true)),
        ),
    ] {
        let saved = step(&format!("saved with polygons ({what})"), || {
            map.save_with(&out, &options)
        })?;
        for file in saved.iter() {
            let bytes = std::fs::metadata(file).map_or(0, |file| file.len());
            println!("  {:>12} bytes {}", bytes, file.display());
        }
    }
    Ok(())
}

/// Runs a step and tells how long it took and the most memory that this process held meanwhile.
fn step<T>(what: &str, work: impl FnOnce() -> swath::Result<T>) -> swath::Result<T> {
    // 5 resets the peak (proc(5), since Linux 4.0); where that may not be, the peak is that of the whole run.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let began = Instant::now();
    let done = work()?;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    println!(
        "{what}: {:.1} s, peak {}",
        began.elapsed().as_secs_f64(),
        peak.unwrap_or("unknown").trim()
    );
    Ok(done)
}

/// Patches with ragged edges, of any of the classes and the background.
fn draw(
    path: &Path,
    size: usize,
    classes: &Classes,
    (seed, cover): (u64, bool),
) -> swath::Result<()> {
    let options = WriterOptions::default()
        .nodata(255.0)
        .category_names(&classes.names())
        .color_table(&classes.colors())
        .band_names(&["class"])
        .plain_tiles();
    let grid = GeoTransform::north_up(500_000.0, 5_000_000.0, 0.5);
    let mut writer = RasterWriter::create(
        path,
        Size::new(size, size),
        1,
        RasterType::U8,
        grid,
        "EPSG:32632",
        options,
    )?;
    let mut rows = Vec::with_capacity(256 * size);
    for top in (0..size).step_by(256) {
        rows.clear();
        for row in top..(top + 256).min(size) {
            let shift = hash(row as u64 / 3, 7, 0) % 7;
            rows.extend((0..size).map(|col| {
                let shift = shift + hash(col as u64 / 5, 9, 0) % 5;
                let (across, down) = (
                    (col as u64 + shift) / PATCH as u64,
                    (row as u64 + shift) / PATCH as u64,
                );
                let wrong = hash(across, down, seed).is_multiple_of(10);
                let bits = hash(across, down, if wrong { seed } else { 0 }) / 16;
                // Two thirds of the land cover and more are of one class, which spans the map.
                let of_one = cover && !(bits / 6).is_multiple_of(3);
                (if of_one { 5 } else { bits % 6 }) as u8
            }));
        }
        writer.write_rows(top, &rows)?;
    }
    writer.finish()?;
    Ok(())
}

fn hash(one: u64, other: u64, seed: u64) -> u64 {
    let mut bits = one
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(other.wrapping_mul(0xc2b2_ae3d_27d4_eb4f))
        .wrapping_add(seed.wrapping_mul(0x1656_67b1_9e37_79f9));
    bits ^= bits >> 29;
    bits = bits.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits ^ bits >> 32
}
