//! The right values are those of scoring the same prediction at each threshold.

use swath::ndarray::{Array2, Array3};
use swath::prelude::*;

/// Rows from `edge` on are a class; the imagery says so, and is noisy.
fn scene(edge: usize, salt: usize) -> Scene {
    let noise = |row: usize, col: usize| ((row * 131 + col * 37 + salt * 61) % 97) as f32 / 97.0;
    let image = Array3::from_shape_fn((3, 64, 64), |(band, row, col)| {
        f32::from(u8::from(row >= edge)) + 2.0 * noise(row + band, col)
    });
    let mask = Array2::<u8>::from_shape_fn((64, 64), |(row, _)| u8::from(row >= edge));
    let image = ImageArray::new(image).named(format!("scene {salt}"));
    let scene = Scene::from_array(image).unwrap();
    scene
        .with_label_array(mask, Classes::new(["crop"]))
        .unwrap()
}

fn model(scene: &Scene) -> Segmenter {
    let chips = scene.chips(Chips::random(8, 32)).unwrap();
    let model = Segmenter::new(Unet::resnet18(), scene.classes()).device(Device::cpu());
    let options = FitOptions::steps(3).batch(4).quiet(true);
    model.fit(&chips, scene, options).unwrap().last().clone()
}

/// At one half the prediction itself decides between scores that were rounded to it; elsewhere nothing differs.
fn same(threshold: f32, one: f64, other: f64) -> bool {
    let tolerance = if threshold == 0.5 { 0.03 } else { 1e-9 };
    (one - other).abs() < tolerance || one.is_nan() && (other.is_nan() || other == 0.0)
}

#[test]
fn a_choice_holds_what_scoring_at_its_thresholds_gives_for_one_scene_and_for_many() {
    let (first, second) = (scene(40, 1), scene(20, 2));
    let model = model(&first);
    let quiet = PredictOptions::new().quiet(true);
    let map = model.predict_with(&first, &quiet).unwrap();
    let choice = map.best_threshold(&first).unwrap();
    assert_eq!(choice.curve().len(), 254);
    let scores_at = |score: f32| map.threshold(score).unwrap().evaluate(&first).unwrap();
    for point in choice.curve().iter().step_by(23) {
        let scored = scores_at(point.threshold);
        let class = scored.class("crop").unwrap();
        assert!(
            same(point.threshold, point.precision, class.precision)
                && same(point.threshold, point.recall, class.recall),
            "{point:?} {class:?}"
        );
    }
    let scored = map.at_threshold(&choice).unwrap().evaluate(&first).unwrap();
    assert!(same(
        choice.threshold(),
        choice.f1(),
        scored.class("crop").unwrap().f1
    ));
    assert!(choice.f1() >= 0.98 * choice.highest().f1);
    assert!(choice.output().text.contains("chosen on scene 1"));

    let both = Scenes::of([&first, &second]).unwrap();
    let maps = model.predict_with(&both, &quiet).unwrap();
    let choice = maps.best_threshold(&both).unwrap();
    for point in choice.curve().iter().step_by(41).chain([&choice.highest()]) {
        let scored = maps
            .at_threshold(point.threshold)
            .unwrap()
            .evaluate(&both)
            .unwrap();
        let class = scored.pooled().class("crop").unwrap().clone();
        assert!(
            same(point.threshold, point.precision, class.precision)
                && same(point.threshold, point.recall, class.recall),
            "{point:?} {class:?}"
        );
    }
    assert!(choice.output().text.contains("2 scenes"));
    // As an option of the prediction.
    let again = model
        .predict_with(&first, quiet.threshold(&choice))
        .unwrap();
    assert_eq!(again.threshold_score(), Some(choice.threshold()));
    let error = maps
        .best_threshold(&Scenes::of([&first]).unwrap())
        .unwrap_err();
    assert!(error.to_string().contains("scenes"), "{error}");
}

#[test]
fn without_labeled_objects_a_choice_is_one_half_and_says_so() {
    let empty = scene(64, 3);
    let map = model(&empty)
        .predict_with(&empty, PredictOptions::new().quiet(true))
        .unwrap();
    let choice = map.best_threshold(&empty).unwrap();
    assert_eq!(choice.threshold(), 0.5);
    assert_eq!(choice.report().iter().count(), 1);
}
