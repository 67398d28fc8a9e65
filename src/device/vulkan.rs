//! GPUs of any maker through Vulkan.
//!
//! The loader is asked directly, before Burn: a list of devices needs none of them opened, and Burn panics when there is no
//! driver. Devices count from 0 in an order of their own, the quickest kinds first (`ranked`), so that `vulkan:0` is
//! the one to take.

use super::{Device, Gpu};

#[cfg(not(feature = "vulkan"))]
const NO_VULKAN: &str = "this build has no Vulkan";

/// Every device that Vulkan lists, or the reason why there is none, as the end of a sentence.
#[cfg(not(feature = "vulkan"))]
pub(super) fn gpus() -> Result<Vec<Gpu>, String> {
    Err(NO_VULKAN.to_owned())
}

/// The device of this index.
#[cfg(not(feature = "vulkan"))]
pub(super) fn device(_index: usize) -> Result<Device, String> {
    Err(NO_VULKAN.to_owned())
}

/// The first real GPU; `None` where this build has no Vulkan.
#[cfg(not(feature = "vulkan"))]
pub(super) fn best() -> Result<Option<Device>, String> {
    Ok(None)
}

#[cfg(feature = "vulkan")]
pub(super) use with_vulkan::{best, device, gpus};

#[cfg(feature = "vulkan")]
mod with_vulkan {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::OnceLock;

    use ash::vk;
    use burn::tensor::{DeviceKind, Tensor, TensorData};
    use swath_link::environment::UNCHECKED_DEVICE as UNCHECKED;

    use super::super::{driver, memory};
    use super::{Device, Gpu};

    /// A device, and how Burn calls it: the index among those of its kind.
    #[derive(Clone, Debug)]
    struct Found {
        gpu: Gpu,
        kind: DeviceKind,
    }

    pub(in super::super) fn gpus() -> Result<Vec<Gpu>, String> {
        Ok(found()?.iter().map(|found| found.gpu.clone()).collect())
    }

    pub(in super::super) fn device(index: usize) -> Result<Device, String> {
        let all = found()?;
        let found = all.get(index).ok_or_else(|| {
            format!(
                "there is no GPU {index}: Vulkan lists devices 0 to {}",
                all.len().saturating_sub(1)
            )
        })?;
        open(found, "chosen")
    }

    pub(in super::super) fn best() -> Result<Option<Device>, String> {
        match found()?.iter().find(|found| !found.gpu.is_software) {
            Some(found) => open(found, "a Vulkan driver answers").map(Some),
            None => {
                Err("its drivers here compute on the processor, and are only taken by name".into())
            }
        }
    }

    /// Listed once: instances of Vulkan that come and go while Burn makes its own crash some loaders.
    fn found() -> Result<&'static [Found], String> {
        static FOUND: OnceLock<Result<Vec<Found>, String>> = OnceLock::new();
        FOUND.get_or_init(list).as_deref().map_err(Clone::clone)
    }

    /// Burn opens a device at its first use and panics when that fails, so it is opened here.
    fn open(found: &Found, reason: &str) -> Result<Device, String> {
        let kind = found.kind.clone();
        let opened = catch_unwind(|| {
            let device = burn::tensor::Device::vulkan(kind);
            device.identity().map(|_| device)
        });
        let inner = match opened {
            Ok(Some(device)) => checked(device, &found.gpu.name)?,
            Ok(None) => return Err(format!("{} gives no device", found.gpu.name)),
            Err(panic) => {
                return Err(format!(
                    "{} cannot be opened: {}",
                    found.gpu.name,
                    memory::panic_text(&*panic)
                ));
            }
        };
        let software = if found.gpu.is_software {
            ", which computes on the processor"
        } else {
            ""
        };
        Ok(Device {
            inner,
            word: found.gpu.device.clone(),
            name: format!("Vulkan {}: {}", found.gpu.index, found.gpu.name),
            reason: format!("{reason}{software}"),
        })
    }

    /// Shapes of products, `[rows, inner, columns]`, with and without factors of two: their kernels differ.
    const PRODUCTS: [[usize; 3]; 4] = [[64, 64, 64], [40, 33, 20], [4, 6, 16], [36, 7, 17]];

    /// The device, if it multiplies rightly. cubecl 0.11's kernels for Vulkan give zeros without an error with at least one driver
    /// (SwiftShader) for products whose sizes are odd, and a network whose convolutions are zero trains without a word.
    fn checked(device: burn::tensor::Device, name: &str) -> Result<burn::tensor::Device, String> {
        if std::env::var_os(UNCHECKED).is_some_and(|value| value != "0") {
            return Ok(device);
        }
        let tried = catch_unwind(AssertUnwindSafe(|| {
            PRODUCTS
                .into_iter()
                .find(|shape| !multiplies(*shape, &device))
        }));
        match tried {
            Ok(None) => Ok(device),
            Ok(Some([rows, inner, columns])) => Err(format!(
                "{name} computes wrong numbers: the product of {rows} x {inner} and {inner} x {columns} is not that of the CPU"
            )),
            Err(panic) => Err(format!(
                "{name} does not compute: {}",
                memory::panic_text(&*panic)
            )),
        }
    }

    /// Whether a product is that of the CPU.
    fn multiplies([rows, inner, columns]: [usize; 3], device: &burn::tensor::Device) -> bool {
        let product = |device: &burn::tensor::Device| {
            let values = |count: usize, step: f32| -> Vec<f32> {
                (0..count)
                    .map(|index| (index as f32 * step).sin())
                    .collect()
            };
            let tensor = |shape: [usize; 2], step| {
                let data = TensorData::new(values(shape[0] * shape[1], step), shape);
                Tensor::<2>::from_data(data, device)
            };
            let product = tensor([rows, inner], 0.7).matmul(tensor([inner, columns], 1.3));
            product.into_data().convert::<f32>().try_to_vec::<f32>()
        };
        match (product(&burn::tensor::Device::flex()), product(device)) {
            (Ok(right), Ok(found)) => {
                right.len() == found.len()
                    && right
                        .iter()
                        .zip(&found)
                        .all(|(right, found)| (right - found).abs() <= 1e-3 * inner as f32)
            }
            _ => false,
        }
    }

    /// Discrete GPUs first, then those that share the processor's memory, those that a virtual machine passes on, and drivers
    /// that compute on the processor. Burn has no name for others.
    fn ranked(kind: vk::PhysicalDeviceType, index: usize) -> Option<(usize, DeviceKind)> {
        match kind {
            vk::PhysicalDeviceType::DISCRETE_GPU => Some((0, DeviceKind::DiscreteGpu(index))),
            vk::PhysicalDeviceType::INTEGRATED_GPU => Some((1, DeviceKind::IntegratedGpu(index))),
            vk::PhysicalDeviceType::VIRTUAL_GPU => Some((2, DeviceKind::VirtualGpu(index))),
            vk::PhysicalDeviceType::CPU if index == 0 => Some((3, DeviceKind::Cpu)),
            _ => None,
        }
    }

    fn list() -> Result<Vec<Found>, String> {
        // SAFETY: the loader is a library that only defines functions; what it loads itself, the drivers' libraries, is what
        // the system's administrator has registered.
        let entry = unsafe { ash::Entry::load() }.map_err(|_| {
            "no Vulkan loader was found on this machine (libvulkan.so.1 cannot be opened)"
                .to_owned()
        })?;
        let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_1);
        let create = vk::InstanceCreateInfo::default().application_info(&application);
        // SAFETY: the structures outlive the call; the instance is destroyed below, after everything that comes from it.
        let instance = unsafe { entry.create_instance(&create, None) }
            .map_err(|error| format!("Vulkan's loader finds no driver ({error})"))?;
        // SAFETY: the instance is alive.
        let listed = unsafe { instance.enumerate_physical_devices() };
        let described = listed.map(|devices| {
            devices
                .into_iter()
                // SAFETY: the device is one of this instance, which is alive.
                .map(|device| unsafe { describe(&instance, device) })
                .collect::<Vec<_>>()
        });
        // SAFETY: nothing of the instance is used after this.
        unsafe { instance.destroy_instance(None) };
        let described =
            described.map_err(|error| format!("Vulkan cannot list its devices ({error})"))?;
        let found = counted(described);
        match found.is_empty() {
            true => Err("Vulkan's drivers here list no device".to_owned()),
            false => Ok(found),
        }
    }

    /// What a device says of itself: its kind, name, identity and memory in bytes.
    type Described = (vk::PhysicalDeviceType, String, Option<String>, Option<u64>);

    /// # Safety
    /// The device must be one of the instance, and the instance alive.
    unsafe fn describe(instance: &ash::Instance, device: vk::PhysicalDevice) -> Described {
        // SAFETY: as the caller promises; what the calls fill outlives them, and the second version is called only on devices
        // that know it.
        unsafe {
            let properties = instance.get_physical_device_properties(device);
            let name = properties.device_name_as_c_str().map_or_else(
                |_| "a device without a name".to_owned(),
                |name| name.to_string_lossy().into_owned(),
            );
            let identity = (properties.api_version >= vk::API_VERSION_1_1).then(|| {
                let mut identity = vk::PhysicalDeviceIDProperties::default();
                let mut more = vk::PhysicalDeviceProperties2::default().push_next(&mut identity);
                instance.get_physical_device_properties2(device, &mut more);
                identity.device_uuid
            });
            let memory = instance.get_physical_device_memory_properties(device);
            let own = memory
                .memory_heaps_as_slice()
                .iter()
                .filter(|heap| heap.flags.contains(vk::MemoryHeapFlags::DEVICE_LOCAL))
                .map(|heap| heap.size)
                .max();
            let uuid = identity
                .filter(|bytes| bytes.iter().any(|byte| *byte != 0))
                .map(driver::grouped);
            (properties.device_type, name, uuid, own)
        }
    }

    /// The devices with Burn's name for each, in our order.
    fn counted(described: Vec<Described>) -> Vec<Found> {
        let mut of_kind = std::collections::HashMap::new();
        let mut found: Vec<_> = described
            .into_iter()
            .filter_map(|(kind, name, uuid, memory)| {
                let index = of_kind.entry(kind).or_insert(0_usize);
                let (rank, burn) = ranked(kind, *index)?;
                *index += 1;
                let gpu = Gpu {
                    device: String::new(),
                    index: 0,
                    name,
                    is_software: kind == vk::PhysicalDeviceType::CPU,
                    uuid,
                    memory,
                    free_memory: None,
                };
                Some((rank, Found { gpu, kind: burn }))
            })
            .collect();
        // Those of one kind stay in the loader's order.
        found.sort_by_key(|(rank, _)| *rank);
        let mut found: Vec<Found> = found.into_iter().map(|(_, found)| found).collect();
        for (index, found) in found.iter_mut().enumerate() {
            found.gpu.index = index;
            found.gpu.device = format!("vulkan:{index}");
        }
        found
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_quickest_kinds_count_first_and_burn_counts_each_kind_by_itself() {
            use vk::PhysicalDeviceType as Type;
            let described = |kind, name: &str| (kind, name.to_owned(), None, Some(1 << 30));
            let found = counted(vec![
                described(Type::CPU, "llvmpipe"),
                described(Type::INTEGRATED_GPU, "780M"),
                described(Type::OTHER, "something"),
                described(Type::DISCRETE_GPU, "A"),
                described(Type::CPU, "SwiftShader"),
                described(Type::DISCRETE_GPU, "B"),
            ]);
            let told: Vec<_> = found
                .iter()
                .map(|it| (it.gpu.device.as_str(), it.gpu.name.as_str(), &it.kind))
                .collect();
            assert_eq!(
                told,
                [
                    ("vulkan:0", "A", &DeviceKind::DiscreteGpu(0)),
                    ("vulkan:1", "B", &DeviceKind::DiscreteGpu(1)),
                    ("vulkan:2", "780M", &DeviceKind::IntegratedGpu(0)),
                    ("vulkan:3", "llvmpipe", &DeviceKind::Cpu),
                ]
            );
            assert!(found[3].gpu.is_software && !found[2].gpu.is_software);
        }
    }
}
