//! A cell's Rust on its way: generated, compiled, run; what it brings is kept, what it costs is told.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use evcxr::Error;
use strsim::levenshtein;
use swath_link::exchange::{self, Report, Request};
use swath_link::message::Outcome;
use swath_link::types::short_type;

use super::super::channel::CellEnd;
use super::super::generate::{Generated, Parts, generate};
use super::super::interface::{CellStatus, ErrorReport, OutputEvent, Variable};
use super::super::items::{Erasing, ItemStore, Merged};
use super::super::places::Latest;
use super::super::source_map::{CellSource, SourceMap};
use super::super::split::Cell;
use super::super::variables::VariableTable;
use super::super::{notes, outcome, place, render, shape};
use super::{Proven, Worker, dependency_error, is_full};
use crate::advice;

/// What evcxr is given for a cell: `swath-cell` compiles the request's own source in its place.
const EVCXR_STATEMENT: &str = "let _ = ();";

/// A cell on its way through the engine.
pub(super) struct Running<'a> {
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
pub(super) struct Ended {
    pub(super) status: CellStatus,
    pub(super) compiled: bool,
    /// Types of variables that have another structure with the cell's items: it did not run.
    changed: Vec<String>,
}

impl Worker {
    /// Compiles and runs the Rust of a cell.
    pub(super) fn run_rust(&mut self, cell: &Cell, source: &CellSource) -> Ended {
        let ended = self.try_rust(cell, source);
        if ended.changed.is_empty() {
            return ended;
        }
        // The cell does not run with values that are not what it takes them for.
        self.drop_changed(&ended.changed);
        self.identity += 1;
        self.try_rust(cell, source)
    }

    pub(super) fn try_rust(&mut self, cell: &Cell, source: &CellSource) -> Ended {
        let merged = self.items.merge(cell, source);
        let mut doomed = self.shared.table().of_types(&merged.changed);
        if let Some(erasing) = &merged.erasing {
            doomed.extend(self.erasing(erasing, &doomed));
        }
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

    /// The further variables that may hold values of changed types without naming them.
    fn erasing(&self, erasing: &Erasing, doomed: &[String]) -> Vec<String> {
        let table = self.shared.table();
        let can = |type_name: &str| {
            let parts = self.proven.get(type_name).map(|proven| proven.erased);
            erasing.can_be_in(type_name, parts.unwrap_or_default())
        };
        table
            .iter()
            .filter(|variable| !doomed.contains(&variable.name) && can(&variable.type_name))
            .map(|variable| variable.name.clone())
            .collect()
    }

    /// Drops the variables of these types: the compiler gives them another structure now.
    pub(super) fn drop_changed(&mut self, types: &[String]) {
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
    pub(super) fn prepare<'a>(
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
            identity: self.identity_with(merged),
            check_skipped: self.may_break(merged, &unneeded),
            used: cell.used_after_binding().into_iter().collect(),
            quick: is_quick(cell, merged),
            items_end: generated.items_end,
            source: Some(generated.code.clone()),
            skip,
            proven: self.still_proven(variables),
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

    /// The identity of the types that a cell is compiled with. One that it only tries is nobody's: the next takes it.
    fn identity_with(&self, merged: &Merged) -> u64 {
        self.identity + u64::from(!merged.changed.is_empty())
    }

    /// The types that need no proof: those of the library, and those of the variables that the cell leaves.
    fn still_proven(&self, variables: &VariableTable) -> Vec<String> {
        let kept: BTreeSet<&String> = variables.iter().map(|it| &it.type_name).collect();
        self.proven
            .iter()
            .filter(|(name, proven)| proven.shape.is_none() || kept.contains(name))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// The types of variables whose structure the cell's items may change.
    pub(super) fn expected(
        &self,
        merged: &Merged,
        variables: &VariableTable,
    ) -> Vec<(String, u64)> {
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
            .filter_map(|(name, proven)| Some((name.clone(), proven.shape?)))
            .collect()
    }

    pub(super) fn run_cell(&mut self, running: &Running<'_>, request: Request) -> Ended {
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
                self.warn(running, &report);
                let losses = self.keep(running, &end, &report);
                let status = self.status(&end);
                let losses = if matches!(end.outcome(), Some(Outcome::Lost { .. })) {
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
                let is_about_the_cell = error.traceback.iter().any(|line| line.contains("In["));
                CellStatus::Error(match self.library.replaced() {
                    // Our own lines do not fit the other library.
                    Some(what) if !is_about_the_cell => outcome::library_replaced(&what),
                    replaced => outcome::noting(error, replaced),
                })
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

    /// Takes over what a cell that ran has defined and bound; what it lost.
    pub(super) fn keep(
        &mut self,
        running: &Running<'_>,
        end: &CellEnd,
        report: &Report,
    ) -> outcome::Losses {
        let outcome = end.outcome();
        let was_loaded = !matches!(outcome, Some(Outcome::Load { .. } | Outcome::Cancelled));
        if was_loaded {
            self.identity = self.identity_with(running.merged);
        }
        let is_out = |place: usize| report.skipped && running.unneeded.contains(&place);
        self.items
            .replace(&running.merged.items, |place| was_loaded && !is_out(place));
        self.tell_changes(running);
        if !running.cell.items.is_empty() {
            let table = self.shared.table();
            let is_kept = |name: &String| table.iter().any(|variable| variable.type_name == *name);
            self.proven
                .retain(|name, proven| proven.shape.is_none() || is_kept(name));
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
        let told = end.told.as_ref();
        let completed = told.is_some_and(|told| told.completed);
        let ended_well = matches!(outcome, Some(Outcome::Ok)) || completed;
        let was_put_aside = matches!(outcome, Some(Outcome::Aside { .. }));
        let how = if was_put_aside {
            "lost when the cell that used it was stopped by force,"
        } else {
            "moved by the cell"
        };
        let mut table = self.shared.table();
        // When nobody said what is in the store, everything still is, as far as anybody knows.
        let stored: BTreeSet<String> = match told {
            Some(told) => told.names.iter().cloned().collect(),
            None => table.iter().map(|variable| variable.name.clone()).collect(),
        };
        let mut losses = outcome::Losses {
            moved: table.retain(&stored),
            ..outcome::Losses::default()
        };
        let keep = if was_put_aside {
            ""
        } else {
            " (`.clone()` there keeps it, or `&` lends it)"
        };
        for name in &losses.moved {
            self.departed.insert(
                name.clone(),
                format!("`{name}` was {how} In[{number}]{keep}"),
            );
        }
        for variable in &report.variables {
            let name = &variable.name;
            if let Some(what) = variable.obstacle() {
                let reason =
                    format!("`{name}` was {what}, which only the cell In[{number}] could use");
                self.departed.insert(name.clone(), reason);
            } else if ended_well && stored.contains(name) {
                self.departed.remove(name);
                let told = report
                    .shapes
                    .iter()
                    .find(|(name, ..)| *name == variable.type_name);
                let is_settled = shape::is_settled(&variable.type_name);
                if let Some(&(_, shape, erased)) = told.filter(|_| !is_settled) {
                    let shape = Some(shape);
                    self.proven
                        .insert(variable.type_name.clone(), Proven { shape, erased });
                } else if is_settled {
                    // What a type of the library holds inside is the library's own.
                    self.proven
                        .insert(variable.type_name.clone(), Proven::default());
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
            } else if !ended_well && running.cell.bound.contains_key(name) {
                losses.unreplaced.push(name.clone());
            }
        }
        losses.unreplaced.sort();
        losses
    }

    /// Says which variables go because of new definitions, and what else these do.
    pub(super) fn tell_changes(&mut self, running: &Running<'_>) {
        let quoted = |names: &mut dyn Iterator<Item = &String>| {
            names
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let mut text = String::new();
        let named = self.shared.table().of_types(&running.merged.changed);
        let (named, unnamed): (Vec<&String>, Vec<&String>) =
            running.doomed.iter().partition(|name| named.contains(name));
        let redefined = quoted(&mut running.merged.redefined.iter());
        if !named.is_empty() {
            let names = quoted(&mut named.into_iter());
            text = format!("dropped {names}: made with an earlier definition of {redefined}\n");
        }
        if !unnamed.is_empty() {
            let names = quoted(&mut unnamed.into_iter());
            let _ = writeln!(
                text,
                "dropped {names}: a `dyn Any` or `dyn Error` may hold a value of the earlier definition of {redefined}, and \
                 would take it for one of the new"
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
    pub(super) fn may_break(&self, merged: &Merged, unneeded: &[usize]) -> bool {
        let names = self.items.redefined_by(&merged.items[merged.earlier..]);
        !names.is_empty()
            && unneeded
                .iter()
                .filter_map(|place| merged.items.get(*place))
                .any(|item| item.links.mentions(&names))
    }

    /// Tells of earlier items that a cell has broken.
    pub(super) fn tell_broken(&self, running: &Running<'_>, report: &Report) {
        if report.diagnostics.is_empty() {
            return;
        }
        let items = &running.merged.items;
        let map = SourceMap::new(&report.source, &running.source, &running.generated, items);
        for text in render::broken(&report.diagnostics, &map, items) {
            (self.sink)(OutputEvent::Stderr(text));
        }
    }

    /// Shows what the compiler warns of in a cell that ran.
    fn warn(&mut self, running: &Running<'_>, report: &Report) {
        let items = &running.merged.items;
        let map = SourceMap::new(&report.source, &running.source, &running.generated, items);
        for text in render::warnings(&report.warnings, &map) {
            (self.sink)(OutputEvent::Stderr(text));
        }
        if running.cell.tail.is_some()
            && let Some(note) = advice::of_value(running.source.text(), &|name| {
                self.shared.table().get(name).is_some()
            })
        {
            (self.sink)(OutputEvent::Stderr(format!("note: {note}\n")));
        }
    }

    pub(super) fn status(&mut self, end: &CellEnd) -> CellStatus {
        let failed_to_load = matches!(end.outcome(), Some(Outcome::Load { .. }));
        let replaced = self.library.replaced().filter(|_| failed_to_load);
        let forbidden = place::trouble(&self.session.dir, "").filter(|_| failed_to_load);
        let status = match (replaced, forbidden) {
            (Some(what), _) => CellStatus::Error(outcome::library_replaced(&what)),
            (None, Some(reason)) => CellStatus::Error(outcome::engine_error(&reason)),
            (None, None) => {
                outcome::status(end, &self.shared.places, self.shared.phase.is_interrupted())
            }
        };
        if let Some(Outcome::Lost { names } | Outcome::Aside { names }) = end.outcome() {
            let mut table = self.shared.table();
            names.iter().for_each(|name| table.remove(name));
        }
        status
    }

    pub(super) fn compile_error(&mut self, running: &Running<'_>, report: &Report) -> ErrorReport {
        self.last_errors.clone_from(&report.diagnostics);
        let map = SourceMap::new(
            &report.source,
            &running.source,
            &running.generated,
            &running.merged.items,
        );
        let diagnostics = render::Diagnostic::read(&report.diagnostics, |name| {
            let mut items = running.merged.items.iter();
            items.any(|item| item.defines(name))
        });
        for name in render::unloadable(&diagnostics, &map) {
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
        if let Some((magic, names)) = notes::missing_for_magic(&diagnostics, &map) {
            return self.missing_steps(magic, &names);
        }
        if let Some((magic, of_type, method)) = notes::magic_of_another_type(&diagnostics, &map) {
            let hint = match advice::of_another(&of_type, &method) {
                Some(instead) => instead.to_owned(),
                None => format!(
                    "`{magic}?` says what it takes; `%who` lists the variables with their types"
                ),
            };
            let of_type = short_type(&of_type);
            return outcome::usage_error(
                &format!("{magic} does not work on a value of type `{of_type}`"),
                &hint,
            );
        }
        if let Some(magic) = notes::magic_that_does_not_fit(&diagnostics, &map) {
            return outcome::usage_error(
                &format!("{magic} does not work on variables of these types"),
                &format!(
                    "`{magic}?` says what it takes; `%who` lists the variables with their types"
                ),
            );
        }
        render::compile_error(&diagnostics, &map, &|name| {
            if running.doomed.iter().any(|doomed| doomed == name) {
                return Some(format!(
                    "`{name}` was made with an earlier definition of what this cell defines anew"
                ));
            }
            self.departed
                .get(name)
                .cloned()
                .or_else(|| self.step_of(name))
                .or_else(|| self.similar(name))
        })
    }

    /// How a variable of the way from a file to scores is made.
    fn step_of(&self, name: &str) -> Option<String> {
        let place = STEPS.iter().position(|(_, makes)| makes.contains(&name))?;
        let table = self.shared.table();
        let is_there = |made: &&str| table.get(made).is_some();
        let missing = STEPS[..=place]
            .iter()
            .filter(|(_, makes)| !makes.iter().any(&is_there));
        let steps: Vec<String> = missing.map(|(step, _)| format!("`{step}`")).collect();
        let how = RUST_STEPS[place];
        Some(if steps.is_empty() {
            format!("`{name}` is made by {how}")
        } else {
            format!(
                "`{name}` is made by {}; in Rust by {how}",
                steps.join(", then ")
            )
        })
    }

    /// The variable whose name is nearly that.
    fn similar(&self, name: &str) -> Option<String> {
        // One letter is like any other one, and a word of Python's is meant as such.
        if name.chars().count() < 3 {
            return None;
        }
        let table = self.shared.table();
        let near = table
            .iter()
            .map(|variable| {
                let is_case = variable.name.eq_ignore_ascii_case(name);
                let distance = if is_case {
                    0
                } else {
                    levenshtein(&variable.name, name)
                };
                (distance, &variable.name)
            })
            .min()?;
        // Two letters the wrong way round are two changes.
        let allowed = match advice::of_name(name) {
            Some(_) => 0,
            None => ((name.len() + 1) / 3).max(1),
        };
        (near.0 <= allowed).then(|| format!("there is a variable of a similar name: `{}`", near.1))
    }

    /// The error of a magic whose variables are not there: with the steps that make them, in their order.
    fn missing_steps(&self, magic: &str, names: &[String]) -> ErrorReport {
        let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let message = format!(
            "{magic} needs {}, which {} not there",
            quoted.join(" and "),
            if names.len() == 1 { "is" } else { "are" }
        );
        let table = self.shared.table();
        let is_there = |name: &str| table.get(name).is_some();
        let last = STEPS.iter().rposition(|(_, makes)| {
            makes
                .iter()
                .any(|made| names.iter().any(|name| name == made))
        });
        let steps: Vec<String> = STEPS[..last.map_or(0, |last| last + 1)]
            .iter()
            .filter(|(_, makes)| !makes.iter().any(|made| is_there(made)))
            .map(|(step, _)| format!("`{step}`"))
            .collect();
        // `similar` looks into it, too.
        drop(table);
        let mut hints: Vec<String> = names
            .iter()
            .filter_map(|name| self.departed.get(name).cloned())
            .collect();
        if steps.is_empty() {
            hints.extend(names.iter().filter_map(|name| self.similar(name)));
            if hints.is_empty() {
                hints.push("`%who` lists the variables".to_owned());
            }
        } else {
            hints.push(format!("run {} first", steps.join(", then ")));
        }
        outcome::usage_error(&message, &hints.join("; "))
    }
}

/// The magics of the way from a file to scores, with the variables that they make.
const STEPS: [(&str, &[&str]); 5] = [
    ("%scene FILE labels=FILE class=NAME", &["scene"]),
    ("%split 0.75", &["train", "valid"]),
    ("%chips 400 256", &["chips"]),
    ("%fit", &["run"]),
    ("%predict", &["map"]),
];

/// The same steps in Rust.
const RUST_STEPS: [&str; 5] = [
    "`let scene = Scene::open(\"scene.tif\")?.with_labels(\"labels.gpkg\", \"class\")?;`",
    "`let (train, valid) = scene.split(Split::columns(0.75));`",
    "`let chips = train.chips(Chips::random(400, 256))?;`",
    "`let run = Segmenter::new(Unet::resnet18(), scene.classes()).fit(&chips, &valid, FitOptions::epochs(10))?;`",
    "`let map = run.best().predict(&scene)?;`",
];

/// Whether a cell can run unoptimized without anybody noticing: it repeats nothing, and none of the code that
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
    if std::env::var_os(swath_link::environment::KEEP_ITEMS).is_some_and(|value| value == "1") {
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
