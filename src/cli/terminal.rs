//! What the command line shows: results on stdout, progress on stderr, in place where that is a terminal.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, Ordering};

use crate::display::Output;
use crate::session::Sink;

/// The sink of a command in a terminal or a batch job.
#[derive(Debug, Default)]
pub(super) struct CommandSink {
    /// Length of the progress line that is being overwritten; 0 when there is none.
    line: Mutex<usize>,
}

impl CommandSink {
    fn finish_line(&self) {
        let mut line = self
            .line
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if *line > 0 {
            let _ = writeln!(std::io::stderr());
            *line = 0;
        }
    }
}

impl Sink for CommandSink {
    fn result(&self, output: Output) {
        self.finish_line();
        // A closed pipe, as in `swath info x | head`, is no failure of ours.
        let _ = writeln!(std::io::stdout(), "{}", output.text.trim_end());
    }

    fn display(&self, output: Output, id: Option<&str>) {
        match id {
            Some(id) => self.update(output, id),
            None => self.result(output),
        }
    }

    fn update(&self, output: Output, _id: &str) {
        // A log file of a batch job would fill with progress.
        if !std::io::stderr().is_terminal() || output.text.contains('\n') {
            return;
        }
        let mut line = self
            .line
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let length = output.text.chars().count();
        let _ = write!(
            std::io::stderr(),
            "\r{}{:fill$}",
            output.text,
            "",
            fill = line.saturating_sub(length)
        );
        let _ = std::io::stderr().flush();
        *line = length;
    }

    fn clear(&self, _wait: bool) {}

    fn input(&self, prompt: &str, _password: bool) -> Option<String> {
        self.finish_line();
        let _ = write!(std::io::stderr(), "{prompt}");
        let mut line = String::new();
        (std::io::stdin().read_line(&mut line).ok()? > 0)
            .then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }
}

/// The signal that asked the command to stop; 0 when none has.
static STOPPED_BY: AtomicI32 = AtomicI32::new(0);

/// Turns the first Ctrl-C, and the first SIGTERM, which ends a batch job at its time limit, into a request to stop: files
/// that are not whole are removed. The second ends the program as usual.
pub(super) fn stop_on_signals() {
    extern "C" fn stop(signal: libc::c_int) {
        STOPPED_BY.store(signal, Ordering::Relaxed);
        crate::session::set_interrupted(true);
        // SAFETY: `signal` may be called from a signal handler, and `SIG_DFL` is always a valid disposition.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    let handler: extern "C" fn(libc::c_int) = stop;
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // SAFETY: the handler only stores to atomics and calls `signal`, both of which signal handlers may do.
        unsafe { libc::signal(signal, handler as libc::sighandler_t) };
    }
}

/// The exit code of a command that was asked to stop: 128 and the number of the signal, as shells have it.
pub(super) fn stopped() -> i32 {
    match STOPPED_BY.load(Ordering::Relaxed) {
        0 => super::INTERRUPTED,
        signal => 128 + signal,
    }
}
