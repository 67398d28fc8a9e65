use std::fmt::Debug;

use burn::module::Module;
use burn::tensor::Tensor;

use super::state_dict;
use crate::Result;
use crate::boxes::{Annotation, Detection};
use crate::models::choices::KnownNetwork;
use crate::models::module::{AnyModule, any_module};
use crate::models::{NamedTensors, Task, WeightsReport};

/// Objects get boxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectDetection;

impl Task for ObjectDetection {
    const NAME: &'static str = "detection";
    const MODEL: &'static str = "Detector";
    const ARCHITECTURE: &'static str = "DetectorArchitecture";
    const EXPORTS_CUSTOM: bool = false;
    type Network = dyn AnyDetectionNetwork;

    fn networks() -> &'static [KnownNetwork<Self>] {
        super::DETECTION
    }

    fn load_state_dict(
        network: &mut Self::Network,
        name: &str,
        file: NamedTensors,
    ) -> Result<WeightsReport> {
        state_dict::load(network, name, file)
    }
}

/// A detection network: a Burn module from images to boxes.
///
/// Boxes are in pixels of the image that the network is given, x to the right and y down, far edges exclusive. Classes
/// are indices into the model's classes: 1 and up, for 0 is the background.
///
/// Implement it for a module of your own and hand it to `DetectorArchitecture::custom`.
pub trait DetectionNetwork: Module + Sync + Debug + 'static {
    /// The losses of a batch by name; training makes their sum small.
    ///
    /// A training copy gets images on `device.autodiff()`. Validation calls it on an inference copy with images on the
    /// plain device, where batch norms use their running statistics: it must give finite numbers there as well, also
    /// for images without any object.
    ///
    /// # Shapes
    ///
    /// - `images`: `[n, bands, height, width]`, normalized
    /// - `targets`: `n` lists of objects
    /// - output: each loss `[1]`, at least one
    fn losses(
        &self,
        images: Tensor<4>,
        targets: &[Vec<Annotation>],
    ) -> Vec<(&'static str, Tensor<1>)>;

    /// The objects of each image, best first, overlaps within the image suppressed, cut to the image.
    ///
    /// # Shapes
    ///
    /// - `images`: `[n, bands, height, width]`, normalized, on the plain device of an inference copy
    /// - output: `n` lists
    fn detect(&self, images: Tensor<4>, options: &DetectOptions) -> Vec<Vec<Detection>>;

    /// Folds batch norms into the convolutions before them ([`crate::models::BatchNorm2d::fold_into`]), in an inference
    /// copy that is only predicted with. A network need not do it; it makes prediction faster.
    fn fold_norms(&mut self) {}

    /// The first parts of the parameter names that belong to a pretrained encoder, such as `["encoder"]`.
    fn encoder_prefixes(&self) -> Vec<&'static str> {
        Vec::new()
    }
}

/// Which boxes a detection network returns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DetectOptions {
    /// The lowest score a box may have; 0.05 unless set.
    pub min_score: f32,
    /// Of two boxes of one class that overlap by more than this intersection over union, the worse goes; 0.5 unless set.
    pub nms_iou: f64,
    /// The most boxes of one image; 300 unless set.
    pub max_boxes: usize,
}

impl Default for DetectOptions {
    fn default() -> Self {
        Self {
            min_score: 0.05,
            nms_iou: 0.5,
            max_boxes: 300,
        }
    }
}

/// A [`DetectionNetwork`] without its type: what the library trains, predicts with and saves.
///
/// Implemented for every [`DetectionNetwork`]; what does not depend on the task is in [`AnyModule`].
pub trait AnyDetectionNetwork: AnyModule<ObjectDetection> {
    /// See [`DetectionNetwork::losses`].
    fn losses(
        &self,
        images: Tensor<4>,
        targets: &[Vec<Annotation>],
    ) -> Vec<(&'static str, Tensor<1>)>;

    /// See [`DetectionNetwork::detect`].
    fn detect(&self, images: Tensor<4>, options: &DetectOptions) -> Vec<Vec<Detection>>;
}

/// A detection network of any type.
pub type BoxedDetectionNetwork = Box<dyn AnyDetectionNetwork>;

impl<N: DetectionNetwork> AnyDetectionNetwork for N {
    fn losses(
        &self,
        images: Tensor<4>,
        targets: &[Vec<Annotation>],
    ) -> Vec<(&'static str, Tensor<1>)> {
        DetectionNetwork::losses(self, images, targets)
    }

    fn detect(&self, images: Tensor<4>, options: &DetectOptions) -> Vec<Vec<Detection>> {
        DetectionNetwork::detect(self, images, options)
    }
}

any_module!(DetectionNetwork for ObjectDetection, boxed as BoxedDetectionNetwork);
