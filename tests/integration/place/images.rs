//! Images: control points, other kinds of place, none at all.

use super::*;

/// rasterio `from_gcps` on the nine control points: 839.
#[test]
fn ground_control_points_give_the_place() {
    let scene = labeled(
        case("f04-gcp-only/sar.tif"),
        case("f04-gcp-only/water.geojson"),
    )
    .unwrap();
    assert_eq!(label_counts(&scene).get(&1), Some(&839));
    assert!(
        scene.report().mentions("9 ground control points"),
        "{}",
        scene.report()
    );
    // At another pixel size the points move with the pixels: 801.03 pixels are the polygons' area (shapely).
    let fine = Scene::open_at(case("f04-gcp-only/sar.tif"), Resolution::Factor(2.0)).unwrap();
    let fine = fine
        .with_labels(case("f04-gcp-only/water.geojson"), "a")
        .unwrap();
    let found = label_counts(&fine)[&1];
    assert!(found.abs_diff(4 * 801) < 60, "{found}");
}

fn points(list: &[(f64, f64, f64, f64)]) -> String {
    let point = |(index, (col, row, x, y)): (usize, &(f64, f64, f64, f64))| {
        format!("<GCP Id=\"{index}\" Pixel=\"{col}\" Line=\"{row}\" X=\"{x}\" Y=\"{y}\"/>")
    };
    let all: String = list.iter().enumerate().map(point).collect();
    format!("<GCPList Projection=\"EPSG:4326\" dataAxisToSRSAxisMapping=\"2,1\">{all}</GCPList>")
}

/// The corners are those of 0.01 degrees a pixel from (10, 50), the middle is moved.
#[test]
fn points_that_miss_are_told_or_give_no_place() {
    let folder = folder();
    let with_middle = |moved: f64| {
        points(&[
            (0.0, 0.0, 10.0, 50.0),
            (64.0, 0.0, 10.64, 50.0),
            (0.0, 64.0, 10.0, 49.36),
            (64.0, 64.0, 10.64, 49.36),
            (32.0, 32.0, 10.32 + moved * 0.01, 49.68),
        ])
    };
    // The mean of the misses goes into the offset: 4/5 of 5 pixels are left.
    let scene = Scene::open(image(folder.path(), "five.vrt", &with_middle(5.0))).unwrap();
    assert!(
        scene.raster().report().mentions("up to 4.00 pixels"),
        "{}",
        scene.report()
    );
    assert!(scene.raster().report().mentions("QGIS"));
    let far = image(folder.path(), "far.vrt", &with_middle(30.0));
    let scene = Scene::open(&far).unwrap();
    assert!(!scene.raster().is_georeferenced());
    assert!(
        scene.report().mentions("5 ground control points miss"),
        "{}",
        scene.report()
    );
    let square = [
        (10.1, 49.9),
        (10.2, 49.9),
        (10.2, 49.8),
        (10.1, 49.8),
        (10.1, 49.9),
    ];
    let (error, _) = refusal(
        &far,
        gpkg(folder.path(), "a.gpkg", "EPSG:4326", vec![ring(&square)]),
    );
    assert!(error.contains("ground control points"), "{error}");
}

/// 10 x 10 pixels of 0.01 degrees, on both sides of the 180th meridian.
#[test]
fn points_across_the_180th_meridian_are_neighbors() {
    let folder = folder();
    let list = points(&[
        (0.0, 0.0, 179.68, -16.0),
        (64.0, 0.0, -179.68, -16.0),
        (0.0, 64.0, 179.68, -16.64),
        (64.0, 64.0, -179.68, -16.64),
    ]);
    let path = image(folder.path(), "gcp.vrt", &list);
    let west: &[(f64, f64)] = &[
        (179.95, -16.2),
        (180.0, -16.2),
        (180.0, -16.3),
        (179.95, -16.3),
        (179.95, -16.2),
    ];
    let east: &[(f64, f64)] = &[
        (-180.0, -16.2),
        (-179.95, -16.2),
        (-179.95, -16.3),
        (-180.0, -16.3),
        (-180.0, -16.2),
    ];
    assert_eq!(
        ones(
            &path,
            geojson(folder.path(), "reef.geojson", "", &[west, east])
        ),
        100
    );
}

#[test]
fn other_kinds_of_place_are_named() {
    let folder = folder();
    let degrees = [(15.0, 45.0), (15.1, 45.0), (15.1, 45.1), (15.0, 45.0)];
    let labels = gpkg(folder.path(), "a.gpkg", "EPSG:4326", vec![ring(&degrees)]);
    let item = |domain: &str, key: &str| {
        format!("<Metadata domain=\"{domain}\"><MDI key=\"{key}\">1</MDI></Metadata>")
    };
    for (name, place, word) in [
        ("rpc.vrt", item("RPC", "LINE_OFF"), "RPC"),
        (
            "arrays.vrt",
            item("GEOLOCATION", "X_DATASET"),
            "geolocation arrays",
        ),
        (
            "system.vrt",
            "<SRS>EPSG:32633</SRS>".to_owned(),
            "EPSG:32633",
        ),
        (
            "flat.vrt",
            "<SRS>EPSG:32633</SRS><GeoTransform>500000,1,1,5000000,1,1</GeoTransform>".to_owned(),
            "no area",
        ),
        (
            "zero.vrt",
            "<SRS>EPSG:32633</SRS><GeoTransform>0,0,0,0,0,0</GeoTransform>".to_owned(),
            "no area",
        ),
    ] {
        let path = image(folder.path(), name, &place);
        let scene = Scene::open(&path).unwrap();
        assert!(scene.report().mentions(word), "{name}: {}", scene.report());
        let (error, hint) = refusal(&path, &labels);
        assert!(error.contains(word), "{error}");
        assert!(hint.contains("pixels"), "{hint}");
    }
}

/// Both ways out are named: the image's place, or that the coordinates are its own.
#[test]
fn labels_with_a_system_need_an_image_with_one() {
    let folder = folder();
    let png = image(folder.path(), "plain.vrt", "");
    let degrees = [(15.0, 45.0), (15.1, 45.0), (15.1, 45.1), (15.0, 45.0)];
    let labels = gpkg(folder.path(), "a.gpkg", "EPSG:4326", vec![ring(&degrees)]);
    let (error, hint) = refusal(&png, &labels);
    assert!(
        error.contains("EPSG:4326") && error.contains("names no coordinate reference system"),
        "{error}"
    );
    assert!(
        hint.contains(".crs(\"pixels\")")
            && hint.contains(".crs(\"raster\")")
            && hint.contains("place"),
        "{hint}"
    );
    let utm = gpkg(folder.path(), "utm.gpkg", "EPSG:32633", vec![ring(&SQUARE)]);
    assert!(refusal(&png, &utm).0.contains("look like pixels"));
    assert_eq!(ones(&png, VectorSource::new(&utm).crs("pixels")), 600);
    assert_eq!(ones(&png, VectorSource::new(&utm).crs("raster")), 600);
    assert!(
        refusal(&png, VectorSource::new(&labels).crs("EPSG:4326"))
            .0
            .contains("EPSG:4326")
    );
    // GeoJSON says WGS 84 by itself: degrees are refused, pixels that fit the image are taken with a notice.
    let square = geojson(folder.path(), "px.geojson", "", &[&SQUARE]);
    let scene = labeled(&png, &square).unwrap();
    assert_eq!(label_counts(&scene).get(&1), Some(&600));
    assert!(
        scene.report().mentions("taken for pixels"),
        "{}",
        scene.report()
    );
    let small = geojson(folder.path(), "deg.geojson", "", &[&degrees]);
    assert!(
        refusal(&png, &small)
            .0
            .contains("GeoJSON without a `crs` member")
    );
    let west = geojson(
        folder.path(),
        "west.geojson",
        "",
        &[&[(-75.0, 40.0), (-70.0, 40.0), (-70.0, 45.0), (-75.0, 40.0)]],
    );
    refusal(&png, &west);
}

/// QGIS shows an image without a place at (0, 0) to (width, -height).
#[test]
fn pixels_of_qgis_count_upwards() {
    let folder = folder();
    let png = image(folder.path(), "plain.vrt", "");
    let up: Vec<(f64, f64)> = SQUARE.iter().map(|&(x, y)| (x, -y)).collect();
    let nameless = gpkg(folder.path(), "nameless.gpkg", "", vec![ring(&up)]);
    let scene = labeled(&png, &nameless).unwrap();
    assert_eq!(label_counts(&scene).get(&1), Some(&600));
    let labels = scene.label_window(&scene.area()).unwrap();
    assert_eq!(
        (
            labels[10 * 64 + 10],
            labels[9 * 64 + 10],
            labels[40 * 64 + 10]
        ),
        (1, 0, 0)
    );
    assert!(scene.report().mentions("QGIS"), "{}", scene.report());
    let named = gpkg(folder.path(), "named.gpkg", "EPSG:3857", vec![ring(&up)]);
    assert!(refusal(&png, &named).0.contains("as QGIS counts them"));
    assert_eq!(ones(&png, VectorSource::new(&named).crs("pixels")), 600);
    assert_eq!(
        ones(&png, geojson(folder.path(), "up.geojson", "", &[&up])),
        600
    );
}

/// GeoPackage 1.1.3.1.1: srs_id -1 is the undefined Cartesian system; GeoJSON of 2008, 3.: `"crs": null`, "no CRS can be
/// assumed".
#[test]
fn what_is_saved_without_a_place_comes_back_on_it() {
    let folder = folder();
    let png = image(folder.path(), "plain.vrt", "");
    let feature = PolygonFeature {
        geometry: MultiPolygon::new(vec![ring(&SQUARE)]),
        class: "a".to_owned(),
        score: Some(0.5),
        area_m2: 600.0,
    };
    for (name, format) in [
        ("p.gpkg", Format::GeoPackage),
        ("p.geojson", Format::GeoJson),
    ] {
        let path = write_polygons(
            folder.path().join(name),
            std::slice::from_ref(&feature),
            "",
            format,
        )
        .unwrap();
        let scene = labeled(&png, &path).unwrap();
        assert_eq!(label_counts(&scene).get(&1), Some(&600), "{name}");
        let bytes = std::fs::read(&path).unwrap();
        let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        match format {
            // The head of a geometry: magic, version 0, little endian with an envelope, srs_id.
            Format::GeoPackage => assert!(holds(b"GP\x00\x03\xff\xff\xff\xff")),
            _ => assert!(holds(b"\"crs\":null")),
        }
    }
    // A small object in the corner is no degree, either.
    let tiny = PolygonFeature {
        geometry: MultiPolygon::new(vec![ring(&[
            (1.0, 1.0),
            (2.0, 1.0),
            (2.0, 2.0),
            (1.0, 2.0),
            (1.0, 1.0),
        ])]),
        ..feature
    };
    let path = write_polygons(
        folder.path().join("tiny.geojson"),
        &[tiny],
        "",
        Format::GeoJson,
    )
    .unwrap();
    assert_eq!(ones(&png, &path), 1);
}
