//! The feature pyramid of torchvision (`torchvision/ops/feature_pyramid_network.py`, version 0.29; Lin and others,
//! *Feature Pyramid Networks for Object Detection*, 2017), with its parameter names.

use burn::module::{Initializer, Module};
use burn::tensor::{Device, Tensor, activation};

use super::conv;
use super::layers::{Conv2d, Conv2dConfig};
use super::resnet::{ResNet, ResNetConfig};

/// What a pyramid has above its coarsest level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtraLevels {
    /// Nothing.
    None,
    /// One level: every other pixel of the last one (torchvision's `LastLevelMaxPool`).
    Pool,
    /// Two levels: strided convolutions of the last pyramid level, or of the last input where that has another number of
    /// channels (torchvision's `LastLevelP6P7`). `input` is the channels of what they start from.
    P6P7 {
        /// Channels of the first convolution's input.
        input: usize,
    },
}

impl ExtraLevels {
    /// How many levels they are.
    #[must_use]
    pub fn count(self) -> usize {
        match self {
            Self::None => 0,
            Self::Pool => 1,
            Self::P6P7 { .. } => 2,
        }
    }
}

/// A convolution with a bias, and with the weights that torchvision's detection parts start from: uniform within
/// `sqrt(3 / inputs)`, where an output has `inputs` inputs.
fn biased(channels: [usize; 2], kernel: usize, stride: usize, device: &Device) -> Conv2d {
    let config = Conv2dConfig {
        stride,
        bias: true,
        ..Conv2dConfig::new(channels, kernel)
    };
    let inputs = (channels[0] * kernel * kernel).max(1) as f64;
    let bound = (3.0 / inputs).sqrt();
    let initializer = Initializer::Uniform {
        min: -bound,
        max: bound,
    };
    let mut conv = config.init(device);
    conv.weight = initializer.init([channels[1], channels[0], kernel, kernel], device);
    conv
}

#[derive(Module, Debug)]
struct P6P7 {
    p6: Conv2d,
    p7: Conv2d,
    #[module(skip)]
    from_pyramid: bool,
}

/// A top-down pyramid with lateral connections, all of whose levels have the same number of channels.
///
/// Parameter names are `inner_blocks.{i}.0`, `layer_blocks.{i}.0`, `extra_blocks.p6`, `extra_blocks.p7`.
#[derive(Module, Debug)]
pub struct FeaturePyramid {
    // Vectors of one: torchvision has a `Sequential` of one convolution there, and its number in the names.
    inner_blocks: Vec<Vec<Conv2d>>,
    layer_blocks: Vec<Vec<Conv2d>>,
    extra_blocks: Option<P6P7>,
    #[module(skip)]
    pool: bool,
}

impl FeaturePyramid {
    /// Random weights as torchvision draws them (uniform, bias 0). `inputs` are the features' channels, finest first.
    #[must_use]
    pub fn new(inputs: &[usize], channels: usize, extra: ExtraLevels, device: &Device) -> Self {
        let blocks = |kernel: usize, lateral: bool| {
            inputs
                .iter()
                .map(|&input| {
                    let input = if lateral { input } else { channels };
                    vec![biased([input, channels], kernel, 1, device)]
                })
                .collect()
        };
        Self {
            inner_blocks: blocks(1, true),
            layer_blocks: blocks(3, false),
            extra_blocks: match extra {
                ExtraLevels::P6P7 { input } => Some(P6P7 {
                    p6: biased([input, channels], 3, 2, device),
                    p7: biased([channels, channels], 3, 2, device),
                    from_pyramid: input == channels,
                }),
                ExtraLevels::None | ExtraLevels::Pool => None,
            },
            pool: extra == ExtraLevels::Pool,
        }
    }

    /// The levels, finest first: one for each feature, and the extra ones.
    ///
    /// # Shapes
    ///
    /// - `features`: `[n, inputs[i], h_i, w_i]`, finest first, as many as the pyramid has inputs
    /// - output `i`: `[n, channels, h_i, w_i]`; extra levels have `ceil(h / 2)` rows and `ceil(w / 2)` columns of the one
    ///   before
    #[must_use]
    pub fn forward(&self, features: &[Tensor<4>]) -> Vec<Tensor<4>> {
        let mut levels = Vec::with_capacity(features.len() + 2);
        let mut above: Option<Tensor<4>> = None;
        for ((feature, inner), layer) in features
            .iter()
            .zip(&self.inner_blocks)
            .zip(&self.layer_blocks)
            .rev()
        {
            let mut x = sequential(inner, feature.clone());
            if let Some(above) = above {
                let [_, _, height, width] = x.dims();
                x = x + conv::enlarge_nearest(above, [height, width]);
            }
            levels.push(sequential(layer, x.clone()));
            above = Some(x);
        }
        levels.reverse();
        let (Some(top), Some(feature)) = (levels.last().cloned(), features.last()) else {
            return levels;
        };
        if let Some(extra) = &self.extra_blocks {
            let start = if extra.from_pyramid {
                top
            } else {
                feature.clone()
            };
            let p6 = extra.p6.forward(start);
            let p7 = extra.p7.forward(activation::relu(p6.clone()));
            levels.extend([p6, p7]);
        } else if self.pool {
            levels.push(every_other_pixel(top));
        }
        levels
    }
}

fn sequential(convs: &[Conv2d], x: Tensor<4>) -> Tensor<4> {
    convs.iter().fold(x, |x, conv| conv.forward(x))
}

/// Torchvision writes this as max pooling with a kernel of one pixel and stride 2.
fn every_other_pixel(x: Tensor<4>) -> Tensor<4> {
    use burn::tensor::Slice;
    let all = || Slice::new(0, None, 1);
    let half = || Slice::new(0, None, 2);
    x.slice([all(), all(), half(), half()])
}

/// A ResNet under a pyramid, named as torchvision's detection models name it: `body` and `fpn`.
#[derive(Module, Debug)]
pub struct ResNetFpn {
    body: ResNet,
    fpn: FeaturePyramid,
    #[module(skip)]
    first: usize,
}

impl ResNetFpn {
    /// Random weights. The pyramid has `channels` channels and starts from the output of `layer{first_layer}` (1 for
    /// Faster R-CNN, 2 for RetinaNet; stride 4 and 8) up to that of `layer4`.
    #[must_use]
    pub fn new(
        resnet: ResNetConfig,
        first_layer: usize,
        channels: usize,
        extra: ExtraLevels,
        device: &Device,
    ) -> Self {
        let first = first_layer.clamp(1, 4);
        Self {
            body: resnet.init(device),
            fpn: FeaturePyramid::new(&resnet.kind.channels()[first..], channels, extra, device),
            first,
        }
    }

    pub(in crate::models) fn fold_norms(&mut self) {
        self.body.fold_norms();
    }

    /// The pyramid's levels, finest first.
    ///
    /// # Shapes
    ///
    /// - `images`: `[n, bands, h, w]`
    /// - output: as [`FeaturePyramid::forward`]
    #[must_use]
    pub fn forward(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        self.fpn.forward(&self.body.features(images)[self.first..])
    }
}
