//! Runs the real cargo, tells what it does while it does it, and keeps what went wrong.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use swath_link::record;

use crate::compile;

/// The width of the first column of cargo's status lines.
const STATUS_WIDTH: usize = 12;

/// What a run of cargo has said.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) succeeded: bool,
    /// cargo's messages for programs, one each.
    pub(crate) messages: Vec<Value>,
    /// Everything from the first error on, without status lines.
    pub(crate) errors: String,
    /// Warnings of cargo's own.
    pub(crate) warnings: Vec<String>,
}

/// Shows lines in the notebook, under the cell that waits.
pub(crate) struct Progress(Option<File>);

impl Progress {
    /// Opens the pipe to the kernel, if that listens.
    pub(crate) fn open(session: &Path) -> Self {
        let pipe = std::fs::OpenOptions::new()
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(record::progress_path(session));
        Self(pipe.ok())
    }

    /// Shows one line. A full pipe loses it: nothing waits for a reader.
    pub(crate) fn show(&mut self, line: &str) {
        if let Some(pipe) = &mut self.0 {
            let _ = pipe.write_all(format!("{line}\n").as_bytes());
        }
    }
}

/// Runs cargo to its end.
pub(crate) fn run(command: &mut Command, progress: &mut Progress) -> std::io::Result<Outcome> {
    // SAFETY: prctl is async-signal-safe and touches no memory.
    unsafe {
        command.pre_exec(|| {
            compile::end_with_parent();
            Ok(())
        });
    }
    let mut cargo = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let stdout = cargo.stdout.take();
    let messages = std::thread::spawn(move || {
        let lines = stdout.map(|stdout| BufReader::new(stdout).lines());
        lines
            .into_iter()
            .flatten()
            .map_while(Result::ok)
            .filter_map(|line| serde_json::from_str(&line).ok())
            .collect::<Vec<Value>>()
    });
    let mut outcome = Outcome::default();
    let mut stderr = cargo.stderr.take().map(BufReader::new);
    let mut line = Vec::new();
    while let Some(stderr) = &mut stderr {
        line.clear();
        if stderr.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        outcome.sort(String::from_utf8_lossy(&line).trim_end(), progress);
    }
    outcome.succeeded = cargo.wait()?.success();
    outcome.messages = messages.join().unwrap_or_default();
    Ok(outcome)
}

impl Outcome {
    /// Takes one line of cargo's standard error to where it belongs.
    fn sort(&mut self, line: &str, progress: &mut Progress) {
        if is_status(line) {
            if !is_about_us(line) {
                progress.show(line);
            }
        } else if !self.errors.is_empty() || line.starts_with("error") {
            if !line.starts_with("warning: build failed") {
                self.errors.push_str(line);
                self.errors.push('\n');
            }
        } else if let Some(warning) = line.strip_prefix("warning: ") {
            self.warnings.push(warning.to_owned());
        }
    }
}

/// `   Compiling log v0.4.35`: a verb at the right of a column.
fn is_status(line: &str) -> bool {
    let Some((verb, rest)) = line.split_at_checked(STATUS_WIDTH) else {
        return false;
    };
    let word = verb.trim_start();
    rest.starts_with(' ')
        && word.chars().next().is_some_and(char::is_uppercase)
        && word.chars().all(char::is_alphabetic)
}

/// Lines about the crate that gathers the others, and the last one, which the cell's end says better.
fn is_about_us(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().take(2).collect();
    words == ["Compiling", crate::dependencies::CRATE_NAME] || words.first() == Some(&"Finished")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_lines_are_told_from_errors() {
        assert!(is_status("   Compiling log v0.4.35"));
        assert!(is_status("    Updating crates.io index"));
        assert!(is_status(" Downloading crates ..."));
        assert!(!is_status(
            "error: no matching package named `nosuch` found"
        ));
        assert!(!is_status("location searched: crates.io index"));
        assert!(!is_status("     |"));
    }

    #[test]
    fn an_error_is_kept_with_its_causes_and_without_what_cargo_does_meanwhile() {
        let mut outcome = Outcome::default();
        for line in [
            "    Updating crates.io index",
            "warning: unused manifest key: package.x",
            "error: failed to get `a` as a dependency of package `b`",
            "   Compiling c v1.0.0",
            "",
            "Caused by:",
            "  no such folder",
            "warning: build failed, waiting for other jobs to finish...",
        ] {
            outcome.sort(line, &mut Progress(None));
        }
        assert_eq!(
            outcome.errors,
            "error: failed to get `a` as a dependency of package `b`\n\nCaused by:\n  no such folder\n"
        );
        assert_eq!(outcome.warnings, ["unused manifest key: package.x"]);
    }
}
