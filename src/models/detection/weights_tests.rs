//! State dicts in detectors: which are taken, what is used of them, and where pretrained ones come from.

use std::path::{Path, PathBuf};

use super::behavior_tests::only_norms_stay;
use super::retinanet::BoxLoss;
use super::{FasterRcnn, RetinaNet};
use crate::device::Device;
use crate::models::origin::Origin;
use crate::models::{
    CenterNet, DetectorArchitecture, EncoderOptions, NamedTensors, Normalization, ResNetKind, Unet,
    catalog,
};
use crate::raster::DataType;

fn written(folder: &Path, name: &str, tensors: &NamedTensors) -> PathBuf {
    let path = folder.join(name);
    let views: Vec<_> = tensors
        .iter()
        .map(|(name, data)| {
            let shape = data.shape().to_vec();
            let view = safetensors::tensor::TensorView::new(
                safetensors::Dtype::F32,
                shape,
                data.as_bytes(),
            );
            (name.clone(), view.unwrap())
        })
        .collect();
    std::fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
    path
}

fn tensors_of(
    architecture: impl Into<DetectorArchitecture>,
    bands: usize,
    classes: usize,
) -> NamedTensors {
    let architecture: DetectorArchitecture = architecture.into();
    let network = architecture.build(bands, classes, &Device::cpu()).unwrap();
    network.inference().named_tensors()
}

/// A detector on ResNet-18, from a file where there is one.
fn detector(network: &str, weights: Option<&Path>) -> DetectorArchitecture {
    match (network, weights) {
        ("RetinaNet", None) => RetinaNet::resnet18().into(),
        ("RetinaNet", Some(path)) => RetinaNet::resnet18().weights(path).into(),
        ("Faster R-CNN", None) => FasterRcnn::resnet18().into(),
        ("Faster R-CNN", Some(path)) => FasterRcnn::resnet18().weights(path).into(),
        ("CenterNet", None) => CenterNet::resnet18().into(),
        ("CenterNet", Some(path)) => CenterNet::resnet18().weights(path).into(),
        other => panic!("{other:?}"),
    }
}

/// The names of torchvision before version 0.13.
fn old_names(tensors: NamedTensors) -> NamedTensors {
    tensors
        .into_iter()
        .map(|(name, data)| {
            let mut parts: Vec<String> = name.split('.').map(str::to_owned).collect();
            let is_block =
                parts.iter().any(|part| part.ends_with("_blocks")) && !name.contains("extra");
            if is_block || name.starts_with("rpn.head.conv") {
                parts.remove(parts.len() - 2);
            }
            if name.starts_with("rpn.head.conv") {
                parts.remove(parts.len() - 2);
            }
            if name.starts_with("head.") && name.contains(".conv.") {
                parts.remove(parts.len() - 2);
                let number: usize = parts[3].parse().unwrap();
                parts[3] = (2 * number).to_string();
            }
            (parts.join("."), data)
        })
        .collect()
}

#[test]
fn detectors_take_torchvisions_state_dicts_of_today_and_of_before() {
    let folder = tempfile::tempdir().unwrap();
    for (network, of_classes) in [
        ("RetinaNet", "head.classification_head.cls_logits"),
        ("Faster R-CNN", "roi_heads.box_predictor"),
    ] {
        let original = tensors_of(detector(network, None), 3, 4);
        let today = written(folder.path(), "today.safetensors", &original);
        assert_eq!(tensors_of(detector(network, Some(&today)), 3, 4), original);

        // The old files' batch norms had no epsilon; ours take theirs off the variance.
        let before = written(
            folder.path(),
            "before.safetensors",
            &old_names(original.clone()),
        );
        for (name, data) in tensors_of(detector(network, Some(&before)), 3, 4) {
            if name.ends_with("running_var") {
                let change = original[&name].as_slice::<f32>().unwrap()[0]
                    - data.as_slice::<f32>().unwrap()[0];
                assert!((change - 1e-5).abs() < 1e-6, "{name} {change}");
            } else {
                assert_eq!(data, original[&name], "{name}");
            }
        }

        // Other classes and bands: all but the layers of the classes, and the first convolution repeated.
        let other = tensors_of(detector(network, Some(&today)), 6, 2);
        for (name, data) in other {
            if !name.starts_with(of_classes) && name != "backbone.body.conv1.weight" {
                assert_eq!(data, original[&name], "{name}");
            }
        }
    }
}

#[test]
fn detectors_take_an_encoders_state_dict() {
    let folder = tempfile::tempdir().unwrap();
    let original = tensors_of(RetinaNet::resnet18(), 3, 3);
    let encoder: NamedTensors = original
        .iter()
        .filter_map(|(name, data)| {
            Some((
                name.strip_prefix("backbone.body.")?.to_owned(),
                data.clone(),
            ))
        })
        .collect();
    let path = written(folder.path(), "resnet18.safetensors", &encoder);
    let loaded = tensors_of(FasterRcnn::resnet18().weights(&path), 3, 2);
    for (name, data) in loaded {
        if let Some(name) = name.strip_prefix("backbone.body.") {
            assert_eq!(data, encoder[name], "{name}");
        }
    }
}

#[test]
fn weights_of_another_encoder_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let other = tensors_of(RetinaNet::resnet18(), 3, 3);
    let path = written(folder.path(), "retinanet.safetensors", &other);
    let refused = |architecture: DetectorArchitecture| {
        let result = architecture.build(3, 3, &Device::cpu());
        result.err().unwrap().to_string()
    };
    let error = refused(RetinaNet::resnet34().weights(&path).into());
    assert!(
        error.contains("RetinaNet ResNet-34") && error.contains("backbone.body.layer"),
        "{error}"
    );
    let error = refused(FasterRcnn::resnet18().weights(&path).into());
    assert!(
        error.contains("Faster R-CNN ResNet-18")
            && error.contains("backbone.fpn.inner_blocks.0.0.weight should have the shape"),
        "{error}"
    );
}

/// The part of a file under a name, without that name.
fn part(tensors: &NamedTensors, prefix: &str) -> NamedTensors {
    tensors
        .iter()
        .filter_map(|(name, data)| Some((name.strip_prefix(prefix)?.to_owned(), data.clone())))
        .collect()
}

#[test]
fn a_centernet_takes_its_own_state_dict_whole_but_for_the_layer_of_the_classes() {
    let folder = tempfile::tempdir().unwrap();
    let original = tensors_of(CenterNet::resnet18(), 3, 4);
    let path = written(folder.path(), "centernet.safetensors", &original);
    let architecture = CenterNet::resnet18().weights(&path);
    assert_eq!(tensors_of(architecture.clone(), 3, 4), original);

    for (name, data) in tensors_of(architecture.clone(), 6, 2) {
        let differs = name.starts_with("heat.out.") || name == "encoder.conv1.weight";
        assert_eq!(data == original[&name], !differs, "{name}");
    }
    let report = architecture.weights_report(6, 2).unwrap().unwrap();
    let other: Vec<_> = report.other_shape.iter().map(|it| &it.name).collect();
    assert_eq!(other, ["heat.out.bias", "heat.out.weight"]);
    assert_eq!(
        report.adapted,
        Some(("encoder.conv1.weight".to_owned(), [3, 6]))
    );
    assert!(report.missing.is_empty() && report.unused.is_empty());

    let mut damaged = original.clone();
    damaged.remove("sides.out.bias");
    let path = written(folder.path(), "damaged.safetensors", &damaged);
    let result = CenterNet::resnet18()
        .weights(&path)
        .build(3, 4, &Device::cpu());
    let error = result.err().unwrap().to_string();
    assert!(
        error.contains("CenterNet ResNet-18: sides.out.bias is missing"),
        "{error}"
    );
}

#[test]
fn the_report_of_an_encoders_file_says_what_was_applied_and_what_keeps_random_weights() {
    let folder = tempfile::tempdir().unwrap();
    let source = tensors_of(RetinaNet::resnet18(), 3, 3);
    let mut encoder = part(&source, "backbone.body.");
    encoder.insert("fc.weight".to_owned(), encoder["conv1.weight"].clone());
    let path = written(folder.path(), "resnet18.safetensors", &encoder);
    for (network, prefix) in [
        ("RetinaNet", "backbone.body."),
        ("Faster R-CNN", "backbone.body."),
        ("CenterNet", "encoder."),
    ] {
        let plain = detector(network, None);
        assert!(plain.weights_report(3, 2).unwrap().is_none());
        let architecture = detector(network, Some(&path));
        let report = architecture.weights_report(3, 2).unwrap().unwrap();
        assert_eq!(report.network, architecture.name());
        assert_eq!(report.applied.len(), encoder.len() - 1);
        assert!(report.applied.iter().all(|name| name.starts_with(prefix)));
        assert_eq!(report.unused, ["fc.weight"]);
        assert!(!report.missing.is_empty());
        assert!(report.missing.iter().all(|name| !name.starts_with(prefix)));
        let loaded = part(&tensors_of(architecture, 3, 2), prefix);
        assert!(loaded.iter().all(|(name, data)| encoder[name] == *data));
    }
}

#[test]
fn resnets_of_detectors_start_from_torchvisions_imagenet_file_where_that_is_asked_for() {
    /// A builder as it is made, pretrained, no more pretrained, and with a file after all.
    macro_rules! stages {
        ($plain:expr) => {{
            let plain = $plain;
            let pretrained = plain.clone().pretrained(true);
            let random = pretrained.clone().pretrained(false);
            let given = pretrained.clone().weights("mine.pth");
            [plain.into(), pretrained.into(), random.into(), given.into()]
        }};
    }
    let cases: [([DetectorArchitecture; 4], ResNetKind); 3] = [
        (stages!(RetinaNet::resnet18()), ResNetKind::Resnet18),
        (stages!(FasterRcnn::resnet50()), ResNetKind::Resnet50),
        (stages!(CenterNet::resnet34()), ResNetKind::Resnet34),
    ];
    for ([plain, pretrained, random, given], kind) in cases {
        let file = |architecture: &DetectorArchitecture| {
            let options = architecture.encoder_options().unwrap().clone();
            match options.origin() {
                Some(Origin::File(path)) => Some(path.to_owned()),
                Some(Origin::Published(weights)) => Some(weights.name.into()),
                None => None,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(file(&plain), None, "random weights unless asked");
        let input = |architecture: &DetectorArchitecture| {
            architecture.normalization(DataType::U8, &[90.0; 3], &[40.0; 3])
        };
        assert_ne!(input(&plain), Normalization::imagenet());

        let published = PathBuf::from(catalog::imagenet(kind).name);
        assert_eq!(file(&pretrained), Some(published));
        assert_eq!(input(&pretrained), Normalization::imagenet());
        assert_eq!(file(&random), None);
        assert_eq!(file(&given), Some("mine.pth".into()));
    }
}

#[test]
fn pretrained_detectors_of_torchvision_freeze_their_norms_as_there() {
    let frozen = |encoder: &EncoderOptions| encoder.frozen_norms;
    let pretrained = RetinaNet::resnet18().pretrained(true);
    assert!(frozen(pretrained.encoder_options()));
    let unfrozen = pretrained.clone().frozen_norms(false);
    assert!(!frozen(unfrozen.encoder_options()));
    assert!(!frozen(pretrained.pretrained(false).encoder_options()));
    let kept = FasterRcnn::resnet18().frozen_norms(true).pretrained(false);
    assert!(frozen(kept.encoder_options()));
    let others = [
        CenterNet::resnet18().pretrained(true),
        CenterNet::resnet18().weights("mine.pth"),
    ];
    assert!(others.iter().all(|other| !frozen(other.encoder_options())));
}

#[test]
fn frozen_norms_stay_frozen_with_loaded_weights() {
    let folder = tempfile::tempdir().unwrap();
    let source = tensors_of(RetinaNet::resnet18(), 2, 3);
    let path = written(folder.path(), "retinanet.safetensors", &source);
    let device = Device::cpu();
    let network = RetinaNet::resnet18()
        .weights(&path)
        .build(2, 3, &device)
        .unwrap()
        .training();
    only_norms_stay(network, &source);
}

/// `anchor_sizes([-1.0, 0.0, NAN, 64.0, 128.0])` trained.
/// A builder with other values, as a file can have them.
fn with<B: serde::Serialize + serde::de::DeserializeOwned>(
    builder: &B,
    values: &serde_json::Value,
) -> B {
    let mut written = serde_json::to_value(builder).unwrap();
    for (name, value) in values.as_object().unwrap() {
        assert!(
            written[name].is_array() || written[name].is_number(),
            "{name}"
        );
        written[name] = value.clone();
    }
    serde_json::from_value(written).unwrap()
}

#[test]
fn values_that_cannot_be_are_errors_that_name_them() {
    let bad = f64::NAN;
    for sizes in [
        [-1.0, 0.0, bad, 64.0, 128.0],
        [8.0, 16.0, 32.0, 64.0, f64::INFINITY],
        [0.0, 16.0, 32.0, 64.0, 128.0],
    ] {
        let networks: [DetectorArchitecture; 2] = [
            RetinaNet::resnet18().anchor_sizes(sizes).into(),
            FasterRcnn::resnet18().anchor_sizes(sizes).into(),
        ];
        for architecture in networks {
            let error = architecture.build(3, 2, &Device::cpu()).err().unwrap();
            assert!(error.to_string().contains("anchor sizes"), "{error}");
        }
    }
    for beta in [bad, -0.5, f64::INFINITY] {
        let detector = RetinaNet::resnet18().box_loss(BoxLoss::SmoothL1 { beta });
        let error = detector.build(3, 2, &Device::cpu()).err().unwrap();
        assert!(error.to_string().contains("beta"), "{error}");
    }
    for (network, choice) in [
        ("RetinaNet", serde_json::json!({"object_iou": 0.3})),
        ("RetinaNet", serde_json::json!({"candidates": 0})),
        ("FasterRcnn", serde_json::json!({"box_samples": 0})),
        ("FasterRcnn", serde_json::json!({"proposals": [0, 1000]})),
    ] {
        let refused = match network {
            "RetinaNet" => with(&RetinaNet::resnet18(), &choice).build(3, 2, &Device::cpu()),
            _ => with(&FasterRcnn::resnet18(), &choice).build(3, 2, &Device::cpu()),
        };
        let error = refused.err().unwrap().to_string();
        assert!(error.contains("possible"), "{error}");
    }
    for scale in [bad, -0.5, f64::INFINITY] {
        let detector = CenterNet::resnet18().encoder_lr_scale(scale);
        let error = detector.build(3, 2, &Device::cpu()).err().unwrap();
        assert!(error.to_string().contains("learning rate"), "{error}");
        let segmenter = Unet::resnet18().encoder_lr_scale(scale);
        let error = segmenter.build(3, 2, &Device::cpu()).err().unwrap();
        assert!(error.to_string().contains("learning rate"), "{error}");
    }
    let still = CenterNet::resnet18().encoder_lr_scale(0.0);
    assert!(still.build(3, 2, &Device::cpu()).is_ok());
}
