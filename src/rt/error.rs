//! What `?` at the top level of a cell turns an error into.

use std::any::TypeId;
use std::fmt::{Debug, Display};
use std::panic::Location;

use crate::Hint;

/// An error that left a cell through `?`. Every error that can be printed turns into one, those that borrow included
/// (`*counter.lock()?`): its text is taken before the borrow ends.
#[derive(Debug)]
pub struct CellError {
    /// Short name of the error's type; of the library's errors that of the domain, such as `RasterError`.
    pub(super) name: String,
    /// Its text.
    pub(super) message: String,
    /// The library's next step for the reader.
    pub(super) hint: Option<String>,
    /// Whether the library stopped because the user asked it to.
    pub(super) interrupted: bool,
    /// The `?` through which it left the cell.
    pub(super) location: &'static Location<'static>,
}

// `CellError` itself is not `Display`, so this does not overlap with `From<T> for T`.
impl<E: Display> From<E> for CellError {
    #[track_caller]
    fn from(error: E) -> Self {
        Self::of(&error, Location::caller())
    }
}

impl CellError {
    /// What an error with a text turns into that left the cell at `location`.
    pub(super) fn of<E: Display>(error: &E, location: &'static Location<'static>) -> Self {
        let mut text = error.to_string();
        let known = Known::of(error);
        known.add_causes(&mut text);
        Self::new(std::any::type_name::<E>(), text, &known, location)
    }

    /// The same for an error that has a `{:?}` text only.
    pub(super) fn of_debug<E: Debug>(error: &E, location: &'static Location<'static>) -> Self {
        let text = format!("{error:?}");
        Self::new(
            std::any::type_name::<E>(),
            text,
            &Known::of(error),
            location,
        )
    }

    fn new(
        type_name: &str,
        message: String,
        known: &Known<'_>,
        location: &'static Location<'static>,
    ) -> Self {
        Self {
            name: match known.library {
                Some(error) => error.domain().to_owned(),
                None => short_name(type_name),
            },
            message,
            hint: known.library.and_then(Hint::hint),
            interrupted: matches!(known.library, Some(crate::Error::Interrupted { .. })),
            location,
        }
    }
}

/// An error that left a cell through `?` after `:efmt {:?}` or, with `PRETTY`, `:efmt {:#?}`: every error with a
/// `Debug` text turns into one.
// Not `Debug` itself, so that this does not overlap with `From<T> for T`.
#[expect(
    missing_debug_implementations,
    reason = "it could not be made of every `Debug` error then"
)]
pub struct DebugError<const PRETTY: bool>(CellError);

impl<E: Debug, const PRETTY: bool> From<E> for DebugError<PRETTY> {
    #[track_caller]
    fn from(error: E) -> Self {
        let text = if PRETTY {
            format!("{error:#?}")
        } else {
            format!("{error:?}")
        };
        Self(CellError::new(
            std::any::type_name::<E>(),
            text,
            &Known::of(&error),
            Location::caller(),
        ))
    }
}

impl<const PRETTY: bool> DebugError<PRETTY> {
    /// The error as the guard around a cell takes it.
    #[must_use]
    pub fn into_cell(self) -> CellError {
        self.0
    }
}

/// What can be found out about an error besides its text.
#[derive(Default)]
struct Known<'a> {
    /// The library's error that it is, or that lies behind it.
    library: Option<&'a crate::Error>,
    /// The causes behind an error in a box, nearest first.
    causes: Vec<&'a dyn std::error::Error>,
}

impl<'a> Known<'a> {
    fn of<E>(error: &'a E) -> Self {
        if let Some(error) = same_type::<E, crate::Error>(error) {
            return Self {
                library: Some(error),
                causes: Vec::new(),
            };
        }
        let Some(boxed) = boxed(error) else {
            return Self::default();
        };
        let mut known = Self {
            library: boxed.downcast_ref(),
            causes: Vec::new(),
        };
        let mut source = boxed.source();
        while let Some(cause) = source {
            known.library = known.library.or_else(|| cause.downcast_ref());
            known.causes.push(cause);
            source = cause.source();
        }
        known
    }

    fn add_causes(&self, text: &mut String) {
        for cause in &self.causes {
            let cause = cause.to_string();
            if !text.contains(&cause) {
                text.push_str(": ");
                text.push_str(&cause);
            }
        }
    }
}

/// The error as a `T`, when it is one. Types are compared without their lifetimes, since `E` may borrow.
fn same_type<E, T: 'static>(error: &E) -> Option<&T> {
    // SAFETY: both are the same type but for lifetimes. `T` is either a type without any (the library's error), or a box
    // around a trait object, and `boxed`, which alone asks for those, lets no reference out of the `&E` that it was given.
    (typeid::of::<E>() == TypeId::of::<T>())
        .then(|| unsafe { &*std::ptr::from_ref(error).cast::<T>() })
}

/// The error inside a box of errors. It may borrow for less than `'static`, which matters to nobody here: causes are
/// `'static` by the trait's own signature, and a downcast to a type without lifetimes (the only one that is tried) finds
/// a value that has none.
fn boxed<E>(error: &E) -> Option<&(dyn std::error::Error + 'static)> {
    type Plain = Box<dyn std::error::Error>;
    type Sendable = Box<dyn std::error::Error + Send>;
    type Shared = Box<dyn std::error::Error + Send + Sync>;
    same_type::<E, Shared>(error)
        .map(|error| &**error as _)
        .or_else(|| same_type::<E, Plain>(error).map(|error| &**error))
        .or_else(|| same_type::<E, Sendable>(error).map(|error| &**error as _))
}

/// `core::num::error::ParseIntError` is `ParseIntError`; texts and boxed errors are plain `Error`.
fn short_name(type_name: &str) -> String {
    let path = type_name.split('<').next().unwrap_or(type_name);
    let name = path.rsplit("::").next().unwrap_or(path);
    let is_plain =
        type_name.starts_with('&') || ["String", "Box", "Rc", "Arc", "Cow"].contains(&name);
    if is_plain || name.is_empty() {
        "Error".to_owned()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_name_and_text() {
        let error: CellError = "x"
            .parse::<i32>()
            .map_err(CellError::from)
            .map_or_else(|error| error, |_| unreachable!());
        assert_eq!(
            (error.name.as_str(), error.message.as_str()),
            ("ParseIntError", "invalid digit found in string")
        );
    }

    #[test]
    fn an_interrupted_step_is_known_as_such_even_in_a_box() {
        let inner: Box<dyn std::error::Error> =
            Box::new(crate::Error::Interrupted { doing: "training" });
        let error = CellError::from(inner);
        assert!(error.interrupted);
        assert_eq!(error.message, "interrupted while training");
    }

    #[test]
    fn errors_that_borrow_keep_their_name_and_text() {
        let counter = std::sync::Mutex::new(1);
        let _ = std::panic::catch_unwind(|| {
            let _held = counter.lock();
            panic!("poisoned");
        });
        let read = || -> Result<i32, CellError> { Ok(*counter.lock()?) };
        let error = read().unwrap_err();
        assert_eq!(error.name, "PoisonError");
        assert!(error.message.starts_with("poisoned lock"), "{error:?}");

        let text = String::from("of the cell");
        let borrowed = || -> Result<(), CellError> { Err(text.as_str())? };
        assert_eq!(borrowed().unwrap_err().message, "of the cell");
    }

    /// An error that borrows and has a cause.
    #[derive(Debug, thiserror::Error)]
    #[error("line {0:?} cannot be read")]
    struct Borrowing<'a>(&'a str, #[source] crate::Error);

    #[test]
    fn boxes_of_errors_that_borrow_tell_their_causes_and_the_library_s_hint() {
        let text = String::from("a;b");
        let inner = crate::Error::Interrupted { doing: "training" };
        let boxed: Box<dyn std::error::Error + '_> = Box::new(Borrowing(&text, inner));
        let error = CellError::from(boxed);
        assert_eq!(
            error.message,
            "line \"a;b\" cannot be read: interrupted while training"
        );
        assert!(error.interrupted);

        let direct = CellError::from(crate::Error::Interrupted { doing: "reading" });
        assert!(direct.interrupted);
        let shared: Box<dyn std::error::Error + Send + Sync> =
            Box::new(crate::Error::Interrupted { doing: "reading" });
        assert!(CellError::from(shared).interrupted);
        assert!(!CellError::from("x").interrupted);
    }

    #[test]
    fn the_debug_text_is_there_for_errors_that_have_no_other() {
        #[derive(Debug)]
        struct Code(#[expect(dead_code, reason = "its text is read")] i32);
        let plain = || -> Result<(), DebugError<false>> { Err(Code(3))? };
        let pretty = || -> Result<(), DebugError<true>> { Err(Code(3))? };
        let text = |error: CellError| (error.name, error.message);
        assert_eq!(
            plain().map_err(|error| text(error.into_cell())),
            Err(("Code".to_owned(), "Code(3)".to_owned()))
        );
        assert_eq!(
            pretty().map_err(|error| text(error.into_cell())),
            Err(("Code".to_owned(), "Code(\n    3,\n)".to_owned()))
        );
    }
}
