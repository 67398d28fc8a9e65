//! Each network: what it says of an image, and the gradients of all of its weights, on both devices from the same weights.

use std::collections::BTreeMap;

use swath::boxes::{Annotation, BoundingBox};
use swath::burn::tensor::{Tensor, activation};
use swath::models::{
    BoxedClassificationNetwork, BoxedDetectionNetwork, BoxedNetwork, CenterNet, DeepLabV3,
    DeepLabV3Plus, DetectOptions, FasterRcnn, Fpn, ImageClassifier, NamedTensors, RetinaNet,
};
use swath::prelude::*;
use swath::train::{Optimizer, OptimizerState, Rates, Targets};

use crate::support::{device, has_numbers, input, read, same};

/// Of the largest gradient: batch norms of few pixels divide by small deviations.
const GRADIENTS: f32 = 5e-3;

/// Descends by the gradients themselves, so that the difference of weights is minus the gradient.
fn plain() -> (OptimizerState, Rates) {
    (
        OptimizerState::new(Optimizer::sgd(0.0), 0.0, None),
        Rates::even(1.0),
    )
}

fn floats(tensors: &NamedTensors) -> BTreeMap<String, Vec<f32>> {
    tensors
        .iter()
        .map(|(name, data)| {
            let values = data.clone().convert::<f32>().try_to_vec().unwrap();
            (name.clone(), values)
        })
        .collect()
}

/// What a step has added to each weight, one after another.
fn moved(before: &NamedTensors, after: &NamedTensors) -> Vec<f32> {
    let (before, after) = (floats(before), floats(after));
    assert!(before.keys().eq(after.keys()));
    before
        .iter()
        .filter(|(name, _)| !name.contains("running"))
        .flat_map(|(name, values)| {
            values
                .iter()
                .zip(&after[name])
                .map(|(before, after)| after - before)
                .collect::<Vec<f32>>()
        })
        .collect()
}

/// Cuts a list of gradients where they are too large for a comparison by their maximum alone: nothing is left out.
fn compare_steps(what: &str, cpu: &[f32], tested: &[f32]) {
    same(&format!("{what}, gradients"), cpu, tested, GRADIENTS);
    if has_numbers() {
        let squares = |values: &mut dyn Iterator<Item = f32>| {
            values
                .map(|value| f64::from(value).powi(2))
                .sum::<f64>()
                .sqrt()
        };
        let apart = squares(&mut cpu.iter().zip(tested).map(|(a, b)| a - b));
        let length = squares(&mut cpu.iter().copied());
        assert!(
            apart <= 2e-3 * length,
            "{what}: the gradient is {length} long, the difference {apart}"
        );
    }
}

fn segmentation(architecture: Architecture, bands: usize, [height, width]: [usize; 2]) {
    let what = architecture.name();
    let cpu = Device::cpu();
    cpu.burn().seed(1);
    let network = architecture.build(bands, 3, &cpu).unwrap();
    let shape = [2, bands, height, width];
    let labels: Vec<u8> = (0..2 * height * width)
        .map(|pixel| (pixel / 5 % 3) as u8)
        .collect();
    let on = |place: &Device| {
        let copy = network.to_device(place.burn());
        let said = read(copy.prediction().forward(input(shape, 5, place)));
        let training: BoxedNetwork = copy.training();
        let before = training.named_tensors();
        let logits = training.forward(Tensor::from_inner(input(shape, 5, place)));
        let tracked = place.burn().clone().autodiff();
        let targets = Targets::new(&labels, [2, 3, height, width], &tracked);
        let loss = Loss::Sum.of(logits, &targets, None);
        let (mut descent, rates) = plain();
        training.gather(&mut descent, loss.backward());
        let (stepped, _) = training.descend(&mut descent, &rates);
        (said, moved(&before, &stepped.named_tensors()))
    };
    let (on_cpu, tested) = (on(&cpu), on(&device()));
    same(&format!("{what}, forward"), &on_cpu.0, &tested.0, 1e-3);
    compare_steps(&what, &on_cpu.1, &tested.1);
}

#[test]
fn unet_resnet18_of_three_bands() {
    segmentation(Unet::resnet18().pretrained(false).into(), 3, [32, 32]);
}

#[test]
fn unet_efficientnet_of_odd_sizes_and_thirteen_bands() {
    segmentation(
        Unet::efficientnet_lite0().pretrained(false).into(),
        13,
        [40, 33],
    );
}

#[test]
fn fpn_of_one_band() {
    segmentation(Fpn::resnet18().pretrained(false).into(), 1, [32, 64]);
}

#[test]
fn deeplab_v3() {
    // Without dropout, whose random numbers are each device's own.
    let network = DeepLabV3::resnet18().dropout(0.0).pretrained(false);
    segmentation(network.into(), 3, [33, 32]);
}

#[test]
fn deeplab_v3_plus() {
    let network = DeepLabV3Plus::resnet18().dropout(0.0).pretrained(false);
    segmentation(network.into(), 4, [32, 32]);
}

#[test]
fn a_classifier() {
    let architecture: ClassifierArchitecture = ImageClassifier::resnet18()
        .dropout(0.0)
        .pretrained(false)
        .into();
    let cpu = Device::cpu();
    cpu.burn().seed(1);
    let network = architecture.build(3, 4, &cpu).unwrap();
    let shape = [3, 3, 32, 32];
    let on = |place: &Device| {
        let copy = network.to_device(place.burn());
        let said = read(copy.prediction().forward(input(shape, 5, place)));
        let training: BoxedClassificationNetwork = copy.training();
        let before = training.named_tensors();
        let scores = training.forward(Tensor::from_inner(input(shape, 5, place)));
        let loss = -activation::log_softmax(scores, 1).narrow(1, 2, 1).mean();
        let (mut descent, rates) = plain();
        training.gather(&mut descent, loss.backward());
        let (stepped, _) = training.descend(&mut descent, &rates);
        (said, moved(&before, &stepped.named_tensors()))
    };
    let (on_cpu, tested) = (on(&cpu), on(&device()));
    same("classifier, forward", &on_cpu.0, &tested.0, 1e-3);
    compare_steps("classifier", &on_cpu.1, &tested.1);
}

fn detection(architecture: DetectorArchitecture, edge: usize) {
    let what = architecture.name();
    let cpu = Device::cpu();
    cpu.burn().seed(1);
    let network = architecture.build(3, 3, &cpu).unwrap();
    let shape = [2, 3, edge, edge];
    let bounds = |x: f64, y: f64, w: f64, h: f64| BoundingBox::new(x, y, x + w, y + h);
    let targets = vec![
        vec![
            Annotation::new(bounds(3.0, 5.0, 20.0, 17.0), 1),
            Annotation::new(bounds(30.0, 28.0, 25.0, 30.0), 2),
        ],
        // An image without objects.
        Vec::new(),
    ];
    let on = |place: &Device| {
        let copy = network.to_device(place.burn());
        let options = DetectOptions {
            min_score: 0.0,
            ..DetectOptions::default()
        };
        let found = copy.prediction().detect(input(shape, 5, place), &options);
        let scores: Vec<f32> = found
            .iter()
            .flatten()
            .map(|one| one.score)
            .take(5)
            .collect();
        let training: BoxedDetectionNetwork = copy.training();
        let before = training.named_tensors();
        let losses = training.losses(Tensor::from_inner(input(shape, 5, place)), &targets);
        let each: Vec<f32> = losses
            .iter()
            .map(|(_, loss)| loss.clone().inner().into_scalar::<f32>())
            .collect();
        let all = losses
            .into_iter()
            .map(|(_, loss)| loss)
            .reduce(|a, b| a + b);
        let (mut descent, rates) = plain();
        training.gather(&mut descent, all.unwrap().backward());
        let (stepped, _) = training.descend(&mut descent, &rates);
        (scores, each, moved(&before, &stepped.named_tensors()))
    };
    let (on_cpu, tested) = (on(&cpu), on(&device()));
    if has_numbers() {
        same(&format!("{what}, scores"), &on_cpu.0, &tested.0, 2e-3);
    }
    same(&format!("{what}, losses"), &on_cpu.1, &tested.1, 2e-3);
    compare_steps(&what, &on_cpu.2, &tested.2);
}

#[test]
fn centernet_efficientnet() {
    detection(CenterNet::efficientnet_lite0().pretrained(false).into(), 64);
}

#[test]
fn retinanet() {
    detection(RetinaNet::resnet18().pretrained(false).into(), 64);
}

#[test]
fn faster_rcnn() {
    detection(FasterRcnn::resnet18().pretrained(false).into(), 64);
}
