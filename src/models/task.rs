//! What a network is for, as a type: segmentation or detection. Training, bundles and models are generic over it.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{AnyModule, AnyNetwork, Architecture, BoxedNetwork, Normalization};
use crate::Result;
use crate::device::Device;

/// What a network is for.
pub trait Task: Copy + Debug + Send + Sync + Sized + 'static {
    /// Its name in a bundle, such as `segmentation`.
    const NAME: &'static str;
    /// The type in the library that holds a model of this task, such as `Segmenter`.
    const MODEL: &'static str;
    /// A network of this task without its type.
    type Network: ?Sized + AnyModule<Self>;
    /// A description of such a network.
    type Architecture: Blueprint<Self>;
}

/// A description that a network of task `T` is made of, and that a bundle keeps.
pub trait Blueprint<T: Task>:
    Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The name people know it by.
    fn name(&self) -> String;

    /// How pixels of `data_type` (GDAL's name) with these statistics become input.
    fn normalization(&self, data_type: &str, mean: &[f64], std: &[f64]) -> Normalization;

    /// A network to start training from, pretrained weights included.
    ///
    /// # Errors
    ///
    /// When the sizes are impossible, or the pretrained weights cannot be had or do not fit.
    fn build(&self, bands: usize, classes: usize, device: &Device) -> Result<Box<T::Network>>;

    /// A network whose weights will be loaded at once: nothing is fetched or read.
    ///
    /// # Errors
    ///
    /// When the sizes are impossible, or the constructor of a custom architecture is not here.
    fn build_blank(&self, bands: usize, classes: usize, device: &Device)
    -> Result<Box<T::Network>>;

    /// The encoder's learning rate as a share of the rest's, 0 for one that stays as it is.
    fn encoder_rate(&self) -> f64;
}

/// Every pixel gets a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segmentation;

impl Task for Segmentation {
    const NAME: &'static str = "segmentation";
    const MODEL: &'static str = "Segmenter";
    type Network = dyn AnyNetwork;
    type Architecture = Architecture;
}

impl Blueprint<Segmentation> for Architecture {
    fn name(&self) -> String {
        Self::name(self)
    }

    fn normalization(&self, data_type: &str, mean: &[f64], std: &[f64]) -> Normalization {
        Self::normalization(self, data_type, mean, std)
    }

    fn build(&self, bands: usize, classes: usize, device: &Device) -> Result<BoxedNetwork> {
        Self::build(self, bands, classes, device)
    }

    fn build_blank(&self, bands: usize, classes: usize, device: &Device) -> Result<BoxedNetwork> {
        Self::build_blank(self, bands, classes, device)
    }

    fn encoder_rate(&self) -> f64 {
        match self.encoder_options() {
            Some(options) if options.freeze_encoder => 0.0,
            Some(options) => options.encoder_lr_scale,
            None => 1.0,
        }
    }
}
