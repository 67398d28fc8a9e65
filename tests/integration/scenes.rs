//! Scenes: areas, splits, label sources, what is ignored.

use swath::Hint;
use swath::display::Show;
use swath::labels::{Classes, IGNORE};
use swath::raster::{PixelWindow, Raster, RasterType, Size, WriterOptions};
use swath::scene::{Scene, Split};

use crate::support::{geojson, raster};

/// A grid of 100 x 80 pixels of half a meter whose values are their columns.
fn imagery(folder: &std::path::Path) -> std::path::PathBuf {
    let value = |band: usize, col: usize, _: usize| (col + band) as f32;
    raster(
        &folder.join("scene.tif"),
        Size::new(100, 80),
        3,
        RasterType::U8,
        WriterOptions::default(),
        value,
    )
}

/// A rectangle of pixels of [`imagery`] in degrees.
fn rectangle(left: f64, top: f64, right: f64, bottom: f64) -> Vec<[f64; 2]> {
    let from = gdal::spatial_ref::SpatialRef::from_epsg(32632).unwrap();
    let to = gdal::spatial_ref::SpatialRef::from_definition("OGC:CRS84").unwrap();
    let transform = gdal::spatial_ref::CoordTransform::new(&from, &to).unwrap();
    let grid = crate::support::grid();
    [
        (left, top),
        (right, top),
        (right, bottom),
        (left, bottom),
        (left, top),
    ]
    .map(|corner| {
        let (x, y) = grid.world_from_pixel(corner);
        let (mut xs, mut ys) = ([x], [y]);
        transform
            .transform_coords(&mut xs, &mut ys, &mut [])
            .unwrap();
        [xs[0], ys[0]]
    })
    .to_vec()
}

fn counts(labels: &[u8]) -> [usize; 4] {
    [0, 1, 2, IGNORE].map(|wanted| labels.iter().filter(|&&label| label == wanted).count())
}

#[test]
fn a_property_gives_the_classes_and_any_other_word_is_one_class() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (
        rectangle(10.0, 10.0, 30.0, 20.0),
        rectangle(50.0, 40.0, 60.0, 60.0),
    );
    let labels = geojson(
        &folder.path().join("l.geojson"),
        &[("tin", &a), ("concrete", &b)],
    );
    let scene = Scene::open(imagery(folder.path())).unwrap();
    let kinds = scene.clone().with_labels(&labels, "kind").unwrap();
    assert_eq!(kinds.classes().names(), ["background", "concrete", "tin"]);
    assert_eq!(
        counts(&kinds.label_window(&kinds.area()).unwrap()),
        [8000 - 400, 200, 200, 0]
    );
    let one = scene.clone().with_labels(&labels, "building").unwrap();
    assert_eq!(one.classes().names(), ["background", "building"]);
    assert_eq!(
        counts(&one.label_window(&one.area()).unwrap()),
        [7600, 400, 0, 0]
    );
    let ordered = scene
        .clone()
        .with_classes(&labels, "kind", Classes::new(["tin", "concrete"]))
        .unwrap();
    assert_eq!(
        ordered
            .label_window(&PixelWindow::new(55, 50, 1, 1))
            .unwrap(),
        [2]
    );
    let error = scene
        .with_classes(&labels, "kind", Classes::new(["tin", "glass"]))
        .unwrap_err();
    assert!(
        error.to_string().contains("\"concrete\"") && error.to_string().contains("glass"),
        "{error}"
    );
}

#[test]
fn a_scene_can_be_limited_to_some_of_its_classes() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (
        rectangle(10.0, 10.0, 30.0, 20.0),
        rectangle(20.0, 10.0, 40.0, 20.0),
    );
    let labels = geojson(
        &folder.path().join("l.geojson"),
        &[("concrete", &a), ("tin", &b)],
    );
    let scene = Scene::open(imagery(folder.path())).unwrap();
    let both = scene.clone().with_labels(&labels, "kind").unwrap();
    let tin = both.clone().only(["tin"]).unwrap();
    assert_eq!(tin.classes().names(), ["background", "tin"]);
    assert_eq!(tin.classes().colors()[1], both.classes().colors()[2]);
    assert_eq!(
        counts(&tin.label_window(&tin.area()).unwrap()),
        [7800, 200, 0, 0]
    );
    assert_eq!((tin.boxes().len(), tin.boxes()[0].class), (1, 1));
    assert_eq!(tin.boxes()[0].bounds.x_min.round(), 20.0);
    // What lies under a class that is left out is still not seen.
    let concrete = both.clone().only(["concrete"]).unwrap();
    assert_eq!(
        counts(&concrete.label_window(&concrete.area()).unwrap()),
        [7900, 100, 0, 0]
    );
    let turned = both.clone().only(["tin", "concrete"]).unwrap();
    assert_eq!(
        counts(&turned.label_window(&turned.area()).unwrap()),
        [7700, 200, 100, 0]
    );
    let error = both.only(["glass"]).unwrap_err();
    assert!(error.to_string().contains("concrete, tin"), "{error}");

    let values = raster(
        &folder.path().join("values.tif"),
        Size::new(100, 80),
        1,
        RasterType::U8,
        WriterOptions::default(),
        |_, col, _| (col / 10 % 3) as f32,
    );
    let classes = Classes::new(["a", "b"]);
    let second = scene
        .with_label_raster(&values, &classes)
        .unwrap()
        .only(["b"])
        .unwrap();
    assert_eq!(
        counts(&second.label_window(&second.area()).unwrap()),
        [5600, 2400, 0, 0]
    );
}

#[test]
fn labels_elsewhere_are_refused_with_both_extents() {
    let folder = tempfile::tempdir().unwrap();
    let far: &[[f64; 2]] = &[
        [-115.3, 36.19],
        [-115.2, 36.19],
        [-115.2, 36.2],
        [-115.3, 36.19],
    ];
    let labels = geojson(&folder.path().join("far.geojson"), &[("tin", far)]);
    let error = Scene::open(imagery(folder.path()))
        .unwrap()
        .with_labels(&labels, "building")
        .unwrap_err();
    assert!(
        error.to_string().contains("no label lies on the scene")
            && error.to_string().contains("500000"),
        "{error}"
    );
    let hint = error.hint().unwrap();
    assert!(hint.contains("VectorSource::new(path).crs("), "{hint}");
}

#[test]
fn parts_of_a_split_never_share_a_pixel() {
    let folder = tempfile::tempdir().unwrap();
    let whole = rectangle(0.0, 0.0, 100.0, 80.0);
    let labels = geojson(&folder.path().join("l.geojson"), &[("tin", &whole)]);
    let scene = Scene::open(imagery(folder.path()))
        .unwrap()
        .with_labels(&labels, "building")
        .unwrap();
    let (left, right) = scene.split(Split::columns(0.75));
    assert_eq!((left.size(), right.size()), ((75, 80), (25, 80)));
    let full = scene.area();
    let (a, b) = (left.read(&full).unwrap(), right.read(&full).unwrap());
    assert!(a.valid.iter().zip(&b.valid).all(|(a, b)| a + b == 1));
    assert_eq!(
        counts(&left.label_window(&full).unwrap()),
        [0, 6000, 0, 2000]
    );
    let (upper, lower) = right.split(Split::at_row(30));
    assert_eq!(
        (upper.area(), lower.area()),
        (
            PixelWindow::new(75, 0, 25, 30),
            PixelWindow::new(75, 30, 25, 50)
        )
    );
    let statistics = right.statistics().unwrap();
    assert_eq!(
        (
            statistics[0].min,
            statistics[0].max,
            statistics[0].mean,
            statistics[2].max
        ),
        (75.0, 99.0, 87.0, 101.0)
    );
    assert!(scene.crop(PixelWindow::new(200, 0, 5, 5)).is_err());
}

#[test]
fn an_area_of_interest_masks_imagery_and_labels() {
    let folder = tempfile::tempdir().unwrap();
    let (label, limit) = (
        rectangle(0.0, 0.0, 100.0, 40.0),
        rectangle(20.0, 20.0, 60.0, 60.0),
    );
    let labels = geojson(&folder.path().join("l.geojson"), &[("tin", &label)]);
    let aoi = geojson(&folder.path().join("aoi.geojson"), &[("area", &limit)]);
    let scene = Scene::open(imagery(folder.path()))
        .unwrap()
        .with_labels(&labels, "building")
        .unwrap();
    let (inside, outside) = scene.split_by_aoi(&aoi).unwrap();
    assert_eq!(
        counts(&inside.label_window(&scene.area()).unwrap()),
        [800, 800, 0, 6400]
    );
    assert_eq!(
        counts(&outside.label_window(&scene.area()).unwrap()),
        [8000 - 4000 - 800, 4000 - 800, 0, 1600]
    );
    let statistics = inside.statistics().unwrap();
    assert_eq!(
        (statistics[0].count, statistics[0].min, statistics[0].max),
        (1600, 20.0, 59.0)
    );
}

#[test]
fn label_rasters_follow_their_own_grid() {
    let folder = tempfile::tempdir().unwrap();
    let options = || WriterOptions::default().nodata(9.0);
    let value = |_, col: usize, _: usize| match col {
        0..10 => 0.0,
        10..40 => 1.0,
        40..50 => 9.0,
        _ => 2.0,
    };
    let same = raster(
        &folder.path().join("same.tif"),
        Size::new(100, 80),
        1,
        RasterType::U8,
        options(),
        value,
    );
    let scene = Scene::open(imagery(folder.path())).unwrap();
    let classes = Classes::new(["a", "b"]);
    let labeled = scene.clone().with_label_raster(&same, &classes).unwrap();
    assert_eq!(
        counts(&labeled.label_window(&labeled.area()).unwrap()),
        [800, 2400, 4000, 800]
    );
    // Pixels twice as large, so half as many: the same ground.
    let coarse = folder.path().join("coarse.tif");
    let grid = crate::support::grid().scaled(2.0, 2.0);
    let mut writer = swath::raster::RasterWriter::create(
        &coarse,
        Size::new(50, 40),
        1,
        RasterType::U8,
        grid,
        crate::support::CRS,
        WriterOptions::default(),
    )
    .unwrap();
    let values: Vec<u8> = (0..2000).map(|pixel| u8::from(pixel % 50 >= 20)).collect();
    writer.write_rows(0, &values).unwrap();
    writer.finish().unwrap();
    let around = scene.clone().with_label_raster(&coarse, &classes).unwrap();
    assert_eq!(
        counts(&around.label_window(&around.area()).unwrap()),
        [3200, 4800, 0, 0]
    );
    // Values that are no class are told when the raster is opened, with their pixels.
    let error = scene
        .with_label_raster(&same, Classes::new(["a"]))
        .unwrap_err();
    assert!(error.to_string().contains("2 (4000 pixels)"), "{error}");
}

#[test]
fn pixels_without_data_are_ignored_not_background() {
    let folder = tempfile::tempdir().unwrap();
    let value = |_, col: usize, _: usize| if col < 40 { f32::NAN } else { 1.0 };
    let path = raster(
        &folder.path().join("nan.tif"),
        Size::new(100, 80),
        1,
        RasterType::F32,
        WriterOptions::default(),
        value,
    );
    let label = rectangle(30.0, 0.0, 50.0, 80.0);
    let labels = geojson(&folder.path().join("l.geojson"), &[("tin", &label)]);
    let scene = Scene::open(path)
        .unwrap()
        .with_labels(&labels, "building")
        .unwrap();
    assert_eq!(
        counts(&scene.label_window(&scene.area()).unwrap()),
        [4000, 800, 0, 3200]
    );
}

#[test]
fn a_scene_shows_picture_legend_and_facts() {
    let folder = tempfile::tempdir().unwrap();
    let label = rectangle(30.0, 0.0, 50.0, 80.0);
    let labels = geojson(&folder.path().join("l.geojson"), &[("<i>tin", &label)]);
    let scene = Scene::open(imagery(folder.path()))
        .unwrap()
        .with_labels(&labels, "kind")
        .unwrap();
    let shown = scene.output();
    assert!(
        shown.text.contains("100 x 80 pixels, 50 m x 40 m") && shown.text.contains("EPSG:32632"),
        "{}",
        shown.text
    );
    let html = shown.html.unwrap();
    assert!(html.contains("<img") && html.contains("&lt;i&gt;tin") && !html.contains("<i>tin"));
    assert!(
        shown.png.is_some() || shown.webp.is_some(),
        "a flat picture stands beside the page"
    );
    assert_eq!(scene.name(), "scene");
    assert!(
        Raster::open(folder.path().join("scene.tif"))
            .unwrap()
            .nominal_gsd()
            == (0.5, 0.5)
    );
}
