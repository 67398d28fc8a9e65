//! The files through which the kernel and `swath-cell` talk, in the session's folder.
//!
//! evcxr starts `swath-cell` as if it were cargo, so arguments and environment are evcxr's; what the kernel itself
//! wants to say or know goes through these files.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The primitive types, whose names no path leads to.
pub(crate) const PRIMITIVES: [&str; 17] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "str", "u8", "u16",
    "u32", "u64", "u128", "usize",
];

/// The environment variable that names the session's folder.
pub(crate) const SESSION_ENV: &str = "SWATH_SESSION";
/// Ends every generated line that keeps a new variable; the variable's name follows.
pub(crate) const PUT_MARK: &str = "//@put ";
/// Ends every generated line that puts a variable back that the cell has loaded.
pub(crate) const BACK_MARK: &str = "//@back ";
/// Ends every generated line that loads a variable.
pub(crate) const TAKE_MARK: &str = "//@take ";
/// Stands in the generated source for the name of the function that evcxr will call.
pub(crate) const FUNCTION_MARK: &str = "__swath_function__";

/// How the names begin under which cells are compiled; see [`cell_file`].
pub(crate) const CELL_FILE: &str = "swath-cell-";

/// The name under which a cell is compiled: what `file!()` and panics say. Each is another one, so that a panic of an
/// earlier cell's thread is told apart from one of this cell; `eval/places.rs` turns them into `In[3]:1:5`.
pub(crate) fn cell_file(serial: u64, number: u32) -> String {
    format!("{CELL_FILE}{serial}/In[{number}]")
}

/// What does not change while a session lasts.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct SessionConfig {
    /// Folder of `libswath.so` and what belongs to it.
    pub(crate) lib_dir: PathBuf,
    /// The real tools.
    pub(crate) cargo: PathBuf,
    pub(crate) rustc: PathBuf,
    pub(crate) rustup: Option<PathBuf>,
    pub(crate) mold: Option<PathBuf>,
    /// The linker that is given a cell's object alone, with the flags that come before it.
    pub(crate) linker: Vec<String>,
    /// evcxr's crate of the cells.
    pub(crate) crate_dir: PathBuf,
    /// Whether every cell goes through cargo (`SWATH_PLAIN_CARGO=1`).
    pub(crate) plain_cargo: bool,
}

/// What the kernel tells before each cell.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Request {
    /// Counts the cells handed to evcxr, whatever their execution count.
    pub(crate) serial: u64,
    /// The name under which the cell is compiled; empty for what is no cell.
    #[serde(default)]
    pub(crate) file: String,
    /// Counts the times that types of cells were defined anew with another meaning: it is part of their identity.
    #[serde(default)]
    pub(crate) identity: u64,
    /// Whether the cell defines something anew that an item in `skip` mentions.
    #[serde(default)]
    pub(crate) check_skipped: bool,
    /// New variables that the cell itself uses: they need not live on.
    pub(crate) used: Vec<String>,
    /// Whether the cell only calls what is compiled already, so that optimizing it would gain nothing.
    pub(crate) quick: bool,
    /// What is compiled in place of evcxr's own file; `None` for evcxr's commands.
    #[serde(default)]
    pub(crate) source: Option<String>,
    /// Byte ranges of `source` with items that the cell does not need.
    #[serde(default)]
    pub(crate) skip: Vec<(usize, usize)>,
    /// Where the items end in `source`.
    #[serde(default)]
    pub(crate) items_end: usize,
    /// Types that cells of this session have written before: nobody needs to try them again.
    #[serde(default)]
    pub(crate) proven: Vec<String>,
    /// Types of variables, with the hashes of their structures, that the cell's items may change.
    #[serde(default)]
    pub(crate) expected: Vec<(String, u64)>,
    /// Whether to look whether path dependencies were edited.
    #[serde(default)]
    pub(crate) refresh: bool,
}

/// The trait objects in a type from which a value's type can be had back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Erased {
    /// `dyn Any`
    pub(crate) any: bool,
    /// `dyn Error`
    pub(crate) error: bool,
}

/// A type that a later cell can or cannot write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NewVariable {
    pub(crate) name: String,
    pub(crate) type_name: String,
    /// What the compiler says when a later cell writes this type; `None` when nothing.
    #[serde(default)]
    pub(crate) problem: Option<String>,
}

impl NewVariable {
    /// Why no later cell can use the variable; `None` when it can.
    pub(crate) fn obstacle(&self) -> Option<String> {
        unnameable(&self.type_name).map(str::to_owned).or_else(|| {
            let problem = self.problem.as_ref()?;
            Some(format!(
                "of the type `{}`, which only this cell can write ({problem})",
                self.type_name
            ))
        })
    }
}

/// What `swath-cell` tells after compiling.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The request that this answers.
    pub(crate) serial: u64,
    /// Whether the cell compiled.
    pub(crate) compiled: bool,
    /// Variables that the cell binds and that are still there at its end.
    pub(crate) variables: Vec<NewVariable>,
    /// Variables that the cell moves away.
    pub(crate) moved: Vec<String>,
    /// New variables whose types later cells cannot write, and that this cell does not use: it is refused.
    pub(crate) unnameable: Vec<NewVariable>,
    /// rustc's messages, as JSON, one each. Of a cell that compiled: about earlier items that it has broken.
    pub(crate) diagnostics: Vec<String>,
    /// rustc's warnings about a cell that compiled, as JSON, one each.
    #[serde(default)]
    pub(crate) warnings: Vec<String>,
    /// The source that the messages and warnings are about.
    pub(crate) source: String,
    /// Types of [`Request::expected`] that have another structure now, or cannot be written any more.
    #[serde(default)]
    pub(crate) changed: Vec<String>,
    /// Hashes of the structures of types, and what they can hold without naming it.
    #[serde(default)]
    pub(crate) shapes: Vec<(String, u64, Erased)>,
    /// Whether the items that the cell does not need were left out.
    #[serde(default)]
    pub(crate) skipped: bool,
    /// Why the dependencies cannot be had, in cargo's words.
    #[serde(default)]
    pub(crate) dependency_error: String,
    /// The key of the dependencies with which the cell was compiled (see `record`); empty when there are none.
    #[serde(default)]
    pub(crate) dependencies: String,
    /// Whether cargo took part.
    pub(crate) through_cargo: bool,
    /// Milliseconds spent in rustc and in the linker, and how often rustc ran.
    pub(crate) rustc_ms: u64,
    pub(crate) link_ms: u64,
    pub(crate) builds: u32,
}

impl Report {
    /// Answers a request: a cell that binds a variable only for later cells, which cannot write its type, is refused.
    pub(crate) fn answer(&mut self, request: &Request) {
        self.serial = request.serial;
        self.unnameable = self
            .variables
            .iter()
            .filter(|variable| {
                variable.obstacle().is_some() && !request.used.contains(&variable.name)
            })
            .cloned()
            .collect();
        self.compiled &= self.unnameable.is_empty() && self.changed.is_empty();
    }
}

/// The session's folder, from the environment.
pub(crate) fn session_dir() -> Option<PathBuf> {
    std::env::var_os(SESSION_ENV).map(PathBuf::from)
}

pub(crate) fn config_path(session: &Path) -> PathBuf {
    session.join("config.json")
}

pub(crate) fn request_path(session: &Path) -> PathBuf {
    session.join("request.json")
}

pub(crate) fn report_path(session: &Path) -> PathBuf {
    session.join("report.json")
}

/// Holds the process group of a running compilation, for the kernel to stop it.
pub(crate) fn compiler_path(session: &Path) -> PathBuf {
    session.join("compiler.pid")
}

pub(crate) fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> std::io::Result<T> {
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}

pub(crate) fn write<T: Serialize>(path: &Path, value: &T) -> std::io::Result<()> {
    std::fs::write(path, serde_json::to_vec(value)?)
}

/// What has a type that is defined inside a block of the cell.
pub(crate) const LOCAL_TYPE: &str = "a value of a type that is defined inside a block";

/// Why a later cell cannot write this type; `None` when it can.
pub(crate) fn unnameable(type_name: &str) -> Option<&'static str> {
    if type_name.contains("{closure@") {
        return Some("a closure");
    }
    if type_name.contains("{async ") || type_name.contains("{gen ") {
        return Some("a future");
    }
    if type_name
        .split(|character: char| !character.is_alphanumeric())
        .any(|word| word == "impl")
    {
        return Some("a value of a hidden type (`impl …`)");
    }
    if type_name.contains("{closure#") || type_name.contains("{fn#") {
        return Some(LOCAL_TYPE);
    }
    if type_name.contains('{') {
        return Some("a function by its own type");
    }
    type_name
        .contains("<unnameable>")
        .then_some("a value of a hidden type")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_without_a_name_are_known() {
        assert_eq!(
            unnameable("{closure@src/lib.rs:3:9: 3:12}"),
            Some("a closure")
        );
        assert_eq!(
            unnameable("fn(i32) -> i32 {double}"),
            Some("a function by its own type")
        );
        assert!(unnameable("std::vec::Vec<impl Sized>").is_some());
        assert_eq!(
            unnameable("std::boxed::Box<dyn std::ops::Fn(f64) -> f64>"),
            None
        );
        assert_eq!(unnameable("swath::burn::Tensor<2>"), None);
    }
}
