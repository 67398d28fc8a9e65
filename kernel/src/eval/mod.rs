//! The engine: runs cells in a child process, keeps their variables, tells what they show.
//!
//! [`Engine`] is a handle. Its methods return at once; the work happens on the engine's own threads, and everything
//! a cell shows reaches the sink given to [`Engine::start`] before the cell's [`CellStatus`] does.

mod assist;
mod channel;
pub(crate) mod child;
mod content;
mod evcxr_context;
#[expect(dead_code, reason = "shared with `swath-cell`, which uses the rest")]
#[path = "../cell/exchange.rs"]
mod exchange;
mod generate;
mod help;
mod helper;
mod interface;
mod library;
mod outcome;
mod phase;
mod places;
mod prune;
mod render;
mod session;
mod shared;
mod source_map;
mod split;
mod syntax;
mod terminal;
mod text;
pub(crate) mod trial;
mod variables;
mod worker;

use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio::sync::oneshot;

pub(crate) use interface::{
    Answer, CellError, CellStatus, Completion, Completions, EngineOptions, ExecuteOptions,
    MimeBundle, OutputEvent, Variable,
};
pub(crate) use session::prepare_environment;
use shared::Shared;
use worker::{Job, Worker};

/// Receives what cells show, from the engine's threads, in order.
pub(crate) type OutputSink = Box<dyn Fn(OutputEvent) + Send + Sync>;

/// How long an interrupted cell may go on before it is killed.
const PATIENCE: Duration = Duration::from_secs(5);

/// A handle to the engine; clones share it.
#[derive(Clone)]
pub(crate) struct Engine {
    jobs: mpsc::Sender<Job>,
    shared: Arc<Shared>,
    patience: Duration,
}

impl Engine {
    /// Starts the engine in the background and returns at once.
    ///
    /// Call [`prepare_environment`] first thing in `main`, while the process has one thread.
    pub(crate) fn start(options: EngineOptions, sink: OutputSink) -> Self {
        let (jobs, receiver) = mpsc::channel();
        let session = session::session();
        let session_dir = session
            .as_ref()
            .map(|session| session.dir.clone())
            .unwrap_or_default();
        let shared = Arc::new(Shared::new(
            phase::Phase::new(exchange::compiler_path(&session_dir)),
            places::Places::new(session_dir.join(places::GENERATED_FILE)),
        ));
        let worker_shared = Arc::clone(&shared);
        // The parser recurses deeply over long functions.
        let builder = std::thread::Builder::new()
            .name("swath-engine".to_owned())
            .stack_size(64 << 20);
        let started = builder.spawn(move || {
            let worker = session.and_then(|session| {
                Worker::new(options, session, Arc::new(sink), Arc::clone(&worker_shared))
                    .map_err(|error| error.to_string())
            });
            match worker {
                Ok(worker) => worker.run(&receiver),
                Err(reason) => refuse_all(&receiver, &worker_shared, &reason),
            }
        });
        if let Err(error) = started {
            eprintln!("swath: the engine's thread cannot start: {error}");
        }
        let seconds = std::env::var("SWATH_KILL_AFTER")
            .ok()
            .and_then(|text| text.parse().ok());
        let patience = seconds
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .unwrap_or(PATIENCE);
        Self {
            jobs,
            shared,
            patience,
        }
    }

    /// Runs a cell after those already queued. The sink has received all its output when the answer arrives.
    pub(crate) fn execute(&self, code: String, options: ExecuteOptions) -> Answer<CellStatus> {
        let (answer, receiver) = oneshot::channel();
        self.shared.job_queued();
        let _ = self.jobs.send(Job::Execute(code, options, answer));
        receiver
    }

    /// Stops the running cell: its compiler at once; its code through the library's interrupt flag, by force when it
    /// has not returned after `SWATH_KILL_AFTER` seconds (5).
    pub(crate) fn interrupt(&self) {
        self.shared.phase.interrupt(self.patience);
    }

    /// Whether a cell runs or waits.
    pub(crate) fn is_busy(&self) -> bool {
        self.shared.is_busy()
    }

    /// The variables of the session, by name; answers at any time.
    pub(crate) fn variables(&self) -> Vec<Variable> {
        self.shared.table().iter().cloned().collect()
    }

    /// Ways to complete `code` at `cursor` (code points); `None` when nobody has an idea. Cells may run meanwhile. While
    /// rust-analyzer is not there, the answer comes from names and keywords alone.
    pub(crate) fn complete(&self, code: String, cursor: usize) -> Answer<Option<Completions>> {
        let (answer, receiver) = oneshot::channel();
        let names = assist::complete_names(&self.shared.names(), &code, cursor);
        let declarations = assist::declarations(&self.shared.table());
        self.shared
            .help
            .complete(declarations, code, cursor, names, answer);
        receiver
    }

    /// What is known about the name at `cursor` (code points): `text/plain` and `text/html`.
    pub(crate) fn inspect(
        &self,
        code: String,
        cursor: usize,
        _detail: u32,
    ) -> Answer<Option<MimeBundle>> {
        let (answer, receiver) = oneshot::channel();
        let declarations = assist::declarations(&self.shared.table());
        self.shared.help.inspect(declarations, code, cursor, answer);
        receiver
    }

    /// Forgets variables, items and dependencies, with a new child process, after the running cell.
    pub(crate) fn reset(&self) -> Answer<()> {
        let (answer, receiver) = oneshot::channel();
        self.shared.job_queued();
        let _ = self.jobs.send(Job::Reset(answer));
        receiver
    }

    /// Ends the child and the engine's threads; a running cell is killed.
    pub(crate) fn shutdown(&self) {
        self.shared.phase.kill();
        self.shared.help.stop();
        let _ = self.jobs.send(Job::Shutdown);
        if let Ok(session) = session::session() {
            session.remove();
        }
    }
}

/// Answers every request of an engine that could not start.
fn refuse_all(jobs: &mpsc::Receiver<Job>, shared: &Shared, reason: &str) {
    for job in jobs {
        match job {
            Job::Execute(_, _, answer) => {
                shared.job_done();
                let _ = answer.send(CellStatus::Error(outcome::engine_error(reason)));
            }
            Job::Reset(answer) => {
                shared.job_done();
                let _ = answer.send(());
            }
            Job::Shutdown => return,
        }
    }
}
