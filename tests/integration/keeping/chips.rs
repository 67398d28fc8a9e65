//! Chips where imagery, areas of interest and labels are.

use swath::chips::Chips;
use swath::detect::DetectionOptions;
use swath::device::Device;
use swath::display::Show;
use swath::labels::{Classes, IGNORE, LabelValues};
use swath::models::CenterNet;
use swath::predict::PredictOptions;
use swath::raster::{PixelWindow, RasterType, Size, WriterOptions};
use swath::scene::{Scene, Split};
use swath::train::{Detector, FitOptions};
use swath::{Hint, Result};

use super::{counted, imagery, labels, model, rectangles, trained};
use crate::support::{case, raster};

/// raster-vision#1898: 5.3 % of the strip is valid; 2 of 100 chips failed, so `fit` did, and `.min_valid(0.0)`, which the
/// hint named, gave 68 chips that show nothing.
#[test]
fn f19_every_chip_of_a_narrow_strip_is_found_and_shows_something() -> Result<()> {
    let scene = Scene::open(case("f19-narrow-strip/strip.tif"))?
        .with_labels(case("f19-narrow-strip/b.geojson"), "b")?;
    let chips = scene.chips(Chips::random(100, 64).seed(1))?;
    let again = scene.chips(Chips::random(100, 64).seed(1))?;
    for index in (0..100).rev() {
        let chip = chips.get(index)?;
        assert!(chip.patch.valid_fraction() >= 0.5, "chip {index}");
        if index % 9 == 0 {
            assert_eq!(again.get(index)?, chip);
        }
    }
    for options in [
        Chips::random(100, 64).seed(1).min_valid(0.0),
        Chips::sliding(64),
        Chips::random(60, 64).window_sizes(40..=120).min_valid(0.3),
        Chips::random(40, 100).padded().min_valid(0.2),
    ] {
        let chips = scene.chips(options)?;
        for index in 0..chips.len() {
            assert!(
                chips.get(index)?.patch.valid_fraction() > 0.0,
                "chip {index}"
            );
        }
    }
    let sliding = scene.chips(Chips::sliding(64))?;
    let said = sliding.report().to_string();
    assert!(
        sliding.len() < 169 && said.contains("of 169 chips with no valid pixel"),
        "{said}"
    );
    Ok(())
}

#[test]
fn chips_that_cannot_be_are_refused_at_once_with_what_is_possible() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let (size, options) = (Size::new(300, 300), WriterOptions::default().nodata(0.0));
    // Six rows of data.
    let value = |_, _, row: usize| if (150..156).contains(&row) { 9.0 } else { 0.0 };
    let path = folder.path().join("line.tif");
    let line = Scene::open(raster(&path, size, 1, RasterType::U8, options, value))?;
    let error = line.chips(Chips::random(10, 64)).unwrap_err();
    let hint = error.hint().unwrap_or_default();
    // 6 of 64 rows are 9.4 %.
    assert!(error.to_string().contains("the best has 9 %"), "{error}");
    assert!(hint.contains(".min_valid(0.08)"), "{hint}");
    let chips = line.chips(Chips::random(30, 64).min_valid(0.08))?;
    for index in 0..30 {
        assert!(chips.get(index)?.patch.valid_fraction() >= 0.08);
    }
    Ok(())
}

/// Floats with NaN instead of nodata, in a ring.
#[test]
fn chips_are_found_where_floats_are_numbers() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let value = |_, col: usize, row: usize| {
        let (x, y) = (col as f32 - 400.0, row as f32 - 400.0);
        let away = x.hypot(y);
        if (300.0..345.0).contains(&away) {
            away
        } else {
            f32::NAN
        }
    };
    let path = folder.path().join("ring.tif");
    let options = WriterOptions::default();
    let ring = Scene::open(raster(
        &path,
        Size::new(800, 800),
        1,
        RasterType::F32,
        options,
        value,
    ))?;
    let chips = ring.chips(Chips::random(60, 64).seed(5))?;
    for index in 0..60 {
        assert!(chips.get(index)?.patch.valid_fraction() >= 0.5);
    }
    Ok(())
}

/// D4: with sparse labels a third of the chips held no labeled pixel: accuracy 0.54, aimed at them 0.82.
#[test]
fn chips_of_a_sparsely_labeled_scene_hold_labels() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path(), 512, 1);
    // Two patches of 20 pixels.
    let value = |col: usize, row: usize| match (col / 20, row / 20) {
        (3, 20) => 1,
        (18, 4) => 0,
        _ => IGNORE,
    };
    let sparse = scene
        .clone()
        .with_label_raster(labels(folder.path(), 512, value), Classes::new(["crop"]))?;
    let chips = sparse.chips(Chips::random(60, 64).seed(3))?;
    let mut with = [0, 0];
    for index in 0..60 {
        let chip = chips.get(index)?;
        assert!(counted(&chip.labels) > 0, "chip {index}");
        with[0] += usize::from(chip.labels.contains(&0));
        with[1] += usize::from(chip.labels.contains(&1));
    }
    assert!(with[0] > 15 && with[1] > 15, "{with:?}");
    let sliding = sparse.chips(Chips::sliding(64))?;
    assert!(sliding.len() <= 8, "{}", sliding.len());
    assert!(sliding.report().mentions("no labeled pixel"));

    // Mostly labeled: the places stay those of the scene itself, but for chips without a label.
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path(), 512, 1);
    let value = |col: usize, _: usize| {
        if col < 128 {
            IGNORE
        } else {
            u8::from(col > 300)
        }
    };
    let mostly = scene
        .clone()
        .with_label_raster(labels(folder.path(), 512, value), Classes::new(["crop"]))?;
    let (plain, mostly) = (
        scene.chips(Chips::random(60, 64).seed(3))?,
        mostly.chips(Chips::random(60, 64).seed(3))?,
    );
    for index in 0..60 {
        let (one, other) = (plain.get(index)?, mostly.get(index)?);
        assert!(counted(&other.labels) > 0);
        assert!(
            one.window == other.window || one.window.right() <= 128,
            "chip {index}"
        );
    }
    Ok(())
}

/// D13: a cell that ended in sliding chips showed eight neighbors of the upper left corner.
#[test]
fn sliding_chips_are_shown_from_all_over_the_area() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let chips = imagery(folder.path(), 512, 1).chips(Chips::sliding(32))?;
    assert_eq!(chips.len(), 256);
    assert!(chips.show(8).html().len() > 1000);
    assert!(chips.get(3)?.output().text.contains("32 x 32 px, 1 band"));
    Ok(())
}

/// raster-vision PR#219, DeepForest#216: a tile in which nothing is can be trained on, predicted and scored.
#[test]
fn a_scene_with_nothing_in_it_gives_negatives_and_says_so() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path(), 128, 3);
    let empty = scene.clone().with_label_raster(
        labels(folder.path(), 128, |_, _| 0),
        Classes::new(["house"]),
    )?;
    let chips = empty.chips(Chips::random(8, 32).seed(2))?;
    assert!(
        chips.report().mentions("every chip is background"),
        "{}",
        chips.report()
    );
    assert!(chips.get(0)?.labels.iter().all(|&label| label == 0));
    let run = model(empty.classes()).fit(&chips, &empty, FitOptions::steps(4).quiet(true))?;
    let report = run.report();
    assert!(report.mentions("every chip is background"), "{report}");
    assert!(
        report.mentions("validation area holds no pixel of a class"),
        "{report}"
    );
    assert!(
        run.output()
            .text
            .contains("training and validation loss decide")
    );
    let scores = run.last().evaluate(&empty)?;
    assert_eq!(scores.per_class()[1].support, 0);

    // A part of a split without objects, by boxes.
    let with = scene.with_label_raster(
        labels(folder.path(), 128, |col, row| {
            u8::from(col < 20 && row < 20)
        }),
        Classes::new(["house"]),
    )?;
    let (_, right) = with.split(Split::columns(0.5));
    assert!(!right.chips(Chips::random(4, 32))?.report().is_empty());

    // Where every pixel is ignored, nothing can be learned.
    let folder = tempfile::tempdir().unwrap();
    let path = labels(folder.path(), 128, |_, _| IGNORE);
    let values = LabelValues::codes([(1, "house")]).ignore([255]);
    let nothing = imagery(folder.path(), 128, 3).with_label_raster(path, values)?;
    let error = nothing.chips(Chips::random(8, 32)).unwrap_err();
    assert!(
        error.to_string().contains("not even as background"),
        "{error}"
    );
    Ok(())
}

#[test]
fn a_part_without_boxes_gives_negatives_and_is_scored() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path(), 160, 3);
    let path = folder.path().join("boxes.csv");
    std::fs::write(
        &path,
        "xmin,ymin,xmax,ymax,label\n10,10,30,30,car\n40,50,60,70,car\n",
    )
    .unwrap();
    let scene = scene.with_boxes(&path, "car")?;
    let (left, right) = scene.split(Split::columns(0.5));
    let negatives = right.chips(Chips::random(4, 64).neg_ratio(0.5))?;
    assert!(negatives.report().mentions("every chip is a negative"));
    assert!(negatives.get(0)?.boxes.is_empty());
    let chips = left.chips(Chips::random(4, 64).seed(1))?;
    assert!(chips.report().is_empty(), "{}", chips.report());
    let model = Detector::new(CenterNet::resnet18().pretrained(false), scene.classes());
    let options = FitOptions::steps(1).batch(2).quiet(true);
    let run = model.device(Device::cpu()).fit(&chips, &right, options)?;
    assert!(
        run.report().mentions("the validation area holds no box"),
        "{}",
        run.report()
    );
    let options = DetectionOptions::new()
        .min_score(0.0)
        .max_boxes(5)
        .quiet(true);
    let found = run.last().predict_with(&right, options)?;
    let scores = found.threshold(0.0).evaluate(&right)?;
    assert!(scores.ap50().is_nan());
    let counts = scores.counts(0.5);
    assert_eq!((counts.true_positives, counts.false_negatives), (0, 0));
    assert_eq!(counts.false_positives, found.threshold(0.0).len());
    Ok(())
}

/// D3: an area of interest blanked the imagery around it, so that a network saw gray.
#[test]
fn an_area_of_interest_limits_labels_and_maps_but_not_what_the_network_sees() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path(), 256, 1);
    let buildings = [[20.0, 20.0, 60.0, 60.0], [100.0, 90.0, 150.0, 140.0]];
    let buildings = rectangles(&folder.path().join("b.geojson"), &buildings);
    let scene = scene.with_labels(buildings, "building")?;
    // 32 x 28 of 256 x 256 pixels: 1.4 %.
    let aoi = rectangles(
        &folder.path().join("aoi.geojson"),
        &[[110.0, 100.0, 142.0, 128.0]],
    );
    let (inside, outside) = scene.split_by_aoi(aoi)?;
    let window = PixelWindow::new(96, 96, 64, 64);
    assert_eq!(inside.read(&window)?, scene.read(&window)?);
    assert_eq!(counted(&inside.label_window(&window)?), 32 * 28);
    assert_eq!(counted(&outside.label_window(&window)?), 64 * 64 - 32 * 28);
    assert_eq!(inside.statistics()?[0].count, 32 * 28);
    // One part of a split does not see the other.
    let (left, _) = inside.split(Split::at_column(120));
    assert_eq!(left.read(&window)?.valid_fraction(), 24.0 / 64.0);

    // Chips lie where the area is, with the imagery around it.
    let chips = inside.chips(Chips::random(40, 64).seed(4))?;
    for index in 0..40 {
        let chip = chips.get(index)?;
        assert_eq!(chip.patch.valid_fraction(), 1.0);
        assert!(counted(&chip.labels) > 0, "chip {index}");
    }

    // The map inside is that of the whole scene: the network saw the same.
    let run = trained(&scene, 4)?;
    let options = || PredictOptions::new().window(256).quiet(true);
    let whole = run.last().predict_with(&scene, options())?;
    let part = run.last().predict_with(&inside, options())?;
    let of_interest = PixelWindow::new(110, 100, 32, 28);
    assert_eq!(part.labels(&of_interest)?, whole.labels(&of_interest)?);
    let all = part.labels(&PixelWindow::new(0, 0, 256, 256))?;
    assert_eq!(counted(&all), 32 * 28);
    assert_eq!(part.evaluate(&inside)?.confusion().total(), 32 * 28);
    Ok(())
}
