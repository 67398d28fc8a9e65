//! Chips changed at random: the same at every run, on imagery of any kind, refused where they cannot be.

use std::path::Path;

use swath::boxes::BoundingBox;
use swath::chips::{Affine, Augment, Chip, ChipOptions, Chips, ChipsError, CopyPaste};
use swath::display::Show as _;
use swath::labels::IGNORE;
use swath::raster::{RasterType, Size, WriterOptions};
use swath::scene::Scene;
use swath::{Error, Hint as _, Result, samples};

use crate::support::raster;

fn town(folder: &Path) -> Scene {
    samples::town_in(folder, 3, 700).unwrap().scene().unwrap()
}

fn all(chips: &Chips, epoch: usize) -> Vec<Chip> {
    (0..chips.len())
        .map(|at| chips.get_in_epoch(at, epoch).unwrap())
        .collect()
}

/// Everything there is, each change as often as not.
fn everything() -> Augment {
    Augment::strong()
        .crop(0.3..=1.0, 0.5)
        .scale_jitter(0.5..=1.5, 0.5)
        .mosaic(0.5)
        .mixup(0.5)
        .copy_paste(CopyPaste::new(), 0.5)
        .band_dropout(2, 0.5)
}

#[test]
fn a_chip_depends_on_seed_epoch_and_number_alone() {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(folder.path());
    let options = || {
        Chips::random(24, 48)
            .seed(7)
            .photometric(0.2)
            .augment(everything())
    };
    let (once, again) = (
        scene.chips(options()).unwrap(),
        scene.chips(options()).unwrap(),
    );
    let mut backwards: Vec<Chip> = (0..24)
        .rev()
        .map(|at| again.get_in_epoch(at, 2).unwrap())
        .collect();
    backwards.reverse();
    let forwards = all(&once, 2);
    assert_eq!(forwards, backwards);
    let stream = |workers| -> Vec<Chip> {
        let batches: Result<Vec<_>> = again.epoch(2, 8, workers).collect();
        batches.unwrap().into_iter().flatten().collect()
    };
    let (one, many) = (stream(1), stream(6));
    assert_eq!(one, many);
    assert!(
        one.iter().all(|chip| forwards.contains(chip)),
        "a stream has the same chips in another order"
    );
    let differing = |other: &[Chip]| {
        forwards
            .iter()
            .zip(other)
            .filter(|(a, b)| a.patch != b.patch)
            .count()
    };
    assert_eq!(differing(&all(&once, 3)), 24, "another epoch");
    assert_eq!(
        differing(&all(&scene.chips(options().seed(8)).unwrap(), 2)),
        24,
        "another seed"
    );
}

#[test]
fn without_changes_chips_are_what_they_were_bit_by_bit() {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(folder.path());
    let options = || Chips::random(16, 48).seed(7).photometric(0.2);
    let plain = scene.chips(options()).unwrap();
    let never = Augment::none()
        .affine(Affine::new().rotation(30.0), 0.0)
        .noise(1.0, 0.0)
        .mosaic(0.0)
        .mixup(0.0);
    for augment in [Augment::none(), never] {
        let changed = scene.chips(options().augment(augment)).unwrap();
        for epoch in [0, 3] {
            assert_eq!(all(&plain, epoch), all(&changed, epoch));
        }
    }
    // What a checkpoint remembers of chips without changes is what it was, too.
    let written = |options: ChipOptions| serde_json::to_value(options).unwrap();
    assert!(
        written(options().augment(Augment::none()))
            .get("augment")
            .is_none()
    );
    assert_eq!(
        written(options().augment(Augment::none())),
        written(options())
    );
    assert_ne!(
        written(options().augment(Augment::light())),
        written(options())
    );
}

#[test]
fn what_a_change_draws_does_not_depend_on_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(folder.path());
    let of = |augment: Augment| {
        all(
            &scene
                .chips(Chips::random(12, 48).seed(5).augment(augment))
                .unwrap(),
            1,
        )
    };
    let turned = || Augment::none().affine(Affine::new().rotation(40.0).translation(0.2), 0.7);
    let (alone, together) = (
        of(turned()),
        of(turned().brightness(0.5, 0.5).cutout(1..=1, 0.1..=0.1, 0.5)),
    );
    for (a, b) in alone.iter().zip(&together) {
        assert_eq!((&a.labels, &a.patch.valid), (&b.labels, &b.patch.valid));
    }
    assert!(alone.iter().zip(&together).any(|(a, b)| a.patch != b.patch));
}

/// Which changes come with their probability: of 400 chips, as many as a binomial distribution gives.
#[test]
fn a_change_is_made_as_often_as_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(folder.path());
    let plain = scene.chips(Chips::random(400, 16).seed(5)).unwrap();
    let bright = scene
        .chips(
            Chips::random(400, 16)
                .seed(5)
                .augment(Augment::none().brightness(1.0, 0.25)),
        )
        .unwrap();
    let changed = all(&plain, 0)
        .iter()
        .zip(all(&bright, 0))
        .filter(|(a, b)| a.patch != b.patch)
        .count();
    // Four deviations to either side of 100.
    assert!((66..=134).contains(&changed), "{changed}");
}

#[test]
fn imagery_of_any_number_of_bands_and_any_type_is_changed_within_its_range() {
    let folder = tempfile::tempdir().unwrap();
    for (bands, raster_type, highest) in [
        (1, RasterType::U8, 255.0),
        (3, RasterType::U16, 65_535.0),
        (4, RasterType::F32, f32::INFINITY),
        (13, RasterType::U16, 65_535.0),
    ] {
        let path = folder.path().join(format!("{bands}.tif"));
        // Half of the values at the type's largest, a corner without data.
        let value = move |band: usize, col: usize, row: usize| match (col * 7 + row * 13 + band) % 2
        {
            _ if col < 40 && row < 40 => 0.0,
            0 => f32::min(highest, 6.4e4),
            _ => 10.0 + (col % 50) as f32,
        };
        let options = WriterOptions::default().nodata(0.0);
        let path = raster(
            &path,
            Size::new(160, 160),
            bands,
            raster_type,
            options,
            value,
        );
        let scene = Scene::open(&path).unwrap();
        let augment = Augment::strong()
            .brightness(2.0, 1.0)
            .contrast(1.0, 1.0)
            .noise(0.5, 1.0)
            .blur(0.5..=1.0, 0.5)
            .mosaic(0.3)
            .mixup(0.3);
        let chips = scene
            .chips(Chips::random(20, 64).seed(bands as u64).augment(augment))
            .unwrap();
        let colors = bands == 3
            && scene
                .raster()
                .bands()
                .iter()
                .all(|band| band.role.is_some());
        let told = chips.report().to_string();
        assert_eq!(
            told.contains("no saturation") && told.contains("no hue"),
            !colors,
            "{told}"
        );
        assert_eq!(told.contains("no band is dropped"), bands == 1, "{told}");
        let (mut invalid, mut edge_values) = (0, 0);
        for chip in all(&chips, 1) {
            assert_eq!(chip.patch.bands, bands);
            for (at, &value) in chip.patch.data.iter().enumerate() {
                if chip.patch.valid[at % (64 * 64)] == 0 {
                    assert_eq!(value, 0.0);
                    invalid += 1;
                    continue;
                }
                assert!(value.is_finite());
                match raster_type {
                    RasterType::U8 | RasterType::U16 => {
                        assert!((0.0..=highest).contains(&value), "{value}");
                    }
                    _ => {}
                }
                edge_values += usize::from(value == highest);
            }
        }
        assert!(invalid > 0);
        assert!(
            bands == 4 || edge_values > 0,
            "values are limited, not turned over"
        );
    }
}

#[test]
fn colors_objects_and_classes_that_there_are_not_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = raster(
        &folder.path().join("four.tif"),
        Size::new(64, 64),
        5,
        RasterType::U8,
        WriterOptions::default(),
        |_, col, row| (col + row) as f32,
    );
    let scene = Scene::open(&path).unwrap();
    let refused = |scene: &Scene, augment: Augment| {
        scene
            .chips(Chips::random(4, 16).augment(augment))
            .unwrap_err()
    };
    for (augment, word) in [
        (Augment::none().hue(0.1, 0.5), "hue"),
        (Augment::none().saturation(0.1, 0.5), "saturation"),
    ] {
        let error = refused(&scene, augment);
        assert!(
            matches!(&error, Error::Chips(ChipsError::NoColors { change, .. }) if *change == word),
            "{error}"
        );
        assert!(
            error
                .to_string()
                .contains("one red, one green and one blue band"),
            "{error}"
        );
        assert!(error.hint().unwrap().contains("brightness"));
    }
    let error = refused(&scene, Augment::none().copy_paste(CopyPaste::new(), 0.5));
    assert!(
        matches!(error, Error::Chips(ChipsError::NoObjects { .. })),
        "{error}"
    );
    let error = refused(&scene, Augment::none().band_dropout(5, 0.5));
    assert!(error.to_string().contains("5 of 5"), "{error}");
    let error = refused(&scene, Augment::none().blur(2.0..=1.0, 0.5));
    assert!(error.to_string().contains("2.0..=1.0"), "{error}");
    let scene = town(folder.path());
    let error = refused(
        &scene,
        Augment::none().copy_paste(CopyPaste::new().classes(["ship"]), 0.5),
    );
    assert!(
        error.to_string().contains("ship") && error.to_string().contains("building"),
        "{error}"
    );
    // Red, green and blue by role: the town has them, whatever their order.
    scene
        .chips(Chips::random(4, 16).augment(Augment::strong().hue(0.1, 0.5)))
        .unwrap();
}

/// Bright squares with a box each: after whatever moves, whatever is bright lies in a box, and each box is bright.
#[test]
fn objects_and_their_boxes_move_together() {
    let folder = tempfile::tempdir().unwrap();
    let objects: Vec<BoundingBox> = (0..49)
        .map(|at| {
            BoundingBox::from_xywh(
                f64::from(at % 7) * 28.0 + 5.0,
                f64::from(at / 7) * 28.0 + 6.0,
                9.0,
                12.0,
            )
        })
        .collect();
    let inside = |col: usize, row: usize| {
        objects
            .iter()
            .any(|one| one.contains(col as f64 + 0.5, row as f64 + 0.5))
    };
    let path = raster(
        &folder.path().join("squares.tif"),
        Size::new(200, 200),
        1,
        RasterType::U8,
        WriterOptions::default(),
        |_, col, row| {
            if inside(col, row) { 200.0 } else { 10.0 }
        },
    );
    let table = folder.path().join("squares.csv");
    let rows: Vec<String> = objects
        .iter()
        .map(|one| {
            format!(
                "{},{},{},{},square",
                one.x_min, one.y_min, one.x_max, one.y_max
            )
        })
        .collect();
    std::fs::write(
        &table,
        format!("xmin,ymin,xmax,ymax,label\n{}\n", rows.join("\n")),
    )
    .unwrap();
    let scene = Scene::open(&path)
        .unwrap()
        .with_boxes(&table, "label")
        .unwrap();
    let moving = [
        Augment::none().affine(
            Affine::new()
                .rotation(180.0)
                .scale(0.8..=1.6)
                .translation(0.2)
                .shear(10.0),
            1.0,
        ),
        Augment::none().crop(0.3..=1.0, 1.0),
        Augment::none().scale_jitter(0.8..=1.6, 1.0),
        Augment::none().mosaic(1.0),
        Augment::none()
            .mosaic(1.0)
            .affine(Affine::new().rotation(30.0).scale(0.8..=1.5), 1.0),
        Augment::none().copy_paste(CopyPaste::new(), 1.0),
    ];
    for augment in moving {
        let words = format!("{augment:?}");
        let chips = scene
            .chips(
                Chips::random(25, 64)
                    .seed(4)
                    .min_visible(0.0)
                    .augment(augment),
            )
            .unwrap();
        let (mut bright, mut boxes, mut middles) = (0, 0, 0);
        for chip in all(&chips, 0) {
            for at in 0..64 * 64 {
                if chip.patch.valid[at] != 0 && chip.patch.data[at] > 150.0 {
                    let (col, row) = ((at % 64) as f64 + 0.5, (at / 64) as f64 + 0.5);
                    let holds = |one: &BoundingBox| {
                        BoundingBox::new(
                            one.x_min - 0.6,
                            one.y_min - 0.6,
                            one.x_max + 0.6,
                            one.y_max + 0.6,
                        )
                        .contains(col, row)
                    };
                    assert!(
                        chip.boxes.iter().any(|one| holds(&one.bounds)),
                        "{words}: {col}, {row}"
                    );
                    bright += 1;
                }
            }
            for one in &chip.boxes {
                assert_eq!(one.bounds, one.bounds.clip(64.0, 64.0), "{words}");
                // What the edge has not cut is bright in its middle.
                let (x, y) = one.bounds.center();
                let near_edge = one.bounds.clip(63.9, 63.9) != one.bounds
                    || one.bounds.x_min < 0.1
                    || one.bounds.y_min < 0.1;
                if !near_edge && one.bounds.area() > 60.0 {
                    let value = chip.patch.value(0, y as usize, x as usize);
                    assert!(
                        value.is_some_and(|value| value > 150.0),
                        "{words}: {value:?} in {one:?}"
                    );
                    middles += 1;
                }
                boxes += 1;
            }
        }
        assert!(
            bright > 2000 && boxes > 50 && middles > 20,
            "{words}: {bright}, {boxes}, {middles}"
        );
    }
}

/// A class in one corner of the scene: pasting brings it into chips of everywhere, with labels and boxes.
#[test]
fn rare_objects_are_pasted_with_their_labels() {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(folder.path());
    let car = scene.classes().index_of("car").expect("the town has cars");
    let paste = || CopyPaste::new().classes(["car"]).most(4);
    let options = || Chips::random(40, 96).seed(2);
    let plain = all(&scene.chips(options()).unwrap(), 0);
    let pasted = all(
        &scene
            .chips(options().augment(Augment::none().copy_paste(paste(), 1.0)))
            .unwrap(),
        0,
    );
    let cars = |chips: &[Chip]| {
        chips
            .iter()
            .flat_map(|chip| &chip.boxes)
            .filter(|one| one.class == car)
            .count()
    };
    let labeled = |chips: &[Chip]| {
        chips
            .iter()
            .flat_map(|chip| &chip.labels)
            .filter(|&&label| usize::from(label) == car)
            .count()
    };
    assert!(
        cars(&pasted) > cars(&plain) + 20,
        "{} of {}",
        cars(&pasted),
        cars(&plain)
    );
    assert!(labeled(&pasted) > labeled(&plain) + 500);
    for (a, b) in plain.iter().zip(&pasted) {
        assert!(b.boxes.starts_with(&a.boxes), "what was there stays");
        for (label, before) in b.labels.iter().zip(&a.labels) {
            assert!(label == before || usize::from(*label) == car);
        }
        assert_eq!(a.patch.valid, b.patch.valid);
    }
}

#[test]
fn a_chip_that_is_turned_ignores_what_comes_from_outside() {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(folder.path());
    let augment = Augment::none().affine(Affine::new().rotation(45.0).scale(0.7..=0.7), 1.0);
    let chips = scene
        .chips(Chips::random(20, 64).seed(9).augment(augment))
        .unwrap();
    let mut outside = 0;
    for chip in all(&chips, 0) {
        for (label, valid) in chip.labels.iter().zip(&chip.patch.valid) {
            assert_eq!(*label == IGNORE, *valid == 0);
        }
        outside += usize::from(chip.patch.valid_fraction() < 0.6);
        // A square of 0.7 has 0.49 of the area, wherever it is turned to.
        assert!(
            (0.46..=0.5).contains(&chip.patch.valid_fraction()),
            "{}",
            chip.patch.valid_fraction()
        );
    }
    assert_eq!(outside, 20);
}

#[test]
fn chips_are_shown_as_they_are_changed() {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(folder.path());
    let options = || Chips::random(8, 64).seed(9).flips(false);
    let strong = options().augment(Augment::strong());
    let (plain, changed) = (
        scene.chips(options()).unwrap(),
        scene.chips(&strong).unwrap(),
    );
    assert_ne!(plain.show(4).output().html, changed.show(4).output().html);
    assert!(!changed.show(4).output().text.contains("Cannot show"));
    let gray = raster(
        &folder.path().join("gray.tif"),
        Size::new(96, 96),
        1,
        RasterType::U8,
        WriterOptions::default(),
        |_, col, row| (col + row) as f32,
    );
    let output = Scene::open(gray).unwrap().chips(&strong).unwrap().output();
    assert!(
        output.text.contains("no hue") || output.html.unwrap_or_default().contains("no hue"),
        "the report is shown"
    );
    let text = Augment::light().output().text;
    assert!(
        text.contains("affine") && text.contains("50 % of the chips"),
        "{text}"
    );
    assert!(
        strong.output().text.contains("augment"),
        "{}",
        strong.output().text
    );
}
