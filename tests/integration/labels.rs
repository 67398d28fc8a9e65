//! Labels: polygons from files burned into class maps, and traced back.

use rand::{RngExt, SeedableRng};
use swath::Hint;
use swath::labels::{IGNORE, rasterize};
use swath::raster::{GeoReference, PixelWindow, Raster, Size};
use swath::scene::Scene;
use swath::vector::{self, Format, PolygonFeature};

use crate::support::{crop, facts, geojson};

fn labeled(name: &str) -> Scene {
    Scene::open(crop(&format!("{name}.tif")))
        .unwrap()
        .with_labels(crop(&format!("{name}.geojson")), "building")
        .unwrap()
}

/// Counted by shapely, in every row, by the pixel-center rule.
#[test]
fn masks_of_real_scenes_are_exact_to_the_pixel() {
    for name in ["vegas", "sn7_train", "sn7_val"] {
        let facts = &facts()["maps"][name];
        let scene = labeled(name);
        assert_eq!(scene.label_polygons().len(), facts["polygons"], "{name}");
        let labels = scene.label_window(&scene.area()).unwrap();
        let count = |labels: &[u8]| labels.iter().filter(|&&label| label == 1).count();
        let by_row: Vec<usize> = labels.chunks(scene.size().0).map(count).collect();
        assert_eq!(serde_json::json!(by_row), facts["mask_by_row"], "{name}");
        assert_eq!(count(&labels), facts["mask_pixels"], "{name}");
    }
}

/// Windows of any place and size cut the same pixels out of the whole mask.
#[test]
fn windows_agree_with_the_whole() {
    let scene = labeled("sn7_val");
    let (width, height) = scene.size();
    let whole = scene.label_window(&scene.area()).unwrap();
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(1);
    for _ in 0..200 {
        let window = PixelWindow::new(
            random.random_range(-40..width as i64),
            random.random_range(-40..height as i64),
            random.random_range(1..90),
            random.random_range(1..90),
        );
        for (pixel, label) in scene.label_window(&window).unwrap().into_iter().enumerate() {
            let col = window.col + (pixel % window.width) as i64;
            let row = window.row + (pixel / window.width) as i64;
            let inside = scene.area().contains_pixel(col, row);
            let expected = if inside {
                whole[row as usize * width + col as usize]
            } else {
                IGNORE
            };
            assert_eq!(label, expected, "{window} at {col} {row}");
        }
    }
}

#[test]
fn tracing_and_burning_again_gives_the_same_labels() {
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(2);
    for _ in 0..30 {
        let size = Size::new(random.random_range(1..40), random.random_range(1..40));
        let labels: Vec<u8> = (0..size.area())
            .map(|_| [0, 0, 1, 2, 2, 7][random.random_range(0..6)])
            .collect();
        let polygons: Vec<_> = vector::polygonize(&labels, size)
            .unwrap()
            .into_iter()
            .map(|polygon| {
                (
                    geo::MultiPolygon::new(vec![polygon.geometry]),
                    polygon.label,
                )
            })
            .collect();
        assert_eq!(rasterize(&polygons, &PixelWindow::full(size)), labels);
    }
    assert!(vector::polygonize(&[1, 2, 3], Size::new(2, 2)).is_err());
    let ignored = vector::polygonize(&[IGNORE, 1], Size::new(2, 1)).unwrap();
    assert_eq!(ignored.len(), 1);
}

fn reference() -> GeoReference {
    let folder = tempfile::tempdir().unwrap();
    let options = swath::raster::WriterOptions::default();
    let value = |_, _, _| 1.0;
    let path = folder.path().join("grid.tif");
    crate::support::raster(
        &path,
        Size::new(100, 100),
        1,
        swath::raster::RasterType::U8,
        options,
        value,
    );
    Raster::open(path).unwrap().georeference()
}

fn outlines() -> Vec<PolygonFeature> {
    let grid = crate::support::grid();
    let ring = |points: &[(f64, f64)]| -> geo::LineString<f64> {
        points
            .iter()
            .map(|&point| grid.world_from_pixel(point))
            .collect()
    };
    let with_hole = geo::Polygon::new(
        ring(&[
            (10.25, 10.5),
            (40.75, 10.5),
            (40.75, 30.125),
            (10.25, 30.125),
            (10.25, 10.5),
        ]),
        vec![ring(&[
            (15.0, 15.0),
            (15.0, 20.0),
            (20.0, 20.0),
            (20.0, 15.0),
            (15.0, 15.0),
        ])],
    );
    let small = geo::Polygon::new(
        ring(&[(60.0, 60.0), (70.0, 60.0), (65.0, 75.5), (60.0, 60.0)]),
        vec![],
    );
    vec![PolygonFeature {
        geometry: geo::MultiPolygon::new(vec![with_hole, small]),
        class: "house <b>".to_owned(),
        score: Some(0.75),
        area_m2: 12.5,
    }]
}

#[test]
fn both_vector_formats_bring_polygons_back_to_the_same_pixels() {
    let (reference, folder) = (reference(), tempfile::tempdir().unwrap());
    for (format, name, precision) in [
        (Format::GeoPackage, "polygons.gpkg", 1e-6),
        (Format::GeoJson, "polygons.geojson", 0.01),
    ] {
        let path =
            vector::write_polygons(folder.path(), &outlines(), &reference.crs_wkt, format).unwrap();
        assert_eq!(path.file_name().unwrap(), name);
        let back = vector::read_polygons(&path, &reference, Some("class")).unwrap();
        assert_eq!(
            (back.len(), back[0].class.as_deref()),
            (1, Some("house <b>"))
        );
        assert_eq!(
            (
                back[0].geometry.0.len(),
                back[0].geometry.0[0].interiors().len()
            ),
            (2, 1)
        );
        let corners = |polygon: &geo::Polygon<f64>| {
            let bounds = geo::BoundingRect::bounding_rect(polygon).unwrap();
            [
                bounds.min().x,
                bounds.min().y,
                bounds.max().x,
                bounds.max().y,
            ]
        };
        for (found, expected) in corners(&back[0].geometry.0[0])
            .iter()
            .zip([10.25, 10.5, 40.75, 30.125])
        {
            assert!(
                (found - expected).abs() < precision,
                "{name}: {found} {expected}"
            );
        }
    }
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        2,
        "no temporary file stays behind"
    );
}

#[test]
fn geojson_follows_rfc_7946() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("map.geojson");
    vector::write_polygons(&path, &outlines(), &reference().crs_wkt, Format::GeoJson).unwrap();
    let text: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert!(text.get("crs").is_none());
    let geometry = &text["features"][0]["geometry"];
    assert_eq!(geometry["type"], "MultiPolygon");
    let rings = |part: usize, ring: usize| -> Vec<(f64, f64)> {
        let points = geometry["coordinates"][part][ring].as_array().unwrap();
        points
            .iter()
            .map(|point| (point[0].as_f64().unwrap(), point[1].as_f64().unwrap()))
            .collect()
    };
    let turn = |ring: &[(f64, f64)]| {
        ring.windows(2)
            .map(|p| p[0].0 * p[1].1 - p[1].0 * p[0].1)
            .sum::<f64>()
    };
    let centered = |ring: Vec<(f64, f64)>| {
        ring.iter()
            .map(|p| (p.0 - 9.0, p.1 - 45.15))
            .collect::<Vec<_>>()
    };
    for part in 0..2 {
        let ring = rings(part, 0);
        assert_eq!(ring.first(), ring.last(), "rings are closed");
        assert!(
            turn(&centered(ring.clone())) > 0.0,
            "exteriors run anticlockwise"
        );
        assert!(
            ring.iter()
                .all(|(x, y)| (8.9..9.1).contains(x) && (45.1..45.2).contains(y)),
            "{ring:?}"
        );
    }
    assert!(turn(&centered(rings(0, 1))) < 0.0, "holes run clockwise");
    assert_eq!(text["features"][0]["properties"]["class"], "house <b>");
}

#[test]
fn labels_in_another_reference_system_burn_the_same_pixels() {
    let (imagery, labels) = (crop("vegas.tif"), crop("vegas.geojson"));
    let raster = Raster::open(&imagery).unwrap();
    let identity = swath::raster::GeoTransform([0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    let mercator = GeoReference::new(identity, "EPSG:3857");
    let world = vector::read_polygons(&labels, &mercator, None).unwrap();
    let features: Vec<PolygonFeature> = world
        .into_iter()
        .map(|feature| PolygonFeature {
            geometry: feature.geometry,
            class: "b".to_owned(),
            score: None,
            area_m2: 0.0,
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let path =
        vector::write_polygons(folder.path(), &features, "EPSG:3857", Format::GeoPackage).unwrap();
    let direct = Scene::open(&imagery)
        .unwrap()
        .with_labels(&labels, "building")
        .unwrap();
    let around = Scene::open(&imagery)
        .unwrap()
        .with_labels(&path, "building")
        .unwrap();
    assert_eq!(raster.size(), Size::new(224, 224));
    let (a, b) = (
        direct.label_window(&direct.area()).unwrap(),
        around.label_window(&around.area()).unwrap(),
    );
    assert!(
        a.iter().zip(&b).filter(|(a, b)| a != b).count() <= 2,
        "at most rounding at a pixel's center"
    );
}

#[test]
fn broken_geometry_is_left_out_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.geojson");
    let good = "[[[9.0,45.15],[9.0001,45.15],[9.0001,45.1501],[9.0,45.15]]]";
    let feature = |geometry: String| {
        format!("{{\"type\":\"Feature\",\"properties\":{{}},\"geometry\":{geometry}}}")
    };
    let features = [
        feature(format!("{{\"type\":\"Polygon\",\"coordinates\":{good}}}")),
        feature("null".to_owned()),
        feature("{\"type\":\"Polygon\",\"coordinates\":[[[9.0,45.15],[9.0,45.15],[9.0,45.15],[9.0,45.15]]]}".to_owned()),
        feature("{\"type\":\"LineString\",\"coordinates\":[[9.0,45.15],[9.1,45.16]]}".to_owned()),
    ];
    std::fs::write(
        &path,
        format!(
            "{{\"type\":\"FeatureCollection\",\"features\":[{}]}}",
            features.join(",")
        ),
    )
    .unwrap();
    let (kept, report) = vector::read_polygons_reported(&path, &reference(), None).unwrap();
    assert_eq!(
        (
            kept.len(),
            report.features,
            report.skipped.values().sum::<usize>()
        ),
        (1, 4, 3)
    );
    let notice = report.notice().unwrap();
    assert!(
        notice.contains("1 without a geometry") && notice.contains("points or lines"),
        "{notice}"
    );
}

#[test]
fn files_without_areas_or_properties_say_what_they_hold() {
    let folder = tempfile::tempdir().unwrap();
    let square: &[[f64; 2]] = &[
        [9.0, 45.15],
        [9.0001, 45.15],
        [9.0001, 45.1501],
        [9.0, 45.15],
    ];
    let path = geojson(&folder.path().join("a.geojson"), &[("house", square)]);
    assert_eq!(vector::property_names(&path).unwrap(), ["kind", "height"]);
    let error = vector::read_polygons(&path, &reference(), Some("sort")).unwrap_err();
    assert!(error.to_string().contains("kind, height"), "{error}");
    let lines = folder.path().join("lines.geojson");
    std::fs::write(
        &lines,
        "{\"type\":\"LineString\",\"coordinates\":[[9.0,45.15],[9.1,45.16]]}",
    )
    .unwrap();
    let error = vector::read_polygons(&lines, &reference(), None).unwrap_err();
    assert!(
        error.to_string().contains("none of 1 features") && error.hint().unwrap().contains("uffer"),
        "{error}"
    );
    assert!(
        vector::read_polygons(folder.path().join("no.gpkg"), &reference(), None)
            .unwrap_err()
            .hint()
            .is_some()
    );
    let text = folder.path().join("text.geojson");
    std::fs::write(&text, "{\"type\":\"FeatureColl").unwrap();
    assert!(vector::property_names(&text).is_err());
}
