//! Finds out which earlier items a cell has broken that defines others anew. They are no part of what the cell runs, so
//! it need not fail; but who has changed a function wants to hear at once what does not fit any more.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::compile::end_with_parent;
use crate::diagnostics;

/// Checks the whole source without generating code; the errors as rustc's JSON.
pub(crate) fn errors(rustc: &Path, arguments: &[OsString], source: &Path) -> Vec<String> {
    use std::os::unix::process::CommandExt;
    let metadata = source.with_extension("check.rmeta");
    let mut emit = OsString::from("--emit=metadata=");
    emit.push(&metadata);
    let mut command = Command::new(rustc);
    // SAFETY: prctl is async-signal-safe and touches no memory.
    unsafe {
        command.pre_exec(|| {
            end_with_parent();
            Ok(())
        });
    }
    let output = command
        .args(without_output(arguments))
        .arg(emit)
        .args(["-Awarnings", "--error-format=json"])
        .env("RUSTC_BOOTSTRAP", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output();
    let _ = std::fs::remove_file(metadata);
    let Ok(output) = output else {
        return Vec::new();
    };
    diagnostics::parse(&output.stderr)
        .iter()
        .filter(|message| message.is_error() && !message.is_internal())
        .map(|message| message.json.clone())
        .collect()
}

/// The arguments without those that say what is written and where.
fn without_output(arguments: &[OsString]) -> Vec<&OsStr> {
    let mut kept = Vec::with_capacity(arguments.len());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "-o" || argument == "--out-dir" {
            rest.next();
        } else if !argument.as_encoded_bytes().starts_with(b"--emit=") {
            kept.push(argument.as_os_str());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_where_the_cell_is() {
        let arguments: Vec<OsString> =
            ["--emit=obj", "-o", "cell.o", "-Copt-level=2", "src/lib.rs"]
                .map(OsString::from)
                .to_vec();
        assert_eq!(without_output(&arguments), ["-Copt-level=2", "src/lib.rs"]);
    }
}
