//! `swath_cpu`'s convolution with a bias and an activation in the same pass as an operation of Burn, with its gradients.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};

use super::ops::{CpuGradients, Primitive, planes, tensor, with};
use swath_cpu::norm::Clamp;
use swath_cpu::{ConvShape, Epilogue, epilogue};

/// An operation that only `Flex` runs; [`super::conv`] asks for it on that device alone.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait BiasedOps: Backend {
    /// `limits(convolution + bias)`.
    fn swath_conv2d_biased(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        sizes: ConvShape,
        limits: Clamp,
    ) -> FloatTensor<Self>;
}

/// The gradients of [`BiasedOps`], on a backend that computes them itself.
pub(crate) trait BiasedGradients: BiasedOps + CpuGradients {
    /// Of the convolution before its bias, and of the bias.
    fn biased_gradients(
        output: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        limits: Clamp,
    ) -> [FloatTensor<Self>; 2];
}

impl BiasedOps for Flex {
    fn swath_conv2d_biased(
        input: Primitive,
        weight: Primitive,
        bias: Primitive,
        sizes: ConvShape,
        limits: Clamp,
    ) -> Primitive {
        let values = with(&input, |input| {
            with(&weight, |weight| {
                with(&bias, |bias| {
                    swath_cpu::forward(&sizes, input, weight, Some(Epilogue { bias, limits }))
                })
            })
        });
        let [channels, height, width] = sizes.output;
        tensor(values, [sizes.batch, channels, height, width])
    }
}

impl BiasedGradients for Flex {
    fn biased_gradients(output: Primitive, gradient: Primitive, limits: Clamp) -> [Primitive; 2] {
        let (shape, dims) = planes(&output);
        let (passed, bias) = with(&output, |output| {
            with(&gradient, |gradient| {
                epilogue::gradients(shape, output, gradient, limits)
            })
        });
        [tensor(passed, dims), tensor(bias, [shape.channels])]
    }
}

#[derive(Debug)]
struct BiasedBackward;

impl<B: BiasedGradients> Backward<B, 3> for BiasedBackward {
    /// Input, weight and output.
    type State = ([FloatTensor<B>; 3], ConvShape, Clamp);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let ([input, weight, output], sizes, limits) = ops.state;
        let [input_node, weight_node, bias_node] = ops.parents;
        let [gradient, by_bias] = B::biased_gradients(output, gradient, limits);
        if let Some(node) = bias_node {
            gradients.register::<B>(node.id, by_bias);
        }
        if let Some(node) = weight_node {
            let by_weight = B::conv2d_weight_gradient(input, gradient.clone(), sizes);
            gradients.register::<B>(node.id, by_weight);
        }
        if let Some(node) = input_node {
            let by_input = B::conv2d_input_gradient(gradient, weight, sizes);
            gradients.register::<B>(node.id, by_input);
        }
    }
}

impl<B: BiasedGradients, C: CheckpointStrategy> BiasedOps for Autodiff<B, C> {
    fn swath_conv2d_biased(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        sizes: ConvShape,
        limits: Clamp,
    ) -> FloatTensor<Self> {
        let prepared = BiasedBackward
            .prepare::<C>([input.node(), weight.node(), bias.node()])
            .compute_bound()
            .stateful();
        let [input, weight, bias] = [input, weight, bias].map(FloatTensor::<Self>::into_primitive);
        let output = B::swath_conv2d_biased(input.clone(), weight.clone(), bias, sizes, limits);
        match prepared {
            OpsKind::Tracked(prepared) => {
                let saved = [input, weight, output.clone()];
                prepared.finish((saved, sizes, limits), output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }
}
