//! The guard around a cell's statements: a panic or a `?` ends the cell, never the process, and is remembered.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};

use serde_json::{Value, json};

use super::CellError;
use super::screen::{payload_text, shortened};

#[derive(Clone, Default)]
struct Panic {
    message: String,
    file: String,
    line: u32,
    column: u32,
}

enum Outcome {
    Panicked(Panic),
    Failed(CellError),
    Lost(Vec<String>),
    NotLoaded(String),
    Cancelled,
}

thread_local! {
    static OUTCOME: RefCell<Option<Outcome>> = const { RefCell::new(None) };
    static LAST_PANIC: RefCell<Option<Panic>> = const { RefCell::new(None) };
    static RUNNING: RefCell<bool> = const { RefCell::new(false) };
}

/// Runs a cell's statements; whether they came to their end.
pub fn guard(statements: &mut dyn FnMut() -> Result<(), CellError>) -> bool {
    let outcome = match catch_unwind(AssertUnwindSafe(statements)) {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => Outcome::Failed(error),
        Err(payload) => {
            let panic = LAST_PANIC
                .with_borrow_mut(Option::take)
                .unwrap_or_else(|| Panic {
                    message: shortened(payload_text(&*payload)),
                    ..Panic::default()
                });
            Outcome::Panicked(panic)
        }
    };
    OUTCOME.set(Some(outcome));
    false
}

/// Remembers that a variable a cell needs is gone because its type changed.
pub(super) fn report_lost(name: &str) {
    OUTCOME.with_borrow_mut(|outcome| match outcome {
        Some(Outcome::Lost(names)) => names.push(name.to_owned()),
        other => *other = Some(Outcome::Lost(vec![name.to_owned()])),
    });
}

/// Remembers that the cell's object could not be loaded.
pub(super) fn report_not_loaded(reason: String) {
    OUTCOME.set(Some(Outcome::NotLoaded(reason)));
}

/// Remembers that the user has interrupted the cell before it began.
pub(super) fn report_cancelled() {
    OUTCOME.set(Some(Outcome::Cancelled));
}

/// Forgets how the last cell ended; panics of this thread belong to the cell from now on.
pub(super) fn begin() {
    OUTCOME.set(None);
    LAST_PANIC.set(None);
    RUNNING.set(true);
}

/// How the cell ended, for the front process.
pub(super) fn end() -> Value {
    RUNNING.set(false);
    match OUTCOME.take() {
        None => json!({ "kind": "ok" }),
        Some(Outcome::Panicked(panic)) => json!({
            "kind": "panic", "message": panic.message, "file": panic.file, "line": panic.line, "column": panic.column,
        }),
        Some(Outcome::Failed(error)) => json!({
            "kind": if error.interrupted { "interrupted" } else { "error" },
            "name": error.name, "message": shortened(&error.message), "hint": error.hint,
            "file": error.location.file(), "line": error.location.line(), "column": error.location.column(),
        }),
        Some(Outcome::Lost(names)) => json!({ "kind": "lost", "names": names }),
        Some(Outcome::Cancelled) => {
            json!({ "kind": "interrupted", "message": "interrupted before it began" })
        }
        Some(Outcome::NotLoaded(reason)) => json!({ "kind": "load", "message": reason }),
    }
}

/// Records panics of the cell's own thread; the front process shows them as errors. Panics of other threads are
/// printed, because no cell can be blamed for them.
pub(super) fn install_panic_hook() {
    std::panic::set_hook(Box::new(|information| {
        let panic = describe(information);
        if RUNNING.with_borrow(|running| *running) {
            super::side::announce_panic(&panic.message);
            LAST_PANIC.set(Some(panic));
        } else {
            let name = std::thread::current()
                .name()
                .unwrap_or("<unnamed>")
                .to_owned();
            let Panic {
                message,
                file,
                line,
                column,
            } = panic;
            super::pipes::write_error(&format!(
                "thread '{name}' panicked at {file}:{line}:{column}:\n{message}\n"
            ));
        }
    }));
}

fn describe(information: &PanicHookInfo<'_>) -> Panic {
    let mut panic = Panic {
        message: shortened(
            information
                .payload_as_str()
                .unwrap_or("a panic without text"),
        ),
        ..Panic::default()
    };
    if let Some(location) = information.location() {
        location.file().clone_into(&mut panic.file);
        (panic.line, panic.column) = (location.line(), location.column());
    }
    panic
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_mark_and_a_panic_end_the_cell_and_say_why() {
        begin();
        assert!(guard(&mut || Ok(())));
        assert_eq!(end()["kind"], "ok");

        assert!(!guard(&mut || Err("no such file".into())));
        assert_eq!(end()["message"], "no such file");

        assert!(!guard(&mut || panic!("index out of range")));
        assert_eq!(end()["message"], "index out of range");
    }

    #[test]
    fn a_variable_that_changed_its_type_is_named() {
        begin();
        report_lost("a");
        report_lost("b");
        assert_eq!(end(), json!({ "kind": "lost", "names": ["a", "b"] }));
    }
}
