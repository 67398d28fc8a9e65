//! A detector on a small drawn scene: it learns, is saved, comes back, and refuses what it cannot use.

use super::{Detector, EpochRecord, FitOptions, Segmenter, StopReason, TrainError};
use crate::chips::Chips;
use crate::detect::DetectionOptions;
use crate::device::Device;
use crate::display::Show;
use crate::models::centernet::{CenterNetModel, CenterNetOptions};
use crate::models::detection::faster_rcnn::{FasterRcnnModel, FasterRcnnOptions};
use crate::models::{CenterNet, DetectorArchitecture, EncoderKind, NamedTensors, ResNetKind, Unet};
use crate::raster::{GeoTransform, RasterType, RasterWriter, Size, WriterOptions};
use crate::scene::{Scene, Split};
use crate::{Hint, Result};

const SIDE: usize = 192;

/// Bright squares of 10 to 20 px on a dark, uneven ground, with a table of their boxes.
fn squares(folder: &std::path::Path) -> Result<Scene> {
    let io = |source| TrainError::File(crate::FileError::new(folder.to_owned(), source));
    let mut values: Vec<u8> = (0..SIDE * SIDE)
        .map(|index| 40 + (index.wrapping_mul(2_654_435_761) >> 7 & 31) as u8)
        .collect();
    let mut rows = String::from("xmin,ymin,xmax,ymax,label\n");
    for (left, top) in (0..SIDE)
        .step_by(32)
        .flat_map(|top| (0..SIDE).step_by(32).map(move |left| (left, top)))
    {
        let (left, top) = (left + top % 7, top + left % 11);
        let (width, height) = (10 + (left + top) % 11, 10 + (left * 3 + top) % 11);
        for row in top..top + height {
            values[row * SIDE + left..][..width].fill(200);
        }
        let (right, bottom) = (left + width, top + height);
        rows.push_str(&format!("{left},{top},{right},{bottom},car\n"));
    }
    let (path, boxes) = (folder.join("cars.tif"), folder.join("cars.csv"));
    let (size, options) = (
        Size::new(SIDE, SIDE),
        WriterOptions::default().plain_tiles(),
    );
    let transform = GeoTransform([85.5, 1e-5, 0.0, 27.6, 0.0, -1e-5]);
    let crs = "EPSG:4326";
    let mut writer = RasterWriter::create(&path, size, 1, RasterType::U8, transform, crs, options)?;
    writer.write_rows(0, &values)?;
    writer.finish()?;
    std::fs::write(&boxes, rows).map_err(io)?;
    Scene::open(path)?.with_boxes(boxes, "car")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap_or_else(|error| panic!("no folder for the test: {error}"))
}

/// A CenterNet with a narrow decoder: quick.
fn narrow() -> DetectorArchitecture {
    DetectorArchitecture::custom("narrow", |bands, classes, device| {
        let options = CenterNetOptions {
            decoder_widths: [32, 32, 16],
            head_width: 16,
        };
        CenterNetModel::new(
            EncoderKind::EfficientnetLite0,
            bands,
            classes,
            &options,
            device,
        )
    })
}

fn tensors(model: &Detector) -> NamedTensors {
    model
        .network()
        .map(|(network, _)| network.named_tensors())
        .unwrap_or_default()
}

#[test]
fn a_detector_learns_bright_squares_and_its_bundle_finds_the_same() -> Result<()> {
    let folder = folder();
    let scene = squares(folder.path())?;
    let (train, valid) = scene.split(Split::columns(0.67));
    let chips = train.chips(Chips::random(24, 64).seed(3))?;
    let model = Detector::new(narrow(), scene.classes()).device(Device::cpu());
    // Enough for every one of five seeds: other tests of the process draw from the same generator as this training.
    let options = FitOptions::steps(96).batch(2).lr(4e-3).quiet(true);
    let run = model.fit(&chips, &valid, &options)?;
    assert_eq!(run.stopped(), StopReason::Finished);
    let epochs = &run.history().epochs;
    let (first, last) = (epochs[0].train_loss, epochs[epochs.len() - 1].train_loss);
    assert!(last < 0.6 * first, "{first} to {last}");
    assert_eq!(run.history().score_name(), "AP50");
    let best = run.history().best().and_then(EpochRecord::score);
    assert!(best.is_some_and(|score| score > 0.5), "{best:?}");
    assert!(run.output().text.contains("AP50"), "{}", run.output().text);

    let exported = run
        .best()
        .export_torchvision(folder.path().join("cars.safetensors"));
    refused(
        exported,
        "narrow cannot be exported to torchvision",
        "RetinaNet",
    );

    let path = folder.path().join("cars.swath");
    run.best().clone().with_license("CC0").save(&path)?;
    refused(
        Detector::load(&path),
        "its constructor is not here",
        "Detector::load_as(path, DetectorArchitecture::custom(\"narrow\"",
    );
    let loaded = Detector::load_as(&path, narrow())?.device(Device::cpu());
    assert_eq!(tensors(&loaded), tensors(run.best()));
    let license = loaded.meta().and_then(|meta| meta.license.as_deref());
    assert_eq!(license, Some("CC0"));
    let threshold = loaded.meta().and_then(|meta| meta.threshold);
    assert!(threshold.is_some(), "validation finds a threshold");
    let quiet = || DetectionOptions::new().quiet(true);
    let (one, other) = (
        run.best().predict_with(&valid, quiet())?,
        loaded.predict_with(&valid, quiet())?,
    );
    assert_eq!(one.detections(), other.detections());
    assert_eq!(threshold, Some(one.threshold_score()));
    let scores = one.evaluate(&valid)?;
    assert!(scores.ap50() > 0.5, "{}", scores.ap50());

    let error = Segmenter::load(&path).err();
    let error = error.map(|error| (error.to_string(), error.hint().unwrap_or_default()));
    let (message, hint) = error.unwrap_or_default();
    assert!(message.contains("holds a detection model"), "{message}");
    assert!(hint.contains("Detector::load"), "{hint}");
    Ok(())
}

/// A Faster R-CNN that looks at few places, but draws among them.
fn sampling() -> DetectorArchitecture {
    DetectorArchitecture::custom("sampling", |bands, classes, device| {
        let options = FasterRcnnOptions {
            anchor_sizes: [8.0, 16.0, 32.0, 64.0, 128.0],
            candidates: [60, 60],
            proposals: [40, 40],
            box_samples: 24,
            proposal_samples: 32,
        };
        FasterRcnnModel::new(ResNetKind::Resnet18, bands, classes, &options, device)
    })
}

#[test]
fn an_interrupted_detector_goes_on_as_if_it_had_never_stopped() -> Result<()> {
    let folder = folder();
    let scene = squares(folder.path())?;
    let (train, valid) = scene.split(Split::columns(0.67));
    let chips = train.chips(Chips::random(6, 64).seed(3))?;
    for (name, architecture) in [("centernet", narrow()), ("faster-rcnn", sampling())] {
        let fit = |model: &Detector, options: FitOptions, stop: &dyn Fn() -> bool| {
            let options = options.batch(2).lr(1e-3).quiet(true);
            super::fit::fit(model, &chips, &(&valid).into(), &options, stop)
        };
        // Both runs begin with the same weights: the generator of the CPU is shared with tests that run beside.
        let fresh = Detector::new(architecture, scene.classes()).device(Device::cpu());
        let model = fit(&fresh, FitOptions::steps(1), &|| false)?.last().clone();
        let whole = fit(&model, FitOptions::steps(5), &|| false)?;

        let checkpoints = folder.path().join(name);
        let count = std::cell::Cell::new(0);
        let stop = || {
            count.set(count.get() + 1);
            count.get() > 2
        };
        let part = fit(
            &model,
            FitOptions::steps(5).checkpoints(&checkpoints),
            &stop,
        )?;
        assert_eq!(part.stopped(), StopReason::Interrupted);
        assert_eq!(part.history().step_losses.len(), 2);
        let resumed = fit(&model, FitOptions::steps(5).resume(&checkpoints), &|| false)?;
        let losses = &whole.history().step_losses;
        assert_eq!(losses.len(), 5);
        assert_eq!(&resumed.history().step_losses, losses, "{name}");
        assert!(tensors(resumed.last()) == tensors(whole.last()), "{name}");
        assert!(tensors(resumed.best()) == tensors(whole.best()), "{name}");
    }
    Ok(())
}

#[test]
fn a_checkpoint_of_a_detector_with_other_choices_is_refused_by_name() -> Result<()> {
    let folder = folder();
    let scene = squares(folder.path())?;
    let chips = scene.chips(Chips::random(2, 64).seed(3))?;
    let of = |sizes| {
        let architecture = crate::models::RetinaNet::resnet18().anchor_sizes(sizes);
        Detector::new(architecture, scene.classes()).device(Device::cpu())
    };
    let options = || FitOptions::steps(1).batch(2).quiet(true);
    let first = of([16.0, 32.0, 64.0, 128.0, 256.0]);
    let _run = first.fit(&chips, &scene, options().checkpoints(folder.path()))?;
    refused(
        of([8.0, 32.0, 64.0, 128.0, 256.0]).fit(&chips, &scene, options().resume(folder.path())),
        "anchor_sizes is [16.0,32.0,64.0,128.0,256.0], this run's is [8.0,32.0,64.0,128.0,256.0]",
        "resume with the settings, chips and architecture of the first run",
    );
    Ok(())
}

#[track_caller]
fn refused<T>(result: Result<T>, message: &str, hint: &str) {
    let Err(error) = result else {
        panic!("expected an error with {message:?}")
    };
    assert!(error.to_string().contains(message), "{error}");
    let found = error.hint().unwrap_or_default();
    assert!(found.contains(hint), "hint {found:?} of {error}");
}

#[test]
fn what_cannot_be_trained_or_loaded_is_an_error_with_the_way_out() -> Result<()> {
    let folder = folder();
    let scene = squares(folder.path())?;
    let bare = Scene::open(scene.raster().path())?;
    let chips = scene.chips(Chips::random(4, 64))?;
    let model = Detector::new(narrow(), scene.classes()).device(Device::cpu());
    let quiet = || FitOptions::steps(1).quiet(true);
    refused(
        model.fit(&chips, &bare, quiet()),
        "the validation scene has no boxes",
        "with_boxes",
    );
    refused(
        model.fit(&bare.chips(Chips::random(4, 64))?, &scene, quiet()),
        "the training scene has no boxes",
        "with_boxes",
    );
    refused(
        Detector::new(narrow(), crate::labels::Classes::new(["lake"])).fit(&chips, &scene, quiet()),
        "the model has [\"background\", \"lake\"]",
        "scene.classes()",
    );
    refused(model.predict(&scene), "no weights yet", "Detector::load");
    refused(
        model.fit(&chips, &scene, quiet().loss(super::Loss::Dice)),
        "cannot train with loss = Dice",
        "",
    );
    refused(
        model.find_rate(&chips, quiet().class_weights([1.0, 2.0])),
        "cannot train with class_weights = [1.0, 2.0]: expected nothing set",
        "",
    );

    let path = folder.path().join("map.swath");
    let unet = Unet::resnet18().decoder_widths([16, 16, 8, 8, 8]);
    let network = unet.build(1, 2, &Device::cpu())?;
    let names = ["background", "car"].map(str::to_owned).to_vec();
    let normalization = crate::models::Normalization::eight_bit(1);
    let meta = crate::models::BundleMeta::new(unet, 1, names, normalization, 64);
    crate::models::save_bundle(&path, &meta, network.as_ref())?;
    refused(
        Detector::load(&path),
        "holds a segmentation model",
        "Segmenter::load",
    );
    Ok(())
}

#[test]
fn centernets_take_images_of_any_size_and_bands() -> Result<()> {
    use burn::tensor::Tensor;
    let device = Device::cpu();
    let network = CenterNet::resnet18().build(5, 4, &device)?;
    let network = network.inference();
    for [height, width] in [[64, 96], [50, 70]] {
        let images = Tensor::<4>::ones([2, 5, height, width], device.burn());
        let options = crate::models::DetectOptions {
            min_score: 0.0,
            ..Default::default()
        };
        let found = network.detect(images, &options);
        assert_eq!(found.len(), 2);
        let inside = |found: &crate::boxes::Detection| {
            let bounds = found.bounds;
            bounds == bounds.clip(width as f64, height as f64) && (1..4).contains(&found.class)
        };
        assert!(found.iter().flatten().all(inside));
    }
    Ok(())
}

#[test]
fn detectors_with_anchors_train_save_and_load_by_the_same_calls() -> Result<()> {
    use crate::models::{FasterRcnn, RetinaNet};

    let folder = folder();
    let scene = squares(folder.path())?;
    let (train, valid) = scene.split(Split::columns(0.67));
    let chips = train.chips(Chips::random(2, 64).seed(3))?;
    let sizes = [16.0, 32.0, 64.0, 128.0, 256.0];
    let networks: [DetectorArchitecture; 2] = [
        RetinaNet::resnet18().anchor_sizes(sizes).into(),
        FasterRcnn::resnet18().anchor_sizes(sizes).into(),
    ];
    for architecture in networks {
        let model = Detector::new(architecture, scene.classes());
        let model = model.device(Device::cpu());
        let exported = folder.path().join("detector.safetensors");
        refused(
            model.export_torchvision(&exported),
            "no weights yet",
            "Detector::load",
        );
        let run = model.fit(
            &chips,
            &valid,
            FitOptions::steps(2).batch(1).lr(1e-4).quiet(true),
        )?;
        assert_eq!(run.stopped(), StopReason::Finished);
        let path = folder.path().join("anchors.swath");
        run.best().save(&path)?;
        let loaded = Detector::load(&path)?;
        assert_eq!(tensors(&loaded), tensors(run.best()));
        loaded.export_torchvision(&exported)?;
        let named = crate::models::weights::load(&exported)?;
        let own = tensors(&loaded);
        assert!(own.iter().all(|(name, data)| named.get(name) == Some(data)));
    }
    Ok(())
}

#[test]
fn a_detector_finds_a_learning_rate_and_stays_as_it_is() -> Result<()> {
    let folder = folder();
    let scene = squares(folder.path())?;
    let chips = scene.chips(Chips::random(8, 64).seed(3))?;
    let model = Detector::new(narrow(), scene.classes()).device(Device::cpu());
    let search = model.find_rate(&chips, FitOptions::steps(30).batch(2).quiet(true))?;
    assert!(search.rates().len() > 15, "{}", search.rates().len());
    assert!(search.rates().windows(2).all(|pair| pair[0] < pair[1]));
    assert!(
        search
            .valley()
            .is_some_and(|rate| rate > 1e-7 && rate < 10.0)
    );
    assert!(!model.is_trained());
    let bare = Scene::open(scene.raster().path())?;
    refused(
        model.find_rate(&bare.chips(Chips::random(4, 64))?, FitOptions::steps(5)),
        "has no boxes",
        "with_boxes",
    );
    Ok(())
}
