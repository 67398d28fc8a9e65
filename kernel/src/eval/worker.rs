//! The engine's own thread: it holds evcxr, and runs one request after the other.

mod cells;
mod commands;
mod crates;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use evcxr::{CommandContext, Error, EvalOutputs};
use serde_json::Value;
use swath_link::environment;
use swath_link::exchange::{self, Erased, Report, Request};

use super::channel::{CellEnd, Channel, ChildEnds};
use super::dependencies::{self, Dependencies};
use super::evcxr_context::{self, Farewell, StartupText};
use super::interface::{
    CellStatus, EngineOptions, ErrorReport, ExecuteOptions, MimeBundle, OutputEvent,
};
use super::items::ItemStore;
use super::library::LibraryFiles;
use super::outcome;
use super::place;
use super::progress::ProgressPipe;
use super::session::Session;
use super::settings::Settings;
use super::shared::Shared;
use super::source_map::CellSource;
use super::split::Cell;
use super::{OutputSink, syntax};

/// What is known about a type that later cells can write.
#[derive(Clone, Copy, Debug, Default)]
struct Proven {
    /// The hash of its structure, where cells can change that.
    shape: Option<u64>,
    erased: Erased,
}

/// A request with the place for its answer.
pub(crate) enum Job {
    Execute(
        String,
        ExecuteOptions,
        tokio::sync::oneshot::Sender<CellStatus>,
    ),
    Reset(tokio::sync::oneshot::Sender<Result<(), String>>),
    /// The sender is dropped when the child has ended.
    Shutdown(mpsc::Sender<()>),
}

pub(crate) struct Worker {
    options: EngineOptions,
    session: &'static Session,
    sink: Arc<OutputSink>,
    shared: Arc<Shared>,
    channel: Channel,
    child_ends: ChildEnds,
    farewell: Farewell,
    silent: Arc<AtomicBool>,
    context: Option<(CommandContext, StartupText)>,
    /// What cargo does; none where the session's folder cannot hold the pipe for it.
    progress: Option<ProgressPipe>,
    dependencies: Dependencies,
    /// The library that the cells' process has loaded.
    library: LibraryFiles,
    serial: u64,
    /// How often types were defined anew with another meaning: `TypeId`s change with it.
    identity: u64,
    items: ItemStore,
    /// Types that later cells can write, with the hashes of the structures that cells can change.
    proven: BTreeMap<String, Proven>,
    /// Why names that existed once do not any more.
    departed: BTreeMap<String, String>,
    /// What `:fmt`, `:opt` and the like have chosen.
    settings: Settings,
    /// The compiler's errors of the last cell, for `:explain`.
    last_errors: Vec<String>,
}

impl Worker {
    pub(crate) fn new(
        options: EngineOptions,
        session: &'static Session,
        sink: Arc<OutputSink>,
        shared: Arc<Shared>,
    ) -> std::io::Result<Self> {
        let silent = Arc::new(AtomicBool::new(true));
        let report_path = exchange::report_path(&session.dir);
        let store = Arc::clone(&shared);
        let unkept = move |names: &[String]| store.unkept(names, &report_path);
        // Nothing that evcxr runs while it starts is anybody's output.
        let started_sink = {
            let (sink, shared) = (Arc::clone(&sink), Arc::clone(&shared));
            let guarded: OutputSink = Box::new(move |event| {
                if shared.is_started() {
                    sink(event);
                }
            });
            Arc::new(guarded)
        };
        let (channel, child_ends) = Channel::open(
            started_sink,
            Arc::clone(&shared.phase),
            Arc::clone(&shared.places),
            Arc::clone(&silent),
            unkept,
        )?;
        let progress = ProgressPipe::open(&session.dir, Arc::clone(&sink)).ok();
        Ok(Self {
            options,
            session,
            sink,
            progress,
            dependencies: Dependencies::default(),
            shared,
            channel,
            child_ends,
            farewell: Farewell::new()?,
            silent,
            context: None,
            library: LibraryFiles::default(),
            serial: 0,
            identity: 0,
            items: ItemStore::default(),
            proven: BTreeMap::new(),
            departed: BTreeMap::new(),
            settings: Settings::default(),
            last_errors: Vec::new(),
        })
    }

    pub(crate) fn run(mut self, jobs: &mpsc::Receiver<Job>) {
        let _ = self.start();
        self.shared.help.start(&self.options, self.session);
        let mut ended = None;
        for job in jobs {
            match job {
                Job::Execute(code, options, answer) => {
                    let status = self.execute(&code, &options);
                    self.shared.job_done();
                    let _ = answer.send(status);
                }
                Job::Reset(answer) => {
                    let reset = self.reset();
                    self.shared.job_done();
                    let _ = answer.send(reset);
                }
                Job::Shutdown(end) => {
                    ended = Some(end);
                    break;
                }
            }
        }
        self.channel.stop();
        self.farewell.say();
        drop(self.context.take());
        drop(ended);
        self.session.remove();
    }

    /// Starts evcxr unless it runs, or says why it cannot; makes the session's folder anew when it is gone.
    fn start(&mut self) -> Result<(), String> {
        self.session.heal(&self.options)?;
        if self.context.is_some() {
            return Ok(());
        }
        self.note_folder();
        let started = Instant::now();
        self.shared.set_started(false);
        self.announce(&Request::default())?;
        self.library = LibraryFiles::of(&self.options.lib_dir);
        let (options, session, ends) = (&self.options, self.session, &self.child_ends);
        let farewell = &self.farewell;
        let result = catch_unwind(AssertUnwindSafe(|| {
            evcxr_context::start(options, session, ends, farewell)
        }))
        .unwrap_or_else(|_| Err("evcxr panicked while it started".to_owned()));
        let _ = self.channel.finish_cell();
        self.shared.set_started(true);
        trace(|| format!("engine started in {} ms", started.elapsed().as_millis()));
        let trouble = |reason: String| place::trouble(&self.session.dir, &reason).unwrap_or(reason);
        self.context = Some(result.map_err(trouble)?);
        self.set_again();
        Ok(())
    }

    /// Has the user told when the folder in which the kernel was started is gone.
    fn note_folder(&mut self) {
        if let Some(other) = evcxr_context::other_folder(&self.options.working_dir) {
            self.session.note(format!(
                "the folder {} is not there any more: cells run in {}, and %cd changes that",
                self.options.working_dir.display(),
                other.display()
            ));
            self.options.working_dir = other;
        }
    }

    /// Tells the user what there is to say about the session's place.
    fn show_notes(&self) {
        for note in self.session.take_notes() {
            (self.sink)(OutputEvent::Stderr(format!("note: {note}\n")));
        }
    }

    /// Tells `swath-cell` about the build that follows. Without this it would compile the cell before once more.
    fn announce(&self, request: &Request) -> Result<(), String> {
        let path = exchange::request_path(&self.session.dir);
        exchange::write(&path, request).map_err(|error| {
            format!(
                "the cell cannot be handed to the compiler: {}: {error}",
                path.display()
            )
        })
    }

    /// What `swath-cell` has told of the build that was announced last; nothing when it was not asked.
    fn report(&self) -> Report {
        let path = exchange::report_path(&self.session.dir);
        let report = exchange::read_if_there::<Report>(&path).unwrap_or_else(|error| {
            crate::log::warn(&format!("what `swath-cell` has told is lost: {error}"));
            None
        });
        report
            .filter(|report| report.serial == self.serial)
            .unwrap_or_default()
    }

    fn execute(&mut self, code: &str, options: &ExecuteOptions) -> CellStatus {
        let started = Instant::now();
        self.shared.phase.begin_cell();
        let status = self.execute_in_phase(code, options);
        self.shared.phase.end_cell();
        trace(|| {
            format!(
                "cell {}: {} ms in all",
                options.cell,
                started.elapsed().as_millis()
            )
        });
        status
    }

    fn execute_in_phase(&mut self, code: &str, options: &ExecuteOptions) -> CellStatus {
        if let Err(reason) = self.start() {
            return CellStatus::Error(outcome::engine_error(&reason));
        }
        if self.shared.phase.is_interrupted() {
            return CellStatus::Interrupted(outcome::interrupted("interrupted before it began"));
        }
        self.silent.store(options.silent, Ordering::Relaxed);
        if !options.silent {
            self.show_notes();
        }
        if let Some(failed) = self.refresh_dependencies() {
            return failed;
        }
        let mut known = self.items.known();
        let cell = Cell::parse(code, &known);
        let is_alone =
            !options.silent && !cell.has_statements && cell.items.is_empty() && !cell.broken;
        let commands = dependencies::joined(&cell.commands);
        for (index, command) in commands.iter().enumerate() {
            match self.command(command, is_alone && index + 1 == commands.len()) {
                CellStatus::Ok => {}
                other => return other,
            }
        }
        let source = CellSource {
            written: options.written.clone().filter(|written| **written != *code),
            ..CellSource::new(options.cell, code)
        };
        if cell.broken || cell.has_statements || !cell.items.is_empty() {
            self.last_errors.clear();
        }
        if cell.broken
            && let Some(error) = syntax::check(
                &self.options.toolchain,
                &self.session.dir,
                &cell.rust,
                &source,
            )
        {
            return CellStatus::Error(error);
        }
        if !cell.has_statements && cell.items.is_empty() {
            return CellStatus::Ok;
        }
        let ended = self.run_rust(&cell, &source);
        if !cell.is_guess || ended.compiled {
            return ended.status;
        }
        // What an unknown macro makes was no item.
        known.unknown_macros_make_items = false;
        let otherwise = self.run_rust(&Cell::parse(code, &known), &source);
        if otherwise.compiled {
            otherwise.status
        } else {
            ended.status
        }
    }

    /// An error of evcxr's own, which may come from the place of the session: there is no room, for instance.
    fn place_error(&self, error: &Error, report: &Report) -> ErrorReport {
        let mut told = dependency_error(report, error);
        let text = told.traceback.join("\n") + &report.diagnostics.concat();
        if let Some(reason) = place::trouble(&self.session.dir, &text) {
            let hint = std::mem::take(&mut told.traceback);
            told = outcome::engine_error(&reason);
            told.traceback.extend(hint);
        }
        told
    }

    /// Has evcxr compile and run a piece of code.
    fn evaluate(
        &mut self,
        code: &str,
        request: Request,
    ) -> (Result<EvalOutputs, Error>, CellEnd, Report) {
        self.serial += 1;
        let refresh = request.refresh;
        let announced = self.announce(&Request {
            serial: self.serial,
            ..request
        });
        if let Err(reason) = announced {
            let end = self.channel.finish_cell();
            return (Err(Error::Message(reason)), end, Report::default());
        }
        self.shared.phase.prepare();
        if let Some(progress) = &self.progress {
            progress.listen(self.silent.load(Ordering::Relaxed));
        }
        let started = Instant::now();
        let result = match &mut self.context {
            Some((context, _)) => catch_unwind(AssertUnwindSafe(|| context.execute(code))).ok(),
            None => None,
        };
        let result = result.unwrap_or_else(|| {
            // evcxr's state cannot be trusted after a panic; the next cell starts another one.
            self.farewell.say();
            self.context = None;
            Err(Error::SubprocessTerminated("evcxr panicked".to_owned()))
        });
        let evcxr_ms = started.elapsed().as_millis();
        if let Some(progress) = &self.progress {
            progress.finish();
        }
        let mut end = self.channel.finish_cell();
        if let Some(told) = &mut end.told {
            told.surroundings
                .take()
                .into_iter()
                .for_each(|changes| self.shared.note_surroundings(changes));
            told.words
                .take()
                .into_iter()
                .for_each(|words| self.shared.note_words(words));
        }
        let report = self.report();
        trace(|| {
            format!(
                "evcxr {evcxr_ms} ms, of which rustc {} ms in {} builds, link {} ms, run {} ms{}",
                report.rustc_ms,
                report.builds,
                report.link_ms,
                end.run_ms,
                if report.through_cargo {
                    ", through cargo"
                } else {
                    ""
                }
            )
        });
        if result.is_ok() {
            self.adopt_dependencies(&report, &end, refresh);
        }
        (result, end, report)
    }

    /// Shows what evcxr itself returns, which is what its commands say.
    fn show(&self, outputs: EvalOutputs) {
        let bundle: MimeBundle = outputs
            .content_by_mime_type
            .into_iter()
            .map(|(mime, text)| (mime, Value::from(text)))
            .collect();
        if !bundle.is_empty() && !self.silent.load(Ordering::Relaxed) {
            (self.sink)(OutputEvent::Result {
                bundle,
                metadata: MimeBundle::new(),
            });
        }
    }

    /// The child is gone, and evcxr has started another one.
    fn lost(&mut self, reason: &str, end: &CellEnd) -> CellStatus {
        self.channel.forget_child();
        self.items.forget_state();
        self.shared.phase.end_programs();
        self.note_folder();
        let (_, killed) = self.shared.phase.end_cell();
        let names = self.shared.table().clear();
        for name in &names {
            self.departed.insert(
                name.clone(),
                format!("`{name}` was lost when the cells' process ended"),
            );
        }
        let startup_text = self
            .context
            .as_ref()
            .map(|(_, text)| std::mem::take(&mut *super::shared::lock(text)));
        let error = outcome::lost(
            reason,
            killed,
            end,
            &names,
            startup_text.as_deref().unwrap_or_default(),
        );
        CellStatus::Lost(error)
    }

    /// Forgets everything, with a new child; says why that cannot start.
    fn reset(&mut self) -> Result<(), String> {
        self.shared.table().clear();
        self.shared.clear_names();
        self.items.clear();
        self.proven.clear();
        self.departed.clear();
        self.dependencies.clear();
        self.farewell.say();
        drop(self.context.take());
        self.channel.forget_child();
        self.shared.phase.end_programs();
        let started = self.start();
        self.shared.help.forget();
        started
    }
}

/// Whether rustc has failed because there was no room.
fn is_full(report: &Report) -> bool {
    report
        .diagnostics
        .iter()
        .any(|it| it.contains("No space left on device") || it.contains("Disk quota exceeded"))
}

/// What cargo says about the dependencies, or else what evcxr says.
fn dependency_error(report: &Report, error: &Error) -> ErrorReport {
    match report.dependency_error.as_str() {
        "" => outcome::evcxr_error(error),
        text => dependencies::error(text),
    }
}

/// Says on standard error how long steps take, with `SWATH_TRACE=1`.
#[expect(
    clippy::print_stderr,
    reason = "asked for by somebody who reads it there"
)]
fn trace(text: impl FnOnce() -> String) {
    static ON: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    if *ON.get_or_init(|| std::env::var_os(environment::TRACE).is_some_and(|value| value == "1")) {
        eprintln!("swath trace: {}", text());
    }
}
