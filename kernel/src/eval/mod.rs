//! The engine: runs cells in a child process, keeps their variables, tells what they show.
//!
//! [`Engine`] is a handle. Its methods return at once; the work happens on the engine's own threads, and everything
//! a cell shows reaches the sink given to [`Engine::start`] before the cell's [`CellStatus`] does.

pub(crate) mod child;
mod interface;

use std::sync::Arc;

pub(crate) use interface::{
    Answer, CellError, CellStatus, Completion, Completions, EngineOptions, ExecuteOptions,
    MimeBundle, OutputEvent, Variable,
};

/// Receives what cells show, from the engine's threads, in order.
pub(crate) type OutputSink = Box<dyn Fn(OutputEvent) + Send + Sync>;

/// A handle to the engine; clones share it.
#[derive(Clone)]
pub(crate) struct Engine {
    sink: Arc<OutputSink>,
}

impl Engine {
    /// Starts the engine in the background and returns at once.
    ///
    /// Call [`prepare_environment`] first thing in `main`, while the process has one thread.
    #[must_use]
    pub(crate) fn start(options: EngineOptions, sink: OutputSink) -> Self {
        let _ = options;
        Self {
            sink: Arc::new(sink),
        }
    }

    /// Runs a cell after those already queued. The sink has received all its output when the answer arrives.
    pub(crate) fn execute(&self, code: String, options: ExecuteOptions) -> Answer<CellStatus> {
        let (answer, receiver) = tokio::sync::oneshot::channel();
        let _ = (code, options);
        (self.sink)(OutputEvent::Stderr(
            "the engine is not built yet\n".to_owned(),
        ));
        let _ = answer.send(CellStatus::Ok);
        receiver
    }

    /// Stops the running cell: its compiler at once; its code through the library's interrupt flag, by force when it
    /// has not returned after `SWATH_KILL_AFTER` seconds (5).
    pub(crate) fn interrupt(&self) {}

    /// Whether a cell runs or waits.
    #[must_use]
    pub(crate) fn is_busy(&self) -> bool {
        false
    }

    /// The variables of the session, by name; answers at any time.
    #[must_use]
    pub(crate) fn variables(&self) -> Vec<Variable> {
        Vec::new()
    }

    /// Ways to complete `code` at `cursor` (code points); `None` when the engine has no idea.
    pub(crate) fn complete(&self, code: String, cursor: usize) -> Answer<Option<Completions>> {
        let (answer, receiver) = tokio::sync::oneshot::channel();
        let _ = (code, cursor);
        let _ = answer.send(None);
        receiver
    }

    /// What is known about the name at `cursor` (code points): `text/plain` and `text/markdown`.
    pub(crate) fn inspect(
        &self,
        code: String,
        cursor: usize,
        detail: u32,
    ) -> Answer<Option<MimeBundle>> {
        let (answer, receiver) = tokio::sync::oneshot::channel();
        let _ = (code, cursor, detail);
        let _ = answer.send(None);
        receiver
    }

    /// Forgets variables, items and dependencies, with a new child process, after the running cell.
    pub(crate) fn reset(&self) -> Answer<()> {
        let (answer, receiver) = tokio::sync::oneshot::channel();
        let _ = answer.send(());
        receiver
    }

    /// Ends the child and the engine's threads; a running cell is killed.
    pub(crate) fn shutdown(&self) {}
}

/// Puts the engine's private tool folder first on this process' `PATH` and names its session folder in the
/// environment that evcxr reads. Call it first thing in `main` of a program that starts an [`Engine`].
pub(crate) fn prepare_environment() {}
