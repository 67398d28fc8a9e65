//! Models of one pixel size on scenes of another: the user is told, and the next step works.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use swath::chips::Chips;
use swath::detect::DetectorEnsemble;
use swath::device::Device;
use swath::display::Output;
use swath::models::{BundleMeta, CenterNet, Normalization, Unet, save_bundle};
use swath::predict::{Ensemble, PredictOptions};
use swath::raster::{RasterType, Resolution, Size, WriterOptions};
use swath::samples::town_in;
use swath::scene::Scene;
use swath::train::{Detector, FitOptions, Segmenter};
use swath::{Result, session};

use crate::support::{assert_passed, in_child, is_child, raster};

/// Keeps what is shown.
#[derive(Default)]
struct Kept(Mutex<Vec<String>>);

impl Kept {
    /// The notices since the last time.
    fn notices(&self) -> Vec<String> {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut shown = std::mem::take(&mut *shown);
        shown.retain(|text| text.starts_with("Notice"));
        shown
    }
}

impl session::Sink for Kept {
    fn result(&self, _output: Output) {}
    fn display(&self, output: Output, _id: Option<&str>) {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shown.push(output.text);
    }
    fn update(&self, _output: Output, _id: &str) {}
    fn clear(&self, _wait: bool) {}
    fn input(&self, _prompt: &str, _password: bool) -> Option<String> {
        None
    }
}

/// A segmenter that was trained at this pixel size.
fn segmenter(folder: &Path, meters: Option<[f64; 2]>) -> Result<Segmenter> {
    let path = folder.join("model.swath");
    let architecture = Unet::resnet18();
    let network = architecture.build(1, 2, &Device::cpu())?;
    let names = vec!["background".to_owned(), "car".to_owned()];
    let mut meta = BundleMeta::new(architecture, 1, names, Normalization::eight_bit(1), 64);
    meta.gsd = meters;
    save_bundle(&path, &meta, &*network)?;
    Segmenter::load(path)
}

#[test]
fn a_scene_of_another_pixel_size_than_the_training_is_told_with_the_next_step() -> Result<()> {
    if !is_child() {
        // Where outputs go belongs to the whole process.
        assert_passed(&in_child(
            "ground::a_scene_of_another_pixel_size_than_the_training_is_told_with_the_next_step",
            &[],
        ));
        return Ok(());
    }
    let kept = Arc::new(Kept::default());
    session::set_sink(Arc::clone(&kept) as Arc<dyn session::Sink>);
    let folder = tempfile::tempdir().expect("a folder");
    // Pixels of half a meter.
    let path = raster(
        &folder.path().join("scene.tif"),
        Size::new(64, 64),
        1,
        RasterType::U8,
        WriterOptions::default(),
        |_, col, row| (col + row) as f32,
    );
    let scene = Scene::open(&path)?;

    let model = segmenter(folder.path(), Some([2.0, 2.0]))?;
    let expected = format!(
        "Notice: the model was trained on pixels of 2.00 m and those of this scene are of 0.50 m: everything looks 4.0 times \
         larger to it.\n`Scene::open_at({path:?}, Resolution::Meters(2.00))` opens the scene at the pixel size of the \
         training."
    );
    model.predict(&scene)?;
    assert_eq!(kept.notices(), [expected.as_str()]);
    Ensemble::new([&model, &model])?.predict(&scene)?;
    assert_eq!(kept.notices(), [expected.as_str()]);
    // The next step that it names helps; asked to be quiet, it is.
    model.predict(&Scene::open_at(&path, Resolution::Meters(2.00))?)?;
    model.predict_with(&scene, PredictOptions::new().quiet(true))?;
    segmenter(folder.path(), Some([0.7, 0.7]))?.predict(&scene)?;
    segmenter(folder.path(), None)?.predict(&scene)?;
    assert_eq!(kept.notices(), Vec::<String>::new());

    // A town has pixels of 0.3 m.
    let town = town_in(folder.path(), 3, 256)?;
    let cars = town.scene()?.only(["car"])?;
    let detector = Detector::new(CenterNet::resnet18().pretrained(false), cars.classes());
    let chips = cars.chips(Chips::random(4, 64).seed(1))?;
    let run = detector.fit(&chips, &cars, FitOptions::steps(1).quiet(true))?;
    let coarse = Scene::open_at(&town.scene_path, Resolution::Meters(1.2))?;
    run.last().predict(&cars)?;
    assert_eq!(kept.notices(), Vec::<String>::new());
    run.last().predict(&coarse)?;
    DetectorEnsemble::new([run.last()])?.predict(&coarse)?;
    let notices = kept.notices();
    assert_eq!(notices.len(), 2);
    for notice in notices {
        assert!(
            notice.contains("4.0 times smaller") && notice.contains("Meters(0.300)"),
            "{notice}"
        );
    }
    Ok(())
}
