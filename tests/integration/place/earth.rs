//! Where the Earth is round: the 180th meridian, whole turns, the poles, the ends of projections.

use super::*;

/// f27: a reef cut at 180 (RFC 7946, 3.1.9) on an image up to 180.034, 20 x 40 pixels.
#[test]
fn both_sides_of_the_180th_meridian_are_labeled() {
    assert_eq!(
        ones(
            case("f27-antimeridian/fiji.tif"),
            case("f27-antimeridian/reef.geojson")
        ),
        800
    );
    let folder = folder();
    let quad: &[(f64, f64)] = &[
        (-75.05, -12.05),
        (-74.9, -12.05),
        (-74.9, -12.2),
        (-75.05, -12.25),
        (-75.05, -12.05),
    ];
    let east: Vec<(f64, f64)> = quad.iter().map(|&(x, y)| (x + 360.0, y)).collect();
    let of_360 = placed(
        folder.path(),
        "EPSG:4326",
        [284.9, 0.005, 0.0, -12.0, 0.0, -0.005],
    );
    let labels = [
        geojson(folder.path(), "w.geojson", "", &[quad]),
        geojson(folder.path(), "e.geojson", "", &[&east]),
    ];
    let (west, east) = (ones(&of_360, &labels[0]), ones(&of_360, &labels[1]));
    // 1055: the sums of 360 round edges that run through the pixels' centers.
    assert!(
        west.abs_diff(1055) <= 31 && east.abs_diff(1055) <= 31,
        "{west} {east}"
    );
    let of_180 = placed(
        folder.path(),
        "EPSG:4326",
        [-75.1, 0.005, 0.0, -12.0, 0.0, -0.005],
    );
    let (west, east) = (ones(&of_180, &labels[0]), ones(&of_180, &labels[1]));
    assert!(west == 1045 && east.abs_diff(1045) <= 31, "{west} {east}");
    // UTM on both sides, cut and not cut.
    let a: &[(f64, f64)] = &[
        (179.998, -16.031),
        (180.0, -16.031),
        (180.0, -16.029),
        (179.998, -16.029),
        (179.998, -16.031),
    ];
    let b: &[(f64, f64)] = &[
        (-180.0, -16.031),
        (-179.9985, -16.031),
        (-179.9985, -16.029),
        (-180.0, -16.029),
        (-180.0, -16.031),
    ];
    let whole: &[(f64, f64)] = &[
        (179.998, -16.031),
        (-179.9985, -16.031),
        (-179.9985, -16.029),
        (179.998, -16.029),
        (179.998, -16.031),
    ];
    let beyond: Vec<(f64, f64)> = whole
        .iter()
        .map(|&(x, y)| (if x < 0.0 { x + 360.0 } else { x }, y))
        .collect();
    for (crs, x) in [("EPSG:32760", 820_732.0), ("EPSG:32701", 178_628.0)] {
        let image = placed(folder.path(), crs, [x, 10.0, 0.0, 8_225_744.0, 0.0, -10.0]);
        assert_eq!(
            ones(&image, geojson(folder.path(), "cut.geojson", "", &[a, b])),
            820,
            "{crs}"
        );
        assert_eq!(
            ones(
                &image,
                geojson(folder.path(), "beyond.geojson", "", &[&beyond])
            ),
            820,
            "{crs}"
        );
        let scene = labeled(
            &image,
            geojson(folder.path(), "whole.geojson", "", &[whole]),
        )
        .unwrap();
        assert_eq!(label_counts(&scene).get(&1), Some(&820), "{crs}");
        assert!(
            scene.report().mentions("180th meridian"),
            "{}",
            scene.report()
        );
    }
    // From UTM onto degrees of either kind.
    let meters = ring(&[
        (820_932.0, 8_225_544.0),
        (821_132.0, 8_225_544.0),
        (821_132.0, 8_225_344.0),
        (820_932.0, 8_225_344.0),
    ]);
    let labels = gpkg(folder.path(), "utm.gpkg", "EPSG:32760", vec![meters]);
    let on = |west: f64| {
        let image = placed(
            folder.path(),
            "EPSG:4326",
            [west, 0.0001, 0.0, -16.028, 0.0, -0.0001],
        );
        ones(&image, &labels)
    };
    let (first, second) = (on(179.9968), on(-180.0032));
    assert!(
        first > 300 && first.abs_diff(second) <= 2,
        "{first} {second}"
    );
}

/// RFC 7946, 3.1.9: what crosses the 180th meridian is cut there, and longitudes are between -180 and 180 (4.).
#[test]
fn saved_geojson_is_cut_at_the_180th_meridian() {
    let folder = folder();
    let (x, y) = (820_932.0, 8_225_544.0);
    let square = |from: f64, to: f64| {
        LineString::from(vec![
            (x + from, y - from),
            (x + to, y - from),
            (x + to, y - to),
            (x + from, y - to),
        ])
    };
    let feature = |polygon: Polygon<f64>| PolygonFeature {
        geometry: MultiPolygon::new(vec![polygon]),
        class: "a".to_owned(),
        score: None,
        area_m2: 1.0,
    };
    let crossing = feature(Polygon::new(square(0.0, 200.0), vec![square(20.0, 30.0)]));
    let path = folder.path().join("utm.geojson");
    write_polygons(&path, &[crossing], "EPSG:32760", Format::GeoJson).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let parts = json["features"][0]["geometry"]["coordinates"]
        .as_array()
        .unwrap();
    assert_eq!(parts.len(), 2, "{text}");
    for part in parts {
        let points = part[0].as_array().unwrap().iter();
        let xs: Vec<f64> = points.map(|point| point[0].as_f64().unwrap()).collect();
        let low = xs.iter().copied().fold(f64::MAX, f64::min);
        let high = xs.iter().copied().fold(f64::MIN, f64::max);
        assert!(
            low >= -180.0 && high <= 180.0 && high - low < 0.01,
            "{xs:?}"
        );
    }
    // 20 x 20 pixels of 10 m with a hole of one.
    let image = placed(
        folder.path(),
        "EPSG:32760",
        [820_732.0, 10.0, 0.0, 8_225_744.0, 0.0, -10.0],
    );
    assert_eq!(ones(&image, &path), 399);
    // An edge around the world is no crossing.
    let band = [
        (-180.0, -10.0),
        (180.0, -10.0),
        (180.0, 10.0),
        (-180.0, 10.0),
    ];
    let path = folder.path().join("band.geojson");
    write_polygons(&path, &[feature(ring(&band))], "EPSG:4326", Format::GeoJson).unwrap();
    let earth = placed(
        folder.path(),
        "EPSG:4326",
        [-180.0, 5.625, 0.0, 90.0, 0.0, -2.8125],
    );
    assert_eq!(ones(&earth, &path), 64 * 8);
    // Longitudes of 0 to 360 are written between -180 and 180.
    let degrees = feature(ring(&[
        (285.0, -12.0),
        (285.1, -12.0),
        (285.1, -12.1),
        (285.0, -12.1),
    ]));
    let path = folder.path().join("west.geojson");
    write_polygons(&path, &[degrees], "EPSG:4326", Format::GeoJson).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("[-75.00000000,-12.00000000]"), "{text}");
}

/// A box of 170 to 190 degrees on images of the whole Earth: 4 columns of 8 rows.
#[test]
fn whole_earths_hold_both_parts() {
    let folder = folder();
    let both: &[(f64, f64)] = &[
        (170.0, -10.0),
        (190.0, -10.0),
        (190.0, 10.0),
        (170.0, 10.0),
        (170.0, -10.0),
    ];
    let labels = geojson(folder.path(), "box.geojson", "", &[both]);
    for west in [-180.0, 0.0] {
        let earth = placed(
            folder.path(),
            "EPSG:4326",
            [west, 5.625, 0.0, 90.0, 0.0, -2.8125],
        );
        assert_eq!(ones(&earth, &labels), 32, "from {west}");
    }
    // The Antarctic as a circle around the pole, 64 columns of 6 rows south of -71.74.
    let circle = (0..=360).map(|degree| f64::from(degree).to_radians().sin_cos());
    let circle: Vec<(f64, f64)> = circle.map(|(sin, cos)| (2e6 * cos, 2e6 * sin)).collect();
    let cap = gpkg(folder.path(), "cap.gpkg", "EPSG:3031", vec![ring(&circle)]);
    for west in [-180.0, 0.0] {
        let earth = placed(
            folder.path(),
            "EPSG:4326",
            [west, 5.625, 0.0, 90.0, 0.0, -2.8125],
        );
        assert_eq!(ones(&earth, &cap), 384, "from {west}");
    }
}

/// The same cap in degrees on an image over the pole: 1484, a quarter of it 371.
#[test]
fn the_pole_is_no_edge() {
    let folder = folder();
    let image = placed(
        folder.path(),
        "EPSG:3031",
        [-64_000.0, 2000.0, 0.0, 64_000.0, 0.0, -2000.0],
    );
    let cap: &[(f64, f64)] = &[
        (-180.0, -89.6),
        (180.0, -89.6),
        (180.0, -90.0),
        (-180.0, -90.0),
        (-180.0, -89.6),
    ];
    let quarter: &[(f64, f64)] = &[
        (0.0, -89.6),
        (90.0, -89.6),
        (90.0, -90.0),
        (0.0, -90.0),
        (0.0, -89.6),
    ];
    assert_eq!(
        ones(&image, geojson(folder.path(), "cap.geojson", "", &[cap])),
        1484
    );
    assert_eq!(
        ones(
            &image,
            geojson(folder.path(), "quarter.geojson", "", &[quarter])
        ),
        371
    );
}

/// f34: a polygon around half the world holds every pixel of a UTM image.
#[test]
fn polygons_larger_than_a_projection_are_cut() {
    assert_eq!(
        ones(
            case("f34-world-polygon/image.tif"),
            case("f34-world-polygon/land.geojson")
        ),
        4096
    );
    let folder = folder();
    let world: &[(f64, f64)] = &[
        (-180.0, -90.0),
        (180.0, -90.0),
        (180.0, 90.0),
        (-180.0, 90.0),
        (-180.0, -90.0),
    ];
    let of_360: &[(f64, f64)] = &[
        (0.0, -90.0),
        (360.0, -90.0),
        (360.0, 90.0),
        (0.0, 90.0),
        (0.0, -90.0),
    ];
    let all = [
        geojson(folder.path(), "world.geojson", "", &[world]),
        geojson(folder.path(), "360.geojson", "", &[of_360]),
    ];
    for (crs, place) in [
        ("EPSG:32633", [5e5, 0.5, 0.0, 5e6, 0.0, -0.5]),
        (
            "EPSG:32701",
            [178_628.0, 10.0, 0.0, 8_225_744.0, 0.0, -10.0],
        ),
        ("EPSG:3035", [4_320_968.0, 1.0, 0.0, 2_987_543.0, 0.0, -1.0]),
        (
            "EPSG:3857",
            [
                -20_037_508.34,
                626_172.1,
                0.0,
                20_037_508.34,
                0.0,
                -626_172.1,
            ],
        ),
        (
            "EPSG:3031",
            [-64_000.0, 2000.0, 0.0, 64_000.0, 0.0, -2000.0],
        ),
        ("EPSG:4326", [10.0, 0.01, 0.0, 50.0, 0.0, -0.01]),
        ("EPSG:2154", [700_000.0, 1.0, 0.0, 6_600_000.0, 0.0, -1.0]),
    ] {
        let image = placed(folder.path(), crs, place);
        for labels in &all {
            assert_eq!(ones(&image, labels), 4096, "{crs} {labels:?}");
        }
    }
    // A hole of the size of a country around the image, and a small one in it.
    let text = "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"properties\":{},\"geometry\":{\"type\":\"Polygon\",\
                \"coordinates\":[[[-180,-90],[180,-90],[180,90],[-180,90],[-180,-90]],[[10,40],[20,40],[20,50],[10,50],[10,40]]]}}]}";
    let sea = folder.path().join("sea.geojson");
    std::fs::write(&sea, text).unwrap();
    let image = placed(folder.path(), "EPSG:32633", [5e5, 0.5, 0.0, 5e6, 0.0, -0.5]);
    // Nothing of the polygon is on the image, though it is all around: an error, or background, but no label.
    if let Ok(scene) = labeled(&image, &sea) {
        assert_eq!(label_counts(&scene).get(&1), None);
    }
}

/// The 50th parallel from 10 to 20 degrees is straight in the file (RFC 7946, 3.1.1) and bends in UTM: half the image lies
/// north of it, none of the straight line that `ogr2ogr` draws (shapely.segmentize(polygon, 0.001) first: 2048; not: 0).
#[test]
fn long_edges_bend_as_the_file_has_them() {
    let folder = folder();
    let image = placed(
        folder.path(),
        "EPSG:32633",
        [535_513.0, 10.0, 0.0, 5_539_070.0, 0.0, -10.0],
    );
    let north: &[(f64, f64)] = &[
        (10.0, 50.0),
        (20.0, 50.0),
        (20.0, 55.0),
        (10.0, 55.0),
        (10.0, 50.0),
    ];
    assert_eq!(
        ones(
            &image,
            geojson(folder.path(), "north.geojson", "", &[north])
        ),
        2048
    );
}
