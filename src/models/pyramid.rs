//! Segmentation on a feature pyramid (Kirillov and others, *Panoptic Feature Pyramid Networks*, 2019, section 3.1).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::choices::{EncoderOptions, NetworkConfig, check_channels, encoder_of_field};
use super::conv;
use super::encoder::{Encoder, EncoderKind};
use super::fpn::{ExtraLevels, FeaturePyramid};
use super::layers::{Activation, BatchNorm2d, Conv2d, Conv2dConfig};
use super::network::{BoxedNetwork, Network};
use super::task::Segmentation;

/// A 3 x 3 convolution, its norm, ReLU.
type Step = (Conv2d, BatchNorm2d);

/// The builder of FPNs: a feature pyramid under one head (Kirillov and others, *Panoptic Feature Pyramid Networks*, 2019).
///
/// ```
/// assert_eq!(swath::models::Fpn::resnet18().name(), "FPN ResNet-18");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fpn {
    #[serde(flatten)]
    encoder: EncoderOptions,
    channels: usize,
}

impl Fpn {
    /// Channels of the pyramid, 1 to 4096; its decoder has half as many. 256 unless set.
    #[must_use]
    pub fn pyramid_channels(mut self, channels: usize) -> Self {
        self.channels = channels;
        self
    }
}

impl NetworkConfig<Segmentation> for Fpn {
    fn on(encoder: EncoderOptions) -> Self {
        Self {
            encoder,
            channels: 256,
        }
    }

    encoder_of_field!();

    fn check(&self) -> Result<(), String> {
        check_channels("pyramid channels", &[self.channels])
    }

    fn init(&self, bands: usize, classes: usize, device: &Device) -> Result<BoxedNetwork, String> {
        let (encoder, channels) = (self.encoder.encoder, self.channels);
        Ok(Box::new(FpnModel::new(
            encoder, bands, classes, channels, device,
        )))
    }
}

/// An encoder, a pyramid over its features of strides 4 to 32, 3 x 3 convolutions and doublings (nearest neighbor) that
/// bring each level to stride 4, their sum, class scores, and bilinear enlargement by 4.
///
/// The norms are batch norms where the paper has group norms, as in the rest of the library.
#[derive(Module, Debug)]
pub struct FpnModel {
    encoder: Encoder,
    fpn: FeaturePyramid,
    decoder: Vec<Vec<Step>>,
    head: Conv2d,
}

impl FpnModel {
    /// Random weights. `channels` are those of the pyramid; the decoder has half as many.
    #[must_use]
    pub fn new(
        encoder: EncoderKind,
        bands: usize,
        classes: usize,
        channels: usize,
        device: &Device,
    ) -> Self {
        let width = (channels / 2).max(1);
        let step = |input: usize| {
            (
                Conv2dConfig::new([input, width], 3).init(device),
                BatchNorm2d::new(width, 1e-5, 0.1, Activation::Relu, device),
            )
        };
        // One step at least; one for each doubling.
        let decoder = [1, 1, 2, 3].map(|steps| {
            (0..steps)
                .map(|index| step(if index == 0 { channels } else { width }))
                .collect()
        });
        let head = Conv2dConfig {
            bias: true,
            ..Conv2dConfig::new([width, classes], 1)
        };
        Self {
            encoder: encoder.init(bands, device),
            fpn: FeaturePyramid::new(
                &encoder.channels()[1..],
                channels,
                ExtraLevels::None,
                device,
            ),
            decoder: decoder.into(),
            head: head.init(device),
        }
    }
}

impl Network for FpnModel {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let [_, _, height, width] = images.dims();
        let levels = self.fpn.forward(&self.encoder.features(images)[1..]);
        let sizes: Vec<[usize; 2]> = levels
            .iter()
            .map(|level| {
                let [_, _, rows, columns] = level.dims();
                [rows, columns]
            })
            .collect();
        let mut sum: Option<Tensor<4>> = None;
        for (index, (mut x, steps)) in levels.into_iter().zip(&self.decoder).enumerate() {
            for (step, (conv, norm)) in steps.iter().enumerate() {
                x = norm.forward(conv.forward(x));
                if let Some(finer) = index.checked_sub(step + 1) {
                    x = conv::enlarge_nearest(x, sizes[finer]);
                }
            }
            sum = Some(match sum {
                Some(sum) => sum + x,
                None => x,
            });
        }
        let sum = sum.unwrap_or_else(|| unreachable!("a pyramid has four levels"));
        conv::resize_bilinear(self.head.forward(sum), [height, width])
    }

    fn fold_norms(&mut self) {
        self.encoder.fold_norms();
        for (conv, norm) in self.decoder.iter_mut().flatten() {
            norm.fold_into(conv);
        }
    }

    fn encoder_prefixes(&self) -> Vec<&'static str> {
        vec!["encoder"]
    }
}
