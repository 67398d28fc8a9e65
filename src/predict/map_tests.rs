//! A map drawn by hand: its objects, its errors and its worst windows against what was counted by hand; thresholds
//! against predicting again.

use std::path::Path;

use burn::module::Module;
use burn::tensor::Tensor;
use geo::{LineString, MultiPolygon, Polygon};

use super::files::{LABELS, SCORES, label_options, score_options};
use super::{PredictOptions, SceneMap, ScoreType, predict_scene};
use crate::device::Device;
use crate::display::Show as _;
use crate::labels::Classes;
use crate::models::{Network, Normalization};
use crate::raster::{GeoTransform, Raster, RasterType, RasterWriter, Size, WriterOptions};
use crate::scene::Scene;
use crate::vector::{Format, PolygonFeature, property_names, read_polygons, write_polygons};
use crate::{Hint as _, Result};

const SIZE: Size = Size {
    width: 8,
    height: 6,
};
/// Pixels half a meter wide and a meter high.
pub(super) const GRID: GeoTransform = GeoTransform([500_000.0, 0.5, 0.0, 3_000_000.0, 0.0, -1.0]);
pub(super) const UTM: &str = "EPSG:32645";

#[rustfmt::skip]
pub(super) const MAP: [u8; 48] = [
    1, 1, 0, 0, 2, 2, 2, 2,
    1, 1, 0, 0, 0, 0, 0, 2,
    0, 0, 0, 1, 1, 1, 0, 2,
    0, 0, 0, 1, 0, 1, 0, 2,
    0, 0, 0, 1, 1, 1, 0, 255,
    1, 0, 0, 0, 0, 0, 0, 0,
];
/// What the polygons of [`scene`] are in pixels.
#[rustfmt::skip]
const TRUTH: [u8; 48] = [
    1, 1, 1, 0, 0, 0, 2, 2,
    1, 1, 1, 0, 0, 0, 2, 2,
    0, 0, 0, 0, 0, 0, 2, 2,
    0, 0, 0, 0, 0, 0, 0, 1,
    0, 0, 0, 0, 0, 0, 0, 255,
    0, 0, 0, 0, 0, 0, 0, 0,
];

pub(super) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap_or_else(|error| panic!("no folder for the test: {error}"))
}

pub(super) fn classes() -> Classes {
    Classes::new(["building", "road"])
}

/// Imagery without data where the map has none.
pub(super) fn imagery(folder: &Path, grid: GeoTransform, crs: &str) -> Result<Scene> {
    let path = folder.join("town.tif");
    let options = WriterOptions::default().nodata(0.0);
    let mut writer = RasterWriter::create(&path, SIZE, 1, RasterType::U8, grid, crs, options)?;
    let value = |(at, label): (usize, &u8)| if *label == 255 { 0 } else { 100 + at as u8 };
    let values: Vec<u8> = MAP.iter().enumerate().map(value).collect();
    writer.write_rows(0, &values)?;
    writer.finish()?;
    Scene::open(path)
}

fn scene(folder: &Path) -> Result<Scene> {
    let rectangle = |class: &str, [left, top, right, bottom]: [i32; 4]| {
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
        let corners = corners.map(|(col, row)| GRID.world_from_pixel((col.into(), row.into())));
        let outline = Polygon::new(LineString::from(corners.to_vec()), Vec::new());
        PolygonFeature {
            geometry: MultiPolygon::new(vec![outline]),
            class: class.to_owned(),
            score: None,
            area_m2: 1.0,
        }
    };
    let labels = [
        rectangle("building", [0, 0, 3, 2]),
        rectangle("road", [6, 0, 8, 3]),
        rectangle("building", [7, 3, 8, 5]),
    ];
    let path = folder.join("labels.gpkg");
    write_polygons(&path, &labels, UTM, Format::GeoPackage)?;
    imagery(folder, GRID, UTM)?.with_classes(path, "class", classes())
}

/// The stored score of a class at a pixel of [`MAP`]: 200 for the predicted class and 27 for the others; in the building
/// at the top left 200, 220, 240 and 254.
fn stored(class: usize, pixel: usize) -> u8 {
    let label = usize::from(MAP[pixel]);
    let right = match pixel {
        1 => 220,
        8 => 240,
        9 => 254,
        _ => 200,
    };
    match label {
        255 => 255,
        label if label == class => right,
        _ => (254 - right) / 2,
    }
}

pub(super) fn map_of(scene: &Scene, with_scores: bool) -> Result<SceneMap> {
    let folder = folder();
    let write = |name: &str, bands: usize, values: &[u8], options| -> Result<Raster> {
        let (path, raster) = (folder.path().join(name), scene.raster());
        let (grid, crs) = (raster.transform(), raster.crs_wkt());
        let mut writer =
            RasterWriter::create(&path, SIZE, bands, RasterType::U8, grid, &crs, options)?;
        writer.write_rows(0, values)?;
        Raster::open(writer.finish()?)
    };
    let labels = write(LABELS, 1, &MAP, label_options(&classes()))?;
    let scores: Vec<u8> = (0..3)
        .flat_map(|class| (0..SIZE.area()).map(move |pixel| stored(class, pixel)))
        .collect();
    let scores = match with_scores {
        true => Some(write(
            SCORES,
            3,
            &scores,
            score_options(&classes(), ScoreType::U8),
        )?),
        false => None,
    };
    let (area, files) = (scene.area(), (labels, scores));
    Ok(SceneMap::new(
        folder,
        files,
        classes(),
        scene.clone(),
        area,
        None,
    ))
}

fn sorted(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers
}

#[test]
fn objects_are_measured_as_by_hand() -> Result<()> {
    let folder = folder();
    let map = map_of(&imagery(folder.path(), GRID, UTM)?, true)?;
    let objects = map.objects()?;
    // Half a square meter a pixel: 1, 4, 7 and 8 pixels.
    assert_eq!(sorted(objects.areas()), [0.5, 2.0, 3.5, 4.0]);
    // 2 edges across and 2 down; 4 and 4; the road's hull is 4 by 4; the ring has 8 and 8 outside, 2 and 2 inside.
    assert_eq!(sorted(objects.perimeters()), [3.0, 6.0, 12.0, 12.0]);
    assert_eq!((objects.count(), objects.area()), (4, 10.0));
    let buildings = objects.of_class("building")?;
    assert_eq!((buildings.len(), buildings.area()), (3, 6.5));
    assert_eq!(buildings.at_least(2.0).count(), 2);
    assert_eq!(map.objects_with(2.0)?.count(), 3);
    assert!(objects.at_least(5.0).is_empty() && objects.at_least(f64::NAN).count() == 4);
    let square = buildings.keeping(|object| object.area_m2 == 2.0);
    let square = square.get(0).expect("one");
    let mean = (200.0 + 220.0 + 240.0 + 254.0) / 4.0 / 254.0;
    assert!((f64::from(square.score.expect("kept")) - mean).abs() < 1e-6);
    let center = (square.center.x(), square.center.y());
    assert_eq!(center, (500_000.5, 2_999_999.0));
    assert_eq!((square.width_m, square.height_m), (1.0, 2.0));
    assert!(objects.report().is_empty());
    let without = map_of(&imagery(folder.path(), GRID, UTM)?, false)?.objects()?;
    assert!(without.iter().all(|object| object.score.is_none()));

    let error = objects.of_class("buildings").expect_err("no such class");
    let hint = error.hint().unwrap_or_default();
    assert!(hint.contains("did you mean `building`"), "{hint}");
    assert!(map.objects_with(-1.0).is_err());
    Ok(())
}

#[test]
fn objects_show_themselves_by_class_and_are_short_for_debugging() -> Result<()> {
    let folder = folder();
    let objects = map_of(&imagery(folder.path(), GRID, UTM)?, true)?.objects()?;
    let text = objects.output().text;
    let expected = "\
4 areas of town, 10.0 m²
class     count  area, m²  median  smallest  largest
building      3       6.5     2.0       0.5      4.0
road          1       3.5     3.5       3.5      3.5
";
    assert!(text.starts_with(expected), "{text}");
    assert_eq!(format!("{objects:?}"), "Objects(4 areas of town, 10.0 m²)");
    let figure = objects.histogram();
    assert!(
        figure.alt().contains("4 values from 0.5 to 4"),
        "{}",
        figure.alt()
    );
    let none = objects.at_least(99.0);
    assert_eq!(none.output().text, "0 areas of town, 0.0 m²");
    assert!(none.histogram().svg().is_some());
    Ok(())
}

#[test]
fn objects_replace_files_of_objects_and_nobody_elses() -> Result<()> {
    let folder = folder();
    let scene = imagery(folder.path(), GRID, UTM)?;
    let map = map_of(&scene, true)?;
    let objects = map.objects()?;
    // The polygons of the whole map stand for labels: a class, no perimeter.
    map.save(folder.path().join("map"))?;
    std::fs::write(folder.path().join("notes.csv"), "name,count\na,1\n").unwrap();
    std::fs::write(folder.path().join("empty.csv"), "").unwrap();
    for name in ["map/polygons.gpkg", "map/polygons.geojson", "notes.csv"] {
        let path = folder.path().join(name);
        let before = std::fs::read(&path).unwrap();
        let error = objects.save(&path).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("nothing of the kind was saved to"),
            "{error}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), before, "{name}");
    }
    for name in ["empty.csv", "a.csv", "a.gpkg", "a.geojson", "a.shp"] {
        let path = folder.path().join(name);
        objects.save(&path)?;
        objects.at_least(1.0).save(&path)?;
    }
    Ok(())
}

#[test]
fn saved_objects_are_those_of_the_saved_map_in_every_format() -> Result<()> {
    let folder = folder();
    let scene = imagery(folder.path(), GRID, UTM)?;
    let map = map_of(&scene, true)?;
    let objects = map.objects()?;
    let reference = scene.raster().georeference();
    let read = |path: &Path| read_polygons(path, &reference, Some("class"));
    map.save(folder.path().join("map"))?;
    let saved = read(&folder.path().join("map/polygons.gpkg"))?;
    assert_eq!(saved.len(), objects.count());
    let columns = [
        "class",
        "score",
        "area_m2",
        "perimeter_m",
        "width_m",
        "height_m",
    ];
    for name in ["out/a.gpkg", "out/b.geojson", "out/c.shp", "out/c.shp"] {
        let path = folder.path().join(name);
        let files = objects.save(&path)?;
        assert!(files.contains(&path), "{files:?}");
        let again = read(&path)?;
        for (one, other) in again.iter().zip(&saved) {
            assert_eq!(one.class, other.class);
            let (one, other) = (&one.geometry, &other.geometry);
            let area = geo::Area::unsigned_area;
            // GeoJSON has millimeters of degrees, in pixels of half a meter.
            assert!((area(one) - area(other)).abs() < 0.02, "{name}: {one:?}");
        }
        assert_eq!(again.len(), saved.len());
        let shortened = files.report().mentions("perim_m");
        assert_eq!(shortened, name.ends_with("shp"), "{name}");
        let names = property_names(path)?;
        let expected = match shortened {
            true => columns.map(|name| name.replace("perimeter_m", "perim_m")),
            false => columns.map(str::to_owned),
        };
        assert_eq!(names, expected, "{name}");
    }
    for ending in ["shx", "dbf", "prj", "cpg"] {
        assert!(folder.path().join("out/c").with_extension(ending).exists());
    }
    let path = folder.path().join("out/d.csv");
    objects.save(&path)?;
    let table = std::fs::read_to_string(path).expect("written");
    let mut lines = table.lines();
    let heads = "class,score,area_m2,perimeter_m,width_m,height_m,x,y";
    assert_eq!(lines.next(), Some(heads));
    let square = lines.clone().find(|line| line.contains(",2,6,1,2,"));
    let square = square.unwrap_or_default();
    assert!(square.starts_with("building,0.89"), "{table}");
    assert!(square.ends_with(",500000.5,2999999"), "{table}");
    assert_eq!(lines.count(), 4);
    // Nothing is left behind beside what was asked for.
    let left = std::fs::read_dir(folder.path().join("out")).expect("a folder");
    let hidden = left.filter(|file| {
        let name = file.as_ref().map(std::fs::DirEntry::file_name);
        name.is_ok_and(|name| name.to_string_lossy().starts_with('.'))
    });
    assert_eq!(hidden.count(), 0);

    for name in ["objects.xlsx", "objects"] {
        let error = objects.save(folder.path().join(name)).expect_err(name);
        let said = error.to_string();
        assert!(
            said.contains(".csv, .gpkg, .geojson, .fgb, .shp or .parquet"),
            "{said}"
        );
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.contains("objects.gpkg"))
        );
    }
    Ok(())
}

#[test]
fn objects_without_a_place_are_in_pixels_and_say_so() -> Result<()> {
    let folder = folder();
    let map = map_of(&imagery(folder.path(), GeoTransform::PIXELS, "")?, true)?;
    let objects = map.objects()?;
    assert_eq!(sorted(objects.areas()), [1.0, 4.0, 7.0, 8.0]);
    assert_eq!(sorted(objects.perimeters()), [4.0, 8.0, 16.0, 16.0]);
    assert!(objects.report().mentions("areas are in pixels"));
    assert!(objects.output().text.contains("20.0 pixels"));
    let path = folder.path().join("objects.csv");
    objects.save(&path)?;
    let table = std::fs::read_to_string(path).expect("written");
    assert!(table.starts_with("class,score,area,perimeter,width,height,x,y\n"));
    assert!(
        objects
            .save(folder.path().join("objects.shp"))?
            .report()
            .is_empty()
    );
    let names = property_names(folder.path().join("objects.shp"))?;
    assert!(names.contains(&"perimeter".to_owned()), "{names:?}");
    Ok(())
}

#[test]
fn errors_agree_with_the_confusion_and_with_counting() -> Result<()> {
    let folder = folder();
    let scene = scene(folder.path())?;
    assert_eq!(scene.label_window(&scene.area())?, TRUTH);
    let map = map_of(&scene, true)?;
    let errors = map.errors(&scene)?;
    assert!(map.scores().is_none(), "looking at errors is no evaluation");
    let confusion = map.evaluate(&scene)?.confusion().clone();
    assert_eq!(errors.confusion(), &confusion);
    let count = |wanted: fn(u8, u8) -> bool| {
        let pairs = TRUTH.iter().zip(&MAP).filter(|(truth, _)| **truth != 255);
        let wanted = pairs.filter(|(truth, map)| wanted(**truth, **map));
        wanted.count() as u64
    };
    assert_eq!(errors.labeled(), 47);
    assert_eq!(
        (errors.missed(), count(|truth, map| truth > 0 && map == 0)),
        (4, 4)
    );
    assert_eq!(
        (
            errors.false_alarms(),
            count(|truth, map| truth == 0 && map > 0)
        ),
        (11, 11)
    );
    assert_eq!(errors.wrong_class(), 1);
    assert_eq!(errors.right(), count(|truth, map| truth == map));
    let of_confusion: u64 = (1..3).map(|class| confusion.count(class, 0)).sum();
    assert_eq!(errors.missed(), of_confusion);
    let text = errors.output().text;
    let expected = "16 (34.0 %) of 47 labeled pixels are wrong: missed 4 (8.5 %), false alarm 11 (23.4 %), wrong class 1";
    assert!(text.contains(expected), "{text}");
    let html = errors.figure()?.html();
    assert!(
        html.contains("false alarm 11 (23.4 %)") && html.contains("building"),
        "{html}"
    );
    let other = imagery(folder.path(), GRID, UTM)?;
    assert!(map.errors(&other).is_err(), "no labels");
    Ok(())
}

#[test]
fn without_a_background_pixels_are_right_or_wrong() {
    use super::error_map::kind;
    assert_eq!(kind(0, 0, true), 0);
    assert_eq!(
        [kind(1, 0, true), kind(0, 1, true), kind(1, 2, true)],
        [2, 3, 4]
    );
    assert_eq!(
        [kind(0, 0, false), kind(1, 0, false), kind(0, 1, false)],
        [1, 4, 4]
    );
    assert_eq!([kind(255, 1, true), kind(1, 255, false)], [255, 255]);
}

#[test]
fn the_worst_windows_come_first() -> Result<()> {
    let folder = folder();
    let scene = scene(folder.path())?;
    let plain = map_of(&scene, false)?.worst_with(&scene, 9, 4)?;
    let found: Vec<_> = (plain.iter())
        .map(|one| ((one.window.col, one.window.row), one.wrong, one.labeled))
        .collect();
    let expected = [
        ((4, 0), 8, 16),
        ((4, 4), 2, 7),
        ((0, 0), 4, 16),
        ((0, 4), 2, 8),
    ];
    assert_eq!(found, expected);
    assert!(plain.iter().all(|one| one.loss.is_none()));

    let map = map_of(&scene, true)?;
    let worst = map.worst_with(&scene, 2, 4)?;
    assert_eq!(worst.len(), 2);
    for one in &worst {
        let mut losses = Vec::new();
        for row in one.window.row..one.window.bottom() {
            for col in one.window.col..one.window.right() {
                let pixel = row as usize * 8 + col as usize;
                if TRUTH[pixel] != 255 {
                    let score = stored(TRUTH[pixel].into(), pixel);
                    losses.push(-(f64::from(score) / 254.0).ln());
                }
            }
        }
        let mean = losses.iter().sum::<f64>() / losses.len() as f64;
        assert!((one.loss.expect("scores are kept") - mean).abs() < 1e-6);
    }
    let loss = |index: usize| worst.get(index).and_then(|one| one.loss);
    assert!(loss(0) >= loss(1));
    let output = worst.output();
    assert!(
        output.text.contains("2 worst of 4 windows"),
        "{}",
        output.text
    );
    assert!(output.text.contains("50.0 %") && output.html.is_some());
    // The whole map is smaller than a window of 128 pixels.
    let whole = map.worst(&scene, 3)?;
    assert_eq!(
        (whole.len(), whole.get(0).map(|one| one.wrong)),
        (1, Some(16))
    );
    assert!(map.worst_with(&scene, 3, 0).is_err());
    Ok(())
}

/// The class 1 is as probable as the band is bright; a third class, where there is one, is so where it is dark.
#[derive(Module, Debug)]
struct Brightness {
    classes: usize,
}

impl Network for Brightness {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let none = images.zeros_like();
        let third = images.clone() * -0.7 + 0.4;
        let all = vec![none, images, third];
        Tensor::cat(all.into_iter().take(self.classes).collect(), 1)
    }
}

/// The probability of the best class other than background at every value of the band.
fn probability(value: u8, classes: usize) -> f32 {
    let logit = (f32::from(value) - 128.0) / 40.0;
    let logits = [0.0, logit, logit * -0.7 + 0.4];
    let logits = &logits[..classes];
    let sum: f32 = logits.iter().map(|logit| logit.exp()).sum();
    logits[1..]
        .iter()
        .fold(0.0, |best, logit| f32::max(best, logit.exp() / sum))
}

#[test]
fn another_threshold_is_predicting_again_with_it() -> Result<()> {
    let folder = folder();
    let path = folder.path().join("slope.tif");
    let (size, options) = (Size::new(64, 64), WriterOptions::default().nodata(0.0));
    let mut writer = RasterWriter::create(&path, size, 1, RasterType::U8, GRID, UTM, options)?;
    let values: Vec<u8> = (0..size.area()).map(|at| (at % 251) as u8).collect();
    writer.write_rows(0, &values)?;
    writer.finish()?;
    let scene = Scene::open(path)?;
    let names = ["building", "road"];
    for count in [2, 3] {
        let classes = Classes::new(names[..count - 1].iter().copied());
        let predict = |options: PredictOptions| {
            let (network, device) = (Brightness { classes: count }, Device::cpu());
            let normalization = Normalization::new(vec![128.0], vec![40.0]);
            let options = options.quiet(true);
            predict_scene(
                &network,
                &normalization,
                &classes,
                &scene,
                &device,
                &options,
            )
        };
        let labels = |map: &SceneMap| map.labels(&scene.area());
        let plain = predict(PredictOptions::new())?;
        assert_eq!(plain.threshold_score(), None);
        let own = predict(PredictOptions::new().threshold(0.437))?;
        assert_eq!(labels(&own.threshold(0.437)?)?, labels(&own)?);
        let mut compared = 0;
        for score in [0.0, 0.11, 0.301, 0.437, 0.5, 0.62, 0.775, 0.9, 1.0] {
            let again = labels(&predict(PredictOptions::new().threshold(score))?)?;
            let changed = plain.threshold(score)?;
            let twice = own.threshold(0.9)?.threshold(score)?;
            assert_eq!(changed.threshold_score(), Some(score));
            for map in [&changed, &twice] {
                let found = labels(map)?;
                for (at, (found, expected)) in found.iter().zip(&again).enumerate() {
                    let near = (probability(values[at], count) - score).abs() < 0.00201;
                    assert!(
                        found == expected || near,
                        "{score} at {at}: {found} {expected}"
                    );
                    compared += usize::from(!near);
                }
            }
        }
        // Nearly all pixels are away from the thresholds.
        assert!(compared > 9 * 2 * 4096 * 9 / 10, "{compared}");
        assert_eq!(plain.threshold(0.775)?.scores_path(), plain.scores_path());
        let objects = plain.threshold(0.9)?.objects()?;
        assert!(objects.area() < plain.threshold(0.5)?.objects()?.area());

        let without = predict(PredictOptions::new().scores(false))?;
        let error = without.threshold(0.4).expect_err("no scores are kept");
        assert!(error.to_string().contains("without its scores"), "{error}");
        let hint = error.hint().unwrap_or_default();
        assert!(
            hint.contains("PredictOptions::new().scores(true)"),
            "{hint}"
        );
        assert!(plain.threshold(1.5).is_err() && plain.threshold(f32::NAN).is_err());
    }
    Ok(())
}

/// The working files of a prediction live as long as a map that was made of it.
#[test]
fn a_threshold_outlives_the_map_it_was_made_of() -> Result<()> {
    let folder = folder();
    let scene = scene(folder.path())?;
    let changed = map_of(&scene, true)?.threshold(0.8)?;
    // 200 / 254 is less than 0.8: the building at the top left keeps 220, 240 and 254.
    let labels = changed.labels(&scene.area())?;
    let kept: Vec<usize> = (0..48).filter(|&at| labels[at] == 1).collect();
    assert_eq!(kept, [1, 8, 9]);
    assert_eq!(labels[39], 255);
    assert_eq!(
        changed.threshold(0.0)?.objects()?.of_class("road")?.count(),
        1
    );
    changed.save(folder.path().join("changed"))?;
    assert!(
        changed
            .worst(&scene, 1)?
            .get(0)
            .and_then(|one| one.loss)
            .is_some()
    );
    Ok(())
}
