//! Batch norms folded into convolutions give what they gave before, in every network.

use burn::tensor::{Device as BurnDevice, Tensor};

use super::detection::faster_rcnn::{FasterRcnnModel, FasterRcnnOptions};
use super::oracle_tests::{formula, images};
use super::{
    AnyModule, Architecture, Blueprint, CenterNet, DeepLabV3, DeepLabV3Plus, DetectOptions,
    DetectorArchitecture, Fpn, NamedTensors, ResNetKind, RetinaNet, Task, Unet,
};
use crate::boxes::{Annotation, BoundingBox};
use crate::device::Device;

/// The network with weights and statistics none of which is 0 or 1.
fn filled<T: Task>(architecture: &Blueprint<T>) -> Box<T::Network> {
    let mut network = architecture.build_blank(3, 3, &Device::cpu()).unwrap();
    let named: NamedTensors = network
        .named_tensors()
        .into_iter()
        .map(|(name, data)| (name.clone(), formula(&name, data.shape().as_slice())))
        .collect();
    network.load_tensors(&named).unwrap();
    network
}

/// Values equal to 1e-4 of the greater of themselves and their mean size.
fn assert_equal<const D: usize>(plain: Tensor<D>, folded: Tensor<D>, what: &str) {
    assert_eq!(plain.dims(), folded.dims());
    let [plain, folded] =
        [plain, folded].map(|tensor| tensor.into_data().try_to_vec::<f32>().unwrap());
    let mean = plain.iter().map(|value| value.abs()).sum::<f32>() / plain.len() as f32;
    assert!(mean > 1e-3 && mean.is_finite(), "{what}: mean size {mean}");
    for (plain, folded) in plain.iter().zip(&folded) {
        assert!(
            (plain - folded).abs() <= 1e-4 * plain.abs().max(mean),
            "{what}: {plain}, folded {folded}"
        );
    }
}

/// That every norm went into a convolution, and that the network it was done with is as it was.
fn assert_folded<T: Task>(network: &T::Network, folded: &T::Network, before: &NamedTensors) {
    assert!(network.named_tensors() == *before);
    let norms = before
        .keys()
        .filter(|name| name.ends_with("running_var"))
        .count();
    let biases = |tensors: &NamedTensors| {
        let is_bias = |name: &&String| {
            let weight = name
                .strip_suffix("bias")
                .map(|name| format!("{name}weight"));
            weight.is_some_and(|weight| {
                tensors
                    .get(&weight)
                    .is_some_and(|data| data.shape().len() == 4)
            })
        };
        tensors.keys().filter(is_bias).count()
    };
    assert_eq!(biases(&folded.named_tensors()), biases(before) + norms);
}

#[test]
fn folded_segmentation_networks_compute_the_same() {
    let networks: [Architecture; 6] = [
        Unet::efficientnet_lite0().pretrained(false).into(),
        Unet::resnet18().into(),
        Unet::resnet50().into(),
        Fpn::resnet18().into(),
        DeepLabV3::resnet50().into(),
        DeepLabV3Plus::resnet50().into(),
    ];
    for architecture in networks {
        let network = filled::<super::Segmentation>(&architecture);
        let before = network.named_tensors();
        let (plain, folded) = (network.inference(), network.prediction());
        assert_folded::<super::Segmentation>(network.as_ref(), folded.as_ref(), &before);
        let images = images([64, 96], &BurnDevice::flex());
        assert_equal(
            plain.forward(images.clone()),
            folded.forward(images),
            &architecture.name(),
        );
    }
}

#[test]
fn folded_detectors_compute_the_same() {
    let networks: [DetectorArchitecture; 5] = [
        CenterNet::efficientnet_lite0().pretrained(false).into(),
        CenterNet::resnet18().into(),
        RetinaNet::resnet18().into(),
        RetinaNet::resnet50().into(),
        // Without samples that the scores' last digits decide.
        DetectorArchitecture::custom("Faster R-CNN", |bands, classes, device| {
            let options = FasterRcnnOptions {
                proposal_samples: 100_000,
                box_samples: 100_000,
                ..FasterRcnnOptions::default()
            };
            FasterRcnnModel::new(ResNetKind::Resnet18, bands, classes, &options, device)
        }),
    ];
    let object = Annotation::new(BoundingBox::new(10.0, 12.0, 42.0, 50.0), 1);
    let targets = vec![vec![object], vec![]];
    for architecture in networks {
        let network = filled::<super::ObjectDetection>(&architecture);
        let before = network.named_tensors();
        let (plain, folded) = (network.inference(), network.prediction());
        assert_folded::<super::ObjectDetection>(network.as_ref(), folded.as_ref(), &before);
        let images = || images([64, 96], &BurnDevice::flex());
        let losses = plain.losses(images(), &targets);
        for ((name, plain), (_, folded)) in
            losses.into_iter().zip(folded.losses(images(), &targets))
        {
            let what = format!("{name} of {}", architecture.name());
            assert_equal(plain, folded, &what);
        }
        let options = DetectOptions {
            max_boxes: 20,
            ..DetectOptions::default()
        };
        let boxes = plain.detect(images(), &options);
        assert_eq!(boxes.len(), folded.detect(images(), &options).len());
    }
}

#[test]
fn folding_twice_is_folding_once() {
    let network = filled::<super::Segmentation>(&Unet::resnet18().into());
    let once = network.prediction();
    let twice = once.prediction();
    assert!(once.named_tensors() == twice.named_tensors());
    let images = images([32, 32], &BurnDevice::flex());
    let [once, twice] = [once, twice].map(|network| network.forward(images.clone()).into_data());
    assert!(once == twice);
}
