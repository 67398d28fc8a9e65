//! From windows of imagery to probabilities, through a network on a device.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::activation::softmax;
use burn::tensor::{Tensor, TensorData};

use super::PredictError;
use super::views::View;
use crate::Result;
use crate::device::Device;
use crate::models::{AnyNetwork, BoxedNetwork, Normalisation};
use crate::raster::Patch;

/// Makes a patch the network's input, in place: normalised, and 0, which is the mean, where it is invalid.
pub(super) fn normalise(patch: &mut Patch, normalisation: &Normalisation) {
    normalisation.apply(&mut patch.data);
    let pixels = patch.size.width * patch.size.height;
    for plane in patch.data.chunks_exact_mut(pixels.max(1)) {
        for (value, valid) in plane.iter_mut().zip(&patch.valid) {
            if *valid == 0 {
                *value = 0.0;
            }
        }
    }
}

/// A network's inference copy on the device where it runs.
pub(super) struct Scorer {
    network: BoxedNetwork,
    device: Device,
    classes: usize,
    /// How every window is seen; the probabilities of all views are averaged.
    views: Vec<View>,
}

impl Scorer {
    pub(super) fn new(
        network: &dyn AnyNetwork,
        device: &Device,
        classes: usize,
        views: Vec<View>,
    ) -> Self {
        let network = network.inference();
        let network = if network.device() == *device.burn() {
            network
        } else {
            network.to_device(device.burn())
        };
        Self {
            network,
            device: device.clone(),
            classes,
            views,
        }
    }

    /// Probabilities of normalised windows, all of one size.
    ///
    /// # Shapes
    /// returns: `[patches, classes, height, width]`
    ///
    /// # Errors
    /// [`PredictError::Network`] when the network panics, [`PredictError::NetworkOutput`] when its output does not have
    /// one score per class and pixel.
    pub(super) fn score(&self, patches: &[Patch]) -> Result<Vec<f32>> {
        let Some(first) = patches.first() else {
            return Ok(Vec::new());
        };
        let (bands, height, width) = (first.bands, first.size.height, first.size.width);
        let mut values = Vec::with_capacity(patches.len() * bands * height * width);
        for patch in patches {
            values.extend_from_slice(&patch.data);
        }
        let images = TensorData::new(values, [patches.len(), bands, height, width]);
        // Networks may be the user's own, and a device reports lack of memory by panicking.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            self.probabilities(Tensor::from_data(images, self.device.burn()))
                .map(Tensor::try_into_data)
        }));
        let data = outcome.map_err(|panic| PredictError::Network {
            detail: panic_text(&*panic),
        })??;
        let unreadable = |detail: String| PredictError::Network { detail };
        let data = data
            .map_err(|error| unreadable(format!("{error:?}")))?
            .convert::<f32>();
        Ok(data
            .try_into_vec::<f32>()
            .map_err(|error| unreadable(format!("{error:?}")))?)
    }

    /// Probabilities of a batch of images, averaged over the views.
    fn probabilities(&self, images: Tensor<4>) -> Result<Tensor<4>> {
        let mut sum: Option<Tensor<4>> = None;
        for view in &self.views {
            let images = view.apply(images.clone());
            let [windows, _, height, width] = images.dims();
            let scores = self.network.forward(images);
            let (expected, found) = ([windows, self.classes, height, width], scores.dims());
            if found != expected {
                return Err(PredictError::NetworkOutput { expected, found }.into());
            }
            let seen = view.undo(softmax(scores, 1));
            sum = Some(match sum {
                Some(sum) => sum + seen,
                None => seen,
            });
        }
        let sum = sum.unwrap_or(images);
        Ok(if self.views.len() > 1 {
            sum / self.views.len() as f32
        } else {
            sum
        })
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it panicked without a message".to_owned())
}
