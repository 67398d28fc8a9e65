//! The interrupt signal: it asks the running cell to stop, and the library's loops look.

use std::ffi::c_int;

extern "C" fn ask_to_stop(_signal: c_int) {
    // A store to an atomic: nothing else would be safe in a signal handler.
    crate::session::set_interrupted(true);
}

/// Turns SIGINT into a request that [`crate::session::interrupted`] answers. System calls are restarted.
pub(super) fn install() {
    let handler: extern "C" fn(c_int) = ask_to_stop;
    // SAFETY: the action is fully initialised (zeroed, then set) and its handler only stores to an atomic.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(libc::SIGINT, &raw const action, std::ptr::null_mut());
    }
}
