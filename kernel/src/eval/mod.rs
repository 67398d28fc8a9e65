//! The engine: runs cells in a child process, keeps their variables, tells what they show.
//!
//! [`Engine`] is a handle. Its methods return at once; the work happens on the engine's own threads, and everything
//! a cell shows reaches the sink given to [`Engine::start`] before the cell's [`CellStatus`] does.

mod channel;
pub(crate) mod child;
mod content;
mod dependencies;
mod evcxr_context;
mod generate;
mod help;
mod imports;
mod interface;
mod item_kind;
mod items;
mod library;
mod macros;
#[path = "../../../src/rt/marked.rs"]
mod marked;
mod notes;
mod outcome;
mod phase;
mod place;
mod places;
mod progress;
mod prune;
mod render;
mod session;
mod settings;
mod shape;
mod shared;
mod source_map;
mod split;
mod state;
mod syntax;
mod terminal;
mod variables;
mod worker;

use std::sync::{Arc, mpsc};
use std::time::Duration;

use swath_link::message::Surroundings;
use swath_link::{environment, exchange};
use tokio::sync::oneshot;

use help::{Place, names};
pub use interface::{
    Answer, CellStatus, Completion, Completions, EngineOptions, ErrorReport, ExecuteOptions,
    MimeBundle, OutputEvent, Variable,
};
pub(crate) use place::{forbids_programs, has_less_than};
pub use session::{mark_environment, prepare_environment};
use shared::Shared;
use worker::{Job, Worker};

/// Receives what cells show, from the engine's threads, in order.
pub type OutputSink = Box<dyn Fn(OutputEvent) + Send + Sync>;

/// How long the variables may take to be dropped when the kernel ends.
const DROPPING: Duration = Duration::from_millis(1500);

/// A handle to the engine; clones share it.
#[derive(Clone)]
pub struct Engine {
    jobs: mpsc::Sender<Job>,
    shared: Arc<Shared>,
    patience: Duration,
}

impl Engine {
    /// Starts the engine in the background and returns at once.
    ///
    /// Call [`prepare_environment`] first thing in `main`, while the process has one thread.
    #[expect(
        clippy::print_stderr,
        reason = "there is no engine to say it otherwise"
    )]
    pub fn start(options: EngineOptions, sink: OutputSink) -> Self {
        let (jobs, receiver) = mpsc::channel();
        let session = session::session();
        let session_dir = session
            .as_ref()
            .map(|session| session.dir.clone())
            .unwrap_or_default();
        let shared = Arc::new(Shared::new(
            phase::Phase::new(exchange::compiler_path(&session_dir)),
            places::Places::default(),
        ));
        shared.help.library_is_in(&options.lib_dir);
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
        Self {
            jobs,
            shared,
            patience: environment::patience(),
        }
    }

    /// Runs a cell after those already queued. The sink has received all its output when the answer arrives.
    pub fn execute(&self, code: String, options: ExecuteOptions) -> Answer<CellStatus> {
        let (answer, receiver) = oneshot::channel();
        self.shared.job_queued();
        let _ = self.jobs.send(Job::Execute(code, options, answer));
        receiver
    }

    /// Stops the running cell: its compiler at once; its code through the library's interrupt flag, by force when it
    /// has not returned after `SWATH_KILL_AFTER` seconds (5).
    pub fn interrupt(&self) {
        self.shared.phase.interrupt(self.patience);
    }

    /// Whether a cell runs or waits.
    pub fn is_busy(&self) -> bool {
        self.shared.is_busy()
    }

    /// The variables of the session, by name; answers at any time.
    pub fn variables(&self) -> Vec<Variable> {
        self.shared.table().iter().cloned().collect()
    }

    /// The classes (`class`) or bands (`band`) of a variable; where it has none that are known, those of all variables.
    pub(crate) fn words(&self, kind: &str, variable: &str) -> Vec<String> {
        self.shared.words(kind, variable)
    }

    /// The properties of a vector file, when the session has opened it.
    pub(crate) fn properties(&self, file: &str) -> Option<Vec<String>> {
        self.shared.properties(file)
    }

    /// The types and functions that every cell has.
    pub(crate) fn prelude(&self) -> Vec<String> {
        self.shared.help.prelude()
    }

    /// Whether a variable or an item of the session has this name.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.shared.names().iter().any(|(known, _)| known == name)
    }

    /// The constants and statics that cells have defined, with their types.
    pub(crate) fn constants(&self) -> Vec<(String, String)> {
        self.shared.constants()
    }

    /// What cells have changed of their folder and environment since this was asked last.
    pub(crate) fn take_surroundings(&self) -> Vec<Surroundings> {
        self.shared.take_surroundings()
    }

    /// Ways to complete `code` at `cursor` (code points); `None` when nobody has an idea. Cells may run meanwhile. While
    /// rust-analyzer is not there, the answer comes from names and keywords alone.
    pub fn complete(&self, code: String, cursor: usize) -> Answer<Option<Completions>> {
        let (answer, receiver) = oneshot::channel();
        let names = names::complete(&self.shared.names(), &code, cursor);
        if code.trim().is_empty() {
            // What the session knows is more to the point than everything that could begin here.
            let _ = answer.send(names);
            return receiver;
        }
        // rust-analyzer needs seconds until its first answer.
        let names = names.or_else(|| {
            let api = self.shared.help.api()?;
            let table = self.shared.table();
            let type_of = |name: &str| table.get(name).map(|it| it.type_name.clone());
            api.complete(&code, cursor, &type_of)
        });
        let place = self.place(code, cursor);
        self.shared.help.complete(place, names, answer);
        receiver
    }

    /// What is known about the name at `cursor` (code points): `text/plain` and `text/html`.
    pub fn inspect(&self, code: String, cursor: usize, _detail: u32) -> Answer<Option<MimeBundle>> {
        let (answer, receiver) = oneshot::channel();
        let variable = names::inspect_variable(&self.shared.table(), &code, cursor);
        let place = self.place(code, cursor);
        self.shared.help.inspect(place, variable, answer);
        receiver
    }

    /// The type of the variable whose name is at `cursor` (code points), when it is one of the library's.
    pub(crate) fn library_type_at(&self, code: &str, cursor: usize) -> Option<String> {
        let table = self.shared.table();
        let of_type = &names::variable_at(&table, code, cursor)?.type_name;
        let head = of_type.split('<').next().unwrap_or(of_type);
        head.starts_with("swath::").then(|| head.to_owned())
    }

    fn place(&self, code: String, cursor: usize) -> Place {
        Place {
            declarations: names::declarations(&self.shared.table()),
            code,
            cursor,
        }
    }

    /// What of the library is named like that: `Scene::zoom` of `zoom`.
    pub(crate) fn named(&self, name: &str) -> Vec<String> {
        self.shared.help.named(name)
    }

    /// Whether rust-analyzer has read what it needs to complete and inspect.
    pub(crate) fn is_help_ready(&self) -> bool {
        self.shared.help.is_ready()
    }

    /// Forgets variables, items and dependencies, with a new child process, after the running cell.
    ///
    /// The answer is an error when the new process cannot start; the next cell tries again.
    pub fn reset(&self) -> Answer<Result<(), String>> {
        let (answer, receiver) = oneshot::channel();
        self.shared.job_queued();
        let _ = self.jobs.send(Job::Reset(answer));
        receiver
    }

    /// Ends the child, the engine's threads and every program that cells have started; a running cell is killed.
    pub fn shutdown(&self) {
        self.shared.phase.kill();
        self.shared.help.stop();
        let (ended, end) = mpsc::channel();
        if self.jobs.send(Job::Shutdown(ended)).is_ok() {
            // The child drops the variables, whose owners may have something to tidy up.
            let _ = end.recv_timeout(DROPPING);
        }
        session::end_programs();
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
                let _ = answer.send(Err(reason.to_owned()));
            }
            Job::Shutdown(_) => return,
        }
    }
}

#[cfg(test)]
mod fuzz_tests;
