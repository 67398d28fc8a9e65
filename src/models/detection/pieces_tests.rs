//! Anchors, assignment, offsets, losses and RoIAlign against torchvision's.

use std::collections::BTreeMap;

use burn::tensor::{Device, Int, Tensor, TensorData};
use serde::Deserialize;

use super::anchors::AnchorGenerator;
use super::assign::{Match, Matcher, Sampler};
use super::coder::{BoxCoder, Corners};
use super::losses;
use super::oracle_tests::{
    Summary, array, assert_close, assert_summary, boxes, corners, noise, values,
};
use super::roi_align::{self, RoiAlign};

#[derive(Deserialize)]
struct Pieces {
    anchors: BTreeMap<String, Anchors>,
    matcher: Vec<Matches>,
    coder: Vec<Coded>,
    losses: BTreeMap<String, Loss>,
    roi_align: Aligned,
    levels: AlignedLevels,
}

#[derive(Deserialize)]
struct Anchors {
    cells: Vec<Vec<f64>>,
    grid: Summary,
}

#[derive(Deserialize)]
struct Matches {
    object_iou: f32,
    background_iou: f32,
    keep_best: bool,
    matches: Vec<i64>,
}

#[derive(Deserialize)]
struct Coded {
    weights: [f32; 4],
    encoded: Vec<f64>,
    decoded: Vec<f64>,
    gradient: Vec<f64>,
}

#[derive(Deserialize)]
struct Loss {
    values: Vec<f64>,
    gradient: Vec<f64>,
}

#[derive(Deserialize)]
struct Aligned {
    boxes: Vec<f32>,
    output: Summary,
    gradient: Summary,
}

#[derive(Deserialize)]
struct AlignedLevels {
    boxes: Vec<Vec<f32>>,
    output: Summary,
    gradients: Vec<Summary>,
}

fn pieces() -> Pieces {
    serde_json::from_str(include_str!(
        "../../../tests/fixtures/detection/pieces.json"
    ))
    .unwrap()
}

fn device() -> Device {
    Device::flex()
}

fn four(values: &[f32]) -> Vec<Corners> {
    values
        .chunks_exact(4)
        .map(|v| [v[0], v[1], v[2], v[3]])
        .collect()
}

#[test]
fn anchors_are_torchvisions() {
    const BASES: [f64; 5] = [32.0, 64.0, 128.0, 256.0, 512.0];
    let maps = [[13, 19], [7, 10], [4, 5], [2, 3], [1, 2]];
    let pieces = pieces();
    for (name, generator) in [
        ("retinanet", AnchorGenerator::retinanet(&BASES)),
        ("faster_rcnn", AnchorGenerator::faster_rcnn(&BASES)),
    ] {
        let expected = &pieces.anchors[name];
        for (level, cell) in expected.cells.iter().enumerate() {
            let found = generator.cell(level);
            assert_eq!(found.len(), generator.per_cell());
            assert_close(&found.concat(), cell, 0.0, name);
        }
        let grid = generator.grid(&maps, [104, 152]).concat();
        assert_summary(
            &corners(&grid, &device()).into_data(),
            &expected.grid,
            1e-7,
            name,
        );
    }
}

#[test]
fn candidates_are_assigned_as_by_torchvisions_matcher() {
    let (objects, candidates) = (
        boxes("objects", 9, 100.0, 2.0),
        boxes("candidates", 200, 100.0, 2.0),
    );
    for expected in pieces().matcher {
        let matcher = Matcher {
            object_iou: expected.object_iou,
            background_iou: expected.background_iou,
            keep_best: expected.keep_best,
        };
        let found: Vec<i64> = matcher
            .assign(&objects, &candidates)
            .into_iter()
            .map(|found| match found {
                Match::Object(index) => index as i64,
                Match::Background => -1,
                Match::Ignored => -2,
            })
            .collect();
        assert_eq!(found, expected.matches);
        assert!(found.iter().any(|&index| index >= 0));
    }
}

#[test]
fn without_objects_all_is_background_and_an_untouched_object_takes_nothing() {
    let matcher = Matcher {
        object_iou: 0.5,
        background_iou: 0.4,
        keep_best: true,
    };
    let candidates = boxes("candidates", 20, 100.0, 2.0);
    assert_eq!(matcher.assign(&[], &candidates), [Match::Background; 20]);
    let far = [[1e4, 1e4, 1e4 + 10.0, 1e4 + 10.0]];
    assert_eq!(matcher.assign(&far, &candidates), [Match::Background; 20]);
}

#[test]
fn a_sample_keeps_its_shares_and_follows_its_seed() {
    let sampler = Sampler {
        per_image: 64,
        object_share: 0.25,
    };
    let matches: Vec<Match> = (0..400)
        .map(|index| match index % 4 {
            0 => Match::Object(index),
            1 => Match::Ignored,
            _ => Match::Background,
        })
        .collect();
    let (objects, background) = sampler.draw(&matches, 7);
    assert_eq!((objects.len(), background.len()), (16, 48));
    assert!(objects.iter().all(|index| index % 4 == 0));
    assert!(background.iter().all(|index| index % 4 >= 2));
    assert_eq!(sampler.draw(&matches, 7), (objects.clone(), background));
    assert_ne!(sampler.draw(&matches, 8).0, objects);
    // Few objects: background fills up; and nothing is drawn twice.
    let few = [vec![Match::Object(0); 3], vec![Match::Background; 100]].concat();
    let (objects, mut background) = sampler.draw(&few, 1);
    assert_eq!((objects.len(), background.len()), (3, 61));
    background.dedup();
    assert_eq!(background.len(), 61);
    assert_eq!(sampler.draw(&few[..40], 1).1.len(), 37);
}

#[test]
fn offsets_are_those_of_torchvisions_coder() {
    let targets = boxes("targets", 12, 80.0, 2.0);
    let references = boxes("references", 12, 80.0, 2.0);
    for expected in pieces().coder {
        let coder = BoxCoder::with_weights(expected.weights);
        let offsets: Vec<[f32; 4]> = four(&noise("offsets", 48))
            .into_iter()
            .map(|values| std::array::from_fn(|i| values[i] * 20.0 * expected.weights[i] / 4.0))
            .collect();
        let pairs = targets.iter().zip(&references);
        let encoded: Vec<_> = pairs
            .map(|(target, from)| coder.encode(target, from))
            .collect();
        assert_close(&encoded.concat(), &expected.encoded, 1e-5, "encoded");
        let pairs = offsets.iter().zip(&references);
        let decoded: Vec<_> = pairs
            .map(|(offsets, from)| coder.decode(offsets, from))
            .collect();
        assert_close(&decoded.concat(), &expected.decoded, 1e-5, "decoded");

        let tracked = corners(&offsets, &device().autodiff()).require_grad();
        let from = corners(&references, &device().autodiff());
        let decoded = coder.decode_tensor(&tracked, &from);
        assert_close(
            &values(decoded.clone().inner()),
            &expected.decoded,
            1e-5,
            "decoded tensor",
        );
        let upstream = array("upstream", [12, 4], &device().autodiff());
        let mut gradients = (decoded * upstream).sum().backward();
        let gradient = tracked.grad_remove(&mut gradients).unwrap();
        assert_close(&values(gradient), &expected.gradient, 1e-4, "gradient");
    }
}

/// Compares a loss and its gradient.
fn check_loss(name: &str, input: Tensor<2>, loss: impl Fn(Tensor<2>) -> Tensor<2>) {
    let expected = &pieces().losses[name];
    let tracked = Tensor::<2>::from_inner(input).require_grad();
    let found = loss(tracked.clone());
    let upstream = array("upstream", found.dims(), &device().autodiff());
    assert_close(&values(found.clone().inner()), &expected.values, 1e-5, name);
    let mut gradients = (found * upstream).sum().backward();
    let gradient = tracked.grad_remove(&mut gradients).unwrap();
    assert_close(&values(gradient), &expected.gradient, 1e-5, name);
}

#[test]
fn losses_and_their_gradients_are_torchvisions() {
    let autodiff = device().autodiff();
    let mut scores: Vec<f32> = noise("scores", 48).iter().map(|v| v * 16.0).collect();
    scores[0] = 0.0;
    let scores = Tensor::<2>::from_data(TensorData::new(scores, [12, 4]), &device());
    let wanted: Vec<f32> = noise("wanted", 48)
        .iter()
        .map(|&v| f32::from(u8::from(v > 0.2)))
        .collect();
    let wanted = Tensor::<2>::from_data(TensorData::new(wanted, [12, 4]), &autodiff);
    check_loss("focal", scores.clone(), |x| {
        losses::sigmoid_focal(x, wanted.clone(), 0.25, 2.0)
    });
    check_loss("focal_3", scores.clone(), |x| {
        losses::sigmoid_focal(x, wanted.clone(), 0.6, 3.0)
    });
    check_loss("binary_cross_entropy", scores.clone(), |x| {
        losses::binary_cross_entropy(x, wanted.clone())
    });
    let found = array("found", [12, 4], &device()) * 4.0;
    for (name, beta) in [
        ("l1", 0.0),
        ("smooth_l1", 1.0),
        ("smooth_l1_ninth", 1.0 / 9.0),
    ] {
        check_loss(name, found.clone(), |x| {
            losses::smooth_l1(x, array("wanted", [12, 4], &autodiff), beta)
        });
    }
    let targets = boxes("targets", 12, 80.0, 2.0);
    check_loss(
        "giou",
        corners(&boxes("references", 12, 80.0, 2.0), &device()),
        |x| losses::giou(&x, &corners(&targets, &autodiff)),
    );
    let labels: Vec<i64> = (0..12).map(|index| index * 5 % 4).collect();
    let labels = Tensor::<1, Int>::from_data(TensorData::new(labels, [12]), &autodiff);
    check_loss("cross_entropy", scores, |x| {
        losses::cross_entropy(x, labels.clone())
    });
}

#[test]
fn scores_far_from_zero_have_finite_losses_and_gradients() {
    let scores = Tensor::<2>::from_floats([[-300.0, 300.0, -90.0, 90.0]], &device());
    let wanted = Tensor::<2>::from_floats([[1.0, 0.0, 0.0, 1.0]], &device().autodiff());
    let tracked = Tensor::<2>::from_inner(scores).require_grad();
    let loss = losses::sigmoid_focal(tracked.clone(), wanted, 0.25, 2.0);
    let mut gradients = loss.clone().sum().backward();
    let gradient = values(tracked.grad_remove(&mut gradients).unwrap());
    assert_close(
        &values(loss.inner()),
        &[75.0, 225.0, 0.0, 0.0],
        1e-6,
        "loss",
    );
    assert!(
        gradient.iter().all(|value| value.is_finite()),
        "{gradient:?}"
    );
}

#[test]
fn roi_align_is_torchvisions_by_both_of_its_ways() {
    let expected = pieces().roi_align;
    let boxes: Vec<(usize, Corners)> = four(&expected.boxes)
        .into_iter()
        .enumerate()
        .map(|(index, corners)| (index % 2, corners))
        .collect();
    let align = RoiAlign::new();
    let features = || array("features", [2, 3, 13, 17], &device().autodiff()).require_grad();
    let kernel = |x: Tensor<4>| align.align(x, &boxes, 0.25);
    let plain = |x: Tensor<4>| roi_align::gather(x.clone(), &align.regions(x.dims(), &boxes, 0.25));
    let ways: [(&str, &dyn Fn(Tensor<4>) -> Tensor<4>); 2] =
        [("kernel", &kernel), ("plain", &plain)];
    for (name, way) in ways {
        let features = features();
        let output = way(features.clone());
        assert_summary(
            &output.clone().inner().into_data(),
            &expected.output,
            1e-5,
            name,
        );
        let upstream = array("upstream", output.dims(), &device().autodiff());
        let mut gradients = (output * upstream).sum().backward();
        let gradient = features.grad_remove(&mut gradients).unwrap();
        assert_summary(&gradient.into_data(), &expected.gradient, 1e-5, name);
    }
}

#[test]
fn boxes_find_their_pyramid_level_as_in_torchvision() {
    let expected = pieces().levels;
    let levels: Vec<Tensor<4>> = (0..4)
        .map(|index| {
            let shape = [2, 4, 128 >> index, 160 >> index];
            array(&format!("level{index}"), shape, &device().autodiff()).require_grad()
        })
        .collect();
    let boxes: Vec<Vec<Corners>> = expected.boxes.iter().map(|values| four(values)).collect();
    let output = RoiAlign::new().align_levels(&levels, &boxes, [512, 640]);
    assert_summary(
        &output.clone().inner().into_data(),
        &expected.output,
        1e-5,
        "output",
    );
    let upstream = array("upstream", output.dims(), &device().autodiff());
    let mut gradients = (output * upstream).sum().backward();
    for (index, (level, expected)) in levels.iter().zip(&expected.gradients).enumerate() {
        let gradient = level
            .grad_remove(&mut gradients)
            .unwrap_or_else(|| Tensor::zeros(level.dims(), &device()));
        if expected.is_zero() {
            assert!(values(gradient).iter().all(|&value| value == 0.0));
        } else {
            assert_summary(
                &gradient.into_data(),
                expected,
                1e-5,
                &format!("level {index}"),
            );
        }
    }
}
