//! The memory of this machine.

/// Its bytes; `None` where the system does not say.
pub(super) fn physical() -> Option<u64> {
    // SAFETY: plain questions to the system.
    let (pages, bytes) = unsafe {
        (
            libc::sysconf(libc::_SC_PHYS_PAGES),
            libc::sysconf(libc::_SC_PAGESIZE),
        )
    };
    u64::try_from(pages)
        .ok()?
        .checked_mul(u64::try_from(bytes).ok()?)
}
