//! The CUDA build: it trains on a GPU that answers; where there is no NVIDIA driver it starts, says why it computes on the
//! processor, and trains there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use swath::prelude::*;

#[test]
fn the_cuda_build_trains_on_a_gpu_that_answers_or_says_why_not() -> swath::Result<()> {
    match Device::cuda(0) {
        Ok(gpu) => {
            assert!(gpu.is_gpu(), "{}", gpu.explain());
            // Whatever `SWATH_DEVICE` asks for.
            gpu.set_current();
        }
        Err(error) => {
            let error = error.to_string();
            let causes = ["driver", "GPU", "NVRTC", "CUDA_PATH"];
            assert!(causes.iter().any(|cause| error.contains(cause)), "{error}");
            let device = Device::best();
            assert!(!device.is_gpu());
            assert!(device.explain().starts_with("CPU"), "{}", device.explain());
        }
    }

    // The whole path: without a driver, a device that Burn picks by itself anywhere in it would ask for a GPU, and panic.
    let folder = tempfile::tempdir().expect("a folder for the town");
    let scene = samples::town_in(folder.path(), 3, 128)?.scene()?;
    let (train, valid) = scene.split(Split::columns(0.5));
    let chips = train.chips(Chips::random(2, 64).seed(1))?;
    let run = Segmenter::new(
        Unet::resnet18().decoder_widths([16, 16, 8, 8, 8]),
        scene.classes(),
    )
    .fit(&chips, &valid, FitOptions::steps(1).batch(2).quiet(true))?;
    assert!(run.history().step_losses[0].is_finite());
    let scores = run.last().predict(&valid)?.evaluate(&valid)?;
    assert!(scores.accuracy().is_finite());
    Ok(())
}
