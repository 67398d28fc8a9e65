//! The guard around a cell's statements: a panic or a `?` ends the cell, never the process, and is remembered.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, Location, PanicHookInfo, catch_unwind};

use swath_link::message::{self, Failure, Place};

use super::CellError;
use super::screen::{payload_text, shortened};
use crate::session;

#[derive(Clone, Default)]
struct Panic {
    message: String,
    place: Place,
}

enum Outcome {
    Panicked(Panic),
    Failed(CellError),
    Lost(Vec<String>),
    NotLoaded(String),
    Cancelled,
    /// The user has interrupted it while it did this.
    Stopped(&'static str),
    /// It did not listen and was put aside, with the variables of these names.
    PutAside(Vec<String>),
}

/// The panic with which [`session::end_cell`] ends a cell.
struct Failed(CellError);

/// The panic with which an interrupt ends a cell.
struct Stop(&'static str);

thread_local! {
    static OUTCOME: RefCell<Option<Outcome>> = const { RefCell::new(None) };
    static LAST_PANIC: RefCell<Option<Panic>> = const { RefCell::new(None) };
    static RUNNING: RefCell<bool> = const { RefCell::new(false) };
    /// Whether the cell's statements came to their end, so that all that it binds is kept.
    static COMPLETED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a cell's statements; whether they came to their end.
pub fn guard(statements: &mut dyn FnMut() -> Result<(), CellError>) -> bool {
    let outcome = match catch_unwind(AssertUnwindSafe(|| super::stop::within_cell(statements))) {
        Ok(Ok(())) => {
            COMPLETED.set(true);
            return true;
        }
        Ok(Err(error)) => Outcome::Failed(error),
        Err(payload) if payload.is::<Stop>() => {
            Outcome::Stopped(payload.downcast::<Stop>().map_or("", |stop| stop.0))
        }
        Err(payload) if payload.is::<Failed>() => match payload.downcast::<Failed>() {
            Ok(failure) => Outcome::Failed(failure.0),
            Err(_) => Outcome::Panicked(Panic::default()),
        },
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

/// Drops a value that was kept under a name. A panic of its `Drop` is the cell's: the session goes on without the value.
pub fn discard<T>(name: &str, value: T) {
    // Little is left for each cell to compile.
    let mut value = Some(value);
    discard_by(name, &mut || drop(value.take()));
}

fn discard_by(name: &str, drop_it: &mut dyn FnMut()) {
    let Err(payload) = catch_unwind(AssertUnwindSafe(drop_it)) else {
        return;
    };
    let mut panic = LAST_PANIC
        .with_borrow_mut(Option::take)
        .unwrap_or_else(|| Panic {
            message: shortened(payload_text(&*payload)),
            ..Panic::default()
        });
    panic.message = format!(
        "{} (while the old value of `{name}` was dropped)",
        panic.message
    );
    OUTCOME.with_borrow_mut(|outcome| {
        if outcome.is_none() {
            *outcome = Some(Outcome::Panicked(panic));
        }
    });
}

/// Ends the cell that runs on this thread with an error of the library's: its values are dropped as after a panic, and the
/// cell says the hint. Where no cell runs, it returns.
fn end_cell_at(error: &crate::Error, place: &'static std::panic::Location<'static>) {
    if RUNNING.with_borrow(|running| *running) && !std::thread::panicking() {
        std::panic::resume_unwind(Box::new(Failed(CellError::of(error, place))));
    }
}

/// Ends the running cell with an error, though its statements have come to their end.
pub(super) fn fail(error: CellError) {
    OUTCOME.set(Some(Outcome::Failed(error)));
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

/// Remembers that the cell's thread was put aside.
pub(super) fn report_put_aside(lost: Vec<String>) {
    OUTCOME.set(Some(Outcome::PutAside(lost)));
}

/// Ends the cell at once, on its own thread, because the user has interrupted what it was doing; values are dropped as
/// after a panic. On another thread, and outside a cell, nothing happens.
pub(super) fn stop_cell(doing: &'static str) {
    if RUNNING.with_borrow(|running| *running) && !std::thread::panicking() {
        std::panic::resume_unwind(Box::new(Stop(doing)));
    }
}

/// Forgets how the last cell ended; panics of this thread belong to the cell from now on.
pub(super) fn begin() {
    session::ends_cells(end_cell_at);
    OUTCOME.set(None);
    LAST_PANIC.set(None);
    COMPLETED.set(false);
    RUNNING.set(true);
}

/// How the cell ended, for the front process, and whether its statements came to their end.
pub(super) fn end() -> (message::Outcome, bool) {
    RUNNING.set(false);
    (described_outcome(), COMPLETED.get())
}

fn described_outcome() -> message::Outcome {
    match OUTCOME.take() {
        None => message::Outcome::Ok,
        Some(Outcome::Panicked(Panic { message, place })) => {
            message::Outcome::Panic { message, place }
        }
        Some(Outcome::Failed(error)) => {
            let message = shortened(&error.message);
            if error.interrupted {
                return message::Outcome::Interrupted { message };
            }
            message::Outcome::Error(Failure {
                name: error.name,
                message,
                hint: error.hint,
                place: place_of(error.location),
            })
        }
        Some(Outcome::Lost(names)) => message::Outcome::Lost { names },
        Some(Outcome::Cancelled) => message::Outcome::Cancelled,
        Some(Outcome::Stopped(doing)) => message::Outcome::Interrupted {
            message: format!("interrupted while {doing}"),
        },
        Some(Outcome::PutAside(names)) => message::Outcome::Aside { names },
        Some(Outcome::NotLoaded(message)) => message::Outcome::Load { message },
    }
}

fn place_of(location: &Location<'_>) -> Place {
    Place {
        file: location.file().to_owned(),
        line: location.line(),
        column: location.column(),
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
            let Panic { message, place } = panic;
            let Place { file, line, column } = place;
            super::pipes::write_error(&format!(
                "thread '{name}' panicked at {file}:{line}:{column}:\n{message}\n"
            ));
        }
    }));
}

fn describe(information: &PanicHookInfo<'_>) -> Panic {
    Panic {
        message: shortened(
            information
                .payload_as_str()
                .unwrap_or("a panic without text"),
        ),
        place: information.location().map(place_of).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The error with which the cell has ended.
    fn failure() -> Failure {
        match end().0 {
            message::Outcome::Error(failure) => failure,
            other => panic!("no error: {other:?}"),
        }
    }

    #[test]
    fn a_question_mark_and_a_panic_end_the_cell_and_say_why() {
        begin();
        assert!(guard(&mut || Ok(())));
        assert_eq!(end(), (message::Outcome::Ok, true));

        assert!(!guard(&mut || Err("no such file".into())));
        assert_eq!(failure().message, "no such file");

        begin();
        assert!(!guard(&mut || panic!("index out of range")));
        let (end, completed) = end();
        assert!(
            matches!(&end, message::Outcome::Panic { message, .. } if message == "index out of range"),
            "{end:?}"
        );
        assert!(!completed);
    }

    #[test]
    fn an_interrupt_ends_the_cell_and_values_are_dropped() {
        struct Dropped<'a>(&'a std::cell::Cell<bool>);
        impl Drop for Dropped<'_> {
            fn drop(&mut self) {
                self.0.set(true);
            }
        }
        let dropped = std::cell::Cell::new(false);
        begin();
        assert!(!guard(&mut || {
            let _value = Dropped(&dropped);
            stop_cell("waiting for an answer");
            Ok(())
        }));
        assert!(dropped.get());
        assert_eq!(
            end(),
            (
                message::Outcome::Interrupted {
                    message: "interrupted while waiting for an answer".to_owned()
                },
                false
            )
        );
        stop_cell("nothing");
    }

    #[test]
    fn a_call_without_a_result_can_end_the_cell_with_its_error() {
        let error = || crate::Error::Interrupted { doing: "splitting" };
        begin();
        assert!(!guard(&mut || session::end_cell(&error())));
        assert_eq!(
            end().0,
            message::Outcome::Interrupted {
                message: "interrupted while splitting".to_owned()
            }
        );
        let other = crate::Error::from(crate::raster::RasterError::Missing {
            path: "a.tif".into(),
        });
        begin();
        assert!(!guard(&mut || session::end_cell(&other)));
        assert!(failure().place.file.ends_with("guard.rs"));
        assert!(catch_unwind(|| session::end_cell(&error())).is_err());
    }

    #[test]
    fn a_variable_that_changed_its_type_is_named() {
        begin();
        report_lost("a");
        report_lost("b");
        let names = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(end().0, message::Outcome::Lost { names });
    }
}
