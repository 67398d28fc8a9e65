//! The files through which the kernel and `swath-cell` talk, in the session's folder.
//!
//! evcxr starts `swath-cell` as if it were cargo, so arguments and environment are evcxr's; what the kernel itself
//! wants to say or know goes through these files.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The environment variable that names the session's folder.
pub(crate) const SESSION_ENV: &str = "SWATH_SESSION";
/// Ends every generated line that keeps a new variable; the variable's name follows.
pub(crate) const PUT_MARK: &str = "//@put ";
/// Ends every generated line that puts a variable back that the cell has loaded.
pub(crate) const BACK_MARK: &str = "//@back ";
/// Ends every generated line that loads a variable.
pub(crate) const TAKE_MARK: &str = "//@take ";

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
}

/// A type that a later cell can or cannot write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NewVariable {
    pub(crate) name: String,
    pub(crate) type_name: String,
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
    /// rustc's messages, as JSON, one each.
    pub(crate) diagnostics: Vec<String>,
    /// Whether cargo took part.
    pub(crate) through_cargo: bool,
    /// Milliseconds spent in rustc and in the linker, and how often rustc ran.
    pub(crate) rustc_ms: u64,
    pub(crate) link_ms: u64,
    pub(crate) builds: u32,
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
