//! RetinaNet and Faster R-CNN against torchvision's: outputs, detections, losses, gradients, a step of SGD.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Tensor};
use serde::Deserialize;

use super::common;
use super::faster_rcnn::{FasterRcnnModel, FasterRcnnOptions};
use super::oracle_tests::{Summary, assert_close, assert_summary, boxes, filled};
use super::retinanet::{RetinaNetModel, RetinaNetOptions};
use super::{DetectOptions, DetectionNetwork};
use crate::boxes::{Annotation, BoundingBox, Detection};
use crate::models::oracle_tests::{images, named_gradients};
use crate::models::{NamedTensors, ResNetKind, tensors};

#[derive(Deserialize)]
struct Expected {
    size: [usize; 2],
    heads: Vec<Summary>,
    rate: f64,
    detections: Vec<Found>,
    losses: BTreeMap<String, f64>,
    gradients: BTreeMap<String, Summary>,
    after: BTreeMap<String, Summary>,
}

#[derive(Deserialize)]
struct Found {
    boxes: Vec<f64>,
    scores: Vec<f64>,
    labels: Vec<usize>,
    count: usize,
}

fn expected(name: &str) -> Expected {
    let text = include_str!("../../../tests/fixtures/detection/models.json");
    let mut all: BTreeMap<String, Expected> = serde_json::from_str(text).unwrap();
    all.remove(name).unwrap()
}

fn targets() -> Vec<Vec<Annotation>> {
    let object =
        |[a, b, c, d]: [f64; 4], class| Annotation::new(BoundingBox::new(a, b, c, d), class);
    vec![
        vec![
            object([10.0, 12.0, 42.0, 50.0], 1),
            object([50.0, 20.0, 70.0, 36.0], 2),
            object([5.0, 60.0, 100.0, 90.0], 2),
        ],
        vec![object([80.0, 8.0, 124.0, 44.0], 2)],
    ]
}

/// The largest difference between the sides of two boxes, in pixels.
fn distance(a: &BoundingBox, b: &BoundingBox) -> f64 {
    [
        a.x_min - b.x_min,
        a.y_min - b.y_min,
        a.x_max - b.x_max,
        a.y_max - b.y_max,
    ]
    .into_iter()
    .fold(0.0, |most, difference| most.max(difference.abs()))
}

/// Every expected detection has one of ours at its place, with its class and score; in order, but for equal scores.
fn assert_detections(found: &[Detection], expected: &Found, what: &str) {
    assert_eq!(found.len(), expected.count, "{what}");
    assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score));
    for (place, &score) in expected.scores.iter().enumerate() {
        let corners = &expected.boxes[4 * place..][..4];
        let wanted = BoundingBox::new(corners[0], corners[1], corners[2], corners[3]);
        let near = &found[place.saturating_sub(3)..(place + 4).min(found.len())];
        assert!(
            near.iter().any(|detection| {
                detection.class == expected.labels[place]
                    && (f64::from(detection.score) - score).abs() < 1e-4
                    && distance(&detection.bounds, &wanted) < 0.01
            }),
            "{what}, {place}: {wanted:?} {score} {}; found {near:?}",
            expected.labels[place]
        );
    }
}

/// Compares the tensors that `expected` names.
fn watch(found: &NamedTensors, expected: &BTreeMap<String, Summary>, tolerance: f64, what: &str) {
    for (name, expected) in expected {
        assert_summary(&found[name], expected, tolerance, &format!("{what}{name}"));
    }
}

/// Compares losses, gradients and a step of SGD.
fn compare_training<N: DetectionNetwork>(network: N, expected: &Expected) {
    let network = network.train();
    let losses = network.losses(
        images(expected.size, &Device::flex().autodiff()),
        &targets(),
    );
    let mut sum: Option<Tensor<1>> = None;
    assert_eq!(losses.len(), expected.losses.len());
    for (name, loss) in losses {
        let value = f64::from(loss.clone().into_scalar::<f32>());
        assert_close(&[value as f32], &[expected.losses[name]], 1e-4, name);
        sum = Some(match sum {
            Some(sum) => sum + loss,
            None => loss,
        });
    }
    let gradients = GradientsParams::from_grads(sum.unwrap().backward(), &network);
    let named = named_gradients(&network, &gradients);
    watch(&named, &expected.gradients, 1e-2, "gradient of ");
    let mut optimizer = SgdConfig::new().init();
    let network = optimizer.step(expected.rate, network, gradients);
    let named = tensors::collect(&network.valid());
    watch(&named, &expected.after, 1e-3, "after a step, ");
}

fn smaller(size: [usize; 2]) -> [usize; 2] {
    [size[0] - 6, size[1] - 9]
}

fn compare_retinanet(name: &str, kind: ResNetKind, frozen: bool) {
    let expected = expected(name);
    let device = Device::flex();
    let network = filled(RetinaNetModel::new(
        kind,
        3,
        3,
        &RetinaNetOptions::default(),
        &device,
    ));
    let network = if frozen {
        common::freeze_norms(network)
    } else {
        network
    };
    let inference = network.valid();
    let output = inference.outputs(images(expected.size, &device));
    assert_summary(
        &Tensor::cat(output.scores, 1).into_data(),
        &expected.heads[0],
        1e-4,
        "scores",
    );
    assert_summary(
        &Tensor::cat(output.offsets, 1).into_data(),
        &expected.heads[1],
        1e-4,
        "offsets",
    );
    let options = DetectOptions {
        min_score: 0.5,
        ..DetectOptions::default()
    };
    let found = inference.detect(images(smaller(expected.size), &device), &options);
    for (found, expected) in found.iter().zip(&expected.detections) {
        assert_detections(found, expected, name);
    }
    compare_training(network, &expected);
}

#[test]
fn retinanet_resnet_18_computes_and_learns_as_torchvisions() {
    compare_retinanet("retinanet_resnet18", ResNetKind::Resnet18, false);
}

#[test]
fn retinanet_resnet_50_with_frozen_batch_norms_computes_and_learns_as_torchvisions() {
    compare_retinanet("retinanet_resnet50", ResNetKind::Resnet50, true);
}

#[test]
fn faster_rcnn_resnet_50_computes_and_learns_as_torchvisions() {
    let expected = expected("faster_rcnn_resnet50");
    let device = Device::flex();
    let options = FasterRcnnOptions {
        proposal_samples: 100_000,
        box_samples: 100_000,
        candidates: [120, 120],
        proposals: [60, 60],
        ..FasterRcnnOptions::default()
    };
    let network = filled(FasterRcnnModel::new(
        ResNetKind::Resnet50,
        3,
        3,
        &options,
        &device,
    ));
    let network = common::freeze_norms(network);
    let inference = network.valid();
    let levels = inference.levels(images(expected.size, &device));
    let (scores, offsets): (Vec<_>, Vec<_>) = inference.rpn().heads(&levels).into_iter().unzip();
    for (index, output) in scores.into_iter().chain(offsets).enumerate() {
        assert_summary(
            &output.into_data(),
            &expected.heads[index],
            1e-4,
            &format!("proposal output {index}"),
        );
    }
    let rois = [boxes("rois", 6, 90.0, 2.0), boxes("more", 3, 90.0, 2.0)];
    let (scores, offsets) = inference.classify(&levels, &rois, expected.size);
    assert_summary(
        &scores.into_data(),
        &expected.heads[10],
        1e-4,
        "class scores",
    );
    assert_summary(
        &offsets.into_data(),
        &expected.heads[11],
        1e-4,
        "box offsets",
    );
    let options = DetectOptions {
        max_boxes: 100,
        ..DetectOptions::default()
    };
    let found = inference.detect(images(smaller(expected.size), &device), &options);
    for (found, expected) in found.iter().zip(&expected.detections) {
        assert_detections(found, expected, "faster_rcnn_resnet50");
    }
    compare_training(network, &expected);
}
