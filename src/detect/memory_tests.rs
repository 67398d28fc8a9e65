//! Detection on a device whose memory runs out.

use std::sync::{Mutex, PoisonError};

use burn::module::Module;
use burn::tensor::Tensor;

use super::tests::{Finder, drawn, folder};
use super::{DetectionOptions, SceneBoxes, detect_scene};
use crate::boxes::{Annotation, Detection};
use crate::device::Device;
use crate::models::{DetectOptions, DetectionNetwork, Normalization};
use crate::raster::Size;
use crate::scene::Scene;
use crate::{Hint, Result};

/// [`Finder`] on a device that has room for so many tiles at once: it fails as cubecl does.
#[derive(Module, Debug)]
struct Greedy {
    finder: Finder,
    most: usize,
}

/// Batches that a [`Greedy`] with room for two was given, in order.
static BATCHES: Mutex<Vec<usize>> = Mutex::new(Vec::new());

impl DetectionNetwork for Greedy {
    fn losses(
        &self,
        images: Tensor<4>,
        targets: &[Vec<Annotation>],
    ) -> Vec<(&'static str, Tensor<1>)> {
        DetectionNetwork::losses(&self.finder, images, targets)
    }

    fn detect(&self, images: Tensor<4>, options: &DetectOptions) -> Vec<Vec<Detection>> {
        let tiles = images.dims()[0];
        if self.most == 2 {
            BATCHES
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(tiles);
        }
        assert!(
            tiles <= self.most,
            "out of device memory allocating 1073741824 bytes\n   0: some backtrace"
        );
        DetectionNetwork::detect(&self.finder, images, options)
    }
}

fn greedy(most: usize, scene: &Scene, options: &DetectionOptions) -> Result<SceneBoxes> {
    let network = Greedy {
        finder: Finder::new(),
        most,
    };
    let options = options.clone().window(64).overlap(32).min_score(0.0);
    detect_scene(
        &network,
        &Normalization::new(vec![0.0], vec![200.0]),
        scene.classes(),
        scene,
        &Device::cpu(),
        &options.quiet(true),
        Some(0.0),
    )
}

#[test]
fn a_full_device_gets_fewer_tiles_at_once_and_no_box_is_lost() -> Result<()> {
    let folder = folder();
    let scene = drawn(folder.path(), Size::new(210, 130), 6)?;
    let expected = greedy(1000, &scene, &DetectionOptions::new())?;
    let boxes = greedy(2, &scene, &DetectionOptions::new().batch(9))?;
    assert!(expected.len() > 10);
    assert_eq!(boxes.all_detections(), expected.all_detections());
    let batches = BATCHES.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(batches[..4], [9, 4, 2, 2]);
    assert!(
        batches[2..].iter().all(|tiles| *tiles <= 2),
        "the size that fits is kept: {batches:?}"
    );
    Ok(())
}

#[test]
fn a_device_too_small_for_one_tile_is_an_error_that_says_so() -> Result<()> {
    let folder = folder();
    let scene = drawn(folder.path(), Size::new(100, 100), 1)?;
    let Err(error) = greedy(0, &scene, &DetectionOptions::new().batch(3)) else {
        panic!("no room at all")
    };
    assert_eq!(
        error.to_string(),
        "the device has not enough memory for 1 window(s) of 64 x 64 pixels: \
         out of device memory allocating 1073741824 bytes"
    );
    let hint = error.hint().unwrap_or_default();
    assert!(hint.contains("DetectionOptions::new().window("), "{hint}");
    Ok(())
}
