//! EfficientNet-Lite0's feature extractor, after `efficientnet_lite_pytorch`.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::layers::{Activation, BatchNorm2d, Conv2d, Conv2dConfig, Padding};

/// TensorFlow's batch norm figures, which the published weights were trained with.
const EPSILON: f64 = 1e-3;
const MOMENTUM: f64 = 0.01;

/// One row a stage: repeats, kernel, stride, expansion, channels in, channels out. The first and last stage of the Lite
/// models are not scaled.
const STAGES: [[usize; 6]; 7] = [
    [1, 3, 1, 1, 32, 16],
    [2, 3, 2, 6, 16, 24],
    [2, 5, 2, 6, 24, 40],
    [3, 3, 2, 6, 40, 80],
    [3, 5, 1, 6, 80, 112],
    [4, 5, 2, 6, 112, 192],
    [1, 3, 1, 6, 192, 320],
];

/// An inverted residual block without squeeze and excitation.
#[derive(Module, Debug)]
struct Block {
    expand_conv: Option<Conv2d>,
    bn0: Option<BatchNorm2d>,
    depthwise_conv: Conv2d,
    bn1: BatchNorm2d,
    project_conv: Conv2d,
    bn2: BatchNorm2d,
    #[module(skip)]
    residual: bool,
}

fn same(channels: [usize; 2], kernel: usize, stride: usize, groups: usize) -> Conv2dConfig {
    Conv2dConfig {
        channels,
        kernel,
        stride,
        dilation: 1,
        padding: Padding::Same,
        groups,
        bias: false,
    }
}

fn norm(channels: usize, activation: Activation, device: &Device) -> BatchNorm2d {
    BatchNorm2d::new(channels, EPSILON, MOMENTUM, activation, device)
}

impl Block {
    fn new(
        channels: [usize; 2],
        kernel: usize,
        stride: usize,
        expansion: usize,
        device: &Device,
    ) -> Self {
        let [input, output] = channels;
        let wide = input * expansion;
        let expands = expansion != 1;
        Self {
            expand_conv: expands.then(|| same([input, wide], 1, 1, 1).init(device)),
            bn0: expands.then(|| norm(wide, Activation::Relu6, device)),
            depthwise_conv: same([wide, wide], kernel, stride, wide).init(device),
            bn1: norm(wide, Activation::Relu6, device),
            project_conv: same([wide, output], 1, 1, 1).init(device),
            bn2: norm(output, Activation::None, device),
            residual: stride == 1 && input == output,
        }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let mut x = input.clone();
        if let (Some(expand), Some(bn0)) = (&self.expand_conv, &self.bn0) {
            x = bn0.forward(expand.forward(x));
        }
        x = self.bn1.forward(self.depthwise_conv.forward(x));
        x = self.bn2.forward(self.project_conv.forward(x));
        if self.residual { x + input } else { x }
    }

    fn fold_norms(&mut self) {
        if let (Some(expand), Some(bn0)) = (&mut self.expand_conv, &mut self.bn0) {
            bn0.fold_into(expand);
        }
        self.bn1.fold_into(&mut self.depthwise_conv);
        self.bn2.fold_into(&mut self.project_conv);
    }
}

/// EfficientNet-Lite0 without its head.
///
/// Parameter names are those of `efficientnet_lite_pytorch` without the underscores: `conv_stem`, `bn0`,
/// `blocks.0.depthwise_conv`.
#[derive(Module, Debug)]
pub struct EfficientNetLite {
    conv_stem: Conv2d,
    bn0: BatchNorm2d,
    blocks: Vec<Block>,
}

impl EfficientNetLite {
    /// Channels of the features at strides 2, 4, 8, 16 and 32.
    pub const CHANNELS: [usize; 5] = [32, 24, 40, 112, 320];

    /// Random weights for images of `bands` bands.
    #[must_use]
    pub fn lite0(bands: usize, device: &Device) -> Self {
        let mut blocks = Vec::new();
        for [repeats, kernel, stride, expansion, input, output] in STAGES {
            blocks.push(Block::new(
                [input, output],
                kernel,
                stride,
                expansion,
                device,
            ));
            for _ in 1..repeats {
                blocks.push(Block::new([output, output], kernel, 1, expansion, device));
            }
        }
        Self {
            conv_stem: same([bands, 32], 3, 2, 1).init(device),
            bn0: norm(32, Activation::Relu6, device),
            blocks,
        }
    }

    pub(in crate::models) fn fold_norms(&mut self) {
        self.bn0.fold_into(&mut self.conv_stem);
        for block in &mut self.blocks {
            block.fold_norms();
        }
    }

    /// Features at strides 2, 4, 8, 16 and 32.
    #[must_use]
    pub fn features(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let mut x = self.bn0.forward(self.conv_stem.forward(images));
        let mut features = vec![x.clone()];
        // The last blocks before each further halving, and the last of all.
        for (index, block) in self.blocks.iter().enumerate() {
            x = block.forward(x);
            if matches!(index, 2 | 4 | 10 | 15) {
                features.push(x.clone());
            }
        }
        features
    }
}
