//! `swath_cpu::roi` as an operation of Burn, with its gradient.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};

use crate::models::ops::{Primitive, tensor, with};
use swath_cpu::roi::{self, Regions};

/// An operation that only `Flex` runs; [`super::roi_align`] asks for it on that device alone.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait RoiOps: Backend {
    /// `[regions, channels, bins, bins]` of `[n, channels, h, w]`.
    fn swath_regions(features: FloatTensor<Self>, regions: Arc<Regions>) -> FloatTensor<Self>;
}

/// The gradient of [`RoiOps`], on a backend that computes it itself.
pub(crate) trait RoiGradients: RoiOps {
    fn regions_gradient(gradient: FloatTensor<Self>, regions: Arc<Regions>) -> FloatTensor<Self>;
}

impl RoiOps for Flex {
    fn swath_regions(features: Primitive, regions: Arc<Regions>) -> Primitive {
        let values = with(&features, |features| roi::forward(&regions, features));
        let shape = [regions.len(), regions.shape[1], regions.bins, regions.bins];
        tensor(values, shape)
    }
}

impl RoiGradients for Flex {
    fn regions_gradient(gradient: Primitive, regions: Arc<Regions>) -> Primitive {
        let values = with(&gradient, |gradient| roi::gradient(&regions, gradient));
        tensor(values, regions.shape)
    }
}

#[derive(Debug)]
struct RegionsBackward;

impl<B: RoiGradients> Backward<B, 1> for RegionsBackward {
    type State = Arc<Regions>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        if let [Some(node)] = ops.parents {
            gradients.register::<B>(node.id, B::regions_gradient(gradient, ops.state));
        }
    }
}

impl<B: RoiGradients, C: CheckpointStrategy> RoiOps for Autodiff<B, C> {
    fn swath_regions(features: FloatTensor<Self>, regions: Arc<Regions>) -> FloatTensor<Self> {
        let prepared = RegionsBackward
            .prepare::<C>([features.node()])
            .compute_bound()
            .stateful();
        let output = B::swath_regions(features.into_primitive(), regions.clone());
        match prepared {
            OpsKind::Tracked(prepared) => prepared.finish(regions, output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }
}
