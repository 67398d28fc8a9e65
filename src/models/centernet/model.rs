use burn::module::{Initializer, Module};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::{decode, losses, targets};
use crate::boxes::{Annotation, Detection};
use crate::models::layers::{Activation, BatchNorm2d, Conv2d, Conv2dConfig};
use crate::models::unet::DecoderBlock;
use crate::models::{DetectOptions, DetectionNetwork, Encoder, EncoderKind};

/// The bias of a score whose sigmoid is 0.1: what the heat map begins with, so that the many cells without an object do
/// not drown the few with one in the first steps.
const PRIOR: f64 = -2.19;

/// The choices of a CenterNet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CenterNetOptions {
    /// The decoder's channels at strides 16, 8 and 4.
    pub decoder_widths: [usize; 3],
    /// The channels between the decoder and each of the two outputs.
    pub head_width: usize,
}

impl Default for CenterNetOptions {
    fn default() -> Self {
        Self {
            decoder_widths: [256, 128, 64],
            head_width: 64,
        }
    }
}

/// A 3 x 3 convolution with batch norm and ReLU, and a 1 x 1 convolution to the output.
#[derive(Module, Debug)]
struct Head {
    conv: Conv2d,
    norm: BatchNorm2d,
    out: Conv2d,
}

impl Head {
    fn new(input: usize, width: usize, output: usize, bias: f64, device: &Device) -> Self {
        let mut out = Conv2dConfig {
            bias: true,
            ..Conv2dConfig::new([width, output], 1)
        }
        .init(device);
        // Small weights, so that every cell begins with nearly the bias.
        out.weight = Initializer::Normal {
            mean: 0.0,
            std: 0.01,
        }
        .init([output, width, 1, 1], device);
        out.bias = Some(Initializer::Constant { value: bias }.init([output], device));
        Self {
            conv: Conv2dConfig::new([input, width], 3).init(device),
            norm: BatchNorm2d::new(width, 1e-5, 0.1, Activation::Relu, device),
            out,
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.out.forward(self.norm.forward(self.conv.forward(x)))
    }
}

/// The network: encoder, three decoder blocks of a U-Net, a head for the heat map and one for the sides.
///
/// Images of any size work; sizes that are multiples of 32 waste nothing.
#[derive(Module, Debug)]
pub struct CenterNetModel {
    encoder: Encoder,
    decoder: Vec<DecoderBlock>,
    heat: Head,
    sides: Head,
}

impl CenterNetModel {
    /// Random weights; `classes` counts the background.
    #[must_use]
    pub fn new(
        encoder: EncoderKind,
        bands: usize,
        classes: usize,
        options: &CenterNetOptions,
        device: &Device,
    ) -> Self {
        let [_, s4, s8, s16, s32] = encoder.channels();
        let widths = options.decoder_widths;
        let inputs = [s32 + s16, widths[0] + s8, widths[1] + s4];
        let decoder = inputs
            .iter()
            .zip(widths)
            .map(|(&input, width)| DecoderBlock::new(input, width, device))
            .collect();
        let head = |output, bias| Head::new(widths[2], options.head_width, output, bias, device);
        Self {
            decoder,
            heat: head(classes.saturating_sub(1).max(1), PRIOR),
            sides: head(4, 0.0),
            encoder: encoder.init(bands, device),
        }
    }

    /// Scores of centers before the sigmoid, and the distances in pixels from the middle of each cell to the left,
    /// upper, right and lower side of its object's box, always positive.
    ///
    /// # Shapes
    ///
    /// - `images`: `[n, bands, h, w]`
    /// - output: `[n, classes - 1, h / 4, w / 4]` and `[n, 4, h / 4, w / 4]`, sizes rounded up
    #[must_use]
    pub fn forward(&self, images: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        let mut features = self.encoder.features(images);
        let mut x = features
            .pop()
            .unwrap_or_else(|| unreachable!("encoders return five features"));
        for block in &self.decoder {
            let skip = features.pop();
            let size = skip.as_ref().map_or([1, 1], |skip| {
                let [_, _, height, width] = skip.dims();
                [height, width]
            });
            x = block.forward(x, skip, size);
        }
        let sides = targets::sides_from_scores(self.sides.forward(x.clone()));
        (self.heat.forward(x), sides)
    }
}

impl DetectionNetwork for CenterNetModel {
    fn losses(
        &self,
        images: Tensor<4>,
        targets: &[Vec<Annotation>],
    ) -> Vec<(&'static str, Tensor<1>)> {
        let (heat, sides) = self.forward(images);
        let targets = targets::Targets::new(targets, heat.dims()).upload(&heat.device());
        vec![
            ("heat map", losses::heat(heat, &targets)),
            (
                "boxes",
                losses::sides(&sides, &targets) * losses::BOX_WEIGHT,
            ),
        ]
    }

    fn detect(&self, images: Tensor<4>, options: &DetectOptions) -> Vec<Vec<Detection>> {
        let [_, _, height, width] = images.dims();
        let (heat, sides) = self.forward(images);
        decode::detections(heat, sides, [height, width], options)
    }

    fn fold_norms(&mut self) {
        self.encoder.fold_norms();
        for block in &mut self.decoder {
            block.fold_norms();
        }
        for head in [&mut self.heat, &mut self.sides] {
            head.norm.fold_into(&mut head.conv);
        }
    }

    fn encoder_prefixes(&self) -> Vec<&'static str> {
        vec!["encoder"]
    }
}
