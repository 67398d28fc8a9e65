//! Compiles a cell: one run of rustc, and another one when the cell moves variables away.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};
use swath_link::exchange::{FUNCTION_MARK, Report, Request, SessionConfig};

use crate::check;
use crate::diagnostics::{self, Message};
use crate::proof::{self, Expectation};

/// The crate identity of a cell, whoever calls rustc. A user's type in a variable is the same type in the next cell only
/// if it is the same there; and when a definition changes, `TypeId`s must, so that no `dyn Any`, wherever it is hidden,
/// gives a value of the earlier definition as one of the new.
pub(crate) fn metadata(request: &Request) -> OsString {
    format!("-Cmetadata=swath-cell-{}", request.identity).into()
}

/// How evcxr names the function of a cell, before a number.
const EVCXR_FUNCTION: &str = "run_user_code_";
/// Each round removes the lines of at least one variable; more rounds than this help nobody.
const MAX_BUILDS: u32 = 6;

/// One call of rustc on a cell's source, which is edited in place when the cell moves variables away.
pub(crate) struct Compilation<'a> {
    pub(crate) rustc: &'a Path,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) source: &'a Path,
    pub(crate) request: &'a Request,
    pub(crate) through_cargo: bool,
}

/// How a cell is compiled whose own code does little: at level 0 rustc looks for generic functions that other crates
/// have compiled, and the search costs more here than it saves.
pub(crate) const QUICK: [&str; 2] = ["-Copt-level=0", "-Zshare-generics=no"];
/// What every cell is compiled with.
pub(crate) const ALWAYS: [&str; 7] = [
    "-Ccodegen-units=1",
    "-Cprefer-dynamic",
    "-Cembed-bitcode=no",
    "-Cdebuginfo=0",
    "-Coverflow-checks=on",
    // As in evcxr and in a plain `cargo run`, whatever the level. The checks of the standard library's unsafe code, which
    // this would switch on as well, slow down loops and end the process instead of the cell.
    "-Cdebug-assertions=on",
    "-Zub-checks=no",
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
    let whole = whole_source(compilation)?;
    let needed = without_parts(&whole, &compilation.request.skip);
    report.skipped = needed != whole;
    std::fs::write(compilation.source, needed)?;
    let expectation = Expectation::start(compilation, &whole)?;
    let mut arguments = compilation.arguments.clone();
    arguments.extend(renaming(compilation));
    loop {
        let started = Instant::now();
        let output = rustc(compilation.rustc, &arguments).output()?;
        report.rustc_ms += milliseconds(started);
        report.builds += 1;
        let messages = diagnostics::parse(&output.stderr);
        if output.status.success() {
            report.compiled = true;
            let source = std::fs::read_to_string(compilation.source)?;
            report.variables = diagnostics::types_of_variables(&messages, &source);
            report.warnings = diagnostics::unused_results(&messages);
            let started = Instant::now();
            proof::prove(compilation, &source, &whole, &mut report)?;
            report.rustc_ms += milliseconds(started);
            // Nobody reads it otherwise: it would be written and read with every cell.
            if !report.warnings.is_empty() {
                report.source = source;
            }
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
            _ if report.skipped => {
                report.skipped = false;
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
    if report.compiled && report.skipped && compilation.request.check_skipped {
        std::fs::write(compilation.source, &whole)?;
        report.diagnostics = check::errors(
            compilation.rustc,
            &compilation.arguments,
            compilation.source,
        );
        report.source = whole;
    }
    if let Some(expectation) = expectation.filter(|_| report.compiled) {
        let started = Instant::now();
        report.changed = expectation.changed()?;
        report.rustc_ms += milliseconds(started);
    }
    report.moved = moved.into_iter().collect();
    Ok(report)
}

/// What is compiled: the request's source with the name of the function that evcxr calls, or evcxr's own file.
fn whole_source(compilation: &Compilation<'_>) -> std::io::Result<String> {
    let of_evcxr = std::fs::read_to_string(compilation.source)?;
    let Some(source) = &compilation.request.source else {
        return Ok(of_evcxr);
    };
    // It may be our own file already, when cargo is asked after the fast way could not be gone.
    let number: String = of_evcxr
        .split_once(EVCXR_FUNCTION)
        .map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect())
        .ok_or_else(|| std::io::Error::other("evcxr's file has no function to call"))?;
    let function = format!("{EVCXR_FUNCTION}{number}");
    Ok(source.replacen(FUNCTION_MARK, &function, 1))
}

/// rustc with what every compilation of a cell needs to tell us.
pub(crate) fn rustc(rustc: &Path, arguments: &[OsString]) -> Command {
    let mut command = Command::new(rustc);
    // SAFETY: prctl is async-signal-safe and touches no memory.
    unsafe {
        command.pre_exec(|| {
            end_with_parent();
            Ok(())
        });
    }
    command
        .args(arguments)
        // The variables' types are read from a lint's message, so it must fire whatever the cell allows, and
        // print paths that another crate can write. Warnings about users' code are not shown.
        .args([
            "--force-warn=dropping_references",
            "-Ztrim-diagnostic-paths=no",
            // Types of more than two thirds of the diagnostic width are shortened otherwise.
            "-Zwrite-long-types-to-disk=no",
            // A thread that never returns has the type `JoinHandle<!>`, which a later cell must be able to write.
            "-Zcrate-attr=feature(never_type)",
            // Of the lints about the user's code one is shown (`Report::warnings`): a forgotten `?`.
            "-Aunused",
            "-Anonstandard-style",
            "-Wunused-must-use",
        ])
        .args(["--error-format=json", "--json=diagnostic-rendered-ansi"])
        .env("RUSTC_BOOTSTRAP", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// Gives the source another name in what the cell says of itself, not in messages about it.
fn renaming(compilation: &Compilation<'_>) -> Vec<OsString> {
    let file = &compilation.request.file;
    if file.is_empty() {
        return Vec::new();
    }
    let source = compilation.source.display();
    vec![
        format!("--remap-path-prefix={source}={file}").into(),
        "--remap-path-scope=macro".into(),
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

/// Blanks these ranges of bytes; positions of everything else stay.
pub(crate) fn without_parts(source: &str, parts: &[(usize, usize)]) -> String {
    let mut edited = source.to_owned();
    for (start, end) in parts {
        if let Some(part) = source.get(*start..*end) {
            let blank: String = part
                .bytes()
                .map(|byte| if byte == b'\n' { '\n' } else { ' ' })
                .collect();
            edited.replace_range(*start..*end, &blank);
        }
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
        let edited = without_parts(source, &[(0, "fn é() {\n}".len())]);
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
