//! Labels that come as rasters: where they lie and what their values mean.

use swath::labels::Classes;
use swath::scene::Scene;

use crate::support::{case, label_counts};

/// GDAL's `OSRIsSame` and rasterio's `CRS ==`: two Lambert systems of one name lie 717 m apart.
#[test]
fn systems_of_one_name_that_differ_are_refused() {
    let scene = Scene::open(case("f11-unknown-crs/image.tif")).unwrap();
    let error = scene
        .with_label_raster(case("f11-unknown-crs/mask.tif"), Classes::new(["a"]))
        .unwrap_err();
    assert!(error.to_string().contains("mask.tif"), "{error}");
}

/// Both are EPSG:32633, one under ESRI's name: 700 px (rasterio).
#[test]
fn systems_of_other_names_that_are_the_same_are_taken() {
    let scene = Scene::open(case("f12-same-crs/image.tif"))
        .unwrap()
        .with_label_raster(case("f12-same-crs/mask.asc"), Classes::new(["a"]))
        .unwrap();
    assert_eq!(label_counts(&scene).get(&1), Some(&700));
}
