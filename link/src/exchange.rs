//! The files through which the kernel and `swath-cell` talk, in the session's folder.
//!
//! evcxr starts `swath-cell` as if it were cargo, so arguments and environment are evcxr's; what the kernel itself
//! wants to say or know goes through these files.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::environment;

/// The primitive types, whose names no path leads to.
pub const PRIMITIVES: [&str; 17] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "str", "u8", "u16",
    "u32", "u64", "u128", "usize",
];

/// The variable by which cargo ends its way upwards, for settings (`.cargo/config.toml`) and workspaces, at a folder: it would
/// else read what anybody has put into `/tmp`, programs to run among it. Cargo's own tests use it (`cargo_util::paths::ancestors`);
/// there is no other way, and the cargo is the one that this version was tested with. The user's own settings, in
/// `CARGO_HOME`, are read all the same.
pub const CARGO_LOOKS_NO_HIGHER: &str = "__CARGO_TEST_ROOT";

/// Ends every generated line that keeps a new variable; the variable's name follows.
pub const PUT_MARK: &str = "//@put ";
/// Ends every generated line that puts a variable back that the cell has loaded.
pub const BACK_MARK: &str = "//@back ";
/// Ends every generated line that loads a variable.
pub const TAKE_MARK: &str = "//@take ";
/// Stands in the generated source for the name of the function that evcxr will call.
pub const FUNCTION_MARK: &str = "__swath_function__";

/// How the names begin under which cells are compiled; see [`cell_file`].
pub const CELL_FILE: &str = "swath-cell-";

/// The name under which a cell is compiled: what `file!()` and panics say. Each is another one, so that a panic of an
/// earlier cell's thread is told apart from one of this cell; `eval/places.rs` turns them into `In[3]:1:5`.
#[must_use]
pub fn cell_file(serial: u64, number: u32) -> String {
    format!("{CELL_FILE}{serial}/In[{number}]")
}

/// What does not change while a session lasts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionConfig {
    /// Folder of `libswath.so` and what belongs to it.
    pub lib_dir: PathBuf,
    /// The real cargo.
    pub cargo: PathBuf,
    /// The real rustc.
    pub rustc: PathBuf,
    /// The real rustup, where there is one.
    pub rustup: Option<PathBuf>,
    /// The real mold, where there is one.
    pub mold: Option<PathBuf>,
    /// The linker that is given a cell's object alone, with the flags that come before it.
    pub linker: Vec<String>,
    /// What crates that cells have added are linked with, where there is no C compiler.
    #[serde(default)]
    pub c_linker: Option<PathBuf>,
    /// evcxr's crate of the cells.
    pub crate_dir: PathBuf,
    /// Whether every cell goes through cargo (`SWATH_PLAIN_CARGO=1`).
    pub plain_cargo: bool,
    /// The user's mask for new files, for the real cargo: what it fetches is the user's. Everything else of a session is
    /// private.
    pub umask: u32,
}

/// What the kernel tells before each cell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Counts the cells handed to evcxr, whatever their execution count.
    pub serial: u64,
    /// The name under which the cell is compiled; empty for what is no cell.
    pub file: String,
    /// Counts the times that types of cells were defined anew with another meaning: it is part of their identity.
    pub identity: u64,
    /// Whether the cell defines something anew that an item in `skip` mentions.
    pub check_skipped: bool,
    /// New variables that the cell itself uses: they need not live on.
    pub used: Vec<String>,
    /// Whether the cell only calls what is compiled already, so that optimizing it would gain nothing.
    pub quick: bool,
    /// What is compiled in place of evcxr's own file; `None` for evcxr's commands.
    pub source: Option<String>,
    /// Byte ranges of `source` with items that the cell does not need.
    pub skip: Vec<(usize, usize)>,
    /// Where the items end in `source`.
    pub items_end: usize,
    /// Types that cells of this session have written before: nobody needs to try them again.
    pub proven: Vec<String>,
    /// Types of variables, with the hashes of their structures, that the cell's items may change.
    pub expected: Vec<(String, u64)>,
    /// Whether to look whether path dependencies were edited.
    pub refresh: bool,
}

/// The trait objects in a type from which a value's type can be had back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// `dyn Any`
    pub any: bool,
    /// `dyn Error`
    pub error: bool,
}

/// A type that a later cell can or cannot write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewVariable {
    /// The variable's name.
    pub name: String,
    /// Its type, by a path that later cells can write.
    pub type_name: String,
    /// What the compiler says when a later cell writes this type; `None` when nothing.
    pub problem: Option<String>,
}

impl NewVariable {
    /// Why no later cell can use the variable; `None` when it can.
    #[must_use]
    pub fn obstacle(&self) -> Option<String> {
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The request that this answers.
    pub serial: u64,
    /// Whether the cell compiled.
    pub compiled: bool,
    /// Variables that the cell binds and that are still there at its end.
    pub variables: Vec<NewVariable>,
    /// Variables that the cell moves away.
    pub moved: Vec<String>,
    /// New variables whose types later cells cannot write, and that this cell does not use: it is refused.
    pub unnameable: Vec<NewVariable>,
    /// rustc's messages, as JSON, one each. Of a cell that compiled: about earlier items that it has broken.
    pub diagnostics: Vec<String>,
    /// rustc's warnings about a cell that compiled, as JSON, one each.
    pub warnings: Vec<String>,
    /// The source that the messages and warnings are about.
    pub source: String,
    /// Types of [`Request::expected`] that have another structure now, or cannot be written any more.
    pub changed: Vec<String>,
    /// Hashes of the structures of types, and what they can hold without naming it.
    pub shapes: Vec<(String, u64, Erased)>,
    /// Whether the items that the cell does not need were left out.
    pub skipped: bool,
    /// Why the dependencies cannot be had, in cargo's words.
    pub dependency_error: String,
    /// The key of the dependencies with which the cell was compiled (see `record`); empty when there are none.
    pub dependencies: String,
    /// Whether cargo took part.
    pub through_cargo: bool,
    /// Milliseconds spent in rustc.
    pub rustc_ms: u64,
    /// Milliseconds spent in the linker.
    pub link_ms: u64,
    /// How often rustc ran.
    pub builds: u32,
}

impl Report {
    /// Answers a request: a cell that binds a variable only for later cells, which cannot write its type, is refused.
    pub fn answer(&mut self, request: &Request) {
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
#[must_use]
pub fn session_dir() -> Option<PathBuf> {
    std::env::var_os(environment::SESSION).map(PathBuf::from)
}

/// The file with the [`SessionConfig`].
#[must_use]
pub fn config_path(session: &Path) -> PathBuf {
    session.join("config.json")
}

/// The file with the [`Request`].
#[must_use]
pub fn request_path(session: &Path) -> PathBuf {
    session.join("request.json")
}

/// The file with the [`Report`].
#[must_use]
pub fn report_path(session: &Path) -> PathBuf {
    session.join("report.json")
}

/// Holds the process group of a running compilation, for the kernel to stop it.
#[must_use]
pub fn compiler_path(session: &Path) -> PathBuf {
    session.join("compiler.pid")
}

/// Reads one of the session's files.
///
/// # Errors
/// When it is not there, cannot be read, or is not what it should be: the error names the file.
pub fn read<T: DeserializeOwned>(path: &Path) -> std::io::Result<T> {
    let named = |error: std::io::Error| {
        std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))
    };
    let text = std::fs::read(path).map_err(named)?;
    serde_json::from_slice(&text).map_err(|error| named(error.into()))
}

/// [`read`] of a file that need not have been written yet.
///
/// # Errors
/// When it is there, and cannot be read or is not what it should be.
pub fn read_if_there<T: DeserializeOwned>(path: &Path) -> std::io::Result<Option<T>> {
    match read(path) {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes one of the session's files. Who reads it finds the old one or the new one, never a part.
///
/// # Errors
/// When there is no room, for instance.
pub fn write<T: Serialize>(path: &Path, value: &T) -> std::io::Result<()> {
    let text = serde_json::to_vec(value)?;
    let unfinished = path.with_extension("new");
    std::fs::write(&unfinished, text)?;
    std::fs::rename(&unfinished, path)
}

/// What has a type that is defined inside a block of the cell.
pub const LOCAL_TYPE: &str = "a value of a type that is defined inside a block";

/// Why a later cell cannot write this type; `None` when it can.
#[must_use]
pub fn unnameable(type_name: &str) -> Option<&'static str> {
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

    fn variable() -> NewVariable {
        NewVariable {
            name: "a".to_owned(),
            type_name: "i32".to_owned(),
            problem: Some("why".to_owned()),
        }
    }

    /// What is read from the file that it was written to.
    fn round_trip<T: Serialize + DeserializeOwned>(value: &T) -> T {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.json");
        assert!(read_if_there::<T>(&path).unwrap().is_none());
        write(&path, value).unwrap();
        read_if_there(&path).unwrap().unwrap()
    }

    #[test]
    fn every_file_is_read_as_it_was_written() {
        let config = SessionConfig {
            lib_dir: "/lib".into(),
            cargo: "/cargo".into(),
            rustc: "/rustc".into(),
            rustup: None,
            mold: Some("/mold".into()),
            linker: vec!["lld".to_owned()],
            c_linker: Some("/swath-cc".into()),
            crate_dir: "/crate".into(),
            umask: 0o022,
            plain_cargo: true,
        };
        assert_eq!(round_trip(&config), config);
        let request = Request {
            serial: 3,
            file: cell_file(3, 1),
            identity: 2,
            check_skipped: true,
            used: vec!["a".to_owned()],
            quick: true,
            source: Some("let a = 1;".to_owned()),
            skip: vec![(1, 2)],
            items_end: 7,
            proven: vec!["i32".to_owned()],
            expected: vec![("A".to_owned(), u64::MAX)],
            refresh: true,
        };
        assert_eq!(round_trip(&request), request);
        let erased = Erased {
            any: true,
            error: false,
        };
        let report = Report {
            serial: 3,
            compiled: true,
            variables: vec![variable()],
            moved: vec!["b".to_owned()],
            unnameable: vec![variable()],
            diagnostics: vec!["{}".to_owned()],
            warnings: vec!["{}".to_owned()],
            source: "fn f() {}".to_owned(),
            changed: vec!["A".to_owned()],
            shapes: vec![("A".to_owned(), u64::MAX, erased)],
            skipped: true,
            dependency_error: "no".to_owned(),
            dependencies: "key".to_owned(),
            through_cargo: true,
            rustc_ms: 1,
            link_ms: 2,
            builds: 3,
        };
        assert_eq!(round_trip(&report), report);
        assert_eq!(round_trip(&Request::default()), Request::default());
        assert_eq!(round_trip(&Report::default()), Report::default());
    }

    #[test]
    fn a_file_that_is_not_what_it_should_be_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = report_path(folder.path());
        std::fs::write(&path, r#"{"serial":1}"#).unwrap();
        let error = read_if_there::<Report>(&path).unwrap_err().to_string();
        assert!(
            error.contains("report.json") && error.contains("missing field `compiled`"),
            "{error}"
        );
        std::fs::write(&path, "").unwrap();
        let error = read_if_there::<Report>(&path).unwrap_err();
        assert_ne!(error.kind(), std::io::ErrorKind::NotFound);
    }
}
