//! One label file for many scenes: read once where it has no index, and the labels are those of each scene on its own.

use std::fs;
use std::path::{Path, PathBuf};

use rand::{RngExt as _, SeedableRng as _};
use swath::labels::Classes;
use swath::prelude::*;
use swath::raster::{PixelWindow, Size};
use swath::vector::{Format, LabelClass, PolygonFeature, VectorSource, write_polygons};

use super::row_of_tiles;
use crate::support::{assert_passed, degrees, in_child, is_child};

const SIZE: Size = Size {
    width: 80,
    height: 60,
};
const TILES: usize = 12;

/// 6,000 rectangles that overlap, of three kinds and several heights: numbers, texts, dates, lists, none.
fn overlapping(path: &Path) -> PathBuf {
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(4);
    let features: Vec<String> = (0..6000)
        .map(|index| {
            let col = random.random_range(0..(TILES + 2) * SIZE.width) as f64;
            let (row, width) = (random.random_range(-10..60), random.random_range(2..30));
            let (row, width) = (f64::from(row), f64::from(width));
            let ring = degrees(&[(col, row), (col + width, row), (col + width, row + 9.0), (col, row + 9.0)]);
            let ring: Vec<String> = ring.iter().map(|[x, y]| format!("[{x},{y}]")).collect();
            let kind = ["house", "road", "tr\u{e9}e"][random.random_range(0..3)];
            let height = match random.random_range(0..4) {
                0 => "null".to_owned(),
                1 => "2.5".to_owned(),
                _ => random.random_range(0..9).to_string(),
            };
            let more = match index % 3 {
                0 => ",\"tags\":[\"a\",\"b c\"],\"codes\":[1,2]".to_owned(),
                1 => format!(",\"seen\":\"2024-05-{:02}\",\"sure\":true", 1 + index % 28),
                _ => ",\"other\":{\"deep\":[1,{\"x\":2}]},\"shares\":[0.5,2]".to_owned(),
            };
            format!(
                "{{\"type\":\"Feature\",\"properties\":{{\"kind\":\"{kind}\",\"height\":{height}{more}}},\"geometry\":{{\"type\":\
                 \"Polygon\",\"coordinates\":[[{}]]}}}}",
                ring.join(",")
            )
        })
        .collect();
    let text = format!(
        "{{\"type\":\"FeatureCollection\",\"name\":\"all\",\"crs\":{{\"type\":\"name\",\"properties\":{{\"name\":\
         \"urn:ogc:def:crs:OGC:1.3:CRS84\"}}}},\"features\":[\n{}\n]}}\n",
        features.join(",\n")
    );
    fs::write(path, text).unwrap();
    path.to_owned()
}

/// Asserts that scenes labeled together have the labels that each has when it is labeled alone.
fn assert_same(scenes: &Scenes, together: &Scenes, source: &VectorSource, class: &LabelClass) {
    let classes: Classes = together.classes().clone();
    for (alone, labeled) in scenes.iter().zip(together.iter()) {
        let alone = alone
            .with_classes(source, class.clone(), classes.clone())
            .unwrap();
        let window = PixelWindow::full(SIZE);
        let same = labeled.label_window(&window).unwrap() == alone.label_window(&window).unwrap();
        assert!(same, "{} of {source:?}", labeled.raster().path().display());
    }
}

#[test]
fn labels_from_one_file_are_those_of_each_scene_alone() {
    let folder = tempfile::tempdir().unwrap();
    row_of_tiles(&folder.path().join("images"), TILES, SIZE);
    let file = overlapping(&folder.path().join("all.geojson"));
    assert!(fs::metadata(&file).unwrap().len() > 1 << 20);
    let scenes = Scenes::open(folder.path().join("images")).unwrap();
    let kind = || LabelClass::property("kind");
    for source in [
        VectorSource::new(&file),
        VectorSource::new(&file).filter("height > 2 AND kind <> 'road'"),
        VectorSource::new(&file).filter("seen IS NOT NULL AND height > 1.5 OR codes IS NOT NULL"),
        VectorSource::new(&file).filter("fid < 3000 AND sure = 1 OR fid > 5000"),
    ] {
        let together = scenes.with_labels(source.clone(), kind()).unwrap();
        assert_same(&scenes, &together, &source, &kind());
        let names = together.classes().names().join(" ");
        let named = scenes
            .with_classes(source.clone(), kind(), together.classes().clone())
            .unwrap();
        assert_eq!(named.classes().names().join(" "), names);
        assert_same(&scenes, &named, &source, &kind());
    }
    // Rules are asked of the same layer.
    let rules = LabelClass::rules([("height >= 5", "high"), ("codes IS NOT NULL", "marked")])
        .others_as_background();
    let source = VectorSource::new(&file);
    let together = scenes.with_labels(source.clone(), rules.clone()).unwrap();
    assert_same(&scenes, &together, &source, &rules);
}

/// Formats with an index hand out what is near in the order of the file, too.
#[test]
fn later_features_lie_over_earlier_ones_in_formats_with_an_index() {
    let folder = tempfile::tempdir().unwrap();
    row_of_tiles(&folder.path().join("images"), TILES, SIZE);
    let scenes = Scenes::open(folder.path().join("images")).unwrap();
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(5);
    let features: Vec<PolygonFeature> = (0..3000)
        .map(|index| {
            let col = random.random_range(0..(TILES + 2) * SIZE.width) as f64;
            let (row, width) = (random.random_range(-10..60), random.random_range(2..60));
            let (x, y) = (500_000.0 + col * 0.5, 5_000_000.0 - f64::from(row) * 0.5);
            let far = x + f64::from(width) * 0.5;
            let ring = vec![(x, y), (far, y), (far, y - 8.0), (x, y - 8.0), (x, y)];
            PolygonFeature {
                geometry: geo::MultiPolygon::new(vec![geo::Polygon::new(ring.into(), vec![])]),
                class: ["house", "road", "tree"][index % 3].to_owned(),
                score: None,
                area_m2: 1.0,
            }
        })
        .collect();
    for (format, name) in [
        (Format::GeoPackage, "all.gpkg"),
        (Format::FlatGeobuf, "all.fgb"),
        (Format::Shapefile, "all.shp"),
    ] {
        let file = folder.path().join(name);
        write_polygons(&file, &features, "EPSG:32632", format).unwrap();
        let source = VectorSource::new(&file);
        let class = LabelClass::property("class");
        let together = scenes.with_labels(source.clone(), class.clone()).unwrap();
        assert_same(&scenes, &together, &source, &class);
    }
}

/// Bytes that this process has read, from files and memory alike.
fn read_so_far() -> u64 {
    let text = fs::read_to_string("/proc/self/io").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("rchar: "));
    line.unwrap().parse().unwrap()
}

/// A GeoJSON is read for the classes, for its `crs` member, and once more for all scenes.
#[test]
fn a_geojson_is_read_a_fixed_number_of_times_however_many_the_scenes() {
    if !is_child() {
        let test =
            "many::label_once::a_geojson_is_read_a_fixed_number_of_times_however_many_the_scenes";
        assert_passed(&in_child(test, &[("RAYON_NUM_THREADS", "3")]));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    row_of_tiles(&folder.path().join("images"), TILES, SIZE);
    let file = overlapping(&folder.path().join("all.geojson"));
    let length = fs::metadata(&file).unwrap().len();
    let scenes = Scenes::open(folder.path().join("images")).unwrap();
    let class = || LabelClass::property("kind");
    let before = read_so_far();
    scenes.with_labels(&file, class()).unwrap();
    let read = read_so_far() - before;
    let times = read as f64 / length as f64;
    println!("{times:.1} times the file for {TILES} scenes");
    assert!(times < 8.0, "{times}");
    let before = read_so_far();
    for scene in &scenes {
        scene.with_labels(&file, class()).unwrap();
    }
    let alone = (read_so_far() - before) as f64 / length as f64;
    assert!(alone > 12.0, "{alone}");
}
