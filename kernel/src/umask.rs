//! The mask for new files. What the front process and its compiler write is private, whatever mask the user has: sources,
//! objects, sockets, the history. What the user's own cells and commands write has the user's own mask.

use std::sync::OnceLock;

static OF_USER: OnceLock<libc::mode_t> = OnceLock::new();

/// Has this process, and what it starts without [`give_back`], make files for their owner alone.
pub(crate) fn keep_private() {
    // SAFETY: umask has no memory effects.
    OF_USER.get_or_init(|| unsafe { libc::umask(0o077) });
}

/// The user's own mask.
pub(crate) fn of_user() -> libc::mode_t {
    OF_USER.get().copied().unwrap_or_else(|| {
        // Nothing has changed it yet. The system call tells it only by setting another one.
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
        line.and_then(|mask| libc::mode_t::from_str_radix(mask.trim(), 8).ok())
            .unwrap_or(0o022)
    })
}

/// The permissions of a new file that the user has asked for.
pub(crate) fn mode_for_user() -> u32 {
    0o666 & !of_user()
}

/// Has nobody else write what this process makes, whatever the user's mask; who may read it, that says.
pub(crate) fn keep_unchanged() {
    let mask = of_user() | 0o022;
    // SAFETY: umask has no memory effects.
    unsafe { libc::umask(mask) };
}

/// Gives a process that has just been forked the user's mask.
pub(crate) fn give_back(mask: libc::mode_t) {
    // SAFETY: umask has no memory effects, and is safe between fork and exec.
    unsafe { libc::umask(mask) };
}
