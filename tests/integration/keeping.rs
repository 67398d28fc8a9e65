//! Training keeps the right epoch and refuses nonsense; chips hold what counts; an area of interest limits labels, not
//! imagery; a model knows the bands that it was trained on.
//!
//! The numbers f19 to f21 and D1 to D13 are those of the list of faults; the files are in `tests/fixtures/geo`.

use std::path::{Path, PathBuf};

use swath::burn;
use swath::burn::module::Module;
use swath::burn::nn::PaddingConfig2d;
use swath::burn::nn::conv::{Conv2d, Conv2dConfig};
use swath::burn::tensor::{Tensor, activation::relu};
use swath::chips::Chips;
use swath::detect::DetectionOptions;
use swath::device::Device;
use swath::display::Show;
use swath::labels::{Classes, IGNORE};
use swath::models::{Architecture, CenterNet, Network};
use swath::predict::{Ensemble, PredictOptions};
use swath::raster::{PixelWindow, RasterType, Size, WriterOptions};
use swath::scene::{Scene, Split};
use swath::train::{Detector, Fit, Run, Segmenter};
use swath::{Hint, Result};

use crate::support::{case, grid, raster};

/// Three 3 x 3 convolutions.
#[derive(Module, Debug)]
struct Small {
    first: Conv2d,
    second: Conv2d,
    third: Conv2d,
}

impl Network for Small {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let features = relu(self.second.forward(relu(self.first.forward(images))));
        self.third.forward(features)
    }
}

fn small() -> Architecture {
    Architecture::custom("small", |bands, classes, device| {
        let convolution = |from, to| {
            let same = PaddingConfig2d::Explicit(1, 1, 1, 1);
            Conv2dConfig::new([from, to], [3, 3])
                .with_padding(same)
                .init(device)
        };
        Small {
            first: convolution(bands, 12),
            second: convolution(12, 12),
            third: convolution(12, classes),
        }
    })
}

fn model(classes: &Classes) -> Segmenter {
    Segmenter::new(small(), classes).device(Device::cpu())
}

fn trained(scene: &Scene, steps: usize) -> Result<Run> {
    let chips = scene.chips(Chips::random(24, 64).seed(1))?;
    model(scene.classes()).fit(&chips, scene, Fit::steps(steps).lr(0.01).quiet(true))
}

/// GeoJSON in the pixels of a scene on the grid of [`raster`]: rectangles of left, top, right, bottom.
fn rectangles(path: &Path, rectangles: &[[f64; 4]]) -> PathBuf {
    let features: Vec<String> = rectangles
        .iter()
        .map(|&[left, top, right, bottom]| {
            let ring = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
            let ring: Vec<String> = ring
                .iter()
                .map(|&pixel| {
                    let (x, y) = grid().world_from_pixel(pixel);
                    format!("[{x},{y}]")
                })
                .collect();
            format!(
                "{{\"type\":\"Feature\",\"properties\":{{}},\"geometry\":{{\"type\":\"Polygon\",\"coordinates\":[[{}]]}}}}",
                ring.join(",")
            )
        })
        .collect();
    let text = format!(
        "{{\"type\":\"FeatureCollection\",\"crs\":{{\"type\":\"name\",\"properties\":{{\"name\":\
         \"urn:ogc:def:crs:EPSG::32632\"}}}},\"features\":[{}]}}",
        features.join(",")
    );
    std::fs::write(path, text).unwrap();
    path.to_owned()
}

/// Byte imagery of `bands` bands with values that differ from pixel to pixel.
fn imagery(folder: &Path, side: usize, bands: usize) -> Scene {
    let value =
        |band: usize, col: usize, row: usize| (20 + (col * 31 + row * 17 + band * 40) % 200) as f32;
    let (size, options) = (
        Size::new(side, side),
        WriterOptions::default().plain_tiles(),
    );
    let path = folder.join("imagery.tif");
    Scene::open(raster(&path, size, bands, RasterType::U8, options, value)).unwrap()
}

/// A label raster beside [`imagery`].
fn labels(folder: &Path, side: usize, value: impl Fn(usize, usize) -> u8) -> PathBuf {
    let (size, options) = (
        Size::new(side, side),
        WriterOptions::default().plain_tiles(),
    );
    let path = folder.join("labels.tif");
    let value = |_: usize, col: usize, row: usize| f32::from(value(col, row));
    raster(&path, size, 1, RasterType::U8, options, value)
}

fn counted(labels: &[u8]) -> usize {
    labels.iter().filter(|&&label| label != IGNORE).count()
}

// ---- chips ---------------------------------------------------------------------------------------------------------

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

/// D4: with sparse labels a third of the chips held no labelled pixel: accuracy 0.54, aimed at them 0.82.
#[test]
fn chips_of_a_sparsely_labelled_scene_hold_labels() -> Result<()> {
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
    assert!(sliding.report().mentions("no labelled pixel"));

    // Mostly labelled: the places stay those of the scene itself, but for chips without a label.
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

/// D13: a cell that ended in sliding chips showed eight neighbours of the upper left corner.
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
    let run = model(empty.classes()).fit(&chips, &empty, Fit::steps(4).quiet(true))?;
    let report = run.report();
    assert!(report.mentions("every chip is background"), "{report}");
    assert!(
        report.mentions("validation area holds no pixel of a class"),
        "{report}"
    );
    assert!(run.output().text.contains("the validation loss decides"));
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
    let nothing =
        imagery(folder.path(), 128, 3).with_label_raster(path, Classes::new(["house"]))?;
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
    let options = Fit::steps(1).batch(2).quiet(true);
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

// ---- areas of interest ---------------------------------------------------------------------------------------------

/// D3: an area of interest blanked the imagery around it, so that a network saw grey.
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

// ---- validation ----------------------------------------------------------------------------------------------------

/// rslearn#696, mmsegmentation#2021: without an object in the validation area every epoch scored 0, and the first was kept:
/// 0.194 on the training part, the last one 0.952.
#[test]
fn f20_a_validation_area_without_objects_is_told_and_the_loss_decides() -> Result<()> {
    let scene = Scene::open(case("f20-empty-validation/image.tif"))?
        .with_labels(case("f20-empty-validation/b.gpkg"), "k")?;
    let (train, valid) = scene.split(Split::columns(0.7));
    let chips = train.chips(Chips::random(40, 96).seed(1))?;
    let run = model(scene.classes()).fit(&chips, &valid, Fit::epochs(4).lr(0.01).quiet(true))?;
    let report = run.report();
    assert!(
        report.mentions("the validation area holds no pixel of a class"),
        "{report}"
    );
    assert!(report.iter().all(|notice| notice.next_step().is_some()));
    assert!(
        run.history()
            .epochs
            .iter()
            .all(|epoch| epoch.score().is_none())
    );
    let iou = |model: &Segmenter| -> Result<f64> {
        let map = model.predict_with(&train, PredictOptions::new().quiet(true))?;
        Ok(map.evaluate(&train)?.class("sq")?.iou)
    };
    let (best, last) = (iou(run.best())?, iou(run.last())?);
    println!("best {best:.3}, last {last:.3}");
    for epoch in &run.history().epochs {
        println!(
            "{} {:.4} {:.4}",
            epoch.epoch, epoch.train_loss, epoch.valid_loss
        );
    }
    assert!(best > last - 0.05, "best {best}, last {last}");
    assert!(
        run.summary().contains("validation loss"),
        "{}",
        run.summary()
    );
    Ok(())
}

/// D1: "validation loss 0.0000, mean IoU –", best epoch 1: labels lay in a corner, windows every n-th elsewhere.
#[test]
fn validation_windows_lie_where_labels_are() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path(), 512, 1);
    // Labelled, with an object, in one of 64 windows of 64 pixels.
    let value = |col: usize, row: usize| match (col / 64, row / 64) {
        (6, 1) => u8::from(col % 64 < 20),
        _ => IGNORE,
    };
    let scene =
        scene.with_label_raster(labels(folder.path(), 512, value), Classes::new(["crop"]))?;
    let chips = scene.chips(Chips::random(8, 64).seed(1))?;
    let fit = |valid: &Scene| model(scene.classes()).fit(&chips, valid, Fit::epochs(2).quiet(true));
    let run = fit(&scene)?;
    assert!(run.report().is_empty(), "{}", run.report());
    for epoch in &run.history().epochs {
        assert!(
            epoch.valid_loss > 0.0 && epoch.score().is_some(),
            "{epoch:?}"
        );
    }
    // An area in which nothing is labelled at all.
    let (left, _) = scene.split(Split::at_column(256));
    let error = fit(&left).unwrap_err();
    assert!(
        error.to_string().contains("holds a labelled pixel"),
        "{error}"
    );
    assert!(error.hint().is_some());
    Ok(())
}

/// D9: "mean IoU" was 0.214 in training and 0.625 in the table, of the same weights.
#[test]
fn mean_iou_is_the_same_figure_in_training_table_and_bundle() -> Result<()> {
    let scene = Scene::open(case("f21-other-type/u8.tif"))?
        .with_labels(case("f21-other-type/b.gpkg"), "k")?;
    // One window over the whole scene, in validation and in prediction.
    let chips = scene.chips(Chips::random(8, 160).seed(1))?;
    let run = model(scene.classes()).fit(&chips, &scene, Fit::epochs(2).lr(0.01).quiet(true))?;
    let best = run
        .history()
        .best()
        .and_then(|epoch| epoch.score())
        .unwrap_or_default();
    let options = PredictOptions::new().window(160).quiet(true);
    let scores = run.best().predict_with(&scene, options)?.evaluate(&scene)?;
    assert!(
        (best - scores.mean_iou()).abs() < 1e-6,
        "{best} {}",
        scores.mean_iou()
    );
    let bundle = run.best().meta().unwrap().provenance["validation mean IoU"].clone();
    assert_eq!(bundle, format!("{:.4}", scores.mean_iou()));
    Ok(())
}

// ---- other values --------------------------------------------------------------------------------------------------

/// DeepForest#1134, #728: IoU 0.937 became 0.107 and 0.000 without a word.
#[test]
fn f21_a_scene_of_another_type_is_refused_with_the_factor() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let open = |file: &str| -> Result<Scene> {
        Scene::open(case(file))?.with_labels(case("f21-other-type/b.gpkg"), "k")
    };
    let (byte, wide) = (
        open("f21-other-type/u8.tif")?,
        open("f21-other-type/u16.tif")?,
    );
    let run = trained(&byte, 30)?;
    let iou = |scores: swath::evaluate::Scores| scores.class("sq").map(|class| class.iou);
    let own = iou(run.best().predict(&byte)?.evaluate(&byte)?)?;
    assert!(own > 0.5, "{own}");
    let error = run.best().predict(&wide).unwrap_err();
    let (text, hint) = (error.to_string(), error.hint().unwrap_or_default());
    assert!(
        text.contains("Byte") && text.contains("UInt16") && text.contains("times 40"),
        "{text}"
    );
    assert!(hint.contains("any_values(true)"), "{hint}");
    assert!(run.best().evaluate(&wide).is_err());
    assert!(Ensemble::new([run.best()])?.predict(&wide).is_err());
    let on_purpose = || PredictOptions::new().any_values(true).quiet(true);
    let map = run.best().predict_with(&wide, on_purpose())?;
    assert!(map.report().mentions("times 40"), "{}", map.report());

    // From 0 to 1, through a bundle.
    let path = folder.path().join("model.swath");
    run.best().save(&path)?;
    let loaded = Segmenter::load_as(&path, small())?.device(Device::cpu());
    let patch = byte.read(&byte.area())?;
    let (size, share) = (byte.raster().size(), folder.path().join("share.tif"));
    let value = |band: usize, col: usize, row: usize| patch.value(band, row, col).unwrap() / 255.0;
    let share = Scene::open(raster(
        &share,
        size,
        3,
        RasterType::F32,
        WriterOptions::default(),
        value,
    ))?;
    let error = loaded.predict(&share).unwrap_err().to_string();
    assert!(
        error.contains("Float32") && error.contains("less spread"),
        "{error}"
    );
    // The same values in floats are the same.
    let value = |band: usize, col: usize, row: usize| patch.value(band, row, col).unwrap();
    let float = folder.path().join("float.tif");
    let float = Scene::open(raster(
        &float,
        size,
        3,
        RasterType::F32,
        WriterOptions::default(),
        value,
    ))?;
    assert!(loaded.predict(&float)?.report().is_empty());

    // In a training: as validation, and as material for a model that has weights.
    let chips = byte.chips(Chips::random(8, 64))?;
    let error = model(byte.classes())
        .fit(&chips, &wide, Fit::steps(1).quiet(true))
        .unwrap_err();
    assert!(error.to_string().contains("the training scene"), "{error}");
    assert!(error.hint().unwrap_or_default().contains("Fit::"));
    let chips = wide.chips(Chips::random(8, 64))?;
    let further = |fit: Fit| run.best().fit(&chips, &wide, fit.quiet(true));
    assert!(further(Fit::steps(1)).is_err());
    let run = further(Fit::steps(1).any_values(true))?;
    assert!(run.report().mentions("times 40"), "{}", run.report());
    Ok(())
}

/// D5: with the order of its bands reversed, described as such, water fell from IoU 0.748 to 0.000.
#[test]
fn bands_in_another_order_are_refused_by_name() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let named = |file: &str, names: [&str; 3]| -> Result<Scene> {
        let path = folder.path().join(file);
        let value = |_: usize, col: usize, row: usize| (20 + (col * 31 + row * 17) % 200) as f32;
        let options = WriterOptions::default().band_names(&names);
        let path = raster(&path, Size::new(96, 96), 3, RasterType::U8, options, value);
        let aoi = rectangles(
            &folder.path().join("b.geojson"),
            &[[10.0, 10.0, 50.0, 50.0]],
        );
        Scene::open(path)?.with_labels(aoi, "water")
    };
    let scene = named("a.tif", ["blue", "green", "nir"])?;
    let run = trained(&scene, 2)?;
    let error = run
        .last()
        .predict(&named("b.tif", ["nir", "green", "blue"])?)
        .unwrap_err();
    let (text, hint) = (error.to_string(), error.hint().unwrap_or_default());
    assert!(
        text.contains("blue, green, nir") && text.contains("nir, green, blue"),
        "{text}"
    );
    assert!(
        hint.contains("OpenOptions::new().bands([\"blue\", \"green\", \"nir\"])"),
        "{hint}"
    );
    assert!(hint.contains("any_values(true)"), "{hint}");
    // Written otherwise, shifted, unknown.
    assert!(
        run.last()
            .predict(&named("c.tif", ["Blue", "GREEN", "NIR"])?)
            .is_ok()
    );
    assert!(
        run.last()
            .predict(&named("d.tif", ["green", "nir", "swir"])?)
            .is_err()
    );
    assert!(
        run.last()
            .predict(&named("e.tif", ["one", "two", "three"])?)
            .is_ok()
    );
    let options = PredictOptions::new().any_values(true).quiet(true);
    let map = run
        .last()
        .predict_with(&named("f.tif", ["nir", "green", "blue"])?, options)?;
    assert!(
        map.report().mentions("was trained on the bands"),
        "{}",
        map.report()
    );
    Ok(())
}
