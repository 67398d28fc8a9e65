//! Why a training does not go on, as the error of its parts.

use super::run::StopReason;
use crate::Error;

/// The run ends, well or not.
pub(super) enum Halt {
    /// What was learned so far is kept.
    Stop(StopReason),
    /// Nothing is worth keeping, or something outside the training failed.
    Fail(Error),
}

impl<E: Into<Error>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Fail(error.into())
    }
}

/// The result of a part of a training.
pub(super) type Going<T = ()> = Result<T, Halt>;
