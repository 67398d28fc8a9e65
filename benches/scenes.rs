//! Chips per second from 1,024 scenes of 512 px beside one scene of the same area, with the same labels; statistics of all of them
//! beside one sequential read of the same files; and the time for opening and labeling them from one file: a GeoPackage, and a
//! GeoJSON of 100 MB, which has no index.
//!
//! `make bench BENCH=scenes`; `SWATH_BENCH_SIZE=5120` for 100 scenes; `SWATH_BENCH_GEOJSON=1000` for a GeoJSON of 1 GB, and
//! only that with `SWATH_BENCH_ONLY=geojson`. `SWATH_BENCH_KEEP=FILE` leaves the GeoJSON there, for
//! `benches/peers/geojson.py`. Times of one run are compared with each other only.

#![allow(clippy::print_stdout, reason = "a program that tells what it does")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use swath::chips::Chips;
use swath::raster::{PixelWindow, Raster, RasterType, RasterWriter, Size, WriterOptions};
use swath::scenes::Scenes;

/// The edge of a tile.
const TILE: usize = 512;
const CHIPS: usize = 2000;

fn main() -> swath::Result<()> {
    let size: usize = std::env::var("SWATH_BENCH_SIZE")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(16_384);
    let town = swath::samples::town(1, size)?;
    let folder = tiles(&town.scene_path, size)?;
    let count = (size / TILE).pow(2);

    let began = Instant::now();
    let one = town.scene()?;
    println!(
        "one scene with its labels: {:.2} s",
        began.elapsed().as_secs_f64()
    );
    let began = Instant::now();
    let opened = Scenes::open(&folder)?;
    println!(
        "{count} scenes opened: {:.2} s",
        began.elapsed().as_secs_f64()
    );
    let began = Instant::now();
    let many = opened.with_labels(&town.labels_path, "class")?;
    println!(
        "labeled from one file: {:.2} s",
        began.elapsed().as_secs_f64()
    );

    from_geojson(&opened, size)?;
    if std::env::var_os("SWATH_BENCH_ONLY").is_some_and(|only| only == "geojson") {
        return Ok(());
    }

    let (from_one, from_many) = (
        one.chips(Chips::random(CHIPS, 256).seed(3))?,
        many.chips(Chips::random(CHIPS, 256).seed(3))?,
    );
    for workers in [1, 2] {
        // In turns, so that what else the machine does falls on both.
        let (mut of_one, mut of_many) = (0.0, 0.0);
        for epoch in 0..2 {
            of_one += seconds(&from_one, epoch, workers)?;
            of_many += seconds(&from_many, epoch, workers)?;
        }
        let rate = |seconds: f64| 2.0 * CHIPS as f64 / seconds;
        println!(
            "chips of 256 px, {workers} workers: {:.0} a second from {count} scenes, {:.0} from one: {:.2} times",
            rate(of_many),
            rate(of_one),
            of_one / of_many
        );
    }

    // Every file whole, one after the other, in one thread.
    let began = Instant::now();
    for scene in &many {
        scene.raster().read(&scene.area())?;
    }
    let sequential = began.elapsed().as_secs_f64();
    let began = Instant::now();
    many.statistics()?;
    let statistics = began.elapsed().as_secs_f64();
    println!(
        "exact statistics of all: {statistics:.2} s, one sequential read of the files {sequential:.2} s: {:.2} times",
        statistics / sequential
    );
    Ok(())
}

/// All scenes labeled from one GeoJSON: outlines of 24 corners, of which each scene has as many as any other.
fn from_geojson(scenes: &Scenes, size: usize) -> swath::Result<()> {
    let megabytes: usize = std::env::var("SWATH_BENCH_GEOJSON")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(100);
    let folder = tempfile::tempdir().map_err(|error| swath::FileError::new("labels", error))?;
    let path = std::env::var_os("SWATH_BENCH_KEEP")
        .map_or_else(|| folder.path().join("labels.geojson"), PathBuf::from);
    let first = scenes.iter().next().map(swath::scene::Scene::raster);
    if let Some(raster) = first {
        write_geojson(&path, raster, size, megabytes)
            .map_err(|error| swath::FileError::new(path.clone(), error))?;
    }
    // 5 resets the peak (proc(5)).
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let peak = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.unwrap_or("unknown").trim().to_owned()
    };
    let before = peak();
    let began = Instant::now();
    scenes.with_labels(&path, "class")?;
    println!(
        "{} scenes labeled from a GeoJSON of {megabytes} MB: {:.2} s, peak {} ({before} before)",
        scenes.len(),
        began.elapsed().as_secs_f64(),
        peak()
    );
    // As it would be for each if it were read for each.
    let began = Instant::now();
    for scene in scenes.iter().take(2) {
        scene.with_labels(&path, "class")?;
    }
    println!(
        "one of them alone: {:.2} s, peak {}",
        began.elapsed().as_secs_f64() / 2.0,
        peak()
    );
    Ok(())
}

fn write_geojson(
    path: &Path,
    raster: &Raster,
    size: usize,
    megabytes: usize,
) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    let system = "{\"type\":\"name\",\"properties\":{\"name\":\"urn:ogc:def:crs:EPSG::32632\"}}";
    writeln!(
        file,
        "{{\"type\":\"FeatureCollection\",\"crs\":{system},\"features\":["
    )?;
    let transform = raster.transform();
    let (mut written, mut index) = (0, 0_usize);
    while written < megabytes * 1_000_000 {
        // A step that has no divisor in common with the area goes to every place.
        let at = index.wrapping_mul(7_368_787) % (size * size);
        let (col, row) = ((at % size) as f64, (at / size) as f64);
        let corners: Vec<String> = (0..=24)
            .map(|corner| {
                let angle = f64::from(corner % 24) * std::f64::consts::TAU / 24.0;
                let point = (col + 4.0 * angle.cos(), row + 4.0 * angle.sin());
                let (x, y) = transform.world_from_pixel(point);
                format!("[{x:.3},{y:.3}]")
            })
            .collect();
        let line = format!(
            "{}{{\"type\":\"Feature\",\"properties\":{{\"class\":\"{}\",\"id\":{index}}},\"geometry\":{{\"type\":\"Polygon\",\
             \"coordinates\":[[{}]]}}}}",
            if index == 0 { "" } else { ",\n" },
            ["house", "tree", "road"][index % 3],
            corners.join(",")
        );
        file.write_all(line.as_bytes())?;
        written += line.len();
        index += 1;
    }
    writeln!(file, "]}}")?;
    file.flush()
}

fn seconds(chips: &Chips, epoch: usize, workers: usize) -> swath::Result<f64> {
    let began = Instant::now();
    for batch in chips.epoch(epoch, 8, workers) {
        batch?;
    }
    Ok(began.elapsed().as_secs_f64())
}

/// The town cut into tiles, once.
fn tiles(town: &Path, size: usize) -> swath::Result<PathBuf> {
    let folder = town.with_file_name(format!("tiles-{size}"));
    let raster = Raster::open(town)?;
    let (transform, crs) = (raster.transform(), raster.crs_wkt());
    let done = folder.join("done").exists();
    let io = |error| swath::FileError::new(folder.clone(), error);
    std::fs::create_dir_all(&folder).map_err(io)?;
    for row in 0..size / TILE {
        for col in 0..size / TILE {
            // The first is always written anew: no statistics of this state of the files are known.
            if done && (row, col) != (0, 0) {
                continue;
            }
            let (left, top) = ((col * TILE) as i64, (row * TILE) as i64);
            let window = PixelWindow::new(left, top, TILE, TILE);
            let path = folder.join(format!("tile_{row}_{col}.tif"));
            let mut writer = RasterWriter::create(
                &path,
                Size::new(TILE, TILE),
                raster.band_count(),
                RasterType::U8,
                transform.offset(left, top),
                &crs,
                WriterOptions::default(),
            )?;
            writer.write_window(
                &PixelWindow::new(0, 0, TILE, TILE),
                &raster.read(&window)?.data,
            )?;
            writer.finish()?;
        }
    }
    std::fs::write(folder.join("done"), "").map_err(io)?;
    Ok(folder)
}
