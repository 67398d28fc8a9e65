//! Proves that later cells can write the types of the variables that a cell keeps, before the cell runs.
//!
//! The types' texts come from rustc, but not every type that rustc can print can be written: it may be private, or
//! belong to a function. A type that this session has not written before is compiled once, in a file with the cell's
//! items, where a later cell will write it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path;

use crate::compile::{self, Compilation};
use crate::diagnostics;
use crate::exchange::{NewVariable, Report, unnameable};

/// Types that every cell can write, with the number of their parameters left open: what no one needs to prove.
const EVIDENT: [&str; 40] = [
    "std::vec::Vec",
    "std::string::String",
    "std::option::Option",
    "std::result::Result",
    "std::boxed::Box",
    "std::rc::Rc",
    "std::sync::Arc",
    "std::sync::Mutex",
    "std::cell::RefCell",
    "std::cell::Cell",
    "std::collections::HashMap",
    "std::collections::BTreeMap",
    "std::collections::HashSet",
    "std::collections::BTreeSet",
    "std::collections::VecDeque",
    "std::path::PathBuf",
    "std::time::Duration",
    "std::time::Instant",
    "std::ops::Range",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "f32",
    "f64",
    "bool",
    "char",
    "str",
    "static",
    "swath::Scene",
    "swath::Chips",
    "std::borrow::Cow",
];

/// Whether a type is made of such types alone.
fn is_evident(type_name: &str) -> bool {
    type_name
        .split(|character: char| !(character.is_alphanumeric() || "_:".contains(character)))
        .filter(|path| !path.is_empty())
        .all(|path| EVIDENT.contains(&path) || path.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Tells in the report which variables are of types that a later cell cannot write. `source` is what was compiled,
/// `whole` the same with all items.
pub(crate) fn prove(
    compilation: &Compilation<'_>,
    source: &str,
    whole: &str,
    report: &mut Report,
) -> std::io::Result<()> {
    let request = compilation.request;
    let is_open = |variable: &&mut NewVariable| {
        unnameable(&variable.type_name).is_none()
            && !is_evident(&variable.type_name)
            && !request.proven.contains(&variable.type_name)
    };
    let mut open: Vec<&mut NewVariable> = report.variables.iter_mut().filter(is_open).collect();
    if open.is_empty() || request.source.is_none() {
        return Ok(());
    }
    let types: Vec<&str> = open
        .iter()
        .map(|variable| variable.type_name.as_str())
        .collect();
    let mut problems = try_types(compilation, &source[..request.items_end], &types)?;
    if !problems.is_empty() && report.skipped {
        // Perhaps a type needs an item that the cell does not.
        problems = try_types(compilation, &whole[..request.items_end], &types)?;
    }
    for (place, problem) in problems {
        if let Some(variable) = open.get_mut(place) {
            variable.problem = Some(problem);
        }
    }
    Ok(())
}

/// The types, by their places, that cannot be written behind these items, and what the compiler says.
fn try_types(
    compilation: &Compilation<'_>,
    items: &str,
    types: &[&str],
) -> std::io::Result<BTreeMap<usize, String>> {
    let mut file = items.to_owned();
    let first_line = items.matches('\n').count() + 2;
    file.push_str("fn __swath_named<T: 'static>() {} fn __swath_proof() {\n");
    for type_name in types {
        let _ = writeln!(file, "__swath_named::<{type_name}>();");
    }
    file.push_str("}\n");
    let source = compilation.source.with_file_name("proof.rs");
    std::fs::write(&source, file)?;
    let output = compile::run_rustc(compilation.rustc, &arguments(compilation, &source))?;
    let mut problems = BTreeMap::new();
    if output.status.success() {
        return Ok(problems);
    }
    for message in diagnostics::parse(&output.stderr) {
        let place = diagnostics::line(&message)
            .and_then(|line| line.checked_sub(first_line))
            .filter(|place| *place < types.len() && message.is_error());
        if let Some(place) = place {
            problems.entry(place).or_insert(message.message);
        }
    }
    Ok(problems)
}

/// The compilation's own arguments, for metadata alone, of another file.
fn arguments(compilation: &Compilation<'_>, source: &Path) -> Vec<OsString> {
    let mut kept: Vec<OsString> = Vec::new();
    let mut skips = false;
    for argument in &compilation.arguments {
        let text = argument.to_string_lossy();
        if std::mem::take(&mut skips)
            || argument == compilation.source.as_os_str()
            || text.starts_with("--emit")
        {
            continue;
        }
        match text.as_ref() {
            "-o" | "--out-dir" | "--crate-type" => skips = true,
            "-Zshare-generics=no" => {}
            _ => kept.push(argument.clone()),
        }
    }
    kept.extend(["--crate-type=lib", "--emit=metadata", "-o"].map(OsString::from));
    kept.push(source.with_extension("rmeta").into());
    kept.push(source.into());
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_types_need_no_proof() {
        assert!(is_evident("std::vec::Vec<(f64, [u8; 3])>"));
        assert!(is_evident("&'static str") && is_evident("()"));
        assert!(
            !is_evident("std::vec::Vec<Point>") && !is_evident("std::slice::Iter<'static, u8>")
        );
    }
}
