//! From windows of imagery to probabilities, through a network on a device.

use burn::tensor::Tensor;
use burn::tensor::activation::softmax;

use super::PredictError;
use super::predictable::Member;
use super::runner::{Failed, on_device, placed};
use super::tta::TtaView;
use crate::Result;
use crate::device::Device;
use crate::models::{BoxedNetwork, Normalization, Segmentation};
use crate::raster::{Patch, PixelWindow};
use crate::scene::Scene;

/// The normalizations of some networks, each once: what a window's imagery is prepared with.
pub(crate) struct Inputs(Vec<Normalization>);

impl Inputs {
    pub(crate) fn of<'a>(all: impl IntoIterator<Item = &'a Normalization>) -> Self {
        let mut different: Vec<Normalization> = Vec::new();
        for normalization in all {
            if !different.contains(normalization) {
                different.push(normalization.clone());
            }
        }
        Self(different)
    }

    /// Reads a window of a scene and prepares it; `None` far from the area of interest, where there is nothing to read. The
    /// networks see the imagery around that area; only what lies in it is valid in the patch, so that only this gets a class.
    ///
    /// # Errors
    /// As [`Scene::read`].
    pub(crate) fn read(&self, scene: &Scene, window: &PixelWindow) -> Result<Option<Patch>> {
        if scene.aoi().is_some_and(|aoi| !aoi.touches(window)) {
            return Ok(None);
        }
        let mut patch = self.prepare(scene.read(window)?);
        if let Some(aoi) = scene.aoi() {
            for (valid, of_interest) in patch.valid.iter_mut().zip(aoi.mask(window)) {
                *valid &= of_interest;
            }
        }
        Ok(Some(patch))
    }

    /// Makes a patch the networks' input: for every normalization, all bands normalized, and 0, which is the mean,
    /// where they are invalid.
    ///
    /// # Shapes
    /// `[bands, height, width]` to `[normalizations x bands, height, width]`
    fn prepare(&self, mut patch: Patch) -> Patch {
        let (values, bands) = (patch.data.len(), patch.bands);
        for _ in 1..self.0.len() {
            patch.data.extend_from_within(..values);
        }
        let pixels = patch.size.area().max(1);
        for (normalization, planes) in self
            .0
            .iter()
            .zip(patch.data.chunks_exact_mut(values.max(1)))
        {
            normalization.apply(planes);
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

    pub(crate) fn position(&self, normalization: &Normalization) -> usize {
        let same = self.0.iter().position(|other| other == normalization);
        same.unwrap_or_default()
    }
}

/// The networks' inference copies on the device where they run.
pub(super) struct Scorer {
    /// Each with the place of its normalization in [`Inputs`].
    networks: Vec<(BoxedNetwork, usize)>,
    device: Device,
    bands: usize,
    classes: usize,
    /// How every window is seen.
    views: Vec<TtaView>,
}

impl Scorer {
    pub(super) fn new(
        members: &[Member<'_, Segmentation>],
        inputs: &Inputs,
        device: &Device,
        classes: usize,
        views: Vec<TtaView>,
    ) -> Self {
        let copied = |member: &Member<'_, Segmentation>| {
            let network = placed::<Segmentation>(member.network.prediction(), device);
            (network, inputs.position(member.normalization))
        };
        Self {
            networks: members.iter().map(copied).collect(),
            device: device.clone(),
            bands: members
                .first()
                .map_or(0, |first| first.normalization.bands()),
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
        let data = on_device(&self.device, patches, |images| {
            let probabilities = self.probabilities(&images)?;
            (probabilities.try_into_data()).map_err(|error| Failed::Device(format!("{error:?}")))
        })?;
        data.convert::<f32>()
            .try_into_vec::<f32>()
            .map_err(|error| {
                PredictError::Network {
                    detail: format!("{error:?}"),
                }
                .into()
            })
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
