//! Many scenes on the command line.

use std::path::Path;

use swath::models::{BundleMeta, Normalization, TrainedBand, save_bundle};
use swath::predict::score_class_map;
use swath::prelude::*;
use swath::raster::{RasterType, RasterWriter, WriterOptions};
use swath::{Hint as _, Result};

use swath::cli::DONE;

use crate::cli::{save_model, swath};

fn read(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).expect("it was written")).expect("it is JSON")
}

/// Three drawn towns, `images/town_N.tif` with `labels/town_N.gpkg`, and a model for them.
fn towns(folder: &Path) -> Result<String> {
    for part in ["images", "labels"] {
        std::fs::create_dir(folder.join(part)).expect("a folder");
    }
    let mut scenes = Vec::new();
    for number in 1..=3 {
        let town = samples::town_in(folder.join(number.to_string()), number, 96)?;
        let image = folder.join(format!("images/town_{number}.tif"));
        std::fs::copy(&town.scene_path, &image).expect("copied");
        let labels = folder.join(format!("labels/town_{number}.gpkg"));
        std::fs::copy(&town.labels_path, &labels).expect("copied");
        scenes.push(town.scene()?);
    }
    let model = folder.join("model.swath");
    // A small town has few classes: the model knows those of all of them.
    let scenes = Scenes::of(scenes)?;
    save_model(&model, scenes.get(0).expect("a scene"))?;
    Ok(model.display().to_string())
}

#[test]
fn many_scenes_are_scored_together_and_apart() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let model = towns(folder.path())?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    let options = "--class class --window 96 --device cpu --quiet";
    let table = path("towns.csv");
    let rows: String = (1..=3)
        .map(|n| {
            format!(
                "images/town_{n}.tif,{}\n",
                if n < 3 { "test" } else { "train" }
            )
        })
        .collect();
    std::fs::write(&table, format!("image,split\n{rows}")).expect("written");
    let (images, labels) = (path("images"), path("labels"));
    for (number, scenes, labels, count) in [
        (1, images.clone(), format!("{labels}/{{stem}}.gpkg"), 3),
        (2, format!("{images}/town_*.tif"), labels.clone(), 3),
        (3, format!("{table} --only split=test"), labels.clone(), 2),
    ] {
        let json = folder.path().join(format!("{number}.json"));
        let line = format!(
            "evaluate {model} {scenes} --labels {labels} --json {} {options}",
            json.display()
        );
        assert_eq!(swath(&line), DONE, "{line}");
        let found = read(&json);
        let each = found["scenes"].as_array().expect("a list");
        assert_eq!(each.len(), count);
        assert_eq!(each[0]["scene"], "town_1");
        // Pixels of all scenes together.
        let pixels = |value: &serde_json::Value| value["pixels"].as_f64().unwrap_or(f64::NAN);
        let sum: f64 = each.iter().map(pixels).sum();
        assert!(
            (pixels(&found["pooled"]) - sum).abs() < 0.5 && sum > 0.0,
            "{found}"
        );
    }
    let wrong = format!("evaluate {model} {table} --only split=valid --labels {labels} {options}");
    assert_ne!(swath(&wrong), DONE);
    Ok(())
}

/// One that fails is told, the others are scored, and the exit status says so.
#[test]
fn a_scene_without_labels_does_not_keep_the_others_from_being_scored() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let model = towns(folder.path())?;
    std::fs::remove_file(folder.path().join("labels/town_2.gpkg")).expect("removed");
    let json = folder.path().join("scores.json");
    let line = format!(
        "evaluate {model} {0}/images --labels {0}/labels --class class --json {1} --window 96 --device cpu --quiet",
        folder.path().display(),
        json.display()
    );
    assert_ne!(swath(&line), DONE);
    let found = read(&json);
    assert_eq!(found["scenes"].as_array().map(Vec::len), Some(2));
    let failed = found["failed"].as_array().expect("those that failed");
    assert_eq!(failed.len(), 1, "{found}");
    assert_eq!(failed[0]["scene"], "town_2");
    assert!(
        failed[0]["error"]
            .as_str()
            .is_some_and(|told| !told.is_empty()),
        "{found}"
    );
    Ok(())
}

#[test]
fn scenes_are_cropped_and_brought_to_a_pixel_size() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let model = towns(folder.path())?;
    let out = folder.path().join("out");
    let line = |more: &str| {
        format!(
            "predict {model} {}/images -o {} --window 64 --device cpu --quiet --no-polygons {more}",
            folder.path().display(),
            out.display()
        )
    };
    let size = || -> Result<(usize, usize)> {
        let scene = Scene::open(out.join("town_3/labels.tif"))?;
        Ok(scene.size())
    };
    assert_eq!(swath(&line("--crop 8,16,40,32")), DONE);
    assert_eq!(size()?, (40, 32));
    let meters = Scene::open(folder.path().join("images/town_1.tif"))?
        .raster()
        .gsd()
        .map_or(1.0, |(x, _)| x);
    assert_eq!(
        swath(&line(&format!(
            "--pixel-size {} --any-values",
            meters * 2.0
        ))),
        DONE
    );
    assert_eq!(size()?, (48, 48));
    // What was predicted so is scored at that pixel size, which its grid says: as in a cell.
    let (image, labels) = (
        folder.path().join("images/town_3.tif"),
        folder.path().join("labels/town_3.gpkg"),
    );
    let map = Raster::open(out.join("town_3/labels.tif"))?;
    let classes = Classes::new(map.category_names().into_iter().skip(1));
    let scene = Scene::open_at(&image, Resolution::Factor(0.5))?.with_classes(
        &labels,
        LabelClass::property("class"),
        &classes,
    )?;
    let expected = score_class_map(&map, &scene)?;
    // The file alone, without what GDAL keeps beside it, says its classes itself.
    let alone = folder.path().join("alone.tif");
    std::fs::copy(out.join("town_3/labels.tif"), &alone).expect("copied");
    for what in [out.join("town_3"), alone] {
        let json = folder.path().join("scores.json");
        let evaluate = format!(
            "evaluate {} {} --labels {} --class class --json {}",
            what.display(),
            image.display(),
            labels.display(),
            json.display()
        );
        assert_eq!(swath(&evaluate), DONE, "{evaluate}");
        // Through text and back the last digits of shares may be others: counts are the same.
        let counts = |scores: &serde_json::Value| -> Vec<serde_json::Value> {
            let all = scores.as_array().expect("a list").iter();
            all.map(|class| class["conf_mat"].clone()).collect()
        };
        let labeled = read(&json);
        assert_eq!(counts(&labeled), counts(&expected.to_json()));
        let labeled = labeled.as_array().expect("a list").iter();
        let labeled: u64 = labeled
            .filter(|class| class["class_name"] != "average")
            .filter_map(|class| class["gt_count"].as_u64())
            .sum();
        assert_eq!(labeled, 48 * 48);
    }
    assert_ne!(swath(&line("--bands 0,1,2")), DONE, "bands count from 1");
    Ok(())
}

/// A folder of RGB and BGR: bands are taken by their names in the order of the training, as in a collection.
#[test]
fn bands_are_taken_by_name_in_the_order_of_the_training() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let model = towns(folder.path())?;
    let image = folder.path().join("images/town_2.tif");
    let raster = Raster::open(&image)?;
    // A model that knows the bands of its training.
    let mut scenes = Vec::new();
    for number in 1..=3 {
        let town = samples::town_in(folder.path().join(number.to_string()), number, 96)?;
        scenes.push(town.scene()?);
    }
    let scenes = Scenes::of(scenes)?;
    let scene = scenes.get(0).expect("a scene");
    let names: Vec<String> = (scene.classes().names().into_iter())
        .map(str::to_owned)
        .collect();
    let network = Unet::resnet18().build(3, names.len(), &Device::cpu())?;
    let statistics = Scene::open(&image)?.statistics()?;
    let mut meta = BundleMeta::new(Unet::resnet18(), 3, names, Normalization::eight_bit(3), 256);
    meta.trained_bands = TrainedBand::all(raster.bands(), &statistics);
    save_bundle(Path::new(&model), &meta, &*network)?;
    let (names, all) = (raster.band_names(), raster.full());
    assert_eq!(names, ["red", "green", "blue"]);
    let patch = raster.read(&all)?;
    let backwards: Vec<f32> = (0..3)
        .rev()
        .flat_map(|band| patch.band(band).to_vec())
        .collect();
    let place = raster.georeference();
    let (grid, crs) = (place.transform, place.crs_wkt);
    let options = WriterOptions::default().band_names(&["blue", "green", "red"]);
    let bgr = folder.path().join("bgr.tif");
    let mut writer =
        RasterWriter::create(&bgr, all.size(), 3, RasterType::U8, grid, &crs, options)?;
    writer.write_window(&all, &backwards)?;
    writer.finish()?;
    let line = |image: &Path, out: &Path, more: &str| {
        format!(
            "predict {model} {} -o {} --window 96 --device cpu --quiet --no-polygons {more}",
            image.display(),
            out.display()
        )
    };
    let (plain, turned) = (folder.path().join("plain"), folder.path().join("turned"));
    assert_eq!(swath(&line(&image, &plain, "")), DONE);
    assert_eq!(swath(&line(&bgr, &turned, "")), DONE);
    let labels = |out: &Path| -> Result<Vec<f32>> {
        let map = Raster::open(out.join("labels.tif"))?;
        Ok(map.read(&map.full())?.data)
    };
    assert_eq!(labels(&plain)?, labels(&turned)?);
    // Bands that a person chose stay as they are.
    let other = folder.path().join("other");
    assert_ne!(swath(&line(&bgr, &other, "--bands 1,2,3")), DONE);
    Ok(())
}

/// A classifier's cells on the command line: files, scores by the rule of its training, options that are not for it.
#[test]
fn cells_are_predicted_and_scored_by_the_rule_of_the_training() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let town = samples::town_in(folder.path(), 3, 128)?;
    let scene = town.scene()?.with_cells(CellRule::share_of_object(0.5))?;
    let chips = scene.chips(Chips::sliding(32))?;
    let model = Classifier::new(ImageClassifier::resnet18(), scene.classes()).device(Device::cpu());
    let run = model.fit(&chips, &scene, FitOptions::epochs(1).quiet(true))?;
    let path = folder.path().join("cells.swath");
    run.last().save(&path)?;
    let (model, image) = (path.display(), town.scene_path.display());
    let labels = format!("--labels {} --class class", town.labels_path.display());
    let out = folder.path().join("out");
    let line = format!(
        "predict {model} {image} -o {} {labels} --device cpu --quiet",
        out.display()
    );
    assert_eq!(swath(&line), DONE);
    for name in [
        "cells.gpkg",
        "cells.geojson",
        "cell_labels.tif",
        "cell_scores.tif",
        "cell_scores.json",
    ] {
        assert!(out.join(name).is_file(), "{name}");
    }
    let json = folder.path().join("scores.json");
    let line = format!(
        "evaluate {model} {image} --json {} {labels} --device cpu --quiet",
        json.display()
    );
    assert_eq!(swath(&line), DONE);
    let found = read(&json);
    let all = found
        .as_array()
        .and_then(|items| items.last())
        .expect("the average");
    let wanted = run.last().evaluate(&scene)?;
    assert_eq!(all["gt_count"], wanted.confusion().total());
    assert!(
        (all["metrics"]["accuracy"].as_f64().unwrap_or(f64::NAN) - wanted.accuracy()).abs() < 1e-9
    );
    // By another rule the truth is another.
    let majority = run
        .last()
        .evaluate(&scene.with_cells(CellRule::majority())?)?;
    let truth = |scores: &Scores| -> Vec<u64> {
        let classes = scores.per_class().iter();
        classes.map(|class| class.support).collect()
    };
    assert_ne!(truth(&majority), truth(&wanted));
    // The saved cells score as the model does, by the rule that is said; by one of their files or their folder.
    let saved = folder.path().join("saved.json");
    for what in ["", "/cell_labels.tif", "/cells.gpkg"] {
        let line = format!(
            "evaluate {}{what} {image} --json {} {labels} --cells object:0.5 --quiet",
            out.display(),
            saved.display()
        );
        assert_eq!(swath(&line), DONE, "{line}");
        assert_eq!(read(&saved), found, "{what}");
    }
    let again = SceneCells::open(&out, &scene)?;
    let cells = run.last().predict(&scene)?;
    assert_eq!(again.grid(), cells.grid());
    let classes = |cells: &SceneCells| -> Vec<(PixelWindow, usize)> {
        cells.iter().map(|cell| (cell.window, cell.class)).collect()
    };
    assert_eq!(classes(&again), classes(&cells));
    for (was, is) in cells.iter().zip(again.iter()) {
        assert!((was.score - is.score).abs() <= 0.5 / 254.0 + 1e-6);
    }
    // Another threshold decides anew, from probabilities that are stored to half a step.
    let (was, is) = (cells.threshold(0.01)?, again.threshold(0.01)?);
    assert_eq!(classes(&was).len(), classes(&is).len());
    let elsewhere = samples::town_in(folder.path().join("other"), 4, 96)?.scene()?;
    assert!(SceneCells::open(&out, &elsewhere).is_err());
    for line in [
        format!("evaluate {} {image} {labels} --window 32", out.display()),
        format!(
            "evaluate {} {image} --labels nowhere.gpkg --class class",
            out.display()
        ),
        format!(
            "predict {model} {image} -o {} --cells majority",
            out.display()
        ),
    ] {
        assert_ne!(swath(&line), DONE, "{line}");
    }
    let error = again.save(folder.path().join("cells.tif")).unwrap_err();
    let hint = error.hint().unwrap_or_default();
    assert!(
        hint.contains("cell_labels.tif") && hint.contains("/cells\""),
        "{hint}"
    );
    for option in ["--overlap 8", "--no-polygons", "--min-score 0.5"] {
        let line = format!(
            "predict {model} {image} -o {} {option} --quiet",
            out.display()
        );
        assert_ne!(swath(&line), DONE, "{option}");
    }
    Ok(())
}
