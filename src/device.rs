//! Where tensors live: CUDA when this build has it and a driver answers, otherwise the CPU.

use crate::Hint;

/// What can go wrong when a device is chosen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// CUDA was asked for and cannot be had.
    #[error("CUDA was asked for, but {reason}")]
    NoCuda {
        /// Why: the build has no CUDA, no driver answers, no such GPU.
        reason: String,
    },
}

impl Hint for DeviceError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoCuda { .. } => Some("`Device::cpu()` trains on this machine's processor".to_owned()),
        }
    }
}

/// A device for models and tensors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    inner: burn::tensor::Device,
    name: String,
}

impl Device {
    /// The processor, through Burn's `flex` backend.
    #[must_use]
    pub fn cpu() -> Self {
        Self { inner: burn::tensor::Device::flex(), name: "CPU".to_owned() }
    }

    /// The device as Burn knows it, without autodiff.
    #[must_use]
    pub fn burn(&self) -> &burn::tensor::Device {
        &self.inner
    }

    /// A short name, such as `CPU` or `CUDA 0: NVIDIA H200`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}
