//! What predictions are kept as: scores of every type, maps that are opened again, the maps of many scenes as one, and a run
//! that was killed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use swath::burn;
use swath::burn::module::Module;
use swath::burn::tensor::Tensor;
use swath::predict::{ScoreType, predict_scene};
use swath::prelude::*;
use swath::raster::{DataType, RasterType, Size, WriterOptions};

use crate::support::{CRS, grid, is_child, raster};

const SIZE: Size = Size {
    width: 150,
    height: 90,
};

/// A score that rises to the right and downwards.
#[derive(Module, Debug)]
struct Slope {
    nothing: usize,
}

impl swath::models::Network for Slope {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let [n, _, height, width] = images.dims();
        let device = images.device();
        let slope: Vec<f32> = (0..height)
            .flat_map(|row| (0..width).map(move |col| 0.05 * col as f32 + 0.03 * row as f32 - 4.0))
            .collect();
        let slope =
            Tensor::<1>::from_floats(slope.as_slice(), &device).reshape([1, 1, height, width]);
        let other = Tensor::zeros([n, 1, height, width], &device);
        Tensor::cat(vec![other, images.narrow(1, 0, 1) * 0.1 + slope], 1)
    }
}

/// Imagery whose last ten columns have no data.
fn scene(folder: &Path) -> Scene {
    let path = folder.join("scene.tif");
    let options = WriterOptions::default().nodata(0.0);
    raster(&path, SIZE, 1, RasterType::U8, options, |_, col, row| {
        if col >= 140 {
            0.0
        } else {
            (50 + (col * 7 + row * 3) % 90) as f32
        }
    });
    Scene::open(path).unwrap()
}

fn predicted(scene: &Scene, kind: ScoreType) -> SceneMap {
    let normalization = Normalization::new(vec![90.0], vec![30.0]);
    let options = PredictOptions::new()
        .quiet(true)
        .window(64)
        .score_type(kind);
    let classes = Classes::new(["roof"]);
    let network = Slope { nothing: 0 };
    predict_scene(
        &network,
        &normalization,
        &classes,
        scene,
        &Device::cpu(),
        &options,
    )
    .unwrap()
}

/// Probabilities that a file of scores stands for: value times scale; NaN without data.
fn probabilities(path: &Path) -> Vec<f32> {
    let raster = Raster::open(path).unwrap();
    let patch = raster.read(&raster.full()).unwrap();
    let planes = patch.data.chunks(patch.valid.len()).zip(raster.bands());
    planes
        .flat_map(|(plane, band)| {
            let values = plane.iter().zip(&patch.valid);
            values.map(|(value, valid)| match *valid {
                0 => f32::NAN,
                _ => (f64::from(*value) * band.scale + band.offset) as f32,
            })
        })
        .collect()
}

#[test]
fn scores_of_every_type_come_back_within_a_step() {
    let folder = tempfile::tempdir().unwrap();
    let scene = scene(folder.path());
    let kinds = [
        (ScoreType::F32, 0.0, DataType::F32),
        // The spacing of half floats below 1 is 2^-11 (IEEE 754); GDAL 3.6 cuts instead of rounding.
        (ScoreType::F16, 1.0 / 2048.0, DataType::F16),
        (ScoreType::U8, 0.5 / 254.0, DataType::U8),
        (ScoreType::Percent, 0.005, DataType::U8),
    ];
    let mut exact = Vec::new();
    for (kind, tolerance, data_type) in kinds {
        let map = predicted(&scene, kind);
        let out = folder.path().join(format!("{kind:?}"));
        map.save(&out).unwrap();
        let path = out.join("scores.tif");
        let read = probabilities(&path);
        if exact.is_empty() {
            exact = read.clone();
            // All that a probability can be, both classes together 1.
            let pixels = SIZE.area();
            assert!((0..pixels).all(|at| {
                exact[at].is_nan() || (exact[at] + exact[pixels + at] - 1.0).abs() < 1e-5
            }));
            assert!(
                exact.iter().any(|score| *score < 0.1) && exact.iter().any(|score| *score > 0.9)
            );
            assert_eq!(
                exact.iter().filter(|score| score.is_nan()).count(),
                2 * 10 * SIZE.height
            );
        }
        // As arrays in memory they are the same, whatever the file holds.
        let array = map.score_array(&scene.area()).unwrap();
        for (found, score) in array.iter().zip(&exact) {
            assert_eq!(found.is_nan(), score.is_nan(), "{kind:?}");
            let near = score.is_nan() || (found - score).abs() <= tolerance + 1e-6;
            assert!(near, "{kind:?}: {found} for {score} in the array");
        }
        for (found, score) in read.iter().zip(&exact) {
            assert_eq!(found.is_nan(), score.is_nan());
            let near = score.is_nan() || (found - score).abs() <= tolerance + 1e-6;
            assert!(near, "{kind:?}: {found} for {score}");
        }
        let saved = Raster::open(&path).unwrap();
        assert_eq!(saved.data_type(), data_type, "{kind:?}");
        assert_eq!(saved.band_names(), ["background", "roof"]);
        let dataset = gdal::Dataset::open(&path).unwrap();
        let band = dataset.rasterband(1).unwrap();
        let scale = band.scale().unwrap_or(1.0);
        let expected = match kind {
            ScoreType::U8 => 1.0 / 254.0,
            ScoreType::Percent => 0.01,
            _ => 1.0,
        };
        assert!((scale - expected).abs() < 1e-12, "{kind:?}: {scale}");

        // Opened again, the map is the same, and its scores decide anew.
        let again = SceneMap::open(&out, &scene).unwrap();
        assert_eq!(again.classes(), map.classes());
        let whole = scene.area();
        assert_eq!(again.labels(&whole).unwrap(), map.labels(&whole).unwrap());
        let (one, other) = (again.threshold(0.8).unwrap(), map.threshold(0.8).unwrap());
        assert_eq!(one.labels(&whole).unwrap(), other.labels(&whole).unwrap());
        let sure = one
            .labels(&whole)
            .unwrap()
            .iter()
            .filter(|label| **label == 1)
            .count();
        let expected = exact[SIZE.area()..]
            .iter()
            .filter(|score| **score >= 0.8)
            .count();
        let steps = exact[SIZE.area()..]
            .iter()
            .filter(|score| (**score - 0.8).abs() <= tolerance + 1e-6)
            .count();
        assert!(
            sure.abs_diff(expected) <= steps,
            "{kind:?}: {sure} {expected}"
        );
        let (objects, before) = (again.objects().unwrap(), map.objects().unwrap());
        assert_eq!(objects.areas(), before.areas());
        for (one, other) in objects.iter().zip(before.iter()) {
            assert_eq!(one.score, other.score);
        }
        // Saved over itself it is the same once more.
        again.save(&out).unwrap();
        let same = |(one, two): (&f32, &f32)| one == two || one.is_nan() && two.is_nan();
        let twice = probabilities(&path);
        assert!(
            twice.len() == read.len() && twice.iter().zip(&read).all(same),
            "{kind:?}"
        );
    }
}

#[test]
fn a_folder_without_a_map_or_of_another_scene_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let scene = scene(folder.path());
    let error = SceneMap::open(folder.path(), &scene).unwrap_err();
    assert!(error.to_string().contains("labels.tif"), "{error}");
    let out = folder.path().join("out");
    predicted(&scene, ScoreType::U8).save(&out).unwrap();
    let other = folder.path().join("other.tif");
    let place = swath::raster::GeoTransform::north_up(500_000.2, 5_000_000.0, 0.5);
    let mut writer = swath::raster::RasterWriter::create(
        &other,
        SIZE,
        1,
        RasterType::U8,
        place,
        CRS,
        WriterOptions::default(),
    )
    .unwrap();
    writer.write_rows(0, &vec![9_u8; SIZE.area()]).unwrap();
    writer.finish().unwrap();
    let error = SceneMap::open(&out, &Scene::open(&other).unwrap()).unwrap_err();
    let expected = matches!(
        error,
        swath::Error::Evaluate(swath::evaluate::EvaluateError::OtherGrid { .. })
    );
    assert!(expected, "{error}");
}

/// A model that has learned next to nothing, and three tiles beside each other; the last one lies a tile apart.
fn model_and_tiles(folder: &Path) -> (Segmenter, Scenes) {
    let size = Size::new(64, 64);
    let mut files = Vec::new();
    for number in [0_usize, 1, 3] {
        let path = folder.join(format!("tile_{number}.tif"));
        let place = grid().offset((number * size.width) as i64, 0);
        let mut writer = swath::raster::RasterWriter::create(
            &path,
            size,
            1,
            RasterType::U8,
            place,
            CRS,
            WriterOptions::default(),
        )
        .unwrap();
        let values: Vec<u8> = (0..size.area())
            .map(|at| (40 + (at * (number + 3)) % 170) as u8)
            .collect();
        writer.write_rows(0, &values).unwrap();
        writer.finish().unwrap();
        files.push(path);
    }
    let labels = folder.join("labels.tif");
    raster(
        &labels,
        size,
        1,
        RasterType::U8,
        WriterOptions::default(),
        |_, col, _| f32::from(u8::from(col > 30)),
    );
    let scenes = Scenes::open(&files).unwrap();
    let first = Scene::open(&files[0]).unwrap();
    let labeled = first
        .with_label_raster(&labels, Classes::new(["roof"]))
        .unwrap();
    let chips = labeled.chips(Chips::random(4, 64)).unwrap();
    let model = Segmenter::new(Unet::resnet18(), labeled.classes()).device(Device::cpu());
    let run = model
        .fit(&chips, &labeled, FitOptions::steps(1).quiet(true))
        .unwrap();
    (run.last().clone(), scenes)
}

#[test]
fn the_maps_of_many_scenes_become_one() {
    let folder = tempfile::tempdir().unwrap();
    let (model, scenes) = model_and_tiles(folder.path());
    let out = folder.path().join("maps");
    let saved = model
        .predict_to(&scenes, &out, PredictOptions::new().quiet(true))
        .unwrap();
    let joined = saved.mosaic().unwrap();
    assert_eq!(joined.size(), (256, 64));
    let window = |number: i64| PixelWindow::new(number * 64, 0, 64, 64);
    for (number, folder) in [0, 1, 3].into_iter().zip(saved.folders()) {
        let own = Raster::open(folder.join("labels.tif")).unwrap();
        let own: Vec<u8> = own
            .read(&own.full())
            .unwrap()
            .data
            .iter()
            .map(|label| *label as u8)
            .collect();
        assert_eq!(joined.labels(&window(number)).unwrap(), own, "{number}");
    }
    assert!(
        joined
            .labels(&window(2))
            .unwrap()
            .iter()
            .all(|label| *label == 255)
    );
    assert!(
        joined.report().to_string().contains("gaps"),
        "{}",
        joined.report()
    );
    let town = folder.path().join("town");
    joined.save(&town).unwrap();
    let labels = Raster::open(town.join("labels.tif")).unwrap();
    assert_eq!(labels.category_names(), ["background", "roof"]);
    assert_eq!(labels.size(), Size::new(256, 64));
    assert_eq!(
        Raster::open(town.join("scores.tif")).unwrap().band_count(),
        2
    );
    assert!(town.join("labels.qml").is_file() && town.join("polygons.gpkg").is_file());
    // What objects were found on has no maps to join.
    std::fs::remove_file(saved.folders()[1].join("labels.tif")).unwrap();
    let error = saved.mosaic().unwrap_err().to_string();
    assert!(error.contains("labels.tif"), "{error}");
}

const KILLED: &str = "stores::a_run_that_is_killed_goes_on_where_it_was";

#[test]
fn a_run_that_is_killed_goes_on_where_it_was() {
    if is_child() {
        predict_all_tiles();
    } else {
        kill_and_go_on();
    }
}

/// What is killed.
fn predict_all_tiles() {
    let folder = std::env::var_os("SWATH_TEST_FOLDER").unwrap();
    let folder = Path::new(&folder);
    let model = Segmenter::load(folder.join("model.swath")).unwrap();
    let scenes = Scenes::open(folder.join("tiles")).unwrap();
    let options = PredictOptions::new().quiet(true);
    model
        .predict_to(&scenes, folder.join("maps"), options)
        .unwrap();
}

fn kill_and_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let (model, _) = model_and_tiles(folder.path());
    model.save(folder.path().join("model.swath")).unwrap();
    let tiles = folder.path().join("tiles");
    std::fs::create_dir(&tiles).unwrap();
    const COUNT: usize = 40;
    for number in 0..COUNT {
        let path = tiles.join(format!("tile_{number:02}.tif"));
        raster(
            &path,
            Size::new(64, 64),
            1,
            RasterType::U8,
            WriterOptions::default(),
            |_, col, row| (40 + (col * number + row) % 150) as f32,
        );
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", KILLED, "--nocapture"])
        .env("SWATH_TEST_CHILD", "1")
        .env("SWATH_TEST_FOLDER", folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let maps = folder.path().join("maps");
    let finished = || {
        let text = std::fs::read_to_string(maps.join("scenes.jsonl")).unwrap_or_default();
        text.lines()
            .filter(|line| line.contains("labels.tif"))
            .count()
    };
    let began = Instant::now();
    while finished() < 3 && began.elapsed() < Duration::from_secs(300) {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before it was killed"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let done = finished();
    assert!((3..COUNT).contains(&done), "{done}");
    let scenes = Scenes::open(&tiles).unwrap();
    let options = PredictOptions::new().quiet(true);
    let model = Segmenter::load(folder.path().join("model.swath")).unwrap();
    let saved = model.predict_to(&scenes, &maps, &options).unwrap();
    // What the last line did not get to say is done again.
    assert!(
        (done - 1..=done).contains(&saved.finished_before()),
        "{done} {saved:?}"
    );
    assert_eq!(saved.folders().len(), COUNT);
    for folder in saved.folders() {
        assert_eq!(
            Raster::open(folder.join("labels.tif")).unwrap().size(),
            Size::new(64, 64)
        );
    }
    let again = model.predict_to(&scenes, &maps, &options).unwrap();
    assert_eq!(again.finished_before(), COUNT);
}
