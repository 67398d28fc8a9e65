//! What saved scores and files say, and thresholds and scores that cannot be.

use serde_json::Value;

use super::tests::{drawn, folder, found};
use super::{BoxSaveOptions, DetectionOptions, SceneBoxes};
use crate::boxes::{BoundingBox, Detection};
use crate::labels::Classes;
use crate::plot::image::{RgbImage, encode_png};
use crate::predict::AtThreshold as _;
use crate::raster::Size;
use crate::scene::{Scene, Split};
use crate::{Result, vector};

fn json(path: &std::path::Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn saved_scores_are_of_the_threshold_of_the_saved_boxes() -> Result<()> {
    let folder = folder();
    let scene = drawn(folder.path(), Size::new(300, 200), 4)?;
    let all = found(&scene, &DetectionOptions::new().min_score(0.0))?;
    all.evaluate(&scene)?;
    let sure = all.threshold(0.3);
    assert!(!sure.is_empty() && sure.len() < all.len());
    let out = folder.path().join("out");
    sure.save(&out)?;
    let (saved, boxes) = (
        json(&out.join("box_scores.json")),
        json(&out.join("detections.json")),
    );
    assert_eq!(boxes.as_array().map(Vec::len), Some(sure.len()));
    let car = &saved["classes"][0];
    assert_eq!(
        (&car["true_positives"], &car["false_negatives"]),
        (&sure.len().into(), &(all.len() - sure.len()).into())
    );
    let threshold = saved["threshold"].as_f64();
    assert!(threshold.is_some_and(|threshold| (threshold - 0.3).abs() < 1e-6));
    assert_eq!(saved, sure.evaluate(&scene)?.to_json());
    // Those at the first threshold have not changed.
    let scores = all.scores().map(|scores| scores.counts(0.5));
    assert_eq!(scores.map(|counts| counts.false_negatives), Some(0));
    Ok(())
}

#[test]
fn a_threshold_that_is_no_number_hides_nothing() -> Result<()> {
    let folder = folder();
    let scene = drawn(folder.path(), Size::new(100, 100), 4)?;
    let all = found(&scene, &DetectionOptions::new().min_score(0.0))?;
    assert!(!all.is_empty());
    assert_eq!(all.threshold(f32::NAN).len(), all.len());
    assert!(all.threshold(0.5).report().is_empty());
    // What is no score is told, or refused where that is possible.
    for (score, what) in [
        (f32::NAN, "stays"),
        (1.5, "no box counts"),
        (-0.1, "every box counts"),
    ] {
        let said = all.threshold(score);
        assert!(said.report().mentions(what), "{score}: {:?}", said.report());
        assert!(all.at_threshold(score).is_err());
    }
    for iou in [0.0, 1.5, f64::NAN] {
        let text = all
            .best_threshold_at(&scene, iou)
            .map(|_| ())
            .unwrap_err()
            .to_string();
        assert!(text.contains("iou"), "{text}");
    }
    Ok(())
}

#[test]
fn an_area_in_square_meters_is_only_given_where_the_meter_is_known() -> Result<()> {
    let folder = folder();
    let path = folder.path().join("photograph.png");
    let png = encode_png(&RgbImage::filled(180, 140, [90; 3]))?;
    std::fs::write(&path, png).unwrap_or_else(|error| panic!("{error}"));
    let photograph = Scene::open(&path)?;
    let placed = drawn(folder.path(), Size::new(180, 140), 1)?;
    let car = Detection::new(BoundingBox::from_xywh(20.0, 30.0, 40.0, 10.0), 1, 0.9);
    for (scene, name, expected) in [(photograph, "area", 400.0), (placed, "area_m2", 437.0)] {
        let classes = Classes::new(["car"]);
        let area = scene.area();
        let boxes = SceneBoxes::new(vec![car], 0.5, classes, scene, area);
        let out = folder.path().join(name);
        boxes.save(&out)?;
        let properties = &json(&out.join("boxes.geojson"))["features"][0]["properties"];
        let names: Vec<&String> = properties
            .as_object()
            .map(|properties| properties.keys().collect())
            .unwrap_or_default();
        assert_eq!(names, ["class", "score", name]);
        // A hundred-thousandth of a degree is 0.99 m wide and 1.11 m high at 27.6 degrees north.
        let found = properties[name].as_f64().unwrap_or_default();
        assert!((found - expected).abs() < 1.0, "{name} {found}");
        let layers = vector::property_names(out.join("boxes.gpkg"))?;
        assert_eq!(layers, ["class", "score", name]);
    }
    Ok(())
}

#[test]
fn where_no_object_is_labeled_every_box_is_wrong_and_there_is_no_average_precision() -> Result<()> {
    let folder = folder();
    let scene = drawn(folder.path(), Size::new(300, 200), 9)?;
    let (left, _) = scene.split(Split::columns(0.5));
    let (_, right) = scene.split(Split::columns(0.5));
    let one = folder.path().join("one.csv");
    std::fs::write(&one, "xmin,ymin,xmax,ymax,label\n10,10,20,20,car\n")
        .unwrap_or_else(|error| panic!("{error}"));
    let scene = Scene::open(scene.raster().path())?.with_boxes(one, "car")?;
    let of_left = found(&left, &DetectionOptions::new())?;
    assert!(of_left.evaluate(&scene).is_ok());
    let of_right = found(&right, &DetectionOptions::new())?;
    // DeepForest, Raster Vision: a tile that was looked through and holds nothing is scored.
    let scores = of_right.evaluate(&scene)?;
    assert!(scores.ap50().is_nan() && scores.to_json()["ap50"].is_null());
    let counts = scores.counts(0.5);
    assert_eq!(counts.false_positives, of_right.len());
    assert_eq!((counts.true_positives, counts.false_negatives), (0, 0));
    let unlabeled = Scene::open(scene.raster().path())?;
    let error = of_right
        .evaluate(&unlabeled)
        .err()
        .map(|error| error.to_string());
    assert_eq!(
        error.as_deref(),
        Some("the scene has no labeled box to score against: cars")
    );
    Ok(())
}

#[test]
fn boxes_are_saved_in_every_format_and_what_a_shapefile_loses_is_said() -> Result<()> {
    let folder = folder();
    let scene = drawn(folder.path(), Size::new(180, 140), 1)?;
    let long = "ö".repeat(200);
    let found = Detection::new(BoundingBox::from_xywh(1.0, 1.0, 30.0, 20.0), 1, 0.5);
    let area = scene.area();
    let boxes = SceneBoxes::new(vec![found], 0.1, Classes::new([long.clone()]), scene, area);
    let out = folder.path().join("out");
    let formats = [vector::Format::Shapefile, vector::Format::FlatGeobuf];
    let saved = boxes.save_with(&out, BoxSaveOptions::new().formats(formats))?;
    let report = saved.report().to_string();
    assert!(
        report.contains("the ends of 1 names of classes"),
        "{report}"
    );
    // 254 bytes are 127 letters of two bytes.
    let reference = boxes.scene().raster().georeference();
    let class = |name: &str| -> Result<Option<String>> {
        let mut read = vector::read_polygons(out.join(name), &reference, Some("class"))?;
        Ok(read.swap_remove(0).class)
    };
    assert_eq!(class("boxes.shp")?, Some("ö".repeat(127)));
    assert_eq!(class("boxes.fgb")?, Some(long));
    for name in [
        "boxes.dbf",
        "centers.shp",
        "centers.fgb",
        "boxes.qml",
        "centers.qml",
    ] {
        assert!(out.join(name).is_file(), "{name}");
    }
    let style = std::fs::read_to_string(out.join("boxes.qml")).unwrap_or_default();
    assert!(style.contains("labelsEnabled=\"1\"") && style.contains("round(&quot;score&quot;, 2)"));
    // Another choice leaves none of the others.
    boxes.save(&out)?;
    assert!(!out.join("boxes.shp").exists() && !out.join("centers.fgb").exists());
    assert!(out.join("boxes.gpkg").is_file());
    Ok(())
}
