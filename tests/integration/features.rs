//! Features of label files: all of them or an error, and the layer that is meant. Right values are by pyogrio 0.12 (GDAL
//! 3.12) where nothing else is said.

use std::path::{Path, PathBuf};

use gdal::DriverManager;
use gdal::vector::{Geometry, LayerAccess as _, LayerOptions, OGRFieldType};
use swath::Hint;
use swath::labels::Classes;
use swath::raster::{GeoReference, RasterType, Size, WriterOptions};
use swath::scene::Scene;
use swath::vector::{self, VectorSource};

use crate::support::{CRS, case, grid, label_counts, raster};

/// A square of `side` pixels of [`imagery`] in meters of its system.
pub(crate) fn square(col: usize, row: usize, side: usize) -> String {
    let grid = grid();
    let corner = |col: usize, row: usize| {
        let (x, y) = grid.world_from_pixel((col as f64, row as f64));
        format!("{x} {y}")
    };
    let (a, b, c, d) = (
        corner(col, row),
        corner(col + side, row),
        corner(col + side, row + side),
        corner(col, row + side),
    );
    format!("POLYGON (({a},{b},{c},{d},{a}))")
}

pub(crate) fn imagery(folder: &Path) -> Scene {
    let path = raster(
        &folder.join("image.tif"),
        Size::new(200, 100),
        1,
        RasterType::U8,
        WriterOptions::default(),
        |_, col, _| col as f32,
    );
    Scene::open(path).unwrap()
}

fn reference() -> GeoReference {
    GeoReference::new(grid(), CRS.to_owned())
}

/// One layer: its name, its field, and a value and a geometry for each feature.
pub(crate) struct Layer<'a> {
    name: &'a str,
    field: &'a str,
    kind: gdal::vector::OGRwkbGeometryType::Type,
    features: Vec<(String, String)>,
}

const POLYGON: gdal::vector::OGRwkbGeometryType::Type =
    gdal::vector::OGRwkbGeometryType::wkbPolygon;
const POINT: gdal::vector::OGRwkbGeometryType::Type = gdal::vector::OGRwkbGeometryType::wkbPoint;

pub(crate) fn write(path: &Path, driver: &str, layers: &[Layer<'_>]) -> PathBuf {
    let driver = DriverManager::get_driver_by_name(driver).unwrap();
    let mut dataset = driver.create_vector_only(path).unwrap();
    let srs = gdal::spatial_ref::SpatialRef::from_epsg(32632).unwrap();
    for one in layers {
        let layer = dataset
            .create_layer(LayerOptions {
                name: one.name,
                srs: Some(&srs),
                ty: one.kind,
                options: None,
            })
            .unwrap();
        layer
            .create_defn_fields(&[(one.field, OGRFieldType::OFTString)])
            .unwrap();
        let definition = layer.defn();
        let index = definition.field_index(one.field).unwrap_or(0);
        for (value, wkt) in &one.features {
            let mut feature = gdal::vector::Feature::new(definition).unwrap();
            feature
                .set_geometry(Geometry::from_wkt(wkt).unwrap())
                .unwrap();
            if !value.is_empty() {
                feature.set_field_string(index, value).unwrap();
            }
            feature.create(&layer).unwrap();
        }
    }
    dataset.close().unwrap();
    path.to_owned()
}

/// 200 squares, whose kinds take turns.
pub(crate) fn squares() -> Vec<(String, String)> {
    (0..200)
        .map(|index| {
            let kind = if index % 2 == 0 { "concrete" } else { "tin" };
            let at = square(index % 20 * 10, index / 20 * 10, 6);
            (kind.to_owned(), at)
        })
        .collect()
}

pub(crate) fn of(features: &[(&str, String)]) -> Vec<(String, String)> {
    features
        .iter()
        .map(|(value, wkt)| ((*value).to_owned(), wkt.clone()))
        .collect()
}

pub(crate) fn layer<'a>(
    name: &'a str,
    field: &'a str,
    features: Vec<(String, String)>,
) -> Layer<'a> {
    Layer {
        name,
        field,
        kind: POLYGON,
        features,
    }
}

/// As [`layer`], of lines.
pub(crate) fn lines<'a>(
    name: &'a str,
    field: &'a str,
    features: Vec<(String, String)>,
) -> Layer<'a> {
    Layer {
        kind: gdal::vector::OGRwkbGeometryType::wkbLineString,
        ..layer(name, field, features)
    }
}

/// As [`layer`], of geometries of any kind.
pub(crate) fn mixed<'a>(
    name: &'a str,
    field: &'a str,
    features: Vec<(String, String)>,
) -> Layer<'a> {
    Layer {
        kind: gdal::vector::OGRwkbGeometryType::wkbUnknown,
        ..layer(name, field, features)
    }
}

fn cut(path: &Path, share: f64) {
    let bytes = std::fs::read(path).unwrap();
    std::fs::write(path, &bytes[..(bytes.len() as f64 * share) as usize]).unwrap();
}

/// Labels by `kind`, as text: how many polygons, or the error.
fn outcome(scene: &Scene, path: &Path) -> Result<usize, String> {
    scene
        .clone()
        .with_labels(path, "kind")
        .map(|scene| scene.label_polygons().len())
        .map_err(|error| error.to_string())
}

/// Authority: GDAL's error class (CE_Failure) with each of these, and the number of features that the file tells.
#[test]
fn a_damaged_file_of_any_format_is_an_error_and_never_a_part_of_its_features() {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    for (driver, name) in [
        ("GPKG", "a.gpkg"),
        ("FlatGeobuf", "a.fgb"),
        ("ESRI Shapefile", "a.shp"),
        ("GeoJSON", "a.geojson"),
        ("GeoJSONSeq", "a.geojsonl"),
        ("KML", "a.kml"),
        ("GML", "a.gml"),
        ("MapInfo File", "a.mif"),
        ("SQLite", "a.sqlite"),
    ] {
        let path = write(
            &folder.path().join(name),
            driver,
            &[layer("a", "kind", squares())],
        );
        assert_eq!(outcome(&scene, &path), Ok(200), "{name} whole");
        // What GDAL writes beside a GML file tells its layers and counts; without it the file stands alone.
        let _ = std::fs::remove_file(path.with_extension("gfs"));
        let _ = std::fs::remove_file(path.with_extension("xsd"));
        for share in [0.353, 0.503, 0.803, 0.973] {
            let whole = std::fs::read(&path).unwrap();
            cut(&path, share);
            let found = outcome(&scene, &path);
            assert!(found.is_err(), "{name} cut at {share}: {found:?}");
            std::fs::write(&path, whole).unwrap();
            let _ = std::fs::remove_file(path.with_extension("gfs"));
        }
    }
}

#[test]
fn pages_of_a_geopackage_that_are_lost_are_an_error_and_so_is_a_broken_geometry() {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    let path = write(
        &folder.path().join("a.gpkg"),
        "GPKG",
        &[layer("a", "kind", squares())],
    );
    let whole = std::fs::read(&path).unwrap();
    let holds_rows = |page: &[u8]| page.windows(8).filter(|part| part == b"concrete").count() > 3;
    let pages: Vec<usize> = (0..whole.len() / 4096)
        .filter(|&page| holds_rows(&whole[page * 4096..(page + 1) * 4096]))
        .collect();
    assert!(pages.len() > 4);
    let mut damaged = whole.clone();
    for &page in &pages[1..4] {
        damaged[page * 4096..(page + 1) * 4096].fill(0xff);
    }
    std::fs::write(&path, &damaged).unwrap();
    // SQLite: "database disk image is malformed".
    let error = outcome(&scene, &path).unwrap_err();
    assert!(error.contains("malformed"), "{error}");
    let read = vector::read_polygons(&path, &reference(), None);
    assert!(read.is_err());
    assert!(scene.with_aoi(&path).is_err());
    // One geometry whose first byte is none that a GeoPackage has ("GP").
    let mut damaged = whole;
    let at = damaged
        .windows(4)
        .rposition(|part| part == b"GP\0\x03" || part == b"GP\0\x01");
    damaged[at.unwrap()] = b'X';
    std::fs::write(&path, &damaged).unwrap();
    assert!(outcome(&imagery(folder.path()), &path).is_err());
}

#[test]
fn a_broken_line_and_a_table_whose_geometry_is_cut_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    let lines = write(
        &folder.path().join("a.geojsonl"),
        "GeoJSONSeq",
        &[layer("a", "kind", squares())],
    );
    let text = std::fs::read_to_string(&lines).unwrap();
    let mut broken: Vec<&str> = text.lines().collect();
    broken[100] = &broken[100][..40];
    std::fs::write(&lines, broken.join("\n")).unwrap();
    assert!(outcome(&scene, &lines).is_err());
    // geopandas' `to_csv` calls the column `geometry`, QGIS `WKT`.
    for column in ["geometry", "WKT", "wkt", "the_geom"] {
        let table = folder.path().join(format!("{column}.csv"));
        let mut text = format!("kind,{column}\n");
        for (kind, wkt) in squares() {
            text += &format!("{kind},\"{wkt}\"\n");
        }
        std::fs::write(&table, &text).unwrap();
        assert_eq!(outcome(&scene, &table), Ok(200), "{column}");
        cut(&table, 0.5);
        let error = outcome(&scene, &table).unwrap_err();
        assert!(error.contains("no geometry"), "{column}: {error}");
    }
    // A row without a geometry is none: left out and counted.
    let table = folder.path().join("gap.csv");
    std::fs::write(
        &table,
        format!("kind,WKT\ntin,\"{}\"\ntin,\n", square(0, 0, 4)),
    )
    .unwrap();
    let labeled = scene.with_labels(&table, "kind").unwrap();
    assert_eq!(labeled.label_polygons().len(), 1);
    assert!(
        labeled
            .report()
            .mentions("1 of 2 features: without a geometry")
    );
}

/// Authority: GDAL hands out the 197 that are not deleted, pyogrio reads 197.
#[test]
fn deleted_records_of_a_shapefile_are_no_lost_features_but_a_cut_table_is() {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    let path = write(
        &folder.path().join("a.shp"),
        "ESRI Shapefile",
        &[layer("a", "kind", squares())],
    );
    let table = path.with_extension("dbf");
    let mut bytes = std::fs::read(&table).unwrap();
    let number = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let (header, record) = (number(8), number(10));
    for index in [3, 7, 50] {
        bytes[header + index * record] = b'*';
    }
    std::fs::write(&table, &bytes).unwrap();
    assert_eq!(outcome(&scene, &path), Ok(197));
    cut(&table, 0.5);
    assert!(outcome(&scene, &path).is_err());
    // Without the index nothing opens, without the table there are no properties.
    std::fs::write(&table, &bytes).unwrap();
    std::fs::remove_file(path.with_extension("shx")).unwrap();
    let error = scene.clone().with_labels(&path, "kind").unwrap_err();
    assert!(
        error.to_string().contains(".shx") && error.hint().unwrap().contains("beside the .shp"),
        "{error}"
    );
    let path = write(
        &folder.path().join("b.shp"),
        "ESRI Shapefile",
        &[layer("b", "kind", squares())],
    );
    std::fs::remove_file(path.with_extension("dbf")).unwrap();
    let bare = scene.with_labels(&path, "kind").unwrap();
    assert!(bare.report().mentions("no .dbf file"), "{}", bare.report());
}

/// f13. Authority: pyogrio's `list_layers`.
#[test]
fn a_layer_is_named_or_found_by_its_property_and_said() {
    let image = || Scene::open(case("f13-layers/image.tif")).unwrap();
    let city = case("f13-layers/city.gpkg");
    let by_property = image().with_labels(&city, "kind").unwrap();
    assert!(!by_property.classes().names().contains(&"kind"));
    let report = by_property.report();
    assert!(
        report.mentions("buildings") && report.mentions("aoi (1 feature"),
        "{report}"
    );
    let named = VectorSource::new(&city).layer("buildings");
    let chosen = image().with_labels(&named, "kind").unwrap();
    assert_eq!(label_counts(&chosen), label_counts(&by_property));
    assert!(!chosen.report().mentions("layer"), "{}", chosen.report());
    let error = image().with_labels(&city, "building").unwrap_err();
    assert!(
        error.to_string().contains("aoi") && error.to_string().contains("buildings"),
        "{error}"
    );
    assert!(
        error.hint().unwrap().contains(".layer("),
        "{:?}",
        error.hint()
    );
    let error = image()
        .with_labels(VectorSource::new(&city).layer("roads"), "kind")
        .unwrap_err();
    assert!(error.to_string().contains("buildings"), "{error}");
    assert!(
        image()
            .with_aoi(VectorSource::new(&city).layer("aoi"))
            .is_ok()
    );
}

#[test]
fn points_and_tables_beside_the_areas_of_a_file_never_become_labels() {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    let points = || Layer {
        name: "trees",
        field: "species",
        kind: POINT,
        features: of(&[("oak", "POINT (500010 4999990)".to_owned())]),
    };
    let styles = Layer {
        name: "layer_styles",
        field: "kind",
        kind: gdal::vector::OGRwkbGeometryType::wkbNone,
        features: Vec::new(),
    };
    let path = write(
        &folder.path().join("m.gpkg"),
        "GPKG",
        &[
            points(),
            styles,
            layer("roofs", "kind", of(&[("tin", square(0, 0, 4))])),
        ],
    );
    let labeled = scene.clone().with_labels(&path, "building").unwrap();
    assert_eq!(label_counts(&labeled)[&1], 16);
    let report = labeled.report();
    assert!(
        report.mentions("trees (1 feature, Point)") && !report.mentions("layer_styles"),
        "{report}"
    );
    let error = scene.clone().with_labels(&path, "species").unwrap_err();
    assert!(
        error.to_string().contains("points or lines")
            && error.hint().unwrap().contains("Buffer::meters(3.0)"),
        "{error} {:?}",
        error.hint()
    );
    let path = write(&folder.path().join("p.gpkg"), "GPKG", &[points()]);
    assert!(scene.with_labels(&path, "species").is_err());
}

#[test]
fn folders_of_kml_the_layers_of_openstreetmap_and_a_folder_of_shapefiles_follow_the_same_rule() {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    let to_degrees = |wkt: &str| {
        let mut shape = Geometry::from_wkt(wkt).unwrap();
        let from = gdal::spatial_ref::SpatialRef::from_epsg(32632).unwrap();
        let to = gdal::spatial_ref::SpatialRef::from_definition("OGC:CRS84").unwrap();
        let transform = gdal::spatial_ref::CoordTransform::new(&from, &to).unwrap();
        shape.transform_inplace(&transform).unwrap();
        shape.get_geometry(0).get_points(&mut Vec::new());
        let ring = shape.get_geometry(0);
        (0..5)
            .map(|index| ring.get_point(index))
            .collect::<Vec<_>>()
    };
    let place = |wkt: &str| {
        let points: Vec<String> = to_degrees(wkt)
            .iter()
            .map(|(x, y, _)| format!("{x:.9},{y:.9}"))
            .collect();
        format!(
            "<Placemark><Polygon><outerBoundaryIs><LinearRing><coordinates>{}</coordinates></LinearRing></outerBoundaryIs>\
             </Polygon></Placemark>",
            points.join(" ")
        )
    };
    let (a, b) = (square(0, 0, 10), square(50, 50, 20));
    let kml = folder.path().join("m.kml");
    std::fs::write(
        &kml,
        format!(
            "<?xml version=\"1.0\"?><kml xmlns=\"http://www.opengis.net/kml/2.2\"><Document><Folder><name>houses</name>{}\
             </Folder><Folder><name>fields</name>{}</Folder></Document></kml>",
            place(&a),
            place(&b)
        ),
    )
    .unwrap();
    let error = scene
        .clone()
        .with_labels(&kml, "roof")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("houses (1 feature") && error.contains("fields"),
        "{error}"
    );
    let fields = VectorSource::new(&kml).layer("fields");
    let labeled = scene.clone().with_labels(fields, "roof").unwrap();
    assert_eq!(label_counts(&labeled)[&1], 400);
    // OpenStreetMap: closed ways with `building` are in the layer `multipolygons`.
    let mut nodes = String::new();
    for (index, (x, y, _)) in to_degrees(&a).iter().take(4).enumerate() {
        nodes += &format!(
            "<node id=\"{}\" lat=\"{y:.9}\" lon=\"{x:.9}\" version=\"1\"/>",
            index + 1
        );
    }
    let osm = folder.path().join("m.osm");
    std::fs::write(
        &osm,
        format!(
            "<?xml version=\"1.0\"?><osm version=\"0.6\">{nodes}<way id=\"1\" version=\"1\"><nd ref=\"1\"/><nd ref=\"2\"/>\
             <nd ref=\"3\"/><nd ref=\"4\"/><nd ref=\"1\"/><tag k=\"building\" v=\"yes\"/></way></osm>"
        ),
    )
    .unwrap();
    let labeled = scene.clone().with_labels(&osm, "building").unwrap();
    assert_eq!(label_counts(&labeled)[&1], 100);
    assert_eq!(labeled.classes().names(), ["background", "yes"]);
    let first = labeled.report().iter().next().unwrap().to_string();
    assert!(first.contains("LabelClass::one(\"building\")"), "{first}");
    let shapes = folder.path().join("shapes");
    std::fs::create_dir(&shapes).unwrap();
    for (name, field) in [("roofs", "kind"), ("parcels", "owner")] {
        write(
            &shapes.join(format!("{name}.shp")),
            "ESRI Shapefile",
            &[layer(name, field, of(&[("x", square(0, 0, 4))]))],
        );
    }
    let labeled = scene.clone().with_labels(&shapes, "kind").unwrap();
    assert!(
        labeled.report().mentions("parcels (1 feature"),
        "{}",
        labeled.report()
    );
    assert!(scene.with_labels(&shapes, "roof").is_err());
}

/// geopandas opens a shapefile in an archive, too.
#[test]
fn an_archive_of_a_shapefile_is_read_and_one_of_several_files_lists_them() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    let path = write(
        &folder.path().join("a.shp"),
        "ESRI Shapefile",
        &[layer("a", "kind", squares())],
    );
    let pack = |name: &str, inside: &[&str]| {
        let target = folder.path().join(name);
        let mut archive = zip::ZipWriter::new(std::fs::File::create(&target).unwrap());
        for prefix in inside {
            for end in ["shp", "shx", "dbf", "prj"] {
                let options = zip::write::SimpleFileOptions::default();
                archive
                    .start_file(format!("{prefix}.{end}"), options)
                    .unwrap();
                archive
                    .write_all(&std::fs::read(path.with_extension(end)).unwrap())
                    .unwrap();
            }
        }
        archive.finish().unwrap();
        target
    };
    for inside in ["a", "inner/a"] {
        let archive = pack("one.zip", &[inside]);
        let labeled = scene.clone().with_labels(&archive, "kind").unwrap();
        assert_eq!(labeled.label_polygons().len(), 200);
        assert!(
            labeled.report().mentions("inside the archive"),
            "{}",
            labeled.report()
        );
    }
    let archive = pack("two.zip", &["a/roofs", "b/parcels"]);
    let error = scene
        .clone()
        .with_labels(&archive, "kind")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("/vsizip/") && error.contains("b/parcels.shp"),
        "{error}"
    );
    let one = VectorSource::new(&archive).layer("roofs");
    assert_eq!(
        scene
            .clone()
            .with_labels(one, "kind")
            .unwrap()
            .label_polygons()
            .len(),
        200
    );
    std::fs::write(folder.path().join("no.zip"), b"PK").unwrap();
    assert!(
        scene
            .with_labels(folder.path().join("no.zip"), "kind")
            .is_err()
    );
}

/// f30, and files that only look like labels.
#[test]
fn what_is_no_vector_file_is_named_with_the_way_to_features() {
    let scene = Scene::open(case("f30-mask-as-vector/image.tif")).unwrap();
    let error = scene
        .clone()
        .with_labels(case("f30-mask-as-vector/mask.tif"), "building")
        .unwrap_err();
    assert!(
        error.hint().unwrap().contains("with_label_raster"),
        "{error}"
    );
    let folder = tempfile::tempdir().unwrap();
    for (name, text, said) in [
        ("a.parquet", "PAR1", "GeoParquet"),
        ("a.qgz", "PK", "QGIS project"),
        ("a.lyrx", "{}", "ArcGIS"),
        ("a.mxd", "x", "ArcGIS"),
        ("a.dwg", "AC1032", "AutoCAD"),
        ("a.prj", "GEOGCS", "shapefile"),
        ("a.geojson", "", "zero bytes"),
        ("coco.json", "{\"images\":[],\"annotations\":[]}", "COCO"),
        ("u16.geojson", "\u{feff}", "features"),
    ] {
        let path = folder.path().join(name);
        match name {
            "u16.geojson" => std::fs::write(&path, b"\xff\xfe{\0\"\0t\0").unwrap(),
            _ => std::fs::write(&path, text).unwrap(),
        }
        let error = scene.clone().with_labels(&path, "kind").unwrap_err();
        let told = format!("{error} {}", error.hint().unwrap());
        assert!(told.contains(said), "{name}: {told}");
        assert!(
            !told.contains("ogr2ogr") && !told.contains("ogrinfo"),
            "{told}"
        );
    }
    assert!(scene.with_labels(folder.path(), "kind").is_err());
}

/// Authority: pyogrio reports no system for either.
#[test]
fn a_reference_system_that_nobody_reads_is_an_error_and_can_be_stated() {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    let path = write(
        &folder.path().join("a.shp"),
        "ESRI Shapefile",
        &[layer("a", "kind", squares())],
    );
    std::fs::write(path.with_extension("prj"), "PROJCS[\"nonsense\"").unwrap();
    let error = scene.clone().with_labels(&path, "kind").unwrap_err();
    assert!(error.hint().unwrap().contains(".crs("), "{error}");
    for stated in ["EPSG:32632", "raster"] {
        let source = VectorSource::new(&path).crs(stated);
        let labeled = scene.clone().with_labels(source, "kind").unwrap();
        assert_eq!(labeled.label_polygons().len(), 200, "{stated}");
    }
}

#[test]
fn warnings_with_frightening_words_fail_no_save() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("full_scene error failed");
    std::fs::create_dir(&target).unwrap();
    let ring = geo::LineString::from(vec![(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]);
    let shape = geo::MultiPolygon::new(vec![geo::Polygon::new(ring, Vec::new())]);
    let feature = swath::vector::PolygonFeature {
        geometry: shape,
        class: "full of errors".to_owned(),
        score: None,
        area_m2: 0.5,
    };
    for format in [vector::Format::GeoPackage, vector::Format::GeoJson] {
        let path =
            vector::write_polygons(&target, std::slice::from_ref(&feature), CRS, format).unwrap();
        assert_eq!(
            vector::read_polygons(&path, &reference(), None)
                .unwrap()
                .len(),
            1
        );
    }
    assert!(Classes::from(["a"; 1]).len() == 2);
}
