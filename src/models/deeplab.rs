//! DeepLabV3 with torchvision's structure and parameter names (`torchvision/models/segmentation/deeplabv3.py`, version
//! 0.29; Chen and others, *Rethinking Atrous Convolution for Semantic Image Segmentation*, 2017), and DeepLabV3+ (the same
//! authors, *Encoder-Decoder with Atrous Separable Convolution for Semantic Image Segmentation*, 2018).

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Relu};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::choices::{EncoderOptions, NetworkConfig, check_dropout, encoder_of_field, resnet};
use super::conv;
use super::layers::{Activation, BatchNorm2d, Conv2d, Conv2dConfig, Padding};
use super::network::{BoxedNetwork, Network};
use super::resnet::{ResNet, ResNetConfig, ResNetKind};
use super::task::Segmentation;

/// Channels of the pyramid and of everything after it.
const CHANNELS: usize = 256;
/// Channels that DeepLabV3+ takes from the features of stride 4.
const LOW_LEVEL: usize = 48;

/// Torchvision's share of the pyramid's outputs that training sets to 0.
const DROPOUT: f64 = 0.5;

/// A builder that has torchvision's dropout beside its encoder.
macro_rules! builder {
    ($(#[$docs:meta])+ $builder:ident of $model:ident) => {
        $(#[$docs])+
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct $builder {
            #[serde(flatten)]
            encoder: EncoderOptions,
            dropout: f64,
        }

        impl NetworkConfig<Segmentation> for $builder {
            fn on(encoder: EncoderOptions) -> Self {
                Self {
                    encoder,
                    dropout: DROPOUT,
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
            ) -> Result<BoxedNetwork, String> {
                let (encoder, dropout) = (resnet(&self.encoder)?, self.dropout);
                Ok(Box::new($model::new(
                    encoder, bands, classes, dropout, device,
                )))
            }
        }
    };
}

builder! {
    /// The builder of DeepLabV3s with torchvision's structure and parameter names: features of stride 8 under a pyramid of
    /// dilations.
    ///
    /// ```
    /// assert_eq!(swath::models::DeepLabV3::resnet18().name(), "DeepLabV3 ResNet-18");
    /// ```
    DeepLabV3 of DeepLabV3Model
}

builder! {
    /// The builder of DeepLabV3+s: a pyramid of dilations at stride 16, joined with features of stride 4.
    ///
    /// ```
    /// assert_eq!(swath::models::DeepLabV3Plus::resnet18().name(), "DeepLabV3+ ResNet-18");
    /// ```
    DeepLabV3Plus of DeepLabV3PlusModel
}

// Methods stand outside of the macro: before rust-analyzer is ready, completion reads them in this file.

impl DeepLabV3 {
    /// The share of the pyramid's outputs that training sets to 0, from 0 up to (not including) 1; 0.5 unless set.
    #[must_use]
    pub fn dropout(mut self, share: f64) -> Self {
        self.dropout = share;
        self
    }
}

impl DeepLabV3Plus {
    /// The share of the pyramid's outputs that training sets to 0, from 0 up to (not including) 1; 0.5 unless set.
    #[must_use]
    pub fn dropout(mut self, share: f64) -> Self {
        self.dropout = share;
        self
    }
}

fn relu_norm(channels: usize, device: &Device) -> BatchNorm2d {
    BatchNorm2d::new(channels, 1e-5, 0.1, Activation::Relu, device)
}

fn dilated(channels: [usize; 2], dilation: usize, groups: usize) -> Conv2dConfig {
    Conv2dConfig {
        dilation,
        padding: Padding::Explicit(dilation),
        groups,
        ..Conv2dConfig::new(channels, 3)
    }
}

fn class_scores(input: usize, classes: usize, device: &Device) -> Conv2d {
    let config = Conv2dConfig {
        bias: true,
        ..Conv2dConfig::new([input, classes], 1)
    };
    config.init(device)
}

/// A branch of the pyramid. The variants' names are no part of the parameters' names.
#[derive(Module, Debug)]
enum Branch {
    /// A convolution, its norm, ReLU.
    Conv((Conv2d, BatchNorm2d)),
    /// A convolution of each channel by itself, one over the channels, norm, ReLU.
    Separable((Vec<Conv2d>, BatchNorm2d)),
    /// The mean over the image (position 0, without parameters), a convolution, its norm, ReLU.
    Pooling((Relu, Conv2d, BatchNorm2d)),
}

impl Branch {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Conv((conv, norm)) => norm.forward(conv.forward(x)),
            Self::Separable((convs, norm)) => norm.forward(in_turn(convs, x)),
            Self::Pooling((_, conv, norm)) => {
                let [_, _, height, width] = x.dims();
                let mean = x.mean_dim(3).mean_dim(2);
                conv::resize_bilinear(norm.forward(conv.forward(mean)), [height, width])
            }
        }
    }

    fn fold_norms(&mut self) {
        match self {
            Self::Conv((conv, norm)) | Self::Pooling((_, conv, norm)) => norm.fold_into(conv),
            Self::Separable((convs, norm)) => fold_last(convs, norm),
        }
    }
}

/// Folds a norm into the last convolution before it.
fn fold_last(convs: &mut [Conv2d], norm: &mut BatchNorm2d) {
    if let Some(last) = convs.last_mut() {
        norm.fold_into(last);
    }
}

fn in_turn(convs: &[Conv2d], x: Tensor<4>) -> Tensor<4> {
    convs.iter().fold(x, |x, conv| conv.forward(x))
}

fn separable(channels: [usize; 2], dilation: usize, device: &Device) -> Vec<Conv2d> {
    let [input, _] = channels;
    vec![
        dilated([input, input], dilation, input).init(device),
        Conv2dConfig::new(channels, 1).init(device),
    ]
}

/// Atrous spatial pyramid pooling: a 1 x 1 convolution, 3 x 3 ones of several dilations, and the image's mean, together.
///
/// Parameter names are torchvision's: `convs.{i}.0`, `convs.4.1`, `project.0`.
#[derive(Module, Debug)]
struct Aspp {
    convs: Vec<Branch>,
    project: (Conv2d, BatchNorm2d),
    dropout: Dropout,
}

impl Aspp {
    fn new(
        input: usize,
        dilations: [usize; 3],
        separately: bool,
        dropout: f64,
        device: &Device,
    ) -> Self {
        let channels = [input, CHANNELS];
        let point = || Conv2dConfig::new(channels, 1).init(device);
        let norm = || relu_norm(CHANNELS, device);
        let mut convs = vec![Branch::Conv((point(), norm()))];
        convs.extend(dilations.map(|dilation| {
            if separately {
                Branch::Separable((separable(channels, dilation, device), norm()))
            } else {
                Branch::Conv((dilated(channels, dilation, 1).init(device), norm()))
            }
        }));
        convs.push(Branch::Pooling((Relu::new(), point(), norm())));
        let joined = convs.len() * CHANNELS;
        Self {
            convs,
            project: (
                Conv2dConfig::new([joined, CHANNELS], 1).init(device),
                norm(),
            ),
            dropout: DropoutConfig::new(dropout.clamp(0.0, 0.99)).init(),
        }
    }

    fn forward(&self, x: &Tensor<4>) -> Tensor<4> {
        let branches = self.convs.iter().map(|conv| conv.forward(x.clone()));
        let x = Tensor::cat(branches.collect(), 1);
        let (conv, norm) = &self.project;
        self.dropout.forward(norm.forward(conv.forward(x)))
    }

    fn fold_norms(&mut self) {
        for branch in &mut self.convs {
            branch.fold_norms();
        }
        let (conv, norm) = &mut self.project;
        norm.fold_into(conv);
    }
}

/// What torchvision's `DeepLabHead` numbers 0 to 4; 3 is its ReLU, which our norm does.
type Head = (Aspp, Conv2d, BatchNorm2d, Relu, Conv2d);

/// DeepLabV3 on a ResNet whose last two layers are dilated instead of strided, so that features have stride 8.
///
/// Parameter names are torchvision's: `backbone.conv1`, `classifier.0.convs.0.0`, `classifier.4`. There is no auxiliary
/// classifier; the one of a state dict (`aux_classifier.*`) is not used.
#[derive(Module, Debug)]
pub struct DeepLabV3Model {
    backbone: ResNet,
    classifier: Head,
}

impl DeepLabV3Model {
    /// The dilations of torchvision's pyramid, at stride 8.
    const DILATIONS: [usize; 3] = [12, 24, 36];

    /// Random weights. `dropout` is the share of the pyramid's outputs that training sets to 0; torchvision's is 0.5.
    #[must_use]
    pub fn new(
        resnet: ResNetKind,
        bands: usize,
        classes: usize,
        dropout: f64,
        device: &Device,
    ) -> Self {
        let config =
            ResNetConfig::new(resnet, bands).replace_stride_with_dilation([false, true, true]);
        let [.., features] = resnet.channels();
        Self {
            backbone: config.init(device),
            classifier: (
                Aspp::new(features, Self::DILATIONS, false, dropout, device),
                Conv2dConfig::new([CHANNELS, CHANNELS], 3).init(device),
                relu_norm(CHANNELS, device),
                Relu::new(),
                class_scores(CHANNELS, classes, device),
            ),
        }
    }
}

impl Network for DeepLabV3Model {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let [_, _, height, width] = images.dims();
        let features = self.backbone.features(images);
        let (aspp, conv, norm, _, scores) = &self.classifier;
        let x = aspp.forward(&features[4]);
        let x = scores.forward(norm.forward(conv.forward(x)));
        conv::resize_bilinear(x, [height, width])
    }

    fn fold_norms(&mut self) {
        self.backbone.fold_norms();
        let (aspp, conv, norm, _, _) = &mut self.classifier;
        aspp.fold_norms();
        norm.fold_into(conv);
    }

    fn encoder_prefixes(&self) -> Vec<&'static str> {
        vec!["backbone"]
    }
}

/// DeepLabV3+: a pyramid of separable convolutions on features of stride 16, joined at stride 4 with the encoder's own.
///
/// As in the paper: dilations 6, 12 and 18, 48 channels from stride 4, two separable 3 x 3 convolutions to 256 channels,
/// and bilinear enlargement by 4 twice.
#[derive(Module, Debug)]
pub struct DeepLabV3PlusModel {
    backbone: ResNet,
    aspp: Aspp,
    low_level: (Conv2d, BatchNorm2d),
    decoder: Vec<(Vec<Conv2d>, BatchNorm2d)>,
    head: Conv2d,
}

impl DeepLabV3PlusModel {
    const DILATIONS: [usize; 3] = [6, 12, 18];

    /// Random weights. `dropout` is the share of the pyramid's outputs that training sets to 0.
    #[must_use]
    pub fn new(
        resnet: ResNetKind,
        bands: usize,
        classes: usize,
        dropout: f64,
        device: &Device,
    ) -> Self {
        let config =
            ResNetConfig::new(resnet, bands).replace_stride_with_dilation([false, false, true]);
        let [_, fine, _, _, coarse] = resnet.channels();
        let step = |input| {
            (
                separable([input, CHANNELS], 1, device),
                relu_norm(CHANNELS, device),
            )
        };
        Self {
            backbone: config.init(device),
            aspp: Aspp::new(coarse, Self::DILATIONS, true, dropout, device),
            low_level: (
                Conv2dConfig::new([fine, LOW_LEVEL], 1).init(device),
                relu_norm(LOW_LEVEL, device),
            ),
            decoder: vec![step(CHANNELS + LOW_LEVEL), step(CHANNELS)],
            head: class_scores(CHANNELS, classes, device),
        }
    }
}

impl Network for DeepLabV3PlusModel {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let [_, _, height, width] = images.dims();
        let features = self.backbone.features(images);
        let (conv, norm) = &self.low_level;
        let fine = norm.forward(conv.forward(features[1].clone()));
        let [_, _, rows, columns] = fine.dims();
        let coarse = conv::resize_bilinear(self.aspp.forward(&features[4]), [rows, columns]);
        let mut x = Tensor::cat(vec![coarse, fine], 1);
        for (convs, norm) in &self.decoder {
            x = norm.forward(in_turn(convs, x));
        }
        conv::resize_bilinear(self.head.forward(x), [height, width])
    }

    fn fold_norms(&mut self) {
        self.backbone.fold_norms();
        self.aspp.fold_norms();
        let (conv, norm) = &mut self.low_level;
        norm.fold_into(conv);
        for (convs, norm) in &mut self.decoder {
            fold_last(convs, norm);
        }
    }

    fn encoder_prefixes(&self) -> Vec<&'static str> {
        vec!["backbone"]
    }
}
