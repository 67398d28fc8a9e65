//! A U-Net decoder over an encoder with features at strides 2 to 32, in the style of `segmentation_models_pytorch`.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::choices::{EncoderOptions, NetworkConfig, check_channels, encoder_of_field};
use super::conv;
use super::encoder::{Encoder, EncoderKind};
use super::layers::{Activation, BatchNorm2d, Conv2d, Conv2dConfig};
use super::network::{BoxedNetwork, Network};
use super::task::Segmentation;

#[derive(Module, Debug)]
pub(super) struct DecoderBlock {
    conv1: Conv2d,
    bn1: BatchNorm2d,
    conv2: Conv2d,
    bn2: BatchNorm2d,
}

impl DecoderBlock {
    pub(super) fn new(input: usize, output: usize, device: &Device) -> Self {
        let conv = |channels| Conv2dConfig::new(channels, 3).init(device);
        let norm = || BatchNorm2d::new(output, 1e-5, 0.1, Activation::Relu, device);
        Self {
            conv1: conv([input, output]),
            bn1: norm(),
            conv2: conv([output, output]),
            bn2: norm(),
        }
    }

    pub(super) fn forward(
        &self,
        x: Tensor<4>,
        skip: Option<Tensor<4>>,
        size: [usize; 2],
    ) -> Tensor<4> {
        let x = conv::upsample_and_join(x, skip, size);
        let x = self.bn1.forward(self.conv1.forward(x));
        self.bn2.forward(self.conv2.forward(x))
    }

    pub(in crate::models) fn fold_norms(&mut self) {
        self.bn1.fold_into(&mut self.conv1);
        self.bn2.fold_into(&mut self.conv2);
    }
}

/// The builder of U-Nets: class scores from features of all strides, joined step by step.
///
/// ```
/// use swath::models::Unet;
/// let network = Unet::resnet18().decoder_widths([128, 64, 32, 16, 16]);
/// assert_eq!(network.name(), "U-Net ResNet-18");
/// ```
///
/// What a network does not have is no method of its builder:
/// ```compile_fail,E0599
/// swath::models::Unet::resnet18().dropout(0.2);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unet {
    #[serde(flatten)]
    encoder: EncoderOptions,
    decoder_widths: [usize; 5],
}

impl Unet {
    /// The decoder's channels from stride 16 to stride 1, 1 to 4096 each; `[256, 128, 64, 32, 16]` unless set.
    #[must_use]
    pub fn decoder_widths(mut self, widths: [usize; 5]) -> Self {
        self.decoder_widths = widths;
        self
    }
}

impl NetworkConfig<Segmentation> for Unet {
    fn on(encoder: EncoderOptions) -> Self {
        Self {
            encoder,
            decoder_widths: [256, 128, 64, 32, 16],
        }
    }

    encoder_of_field!();

    fn check(&self) -> Result<(), String> {
        check_channels("decoder widths", &self.decoder_widths)
    }

    fn init(&self, bands: usize, classes: usize, device: &Device) -> Result<BoxedNetwork, String> {
        let (encoder, widths) = (self.encoder.encoder, self.decoder_widths);
        Ok(Box::new(UnetModel::new(
            encoder, bands, classes, widths, device,
        )))
    }
}

/// U-Net: encoder, five decoder blocks (nearest upsampling, skip, two 3 x 3 convolutions with batch norm and ReLU), and a
/// 3 x 3 convolution to class scores.
///
/// Images of any size work; sizes that are multiples of 32 waste nothing.
#[derive(Module, Debug)]
pub struct UnetModel {
    encoder: Encoder,
    decoder: Vec<DecoderBlock>,
    head: Conv2d,
}

impl UnetModel {
    /// Random weights. `widths` are the decoder's channels from stride 16 to stride 1.
    #[must_use]
    pub fn new(
        encoder: EncoderKind,
        bands: usize,
        classes: usize,
        widths: [usize; 5],
        device: &Device,
    ) -> Self {
        let [s2, s4, s8, s16, s32] = encoder.channels();
        let inputs = [
            s32 + s16,
            widths[0] + s8,
            widths[1] + s4,
            widths[2] + s2,
            widths[3],
        ];
        let decoder = inputs
            .iter()
            .zip(widths)
            .map(|(&input, width)| DecoderBlock::new(input, width, device));
        Self {
            decoder: decoder.collect(),
            head: Conv2dConfig {
                bias: true,
                ..Conv2dConfig::new([widths[4], classes], 3)
            }
            .init(device),
            encoder: encoder.init(bands, device),
        }
    }
}

impl Network for UnetModel {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let [_, _, height, width] = images.dims();
        let mut features = self.encoder.features(images);
        let mut x = features
            .pop()
            .unwrap_or_else(|| unreachable!("encoders return five features"));
        for block in &self.decoder {
            let skip = features.pop();
            let size = skip.as_ref().map_or([height, width], |skip| {
                let [_, _, h, w] = skip.dims();
                [h, w]
            });
            x = block.forward(x, skip, size);
        }
        self.head.forward(x)
    }

    fn fold_norms(&mut self) {
        self.encoder.fold_norms();
        for block in &mut self.decoder {
            block.fold_norms();
        }
    }

    fn encoder_prefixes(&self) -> Vec<&'static str> {
        vec!["encoder"]
    }
}
