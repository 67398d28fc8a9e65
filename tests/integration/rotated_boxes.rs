use std::path::{Path, PathBuf};

use swath::boxes::formats::{LabeledBox, coco};
use swath::chips::Chip;
use swath::display::Show as _;
use swath::prelude::*;
use swath::raster::{RasterType, Size, WriterOptions};

use super::support;

const SIDE: usize = 420;

/// Rotated rectangles, two quadrilaterals of other angles, one that the edge of the image cuts, in one place of a grid each.
fn outlines() -> Vec<Quadrilateral> {
    let mut all: Vec<Quadrilateral> = (0..49)
        .map(|at| {
            let (col, row) = (f64::from(at % 7), f64::from(at / 7));
            let (x, y) = (30.37 + col * 58.0, 29.41 + row * 58.0);
            let (width, height) = (
                24.3 + f64::from(at % 5) * 4.1,
                8.6 + f64::from(at % 3) * 3.3,
            );
            Quadrilateral::from_center(x, y, width, height, 11.0 + 16.7 * f64::from(at))
        })
        .collect();
    all[3] = all[3].map(|(x, y)| (x + 0.3 * (y - 29.41), y));
    all[5].corners[2].0 += 3.25;
    all[14] = all[14].translate(-30.0, 0.0);
    all
}

/// How far a point lies from an outline, and whether inside; the outlines here are convex.
fn distance(outline: &Quadrilateral, (x, y): (f64, f64)) -> (f64, bool) {
    let mut sides = Vec::new();
    let mut least = f64::INFINITY;
    for ((x1, y1), (x2, y2)) in outline.edges() {
        let (right, down) = (x2 - x1, y2 - y1);
        sides.push(right * (y - y1) - down * (x - x1));
        let along = ((x - x1) * right + (y - y1) * down) / (right * right + down * down);
        let along = along.clamp(0.0, 1.0);
        least = least.min((x - x1 - along * right).hypot(y - y1 - along * down));
    }
    let inside = sides.iter().all(|side| *side >= 0.0) || sides.iter().all(|side| *side <= 0.0);
    (least, inside)
}

/// A raster that is 100 inside the outlines and 7 elsewhere, and DOTA's text of them.
fn marked(folder: &Path) -> (PathBuf, PathBuf) {
    let outlines = outlines();
    let raster = support::raster(
        &folder.join("marked.tif"),
        Size::new(SIDE, SIDE),
        1,
        RasterType::U8,
        WriterOptions::default(),
        |_, col, row| {
            let center = (col as f64 + 0.5, row as f64 + 0.5);
            match outlines.iter().any(|one| distance(one, center).1) {
                true => 100.0,
                false => 7.0,
            }
        },
    );
    let line = |(at, one): (usize, &Quadrilateral)| {
        let corners = one.to_numbers().map(|number| number.to_string());
        format!("{} {} 0\n", corners.join(" "), ["harbor", "ship"][at % 2])
    };
    let text: String = outlines.iter().enumerate().map(line).collect();
    let labels = folder.join("marked.txt");
    std::fs::write(&labels, format!("imagesource:GoogleEarth\ngsd:0.3\n{text}")).unwrap();
    (raster, labels)
}

fn scene(folder: &Path) -> Scene {
    let (raster, labels) = marked(folder);
    let scene = Scene::open(raster).unwrap();
    scene.with_boxes(labels, "class").unwrap()
}

fn near(a: &Quadrilateral, b: &Quadrilateral, tolerance: f64) -> bool {
    let pairs = a.to_numbers().into_iter().zip(b.to_numbers());
    pairs
        .map(|(a, b)| (a - b).abs())
        .all(|far| far <= tolerance)
}

#[test]
fn a_scene_keeps_the_corners_and_says_how_many_boxes_are_rotated() {
    let folder = tempfile::tempdir().unwrap();
    let scene = scene(folder.path());
    let image = BoundingBox::new(0.0, 0.0, SIDE as f64, SIDE as f64);
    for (one, outline) in scene.boxes().iter().zip(outlines()) {
        assert_eq!(one.outline, Some(outline), "bit for bit");
        assert_eq!(Some(one.bounds), outline.bounds().intersection(&image));
    }
    assert_eq!(scene.boxes().len(), 49);
    let report = scene.report();
    let told: Vec<_> = report
        .iter()
        .filter(|notice| notice.text().contains("rotated"))
        .collect();
    assert_eq!(told.len(), 1, "{report}");
    assert!(
        told[0]
            .text()
            .starts_with("49 rotated boxes keep their corners")
    );
    let text = scene.output().text;
    assert!(text.contains("; 49 of them rotated"), "{text}");
    let table = scene.boxes().to_vec().output().text;
    assert!(table.contains("rotated"), "{table}");
}

/// Every pixel of a chip is that of the outlines on it, whichever way it is laid.
#[test]
fn corners_move_with_the_pixels_of_chips() {
    let folder = tempfile::tempdir().unwrap();
    let scene = scene(folder.path());
    let options = Chips::random(150, 64).seed(5).min_visible(0.0).padded();
    let chips = scene.chips(options.min_valid(0.0)).unwrap();
    let mut cut = 0;
    for index in 0..chips.len() {
        let chip = chips.get(index).unwrap();
        for one in &chip.boxes {
            assert!(one.bounds == one.bounds.clip(64.0, 64.0));
            let around = one.outline.unwrap().bounds();
            cut += usize::from(around != around.clip(64.0, 64.0));
        }
        compare(&chip, 1e-9);
    }
    assert!(cut > 50, "only {cut} were cut: the test would prove little");
}

/// Pixels further than `margin` from every outline are 100 inside and 7 outside.
#[track_caller]
fn compare(chip: &Chip, margin: f64) {
    let width = chip.patch.size.width;
    for (at, (&value, &valid)) in chip.patch.band(0).iter().zip(&chip.patch.valid).enumerate() {
        let center = ((at % width) as f64 + 0.5, (at / width) as f64 + 0.5);
        let found: Vec<(f64, bool)> = chip
            .boxes
            .iter()
            .filter_map(|one| Some(distance(&one.outline?, center)))
            .collect();
        if valid == 0 || found.iter().any(|(far, _)| *far <= margin) {
            continue;
        }
        let expected = match found.iter().any(|(_, inside)| *inside) {
            true => 100.0,
            false => 7.0,
        };
        assert!((value - expected).abs() < 1e-3, "{center:?}: {value}");
    }
}

#[test]
fn corners_follow_scales_turns_and_shears() {
    let folder = tempfile::tempdir().unwrap();
    let scene = scene(folder.path());
    // Windows of other sizes.
    let options = Chips::random(30, 64).seed(2).min_visible(0.0).flips(false);
    let chips = scene.chips(options.window_sizes(40..=100)).unwrap();
    for index in 0..chips.len() {
        let chip = chips.get(index).unwrap();
        let (left, top) = (chip.window.col as f64, chip.window.row as f64);
        let factor = 64.0 / chip.window.width as f64;
        for one in &chip.boxes {
            let found = one.outline.unwrap();
            let expected = outlines()
                .into_iter()
                .map(|outline| outline.translate(-left, -top).scale(factor, factor));
            assert!(expected.into_iter().any(|one| near(&one, &found, 1e-9)));
        }
    }
    // Any affine map; the filter looks two pixels beyond an edge at most.
    let change = Affine::new()
        .rotation(180.0)
        .scale(0.9..=1.6)
        .translation(0.2)
        .shear(15.0);
    let options = Chips::random(60, 96).seed(9).min_visible(0.0);
    let chips = scene
        .chips(options.augment(Augment::none().affine(change, 1.0)))
        .unwrap();
    let (mut seen, mut parallelograms) = (0, 0);
    for index in 0..chips.len() {
        let chip = chips.get(index).unwrap();
        seen += chip.boxes.len();
        for one in &chip.boxes {
            let [a, b, _, d] = one.outline.unwrap().corners;
            let dot = (b.0 - a.0) * (d.0 - a.0) + (b.1 - a.1) * (d.1 - a.1);
            parallelograms += usize::from(dot.abs() > 1.0);
        }
        compare(&chip, 3.0);
    }
    assert!(seen > 100 && parallelograms > 50, "{seen} {parallelograms}");
}

#[test]
fn chip_sets_keep_the_corners() {
    let folder = tempfile::tempdir().unwrap();
    let scene = scene(folder.path());
    let chips = scene.chips(Chips::random(20, 64).seed(3)).unwrap();
    let out = folder.path().join("set");
    let saved = chips
        .save_with(&out, ChipSetOptions::new().quiet(true).yolo(true))
        .unwrap();
    let set = ChipSet::open(&out).unwrap();
    let (again, mut count) = (set.chips().unwrap(), 0);
    for index in 0..chips.len() {
        for epoch in 0..2 {
            let one = chips.get_in_epoch(index, epoch).unwrap();
            let other = again.get_in_epoch(index, epoch).unwrap();
            assert_eq!(one.boxes.len(), other.boxes.len());
            for (a, b) in one.boxes.iter().zip(&other.boxes) {
                assert!(near(&a.outline.unwrap(), &b.outline.unwrap(), 1e-9));
            }
            count += one.boxes.len() * usize::from(epoch == 0);
        }
    }
    assert!(count > 20, "{count}");
    assert!(set.report().mentions("rotated boxes keep their corners"));
    let report = saved.report().to_string();
    let told = format!("YOLO's files hold as the upright boxes around them: {count} in ");
    assert!(report.contains(&told), "{report}");
    // YOLO's lines stay those of detectors of upright boxes.
    let labels = std::fs::read_dir(out.join("labels")).unwrap();
    for label in labels {
        let text = std::fs::read_to_string(label.unwrap().path()).unwrap();
        assert!(text.lines().all(|line| line.split(' ').count() == 5));
    }
}

/// Ultralytics' data sets of oriented boxes: `class x1 y1 x2 y2 x3 y3 x4 y4`, shares of the image.
#[test]
fn a_set_of_yolos_rotated_boxes_has_their_corners() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for part in ["images", "labels"] {
        std::fs::create_dir(root.join(part)).unwrap();
    }
    let all = outlines();
    for name in ["a", "b"] {
        let image = root.join(format!("images/{name}.tif"));
        support::raster(
            &image,
            Size::new(SIDE, SIDE),
            1,
            RasterType::U8,
            WriterOptions::default(),
            |_, col, row| (col + row) as f32 % 200.0,
        );
        let line = |one: &Quadrilateral| {
            let shares = one.to_numbers().map(|number| number / SIDE as f64);
            format!("0 {}\n", shares.map(|share| share.to_string()).join(" "))
        };
        let text: String = all.iter().take(9).map(line).collect();
        std::fs::write(root.join(format!("labels/{name}.txt")), text).unwrap();
    }
    std::fs::write(root.join("data.yaml"), "names:\n  0: ship\n").unwrap();
    let set = ChipSet::open(root).unwrap();
    for scene in set.scenes() {
        assert_eq!(scene.boxes().len(), 9);
        for (one, outline) in scene.boxes().iter().zip(&all) {
            assert!(near(&one.outline.unwrap(), outline, 1e-9));
        }
    }
    assert!(
        set.report().mentions("rotated boxes keep their corners"),
        "{}",
        set.report()
    );
}

#[test]
fn saved_boxes_are_read_back_from_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let scene = scene(folder.path());
    // And an upright one.
    let upright = Annotation::new(BoundingBox::new(100.0, 50.0, 120.0, 58.0), 1);
    let raster = scene.raster().path().to_owned();
    let both = folder.path().join("both.json");
    let mut boxes: Vec<LabeledBox> = outlines()
        .into_iter()
        .map(|outline| LabeledBox::rotated(outline, "ship"))
        .collect();
    boxes.push(LabeledBox::new(upright.bounds, "ship"));
    let image = swath::boxes::formats::LabeledImage {
        file: "marked.tif".to_owned(),
        boxes,
        ..Default::default()
    };
    coco::write(&both, &[image], &["ship".to_owned()]).unwrap();
    let scene = Scene::open(&raster)
        .unwrap()
        .with_boxes(&both, "class")
        .unwrap();
    for (ending, tolerance) in [
        ("json", 1e-9),
        ("gpkg", 1e-6),
        ("shp", 1e-6),
        ("fgb", 1e-6),
        // Eight decimals of a degree are a millimeter.
        ("geojson", 0.01),
    ] {
        let path = folder.path().join(format!("saved.{ending}"));
        let report = scene.save_boxes(&path).unwrap();
        assert!(report.is_empty(), "{ending}: {report}");
        // Boxes that were saved are saved again; what somebody else has written stays.
        scene.save_boxes(&path).unwrap();
        let foreign = folder.path().join(format!("foreign.{ending}"));
        std::fs::write(&foreign, "{\"hello\":1}").unwrap();
        let error = scene.save_boxes(&foreign).unwrap_err();
        assert!(error.to_string().contains("nothing of the kind"), "{error}");
        assert_eq!(std::fs::read_to_string(&foreign).unwrap(), "{\"hello\":1}");
        let again = Scene::open(&raster)
            .unwrap()
            .with_boxes(&path, "class")
            .unwrap();
        assert_eq!(again.boxes().len(), 50, "{ending}");
        let rotated = again.boxes().iter().filter(|one| one.outline.is_some());
        assert_eq!(rotated.count(), 49, "{ending}");
        assert!(again.report().mentions("keep their corners"), "{ending}");
        for one in scene.boxes() {
            let alike = |other: &&Annotation| {
                let far = [
                    one.bounds.x_min - other.bounds.x_min,
                    one.bounds.y_min - other.bounds.y_min,
                    one.bounds.x_max - other.bounds.x_max,
                    one.bounds.y_max - other.bounds.y_max,
                ];
                far.iter().all(|far| far.abs() <= tolerance)
            };
            let other = again.boxes().iter().find(alike);
            let other = other.unwrap_or_else(|| panic!("{ending}: {one:?}"));
            match (one.outline, other.outline) {
                (Some(a), Some(b)) => {
                    // Some formats fix the direction of rings, and begin where they like.
                    let same = (0..4).any(|first| {
                        let mut turned = b.corners;
                        turned.rotate_left(first);
                        let forward = Quadrilateral::new(turned);
                        turned.reverse();
                        let backward = Quadrilateral::new(turned);
                        near(&a, &forward, tolerance) || near(&a, &backward, tolerance)
                    });
                    assert!(same, "{ending}: {a:?} {b:?}");
                    if ["json", "gpkg"].contains(&ending) {
                        assert!(near(&a, &b, tolerance), "{ending}: {a:?} {b:?}");
                    }
                }
                (a, b) => assert_eq!(a, b, "{ending}"),
            }
        }
    }
    // Only what lies in the area in use.
    let (left, _) = scene.split(Split::columns(0.5));
    let path = folder.path().join("left.gpkg");
    left.save_boxes(&path).unwrap();
    let again = Scene::open(&raster)
        .unwrap()
        .with_boxes(&path, "class")
        .unwrap();
    let middle = left.area().right() as f64;
    let expected = scene
        .boxes()
        .iter()
        .filter(|one| one.bounds.center().0 < middle);
    assert_eq!(again.boxes().len(), expected.count());
    // Nothing to save is said, another ending is an error.
    let none = Scene::open(&raster).unwrap();
    let report = none.save_boxes(folder.path().join("none.json")).unwrap();
    assert!(report.mentions("the scene has none"), "{report}");
    for ending in ["txt", "csv", "xml"] {
        let error = scene.save_boxes(folder.path().join("a").with_extension(ending));
        let error = error.unwrap_err();
        let said = format!("{error}; {}", swath::Hint::hint(&error).unwrap_or_default());
        for part in [".json (COCO)", ".gpkg", ".parquet", "a.json"] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}

/// A polygon of four corners in a vector file is not a rotated box unless the file says so.
#[test]
fn four_corners_alone_are_a_polygon() {
    let folder = tempfile::tempdir().unwrap();
    let (raster, _) = marked(folder.path());
    let degrees = support::degrees(&outlines()[0].corners);
    let path = support::geojson(&folder.path().join("a.geojson"), &[("ship", &degrees)]);
    let scene = Scene::open(raster)
        .unwrap()
        .with_boxes(path, LabelClass::one("ship"))
        .unwrap();
    assert_eq!(scene.boxes().len(), 1);
    assert!(scene.boxes()[0].outline.is_none());
    assert!(!scene.report().mentions("rotated"));
}

/// The picture of a scene with boxes differs from that of the imagery along the outlines, and nowhere else.
#[test]
fn pictures_draw_the_outlines() {
    let folder = tempfile::tempdir().unwrap();
    let scene = scene(folder.path());
    let picture = |scene: &Scene, name: &str| {
        let path = folder.path().join(name);
        scene.show_bands([0]).unwrap().save(&path).unwrap();
        let picture = Scene::open(&path).unwrap();
        let size = picture.raster().size();
        assert!(size.width >= SIDE && size.height >= SIDE, "{size:?}");
        let window = swath::raster::PixelWindow::new(0, 0, SIDE, SIDE);
        picture.read(&window).unwrap()
    };
    let plain = picture(&Scene::open(scene.raster().path()).unwrap(), "plain.png");
    let drawn = picture(&scene, "drawn.png");
    let outlines = outlines();
    let mut touched = vec![0; outlines.len()];
    for row in 0..SIDE {
        for col in 0..SIDE {
            let at = row * SIDE + col;
            let differs = (0..3).any(|band| plain.band(band)[at] != drawn.band(band)[at]);
            if !differs {
                continue;
            }
            let center = (col as f64 + 0.5, row as f64 + 0.5);
            let distances = outlines.iter().map(|one| distance(one, center).0);
            let (nearest, least) = distances
                .enumerate()
                .min_by(|a, b| a.1.total_cmp(&b.1))
                .unwrap();
            // The line is two pixels wide, its casings reach two pixels further.
            assert!(least <= 3.0, "{center:?} differs, {least} from an outline");
            touched[nearest] += 1;
        }
    }
    assert!(touched.iter().all(|pixels| *pixels > 40), "{touched:?}");
    // A chip is drawn the same way.
    let chips = scene.chips(Chips::random(4, 64).seed(1)).unwrap();
    assert!(chips.show(4).output().html.is_some());
    let chip = chips.get(0).unwrap();
    assert!(chip.boxes.is_empty() || chip.output().text.contains("rotated)"));
}
