//! Compiles a cell: one run of rustc, and another one when the cell moves variables away.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

use crate::check;
use crate::diagnostics::{self, Message};
use crate::exchange::{Report, SessionConfig};

/// The same crate identity for every cell, whoever calls rustc: a user's type in a variable is the same type in the
/// next cell only if it is.
pub(crate) const METADATA: &str = "-Cmetadata=swath-cell";
/// Each round removes the lines of at least one variable; more rounds than this help nobody.
const MAX_BUILDS: u32 = 6;

/// One call of rustc on a cell's source, which is edited in place when the cell moves variables away.
pub(crate) struct Compilation<'a> {
    pub(crate) rustc: &'a Path,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) source: &'a Path,
    /// Parts of the source that are left out, as long as the rest compiles.
    pub(crate) skip: &'a [String],
    /// What the compiled code calls its source; empty for the source's own name.
    pub(crate) file: &'a str,
    /// Whether the parts that are left out may no longer compile, and somebody wants to hear of it.
    pub(crate) check_skipped: bool,
    pub(crate) through_cargo: bool,
}

/// How a cell is compiled whose own code does little: at level 0 rustc looks for generic functions that other crates
/// have compiled, and the search costs more here than it saves.
pub(crate) const QUICK: [&str; 2] = ["-Copt-level=0", "-Zshare-generics=no"];
/// What every cell is compiled with.
pub(crate) const ALWAYS: [&str; 5] = [
    "-Ccodegen-units=1",
    "-Cprefer-dynamic",
    "-Cembed-bitcode=no",
    "-Cdebuginfo=0",
    "-Coverflow-checks=on",
];

/// Names the prebuilt library and where its dependencies' metadata is.
pub(crate) fn add_library(config: &SessionConfig, arguments: &mut Vec<OsString>) {
    for file in ["libswath.rmeta", "libswath.so"] {
        let mut extern_flag = OsString::from("--extern=swath=");
        extern_flag.push(config.lib_dir.join(file));
        arguments.push(extern_flag);
    }
    let mut search = OsString::from("-Ldependency=");
    search.push(config.lib_dir.join("deps"));
    arguments.push(search);
}

/// Has the system kill this process when its parent dies: a kernel that is killed must leave no compiler behind.
pub(crate) fn end_with_parent() {
    #[cfg(target_os = "linux")]
    // SAFETY: prctl with these arguments touches no memory.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
    }
}

pub(crate) fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Compiles the cell and says how it went. An error means that rustc itself could not do its work.
pub(crate) fn cell(compilation: &Compilation<'_>) -> std::io::Result<Report> {
    let mut report = Report {
        through_cargo: compilation.through_cargo,
        ..Report::default()
    };
    let mut moved = BTreeSet::new();
    let whole = std::fs::read_to_string(compilation.source)?;
    let needed = without_parts(&whole, compilation.skip);
    let mut is_pruned = needed != whole;
    if is_pruned {
        std::fs::write(compilation.source, needed)?;
    }
    loop {
        let started = Instant::now();
        let mut rustc = Command::new(compilation.rustc);
        // SAFETY: prctl is async-signal-safe and touches no memory.
        unsafe {
            rustc.pre_exec(|| {
                end_with_parent();
                Ok(())
            });
        }
        let output = rustc
            .args(&compilation.arguments)
            // The variables' types are read from a lint's message, so it must fire whatever the cell allows, and
            // print paths that another crate can write. Warnings about users' code are not shown.
            .args([
                "--force-warn=dropping_references",
                "-Ztrim-diagnostic-paths=no",
                // Types of more than two thirds of the diagnostic width are shortened otherwise.
                "-Zwrite-long-types-to-disk=no",
                "-Awarnings",
            ])
            .args(renaming(compilation))
            .args(["--error-format=json", "--json=diagnostic-rendered-ansi"])
            .env("RUSTC_BOOTSTRAP", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .output()?;
        report.rustc_ms += milliseconds(started);
        report.builds += 1;
        let messages = diagnostics::parse(&output.stderr);
        if output.status.success() {
            report.compiled = true;
            report.variables = diagnostics::types_of_variables(
                &messages,
                &std::fs::read_to_string(compilation.source)?,
            );
            break;
        }
        let errors: Vec<&Message> = messages
            .iter()
            .filter(|message| message.is_error())
            .collect();
        if errors.is_empty() || errors.iter().any(|error| error.is_internal()) {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(std::io::Error::other(text));
        }
        let source = std::fs::read_to_string(compilation.source)?;
        match diagnostics::moved_variables(&errors, &source) {
            Some(lines) if report.builds < MAX_BUILDS => {
                std::fs::write(compilation.source, without_lines(&source, &lines))?;
                moved.extend(lines.into_values());
            }
            // Perhaps what was left out is needed after all; if not, the messages are about the whole.
            _ if is_pruned => {
                is_pruned = false;
                moved.clear();
                std::fs::write(compilation.source, &whole)?;
            }
            _ => {
                report.diagnostics = errors.iter().map(|error| error.json.clone()).collect();
                // evcxr writes the file anew before anybody reads it again.
                report.source = source;
                break;
            }
        }
    }
    if report.compiled && is_pruned && compilation.check_skipped {
        std::fs::write(compilation.source, &whole)?;
        report.diagnostics = check::errors(
            compilation.rustc,
            &compilation.arguments,
            compilation.source,
        );
        report.source = whole;
    }
    report.moved = moved.into_iter().collect();
    Ok(report)
}

/// Gives the source another name in what the cell says of itself, not in messages about it.
fn renaming(compilation: &Compilation<'_>) -> Vec<String> {
    if compilation.file.is_empty() {
        return Vec::new();
    }
    let source = compilation.source.display();
    vec![
        format!("--remap-path-prefix={source}={}", compilation.file),
        "--remap-path-scope=macro".to_owned(),
    ]
}

/// Blanks these lines of ours; positions of everything else stay. Lines, not names: a cell that binds a variable anew
/// from its old value has one line that keeps the new one and another that would put back the old one.
fn without_lines(source: &str, lines: &BTreeMap<usize, String>) -> String {
    let mut edited = String::with_capacity(source.len());
    for (index, line) in source.split_inclusive('\n').enumerate() {
        if lines.contains_key(&(index + 1)) {
            edited.extend(
                line.bytes()
                    .map(|byte| if byte == b'\n' { '\n' } else { ' ' }),
            );
        } else {
            edited.push_str(line);
        }
    }
    edited
}

/// Blanks these parts; positions of everything else stay.
fn without_parts(source: &str, parts: &[String]) -> String {
    let mut edited = source.to_owned();
    for part in parts.iter().filter(|part| !part.is_empty()) {
        let blank: String = part
            .bytes()
            .map(|byte| if byte == b'\n' { '\n' } else { ' ' })
            .collect();
        edited = edited.replace(part.as_str(), &blank);
    }
    edited
}

/// A diagnostic without a place: evcxr passes it on and tries nothing.
pub(crate) fn refusal() -> Value {
    json!({
        "$message_type": "diagnostic", "message": "the cell does not compile", "code": null, "level": "error",
        "spans": [], "children": [], "rendered": "error: the cell does not compile\n",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_are_not_needed_are_blanked_and_positions_stay() {
        let source = "fn é() {\n}\nfn b() {}\n";
        let edited = without_parts(source, &["fn é() {\n}".to_owned()]);
        assert_eq!(edited.find("fn b"), source.find("fn b"));
        assert_eq!(edited.lines().count(), source.lines().count());
        assert!(!edited.contains('é'));
    }

    #[test]
    fn lines_of_moved_variables_are_blanked_and_positions_stay() {
        let source = "let a = 1;\nput(\"a\", a); //@put a\nput(\"a\", a); //@back a\n";
        let edited = without_lines(source, &BTreeMap::from([(3, "a".to_owned())]));
        assert_eq!(edited.len(), source.len());
        assert!(edited.contains("//@put a") && !edited.contains("//@back a"));
    }
}
