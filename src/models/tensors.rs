//! A network's tensors by name, out of it and into it.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

use super::ModelError;
use crate::optim::{NamedTensors, enter, exit};

struct Collect {
    path: Vec<String>,
    tensors: NamedTensors,
}

impl ModuleVisitor for Collect {
    fn enter_module(&mut self, name: &str, container: &str) {
        enter(&mut self.path, name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        exit(&mut self.path, container);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.tensors
            .insert(self.path.join("."), param.val().into_data());
    }
}

/// Every float tensor of a module, running statistics included. The module should be an inference copy: pending updates
/// of running statistics are only counted there.
pub(crate) fn collect<M: Module>(module: &M) -> NamedTensors {
    let mut visitor = Collect {
        path: Vec::new(),
        tensors: NamedTensors::new(),
    };
    module.visit(&mut visitor);
    visitor.tensors
}

struct Load<'a> {
    path: Vec<String>,
    tensors: &'a NamedTensors,
    problems: Vec<String>,
}

impl ModuleMapper for Load<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        enter(&mut self.path, name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        exit(&mut self.path, container);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.join(".");
        let Some(data) = self.tensors.get(&name) else {
            self.problems.push(format!("{name} is missing"));
            return param;
        };
        let expected = param.lazy_shape();
        if data.shape().as_slice() != expected.as_slice() {
            self.problems.push(format!(
                "{name} should have the shape {:?} and has {:?}",
                expected.as_slice(),
                data.shape().as_slice()
            ));
            return param;
        }
        let device = param.lazy_device();
        let id = param.id;
        param.transform_for_load(Tensor::from_data(data.clone(), &device), id)
    }
}

/// Puts every tensor of the module in, by name. `network` names it in errors.
///
/// # Errors
///
/// When a tensor of the module is missing or has another shape. Names the module does not have are ignored
/// (`num_batches_tracked`, a classifier's head).
pub(super) fn load<M: Module>(
    module: M,
    tensors: &NamedTensors,
    network: &str,
) -> Result<M, ModelError> {
    let mut mapper = Load {
        path: Vec::new(),
        tensors,
        problems: Vec::new(),
    };
    let module = module.map(&mut mapper);
    if mapper.problems.is_empty() {
        return Ok(module);
    }
    Err(ModelError::mismatch(network, &mapper.problems))
}
