//! Files that commit 9dfce20 wrote, in the names of before American spelling: bundles of every network, and checkpoints of
//! both tasks. `tests/fixtures/before` holds their headers, to the letter; the weights between them are drawn anew here,
//! since they would be 700 MB.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use swath::Hint as _;
use swath::models::{BundleMeta, DetectorArchitecture, Task};
use swath::prelude::*;

/// Writes the file that had this header, with weights that differ from place to place.
fn file_of_before(name: &str, path: &Path) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/before");
    let header = std::fs::read(fixtures.join(format!("{name}.header"))).unwrap();
    let entries: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&header).unwrap();
    let end = entries
        .values()
        .filter_map(|entry| entry["data_offsets"][1].as_u64())
        .max()
        .unwrap();
    let mut bytes = Vec::with_capacity(8 + header.len() + end as usize);
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.extend(&header);
    let values = (0..end / 4).map(|index| 0.01 + (index % 97) as f32 * 1e-4);
    bytes.extend(values.flat_map(f32::to_le_bytes));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
    path.to_owned()
}

/// The values of every tensor of a file, by name.
fn tensors(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let bytes = std::fs::read(path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    file.tensors()
        .into_iter()
        .map(|(name, view)| (name, view.data().to_vec()))
        .collect()
}

fn scene() -> Scene {
    samples::town(1, 512).unwrap().scene().unwrap()
}

#[track_caller]
fn check_meta<T: Task>(meta: &BundleMeta<T>, classes: &[&str], license: Option<&str>) {
    assert_eq!(meta.classes, classes);
    assert_eq!(meta.gsd, Some([0.3, 0.3]));
    assert_eq!(meta.license.as_deref(), license);
    assert!(meta.normalization.mean[0] > 100.0);
}

#[test]
fn segmenters_of_before_load_and_keep_every_weight() {
    let folder = tempfile::tempdir().unwrap();
    for network in ["unet", "lite0", "fpn", "deeplabv3", "deeplabv3plus"] {
        let old = file_of_before(network, &folder.path().join(format!("{network}.swath")));
        let model = Segmenter::load(&old).unwrap();
        let classes = ["background", "building", "car", "road", "tree"];
        check_meta(model.meta().unwrap(), &classes, Some("CC0"));
        let new = folder.path().join(format!("{network}-again.swath"));
        model.save(&new).unwrap();
        assert_eq!(tensors(&old), tensors(&new), "{network}");
        assert_eq!(
            format!("{:?}", Segmenter::load(&new).unwrap().architecture()),
            format!("{:?}", model.architecture())
        );
    }
    let unet = Segmenter::load(folder.path().join("unet.swath")).unwrap();
    let same: Architecture = Unet::resnet18().pretrained(false).into();
    assert_eq!(format!("{:?}", unet.architecture()), format!("{same:?}"));
    let (left, _) = scene().split(Split::columns(0.25));
    assert_eq!(unet.predict(&left).unwrap().classes().names().len(), 5);
}

#[test]
fn weights_that_are_no_numbers_are_an_error_that_names_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = file_of_before("unet", &folder.path().join("unet.swath"));
    let mut bytes = std::fs::read(&path).unwrap();
    let end = bytes.len();
    for (at, value) in [(4, f32::NAN), (8, f32::INFINITY)] {
        bytes[end - at..end - at + 4].copy_from_slice(&value.to_le_bytes());
    }
    std::fs::write(&path, bytes).unwrap();
    let error = Segmenter::load(&path).unwrap_err().to_string();
    assert!(
        error.contains("2 of the") && error.contains("are no numbers"),
        "{error}"
    );
}

#[test]
fn what_is_no_model_is_told_by_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = file_of_before("unet-training", &folder.path().join("training.safetensors"));
    let archive = folder.path().join("other.zip");
    std::fs::write(&archive, b"PK\x03\x04 and an archive's other bytes").unwrap();
    let weights = folder.path().join("weights.pth");
    std::fs::write(&weights, b"PK\x03\x04 archive/data.pkl").unwrap();
    for (path, what, next) in [
        (
            &checkpoint,
            "a checkpoint of a training",
            "FitOptions::resume",
        ),
        (&archive, "a ZIP archive", ".save"),
        (&weights, "weights alone", ".weights(path)"),
    ] {
        let error = Segmenter::load(path).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
        let hint = error.hint().unwrap();
        assert!(hint.contains(next), "{hint}");
    }
}

#[test]
fn detectors_of_before_load_and_keep_every_weight() {
    let folder = tempfile::tempdir().unwrap();
    let networks: [(&str, DetectorArchitecture); 3] = [
        ("centernet", CenterNet::resnet18().pretrained(false).into()),
        ("retinanet", RetinaNet::resnet18().pretrained(false).into()),
        (
            "fasterrcnn",
            FasterRcnn::resnet18().pretrained(false).into(),
        ),
    ];
    for (network, architecture) in networks {
        let old = file_of_before(network, &folder.path().join(format!("{network}.swath")));
        let model = Detector::load(&old).unwrap();
        check_meta(model.meta().unwrap(), &["background", "car"], None);
        assert_eq!(model.meta().unwrap().threshold, Some(0.5));
        assert_eq!(
            format!("{:?}", model.architecture()),
            format!("{architecture:?}")
        );
        let new = folder.path().join(format!("{network}-again.swath"));
        model.save(&new).unwrap();
        assert_eq!(tensors(&old), tensors(&new), "{network}");
        let (left, _) = scene().split(Split::columns(0.25));
        model.predict(&left).unwrap();
    }
}

/// The options of the run whose checkpoint `unet-training` is.
fn as_before() -> FitOptions {
    FitOptions::steps(2)
        .batch(2)
        .ema(0.9)
        .optimizer(Optimizer::sgd(0.9).nesterov())
        .quiet(true)
}

#[test]
fn checkpoints_of_before_resume_a_map() {
    let folder = tempfile::tempdir().unwrap();
    file_of_before("unet-training", &folder.path().join("training.safetensors"));
    let (train, valid) = scene().split(Split::columns(0.5));
    let chips = train.chips(Chips::random(4, 64).seed(1)).unwrap();
    let options = as_before();
    let model = Segmenter::new(Unet::resnet18().pretrained(false), train.classes());
    let run = model
        .fit(&chips, &valid, options.clone().resume(folder.path()))
        .unwrap();
    // The history is the file's: two steps, which this run need not take again.
    assert_eq!(run.history().step_losses, [2.119_325_4, 2.126_628]);
    let other = options.optimizer(Optimizer::adamw()).resume(folder.path());
    let refused = model.fit(&chips, &valid, other).unwrap_err().to_string();
    assert!(refused.contains("optimizer"), "{refused}");
}

/// The header of a file, and its numbers by the names of the tensors.
fn checkpoint(path: &Path) -> (serde_json::Value, BTreeMap<String, Vec<f32>>) {
    let bytes = std::fs::read(path).unwrap();
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let text = metadata
        .metadata()
        .as_ref()
        .unwrap()
        .values()
        .next()
        .unwrap();
    let number = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().unwrap());
    let numbers = |bytes: Vec<u8>| bytes.chunks_exact(4).map(number).collect();
    let tensors = tensors(path).into_iter();
    (
        serde_json::from_str(text).unwrap(),
        tensors
            .map(|(name, bytes)| (name, numbers(bytes)))
            .collect(),
    )
}

#[test]
fn checkpoints_of_before_go_on_with_their_moments_and_their_average() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("training.safetensors");
    file_of_before("unet-training", &file);
    let (_, before) = checkpoint(&file);
    // As it was after the first of the two steps. The header keeps its length, so that the tensors stay where they are.
    let bytes = std::fs::read(&file).unwrap();
    let end = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header = String::from_utf8(bytes[8..end].to_vec()).unwrap();
    for (was, is) in [
        (
            r#"\"step\":2,\"optimiser_steps\":2"#,
            r#"\"step\":1,\"optimiser_steps\":1"#,
        ),
        (r#"\"average_updates\":2"#, r#"\"average_updates\":1"#),
        (r#"\"epoch_losses\":[]"#, r#"\"epoch_losses\":[2.119]"#),
    ] {
        assert_eq!(header.matches(was).count(), 1, "{was}");
        header = header.replace(was, is);
    }
    let mut earlier = (header.len() as u64).to_le_bytes().to_vec();
    earlier.extend(header.as_bytes());
    earlier.extend(&bytes[end..]);
    std::fs::write(&file, earlier).unwrap();

    let (train, valid) = scene().split(Split::columns(0.5));
    let chips = train.chips(Chips::random(4, 64).seed(1)).unwrap();
    let options = as_before().resume(folder.path());
    let run = Segmenter::new(Unet::resnet18().pretrained(false), train.classes())
        .fit(&chips, &valid, options)
        .unwrap();
    assert_eq!(run.stopped(), StopReason::Finished);
    let (header, after) = checkpoint(&file);
    assert_eq!(header["step"], 2);
    assert_eq!(header["optimizer_steps"], 2);
    assert_eq!(header["average_updates"], 2);
    assert!(before.keys().eq(after.keys()));

    // The moments of a bias, which does not decay, are 0.9 times those of before and the gradient, which is next to nothing
    // with such weights.
    let of = |from: &BTreeMap<String, Vec<f32>>, group: &str| {
        from[&format!("{group}/decoder.0.bn1.bias")].clone()
    };
    for (before, after) in of(&before, "first").iter().zip(of(&after, "first")) {
        assert!((after / before - 0.9).abs() < 1e-3, "{before} {after}");
    }
    let is = of(&after, "network");
    // A lost average would begin at the weights.
    let (average_before, average) = (of(&before, "average"), of(&after, "average"));
    let kept: Vec<f32> = (0..is.len())
        .map(|at| (average[at] - is[at]) / (average_before[at] - is[at]))
        .collect();
    assert!(kept[0] > 0.1, "{kept:?}");
    for found in &kept {
        assert!((found - kept[0]).abs() < 0.02 * kept[0], "{kept:?}");
    }
}

#[test]
fn checkpoints_of_before_resume_a_detector() {
    let folder = tempfile::tempdir().unwrap();
    file_of_before(
        "centernet-training",
        &folder.path().join("training.safetensors"),
    );
    let cars = scene().only(["car"]).unwrap();
    let (train, valid) = cars.split(Split::columns(0.5));
    let chips = train.chips(Chips::random(4, 64).seed(1)).unwrap();
    let run = Detector::new(CenterNet::resnet18().pretrained(false), train.classes())
        .fit(
            &chips,
            &valid,
            FitOptions::steps(2)
                .batch(2)
                .quiet(true)
                .resume(folder.path()),
        )
        .unwrap();
    assert_eq!(run.history().step_losses.len(), 2);
}
