//! What several tests need: the development data, small rasters, runs in a process of their own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use swath::raster::{GeoTransform, PixelWindow, RasterType, RasterWriter, Size, WriterOptions};

/// A crop of a real scene, of `tests/fixtures/scenes`; [`facts`] tells what other programs find in it.
pub(crate) fn crop(file: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/scenes")
        .join(file);
    assert!(path.exists(), "{} is missing", path.display());
    path
}

/// What rasterio, numpy and shapely say of the crops (`tests/python/make_scene_fixtures.py`).
pub(crate) fn facts() -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(crop("expected.json")).unwrap()).unwrap()
}

/// A file of the whole development data, for tests that `#[ignore = "needs SWATH_DATA"]` keeps from running without it.
pub(crate) fn shared_data(file: &str) -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("SWATH_DATA").map_or(beside, PathBuf::from);
    let path = folder.join(file);
    assert!(
        path.exists(),
        "{} is absent (SWATH_DATA names the folder)",
        path.display()
    );
    path
}

/// UTM zone 32 north, half a meter.
pub(crate) const CRS: &str = "EPSG:32632";

pub(crate) fn grid() -> GeoTransform {
    GeoTransform::north_up(500_000.0, 5_000_000.0, 0.5)
}

/// Writes a raster whose value is `value(band, col, row)`.
pub(crate) fn raster(
    path: &Path,
    size: Size,
    bands: usize,
    raster_type: RasterType,
    options: WriterOptions,
    value: impl Fn(usize, usize, usize) -> f32,
) -> PathBuf {
    let mut writer =
        RasterWriter::create(path, size, bands, raster_type, grid(), CRS, options).unwrap();
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

/// Whether this process was started by [`in_child`].
pub(crate) fn is_child() -> bool {
    std::env::var_os("SWATH_TEST_CHILD").is_some()
}

/// Runs one test again in a process of its own, where it can change what belongs to the whole process.
pub(crate) fn in_child(test: &str, environment: &[(&str, &str)]) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--include-ignored", "--nocapture"])
        .args(["--test-threads", "1"])
        .env("SWATH_TEST_CHILD", "1")
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

/// Asserts that a child ran its test and passed.
#[track_caller]
pub(crate) fn assert_passed(output: &Output) {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}\n{errors}"
    );
}

/// GeoJSON in degrees from polygons given as rings of longitude and latitude.
pub(crate) fn geojson(path: &Path, features: &[(&str, &[[f64; 2]])]) -> PathBuf {
    let features: Vec<String> = features
        .iter()
        .map(|(kind, ring)| {
            let ring: Vec<String> = ring.iter().map(|[x, y]| format!("[{x},{y}]")).collect();
            format!(
                "{{\"type\":\"Feature\",\"properties\":{{\"kind\":\"{kind}\",\"height\":3}},\"geometry\":{{\"type\":\
                 \"Polygon\",\"coordinates\":[[{}]]}}}}",
                ring.join(",")
            )
        })
        .collect();
    let text = format!(
        "{{\"type\":\"FeatureCollection\",\"features\":[{}]}}",
        features.join(",")
    );
    std::fs::write(path, text).unwrap();
    path.to_owned()
}

/// A file of `tests/fixtures/geo`: small files of odd kinds, whose right values and authorities its README tells.
pub(crate) fn case(file: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/geo")
        .join(file);
    assert!(path.exists(), "{} is missing", path.display());
    path
}

/// How many pixels of the area in use have each label.
pub(crate) fn label_counts(scene: &swath::scene::Scene) -> std::collections::BTreeMap<u8, usize> {
    let mut counts = std::collections::BTreeMap::new();
    for label in scene.label_window(&scene.area()).unwrap() {
        *counts.entry(label).or_insert(0) += 1;
    }
    counts
}

/// Points in pixels of [`grid`] as a closed ring of longitude and latitude.
pub(crate) fn degrees(points: &[(f64, f64)]) -> Vec<[f64; 2]> {
    let from = gdal::spatial_ref::SpatialRef::from_definition(CRS).unwrap();
    let to = gdal::spatial_ref::SpatialRef::from_definition("OGC:CRS84").unwrap();
    let transform = gdal::spatial_ref::CoordTransform::new(&from, &to).unwrap();
    let closed = points.iter().chain(points.first());
    closed
        .map(|&corner| {
            let (x, y) = grid().world_from_pixel(corner);
            let (mut xs, mut ys) = ([x], [y]);
            transform
                .transform_coords(&mut xs, &mut ys, &mut [])
                .unwrap();
            [xs[0], ys[0]]
        })
        .collect()
}
