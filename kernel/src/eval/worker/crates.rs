//! The crates that cells have added, between cells.

use evcxr::Error;
use swath_link::exchange::{Report, Request};
use swath_link::message::Outcome;

use super::super::channel::CellEnd;
use super::super::dependencies::{self, Dependencies};
use super::super::interface::{CellStatus, OutputEvent};
use super::super::outcome;
use super::{Worker, dependency_error};

impl Worker {
    /// Builds path dependencies anew that were edited; how that ended when the cell cannot go on.
    pub(super) fn refresh_dependencies(&mut self) -> Option<CellStatus> {
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
    pub(super) fn adopt_dependencies(&mut self, report: &Report, end: &CellEnd, rebuilt: bool) {
        let (dir, key) = (&self.session.dir, &report.dependencies);
        let change = self.dependencies.adopt(dir, key, rebuilt);
        if !change.renewed.is_empty() {
            self.drop_renewed(&change);
        }
        if let Some(Outcome::Load { message }) = end.outcome()
            && let Some(note) = Dependencies::give_up_sharing(dir, key, message)
        {
            (self.sink)(OutputEvent::Stderr(note));
        }
    }

    /// Drops the variables that hold something of crates that are others now.
    pub(super) fn drop_renewed(&mut self, change: &dependencies::Change) {
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
}
