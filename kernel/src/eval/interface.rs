//! What the engine says to whoever shows it to a person: outputs while a cell runs, how the cell ended, names.

pub use crate::error_report::ErrorReport;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::oneshot;

/// One value in every form it can be shown in, by MIME type. Text forms are strings, JSON forms are JSON, pictures
/// are base64 strings, as the Jupyter protocol wants them.
pub type MimeBundle = Map<String, Value>;

/// Where the engine finds what it needs.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Folder with `libswath.so`, `libswath.rmeta`, `deps/` and `swath-api/` (see `scripts/build-dylib.sh`).
    pub lib_dir: PathBuf,
    /// The toolchain's folder (`rustc --print sysroot`) with which the library was built.
    pub toolchain: PathBuf,
    /// Working folder of the cells.
    pub working_dir: PathBuf,
    /// The program that becomes the process in which the cells run, and the helping one; the running program by default.
    pub program: Option<PathBuf>,
    /// The program `swath-cell`; beside the running program by default.
    pub cell_tool: Option<PathBuf>,
}

/// Something a running cell wants shown, in the order in which the cell made it.
#[derive(Debug)]
pub enum OutputEvent {
    /// Text on standard output, whole UTF-8 characters, any number of lines, a last line without newline included.
    Stdout(String),
    /// Text on standard error.
    Stderr(String),
    /// The value of the cell's last expression.
    Result {
        /// Its forms.
        bundle: MimeBundle,
        /// Its metadata, by MIME type.
        metadata: MimeBundle,
    },
    /// A value displayed in between; `id` names it for [`OutputEvent::Update`].
    Display {
        /// Its forms.
        bundle: MimeBundle,
        /// Its metadata, by MIME type.
        metadata: MimeBundle,
        /// Its name for later updates.
        id: Option<String>,
    },
    /// Replaces what was displayed under `id`.
    Update {
        /// Its forms.
        bundle: MimeBundle,
        /// Its metadata, by MIME type.
        metadata: MimeBundle,
        /// The name under which it was displayed.
        id: String,
    },
    /// Removes the cell's outputs so far; with `wait`, once the next one arrives.
    Clear {
        /// Whether to wait for the next output.
        wait: bool,
    },
    /// A question to the user. The cell waits until `reply` is answered or dropped (dropped: nobody can answer).
    Input {
        /// The question.
        prompt: String,
        /// Whether the answer must not be echoed.
        password: bool,
        /// Takes the answer; `None` when nobody can answer.
        reply: std::sync::mpsc::Sender<Option<String>>,
    },
}

/// How a cell ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CellStatus {
    /// It ran to its end.
    Ok,
    /// It did not compile, panicked, or returned early through `?`. Variables are kept.
    Error(ErrorReport),
    /// The user stopped it. Variables are kept.
    Interrupted(ErrorReport),
    /// The process that held the variables is gone; a new one runs. Items and dependencies are kept.
    Lost(ErrorReport),
}

/// How to run one cell.
#[derive(Clone, Debug, Default)]
pub struct ExecuteOptions {
    /// Whether the cell is run for its effects only (its result is not shown).
    pub silent: bool,
    /// The execution count, which names the cell in messages.
    pub cell: u32,
    /// The cell as the user sent it, when magics in it were replaced: line by line, so that messages can show it.
    pub written: Option<Arc<str>>,
}

/// A variable that later cells can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its type by its public path.
    pub type_name: String,
    /// Whether it was bound with `mut`.
    pub mutable: bool,
    /// The execution count of the cell that bound it last.
    pub cell: u32,
}

/// One way to complete what the user typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// What replaces `start..end`.
    pub text: String,
    /// What the list shows.
    pub label: String,
    /// Jupyter's kind of it: `function`, `keyword`, `instance`, `class`, `magic`…
    pub kind: String,
}

/// The ways to complete at a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completions {
    /// The candidates, best first.
    pub matches: Vec<Completion>,
    /// Start of the replaced text, in code points.
    pub start: usize,
    /// End of the replaced text, in code points.
    pub end: usize,
}

/// The answer to a question put to the engine; await it, or call `blocking_recv`.
pub type Answer<T> = oneshot::Receiver<T>;
