//! The layers of our networks, with PyTorch's parameter names: `weight`, `bias`, `running_mean`, `running_var`.

use burn::module::{Flag, Initializer, Module, Param, RunningState};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};

use super::conv;

/// What follows a batch norm, in the same operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    None,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
}

/// How a convolution pads its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// The same number of zeros on all four sides, as in PyTorch.
    Explicit(usize),
    /// As many zeros as give `ceil(size / stride)` pixels, the odd one at the end, as in TensorFlow.
    Same,
}

/// A convolution's sizes.
#[derive(Clone, Copy, Debug)]
pub struct Conv2dConfig {
    /// Channels in and out.
    pub channels: [usize; 2],
    /// Side of the square kernel.
    pub kernel: usize,
    /// Step in both directions.
    pub stride: usize,
    /// Step between the kernel's taps in both directions; 1 for an ordinary convolution.
    pub dilation: usize,
    /// Padding.
    pub padding: Padding,
    /// Groups; as many as channels for a depthwise convolution.
    pub groups: usize,
    /// Whether there is a bias; not before a batch norm.
    pub bias: bool,
}

impl Conv2dConfig {
    /// Stride 1, no dilation, padding that keeps the size, one group, no bias.
    #[must_use]
    pub fn new(channels: [usize; 2], kernel: usize) -> Self {
        Self {
            channels,
            kernel,
            stride: 1,
            dilation: 1,
            padding: Padding::Explicit(kernel / 2),
            groups: 1,
            bias: false,
        }
    }

    /// With a bias, for a convolution that no batch norm follows.
    #[must_use]
    pub fn with_bias(mut self) -> Self {
        self.bias = true;
        self
    }

    /// The layer with weights from He's normal distribution (by the inputs of each output) and a bias of 0.
    #[must_use]
    pub fn init(&self, device: &Device) -> Conv2d {
        let [input, output] = self.channels;
        let fan_in = (input / self.groups * self.kernel * self.kernel) as f64;
        let shape = [output, input / self.groups, self.kernel, self.kernel];
        Conv2d {
            weight: Initializer::Normal {
                mean: 0.0,
                std: (2.0 / fan_in).sqrt(),
            }
            .init(shape, device),
            bias: self.bias.then(|| Initializer::Zeros.init([output], device)),
            stride: self.stride,
            dilation: self.dilation,
            padding: self.padding,
            groups: self.groups,
            activation: Activation::None,
        }
    }
}

/// A convolution with a square kernel.
#[derive(Module, Debug)]
pub struct Conv2d {
    /// `[out, in / groups, k, k]`.
    pub weight: Param<Tensor<4>>,
    /// `[out]`.
    pub bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    stride: usize,
    #[module(skip)]
    dilation: usize,
    #[module(skip)]
    padding: Padding,
    #[module(skip)]
    groups: usize,
    /// Of the batch norm that was folded into it.
    #[module(skip)]
    activation: Activation,
}

impl Conv2d {
    /// # Shapes
    ///
    /// `[n, in, h, w]` to `[n, out, h', w']`.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        self.forward_activated(input, self.activation)
    }

    /// [`Conv2d::forward`] and an activation; with a bias on the CPU, in the same pass.
    pub fn forward_activated(&self, input: Tensor<4>, activation: Activation) -> Tensor<4> {
        let [_, _, height, width] = input.dims();
        let [_, _, kernel, _] = self.weight.dims();
        let padding = match self.padding {
            Padding::Explicit(padding) => [(padding, padding); 2],
            Padding::Same => [height, width].map(|size| {
                let reach = (kernel - 1) * self.dilation + 1;
                let total =
                    ((size.div_ceil(self.stride) - 1) * self.stride + reach).saturating_sub(size);
                (total / 2, total - total / 2)
            }),
        };
        let options = ConvOptions::new_with_padding(
            [self.stride; 2],
            padding,
            [self.dilation; 2],
            self.groups,
        );
        conv::conv2d_activated(
            input,
            self.weight.val(),
            self.bias.as_ref().map(Param::val),
            options,
            activation,
        )
    }
}

/// Batch normalization over `[n, channels, h, w]` with PyTorch's arithmetic (the running variance is the unbiased one),
/// and the activation that follows it.
#[derive(Module, Debug)]
pub struct BatchNorm2d {
    /// The factor after normalizing, `[channels]`.
    pub weight: Param<Tensor<1>>,
    /// The offset after normalizing, `[channels]`.
    pub bias: Param<Tensor<1>>,
    /// The mean at inference, `[channels]`.
    pub running_mean: RunningState<Tensor<1>>,
    /// The variance at inference, `[channels]`.
    pub running_var: RunningState<Tensor<1>>,
    training: Param<Flag>,
    #[module(skip)]
    epsilon: f64,
    #[module(skip)]
    momentum: f64,
    #[module(skip)]
    activation: Activation,
    /// Whether the convolution before it does all of it: see [`BatchNorm2d::fold_into`].
    #[module(skip)]
    folded: bool,
}

impl BatchNorm2d {
    /// Weight 1, bias 0, running mean 0 and variance 1. PyTorch's `momentum` is the share of the new batch.
    #[must_use]
    pub fn new(
        channels: usize,
        epsilon: f64,
        momentum: f64,
        activation: Activation,
        device: &Device,
    ) -> Self {
        Self {
            weight: Initializer::Ones.init([channels], device),
            bias: Initializer::Zeros.init([channels], device),
            running_mean: RunningState::new(Tensor::zeros([channels], device)),
            running_var: RunningState::new(Tensor::ones([channels], device)),
            training: Param::from_bool(true),
            epsilon,
            momentum,
            activation,
            folded: false,
        }
    }

    /// Puts what this norm does at inference, its activation included, into the convolution whose output it is given:
    /// `scale * (weight * x + bias) + offset` has the weights `scale * weight` and the bias `scale * bias + offset`. From
    /// then on the norm passes its input on. Only for inference copies that are neither trained nor saved afterwards; a
    /// second call does nothing.
    ///
    /// # Source
    /// Jacob and others, *Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference*,
    /// 2018, section 3.2.
    pub fn fold_into(&mut self, conv: &mut Conv2d) {
        if self.folded {
            return;
        }
        let deviation = self.running_var.value().add_scalar(self.epsilon).sqrt();
        let scale = self.weight.val() / deviation;
        let offset = self.bias.val() - self.running_mean.value() * scale.clone();
        let offset = match &conv.bias {
            Some(bias) => offset + bias.val() * scale.clone(),
            None => offset,
        };
        let weight = conv.weight.val() * scale.reshape([-1, 1, 1, 1]);
        // New parameters: those of the network that this is a copy of stay as they are.
        conv.weight = Param::from_tensor(weight);
        conv.bias = Some(Param::from_tensor(offset));
        conv.activation = self.activation;
        self.folded = true;
    }

    /// # Shapes
    ///
    /// `[n, channels, h, w]` to the same.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        if self.folded {
            return input;
        }
        if input.device().is_autodiff() && self.training.is_enabled() {
            let [n, _, h, w] = input.dims();
            let (output, mean, variance) = conv::batch_norm_train(
                input,
                self.weight.val(),
                self.bias.val(),
                self.epsilon,
                self.activation,
            );
            let count = (n * h * w) as f64;
            let unbiased = variance.mul_scalar(count / (count - 1.0).max(1.0));
            self.update(&self.running_mean, mean);
            self.update(&self.running_var, unbiased);
            return output;
        }
        let (mean, variance) = (self.running_mean.value(), self.running_var.value());
        conv::batch_norm(
            input,
            self.weight.val(),
            self.bias.val(),
            mean,
            variance,
            self.epsilon,
            self.activation,
        )
    }

    fn update(&self, running: &RunningState<Tensor<1>>, batch: Tensor<1>) {
        let old = running.value_sync();
        let batch = batch.detach();
        running.update(
            (old.mul_scalar(1.0 - self.momentum) + batch.mul_scalar(self.momentum)).detach(),
        );
    }
}
/// `x * weight^T + bias` with PyTorch's shapes: `[n, in]` to `[n, out]`.
#[derive(Module, Debug)]
pub(in crate::models) struct Linear {
    /// `[out, in]`.
    weight: Param<Tensor<2>>,
    /// `[out]`.
    bias: Param<Tensor<1>>,
}

impl Linear {
    /// Uniform within `1 / sqrt(in)`, as PyTorch.
    pub(in crate::models) fn new(input: usize, output: usize, device: &Device) -> Self {
        let bound = 1.0 / (input.max(1) as f64).sqrt();
        let initializer = Initializer::Uniform {
            min: -bound,
            max: bound,
        };
        Self {
            weight: initializer.init([output, input], device),
            bias: initializer.init([output], device),
        }
    }

    pub(in crate::models) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        x.matmul(self.weight.val().transpose()) + self.bias.val().unsqueeze()
    }
}
