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

/// A network and how its input is normalised.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) network: &'a dyn AnyNetwork,
    pub(super) normalisation: &'a Normalisation,
}

/// The normalisations of some members, each once: what a window's imagery is prepared with.
pub(super) struct Inputs(Vec<Normalisation>);

impl Inputs {
    pub(super) fn of(members: &[Member<'_>]) -> Self {
        let mut different: Vec<Normalisation> = Vec::new();
        for member in members {
            if !different.contains(member.normalisation) {
                different.push(member.normalisation.clone());
            }
        }
        Self(different)
    }

    /// Makes a patch the networks' input: for every normalisation, all bands normalised, and 0, which is the mean,
    /// where they are invalid.
    ///
    /// # Shapes
    /// `[bands, height, width]` to `[normalisations x bands, height, width]`
    pub(super) fn prepare(&self, mut patch: Patch) -> Patch {
        let (values, bands) = (patch.data.len(), patch.bands);
        for _ in 1..self.0.len() {
            patch.data.extend_from_within(..values);
        }
        let pixels = patch.size.area().max(1);
        for (normalisation, planes) in self
            .0
            .iter()
            .zip(patch.data.chunks_exact_mut(values.max(1)))
        {
            normalisation.apply(planes);
            for plane in planes.chunks_exact_mut(pixels) {
                for (value, valid) in plane.iter_mut().zip(&patch.valid) {
                    if *valid == 0 {
                        *value = 0.0;
                    }
                }
            }
        }
        patch.bands = bands * self.0.len();
        patch
    }

    fn position(&self, normalisation: &Normalisation) -> usize {
        let same = self.0.iter().position(|other| other == normalisation);
        same.unwrap_or_default()
    }
}

/// The networks' inference copies on the device where they run.
pub(super) struct Scorer {
    /// Each with the place of its normalisation in [`Inputs`].
    networks: Vec<(BoxedNetwork, usize)>,
    device: Device,
    bands: usize,
    classes: usize,
    /// How every window is seen.
    views: Vec<View>,
}

impl Scorer {
    pub(super) fn new(
        members: &[Member<'_>],
        inputs: &Inputs,
        device: &Device,
        classes: usize,
        views: Vec<View>,
    ) -> Self {
        let copied = |member: &Member<'_>| {
            let network = member.network.prediction();
            let network = if network.device() == *device.burn() {
                network
            } else {
                network.to_device(device.burn())
            };
            (network, inputs.position(member.normalisation))
        };
        Self {
            networks: members.iter().map(copied).collect(),
            device: device.clone(),
            bands: members
                .first()
                .map_or(0, |first| first.normalisation.bands()),
            classes,
            views,
        }
    }

    /// Probabilities of prepared windows, all of one size: the average over all networks and views.
    ///
    /// # Shapes
    /// returns: `[patches, classes, height, width]`
    ///
    /// # Errors
    /// [`PredictError::OutOfMemory`] when the device has no room for so many windows, [`PredictError::Network`] when a
    /// network panics, [`PredictError::NetworkOutput`] when its output does not have one score per class and pixel.
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
        let failed = |detail: String| -> crate::Error {
            if !is_lack_of_memory(&detail) {
                return PredictError::Network { detail }.into();
            }
            // What the failed attempt has left behind would be missing in the next one.
            let _ = catch_unwind(AssertUnwindSafe(|| self.device.burn().memory_cleanup()));
            PredictError::OutOfMemory {
                windows: patches.len(),
                width,
                height,
                detail: detail.lines().next().unwrap_or_default().to_owned(),
            }
            .into()
        };
        // Networks may be the user's own, and a device reports lack of memory by panicking or, since it works behind
        // the program's back, only when the result is asked for.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            self.probabilities(&Tensor::from_data(images, self.device.burn()))
                .map(Tensor::try_into_data)
        }));
        let data = outcome
            .map_err(|panic| failed(panic_text(&*panic)))??
            .map_err(|error| failed(format!("{error:?}")))?;
        data.convert::<f32>()
            .try_into_vec::<f32>()
            .map_err(|error| failed(format!("{error:?}")))
    }

    fn probabilities(&self, images: &Tensor<4>) -> Result<Tensor<4>> {
        let mut sum: Option<Tensor<4>> = None;
        for (network, input) in &self.networks {
            let images = images.clone().narrow(1, input * self.bands, self.bands);
            for view in &self.views {
                let images = view.apply(images.clone());
                let [windows, _, height, width] = images.dims();
                let scores = network.forward(images);
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
        }
        let count = self.networks.len() * self.views.len();
        let sum = sum.ok_or(PredictError::NoModels)?;
        Ok(if count > 1 { sum / count as f32 } else { sum })
    }
}

/// Whether a device's words say that its memory ran out: CUDA's driver, cubecl and the operating system word it in their
/// own ways.
fn is_lack_of_memory(detail: &str) -> bool {
    let detail = detail.to_lowercase().replace(['-', '_'], " ");
    [
        "out of memory",
        "outofmemory",
        "out of device memory",
        "can't allocate buffer",
    ]
    .iter()
    .any(|words| detail.contains(words))
}

pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it panicked without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::is_lack_of_memory;

    #[test]
    fn lack_of_memory_is_told_from_other_failures() {
        for words in [
            "out of device memory allocating 1073741824 bytes\n   0: backtrace",
            "An out-of-memory error happened during launch\nCaused by:\n  no page",
            "CUDA allocation error: DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")",
            "can't allocate buffer of size: 99999999999",
        ] {
            assert!(is_lack_of_memory(words), "{words}");
        }
        assert!(!is_lack_of_memory("index out of bounds: the length is 3"));
    }
}
