//! Predicting, scoring and saving a small town with networks whose answers are known.

use std::path::Path;
use std::sync::Arc;

use swath::burn;
use swath::burn::module::Module;
use swath::burn::tensor::Tensor;
use swath::device::Device;
use swath::labels::{Classes, rasterize};
use swath::models::{AnyNetwork, Network, Normalization};
use swath::predict::{PredictOptions, SaveOptions, SceneMap, predict_scene, score_class_map};
use swath::raster::{
    GeoTransform, PixelWindow, Raster, RasterType, RasterWriter, Size, WriterOptions,
};
use swath::scene::Scene;
use swath::vector::{Format, PolygonFeature, read_polygons, write_polygons};
use swath::{Hint, Result, session};

use crate::support::{assert_passed, in_child, is_child};

/// Class 1 where the first band is above its mean, else class 0; as sure as the difference is large.
#[derive(Module, Debug)]
struct Threshold {
    classes: usize,
}

impl Network for Threshold {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let [n, _, height, width] = images.dims();
        let first = images.narrow(1, 0, 1);
        let rest = Tensor::full(
            [n, self.classes - 2, height, width],
            -100.0,
            &first.device(),
        );
        Tensor::cat(vec![-first.clone(), first, rest], 1)
    }
}

/// The same score everywhere.
#[derive(Module, Debug)]
struct Constant {
    score: f32,
}

impl Network for Constant {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let [n, _, height, width] = images.dims();
        let other = Tensor::zeros([n, 1, height, width], &images.device());
        Tensor::cat(vec![other.clone(), other + self.score], 1)
    }
}

/// A score that rises to the right by 0.02 and downwards by 0.05 a pixel, and with the first band: what no symmetry
/// leaves alone.
#[derive(Module, Debug)]
struct Slope {
    nothing: usize,
}

impl Network for Slope {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let [n, _, height, width] = images.dims();
        let device = images.device();
        let slope: Vec<f32> = (0..height)
            .flat_map(|row| (0..width).map(move |col| slope_at(row, col)))
            .collect();
        let slope =
            Tensor::<1>::from_floats(slope.as_slice(), &device).reshape([1, 1, height, width]);
        let other = Tensor::zeros([n, 1, height, width], &device);
        Tensor::cat(vec![other, images.narrow(1, 0, 1) + slope], 1)
    }
}

fn slope_at(row: usize, col: usize) -> f32 {
    0.02 * col as f32 + 0.05 * row as f32 - 2.0
}

/// Gives one class less than it should.
#[derive(Module, Debug)]
struct TooFewClasses {
    nothing: usize,
}

impl Network for TooFewClasses {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        images.narrow(1, 0, 1)
    }
}

/// A scene of blocks that are brighter than their surroundings, with noise, labeled by rectangles that lie elsewhere.
fn town(folder: &Path) -> Result<Scene> {
    const SIDE: usize = 400;
    std::fs::create_dir_all(folder).expect("a folder");
    let grid = GeoTransform::north_up(500_000.0, 4_000_000.0, 0.5);
    let path = folder.join("scene.tif");
    let options = WriterOptions::default().plain_tiles().nodata(0.0);
    let mut writer = RasterWriter::create(
        &path,
        Size::new(SIDE, SIDE),
        3,
        RasterType::U8,
        grid,
        "EPSG:32613",
        options,
    )?;
    let mut noise = 1_u32;
    let mut pixel = |index: usize| {
        let (band, row, col) = (index / (SIDE * SIDE), index / SIDE % SIDE, index % SIDE);
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let bright = (row / 20 + col / 30) % 3 == 0 || (noise >> 16).is_multiple_of(37);
        let nodata = row > 380 && col < 50;
        let level = if bright { 150 } else { 60 };
        if nodata {
            0
        } else {
            level + band as u8 * 3 + (noise >> 28) as u8
        }
    };
    let values: Vec<u8> = (0..3 * SIDE * SIDE).map(&mut pixel).collect();
    writer.write_rows(0, &values)?;
    writer.finish()?;

    let corner = |col: usize, row: usize| grid.world_from_pixel((col as f64, row as f64));
    let house = |(col, row): (usize, usize)| {
        let ring = [
            (col, row),
            (col + 30, row),
            (col + 30, row + 20),
            (col, row + 20),
            (col, row),
        ];
        let ring: Vec<_> = ring
            .into_iter()
            .map(|(col, row)| corner(col, row))
            .collect();
        let polygon = geo::Polygon::new(geo::LineString::from(ring), Vec::new());
        let geometry = geo::MultiPolygon::new(vec![polygon]);
        PolygonFeature {
            geometry,
            class: "building".to_owned(),
            score: None,
            area_m2: 150.0,
        }
    };
    let places = (0..SIDE)
        .step_by(60)
        .flat_map(|row| (0..SIDE).step_by(90).map(move |col| (col, row)));
    let houses: Vec<_> = places.map(house).collect();
    let labels = write_polygons(
        folder.join("labels.gpkg"),
        &houses,
        "EPSG:32613",
        Format::GeoPackage,
    )?;
    Scene::open(&path)?.with_labels(labels, "class")
}

fn predict(
    network: &(dyn AnyNetwork + 'static),
    scene: &Scene,
    classes: &Classes,
    options: PredictOptions,
) -> Result<SceneMap> {
    let mean = scene
        .statistics()?
        .iter()
        .map(|band| band.mean as f32)
        .collect();
    let std = scene
        .statistics()?
        .iter()
        .map(|band| band.std as f32)
        .collect();
    predict_scene(
        network,
        &Normalization::new(mean, std),
        classes,
        scene,
        &Device::cpu(),
        &options.quiet(true),
    )
}

fn threshold(scene: &Scene, options: PredictOptions) -> Result<SceneMap> {
    predict(
        &Threshold {
            classes: scene.classes().len(),
        },
        scene,
        scene.classes(),
        options,
    )
}

#[test]
fn a_pixelwise_network_gives_the_pixelwise_map_whatever_the_windows() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let scene = town(folder.path())?;
    let mean = scene.statistics()?[0].mean as f32;
    let patch = scene.read(&scene.area())?;
    let expected: Vec<u8> = (patch.data[..patch.valid.len()].iter().zip(&patch.valid))
        .map(|(value, valid)| {
            if *valid == 0 {
                255
            } else {
                u8::from(*value > mean)
            }
        })
        .collect();
    for (window, overlap, batch) in [(512, 64, 1), (128, 32, 3), (96, 0, 2), (64, 60, 4)] {
        let map = threshold(
            &scene,
            PredictOptions::new()
                .window(window)
                .overlap(overlap)
                .batch(batch),
        )?;
        assert_eq!(map.size(), scene.size());
        assert!(
            map.labels(&scene.area())? == expected,
            "windows of {window} px"
        );
    }
    Ok(())
}

#[test]
fn a_constant_network_gives_its_score_everywhere() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let scene = town(folder.path())?;
    let classes = Classes::new(["building"]);
    let map = predict(
        &Constant { score: 1.0 },
        &scene,
        &classes,
        PredictOptions::new().window(96).overlap(40),
    )?;
    let scores = Raster::open(map.scores_path().expect("scores are kept"))?;
    let patch = scores.read(&scores.full())?;
    let building = 1.0 / (1.0 + (-1.0_f32).exp());
    let expected = [
        ((1.0 - building) * 254.0).round(),
        (building * 254.0).round(),
    ];
    for (plane, expected) in patch.data.chunks_exact(patch.valid.len()).zip(expected) {
        assert!(
            plane
                .iter()
                .zip(&patch.valid)
                .all(|(score, valid)| *valid == 0 || *score == expected)
        );
    }
    Ok(())
}

#[test]
fn views_change_nothing_for_a_network_without_a_sense_of_direction() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let scene = town(folder.path())?;
    for (width, height, window) in [(400, 400, 128), (170, 90, 64), (50, 33, 512)] {
        let part = scene.crop(PixelWindow {
            col: 7,
            row: 11,
            width,
            height,
        })?;
        let plain = threshold(&part, PredictOptions::new().window(window))?;
        let scores = |map: &SceneMap| -> Result<Vec<f32>> {
            let scores = Raster::open(map.scores_path().expect("scores are kept"))?;
            Ok(scores.read(&scores.full())?.data)
        };
        for options in [
            PredictOptions::new().flips(true),
            PredictOptions::new().turns(true).batch(2),
        ] {
            let seen = threshold(&part, options.window(window))?;
            assert!(
                seen.labels(&part.area())? == plain.labels(&part.area())?,
                "{width} x {height}"
            );
            let same =
                (scores(&seen)?.iter().zip(&scores(&plain)?)).all(|(a, b)| (a - b).abs() <= 1.0);
            assert!(same, "{width} x {height}");
        }
    }
    Ok(())
}

#[test]
fn views_average_the_probabilities_of_every_mirrored_and_turned_window() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let scene = town(folder.path())?;
    // One window, reflected beyond the area to 96 x 64: views mirror the window that the network sees.
    let (width, height, seen_width, seen_height) = (90, 50, 96, 64);
    let part = scene.crop(PixelWindow {
        col: 60,
        row: 20,
        width,
        height,
    })?;
    let classes = Classes::new(["building"]);
    let (mean, std) = (
        part.statistics()?[0].mean as f32,
        part.statistics()?[0].std as f32,
    );
    let patch = part.read(&part.area())?;
    for (options, views) in [
        (PredictOptions::new(), 1),
        (PredictOptions::new().flips(true), 4),
        (PredictOptions::new().turns(true), 8),
    ] {
        let map = predict(&Slope { nothing: 0 }, &part, &classes, options)?;
        let scores = Raster::open(map.scores_path().expect("scores are kept"))?;
        let found = scores.read(&scores.full())?.data;
        for (row, col) in (0..height).flat_map(|row| (0..width).map(move |col| (row, col))) {
            let value = (patch.data[row * width + col] - mean) / std;
            let places = [
                (row, col),
                (row, seen_width - 1 - col),
                (seen_height - 1 - row, col),
                (seen_height - 1 - row, seen_width - 1 - col),
                (col, row),
                (col, seen_height - 1 - row),
                (seen_width - 1 - col, row),
                (seen_width - 1 - col, seen_height - 1 - row),
            ];
            let probability =
                |(row, col): &(usize, usize)| 1.0 / (1.0 + (-value - slope_at(*row, *col)).exp());
            let expected =
                254.0 * places[..views].iter().map(probability).sum::<f32>() / views as f32;
            let stored = found[(height + row) * width + col];
            assert!(
                (stored - expected).abs() <= 0.51,
                "{views} views at {row}, {col}: {stored}, not {expected}"
            );
        }
    }
    Ok(())
}

#[test]
fn a_part_of_a_scene_is_predicted_and_scored_in_its_place() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let scene = town(folder.path())?;
    let whole = threshold(&scene, PredictOptions::new())?;
    let (left, right) = scene.split(swath::scene::Split::columns(0.7));
    let part = threshold(&right, PredictOptions::new().window(64).overlap(16))?;
    assert_eq!(part.area(), right.area());
    assert!(part.labels(&right.area())? == whole.labels(&right.area())?);
    let (from_whole, from_part) = (whole.evaluate(&right)?, part.evaluate(&right)?);
    assert_eq!(from_whole, from_part);
    let error = part.evaluate(&left).expect_err("the two share no pixel");
    assert!(
        error.hint().is_some_and(|hint| hint.contains("predict")),
        "{error}"
    );
    Ok(())
}

#[test]
fn saved_files_hold_the_map_its_classes_and_its_place() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let scene = town(folder.path())?;
    let map = threshold(&scene, PredictOptions::new())?;
    let scores = map.evaluate(&scene)?;
    let out = folder.path().join("out/deep");
    let files = map.save(&out)?;
    let names: Vec<_> = files
        .iter()
        .filter_map(|file| file.file_name()?.to_str())
        .collect();
    assert_eq!(
        names,
        [
            "labels.qml",
            "labels.tif",
            "polygons.geojson",
            "polygons.gpkg",
            "polygons.qml",
            "scores.json",
            "scores.tif"
        ]
    );

    let labels = Raster::open(out.join("labels.tif"))?;
    assert_eq!(labels.category_names(), scene.classes().names());
    assert_eq!(labels.nodata(), Some(255.0));
    assert_eq!(labels.transform(), scene.raster().transform());
    assert_eq!(labels.crs_name(), scene.raster().crs_name());
    let saved: Vec<u8> = labels
        .read(&labels.full())?
        .data
        .iter()
        .map(|value| *value as u8)
        .collect();
    let own: Vec<u8> = map
        .labels(&scene.area())?
        .into_iter()
        .map(|label| if label == 255 { 0 } else { label })
        .collect();
    assert!(saved == own);
    assert_eq!(score_class_map(&labels, &scene)?, scores);

    let stored = Raster::open(out.join("scores.tif"))?;
    assert_eq!(stored.band_names(), scene.classes().names());
    let json: serde_json::Value = serde_json::from_str(
        &std::fs::read_to_string(out.join("scores.json")).expect("it is there"),
    )
    .expect("JSON");
    assert_eq!(json, scores.to_json());

    for file in ["polygons.gpkg", "polygons.geojson"] {
        let polygons = read_polygons(
            out.join(file),
            &scene.raster().georeference(),
            Some("class"),
        )?;
        let index = |name: &Option<String>| {
            scene
                .classes()
                .index_of(name.as_deref().unwrap_or_default())
                .unwrap_or(0) as u8
        };
        let burned: Vec<_> = polygons
            .iter()
            .map(|polygon| (polygon.geometry.clone(), index(&polygon.class)))
            .collect();
        assert!(
            rasterize(&burned, &scene.area()) == own,
            "{file} burned again is the map"
        );
    }
    assert!(std::fs::read_dir(&out).expect("the folder").all(|entry| {
        !entry
            .expect("an entry")
            .file_name()
            .to_string_lossy()
            .starts_with('.')
    }));
    Ok(())
}

#[test]
fn small_polygons_are_left_out_on_request() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let scene = town(folder.path())?;
    let map = threshold(&scene, PredictOptions::new())?;
    let count = |area: f64, out: &Path| -> Result<usize> {
        let saved = map.save_with(out, SaveOptions::new().min_area_m2(area))?;
        assert_eq!(saved.report().mentions("areas below 20 m²"), area == 20.0);
        Ok(read_polygons(
            out.join("polygons.gpkg"),
            &scene.raster().georeference(),
            None,
        )?
        .len())
    };
    let all = count(0.0, &folder.path().join("all"))?;
    let large = count(20.0, &folder.path().join("large"))?;
    assert!(0 < large && large < all, "{large} of {all}");
    assert!(
        map.save_with(folder.path(), SaveOptions::new().min_area_m2(f64::NAN))
            .is_err()
    );
    Ok(())
}

#[test]
fn networks_and_options_that_do_not_fit_are_errors_with_a_hint() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let scene = town(folder.path())?;
    let error = predict(
        &TooFewClasses { nothing: 0 },
        &scene,
        scene.classes(),
        PredictOptions::new(),
    );
    let error = error.expect_err("one class is missing");
    assert!(
        error.to_string().contains("shape") && error.hint().is_some(),
        "{error}"
    );

    let bands = predict_scene(
        &Threshold {
            classes: scene.classes().len(),
        },
        &Normalization::eight_bit(scene.band_count() + 1),
        scene.classes(),
        &scene,
        &Device::cpu(),
        &PredictOptions::new().quiet(true),
    );
    assert!(
        bands
            .expect_err("a band is missing")
            .to_string()
            .contains("bands")
    );
    for options in [
        PredictOptions::new().window(0),
        PredictOptions::new().window(64).overlap(64),
        PredictOptions::new().batch(0),
    ] {
        assert!(threshold(&scene, options).is_err());
    }
    let unlabeled = Scene::open(scene.raster().path())?;
    let map = threshold(&scene, PredictOptions::new())?;
    let error = map
        .evaluate(&unlabeled)
        .expect_err("nothing to score against");
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("with_labels")),
        "{error}"
    );
    Ok(())
}

/// Saves a map into a folder with room for an older file and no more.
#[track_caller]
fn save_without_room(map: &SceneMap, disk: &Path) {
    std::fs::write(disk.join("labels.tif"), "an older map").expect("there is room for that");
    let error = map.save(disk).expect_err("the map does not fit");
    assert!(
        error.hint().is_some_and(|hint| hint.contains("space")),
        "{error}: {:?}",
        error.hint()
    );
    let left: Vec<_> = std::fs::read_dir(disk)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(left, ["labels.tif"]);
    assert_eq!(
        std::fs::read_to_string(disk.join("labels.tif")).expect("it is there"),
        "an older map"
    );
}

#[test]
#[ignore = "needs the right to mount"]
fn a_full_disk_leaves_the_old_files_as_they_were() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let scene = town(folder.path())?;
    let map = threshold(&scene, PredictOptions::new())?;
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).expect("a folder");
    let mount = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=200k", "tmpfs"])
        .arg(&disk)
        .output()
        .expect("there is `mount`");
    assert!(
        mount.status.success(),
        "{}",
        String::from_utf8_lossy(&mount.stderr)
    );
    let _unmount = Unmount(&disk);
    save_without_room(&map, &disk);
    Ok(())
}

/// As above, where nobody may mount: the system refuses to let files grow, as a full disk would.
#[test]
fn a_map_without_room_leaves_the_old_files_as_they_were() -> Result<()> {
    if !is_child() {
        let test = "predict::a_map_without_room_leaves_the_old_files_as_they_were";
        assert_passed(&in_child(test, &[]));
        return Ok(());
    }
    let folder = tempfile::tempdir().expect("a folder");
    let scene = town(folder.path())?;
    let map = threshold(&scene, PredictOptions::new())?;
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).expect("a folder");
    let limit = libc::rlimit {
        rlim_cur: 1_000,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: the limit outlives the call; ignoring the signal makes the write itself fail.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit), 0);
    }
    save_without_room(&map, &disk);
    Ok(())
}

struct Unmount<'a>(&'a Path);

impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0).output();
    }
}

/// Interrupting is a state of the whole process, so it is tried in one of its own.
#[test]
fn an_interrupt_stops_the_prediction_and_leaves_nothing_behind() -> Result<()> {
    if !is_child() {
        let folder = tempfile::tempdir().expect("a folder");
        let temporary = folder.path().to_str().expect("a plain path");
        let test = "predict::an_interrupt_stops_the_prediction_and_leaves_nothing_behind";
        assert_passed(&in_child(test, &[("TMPDIR", temporary)]));
        return Ok(());
    }
    struct InterruptAtOnce;
    impl session::Sink for InterruptAtOnce {
        fn result(&self, _output: swath::display::Output) {}
        fn display(&self, _output: swath::display::Output, _id: Option<&str>) {
            session::set_interrupted(true);
        }
        fn update(&self, _output: swath::display::Output, _id: &str) {}
        fn clear(&self, _wait: bool) {}
        fn input(&self, _prompt: &str, _password: bool) -> Option<String> {
            None
        }
    }
    let temporary = std::env::temp_dir();
    let scene = town(&temporary.join("town"))?;
    session::set_sink(Arc::new(InterruptAtOnce));
    let network = Threshold {
        classes: scene.classes().len(),
    };
    let normalization = Normalization::eight_bit(scene.band_count());
    let options = PredictOptions::new().window(64);
    let outcome = predict_scene(
        &network,
        &normalization,
        scene.classes(),
        &scene,
        &Device::cpu(),
        &options,
    );
    assert!(
        matches!(outcome, Err(swath::Error::Interrupted { .. })),
        "{outcome:?}"
    );
    let maps = std::fs::read_dir(&temporary)
        .expect("the folder")
        .filter(|entry| {
            entry
                .as_ref()
                .is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with("swath-map"))
        });
    assert_eq!(maps.count(), 0, "the working files are gone");
    session::set_interrupted(false);
    predict_scene(
        &network,
        &normalization,
        scene.classes(),
        &scene,
        &Device::cpu(),
        &options.quiet(true),
    )?;
    Ok(())
}
