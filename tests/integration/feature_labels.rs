//! What features become: classes by the property that is meant, text as it was written, tiles with nothing on them. Right
//! values are by pyogrio 0.12, geopandas and shapely where nothing else is said.

use swath::Hint;
use swath::labels::IGNORE;
use swath::scene::Scene;
use swath::vector::{LabelClass, VectorSource};

use crate::features::{imagery, layer, of, square, squares, write};
use crate::support::{case, label_counts};

/// f18. Authority: Raster Vision and DeepForest take a tile that was looked through, with nothing there.
#[test]
fn a_tile_with_nothing_in_it_is_all_background_and_says_so() {
    let image = Scene::open(case("f18-nothing-there/image.tif")).unwrap();
    let all = image.size().0 * image.size().1;
    let labeled = image
        .clone()
        .with_labels(case("f18-nothing-there/none.geojson"), "building")
        .unwrap();
    assert_eq!(label_counts(&labeled), [(0, all)].into());
    assert_eq!(labeled.classes().names(), ["background", "building"]);
    assert!(labeled.report().mentions("holds no features"));
    assert!(labeled.has_labels() && labeled.has_boxes() && labeled.boxes().is_empty());
    let folder = tempfile::tempdir().unwrap();
    for (driver, name) in [
        ("GPKG", "n.gpkg"),
        ("ESRI Shapefile", "n.shp"),
        ("FlatGeobuf", "n.fgb"),
    ] {
        let path = write(
            &folder.path().join(name),
            driver,
            &[layer("n", "kind", Vec::new())],
        );
        let named = image
            .clone()
            .with_classes(&path, "kind", ["tin", "concrete"])
            .unwrap();
        assert_eq!(label_counts(&named), [(0, all)].into(), "{name}");
        assert_eq!(named.classes().len(), 3);
    }
    // No property at all, and classes that are asked for.
    let named = image
        .clone()
        .with_classes(case("f18-nothing-there/none.geojson"), "kind", ["tin"])
        .unwrap();
    assert_eq!(label_counts(&named), [(0, all)].into());
    // An area of interest of nothing is none.
    let error = image
        .with_aoi(case("f18-nothing-there/none.geojson"))
        .unwrap_err();
    assert!(error.to_string().contains("area of interest"), "{error}");
}

#[test]
fn a_scene_between_the_labels_of_a_city_is_background_and_one_elsewhere_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    // Around the scene's 200 x 100 pixels, none on it.
    let around = of(&[
        (
            "tin",
            "POLYGON ((499900 5000100,499910 5000100,499910 5000110,499900 5000100))".to_owned(),
        ),
        (
            "tin",
            "POLYGON ((500300 4999800,500310 4999800,500310 4999810,500300 4999800))".to_owned(),
        ),
    ]);
    let path = write(
        &folder.path().join("around.gpkg"),
        "GPKG",
        &[layer("a", "kind", around)],
    );
    let labeled = scene.clone().with_labels(&path, "kind").unwrap();
    assert_eq!(label_counts(&labeled), [(0, 20_000)].into());
    assert_eq!(labeled.classes().names(), ["background", "tin"]);
    assert!(
        labeled
            .report()
            .mentions("none of 2 polygons lies on the scene"),
        "{}",
        labeled.report()
    );
    let far = of(&[(
        "tin",
        "POLYGON ((510000 5010000,510010 5010000,510010 5010010,510000 5010000))".to_owned(),
    )]);
    let path = write(
        &folder.path().join("far.gpkg"),
        "GPKG",
        &[layer("a", "kind", far)],
    );
    let error = scene.clone().with_labels(&path, "kind").unwrap_err();
    assert!(
        error.to_string().contains("no label lies on the scene"),
        "{error}"
    );
    assert!(
        error.hint().unwrap().contains("allow_elsewhere"),
        "{:?}",
        error.hint()
    );
    let meant = scene
        .clone()
        .with_labels(VectorSource::new(&path).allow_elsewhere(), "kind")
        .unwrap();
    assert_eq!(label_counts(&meant), [(0, 20_000)].into());
    let error = scene.clone().with_aoi(&path).unwrap_err();
    assert!(
        error.to_string().contains("area of interest lies nowhere"),
        "{error}"
    );
    assert!(scene.split_by_aoi(&path).is_err());
}

/// D6. Authority: shapely's `intersects` with the scene's rectangle.
#[test]
fn polygons_are_counted_on_the_scene_and_those_outside_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    let mut features = squares();
    features.push((
        "tin".to_owned(),
        "POLYGON ((500300 4999800,500310 4999800,500310 4999810,500300 4999800))".to_owned(),
    ));
    // Its bounding box covers the scene's corner, its area does not.
    features.push((
        "tin".to_owned(),
        "POLYGON ((500095 4999940,500110 4999960,500110 4999940,500095 4999940))".to_owned(),
    ));
    let path = write(
        &folder.path().join("a.gpkg"),
        "GPKG",
        &[layer("a", "kind", features)],
    );
    let labeled = scene.with_labels(&path, "kind").unwrap();
    assert_eq!(labeled.label_polygons().len(), 200);
    assert!(
        labeled
            .report()
            .mentions("2 of 202 polygons lie outside the scene"),
        "{}",
        labeled.report()
    );
    let (left, right) = labeled.split(swath::scene::Split::columns(0.25));
    let shown = |scene: &Scene| swath::display::Show::output(scene).text;
    assert!(
        shown(&labeled).contains("(100 polygons)"),
        "{}",
        shown(&labeled)
    );
    assert!(
        shown(&left).contains("(30 polygons)") && shown(&left).contains("(20 polygons)"),
        "{}",
        shown(&left)
    );
    assert!(shown(&right).contains("(70 polygons)"), "{}", shown(&right));
}

/// f32.
#[test]
fn a_property_spelled_otherwise_is_found_and_said() {
    let folder = case("f32-property-name");
    let scene = Scene::open(folder.join("image.tif")).unwrap();
    let labeled = scene
        .clone()
        .with_labels(folder.join("l.geojson"), "class")
        .unwrap();
    assert_eq!(labeled.classes().names(), ["background", "house", "road"]);
    assert!(
        labeled
            .report()
            .mentions("the property \"Class\" was taken"),
        "{}",
        labeled.report()
    );
    let all = scene
        .clone()
        .with_labels(folder.join("l.geojson"), LabelClass::one("class"))
        .unwrap();
    assert_eq!(all.classes().names(), ["background", "class"]);
    let error = scene
        .clone()
        .with_labels(folder.join("l.geojson"), LabelClass::property("clazz"))
        .unwrap_err();
    assert!(
        error.to_string().contains("Class") && error.hint().unwrap().contains("Class"),
        "{error}"
    );
    let near = scene.with_labels(folder.join("l.geojson"), "clas").unwrap();
    assert_eq!(near.classes().names(), ["background", "clas"]);
    assert!(
        near.report().mentions("there is \"Class\""),
        "{}",
        near.report()
    );
    // A shapefile keeps ten letters of `landcover_class`.
    let folder = case("f32-property-name-2");
    let scene = Scene::open(folder.join("image.tif")).unwrap();
    let labeled = scene
        .clone()
        .with_labels(folder.join("l.shp"), "landcover_class")
        .unwrap();
    assert_eq!(labeled.classes().names(), ["background", "crop", "water"]);
    assert!(
        labeled.report().mentions("landcover_"),
        "{}",
        labeled.report()
    );
    let named = scene
        .with_classes(folder.join("l.shp"), "landcover_class", ["water", "crop"])
        .unwrap();
    assert_eq!(named.classes().names(), ["background", "water", "crop"]);
}

/// f29. Authority: pyogrio reads ISO-8859-1 where no `.cpg` says otherwise, and real numbers as numbers.
#[test]
fn names_in_a_shapefile_are_read_as_they_were_written() {
    let folder = case("f29-shapefile-text");
    let scene = Scene::open(folder.join("image.tif")).unwrap();
    let labeled = scene
        .clone()
        .with_labels(folder.join("l.shp"), "art")
        .unwrap();
    assert_eq!(
        labeled.classes().names(),
        ["background", "Gebäude", "Straße"]
    );
    assert!(
        labeled.report().mentions("ISO-8859-1"),
        "{}",
        labeled.report()
    );
    let filtered = VectorSource::new(folder.join("l.shp")).filter("art = 'Gebäude'");
    let only = scene.clone().with_labels(filtered, "art").unwrap();
    assert_eq!(only.classes().names(), ["background", "Gebäude"]);
    let stated = VectorSource::new(folder.join("l.shp")).encoding("ISO-8859-1");
    let stated = scene.clone().with_labels(stated, "art").unwrap();
    assert_eq!(
        stated.classes().names(),
        ["background", "Gebäude", "Straße"]
    );
    assert!(!stated.report().mentions("ISO"), "{}", stated.report());
    let other = VectorSource::new(folder.join("l.shp")).encoding("CP850");
    let other = scene.clone().with_labels(other, "art").unwrap();
    assert_ne!(other.classes().names(), stated.classes().names());
    let unknown = VectorSource::new(folder.join("l.shp")).encoding("KLINGON-1");
    assert!(
        scene
            .with_labels(unknown, "art")
            .unwrap_err()
            .to_string()
            .contains("KLINGON")
    );
    let folder = case("f29-shapefile-text-2");
    let scene = Scene::open(folder.join("image.tif")).unwrap();
    let labeled = scene.with_labels(folder.join("l.shp"), "code").unwrap();
    assert_eq!(labeled.classes().names(), ["background", "1", "2"]);
}

/// A `.cpg` that is wrong, letters cut by the width of a field, tables in Windows-1252.
#[test]
fn text_that_is_not_what_it_is_said_to_be_is_mended_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    let path = write(
        &folder.path().join("a.shp"),
        "ESRI Shapefile",
        &[layer(
            "a",
            "kind",
            of(&[("XXXXaude", square(0, 0, 4)), ("Fels", square(10, 0, 4))]),
        )],
    );
    let table = path.with_extension("dbf");
    let mut bytes = std::fs::read(&table).unwrap();
    let at = bytes.windows(4).position(|part| part == b"XXXX").unwrap();
    bytes[at..at + 5].copy_from_slice(b"Geb\xe4u");
    std::fs::write(&table, &bytes).unwrap();
    std::fs::write(path.with_extension("cpg"), "UTF-8").unwrap();
    let labeled = scene.clone().with_labels(&path, "kind").unwrap();
    assert_eq!(
        labeled.classes().names(),
        ["background", "Fels", "Gebäuude"]
    );
    assert!(
        labeled.report().mentions("although the file says so"),
        "{}",
        labeled.report()
    );
    // UTF-8 under another flag: read as the file says, and said.
    bytes[at..at + 5].copy_from_slice("Gebä".as_bytes());
    std::fs::write(&table, &bytes).unwrap();
    std::fs::write(path.with_extension("cpg"), "ISO-8859-1").unwrap();
    let labeled = scene.clone().with_labels(&path, "kind").unwrap();
    assert!(
        labeled.report().mentions("reads as UTF-8"),
        "{}",
        labeled.report()
    );
    let right = VectorSource::new(&path).encoding("UTF-8");
    let right = scene.clone().with_labels(right, "kind").unwrap();
    assert!(
        right
            .classes()
            .names()
            .iter()
            .any(|name| name.starts_with("Gebä"))
    );
    let csv = folder.path().join("t.csv");
    let mut text = b"kind,WKT\nGeb\xe4ude,\"".to_vec();
    text.extend(square(0, 0, 4).as_bytes());
    text.extend(b"\"\n");
    std::fs::write(&csv, text).unwrap();
    let labeled = scene.with_labels(&csv, "kind").unwrap();
    assert_eq!(labeled.classes().names(), ["background", "Gebäude"]);
    assert!(
        labeled.report().mentions("not UTF-8"),
        "{}",
        labeled.report()
    );
}

/// Numbers by their value, truth values, dates, lists; blanks and the two forms of a letter.
#[test]
fn values_of_every_type_are_classes_as_a_person_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    let path = folder.path().join("v.geojson");
    let ring = |left: f64| {
        format!(
            "[[[{left},45.152],[{},45.152],[{},45.1515],[{left},45.152]]]",
            left + 0.0001,
            left + 0.0001
        )
    };
    let rows = [
        "\"real\":1.0,\"flag\":true,\"day\":\"2020-01-05\",\"list\":[\"a\",\"b\"],\"big\":9007199254740993,\"name\":\" house\"",
        "\"real\":2.5,\"flag\":false,\"day\":\"2021-11-30\",\"list\":[\"c\"],\"big\":1,\"name\":\"house\"",
        "\"real\":3,\"flag\":true,\"day\":\"2020-01-05\",\"list\":[],\"big\":2,\"name\":\"Ba\u{308}ume\"",
        "\"real\":null,\"flag\":null,\"day\":null,\"list\":null,\"big\":null,\"name\":\"B\u{e4}ume\"",
    ];
    let features: Vec<String> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| {
            format!(
                "{{\"type\":\"Feature\",\"properties\":{{{row}}},\"geometry\":{{\"type\":\"Polygon\",\"coordinates\":{}}}}}",
                ring(9.0 + index as f64 * 0.0002)
            )
        })
        .collect();
    std::fs::write(
        &path,
        format!(
            "{{\"type\":\"FeatureCollection\",\"features\":[{}]}}",
            features.join(",")
        ),
    )
    .unwrap();
    let source = VectorSource::new(&path).allow_elsewhere();
    let names = |property: &str| {
        let labeled = scene
            .clone()
            .with_labels(&source, LabelClass::property(property))
            .unwrap();
        let names = labeled.classes().names();
        names[1..]
            .iter()
            .map(|&name| name.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("real"), ["1", "2.5", "3"]);
    assert_eq!(names("flag"), ["false", "true"]);
    assert_eq!(names("day"), ["2020-01-05", "2021-11-30"]);
    assert_eq!(names("list"), ["a, b", "c"]);
    assert_eq!(names("big"), ["1", "2", "9007199254740993"]);
    assert_eq!(names("name"), ["B\u{e4}ume", "house"]);
    let report = scene.with_labels(&source, "name").unwrap().report();
    assert!(
        report.mentions("blanks were cut from the class names of 1 features"),
        "{report}"
    );
    assert!(report.mentions("unicode nfc"), "{report}");
    assert!(report.mentions("\"house\" (2)"), "{report}");
}

/// D2, D12.
#[test]
fn classes_that_were_not_named_are_all_listed_and_can_be_left_out_on_purpose() {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    let features = of(&[
        ("tin", square(0, 0, 4)),
        ("glass", square(10, 0, 4)),
        ("glass", square(20, 0, 4)),
        ("straw", square(30, 0, 4)),
        ("", square(40, 0, 4)),
    ]);
    let path = write(
        &folder.path().join("a.gpkg"),
        "GPKG",
        &[layer("a", "kind", features)],
    );
    let error = scene
        .clone()
        .with_classes(&path, "kind", ["tin"])
        .unwrap_err();
    assert!(
        error.to_string().contains("\"glass\" (2), \"straw\" (1)"),
        "{error}"
    );
    assert!(
        error.hint().unwrap().contains("others_ignored"),
        "{:?}",
        error.hint()
    );
    let kind = || LabelClass::property("kind");
    let ignored = scene
        .clone()
        .with_classes(&path, kind().others_ignored(), ["tin"])
        .unwrap();
    assert_eq!(
        label_counts(&ignored),
        [(0, 20_000 - 80), (1, 16), (IGNORE, 64)].into()
    );
    let dropped = scene
        .clone()
        .with_classes(&path, kind().others_as_background(), ["tin"])
        .unwrap();
    assert_eq!(
        label_counts(&dropped),
        [(0, 20_000 - 32), (1, 16), (IGNORE, 16)].into()
    );
    assert!(
        dropped
            .report()
            .mentions("3 of 5 features of other classes"),
        "{}",
        dropped.report()
    );
    assert!(
        dropped.report().mentions("1 of 5 features have no value"),
        "{}",
        dropped.report()
    );
    let one = scene
        .clone()
        .with_classes(&path, LabelClass::one("roof"), ["tree", "roof"])
        .unwrap();
    assert_eq!(label_counts(&one)[&2], 80);
    assert!(
        scene
            .clone()
            .with_classes(&path, LabelClass::one("car"), ["roof"])
            .is_err()
    );
    // A filter: only what fulfils it, an error with the properties' names, and one when nothing does.
    let filtered = |condition: &str| {
        let source = VectorSource::new(&path).filter(condition);
        scene.clone().with_classes(source, "kind", ["tin"])
    };
    assert_eq!(label_counts(&filtered("kind = 'tin'").unwrap())[&1], 16);
    for bad in [
        "kin = 'tin'",
        "\"kin\" = 'tin'",
        "kind ==== 3",
        "kind = 'zinc'",
    ] {
        let error = filtered(bad).unwrap_err();
        assert!(
            error.to_string().contains("its properties are kind"),
            "{bad}: {error}"
        );
    }
    let nameless = write(
        &folder.path().join("n.gpkg"),
        "GPKG",
        &[layer("n", "kind", of(&[("", square(0, 0, 4))]))],
    );
    let error = scene.with_labels(&nameless, "kind").unwrap_err();
    assert!(
        error.to_string().contains("no value in any of 1 features"),
        "{error}"
    );
}
