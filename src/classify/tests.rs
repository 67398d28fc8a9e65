use std::path::{Path, PathBuf};

use rand::{RngExt as _, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::{CellGrid, ClassificationOptions, ClassifierEnsemble};
use crate::Result;
use crate::chips::{Augment, Chips};
use crate::device::Device;
use crate::display::Show as _;
use crate::labels::{CellRule, LabelValues};
use crate::models::{Classifier, ImageClassifier, bundle_task};
use crate::raster::{
    GeoTransform, PixelWindow, Raster, RasterType, RasterWriter, Size, WriterOptions,
};
use crate::samples::town_in;
use crate::scene::{Scene, Split};
use crate::scenes::{SceneSplit, Scenes};
use crate::train::{FitOptions, Loss, Optimizer};

/// Side of a cell of the drawn ground.
const CELL: usize = 32;
const CLASSES: [&str; 3] = ["background", "bright", "striped"];

/// Writes an image `place` kilometers to the east.
fn write(path: &Path, size: Size, values: &[u8], place: usize) -> Result<()> {
    let grid = GeoTransform::north_up(500_000.0 + 1000.0 * place as f64, 3_000_000.0, 0.5);
    let bands = values.len() / size.area();
    let (kind, crs) = (RasterType::U8, "EPSG:32645");
    let options = WriterOptions::default();
    let mut writer = RasterWriter::create(path, size, bands, kind, grid, crs, options)?;
    writer.write_window(&PixelWindow::full(size), values)?;
    writer.finish()?;
    Ok(())
}

/// A pixel of a class: dark, bright, or dark and bright columns by turns, with noise.
fn pixel(class: u8, col: usize, random: &mut Pcg64Mcg) -> u8 {
    let value = match class {
        0 => 60,
        1 => 180,
        _ => 60 + 120 * (col / 4 % 2),
    };
    (value + random.random_range(0..40)) as u8
}

/// Cells of three kinds in no order, and a raster of their classes.
fn ground(folder: &Path, columns: usize, rows: usize) -> Result<Scene> {
    let mut random = Pcg64Mcg::seed_from_u64(3);
    let kinds: Vec<u8> = (0..columns * rows)
        .map(|_| random.random_range(0..3))
        .collect();
    let size = Size::new(columns * CELL, rows * CELL);
    let (mut image, mut labels) = (Vec::new(), Vec::new());
    for at in 0..size.area() {
        let (col, row) = (at % size.width, at / size.width);
        let class = kinds[row / CELL * columns + col / CELL];
        labels.push(class);
        image.push(pixel(class, col, &mut random));
    }
    let (picture, truth) = (folder.join("ground.tif"), folder.join("truth.tif"));
    write(&picture, size, &image.repeat(3), 0)?;
    write(&truth, size, &labels, 0)?;
    let values = LabelValues::codes([(1, CLASSES[1]), (2, CLASSES[2])]).background([0]);
    Scene::open(&picture)?.with_label_raster(&truth, values)
}

fn model(scene: &Scene) -> Classifier {
    Classifier::new(ImageClassifier::resnet18(), scene.classes()).device(Device::cpu())
}

fn quickly(epochs: usize) -> FitOptions {
    FitOptions::epochs(epochs)
        .batch(16)
        .optimizer(Optimizer::adamw())
        .lr(1e-3)
        .quiet(true)
}

#[test]
fn a_classifier_learns_textures_and_its_cells_are_saved_and_scored() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let scene = ground(folder.path(), 16, 8)?;
    let (train, valid) = scene.split(Split::columns(0.5));
    let chips = train.chips(Chips::sliding(CELL))?;
    let run = model(&scene).fit(&chips, &valid, quickly(6).validation_share(1.0))?;
    assert!(run.report().is_empty(), "{:?}", run.report());
    let history = run.history();
    assert_eq!(history.score_name(), "mean F1");

    let cells = run
        .best()
        .predict_with(&valid, ClassificationOptions::new().quiet(true))?;
    assert_eq!(cells.grid(), &CellGrid::new(valid.area(), CELL));
    assert_eq!(cells.iter().count(), 64);
    let scores = cells.evaluate(&valid)?;
    assert!(scores.accuracy() > 0.9, "{}", scores.output().text);
    // Validation looked at each of these cells.
    let best = history.best().and_then(crate::train::EpochRecord::score);
    assert!((best.unwrap_or(f64::NAN) - scores.mean_f1()).abs() < 1e-6);
    let text = scores.output().text;
    assert!(
        text.contains("64 labeled cells") && !text.contains("IoU"),
        "{text}"
    );
    for probabilities in (0..64).filter_map(|index| cells.probabilities(index)) {
        assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }

    // So it does where they are far from right, and what it leaves out is said.
    let begun = model(&scene).fit(&chips, &valid, quickly(1).validation_share(1.0))?;
    let score = begun
        .history()
        .best()
        .and_then(crate::train::EpochRecord::score);
    let found = begun.best().evaluate(&valid)?.mean_f1_of_labeled();
    assert!(
        (score.unwrap_or(f64::NAN) - found).abs() < 1e-6,
        "{score:?}, {found}"
    );
    let some = model(&scene).fit(&chips, &valid, quickly(1))?;
    assert!(
        some.report().mentions("validated on 32 of 64 cells"),
        "{:?}",
        some.report()
    );

    // By a rule that leaves the dark cells out, these are counted.
    let rule = CellRule::share_of_cell(0.5).otherwise_ignored();
    let bright = cells.evaluate(&valid.with_cells(rule)?)?;
    let dark = scores.per_class()[0].support;
    assert_eq!(bright.confusion().total(), 64 - dark);
    let said = bright.output().text;
    assert!(
        dark > 0 && said.contains(&format!("{dark} of 64 cells do not count")),
        "{said}"
    );
    cells.evaluate(&valid)?;

    // A pixel for each cell, at its place, and a square with the same class.
    let saved = folder.path().join("cells");
    cells.save(&saved)?;
    let raster = Raster::open(saved.join("cell_labels.tif"))?;
    assert_eq!(raster.size(), Size::new(8, 8));
    assert_eq!(raster.category_names(), CLASSES);
    let corner = scene.raster().transform().world_from_pixel((256.0, 0.0));
    assert_eq!(raster.transform().world_from_pixel((0.0, 0.0)), corner);
    assert_eq!(raster.gsd(), Some((16.0, 16.0)));
    let classes: Vec<usize> = raster
        .read(&raster.full())?
        .data
        .iter()
        .map(|&class| class as usize)
        .collect();
    assert!(
        cells
            .iter()
            .map(|cell| cell.class)
            .eq(classes.iter().copied())
    );
    let polygons = scene.with_labels(saved.join("cells.gpkg"), "class")?;
    for cell in cells.iter() {
        let middle = PixelWindow::new(cell.window.col + 16, cell.window.row + 16, 1, 1);
        let label = usize::from(polygons.label_window(&middle)?[0]);
        assert_eq!(polygons.classes().names()[label], CLASSES[cell.class]);
    }
    let probabilities = Raster::open(saved.join("cell_scores.tif"))?;
    assert_eq!(probabilities.band_names(), CLASSES);
    for name in ["cell_scores.json", "cells.qml", "cell_labels.qml"] {
        assert!(saved.join(name).is_file(), "{name}");
    }
    cells.save(&saved)?;

    // From disk, alone and twice together, the same.
    let path = folder.path().join("cells.swath");
    run.best().save(&path)?;
    assert_eq!(bundle_task(&path).as_deref(), Some("classification"));
    let loaded = Classifier::load(&path)?.device(Device::cpu());
    let options = ClassificationOptions::new().quiet(true);
    let again = loaded.predict_with(&valid, &options)?;
    let both = ClassifierEnsemble::new([&loaded, run.best()])?.predict_with(&valid, &options)?;
    let views = loaded.predict_with(&valid, options.clone().flips(true))?;
    for index in 0..64 {
        let of = |cells: &super::SceneCells| cells.probabilities(index).map(<[f32]>::to_vec);
        assert_eq!(of(&cells), of(&again));
        for (one, two) in of(&cells).iter().flatten().zip(of(&both).iter().flatten()) {
            assert!((one - two).abs() < 1e-6);
        }
        assert!(of(&views).is_some());
    }
    assert!(views.evaluate(&valid)?.accuracy() > 0.9);
    // The best threshold is no worse than none at all.
    use crate::predict::AtThreshold as _;
    let choice = cells.best_threshold(&valid)?;
    assert!(
        choice.f1() > 0.9 && choice.curve().len() == 101,
        "{choice:?}"
    );
    let best = cells.at_threshold(cells.threshold_for(&valid)?)?;
    assert!(best.evaluate(&valid)?.accuracy() > 0.9);
    for wrong in [1.5, -0.5, f32::NAN] {
        assert!(cells.at_threshold(wrong).is_err() && cells.threshold(wrong).is_err());
    }
    // Scores are those of the threshold that was scored, in the cells and in their files.
    let (scored, other) = (cells.threshold(0.9)?, cells.threshold(0.1)?);
    scored.evaluate(&valid)?;
    assert!(scored.scores().is_some() && other.scores().is_none());
    for (cells, has) in [(&scored, true), (&other, false)] {
        cells.save(&saved)?;
        assert_eq!(saved.join("cell_scores.json").exists(), has);
    }
    // Three times as large; a cell of which part lies outside still has a class.
    let large = loaded.predict_with(&valid, options.cell(96))?;
    assert_eq!((large.grid().len(), large.iter().count()), (9, 9));
    let text = large.output().text;
    assert!(text.starts_with("Cells of ground"), "{text}");
    Ok(())
}

/// A split in folders, images of one class each, scores of all together.
#[test]
fn images_in_folders_of_their_classes_are_trained_on_and_scored() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut random = Pcg64Mcg::seed_from_u64(5);
    let mut place = 0;
    let mut image = |split: &str, name: &str, class: u8, number: usize| -> Result<PathBuf> {
        let within = folder.path().join(split).join(name);
        std::fs::create_dir_all(&within).expect("a folder");
        let path = within.join(format!("{number}.tif"));
        let values: Vec<u8> = (0..CELL * CELL)
            .map(|at| pixel(class, at % CELL, &mut random))
            .collect();
        place += 1;
        write(&path, Size::new(CELL, CELL), &values.repeat(3), place)?;
        Ok(path)
    };
    for number in 0..12 {
        for (class, name) in ["dark", "light", "stripes"].into_iter().enumerate() {
            image("train", name, class as u8, number)?;
            if number < 4 {
                image("val", name, class as u8, number)?;
            }
        }
    }
    let images = Scenes::class_folders(folder.path())?;
    assert_eq!(
        (images.len(), images.classes().names()),
        (48, vec!["background", "dark", "light", "stripes"])
    );
    let (train, valid) = (
        images.where_column("split", "train")?,
        images.where_column("split", "val")?,
    );
    assert_eq!((train.len(), valid.len()), (36, 12));
    let whole = PixelWindow::new(0, 0, CELL, CELL);
    for index in 0..images.len() {
        let class = images
            .get(index)
            .map(|scene| scene.cell_class(&whole))
            .transpose()?
            .flatten();
        let name = class.map(|class| images.classes().names()[class]);
        assert_eq!(name, images.column(index, "class"));
    }
    let chips = train.chips(Chips::sliding(CELL))?;
    assert_eq!(chips.len(), 36);
    let model = Classifier::new(ImageClassifier::resnet18(), train.classes()).device(Device::cpu());
    let run = model.fit(&chips, &valid, quickly(12))?;
    let options = ClassificationOptions::new().quiet(true);
    let scores = run.best().evaluate_with(&valid, &options)?;
    assert_eq!(scores.pooled().confusion().total(), 12);
    assert!(scores.pooled().accuracy() > 0.9, "{}", scores.pooled());
    // As many as there are, in halves that share no image.
    let (one, other) = images.split(SceneSplit::random(0.5).seed(1));
    assert_eq!(one.len() + other.len(), 48);

    // A level of folders more than that is told.
    let below = folder.path().join("val/dark/more");
    std::fs::create_dir_all(&below).expect("a folder");
    let first = images.get(0).map(|scene| scene.raster().path().to_owned());
    std::fs::copy(first.expect("an image"), below.join("1.tif")).expect("a copy");
    let deeper = Scenes::class_folders(folder.path())?;
    let told = "images in folders within those of classes: val/dark/more (1)";
    assert!(deeper.report().mentions(told), "{}", deeper.report());
    assert_eq!(deeper.len(), 48);
    std::fs::remove_dir_all(&below).expect("it is removed");
    let error = Scenes::class_folders(folder.path().join("val/dark")).map(|_| ());
    let text = error.expect_err("no folders of classes").to_string();
    assert!(text.contains("a folder for each class"), "{text}");
    let missing = images.with_class_column("kind").map(|_| ());
    let text = missing.expect_err("no such column").to_string();
    assert!(
        text.contains("kind") && text.contains("class, split"),
        "{text}"
    );
    // A row without a class.
    let table = folder.path().join("images.csv");
    let rows: Vec<String> = (images.iter().take(3).zip(["dark", "", "bright"]))
        .map(|(scene, class)| format!("{},{class}", scene.raster().path().display()))
        .collect();
    std::fs::write(&table, format!("image,label\n{}\n", rows.join("\n"))).expect("a table");
    let error = Scenes::table(&table)?
        .with_class_column("label")
        .map(|_| ());
    let text = error.expect_err("a row without a class").to_string();
    assert!(text.contains("no value in the column \"label\""), "{text}");
    Ok(())
}

/// The class of a cell by its objects, against `geo`'s boolean operations on the same polygons.
#[test]
fn cells_of_a_town_have_the_class_of_what_lies_in_them() -> Result<()> {
    use geo::{Area as _, BooleanOps as _, Rect};
    let folder = tempfile::tempdir().expect("a folder");
    let town = town_in(folder.path(), 4, 512)?.scene()?;
    let by_object = town.with_cells(CellRule::share_of_object(0.5))?;
    let grid = CellGrid::new(town.area(), 64);
    let mut different = 0;
    for index in 0..grid.len() {
        let window = grid.window(index);
        let cell = Rect::new(
            (window.col as f64, window.row as f64),
            (window.right() as f64, window.bottom() as f64),
        );
        let cell = geo::MultiPolygon::new(vec![cell.to_polygon()]);
        let mut best = (0, 0.0);
        for (shape, class) in town.label_polygons() {
            let inside = shape.intersection(&cell).unsigned_area();
            if inside >= 0.5 * shape.unsigned_area() && inside > best.1 {
                best = (usize::from(*class), inside);
            }
        }
        assert_eq!(by_object.cell_class(&window)?, Some(best.0), "{window}");
        let labels = town.label_window(&window)?;
        let most = (0..5_u8).max_by_key(|class| {
            (
                labels.iter().filter(|label| *label == class).count(),
                std::cmp::Reverse(*class),
            )
        });
        assert_eq!(town.cell_class(&window)?, most.map(usize::from));
        different += usize::from(town.cell_class(&window)? != Some(best.0));
    }
    assert!(different > 0, "both rules are looked at");
    // Chips say the same of their windows.
    let chips = by_object.chips(Chips::random(12, 64).seed(2))?;
    for index in 0..12 {
        let chip = chips.get(index)?;
        assert_eq!(chip.class, by_object.cell_class(&chip.window)?);
    }
    Ok(())
}

#[test]
fn what_cannot_be_classified_is_an_error_with_the_way_out() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let scene = ground(folder.path(), 8, 4)?;
    let text = |error: crate::Error| {
        let hint = crate::Hint::hint(&error).unwrap_or_default();
        format!("{error} {hint}")
    };
    let share = scene
        .with_cells(CellRule::share_of_cell(1.5))
        .expect_err("no share");
    assert!(text(share).contains("above 0 and at most 1"));
    let objects = scene
        .with_cells(CellRule::share_of_object(0.5))
        .expect_err("no object");
    assert!(text(objects).contains("CellRule::majority()"));
    let class = scene
        .with_cells(CellRule::majority().otherwise("brigt"))
        .expect_err("no class");
    assert!(text(class).contains("was \"bright\" meant"));
    let bare = Scene::open(scene.raster().path())?;
    assert!(bare.with_cells(CellRule::majority()).is_err());

    let (train, valid) = scene.split(Split::columns(0.5));
    let chips = train.chips(Chips::sliding(CELL))?;
    let dice = model(&scene)
        .fit(&chips, &valid, quickly(1).loss(Loss::Dice))
        .map(|_| ());
    assert!(text(dice.expect_err("a loss of areas")).contains("Loss::CrossEntropy"));
    let mixed = train.chips(Chips::random(4, CELL).augment(Augment::none().mixup(0.5)))?;
    let mixed = model(&scene).fit(&mixed, &valid, quickly(1)).map(|_| ());
    assert!(text(mixed.expect_err("two chips in one")).contains("mixup"));
    let ruled = valid.with_cells(CellRule::share_of_cell(0.4))?;
    let unequal = model(&scene).fit(&chips, &ruled, quickly(1)).map(|_| ());
    let unequal = text(unequal.expect_err("two rules"));
    assert!(
        unequal.contains("at least 0.4") && unequal.contains(".with_cells(rule)"),
        "{unequal}"
    );
    assert!(
        ruled
            .output()
            .text
            .contains("cells        of a class that covers at least 0.4")
    );
    let untrained = model(&scene).predict(&valid).map(|_| ());
    assert!(text(untrained.expect_err("no weights")).contains("no weights yet"));
    let options = ClassificationOptions::new().cell(0).quiet(true);
    let run = model(&scene).fit(&chips, &valid, quickly(1))?;
    let none = run.best().predict_with(&valid, options).map(|_| ());
    assert!(text(none.expect_err("no pixel")).contains("from 1 to 8192"));
    Ok(())
}
