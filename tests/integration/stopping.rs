//! Long work of every kind stops when the user asks, leaves nothing half done, and can be done again afterwards.
//!
//! An interrupt is a state of the whole process, so each is tried in one of its own.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use swath::boxes::{Annotation, BoundingBox, Detection};
use swath::burn;
use swath::burn::module::Module;
use swath::burn::tensor::Tensor;
use swath::chips::Chips;
use swath::cli::INTERRUPTED;
use swath::detect::{DetectionOptions, SceneBoxes, detect_scene};
use swath::device::Device;
use swath::labels::Classes;
use swath::models::{
    BundleMeta, DetectOptions, DetectionNetwork, Network, Normalization, Unet, save_bundle,
};
use swath::predict::{PredictOptions, SaveOptions, SceneMap, predict_scene, score_class_map};
use swath::raster::Raster;
use swath::scene::Scene;
use swath::{Error, Result, samples, session};

use crate::interrupts::{names, noise};
use crate::support::{assert_passed, in_child, is_child};

/// Whether the test runs in a process of its own; starts that process, and waits for it, where it does not.
fn alone(test: &str) -> bool {
    if !is_child() {
        assert_passed(&in_child(&format!("stopping::{test}"), &[]));
    }
    is_child()
}

/// Asserts that `work` stops when the user asks after this part of its time. It gets the number of the attempt.
#[track_caller]
fn assert_stops<T>(name: &str, part: f64, work: impl Fn(usize) -> Result<T> + Sync) -> Result<()> {
    let began = Instant::now();
    work(0)?;
    let mut whole = began.elapsed();
    // On a machine that was busy at first the request can come when the work is done: then it tells nothing.
    let stopped = (1..7).any(|attempt| {
        let began = Instant::now();
        let outcome = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(whole.mul_f64(part));
                session::set_interrupted(true);
            });
            work(attempt)
        });
        session::set_interrupted(false);
        match outcome {
            Ok(_) => {
                whole = began.elapsed();
                false
            }
            Err(Error::Interrupted { .. }) => true,
            Err(error) => panic!("{name}: {error}"),
        }
    });
    assert!(stopped, "{name}: work of {whole:?} was never stopped");
    Ok(())
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Batches that a [`Ringing`] was given.
static SEARCHED: AtomicUsize = AtomicUsize::new(0);

/// A network that finds a grid of small boxes, and asks to stop in its third batch when told so.
#[derive(Module, Debug)]
struct Ringing {
    rings: bool,
}

impl DetectionNetwork for Ringing {
    fn losses(&self, images: Tensor<4>, _: &[Vec<Annotation>]) -> Vec<(&'static str, Tensor<1>)> {
        vec![("none", images.mean())]
    }

    fn detect(&self, images: Tensor<4>, _: &DetectOptions) -> Vec<Vec<Detection>> {
        if SEARCHED.fetch_add(1, Ordering::Relaxed) == 2 && self.rings {
            session::set_interrupted(true);
        }
        let [n, _, height, width] = images.dims();
        let at = |place: usize| {
            let (row, col) = (place / (width / 8), place % (width / 8));
            let bounds =
                BoundingBox::from_xywh((col * 8) as f64 + 2.0, (row * 8) as f64 + 2.0, 4.0, 4.0);
            Detection::new(bounds, 1, 0.9)
        };
        vec![(0..(width / 8) * (height / 8)).map(at).collect(); n]
    }
}

fn search(scene: &Scene, rings: bool) -> Result<SceneBoxes> {
    let options = DetectionOptions::new().window(256).overlap(32).quiet(true);
    detect_scene(
        &Ringing { rings },
        &Normalization::eight_bit(1),
        &Classes::new(["car"]),
        scene,
        &Device::cpu(),
        &options,
        None,
    )
}

#[test]
fn a_search_for_objects_stops_before_the_next_batch() -> Result<()> {
    if !alone("a_search_for_objects_stops_before_the_next_batch") {
        return Ok(());
    }
    let folder = folder();
    let scene = Scene::open(noise(&folder.path().join("noise.tif"), 1000)?.path())?;
    let outcome = search(&scene, true);
    assert!(
        matches!(outcome, Err(Error::Interrupted { doing }) if doing == "detecting objects"),
        "{outcome:?}"
    );
    assert_eq!(SEARCHED.load(Ordering::Relaxed), 3);
    session::set_interrupted(false);
    assert!(search(&scene, false)?.len() > 10_000);
    assert!(SEARCHED.load(Ordering::Relaxed) > 12);
    Ok(())
}

#[test]
fn saving_and_scoring_boxes_stop() -> Result<()> {
    if !alone("saving_and_scoring_boxes_stop") {
        return Ok(());
    }
    let folder = folder();
    let scene = Scene::open(noise(&folder.path().join("noise.tif"), 900)?.path())?;
    let boxes = search(&scene, false)?;
    let out = folder.path().join("boxes");
    let save = |_| boxes.save(&out);
    // The first part writes vector files, polygons before points.
    for part in [0.05, 0.4] {
        assert_stops("saving boxes", part, |attempt| {
            let saved = save(attempt);
            let left = names(&out);
            assert!(left.iter().all(|name| !name.starts_with('.')), "{left:?}");
            saved
        })?;
    }
    let labeled = Scene::open(scene.raster().path())?.with_box_classes(
        out.join("boxes.gpkg"),
        "class",
        Classes::new(["car"]),
    )?;
    session::set_interrupted(true);
    let outcome = boxes.evaluate(&labeled);
    assert!(
        matches!(outcome, Err(Error::Interrupted { .. })),
        "{outcome:?}"
    );
    assert!(boxes.scores().is_none());
    session::set_interrupted(false);
    assert!(boxes.evaluate(&labeled)?.f1(0.5) > 0.99);
    Ok(())
}

/// Class 1 where the first band is above its mean.
#[derive(Module, Debug)]
struct Above;

impl Network for Above {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let first = images.narrow(1, 0, 1);
        Tensor::cat(vec![-first.clone(), first], 1)
    }
}

fn map_of(scene: &Scene) -> Result<SceneMap> {
    predict_scene(
        &Above,
        &Normalization::new(vec![32.0], vec![1.0]),
        &Classes::new(["bright"]),
        scene,
        &Device::cpu(),
        &PredictOptions::new().quiet(true),
    )
}

#[test]
fn saving_a_map_stops_while_files_are_copied_and_while_polygons_are_traced() -> Result<()> {
    if !alone("saving_a_map_stops_while_files_are_copied_and_while_polygons_are_traced") {
        return Ok(());
    }
    let folder = folder();
    let out = folder.path().join("map");
    let rasters = SaveOptions::new().polygons(false);
    // Every few pixels of noise are a polygon.
    for (name, side, options) in [
        ("rasters", 1500, rasters),
        ("polygons", 200, SaveOptions::new()),
    ] {
        let scene = noise(&folder.path().join(format!("{name}.tif")), side)?;
        let map = map_of(&Scene::open(scene.path())?)?;
        for part in [0.1, 0.5] {
            assert_stops(name, part, |_| {
                let saved = map.save_with(&out, &options);
                let left = names(&out);
                assert!(left.iter().all(|name| !name.starts_with('.')), "{left:?}");
                saved
            })?;
        }
    }
    assert!(Raster::open(out.join("labels.tif")).is_ok());
    Ok(())
}

/// Squares of three pixels side by side over noise of this side, as GeoJSON.
fn squares(path: &Path, side: usize) -> PathBuf {
    let mut text = String::from("{\"type\":\"FeatureCollection\",\"features\":[");
    for (index, (row, col)) in (0..side / 6)
        .flat_map(|row| (0..side / 6).map(move |col| (row, col)))
        .enumerate()
    {
        let (x, y) = (9.0 + col as f64 * 4e-5, 45.1437 + row as f64 * 2.7e-5);
        let (right, top) = (x + 2e-5, y + 1.35e-5);
        let _ = write!(
            text,
            "{}{{\"type\":\"Feature\",\"properties\":{{}},\"geometry\":{{\"type\":\"Polygon\",\"coordinates\":\
             [[[{x},{y}],[{right},{y}],[{right},{top}],[{x},{top}],[{x},{y}]]]}}}}",
            if index == 0 { "" } else { "," }
        );
    }
    text.push_str("]}");
    std::fs::write(path, text).expect("it is written");
    path.to_owned()
}

#[test]
fn reading_label_vectors_and_scoring_a_map_stop() -> Result<()> {
    if !alone("reading_label_vectors_and_scoring_a_map_stop") {
        return Ok(());
    }
    let folder = folder();
    let raster = noise(&folder.path().join("noise.tif"), 1600)?;
    let labels = squares(&folder.path().join("labels.geojson"), 900);
    let labeled = || Scene::open(raster.path())?.with_labels(&labels, "bright");
    assert_stops("reading labels", 0.3, |_| labeled())?;
    let scene = labeled()?;
    let map = map_of(&scene)?;
    assert_stops("scoring a map", 0.3, |_| map.evaluate(&scene))?;
    let out = folder.path().join("map");
    map.save_with(&out, SaveOptions::new().polygons(false))?;
    let saved = Raster::open(out.join("labels.tif"))?;
    assert_stops("scoring a saved map", 0.3, |_| {
        score_class_map(&saved, &scene)
    })
}

#[test]
fn statistics_and_sliding_chips_stop() -> Result<()> {
    if !alone("statistics_and_sliding_chips_stop") {
        return Ok(());
    }
    let folder = folder();
    let path = folder.path().join("noise.tif");
    noise(&path, 3000)?;
    assert_stops("statistics", 0.2, |attempt| {
        // Those of a file that was seen before are remembered.
        let copy = folder.path().join(format!("copy-{attempt}.tif"));
        std::fs::copy(&path, &copy).expect("it is copied");
        Raster::open(copy)?.statistics()
    })?;
    let scene = Scene::open(&path)?;
    assert_stops("sliding chips", 0.2, |_| {
        Ok(scene.chips(Chips::sliding(64).min_valid(0.5))?.len())
    })
}

#[test]
fn drawing_a_town_stops_and_leaves_no_half_a_town() -> Result<()> {
    if !alone("drawing_a_town_stops_and_leaves_no_half_a_town") {
        return Ok(());
    }
    let folder = folder();
    for part in [0.1, 0.6] {
        assert_stops("a town", part, |attempt| {
            let own = folder.path().join(format!("{part}-{attempt}"));
            std::fs::create_dir(&own).expect("a folder");
            let town = samples::town_in(&own, 4, 900);
            if town.is_err() {
                let left = names(&own);
                assert!(left.iter().all(|name| !name.ends_with(".tif")), "{left:?}");
            }
            town
        })?;
    }
    Ok(())
}

/// What the child of the test below passes to the command line, a word on each line.
const WORDS: &str = "SWATH_TEST_WORDS";

#[test]
fn ctrl_c_ends_a_prediction_with_the_exit_code_of_shells() -> Result<()> {
    const TEST: &str = "stopping::ctrl_c_ends_a_prediction_with_the_exit_code_of_shells";
    if is_child() {
        let words = std::env::var(WORDS).expect("words");
        let words: Vec<_> = (words.lines())
            .map(|word| std::ffi::CString::new(word).expect("a word"))
            .collect();
        let words: Vec<_> = words.iter().map(|word| word.as_ptr()).collect();
        // SAFETY: the words are NUL-terminated and outlive the call.
        let code = unsafe { swath::cli::swath_cli(words.len() as i32, words.as_ptr()) };
        std::process::exit(code);
    }
    let folder = folder();
    let [scene, bundle, out, temporary] =
        ["noise.tif", "model.swath", "map", "tmp"].map(|name| folder.path().join(name));
    std::fs::create_dir(&temporary).expect("a folder");
    // A quarter of an hour's work, of which some seconds are done.
    noise(&scene, 6000)?;
    let architecture = Unet::resnet18();
    let network = architecture.build(1, 2, &Device::cpu())?;
    let classes = vec!["background".to_owned(), "building".to_owned()];
    let meta = BundleMeta::new(architecture, 1, classes, Normalization::eight_bit(1), 256);
    save_bundle(&bundle, &meta, &*network)?;
    let words = format!(
        "swath\npredict\n{}\n{}\n-o\n{}\n--device\ncpu",
        bundle.display(),
        scene.display(),
        out.display()
    );
    let mut child = Command::new(std::env::current_exe().expect("the test's own file"))
        .args(["--exact", TEST, "--nocapture"])
        .env("SWATH_TEST_CHILD", "1")
        .env(WORDS, words)
        .env("TMPDIR", &temporary)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the test runs itself");
    // The working files of a map are there once the prediction has begun.
    let began = Instant::now();
    while names(&temporary).is_empty() && began.elapsed() < Duration::from_secs(60) {
        assert!(child.try_wait().expect("a child").is_none(), "it ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    let asked = Instant::now();
    // SAFETY: the child runs still, or waits for us as a zombie.
    unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
    let output = child.wait_with_output().expect("it ends");
    let took = asked.elapsed();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(INTERRUPTED), "{errors}");
    assert!(errors.contains("interrupted"), "{errors}");
    assert!(took < Duration::from_secs(30), "{took:?}");
    assert_eq!(names(&temporary), Vec::<String>::new());
    assert!(!out.join("labels.tif").exists());
    Ok(())
}
