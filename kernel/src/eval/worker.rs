//! The engine's own thread: it holds evcxr, and runs one request after the other.

mod commands;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use evcxr::{CommandContext, Error, EvalOutputs};
use serde_json::Value;

use super::channel::{CellEnd, Channel, ChildEnds};
use super::dependencies::{self, Dependencies};
use super::evcxr_context::{self, Farewell, StartupText};
use super::exchange::{self, Report, Request};
use super::generate::{Generated, Parts, generate};
use super::interface::{
    CellError, CellStatus, EngineOptions, ExecuteOptions, MimeBundle, OutputEvent, Variable,
};
use super::items::{ItemStore, Merged};
use super::library::LibraryFiles;
use super::outcome;
use super::place;
use super::places::Latest;
use super::progress::ProgressPipe;
use super::render;
use super::session::Session;
use super::settings::Settings;
use super::shared::Shared;
use super::source_map::{CellSource, SourceMap};
use super::split::Cell;
use super::variables::VariableTable;
use super::{OutputSink, shape, syntax};

/// What evcxr is given for a cell: `swath-cell` compiles the request's own source in its place.
const EVCXR_STATEMENT: &str = "let _ = ();";

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
    items: ItemStore,
    /// Types that later cells can write, with the hashes of the structures that cells can change.
    proven: BTreeMap<String, Option<u64>>,
    /// Why names that existed once do not any more.
    departed: BTreeMap<String, String>,
    /// What `:fmt`, `:opt` and the like have chosen.
    settings: Settings,
    /// The compiler's errors of the last cell, for `:explain`.
    last_errors: Vec<String>,
}

/// A cell on its way through the engine.
struct Running<'a> {
    cell: &'a Cell,
    source: CellSource,
    merged: &'a Merged,
    generated: Generated,
    /// The places of the items that the cell does not need.
    unneeded: Vec<usize>,
    /// Variables whose types the cell defines anew: they go when it compiles.
    doomed: Vec<String>,
}

/// How a cell ended, and whether it came as far as to run.
struct Ended {
    status: CellStatus,
    compiled: bool,
    /// Types of variables that have another structure with the cell's items: it did not run.
    changed: Vec<String>,
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
                    let status = self.execute(&code, options);
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
        self.announce(&Request::default());
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

    /// Tells `swath-cell` about the build that follows.
    fn announce(&self, request: &Request) {
        let _ = exchange::write(&exchange::request_path(&self.session.dir), request);
    }

    fn execute(&mut self, code: &str, options: ExecuteOptions) -> CellStatus {
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

    fn execute_in_phase(&mut self, code: &str, options: ExecuteOptions) -> CellStatus {
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
            number: options.cell,
            code: code.into(),
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

    /// Compiles and runs the Rust of a cell.
    fn run_rust(&mut self, cell: &Cell, source: &CellSource) -> Ended {
        let ended = self.try_rust(cell, source);
        if ended.changed.is_empty() {
            return ended;
        }
        // The cell does not run with values that are not what it takes them for.
        self.drop_changed(&ended.changed);
        self.try_rust(cell, source)
    }

    fn try_rust(&mut self, cell: &Cell, source: &CellSource) -> Ended {
        let merged = self.items.merge(cell, source);
        let doomed = self.shared.table().of_types(&merged.changed);
        self.shared.set_doomed(doomed.iter().cloned().collect());
        let mut variables = self.shared.table().clone();
        doomed.iter().for_each(|name| variables.remove(name));
        let (running, request) = self.prepare(cell, source, &merged, &variables, false);
        let found: Vec<&str> = found_statics(&running);
        let running = Running { doomed, ..running };
        let ended = self.run_cell(&running, request);
        let is_final = ended.compiled || !ended.changed.is_empty() || found.is_empty();
        if is_final || self.shared.phase.is_interrupted() {
            return ended;
        }
        // A constant may be made from a static: it needs the static's value, not its place.
        let (again, request) = self.prepare(cell, source, &merged, &variables, true);
        let again = Running {
            doomed: running.doomed,
            ..again
        };
        let with_new_statics = self.run_cell(&again, request);
        if !with_new_statics.compiled {
            return ended;
        }
        let names = found.join("`, `");
        (self.sink)(OutputEvent::Stderr(format!(
            "`{names}` began anew for this cell alone: its kept state cannot be used in a constant, or with a type that has a \
             lifetime of its own\n"
        )));
        with_new_statics
    }

    /// Drops the variables of these types: the compiler gives them another structure now.
    fn drop_changed(&mut self, types: &[String]) {
        let mut table = self.shared.table();
        let names: Vec<String> = table
            .iter()
            .filter(|variable| types.contains(&variable.type_name))
            .map(|variable| variable.name.clone())
            .collect();
        for name in &names {
            table.remove(name);
            let reason = format!("`{name}` was dropped: its type has another structure since then");
            self.departed.insert(name.clone(), reason);
        }
        drop(table);
        self.proven.retain(|name, _| !types.contains(name));
        (self.sink)(OutputEvent::Stderr(format!(
            "dropped `{}`: with the definitions of this cell `{}` has another structure\n",
            names.join("`, `"),
            types.join("`, `")
        )));
    }

    /// Generates what is compiled for a cell.
    fn prepare<'a>(
        &self,
        cell: &'a Cell,
        source: &CellSource,
        merged: &'a Merged,
        variables: &VariableTable,
        makes_statics: bool,
    ) -> (Running<'a>, Request) {
        let mut generated = generate(&Parts {
            cell,
            items: &merged.items,
            variables,
            makes_statics,
        });
        self.settings.apply(&mut generated);
        let unneeded = unneeded(merged, &generated);
        let skip = generated
            .pieces
            .iter()
            .filter(|piece| unneeded.contains(&piece.item))
            .map(|piece| (piece.range.start, piece.range.end))
            .collect();
        let request = Request {
            serial: 0,
            file: String::new(),
            check_skipped: self.may_break(merged, &unneeded),
            used: cell.used_after_binding().into_iter().collect(),
            quick: is_quick(cell, merged),
            items_end: generated.items_end,
            source: Some(generated.code.clone()),
            skip,
            proven: self.proven.keys().cloned().collect(),
            expected: self.expected(merged, variables),
            refresh: false,
        };
        let running = Running {
            cell,
            source: source.clone(),
            merged,
            generated,
            unneeded,
            doomed: Vec::new(),
        };
        (running, request)
    }

    /// The types of variables whose structure the cell's items may change.
    fn expected(&self, merged: &Merged, variables: &VariableTable) -> Vec<(String, u64)> {
        if !merged.can_change_types {
            return Vec::new();
        }
        let kept: BTreeSet<&String> = variables
            .iter()
            .map(|variable| &variable.type_name)
            .collect();
        self.proven
            .iter()
            .filter(|(name, _)| kept.contains(name))
            .filter_map(|(name, shape)| Some((name.clone(), (*shape)?)))
            .collect()
    }

    fn run_cell(&mut self, running: &Running<'_>, request: Request) -> Ended {
        let serial = self.serial + 1;
        let request = Request {
            file: exchange::cell_file(serial, running.source.number),
            ..request
        };
        let places = Arc::clone(&self.shared.places);
        places.begin(&Latest {
            serial,
            source: running.source.clone(),
            generated: &running.generated,
            items: &running.merged.items,
            shows_value: running.cell.tail.is_some(),
        });
        let (result, end, report) = self.evaluate(EVCXR_STATEMENT, request);
        places.end();
        let compiled = report.compiled;
        let status = match result {
            Ok(outputs) => {
                self.show(outputs);
                self.tell_broken(running, &report);
                let losses = self.keep(running, &end, &report);
                let status = self.status(&end);
                let was_lost = end.outcome.as_ref().is_some_and(|it| it["kind"] == "lost");
                let losses = if was_lost {
                    outcome::Losses::default()
                } else {
                    losses
                };
                if status == CellStatus::Ok && !losses.unmade.is_empty() {
                    let names = losses.unmade.join("`, `");
                    let text = format!("the cell returned before it made `{names}`\n");
                    (self.sink)(OutputEvent::Stderr(text));
                }
                outcome::with_losses(status, &losses)
            }
            Err(Error::SubprocessTerminated(reason)) => self.lost(&reason, &end),
            Err(_) if self.shared.phase.is_interrupted() => CellStatus::Interrupted(
                outcome::interrupted("the compilation was stopped; all variables are kept"),
            ),
            Err(error) if !report.dependency_error.is_empty() => {
                CellStatus::Error(dependency_error(&report, &error))
            }
            Err(_) if !report.unnameable.is_empty() => CellStatus::Error(render::unnameable_error(
                &report.unnameable,
                &running.source,
            )),
            Err(_) if !report.diagnostics.is_empty() && !is_full(&report) => {
                let error = self.compile_error(running, &report);
                CellStatus::Error(outcome::noting(error, self.library.replaced()))
            }
            Err(error) => {
                let error = self.place_error(&error, &report);
                CellStatus::Error(outcome::noting(error, self.library.replaced()))
            }
        };
        Ended {
            status,
            compiled,
            changed: report.changed,
        }
    }

    /// An error of evcxr's own, which may come from the place of the session: there is no room, for instance.
    fn place_error(&self, error: &Error, report: &Report) -> CellError {
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
        self.announce(&Request {
            serial: self.serial,
            ..request
        });
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
        self.shared.note_surroundings(end.surroundings.take());
        let report: Report =
            exchange::read(&exchange::report_path(&self.session.dir)).unwrap_or_default();
        let report = if report.serial == self.serial {
            report
        } else {
            Report::default()
        };
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

    /// Builds path dependencies anew that were edited; how that ended when the cell cannot go on.
    fn refresh_dependencies(&mut self) -> Option<CellStatus> {
        if !self.dependencies.are_outdated() {
            return None;
        }
        let request = Request {
            refresh: true,
            ..Request::default()
        };
        let (result, end, report) = self.evaluate("let _ = ();", request);
        match result {
            Ok(_) => None,
            Err(Error::SubprocessTerminated(reason)) => Some(self.lost(&reason, &end)),
            Err(_) if self.shared.phase.is_interrupted() => Some(CellStatus::Interrupted(
                outcome::interrupted("the compilation was stopped; all variables are kept"),
            )),
            Err(error) => Some(CellStatus::Error(dependency_error(&report, &error))),
        }
    }

    /// Takes over the dependencies with which something has just run, and drops what was made with others.
    fn adopt_dependencies(&mut self, report: &Report, end: &CellEnd, rebuilt: bool) {
        let (dir, key) = (&self.session.dir, &report.dependencies);
        let change = self.dependencies.adopt(dir, key, rebuilt);
        if !change.renewed.is_empty() {
            self.drop_renewed(&change);
        }
        let reason = end
            .outcome
            .as_ref()
            .filter(|outcome| outcome["kind"] == "load");
        let reason = reason.and_then(|outcome| outcome["message"].as_str());
        if let Some(note) =
            reason.and_then(|reason| Dependencies::give_up_sharing(dir, key, reason))
        {
            (self.sink)(OutputEvent::Stderr(note));
        }
    }

    /// Drops the variables that hold something of crates that are others now.
    fn drop_renewed(&mut self, change: &dependencies::Change) {
        let texts = self.items.items().iter().map(|item| item.text.as_str());
        let reached = dependencies::reached(&change.renewed, texts);
        let mut table = self.shared.table();
        let dropped: Vec<String> = table
            .iter()
            .filter(|variable| {
                let names = reached.as_ref();
                names.is_none_or(|names| dependencies::mentions(&variable.type_name, names))
            })
            .map(|variable| variable.name.clone())
            .collect();
        for name in &dropped {
            table.remove(name);
            let reason =
                format!("`{name}` was dropped when a crate that its type is of was built anew");
            self.departed.insert(name.clone(), reason);
        }
        drop(table);
        if let Some(text) = change.told(&dropped) {
            (self.sink)(OutputEvent::Stderr(text));
        }
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

    /// Takes over what a cell that ran has defined and bound; what it lost.
    fn keep(&mut self, running: &Running<'_>, end: &CellEnd, report: &Report) -> outcome::Losses {
        let kind = |kind: &str| {
            end.outcome
                .as_ref()
                .is_some_and(|outcome| outcome["kind"] == kind)
        };
        let was_loaded = !kind("load") && !kind("cancelled");
        let is_out = |place: usize| report.skipped && running.unneeded.contains(&place);
        self.items
            .replace(&running.merged.items, |place| was_loaded && !is_out(place));
        self.tell_changes(running);
        if !running.cell.items.is_empty() {
            let table = self.shared.table();
            let is_kept = |name: &String| table.iter().any(|variable| variable.type_name == *name);
            self.proven
                .retain(|name, shape| shape.is_none() || is_kept(name));
            drop(table);
            let texts: Vec<&str> = running
                .cell
                .items
                .iter()
                .map(|item| running.cell.item_text(item))
                .collect();
            let mut code = texts.join("\n");
            if code.starts_with("//") {
                // evcxr skips lines of comments before the first line of code, and would lose the documentation.
                code.insert_str(0, "const __SWATH_FIRST: () = ();\n");
            }
            self.shared.help.learn(&code);
            for text in texts {
                self.shared.note_constant(text);
            }
        }
        self.shared.add_names(
            running.merged.items[running.merged.earlier..]
                .iter()
                .flat_map(|item| &item.names)
                .map(|name| name.text.clone()),
        );
        let number = running.source.number;
        let stored: BTreeSet<String> = end.names.iter().cloned().collect();
        let completed = end
            .outcome
            .as_ref()
            .is_some_and(|outcome| outcome["completed"] == true);
        let ended_well = kind("ok") || completed;
        let how = if kind("aside") {
            "lost when the cell that used it was stopped by force,"
        } else {
            "moved by the cell"
        };
        let mut table = self.shared.table();
        let mut losses = outcome::Losses {
            moved: table.retain(&stored),
            ..outcome::Losses::default()
        };
        for name in &losses.moved {
            self.departed
                .insert(name.clone(), format!("`{name}` was {how} In[{number}]"));
        }
        for variable in &report.variables {
            let name = &variable.name;
            if let Some(what) = variable.obstacle() {
                let reason =
                    format!("`{name}` was {what}, which only the cell In[{number}] could use");
                self.departed.insert(name.clone(), reason);
            } else if ended_well && stored.contains(name) {
                self.departed.remove(name);
                let shape = report
                    .shapes
                    .iter()
                    .find(|(name, _)| *name == variable.type_name);
                match shape.map(|(_, shape)| *shape) {
                    _ if shape::is_settled(&variable.type_name) => {
                        self.proven.insert(variable.type_name.clone(), None);
                    }
                    Some(shape) => {
                        self.proven.insert(variable.type_name.clone(), Some(shape));
                    }
                    None => {}
                }
                table.insert(Variable {
                    name: name.clone(),
                    type_name: variable.type_name.clone(),
                    mutable: running.cell.bound.get(name).copied().unwrap_or(false),
                    cell: number,
                });
            } else if table.get(name).is_none() {
                let reason = format!("the cell In[{number}] ended before `{name}` was kept");
                self.departed.insert(name.clone(), reason);
                losses.unmade.push(name.clone());
            }
        }
        losses
    }

    /// Says which variables go because of new definitions, and what else these do.
    fn tell_changes(&mut self, running: &Running<'_>) {
        let quoted = |names: &mut dyn Iterator<Item = &String>| {
            names
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let mut text = String::new();
        if !running.doomed.is_empty() {
            text = format!(
                "dropped {}: made with an earlier definition of {}\n",
                quoted(&mut running.doomed.iter()),
                quoted(&mut running.merged.redefined.iter()),
            );
        }
        for note in &running.merged.notes {
            text.push_str(note);
            text.push('\n');
        }
        if !text.is_empty() {
            (self.sink)(OutputEvent::Stderr(text));
        }
        for name in &running.doomed {
            self.shared.table().remove(name);
            self.departed.insert(
                name.clone(),
                format!("`{name}` was dropped when its type was defined anew"),
            );
        }
        self.shared.set_doomed(BTreeSet::new());
    }

    /// Whether a cell defines anew what an earlier item mentions that is not compiled with it.
    fn may_break(&self, merged: &Merged, unneeded: &[usize]) -> bool {
        let names = self.items.redefined_by(&merged.items[merged.earlier..]);
        !names.is_empty()
            && unneeded
                .iter()
                .filter_map(|place| merged.items.get(*place))
                .any(|item| item.links.mentions(&names))
    }

    /// Tells of earlier items that a cell has broken.
    fn tell_broken(&self, running: &Running<'_>, report: &Report) {
        if report.diagnostics.is_empty() {
            return;
        }
        let items = &running.merged.items;
        let map = SourceMap::new(&report.source, &running.source, &running.generated, items);
        for text in render::broken(&report.diagnostics, &map, items) {
            (self.sink)(OutputEvent::Stderr(text));
        }
    }

    fn status(&mut self, end: &CellEnd) -> CellStatus {
        let failed_to_load = end
            .outcome
            .as_ref()
            .is_some_and(|outcome| outcome["kind"] == "load");
        let replaced = self.library.replaced().filter(|_| failed_to_load);
        let forbidden = place::trouble(&self.session.dir, "").filter(|_| failed_to_load);
        let status = match (replaced, forbidden) {
            (Some(what), _) => CellStatus::Error(outcome::library_replaced(&what)),
            (None, Some(reason)) => CellStatus::Error(outcome::engine_error(&reason)),
            (None, None) => {
                outcome::status(end, &self.shared.places, self.shared.phase.is_interrupted())
            }
        };
        if let Some(Value::Array(names)) = end.outcome.as_ref().map(|outcome| &outcome["names"]) {
            let mut table = self.shared.table();
            names
                .iter()
                .filter_map(Value::as_str)
                .for_each(|name| table.remove(name));
        }
        status
    }

    fn compile_error(&mut self, running: &Running<'_>, report: &Report) -> CellError {
        self.last_errors.clone_from(&report.diagnostics);
        let map = SourceMap::new(
            &report.source,
            &running.source,
            &running.generated,
            &running.merged.items,
        );
        for name in render::unloadable(&report.diagnostics, &map) {
            let type_name = self
                .shared
                .table()
                .get(&name)
                .map(|variable| variable.type_name.clone())
                .unwrap_or_default();
            self.shared.table().remove(&name);
            self.departed.insert(
                name.clone(),
                format!("`{name}` was dropped: its type `{type_name}` cannot be named here"),
            );
        }
        render::compile_error(&report.diagnostics, &map, &|name| {
            if running.doomed.iter().any(|doomed| doomed == name) {
                return Some(format!(
                    "`{name}` was made with an earlier definition of what this cell defines anew"
                ));
            }
            self.departed.get(name).cloned()
        })
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
fn dependency_error(report: &Report, error: &Error) -> CellError {
    match report.dependency_error.as_str() {
        "" => outcome::evcxr_error(error),
        text => dependencies::error(text),
    }
}

/// Whether a cell can run unoptimised without anybody noticing: it repeats nothing, and none of the code that
/// cells have defined (which is compiled with it) can be called from it.
fn is_quick(cell: &Cell, merged: &Merged) -> bool {
    !cell.repeats
        && !merged
            .items
            .iter()
            .flat_map(|item| item.links.functions())
            .any(|name| cell.mentioned.contains(name))
}

/// The places of the earlier items that a cell does not need. `SWATH_KEEP_ITEMS=1` has every cell compiled with all.
fn unneeded(merged: &Merged, generated: &Generated) -> Vec<usize> {
    if std::env::var_os("SWATH_KEEP_ITEMS").is_some_and(|value| value == "1") {
        return Vec::new();
    }
    let mut code = generated.code[generated.items_end..].to_owned();
    for item in &merged.items[merged.earlier..] {
        code.push('\n');
        code.push_str(&item.text);
    }
    ItemStore::unneeded(&merged.items, merged.earlier, &code)
}

/// The statics that a cell finds in earlier objects.
fn found_statics<'a>(running: &Running<'a>) -> Vec<&'a str> {
    running
        .merged
        .items
        .iter()
        .enumerate()
        .filter(|(place, _)| !running.unneeded.contains(place))
        .filter_map(|(_, item)| item.state.as_ref().filter(|state| state.made))
        .flat_map(|state| state.texts.names.iter().map(String::as_str))
        .collect()
}

/// Says on standard error how long steps take, with `SWATH_TRACE=1`.
fn trace(text: impl FnOnce() -> String) {
    static ON: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    if *ON.get_or_init(|| std::env::var_os("SWATH_TRACE").is_some_and(|value| value == "1")) {
        eprintln!("swath trace: {}", text());
    }
}
