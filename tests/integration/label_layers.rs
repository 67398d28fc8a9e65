//! Labels of several files and layers, one over the other, and classes by tables and rules.

use std::path::{Path, PathBuf};

use swath::Hint;
use swath::labels::{Classes, IGNORE};
use swath::raster::{RasterType, Size, WriterOptions};
use swath::scene::Scene;
use swath::vector::{Buffer, LabelClass, VectorSource};

use crate::features::{imagery, layer, lines, of, square, write};
use crate::support::{label_counts, raster};

/// Land over most of the image, a house on it and a road across both.
fn city(folder: &Path) -> PathBuf {
    let land = of(&[("forest", square(0, 0, 60)), ("field", square(60, 0, 60))]);
    let houses = of(&[("house", square(50, 10, 20)), ("shed", square(100, 70, 4))]);
    let road = of(&[(
        "main",
        "LINESTRING (499990 4999990, 500200 4999990)".to_owned(),
    )]);
    write(
        &folder.join("city.gpkg"),
        "GPKG",
        &[
            layer("land", "cover", land),
            layer("houses", "use", houses),
            lines("roads", "name", road),
        ],
    )
}

/// Authority: `rasterio.features.rasterize` of the shapes in this order, which lets the last win.
#[test]
fn later_files_lie_over_earlier_ones_and_classes_are_united_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    let path = city(folder.path());
    let of_layer = |name: &str| VectorSource::new(&path).layer(name);
    let land = scene.with_labels(of_layer("land"), "cover").unwrap();
    // 6 pixels of 0.5 m up and down from the line at row 20: rows 18 to 22, all 200 columns.
    let road = of_layer("roads").buffer(Buffer::meters(1.0));
    let with_road = land
        .and_labels(road.clone(), LabelClass::one("road"))
        .unwrap();
    let all = with_road.and_labels(of_layer("houses"), "use").unwrap();
    assert_eq!(
        all.classes().names(),
        ["background", "field", "forest", "road", "house", "shed"]
    );
    let label = |scene: &Scene, col: usize, row: usize| {
        scene.label_window(&scene.area()).unwrap()[row * 200 + col]
    };
    assert_eq!(
        [
            label(&all, 10, 20),
            label(&all, 55, 20),
            label(&all, 75, 20)
        ],
        [3, 4, 3]
    );
    assert_eq!(
        [
            label(&all, 10, 40),
            label(&all, 70, 40),
            label(&all, 150, 40)
        ],
        [2, 1, 0]
    );
    assert_eq!(label_counts(&with_road)[&3], 4 * 200);
    assert_eq!(label_counts(&all)[&3], 4 * 180);
    assert_eq!(all.label_polygons().len(), 5);
    assert_eq!(all.boxes().len(), 5);
    assert_eq!(all.label_report().unwrap().features, 5);
    // In the other order the road lies over the house, and a name that is known keeps its index.
    let other = scene
        .with_labels(of_layer("houses"), "use")
        .unwrap()
        .and_labels(road, LabelClass::one("house"))
        .unwrap();
    assert_eq!(other.classes().names(), ["background", "house", "shed"]);
    assert_eq!(label_counts(&other)[&1], 20 * 20 + 4 * 180);
    // A filter for each, and what becomes of classes that the scene does not have.
    let houses = of_layer("houses").filter("\"use\" = 'house'");
    let filtered = land.and_labels(houses, "use").unwrap();
    assert_eq!(filtered.classes().len(), 4);
    let closed = land.and_labels(
        of_layer("houses"),
        LabelClass::property("use").others_ignored(),
    );
    let closed = closed.unwrap();
    assert_eq!(closed.classes().len(), 3);
    assert_eq!(label_counts(&closed)[&IGNORE], 20 * 20 + 4 * 4);
    assert!(
        closed
            .report()
            .mentions("2 of 2 features of other classes are areas that do not count")
    );
    // One file's labels take the place of all.
    assert_eq!(
        all.with_labels(of_layer("houses"), "use")
            .unwrap()
            .label_polygons()
            .len(),
        2
    );
}

/// Polygons lie over a raster of classes, whose ignored pixels they name.
#[test]
fn polygons_lie_over_a_label_raster() {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    let classes = raster(
        &folder.path().join("classes.tif"),
        Size::new(200, 100),
        1,
        RasterType::U8,
        WriterOptions::default(),
        |_, col, _| if col < 100 { 1.0 } else { 255.0 },
    );
    let cover = scene
        .with_label_raster(classes, Classes::new(["grass"]))
        .unwrap();
    let path = city(folder.path());
    let houses = VectorSource::new(&path).layer("houses");
    let both = cover.and_labels(houses, "use").unwrap();
    assert_eq!(
        both.classes().names(),
        ["background", "grass", "house", "shed"]
    );
    let counts = label_counts(&both);
    assert_eq!(
        counts,
        [(1, 10_000 - 400), (2, 400), (3, 16), (IGNORE, 10_000 - 16)].into()
    );
    let only = both.only(["house"]).unwrap();
    assert_eq!(label_counts(&only)[&1], 400);
}

/// Authority: Raster Vision lets the first filter that holds decide (`ClassInferenceTransformer.infer_class_id`), QGIS the
/// first rule.
#[test]
fn rules_give_classes_and_the_first_that_holds_counts() {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    let kinds = [
        ("house", square(0, 0, 10)),
        ("garage", square(20, 0, 10)),
        ("pond", square(40, 0, 10)),
        ("pier", square(60, 0, 10)),
        ("pier", square(80, 0, 10)),
        ("", square(100, 0, 10)),
    ];
    for (driver, name) in [
        ("GPKG", "a.gpkg"),
        ("ESRI Shapefile", "a.shp"),
        ("GeoJSON", "a.geojson"),
    ] {
        let path = write(
            &folder.path().join(name),
            driver,
            &[layer("a", "kind", of(&kinds))],
        );
        let rules = LabelClass::rules([
            ("kind IN ('house', 'garage')", "building"),
            ("kind = 'pond'", "water"),
            ("kind = 'garage'", "garage"),
        ]);
        let labeled = scene.with_labels(&path, rules.clone()).unwrap();
        assert_eq!(
            labeled.classes().names(),
            ["background", "building", "water", "garage"],
            "{name}"
        );
        let counts = label_counts(&labeled);
        assert_eq!(
            (counts[&1], counts[&2], counts.get(&3)),
            (200, 100, None),
            "{name}"
        );
        let report = labeled.report();
        assert!(
            report.mentions(
                "3 of 6 features for which no rule holds were left out, so that they are background"
            ),
            "{name}: {report}"
        );
        assert!(report.mentions("\"kind = pier\" (2)"), "{report}");
        assert!(
            report.mentions("\"without any of these properties\" (1)"),
            "{report}"
        );
        let ignored = scene
            .with_labels(&path, rules.clone().others_ignored())
            .unwrap();
        assert_eq!(label_counts(&ignored)[&IGNORE], 300);
        // The filter of the source holds first.
        let some = VectorSource::new(&path).filter("kind <> 'garage'");
        assert_eq!(
            label_counts(&scene.with_labels(some, rules.clone()).unwrap())[&1],
            100
        );
        let boxes = scene.with_boxes(&path, rules.clone()).unwrap();
        assert_eq!(boxes.boxes().len(), 3);
        assert_eq!(
            boxes.classes().names(),
            ["background", "building", "water", "garage"]
        );
        // Named classes in another order.
        let named = scene
            .with_classes(&path, rules.clone(), ["water", "garage", "building"])
            .unwrap();
        assert_eq!(label_counts(&named)[&3], 200);
        let error = scene.with_classes(&path, rules, ["water"]);
        // What no named class holds is left out, as the rules say of others.
        assert_eq!(label_counts(&error.unwrap())[&1], 100);
        let error = scene
            .with_labels(&path, LabelClass::rules([("color = 'red'", "red")]))
            .unwrap_err();
        assert!(
            error.to_string().contains("color = 'red'") && error.to_string().contains("kind"),
            "{error}"
        );
        assert!(error.hint().is_some());
        let none = LabelClass::rules(Vec::<(String, String)>::new());
        assert!(
            scene
                .with_labels(&path, none)
                .unwrap_err()
                .to_string()
                .contains("no rule")
        );
    }
}

#[test]
fn a_table_gives_classes_to_values_and_unknown_ones_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    let path = folder.path().join("codes.geojson");
    let ring = |col: usize| {
        let ring = crate::support::degrees(&[
            (col as f64, 10.0),
            (col as f64 + 10.0, 10.0),
            (col as f64 + 10.0, 20.0),
            (col as f64, 20.0),
        ]);
        serde_json::json!([ring])
    };
    let feature = |code: serde_json::Value, col: usize| {
        serde_json::json!({"type": "Feature", "properties": {"code": code},
            "geometry": {"type": "Polygon", "coordinates": ring(col)}})
    };
    let features = [
        feature(1.into(), 0),
        feature(serde_json::json!(2.0), 20),
        feature(3.into(), 40),
        feature(9.into(), 60),
        feature(serde_json::Value::Null, 80),
    ];
    let all = serde_json::json!({"type": "FeatureCollection", "features": features});
    std::fs::write(&path, all.to_string()).unwrap();
    let table = LabelClass::table("code", [(1, "water"), (2, "road"), (3, "road"), (4, "ice")]);
    let error = scene.with_labels(&path, table.clone()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the labels hold \"9\" (1), the classes are water, road, ice"),
        "{error}"
    );
    let hint = error.hint().unwrap();
    assert!(hint.contains("others_ignored"), "{hint}");
    let labeled = scene
        .with_labels(&path, table.clone().others_as_background())
        .unwrap();
    assert_eq!(
        labeled.classes().names(),
        ["background", "water", "road", "ice"]
    );
    let counts = label_counts(&labeled);
    assert_eq!(
        (counts[&1], counts[&2], counts[&IGNORE]),
        (100, 200, 100),
        "{counts:?}"
    );
    assert!(
        labeled
            .report()
            .mentions("1 of 5 features of other classes"),
        "{}",
        labeled.report()
    );
    assert!(
        labeled
            .report()
            .mentions("have no value of the property \"code\"")
    );
    let error = scene
        .with_labels(&path, LabelClass::table("codes", [(1, "water")]))
        .unwrap_err();
    assert!(
        error.to_string().contains("no property \"codes\""),
        "{error}"
    );
    let boxes = folder.path().join("boxes.csv");
    std::fs::write(&boxes, "xmin,ymin,xmax,ymax,code\n1,2,9,8,1\n").unwrap();
    let error = scene.with_boxes(&boxes, table).unwrap_err();
    assert!(error.to_string().contains("a table or rules"), "{error}");
}
