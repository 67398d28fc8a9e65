use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::{BoxedClassificationNetwork, ChipClassification, ClassificationNetwork};
use crate::models::choices::{EncoderOptions, NetworkConfig, check_dropout, encoder_of_field};
use crate::models::layers::Linear;
use crate::models::{Encoder, EncoderKind};

/// The builder of image classifiers: an encoder, the mean of its last features over the image, a linear layer to class
/// scores. On a ResNet it is torchvision's `resnet18`, `resnet50` and so on, with its parameter names.
///
/// ```
/// use swath::models::ImageClassifier;
/// let network = ImageClassifier::resnet18().dropout(0.2);
/// assert_eq!(network.name(), "Image classifier ResNet-18");
/// ```
///
/// # Source
/// He and others, *Deep residual learning for image recognition*, 2016; Tan and Le, *EfficientNet*, 2019, without the last
/// 1 x 1 convolution to 1280 channels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageClassifier {
    #[serde(flatten)]
    encoder: EncoderOptions,
    dropout: f64,
}

impl ImageClassifier {
    /// The share of the mean features that training sets to 0, from 0 up to (not including) 1; 0 unless set, as
    /// torchvision's ResNets.
    #[must_use]
    pub fn dropout(mut self, share: f64) -> Self {
        self.dropout = share;
        self
    }
}

impl NetworkConfig<ChipClassification> for ImageClassifier {
    fn on(encoder: EncoderOptions) -> Self {
        Self {
            encoder,
            dropout: 0.0,
        }
    }

    encoder_of_field!();

    fn check(&self) -> Result<(), String> {
        check_dropout(self.dropout)
    }

    fn init(
        &self,
        bands: usize,
        classes: usize,
        device: &Device,
    ) -> Result<BoxedClassificationNetwork, String> {
        let encoder = self.encoder.encoder;
        Ok(Box::new(ImageClassifierModel::new(
            encoder,
            bands,
            classes,
            self.dropout,
            device,
        )))
    }
}

/// An encoder, global average pooling, a linear layer.
#[derive(Module, Debug)]
pub struct ImageClassifierModel {
    encoder: Encoder,
    dropout: Dropout,
    fc: Linear,
}

impl ImageClassifierModel {
    /// Random weights. `dropout` is the share of the mean features that training sets to 0.
    #[must_use]
    pub fn new(
        encoder: EncoderKind,
        bands: usize,
        classes: usize,
        dropout: f64,
        device: &Device,
    ) -> Self {
        let [.., features] = encoder.channels();
        Self {
            fc: Linear::new(features, classes, device),
            dropout: DropoutConfig::new(dropout.clamp(0.0, 0.99)).init(),
            encoder: encoder.init(bands, device),
        }
    }
}

impl ClassificationNetwork for ImageClassifierModel {
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let [count, ..] = images.dims();
        let mut features = self.encoder.features(images);
        // An encoder gives five.
        // Strides 2, 4, 8, 16 and 32.
        let last = features.swap_remove(4);
        let [_, channels, ..] = last.dims();
        let mean = last.mean_dim(3).mean_dim(2).reshape([count, channels]);
        self.fc.forward(self.dropout.forward(mean))
    }

    fn fold_norms(&mut self) {
        self.encoder.fold_norms();
    }

    fn encoder_prefixes(&self) -> Vec<&'static str> {
        vec!["encoder"]
    }
}
