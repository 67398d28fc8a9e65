//! The engine's own thread: it holds evcxr, and runs one request after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use evcxr::{CommandContext, Error, EvalOutputs};
use serde_json::Value;

use super::channel::{CellEnd, Channel, ChildEnds};
use super::evcxr_context::{self, StartupText};
use super::exchange::{self, Report, Request, unnameable};
use super::generate::{Generated, generate, impl_key, type_items};
use super::interface::{
    CellError, CellStatus, EngineOptions, ExecuteOptions, MimeBundle, OutputEvent, Variable,
};
use super::library::LibraryFiles;
use super::outcome;
use super::render;
use super::session::Session;
use super::shared::Shared;
use super::source_map::{CellSource, KnownItem, SourceMap, known_items};
use super::split::{Cell, function_names};
use super::variables::TypeTexts;
use super::{OutputSink, prune, syntax};

/// A request with the place for its answer.
pub(crate) enum Job {
    Execute(
        String,
        ExecuteOptions,
        tokio::sync::oneshot::Sender<CellStatus>,
    ),
    Reset(tokio::sync::oneshot::Sender<()>),
    Shutdown,
}

pub(crate) struct Worker {
    options: EngineOptions,
    session: &'static Session,
    sink: Arc<OutputSink>,
    shared: Arc<Shared>,
    channel: Channel,
    child_ends: ChildEnds,
    silent: Arc<AtomicBool>,
    context: Option<(CommandContext, StartupText)>,
    /// The library that the cells' process has loaded.
    library: LibraryFiles,
    serial: u64,
    items: Vec<KnownItem>,
    types: TypeTexts,
    /// The functions, methods and macros that cells have defined.
    functions: BTreeSet<String>,
    /// Anchors of `impl` blocks: header, member names, name of the constant before it.
    impls: Vec<(String, Vec<String>, String)>,
    /// Why names that existed once do not any more.
    departed: BTreeMap<String, String>,
}

/// A cell on its way through the engine.
struct Running<'a> {
    cell: &'a Cell,
    source: CellSource,
    items: Vec<KnownItem>,
    generated: Generated,
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
        Ok(Self {
            options,
            session,
            sink,
            shared,
            channel,
            child_ends,
            silent,
            context: None,
            library: LibraryFiles::default(),
            serial: 0,
            items: Vec::new(),
            types: TypeTexts::default(),
            functions: BTreeSet::new(),
            impls: Vec::new(),
            departed: BTreeMap::new(),
        })
    }

    pub(crate) fn run(mut self, jobs: &mpsc::Receiver<Job>) {
        let _ = self.start();
        self.shared.help.start(&self.options, self.session);
        for job in jobs {
            match job {
                Job::Execute(code, options, answer) => {
                    let status = self.execute(&code, options);
                    self.shared.job_done();
                    let _ = answer.send(status);
                }
                Job::Reset(answer) => {
                    self.reset();
                    self.shared.job_done();
                    let _ = answer.send(());
                }
                Job::Shutdown => break,
            }
        }
        self.channel.stop();
        drop(self.context.take());
        self.session.remove();
    }

    /// Starts evcxr, or says why it cannot.
    fn start(&mut self) -> Result<(), String> {
        if self.context.is_some() {
            return Ok(());
        }
        let started = Instant::now();
        self.shared.set_started(false);
        self.announce(&Request::default());
        self.library = LibraryFiles::of(&self.options.lib_dir);
        let (options, session, ends) = (&self.options, self.session, &self.child_ends);
        let result = catch_unwind(AssertUnwindSafe(|| {
            evcxr_context::start(options, session, ends)
        }))
        .unwrap_or_else(|_| Err("evcxr panicked while it started".to_owned()));
        let _ = self.channel.finish_cell();
        self.shared.set_started(true);
        trace(|| format!("engine started in {} ms", started.elapsed().as_millis()));
        self.context = Some(result?);
        Ok(())
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
        let cell = Cell::parse(code);
        for command in &cell.commands {
            match self.command(command) {
                CellStatus::Ok => {}
                other => return other,
            }
        }
        let source = CellSource {
            number: options.cell,
            code: code.into(),
        };
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
        self.drop_redefined(&cell);
        let table = self.shared.table().clone();
        let impls = &mut self.impls;
        let generated = generate(&cell, &table, |text| impl_anchor(impls, text));
        let items = known_items(&cell, &source);
        let used = cell.used_after_binding().into_iter().collect();
        let request = Request {
            serial: 0,
            file: String::new(),
            used,
            quick: self.is_quick(&cell),
            skip: self.unneeded(&items, &generated.code),
            check_skipped: self.may_break(&items),
        };
        self.run_cell(
            &Running {
                cell: &cell,
                source,
                items,
                generated,
            },
            request,
        )
    }

    /// Whether a cell can run unoptimised without anybody noticing: it repeats nothing, and none of the code that
    /// cells have defined (which is compiled with it) can be called from it.
    fn is_quick(&self, cell: &Cell) -> bool {
        let own = function_names(cell);
        !cell.repeats
            && !cell
                .used
                .keys()
                .any(|name| self.functions.contains(name) || own.contains(name))
    }

    /// The texts of earlier items that this cell does not need. Those that it defines anew are not among evcxr's any more.
    /// `SWATH_KEEP_ITEMS=1` has every cell compiled with everything.
    fn unneeded(&self, new: &[KnownItem], code: &str) -> Vec<String> {
        if std::env::var_os("SWATH_KEEP_ITEMS").is_some_and(|value| value == "1") {
            return Vec::new();
        }
        let earlier: Vec<&KnownItem> = self
            .items
            .iter()
            .filter(|old| !new.iter().any(|new| new.text() == old.text()))
            .collect();
        let links: Vec<_> = earlier.iter().map(|item| &item.links).collect();
        prune::unneeded(&links, code)
            .into_iter()
            .map(|place| earlier[place].text().to_owned())
            .collect()
    }

    /// Whether these items define anew what earlier ones mention.
    fn may_break(&self, new: &[KnownItem]) -> bool {
        let redefined: BTreeSet<String> = new
            .iter()
            .flat_map(|new| {
                let others = self.items.iter().filter(|old| old.text() != new.text());
                others.flat_map(|old| new.links.shared_names(&old.links))
            })
            .cloned()
            .collect();
        let is_replaced = |old: &KnownItem| old.links.names_one_of(&redefined);
        !redefined.is_empty()
            && self
                .items
                .iter()
                .any(|old| !is_replaced(old) && old.links.mentions(redefined.iter()))
    }

    /// Tells of earlier items that a cell has broken.
    fn tell_broken(&self, running: &Running<'_>, report: &Report) {
        if report.diagnostics.is_empty() {
            return;
        }
        let map = SourceMap::new(
            &report.source,
            &running.source,
            &running.generated,
            running.items.iter().chain(&self.items),
        );
        for text in render::broken(&report.diagnostics, &map, &self.items) {
            (self.sink)(OutputEvent::Stderr(text));
        }
    }

    fn run_cell(&mut self, running: &Running<'_>, request: Request) -> CellStatus {
        let serial = self.serial + 1;
        let known = running.items.iter().chain(&self.items);
        let places = Arc::clone(&self.shared.places);
        places.begin(serial, &running.source, &running.generated, known);
        let request = Request {
            file: exchange::cell_file(serial, running.source.number),
            ..request
        };
        let (result, end, report) = self.evaluate(&running.generated.code, request);
        places.end(result.is_ok());
        match result {
            Ok(outputs) => {
                self.show(outputs);
                self.tell_broken(running, &report);
                self.keep(running, &end, &report);
                self.status(&end)
            }
            Err(Error::SubprocessTerminated(reason)) => self.lost(&reason, &end),
            Err(_) if self.shared.phase.is_interrupted() => CellStatus::Interrupted(
                outcome::interrupted("the compilation was stopped; all variables are kept"),
            ),
            Err(_) if !report.unnameable.is_empty() => CellStatus::Error(render::unnameable_error(
                &report.unnameable,
                &running.source,
            )),
            Err(_) if !report.diagnostics.is_empty() => {
                let error = self.compile_error(running, &report);
                CellStatus::Error(outcome::noting(error, self.library.replaced()))
            }
            Err(error) => {
                let error = outcome::evcxr_error(&error);
                CellStatus::Error(outcome::noting(error, self.library.replaced()))
            }
        }
    }

    /// Has evcxr compile and run a piece of code.
    fn evaluate(
        &mut self,
        code: &str,
        request: Request,
    ) -> (Result<EvalOutputs, Error>, CellEnd, Report) {
        self.serial += 1;
        self.announce(&Request {
            serial: self.serial,
            ..request
        });
        let started = Instant::now();
        let result = match &mut self.context {
            Some((context, _)) => catch_unwind(AssertUnwindSafe(|| context.execute(code))).ok(),
            None => None,
        };
        let result = result.unwrap_or_else(|| {
            // evcxr's state cannot be trusted after a panic; the next cell starts another one.
            self.context = None;
            Err(Error::SubprocessTerminated("evcxr panicked".to_owned()))
        });
        let evcxr_ms = started.elapsed().as_millis();
        let end = self.channel.finish_cell();
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

    /// Takes over what a cell that ran has defined and bound.
    fn keep(&mut self, running: &Running<'_>, end: &CellEnd, report: &Report) {
        self.items
            .retain(|old| !running.items.iter().any(|new| new.text() == old.text()));
        self.items.extend(running.items.iter().cloned());
        if !running.cell.items.is_empty() {
            self.shared.help.learn(running.generated.items());
        }
        self.types.define(type_items(running.cell));
        self.functions.extend(function_names(running.cell));
        self.shared.add_names(
            running
                .cell
                .items
                .iter()
                .filter_map(|item| item.name.clone()),
        );
        let number = running.source.number;
        let stored: BTreeSet<String> = end.names.iter().cloned().collect();
        let ended_well = end
            .outcome
            .as_ref()
            .is_some_and(|outcome| outcome["kind"] == "ok");
        let mut table = self.shared.table();
        for name in table.retain(&stored) {
            self.departed.insert(
                name.clone(),
                format!("`{name}` was moved by the cell In[{number}]"),
            );
        }
        for variable in report.variables.iter().filter(|_| ended_well) {
            let (name, type_name) = (&variable.name, &variable.type_name);
            match unnameable(type_name) {
                Some(what) => {
                    let reason =
                        format!("`{name}` was {what}, which only the cell In[{number}] could use");
                    self.departed.insert(name.clone(), reason);
                }
                None if stored.contains(name) => {
                    self.departed.remove(name);
                    table.insert(Variable {
                        name: name.clone(),
                        type_name: type_name.clone(),
                        mutable: running.cell.bound.get(name).copied().unwrap_or(false),
                        cell: number,
                    });
                }
                None => {}
            }
        }
    }

    fn status(&mut self, end: &CellEnd) -> CellStatus {
        let failed_to_load = end
            .outcome
            .as_ref()
            .is_some_and(|outcome| outcome["kind"] == "load");
        let status = match self.library.replaced().filter(|_| failed_to_load) {
            Some(what) => CellStatus::Error(outcome::library_replaced(&what)),
            None => outcome::status(end, &self.shared.places, self.shared.phase.is_interrupted()),
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
        let map = SourceMap::new(
            &report.source,
            &running.source,
            &running.generated,
            running.items.iter().chain(&self.items),
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
            self.departed.get(name).cloned()
        })
    }

    /// The child is gone, and evcxr has started another one.
    fn lost(&mut self, reason: &str, end: &CellEnd) -> CellStatus {
        self.channel.forget_child();
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

    /// Drops the variables of types that the cell defines anew.
    fn drop_redefined(&mut self, cell: &Cell) {
        let changed = self.types.changed_by(type_items(cell));
        let dropped = self.shared.table().of_types(&changed);
        if dropped.is_empty() {
            return;
        }
        let names = dropped
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ");
        let types = changed
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ");
        (self.sink)(OutputEvent::Stderr(format!(
            "dropped {names}: made with an earlier definition of {types}\n"
        )));
        for name in &dropped {
            self.shared.table().remove(name);
            self.departed.insert(
                name.clone(),
                format!("`{name}` was dropped when its type was defined anew"),
            );
        }
    }

    /// Runs one of evcxr's commands.
    fn command(&mut self, line: &str) -> CellStatus {
        match line.split_whitespace().next() {
            Some(":vars") => {
                let text = self
                    .shared
                    .table()
                    .iter()
                    .fold(String::new(), |text, variable| {
                        let mutable = if variable.mutable { "mut " } else { "" };
                        format!("{text}{mutable}{}: {}\n", variable.name, variable.type_name)
                    });
                (self.sink)(OutputEvent::Stdout(text));
                CellStatus::Ok
            }
            Some(":clear" | ":restart") => {
                self.reset();
                CellStatus::Ok
            }
            Some(":quit") => {
                let hint = "shut the kernel down from the notebook instead";
                CellStatus::Error(outcome::command_error(
                    "`:quit` would end the kernel under the notebook",
                    Some(hint),
                ))
            }
            _ => {
                let (result, end, report) = self.evaluate(line, Request::default());
                match result {
                    Ok(outputs) => {
                        self.show(outputs);
                        if line.starts_with(":dep") {
                            self.shared.help.learn(line);
                        }
                        CellStatus::Ok
                    }
                    Err(Error::SubprocessTerminated(reason)) => self.lost(&reason, &end),
                    Err(_) if self.shared.phase.is_interrupted() => CellStatus::Interrupted(
                        outcome::interrupted("the command was stopped; all variables are kept"),
                    ),
                    Err(error) if report.diagnostics.is_empty() => {
                        CellStatus::Error(outcome::evcxr_error(&error))
                    }
                    Err(_) => {
                        let source = CellSource {
                            number: 0,
                            code: line.into(),
                        };
                        let generated = Generated::default();
                        let map =
                            SourceMap::new(&report.source, &source, &generated, self.items.iter());
                        CellStatus::Error(render::compile_error(&report.diagnostics, &map, &|_| {
                            None
                        }))
                    }
                }
            }
        }
    }

    fn reset(&mut self) {
        self.shared.table().clear();
        self.shared.clear_names();
        self.items.clear();
        self.types.clear();
        self.functions.clear();
        self.impls.clear();
        self.departed.clear();
        drop(self.context.take());
        self.channel.forget_child();
        let _ = self.start();
        self.shared.help.forget();
    }
}

/// The name of the constant before an `impl` block: the same for a block that replaces an earlier one.
fn impl_anchor(impls: &mut Vec<(String, Vec<String>, String)>, text: &str) -> String {
    let (header, members) = impl_key(text);
    let replaced = impls.iter_mut().find(|(old_header, old_members, _)| {
        *old_header == header
            && (members.is_empty() || members.iter().any(|member| old_members.contains(member)))
    });
    if let Some((_, old_members, anchor)) = replaced {
        *old_members = members;
        return anchor.clone();
    }
    let anchor = format!("__SWATH_IMPL_{}", impls.len() + 1);
    impls.push((header, members, anchor.clone()));
    anchor
}

/// Says on standard error how long steps take, with `SWATH_TRACE=1`.
fn trace(text: impl FnOnce() -> String) {
    static ON: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    if *ON.get_or_init(|| std::env::var_os("SWATH_TRACE").is_some_and(|value| value == "1")) {
        eprintln!("swath trace: {}", text());
    }
}
