//! 220,000 labeled polygons of a GeoJSON file, opened and drawn over the whole of a 16,384 x 16,384 raster in windows of 512.
//!
//! `make bench BENCH=rasterize`; `SWATH_BENCH_POLYGONS=20000` for fewer. It prints the folder of the files, which
//! `benches/peers/rasterize.py` opens and draws as Raster Vision does.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program that tells what it does"
)]

mod clock;

use std::path::Path;
use std::time::Instant;

use clock::processor_seconds;
use swath::raster::{GeoTransform, Raster, RasterType, RasterWriter, Size, WriterOptions};
use swath::scene::Scene;
use swath::vector::{Format, PolygonFeature, write_polygons};

const CLASSES: [&str; 4] = ["concrete", "tin", "thatch", "other"];
/// Columns and rows of the raster for one polygon.
const CELL: usize = 34;

fn main() -> swath::Result<()> {
    let polygons: usize = std::env::var("SWATH_BENCH_POLYGONS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(220_000);
    let beside = (polygons as f64).sqrt().ceil() as usize;
    let size = (beside * CELL).next_multiple_of(512);
    let folder = std::env::temp_dir().join(format!("swath-rasterize-{polygons}"));
    std::fs::create_dir_all(&folder).expect("a folder for temporary files");
    let (image, labels) = (folder.join("image.tif"), folder.join("labels.geojson"));
    draw(&image, &labels, size, beside, polygons)?;

    let (began, busy) = (Instant::now(), processor_seconds());
    let scene = Scene::open(&image)?.with_labels(&labels, "class")?;
    let opened = (began.elapsed().as_secs_f64(), processor_seconds() - busy);
    let (began, busy) = (Instant::now(), processor_seconds());
    let mut seen = [0_u64; 256];
    for window in scene.area().tiles(Size::new(512, 512)) {
        for label in scene.label_window(&window)? {
            seen[usize::from(label)] += 1;
        }
    }
    let drawn = (began.elapsed().as_secs_f64(), processor_seconds() - busy);
    println!(
        "{polygons} polygons, {size} x {size} px: opened in {:.2} s ({:.2} s of processor time), drawn in {:.2} s ({:.2} s)",
        opened.0, opened.1, drawn.0, drawn.1
    );
    println!("pixels by class {:?}", &seen[..=CLASSES.len()]);
    println!("benches/peers/rasterize.py {}", folder.display());
    Ok(())
}

/// An image of one value, and roofs of 6 to 14 corners, one to a cell.
fn draw(
    image: &Path,
    labels: &Path,
    size: usize,
    beside: usize,
    polygons: usize,
) -> swath::Result<()> {
    let grid = GeoTransform::north_up(600_000.0, 5_400_000.0, 0.5);
    let whole = Size::new(size, size);
    let options = WriterOptions::default().plain_tiles();
    let crs = "EPSG:32632";
    let mut writer = RasterWriter::create(image, whole, 1, RasterType::U8, grid, crs, options)?;
    let rows = vec![1_u8; size * 512];
    for row in (0..size).step_by(512) {
        writer.write_rows(row, &rows[..size * 512.min(size - row)])?;
    }
    let reference = Raster::open(writer.finish()?)?;
    let mut state = 7_u64;
    let mut random = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1_u64 << 24) as f64
    };
    let features: Vec<PolygonFeature> = (0..polygons)
        .map(|index| {
            let (col, row) = (index % beside * CELL, index / beside * CELL);
            let (x, y) = (col as f64 + 17.0, row as f64 + 17.0);
            let corners = 6 + (random() * 9.0) as usize;
            let ring: Vec<(f64, f64)> = (0..corners)
                .map(|corner| {
                    let angle = corner as f64 / corners as f64 * std::f64::consts::TAU;
                    let radius = 8.0 + 8.0 * random();
                    grid.world_from_pixel((x + radius * angle.cos(), y + radius * angle.sin()))
                })
                .collect();
            let polygon = geo::Polygon::new(ring.into(), vec![]);
            PolygonFeature {
                area_m2: 0.0,
                class: CLASSES[index % CLASSES.len()].to_owned(),
                geometry: geo::MultiPolygon::new(vec![polygon]),
                score: None,
            }
        })
        .collect();
    let crs = &reference.georeference().crs_wkt;
    write_polygons(labels, &features, crs, Format::GeoJson)?;
    Ok(())
}
