use std::fs;
use std::path::{Path, PathBuf};

use swath::Hint;
use swath::prelude::*;
use swath::raster::Size;
use swath::vector::LabelClass;

use super::row_of_tiles;
use crate::support::{degrees, geojson, label_counts};

const SIZE: Size = Size {
    width: 40,
    height: 30,
};

/// A rectangle of the pixels of tile `number` in degrees.
fn on_tile(number: usize, [left, top, right, bottom]: [f64; 4]) -> Vec<[f64; 2]> {
    let shift = (number * SIZE.width) as f64;
    degrees(&[
        (left + shift, top),
        (right + shift, top),
        (right + shift, bottom),
        (left + shift, bottom),
    ])
}

/// Three tiles; roads on the first, a house and a road on the second, nothing on the third.
fn labeled(folder: &Path) -> (PathBuf, PathBuf) {
    let (images, labels) = (folder.join("images"), folder.join("labels"));
    row_of_tiles(&images, 3, SIZE);
    fs::create_dir(&labels).unwrap();
    geojson(
        &labels.join("tile_1.geojson"),
        &[("road", &on_tile(1, [0.0, 0.0, 10.0, 10.0]))],
    );
    geojson(
        &labels.join("tile_2.geojson"),
        &[
            ("house", &on_tile(2, [0.0, 0.0, 4.0, 5.0])),
            ("road", &on_tile(2, [20.0, 10.0, 30.0, 13.0])),
        ],
    );
    geojson(&labels.join("tile_3.geojson"), &[]);
    (images, labels)
}

fn pixels(scenes: &Scenes, index: usize) -> Vec<(u8, usize)> {
    label_counts(scenes.get(index).unwrap())
        .into_iter()
        .collect()
}

#[test]
fn files_are_paired_by_folder_pattern_column_and_one_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let (images, labels) = labeled(folder.path());
    let table = folder.path().join("t.csv");
    let rows: String = (1..=3)
        .map(|n| format!("images/tile_{n}.tif,labels/tile_{n}.geojson\n"))
        .collect();
    fs::write(&table, format!("image,mask\n{rows}")).unwrap();
    let all = folder.path().join("all.geojson");
    geojson(
        &all,
        &[
            ("road", &on_tile(1, [0.0, 0.0, 10.0, 10.0])),
            ("house", &on_tile(2, [0.0, 0.0, 4.0, 5.0])),
            ("road", &on_tile(2, [20.0, 10.0, 30.0, 13.0])),
            // The extent of the file reaches over the third tile, on which nothing is.
            ("road", &on_tile(4, [0.0, 0.0, 1.0, 1.0])),
        ],
    );
    let scenes = Scenes::open(&images).unwrap();
    let pattern = format!("{}/{{stem}}.geojson", labels.display());
    for labeled in [
        scenes.with_labels(&labels, "kind"),
        scenes.with_labels(pattern, "kind"),
        scenes.with_labels(&all, "kind"),
        Scenes::table(&table)
            .unwrap()
            .with_labels(LabelFiles::of_table(), "kind"),
        Scenes::table(&table)
            .unwrap()
            .with_labels(LabelFiles::column("mask"), "kind"),
    ] {
        let labeled = labeled.unwrap();
        // Classes of all files, in alphabetical order; pixels by the rule of the center (10 x 10, 4 x 5, 10 x 3).
        assert_eq!(labeled.classes().names(), ["background", "house", "road"]);
        assert_eq!(pixels(&labeled, 0), [(0, 1100), (2, 100)]);
        assert_eq!(pixels(&labeled, 1), [(0, 1150), (1, 20), (2, 30)]);
        assert_eq!(pixels(&labeled, 2), [(0, 1200)]);
        let colors: Vec<_> = labeled
            .iter()
            .map(|scene| scene.classes().colors())
            .collect();
        assert!(colors.iter().all(|other| *other == colors[0]) && colors[0][1] != colors[0][2]);
        assert!(labeled.has_labels() && labeled.has_boxes());
        assert_eq!(
            labeled
                .get(1)
                .unwrap()
                .boxes()
                .iter()
                .map(|one| one.class)
                .collect::<Vec<_>>(),
            [1, 2]
        );
    }
    let named = scenes
        .with_classes(
            &labels,
            LabelClass::property("kind"),
            ["road", "house", "tree"],
        )
        .unwrap();
    assert_eq!(
        named.classes().names(),
        ["background", "road", "house", "tree"]
    );
    assert_eq!(pixels(&named, 1), [(0, 1150), (1, 30), (2, 20)]);
}

#[test]
fn scenes_without_a_label_file_are_refused_background_or_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let (images, labels) = labeled(folder.path());
    fs::rename(
        labels.join("tile_1.geojson"),
        labels.join("tile_one.geojson"),
    )
    .unwrap();
    let scenes = Scenes::open(&images).unwrap();
    let error = scenes.with_labels(&labels, "kind").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("1 of 3 scenes have no label file")
            && error.to_string().ends_with(": tile_1"),
        "{error}"
    );
    assert!(
        error.hint().unwrap().contains("tile_one.geojson"),
        "{:?}",
        error.hint()
    );
    let background = scenes
        .with_labels(LabelFiles::new(&labels).missing_as_background(), "kind")
        .unwrap();
    assert_eq!(pixels(&background, 0), [(0, 1200)]);
    assert_eq!(
        background.classes().names(),
        ["background", "house", "road"]
    );
    let report = background.report().to_string();
    assert!(
        report.contains("1 of 3 scenes have no label file and are all background: tile_1"),
        "{report}"
    );
    let skipped = scenes
        .with_labels(LabelFiles::new(&labels).skip_missing(), "kind")
        .unwrap();
    assert_eq!(skipped.names().collect::<Vec<_>>(), ["tile_2", "tile_3"]);
    assert!(
        skipped
            .report()
            .to_string()
            .contains("left out: 1 of 3 scenes have no label file")
    );
    // A pattern that fits nothing is never meant.
    let wrong = LabelFiles::new(labels.join("{stem}.gpkg")).missing_as_background();
    assert!(scenes.with_labels(wrong, "kind").is_err());
    let error = scenes
        .with_labels(labels.join("{stm}.gpkg"), "kind")
        .unwrap_err();
    assert!(
        error.to_string().contains("{stm} is none of {stem}"),
        "{error}"
    );
    fs::write(labels.join("tile_2.json"), "{}").unwrap();
    let error = scenes
        .with_labels(LabelFiles::new(&labels).skip_missing(), "kind")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("the scene tile_2 has 2 label files: tile_2.geojson, tile_2.json"),
        "{error}"
    );
}

#[test]
fn labels_that_lie_elsewhere_or_are_broken_name_their_scenes() {
    let folder = tempfile::tempdir().unwrap();
    let (images, labels) = labeled(folder.path());
    geojson(
        &labels.join("tile_2.geojson"),
        &[("road", &on_tile(900, [0.0, 0.0, 9.0, 9.0]))],
    );
    fs::write(
        labels.join("tile_3.geojson"),
        "{\"type\": \"FeatureCollection\", \"features\": [",
    )
    .unwrap();
    let scenes = Scenes::open(&images).unwrap();
    let error = scenes.with_labels(&labels, "kind").unwrap_err().to_string();
    assert!(
        error.starts_with("2 of 3 scenes cannot be labeled: tile_2 (no label lies on the scene"),
        "{error}"
    );
    let scenes = Scenes::open_with(&images, ScenesOptions::new().skip_broken()).unwrap();
    let labeled = scenes.with_labels(&labels, "kind").unwrap();
    assert_eq!(labeled.len(), 1);
    let report = labeled.report().to_string();
    assert!(
        report.contains("2 of 3 scenes cannot be labeled: tile_2: "),
        "{report}"
    );
}

#[test]
fn label_rasters_and_boxes_are_paired_alike() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("images");
    row_of_tiles(&images, 3, SIZE);
    for number in 1..=3 {
        let path = folder.path().join(format!("masks/tile_{number}.tif"));
        let place = ((number * SIZE.width) as f64, 0.0);
        super::tile(&path, 32, place, SIZE, 1, |_, col, row| {
            u8::from(row == 0 && col < number).into()
        });
    }
    let scenes = Scenes::open(&images).unwrap();
    let masks = scenes
        .with_label_rasters(folder.path().join("masks"), LabelValues::binary("house"))
        .unwrap();
    assert_eq!(pixels(&masks, 2), [(0, 1197), (1, 3)]);
    assert_eq!(masks.classes().names(), ["background", "house"]);
    // One COCO file for all images, told apart by the names of their files.
    let image = |id: usize| {
        format!("{{\"id\": {id}, \"file_name\": \"tile_{id}.tif\", \"width\": 40, \"height\": 30}}")
    };
    let found = |id: usize, image: usize, class: usize| {
        format!(
            "{{\"id\": {id}, \"image_id\": {image}, \"category_id\": {class}, \"bbox\": [1, 2, 10, 5], \"area\": 50}}"
        )
    };
    let coco = folder.path().join("boxes.json");
    let text = format!(
        "{{\"images\": [{}, {}, {}], \"categories\": [{{\"id\": 1, \"name\": \"car\"}}, {{\"id\": 2, \"name\": \"bus\"}}], \
         \"annotations\": [{}, {}]}}",
        image(1),
        image(2),
        image(3),
        found(1, 1, 1),
        found(2, 3, 2)
    );
    fs::write(&coco, text).unwrap();
    let boxes = scenes.with_boxes(&coco, "class").unwrap();
    assert_eq!(boxes.classes().names(), ["background", "bus", "car"]);
    let classes: Vec<Vec<usize>> = boxes
        .iter()
        .map(|scene| scene.boxes().iter().map(|one| one.class).collect())
        .collect();
    assert_eq!(classes, [vec![2], vec![], vec![1]]);
}

/// 10 x 10, 4 x 5 and 10 x 3 pixels of three tiles of 40 x 30.
#[test]
fn class_shares_count_pixels_and_objects_of_every_scene() {
    let folder = tempfile::tempdir().unwrap();
    let (images, labels) = labeled(folder.path());
    let scenes = Scenes::open(images)
        .unwrap()
        .with_labels(labels, "kind")
        .unwrap();
    let shares = scenes.class_shares().unwrap();
    assert_eq!([0, 1, 2].map(|class| shares.pixels(class)), [3450, 20, 130]);
    assert_eq!([0, 1, 2].map(|class| shares.objects(class)), [0, 1, 2]);
    assert_eq!([0, 1, 2].map(|class| shares.scenes_with(class)), [3, 1, 2]);
    assert!((shares.share(2) - 130.0 / 3600.0).abs() < 1e-12);
    // scikit-learn: n_samples / (n_classes * bincount).
    let expected = [
        3600.0 / (3.0 * 3450.0),
        3600.0 / (3.0 * 20.0),
        3600.0 / (3.0 * 130.0),
    ];
    for (found, expected) in shares.balanced_weights().iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12);
    }
    let text = swath::display::Show::output(&shares).text;
    assert!(
        text.contains("tile_2") && text.contains("0.56 % (1)"),
        "{text}"
    );
}

/// A word must not be a property in one file and the class of all features in another.
#[test]
fn files_with_and_without_the_property_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let (images, labels) = labeled(folder.path());
    let path = labels.join("tile_2.geojson");
    let text = fs::read_to_string(&path).unwrap().replace("kind", "klasse");
    fs::write(&path, text).unwrap();
    let scenes = Scenes::open(&images).unwrap();
    let error = scenes.with_labels(&labels, "kind").unwrap_err().to_string();
    assert!(
        error.contains("1 of 3 label files have no property \"kind\"") && error.ends_with("tile_2"),
        "{error}"
    );
    assert!(scenes.with_labels(&labels, LabelClass::one("kind")).is_ok());
}

/// What has no file of boxes keeps the labels of its pixels, and a limit is never made background.
#[test]
fn scenes_without_a_file_of_boxes_keep_their_labels() {
    let folder = tempfile::tempdir().unwrap();
    let (images, labels) = labeled(folder.path());
    let boxes = folder.path().join("boxes");
    fs::create_dir(&boxes).unwrap();
    fs::write(
        boxes.join("tile_1.csv"),
        "xmin,ymin,xmax,ymax,label\n1,2,9,8,car\n",
    )
    .unwrap();
    let scenes = Scenes::open(&images)
        .unwrap()
        .with_labels(&labels, "kind")
        .unwrap();
    let both = scenes
        .with_boxes(LabelFiles::new(&boxes).missing_as_background(), "label")
        .unwrap();
    let labeled: usize = both
        .iter()
        .map(|scene| {
            label_counts(scene)
                .into_iter()
                .filter(|(class, _)| *class > 0)
                .map(|(_, count)| count)
                .sum::<usize>()
        })
        .sum();
    assert_eq!(labeled, 100 + 20 + 30);
    assert_eq!(
        both.iter()
            .map(|scene| scene.boxes().len())
            .collect::<Vec<_>>(),
        [1, 0, 0]
    );
    let areas = LabelFiles::new(folder.path().join("areas_{stem}.gpkg")).missing_as_background();
    assert!(scenes.with_aoi(areas.clone()).is_err() && scenes.labeled_within(areas).is_err());
}

/// `a/1.tif` and `b/1.tif` are both called 1: one file cannot be meant for both.
#[test]
fn scenes_of_one_stem_do_not_share_a_label_file_by_accident() {
    let folder = tempfile::tempdir().unwrap();
    for (number, part) in ["a", "b"].into_iter().enumerate() {
        let path = folder.path().join(part).join("1.tif");
        super::tile(
            &path,
            32,
            ((number * 40) as f64, 0.0),
            SIZE,
            1,
            |_, _, _| 7.0,
        );
        super::tile(
            &folder.path().join(format!("masks/{part}/1.tif")),
            32,
            ((number * 40) as f64, 0.0),
            SIZE,
            1,
            |_, col, _| u8::from(col < 3 + number).into(),
        );
    }
    super::tile(
        &folder.path().join("flat/1.tif"),
        32,
        (0.0, 0.0),
        SIZE,
        1,
        |_, _, _| 0.0,
    );
    let scenes = Scenes::open(format!("{}/?/1.tif", folder.path().display())).unwrap();
    let mask = || LabelValues::binary("x");
    let error = scenes
        .with_label_rasters(folder.path().join("flat"), mask())
        .unwrap_err();
    assert!(
        error.to_string().contains("would be that of 2 scenes")
            && error.hint().unwrap().contains("{parent}"),
        "{error}"
    );
    let pattern = format!("{}/masks/{{parent}}/{{stem}}.tif", folder.path().display());
    let told = scenes.with_label_rasters(pattern, mask()).unwrap();
    assert_eq!(
        (pixels(&told, 0)[1].1, pixels(&told, 1)[1].1),
        (3 * 30, 4 * 30)
    );
}

/// One file for all with a condition: a tile on which nothing fits it is background, as it is alone.
#[test]
fn a_condition_that_holds_nowhere_on_a_tile_makes_it_background() {
    let folder = tempfile::tempdir().unwrap();
    let (images, _) = labeled(folder.path());
    let all = folder.path().join("all.geojson");
    geojson(
        &all,
        &[
            ("house", &on_tile(1, [0.0, 0.0, 4.0, 5.0])),
            ("road", &on_tile(2, [0.0, 0.0, 4.0, 5.0])),
            ("house", &on_tile(3, [30.0, 20.0, 40.0, 30.0])),
        ],
    );
    let source = swath::vector::VectorSource::new(&all).filter("kind = 'house'");
    let scenes = Scenes::open(&images).unwrap();
    let houses = scenes
        .with_labels(source.clone(), LabelClass::one("house"))
        .unwrap();
    let named = scenes
        .with_classes(source, LabelClass::property("kind"), ["house"])
        .unwrap();
    for scenes in [houses, named] {
        assert_eq!(pixels(&scenes, 0), [(0, 1180), (1, 20)]);
        assert_eq!(pixels(&scenes, 1), [(0, 1200)]);
        assert_eq!(pixels(&scenes, 2), [(0, 1100), (1, 100)]);
    }
}

#[test]
fn scenes_with_other_classes_are_united_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (images, labels) = labeled(folder.path());
    let one = |number: usize| {
        let scene = Scene::open(images.join(format!("tile_{number}.tif"))).unwrap();
        scene
            .with_labels(labels.join(format!("tile_{number}.geojson")), "kind")
            .unwrap()
    };
    let (first, second) = (one(1), one(2));
    assert_eq!(first.classes().names(), ["background", "road"]);
    let scenes = Scenes::of([&first, &second]).unwrap();
    assert_eq!(scenes.classes().names(), ["background", "house", "road"]);
    assert_eq!(pixels(&scenes, 0), [(0, 1100), (2, 100)]);
    let roads = scenes.map(|scene| scene.only(["road"])).unwrap();
    assert_eq!(pixels(&roads, 1), [(0, 1170), (1, 30)]);
}
