//! Whole trainings and predictions.

use swath::prelude::*;
use swath::train::{Optimizer, Schedule};

use crate::support::{device, has_numbers};

/// A drawn town of this edge in a folder of its own.
pub(crate) fn town(seed: u64, edge: usize) -> (tempfile::TempDir, Scene) {
    let folder = tempfile::tempdir().unwrap();
    let town = swath::samples::town_in(folder.path(), seed, edge).unwrap();
    let scene = town.scene().unwrap();
    (folder, scene)
}

/// A small network that learns in a few steps.
fn small() -> Unet {
    Unet::resnet18()
        .pretrained(false)
        .decoder_widths([16, 16, 8, 8, 8])
}

fn short(steps: usize) -> FitOptions {
    FitOptions::steps(steps)
        .batch(2)
        .validation_share(0.25)
        .seed(3)
        .quiet(true)
}

#[test]
fn a_short_training_lowers_the_loss_as_the_cpu_does_and_predicts_the_same_map() {
    let (_folder, scene) = town(3, 192);
    let (train, valid) = scene.split(Split::columns(0.7));
    let chips = train.chips(Chips::random(8, 64).seed(2)).unwrap();
    // The same weights on both.
    let begun = tempfile::tempdir().unwrap();
    let file = begun.path().join("begun.swath");
    let cpu = Device::cpu();
    let model = Segmenter::new(small(), scene.classes()).device(&cpu);
    let run = model.fit(&chips, &valid, short(1)).unwrap();
    run.last().save(&file).unwrap();

    let mut losses = Vec::new();
    let mut maps = Vec::new();
    let tested = device();
    for place in [&cpu, &tested] {
        let model = Segmenter::load(&file).unwrap().device(place);
        let before = model.predict_with(&valid, PredictOptions::new().window(64).quiet(true));
        maps.push(before.unwrap().labels(&valid.area()).unwrap());
        let fit = short(8)
            .optimizer(Optimizer::adamw())
            .lr(1e-3)
            .clip_norm(5.0)
            .ema(0.9)
            .accumulate(2)
            .schedule(Schedule::one_cycle());
        let run = model.fit(&chips, &valid, fit).unwrap();
        losses.push(run.history().step_losses.clone());
        let turned = PredictOptions::new().window(64).turns(true).quiet(true);
        let map = run.last().predict_with(&valid, turned).unwrap();
        assert!(map.evaluate(&valid).unwrap().accuracy().is_finite());
    }
    assert_eq!(losses[0].len(), losses[1].len());
    assert_eq!(maps[0].len(), maps[1].len());
    if has_numbers() {
        are_alike(&maps, &losses);
    }
}

/// Maps of one network, and the losses of the same training, on the CPU and on the device.
fn are_alike(maps: &[Vec<u8>], losses: &[Vec<f32>]) {
    let differ = maps[0].iter().zip(&maps[1]).filter(|(a, b)| a != b).count();
    assert!(
        differ * 200 <= maps[0].len(),
        "{differ} of {} pixels differ",
        maps[0].len()
    );
    let (first, last) = (losses[1][0], losses[1][7]);
    assert!(last < first, "{:?}", losses[1]);
    for (cpu, tested) in losses[0].iter().zip(&losses[1]) {
        assert!((cpu - tested).abs() <= 0.02 * cpu.abs(), "{losses:?}");
    }
}

#[test]
fn a_checkpoint_of_one_device_goes_on_on_the_other() {
    let (_folder, scene) = town(4, 128);
    let (train, valid) = scene.split(Split::columns(0.6));
    let chips = train.chips(Chips::random(4, 64).seed(2)).unwrap();
    let (cpu, tested) = (Device::cpu(), device());
    for (from, to) in [(&cpu, &tested), (&tested, &cpu)] {
        let kept = tempfile::tempdir().unwrap();
        let fit = |epochs| {
            FitOptions::epochs(epochs)
                .batch(2)
                .validation_share(0.5)
                .seed(5)
                .quiet(true)
        };
        let model = || Segmenter::new(small(), scene.classes());
        let first = model().device(from);
        let begun = first.fit(&chips, &valid, fit(1).checkpoints(kept.path()));
        assert_eq!(begun.unwrap().history().epochs.len(), 1);
        let second = model().device(to);
        let run = second
            .fit(&chips, &valid, fit(2).resume(kept.path()))
            .unwrap();
        assert_eq!(run.history().epochs.len(), 2, "{}", to.explain());
        assert!(
            run.history()
                .step_losses
                .iter()
                .all(|loss| loss.is_finite())
        );
    }
}

#[test]
fn two_trainings_at_once_are_those_of_each_alone() {
    let (_folder, scene) = town(5, 128);
    let (train, valid) = scene.split(Split::columns(0.6));
    let chips = train.chips(Chips::random(4, 64).seed(2)).unwrap();
    let train_one = |seed: u64| {
        let model = Segmenter::new(small(), scene.classes()).device(device());
        let run = model.fit(&chips, &valid, short(2).seed(seed)).unwrap();
        run.history().step_losses.clone()
    };
    let alone = [train_one(1), train_one(2)];
    let together = std::thread::scope(|scope| {
        let one = scope.spawn(|| train_one(1));
        let other = scope.spawn(|| train_one(2));
        [one.join().unwrap(), other.join().unwrap()]
    });
    for (alone, together) in alone.iter().zip(&together) {
        assert_eq!(alone.len(), together.len());
        for (a, b) in alone.iter().zip(together) {
            assert!(
                !has_numbers() || (a - b).abs() <= 1e-3 * a.abs(),
                "{alone:?} {together:?}"
            );
        }
    }
}

#[test]
fn a_detector_trains_and_searches() {
    let (_folder, scene) = town(6, 256);
    let scene = scene.only(["car"]).unwrap();
    let (train, valid) = scene.split(Split::columns(0.6));
    let chips = train.chips(Chips::random(4, 64).seed(2)).unwrap();
    let network = swath::models::CenterNet::efficientnet_lite0().pretrained(false);
    let model = Detector::new(network, scene.classes()).device(device());
    let run = model.fit(&chips, &valid, short(2)).unwrap();
    assert!(
        run.history()
            .step_losses
            .iter()
            .all(|loss| loss.is_finite())
    );
    let search = DetectionOptions::new().min_score(0.01).quiet(true);
    let boxes = run.last().predict_with(&valid, search).unwrap();
    assert!(boxes.evaluate(&valid).is_ok());
}
