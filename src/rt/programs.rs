//! The programs that cells have started: they are interrupted with them, and none of them outlives the kernel.

use std::os::fd::RawFd;
use std::sync::OnceLock;

use super::marked::{MARK_ENV, end_marked, processes};

/// How long ending the others may take before this process ends all the same.
const AT_MOST_SECONDS: u32 = 3;

/// The kernel's mark, as it was before a cell could change it.
static MARK: OnceLock<String> = OnceLock::new();
/// The pipe that wakes the thread which ends everything.
static WAKE: OnceLock<RawFd> = OnceLock::new();

/// Starts the thread that ends everything when the front process has gone.
pub(super) fn watch() -> std::io::Result<()> {
    // Both are set once: the process watches once.
    let _ = MARK.set(std::env::var(MARK_ENV).unwrap_or_default());
    let mut ends: [RawFd; 2] = [0; 2];
    // SAFETY: pipe2 fills the two descriptors.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    let [read, write] = ends;
    let _ = WAKE.set(write);
    std::thread::Builder::new()
        .name("swath-end".to_owned())
        .spawn(move || {
            let mut byte = 0_u8;
            // SAFETY: one byte is read into `byte`.
            while unsafe { libc::read(read, (&raw mut byte).cast(), 1) } < 0 {}
            end_all();
        })?;
    Ok(())
}

/// Ends every program of the kernel, and this process.
pub(super) fn end_all() {
    end_marked(MARK.get().map_or("", String::as_str));
    // SAFETY: kill has no memory effects.
    unsafe { libc::kill(0, libc::SIGKILL) };
}

/// Has that thread end everything; a signal handler may call it.
pub(super) fn end_all_soon() {
    let Some(descriptor) = WAKE.get() else { return };
    // SAFETY: one byte is read from a static text. The alarm ends this process should the thread be stuck; the handler
    // that a cell may have set for it is taken away.
    unsafe {
        libc::signal(libc::SIGALRM, libc::SIG_DFL);
        libc::alarm(AT_MOST_SECONDS);
        libc::write(*descriptor, c"e".as_ptr().cast(), 1);
    }
}

/// Whether this process has children: programs that a cell may be waiting for.
pub(super) fn any_run() -> bool {
    let own = std::process::id().to_string();
    processes().any(|pid| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // `pid (name) state parent …`; the name may hold anything.
        let mut fields = status.rsplit(") ").next().unwrap_or_default().split(' ');
        let state = fields.next();
        state != Some("Z") && fields.next() == Some(own.as_str())
    })
}

/// Interrupts the programs of this process group.
pub(super) fn interrupt() {
    // SAFETY: kill has no memory effects; this process' own handler only sets a flag.
    unsafe { libc::kill(0, libc::SIGINT) };
}
