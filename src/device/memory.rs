//! Running out of memory and devices that fail, told apart from other panics.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::Device;

/// What Burn, cubecl, CUDA and Rust's collections say when memory is short, in lower case and without hyphens and
/// underscores.
const SIGNS: [&str; 5] = [
    "out of memory",
    "outofmemory",
    "out of device memory",
    "can't allocate buffer",
    "memory allocation of",
];

/// What the errors of cubecl, CUDA and wgpu say of a device that has failed, written as [`SIGNS`].
const FAILURES: [&str; 6] = [
    "happened during",
    "cuda error",
    "drivererror",
    "device lost",
    "device is lost",
    "failed to read a tensor off",
];

/// What a device could not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It has no room.
    Shortage,
    /// It has failed: what it says of that, in a line.
    Failure(String),
}

/// Runs `work` on a device. Burn reports one that has no memory, and a GPU that has failed, by panicking; other panics go on.
///
/// Memory that Linux promised and cannot give ends the process instead; only the kernel's front can tell of it.
pub(crate) fn guarded<R>(device: &Device, work: impl FnOnce() -> R) -> Result<R, Trouble> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => Ok(result),
        Err(panic) => match trouble(&panic_text(&*panic), device.is_gpu()) {
            Some(trouble) => Err(trouble),
            None => resume_unwind(panic),
        },
    }
}

/// What a message tells of, if it is one of the device. A processor does not fail: what sounds so is a network's own.
fn trouble(message: &str, is_gpu: bool) -> Option<Trouble> {
    if is_shortage(message) {
        return Some(Trouble::Shortage);
    }
    if !is_gpu {
        return None;
    }
    let plain = message.to_lowercase().replace(['-', '_'], " ");
    let failed = FAILURES.iter().any(|sign| plain.contains(sign));
    failed.then(|| Trouble::Failure(first_cause(message)))
}

/// The message without its backtrace, in a line.
fn first_cause(message: &str) -> String {
    let told = message.split("Backtrace:").next().unwrap_or(message);
    let lines: Vec<&str> = told
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && *line != "Caused by:")
        .collect();
    lines.join(": ")
}

/// Whether a message tells of too little memory.
pub(crate) fn is_shortage(message: &str) -> bool {
    let message = message.to_lowercase().replace(['-', '_'], " ");
    SIGNS.iter().any(|sign| message.contains(sign))
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it panicked without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_shortage_of_memory_and_a_failed_device_are_caught() {
        let cpu = Device::cpu();
        assert_eq!(guarded(&cpu, || 3), Ok(3));
        // The text of cubecl 0.11's `IoError::OutOfMemory` and of its launch error.
        for message in [
            "out of device memory allocating 4294967296 bytes\n<backtrace>",
            "An out-of-memory error happened during launch\nCaused by:\n  pool",
            "CUDA allocation error: DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"no room\")",
            "can't allocate buffer of size: 99999999999",
            "memory allocation of 99999999999 bytes failed",
        ] {
            assert!(is_shortage(message), "{message}");
            assert_eq!(
                guarded::<()>(&cpu, || std::panic::panic_any(message.to_owned())),
                Err(Trouble::Shortage)
            );
        }
        assert!(!is_shortage("index out of bounds: the length is 3"));
        // The text of cubecl 0.11's `ServerError` with CUDA's error 719.
        let failed = "An error happened during execution\nCaused by:\n  Can't synchronize: CUDA_ERROR_LAUNCH_FAILED\n\
                      Backtrace:\n   0: std::backtrace";
        assert_eq!(
            trouble(failed, true),
            Some(Trouble::Failure(
                "An error happened during execution: Can't synchronize: CUDA_ERROR_LAUNCH_FAILED"
                    .to_owned()
            ))
        );
        assert_eq!(trouble(failed, false), None);
        let other = catch_unwind(|| guarded::<()>(&Device::cpu(), || panic!("shapes differ")));
        assert!(other.is_err());
    }
}
