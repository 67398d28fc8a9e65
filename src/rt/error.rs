//! What `?` at the top level of a cell turns an error into.

use std::any::Any;
use std::fmt::Display;
use std::panic::Location;

use crate::Hint;

/// An error that left a cell through `?`. Every error that can be printed turns into one.
#[derive(Debug)]
pub struct CellError {
    /// Short name of the error's type.
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
impl<E: Display + 'static> From<E> for CellError {
    #[track_caller]
    fn from(error: E) -> Self {
        Self::new(
            std::any::type_name::<E>(),
            error.to_string(),
            &error,
            Location::caller(),
        )
    }
}

impl CellError {
    fn new(
        type_name: &str,
        mut message: String,
        error: &dyn Any,
        location: &'static Location<'static>,
    ) -> Self {
        let library = error.downcast_ref::<crate::Error>();
        let boxed = error
            .downcast_ref::<Box<dyn std::error::Error>>()
            .map(|error| &**error as &dyn std::error::Error)
            .or_else(|| {
                error
                    .downcast_ref::<Box<dyn std::error::Error + Send + Sync>>()
                    .map(|error| &**error as _)
            });
        let library = library.or_else(|| boxed.and_then(|error| error.downcast_ref()));
        let mut source = boxed.and_then(std::error::Error::source);
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !message.contains(&cause_text) {
                message.push_str(": ");
                message.push_str(&cause_text);
            }
            source = cause.source();
        }
        Self {
            name: short_name(type_name),
            message,
            hint: library.and_then(Hint::hint),
            interrupted: matches!(library, Some(crate::Error::Interrupted { .. })),
            location,
        }
    }
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
}
