use std::fs;
use std::io::Write as _;
use std::path::Path;

use swath::chips::ChipSetError;
use swath::prelude::*;
use swath::raster::Size;
use swath::{Error, Hint, Result};

use super::{mask, picture};

const SIZE: Size = Size {
    width: 32,
    height: 32,
};

/// Image `number` is of one value, its mask has a stripe of as many columns of class 1.
fn pair(root: &Path, image: &str, label: &str, number: u8) {
    picture(&root.join(image), SIZE, |_, _| 10 + number);
    mask(&root.join(label), SIZE, |col, _| {
        u8::from(col < usize::from(number))
    });
}

fn classes() -> Classes {
    Classes::new(["road"])
}

/// Each chip's labels are those of its own mask.
fn assert_stripes(set: &ChipSet, numbers: &[u8]) -> Result<()> {
    let chips = set.chips()?;
    assert_eq!(chips.len(), numbers.len());
    for (index, &number) in numbers.iter().enumerate() {
        let chip = chips.get(index)?;
        assert_eq!(chip.patch.data[0], f32::from(10 + number));
        let road = chip.labels.iter().filter(|&&label| label == 1).count();
        assert_eq!(road, usize::from(number) * 32, "chip {index}");
    }
    Ok(())
}

#[test]
fn images_and_masks_of_equal_stems() -> Result<()> {
    for (images, masks, behind) in [
        ("images", "masks", ""),
        ("image", "label", ""),
        ("img", "labels", ""),
        ("Images", "gt", ""),
        ("JPEGImages", "SegmentationClass", ""),
        ("images", "masks", "_mask"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        for number in [1, 2, 10] {
            pair(
                folder.path(),
                &format!("{images}/t_{number}.png"),
                &format!("{masks}/t_{number}{behind}.png"),
                number,
            );
        }
        let set = ChipSet::open(ChipFolder::new(folder.path()).values(classes()))?;
        assert_eq!(set.splits(), Vec::<String>::new());
        assert_stripes(&set, &[1, 2, 10])?;
    }
    Ok(())
}

#[test]
fn folders_of_splits_above_and_below() -> Result<()> {
    for place in [
        |split: &str, kind: &str| format!("{kind}/{split}"),
        |split: &str, kind: &str| format!("{split}/{kind}"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        for (split, number) in [("train", 1), ("train", 2), ("val", 3), ("test", 4)] {
            let file = |kind: &str| format!("{}/{number}.png", place(split, kind));
            pair(folder.path(), &file("images"), &file("masks"), number);
        }
        let set = ChipSet::open(ChipFolder::new(folder.path()).values(classes()))?;
        assert_eq!(set.len(), 4);
        assert_stripes(&set.split("train")?, &[1, 2])?;
        assert_stripes(&set.split("valid")?, &[3])?;
        assert_stripes(&set.split("test")?, &[4])?;
    }
    Ok(())
}

#[test]
fn masks_that_are_missing_odd_or_too_many_are_told() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for number in 1..=4 {
        pair(
            root,
            &format!("images/{number}.png"),
            &format!("masks/{number}.png"),
            number,
        );
    }
    let with = || ChipFolder::new(root).values(classes());
    let error = ChipSet::open(root).unwrap_err();
    assert!(
        matches!(
            error,
            Error::ChipSet(ChipSetError::NoClasses { masks: 4, .. })
        ),
        "{error}"
    );
    assert!(error.hint().unwrap().contains(".values("));

    // One mask is missing, another has no image.
    fs::rename(root.join("masks/2.png"), root.join("masks/other.png")).unwrap();
    let error = ChipSet::open(with()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("1 of 4 chips have no mask, such as 2.png"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("skip_missing"));
    let skipped = ChipSet::open(with().skip_missing())?;
    assert_stripes(&skipped, &[1, 3, 4])?;
    assert!(
        skipped
            .report()
            .mentions("1 of 4 masks have no image of their name, such as other.png"),
        "{}",
        skipped.report()
    );
    let background = ChipSet::open(with().missing_as_background())?;
    assert!(
        background
            .chips()?
            .get(1)?
            .labels
            .iter()
            .all(|&label| label == 0)
    );
    assert!(
        background
            .report()
            .mentions("1 of 4 chips have no mask and hold nothing")
    );
    fs::rename(root.join("masks/other.png"), root.join("masks/2.png")).unwrap();

    // Of another size; a value beyond the classes; no image at all.
    mask(&root.join("masks/2.png"), Size::new(16, 16), |_, _| 0);
    mask(&root.join("masks/3.png"), SIZE, |col, _| {
        if col == 0 { 9 } else { 0 }
    });
    fs::write(root.join("images/4.png"), "no image").unwrap();
    let opened = |path: &Path| ChipFolder::new(path).values(classes());
    let error = ChipSet::open(opened(root)).unwrap_err().to_string();
    assert!(error.contains("4 (") || error.contains("4.png"), "{error}");
    pair(root, "images/4.png", "masks/4.png", 4);
    let error = ChipSet::open(opened(root)).unwrap_err().to_string();
    assert!(
        error.contains("2 of 4 scenes cannot be labeled")
            && error.contains("16")
            && error.contains('9'),
        "{error}"
    );
    fs::write(root.join("images/4.png"), "no image").unwrap();
    let set = ChipSet::open(opened(root).skip_broken())?;
    assert_stripes(&set, &[1])?;
    let report = set.report();
    assert!(
        report.mentions("1 of 4 scenes cannot be opened")
            && report.mentions("2 of 3 scenes cannot be labeled"),
        "{report}"
    );
    Ok(())
}

#[test]
fn two_files_of_one_chip_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    pair(folder.path(), "images/a.png", "masks/a.png", 1);
    picture(&folder.path().join("images/a.webp"), SIZE, |_, _| 0);
    let error = ChipSet::open(ChipFolder::new(folder.path()).values(classes())).unwrap_err();
    assert!(
        matches!(error, Error::ChipSet(ChipSetError::Twice { .. })),
        "{error}"
    );
}

#[test]
fn what_is_no_set_says_what_one_looks_like() {
    let folder = tempfile::tempdir().unwrap();
    let error = ChipSet::open(folder.path()).unwrap_err();
    assert!(
        matches!(&error, Error::ChipSet(ChipSetError::NoChips { .. })),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("`images/`"));
    fs::create_dir_all(folder.path().join("photos")).unwrap();
    let error = ChipSet::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("photos"), "{error}");
    assert!(ChipSet::open(folder.path().join("nowhere")).is_err());
    let text = folder.path().join("a.zip");
    fs::write(&text, "no archive").unwrap();
    assert!(
        ChipSet::open(&text)
            .unwrap_err()
            .to_string()
            .contains("no archive that can be read")
    );
}

#[test]
fn chips_of_several_sizes_need_one_to_cut() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    pair(folder.path(), "images/a.png", "masks/a.png", 1);
    picture(
        &folder.path().join("images/b.png"),
        Size::new(48, 40),
        |_, _| 0,
    );
    mask(
        &folder.path().join("masks/b.png"),
        Size::new(48, 40),
        |_, _| 1,
    );
    let set = ChipSet::open(ChipFolder::new(folder.path()).values(classes()))?;
    let error = set.chips().unwrap_err();
    assert!(
        error
            .to_string()
            .contains("1 of 32 x 32 px, 1 of 48 x 40 px"),
        "{error}"
    );
    assert_eq!(
        set.scenes().chips(Chips::random(6, 32))?.get(0)?.patch.size,
        SIZE
    );
    Ok(())
}

/// Files of Raster Vision 0.31's writers: `SPLIT/img/SCENE-INDEX.png`, `SPLIT/labels/SCENE-INDEX.png`.
#[test]
fn archives_of_raster_vision_are_read_where_they_are() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    for (split, number) in [("train", 1), ("train", 2), ("valid", 3)] {
        let file = |kind: &str| format!("{split}/{kind}/scene-{number}.png");
        pair(&source, &file("img"), &file("labels"), number);
    }
    let zipped = |name: &str, strip: &str, keep: &dyn Fn(&str) -> bool| {
        let path = folder.path().join("chips").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut zip = zip::ZipWriter::new(fs::File::create(&path).unwrap());
        for (split, number) in [("train", 1), ("train", 2), ("valid", 3)] {
            for kind in ["img", "labels"] {
                let entry = format!("{split}/{kind}/scene-{number}.png");
                if keep(&entry) {
                    let options = zip::write::SimpleFileOptions::default();
                    zip.start_file(entry.trim_start_matches(strip), options)
                        .unwrap();
                    zip.write_all(&fs::read(source.join(&entry)).unwrap())
                        .unwrap();
                }
            }
        }
        zip.finish().unwrap();
        path
    };
    let one = zipped("0f5a.zip", "", &|_| true);
    for path in [one.as_path(), one.parent().unwrap(), source.as_path()] {
        let set = ChipSet::open(ChipFolder::new(path).values(classes()))?;
        assert_stripes(&set.split("train")?, &[1, 2])?;
        assert_stripes(&set.split("val")?, &[3])?;
    }
    // Several archives, each of one split, which its name says.
    fs::remove_file(&one).unwrap();
    zipped("train-1a.zip", "train/", &|entry| entry.contains("scene-1"));
    zipped("train-2b.zip", "train/", &|entry| entry.contains("scene-2"));
    zipped("valid-3c.zip", "valid/", &|entry| entry.contains("scene-3"));
    let set = ChipSet::open(ChipFolder::new(one.parent().unwrap()).values(classes()))?;
    assert_stripes(&set.split("train")?, &[1, 2])?;
    assert_stripes(&set.split("valid")?, &[3])?;
    Ok(())
}

/// `train/labels.json` in COCO's form, with ids that are texts, as Raster Vision writes it.
#[test]
fn boxes_of_raster_vision_are_read_from_its_archive() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chips.zip");
    let mut zip = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    let image = folder.path().join("a.png");
    picture(&image, SIZE, |_, _| 9);
    for name in ["s-0", "s-1"] {
        zip.start_file(format!("train/img/{name}.png"), options)
            .unwrap();
        zip.write_all(&fs::read(&image).unwrap()).unwrap();
    }
    zip.start_file("train/labels.json", options).unwrap();
    let coco = r#"{"images": [{"file_name": "s-0.png", "id": 0, "height": 32, "width": 32},
        {"file_name": "s-1.png", "id": 1, "height": 32, "width": 32}],
        "annotations": [{"id": "1-0", "image_id": 1, "bbox": [4, 6, 10, 12], "category_id": 1}],
        "categories": [{"id": 0, "name": "car"}, {"id": 1, "name": "bus"}]}"#;
    zip.write_all(coco.as_bytes()).unwrap();
    zip.finish().unwrap();
    let set = ChipSet::open(&path)?.split("train")?;
    assert_eq!(set.classes().names(), ["background", "car", "bus"]);
    let chips = set.chips()?;
    assert!(chips.get(0)?.boxes.is_empty());
    let boxes = chips.get(1)?.boxes;
    assert_eq!(
        (boxes[0].class, boxes[0].bounds),
        (2, BoundingBox::new(4.0, 6.0, 14.0, 18.0))
    );
    Ok(())
}

/// Ultralytics' layout: names by number from 0, an image without a file holds nothing.
#[test]
fn yolo_sets_with_their_names() -> Result<()> {
    for place in [
        |split: &str, kind: &str| format!("{kind}/{split}"),
        |split: &str, kind: &str| format!("{split}/{kind}"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(
            root.join("data.yaml"),
            "path: .\ntrain: x\nnames:\n  0: car\n  1: bus\n",
        )
        .unwrap();
        for (split, name, text) in [
            ("train", "a", Some("1 0.5 0.5 0.25 0.5\n")),
            ("train", "b", None),
            (
                "val",
                "c",
                Some("0 0.25 0.25 0.5 0.5\n1 0.75 0.75 0.25 0.25\n"),
            ),
        ] {
            picture(
                &root
                    .join(place(split, "images"))
                    .join(format!("{name}.png")),
                SIZE,
                |_, _| 3,
            );
            let labels = root.join(place(split, "labels"));
            fs::create_dir_all(&labels).unwrap();
            if let Some(text) = text {
                fs::write(labels.join(format!("{name}.txt")), text).unwrap();
            }
        }
        let error = ChipSet::open(root).unwrap_err().to_string();
        assert!(
            error.contains("1 of 2 chips have no label file, such as b.png"),
            "{error}"
        );
        let set = ChipSet::open(ChipFolder::new(root).missing_as_background())?;
        assert_eq!(set.classes().names(), ["background", "car", "bus"]);
        let train = set.split("train")?.chips()?;
        let boxes = train.get(0)?.boxes;
        assert_eq!(
            (boxes[0].class, boxes[0].bounds),
            (2, BoundingBox::new(12.0, 8.0, 20.0, 24.0))
        );
        assert!(train.get(1)?.boxes.is_empty());
        assert_eq!(set.split("val")?.chips()?.get(0)?.boxes.len(), 2);
        // A number beyond the names is an error that says where.
        fs::write(
            root.join(place("train", "labels")).join("a.txt"),
            "7 0.5 0.5 0.25 0.5\n",
        )
        .unwrap();
        let error = ChipSet::open(ChipFolder::new(root).missing_as_background())
            .unwrap_err()
            .to_string();
        assert!(error.contains('7'), "{error}");
    }
    Ok(())
}

/// COCO's layout: `annotations/instances_train2017.json` with `train2017/`; and one file beside one folder of images.
#[test]
fn coco_sets_with_their_annotations() -> Result<()> {
    let coco = |names: &[&str], boxes: &[(usize, [f64; 4])]| {
        let images = names.iter().enumerate().map(|(id, name)| {
            serde_json::json!({"id": id, "file_name": format!("{name}.png"), "width": 32, "height": 32})
        });
        let annotations = boxes.iter().enumerate().map(|(id, (image, bounds))| {
            serde_json::json!({"id": id, "image_id": image, "category_id": 3, "bbox": bounds, "area": 1.0, "iscrowd": 0})
        });
        serde_json::json!({
            "images": images.collect::<Vec<_>>(),
            "annotations": annotations.collect::<Vec<_>>(),
            "categories": [{"id": 3, "name": "tree"}],
        })
        .to_string()
    };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir_all(root.join("annotations")).unwrap();
    for (split, name) in [("train2017", "a"), ("train2017", "b"), ("val2017", "c")] {
        picture(
            &root.join(split).join(format!("{name}.png")),
            SIZE,
            |_, _| 3,
        );
    }
    fs::write(
        root.join("annotations/instances_train2017.json"),
        coco(&["a", "b"], &[(1, [1.0, 2.0, 3.0, 4.0])]),
    )
    .unwrap();
    fs::write(
        root.join("annotations/instances_val2017.json"),
        coco(&["c"], &[(0, [5.0, 5.0, 8.0, 8.0])]),
    )
    .unwrap();
    let set = ChipSet::open(root)?;
    assert_eq!(set.splits(), ["train2017", "val2017"]);
    let train = set.split("train2017")?.chips()?;
    assert!(train.get(0)?.boxes.is_empty());
    assert_eq!(
        train.get(1)?.boxes[0].bounds,
        BoundingBox::new(1.0, 2.0, 4.0, 6.0)
    );
    assert_eq!(set.split("val2017")?.chips()?.get(0)?.boxes.len(), 1);

    // One folder; an image that the file does not list.
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for name in ["a", "b"] {
        picture(
            &root.join("images").join(format!("{name}.png")),
            SIZE,
            |_, _| 3,
        );
    }
    fs::write(
        root.join("labels.json"),
        coco(&["b"], &[(0, [1.0, 2.0, 3.0, 4.0])]),
    )
    .unwrap();
    let error = ChipSet::open(root).unwrap_err().to_string();
    assert!(
        error.contains("1 of 2 chips have no entry in the COCO file, such as a"),
        "{error}"
    );
    assert_eq!(
        ChipSet::open(ChipFolder::new(root).skip_missing())?.len(),
        1
    );
    let all = ChipSet::open(ChipFolder::new(root).missing_as_background())?;
    assert!(all.chips()?.get(0)?.boxes.is_empty() && all.chips()?.get(1)?.boxes.len() == 1);
    // Boxes of an image of another size.
    fs::write(
        root.join("labels.json"),
        coco(&["a", "b"], &[(0, [1.0, 2.0, 3.0, 4.0])]).replace("\"width\":32", "\"width\":64"),
    )
    .unwrap();
    let error = ChipSet::open(root).unwrap_err().to_string();
    assert!(error.contains("64 x 32"), "{error}");
    Ok(())
}

/// Of images that cannot be used and images that no list holds, the others stay: each is judged by its own file.
#[test]
fn what_is_broken_and_what_is_missing_do_not_shift_each_other() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for name in ["a", "b", "c", "d"] {
        picture(&root.join(format!("images/{name}.png")), SIZE, |_, _| 3);
    }
    // `a` is of another size, `b` is not listed.
    let coco = r#"{"images": [{"file_name": "a.png", "id": 0, "height": 99, "width": 99},
        {"file_name": "c.png", "id": 1, "height": 32, "width": 32},
        {"file_name": "d.png", "id": 2, "height": 32, "width": 32}],
        "annotations": [{"id": 1, "image_id": 1, "bbox": [4, 6, 10, 12], "category_id": 1},
        {"id": 2, "image_id": 2, "bbox": [1, 1, 2, 2], "category_id": 1}],
        "categories": [{"id": 1, "name": "car"}]}"#;
    fs::write(root.join("labels.json"), coco).unwrap();
    let set = ChipSet::open(ChipFolder::new(root).skip_broken().skip_missing())?;
    assert_eq!(set.scenes().names().collect::<Vec<_>>(), ["c", "d"]);
    let chips = set.chips()?;
    assert_eq!(
        chips.get(0)?.boxes[0].bounds,
        BoundingBox::new(4.0, 6.0, 14.0, 18.0)
    );
    assert!(set.report().mentions("such as b"), "{}", set.report());
    Ok(())
}

/// A number of a class is a number, however large.
#[test]
fn large_numbers_of_yolo_are_one_class_each() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    picture(&root.join("images/a.png"), SIZE, |_, _| 3);
    fs::create_dir_all(root.join("labels")).unwrap();
    fs::write(
        root.join("labels/a.txt"),
        "999999999 0.5 0.5 0.25 0.5\n2 0.25 0.25 0.5 0.5\n",
    )
    .unwrap();
    let set = ChipSet::open(root)?;
    assert_eq!(set.classes().names(), ["background", "2", "999999999"]);
    assert_eq!(set.chips()?.get(0)?.boxes.len(), 2);
    Ok(())
}

/// An annotation file that is cut off is an error where nothing else labels the images, and told where something does.
#[test]
fn annotations_that_cannot_be_parsed_are_told() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    picture(&root.join("images/1.png"), SIZE, |_, _| 11);
    fs::write(root.join("labels.json"), "{\"images\": [{\"id\": 1,").unwrap();
    let error = ChipSet::open(root).unwrap_err().to_string();
    assert!(error.contains("labels.json"), "{error}");
    pair(root, "images/1.png", "masks/1.png", 1);
    let set = ChipSet::open(ChipFolder::new(root).values(classes()))?;
    assert_stripes(&set, &[1])?;
    assert!(set.report().mentions("labels.json"), "{}", set.report());
    // JSON of another kind is nobody's annotations.
    fs::write(root.join("labels.json"), "{\"author\": \"me\"}").unwrap();
    let set = ChipSet::open(ChipFolder::new(root).values(classes()))?;
    assert!(!set.report().mentions("labels.json"), "{}", set.report());
    Ok(())
}

/// Puts files into an archive under these names.
fn zipped(path: &Path, entries: &[(&str, Vec<u8>)]) {
    let mut zip = zip::ZipWriter::new(fs::File::create(path).unwrap());
    for (name, bytes) in entries {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

/// Archives have the rules of folders: two files of a chip are an error, `_mask` may stand behind, masks without an image are
/// told.
#[test]
fn archives_have_the_rules_of_folders() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    pair(root, "a.png", "a_mask.png", 1);
    let bytes = |name: &str| fs::read(root.join(name)).unwrap();
    let (image, label) = (bytes("a.png"), bytes("a_mask.png"));
    let path = root.join("chips.zip");
    zipped(
        &path,
        &[
            ("train/img/a.png", image.clone()),
            ("train/img/a.jpg", image.clone()),
            ("train/labels/a.png", label.clone()),
        ],
    );
    let error = ChipSet::open(ChipFolder::new(&path).values(classes())).unwrap_err();
    assert!(
        matches!(error, Error::ChipSet(ChipSetError::Twice { .. })),
        "{error}"
    );
    zipped(
        &path,
        &[
            ("train/img/a.png", image),
            ("train/labels/a_mask.png", label.clone()),
            ("train/labels/b.png", label),
        ],
    );
    let set = ChipSet::open(ChipFolder::new(&path).values(classes()))?;
    assert_stripes(&set, &[1])?;
    assert!(
        set.report()
            .mentions("1 of 2 masks have no image of their name, such as b.png"),
        "{}",
        set.report()
    );
    // A list that cannot be parsed is named as it lies in the archive.
    let image = bytes("a.png");
    zipped(
        &path,
        &[
            ("train/img/a.png", image),
            ("train/labels.json", b"{\"images\":".to_vec()),
        ],
    );
    let error = ChipSet::open(&path).unwrap_err().to_string();
    assert!(
        error.contains("chips.zip") && error.contains("train/labels.json"),
        "{error}"
    );
    Ok(())
}

/// A file of NumPy's format 1.0: a header that is a Python literal, then the values in C order.
fn npy(shape: &[usize], values: &[u8]) -> Vec<u8> {
    let shape: Vec<String> = shape.iter().map(usize::to_string).collect();
    let mut header = format!(
        "{{'descr': '|u1', 'fortran_order': False, 'shape': ({}), }}",
        shape.join(", ")
    );
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values);
    bytes
}

/// Raster Vision writes chips of other than three bands as arrays of rows, columns and bands, masks as PNG or arrays.
#[test]
fn chips_that_are_arrays_of_numpy() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let area = SIZE.area();
    let image = |number: u8| -> Vec<u8> {
        let pixels = (0..area).flat_map(|_| (0..5).map(|band| 10 + number + 20 * band));
        npy(&[32, 32, 5], &pixels.collect::<Vec<u8>>())
    };
    let label = |number: u8| -> Vec<u8> {
        let stripe = (0..area).map(|at| u8::from(at % 32 < usize::from(number)));
        npy(&[32, 32], &stripe.collect::<Vec<u8>>())
    };
    for masks in ["npy", "png"] {
        let root = folder.path().join(masks);
        for number in [1, 2] {
            fs::create_dir_all(root.join("images")).unwrap();
            fs::create_dir_all(root.join("masks")).unwrap();
            fs::write(root.join(format!("images/{number}.npy")), image(number)).unwrap();
            let path = root.join(format!("masks/{number}.{masks}"));
            match masks {
                "npy" => fs::write(path, label(number)).unwrap(),
                _ => mask(&path, SIZE, |col, _| u8::from(col < usize::from(number))),
            }
        }
        let set = ChipSet::open(ChipFolder::new(&root).values(classes()))?;
        assert_stripes(&set, &[1, 2])?;
        assert_eq!(set.scenes().band_count(), 5);
        assert_eq!(set.chips()?.get(1)?.patch.data[4 * area], 92.0);
        assert!(!set.report().mentions("left out"), "{}", set.report());
    }
    let path = folder.path().join("train-1.zip");
    zipped(
        &path,
        &[
            ("train/img/s-1.npy", image(1)),
            ("train/img/s-2.npy", image(2)),
            ("train/labels/s-1.npy", label(1)),
            ("train/labels/s-2.npy", label(2)),
        ],
    );
    let set = ChipSet::open(ChipFolder::new(&path).values(classes()))?.split("train")?;
    assert_stripes(&set, &[1, 2])?;
    assert_eq!(set.scenes().band_count(), 5);
    Ok(())
}
