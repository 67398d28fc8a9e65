use rand::{RngExt, SeedableRng};
use serde::Deserialize;

use crate::score::{CocoOptions, ImageBoxes, Matching, best_f1, coco, coco_with, f1, ranked};
use crate::{Annotation, BoundingBox, Detection};

#[derive(Deserialize)]
struct Case {
    images: usize,
    classes: usize,
    /// `[image, class, x_min, y_min, x_max, y_max, crowd, area]`
    truth: Vec<[f64; 8]>,
    /// `[image, class, x_min, y_min, x_max, y_max, score]`
    found: Vec<[f64; 7]>,
    stats: [f64; 12],
    per_class: Vec<f64>,
    curve_50: Vec<f64>,
    curve_75: Vec<f64>,
}

impl Case {
    fn boxes(&self) -> Vec<ImageBoxes> {
        let mut images = vec![ImageBoxes::default(); self.images];
        for &[image, class, x_min, y_min, x_max, y_max, crowd, area] in &self.truth {
            images[image as usize - 1].truth.push(Annotation {
                crowd: crowd != 0.0,
                area: Some(area),
                ..Annotation::new(BoundingBox::new(x_min, y_min, x_max, y_max), class as usize)
            });
        }
        for &[image, class, x_min, y_min, x_max, y_max, score] in &self.found {
            let bounds = BoundingBox::new(x_min, y_min, x_max, y_max);
            let found = Detection::new(bounds, class as usize, score as f32);
            images[image as usize - 1].found.push(found);
        }
        images
    }
}

/// `tests/python/make_box_fixtures.py` made it with pycocotools: random boxes with crowds, areas of masks, equal scores,
/// more than 100 boxes an image, classes that are never labeled or never found.
#[test]
fn the_twelve_figures_the_classes_and_the_curves_are_those_of_pycocotools() {
    let text = include_str!("../../../tests/fixtures/boxes/coco.json");
    let cases: Vec<Case> = serde_json::from_str(text).unwrap();
    let same = |ours: f64, theirs: f64| {
        if theirs == -1.0 {
            ours.is_nan()
        } else {
            (ours - theirs).abs() < 1e-9
        }
    };
    for (number, case) in cases.iter().enumerate() {
        let scores = coco(&case.boxes(), case.classes);
        let ours = [
            scores.ap,
            scores.ap50,
            scores.ap75,
            scores.ap_small,
            scores.ap_medium,
            scores.ap_large,
            scores.ar1,
            scores.ar10,
            scores.ar100,
            scores.ar_small,
            scores.ar_medium,
            scores.ar_large,
        ];
        for (at, (ours, theirs)) in ours.into_iter().zip(case.stats).enumerate() {
            assert!(
                same(ours, theirs),
                "case {number}, figure {at}: {ours} is not {theirs}"
            );
        }
        for (ours, &theirs) in scores.per_class.iter().zip(&case.per_class) {
            assert!(
                same(ours.ap, theirs),
                "case {number}: {ours:?} is not {theirs}"
            );
        }
        for (iou, theirs) in [(0.5, &case.curve_50), (0.75, &case.curve_75)] {
            match scores.precision_recall(1, iou) {
                Some(curve) => {
                    assert_eq!(curve.precision.len(), theirs.len());
                    assert!(
                        curve
                            .precision
                            .iter()
                            .zip(theirs)
                            .all(|(ours, theirs)| same(*ours, *theirs))
                    );
                }
                None => assert!(theirs.iter().all(|&theirs| theirs == -1.0)),
            }
        }
        assert!(
            scores.precision_recall(1, 0.52).is_none() && scores.precision_recall(0, 0.5).is_none()
        );
    }
    assert!(
        cases
            .iter()
            .any(|case| case.truth.iter().any(|truth| truth[6] == 1.0))
    );
    assert!(cases.iter().any(|case| case.per_class.contains(&-1.0)));
}

#[derive(Deserialize)]
struct IgnoredCase {
    images: usize,
    classes: usize,
    /// `[image, class, x_min, y_min, x_max, y_max, crowd, ignored]`
    truth: Vec<[f64; 8]>,
    /// `[image, class, x_min, y_min, x_max, y_max, score, cut]`
    found: Vec<[f64; 8]>,
    ap: f64,
    ap50: f64,
    per_class: Vec<f64>,
    /// Right, wrong and missed at an intersection over union of 0.5.
    counts: Vec<[usize; 3]>,
}

/// `tests/python/make_box_fixtures.py` made it with pycocotools, which ignores objects and found boxes of another size as
/// those are ignored of which too little is visible.
#[test]
fn objects_and_found_boxes_that_are_ignored_count_as_in_pycocotools() {
    let text = include_str!("../../../tests/fixtures/boxes/ignored.json");
    let cases: Vec<IgnoredCase> = serde_json::from_str(text).unwrap();
    for (number, case) in cases.iter().enumerate() {
        let mut images = vec![ImageBoxes::default(); case.images];
        for &[image, class, x_min, y_min, x_max, y_max, crowd, ignored] in &case.truth {
            let bounds = BoundingBox::new(x_min, y_min, x_max, y_max);
            let object = Annotation {
                crowd: crowd != 0.0,
                ..Annotation::new(bounds, class as usize)
            };
            let image = &mut images[image as usize - 1];
            match ignored == 0.0 {
                true => image.truth.push(object),
                false => image.ignored.push(object),
            }
        }
        for &[image, class, x_min, y_min, x_max, y_max, score, cut] in &case.found {
            let bounds = BoundingBox::new(x_min, y_min, x_max, y_max);
            let found = Detection::new(bounds, class as usize, score as f32);
            let image = &mut images[image as usize - 1];
            match cut == 0.0 {
                true => image.found.push(found),
                false => image.cut.push(found),
            }
        }
        assert!(images.iter().any(|image| !image.ignored.is_empty()));
        assert!(images.iter().any(|image| !image.cut.is_empty()));
        let scores = coco_with(&images, case.classes, &CocoOptions::without_limit());
        assert!((scores.ap - case.ap).abs() < 1e-9, "{number}: {scores:?}");
        assert!(
            (scores.ap50 - case.ap50).abs() < 1e-9,
            "{number}: {scores:?}"
        );
        for (ours, theirs) in scores.per_class.iter().zip(&case.per_class) {
            assert!((ours.ap - theirs).abs() < 1e-9, "{ours:?} is not {theirs}");
        }
        for (at, &[right, wrong, missed]) in case.counts.iter().enumerate() {
            let counts = f1(&images, at + 1, 0.5, 0.0, Matching::Coco);
            assert_eq!(
                (
                    counts.true_positives,
                    counts.false_positives,
                    counts.false_negatives
                ),
                (right, wrong, missed),
                "case {number}, class {at}"
            );
        }
    }
}

#[test]
fn a_scene_of_more_than_a_hundred_objects_can_be_found_completely_without_the_limit() {
    let boxes: Vec<BoundingBox> = (0..300)
        .map(|at| BoundingBox::from_xywh(f64::from(at) * 30.0, 0.0, 20.0, 20.0))
        .collect();
    let image = ImageBoxes {
        truth: boxes
            .iter()
            .map(|&bounds| Annotation::new(bounds, 1))
            .collect(),
        found: boxes
            .iter()
            .map(|&bounds| Detection::new(bounds, 1, 0.5))
            .collect(),
        ..ImageBoxes::default()
    };
    let images = [image];
    let limited = coco(&images, 1);
    let whole = coco_with(&images, 1, &CocoOptions::without_limit());
    assert!((limited.ar100 - 100.0 / 300.0).abs() < 1e-9 && limited.ap < 0.35);
    assert!((whole.ar100 - 1.0).abs() < 1e-9 && (whole.ap - 1.0).abs() < 1e-9);
    assert_eq!(
        (whole.per_class[0].objects, whole.per_class[0].found),
        (300, 300)
    );
}

/// The squares of Raster Vision's own test of its evaluator.
fn squares() -> ImageBoxes {
    let square = |x: f64, y: f64| BoundingBox::from_xywh(x, y, 100.0, 100.0);
    let truth = [
        ((0.0, 0.0), 1),
        ((0.0, 200.0), 1),
        ((200.0, 200.0), 2),
        ((200.0, 0.0), 2),
    ];
    let truth: Vec<Annotation> = truth
        .map(|((x, y), class)| Annotation::new(square(x, y), class))
        .to_vec();
    let shifted =
        |one: &Annotation| Detection::new(one.bounds.translate(10.0, 0.0), one.class, 0.9);
    ImageBoxes {
        found: truth[..3].iter().map(shifted).collect(),
        truth,
        ..ImageBoxes::default()
    }
}

#[test]
fn both_matchings_give_raster_visions_own_figures() {
    let image = squares();
    for matching in [Matching::Coco, Matching::RasterVision] {
        let of = |class| f1(std::slice::from_ref(&image), class, 0.5, 0.0, matching);
        assert_eq!((of(1).precision, of(1).recall, of(1).f1), (1.0, 1.0, 1.0));
        assert_eq!(
            (of(2).precision, of(2).recall, of(2).f1),
            (1.0, 0.5, 2.0 / 3.0)
        );
        let nothing_found = ImageBoxes {
            found: Vec::new(),
            ..image.clone()
        };
        let score = f1(&[nothing_found], 1, 0.5, 0.0, matching);
        assert!(score.precision.is_nan() && score.recall == 0.0 && score.f1 == 0.0);
        let nothing_there = ImageBoxes {
            truth: Vec::new(),
            ..image.clone()
        };
        let score = f1(&[nothing_there], 1, 0.5, 0.0, matching);
        assert!(score.precision == 0.0 && score.recall.is_nan() && score.false_positives == 2);
    }
}

#[test]
fn in_raster_visions_matching_a_box_of_the_wrong_class_takes_the_object() {
    let tree = BoundingBox::from_xywh(0.0, 0.0, 100.0, 100.0);
    let image = ImageBoxes {
        truth: vec![Annotation::new(tree, 1)],
        found: vec![
            Detection::new(tree.translate(10.0, 0.0), 1, 0.9),
            Detection::new(tree.translate(5.0, 0.0), 2, 0.3),
        ],
        ..ImageBoxes::default()
    };
    let images = [image];
    assert_eq!(f1(&images, 1, 0.5, 0.0, Matching::Coco).true_positives, 1);
    let score = f1(&images, 1, 0.5, 0.0, Matching::RasterVision);
    assert_eq!(
        (
            score.true_positives,
            score.false_positives,
            score.false_negatives
        ),
        (0, 1, 1)
    );
    // Above its score the other box is gone.
    assert_eq!(
        f1(&images, 1, 0.5, 0.5, Matching::RasterVision).true_positives,
        1
    );
    assert_eq!(best_f1(&images, 1, 0.5, Matching::RasterVision).0, 0.9);
    // It asks for more than the threshold, COCO for the threshold.
    let half = [ImageBoxes {
        truth: vec![Annotation::new(tree, 1)],
        found: vec![Detection::new(
            BoundingBox::from_xywh(0.0, 0.0, 50.0, 100.0),
            1,
            0.9,
        )],
        ..ImageBoxes::default()
    }];
    assert_eq!(f1(&half, 1, 0.5, 0.0, Matching::Coco).true_positives, 1);
    assert_eq!(
        f1(&half, 1, 0.5, 0.0, Matching::RasterVision).true_positives,
        0
    );
}

/// A scene of many objects, some found well, some badly, and found boxes beside them.
fn scene(objects: usize, seed: u64) -> ImageBoxes {
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(seed);
    let mut image = ImageBoxes::default();
    let extent = (objects as f64).sqrt() * 40.0;
    for _ in 0..objects {
        let mut upto = |high: f64| random.random_range(0.0..high);
        let bounds = BoundingBox::from_xywh(
            upto(extent),
            upto(extent),
            5.0 + upto(40.0),
            5.0 + upto(40.0),
        );
        let crowd = upto(1.0) < 0.05;
        image.truth.push(Annotation {
            crowd,
            ..Annotation::new(bounds, 1)
        });
        if upto(1.0) < 0.8 {
            let moved = bounds.translate(upto(8.0) - 4.0, upto(8.0) - 4.0);
            image.found.push(Detection::new(moved, 1, upto(1.0) as f32));
        }
        let beside = BoundingBox::from_xywh(upto(extent), upto(extent), 20.0, 20.0);
        image
            .found
            .push(Detection::new(beside, 1, upto(0.5) as f32));
    }
    image
}

#[test]
fn the_best_threshold_is_the_best_of_all() {
    let images = [scene(60, 1), scene(40, 2)];
    for matching in [Matching::Coco, Matching::RasterVision] {
        let (threshold, best) = best_f1(&images, 1, 0.4, matching);
        assert_eq!(f1(&images, 1, 0.4, threshold, matching), best);
        assert!(best.f1 > 0.3 && best.f1 < 0.95, "{best:?}");
        let others = images.iter().flat_map(|image| &image.found);
        for other in others {
            assert!(f1(&images, 1, 0.4, other.score, matching).f1 <= best.f1);
        }
    }
    let curve = ranked(&images, 1, 0.4).curve();
    assert!(
        curve
            .windows(2)
            .all(|pair| pair[0].0 > pair[1].0 && pair[0].2 <= pair[1].2)
    );
    let &(score, precision, recall) = curve.last().unwrap();
    let all = f1(&images, 1, 0.4, score, Matching::Coco);
    assert_eq!((precision, recall), (all.precision, all.recall));
}

/// COCO's matching as it is defined, with a look at every pair.
fn by_definition(image: &ImageBoxes, iou: f64) -> (usize, usize) {
    let mut found = image.found.clone();
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut taken = vec![false; image.truth.len()];
    let (mut right, mut wrong) = (0, 0);
    for found in found {
        let free = (0..image.truth.len()).filter(|&at| !taken[at] && !image.truth[at].crowd);
        let best = free
            .map(|at| (at, image.truth[at].bounds.iou(&found.bounds)))
            .filter(|(_, overlap)| *overlap >= iou)
            .max_by(|a, b| a.1.total_cmp(&b.1));
        let in_crowd = |object: &Annotation| {
            object.crowd && found.bounds.intersection_over_area(&object.bounds) >= iou
        };
        match best {
            Some((at, _)) => {
                taken[at] = true;
                right += 1;
            }
            None => wrong += usize::from(!image.truth.iter().any(in_crowd)),
        }
    }
    (right, wrong)
}

#[test]
fn an_index_changes_nothing() {
    for (objects, seed) in [(20, 3), (400, 4), (900, 5)] {
        let image = scene(objects, seed);
        for iou in [0.3, 0.5, 0.75] {
            let (right, wrong) = by_definition(&image, iou);
            let found = ranked(std::slice::from_ref(&image), 1, iou).at(0.0);
            assert_eq!(
                (found.true_positives, found.false_positives),
                (right, wrong)
            );
        }
    }
}

#[test]
fn a_hundred_thousand_objects_are_scored_in_seconds() {
    let images = [scene(100_000, 4)];
    let start = std::time::Instant::now();
    let scores = coco_with(&images, 1, &CocoOptions::without_limit());
    let raster_vision = f1(&images, 1, 0.5, 0.5, Matching::RasterVision);
    let took = start.elapsed();
    println!("{} found boxes: {took:?}", images[0].found.len());
    assert!(
        scores.ap > 0.0 && raster_vision.true_positives > 0 && took.as_secs() < 60,
        "{took:?}"
    );
}
