//! Cells that do not parse: the compiler says why, about the cell alone.

use std::path::Path;
use std::process::{Command, Stdio};

use super::generate::{BODY_MARK, Generated};
use super::interface::ErrorReport;
use super::render;
use super::source_map::{CellSource, SourceMap};

/// The error of a cell with a bracket that has no other: the compiler would take ours, around the cell, for it.
fn open_bracket(rust: &str, source: &CellSource) -> Option<ErrorReport> {
    let (range, message) = crate::parse::odd_bracket(rust)?;
    let advice = crate::advice::of_cell(rust, rust[..range.start].matches('\n').count());
    let place = render::Place {
        source,
        offset: range.start,
    };
    Some(ErrorReport {
        ename: "SyntaxError".to_owned(),
        traceback: render::error_at(&message, place, range.len(), advice),
        evalue: message,
    })
}

/// The compiler's complaint about the cell's syntax; `None` when it has none.
pub(crate) fn check(
    toolchain: &Path,
    session: &Path,
    rust: &str,
    source: &CellSource,
) -> Option<ErrorReport> {
    // rustc would overflow its stack over what our own parser does not take.
    if let Err(refusal) = crate::parse::check(rust) {
        return Some(refusal.into());
    }
    if let Some(error) = open_bracket(rust, source) {
        return Some(error);
    }
    let folder = session.join("syntax");
    std::fs::create_dir_all(folder.join("src")).ok()?;
    let file = format!("fn cell() {{ {BODY_MARK}\n{rust}\n}}\n");
    std::fs::write(folder.join("src/lib.rs"), &file).ok()?;
    let output = Command::new(toolchain.join("bin/rustc"))
        .args([
            "--edition=2024",
            "--crate-type=lib",
            "-Zparse-crate-root-only",
            "--error-format=json",
            "src/lib.rs",
        ])
        .env("RUSTC_BOOTSTRAP", "1")
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr);
    let errors: Vec<String> = text
        .lines()
        .filter(|line| {
            line.contains(r#""level":"error""#) && !line.contains(r#""message":"aborting due to"#)
        })
        .map(str::to_owned)
        .collect();
    if errors.is_empty() {
        return None;
    }
    let generated = Generated::whole(rust.len());
    let map = SourceMap::new(&file, source, &generated, &[]);
    let mut error =
        render::compile_error(&render::Diagnostic::read(&errors, |_| false), &map, &|_| {
            None
        });
    if error.ename == "CompileError" {
        "SyntaxError".clone_into(&mut error.ename);
    }
    Some(error)
}
