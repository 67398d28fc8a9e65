use std::fs;
use std::path::Path;

use swath::prelude::*;
use swath::raster::Size;
use swath::{Hint, Result};

const SIZE: Size = Size {
    width: 40,
    height: 30,
};

fn tile(path: &Path) {
    super::tile(path, 32, (0.0, 0.0), SIZE, 1, |_, col, _| col as f32);
}

/// `P1.tif`, `P2.tif` and `P3.tif`.
fn three(folder: &Path) -> Scenes {
    for number in 1..=3 {
        tile(&folder.join(format!("images/P{number}.tif")));
    }
    Scenes::open(folder.join("images")).unwrap()
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// COCO with one box, that of (10, 10) to (20, 20), on each image.
fn coco(names: &[&str]) -> String {
    let images: Vec<String> = (1..)
        .zip(names)
        .map(|(id, name): (usize, _)| format!("{{\"id\": {id}, \"file_name\": \"{name}\"}}"))
        .collect();
    let boxes: Vec<String> = (1..=names.len())
        .map(|id| {
            format!(
                "{{\"id\": {id}, \"image_id\": {id}, \"category_id\": 1, \"bbox\": [{id}, 10, 10, 10], \"area\": 100}}"
            )
        })
        .collect();
    format!(
        "{{\"images\": [{}], \"annotations\": [{}], \"categories\": [{{\"id\": 1, \"name\": \"car\"}}]}}",
        images.join(", "),
        boxes.join(", ")
    )
}

/// The left edges of the boxes of each scene.
fn lefts(scenes: &Scenes) -> Vec<Vec<f64>> {
    let of = |scene: &Scene| scene.boxes().iter().map(|one| one.bounds.x_min).collect();
    scenes.iter().map(of).collect()
}

#[track_caller]
fn refused(result: Result<Scenes>, parts: &[&str], hint: &str) {
    let error = result.map(|_| ()).expect_err("it is refused");
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    let given = error.hint().unwrap_or_default();
    assert!(given.contains(hint), "{hint} is not in: {given}");
}

const TABLE: &str =
    "image_path,xmin,ymin,xmax,ymax,label\nP1.tif,1,10,11,20,car\nP1.tif,2,10,12,20,car\n";

/// DeepForest leaves images without a box out of its tables: what a file does not name is not what it names.
#[test]
fn a_file_of_one_image_is_of_that_scene_alone() {
    let folder = tempfile::tempdir().unwrap();
    let scenes = three(folder.path());
    let write = |name: &str, text: &str| written(folder.path(), name, text);
    let object = "<object><name>car</name><bndbox><xmin>1</xmin><ymin>10</ymin><xmax>11</xmax><ymax>20</ymax></bndbox></object>";
    for file in [
        write("one.csv", TABLE),
        write("one.json", &coco(&["somewhere/P1.jpg"])),
        write(
            "voc.xml",
            &format!("<annotation><filename>P1.tif</filename>{object}</annotation>"),
        ),
        write("P1.txt", "1 10 11 10 11 20 1 20 car 0\n"),
        write("yolo/P1.txt", "0 0.15 0.5 0.25 0.3333\n"),
        write(
            "labelme.json",
            r#"{"imagePath": "P1.tif", "shapes": [{"label": "car", "shape_type": "rectangle", "points": [[1, 10], [11, 20]]}]}"#,
        ),
    ] {
        refused(
            scenes.with_boxes(&file, "class"),
            &["2 of 3 scenes are not named in", "P2, P3", "it names"],
            "missing_as_background",
        );
        let files = LabelFiles::new(&file).missing_as_background();
        let boxed = scenes.with_boxes(files, "class").unwrap();
        let first = lefts(&boxed);
        assert!(
            !first[0].is_empty() && (first[0][0] - 1.0).abs() < 1e-9,
            "{file}"
        );
        assert!(first[1].is_empty() && first[2].is_empty(), "{file}");
        assert!(boxed.iter().all(Scene::has_boxes));
        let told = "2 of 3 scenes are not named in it and are all background: P2, P3";
        assert!(boxed.report().mentions(told), "{}", boxed.report());
        let skipped = scenes
            .with_boxes(LabelFiles::new(&file).skip_missing(), "class")
            .unwrap();
        assert_eq!(skipped.names().collect::<Vec<_>>(), ["P1"]);
        assert!(skipped.report().mentions("2 of 3 scenes are not named"));
    }
    // A file of many images says the same of those that it does not name.
    let two = write("two.json", &coco(&["P3.tif", "P1.tif"]));
    refused(
        scenes.with_boxes(&two, "class"),
        &[
            "1 of 3 scenes are not named in",
            "P2; it names P3.tif, P1.tif",
        ],
        "missing_as_background",
    );
    let two = LabelFiles::new(&two).missing_as_background();
    let boxed = scenes.with_boxes(two, "class").unwrap();
    assert_eq!(lefts(&boxed), [vec![2.0], vec![], vec![1.0]]);
    // All of them cannot be meant.
    let other = LabelFiles::new(write("other.json", &coco(&["Q1.tif"]))).missing_as_background();
    refused(
        scenes.with_boxes(other, "class"),
        &["3 of 3 scenes", "it names Q1.tif"],
        "check that the file is of these scenes",
    );
    // Scenes that cannot be used were to be left out.
    let options = ScenesOptions::new().skip_broken();
    let some = Scenes::open_with(folder.path().join("images"), options).unwrap();
    let some = some.with_boxes(write("one.csv", TABLE), "label").unwrap();
    assert_eq!(some.len(), 1);
    assert!(some.report().mentions("2 of 3 scenes are not named"));
}

#[test]
fn boxes_of_no_image_are_of_one_scene_alone() {
    let folder = tempfile::tempdir().unwrap();
    let scenes = three(folder.path());
    let write = |name: &str, text: &str| written(folder.path(), name, text);
    let nobody = write("nobody.csv", "xmin,ymin,xmax,ymax,label\n1,10,11,20,car\n");
    refused(
        scenes.with_boxes(&nobody, "label"),
        &["nothing says which of 3 scenes the box of", "nobody.csv"],
        "image_path",
    );
    let unnamed = write("unnamed.json", &coco(&["", ""]));
    refused(
        scenes.with_boxes(&unnamed, "class"),
        &["3 of 3 scenes are not named in", "its images have no names"],
        "check that the file",
    );
    // One scene, and parts of one image, are what such a file is of.
    let one = Scene::open(folder.path().join("images/P2.tif")).unwrap();
    assert_eq!(one.with_boxes(&nobody, "label").unwrap().boxes().len(), 1);
    let (left, right) = one.split(Split::columns(0.5));
    let parts = Scenes::of([left, right]).unwrap();
    let boxed = parts.with_boxes(&nobody, "label").unwrap();
    assert_eq!(lefts(&boxed), [vec![1.0], vec![]]);
    // A single scene keeps the boxes of a single image of another name, with a note.
    let table = write("one.csv", TABLE);
    let noted = one.with_boxes(&table, "label").unwrap();
    assert!(noted.report().mentions("check that both belong together"));
    // A table without a row has no boxes for anybody, and says so itself.
    let empty = write("empty.csv", "image_path,xmin,ymin,xmax,ymax,label\n");
    let boxed = scenes.with_boxes(&empty, "label").unwrap();
    assert!(lefts(&boxed).iter().all(Vec::is_empty));
}

/// `a/1.tif` and `b/1.tif` are told apart by their folders, and share no image that has none.
#[test]
fn scenes_of_one_name_do_not_share_boxes() {
    let folder = tempfile::tempdir().unwrap();
    for part in ["a", "b"] {
        tile(&folder.path().join(part).join("1.tif"));
    }
    let write = |name: &str, text: &str| written(folder.path(), name, text);
    let scenes = Scenes::open(format!("{}/?/1.tif", folder.path().display())).unwrap();
    for file in [
        write("flat.json", &coco(&["1.jpg", "2.jpg"])),
        write(
            "flat.csv",
            "image,xmin,ymin,xmax,ymax,label\n1,1,10,11,20,car\n2,1,10,11,20,car\n",
        ),
        write("one.json", &coco(&["1.tif"])),
    ] {
        refused(
            scenes.with_boxes(LabelFiles::new(&file).missing_as_background(), "class"),
            &["would be those of 2 scenes of different files", "a/1, b/1"],
            "a/1.png",
        );
    }
    let told = write("told.json", &coco(&["b/1.png", "data/a/1.png"]));
    let boxed = scenes.with_boxes(&told, "class").unwrap();
    assert_eq!(lefts(&boxed), [vec![2.0], vec![1.0]]);
    let table =
        "image_path,xmin,ymin,xmax,ymax,label\na/1.tif,3,10,13,20,car\nb\\1.tif,4,10,14,20,car\n";
    let boxed = scenes
        .with_boxes(write("told.csv", table), "label")
        .unwrap();
    assert_eq!(lefts(&boxed), [vec![3.0], vec![4.0]]);
    // So is a scene by itself.
    let one = Scene::open(folder.path().join("a/1.tif")).unwrap();
    let one = one.with_boxes(&told, "class").unwrap();
    assert!((one.boxes()[0].bounds.x_min - 2.0).abs() < 1e-9);
    let error = one
        .with_boxes(write("c.json", &coco(&["c/1.png", "d/1.png"])), "class")
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("several images called \"1.tif\""),
        "{error}"
    );
    // One of them alone is named.
    refused(
        scenes.with_boxes(write("b.json", &coco(&["b/1.png", "2.png"])), "class"),
        &["1 of 2 scenes are not named in", ": a/1; it names"],
        "missing_as_background",
    );
}

/// macOS takes the two dots off the letter (NFD), COCO's writer does not (NFC); Unicode Standard Annex 15 has them equal.
#[test]
fn names_are_the_same_in_both_forms_of_unicode() {
    let folder = tempfile::tempdir().unwrap();
    let (apart, together) = ("u\u{308}bung", "\u{fc}bung");
    for name in [apart, "P1"] {
        tile(&folder.path().join(format!("images/{name}.tif")));
    }
    let scenes = Scenes::open(folder.path().join("images")).unwrap();
    let write = |name: &str, text: &str| written(folder.path(), name, text);
    let all = write(
        "all.json",
        &coco(&["P1.tif", &format!("{together}.tif"), "P2.tif"]),
    );
    let boxed = scenes.with_boxes(&all, "class").unwrap();
    let mut found = lefts(&boxed);
    found.sort_by(|a, b| a[0].total_cmp(&b[0]));
    assert_eq!(found, [vec![1.0], vec![2.0]]);
    let one = Scene::open(folder.path().join(format!("images/{apart}.tif"))).unwrap();
    let one = one.with_boxes(&all, "class").unwrap();
    assert!((one.boxes()[0].bounds.x_min - 2.0).abs() < 1e-9);
    assert!(one.report().is_empty(), "{}", one.report());
    // A file for each scene, by folder and by pattern.
    for name in [together, "P1"] {
        let table = "xmin,ymin,xmax,ymax,label\n3,10,13,20,car\n";
        write(&format!("tables/{name}.csv"), table);
    }
    let tables = folder.path().join("tables");
    for place in [
        tables.display().to_string(),
        format!("{}/{{stem}}.csv", tables.display()),
    ] {
        let boxed = scenes.with_boxes(&place, "label").unwrap();
        assert_eq!(lefts(&boxed), [vec![3.0], vec![3.0]], "{place}");
    }
}
