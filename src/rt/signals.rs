//! The signals of this process: the interrupt, which asks the running cell to stop, and the end of the front process.

use std::ffi::c_int;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::time::Duration;

use super::programs;

/// How many interrupts there were.
static INTERRUPTS: AtomicU32 = AtomicU32::new(0);
/// What wakes the thread that waits for the end of a cell.
static WAKE: AtomicI32 = AtomicI32::new(-1);

/// The signal that has the cells' thread look whether it can be put aside. The first ones after `SIGRTMIN` are left to
/// other libraries.
pub(super) fn look_signal() -> c_int {
    libc::SIGRTMIN() + 5
}

/// The signal that the system sends when the front process has gone (`prepare_child` in the kernel's `evcxr_context`
/// asks for it).
fn front_is_gone_signal() -> c_int {
    libc::SIGRTMIN() + 6
}

/// In a handler nothing is safe but stores to atomics and system calls.
extern "C" fn ask_to_stop(_signal: c_int) {
    crate::session::set_interrupted(true);
    INTERRUPTS.fetch_add(1, Ordering::SeqCst);
    wake();
}

extern "C" fn end_everything(_signal: c_int) {
    programs::end_all_soon();
}

/// Turns SIGINT into a request that [`crate::session::interrupted`] answers and the cells' supervisor hears. System
/// calls are restarted.
pub(super) fn install() -> std::io::Result<()> {
    // SAFETY: eventfd has no memory effects.
    let descriptor = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    if descriptor < 0 {
        return Err(std::io::Error::last_os_error());
    }
    WAKE.store(descriptor, Ordering::SeqCst);
    handle(libc::SIGINT, ask_to_stop);
    handle(front_is_gone_signal(), end_everything);
    Ok(())
}

fn handle(signal: c_int, handler: extern "C" fn(c_int)) {
    // SAFETY: the action is fully initialized (zeroed, then set), and the handlers keep to what is safe in one.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(signal, &raw const action, std::ptr::null_mut());
    }
}

/// How many interrupts there were so far.
pub(super) fn interrupts() -> u32 {
    INTERRUPTS.load(Ordering::SeqCst)
}

/// Wakes [`wait`]; signal handlers may call it.
pub(super) fn wake() {
    let one = 1_u64;
    // SAFETY: eight bytes are read from `one`; errno is put back for the code that a signal has interrupted.
    unsafe {
        let errno = *libc::__errno_location();
        libc::write(WAKE.load(Ordering::SeqCst), (&raw const one).cast(), 8);
        *libc::__errno_location() = errno;
    }
}

/// Waits for [`wake`], or for as long as is said.
pub(super) fn wait(at_most: Option<Duration>) {
    let milliseconds = at_most.map_or(-1, |time| {
        i32::try_from(time.as_millis().max(1)).unwrap_or(i32::MAX)
    });
    let mut polled = libc::pollfd {
        fd: WAKE.load(Ordering::SeqCst),
        events: libc::POLLIN,
        revents: 0,
    };
    let mut count = 0_u64;
    // SAFETY: one descriptor is polled; eight bytes are written to `count`.
    unsafe {
        libc::poll(&raw mut polled, 1, milliseconds);
        libc::read(polled.fd, (&raw mut count).cast(), 8);
    }
}
