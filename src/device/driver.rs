//! Asks the NVIDIA driver what is there, through `dlopen`: no link to CUDA, no panic without it.

use std::ffi::{CStr, c_char, c_int, c_void};

use super::Gpu;

type Ordinal = unsafe extern "C" fn(*mut c_int, c_int) -> c_int;
type Name = unsafe extern "C" fn(*mut c_char, c_int, c_int) -> c_int;
type TotalMemory = unsafe extern "C" fn(*mut usize, c_int) -> c_int;
type Uuid = unsafe extern "C" fn(*mut [u8; 16], c_int) -> c_int;

/// The driver, initialized.
struct Driver {
    library: *mut c_void,
    /// How many GPUs this process can see; at least one.
    count: usize,
}

impl Driver {
    fn open() -> Result<Self, String> {
        let library = open(&[c"libcuda.so.1", c"libcuda.so"])
            .ok_or("no NVIDIA driver was found on this machine (libcuda.so.1 cannot be opened)")?;
        type Init = unsafe extern "C" fn(u32) -> c_int;
        type Count = unsafe extern "C" fn(*mut c_int) -> c_int;
        let missing = "the NVIDIA driver on this machine lacks a function it should have";
        // SAFETY: the signatures are those of the CUDA driver API (cuda.h), unchanged since CUDA 2; `symbol` has checked
        // that the addresses are not null, and the library is never closed.
        let (init, count) = unsafe {
            (
                std::mem::transmute::<*mut c_void, Init>(
                    symbol(library, c"cuInit").ok_or(missing)?,
                ),
                std::mem::transmute::<*mut c_void, Count>(
                    symbol(library, c"cuDeviceGetCount").ok_or(missing)?,
                ),
            )
        };
        // SAFETY: cuInit takes only flags, which must be 0.
        let status = unsafe { init(0) };
        if status != 0 {
            return Err(format!(
                "the NVIDIA driver answers with error {status} (cuInit): is a GPU visible here?"
            ));
        }
        let mut found: c_int = 0;
        // SAFETY: `found` outlives the call.
        let status = unsafe { count(&raw mut found) };
        match usize::try_from(found) {
            Ok(count) if status == 0 && count > 0 => Ok(Self { library, count }),
            _ => Err("the NVIDIA driver reports no GPU".to_owned()),
        }
    }

    fn gpu(&self, index: usize) -> Result<Gpu, String> {
        let last = self.count - 1;
        let ordinal = c_int::try_from(index)
            .ok()
            .filter(|_| index <= last)
            .ok_or_else(|| {
                format!("there is no GPU {index}: the driver reports GPUs 0 to {last}")
            })?;
        let device = self.device(ordinal).unwrap_or(ordinal);
        let uuid = self.uuid(device);
        // A slice has a uuid of its own, and only its kind of name is known to the management library.
        let named = |kind: &str| uuid.as_ref().map(|uuid| format!("{kind}-{uuid}"));
        let found = ["GPU", "MIG"].into_iter().find_map(|kind| {
            let name = named(kind)?;
            let free = management::free_memory(&name)?;
            Some((name, free))
        });
        let name = self.name(device);
        let kind = if name.contains(" MIG ") { "MIG" } else { "GPU" };
        let (uuid, free_memory) = match found {
            Some((name, free)) => (Some(name), Some(free)),
            None => (named(kind), None),
        };
        Ok(Gpu {
            device: format!("cuda:{index}"),
            index,
            name,
            is_software: false,
            uuid,
            memory: self.memory(device),
            free_memory,
        })
    }

    fn device(&self, ordinal: c_int) -> Option<c_int> {
        let address = symbol(self.library, c"cuDeviceGet")?;
        let mut device: c_int = 0;
        // SAFETY: cuDeviceGet's signature (cuda.h); `device` outlives the call.
        let status = unsafe {
            std::mem::transmute::<*mut c_void, Ordinal>(address)(&raw mut device, ordinal)
        };
        (status == 0).then_some(device)
    }

    fn name(&self, device: c_int) -> String {
        let mut buffer = [0 as c_char; 128];
        symbol(self.library, c"cuDeviceGetName")
            .and_then(|address| {
                // SAFETY: cuDeviceGetName's signature; the buffer outlives the call and its length travels with it. The
                // name ends with a zero, and the last byte is never written because one less is announced.
                unsafe {
                    let name = std::mem::transmute::<*mut c_void, Name>(address);
                    (name(buffer.as_mut_ptr(), 127, device) == 0).then(|| {
                        CStr::from_ptr(buffer.as_ptr())
                            .to_string_lossy()
                            .into_owned()
                    })
                }
            })
            .unwrap_or_else(|| "NVIDIA GPU".to_owned())
    }

    fn memory(&self, device: c_int) -> Option<u64> {
        let address = symbol(self.library, c"cuDeviceTotalMem_v2")?;
        let mut bytes = 0_usize;
        // SAFETY: cuDeviceTotalMem_v2's signature; `bytes` outlives the call.
        let status = unsafe {
            std::mem::transmute::<*mut c_void, TotalMemory>(address)(&raw mut bytes, device)
        };
        (status == 0).then_some(bytes as u64)
    }

    #[cfg(feature = "cuda")]
    fn attribute(&self, attribute: c_int, device: c_int) -> Option<u32> {
        type Attribute = unsafe extern "C" fn(*mut c_int, c_int, c_int) -> c_int;
        let address = symbol(self.library, c"cuDeviceGetAttribute")?;
        let mut value: c_int = 0;
        // SAFETY: cuDeviceGetAttribute's signature (cuda.h); `value` outlives the call.
        let status = unsafe {
            std::mem::transmute::<*mut c_void, Attribute>(address)(
                &raw mut value,
                attribute,
                device,
            )
        };
        (status == 0).then(|| value.try_into().ok()).flatten()
    }

    /// The identity in hexadecimal groups, of a slice its own.
    fn uuid(&self, device: c_int) -> Option<String> {
        // The first version names the GPU that a slice is part of.
        let address = symbol(self.library, c"cuDeviceGetUuid_v2")
            .or_else(|| symbol(self.library, c"cuDeviceGetUuid"))?;
        let mut bytes = [0_u8; 16];
        // SAFETY: both versions fill a CUuuid, 16 bytes, that outlives the call.
        let status =
            unsafe { std::mem::transmute::<*mut c_void, Uuid>(address)(&raw mut bytes, device) };
        (status == 0).then(|| grouped(bytes))
    }
}

/// `8c24f0b1-…`: groups of 8, 4, 4, 4 and 12 digits.
pub(super) fn grouped(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.into_iter().enumerate() {
        if [4, 6, 8, 10].contains(&index) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// The GPU with this index, or the reason why there is none, as the end of a sentence.
pub(super) fn gpu(index: usize) -> Result<Gpu, String> {
    Driver::open()?.gpu(index)
}

/// Every GPU that this process can see, or the reason why there is none, as the end of a sentence.
pub(super) fn gpus() -> Result<Vec<Gpu>, String> {
    let driver = Driver::open()?;
    (0..driver.count).map(|index| driver.gpu(index)).collect()
}

/// NVIDIA's management library (NVML), which knows what is free without taking memory of its own: the driver itself tells
/// only processes that compute on the GPU.
mod management {
    use std::ffi::{CString, c_char, c_int, c_void};

    use super::{open, symbol};

    /// `nvmlMemory_t`.
    #[repr(C)]
    struct Memory {
        total: u64,
        free: u64,
        used: u64,
    }

    type Init = unsafe extern "C" fn() -> c_int;
    type ByUuid = unsafe extern "C" fn(*const c_char, *mut *mut c_void) -> c_int;
    type MemoryOf = unsafe extern "C" fn(*mut c_void, *mut Memory) -> c_int;

    /// The free bytes of the GPU or slice with this uuid.
    pub(super) fn free_memory(uuid: &str) -> Option<u64> {
        let library = open(&[c"libnvidia-ml.so.1", c"libnvidia-ml.so"])?;
        let uuid = CString::new(uuid).ok()?;
        let mut device = std::ptr::null_mut();
        let mut memory = Memory {
            total: 0,
            free: 0,
            used: 0,
        };
        // SAFETY: signatures of nvml.h, version 2 of the initialization since NVML 4; addresses are not null, what the
        // calls fill outlives them, and initializing again only counts up.
        unsafe {
            let init = std::mem::transmute::<*mut c_void, Init>(symbol(library, c"nvmlInit_v2")?);
            let by_uuid = std::mem::transmute::<*mut c_void, ByUuid>(symbol(
                library,
                c"nvmlDeviceGetHandleByUUID",
            )?);
            let memory_of = std::mem::transmute::<*mut c_void, MemoryOf>(symbol(
                library,
                c"nvmlDeviceGetMemoryInfo",
            )?);
            let done = init() == 0
                && by_uuid(uuid.as_ptr(), &raw mut device) == 0
                && memory_of(device, &raw mut memory) == 0;
            done.then_some(memory.free)
        }
    }
}

/// The compute capability of the GPU with this index, such as 80 for 8.0, where the driver tells.
#[cfg(feature = "cuda")]
pub(super) fn capability(index: usize) -> Option<u32> {
    let driver = Driver::open().ok()?;
    let device = driver.device(c_int::try_from(index).ok()?)?;
    // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR (cuda.h).
    let (major, minor) = (driver.attribute(75, device)?, driver.attribute(76, device)?);
    Some(major * 10 + minor)
}

pub(super) fn open(names: &[&CStr]) -> Option<*mut c_void> {
    names.iter().find_map(|name| {
        // SAFETY: the name ends with a zero; NVIDIA's libraries run only their own constructors when opened. The
        // handle stays open for the life of the process, as Burn opens the same library again.
        let library = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_LAZY | libc::RTLD_LOCAL) };
        (!library.is_null()).then_some(library)
    })
}

fn symbol(library: *mut c_void, name: &CStr) -> Option<*mut c_void> {
    // SAFETY: `library` came from `dlopen` and is never closed; the name ends with a zero.
    let address = unsafe { libc::dlsym(library, name.as_ptr()) };
    (!address.is_null()).then_some(address)
}
