//! How a cell ends whose last value is an outcome: an `Err` is the cell's error, as if `?` stood behind it, and `Ok(())`
//! shows nothing.
//!
//! `value.__swath_ends_cell()` picks the first of these that applies, by the same order of method lookup as in
//! [`super::show`].

use std::any::type_name;
use std::cell::Cell;
use std::fmt::{Debug, Display};
use std::panic::Location;

use super::{CellError, guard, show};

thread_local! {
    /// Where the last value of the running cell is.
    static PLACE: Cell<Option<&'static Location<'static>>> = const { Cell::new(None) };
}

/// The last value of a cell, whose place is remembered.
#[track_caller]
pub fn last<T: ?Sized>(value: &T) -> &T {
    PLACE.set(Some(Location::caller()));
    value
}

/// Step 1: results whose error has a text.
pub trait EndsWithResult {
    /// Whether nothing is left to show.
    fn __swath_ends_cell(&self) -> bool;
}

impl<T, E: Display> EndsWithResult for Result<T, E> {
    fn __swath_ends_cell(&self) -> bool {
        end(self, CellError::of)
    }
}

/// Step 2: results whose error has a `{:?}` text only.
pub trait EndsWithDebug {
    /// Whether nothing is left to show.
    fn __swath_ends_cell(&self) -> bool;
}

impl<T, E: Debug> EndsWithDebug for &Result<T, E> {
    fn __swath_ends_cell(&self) -> bool {
        end(self, CellError::of_debug)
    }
}

/// Step 3: every other value is shown.
pub trait EndsWithValue {
    /// Whether nothing is left to show.
    fn __swath_ends_cell(&mut self) -> bool;
}

impl<T: ?Sized> EndsWithValue for &T {
    fn __swath_ends_cell(&mut self) -> bool {
        false
    }
}

fn end<T, E>(
    result: &Result<T, E>,
    error_of: fn(&E, &'static Location<'static>) -> CellError,
) -> bool {
    match result {
        Ok(_) if type_name::<T>() == type_name::<()>() => {
            show::show_nothing();
            true
        }
        Ok(_) => false,
        Err(error) => {
            let place = PLACE.get().unwrap_or(Location::caller());
            guard::fail(error_of(error, place));
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use swath_link::message::{Failure, Outcome};

    /// An error without a text of its own.
    #[derive(Debug)]
    struct Code(#[expect(dead_code, reason = "its text is read")] u8);

    fn ended() -> Outcome {
        guard::end().0
    }

    fn failure() -> Failure {
        match ended() {
            Outcome::Error(failure) => failure,
            other => panic!("no error: {other:?}"),
        }
    }

    #[test]
    fn an_err_is_the_error_of_its_cell_and_nothing_else_ends_it() {
        guard::begin();
        let outcome = "x".parse::<i32>();
        let value = last(&outcome);
        assert!(value.__swath_ends_cell());
        let end = failure();
        assert!(end.place.file.ends_with("ending.rs"));
        assert_eq!(
            (&*end.name, &*end.message),
            ("ParseIntError", "invalid digit found in string")
        );

        guard::begin();
        let value = &Err::<(), _>(Code(7));
        assert!(value.__swath_ends_cell());
        assert_eq!(failure().message, "Code(7)");

        guard::begin();
        let value = &Ok::<(), String>(());
        assert!(value.__swath_ends_cell());
        let value = &"5".parse::<i32>();
        assert!(!value.__swath_ends_cell());
        let mut value = &Some(Err::<u8, &str>("kept inside"));
        assert!(!value.__swath_ends_cell());
        assert_eq!(ended(), Outcome::Ok);
    }
}
