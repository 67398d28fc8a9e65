//! Whole scenes through a network that finds bright rectangles exactly.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::Tensor;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::{DetectionOptions, SceneBoxes, detect_scene};
use crate::boxes::{Annotation, BoundingBox, BoxFusion, Detection};
use crate::device::Device;
use crate::display::Show;
use crate::labels::Classes;
use crate::models::{DetectOptions, DetectionNetwork, Normalization};
use crate::raster::{GeoTransform, RasterType, RasterWriter, Size, WriterOptions};
use crate::scene::{Scene, Split};
use crate::{Hint, Result};

/// A network whose boxes are the bright rectangles of its images; the score tells how large they are.
#[derive(Module, Debug)]
pub(super) struct Finder {
    conv: Conv2d,
}

impl Finder {
    pub(super) fn new() -> Self {
        Self {
            conv: Conv2dConfig::new([1, 1], [1, 1]).init(Device::cpu().burn()),
        }
    }
}

impl DetectionNetwork for Finder {
    fn losses(&self, images: Tensor<4>, _: &[Vec<Annotation>]) -> Vec<(&'static str, Tensor<1>)> {
        vec![("none", self.conv.forward(images).mean())]
    }

    fn detect(&self, images: Tensor<4>, options: &DetectOptions) -> Vec<Vec<Detection>> {
        let [n, _, height, width] = images.dims();
        let values = images.into_data().try_to_vec::<f32>().unwrap_or_default();
        let of_image = |image: usize| {
            let plane = &values[image * height * width..][..height * width];
            rectangles(plane, width, options.min_score)
        };
        (0..n).map(of_image).collect()
    }
}

/// The rectangles of values above a half, which touch nothing.
fn rectangles(plane: &[f32], width: usize, least: f32) -> Vec<Detection> {
    let height = plane.len() / width;
    let bright = |col: usize, row: usize| plane[row * width + col] > 0.5;
    let mut found = Vec::new();
    for row in 0..height {
        for col in 0..width {
            let corner = bright(col, row)
                && !(col > 0 && bright(col - 1, row))
                && !(row > 0 && bright(col, row - 1));
            if !corner {
                continue;
            }
            let across = (col..width).take_while(|&at| bright(at, row)).count();
            let down = (row..height).take_while(|&at| bright(col, at)).count();
            let bounds = BoundingBox::from_xywh(col as f64, row as f64, across as f64, down as f64);
            let score = (bounds.area() as f32 / 1000.0).min(1.0);
            if score >= least {
                found.push(Detection::new(bounds, 1, score));
            }
        }
    }
    found
}

const WGS84: &str = "EPSG:4326";

/// Bright rectangles of 5 to 30 px on a dark ground, none of which touches another, with their outlines as boxes.
pub(super) fn drawn(folder: &std::path::Path, size: Size, seed: u64) -> Result<Scene> {
    let mut random = Pcg64::seed_from_u64(seed);
    let transform = GeoTransform([85.5, 1e-5, 0.0, 27.6, 0.0, -1e-5]);
    let mut values = vec![0_u8; size.area()];
    let mut rows = String::from("xmin,ymin,xmax,ymax,label\n");
    for (left, top) in (0..size.height / 34)
        .flat_map(|row| (0..size.width / 34).map(move |col| (col * 34, row * 34)))
    {
        let (width, height) = (random.random_range(5..31), random.random_range(5..31));
        let (left, top) = (
            left + random.random_range(1..33 - width),
            top + random.random_range(1..33 - height),
        );
        for row in top..top + height {
            values[row * size.width + left..][..width].fill(200);
        }
        let (right, bottom) = (left + width, top + height);
        rows.push_str(&format!("{left},{top},{right},{bottom},car\n"));
    }
    let (path, boxes) = (folder.join("cars.tif"), folder.join("cars.csv"));
    let options = WriterOptions::default().plain_tiles();
    let mut writer =
        RasterWriter::create(&path, size, 1, RasterType::U8, transform, WGS84, options)?;
    writer.write_rows(0, &values)?;
    writer.finish()?;
    std::fs::write(&boxes, rows).map_err(|source| crate::FileError::Io {
        action: "write the boxes",
        path: boxes.clone(),
        source,
    })?;
    Scene::open(path)?.with_boxes(boxes, "car")
}

pub(super) fn found(scene: &Scene, options: &DetectionOptions) -> Result<SceneBoxes> {
    let normalization = Normalization::new(vec![0.0], vec![200.0]);
    let options = options.clone().quiet(true);
    detect_scene(
        &Finder::new(),
        &normalization,
        scene.classes(),
        scene,
        &Device::cpu(),
        &options,
        Some(0.0),
    )
}

pub(super) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap_or_else(|error| panic!("no folder for the test: {error}"))
}

/// Corners in whole pixels, in order.
pub(super) fn corners<'a>(boxes: impl Iterator<Item = &'a BoundingBox>) -> Vec<[i64; 4]> {
    let mut corners: Vec<_> = boxes
        .map(|one| [one.x_min, one.y_min, one.x_max, one.y_max].map(|edge| edge.round() as i64))
        .collect();
    corners.sort_unstable();
    corners
}

#[test]
fn every_object_is_found_once_wherever_tiles_lie() -> Result<()> {
    let folder = folder();
    let mut random = Pcg64::seed_from_u64(3);
    for seed in 0..6 {
        let size = Size::new(random.random_range(100..420), random.random_range(100..420));
        let scene = drawn(folder.path(), size, seed)?;
        let truth = corners(scene.boxes().iter().map(|one| &one.bounds));
        for window in [64, 96, 512] {
            let options = DetectionOptions::new()
                .window(window)
                // As wide as the largest object and the margin at both sides.
                .overlap(48)
                .batch(1 + seed as usize % 3)
                .min_score(0.0);
            let boxes = found(&scene, &options)?;
            let whole = corners(boxes.detections().iter().map(|one| &one.bounds));
            assert_eq!(whole, truth, "{size}, tiles of {window}");
            let scores = boxes.evaluate(&scene)?;
            assert_eq!(
                (scores.ap50(), scores.ap(), scores.f1(0.9)),
                (1.0, 1.0, 1.0)
            );
        }
    }
    Ok(())
}

#[test]
fn views_of_a_detector_that_sees_all_alike_find_the_same_boxes() -> Result<()> {
    let folder = folder();
    let scene = drawn(folder.path(), Size::new(210, 130), 8)?;
    let options = || {
        DetectionOptions::new()
            .window(96)
            .overlap(48)
            .min_score(0.0)
    };
    let plain = found(&scene, &options())?;
    assert!(plain.len() > 10);
    for options in [options().flips(true), options().turns(true)] {
        let seen = found(&scene, &options)?;
        assert_eq!(seen.len(), plain.len());
        for (seen, plain) in seen.detections().iter().zip(plain.detections()) {
            assert!(
                (seen.score - plain.score).abs() < 1e-6,
                "{seen:?} {plain:?}"
            );
        }
        let boxes = |boxes: &SceneBoxes| corners(boxes.detections().iter().map(|one| &one.bounds));
        assert_eq!(boxes(&seen), boxes(&plain));
    }
    Ok(())
}

/// A network that finds the rectangles of [`Finder`] in the left half of its images only.
#[derive(Module, Debug)]
struct LeftFinder {
    finder: Finder,
}

impl DetectionNetwork for LeftFinder {
    fn losses(
        &self,
        images: Tensor<4>,
        targets: &[Vec<Annotation>],
    ) -> Vec<(&'static str, Tensor<1>)> {
        DetectionNetwork::losses(&self.finder, images, targets)
    }

    fn detect(&self, images: Tensor<4>, options: &DetectOptions) -> Vec<Vec<Detection>> {
        let middle = images.dims()[3] as f64 / 2.0;
        let mut found = DetectionNetwork::detect(&self.finder, images, options);
        for found in &mut found {
            found.retain(|found| found.bounds.x_max <= middle);
        }
        found
    }
}

#[test]
fn what_only_some_views_find_is_kept_with_their_share_of_the_score() -> Result<()> {
    let folder = folder();
    let scene = drawn(folder.path(), Size::new(192, 128), 5)?;
    let normalization = Normalization::new(vec![0.0], vec![200.0]);
    let options = DetectionOptions::new()
        .window(192)
        .min_score(0.0)
        .quiet(true);
    let search = |options: &DetectionOptions| {
        let network = LeftFinder {
            finder: Finder::new(),
        };
        let (classes, device) = (scene.classes(), Device::cpu());
        detect_scene(
            &network,
            &normalization,
            classes,
            &scene,
            &device,
            options,
            Some(0.0),
        )
    };
    let (left, both) = (search(&options)?, search(&options.clone().flips(true))?);
    assert!(both.len() > left.len() && !left.is_empty());
    let whole = |found: &Detection| found.bounds.x_max <= 96.0 || found.bounds.x_min >= 96.0;
    for found in both.detections() {
        assert!(whole(found), "{found:?}");
        let full = (found.bounds.area() as f32 / 1000.0).min(1.0);
        // Two of the four views have it on their left.
        assert!((found.score - full / 2.0).abs() < 1e-6, "{found:?}");
    }
    Ok(())
}

#[test]
fn a_part_of_a_scene_is_searched_and_scored_in_pixels_of_the_whole() -> Result<()> {
    let folder = folder();
    let scene = drawn(folder.path(), Size::new(300, 200), 9)?;
    let (_, right) = scene.split(Split::columns(0.5));
    let boxes = found(
        &right,
        &DetectionOptions::new()
            .window(96)
            .overlap(48)
            .min_score(0.0),
    )?;
    assert!(!boxes.is_empty());
    assert!(
        boxes
            .detections()
            .iter()
            .all(|found| found.bounds.x_min >= 150.0)
    );
    let scores = boxes.evaluate(&right)?;
    assert!((scores.ap50() - 1.0).abs() < 1e-9);
    let whole = found(&scene, &DetectionOptions::new().min_score(0.0))?;
    assert!((whole.evaluate(&right)?.ap50() - 1.0).abs() < 1e-9);
    Ok(())
}

#[test]
fn a_threshold_hides_boxes_and_a_lower_one_brings_them_back() -> Result<()> {
    let folder = folder();
    let scene = drawn(folder.path(), Size::new(300, 200), 4)?;
    let all = found(&scene, &DetectionOptions::new().min_score(0.0))?;
    let some = all.threshold(0.3);
    assert!(some.len() < all.len() && !some.is_empty());
    assert!(some.detections().iter().all(|found| found.score >= 0.3));
    assert_eq!(some.threshold(0.0).len(), all.len());
    // Average precision looks at all boxes, F1 at those that count.
    let scores = some.evaluate(&scene)?;
    assert!((scores.ap50() - 1.0).abs() < 1e-9);
    assert_eq!(scores.counts(0.5).true_positives, some.len());
    assert_eq!(scores.best_f1(0.5).1.f1, 1.0);
    let shown = some.output();
    assert!(
        shown.text.contains(&format!("car {}", some.len())),
        "{}",
        shown.text
    );
    assert!(scores.output().text.contains("AP50 1.000"));
    Ok(())
}

/// Every point of the curve is what counting at its threshold gives.
#[test]
fn a_choice_of_a_threshold_holds_the_counts_at_each() -> Result<()> {
    let folder = folder();
    let scene = drawn(folder.path(), Size::new(300, 200), 4)?;
    let all = found(&scene, &DetectionOptions::new().min_score(0.0))?;
    let choice = all.best_threshold(&scene)?;
    let scores = all.evaluate(&scene)?;
    let (best, counts) = scores.best_f1(0.5);
    assert_eq!((choice.threshold(), choice.f1()), (best, counts.f1));
    assert!(choice.curve().len() > 3);
    for point in choice.curve() {
        let counts = all.threshold(point.threshold).evaluate(&scene)?.counts(0.5);
        assert!((point.f1 - counts.f1).abs() < 1e-12, "{point:?}");
        assert!((point.recall - counts.recall).abs() < 1e-12, "{point:?}");
    }
    assert_eq!(all.threshold(&choice).threshold_score(), best);
    let text = choice.output().text;
    assert!(
        text.contains("boxes at IoU 0.50") && text.contains("chosen"),
        "{text}"
    );
    Ok(())
}

#[test]
fn saved_boxes_come_back_at_their_places() -> Result<()> {
    let folder = folder();
    let scene = drawn(folder.path(), Size::new(200, 150), 2)?;
    let boxes = found(&scene, &DetectionOptions::new().min_score(0.0))?;
    boxes.evaluate(&scene)?;
    let out = folder.path().join("out");
    let files = boxes.save(&out)?;
    let names: Vec<_> = files
        .iter()
        .filter_map(|path| path.file_name()?.to_str())
        .collect();
    assert_eq!(
        names,
        [
            "box_scores.json",
            "boxes.geojson",
            "boxes.gpkg",
            "boxes.qml",
            "centers.geojson",
            "centers.gpkg",
            "centers.qml",
            "detections.json",
            "searched.json"
        ]
    );
    let truth = corners(scene.boxes().iter().map(|one| &one.bounds));
    for name in ["boxes.gpkg", "boxes.geojson"] {
        let read = Scene::open(scene.raster().path())?.with_boxes(out.join(name), "class")?;
        assert_eq!(
            corners(read.boxes().iter().map(|one| &one.bounds)),
            truth,
            "{name}"
        );
        assert_eq!(read.classes().names(), ["background", "car"]);
    }
    let json = |name: &str| -> serde_json::Value {
        let text = std::fs::read_to_string(out.join(name)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    };
    let centers = json("centers.geojson");
    assert_eq!(
        centers["features"].as_array().map(Vec::len),
        Some(boxes.len())
    );
    let best = boxes.detections()[0];
    let (x, y) = scene
        .raster()
        .transform()
        .world_from_pixel(best.bounds.center());
    let point = &centers["features"][0]["geometry"]["coordinates"];
    let near = |index: usize, expected: f64| {
        point[index]
            .as_f64()
            .is_some_and(|found| (found - expected).abs() < 1e-7)
    };
    assert!(near(0, x) && near(1, y), "{point}");
    let results = json("detections.json");
    assert_eq!(results[0]["bbox"], serde_json::json!(best.bounds.to_xywh()));
    let ap50 = json("box_scores.json")["ap50"].as_f64();
    assert!(
        ap50.is_some_and(|ap50| (ap50 - 1.0).abs() < 1e-9),
        "{ap50:?}"
    );
    Ok(())
}

#[test]
fn other_ways_to_merge_find_the_same_objects() -> Result<()> {
    let folder = folder();
    let scene = drawn(folder.path(), Size::new(260, 220), 7)?;
    let truth = corners(scene.boxes().iter().map(|one| &one.bounds));
    for merge in [
        BoxFusion::SoftNms {
            sigma: 0.5,
            min_score: 0.0,
        },
        BoxFusion::WeightedBoxes { iou: 0.55 },
    ] {
        let options = DetectionOptions::new()
            .window(96)
            .overlap(48)
            .min_score(0.0)
            .fusion(merge);
        let boxes = found(&scene, &options)?;
        let whole = corners(boxes.detections().iter().map(|one| &one.bounds));
        assert_eq!(whole, truth, "{merge:?}");
    }
    Ok(())
}

#[test]
fn what_cannot_be_searched_or_scored_is_an_error_with_the_way_out() -> Result<()> {
    let folder = folder();
    let scene = drawn(folder.path(), Size::new(100, 100), 1)?;
    #[track_caller]
    fn refused<T>(result: Result<T>, message: &str, hint: Option<&str>) {
        let Err(error) = result else {
            panic!("expected an error with {message:?}")
        };
        assert_eq!(error.to_string(), message);
        assert_eq!(error.hint().as_deref(), hint);
    }
    let options = DetectionOptions::new();
    refused(
        found(&scene, &options.clone().window(0)),
        "the option `window` is 0, expected from 1 to 8192",
        None,
    );
    refused(
        found(&scene, &options.clone().window(64).overlap(64)),
        "the option `overlap` is 64, expected less than the window's 64 pixels",
        None,
    );
    refused(
        found(&scene, &options.clone().min_score(f32::NAN)),
        "the option `min_score` is NaN, expected a probability from 0 to 1",
        None,
    );
    for (fusion, message) in [
        (
            BoxFusion::Nms { iou: 3.0 },
            "the option `fusion` is Nms { iou: 3.0 }, expected an `iou` from 0 to 1",
        ),
        (
            BoxFusion::WeightedBoxes { iou: f64::NAN },
            "the option `fusion` is WeightedBoxes { iou: NaN }, expected an `iou` from 0 to 1",
        ),
        (
            BoxFusion::SoftNms {
                sigma: 0.0,
                min_score: 0.001,
            },
            "the option `fusion` is SoftNms { sigma: 0.0, min_score: 0.001 }, expected a `sigma` above 0",
        ),
        (
            BoxFusion::SoftNms {
                sigma: 0.5,
                min_score: 2.0,
            },
            "the option `fusion's min_score` is 2, expected a probability from 0 to 1",
        ),
    ] {
        refused(
            found(&scene, &options.clone().fusion(fusion)),
            message,
            None,
        );
    }
    let boxes = found(&scene, &options)?;
    let bare = Scene::open(scene.raster().path())?;
    refused(
        boxes.evaluate(&bare),
        "the scene has no labeled box to score against: cars",
        Some(
            "`scene.with_boxes(\"boxes.xml\", \"tree\")` gives a scene its boxes; where it has some, none lies in the \
             pixels that were searched",
        ),
    );
    let csv = folder.path().join("cars.csv");
    let other = Scene::open(scene.raster().path())?.with_box_classes(
        csv,
        "label",
        Classes::new(["bus", "car"]),
    )?;
    refused(
        boxes.evaluate(&other),
        "the classes differ: expected background, car but found background, bus, car",
        Some(
            "`scene.only([\"car\"])?` keeps the labels of the model's classes; the others become background",
        ),
    );
    // The way out is one.
    boxes.evaluate(&other.only(["car"])?)?;
    Ok(())
}
