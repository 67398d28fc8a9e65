//! Detection end to end on drawn imagery: the small form of `examples/town_cars.rs`.

use swath::Hint;
use swath::prelude::*;
use swath::samples::town_in;

use crate::support::{assert_passed, in_child, is_child};

#[test]
fn a_detector_that_begins_with_random_weights_finds_the_cars_of_another_town() {
    let folder = tempfile::tempdir().unwrap();
    let cars = |seed, size| {
        let town = town_in(folder.path(), seed, size).unwrap();
        town.scene().unwrap().only(["car"]).unwrap()
    };
    let (train, valid) = cars(1, 1024).split(Split::rows(0.85));
    let chips = train
        .chips(Chips::random(480, 96).seed(3).neg_ratio(0.0))
        .unwrap();
    let architecture = CenterNet::resnet18().pretrained(false);
    let model = Detector::new(architecture, train.classes());
    let run = model
        .fit(&chips, &valid, FitOptions::steps(120).lr(3e-3).quiet(true))
        .unwrap();
    let test = cars(2, 640);
    let scores = run.last().predict(&test).unwrap().evaluate(&test).unwrap();
    println!("AP50 {:.3} of {} cars", scores.ap50(), test.boxes().len());
    assert!(scores.ap50() > 0.8, "AP50 {:.3}", scores.ap50());
}

/// The file is not fetched, since a folder of weights has one of its name; that it is not the published one shows that it
/// was asked for.
#[test]
fn a_pretrained_detector_asks_for_torchvisions_file_and_others_ask_for_none() {
    if !is_child() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("resnet18-f37072fd.pth"), "not it").unwrap();
        let weights = folder.path().to_str().unwrap();
        assert_passed(&in_child(
            "detectors::a_pretrained_detector_asks_for_torchvisions_file_and_others_ask_for_none",
            &[("SWATH_WEIGHTS", weights)],
        ));
        return;
    }
    let plain: [DetectorArchitecture; 3] = [
        RetinaNet::resnet18().into(),
        FasterRcnn::resnet18().into(),
        CenterNet::resnet18().into(),
    ];
    let pretrained: [DetectorArchitecture; 3] = [
        RetinaNet::resnet18().pretrained(true).into(),
        FasterRcnn::resnet18().pretrained(true).into(),
        CenterNet::resnet18().pretrained(true).into(),
    ];
    for (plain, pretrained) in plain.iter().zip(pretrained) {
        let report = plain.weights_report(3, 2).unwrap();
        assert_eq!(report, None, "random weights unless asked");
        let error = pretrained.weights_report(3, 2).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("expected is f37072fd") && text.contains("resnet18-f37072fd.pth"),
            "{text}"
        );
        assert!(error.hint().is_some());
    }
}
