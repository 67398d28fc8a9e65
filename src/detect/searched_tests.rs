//! Boxes that were searched in a part of a scene, saved and scored.

use std::path::Path;

use super::SceneBoxes;
use super::tests::{drawn, folder};
use crate::Result;
use crate::boxes::{BoundingBox, Detection};
use crate::raster::{PixelWindow, Resolution, Size};
use crate::scene::{Scene, bounds_of};
use crate::vector::{Format, PolygonFeature, write_polygons};

/// All labeled boxes of the area in use whose middle lies in the area of interest, found.
fn found(scene: &Scene) -> SceneBoxes {
    let used = bounds_of(&scene.area());
    let boxes = scene.boxes().iter().map(|one| one.bounds);
    let inside = boxes.filter(|bounds| {
        let (x, y) = bounds.center();
        used.contains(x, y) && scene.aoi().is_none_or(|aoi| aoi.share(bounds) >= 0.5)
    });
    let found = inside
        .enumerate()
        .map(|(at, bounds)| Detection::new(bounds, 1, 0.9 - 0.01 * at as f32))
        .collect();
    let (classes, area) = (scene.classes().clone(), scene.area());
    SceneBoxes::new(found, 0.5, classes, scene.clone(), area)
}

fn recall(boxes: &SceneBoxes, scene: &Scene) -> Result<(usize, f64)> {
    let scores = boxes.evaluate(scene)?;
    Ok((scores.boxes().truth.len(), scores.counts(0.5).recall))
}

#[test]
fn labels_where_nobody_searched_are_not_missed() -> Result<()> {
    let folder = folder();
    let scene = drawn(folder.path(), Size::new(300, 200), 6)?;
    // Between two columns of the drawn rectangles: no box is cut.
    let part = scene.crop(PixelWindow::new(34, 0, 102, 200))?;
    let boxes = found(&part);
    let (labeled, all) = (boxes.len(), scene.boxes().len());
    assert!(labeled > 10 && labeled < all / 2);
    assert_eq!(recall(&boxes, &scene)?, (labeled, 1.0), "in memory");
    let out = folder.path().join("out");
    boxes.save(&out)?;
    for name in ["boxes.gpkg", "boxes.geojson", "detections.json"] {
        let read = SceneBoxes::open(out.join(name), &scene)?;
        assert_eq!(read.area(), part.area(), "{name}");
        assert_eq!(recall(&read, &scene)?, (labeled, 1.0), "{name}");
        let scores = read.evaluate(&scene)?;
        // 102 of 300 columns.
        assert!(
            scores.report().mentions("covers 34.0 % of the scene"),
            "{:?}",
            scores.report()
        );
        assert!(read.report().is_empty(), "{:?}", read.report());
        // The part that is scored can be smaller still, and elsewhere is nothing.
        let less = scene.crop(PixelWindow::new(0, 0, 68, 200))?;
        let read = SceneBoxes::open(out.join(name), &less)?;
        assert_eq!(read.area(), PixelWindow::new(34, 0, 34, 200));
        assert_eq!(recall(&read, &less)?.1, 1.0);
    }
    // Saved once more, it is still known.
    let again = folder.path().join("again");
    SceneBoxes::open(out.join("boxes.gpkg"), &scene)?.save(&again)?;
    let read = SceneBoxes::open(again.join("boxes.gpkg"), &scene)?;
    assert_eq!(recall(&read, &scene)?, (labeled, 1.0));
    // Of a file alone nobody knows, and it is said.
    let alone = folder.path().join("alone.gpkg");
    std::fs::copy(out.join("boxes.gpkg"), &alone).expect("it is copied");
    let read = SceneBoxes::open(&alone, &scene)?;
    assert_eq!(read.area(), scene.area());
    assert!(
        read.report().mentions("there is no searched.json"),
        "{:?}",
        read.report()
    );
    assert_eq!(recall(&read, &scene)?.0, all);
    Ok(())
}

#[test]
fn what_was_searched_is_found_on_pixels_of_another_size() -> Result<()> {
    let folder = folder();
    let scene = drawn(folder.path(), Size::new(300, 200), 7)?;
    let part = scene.crop(PixelWindow::new(34, 68, 102, 100))?;
    let out = folder.path().join("out");
    found(&part).save(&out)?;
    let half = Scene::open_at(scene.raster().path(), Resolution::Factor(0.5))?;
    assert_eq!(half.raster().size(), Size::new(150, 100));
    let read = SceneBoxes::open(out.join("boxes.gpkg"), &half)?;
    assert_eq!(read.area(), PixelWindow::new(17, 34, 51, 50));
    // Results in pixels are brought to those of the scene: half of each number, as each pixel is two.
    let in_pixels = SceneBoxes::open_with_classes(out.join("detections.json"), &half, ["car"])?;
    assert!(
        in_pixels.report().mentions("in pixels of 300 x 200"),
        "{:?}",
        in_pixels.report()
    );
    let whole = SceneBoxes::open(out.join("detections.json"), &scene)?;
    assert!(whole.report().is_empty(), "{:?}", whole.report());
    assert_eq!(in_pixels.len(), whole.len());
    for (one, other) in in_pixels.detections().iter().zip(whole.detections()) {
        let edges = |found: &Detection| {
            let bounds = found.bounds;
            [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max]
        };
        for (one, other) in edges(one).into_iter().zip(edges(other)) {
            assert!((one - other / 2.0).abs() < 1e-6, "{one} {other}");
        }
    }
    // Other imagery, and a file that somebody broke.
    let other = drawn(&folder.path().join("out"), Size::new(120, 120), 7)?;
    let moved = |text: &str| -> Result<SceneBoxes> {
        std::fs::write(out.join("searched.json"), text).expect("it is written");
        SceneBoxes::open(out.join("boxes.gpkg"), &scene)
    };
    let on_other = SceneBoxes::open(out.join("detections.json"), &other)?;
    let told = on_other.report();
    assert!(
        !told.mentions("which part of the scene was searched"),
        "the same corner and pixels: {told:?}"
    );
    for (text, told) in [
        ("{", "EOF"),
        ("[]", "searched.json"),
        (
            r#"{"searched":{"col":0,"row":0,"width":1e30,"height":3}}"#,
            "searched.json",
        ),
        (
            r#"{"searched":{"col":-9000000000000000000,"row":0,"width":18446744073709551615,"height":3},"grid":{"width":300,"height":200,"transform":[85.5,1e-5,0.0,27.6,0.0,-1e-5],"crs":""}}"#,
            "other imagery",
        ),
    ] {
        let read = moved(text)?;
        assert!(read.report().mentions(told), "{text}: {:?}", read.report());
        assert_eq!(read.area(), scene.area());
    }
    Ok(())
}

/// What pycocotools has for objects and found boxes beyond the size that is asked for holds for those of which less than half
/// lies in the part that is scored (`tests/fixtures/boxes/ignored.json`).
#[test]
fn boxes_at_the_edge_of_a_part_are_ignored_as_in_coco() -> Result<()> {
    let folder = folder();
    let image = drawn(folder.path(), Size::new(320, 240), 3)?;
    let labels = folder.path().join("labels.csv");
    let labeled = |rows: &str| -> Result<Scene> {
        std::fs::write(&labels, format!("xmin,ymin,xmax,ymax,label\n{rows}"))
            .expect("it is written");
        let scene = Scene::open(image.raster().path())?.with_boxes(&labels, "car")?;
        scene.crop(PixelWindow::new(100, 40, 120, 160))
    };
    let boxes = |found: &[[f64; 4]]| {
        let one = |(at, bounds): (usize, &[f64; 4])| {
            let [left, top, right, bottom] = *bounds;
            Detection::new(
                BoundingBox::new(left, top, right, bottom),
                1,
                0.9 - 0.1 * at as f32,
            )
        };
        let found = found.iter().enumerate().map(one).collect();
        let (classes, area) = (image.classes().clone(), image.area());
        SceneBoxes::new(found, 0.0, classes, image.clone(), area)
    };
    let counts = |found: &[[f64; 4]], scene: &Scene| -> Result<_> {
        let scores = boxes(found).evaluate(scene)?;
        let counts = scores.counts(0.5);
        let three = [
            counts.true_positives,
            counts.false_positives,
            counts.false_negatives,
        ];
        Ok((three, scores))
    };
    // 60 % of the first label lies inside, 44 % of the box that finds it: they share 0.71 of what both have inside.
    let (at_edge, inside) = ([89.4, 33.24, 116.02, 58.0], [123.0, 97.0, 155.0, 125.0]);
    let scene = labeled("88,40,118,54,car\n123,97,155,125,car\n")?;
    let (three, scores) = counts(&[at_edge, inside], &scene)?;
    assert_eq!(three, [2, 0, 0]);
    assert!((scores.ap50() - 1.0).abs() < 1e-9, "{}", scores.ap50());
    assert!(scores.report().is_empty(), "{:?}", scores.report());
    // One that finds nothing is wrong nowhere, while one that lies inside is.
    let (three, _) = counts(
        &[
            [80.0, 60.0, 112.0, 80.0],
            inside,
            [180.0, 150.0, 200.0, 170.0],
        ],
        &scene,
    )?;
    assert_eq!(three, [1, 1, 1]);

    // 44 % of a label: neither missed nor found, which is told.
    let scene = labeled("90,30,130,54,car\n150,100,180,130,car\n")?;
    let other = [150.0, 100.0, 180.0, 130.0];
    for found in [&[other, [90.0, 30.0, 130.0, 54.0]][..], &[other]] {
        let (three, scores) = counts(found, &scene)?;
        assert_eq!(three, [1, 0, 0]);
        assert_eq!(scores.coco().per_class[0].objects, 1);
        assert!(
            scores
                .report()
                .mentions("1 of 2 labeled boxes lie by less than half"),
            "{:?}",
            scores.report()
        );
    }
    // Nothing to find and nothing found has no figure, in words as in the table.
    let nothing = labeled("290,10,310,30,car\n")?;
    let (_, scores) = counts(&[], &nothing)?;
    let told = crate::display::Show::output(&scores).text;
    assert!(
        told.contains("AP50 –, AP –; F1 –") && !told.contains("NaN"),
        "{told}"
    );
    Ok(())
}

#[test]
fn labels_outside_the_area_of_interest_of_the_search_do_not_count() -> Result<()> {
    let folder = folder();
    let scene = drawn(folder.path(), Size::new(300, 200), 8)?;
    let corner = |x: f64, y: f64| {
        let (x, y) = scene.raster().transform().world_from_pixel((x, y));
        geo::Coord { x, y }
    };
    let ring = [(0.0, 0.0), (136.0, 0.0), (136.0, 102.0), (0.0, 102.0)].map(|(x, y)| corner(x, y));
    let park = folder.path().join("park.gpkg");
    let polygon = geo::Polygon::new(geo::LineString(ring.to_vec()), vec![]);
    let feature = PolygonFeature {
        geometry: geo::MultiPolygon::new(vec![polygon]),
        class: "park".to_owned(),
        score: None,
        area_m2: 1.0,
    };
    write_polygons(&park, &[feature], "EPSG:4326", Format::GeoPackage)?;
    let (inside, outside) = scene.split_by_aoi(&park)?;
    for (part, name) in [(inside, "inside"), (outside, "outside")] {
        let boxes = found(&part);
        let labeled = boxes.len();
        assert!(labeled >= 12 && labeled < scene.boxes().len(), "{name}");
        assert_eq!(recall(&boxes, &scene)?, (labeled, 1.0), "{name}, in memory");
        let out = folder.path().join(name);
        boxes.save(&out)?;
        let read = SceneBoxes::open(out.join("boxes.gpkg"), &scene)?;
        assert_eq!(recall(&read, &scene)?, (labeled, 1.0), "{name}, read back");
        let scores = read.evaluate(&scene)?;
        let left = scene.boxes().len() - labeled;
        let told = format!(
            "{left} of {} labeled boxes lie outside",
            scene.boxes().len()
        );
        assert!(scores.report().mentions(&told), "{:?}", scores.report());
    }
    Ok(())
}

#[test]
fn shapes_that_are_no_rectangles_are_told() -> Result<()> {
    let folder = folder();
    let scene = drawn(folder.path(), Size::new(200, 150), 4)?;
    let triangle = |x: f64, y: f64| {
        let corners = [(x, y), (x + 20.0, y), (x, y + 20.0)];
        let ring = corners.map(|at| {
            let (x, y) = scene.raster().transform().world_from_pixel(at);
            geo::Coord { x, y }
        });
        PolygonFeature {
            geometry: geo::MultiPolygon::new(vec![geo::Polygon::new(
                geo::LineString(ring.to_vec()),
                vec![],
            )]),
            class: "car".to_owned(),
            score: Some(0.5),
            area_m2: 1.0,
        }
    };
    let path: &Path = &folder.path().join("areas.gpkg");
    let features = [triangle(10.0, 10.0), triangle(80.0, 40.0)];
    write_polygons(path, &features, "EPSG:4326", Format::GeoPackage)?;
    let read = SceneBoxes::open(path, &scene)?;
    assert_eq!(read.len(), 2);
    let told = "2 of 2 shapes are no upright rectangles";
    assert!(read.report().mentions(told), "{:?}", read.report());
    Ok(())
}
