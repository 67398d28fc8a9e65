use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use swath::chips::ChipSetError;
use swath::prelude::*;
use swath::raster::{DataType, RasterType, Size};
use swath::{Error, Hint};

use super::{assert_same, imagery, quiet, town};

fn manifest(folder: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(folder.join("chips.json")).unwrap()).unwrap()
}

fn files(folder: &Path) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => {
                    let name = path.strip_prefix(folder).unwrap().display().to_string();
                    found.insert(name, fs::metadata(&path).unwrap().len());
                }
            }
        }
    }
    found
}

#[test]
fn chips_become_images_masks_boxes_and_a_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(&folder.path().join("town"));
    let chips = scene.chips(Chips::sliding(64)).unwrap();
    let out = folder.path().join("set");
    let saved = chips.save_with(&out, quiet().yolo(true)).unwrap();
    assert_eq!((saved.len(), saved.folder()), (16, out.as_path()));
    let names = files(&out);
    for (kind, ending, count) in [
        ("images", "tif", 16),
        ("masks", "tif", 16),
        ("labels", "txt", 16),
    ] {
        let found = names
            .keys()
            .filter(|name| name.starts_with(kind) && name.ends_with(ending))
            .count();
        assert_eq!(found, count, "{kind} of {names:?}");
    }
    let lists = [
        "annotations/instances.json",
        "chips.json",
        "classes.csv",
        "data.yaml",
    ];
    assert!(lists.iter().all(|name| names.contains_key(*name)));
    assert_eq!(
        names.len(),
        // GDAL's category names lie beside the masks.
        4 * 16 + lists.len(),
        "nothing else is left there"
    );

    // By their definition: the pixels and objects of every class, the window's corners.
    let manifest = manifest(&out);
    let part = &manifest["parts"][0];
    assert_eq!(
        (
            part["size"].as_u64(),
            part["chips"].as_array().map(Vec::len)
        ),
        (Some(64), Some(16))
    );
    let (mut pixels, mut objects) = (
        vec![0; scene.classes().len()],
        vec![0; scene.classes().len()],
    );
    for index in 0..16 {
        let chip = chips.get(index).unwrap();
        let entry = &part["chips"][index];
        assert_eq!(entry["window"]["col"], chip.window.col);
        let raster = scene.raster().transform();
        let (left, top) = raster.world_from_pixel((chip.window.col as f64, chip.window.row as f64));
        assert_eq!(
            (entry["bounds"][0].as_f64(), entry["bounds"][3].as_f64()),
            (Some(left), Some(top))
        );
        for &label in &chip.labels {
            pixels[usize::from(label)] += 1;
        }
        for one in &chip.boxes {
            objects[one.class] += 1;
        }
        let image = Raster::open(out.join(entry["image"].as_str().unwrap())).unwrap();
        assert_eq!(image.band_names(), scene.raster().band_names());
        assert_eq!(image.transform().world_from_pixel((0.0, 0.0)), (left, top));
        assert_eq!(image.crs_name(), scene.raster().crs_name());
        assert_eq!(image.data_type(), DataType::U8);
        let read = image.read(&image.full()).unwrap();
        assert_eq!(read, chip.patch);
        let mask = Raster::open(out.join(entry["mask"].as_str().unwrap())).unwrap();
        assert_eq!(mask.nodata(), Some(255.0));
    }
    for class in 0..scene.classes().len() {
        assert_eq!(
            (saved.pixels(class), saved.objects(class)),
            (pixels[class], objects[class])
        );
    }
    let table = fs::read_to_string(out.join("classes.csv")).unwrap();
    assert_eq!(table.lines().count(), 1 + scene.classes().len());
    assert!(
        table
            .lines()
            .nth(1)
            .unwrap()
            .starts_with("0,\"background\",")
    );
    let yaml = fs::read_to_string(out.join("data.yaml")).unwrap();
    assert!(
        yaml.contains("train: images\n")
            && yaml.contains(&format!("  0: \"{}\"", scene.classes().names()[1]))
    );
}

/// Chips of every type, with and without nodata, come back bit by bit.
#[test]
fn every_type_and_every_nodata_comes_back_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let size = Size::new(96, 96);
    let corner = |col: usize, row: usize| col < 20 && row < 30;
    #[expect(clippy::type_complexity, reason = "a table")]
    let cases: [(
        &str,
        RasterType,
        Option<f64>,
        usize,
        fn(usize, usize, usize) -> f32,
        DataType,
    ); 7] = [
        (
            "bytes",
            RasterType::U8,
            None,
            3,
            |b, c, r| ((b * 50 + c + r) % 256) as f32,
            DataType::U8,
        ),
        (
            "zero",
            RasterType::U8,
            Some(0.0),
            3,
            |b, c, r| {
                if c < 20 && r < 30 {
                    0.0
                } else {
                    ((b + c * r) % 256) as f32
                }
            },
            DataType::U8,
        ),
        (
            "words",
            RasterType::U16,
            Some(65_535.0),
            5,
            |b, c, r| {
                if c < 20 && r < 30 {
                    65_535.0
                } else {
                    (b * 9000 + c * r) as f32
                }
            },
            DataType::U16,
        ),
        (
            "signed",
            RasterType::I16,
            Some(-9999.0),
            2,
            |b, c, r| {
                if c < 20 && r < 30 {
                    -9999.0
                } else {
                    (c * r) as f32 - 4000.0 + b as f32
                }
            },
            DataType::I16,
        ),
        (
            "floats",
            RasterType::F32,
            None,
            4,
            |b, c, r| {
                if c < 20 && r < 30 {
                    f32::NAN
                } else {
                    (b + c) as f32 / (r + 1) as f32
                }
            },
            DataType::F32,
        ),
        (
            "marked",
            RasterType::F32,
            Some(-9999.0),
            1,
            |_, c, r| {
                if c < 20 && r < 30 {
                    -9999.0
                } else {
                    (c as f32).sin() * r as f32
                }
            },
            DataType::F32,
        ),
        (
            "seventeen",
            RasterType::U8,
            None,
            17,
            |b, c, r| ((b * c + r) % 256) as f32,
            DataType::U8,
        ),
    ];
    for (name, raster_type, nodata, bands, value, stored) in cases {
        let path = imagery(
            &folder.path().join(format!("{name}.tif")),
            size,
            bands,
            raster_type,
            nodata,
            value,
        );
        let scene = Scene::open(&path).unwrap();
        let chips = scene.chips(Chips::sliding(40).min_valid(0.0)).unwrap();
        let out = folder.path().join(name);
        let saved = chips.save_with(&out, quiet()).unwrap();
        let set = ChipSet::open(&out).unwrap();
        assert_eq!(
            (set.len(), set.scenes().band_count()),
            (chips.len(), bands),
            "{name}"
        );
        assert!(
            set.scenes()
                .iter()
                .all(|scene| scene.raster().data_type() == stored),
            "{name}"
        );
        let again = set.chips().unwrap();
        for index in 0..chips.len() {
            assert_same(&chips.get(index).unwrap(), &again.get(index).unwrap(), name);
        }
        let first = chips.get(0).unwrap();
        let marked = nodata.is_some() || raster_type == RasterType::F32 && bands == 4;
        assert_eq!(first.patch.valid[0] == 0, marked && corner(0, 0), "{name}");
        assert_eq!(
            saved.report().mentions("mask inside"),
            name == "floats",
            "{name}: {}",
            saved.report()
        );
    }
}

/// A valid pixel whose value happens to be the nodata value elsewhere is told by a mask, not lost.
#[test]
fn values_like_nodata_are_kept_apart_by_a_mask() {
    let folder = tempfile::tempdir().unwrap();
    let path = imagery(
        &folder.path().join("a.tif"),
        Size::new(64, 64),
        1,
        RasterType::U8,
        Some(7.0),
        |_, col, _| {
            if col < 10 { 7.0 } else { (col + 20) as f32 }
        },
    );
    // Resized pixels become what they were not; the area outside of a crop is invalid as well.
    let scene = Scene::open(path)
        .unwrap()
        .crop(PixelWindow::new(20, 20, 30, 30))
        .unwrap();
    let chips = scene
        .chips(Chips::random(6, 40).padded().flips(false))
        .unwrap();
    let out = folder.path().join("set");
    chips.save_with(&out, quiet()).unwrap();
    let again = ChipSet::open(&out).unwrap().chips().unwrap();
    for index in 0..chips.len() {
        assert_same(
            &chips.get(index).unwrap(),
            &again.get(index).unwrap(),
            "padded",
        );
    }
}

#[test]
fn resized_and_changed_chips_are_floats_and_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(&folder.path().join("town"));
    let chips = scene
        .chips(
            Chips::random(8, 48)
                .window_sizes(30..=70)
                .seed(5)
                .flips(false),
        )
        .unwrap();
    let out = folder.path().join("resized");
    let saved = chips.save_with(&out, quiet()).unwrap();
    assert!(
        saved.report().mentions("resized from their windows"),
        "{}",
        saved.report()
    );
    let set = ChipSet::open(&out).unwrap();
    let again = set.chips().unwrap();
    for index in 0..8 {
        assert_same(
            &chips.get(index).unwrap(),
            &again.get(index).unwrap(),
            "resized",
        );
        // A chip's pixel is as large as the part of the window that it shows.
        let (chip, raster) = (
            chips.get(index).unwrap(),
            set.scenes().get(index).unwrap().raster(),
        );
        let wanted = scene.raster().transform().0[1] * chip.window.width as f64 / 48.0;
        assert!((raster.transform().0[1] - wanted).abs() < 1e-9);
    }
    let chips = scene
        .chips(Chips::random(8, 48).seed(5).photometric(0.2))
        .unwrap();
    let out = folder.path().join("epoch");
    let saved = chips.save_with(&out, quiet().epoch(3)).unwrap();
    assert!(
        saved.report().mentions("no place on the ground"),
        "{}",
        saved.report()
    );
    let set = ChipSet::open(&out).unwrap();
    let again = set.chips().unwrap();
    for index in 0..8 {
        assert_same(
            &chips.get_in_epoch(index, 3).unwrap(),
            &again.get_in_epoch(index, 9).unwrap(),
            "epoch",
        );
        assert!(!set.scenes().get(index).unwrap().raster().is_georeferenced());
    }
}

#[test]
fn png_holds_bytes_and_words_of_one_three_or_four_bands() {
    let folder = tempfile::tempdir().unwrap();
    let size = Size::new(64, 64);
    for (bands, raster_type, fine) in [
        (1, RasterType::U8, true),
        (3, RasterType::U8, true),
        (4, RasterType::U8, true),
        (1, RasterType::U16, true),
        (3, RasterType::U16, true),
        (4, RasterType::U16, true),
        (2, RasterType::U8, false),
        (12, RasterType::U16, false),
        (3, RasterType::F32, false),
        (1, RasterType::I16, false),
    ] {
        let name = format!("{bands}-{raster_type:?}");
        let path = imagery(
            &folder.path().join(format!("{name}.tif")),
            size,
            bands,
            raster_type,
            None,
            |b, c, r| ((b * 60 + c * 3 + r) % 250) as f32,
        );
        let chips = Scene::open(path)
            .unwrap()
            .chips(Chips::sliding(32))
            .unwrap();
        let out = folder.path().join(&name);
        match chips.save_with(&out, quiet().png()) {
            Ok(saved) => {
                assert!(fine, "{name}");
                assert!(saved.report().mentions("PNG names no bands"));
                let set = ChipSet::open(&out).unwrap();
                let again = set.chips().unwrap();
                for index in 0..chips.len() {
                    assert_same(
                        &chips.get(index).unwrap(),
                        &again.get(index).unwrap(),
                        &name,
                    );
                }
            }
            Err(error) => {
                assert!(!fine, "{name}: {error}");
                assert!(
                    matches!(error, Error::ChipSet(ChipSetError::NoPng { .. })),
                    "{error}"
                );
                assert!(error.hint().unwrap().contains("GeoTIFF"));
                assert!(!out.join("chips.json").exists());
            }
        }
    }
}

/// Invalid pixels of PNG are told, and do not count.
#[test]
fn png_says_which_pixels_it_does_not_mark() {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(&folder.path().join("town"))
        .crop(PixelWindow::new(0, 0, 100, 100))
        .unwrap();
    let chips = scene
        .chips(Chips::random(5, 120).padded().flips(false))
        .unwrap();
    let saved = chips
        .save_with(folder.path().join("set"), quiet().png())
        .unwrap();
    assert!(
        saved.report().mentions("invalid pixels"),
        "{}",
        saved.report()
    );
    let again = ChipSet::open(folder.path().join("set"))
        .unwrap()
        .chips()
        .unwrap();
    for index in 0..5 {
        let (one, other) = (chips.get(index).unwrap(), again.get(index).unwrap());
        assert!(one.patch.data == other.patch.data && one.labels == other.labels);
    }
}

#[test]
fn splits_lie_beside_each_other_and_are_replaced_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(&folder.path().join("town"));
    let (train, valid) = scene.split(Split::columns(0.5));
    let out = folder.path().join("set");
    let part = |name: &str| quiet().split(name);
    train
        .chips(Chips::random(6, 48))
        .unwrap()
        .save_with(&out, part("train"))
        .unwrap();
    valid
        .chips(Chips::sliding(64))
        .unwrap()
        .save_with(&out, part("val"))
        .unwrap();
    let first = files(&out);
    assert!(
        first.contains_key("annotations/instances_train.json")
            && first.contains_key("annotations/instances_val.json")
    );
    // Fewer chips in place of those that were there: none of these stays.
    train
        .chips(Chips::random(3, 48))
        .unwrap()
        .save_with(&out, part("train"))
        .unwrap();
    let second = files(&out);
    let of = |all: &BTreeMap<String, u64>, place: &str| {
        all.keys().filter(|name| name.starts_with(place)).count()
    };
    assert_eq!(
        (of(&second, "images/train"), of(&second, "masks/train")),
        // Each mask with its category names beside it.
        (3, 2 * 3)
    );
    assert_eq!(of(&second, "images/val"), of(&first, "images/val"));
    let set = ChipSet::open(&out).unwrap();
    assert_eq!(set.splits(), ["val", "train"]);
    assert_eq!(
        (
            set.split("train").unwrap().len(),
            set.split("validation").unwrap().len()
        ),
        (3, 8)
    );
    let error = set.split("test").unwrap_err();
    assert!(error.to_string().contains("val, train"), "{error}");

    // Other classes, other bands, no split: refused, and nothing changes.
    let bare = Scene::open(scene.raster().path()).unwrap();
    for (chips, options, word) in [
        (
            bare.chips(Chips::sliding(64)).unwrap(),
            part("test"),
            "classes are",
        ),
        (
            train.chips(Chips::random(2, 48)).unwrap(),
            quiet(),
            "split is",
        ),
        (
            train.chips(Chips::random(2, 48)).unwrap(),
            part("test").png(),
            "format is",
        ),
    ] {
        let error = chips.save_with(&out, options).unwrap_err();
        assert!(
            matches!(&error, Error::ChipSet(ChipSetError::OtherSet { .. })),
            "{error}"
        );
        assert!(error.to_string().contains(word), "{error}");
    }
    for name in ["", "..", "a/b", ".hidden", "a b"] {
        let error = train
            .chips(Chips::random(2, 48))
            .unwrap()
            .save_with(&out, part(name))
            .unwrap_err();
        assert!(
            matches!(&error, Error::ChipSet(ChipSetError::SplitName { .. })),
            "{error}"
        );
    }
    assert_eq!(files(&out), second);
}

#[test]
fn files_of_others_are_never_replaced_nor_mixed_with() {
    let folder = tempfile::tempdir().unwrap();
    let chips = town(&folder.path().join("town"))
        .chips(Chips::random(3, 48))
        .unwrap();
    for place in [
        "images/mine.tif",
        "masks/mine.png",
        "labels/mine.txt",
        "classes.csv",
        "annotations/instances.json",
    ] {
        let out = folder.path().join(place.replace('/', "-"));
        let path = out.join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "mine").unwrap();
        let before = files(&out);
        let error = chips.save_with(&out, quiet()).unwrap_err();
        assert!(
            matches!(&error, Error::ChipSet(ChipSetError::OfOthers { .. })),
            "{place}: {error}"
        );
        assert_eq!(files(&out), before);
    }
    // A manifest of another program, or of a later version.
    for (text, word) in [
        ("{}", "no manifest"),
        (
            "{\"format\": \"swath chip set\", \"version\": 99}",
            "version 99",
        ),
        ("", "no manifest"),
    ] {
        let out = folder
            .path()
            .join(format!("manifest-{}", word.len() + text.len()));
        fs::create_dir_all(&out).unwrap();
        fs::write(out.join("chips.json"), text).unwrap();
        let error = chips.save_with(&out, quiet()).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(files(&out).len(), 1);
    }
    // What is not of the set stays.
    let out = folder.path().join("notes");
    fs::create_dir_all(&out).unwrap();
    fs::write(out.join("notes.txt"), "mine").unwrap();
    chips.save_with(&out, quiet()).unwrap();
    chips.save_with(&out, quiet()).unwrap();
    assert_eq!(fs::read_to_string(out.join("notes.txt")).unwrap(), "mine");
}

/// What a person puts among the chips of a set is no list that was saved, whatever it ends in.
#[test]
fn files_of_others_among_saved_chips_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let chips = town(&folder.path().join("town"))
        .chips(Chips::random(3, 48))
        .unwrap();
    let out = folder.path().join("set");
    chips.save_with(&out, quiet()).unwrap();
    for place in [
        "images/notes.csv",
        "masks/legend.json",
        "labels/mine.yaml",
        "images/other.aux.xml",
    ] {
        let path = out.join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "mine").unwrap();
        let before = files(&out);
        let error = chips.save_with(&out, quiet()).unwrap_err();
        assert!(
            matches!(&error, Error::ChipSet(ChipSetError::OfOthers { path: found }) if *found == path),
            "{place}: {error}"
        );
        assert_eq!(files(&out), before);
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        fs::remove_file(&path).unwrap();
    }
    // A description of YOLO's that this set never had.
    fs::write(out.join("data.yaml"), "mine").unwrap();
    assert!(chips.save_with(&out, quiet().yolo(true)).is_err());
    assert_eq!(fs::read_to_string(out.join("data.yaml")).unwrap(), "mine");
    fs::remove_file(out.join("data.yaml")).unwrap();
    // What GDAL leaves beside a chip is replaced with it.
    let chip = files(&out)
        .into_keys()
        .find(|name| name.starts_with("images/"))
        .unwrap();
    fs::write(out.join(format!("{chip}.aux.xml")), "<PAMDataset/>").unwrap();
    chips.save_with(&out, quiet()).unwrap();
}

/// `data.yaml` names the splits that have YOLO's files, and goes with the last of them.
#[test]
fn the_description_of_yolo_follows_the_splits() {
    let folder = tempfile::tempdir().unwrap();
    let chips = town(&folder.path().join("town"))
        .chips(Chips::random(3, 48))
        .unwrap();
    let out = folder.path().join("set");
    let save = |split: &str, yolo: bool| {
        chips
            .save_with(&out, quiet().split(split).yolo(yolo))
            .unwrap();
        fs::read_to_string(out.join("data.yaml")).ok()
    };
    save("train", true);
    let both = save("val", true).unwrap();
    assert!(both.contains("\"train\": ") && both.contains("\"val\": "));
    let one = save("val", false).unwrap();
    assert!(
        one.contains("\"train\": ") && !one.contains("\"val\": "),
        "{one}"
    );
    assert_eq!(save("train", false), None);
}

/// A scene whose file is cut short while chips are saved: the folder keeps what it had.
#[test]
fn a_failure_halfway_leaves_the_folder_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let size = Size::new(2048, 2048);
    let path = imagery(
        &folder.path().join("a.tif"),
        size,
        1,
        RasterType::U16,
        None,
        |_, c, r| (c * r % 60_000) as f32,
    );
    let chips = Scene::open(&path)
        .unwrap()
        .chips(Chips::random(5, 64))
        .unwrap();
    let out = folder.path().join("set");
    chips.save_with(&out, quiet()).unwrap();
    let before = files(&out);
    let all = fs::read(&path).unwrap();
    let many = Scene::open(&path)
        .unwrap()
        .chips(Chips::sliding(64))
        .unwrap();
    fs::write(&path, &all[..all.len() / 2]).unwrap();
    assert!(many.save_with(&out, quiet()).is_err());
    assert_eq!(files(&out), before);
    let left: Vec<PathBuf> = fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(
        left.iter()
            .all(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.')),
        "{left:?}"
    );
}

#[test]
fn a_single_color_table_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let chips = town(&folder.path().join("town"))
        .chips(Chips::random(2, 48))
        .unwrap();
    for (options, colors) in [(quiet().png(), true), (quiet().png().plain_masks(), false)] {
        let out = folder.path().join(format!("{colors}"));
        chips.save_with(&out, options).unwrap();
        let mask = fs::read_dir(out.join("masks"))
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        let decoder = png::Decoder::new(std::io::BufReader::new(fs::File::open(mask).unwrap()));
        let reader = decoder.read_info().unwrap();
        let info = reader.info();
        assert_eq!(info.palette.is_some(), colors);
        assert_eq!(info.color_type == png::ColorType::Indexed, colors);
        assert!(
            info.utf8_text
                .iter()
                .any(|text| text.keyword == "CLASS_0" && text.get_text().unwrap() == "background")
        );
        assert!(ChipSet::open(&out).is_ok());
    }
}

/// GDAL's category names of a band, by its own interface.
fn gdal_category_names(path: &Path) -> Vec<String> {
    let dataset = gdal::Dataset::open(path).unwrap();
    let mut names = Vec::new();
    // SAFETY: the dataset is open and has a first band; the list ends with a null pointer.
    unsafe {
        let band = gdal_sys::GDALGetRasterBand(dataset.c_dataset(), 1);
        // GDAL 3.10 reads the file beside a GeoTIFF when it is asked for something else, and not for these names.
        let _ = gdal_sys::GDALGetDescription(band);
        let mut list = gdal_sys::GDALGetRasterCategoryNames(band);
        while !list.is_null() && !(*list).is_null() {
            names.push(
                std::ffi::CStr::from_ptr(*list)
                    .to_string_lossy()
                    .into_owned(),
            );
            list = list.add(1);
        }
    }
    names
}

#[test]
fn masks_say_what_their_values_are_called() {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(&folder.path().join("town"));
    let out = folder.path().join("set");
    let names = scene.classes().names();
    // Saved twice: what lies beside a mask is replaced with it.
    for _ in 0..2 {
        let chips = scene.chips(Chips::sliding(128)).unwrap();
        chips.save_with(&out, quiet()).unwrap();
        let mut masks: Vec<PathBuf> = fs::read_dir(out.join("masks"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "tif"))
            .collect();
        masks.sort();
        assert_eq!(masks.len(), 4);
        for mask in &masks {
            assert_eq!(gdal_category_names(mask), names);
            assert_eq!(Raster::open(mask).unwrap().category_names(), names);
        }
        let image = out.join("images").join(masks[0].file_name().unwrap());
        let read = Scene::open(image)
            .unwrap()
            .with_label_raster(&masks[0], LabelValues::of_file())
            .unwrap();
        assert_eq!(read.classes().names(), names);
    }
    for opened in [
        ChipFolder::new(&out),
        ChipFolder::new(&out).without_manifest(),
    ] {
        let set = ChipSet::open(opened).unwrap();
        assert_eq!((set.len(), set.classes().names()), (4, names.clone()));
    }
}
