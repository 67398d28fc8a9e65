use std::fs;

use swath::prelude::*;
use swath::{Hint as _, Result};

use super::{assert_same, quiet, town};

/// The chips of a set are those that it was saved from: the same order, the same turns in every epoch, the same pixels.
#[test]
fn a_set_gives_the_chips_that_were_saved() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let scenes = Scenes::of([
        town(&folder.path().join("a")),
        town(&folder.path().join("b")),
    ])?;
    for (name, options) in [
        ("random", Chips::random(20, 64).seed(7)),
        ("sliding", Chips::sliding(100).seed(3).flips(true)),
        (
            "padded",
            Chips::random(12, 300).padded().photometric(0.1).seed(2),
        ),
    ] {
        let chips = scenes.chips(options)?;
        let out = folder.path().join(name);
        chips.save_with(&out, quiet())?;
        let set = ChipSet::open(&out)?;
        assert_eq!(set.classes(), scenes.classes());
        let bits = |scenes: &Scenes| -> Result<Vec<[u64; 6]>> {
            let bands = scenes.statistics()?.into_iter();
            Ok(bands
                .map(|band| {
                    [band.min, band.max, band.mean, band.std, band.p2, band.p98].map(f64::to_bits)
                })
                .collect())
        };
        assert_eq!(bits(set.scenes())?, bits(&scenes)?, "{name}");
        let again = set.chips()?;
        assert_eq!((again.len(), again.size()), (chips.len(), chips.size()));
        for epoch in 0..3 {
            for index in 0..chips.len() {
                let (one, other) = (
                    chips.get_in_epoch(index, epoch)?,
                    again.get_in_epoch(index, epoch)?,
                );
                assert_same(&one, &other, name);
            }
        }
        // Scenes know which one they were cut from, so that a split may keep those together.
        assert_eq!(
            set.scenes()
                .where_column("scene", scenes.names().next().unwrap())?
                .len(),
            {
                (0..chips.len())
                    .filter(|&index| chips.get(index).is_ok_and(|chip| chip.scene == 0))
                    .count()
            }
        );
    }
    Ok(())
}

/// A training on a set takes the very steps of a training on the chips that it was saved from.
#[test]
fn a_training_on_a_set_is_the_training_on_its_chips() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(folder.path());
    let (train, valid) = scene.split(Split::columns(0.7));
    let chips = train.chips(Chips::random(12, 64).seed(4))?;
    chips.save_with(folder.path().join("set"), quiet().split("train"))?;
    let set = ChipSet::open(folder.path().join("set"))?.split("train")?;
    let losses = |chips: &Chips| -> Result<Vec<u64>> {
        let model = Segmenter::new(Unet::resnet18(), scene.classes()).device(Device::cpu());
        let run = model.fit(chips, &valid, FitOptions::epochs(2).batch(4).quiet(true))?;
        let epochs = run.history().epochs.iter();
        Ok(epochs
            .flat_map(|epoch| [epoch.train_loss, epoch.valid_loss].map(f64::to_bits))
            .collect())
    };
    assert_eq!(losses(&chips)?, losses(&set.chips()?)?);
    Ok(())
}

#[test]
fn own_statistics_and_own_options_are_a_choice() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(&folder.path().join("town"));
    let out = folder.path().join("set");
    scene
        .chips(Chips::random(4, 64).seed(4))?
        .save_with(&out, quiet())?;
    let recorded = ChipSet::open(&out)?;
    assert!(
        recorded.report().mentions("as the manifest says"),
        "{}",
        recorded.report()
    );
    let own = ChipSet::open(ChipFolder::new(&out).own_statistics())?;
    assert!(!own.report().mentions("as the manifest says"));
    assert_eq!(recorded.scenes().statistics()?[0].count, 256 * 256);
    assert_eq!(own.scenes().statistics()?[0].count, 4 * 64 * 64);
    let plain = recorded.scenes().chips(recorded.options()?.flips(false))?;
    let unturned = scene.chips(Chips::random(4, 64).seed(4).flips(false))?;
    for index in 0..4 {
        assert_same(&unturned.get(index)?, &plain.get(index)?, "unturned");
    }
    let text = recorded.output().text;
    assert!(
        text.contains("64 x 64 px") && text.contains("masks, boxes"),
        "{text}"
    );
    assert!(format!("{recorded:?}").contains("ChipSet(4 chips"));
    Ok(())
}

/// Chips in two splits that show the same ground are told.
#[test]
fn splits_that_share_ground_are_told() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(&folder.path().join("town"));
    let out = folder.path().join("set");
    for name in ["train", "val"] {
        scene
            .chips(Chips::sliding(128))?
            .save_with(&out, quiet().split(name))?;
    }
    let train = ChipSet::open(&out)?.split("train")?;
    assert!(
        train.report().mentions("overlap on the ground"),
        "{}",
        train.report()
    );
    Ok(())
}

#[test]
fn files_that_are_gone_or_broken_are_named_and_counted() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(&folder.path().join("town"));
    let out = folder.path().join("set");
    scene.chips(Chips::sliding(64))?.save_with(&out, quiet())?;
    let mut images: Vec<_> = fs::read_dir(out.join("images"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    images.sort();
    fs::remove_file(&images[3]).unwrap();
    let bytes = fs::read(&images[5]).unwrap();
    fs::write(&images[5], &bytes[..bytes.len() / 2]).unwrap();
    let error = ChipSet::open(&out)
        .and_then(|set| set.chips())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("of 16 scenes") && error.contains("03_"),
        "{error}"
    );
    let hint = ChipSet::open(&out).unwrap_err().hint().unwrap_or_default();
    assert!(
        hint.contains("ChipFolder::new(folder).skip_broken()"),
        "{hint}"
    );
    let set = ChipSet::open(ChipFolder::new(&out).skip_broken())?;
    assert_eq!(set.chips()?.len(), 14);
    let report = set.report();
    assert!(
        report.mentions("2 of 16 scenes cannot be opened")
            && report.mentions("2 of 16 chips of the manifest"),
        "{report}"
    );
    Ok(())
}

/// Manifests that were edited: paths that lead elsewhere, numbers that do not fit, cut off.
#[test]
fn a_manifest_is_not_believed_blindly() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(&folder.path().join("town"));
    let out = folder.path().join("set");
    scene.chips(Chips::sliding(128))?.save_with(&out, quiet())?;
    let path = out.join("chips.json");
    let text = fs::read_to_string(&path).unwrap();
    let image = "images/0_";
    assert!(text.contains(image));
    for (from, to, word) in [
        (image, "../images/0_", "outside its folder"),
        (image, "/etc/0_", "outside its folder"),
        ("\"version\":1", "\"version\":2", "version 2"),
        ("\"format\":\"swath", "\"format\":\"sw", "no manifest"),
        (
            "\"statistics\":[{",
            "\"statistics\":[{\"min\":0,\"max\":1,\"mean\":0,\"std\":1,\"count\":1,\"p2\":0,\"p98\":1},{",
            "statistics of 4 bands",
        ),
        ("\"size\":128", "\"size\":-1", "cannot be read"),
    ] {
        fs::write(&path, text.replace(from, to)).unwrap();
        let error = ChipSet::open(&out).unwrap_err().to_string();
        assert!(error.contains(word), "{to}: {error}");
    }
    // However it is cut or mixed up, no panic.
    for cut in (0..text.len())
        .step_by(97)
        .filter(|&cut| text.is_char_boundary(cut))
    {
        fs::write(&path, &text[..cut]).unwrap();
        assert!(ChipSet::open(&out).is_err());
    }
    // The advice can be followed: the chips are there without it, with the classes of the table.
    let again = scene.chips(Chips::sliding(128))?.save_with(&out, quiet());
    for error in [ChipSet::open(&out).unwrap_err(), again.unwrap_err()] {
        let hint = error.hint().unwrap_or_default();
        assert!(
            hint.contains("without_manifest()") && hint.contains("another folder"),
            "{hint}"
        );
    }
    let bare = ChipSet::open(ChipFolder::new(&out).without_manifest())?;
    assert_eq!(bare.classes().names(), scene.classes().names());
    assert_eq!(bare.classes().colors(), scene.classes().colors());
    assert!(
        bare.report().mentions("table of classes"),
        "{}",
        bare.report()
    );
    fs::write(&path, &text).unwrap();
    let whole = ChipSet::open(&out)?;
    for index in 0..whole.len() {
        let (own, other) = (whole.chips()?.get(index)?, bare.chips()?.get(index)?);
        assert_eq!(own.labels, other.labels, "chip {index}");
    }
    // What Swath wrote itself is nothing to be warned of.
    assert!(!whole.report().mentions("palette"), "{}", whole.report());
    fs::remove_file(out.join("classes.csv")).unwrap();
    let error = ChipSet::open(ChipFolder::new(&out).without_manifest()).unwrap_err();
    assert!(error.hint().unwrap_or_default().contains("of_file()"));
    Ok(())
}

/// Exported as PNG with boxes alone, as YOLO alone.
#[test]
fn boxes_come_back_from_coco_and_from_yolo() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let town = town(&folder.path().join("town"));
    let chips = town.chips(Chips::random(10, 64).seed(1))?;
    for (name, options) in [("coco", quiet()), ("yolo", quiet().coco(false).yolo(true))] {
        let out = folder.path().join(name);
        chips.save_with(&out, options)?;
        let again = ChipSet::open(&out)?.chips()?;
        for index in 0..10 {
            assert_same(&chips.get(index)?, &again.get(index)?, name);
        }
        // The folders alone, as any other data set, give the same boxes under the same names.
        let without = ChipFolder::new(&out)
            .without_manifest()
            .values(town.classes());
        let set = ChipSet::open(without)?;
        let plain = set.scenes().chips(set.options()?.seed(1).flips(true))?;
        for index in 0..10 {
            assert_same(&chips.get(index)?, &plain.get(index)?, name);
        }
    }
    Ok(())
}

/// The manifest's statistics are of its bands: those that are chosen get their own, in their order.
#[test]
fn statistics_follow_the_bands_that_are_chosen() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(&folder.path().join("town"));
    let out = folder.path().join("set");
    scene
        .chips(Chips::random(4, 64).seed(4))?
        .save_with(&out, quiet())?;
    let all = scene.statistics()?;
    assert!(all[0].mean != all[2].mean);
    for bands in [vec![2, 1, 0], vec![1], vec![0, 0, 2]] {
        let options = OpenOptions::new().bands(bands.clone());
        let set = ChipSet::open(ChipFolder::new(&out).open(options))?;
        let found: Vec<f64> = set
            .scenes()
            .statistics()?
            .iter()
            .map(|one| one.mean)
            .collect();
        let wanted: Vec<f64> = bands.iter().map(|&band| all[band].mean).collect();
        assert_eq!(found, wanted, "{bands:?}");
    }
    // Of a band that the manifest does not know, nothing is assumed.
    let path = out.join("chips.json");
    let mut manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let mut shortened = |pointer: &str| {
        manifest
            .pointer_mut(pointer)
            .unwrap()
            .as_array_mut()
            .unwrap()
            .pop()
    };
    for pointer in ["/bands", "/parts/0/statistics", "/parts/0/statistics_bits"] {
        assert!(shortened(pointer).is_some());
    }
    fs::write(&path, manifest.to_string()).unwrap();
    let set = ChipSet::open(&out)?;
    assert!(
        set.report().mentions("statistics of 2 bands"),
        "{}",
        set.report()
    );
    assert_eq!(set.scenes().statistics()?[0].count, 4 * 64 * 64);
    Ok(())
}

/// PNG names no bands: the manifest does.
#[test]
fn bands_of_png_are_called_as_the_manifest_says() -> Result<()> {
    use swath::raster::{BandRole, RasterType, Size};
    let folder = tempfile::tempdir().unwrap();
    let path = super::imagery(
        &folder.path().join("a.tif"),
        Size::new(64, 64),
        4,
        RasterType::U8,
        None,
        |b, c, r| ((b * 60 + c * 3 + r) % 250) as f32,
    );
    // Near infrared first, by the names of GDAL's band descriptions.
    let names = ["nir", "red", "green", "blue"];
    let named = folder.path().join("named.tif");
    let options = swath::raster::WriterOptions::default()
        .plain_tiles()
        .band_names(&names);
    let source = Raster::open(&path)?;
    let size = source.size();
    let mut writer = swath::raster::RasterWriter::create(
        &named,
        size,
        4,
        RasterType::U8,
        crate::support::grid(),
        crate::support::CRS,
        options,
    )?;
    let window = PixelWindow::full(size);
    writer.write_window(&window, &source.read(&window)?.data)?;
    writer.finish()?;
    let scene = Scene::open_with(&named, OpenOptions::new().alpha_as_imagery())?;
    let roles = |scene: &Scene| -> Vec<Option<BandRole>> {
        scene
            .raster()
            .bands()
            .iter()
            .map(|band| band.role)
            .collect()
    };
    assert_eq!(roles(&scene)[0], Some(BandRole::NearInfrared));
    let out = folder.path().join("set");
    let chips = scene.chips(Chips::sliding(32))?;
    chips.save_with(&out, quiet().png())?;
    let set = ChipSet::open(&out)?;
    let first = set.scenes().get(0).unwrap();
    assert_eq!(first.raster().band_names(), names);
    assert_eq!(roles(first), roles(&scene));
    // By these names bands are chosen, whatever else is said of the files.
    let chosen = ChipSet::open(
        ChipFolder::new(&out)
            .open(OpenOptions::new().bands([BandRole::Red, BandRole::NearInfrared])),
    )?;
    let patch = chosen.chips()?.get(0)?.patch;
    let whole = chips.get(0)?.patch;
    let area = 32 * 32;
    assert_eq!(patch.data[..area], whole.data[area..2 * area]);
    assert_eq!(patch.data[area..], whole.data[..area]);
    assert_eq!(
        ChipSet::open(ChipFolder::new(&out).open(OpenOptions::new().nodata(255.0)))?
            .scenes()
            .band_count(),
        4
    );
    Ok(())
}

/// Chips of a scene with a rule for cells keep the class that the rule gives on the scene: an object that the edge of a chip cuts
/// is not whole in the chip.
#[test]
fn the_classes_of_chips_are_those_of_their_scene() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let town = town(&folder.path().join("town"));
    for (name, rule) in [
        ("object", CellRule::share_of_object(0.5)),
        ("cell", CellRule::share_of_cell(0.2).otherwise_ignored()),
    ] {
        let scene = town.with_cells(&rule)?;
        let chips = scene.chips(Chips::random(24, 48).seed(9))?;
        let out = folder.path().join(name);
        chips.save_with(&out, quiet().split("train"))?;
        let set = ChipSet::open(&out)?.split("train")?;
        let again = set.chips()?;
        let classes = |chips: &Chips| -> Result<Vec<Option<usize>>> {
            (0..chips.len())
                .map(|index| Ok(chips.get(index)?.class))
                .collect()
        };
        assert_eq!(classes(&again)?, classes(&chips)?, "{name}");
        let whole = PixelWindow::new(0, 0, 48, 48);
        for (index, one) in set.scenes().iter().enumerate() {
            assert_eq!(one.cells(), Some(&rule));
            assert_eq!(one.cell_class(&whole)?, chips.get(index)?.class);
        }
        assert!(
            set.report().mentions("class of each chip"),
            "{}",
            set.report()
        );
        // Another rule looks at what is labeled in the chip.
        let own = set.scenes().with_cells(CellRule::majority())?;
        let first = own.get(0).unwrap();
        let labels = first.label_window(&whole)?;
        let most = (0..town.classes().len()).max_by_key(|&class| {
            let pixels = labels.iter().filter(|&&label| usize::from(label) == class);
            (pixels.count(), std::cmp::Reverse(class))
        });
        assert_eq!(first.cell_class(&whole)?, most);
    }
    // Without a rule there are no classes.
    let chips = town.chips(Chips::random(3, 48))?;
    let out = folder.path().join("none");
    chips.save_with(&out, quiet())?;
    let set = ChipSet::open(&out)?;
    assert!(set.scenes().iter().all(|scene| scene.cells().is_none()));
    assert_eq!(set.chips()?.get(0)?.class, None);
    Ok(())
}

/// A training of a classifier on a set takes the very steps of one on the chips that it was saved from.
#[test]
fn a_classifier_on_a_set_is_the_classifier_on_its_chips() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let rule = CellRule::share_of_object(0.5);
    let scene = town(&folder.path().join("town")).with_cells(&rule)?;
    let (train, valid) = scene.split(Split::columns(0.6));
    let chips = train.chips(Chips::random(12, 48).seed(4))?;
    let out = folder.path().join("set");
    chips.save_with(&out, quiet())?;
    let set = ChipSet::open(&out)?;
    let losses = |chips: &Chips| -> Result<Vec<u64>> {
        let model =
            Classifier::new(ImageClassifier::resnet18(), scene.classes()).device(Device::cpu());
        let run = model.fit(chips, &valid, FitOptions::epochs(1).batch(4).quiet(true))?;
        let epochs = run.history().epochs.iter();
        Ok(epochs
            .flat_map(|epoch| [epoch.train_loss, epoch.valid_loss].map(f64::to_bits))
            .collect())
    };
    assert_eq!(losses(&chips)?, losses(&set.chips()?)?);
    Ok(())
}
