//! The memory that this process may use.

/// Its bytes, of the machine or of the job that it belongs to; `None` where the system does not say.
pub(super) fn physical() -> Option<u64> {
    swath_link::limits::memory()
}
