//! Weights from elsewhere: PyTorch state dicts and safetensors, with the names of their origin.

use std::path::Path;

use burn::store::pytorch_reader::{DType as TorchType, PytorchReader};
use burn::tensor::TensorData;

use super::{ModelError, NamedTensors};
use crate::Result;

/// Reads every float tensor of a PyTorch state dict (`.pth`, `.pt`, zip or legacy), by the names in the file.
///
/// Nothing in the file is executed. A dict under the key `state_dict` or `model` is looked into.
///
/// # Errors
///
/// When the file cannot be read or is not a state dict.
pub fn load_pth(path: impl AsRef<Path>) -> Result<NamedTensors> {
    let path = &*crate::paths::expanded(path.as_ref());
    require_file(path)?;
    let wrong = |reason: String| ModelError::Weights {
        path: path.to_owned(),
        reason,
    };
    let reader = PytorchReader::new(path).map_err(|error| wrong(error.to_string()))?;
    let mut tensors = NamedTensors::new();
    for (name, tensor) in reader.into_tensors() {
        let values: Vec<f32> = match tensor.dtype() {
            TorchType::F32 => {
                let bytes = tensor.read().map_err(|error| wrong(error.to_string()))?;
                bytemuck::pod_collect_to_vec(&bytes)
            }
            TorchType::F64 => {
                let bytes = tensor.read().map_err(|error| wrong(error.to_string()))?;
                bytemuck::pod_collect_to_vec::<u8, f64>(&bytes)
                    .into_iter()
                    .map(|value| value as f32)
                    .collect()
            }
            // Counters such as `num_batches_tracked`.
            _ => continue,
        };
        let name = ["state_dict.", "model."]
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix))
            .unwrap_or(&name);
        tensors.insert(
            name.to_owned(),
            TensorData::new(values, tensor.shape().to_vec()),
        );
    }
    if tensors.is_empty() {
        return Err(wrong("there is no float tensor in it".to_owned()).into());
    }
    Ok(tensors)
}

/// Reads every 32-bit float tensor of a safetensors file, by the names in the file.
///
/// # Errors
///
/// When the file cannot be read or is not a safetensors file.
pub fn load_safetensors(path: impl AsRef<Path>) -> Result<NamedTensors> {
    let path = &*crate::paths::expanded(path.as_ref());
    let bytes = std::fs::read(path)
        .map_err(|source| ModelError::File(crate::FileError::new(path.to_owned(), source)))?;
    let wrong = |reason: String| ModelError::Weights {
        path: path.to_owned(),
        reason,
    };
    let file =
        safetensors::SafeTensors::deserialize(&bytes).map_err(|error| wrong(error.to_string()))?;
    let tensors = float_tensors(&file);
    if tensors.is_empty() {
        return Err(wrong("there is no 32-bit float tensor in it".to_owned()).into());
    }
    Ok(tensors)
}

/// Reads a state dict by its extension: `.safetensors`, otherwise PyTorch's format.
///
/// # Errors
///
/// As [`load_pth`] and [`load_safetensors`].
pub fn load(path: impl AsRef<Path>) -> Result<NamedTensors> {
    let path = &*crate::paths::expanded(path.as_ref());
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("safetensors") => load_safetensors(path),
        _ => load_pth(path),
    }
}

pub(super) fn float_tensors(file: &safetensors::SafeTensors<'_>) -> NamedTensors {
    file.iter()
        .filter(|(_, view)| view.dtype() == safetensors::Dtype::F32)
        .map(|(name, view)| {
            let values: Vec<f32> = bytemuck::pod_collect_to_vec(view.data());
            (
                name.to_owned(),
                TensorData::new(values, view.shape().to_vec()),
            )
        })
        .collect()
}

fn require_file(path: &Path) -> Result<()> {
    std::fs::metadata(path)
        .map(|_| ())
        .map_err(|source| ModelError::File(crate::FileError::new(path.to_owned(), source)).into())
}

/// Names of a torchvision or `efficientnet_lite_pytorch` state dict as our encoders have them: the latter's leading
/// underscores go, and everything comes under `encoder.`.
#[must_use]
pub fn encoder_names(tensors: NamedTensors) -> NamedTensors {
    tensors
        .into_iter()
        .map(|(name, data)| {
            let parts: Vec<_> = name
                .split('.')
                .map(|part| part.trim_start_matches('_'))
                .collect();
            (format!("encoder.{}", parts.join(".")), data)
        })
        .collect()
}

/// Adapts a first convolution's weight `[out, in, k, k]` to another number of bands.
///
/// Band `b` takes the pretrained channel `b mod in`, and everything is scaled by `in / bands`, so that an image whose
/// bands are all alike gives the same response as before; one band therefore gets the sum of the channels' spread over
/// itself (their mean times `in`).
///
/// # Errors
///
/// When the tensor does not have four dimensions or no input channel.
pub fn adapt_bands(weight: &TensorData, bands: usize) -> Result<TensorData, String> {
    let &[out, input, kh, kw] = weight.shape().as_slice() else {
        return Err(format!(
            "a first convolution should have four dimensions, and has {:?}",
            weight.shape().as_slice()
        ));
    };
    if input == bands || input == 0 {
        return Ok(weight.clone());
    }
    let values = weight
        .as_slice::<f32>()
        .map_err(|error| format!("{error:?}"))?;
    let area = kh * kw;
    let mut adapted = Vec::with_capacity(out * bands * area);
    for filter in values.chunks_exact(input * area) {
        if bands == 1 {
            adapted.extend((0..area).map(|tap| filter.iter().skip(tap).step_by(area).sum::<f32>()));
            continue;
        }
        let scale = input as f32 / bands as f32;
        for band in 0..bands {
            let channel = &filter[band % input * area..][..area];
            adapted.extend(channel.iter().map(|value| value * scale));
        }
    }
    Ok(TensorData::new(adapted, [out, bands, kh, kw]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_band_responds_like_three_equal_bands() {
        let weight = TensorData::new(vec![1.0f32, 2.0, 3.0], [1, 3, 1, 1]);
        let one = adapt_bands(&weight, 1).unwrap();
        assert_eq!(one.as_slice::<f32>().unwrap(), [6.0]);
    }

    #[test]
    fn more_bands_repeat_the_channels_and_keep_the_size_of_the_response() {
        let weight = TensorData::new(vec![1.0f32, 2.0, 3.0], [1, 3, 1, 1]);
        let six = adapt_bands(&weight, 6).unwrap();
        assert_eq!(
            six.as_slice::<f32>().unwrap(),
            [0.5, 1.0, 1.5, 0.5, 1.0, 1.5]
        );
    }

    #[test]
    fn a_missing_or_wrong_file_is_an_error_that_names_it() {
        let error = load_pth("/nonexistent/weights.pth")
            .unwrap_err()
            .to_string();
        assert!(error.contains("weights.pth"), "{error}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("junk.pth");
        std::fs::write(&path, b"not a state dict").unwrap();
        assert!(load_pth(&path).is_err());
        let path = folder.path().join("junk.safetensors");
        std::fs::write(&path, [0xff; 40]).unwrap();
        assert!(load(&path).is_err());
    }
}
