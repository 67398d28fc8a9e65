//! What the handle can answer without the engine's thread: the variables, the names, whether anything runs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use swath_link::exchange::{self, Report};
use swath_link::message::{Names, Surroundings, Words};

use super::help::Help;
use super::phase::Phase;
use super::places::Places;
use super::variables::VariableTable;
use crate::log;

/// Shared between the handle and the engine's threads.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) phase: Arc<Phase>,
    pub(crate) places: Arc<Places>,
    table: Mutex<VariableTable>,
    /// Variables that the running cell's definitions make useless.
    doomed: Mutex<BTreeSet<String>>,
    item_names: Mutex<BTreeSet<String>>,
    /// Constants and statics with their types.
    constants: Mutex<BTreeMap<String, String>>,
    waiting: AtomicUsize,
    started: AtomicBool,
    surroundings: Mutex<Vec<Surroundings>>,
    /// Names of classes and bands of the variables, and of the properties of files.
    words: Mutex<Words>,
    pub(crate) help: Help,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(phase: Phase, places: Places) -> Self {
        Self {
            phase: Arc::new(phase),
            places: Arc::new(places),
            table: Mutex::default(),
            doomed: Mutex::default(),
            item_names: Mutex::default(),
            constants: Mutex::default(),
            waiting: AtomicUsize::new(0),
            started: AtomicBool::new(false),
            surroundings: Mutex::default(),
            words: Mutex::default(),
            help: Help::default(),
        }
    }

    pub(crate) fn table(&self) -> MutexGuard<'_, VariableTable> {
        lock(&self.table)
    }

    /// The names in the child's store that no later cell can use: neither in the table nor new and nameable.
    pub(crate) fn unkept(&self, stored: &[String], report_path: &Path) -> Vec<String> {
        let report: Report = match exchange::read_if_there(report_path) {
            Ok(report) => report.unwrap_or_default(),
            Err(error) => {
                log::warn(&format!("all variables are kept: {error}"));
                return Vec::new();
            }
        };
        let table = self.table();
        let is_new = |name: &String| {
            report
                .variables
                .iter()
                .any(|new| new.name == *name && new.obstacle().is_none())
        };
        let doomed = lock(&self.doomed);
        let is_old = |name: &String| table.get(name).is_some() && !doomed.contains(name);
        stored
            .iter()
            .filter(|name| !is_old(name) && !is_new(name))
            .cloned()
            .collect()
    }

    /// Says which variables go when the cell that follows compiles.
    pub(crate) fn set_doomed(&self, names: BTreeSet<String>) {
        *lock(&self.doomed) = names;
    }

    /// Keeps what a cell has changed of its folder and environment.
    pub(crate) fn note_surroundings(&self, changes: Surroundings) {
        lock(&self.surroundings).push(changes);
    }

    pub(crate) fn take_surroundings(&self) -> Vec<Surroundings> {
        std::mem::take(&mut lock(&self.surroundings))
    }

    /// Keeps the names of classes, bands and properties.
    pub(crate) fn note_words(&self, words: Words) {
        *lock(&self.words) = words;
    }

    /// The classes (`class`) or bands (`band`) of a variable; where it has none that are known, those of all variables.
    pub(crate) fn words(&self, kind: &str, variable: &str) -> Vec<String> {
        let words = lock(&self.words);
        let of = |names: &'_ Names| match kind {
            "class" => names.classes.clone(),
            _ => names.bands.clone(),
        };
        let own = words.variables.get(variable).map(of).unwrap_or_default();
        if !own.is_empty() {
            return own;
        }
        let mut names = Vec::new();
        for name in words.variables.values().flat_map(of) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The properties of a vector file that the session has opened.
    pub(crate) fn properties(&self, file: &str) -> Option<Vec<String>> {
        lock(&self.words).properties.get(file).cloned()
    }

    pub(crate) fn add_names(&self, names: impl Iterator<Item = String>) {
        lock(&self.item_names).extend(names);
    }

    /// Takes note of an item that is a constant or a static.
    pub(crate) fn note_constant(&self, item: &str) {
        let Some((before, rest)) = item.split_once(':') else {
            return;
        };
        let words: Vec<&str> = before.split_whitespace().collect();
        let is_constant = words
            .iter()
            .any(|word| ["const", "static"].contains(word) && !before.contains(['(', '{']));
        if let (true, Some(name), Some((type_name, _))) =
            (is_constant, words.last(), rest.split_once('='))
        {
            lock(&self.constants).insert((*name).to_owned(), type_name.trim().to_owned());
        }
    }

    pub(crate) fn constants(&self) -> Vec<(String, String)> {
        lock(&self.constants).clone().into_iter().collect()
    }

    pub(crate) fn clear_names(&self) {
        lock(&self.item_names).clear();
        lock(&self.constants).clear();
    }

    /// Names of variables and items.
    pub(crate) fn names(&self) -> Vec<(String, &'static str)> {
        let variables: Vec<_> = self
            .table()
            .iter()
            .map(|variable| (variable.name.clone(), "instance"))
            .collect();
        variables
            .into_iter()
            .chain(
                lock(&self.item_names)
                    .iter()
                    .map(|name| (name.clone(), "function")),
            )
            .collect()
    }

    pub(crate) fn job_queued(&self) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn job_done(&self) {
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }

    pub(crate) fn set_started(&self, started: bool) {
        self.started.store(started, Ordering::SeqCst);
    }

    pub(crate) fn is_started(&self) -> bool {
        self.started.load(Ordering::SeqCst)
    }
}
