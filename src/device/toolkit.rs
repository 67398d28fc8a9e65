//! NVIDIA's run-time compiler and the headers that kernels include: whether they are there and fit each other and the GPU.
//!
//! cubecl compiles each kernel when it is first needed. A header that is missing then fails in the middle of a run, and a
//! failed candidate of the autotuner leaves its buffers unreadable. So a small kernel of each kind is compiled before the
//! first tensor.

use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cubecl::cuda::install::cuda_path;
use cudarc::nvrtc::{result, sys};

use super::driver;

/// What kernels include, and the wheel of NVIDIA's that brings it.
const HEADERS: [(&str, &str); 5] = [
    ("cuda_fp16.h", "nvidia-cuda-runtime"),
    ("cuda_bf16.h", "nvidia-cuda-runtime"),
    ("mma.h", "nvidia-cuda-crt"),
    ("cooperative_groups.h", "nvidia-cuda-runtime"),
    ("cuda/barrier", "nvidia-cuda-cccl"),
];

/// Capability of a GPU whose driver does not tell it: the oldest for which barriers compile.
const USUAL_CAPABILITY: u32 = 80;

/// Whether kernels compile for GPUs of this compute capability; otherwise the reason, as the end of a sentence. Tried once.
pub(super) fn compiles_for(capability: Option<u32>) -> Result<(), String> {
    static TRIED: Mutex<Vec<(u32, Result<(), String>)>> = Mutex::new(Vec::new());
    let capability = capability.unwrap_or(USUAL_CAPABILITY);
    let mut tried = TRIED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, outcome)) = tried.iter().find(|(of, _)| *of == capability) {
        return outcome.clone();
    }
    let outcome = try_to_compile(capability);
    tried.push((capability, outcome.clone()));
    outcome
}

fn try_to_compile(capability: u32) -> Result<(), String> {
    // The names that cudarc tries, which panics when there is none.
    let names = [c"libnvrtc.so", c"libnvrtc.so.13", c"libnvrtc.so.12"];
    if driver::open(&names).is_none() {
        return Err(
            "the run-time compiler NVRTC was not found (libnvrtc.so.13 or .12): load a CUDA module, or install the \
             package nvidia-cuda-nvrtc and put its folder on LD_LIBRARY_PATH"
                .to_owned(),
        );
    }
    let Some(folder) = cuda_path() else {
        return Err(
            "CUDA's headers were not found: load a CUDA module, or set CUDA_PATH to a folder with `include`"
                .to_owned(),
        );
    };
    let include = folder.join("include");
    let folders = [include.clone(), include.join("cccl")];
    for (header, package) in HEADERS {
        if !folders.iter().any(|folder| folder.join(header).is_file()) {
            return Err(missing(header, package, &include));
        }
        compile(header, capability, &folders)
            .map_err(|log| unfit(header, package, capability, &log))?;
    }
    Ok(())
}

fn missing(header: &str, package: &str, include: &Path) -> String {
    format!(
        "CUDA's header {header} is not in {}: load a CUDA module that has it, or install the package {package} (of CUDA 12: \
         {package}-cu12, for nvidia-cuda-crt nvidia-cuda-nvcc-cu12)",
        include.display()
    )
}

/// What a person can do when a header is there and does not compile.
fn unfit(header: &str, package: &str, capability: u32, log: &str) -> String {
    let first = log
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or("no message");
    if log.contains("gpu-architecture") {
        return format!(
            "NVRTC does not know GPUs of compute capability {}.{} ({first}): it needs a newer version",
            capability / 10,
            capability % 10
        );
    }
    let file = first
        .contains("open source file")
        .then(|| first.split('"').nth(1))
        .flatten();
    match file {
        Some(file) => format!(
            "CUDA's header {header} includes {file}, which is not there: install the rest of CUDA, with pip {package} and \
             nvidia-cuda-crt (of CUDA 12: nvidia-cuda-nvcc-cu12)"
        ),
        None => format!(
            "NVRTC does not compile CUDA's header {header} ({first}): the compiler and the headers must be of one version"
        ),
    }
}

/// Compiles a kernel that includes the header, with the options that cubecl gives; the compiler's messages when that fails.
fn compile(header: &str, capability: u32, folders: &[PathBuf]) -> Result<(), String> {
    let source = format!("#include <{header}>\nextern \"C\" __global__ void probe() {{}}\n");
    let source = CString::new(source).map_err(|error| error.to_string())?;
    let accelerated = if capability >= 90 { "a" } else { "" };
    let mut options = vec![format!("--gpu-architecture=sm_{capability}{accelerated}")];
    options.extend(
        folders
            .iter()
            .filter(|folder| folder.is_dir())
            .map(|folder| format!("--include-path={}", folder.display())),
    );
    let failed = |error: result::NvrtcError| format!("NVRTC: {error}");
    let program = result::create_program(source.as_c_str(), None).map_err(failed)?;
    // SAFETY: the program was just made and is destroyed once, after its last use; the log's buffer ends with a zero.
    unsafe {
        let compiled = result::compile_program(program, &options);
        let log = result::get_program_log(program).unwrap_or_default();
        let log: Vec<u8> = log.into_iter().map(|letter| letter as u8).collect();
        let destroyed = result::destroy_program(program);
        match compiled {
            Ok(()) => destroyed.map_err(failed),
            Err(result::NvrtcError(sys::nvrtcResult::NVRTC_ERROR_INVALID_OPTION)) => Err(format!(
                "invalid value of --gpu-architecture: {}",
                options[0]
            )),
            Err(_) => Err(String::from_utf8_lossy(&log)
                .trim_end_matches('\0')
                .to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_the_wheel_that_brings_it() {
        let told = missing("cuda/barrier", "nvidia-cuda-cccl", Path::new("/c/include"));
        assert!(
            told.contains("nvidia-cuda-cccl-cu12") && told.contains("/c/include"),
            "{told}"
        );
        // As NVRTC 12.4 says it without nvidia-cuda-nvcc-cu12.
        let log = "/c/include/mma.h(55): catastrophic error: cannot open source file \"crt/mma.h\"\n  #include \"crt/mma.h\"\n\
                   \n1 catastrophic error detected in the compilation of \"default_program\".";
        let told = unfit("mma.h", "nvidia-cuda-crt", 80, log);
        assert!(told.contains("crt/mma.h, which is not there"), "{told}");
        let told = unfit(
            "mma.h",
            "nvidia-cuda-crt",
            120,
            "nvrtc: error: invalid value for --gpu-architecture",
        );
        assert!(told.contains("compute capability 12.0"), "{told}");
    }
}
