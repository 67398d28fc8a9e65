//! RetinaNet and Faster R-CNN against torchvision's: outputs, detections, losses, gradients, a step of SGD.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;

use super::common;
use super::faster_rcnn::{FasterRcnnModel, FasterRcnnOptions};
use super::oracle::{Summary, assert_close, assert_summary, boxes, noise};
use super::retinanet::{RetinaNetModel, RetinaNetOptions};
use super::{DetectOptions, DetectionNetwork};
use crate::boxes::{Annotation, BoundingBox, Detection};
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

/// The script's `formula`.
fn formula(name: &str, shape: &[usize]) -> TensorData {
    let values = noise(name, shape.iter().product());
    let change =
        |factor: f32, offset: f32| values.iter().map(|value| offset + factor * value).collect();
    let is_last = ["cls_logits", "bbox_reg", "bbox_pred", "cls_score"]
        .iter()
        .any(|part| name.contains(part));
    let values: Vec<f32> = if shape.len() > 1 {
        let inputs = shape[1..].iter().product::<usize>() as f64;
        let strength = if is_last { 0.3 } else { 1.0 };
        change((strength * (24.0 / inputs).sqrt()) as f32, 0.0)
    } else if name.ends_with("running_var") {
        change(0.4, 1.0)
    } else if name.ends_with("bn2.weight") || name.ends_with("bn3.weight") {
        change(0.1, 0.4)
    } else if name.ends_with("weight") {
        change(0.2, 1.0)
    } else {
        change(0.2, 0.0)
    };
    TensorData::new(values, shape.to_vec())
}

fn filled<M: Module>(network: M) -> M {
    let blank = tensors::collect(&network.valid());
    let mut named: NamedTensors = blank
        .into_iter()
        .map(|(name, data)| (name.clone(), formula(&name, data.shape().as_slice())))
        .collect();
    if let Some(bias) = named.get_mut("head.classification_head.cls_logits.bias") {
        let values = bias.as_mut_slice::<f32>().unwrap();
        for value in values.iter_mut().step_by(3) {
            *value -= 10.0;
        }
    }
    tensors::load(network, &named, "the detector").unwrap()
}

fn images([height, width]: [usize; 2], device: &Device) -> Tensor<4> {
    let mut values = Vec::new();
    for (n, c) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)] {
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let value = (n * 31 + c * 47 + y * 5 + x * 3 + (y * x) % 19 * 7) % 256;
            values.push((value as f32 - 127.0) / 128.0);
        }
    }
    Tensor::from_data(TensorData::new(values, [2, 3, height, width]), device)
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

/// Visits the parameters that `expected` names.
struct Watched<'a> {
    path: Vec<String>,
    gradients: Option<&'a mut GradientsParams>,
    expected: &'a BTreeMap<String, Summary>,
    tolerance: f64,
    seen: usize,
}

impl burn::module::ModuleVisitor for Watched<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.path.push(name.to_owned());
        }
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.path.pop();
        }
    }

    fn visit_float<const D: usize>(&mut self, param: &burn::module::Param<Tensor<D>>) {
        let name = self.path.join(".");
        let Some(expected) = self.expected.get(&name) else {
            return;
        };
        self.seen += 1;
        match &mut self.gradients {
            Some(gradients) => {
                let gradient = gradients.get::<D>(param.id).unwrap();
                assert_summary(
                    gradient,
                    expected,
                    self.tolerance,
                    &format!("gradient of {name}"),
                );
            }
            None => assert_summary(param.val(), expected, self.tolerance, &name),
        }
    }
}

fn watch<M: Module>(
    network: &M,
    gradients: Option<&mut GradientsParams>,
    expected: &BTreeMap<String, Summary>,
    tolerance: f64,
) {
    let mut watched = Watched {
        path: Vec::new(),
        gradients,
        expected,
        tolerance,
        seen: 0,
    };
    network.visit(&mut watched);
    assert_eq!(watched.seen, expected.len());
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
    let mut gradients = GradientsParams::from_grads(sum.unwrap().backward(), &network);
    watch(&network, Some(&mut gradients), &expected.gradients, 1e-2);
    let mut optimizer = SgdConfig::new().init();
    let network = optimizer.step(expected.rate, network, gradients);
    watch(&network.valid(), None, &expected.after, 1e-3);
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
        Tensor::cat(output.scores, 1),
        &expected.heads[0],
        1e-4,
        "scores",
    );
    assert_summary(
        Tensor::cat(output.offsets, 1),
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
            output,
            &expected.heads[index],
            1e-4,
            &format!("proposal output {index}"),
        );
    }
    let rois = [boxes("rois", 6, 90.0, 2.0), boxes("more", 3, 90.0, 2.0)];
    let (scores, offsets) = inference.classify(&levels, &rois, expected.size);
    assert_summary(scores, &expected.heads[10], 1e-4, "class scores");
    assert_summary(offsets, &expected.heads[11], 1e-4, "box offsets");
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
