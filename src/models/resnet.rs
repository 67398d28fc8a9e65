//! ResNet-18 and ResNet-34 without their heads, after torchvision.

use burn::module::Module;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor, module};

use super::layers::{Activation, BatchNorm2d, Conv2d, Conv2dConfig};

const EPSILON: f64 = 1e-5;
const MOMENTUM: f64 = 0.1;

fn norm(channels: usize, activation: Activation, device: &Device) -> BatchNorm2d {
    BatchNorm2d::new(channels, EPSILON, MOMENTUM, activation, device)
}

fn conv(channels: [usize; 2], kernel: usize, stride: usize, device: &Device) -> Conv2d {
    Conv2dConfig {
        stride,
        ..Conv2dConfig::new(channels, kernel)
    }
    .init(device)
}

#[derive(Module, Debug)]
struct BasicBlock {
    conv1: Conv2d,
    bn1: BatchNorm2d,
    conv2: Conv2d,
    bn2: BatchNorm2d,
    /// `downsample.0` and `downsample.1` of torchvision.
    downsample: Option<(Conv2d, BatchNorm2d)>,
}

impl BasicBlock {
    fn new(channels: [usize; 2], stride: usize, device: &Device) -> Self {
        let [input, output] = channels;
        Self {
            conv1: conv([input, output], 3, stride, device),
            bn1: norm(output, Activation::Relu, device),
            conv2: conv([output, output], 3, 1, device),
            bn2: norm(output, Activation::None, device),
            downsample: (stride != 1 || input != output).then(|| {
                (
                    conv([input, output], 1, stride, device),
                    norm(output, Activation::None, device),
                )
            }),
        }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let x = self.bn1.forward(self.conv1.forward(input.clone()));
        let x = self.bn2.forward(self.conv2.forward(x));
        let shortcut = match &self.downsample {
            Some((conv, norm)) => norm.forward(conv.forward(input)),
            None => input,
        };
        burn::tensor::activation::relu(x + shortcut)
    }
}

/// A ResNet of basic blocks with torchvision's parameter names: `conv1`, `bn1`, `layer1.0.conv1`, …
#[derive(Module, Debug)]
pub struct ResNet {
    conv1: Conv2d,
    bn1: BatchNorm2d,
    layer1: Vec<BasicBlock>,
    layer2: Vec<BasicBlock>,
    layer3: Vec<BasicBlock>,
    layer4: Vec<BasicBlock>,
}

fn layer(blocks: usize, channels: [usize; 2], stride: usize, device: &Device) -> Vec<BasicBlock> {
    (0..blocks)
        .map(|index| match index {
            0 => BasicBlock::new(channels, stride, device),
            _ => BasicBlock::new([channels[1]; 2], 1, device),
        })
        .collect()
}

impl ResNet {
    /// Channels of the features at strides 2, 4, 8, 16 and 32.
    pub const CHANNELS: [usize; 5] = [64, 64, 128, 256, 512];

    /// Random weights; `blocks` is `[2, 2, 2, 2]` for ResNet-18 and `[3, 4, 6, 3]` for ResNet-34.
    #[must_use]
    pub fn new(bands: usize, blocks: [usize; 4], device: &Device) -> Self {
        Self {
            conv1: conv([bands, 64], 7, 2, device),
            bn1: norm(64, Activation::Relu, device),
            layer1: layer(blocks[0], [64, 64], 1, device),
            layer2: layer(blocks[1], [64, 128], 2, device),
            layer3: layer(blocks[2], [128, 256], 2, device),
            layer4: layer(blocks[3], [256, 512], 2, device),
        }
    }

    /// Features at strides 2, 4, 8, 16 and 32.
    #[must_use]
    pub fn features(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let stem = self.bn1.forward(self.conv1.forward(images));
        let mut x = module::max_pool2d(
            stem.clone(),
            MaxPoolOptions::new([3, 3])
                .with_stride([2, 2])
                .with_padding([1, 1]),
        );
        let mut features = vec![stem];
        for layer in [&self.layer1, &self.layer2, &self.layer3, &self.layer4] {
            for block in layer {
                x = block.forward(x);
            }
            features.push(x.clone());
        }
        features
    }
}
