//! The names of a module's tensors.

use std::borrow::Cow;
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

/// The values of a tensor of floats of any kind.
pub(crate) fn floats(data: &TensorData) -> Cow<'_, [f32]> {
    match data.as_slice::<f32>() {
        Ok(values) => Cow::Borrowed(values),
        Err(_) => {
            let converted = data.clone().convert::<f32>();
            // It holds what it was converted to.
            Cow::Owned(converted.try_into_vec::<f32>().unwrap_or_default())
        }
    }
}
