//! Bands and values unlike those of the training.

use swath::chips::Chips;
use swath::device::Device;
use swath::predict::{Ensemble, PredictOptions};
use swath::raster::{OpenOptions, RasterType, Size, WriterOptions};
use swath::scene::Scene;
use swath::train::{FitOptions, Segmenter};
use swath::{Hint, Result};

use super::{model, rectangles, small, trained};
use crate::support::{case, raster};

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
        error.contains("Float32") && error.contains("divided by 255"),
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
        .fit(&chips, &wide, FitOptions::steps(1).quiet(true))
        .unwrap_err();
    assert!(error.to_string().contains("the training scene"), "{error}");
    assert!(error.hint().unwrap_or_default().contains("FitOptions::"));
    let chips = wide.chips(Chips::random(8, 64))?;
    let further = |fit: FitOptions| run.best().fit(&chips, &wide, fit.quiet(true));
    assert!(further(FitOptions::steps(1)).is_err());
    let run = further(FitOptions::steps(1).any_values(true))?;
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
    // Names that say nothing, in a file whose color interpretation does: red, green, blue.
    let error = run
        .last()
        .predict(&named("e.tif", ["one", "two", "three"])?)
        .unwrap_err();
    assert!(error.to_string().contains("red, green, blue"), "{error}");
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

/// Bands of one file that a person has put into another order have numbers for names; these tell it.
#[test]
fn numbered_bands_in_another_order_are_refused() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("four.tif");
    let value = |_: usize, col: usize, row: usize| (20 + (col * 31 + row * 17) % 200) as f32;
    let options = WriterOptions::default();
    let path = raster(&path, Size::new(96, 96), 4, RasterType::U16, options, value);
    let labels = rectangles(
        &folder.path().join("b.geojson"),
        &[[10.0, 10.0, 50.0, 50.0]],
    );
    let scene = Scene::open(&path)?.with_labels(labels, "water")?;
    let run = trained(&scene, 2)?;
    let read = |bands: [usize; 4]| Scene::open_with(&path, OpenOptions::new().bands(bands));
    assert!(
        run.last()
            .predict(&read([0, 1, 2, 3])?)?
            .report()
            .is_empty()
    );
    for order in [[3, 2, 1, 0], [1, 2, 3, 0]] {
        let error = run.last().predict(&read(order)?).unwrap_err();
        assert!(error.to_string().contains("band 1, band 2"), "{error}");
    }
    let other = run.last().predict(&read([1, 1, 1, 1])?)?;
    assert!(
        other.report().mentions("band 2, band 2"),
        "{}",
        other.report()
    );
    Ok(())
}

/// A map of nothing is told.
#[test]
fn a_scene_without_a_valid_pixel_gives_an_empty_map_and_says_so() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let value = |_: usize, col: usize, row: usize| (20 + (col * 31 + row * 17) % 200) as f32;
    let (size, kind) = (Size::new(96, 96), RasterType::U8);
    let full = folder.path().join("full.tif");
    let full = raster(&full, size, 3, kind, WriterOptions::default(), value);
    let labels = rectangles(
        &folder.path().join("b.geojson"),
        &[[10.0, 10.0, 50.0, 50.0]],
    );
    let run = trained(&Scene::open(full)?.with_labels(labels, "water")?, 2)?;
    let empty = folder.path().join("empty.tif");
    let options = WriterOptions::default().nodata(0.0);
    let empty = raster(&empty, size, 3, kind, options, |_, _, _| 0.0);
    let map = run.last().predict(&Scene::open(empty)?)?;
    assert!(map.report().mentions("no pixel of the scene is valid"));
    Ok(())
}
