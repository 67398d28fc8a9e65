//! Boxes that were saved and read back.

use std::path::Path;

use geo::{Coord, LineString, MultiPolygon, Polygon};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::SceneBoxes;
use super::tests::{drawn, folder};
use crate::boxes::{BoundingBox, Detection};
use crate::display::Show;
use crate::labels::Classes;
use crate::plot::image::{RgbImage, encode_png};
use crate::raster::{Size, crs};
use crate::scene::{Scene, Split};
use crate::vector::{Format, PolygonFeature, write_polygons};
use crate::{Hint, Result};

/// Boxes at odd places of a scene, of two classes, some over its edge, scores as models give them.
fn found(scene: &Scene, seed: u64) -> SceneBoxes {
    let mut random = Pcg64::seed_from_u64(seed);
    let size = scene.raster().size();
    let detection = |_| {
        let (width, height) = (
            random.random_range(3.0..40.0),
            random.random_range(3.0..40.0),
        );
        let x = random.random_range(0.0..size.width as f64 - 3.0);
        let y = random.random_range(0.0..size.height as f64 - 3.0);
        let bounds = BoundingBox::from_xywh(x, y, width, height);
        let bounds = bounds.clip(size.width as f64, size.height as f64);
        Detection::new(
            bounds,
            random.random_range(1..3),
            random.random_range(0.05..1.0),
        )
    };
    let detections = (0..60).map(detection).collect();
    let classes = Classes::new(["car", "bus"]);
    SceneBoxes::new(detections, 0.3, classes, scene.clone(), scene.area())
}

#[track_caller]
fn assert_same(read: &[Detection], written: &[Detection], within: f64, what: &str) {
    assert_eq!(read.len(), written.len(), "{what}");
    for (one, other) in read.iter().zip(written) {
        let edges = |found: &Detection| {
            let bounds = found.bounds;
            [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max]
        };
        let apart = edges(one).into_iter().zip(edges(other));
        let apart = apart.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert_eq!((one.class, one.score), (other.class, other.score), "{what}");
        assert!(
            apart <= within,
            "{what}: {one:?} is {apart} px from {other:?}"
        );
    }
}

/// A photograph without a place on the ground.
fn photograph(folder: &Path) -> Result<Scene> {
    let path = folder.join("photograph.png");
    let png = encode_png(&RgbImage::filled(180, 140, [90; 3]))?;
    std::fs::write(&path, png).unwrap_or_else(|error| panic!("{error}"));
    Scene::open(path)
}

#[test]
fn saved_boxes_are_read_back_with_their_scores_and_classes() -> Result<()> {
    let folder = folder();
    let scenes = [
        drawn(folder.path(), Size::new(200, 150), 2)?,
        photograph(folder.path())?,
    ];
    for scene in &scenes {
        let (boxes, out) = (found(scene, 3), folder.path().join("out"));
        boxes.save(&out)?;
        assert!(boxes.len() > 20 && boxes.len() < boxes.all_detections().len());
        for (name, within) in [
            ("boxes.gpkg", 2e-8),
            ("detections.json", 1e-12 * 200.0),
            // A millimeter.
            ("boxes.geojson", 1e-3),
        ] {
            let what = format!("{name} of {}", scene.name());
            let read = SceneBoxes::open_with_classes(out.join(name), scene, boxes.classes())?;
            assert_same(read.all_detections(), boxes.detections(), within, &what);
            assert_eq!(read.classes().names(), boxes.classes().names(), "{what}");
            assert_eq!(read.counts(), boxes.counts(), "{what}");
            let lowest = boxes.detections().last().map(|found| found.score);
            assert_eq!(
                (Some(read.threshold_score()), read.area()),
                (lowest, scene.area())
            );
            assert_eq!(
                read.threshold(0.7).len(),
                boxes.threshold(0.7).len(),
                "{what}"
            );
            assert!(read.output().text.contains("bus"), "{what}");
            // And once more.
            let again = folder.path().join("again");
            read.save(&again)?;
            let again = SceneBoxes::open_with_classes(
                again.join(name),
                scene,
                Classes::new(["car", "bus"]),
            )?;
            assert_same(
                again.all_detections(),
                boxes.detections(),
                2.0 * within,
                &what,
            );
        }
        // The folder stands for the first of them.
        let read = SceneBoxes::open_with_classes(&out, scene, boxes.classes())?;
        assert_same(
            read.all_detections(),
            boxes.detections(),
            2e-8,
            "the folder",
        );
        // All of them, by a threshold that none misses; nothing, by one that none reaches.
        boxes.threshold(0.0).save(&out)?;
        let all = SceneBoxes::open_with_classes(out.join("boxes.gpkg"), scene, boxes.classes())?;
        assert_eq!(all.len(), boxes.all_detections().len());
        boxes.threshold(1.0).save(&out)?;
        for name in ["boxes.gpkg", "boxes.geojson", "detections.json"] {
            let none = SceneBoxes::open(out.join(name), scene)?;
            assert!(none.all_detections().is_empty(), "{name}");
        }
    }
    Ok(())
}

#[test]
fn boxes_read_back_are_scored_as_the_ones_that_were_saved() -> Result<()> {
    let folder = folder();
    let scene = drawn(folder.path(), Size::new(300, 200), 6)?;
    let truth = scene.boxes().iter().enumerate();
    // A third a little off, a third too far off, a third missed; scores that rank some of them wrongly.
    let detections = truth.filter(|(at, _)| at % 3 < 2).map(|(at, one)| {
        let off = if at % 3 == 0 {
            0.5
        } else {
            0.5 * one.bounds.width()
        };
        Detection::new(
            one.bounds.translate(off, 0.0),
            1,
            (at * 37 % 100) as f32 / 100.0,
        )
    });
    let boxes = SceneBoxes::new(
        detections.collect(),
        0.0,
        scene.classes().clone(),
        scene.clone(),
        scene.area(),
    );
    let (out, expected) = (folder.path().join("out"), boxes.evaluate(&scene)?);
    assert!(expected.ap50() > 0.1 && expected.ap50() < 0.9);
    boxes.save(&out)?;
    for name in ["boxes.gpkg", "boxes.geojson", "detections.json"] {
        let read = SceneBoxes::open(out.join(name), &scene)?.threshold(0.0);
        assert_eq!(
            read.evaluate(&scene)?.to_json(),
            expected.to_json(),
            "{name}"
        );
    }
    // The part of the scene that is in use is the part that counts as searched.
    let (_, right) = scene.split(Split::columns(0.5));
    let part = SceneBoxes::open(out.join("boxes.gpkg"), &right)?;
    assert!(part.len() < boxes.len() && !part.is_empty());
    assert!(
        part.detections()
            .iter()
            .all(|found| found.bounds.center().0 >= 150.0)
    );
    assert_eq!(
        part.evaluate(&right)?.ap50(),
        boxes.evaluate(&right)?.ap50()
    );
    Ok(())
}

#[test]
fn boxes_of_other_programs_come_from_other_reference_systems() -> Result<()> {
    let folder = folder();
    let scene = drawn(folder.path(), Size::new(200, 150), 8)?;
    let boxes = found(&scene, 9).threshold(0.0);
    let (ours, mercator) = (crs::parse("EPSG:4326")?, crs::parse("EPSG:3857")?);
    let to_mercator = crs::between(&ours, &mercator)?;
    let feature = |found: &Detection| {
        let bounds = found.bounds;
        let corners = [
            (bounds.x_min, bounds.y_min),
            (bounds.x_max, bounds.y_min),
            (bounds.x_max, bounds.y_max),
            (bounds.x_min, bounds.y_max),
        ];
        let ring = corners.map(|corner| {
            let (x, y) = scene.raster().transform().world_from_pixel(corner);
            let (mut x, mut y) = ([x], [y]);
            assert!(to_mercator.transform(&mut x, &mut y));
            Coord { x: x[0], y: y[0] }
        });
        PolygonFeature {
            geometry: MultiPolygon::new(vec![Polygon::new(LineString(ring.to_vec()), vec![])]),
            class: ["", "car", "bus"][found.class].to_owned(),
            score: Some(found.score),
            area_m2: 1.0,
        }
    };
    let features: Vec<_> = boxes.detections().iter().map(feature).collect();
    let path = folder.path().join("mercator.gpkg");
    write_polygons(&path, &features, "EPSG:3857", Format::GeoPackage)?;
    let read = SceneBoxes::open_with_classes(&path, &scene, Classes::new(["car", "bus"]))?;
    assert_same(
        read.all_detections(),
        boxes.all_detections(),
        1e-5,
        "Mercator",
    );
    // Without labels, the classes are those that occur.
    let bare = SceneBoxes::open(&path, &Scene::open(scene.raster().path())?)?;
    assert_eq!(bare.classes().names(), ["background", "bus", "car"]);
    assert_eq!(bare.counts(), boxes.counts());
    Ok(())
}

#[test]
fn what_cannot_be_read_back_says_why() -> Result<()> {
    let folder = folder();
    let folder = folder.path();
    let scene = drawn(folder, Size::new(200, 150), 4)?;
    let out = folder.join("out");
    found(&scene, 5).save(&out)?;
    let text = |name: &str| std::fs::read_to_string(out.join(name)).expect("it was saved");
    let holding = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("it is written");
        path
    };
    #[track_caller]
    fn refused(result: Result<SceneBoxes>, message: &str, hint: &str) {
        let Err(error) = result else {
            panic!("expected an error with {message:?}")
        };
        assert!(error.to_string().contains(message), "{error}");
        let found = error.hint().unwrap_or_default();
        assert!(found.contains(hint), "hint {found:?} of {error}");
    }
    let open =
        |path: &Path| SceneBoxes::open_with_classes(path, &scene, Classes::new(["car", "bus"]));

    // Scores.
    let (labels, geojson) = (folder.join("cars.csv"), text("boxes.geojson"));
    refused(open(&labels), "a file of labels", "with_boxes");
    let scoreless = geojson.replace("\"score\"", "\"sure\"");
    refused(
        open(&holding("a.geojson", &scoreless)),
        "class, sure",
        "save",
    );
    let gaps = geojson.replacen("\"score\":0.", "\"score\":null,\"was\":0.", 2);
    let some = open(&holding("b.geojson", &gaps))?;
    assert_eq!(
        some.detections().len() + 2,
        open(&holding("w.geojson", &geojson))?.detections().len()
    );
    assert!(
        some.report()
            .mentions("without a score that is a number: 2 of ")
    );
    // Classes.
    let bikes = holding("c.geojson", &geojson.replace("\"car\"", "\"bike\""));
    refused(
        open(&bikes),
        "class `bike`, the classes are car, bus",
        "open_with_classes",
    );
    refused(
        SceneBoxes::open(out.join("boxes.gpkg"), &scene),
        "class `bus`, the classes are car",
        "open_with_classes",
    );
    let three = text("detections.json").replace("\"category_id\":2", "\"category_id\":3");
    refused(open(&holding("d.json", &three)), "class `3`", "");
    let bare = Scene::open(scene.raster().path())?;
    let nameless = SceneBoxes::open(out.join("detections.json"), &bare);
    refused(nameless, "do not name their classes", "boxes.gpkg");
    refused(open(&out.join("centers.gpkg")), "is a box", "boxes.gpkg");
    // Places.
    let several = text("detections.json").replacen("\"image_id\":1", "\"image_id\":2", 1);
    refused(open(&holding("e.json", &several)), "2 images", "one image");
    let far = geojson.replace("[85.", "[86.");
    refused(
        open(&holding("f.geojson", &far)),
        "lies on the scene of 200 x 150 px",
        "searched",
    );
    // Damage.
    refused(open(&folder.join("none.gpkg")), "no such", "");
    // Folders: of other things, and of several scenes.
    std::fs::create_dir_all(folder.join("bare")).expect("a folder");
    refused(
        open(&folder.join("bare")),
        "holds no boxes that were saved",
        "boxes.gpkg",
    );
    refused(open(folder), "holds no boxes", "1 of its folders");
    let half = |name: &str| {
        let bytes = std::fs::read(out.join(name)).expect("it was saved");
        let path = folder.join(name);
        std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("it is written");
        path
    };
    refused(open(&half("detections.json")), "no COCO results", "bbox");
    for name in ["boxes.gpkg", "boxes.geojson"] {
        assert!(open(&half(name)).is_err(), "{name}");
    }
    Ok(())
}
