//! `swath_cpu` as operations of Burn: a backend extension for `Flex`, with the backward passes for `Autodiff`.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Backend, Flex, TensorMetadata, backend_extension};
use burn::tensor::TensorData;

use swath_cpu::ConvShape;
use swath_cpu::norm::{self, Clamp, Planes};
use swath_cpu::resample::{self, Join};

/// Operations that only `Flex` runs; [`super::conv`] asks for them on that device alone.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait CpuOps: Backend {
    /// A convolution without bias.
    fn swath_conv2d(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        sizes: ConvShape,
    ) -> FloatTensor<Self>;

    /// Batch norm by the batch's statistics, with limits on the result; also the mean and the biased variance.
    fn swath_batch_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
        limits: Clamp,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// `limits(input * scale + offset)` by channel. Scale and offset get no gradient.
    fn swath_affine(
        input: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        offset: FloatTensor<Self>,
        limits: Clamp,
    ) -> FloatTensor<Self>;

    /// A decoder step's input.
    fn swath_join(
        coarse: FloatTensor<Self>,
        skip: FloatTensor<Self>,
        shape: Join,
    ) -> FloatTensor<Self>;
}

/// The gradients of [`CpuOps`], on a backend that computes them itself.
pub(crate) trait CpuGradients: CpuOps {
    fn conv2d_input_gradient(
        gradient: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        sizes: ConvShape,
    ) -> FloatTensor<Self>;
    fn conv2d_weight_gradient(
        input: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        sizes: ConvShape,
    ) -> FloatTensor<Self>;
    /// Of input, weight and bias; `saved` is input, weight, bias, mean, variance.
    fn batch_norm_gradients(
        saved: [FloatTensor<Self>; 5],
        gradient: FloatTensor<Self>,
        epsilon: f64,
        limits: Clamp,
    ) -> [FloatTensor<Self>; 3];
    /// Of the input; `saved` is input, scale, offset.
    fn affine_gradient(
        saved: [FloatTensor<Self>; 3],
        gradient: FloatTensor<Self>,
        limits: Clamp,
    ) -> FloatTensor<Self>;
    /// Of the coarse features and the skip connection.
    fn join_gradients(gradient: FloatTensor<Self>, shape: Join) -> [FloatTensor<Self>; 2];
}

pub(super) type Primitive = FloatTensor<Flex>;

pub(super) fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Primitive {
    Primitive::from_data(TensorData::new(values, shape))
}

/// Runs `f` on the values of a tensor, in order.
pub(super) fn with<R>(tensor: &Primitive, f: impl FnOnce(&[f32]) -> R) -> R {
    match tensor.as_slice::<f32>() {
        Some(values) => f(values),
        None => {
            let contiguous = tensor.to_contiguous();
            f(contiguous.as_slice::<f32>().unwrap_or_default())
        }
    }
}

pub(super) fn planes(tensor: &Primitive) -> (Planes, [usize; 4]) {
    let [batch, channels, height, width] = tensor.shape().dims();
    (
        Planes {
            batch,
            channels,
            pixels: height * width,
        },
        [batch, channels, height, width],
    )
}

fn deviation(variance: &[f32], epsilon: f64) -> Vec<f32> {
    variance
        .iter()
        .map(|&variance| (f64::from(variance) + epsilon).sqrt() as f32)
        .collect()
}

impl CpuOps for Flex {
    fn swath_conv2d(input: Primitive, weight: Primitive, sizes: ConvShape) -> Primitive {
        let values = with(&input, |input| {
            with(&weight, |weight| {
                swath_cpu::forward(&sizes, input, weight, None)
            })
        });
        let [channels, height, width] = sizes.output;
        tensor(values, [sizes.batch, channels, height, width])
    }

    fn swath_batch_norm(
        input: Primitive,
        weight: Primitive,
        bias: Primitive,
        epsilon: f64,
        limits: Clamp,
    ) -> (Primitive, Primitive, Primitive) {
        let (shape, dims) = planes(&input);
        with(&input, |input| {
            let (mean, variance) = norm::statistics(shape, input);
            let deviation = deviation(&variance, epsilon);
            let scale: Vec<f32> = with(&weight, |weight| {
                weight
                    .iter()
                    .zip(&deviation)
                    .map(|(weight, deviation)| weight / deviation)
                    .collect()
            });
            let offset: Vec<f32> = with(&bias, |bias| {
                bias.iter()
                    .zip(&mean)
                    .zip(&scale)
                    .map(|((bias, mean), scale)| bias - mean * scale)
                    .collect()
            });
            let output = norm::apply(shape, input, &scale, &offset, limits);
            let channels = [shape.channels];
            (
                tensor(output, dims),
                tensor(mean, channels),
                tensor(variance, channels),
            )
        })
    }

    fn swath_affine(
        input: Primitive,
        scale: Primitive,
        offset: Primitive,
        limits: Clamp,
    ) -> Primitive {
        let (shape, dims) = planes(&input);
        let values = with(&input, |input| {
            with(&scale, |scale| {
                with(&offset, |offset| {
                    norm::apply(shape, input, scale, offset, limits)
                })
            })
        });
        tensor(values, dims)
    }

    fn swath_join(coarse: Primitive, skip: Primitive, shape: Join) -> Primitive {
        let values = with(&coarse, |coarse| {
            with(&skip, |skip| resample::join(shape, coarse, skip))
        });
        tensor(
            values,
            [
                shape.batch,
                shape.coarse + shape.skip,
                shape.size[0],
                shape.size[1],
            ],
        )
    }
}

impl CpuGradients for Flex {
    fn conv2d_input_gradient(
        gradient: Primitive,
        weight: Primitive,
        sizes: ConvShape,
    ) -> Primitive {
        let values = with(&gradient, |gradient| {
            with(&weight, |weight| {
                swath_cpu::input_gradient(&sizes, gradient, weight)
            })
        });
        let [channels, height, width] = sizes.input;
        tensor(values, [sizes.batch, channels, height, width])
    }

    fn conv2d_weight_gradient(
        input: Primitive,
        gradient: Primitive,
        sizes: ConvShape,
    ) -> Primitive {
        let values = with(&input, |input| {
            with(&gradient, |gradient| {
                swath_cpu::weight_gradient(&sizes, input, gradient)
            })
        });
        let inputs = if sizes.depthwise { 1 } else { sizes.input[0] };
        tensor(
            values,
            [sizes.output[0], inputs, sizes.kernel[0], sizes.kernel[1]],
        )
    }

    fn batch_norm_gradients(
        saved: [Primitive; 5],
        gradient: Primitive,
        epsilon: f64,
        limits: Clamp,
    ) -> [Primitive; 3] {
        let [input, weight, bias, mean, variance] = saved;
        let (shape, dims) = planes(&input);
        let deviation = with(&variance, |variance| deviation(variance, epsilon));
        let (by_input, by_weight, by_bias) = with(&input, |input| {
            with(&gradient, |gradient| {
                with(&weight, |weight| {
                    with(&bias, |bias| {
                        with(&mean, |mean| {
                            norm::backward(
                                shape, input, gradient, weight, bias, mean, &deviation, limits,
                            )
                        })
                    })
                })
            })
        });
        let channels = [shape.channels];
        [
            tensor(by_input, dims),
            tensor(by_weight, channels),
            tensor(by_bias, channels),
        ]
    }

    fn affine_gradient(saved: [Primitive; 3], gradient: Primitive, limits: Clamp) -> Primitive {
        let [input, scale, offset] = saved;
        let (shape, dims) = planes(&input);
        let values = with(&input, |input| {
            with(&gradient, |gradient| {
                with(&scale, |scale| {
                    with(&offset, |offset| {
                        norm::affine_gradient(shape, input, gradient, scale, offset, limits)
                    })
                })
            })
        });
        tensor(values, dims)
    }

    fn join_gradients(gradient: Primitive, shape: Join) -> [Primitive; 2] {
        let [height, width] = shape.size;
        with(&gradient, |gradient| {
            [
                tensor(
                    resample::coarse_gradient(shape, gradient),
                    [
                        shape.batch,
                        shape.coarse,
                        height.div_ceil(2),
                        width.div_ceil(2),
                    ],
                ),
                tensor(
                    resample::skip_gradient(shape, gradient),
                    [shape.batch, shape.skip, height, width],
                ),
            ]
        })
    }
}

#[derive(Debug)]
struct Conv2dBackward;

impl<B: CpuGradients> Backward<B, 2> for Conv2dBackward {
    type State = (Option<FloatTensor<B>>, Option<FloatTensor<B>>, ConvShape);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (input, weight, sizes) = ops.state;
        let [input_node, weight_node] = ops.parents;
        if let (Some(node), Some(input)) = (weight_node, input) {
            gradients.register::<B>(
                node.id,
                B::conv2d_weight_gradient(input, gradient.clone(), sizes),
            );
        }
        if let (Some(node), Some(weight)) = (input_node, weight) {
            gradients.register::<B>(node.id, B::conv2d_input_gradient(gradient, weight, sizes));
        }
    }
}

#[derive(Debug)]
struct BatchNormBackward;

impl<B: CpuGradients> Backward<B, 3> for BatchNormBackward {
    type State = ([FloatTensor<B>; 5], f64, Clamp);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (saved, epsilon, limits) = ops.state;
        let found = B::batch_norm_gradients(saved, gradient, epsilon, limits);
        for (node, gradient) in ops.parents.into_iter().zip(found) {
            if let Some(node) = node {
                gradients.register::<B>(node.id, gradient);
            }
        }
    }
}

#[derive(Debug)]
struct AffineBackward;

impl<B: CpuGradients> Backward<B, 1> for AffineBackward {
    type State = ([FloatTensor<B>; 3], Clamp);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (saved, limits) = ops.state;
        if let [Some(node)] = ops.parents {
            gradients.register::<B>(node.id, B::affine_gradient(saved, gradient, limits));
        }
    }
}

#[derive(Debug)]
struct JoinBackward;

impl<B: CpuGradients> Backward<B, 2> for JoinBackward {
    type State = Join;

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        for (node, gradient) in ops
            .parents
            .into_iter()
            .zip(B::join_gradients(gradient, ops.state))
        {
            if let Some(node) = node {
                gradients.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: CpuGradients, C: CheckpointStrategy> CpuOps for Autodiff<B, C> {
    fn swath_conv2d(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        sizes: ConvShape,
    ) -> FloatTensor<Self> {
        let prepared = Conv2dBackward
            .prepare::<C>([input.node(), weight.node()])
            .compute_bound()
            .stateful();
        let (input, weight) = (input.into_primitive(), weight.into_primitive());
        let output = B::swath_conv2d(input.clone(), weight.clone(), sizes);
        match prepared {
            OpsKind::Tracked(prepared) => {
                prepared.finish((Some(input), Some(weight), sizes), output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }

    fn swath_batch_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
        limits: Clamp,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let prepared = BatchNormBackward
            .prepare::<C>([input.node(), weight.node(), bias.node()])
            .compute_bound()
            .stateful();
        let [input, weight, bias] = [input, weight, bias].map(FloatTensor::<Self>::into_primitive);
        let (output, mean, variance) =
            B::swath_batch_norm(input.clone(), weight.clone(), bias.clone(), epsilon, limits);
        let statistics = (
            Self::from_inner(mean.clone()),
            Self::from_inner(variance.clone()),
        );
        let output = match prepared {
            OpsKind::Tracked(prepared) => prepared.finish(
                ([input, weight, bias, mean, variance], epsilon, limits),
                output,
            ),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        };
        (output, statistics.0, statistics.1)
    }

    fn swath_affine(
        input: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        offset: FloatTensor<Self>,
        limits: Clamp,
    ) -> FloatTensor<Self> {
        let prepared = AffineBackward
            .prepare::<C>([input.node()])
            .compute_bound()
            .stateful();
        let [input, scale, offset] =
            [input, scale, offset].map(FloatTensor::<Self>::into_primitive);
        let output = B::swath_affine(input.clone(), scale.clone(), offset.clone(), limits);
        match prepared {
            OpsKind::Tracked(prepared) => prepared.finish(([input, scale, offset], limits), output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }

    fn swath_join(
        coarse: FloatTensor<Self>,
        skip: FloatTensor<Self>,
        shape: Join,
    ) -> FloatTensor<Self> {
        let prepared = JoinBackward
            .prepare::<C>([coarse.node(), skip.node()])
            .compute_bound()
            .stateful();
        let output = B::swath_join(coarse.into_primitive(), skip.into_primitive(), shape);
        match prepared {
            OpsKind::Tracked(prepared) => prepared.finish(shape, output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }
}
