//! Where features and images lie: systems, longitudes, images without a place. Nothing is guessed in silence.
//!
//! Unless a test says otherwise its number is that of rasterio 1.4.4 and pyproj 3.7 (PROJ 9.5): the polygon through
//! `Transformer.from_crs(source, target, always_xy=True)`, then
//! `rasterio.features.rasterize([(polygon, 1)], (64, 64), transform=Affine.from_gdal(*transform)).sum()`.

mod earth;
mod images;
mod systems;
mod units;

use std::path::{Path, PathBuf};

use geo::{LineString, MultiPolygon, Polygon};
use swath::Hint;
use swath::chips::Chips;
use swath::raster::{GeoTransform, Raster, Resolution};
use swath::scene::Scene;
use swath::vector::{Format, PolygonFeature, VectorSource, write_polygons};

use crate::support::{case, label_counts};

/// An image of 64 x 64 zeros as text that GDAL reads, with whatever it says of its place.
fn image(folder: &Path, name: &str, place: &str) -> PathBuf {
    let path = folder.join(name);
    let text = format!(
        "<VRTDataset rasterXSize=\"64\" rasterYSize=\"64\">{place}<VRTRasterBand dataType=\"Byte\" band=\"1\"/></VRTDataset>"
    );
    std::fs::write(&path, text).unwrap();
    path
}

fn placed(folder: &Path, crs: &str, transform: [f64; 6]) -> PathBuf {
    let numbers = transform.map(|number| format!("{number:.12e}")).join(",");
    let system = if crs.is_empty() {
        String::new()
    } else {
        format!(
            "<SRS dataAxisToSRSAxisMapping=\"{}\">{crs}</SRS>",
            mapping(crs)
        )
    };
    let name = format!(
        "{}.vrt",
        crs.replace([':', '[', '"', '+', ' ', '/'], "-")
            .chars()
            .take(40)
            .collect::<String>()
    );
    image(
        folder,
        &name,
        &format!("{system}<GeoTransform>{numbers}</GeoTransform>"),
    )
}

/// Easting or longitude first, as every raster has it.
fn mapping(crs: &str) -> &'static str {
    let northing_first = [
        "EPSG:4326",
        "EPSG:2180",
        "EPSG:3035",
        "EPSG:31467",
        "EPSG:2193",
        "EPSG:4979",
    ];
    if northing_first.contains(&crs) {
        "2,1"
    } else {
        "1,2"
    }
}

fn ring(points: &[(f64, f64)]) -> Polygon<f64> {
    Polygon::new(LineString::from(points.to_vec()), vec![])
}

fn gpkg(folder: &Path, name: &str, crs: &str, polygons: Vec<Polygon<f64>>) -> PathBuf {
    let features = polygons.into_iter().map(|polygon| PolygonFeature {
        geometry: MultiPolygon::new(vec![polygon]),
        class: "a".to_owned(),
        score: None,
        area_m2: 1.0,
    });
    let features: Vec<_> = features.collect();
    write_polygons(folder.join(name), &features, crs, Format::GeoPackage).unwrap()
}

/// GeoJSON without a `crs` member; `before` stands before its features.
fn geojson(folder: &Path, name: &str, before: &str, polygons: &[&[(f64, f64)]]) -> PathBuf {
    let polygon = |points: &&[(f64, f64)]| {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("[{x},{y}]")).collect();
        format!(
            "{{\"type\":\"Feature\",\"properties\":{{}},\"geometry\":{{\"type\":\"Polygon\",\"coordinates\":[[{}]]}}}}",
            points.join(",")
        )
    };
    let features: Vec<String> = polygons.iter().map(polygon).collect();
    let path = folder.join(name);
    let text = format!(
        "{{\"type\":\"FeatureCollection\",{before}\"features\":[{}]}}",
        features.join(",")
    );
    std::fs::write(&path, text).unwrap();
    path
}

fn labeled(image: impl AsRef<Path>, labels: impl Into<VectorSource>) -> swath::Result<Scene> {
    Scene::open(image)?.with_labels(labels, "a")
}

#[track_caller]
fn ones(image: impl AsRef<Path>, labels: impl Into<VectorSource>) -> usize {
    let scene = labeled(image, labels).unwrap_or_else(|error| panic!("{error}"));
    label_counts(&scene).get(&1).copied().unwrap_or_default()
}

#[track_caller]
fn refusal(image: impl AsRef<Path>, labels: impl Into<VectorSource>) -> (String, String) {
    match labeled(image, labels) {
        Ok(scene) => panic!("labeled: {:?}", label_counts(&scene)),
        Err(error) => {
            let hint = error.hint().unwrap_or_default();
            for program in [
                "gdalinfo",
                "ogrinfo",
                "gdalwarp",
                "gdal_translate",
                "gdal_edit",
                "ogr2ogr",
            ] {
                assert!(!hint.contains(program), "{hint}");
            }
            (error.to_string(), hint)
        }
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

const SQUARE: [(f64, f64); 5] = [
    (10.0, 10.0),
    (30.0, 10.0),
    (30.0, 40.0),
    (10.0, 40.0),
    (10.0, 10.0),
];
