//! Where features and images lie: systems, longitudes, images without a place. Nothing is guessed in silence.
//!
//! Unless a test says otherwise its number is that of rasterio 1.4.4 and pyproj 3.7 (PROJ 9.5): the polygon through
//! `Transformer.from_crs(source, target, always_xy=True)`, then
//! `rasterio.features.rasterize([(polygon, 1)], (64, 64), transform=Affine.from_gdal(*transform)).sum()`.

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

fn labelled(image: impl AsRef<Path>, labels: impl Into<VectorSource>) -> swath::Result<Scene> {
    Scene::open(image)?.with_labels(labels, "a")
}

#[track_caller]
fn ones(image: impl AsRef<Path>, labels: impl Into<VectorSource>) -> usize {
    let scene = labelled(image, labels).unwrap_or_else(|error| panic!("{error}"));
    label_counts(&scene).get(&1).copied().unwrap_or_default()
}

#[track_caller]
fn refusal(image: impl AsRef<Path>, labels: impl Into<VectorSource>) -> (String, String) {
    match labelled(image, labels) {
        Ok(scene) => panic!("labelled: {:?}", label_counts(&scene)),
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

/// rasterio `from_gcps` on the nine control points: 839.
#[test]
fn ground_control_points_give_the_place() {
    let scene = labelled(
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
fn points_across_the_180th_meridian_are_neighbours() {
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
    let scene = labelled(&png, &square).unwrap();
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
    let scene = labelled(&png, &nameless).unwrap();
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
        let scene = labelled(&png, &path).unwrap();
        assert_eq!(label_counts(&scene).get(&1), Some(&600), "{name}");
        let bytes = std::fs::read(&path).unwrap();
        let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        match format {
            // The head of a geometry: magic, version 0, little endian with an envelope, srs_id.
            Format::GeoPackage => assert!(holds(b"GP\x00\x03\xff\xff\xff\xff")),
            Format::GeoJson => assert!(holds(b"\"crs\":null")),
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

/// Metres are no degrees (RFC 7946, 4.): f14 in UTM, 839 when the system is stated; f14-2 in web mercator.
#[test]
fn metres_in_geojson_are_told_as_such() {
    let (image, labels) = (
        case("f14-geojson-metres/image.tif"),
        case("f14-geojson-metres/b.geojson"),
    );
    let (error, hint) = refusal(&image, &labels);
    assert!(
        error.contains("no degrees (x 500004.1") && error.contains("without a `crs` member"),
        "{error}"
    );
    assert!(
        hint.contains(".crs(\"EPSG:CODE\")") && !hint.contains("buffer"),
        "{hint}"
    );
    assert_eq!(
        ones(&image, VectorSource::new(&labels).crs("EPSG:32633")),
        839
    );
    assert_eq!(ones(&image, VectorSource::new(&labels).crs("raster")), 839);
    assert_eq!(
        ones(
            &image,
            VectorSource::new(&labels).crs("+proj=utm +zone=33 +datum=WGS84")
        ),
        839
    );
    let (image, labels) = (
        case("f14-geojson-metres-2/image.tif"),
        case("f14-geojson-metres-2/b.geojson"),
    );
    assert!(
        refusal(&image, &labels)
            .0
            .contains("no degrees (x 1000002.65")
    );
    assert!(ones(&image, VectorSource::new(&labels).crs("EPSG:3857")) > 100);
    // Another format with the same lie, and one feature of several.
    let folder = folder();
    let image = placed(folder.path(), "EPSG:32633", [5e5, 1.0, 0.0, 5e6, 0.0, -1.0]);
    let metres = ring(&[
        (500_010.0, 4_999_990.0),
        (500_020.0, 4_999_990.0),
        (500_020.0, 4_999_980.0),
    ]);
    let path = gpkg(folder.path(), "lie.gpkg", "EPSG:4326", vec![metres.clone()]);
    assert!(
        refusal(&image, &path)
            .0
            .contains("the file says that it is in EPSG:4326")
    );
    let degrees = ring(&[
        (15.0, 45.1534),
        (15.0002, 45.1534),
        (15.0002, 45.1532),
        (15.0, 45.1532),
    ]);
    let path = gpkg(
        folder.path(),
        "some.gpkg",
        "EPSG:4326",
        vec![metres, degrees],
    );
    let scene = labelled(&image, &path).unwrap();
    assert!(
        scene
            .report()
            .mentions("1 of 2 features: with coordinates that are no degrees"),
        "{}",
        scene.report()
    );
}

/// f15: as a shapefile without .prj, 839; refused where nothing lies on the image then.
#[test]
fn files_without_a_system_are_taken_to_be_in_the_raster_s() {
    let (image, labels) = (
        case("f15-undefined-crs/image.tif"),
        case("f15-undefined-crs/b.gpkg"),
    );
    let scene = labelled(&image, &labels).unwrap();
    assert_eq!(label_counts(&scene).get(&1), Some(&839));
    assert!(
        scene
            .report()
            .mentions("names no coordinate reference system"),
        "{}",
        scene.report()
    );
    let folder = folder();
    let elsewhere = placed(folder.path(), "EPSG:32633", [6e5, 1.0, 0.0, 5e6, 0.0, -1.0]);
    let (error, hint) = refusal(&elsewhere, &labels);
    assert!(
        error.contains("the raster's was taken") && error.contains("x 500004"),
        "{error}"
    );
    assert!(hint.contains(".crs(\"EPSG:CODE\")"), "{hint}");
    // Ours without a system, and GeoJSON of 2008 that says that it has none.
    let metres: Vec<(f64, f64)> = SQUARE.iter().map(|&(x, y)| (6e5 + x, 5e6 - y)).collect();
    assert_eq!(
        ones(
            &elsewhere,
            gpkg(folder.path(), "minus.gpkg", "", vec![ring(&metres)])
        ),
        600
    );
    assert_eq!(
        ones(
            &elsewhere,
            geojson(folder.path(), "null.geojson", "\"crs\": null,", &[&metres])
        ),
        600
    );
    // Pixels on an image with a place.
    let pixels = gpkg(folder.path(), "pixels.gpkg", "", vec![ring(&SQUARE)]);
    assert!(refusal(&elsewhere, &pixels).1.contains(".crs(\"pixels\")"));
    assert_eq!(
        ones(&elsewhere, VectorSource::new(&pixels).crs("pixels")),
        600
    );
}

/// f15-2: GeoJSON is WGS 84, from which nothing leads into a site's own grid; 916 when it is said to be in the grid.
#[test]
fn local_grids_take_labels_that_are_said_to_be_in_them() {
    let (image, labels) = (
        case("f15-undefined-crs-2/image.tif"),
        case("f15-undefined-crs-2/b.geojson"),
    );
    let (error, hint) = refusal(&image, &labels);
    assert!(
        error.contains("Site grid") && error.contains("WGS 84") || error.contains("EPSG:4326"),
        "{error}"
    );
    assert!(hint.contains(".crs(\"raster\")"), "{hint}");
    assert_eq!(ones(&image, VectorSource::new(&labels).crs("raster")), 916);
    let local =
        "LOCAL_CS[\"Site grid\",UNIT[\"metre\",1],AXIS[\"Easting\",EAST],AXIS[\"Northing\",NORTH]]";
    assert_eq!(ones(&image, VectorSource::new(&labels).crs(local)), 916);
    let scene = Scene::open(&image).unwrap();
    assert_eq!(scene.raster().pixel_metres(), Some((0.2, 0.2)));
}

/// Polygons in national systems that count northing first, on rasters in them and in UTM, in GeoPackages, GeoJSON and
/// stated.
#[test]
fn every_order_of_axes_comes_to_the_same_place() {
    let folder = folder();
    for (crs, [x, y], degrees) in [
        (
            "EPSG:2180",
            [499968.0, 459341.0],
            [
                (18.999683373, 52.000192109),
                (19.000272622, 52.000158024),
                (19.000179367, 51.999831104),
                (18.999717034, 51.999924278),
            ],
        ),
        (
            "EPSG:3035",
            [4320968.0, 2987543.0],
            [
                (9.999696947, 50.000197836),
                (10.000260935, 50.000163759),
                (10.000171678, 49.999836919),
                (9.999729165, 49.99993007),
            ],
        ),
        (
            "EPSG:31467",
            [3500043.0, 5429220.0],
            [
                (8.99969675, 49.000197879),
                (9.000249422, 49.000163796),
                (9.000161952, 48.999836937),
                (8.999728317, 48.999930097),
            ],
        ),
        (
            "EPSG:2193",
            [1684070.0, 5460793.0],
            [
                (173.999737183, -40.999811676),
                (174.000218472, -40.999841641),
                (174.000147334, -41.000169701),
                (173.999768699, -41.000079663),
            ],
        ),
        (
            "EPSG:25833",
            [499968.0, 5761070.0],
            [
                (14.999683468, 52.000192024),
                (15.000272541, 52.000157949),
                (15.000179313, 51.999831127),
                (14.999717119, 51.999924274),
            ],
        ),
    ] {
        let image = placed(folder.path(), crs, [x, 1.0, 0.0, y, 0.0, -1.0]);
        let corners = [
            (10.27, 10.43),
            (50.71, 14.22),
            (44.31, 50.57),
            (12.58, 40.21),
        ]
        .map(|(col, row)| (x + col, y - row));
        let same = gpkg(folder.path(), "own.gpkg", crs, vec![ring(&corners)]);
        assert_eq!(ones(&image, &same), 1204, "{crs}");
        let closed: Vec<(f64, f64)> = degrees.iter().chain(&degrees[..1]).copied().collect();
        for labels in [
            VectorSource::new(geojson(folder.path(), "d.geojson", "", &[&closed])),
            VectorSource::new(gpkg(
                folder.path(),
                "d.gpkg",
                "EPSG:4326",
                vec![ring(&degrees)],
            )),
        ] {
            // PROJ 9.1 shifts from DHDN by 0.46 m otherwise than PROJ 9.5 (OCTTransform of GDAL 3.6.2).
            let tolerance = if crs == "EPSG:31467" { 20 } else { 0 };
            let found = ones(&image, labels);
            assert!(found.abs_diff(1204) <= tolerance, "{crs}: {found}");
        }
        // With northing first, and said so, or not.
        let turned: Vec<(f64, f64)> = corners.iter().map(|&(x, y)| (y, x)).collect();
        let turned = gpkg(folder.path(), "turned.gpkg", crs, vec![ring(&turned)]);
        if crs != "EPSG:25833" {
            let stated = format!("urn:ogc:def:crs:EPSG::{}", &crs[5..]);
            let (error, hint) = refusal(&image, &turned);
            assert!(error.contains("x and y exchanged 1 of 1"), "{error}");
            assert!(hint.contains(&stated), "{hint}");
            assert_eq!(
                ones(&image, VectorSource::new(&turned).crs(stated)),
                1204,
                "{crs}"
            );
        }
    }
}

/// Latitude first in a file of degrees, also where that is no latitude at all.
#[test]
fn latitude_first_is_told() {
    let folder = folder();
    for (lon, lat, zone) in [(15.0, 45.0, "EPSG:4326"), (-122.4, 37.7, "EPSG:4326")] {
        let image = placed(folder.path(), zone, [lon, 0.001, 0.0, lat, 0.0, -0.001]);
        let corners = SQUARE.map(|(col, row)| (lon + col * 0.001, lat - row * 0.001));
        let turned = corners.map(|(x, y)| (y, x));
        assert_eq!(
            ones(
                &image,
                geojson(folder.path(), "right.geojson", "", &[&corners])
            ),
            600
        );
        let path = geojson(folder.path(), "turned.geojson", "", &[&turned]);
        let (error, _) = refusal(&image, &path);
        assert!(error.contains("latitude or northing first"), "{error}");
        assert_eq!(
            ones(
                &image,
                VectorSource::new(&path).crs("urn:ogc:def:crs:EPSG::4326")
            ),
            600
        );
    }
}

/// Compound systems, heights, shifts to WGS 84, ESRI's words, WKT2: the same place.
#[test]
fn spellings_of_a_system_do_not_move_labels() {
    let folder = folder();
    let metres: Vec<(f64, f64)> = SQUARE.iter().map(|&(x, y)| (5e5 + x, 5e6 - y)).collect();
    let labels = gpkg(folder.path(), "a.gpkg", "EPSG:32633", vec![ring(&metres)]);
    let esri = "PROJCS[\"WGS_1984_UTM_Zone_33N\",GEOGCS[\"GCS_WGS_1984\",DATUM[\"D_WGS_1984\",SPHEROID[\"WGS_1984\",6378137.0,\
                298.257223563]],PRIMEM[\"Greenwich\",0.0],UNIT[\"Degree\",0.0174532925199433]],PROJECTION[\"Transverse_Mercator\"],\
                PARAMETER[\"False_Easting\",500000.0],PARAMETER[\"False_Northing\",0.0],PARAMETER[\"Central_Meridian\",15.0],\
                PARAMETER[\"Scale_Factor\",0.9996],PARAMETER[\"Latitude_Of_Origin\",0.0],UNIT[\"Meter\",1.0]]";
    for crs in [
        "EPSG:32633",
        "EPSG:32633+5773",
        "+proj=utm +zone=33 +datum=WGS84 +units=m",
        "+proj=utm +zone=33 +ellps=WGS84 +towgs84=0,0,0 +units=m",
        esri,
    ] {
        let image = placed(folder.path(), crs, [5e5, 1.0, 0.0, 5e6, 0.0, -1.0]);
        assert_eq!(ones(&image, &labels), 600, "{crs}");
        let plain = placed(folder.path(), "EPSG:32633", [5e5, 1.0, 0.0, 5e6, 0.0, -1.0]);
        assert_eq!(
            ones(&plain, VectorSource::new(&labels).crs(crs)),
            600,
            "{crs} stated"
        );
    }
    // NTF (Paris) in grads, from IGN's Lambert II.
    let image = placed(
        folder.path(),
        "EPSG:27572",
        [612_399.0, 1.0, 0.0, 2_222_282.0, 0.0, -1.0],
    );
    let grads = [
        (0.181_301_799, 52.222_498_363),
        (0.181_893_396, 52.222_460_037),
        (0.181_800_98, 52.222_097_819),
        (0.181_333_769, 52.222_200_941),
    ];
    let found = ones(
        &image,
        VectorSource::new(gpkg(
            folder.path(),
            "g.gpkg",
            "EPSG:4807",
            vec![ring(&grads)],
        ))
        .crs("EPSG:4807"),
    );
    assert!(found.abs_diff(1212) <= 2, "{found}");
}

/// f27: a reef cut at 180 (RFC 7946, 3.1.9) on an image up to 180.034, 20 x 40 pixels.
#[test]
fn both_sides_of_the_180th_meridian_are_labelled() {
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
    // 1055: the sums of 360 round edges that run through the pixels' centres.
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
        let scene = labelled(
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
    let metres = ring(&[
        (820_932.0, 8_225_544.0),
        (821_132.0, 8_225_544.0),
        (821_132.0, 8_225_344.0),
        (820_932.0, 8_225_344.0),
    ]);
    let labels = gpkg(folder.path(), "utm.gpkg", "EPSG:32760", vec![metres]);
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
    if let Ok(scene) = labelled(&image, &sea) {
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

/// D7: world files have no system, so nobody knows what a unit is.
#[test]
fn units_are_not_taken_for_metres() {
    let folder = folder();
    let path = placed(folder.path(), "", [1000.0, 0.5, 0.0, 2000.0, 0.0, -0.5]);
    let raster = Raster::open(&path).unwrap();
    assert!(raster.is_georeferenced());
    assert_eq!(
        (raster.pixel_metres(), raster.pixel_words().as_deref()),
        (None, Some("0.5 x 0.5 of unknown unit"))
    );
    let scene = Scene::open(&path).unwrap();
    let text = swath::display::Show::output(&scene).text;
    assert!(
        text.contains("0.5 x 0.5 of unknown unit")
            && !text.contains(" m,")
            && !text.contains("32 m"),
        "{text}"
    );
    assert!(
        scene
            .report()
            .mentions("names no coordinate reference system")
    );
    let error = Scene::open_at(&path, Resolution::Metres(1.0)).unwrap_err();
    assert!(error.to_string().contains("how long a metre is"), "{error}");
    assert!(Scene::open_at(&path, Resolution::Factor(0.5)).is_ok());
    let error = scene
        .chips(Chips::random(1, 16).window_metres(5.0..=8.0))
        .unwrap_err();
    assert!(error.to_string().contains("how long a metre is"), "{error}");
    // Labels without a system are in the same coordinates, those with one are refused.
    let world = SQUARE.map(|(col, row)| (1000.0 + col * 0.5, 2000.0 - row * 0.5));
    assert_eq!(
        ones(
            &path,
            gpkg(folder.path(), "own.gpkg", "", vec![ring(&world)])
        ),
        600
    );
    let named = gpkg(
        folder.path(),
        "named.gpkg",
        "EPSG:32633",
        vec![ring(&world)],
    );
    assert!(
        refusal(&path, &named)
            .0
            .contains("nobody says in which system")
    );
    assert_eq!(ones(&path, VectorSource::new(&named).crs("raster")), 600);
    // Feet are known.
    let feet = Raster::open(placed(
        folder.path(),
        "EPSG:2263",
        [1e6, 1.0, 0.0, 2e5, 0.0, -1.0],
    ))
    .unwrap();
    assert!((feet.pixel_metres().unwrap().0 - 0.3048).abs() < 1e-5);
}

/// A `.prj` file beside an image with a transform but without a system, as QGIS and ArcGIS read it.
#[test]
fn a_prj_file_beside_the_image_names_its_system() {
    let folder = folder();
    let path = placed(folder.path(), "", [5e5, 0.5, 0.0, 5e6, 0.0, -0.5]);
    let esri = "PROJCS[\"WGS_1984_UTM_Zone_33N\",GEOGCS[\"GCS_WGS_1984\",DATUM[\"D_WGS_1984\",SPHEROID[\"WGS_1984\",6378137.0,\
                298.257223563]],PRIMEM[\"Greenwich\",0.0],UNIT[\"Degree\",0.0174532925199433]],PROJECTION[\"Transverse_Mercator\"],\
                PARAMETER[\"False_Easting\",500000.0],PARAMETER[\"False_Northing\",0.0],PARAMETER[\"Central_Meridian\",15.0],\
                PARAMETER[\"Scale_Factor\",0.9996],PARAMETER[\"Latitude_Of_Origin\",0.0],UNIT[\"Meter\",1.0]]";
    std::fs::write(path.with_extension("prj"), esri).unwrap();
    let scene = Scene::open(&path).unwrap();
    assert_eq!(scene.raster().pixel_metres(), Some((0.5, 0.5)));
    let coarse = Scene::open_at(&path, Resolution::Metres(1.0)).unwrap();
    assert_eq!(coarse.raster().pixel_metres(), Some((1.0, 1.0)));
    assert!(scene.report().mentions("is that of"), "{}", scene.report());
    let metres = SQUARE.map(|(col, row)| (5e5 + col * 0.5, 5e6 - row * 0.5));
    assert_eq!(
        ones(
            &path,
            gpkg(folder.path(), "a.gpkg", "EPSG:32633", vec![ring(&metres)])
        ),
        600
    );
}

/// f28: the axes of a NetCDF file are in degrees.
#[test]
fn degrees_of_netcdf_are_no_metres() {
    let name = format!(
        "NETCDF:\"{}\":ndvi",
        case("f28-containers/day.nc").display()
    );
    let raster = Raster::open(&name).unwrap();
    let words = raster.pixel_words().unwrap();
    assert!(words.starts_with("0.01 x 0.01 degrees ("), "{words}");
    assert!(raster.report().mentions("WGS 84"), "{}", raster.report());
}

/// Turned, south-up and sheared images: rasterio, the polygon in the image's own coordinates, 600 pixels each.
#[test]
fn every_transform_with_an_area_works() {
    let folder = folder();
    for transform in [
        [5e5, 1.0, 0.0, 5e6, 0.0, 1.0],
        [5e5, 0.6, 0.8, 5e6, 0.8, -0.6],
        [5e5, -1.0, 0.0, 5e6, 0.0, -1.0],
        [5e5, 1.0, 0.25, 5e6, 0.0, -1.0],
        [5e5, 0.0, 1.0, 5e6, 1.0, 0.0],
    ] {
        let image = placed(folder.path(), "EPSG:32633", transform);
        let corner = |point| GeoTransform(transform).world_from_pixel(point);
        let corners = [(9.9, 9.9), (29.9, 9.9), (29.9, 39.9), (9.9, 39.9)].map(corner);
        let labels = gpkg(folder.path(), "a.gpkg", "EPSG:32633", vec![ring(&corners)]);
        assert_eq!(ones(&image, &labels), 600, "{transform:?}");
    }
}
