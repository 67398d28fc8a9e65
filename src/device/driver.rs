//! Asks the NVIDIA driver what is there, through `dlopen`: no link to CUDA, no panic without it.

use std::ffi::{CStr, c_char, c_int, c_void};

/// A GPU that the driver reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// Its index, as the driver counts.
    pub index: usize,
    /// Its name, such as `NVIDIA H200`.
    pub name: String,
}

/// The GPU with this index, or the reason why there is none, as the end of a sentence.
pub(super) fn gpu(index: usize) -> Result<Gpu, String> {
    let library = open(&[c"libcuda.so.1", c"libcuda.so"])
        .ok_or("no NVIDIA driver was found on this machine (libcuda.so.1 cannot be opened)")?;
    type Init = unsafe extern "C" fn(u32) -> c_int;
    type Count = unsafe extern "C" fn(*mut c_int) -> c_int;
    type Name = unsafe extern "C" fn(*mut c_char, c_int, c_int) -> c_int;
    let missing = "the NVIDIA driver on this machine lacks a function it should have";
    // SAFETY: the three signatures are those of the CUDA driver API (cuda.h), unchanged since CUDA 2; `symbol` has
    // checked that the addresses are not null, and the library is never closed.
    let (init, count, name) = unsafe {
        (
            std::mem::transmute::<*mut c_void, Init>(symbol(library, c"cuInit").ok_or(missing)?),
            std::mem::transmute::<*mut c_void, Count>(
                symbol(library, c"cuDeviceGetCount").ok_or(missing)?,
            ),
            std::mem::transmute::<*mut c_void, Name>(
                symbol(library, c"cuDeviceGetName").ok_or(missing)?,
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
    if status != 0 || found <= 0 {
        return Err("the NVIDIA driver reports no GPU".to_owned());
    }
    let ordinal = c_int::try_from(index)
        .ok()
        .filter(|ordinal| *ordinal < found)
        .ok_or_else(|| {
            let last = found - 1;
            format!("there is no GPU {index}: the driver reports GPUs 0 to {last}")
        })?;
    let mut buffer = [0 as c_char; 128];
    // SAFETY: the buffer outlives the call and its length travels with it; cuDeviceGetName ends it with a zero, and
    // the last byte is never written because one less is announced.
    let name = unsafe {
        if name(buffer.as_mut_ptr(), 127, ordinal) == 0 {
            CStr::from_ptr(buffer.as_ptr())
                .to_string_lossy()
                .into_owned()
        } else {
            "NVIDIA GPU".to_owned()
        }
    };
    Ok(Gpu { index, name })
}

/// Whether NVRTC, which compiles the kernels at run time, and its headers are there; otherwise the reason.
#[cfg(feature = "cuda")]
pub(super) fn compiler_is_there() -> Result<(), String> {
    let names = [c"libnvrtc.so.13", c"libnvrtc.so.12", c"libnvrtc.so"];
    if open(&names).is_none() {
        return Err("the run-time compiler NVRTC was not found (libnvrtc.so.13 or .12): load a CUDA module, or \
                    install the package nvidia-cuda-nvrtc and put its folder on LD_LIBRARY_PATH"
            .to_owned());
    }
    // cubecl looks in these places, in this order, and panics when there is none.
    let candidates = ["/usr/local/cuda", "/opt/cuda", "/usr/bin/nvcc"];
    if std::env::var_os("CUDA_PATH").is_none()
        && !candidates
            .iter()
            .any(|path| std::path::Path::new(path).exists())
    {
        return Err("no CUDA headers were found: set CUDA_PATH to a CUDA installation".to_owned());
    }
    Ok(())
}

fn open(names: &[&CStr]) -> Option<*mut c_void> {
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
