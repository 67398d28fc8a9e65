//! The names of a module's tensors.

use std::collections::BTreeMap;

use burn::tensor::TensorData;

/// Tensors by their dotted names, such as `encoder.layer1.0.conv1.weight`.
pub type NamedTensors = BTreeMap<String, TensorData>;

// A variant's name is no part of a tensor's name: PyTorch has no such level.
pub(crate) fn enter(path: &mut Vec<String>, name: &str, container: &str) {
    if !container.starts_with("Enum:") {
        path.push(name.to_owned());
    }
}

pub(crate) fn exit(path: &mut Vec<String>, container: &str) {
    if !container.starts_with("Enum:") {
        path.pop();
    }
}
