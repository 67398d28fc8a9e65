//! Lines and points become areas by a buffer. Right values are by shapely, PROJ and rasterio
//! (`tests/python/make_buffer_fixtures.py`) where nothing else is said.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use swath::Hint;
use swath::scene::Scene;
use swath::vector::{Buffer, LabelClass, VectorSource};

use crate::features::{imagery, layer, mixed, of, square, write};
use crate::support::{grid, label_counts};

fn fixture(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/buffers")
        .join(file)
}

fn buffer_of(words: &str) -> Buffer {
    let plain = words.trim_end_matches(" polygons");
    let buffer = match plain {
        "width" => Buffer::width("width"),
        _ => plain.parse().unwrap(),
    };
    match plain == words {
        true => buffer,
        false => buffer.polygons_too(),
    }
}

/// The class of every pixel from the spans of each row.
fn labels_of(rows: &serde_json::Value, width: usize) -> Vec<u8> {
    let mut labels = Vec::new();
    for row in rows.as_array().unwrap() {
        let numbers: Vec<usize> = row
            .as_array()
            .unwrap()
            .iter()
            .map(|number| number.as_u64().unwrap() as usize)
            .collect();
        let mut line = vec![0; width];
        for span in numbers.chunks_exact(3) {
            line[span[1]..span[2]].fill(span[0] as u8);
        }
        labels.extend(line);
    }
    labels
}

/// On images in meters, in feet, turned, in degrees at 60 degrees north, in Mercator's projection there, across 180 degrees
/// and over two degrees of latitude: every pixel as shapely's buffer covers it, but for a few that its edge touches.
#[test]
fn buffers_cover_the_pixels_that_those_of_shapely_cover() {
    let text = std::fs::read(fixture("expected.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let order = ["lake", "path", "road", "tree", "trees"];
    for case in expected["cases"].as_array().unwrap() {
        let (image, words) = (
            case["image"].as_str().unwrap(),
            case["buffer"].as_str().unwrap(),
        );
        let scene = Scene::open(fixture(&format!("{image}.tif"))).unwrap();
        let source = VectorSource::new(fixture(&format!("{image}.geojson")));
        let labeled = scene
            .with_classes(source.buffer(buffer_of(words)), "kind", order)
            .unwrap();
        let found = labeled.label_window(&labeled.area()).unwrap();
        let right = labels_of(&case["labels"], scene.size().0);
        assert_eq!(found.len(), right.len());
        let wrong = found
            .iter()
            .zip(&right)
            .filter(|(one, other)| one != other)
            .count();
        // Scanlines and longitudes round differently where an edge runs through a center.
        let some = if image == "tall" { 40 } else { 3 };
        assert!(wrong <= some, "{image} {words}: {wrong} pixels differ");
        let covered = right.iter().filter(|&&label| label != 0).count();
        assert!(covered > 600, "{image} {words}: {covered}");
    }
}

/// What a property says and does not say is counted: of the five features one has no width and one a word.
#[test]
fn widths_come_from_a_column_and_those_that_say_nothing_are_counted() {
    let scene = Scene::open(fixture("utm.tif")).unwrap();
    let source = VectorSource::new(fixture("utm.geojson"));
    let by_width = source.clone().buffer(Buffer::width("width"));
    let labeled = scene.with_labels(by_width.clone(), "kind").unwrap();
    let report = labeled.report();
    assert!(
        report.mentions("1 of 5 features: without a value for their buffer"),
        "{report}"
    );
    assert!(
        report.mentions("1 of 5 features: whose value for their buffer is no number"),
        "{report}"
    );
    assert_eq!(labeled.label_polygons().len(), 3);
    let with_all = source.clone().buffer(Buffer::width("width").otherwise(2.0));
    let labeled = scene.with_labels(with_all, "kind").unwrap();
    assert_eq!(labeled.label_polygons().len(), 5);
    assert_eq!(labeled.boxes().len(), 5);
    // The word was replaced, which nobody asked for in so many words; the missing width was asked for.
    assert!(
        labeled
            .report()
            .mentions("1 of 5 features: whose value for their buffer is no number"),
        "{}",
        labeled.report()
    );
    let error = scene
        .with_labels(source.buffer(Buffer::width("breadth")), "kind")
        .unwrap_err();
    assert!(
        error.to_string().contains("no property \"breadth\"")
            && error.to_string().contains("width"),
        "{error}"
    );
}

/// A file of lines alone is an error until a buffer is given, and the error names it.
#[test]
fn without_a_buffer_lines_and_points_are_left_out_and_the_way_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    let line = "LINESTRING (500010 4999990, 500050 4999970)".to_owned();
    let lines = write(
        &folder.path().join("lines.gpkg"),
        "GPKG",
        &[mixed("lines", "kind", of(&[("road", line.clone())]))],
    );
    let error = scene.with_labels(&lines, "kind").unwrap_err();
    assert!(
        error.to_string().contains("not an area (points or lines)"),
        "{error}"
    );
    let hint = error.hint().unwrap();
    assert!(hint.contains(".buffer(Buffer::meters(3.0))"), "{hint}");
    let both = write(
        &folder.path().join("both.gpkg"),
        "GPKG",
        &[mixed(
            "both",
            "kind",
            of(&[("road", line), ("house", square(10, 10, 6))]),
        )],
    );
    let report = scene.with_labels(&both, "kind").unwrap().report();
    assert!(
        report.mentions("1 of 2 features: not an area")
            && report.to_string().contains("Buffer::meters"),
        "{report}"
    );
    // rasterio.features.rasterize of shapely's buffer by 6 pixels of the line from (20, 20) to (100, 60).
    let source = VectorSource::new(&lines).buffer(Buffer::meters(3.0));
    let labeled = scene.with_labels(source, "kind").unwrap();
    assert_eq!(label_counts(&labeled)[&1], 1152);
    for wrong in [0.0, -3.0, f64::NAN, f64::INFINITY] {
        let source = VectorSource::new(&lines).buffer(Buffer::meters(wrong));
        let error = scene.with_labels(source, "kind").unwrap_err();
        assert!(
            error.to_string().contains("must be a number above 0"),
            "{error}"
        );
    }
}

/// An image without a place has pixels and no meters.
#[test]
fn meters_need_a_system_and_pixels_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let png = folder.path().join("plain.png");
    let memory = gdal::DriverManager::get_driver_by_name("MEM").unwrap();
    let memory = memory.create("", 60, 60, 1).unwrap();
    let driver = gdal::DriverManager::get_driver_by_name("PNG").unwrap();
    memory
        .create_copy(&driver, &png, &gdal::cpl::CslStringList::new())
        .unwrap();
    let image = Scene::open(png).unwrap();
    let path = folder.path().join("line.csv");
    std::fs::write(&path, "WKT,kind\n\"LINESTRING (5 5, 25 5)\",road\n").unwrap();
    let source = VectorSource::new(&path).crs("pixels");
    let error = image
        .with_labels(source.clone().buffer(Buffer::meters(2.0)), "kind")
        .unwrap_err();
    assert!(error.to_string().contains("what a meter is"), "{error}");
    assert!(error.hint().unwrap().contains("Buffer::pixels"));
    let labeled = image
        .with_labels(source.buffer(Buffer::pixels(2.0)), "kind")
        .unwrap();
    // 20 pixels by 4, and a disc of a diameter of 4 pixels in two halves.
    let found = label_counts(&labeled)[&1];
    assert!((88..=96).contains(&found), "{found}");
}

/// Odd geometries: each is counted, none is lost in silence.
#[test]
fn odd_lines_are_mended_or_counted() {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    let at = |col: f64, row: f64| {
        let (x, y) = grid().world_from_pixel((col, row));
        format!("{x} {y}")
    };
    let features = of(&[
        ("dot", format!("LINESTRING ({0}, {0})", at(20.0, 20.0))),
        ("none", "LINESTRING EMPTY".to_owned()),
        ("none", "POINT EMPTY".to_owned()),
        (
            "none",
            format!("LINESTRING (1e999 1e999, {})", at(10.0, 10.0)),
        ),
        (
            "all",
            format!(
                "GEOMETRYCOLLECTION (POINT ({}), LINESTRING ({}, {}), {})",
                at(60.0, 50.0),
                at(80.0, 50.0),
                at(90.0, 60.0),
                square(120, 40, 20)
            ),
        ),
        (
            "some",
            format!(
                "GEOMETRYCOLLECTION (POINT EMPTY, POINT ({}))",
                at(20.0, 80.0)
            ),
        ),
        (
            "curve",
            format!(
                "CIRCULARSTRING ({}, {}, {})",
                at(160.0, 20.0),
                at(170.0, 30.0),
                at(180.0, 20.0)
            ),
        ),
    ]);
    let path = write(
        &folder.path().join("odd.gpkg"),
        "GPKG",
        &[mixed("odd", "kind", features)],
    );
    let source = VectorSource::new(&path).buffer(Buffer::meters(2.0));
    let labeled = scene.with_labels(source, "kind").unwrap();
    assert_eq!(
        labeled.classes().names(),
        ["background", "all", "curve", "dot", "some"]
    );
    let report = labeled.report();
    for said in [
        "2 of 7 features: with an empty line or point",
        "1 of 7 features: with coordinates that are not numbers",
        "1 of 7 features: with a line of no length, taken for a point",
    ] {
        assert!(report.mentions(said), "{said}: {report}");
    }
    let counts = label_counts(&labeled);
    // Discs of a radius of 4 pixels: 49.9 pixels; the square has 400.
    assert!(
        (46..=54).contains(&counts[&3]) && (46..=54).contains(&counts[&4]),
        "{counts:?}"
    );
    assert!(
        (400 + 46 + 140..=400 + 54 + 190).contains(&counts[&1]),
        "{counts:?}"
    );
    let empty = write(
        &folder.path().join("empty.gpkg"),
        "GPKG",
        &[mixed(
            "odd",
            "kind",
            of(&[("none", "LINESTRING EMPTY".to_owned())]),
        )],
    );
    let source = VectorSource::new(&empty).buffer(Buffer::meters(2.0));
    let error = scene.with_labels(source, "kind").unwrap_err();
    assert!(
        error.to_string().contains("with an empty line or point"),
        "{error}"
    );
}

/// A shapefile without a `.prj`, and latitude first: the place is found as for polygons.
#[test]
fn lines_lie_where_polygons_would() {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    let line = "LINESTRING (500010 4999990, 500050 4999970)".to_owned();
    let shape = write(
        &folder.path().join("roads.shp"),
        "ESRI Shapefile",
        &[crate::features::lines(
            "roads",
            "kind",
            of(&[("road", line)]),
        )],
    );
    let buffered = |path: &Path| VectorSource::new(path).buffer(Buffer::meters(3.0));
    let right = label_counts(&scene.with_labels(buffered(&shape), "kind").unwrap());
    std::fs::remove_file(folder.path().join("roads.prj")).unwrap();
    let assumed = scene.with_labels(buffered(&shape), "kind").unwrap();
    assert_eq!(label_counts(&assumed), right);
    assert!(
        assumed
            .report()
            .mentions("names no coordinate reference system"),
        "{}",
        assumed.report()
    );
    // Latitude first.
    let [a, b] = [(20.0, 20.0), (100.0, 60.0)].map(|point| crate::support::degrees(&[point])[0]);
    let path = folder.path().join("line.csv");
    std::fs::write(
        &path,
        format!(
            "WKT,kind\n\"LINESTRING ({} {},{} {})\",road\n",
            a[1], a[0], b[1], b[0]
        ),
    )
    .unwrap();
    let stated = buffered(&path).crs("urn:ogc:def:crs:EPSG::4326");
    let turned = label_counts(&scene.with_labels(stated, "kind").unwrap());
    assert!(turned[&1].abs_diff(right[&1]) < 12, "{turned:?} {right:?}");
    let error = scene
        .with_labels(buffered(&path).crs("EPSG:4326"), "kind")
        .unwrap_err();
    assert!(error.to_string().contains("x and y exchanged"), "{error}");
}

/// Of several layers a buffer means the one with lines; a line beside the scene reaches into it, one far away does not.
#[test]
fn the_layer_of_lines_is_meant_and_a_line_beside_the_scene_reaches_in() {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    // 2 m left of the image, along it, and far to the east.
    let beside = "LINESTRING (499998 5000010, 499998 4999940)".to_owned();
    let far = "LINESTRING (900000 5000010, 900000 4999940)".to_owned();
    let path = write(
        &folder.path().join("city.gpkg"),
        "GPKG",
        &[
            layer("buildings", "name", of(&[("a", square(0, 0, 5))])),
            crate::features::lines("roads", "name", of(&[("b", beside), ("c", far)])),
        ],
    );
    let source = VectorSource::new(&path).buffer(Buffer::meters(3.0));
    let labeled = scene
        .with_labels(source.clone(), LabelClass::one("road"))
        .unwrap();
    // One meter of 50: two columns of 100 rows.
    assert_eq!(label_counts(&labeled)[&1], 200);
    assert!(
        labeled
            .report()
            .mentions("the only one with lines or points"),
        "{}",
        labeled.report()
    );
    assert!(
        labeled
            .report()
            .mentions("1 of 2 polygons lie outside the scene"),
        "{}",
        labeled.report()
    );
    let none = scene.with_labels(source.filter("name = 'c'"), LabelClass::one("road"));
    assert!(
        none.unwrap_err()
            .to_string()
            .contains("no label lies on the scene")
    );
}

/// Authority: one GEOS buffer of it takes shapely seconds, too. In time, and the right area.
#[test]
fn a_line_of_a_million_vertices_takes_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    // Turns of a spiral, three meters apart, around the middle of the image, far beyond it.
    let mut text = String::from(
        r#"{"type":"Feature","properties":{"kind":"road"},"geometry":{"type":"LineString","coordinates":["#,
    );
    for step in 0..1_000_000_u32 {
        let turn = f64::from(step) * 0.002;
        let radius = 3.0 * turn / std::f64::consts::TAU;
        let (x, y) = (
            500_050.0 + radius * turn.cos(),
            4_999_975.0 + radius * turn.sin(),
        );
        let comma = if step > 0 { "," } else { "" };
        write!(text, "{comma}[{x:.4},{y:.4}]").unwrap();
    }
    text.push_str("]}}");
    let path = folder.path().join("spiral.geojson");
    std::fs::write(&path, text).unwrap();
    let start = std::time::Instant::now();
    let source = VectorSource::new(&path)
        .crs("raster")
        .buffer(Buffer::meters(0.75));
    let labeled = scene.with_labels(source, "kind").unwrap();
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    // Half of the ground is within 0.75 m of a line each 3 m.
    let share = label_counts(&labeled)[&1] as f64 / 20_000.0;
    assert!((share - 0.5).abs() < 0.01, "{share}");
}
