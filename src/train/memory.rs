//! Running out of memory, told apart from other panics.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What Burn, cubecl, CUDA and Rust's collections say when memory is short, in lower case.
const SIGNS: [&str; 7] = [
    "out of memory",
    "out-of-memory",
    "out_of_memory",
    "outofmemory",
    "out of device memory",
    "can't allocate buffer",
    "memory allocation of",
];

/// Runs `work`; `None` when it panicked for lack of memory. Burn reports a device without memory by panicking. Other
/// panics go on.
///
/// Memory that Linux promised and cannot give ends the process instead; only the kernel's front can tell of it.
pub(super) fn guarded<R>(work: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => Some(result),
        Err(panic) if text(&*panic).is_some_and(|text| is_shortage(&text)) => None,
        Err(panic) => resume_unwind(panic),
    }
}

/// Whether a message tells of too little memory.
pub(super) fn is_shortage(message: &str) -> bool {
    let message = message.to_lowercase();
    SIGNS.iter().any(|sign| message.contains(sign))
}

fn text(panic: &(dyn Any + Send)) -> Option<String> {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
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
            "CUDA_ERROR_OUT_OF_MEMORY",
        ] {
            assert_eq!(
                guarded::<()>(|| std::panic::panic_any(message.to_owned())),
                None
            );
        }
        let other = catch_unwind(|| guarded::<()>(|| panic!("shapes differ")));
        assert!(other.is_err());
    }
}
