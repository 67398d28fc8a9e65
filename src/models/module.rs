//! What all networks share once their type is erased, whatever they are for.

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::{Module, ParamGroup};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Gradients, Tensor};

use super::tensors;
use super::{ModelError, Task};
use crate::Result;
use crate::optim::NamedTensors;
use crate::optim::{Ema, OptimizerState, Rates, Step};

/// The part of a network without its type that does not depend on what it is for: copies, devices, the optimizer's step,
/// tensors by name.
///
/// Implemented for every [`crate::models::Network`] (as `AnyModule<Segmentation>`) and every
/// [`crate::models::DetectionNetwork`] (as `AnyModule<ObjectDetection>`).
pub trait AnyModule<T: Task>: Send + Sync {
    /// A deep copy, running statistics included, of the same kind (training or inference).
    fn clone_box(&self) -> Box<T::Network>;

    /// A training copy: its parameters record gradients, batch norms use and update batch statistics.
    fn training(&self) -> Box<T::Network>;

    /// An inference copy: no gradients, batch norms use the running statistics.
    fn inference(&self) -> Box<T::Network>;

    /// An inference copy whose batch norms are folded into its convolutions where the network can do that: the same
    /// outputs up to rounding, sooner. Not for training or saving.
    fn prediction(&self) -> Box<T::Network>;

    /// Whether this is a training copy.
    fn is_training(&self) -> bool;

    /// A copy on another device, of the same kind.
    fn to_device(&self, device: &Device) -> Box<T::Network>;

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
    ) -> Box<T::Network>;

    /// Adds the gradients of a loss computed with this network to those of the step under way.
    fn gather(&self, descent: &mut OptimizerState, gradients: Gradients);

    /// One step of the library's own optimizers, which keep their state by parameter name, with the gathered gradients.
    fn descend(
        self: Box<Self>,
        descent: &mut OptimizerState,
        rates: &Rates,
    ) -> (Box<T::Network>, Step);

    /// Takes the weights into a running average.
    fn average_into(&self, average: &mut Ema);

    /// Stops training the parameters, and updating the batch norms, whose names begin with one of the prefixes.
    fn freeze(&mut self, prefixes: &[&str]);

    /// The first parts of the parameter names that belong to a pretrained encoder.
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

/// Implements [`AnyModule`] of one task for every network of that task.
macro_rules! any_module {
    ($network:ident for $task:ty, boxed as $boxed:ty) => {
        impl<N: $network> $crate::models::module::AnyModule<$task> for N {
            fn clone_box(&self) -> $boxed {
                Box::new($crate::models::module::deep_copy(self))
            }

            fn training(&self) -> $boxed {
                Box::new(self.valid().train())
            }

            fn inference(&self) -> $boxed {
                Box::new(self.valid())
            }

            fn prediction(&self) -> $boxed {
                let mut network = self.valid();
                $network::fold_norms(&mut network);
                Box::new(network)
            }

            fn is_training(&self) -> bool {
                $crate::models::module::on_autodiff(self)
            }

            fn to_device(&self, device: &burn::tensor::Device) -> $boxed {
                Box::new($crate::models::module::moved(self, device))
            }

            fn device(&self) -> burn::tensor::Device {
                $crate::models::module::first_device(self).inner()
            }

            fn gradients(
                &self,
                gradients: burn::tensor::Gradients,
            ) -> burn::optim::GradientsParams {
                burn::optim::GradientsParams::from_grads(gradients, self)
            }

            fn step(
                self: Box<Self>,
                optimizer: &mut burn::optim::ModuleOptimizer,
                rate: burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate,
                gradients: burn::optim::GradientsParams,
            ) -> $boxed {
                // By value: a second handle on the parameters would make every update copy its tensor.
                Box::new(optimizer.step(rate, *self, gradients))
            }

            fn gather(
                &self,
                descent: &mut $crate::optim::OptimizerState,
                gradients: burn::tensor::Gradients,
            ) {
                descent.gather(self, gradients);
            }

            fn descend(
                self: Box<Self>,
                descent: &mut $crate::optim::OptimizerState,
                rates: &$crate::optim::Rates,
            ) -> ($boxed, $crate::optim::Step) {
                let (module, step) = descent.step(*self, rates);
                (Box::new(module), step)
            }

            fn average_into(&self, average: &mut $crate::optim::Ema) {
                average.update(&self.valid());
            }

            fn freeze(&mut self, prefixes: &[&str]) {
                if !prefixes.is_empty() {
                    let group = $crate::models::parameters_under(prefixes);
                    *self = self.clone().freeze_group(group);
                }
            }

            fn encoder_prefixes(&self) -> Vec<&'static str> {
                $network::encoder_prefixes(self)
            }

            fn named_tensors(&self) -> $crate::models::NamedTensors {
                $crate::models::tensors::collect(&self.valid())
            }

            fn load_tensors(
                &mut self,
                tensors: &$crate::models::NamedTensors,
            ) -> $crate::Result<()> {
                *self = $crate::models::module::loaded(self.clone(), tensors)?;
                Ok(())
            }

            fn parameter_count(&self) -> usize {
                self.num_params()
            }
        }
    };
}
pub(crate) use any_module;

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

pub(crate) fn first_device<M: Module>(module: &M) -> Device {
    module.devices().into_iter().next().unwrap_or_default()
}

struct Autodiff(bool);

impl burn::module::ModuleVisitor for Autodiff {
    fn visit_float<const D: usize>(&mut self, param: &burn::module::Param<Tensor<D>>) {
        self.0 |= param.lazy_device().is_autodiff();
    }
}

pub(crate) fn on_autodiff<M: Module>(module: &M) -> bool {
    let mut visitor = Autodiff(false);
    module.visit(&mut visitor);
    visitor.0
}

/// A plain clone shares its running statistics with the original; `valid` and `train` copy them.
pub(crate) fn deep_copy<M: Module>(module: &M) -> M {
    if on_autodiff(module) {
        module.valid().train()
    } else {
        module.valid()
    }
}

pub(crate) fn moved<M: Module>(module: &M, device: &Device) -> M {
    let moved = module.valid().fork(device);
    if on_autodiff(module) {
        moved.train()
    } else {
        moved
    }
}

pub(crate) fn loaded<M: Module>(module: M, tensors: &NamedTensors) -> Result<M, ModelError> {
    tensors::load(module, tensors, "the network")
}
