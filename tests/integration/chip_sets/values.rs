//! Whether chips hold what a model was trained on is judged by the values of their set, and not of each of them.

use swath::raster::RasterType;
use swath::{Hint as _, Result};

use super::*;

const SIZE: Size = Size {
    width: 256,
    height: 128,
};

/// Values from 0 to 199; with `even`, those of the second chip are all alike.
fn labeled(folder: &Path, name: &str, raster_type: RasterType, even: bool, factor: f32) -> Scene {
    let value = move |band: usize, col: usize, row: usize| match even
        && (64..128).contains(&col)
        && row < 64
    {
        true => 100.0 * factor,
        false => ((col * 7 + row * 3 + band * 50) % 200) as f32 * factor,
    };
    let image = imagery(
        &folder.join(format!("{name}.tif")),
        SIZE,
        3,
        raster_type,
        None,
        value,
    );
    let labels = folder.join(format!("{name}.png"));
    mask(&labels, SIZE, |col, row| {
        u8::from((col / 16 + row / 16) % 2 == 0)
    });
    Scene::open(image)
        .unwrap()
        .with_label_raster(labels, Classes::new(["field"]))
        .unwrap()
}

fn trained(scene: &Scene) -> Result<Segmenter> {
    let chips = scene.chips(Chips::random(4, 64).seed(1))?;
    let model =
        Segmenter::new(Unet::resnet18().pretrained(false), scene.classes()).device(Device::cpu());
    Ok(model.fit(&chips, scene, one_step())?.best().clone())
}

fn one_step() -> FitOptions {
    FitOptions::steps(1).batch(2).quiet(true)
}

fn saved(scene: &Scene, folder: &Path) -> Result<PathBuf> {
    scene
        .chips(Chips::sliding(64))?
        .save_with(folder, quiet())?;
    Ok(folder.to_owned())
}

#[test]
fn an_even_chip_of_another_type_is_one_of_its_set() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let model = trained(&labeled(folder, "bytes", RasterType::U8, false, 1.0))?;
    // The same values in 16 bits: alike as a whole, while one chip alone has no spread at all.
    let scene = labeled(folder, "words", RasterType::U16, true, 1.0);
    let set = saved(&scene, &folder.join("set"))?;
    for (what, opened) in [
        ("declared", ChipFolder::new(&set)),
        ("of its own chips", ChipFolder::new(&set).own_statistics()),
        (
            "without a manifest",
            ChipFolder::new(&set).without_manifest(),
        ),
    ] {
        let set = ChipSet::open(opened)?;
        assert_eq!(set.len(), 8, "{what}");
        let _ = model.fit(&set.chips()?, set.scenes(), one_step())?;
        for chip in set.scenes() {
            let map = model.predict_with(chip, PredictOptions::new().quiet(true))?;
            assert!(
                !map.report().mentions("other values"),
                "{what}: {}",
                map.report()
            );
        }
        // A chip of the set that is used by itself, and one whose labels were given anew.
        let chip = set.scenes().get(1).unwrap();
        assert!(!chip.read(&chip.area())?.data.is_empty());
        model.predict_with(
            &chip.split(Split::columns(0.5)).0,
            PredictOptions::new().quiet(true),
        )?;
    }
    Ok(())
}

#[test]
fn a_set_of_other_values_is_refused_as_a_whole() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let model = trained(&labeled(folder, "bytes", RasterType::U8, false, 1.0))?;
    let scene = labeled(folder, "scaled", RasterType::U16, false, 50.0);
    let set = saved(&scene, &folder.join("set"))?;
    for opened in [
        ChipFolder::new(&set),
        ChipFolder::new(&set).own_statistics(),
        ChipFolder::new(&set).without_manifest(),
    ] {
        let set = ChipSet::open(opened)?;
        let errors = [
            model.fit(&set.chips()?, set.scenes(), one_step()).err(),
            model
                .predict_with(
                    set.scenes().get(0).unwrap(),
                    PredictOptions::new().quiet(true),
                )
                .err(),
        ];
        for error in errors {
            let error = error.expect("other values are refused");
            assert!(error.to_string().contains("times 50"), "{error}");
            assert!(error.hint().is_some());
        }
        let any = one_step().any_values(true);
        let run = model.fit(&set.chips()?, set.scenes(), any)?;
        // Said of the set once, and not of each of its chips.
        let said = run
            .report()
            .iter()
            .filter(|notice| notice.text().contains("other values"));
        assert_eq!(said.count(), 3, "{}", run.report());
    }
    Ok(())
}
