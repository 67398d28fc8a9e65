//! ResNet-18, 34, 50 and 101 without their heads, after torchvision (`torchvision/models/resnet.py`, version 0.29).

use burn::module::Module;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor, module};
use serde::{Deserialize, Serialize};

use super::layers::{Activation, BatchNorm2d, Conv2d, Conv2dConfig, Padding};

const EPSILON: f64 = 1e-5;
const MOMENTUM: f64 = 0.1;
/// Channels within the blocks of the four layers.
const WIDTHS: [usize; 4] = [64, 128, 256, 512];

/// Which ResNet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResNetKind {
    /// 11 million parameters, basic blocks.
    Resnet18,
    /// 21 million parameters, basic blocks.
    Resnet34,
    /// 24 million parameters, bottlenecks.
    Resnet50,
    /// 43 million parameters, bottlenecks.
    Resnet101,
}

impl ResNetKind {
    /// The name people know it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Resnet18 => "ResNet-18",
            Self::Resnet34 => "ResNet-34",
            Self::Resnet50 => "ResNet-50",
            Self::Resnet101 => "ResNet-101",
        }
    }

    /// Channels of the features at strides 2, 4, 8, 16 and 32.
    #[must_use]
    pub fn channels(self) -> [usize; 5] {
        let [a, b, c, d] = WIDTHS.map(|width| width * self.expansion());
        [WIDTHS[0], a, b, c, d]
    }

    fn blocks(self) -> [usize; 4] {
        match self {
            Self::Resnet18 => [2, 2, 2, 2],
            Self::Resnet34 | Self::Resnet50 => [3, 4, 6, 3],
            Self::Resnet101 => [3, 4, 23, 3],
        }
    }

    /// Channels out of a block for each channel within it.
    fn expansion(self) -> usize {
        match self {
            Self::Resnet18 | Self::Resnet34 => 1,
            Self::Resnet50 | Self::Resnet101 => 4,
        }
    }
}

/// The choices of a ResNet.
///
/// # Example
///
/// ```
/// use swath::models::{ResNetConfig, ResNetKind};
/// use swath::prelude::*;
///
/// let device = Device::current();
/// let resnet = ResNetConfig::new(ResNetKind::Resnet18, 4).init(device.burn());
/// let features = resnet.features(swath::burn::tensor::Tensor::zeros([1, 4, 64, 64], device.burn()));
/// assert_eq!(features[4].dims(), [1, 512, 2, 2]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResNetConfig {
    /// Which ResNet.
    pub kind: ResNetKind,
    /// Image bands.
    pub bands: usize,
    /// Whether `layer2`, `layer3` and `layer4` keep their size and spread their kernels instead of halving it, as
    /// torchvision's argument of this name. (Torchvision refuses it for basic blocks; here both 3 x 3 convolutions of
    /// a basic block are dilated.)
    pub replace_stride_with_dilation: [bool; 3],
}

impl ResNetConfig {
    /// Without dilation.
    #[must_use]
    pub fn new(kind: ResNetKind, bands: usize) -> Self {
        Self {
            kind,
            bands,
            replace_stride_with_dilation: [false; 3],
        }
    }

    /// See [`ResNetConfig::replace_stride_with_dilation`].
    #[must_use]
    pub fn replace_stride_with_dilation(self, layers: [bool; 3]) -> Self {
        Self {
            replace_stride_with_dilation: layers,
            ..self
        }
    }

    /// The network with random weights (He's normal distribution).
    #[must_use]
    pub fn init(&self, device: &Device) -> ResNet {
        let [dilate2, dilate3, dilate4] = self.replace_stride_with_dilation;
        let mut builder = LayerBuilder {
            kind: self.kind,
            input: 64,
            dilation: 1,
            device,
        };
        let stem = BlockConv {
            stride: 2,
            ..BlockConv::new([self.bands, 64], 7)
        };
        let [blocks1, blocks2, blocks3, blocks4] = self.kind.blocks();
        ResNet {
            conv1: stem.init(device),
            bn1: norm(64, Activation::Relu, device),
            layer1: builder.layer(blocks1, WIDTHS[0], 1, false),
            layer2: builder.layer(blocks2, WIDTHS[1], 2, dilate2),
            layer3: builder.layer(blocks3, WIDTHS[2], 2, dilate3),
            layer4: builder.layer(blocks4, WIDTHS[3], 2, dilate4),
        }
    }
}

/// Builds the layers one after another: what each starts from is what the one before it left.
struct LayerBuilder<'a> {
    kind: ResNetKind,
    input: usize,
    dilation: usize,
    device: &'a Device,
}

impl LayerBuilder<'_> {
    fn layer(&mut self, blocks: usize, width: usize, stride: usize, dilate: bool) -> Vec<Block> {
        // The first block of a dilated layer still has the dilation of the layer before it, as in torchvision.
        let previous = self.dilation;
        let stride = if dilate {
            self.dilation *= stride;
            1
        } else {
            stride
        };
        let output = width * self.kind.expansion();
        (0..blocks)
            .map(|index| {
                let input = std::mem::replace(&mut self.input, output);
                let (stride, dilation) = match index {
                    0 => (stride, previous),
                    _ => (1, self.dilation),
                };
                let spatial = Spatial { stride, dilation };
                let channels = [input, width, output];
                match self.kind {
                    ResNetKind::Resnet18 | ResNetKind::Resnet34 => {
                        Block::Basic(BasicBlock::new(channels, spatial, self.device))
                    }
                    ResNetKind::Resnet50 | ResNetKind::Resnet101 => {
                        Block::Bottleneck(Bottleneck::new(channels, spatial, self.device))
                    }
                }
            })
            .collect()
    }
}

/// How a block treats the image plane.
#[derive(Clone, Copy)]
struct Spatial {
    stride: usize,
    dilation: usize,
}

/// A convolution of a block: no bias, padding that keeps the size.
struct BlockConv {
    channels: [usize; 2],
    kernel: usize,
    stride: usize,
    dilation: usize,
}

impl BlockConv {
    fn new(channels: [usize; 2], kernel: usize) -> Self {
        Self {
            channels,
            kernel,
            stride: 1,
            dilation: 1,
        }
    }

    fn init(&self, device: &Device) -> Conv2d {
        Conv2dConfig {
            stride: self.stride,
            dilation: self.dilation,
            padding: Padding::Explicit(self.kernel / 2 * self.dilation),
            ..Conv2dConfig::new(self.channels, self.kernel)
        }
        .init(device)
    }
}

fn norm(channels: usize, activation: Activation, device: &Device) -> BatchNorm2d {
    BatchNorm2d::new(channels, EPSILON, MOMENTUM, activation, device)
}

type Downsample = Option<(Conv2d, BatchNorm2d)>;

fn downsample(input: usize, output: usize, stride: usize, device: &Device) -> Downsample {
    (stride != 1 || input != output).then(|| {
        let conv = BlockConv {
            stride,
            ..BlockConv::new([input, output], 1)
        };
        (conv.init(device), norm(output, Activation::None, device))
    })
}

fn add_shortcut(x: Tensor<4>, input: Tensor<4>, downsample: &Downsample) -> Tensor<4> {
    let shortcut = match downsample {
        Some((conv, norm)) => norm.forward(conv.forward(input)),
        None => input,
    };
    burn::tensor::activation::relu(x + shortcut)
}

fn fold_downsample(downsample: &mut Downsample) {
    if let Some((conv, norm)) = downsample {
        norm.fold_into(conv);
    }
}

/// Two 3 x 3 convolutions and a shortcut.
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
    fn new([input, width, output]: [usize; 3], spatial: Spatial, device: &Device) -> Self {
        let Spatial { stride, dilation } = spatial;
        let conv = |channels, stride| BlockConv {
            stride,
            dilation,
            ..BlockConv::new(channels, 3)
        };
        Self {
            conv1: conv([input, width], stride).init(device),
            bn1: norm(width, Activation::Relu, device),
            conv2: conv([width, output], 1).init(device),
            bn2: norm(output, Activation::None, device),
            downsample: downsample(input, output, stride, device),
        }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let x = self.bn1.forward(self.conv1.forward(input.clone()));
        let x = self.bn2.forward(self.conv2.forward(x));
        add_shortcut(x, input, &self.downsample)
    }

    fn fold_norms(&mut self) {
        self.bn1.fold_into(&mut self.conv1);
        self.bn2.fold_into(&mut self.conv2);
        fold_downsample(&mut self.downsample);
    }
}

/// A 1 x 1 convolution to fewer channels, a 3 x 3 one that has the stride (version 1.5 of ResNet), a 1 x 1 one to four
/// times as many, and a shortcut.
#[derive(Module, Debug)]
struct Bottleneck {
    conv1: Conv2d,
    bn1: BatchNorm2d,
    conv2: Conv2d,
    bn2: BatchNorm2d,
    conv3: Conv2d,
    bn3: BatchNorm2d,
    downsample: Option<(Conv2d, BatchNorm2d)>,
}

impl Bottleneck {
    fn new([input, width, output]: [usize; 3], spatial: Spatial, device: &Device) -> Self {
        let Spatial { stride, dilation } = spatial;
        let middle = BlockConv {
            stride,
            dilation,
            ..BlockConv::new([width, width], 3)
        };
        Self {
            conv1: BlockConv::new([input, width], 1).init(device),
            bn1: norm(width, Activation::Relu, device),
            conv2: middle.init(device),
            bn2: norm(width, Activation::Relu, device),
            conv3: BlockConv::new([width, output], 1).init(device),
            bn3: norm(output, Activation::None, device),
            downsample: downsample(input, output, stride, device),
        }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let x = self.bn1.forward(self.conv1.forward(input.clone()));
        let x = self.bn2.forward(self.conv2.forward(x));
        let x = self.bn3.forward(self.conv3.forward(x));
        add_shortcut(x, input, &self.downsample)
    }

    fn fold_norms(&mut self) {
        self.bn1.fold_into(&mut self.conv1);
        self.bn2.fold_into(&mut self.conv2);
        self.bn3.fold_into(&mut self.conv3);
        fold_downsample(&mut self.downsample);
    }
}

// The variants' names are no part of the parameters' names.
#[derive(Module, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a network has tens of blocks, all of one kind"
)]
enum Block {
    Basic(BasicBlock),
    Bottleneck(Bottleneck),
}

impl Block {
    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Basic(block) => block.forward(input),
            Self::Bottleneck(block) => block.forward(input),
        }
    }

    fn fold_norms(&mut self) {
        match self {
            Self::Basic(block) => block.fold_norms(),
            Self::Bottleneck(block) => block.fold_norms(),
        }
    }
}

/// A ResNet with torchvision's parameter names: `conv1`, `bn1`, `layer1.0.conv1`, `layer1.0.downsample.0`, …
///
/// [`ResNetConfig::init`] makes one.
#[derive(Module, Debug)]
pub struct ResNet {
    conv1: Conv2d,
    bn1: BatchNorm2d,
    layer1: Vec<Block>,
    layer2: Vec<Block>,
    layer3: Vec<Block>,
    layer4: Vec<Block>,
}

impl ResNet {
    pub(in crate::models) fn fold_norms(&mut self) {
        self.bn1.fold_into(&mut self.conv1);
        let layers = [
            &mut self.layer1,
            &mut self.layer2,
            &mut self.layer3,
            &mut self.layer4,
        ];
        for block in layers.into_iter().flatten() {
            block.fold_norms();
        }
    }

    /// Features at strides 2, 4, 8, 16 and 32 (fewer halvings where strides were replaced with dilation): after the
    /// first batch norm and ReLU, and after each of the four layers. Their channels are [`ResNetKind::channels`].
    ///
    /// # Shapes
    ///
    /// - `images`: `[n, bands, h, w]`
    /// - output `i`: `[n, channels[i], ceil(h / 2^(i + 1)), ceil(w / 2^(i + 1))]`
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
