use std::ffi::OsStr;
use std::io::{Read, Seek, SeekFrom};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::{Result, session};

/// How often a running program is looked at, and an interrupt with it.
const PAUSE: Duration = Duration::from_millis(50);

/// Runs Python (`SWATH_PYTHON`, otherwise `python3`), which has the certificates and proxies of the machine at hand, and
/// waits for it. `Ok(Err(text))` is what it wrote on stderr when it failed, or why it could not be started.
///
/// # Errors
/// [`crate::Error::Interrupted`], with Python stopped; `doing` says what was.
pub(crate) fn run<S: AsRef<OsStr>>(
    arguments: impl IntoIterator<Item = S>,
    doing: &'static str,
) -> Result<Result<(), String>> {
    run_watched(arguments, doing, &mut || ())
}

/// As [`run`]; `watch` is called from time to time meanwhile.
pub(super) fn run_watched<S: AsRef<OsStr>>(
    arguments: impl IntoIterator<Item = S>,
    doing: &'static str,
    watch: &mut dyn FnMut(),
) -> Result<Result<(), String>> {
    let python =
        std::env::var_os(swath_link::environment::PYTHON).unwrap_or_else(|| "python3".into());
    let cannot =
        |error: std::io::Error| format!("{} does not start: {error}", python.to_string_lossy());
    // A file, since a pipe that nobody reads fills up.
    let opened = tempfile::tempfile().and_then(|log| Ok((log.try_clone()?, log)));
    let (stderr, mut log) = match opened {
        Ok(files) => files,
        Err(error) => return Ok(Err(cannot(error))),
    };
    let started = Command::new(&python)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => return Ok(Err(cannot(error))),
    };
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => std::thread::sleep(PAUSE),
            Err(error) => return Ok(Err(error.to_string())),
        }
        watch();
        if let Err(interrupted) = session::check_interrupt(doing) {
            let _ = child.kill();
            let _ = child.wait();
            return Err(interrupted);
        }
    };
    if status.success() {
        return Ok(Ok(()));
    }
    let mut said = Vec::new();
    // That it failed is known; without its words the error is shorter.
    let _ = log
        .seek(SeekFrom::Start(0))
        .and_then(|_| log.read_to_end(&mut said));
    Ok(Err(String::from_utf8_lossy(&said).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_says_when_it_fails_is_returned_whole() {
        assert_eq!(run(["-c", "pass"], "testing").unwrap(), Ok(()));
        let script = "import sys; sys.stderr.write('x' * 300_000 + '\\nlast words'); sys.exit(3)";
        let said = run(["-c", script], "testing").unwrap().unwrap_err();
        assert!(said.len() > 300_000 && said.ends_with("last words"));
    }
}
