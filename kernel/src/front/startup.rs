//! evcxr's startup files: `init.evcxr` (commands) and `prelude.rs` (Rust) in its configuration folder, and `evcxr.toml`
//! there or in the working folder. They are read before the first cell. What is wrong with them is told once, and
//! everything else goes on.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::built_ins::print;
use super::execute::run_silently;
use super::kernel::Kernel;
use super::outputs::Stream;
use crate::eval::ExecuteOptions;

/// Set to 0, no startup files are read.
const SWITCH: &str = swath_link::environment::STARTUP_FILES;

/// What is run before the first cell.
#[derive(Debug, Default, PartialEq, Eq)]
struct Startup {
    /// Where a setting or a text comes from, and the cell that it makes.
    cells: Vec<(PathBuf, String)>,
    /// Whether variables outlive a panic.
    preserve_variables: Option<bool>,
    /// What could not be read, or is not used.
    problems: Vec<String>,
}

/// Reads the startup files before the first cell, unless SWATH_STARTUP_FILES is 0.
pub(crate) async fn before_first_cell(kernel: &Kernel) {
    let is_off = kernel
        .shell
        .variables()
        .get(std::ffi::OsStr::new(SWITCH))
        .is_some_and(|value| value == "0");
    if is_off {
        return;
    }
    if kernel.first_folder.join("evcxr.toml").exists() {
        // evcxr starts in another folder then: until it has, this process is elsewhere.
        let _ = kernel
            .engine
            .execute(String::new(), ExecuteOptions::default())
            .await;
    }
    load(kernel, true).await;
}

/// Reads the startup files and runs what they say. With `quiet`, nothing is said of those that are all right.
pub(crate) async fn load(kernel: &Kernel, quiet: bool) {
    let folder = configuration_folder(kernel);
    let startup = read(std::env::current_dir().ok().as_deref(), folder.as_deref());
    let mut problems = startup.problems;
    if let Some(preserve) = startup.preserve_variables {
        kernel.preferences().preserve_variables = preserve;
    }
    if startup.cells.is_empty() && !quiet {
        let place = folder.map_or_else(String::new, |folder| format!(" in {}", folder.display()));
        print(kernel, &format!("There are no startup files{place}."));
    }
    for (path, code) in startup.cells {
        if !quiet {
            print(kernel, &format!("Loading {}", path.display()));
        }
        if let Err(error) = run_silently(kernel, &code, !is_settings(&code)).await {
            let detail = error.traceback.join("\n");
            problems.push(format!(
                "{} did not run to its end: {}: {}\n{detail}",
                path.display(),
                error.ename,
                error.evalue
            ));
            if kernel.is_interrupted() {
                break;
            }
        }
    }
    kernel.notes().extend(problems.into_iter().map(|problem| {
        format!("startup files: {problem}\n(SWATH_STARTUP_FILES=0 in the kernel's environment leaves them out)\n")
    }));
}

/// Tells what is not told yet, in a cell that shows something.
pub(crate) fn tell_notes(kernel: &Kernel) {
    for note in std::mem::take(&mut *kernel.notes()) {
        kernel.outputs.write(Stream::Stderr, &note);
    }
}

/// Whether a cell is made of settings alone, whose words nobody has asked for.
fn is_settings(code: &str) -> bool {
    let mut names = code.lines().filter_map(crate::commands::parse);
    names.all(|(name, _)| [":opt", ":offline", ":allow_static_linking"].contains(&name))
        && code.starts_with(':')
}

/// Where evcxr keeps its configuration, by the environment that the user gave the kernel.
fn configuration_folder(kernel: &Kernel) -> Option<PathBuf> {
    let variables = kernel.shell.variables();
    variables
        .get(std::ffi::OsStr::new("EVCXR_CONFIG_DIR"))
        .map(PathBuf::from)
        .or_else(|| dirs::config_dir().map(|folder| folder.join("evcxr")))
}

/// The rules are evcxr's: `evcxr.toml` in the working folder hides the one in the configuration folder, and what it says
/// of dependencies and of a prelude hides the other two files.
fn read(working: Option<&Path>, configuration: Option<&Path>) -> Startup {
    let mut startup = Startup::default();
    let toml = [working, configuration]
        .into_iter()
        .flatten()
        .map(|folder| folder.join("evcxr.toml"))
        .find(|path| path.exists());
    let (mut dependencies, mut prelude) = (None, None);
    if let Some(path) = toml {
        match trusted(&path).and_then(|()| read_table(&path)) {
            Ok(table) => {
                startup.settings(&path, &table);
                dependencies = dependency_commands(&table).map(|text| (path.clone(), text));
                prelude = text_of(&table, "prelude").map(|text| (path, text));
            }
            Err(problem) => startup.problems.push(problem),
        }
    }
    for (part, name) in [
        (&mut dependencies, "init.evcxr"),
        (&mut prelude, "prelude.rs"),
    ] {
        let path = configuration.map(|folder| folder.join(name));
        if let (None, Some(path)) = (&part, path.filter(|path| path.exists())) {
            let text = trusted(&path).and_then(|()| {
                std::fs::read_to_string(&path)
                    .map_err(|error| format!("{} cannot be read: {error}", path.display()))
            });
            match text {
                Ok(text) => *part = Some((path, text)),
                Err(problem) => startup.problems.push(problem),
            }
        }
    }
    let parts = [dependencies, prelude].into_iter().flatten();
    startup
        .cells
        .extend(parts.filter(|(_, text)| !text.trim().is_empty()));
    startup
}

/// Code of another user is not run before anybody has asked for it.
fn trusted(path: &Path) -> Result<(), String> {
    crate::permissions::distrust(path).map_or(Ok(()), Err)
}

fn read_table(path: &Path) -> Result<Table, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    text.parse()
        .map_err(|error| format!("{} is not TOML: {error}", path.display()))
}

fn section<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    table.get("evcxr")?.get(key)
}

fn text_of(table: &Table, key: &str) -> Option<String> {
    section(table, key)?.as_str().map(str::to_owned)
}

fn dependency_commands(table: &Table) -> Option<String> {
    let dependencies = table.get("dependencies")?.as_table()?;
    if dependencies.is_empty() {
        return None;
    }
    let lines = dependencies
        .iter()
        .map(|(name, value)| format!(":dep {name} = {}\n", inline(value)));
    Some(lines.collect())
}

/// A value on one line, as a dependency is written.
fn inline(value: &Value) -> String {
    match value {
        Value::Table(table) => {
            let fields: Vec<String> = table
                .iter()
                .map(|(key, value)| format!("{key} = {}", inline(value)))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(inline).collect();
            format!("[{}]", values.join(", "))
        }
        other => other.to_string(),
    }
}

impl Startup {
    fn settings(&mut self, path: &Path, table: &Table) {
        let flag = |key: &str| section(table, key).and_then(Value::as_bool);
        let mut lines = String::new();
        if let Some(level) = text_of(table, "opt_level") {
            lines += &format!(":opt {level}\n");
        }
        if let Some(offline) = flag("offline_mode") {
            lines += &format!(":offline {}\n", u8::from(offline));
        }
        if let Some(allow) = flag("allow_static_linking") {
            lines += &format!(":allow_static_linking {}\n", u8::from(allow));
        }
        if !lines.is_empty() {
            self.cells.push((path.to_owned(), lines));
        }
        self.preserve_variables = flag("preserve_vars_on_panic");
        for (key, why) in [
            (
                "tmpdir",
                "cells are compiled in the session's own folder below TMPDIR",
            ),
            (
                "sccache",
                "crates are compiled through the kernel's own wrapper",
            ),
        ] {
            if section(table, key).is_some() {
                self.problems
                    .push(format!("`{key}` in {} is not used: {why}", path.display()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn cells(startup: &Startup) -> Vec<&str> {
        startup
            .cells
            .iter()
            .map(|(_, code)| code.as_str())
            .collect()
    }

    #[test]
    fn the_two_files_are_cells() {
        let configuration = folder(&[
            ("init.evcxr", ":dep a = \"1\"\n"),
            ("prelude.rs", "let n = 1;\n"),
        ]);
        let startup = read(None, Some(configuration.path()));
        assert_eq!(cells(&startup), [":dep a = \"1\"\n", "let n = 1;\n"]);
        assert_eq!(startup.problems, [""; 0]);
        assert_eq!(read(None, None), Startup::default());
    }

    #[test]
    fn what_evcxr_toml_says_hides_the_files() {
        let configuration = folder(&[
            ("init.evcxr", ":dep a = \"1\""),
            ("prelude.rs", "use std::rc::Rc;"),
        ]);
        let working = folder(&[(
            "evcxr.toml",
            "[evcxr]\nopt_level = \"1\"\noffline_mode = true\npreserve_vars_on_panic = false\ntmpdir = \"/x\"\n\
             [dependencies]\nserde = { version = \"1\", features = [\"derive\"] }\nrand = \"0.9\"\n",
        )]);
        let startup = read(Some(working.path()), Some(configuration.path()));
        assert_eq!(
            cells(&startup),
            [
                ":opt 1\n:offline 1\n",
                ":dep rand = \"0.9\"\n:dep serde = { features = [\"derive\"], version = \"1\" }\n",
                "use std::rc::Rc;"
            ]
        );
        assert_eq!(startup.preserve_variables, Some(false));
        assert!(
            startup.problems[0].contains("`tmpdir`"),
            "{:?}",
            startup.problems
        );
    }

    #[test]
    fn what_cannot_be_read_is_told_and_the_rest_is_used() {
        let configuration = folder(&[("evcxr.toml", "[evcxr\n"), ("prelude.rs", "let n = 1;")]);
        std::fs::create_dir(configuration.path().join("init.evcxr")).unwrap();
        let startup = read(None, Some(configuration.path()));
        assert_eq!(cells(&startup), ["let n = 1;"]);
        assert!(
            startup.problems[0].contains("is not TOML"),
            "{:?}",
            startup.problems
        );
        assert!(
            startup.problems[1].contains("cannot be read"),
            "{:?}",
            startup.problems
        );
    }
}
