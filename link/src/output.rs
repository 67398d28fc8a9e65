//! Standard output of commands: what cannot be written is an error of the command, but for a pipe that its reader has closed.

use std::io::{ErrorKind, Write as _};
use std::sync::{Mutex, PoisonError};

/// Why an earlier write failed.
static FAILED: Mutex<Option<String>> = Mutex::new(None);

/// Remembers a write that failed. A closed pipe, as in `swath info x | head`, is no failure of ours.
pub fn remember(written: std::io::Result<()>) {
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        let mut failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
        failed.get_or_insert_with(|| error.to_string());
    }
}

/// Writes to standard output, at once.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    remember(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// What kept something of the output from being written, as the text of an error.
#[must_use]
pub fn failure() -> Option<String> {
    remember(std::io::stdout().flush());
    let failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
    failed
        .as_ref()
        .map(|reason| format!("the output cannot be written: {reason}"))
}
