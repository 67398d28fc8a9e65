//! Standard streams of the child: the user's output goes into two pipes of the front process, so that it never meets
//! evcxr's line protocol, which stays on the original descriptors.

use std::fs::File;
use std::io::Write;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How long a partial line may wait before the user sees it.
const FLUSH_INTERVAL: Duration = Duration::from_millis(50);
/// The same between cells, when only threads that they have left behind can write.
const IDLE_INTERVAL: Duration = Duration::from_millis(500);

/// The original standard input and output: evcxr's requests and answers.
pub(super) struct Protocol {
    pub(super) requests: File,
    pub(super) answers: File,
    /// Held open and unused: evcxr takes its end for the end of the process.
    _errors: OwnedFd,
}

/// Moves the original streams away, and puts `/dev/null` and the two pipes in their place.
pub(super) fn redirect(stdout_pipe: RawFd, stderr_pipe: RawFd) -> std::io::Result<Protocol> {
    let requests = duplicate(0)?;
    let answers = duplicate(1)?;
    let errors = duplicate(2)?;
    let null = File::open("/dev/null")?;
    replace(std::os::fd::AsRawFd::as_raw_fd(&null), 0)?;
    replace(stdout_pipe, 1)?;
    replace(stderr_pipe, 2)?;
    for pipe in [stdout_pipe, stderr_pipe] {
        // SAFETY: the front process opened this descriptor for us alone; its duplicate is in place.
        unsafe { libc::close(pipe) };
    }
    Ok(Protocol {
        requests: requests.into(),
        answers: answers.into(),
        _errors: errors,
    })
}

fn duplicate(descriptor: RawFd) -> std::io::Result<OwnedFd> {
    // SAFETY: fcntl has no memory effects; a new descriptor is ours to own.
    unsafe {
        let copy = libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, 10);
        if copy < 0 {
            Err(std::io::Error::last_os_error())
        } else {
            Ok(OwnedFd::from_raw_fd(copy))
        }
    }
}

fn replace(from: RawFd, to: RawFd) -> std::io::Result<()> {
    // SAFETY: dup2 has no memory effects.
    if unsafe { libc::dup2(from, to) } < 0 {
        Err(std::io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Writes to standard error, ignoring a reader that has gone.
pub(super) fn write_error(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Writes out what Rust's and C's standard streams hold back.
pub(super) fn flush() {
    let _ = std::io::stdout().flush();
    // SAFETY: null asks the C library to flush all its output streams.
    unsafe { libc::fflush(std::ptr::null_mut()) };
}

static CELL_RUNS: Mutex<bool> = Mutex::new(false);
static CELL_BEGAN: Condvar = Condvar::new();

/// Starts the thread that shows partial lines.
pub(super) fn start_flusher() -> std::io::Result<()> {
    std::thread::Builder::new()
        .name("swath-flusher".to_owned())
        .spawn(|| {
            loop {
                let running = CELL_RUNS.lock().unwrap_or_else(PoisonError::into_inner);
                let waited = CELL_BEGAN.wait_timeout_while(running, IDLE_INTERVAL, |runs| !*runs);
                let runs = waited.is_ok_and(|(runs, _)| *runs);
                if runs {
                    std::thread::sleep(FLUSH_INTERVAL);
                }
                let _ = std::io::stdout().flush();
            }
        })?;
    Ok(())
}

/// Tells the flusher whether a cell runs.
pub(super) fn set_running(runs: bool) {
    *CELL_RUNS.lock().unwrap_or_else(PoisonError::into_inner) = runs;
    if runs {
        CELL_BEGAN.notify_one();
    }
}
