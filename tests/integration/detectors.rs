//! Detection end to end on drawn imagery: the small form of `examples/town_cars.rs`.

use swath::prelude::*;
use swath::samples::town_in;

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
        .fit(&chips, &valid, Fit::steps(120).lr(3e-3).quiet(true))
        .unwrap();
    let test = cars(2, 640);
    let scores = run.last().predict(&test).unwrap().evaluate(&test).unwrap();
    println!("AP50 {:.3} of {} cars", scores.ap50(), test.boxes().len());
    assert!(scores.ap50() > 0.8, "AP50 {:.3}", scores.ap50());
}
