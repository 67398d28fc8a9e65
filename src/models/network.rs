use std::fmt::Debug;

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::{Module, ParamGroup};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Gradients, Tensor};

use super::tensors::{self, NamedTensors};
use crate::Result;
use crate::train::{AdamW, Rates, Step};

/// A segmentation network: a Burn module from images to class scores.
///
/// Implement it for a module of your own (also one defined in a notebook cell) and hand it to
/// [`crate::models::Architecture::custom`].
pub trait Network: Module + Sync + Debug + 'static {
    /// Class scores before softmax.
    ///
    /// # Shapes
    ///
    /// - `images`: `[n, bands, height, width]`, normalised
    /// - output: `[n, classes, height, width]`
    fn forward(&self, images: Tensor<4>) -> Tensor<4>;

    /// The first parts of the parameter names that belong to a pretrained encoder, such as `["encoder"]`: what
    /// `freeze_encoder` freezes and `encoder_lr_scale` slows.
    fn encoder_prefixes(&self) -> Vec<&'static str> {
        Vec::new()
    }
}

/// A [`Network`] without its type: what the library trains, predicts with and saves.
///
/// Implemented for every [`Network`].
pub trait AnyNetwork: Send + Sync {
    /// Class scores before softmax: `[n, bands, h, w]` to `[n, classes, h, w]`.
    ///
    /// Give images of the same kind as the parameters: on `device.autodiff()` for a training copy, on the plain device
    /// for an inference copy.
    fn forward(&self, images: Tensor<4>) -> Tensor<4>;

    /// A deep copy, running statistics included, of the same kind (training or inference).
    fn clone_box(&self) -> BoxedNetwork;

    /// A training copy: its parameters record gradients, batch norms use and update batch statistics.
    fn training(&self) -> BoxedNetwork;

    /// An inference copy: no gradients, batch norms use the running statistics.
    fn inference(&self) -> BoxedNetwork;

    /// Whether this is a training copy.
    fn is_training(&self) -> bool;

    /// A copy on another device, of the same kind.
    fn to_device(&self, device: &Device) -> BoxedNetwork;

    /// The device of the parameters, without autodiff.
    fn device(&self) -> Device;

    /// The gradients of this network's parameters out of those of a loss.
    fn gradients(&self, gradients: Gradients) -> GradientsParams;

    /// One step of the optimizer. `rate` is a plain learning rate (`1e-3.into()`) or one with groups.
    fn step(
        self: Box<Self>,
        optimizer: &mut ModuleOptimizer,
        rate: ModuleLearningRate,
        gradients: GradientsParams,
    ) -> BoxedNetwork;

    /// One step of the library's own AdamW, which keeps its state by parameter name; `gradients` are those of a loss
    /// computed with this network.
    fn adamw(
        self: Box<Self>,
        optimiser: &mut AdamW,
        gradients: Gradients,
        rates: &Rates,
    ) -> (BoxedNetwork, Step);

    /// Stops training the parameters, and updating the batch norms, whose names begin with one of the prefixes.
    fn freeze(&mut self, prefixes: &[&str]);

    /// See [`Network::encoder_prefixes`].
    fn encoder_prefixes(&self) -> Vec<&'static str>;

    /// Every tensor by name, running statistics included.
    fn named_tensors(&self) -> NamedTensors;

    /// Loads every tensor by name, in place.
    ///
    /// # Errors
    ///
    /// When a tensor is missing or has another shape; nothing is promised about the network's weights then.
    fn load_tensors(&mut self, tensors: &NamedTensors) -> Result<()>;

    /// The number of parameters, running statistics included.
    fn parameter_count(&self) -> usize;
}

/// A network of any type.
pub type BoxedNetwork = Box<dyn AnyNetwork>;

/// Parameters whose names begin with one of `prefixes`, as Burn's optimizers and learning rates group them.
#[must_use]
pub fn parameters_under(prefixes: &[&str]) -> ParamGroup {
    // Burn's own predicates match anywhere in a name; these must match at its beginning.
    let patterns = prefixes
        .iter()
        .map(|prefix| format!("^{}\\.", prefix.replace('.', "\\.")))
        .collect();
    ParamGroup::from_any_regexes(patterns).unwrap_or_else(|_| ParamGroup::from_ids(Vec::new()))
}

fn first_device<N: Network>(network: &N) -> Device {
    network.devices().into_iter().next().unwrap_or_default()
}

struct Autodiff(bool);

impl burn::module::ModuleVisitor for Autodiff {
    fn visit_float<const D: usize>(&mut self, param: &burn::module::Param<Tensor<D>>) {
        self.0 |= param.lazy_device().is_autodiff();
    }
}

fn on_autodiff<N: Network>(network: &N) -> bool {
    let mut visitor = Autodiff(false);
    network.visit(&mut visitor);
    visitor.0
}

impl<N: Network> AnyNetwork for N {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        Network::forward(self, images)
    }

    fn clone_box(&self) -> BoxedNetwork {
        // A plain clone shares its running statistics with the original; `valid` and `train` copy them.
        if on_autodiff(self) {
            Box::new(self.valid().train())
        } else {
            Box::new(self.valid())
        }
    }

    fn training(&self) -> BoxedNetwork {
        Box::new(self.valid().train())
    }

    fn inference(&self) -> BoxedNetwork {
        Box::new(self.valid())
    }

    fn is_training(&self) -> bool {
        on_autodiff(self)
    }

    fn to_device(&self, device: &Device) -> BoxedNetwork {
        let moved = self.valid().fork(device);
        if on_autodiff(self) {
            Box::new(moved.train())
        } else {
            Box::new(moved)
        }
    }

    fn device(&self) -> Device {
        first_device(self).inner()
    }

    fn gradients(&self, gradients: Gradients) -> GradientsParams {
        GradientsParams::from_grads(gradients, self)
    }

    fn step(
        self: Box<Self>,
        optimizer: &mut ModuleOptimizer,
        rate: ModuleLearningRate,
        gradients: GradientsParams,
    ) -> BoxedNetwork {
        // By value: a second handle on the parameters would make every update copy its tensor.
        Box::new(optimizer.step(rate, *self, gradients))
    }

    fn adamw(
        self: Box<Self>,
        optimiser: &mut AdamW,
        gradients: Gradients,
        rates: &Rates,
    ) -> (BoxedNetwork, Step) {
        let (module, step) = optimiser.step(*self, gradients, rates);
        (Box::new(module), step)
    }

    fn freeze(&mut self, prefixes: &[&str]) {
        if !prefixes.is_empty() {
            *self = self.clone().freeze_group(parameters_under(prefixes));
        }
    }

    fn encoder_prefixes(&self) -> Vec<&'static str> {
        Network::encoder_prefixes(self)
    }

    fn named_tensors(&self) -> NamedTensors {
        tensors::collect(&self.valid())
    }

    fn load_tensors(&mut self, tensors: &NamedTensors) -> Result<()> {
        *self = tensors::load(self.clone(), tensors, "the network")?;
        Ok(())
    }

    fn parameter_count(&self) -> usize {
        self.num_params()
    }
}
