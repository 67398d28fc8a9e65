//! Weights for PyTorch: safetensors under the names of its libraries.

use std::collections::HashMap;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;

use super::{ModelError, NamedTensors, Normalization, state_dict};
use crate::{Result, staged};

/// A batch norm's count of batches, which `load_state_dict(strict=True)` wants; it has no influence with the momentum of
/// ours.
const COUNTER: &str = "num_batches_tracked";

/// Writes tensors under PyTorch's names ([`state_dict::pytorch_names`]), with the normalization and the classes as the
/// file's metadata: `mean` and `std` (one a band, of raw pixel values) and `classes`, as JSON.
pub(crate) fn write(
    path: &Path,
    tensors: &NamedTensors,
    normalization: &Normalization,
    classes: &[String],
) -> Result<()> {
    let path = &*crate::paths::expanded(path);
    let wrong = |reason: String| ModelError::Weights {
        path: path.to_owned(),
        reason,
    };
    let named = state_dict::pytorch_names(tensors);
    let zero = 0i64.to_le_bytes();
    let mut views = Vec::with_capacity(named.len() * 6 / 5);
    for (name, data) in &named {
        let values = data
            .as_slice::<f32>()
            .map_err(|_| wrong(format!("{name} is not a 32-bit float tensor")))?;
        let bytes = bytemuck::cast_slice(values);
        let view = TensorView::new(Dtype::F32, data.shape().to_vec(), bytes)
            .map_err(|error| wrong(error.to_string()))?;
        views.push((name.clone(), view));
        if let Some(norm) = name.strip_suffix("running_var") {
            let counter = TensorView::new(Dtype::I64, Vec::new(), &zero)
                .map_err(|error| wrong(error.to_string()))?;
            views.push((format!("{norm}{COUNTER}"), counter));
        }
    }
    let json = |value: serde_json::Value| value.to_string();
    let metadata = HashMap::from([
        ("format".to_owned(), "pt".to_owned()),
        ("mean".to_owned(), json(normalization.mean.clone().into())),
        ("std".to_owned(), json(normalization.std.clone().into())),
        ("classes".to_owned(), json(classes.into())),
    ]);
    let bytes =
        safetensors::serialize(views, Some(metadata)).map_err(|error| wrong(error.to_string()))?;
    staged::write(path, &bytes)
        .map_err(|source| ModelError::File(crate::FileError::new(path.to_owned(), source)).into())
}
