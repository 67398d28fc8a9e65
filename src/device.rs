//! Where tensors live: CUDA when this build has it and a driver answers, then a GPU through Vulkan, otherwise the CPU.
//!
//! Burn panics on the first use of a GPU that is not there, so the drivers are asked first and without Burn: `libcuda`
//! through its own C interface, Vulkan through its loader. Nothing here fails on a machine without a GPU.

mod driver;
mod gpus;
pub(crate) mod memory;
pub(crate) mod random;
#[cfg(feature = "cuda")]
mod toolkit;
mod vulkan;

use std::sync::{OnceLock, PoisonError, RwLock};

use swath_cli::DeviceName;

use crate::Hint;
use crate::display::{Output, Show, escape};
use crate::host::Step;

pub use gpus::{Gpu, Gpus};

/// Names the device that [`Device::best`] takes: `cpu`, `cuda`, `vulkan`, or `cuda:1` for the second GPU.
pub const DEVICE_VARIABLE: &str = swath_link::environment::DEVICE;

/// What [`DEVICE_VARIABLE`] says. A value that is no text names no device, so that it is refused and not overlooked.
fn asked_for() -> Option<String> {
    std::env::var_os(DEVICE_VARIABLE).map(|value| value.to_string_lossy().into_owned())
}

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
    /// Vulkan was asked for and cannot be had.
    #[error("Vulkan was asked for, but {reason}")]
    NoVulkan {
        /// Why: the build has no Vulkan, no driver is there, no such GPU.
        reason: String,
    },
    /// [`DEVICE_VARIABLE`] holds something else than a device.
    #[error(
        "the environment variable SWATH_DEVICE names no device: {}, found {found:?}",
        DeviceName::EXPECTED
    )]
    UnknownName {
        /// The value of the variable.
        found: String,
    },
}

impl Hint for DeviceError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoCuda { .. } | Self::NoVulkan { .. } => Step::OtherDevice.to_string(),
            Self::UnknownName { .. } => {
                "unset it, or set it to one of these, and start again".to_owned()
            }
        })
    }
}

/// A device for models and tensors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    inner: burn::tensor::Device,
    /// How it is asked for: `cpu`, `cuda:0`, `vulkan:1`.
    word: String,
    name: String,
    reason: String,
}

static CHOSEN: RwLock<Option<Device>> = RwLock::new(None);
static BEST: OnceLock<Device> = OnceLock::new();

fn chosen() -> Option<Device> {
    CHOSEN
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

impl Device {
    /// The processor, through Burn's `flex` backend.
    #[must_use]
    pub fn cpu() -> Self {
        Self::cpu_because("chosen")
    }

    fn cpu_because(reason: impl Into<String>) -> Self {
        Self {
            inner: burn::tensor::Device::flex(),
            word: "cpu".to_owned(),
            name: "CPU".to_owned(),
            reason: reason.into(),
        }
    }

    /// The GPU with this index, as the driver counts them.
    ///
    /// # Errors
    /// [`DeviceError::NoCuda`] when the build has no CUDA, no driver answers, there is no such GPU, or the run-time
    /// compiler (NVRTC) or one of the headers that kernels include is missing or of no use for this GPU.
    pub fn cuda(index: usize) -> crate::Result<Self> {
        let gpu = driver::gpu(index).map_err(|reason| DeviceError::NoCuda { reason })?;
        Ok(Self::on_gpu(&gpu)?)
    }

    #[cfg(feature = "cuda")]
    fn on_gpu(gpu: &Gpu) -> Result<Self, DeviceError> {
        toolkit::compiles_for(driver::capability(gpu.index))
            .map_err(|reason| DeviceError::NoCuda { reason })?;
        Ok(Self {
            inner: burn::tensor::Device::cuda(gpu.index),
            word: gpu.device.clone(),
            name: format!("CUDA {}: {}", gpu.index, gpu.name),
            reason: "a driver answers".to_owned(),
        })
    }

    #[cfg(not(feature = "cuda"))]
    fn on_gpu(gpu: &Gpu) -> Result<Self, DeviceError> {
        Err(DeviceError::NoCuda {
            reason: format!("this build has no CUDA (the driver reports {})", gpu.name),
        })
    }

    /// The GPU with this index through Vulkan, of any maker: discrete GPUs count first, then integrated and virtual ones, and
    /// drivers that compute on the processor last ([`Device::gpus`] lists them).
    ///
    /// # Errors
    /// [`DeviceError::NoVulkan`] when the build has no Vulkan, no driver is there, there is no such GPU, or the driver
    /// gives no device that computes.
    pub fn vulkan(index: usize) -> crate::Result<Self> {
        Ok(vulkan::device(index).map_err(|reason| DeviceError::NoVulkan { reason })?)
    }

    /// The device of this name, as command lines and project files give it.
    ///
    /// # Errors
    /// As [`Device::cuda`] and [`Device::vulkan`].
    pub(crate) fn named(name: DeviceName) -> crate::Result<Self> {
        match name {
            DeviceName::Cpu => Ok(Self::cpu()),
            DeviceName::Cuda(index) => Self::cuda(index),
            DeviceName::Vulkan(index) => Self::vulkan(index),
        }
    }

    /// CUDA when the build has it and a driver answers, then a GPU through Vulkan when the build has that, otherwise the CPU;
    /// the environment variable `SWATH_DEVICE` (`cpu`, `cuda`, `cuda:1`, `vulkan`) decides otherwise. A Vulkan driver that
    /// computes on the processor is never taken by itself: the CPU's own kernels are quicker. Never fails: what is asked
    /// for and absent becomes the CPU, and [`Device::explain`] says so.
    #[must_use]
    pub fn best() -> Self {
        Self::best_for(asked_for().as_deref())
    }

    fn best_for(requested: Option<&str>) -> Self {
        match Self::requested(requested) {
            Ok(Some(device)) => return device,
            Ok(None) => {}
            Err(error) => return Self::cpu_because(error.to_string()),
        }
        let cuda =
            driver::gpu(0).and_then(|gpu| Self::on_gpu(&gpu).map_err(|error| error.to_string()));
        cuda.unwrap_or_else(|no_cuda| match vulkan::best() {
            Ok(Some(device)) => device,
            Ok(None) => Self::cpu_because(no_cuda),
            Err(no_vulkan) => Self::cpu_because(format!("{no_cuda}; Vulkan: {no_vulkan}")),
        })
    }

    /// The device that a value of `SWATH_DEVICE` names; `None` leaves the choice open.
    fn requested(value: Option<&str>) -> crate::Result<Option<Self>> {
        let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        let name = match value.to_ascii_lowercase().as_str() {
            "gpu" => Ok(DeviceName::Cuda(0)),
            other => other.parse(),
        };
        match name {
            Ok(DeviceName::Cpu) => Ok(Some(Self::cpu_because("SWATH_DEVICE=cpu"))),
            Ok(name) => Self::named(name).map(Some),
            Err(_) => Err(DeviceError::UnknownName {
                found: value.to_owned(),
            }
            .into()),
        }
    }

    /// The device of this session: what [`Device::set_current`] set, otherwise [`Device::best`], found once.
    #[must_use]
    pub fn current() -> Self {
        chosen().unwrap_or_else(|| BEST.get_or_init(Self::best).clone())
    }

    /// Makes this the device of every later training and prediction that names none.
    pub fn set_current(&self) {
        *CHOSEN.write().unwrap_or_else(PoisonError::into_inner) = Some(self.clone());
    }

    /// The device of a run that names none. Unlike [`Device::current`] it refuses to fall back from a GPU that
    /// `SWATH_DEVICE` asks for: hours on the wrong device are worse than an error.
    ///
    /// # Errors
    /// [`DeviceError`] when `SWATH_DEVICE` asks for what is not there and no device was set in the session.
    pub fn for_run() -> crate::Result<Self> {
        if let Some(device) = chosen() {
            return Ok(device);
        }
        match Self::requested(asked_for().as_deref())? {
            Some(device) => Ok(device),
            None => Ok(Self::current()),
        }
    }

    /// The device as Burn knows it, without autodiff.
    #[must_use]
    pub fn burn(&self) -> &burn::tensor::Device {
        &self.inner
    }

    /// Whether tensors live on a GPU, where reading one back waits for all work before it. So it is for a Vulkan driver that
    /// computes on the processor, too.
    #[must_use]
    pub fn is_gpu(&self) -> bool {
        self.word != "cpu"
    }

    /// A short name, such as `CPU`, `CUDA 0: NVIDIA H200` or `Vulkan 0: AMD Radeon 780M`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One line: which device this is, and why.
    ///
    /// ```
    /// assert!(swath::device::Device::cpu().explain().starts_with("CPU"));
    /// ```
    #[must_use]
    pub fn explain(&self) -> String {
        if self.is_gpu() {
            return format!("{} ({})", self.name, self.reason);
        }
        let threads = rayon::current_num_threads();
        format!(
            "{} with {threads} thread{} ({})",
            self.name,
            if threads == 1 { "" } else { "s" },
            self.reason
        )
    }
}

impl Show for Device {
    fn output(&self) -> Output {
        let text = self.explain();
        let html = format!("<span>{}</span>", escape(&text));
        Output::styled(text, html)
    }
}

crate::show_in_cells!(Device);

#[cfg(test)]
mod tests {
    use super::*;

    fn a_gpu_answers() -> bool {
        driver::gpu(0).is_ok()
    }

    #[test]
    fn best_is_a_gpu_that_answers_or_the_cpu_and_says_why() {
        let device = Device::best_for(None);
        if cfg!(feature = "cuda") && a_gpu_answers() {
            assert!(device.is_gpu(), "{}", device.explain());
        } else {
            assert_eq!(device.name(), "CPU");
            assert!(
                device.explain().contains("CUDA") || device.explain().contains("driver"),
                "{}",
                device.explain()
            );
        }
    }

    #[test]
    fn a_gpu_that_is_not_there_is_an_error_that_says_why() {
        let index = if cfg!(feature = "cuda") && a_gpu_answers() {
            4096
        } else {
            0
        };
        let error = Device::cuda(index).unwrap_err();
        assert!(
            error.to_string().starts_with("CUDA was asked for, but "),
            "{error}"
        );
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.contains("Device::cpu()"))
        );
    }

    #[test]
    fn the_environment_chooses_and_a_wrong_value_names_the_right_ones() {
        assert!(
            Device::best_for(Some("cpu"))
                .explain()
                .contains("SWATH_DEVICE=cpu")
        );
        let error = Device::requested(Some("tpu")).unwrap_err();
        assert!(
            error.to_string().contains("`vulkan:N`") && error.to_string().contains("tpu"),
            "{error}"
        );
        assert_eq!(Device::best_for(Some("tpu")).name(), "CPU");
        if !a_gpu_answers() {
            assert!(Device::requested(Some("cuda")).is_err());
            assert!(
                Device::best_for(Some("cuda"))
                    .explain()
                    .contains("CUDA was asked for")
            );
        }
    }

    #[test]
    fn tensors_compute_on_the_best_device() {
        let tensor = burn::tensor::Tensor::<1>::from_floats([1.0, 2.0], Device::best().burn());
        assert_eq!(tensor.sum().into_scalar::<f32>(), 3.0);
    }
}
