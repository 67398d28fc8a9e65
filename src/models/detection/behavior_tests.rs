//! What RetinaNet and Faster R-CNN do with labels that say little and with a few steps of training.

use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device as BurnDevice, Tensor, TensorData};

use super::faster_rcnn::{FasterRcnnModel, FasterRcnnOptions};
use super::retinanet::{BoxLoss, RetinaNetModel, RetinaNetOptions};
use super::{DetectOptions, DetectionNetwork, FasterRcnn, RetinaNet};
use crate::boxes::{Annotation, BoundingBox};
use crate::device::Device;
use crate::models::{
    BoxedDetectionNetwork, DetectorArchitecture, NamedTensors, ResNetKind, tensors,
};

const SIZE: usize = 64;

fn retinanet(box_loss: BoxLoss) -> RetinaNetModel {
    let options = RetinaNetOptions {
        anchor_sizes: [16.0, 32.0, 64.0, 128.0, 256.0],
        box_loss,
        ..RetinaNetOptions::default()
    };
    RetinaNetModel::new(ResNetKind::Resnet18, 2, 3, &options, &BurnDevice::flex())
}

fn faster_rcnn() -> FasterRcnnModel {
    let options = FasterRcnnOptions {
        anchor_sizes: [8.0, 16.0, 32.0, 64.0, 128.0],
        candidates: [60, 60],
        proposals: [40, 40],
        box_samples: 24,
        proposal_samples: 32,
    };
    FasterRcnnModel::new(ResNetKind::Resnet18, 2, 3, &options, &BurnDevice::flex())
}

/// Two images of dim noise, each with a bright square, and the square's box.
pub(super) fn drawn(device: &BurnDevice) -> (Tensor<4>, Vec<Vec<Annotation>>) {
    let mut values = super::oracle_tests::noise("drawn", 2 * 2 * SIZE * SIZE);
    let mut targets = Vec::new();
    for (image, (left, top, side)) in [(10, 20, 16), (36, 8, 18)].into_iter().enumerate() {
        for (band, row, column) in (0..2).flat_map(|band| {
            (top..top + side)
                .flat_map(move |row| (left..left + side).map(move |column| (band, row, column)))
        }) {
            values[((image * 2 + band) * SIZE + row) * SIZE + column] += 3.0;
        }
        let bounds = BoundingBox::from_xywh(left as f64, top as f64, side as f64, side as f64);
        targets.push(vec![Annotation::new(bounds, 1 + image)]);
    }
    let shape = [2, 2, SIZE, SIZE];
    (
        Tensor::from_data(TensorData::new(values, shape), device),
        targets,
    )
}

/// After a step of AdamW the batch norms are those of `before`, and nothing else is.
pub(super) fn only_norms_stay(network: BoxedDetectionNetwork, before: &NamedTensors) {
    let (images, targets) = drawn(&Device::cpu().burn().clone().autodiff());
    let loss = total(network.losses(images, &targets));
    let gradients = network.gradients(loss.backward());
    let mut optimizer = AdamWConfig::new().init();
    let after = network
        .step(&mut optimizer, 1e-3.into(), gradients)
        .inference()
        .named_tensors();
    for (name, data) in after {
        let is_norm = name.contains(".bn") || name.contains("downsample.1");
        assert_eq!(data == before[&name], is_norm, "{name}");
    }
}

pub(super) fn total(losses: Vec<(&'static str, Tensor<1>)>) -> Tensor<1> {
    losses
        .into_iter()
        .map(|(_, loss)| loss)
        .reduce(|sum, loss| sum + loss)
        .unwrap()
}

fn value(loss: &Tensor<1>) -> f32 {
    loss.clone().into_scalar::<f32>()
}

/// Labels of which no loss can use anything.
fn useless() -> Vec<Vec<Annotation>> {
    let object = |a, b, c, d, class| Annotation::new(BoundingBox::new(a, b, c, d), class);
    let crowd = Annotation {
        crowd: true,
        ..object(4.0, 4.0, 30.0, 30.0, 1)
    };
    vec![
        vec![
            object(10.0, 10.0, 10.0, 30.0, 1),
            object(f64::NAN, 10.0, 20.0, 30.0, 1),
            object(30.0, 10.0, 20.0, 30.0, 1),
            object(10.0, 10.0, 30.0, 30.0, 0),
            object(10.0, 10.0, 30.0, 30.0, 3),
            crowd,
        ],
        vec![],
    ]
}

/// Labels that say nothing are the same as none, and the losses and gradients of none are finite.
fn check_useless_labels<N: DetectionNetwork>(network: N) {
    let device = BurnDevice::flex();
    let inference = network.valid();
    let losses = |targets: &[Vec<Annotation>]| -> Vec<f32> {
        let losses = inference.losses(drawn(&device).0, targets);
        losses.iter().map(|(_, loss)| value(loss)).collect()
    };
    let none = losses(&[vec![], vec![]]);
    assert_eq!(losses(&useless()), none);
    assert!(none.iter().all(|loss| loss.is_finite() && *loss >= 0.0));

    let network = network.train();
    let loss = total(network.losses(drawn(&device.autodiff()).0, &useless()));
    assert!(value(&loss).is_finite());
    let gradients = GradientsParams::from_grads(loss.backward(), &network);
    assert!(gradients.len() > 60, "{}", gradients.len());
}

#[test]
fn retinanet_learns_background_from_labels_without_a_usable_box() {
    check_useless_labels(retinanet(BoxLoss::L1));
    check_useless_labels(retinanet(BoxLoss::Giou));
}

#[test]
fn faster_rcnn_learns_background_from_labels_without_a_usable_box() {
    check_useless_labels(faster_rcnn());
}

/// The network as it starts, but with the same draws in every run: random numbers come from the tensors' names, at the
/// scale that the network's own have (the heads', the pyramid's, He's).
fn with_fixed_draws<N: DetectionNetwork>(network: N) -> N {
    let mut named = tensors::collect(&network.valid());
    for (name, data) in &mut named {
        let shape = data.shape().to_vec();
        if shape.len() > 1 {
            let inputs = shape[1..].iter().product::<usize>() as f32;
            let variance = match () {
                () if name.contains("head.") || name.contains("box_predictor") => 1e-4,
                () if name.contains("fpn") => 1.0 / inputs,
                () => 2.0 / inputs,
            };
            // Numbers between -0.5 and 0.5 have a variance of 1/12.
            let scale = (12.0 * variance).sqrt();
            let draws = super::oracle_tests::noise(name, shape.iter().product());
            let values: Vec<f32> = draws.iter().map(|draw| draw * scale).collect();
            *data = TensorData::new(values, shape);
        }
    }
    tensors::load(network, &named, "the detector").unwrap()
}

/// Trains on two drawn images.
fn check_training<N: DetectionNetwork>(network: N, steps: usize) {
    let device = BurnDevice::flex();
    let (images, targets) = drawn(&device.autodiff());
    let mut network = with_fixed_draws(network).train();
    let mut optimizer = AdamWConfig::new().init();
    let mut course = Vec::new();
    for _ in 0..steps {
        let loss = total(network.losses(images.clone(), &targets));
        course.push(value(&loss));
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        network = optimizer.step(1e-4, network, gradients);
    }
    let mean = |part: &[f32]| part.iter().sum::<f32>() / part.len() as f32;
    let (first, last) = (mean(&course[..3]), mean(&course[steps - 3..]));
    assert!(last < 0.5 * first, "{course:?}");
}

#[test]
fn a_few_steps_lower_the_loss_of_retinanet() {
    check_training(retinanet(BoxLoss::L1), 11);
}

#[test]
fn a_few_steps_lower_the_loss_of_faster_rcnn() {
    check_training(faster_rcnn(), 11);
}

#[test]
fn the_same_network_on_the_same_images_draws_the_same_samples() {
    let device = BurnDevice::flex();
    let network = faster_rcnn().valid();
    let losses = || {
        let (images, targets) = drawn(&device);
        value(&total(network.losses(images, &targets)))
    };
    assert_eq!(losses().to_bits(), losses().to_bits());
}

#[test]
fn no_box_is_found_where_no_score_is_high_enough() {
    let options = DetectOptions {
        min_score: 0.9999,
        ..DetectOptions::default()
    };
    let (images, _) = drawn(&BurnDevice::flex());
    assert_eq!(
        retinanet(BoxLoss::L1)
            .valid()
            .detect(images.clone(), &options),
        vec![vec![]; 2]
    );
    assert_eq!(
        faster_rcnn().valid().detect(images, &options),
        vec![vec![]; 2]
    );
}

#[test]
fn descriptions_keep_their_choices_through_json() {
    let builder = RetinaNet::resnet34()
        .anchor_sizes([16.0, 32.0, 64.0, 128.0, 256.0])
        .box_loss(BoxLoss::Giou)
        .frozen_norms(true);
    let architecture = DetectorArchitecture::from(builder);
    let text = serde_json::to_string(&architecture).unwrap();
    let back: DetectorArchitecture = serde_json::from_str(&text).unwrap();
    assert_eq!(format!("{back:?}"), format!("{architecture:?}"));
    assert_eq!(back.name(), "RetinaNet ResNet-34");
    assert_eq!(FasterRcnn::resnet50().name(), "Faster R-CNN ResNet-50");
}

#[test]
fn frozen_batch_norms_keep_their_statistics_and_factors_while_all_else_learns() {
    let device = Device::cpu();
    let architecture = RetinaNet::resnet18().frozen_norms(true);
    let network = architecture.build(2, 3, &device).unwrap().training();
    let before = network.inference().named_tensors();
    only_norms_stay(network, &before);
}

#[test]
fn retinanet_chooses_boxes_by_torchvisions_limits_and_leaves_out_those_outside_the_image() {
    let network = retinanet(BoxLoss::L1);
    let anchors = [
        // Outside: cut to the image it has no area.
        [10.0, -20.0, 30.0, -4.0],
        // The second overlaps the first by 0.5, the limit, and not by more; the third by more than that.
        [0.0, 0.0, 20.0, 10.0],
        [0.0, 0.0, 10.0, 10.0],
        [0.0, 0.0, 12.0, 10.0],
        // Its score is the least that is wanted, and not above it.
        [40.0, 40.0, 60.0, 60.0],
    ];
    let logits = [5.0, 4.0, 3.0, 2.0, 0.0];
    // Whatever the background's score says.
    let scores: Vec<f32> = logits.iter().flat_map(|&x| [9.0, -20.0, x]).collect();
    let options = DetectOptions {
        min_score: 0.5,
        nms_iou: 0.5,
        ..DetectOptions::default()
    };
    let level = (scores.as_slice(), &[0.0; 20][..], &anchors[..]);
    let found = network.found(&[level], [SIZE, SIZE], &options);
    let corners: Vec<_> = found
        .iter()
        .map(|one| (one.class, one.bounds.x_max, one.bounds.y_max))
        .collect();
    assert_eq!(corners, [(2, 20.0, 10.0), (2, 10.0, 10.0)]);
}
