//! The feature extractors that segmentation networks are built on.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::efficientnet::EfficientNetLite;
use super::resnet::{ResNet, ResNetConfig, ResNetKind};

/// Which encoder a network has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EncoderKind {
    /// EfficientNet-Lite0: 3.4 million parameters, quick on a CPU.
    EfficientnetLite0,
    /// ResNet-18: 11 million parameters.
    Resnet18,
    /// ResNet-34: 21 million parameters.
    Resnet34,
    /// ResNet-50: 24 million parameters.
    Resnet50,
    /// ResNet-101: 43 million parameters.
    Resnet101,
}

impl EncoderKind {
    /// The name people know it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.resnet().map_or("EfficientNet-Lite0", ResNetKind::name)
    }

    /// Which ResNet it is, if it is one.
    #[must_use]
    pub fn resnet(self) -> Option<ResNetKind> {
        match self {
            Self::EfficientnetLite0 => None,
            Self::Resnet18 => Some(ResNetKind::Resnet18),
            Self::Resnet34 => Some(ResNetKind::Resnet34),
            Self::Resnet50 => Some(ResNetKind::Resnet50),
            Self::Resnet101 => Some(ResNetKind::Resnet101),
        }
    }

    /// The encoder with random weights.
    #[must_use]
    pub fn init(self, bands: usize, device: &Device) -> Encoder {
        match self.resnet() {
            None => Encoder::EfficientNet(EfficientNetLite::lite0(bands, device)),
            Some(kind) => Encoder::ResNet(ResNetConfig::new(kind, bands).init(device)),
        }
    }

    /// Channels of the features at strides 2, 4, 8, 16 and 32.
    #[must_use]
    pub fn channels(self) -> [usize; 5] {
        self.resnet()
            .map_or(EfficientNetLite::CHANNELS, ResNetKind::channels)
    }
}

/// A feature extractor.
#[derive(Module, Debug)]
pub enum Encoder {
    /// EfficientNet-Lite.
    EfficientNet(EfficientNetLite),
    /// A ResNet.
    ResNet(ResNet),
}

impl Encoder {
    pub(in crate::models) fn fold_norms(&mut self) {
        match self {
            Self::EfficientNet(encoder) => encoder.fold_norms(),
            Self::ResNet(encoder) => encoder.fold_norms(),
        }
    }

    /// Features at strides 2, 4, 8, 16 and 32.
    #[must_use]
    pub fn features(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        match self {
            Self::EfficientNet(encoder) => encoder.features(images),
            Self::ResNet(encoder) => encoder.features(images),
        }
    }
}
