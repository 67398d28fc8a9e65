//! The process in which cells run: it takes each request and has the cell run, one after the other.

use std::io::{BufRead, BufReader, Write};
use std::os::fd::RawFd;
use std::sync::Arc;

use swath_link::environment;

use super::cells::Cells;
use super::{guard, pipes, programs, side, signals, stop, surroundings};

/// What evcxr writes to have a cell run, before the object's path and the function's name.
const LOAD_AND_RUN: &str = "LOAD_AND_RUN ";
/// What evcxr waits for.
const EXECUTION_COMPLETE: &[u8] = b"EVCXR_EXECUTION_COMPLETE\n";

/// Runs cells until the front process closes the pipe. The front process' environment names the descriptors.
#[unsafe(no_mangle)]
#[expect(
    unreachable_pub,
    reason = "the kernel finds it by its name in the shared object"
)]
pub extern "C" fn swath_child_main() -> ! {
    let served = serve();
    if let Err(reason) = served {
        pipes::write_error(&format!("swath: {reason}\n"));
        std::process::exit(1);
    }
    std::process::exit(0)
}

fn serve() -> Result<(), String> {
    let [stdout, stderr, channel, farewell] = [
        environment::STDOUT_FD,
        environment::STDERR_FD,
        environment::SIDE_FD,
        environment::END_FD,
    ]
    .map(descriptor_from_environment);
    let protocol = pipes::redirect(stdout?, stderr?)
        .map_err(|error| format!("cannot redirect output: {error}"))?;
    side::connect(channel?);
    let farewell = Farewell::inherited(farewell?);
    let patience = environment::patience();
    restore_environment();
    surroundings::remember();
    crate::session::set_sink(Arc::new(side::SideSink));
    guard::install_panic_hook();
    signals::install().map_err(|error| format!("interrupts cannot be heard: {error}"))?;
    stop::install();
    let cannot_start = |error: std::io::Error| format!("cannot start a thread: {error}");
    programs::watch().map_err(cannot_start)?;
    pipes::start_flusher().map_err(cannot_start)?;
    let pipes::Protocol {
        requests,
        mut answers,
        ..
    } = protocol;
    let mut cells = Cells::start(patience)?;
    for line in BufReader::new(requests).lines() {
        let line = line.map_err(|error| format!("cannot read a request: {error}"))?;
        if let Some((path, function)) = line
            .strip_prefix(LOAD_AND_RUN)
            .and_then(|rest| rest.rsplit_once(' '))
        {
            cells.run(path, function)?;
            answers
                .write_all(EXECUTION_COMPLETE)
                .map_err(|error| format!("cannot answer: {error}"))?;
        }
    }
    let ended = cells.end();
    if !farewell.was_said() {
        // The pipe is closed because the front process has died: nobody else ends what cells have started.
        programs::end_all();
    }
    ended
}

/// How the front process says that it ends this process on purpose: it counts up a shared counter first.
struct Farewell(RawFd);

impl Farewell {
    fn inherited(descriptor: RawFd) -> Self {
        // SAFETY: fcntl has no memory effects. The counter is shared, so that it must not block is as well.
        unsafe {
            libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC);
            libc::fcntl(descriptor, libc::F_SETFL, libc::O_NONBLOCK);
        }
        Self(descriptor)
    }

    fn was_said(&self) -> bool {
        let mut count = 0_u64;
        // SAFETY: eight bytes are written to `count`.
        unsafe { libc::read(self.0, (&raw mut count).cast(), 8) == 8 }
    }
}

fn descriptor_from_environment(name: &str) -> Result<RawFd, String> {
    let value = std::env::var(name)
        .map_err(|_| format!("{name} is not set: this process is started by the kernel"))?;
    value
        .parse()
        .map_err(|_| format!("{name} is not a descriptor: {value}"))
}

/// Hides the plumbing from users' code and from the programs it starts.
fn restore_environment() {
    let library_path = std::env::var_os(environment::USER_LIBRARY_PATH);
    // SAFETY: only this thread exists yet.
    unsafe {
        for name in environment::PLUMBING {
            std::env::remove_var(name);
        }
        match library_path {
            Some(path) if !path.is_empty() => std::env::set_var("LD_LIBRARY_PATH", path),
            _ => std::env::remove_var("LD_LIBRARY_PATH"),
        }
    }
}
