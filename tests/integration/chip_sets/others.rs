//! Data sets of other programs whose labels or images are not all where one expects them.

use std::fs;
use std::path::Path;

use swath::prelude::*;
use swath::raster::Size;
use swath::{Hint, Result};

use super::{mask, picture, quiet};

const SIZE: Size = Size {
    width: 40,
    height: 30,
};

fn image(root: &Path, name: &str) {
    picture(&root.join(name), SIZE, |_, _| 3);
}

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn boxes(set: &ChipSet) -> Vec<(String, usize)> {
    let names = set.scenes().names().map(str::to_owned);
    let counts = set.scenes().iter().map(|scene| scene.boxes().len());
    names.zip(counts).collect()
}

#[track_caller]
fn refused(result: Result<ChipSet>, parts: &[&str], hint: &str) {
    let error = result.map(|_| ()).expect_err("it is refused");
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    let given = error.hint().unwrap_or_default();
    assert!(given.contains(hint), "{hint} is not in: {given}");
}

/// The names of Ultralytics and of labelImg contradict each other: docs/guide/detection.md has an error for that.
#[test]
fn two_files_that_name_the_classes_of_a_set_differently_are_an_error() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (split, name, class) in [("train", "a", 1), ("val", "b", 0)] {
        image(root, &format!("images/{split}/{name}.png"));
        let text = format!("{class} 0.5 0.5 0.25 0.5\n");
        write(root, &format!("labels/{split}/{name}.txt"), &text);
    }
    write(root, "data.yaml", "names: ['car', \"tree\"]\n");
    write(root, "labels/classes.txt", "auto\nbaum\n");
    for folder in [
        ChipFolder::new(root),
        ChipFolder::new(root).skip_missing(),
        ChipFolder::new(root).skip_broken(),
    ] {
        refused(
            ChipSet::open(folder),
            &["class number 1", "\"baum\" in ", "\"tree\" in "],
            "out of date",
        );
    }
    write(root, "labels/classes.txt", "car\ntree\n");
    write(root, "labels/train/extra.txt", "0 .5 .5 .1 .1\n");
    let set = ChipSet::open(root)?;
    assert_eq!(set.classes().names(), ["background", "car", "tree"]);
    let told = "1 of 2 label files have no image of their name, such as extra.txt";
    assert!(set.report().mentions(told), "{}", set.report());
    // A number between two that have names is no class of its own.
    write(root, "data.yaml", "names: {0: car, 2: tree}\n");
    fs::remove_file(root.join("labels/classes.txt")).unwrap();
    write(
        root,
        "labels/train/a.txt",
        "1 0.5 0.5 0.25 0.5\n2 0.5 0.5 0.25 0.5\n",
    );
    let set = ChipSet::open(root)?;
    assert_eq!(set.classes().names(), ["background", "car", "tree"]);
    let train = set.split("train")?;
    let report = train.scenes().get(0).unwrap().report();
    assert_eq!(boxes(&train)[0].1, 1);
    assert!(
        report.mentions("of a class number without a name: 1 of 2"),
        "{report}"
    );
    Ok(())
}

/// Images deeper than the others would be missing in a training without a word.
#[test]
fn images_of_other_depths_are_an_error_and_others_are_told() -> Result<()> {
    let labeled = |root: &Path, place: &str, name: &str| {
        image(root, &format!("{place}/images/{name}.png"));
        mask(
            &root.join(format!("{place}/masks/{name}.png")),
            SIZE,
            |_, _| 1,
        );
    };
    let values = |root: &Path| ChipFolder::new(root).values(Classes::new(["road"]));
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for name in ["a", "b"] {
        labeled(root, "train", name);
    }
    labeled(root, "val/r1", "c");
    refused(
        ChipSet::open(values(root)),
        &[
            "1 images in folders of another depth",
            "val/r1/images (1)",
            "2 images lie",
        ],
        "val/r1",
    );
    fs::rename(root.join("val/r1/images"), root.join("val/images")).unwrap();
    fs::rename(root.join("val/r1/masks"), root.join("val/masks")).unwrap();
    let set = ChipSet::open(values(root))?;
    assert_eq!((set.len(), set.split("val")?.len()), (3, 1));
    assert!(set.report().is_empty(), "{}", set.report());
    // Within the folders of a split.
    image(root, "train/images/more/d.png");
    refused(
        ChipSet::open(values(root)),
        &["train/images/more (1)"],
        "move",
    );
    fs::remove_dir_all(root.join("train/images/more")).unwrap();
    // What is called otherwise may be anything.
    image(root, "previews/a.png");
    let set = ChipSet::open(values(root))?;
    assert_eq!(set.len(), 3);
    assert!(set.report().mentions("previews (1)"), "{}", set.report());

    let folder = tempfile::tempdir().unwrap();
    labeled(folder.path(), "a/train", "x");
    labeled(folder.path(), "b", "y");
    refused(
        ChipSet::open(values(folder.path())),
        &["a/train/images (1)"],
        "a/train",
    );
    Ok(())
}

fn voc(name: &str, class: &str) -> String {
    format!(
        "<annotation><filename>{name}.png</filename><size><width>40</width><height>30</height></size><object><name>{class}</name>\
         <bndbox><xmin>1</xmin><ymin>2</ymin><xmax>11</xmax><ymax>12</ymax></bndbox></object></annotation>"
    )
}

/// VOCdevkit's folders; torchvision's `VOCDetection` takes the images of a split from `ImageSets/Main/SPLIT.txt`.
#[test]
fn pascal_voc_has_boxes_and_lists_of_splits() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (name, class) in [
        ("a", "tree"),
        ("b", "car"),
        ("c", "car"),
        ("u\u{308}", "tree"),
    ] {
        image(root, &format!("JPEGImages/{name}.png"));
        write(root, &format!("Annotations/{name}.xml"), &voc(name, class));
    }
    let set = ChipSet::open(root)?;
    assert_eq!(set.classes().names(), ["background", "car", "tree"]);
    assert_eq!(set.len(), 4);
    let first = set.scenes().get(0).unwrap().boxes()[0];
    assert_eq!(
        (first.class, first.bounds),
        (2, BoundingBox::new(1.0, 2.0, 11.0, 12.0))
    );
    assert!(
        set.splits().is_empty() && set.report().is_empty(),
        "{}",
        set.report()
    );
    write(root, "ImageSets/Main/train.txt", "a\n\u{fc}\ngone\n");
    write(root, "ImageSets/Main/val.txt", "b 1\n");
    write(root, "ImageSets/Main/trainval.txt", "a\nb\n\u{fc}\ngone\n");
    write(root, "ImageSets/Main/car_train.txt", "a -1\nb 1\n");
    let set = ChipSet::open(root)?;
    assert_eq!(set.splits(), ["train", "val"]);
    let names = |split: &str| set.split(split).map(|part| boxes(&part));
    let one = |name: &str| (name.to_owned(), 1);
    assert_eq!(names("train")?, [one("a"), one("u\u{308}")]);
    assert_eq!(names("val")?, [one("b")]);
    assert_eq!(set.len(), 4);
    let report = set.report();
    assert!(
        report.mentions("1 of 4 images are in none of the lists"),
        "{report}"
    );
    assert!(
        report.mentions("1 of 4 images that the lists name are not there, such as gone"),
        "{report}"
    );
    // What has no file is told as for YOLO, and what cannot be read by name.
    fs::remove_file(root.join("Annotations/b.xml")).unwrap();
    refused(
        ChipSet::open(root),
        &["1 of 1 chips have no label file, such as b.png"],
        "missing_as_background",
    );
    write(root, "Annotations/b.xml", "<annotation><object>");
    refused(ChipSet::open(root), &["b.xml"], "skip_broken");
    write(
        root,
        "Annotations/b.xml",
        &voc("b", "car").replace(">40<", ">64<"),
    );
    refused(ChipSet::open(root), &["64 x 30"], "");
    Ok(())
}

/// Labels that are not read are told, whatever their folder is called.
#[test]
fn files_that_may_be_labels_are_told_when_they_are_not_read() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    image(root, "images/a.png");
    image(root, "images/b.png");
    for name in ["a", "b"] {
        write(
            root,
            &format!("labelTxt/{name}.txt"),
            "1 1 5 1 5 5 1 5 ship 0\n",
        );
    }
    let set = ChipSet::open(root)?;
    let told = "2 files that may be labels are not read: labelTxt/*.txt (2)";
    assert!(set.report().mentions(told), "{}", set.report());
    fs::remove_dir_all(root.join("labelTxt")).unwrap();
    write(
        root,
        "annotations.csv",
        "image_path,xmin,ymin,xmax,ymax,label\n",
    );
    write(root, "annotations/all.xml", "<annotations></annotations>");
    write(root, "annotations/readme.txt", "no labels");
    let set = ChipSet::open(root)?;
    let told = "2 files that may be labels are not read: *.csv (1), annotations/*.xml (1)";
    assert!(set.report().mentions(told), "{}", set.report());
    Ok(())
}

/// One list for two splits with an image of one name: whose boxes they are, nobody knows.
#[test]
fn an_entry_of_coco_is_of_one_chip() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for split in ["train", "val"] {
        image(root, &format!("images/{split}/1.png"));
    }
    let coco = |names: &[&str]| {
        let images: Vec<serde_json::Value> = (1..)
            .zip(names)
            .map(|(id, name): (u32, _)| serde_json::json!({"id": id, "file_name": name}))
            .collect();
        serde_json::json!({
            "images": images,
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "area": 12}],
            "categories": [{"id": 1, "name": "car"}],
        })
        .to_string()
    };
    write(root, "annotations/instances.json", &coco(&["1.jpg"]));
    refused(
        ChipSet::open(ChipFolder::new(root).missing_as_background()),
        &["\"1.jpg\"", "2 chips"],
        "file_name",
    );
    write(
        root,
        "annotations/instances.json",
        &coco(&["val/1.png", "images/train/1.png"]),
    );
    let set = ChipSet::open(root)?;
    assert_eq!(boxes(&set.split("train")?)[0].1, 0);
    assert_eq!(boxes(&set.split("val")?)[0].1, 1);
    Ok(())
}

/// YOLO has no crowds, and PNG no mask where nothing is labeled by pixels.
#[test]
fn what_yolo_and_png_do_not_hold_is_told() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    image(root, "a.png");
    write(
        root,
        "a.json",
        r#"{"images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 1, "name": "car"}], "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 10, 10], "iscrowd": 1, "area": 100},
        {"id": 2, "image_id": 1, "category_id": 1, "bbox": [15, 2, 10, 10], "iscrowd": 0, "area": 100}]}"#,
    );
    let scene = Scene::open(root.join("a.png"))?.with_boxes(root.join("a.json"), "class")?;
    let chips = scene.chips(Chips::sliding(32).padded())?;
    let saved = chips.save_with(root.join("set"), quiet().yolo(true).png())?;
    let report = saved.report();
    assert!(
        report.mentions("crowds that YOLO's files hold as objects like the others: 1 in 1 of"),
        "{report}"
    );
    assert!(report.mentions("invalid pixels"), "{report}");
    let masks = root.join("set/masks").is_dir();
    assert_eq!(report.mentions("masks have 255 there"), masks, "{report}");
    let saved = chips.save_with(root.join("coco"), quiet())?;
    assert!(!saved.report().mentions("crowds"), "{}", saved.report());
    Ok(())
}
