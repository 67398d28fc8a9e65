//! What goes wrong on a device is an error, and the session goes on.

use swath::models::Precision;
use swath::prelude::*;

use crate::support::{device, has_numbers};
use crate::training::town;

#[test]
fn a_precision_that_the_device_has_not_is_refused_before_the_first_step() {
    let (_folder, scene) = town(7, 128);
    let chips = scene.chips(Chips::random(2, 64).seed(1)).unwrap();
    let model =
        Segmenter::new(Unet::resnet18().pretrained(false), scene.classes()).device(device());
    let fit = FitOptions::steps(1)
        .batch(1)
        .validation_share(0.5)
        .precision(Precision::Bf16)
        .quiet(true);
    let able = device()
        .burn()
        .supports_dtype(swath::burn::tensor::FloatDType::BF16);
    match model.fit(&chips, &scene, fit) {
        Ok(run) => {
            assert!(able, "{}", device().explain());
            assert!(!has_numbers() || run.history().step_losses[0].is_finite());
        }
        Err(error) => {
            assert!(!able, "{error}");
            assert!(error.to_string().contains("bf16"), "{error}");
        }
    }
}
