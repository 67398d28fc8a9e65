//! Proves that later cells can write the types of the variables that a cell keeps, and that the cell's items leave the
//! types of earlier variables as they are, before the cell runs.
//!
//! The types' texts come from rustc, but not every type that rustc can print can be written: it may be private, or
//! belong to a function. A type that this session has not written before is compiled once, in a file with the cell's
//! items, where a later cell will write it. The same compilation tells the type's structure (see [`shapes`]). The types of
//! earlier variables are known before: they are compiled at the same time as the cell.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Child;

use swath_link::exchange::{Erased, PRIMITIVES, Report, unnameable};

use crate::compile::{self, Compilation};
use crate::diagnostics;
use crate::shapes;

/// Types that every cell can write, with the number of their parameters left open: what no one needs to prove.
const EVIDENT: [&str; 23] = [
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
        .all(|path| {
            EVIDENT.contains(&path)
                || PRIMITIVES.contains(&path)
                || path.bytes().all(|byte| byte.is_ascii_digit())
        })
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
    if request.source.is_none() {
        return Ok(());
    }
    let mut types: Vec<&str> = Vec::new();
    for variable in &report.variables {
        let name = variable.type_name.as_str();
        let is_open = unnameable(name).is_none()
            && !is_evident(name)
            && !types.contains(&name)
            && !request.proven.iter().any(|proven| proven == name);
        if is_open {
            types.push(name);
        }
    }
    if types.is_empty() {
        return Ok(());
    }
    let try_with = |items: &str| {
        Trial::start(compilation, "proof.rs", &items[..request.items_end], &types)?.finish()
    };
    let mut tried = try_with(source)?;
    if !tried.problems.is_empty() && report.skipped {
        // Perhaps a type needs an item that the cell does not.
        tried = try_with(whole)?;
    }
    let names: Vec<String> = types.into_iter().map(str::to_owned).collect();
    for (place, problem) in tried.problems {
        for variable in &mut report.variables {
            if variable.type_name == names[place] {
                variable.problem = Some(problem.clone());
            }
        }
    }
    report.shapes = names
        .into_iter()
        .zip(tried.shapes)
        .map(|(name, (shape, erased))| (name, shape, erased))
        .collect();
    Ok(())
}

/// The types of earlier variables, being written with the cell's items while the cell itself is compiled.
pub(crate) struct Expectation<'a> {
    expected: &'a [(String, u64)],
    trial: Trial,
}

impl<'a> Expectation<'a> {
    /// Begins to write the types that the request expects; `None` when there are none. Without the items that the cell
    /// does not need, an earlier type's name may mean another one, the library's: all are there.
    pub(crate) fn start(
        compilation: &Compilation<'a>,
        whole: &str,
    ) -> std::io::Result<Option<Self>> {
        let expected = compilation.request.expected.as_slice();
        if expected.is_empty() {
            return Ok(None);
        }
        let types: Vec<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
        let items = &whole[..compilation.request.items_end];
        let trial = Trial::start(compilation, "expected.rs", items, &types)?;
        Ok(Some(Self { expected, trial }))
    }

    /// The types that have another structure than expected, or cannot be written any more.
    pub(crate) fn changed(self) -> std::io::Result<Vec<String>> {
        let tried = self.trial.finish()?;
        let changed = self
            .expected
            .iter()
            .enumerate()
            .filter(|(place, (_, shape))| {
                // When nothing is known, because something else is wrong, nothing is claimed.
                let differs = tried
                    .shapes
                    .get(*place)
                    .is_some_and(|(now, _)| now != shape);
                differs || tried.problems.contains_key(place)
            });
        Ok(changed.map(|(_, (name, _))| name.clone()).collect())
    }
}

/// What a compilation of types has told.
#[derive(Default)]
struct Tried {
    /// The types, by their places, that cannot be written, and what the compiler says.
    problems: BTreeMap<usize, String>,
    /// The hash of each type's structure, and what it can hold without naming it; empty when there are problems.
    shapes: Vec<(u64, Erased)>,
}

/// A running compilation that writes types behind items. It is stopped when nobody waits for its end.
struct Trial {
    compiler: Option<Child>,
    target: PathBuf,
    first_line: usize,
    count: usize,
}

impl Trial {
    fn start(
        compilation: &Compilation<'_>,
        file: &str,
        items: &str,
        types: &[&str],
    ) -> std::io::Result<Self> {
        let mut text = items.to_owned();
        text.push_str("fn __swath_named<T: 'static>() {}\n");
        let first_line = text.matches('\n').count() + 1;
        for (place, type_name) in types.iter().enumerate() {
            let function = shapes::function(place);
            let _ = writeln!(
                text,
                "#[unsafe(no_mangle)] pub extern \"C\" fn {function}(_: *const {type_name}) {{ __swath_named::<{type_name}>() }}"
            );
        }
        let source = compilation.source.with_file_name(file);
        std::fs::write(&source, text)?;
        let target = source.with_extension("ll");
        let arguments = arguments(compilation, &source, &target);
        Ok(Self {
            compiler: Some(compile::rustc(compilation.rustc, &arguments).spawn()?),
            target,
            first_line,
            count: types.len(),
        })
    }

    fn finish(mut self) -> std::io::Result<Tried> {
        let mut tried = Tried::default();
        let Some(compiler) = self.compiler.take() else {
            return Ok(tried);
        };
        let output = compiler.wait_with_output()?;
        if output.status.success() {
            let text = std::fs::read_to_string(&self.target)?;
            tried.shapes = shapes::hashes(&text, self.count).unwrap_or_default();
            return Ok(tried);
        }
        for message in diagnostics::parse(&output.stderr) {
            let place = diagnostics::line(&message)
                .and_then(|line| line.checked_sub(self.first_line))
                .filter(|place| *place < self.count && message.is_error());
            if let Some(place) = place {
                tried.problems.entry(place).or_insert(message.message);
            }
        }
        Ok(tried)
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if let Some(mut compiler) = self.compiler.take() {
            let _ = compiler.kill();
            let _ = compiler.wait();
        }
    }
}

/// The compilation's own arguments for another file, to tell types instead of making code.
fn arguments(compilation: &Compilation<'_>, source: &Path, target: &Path) -> Vec<OsString> {
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
    kept.extend(
        [
            "--crate-type=cdylib",
            "--emit=llvm-ir",
            "-Cdebuginfo=2",
            "-Copt-level=0",
            "-o",
        ]
        .map(OsString::from),
    );
    kept.push(target.into());
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
