//! Running out of memory, told apart from other panics.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What Burn, cubecl, CUDA and Rust's collections say when memory is short, in lower case and without hyphens and
/// underscores.
const SIGNS: [&str; 5] = [
    "out of memory",
    "outofmemory",
    "out of device memory",
    "can't allocate buffer",
    "memory allocation of",
];

/// Runs `work`; `None` when it panicked for lack of memory. Burn reports a device without memory by panicking. Other
/// panics go on.
///
/// Memory that Linux promised and cannot give ends the process instead; only the kernel's front can tell of it.
pub(crate) fn guarded<R>(work: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => Some(result),
        Err(panic) if is_shortage(&panic_text(&*panic)) => None,
        Err(panic) => resume_unwind(panic),
    }
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
    fn only_a_shortage_of_memory_is_caught() {
        assert_eq!(guarded(|| 3), Some(3));
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
                guarded::<()>(|| std::panic::panic_any(message.to_owned())),
                None
            );
        }
        assert!(!is_shortage("index out of bounds: the length is 3"));
        let other = catch_unwind(|| guarded::<()>(|| panic!("shapes differ")));
        assert!(other.is_err());
    }
}
