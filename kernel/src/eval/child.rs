//! The child role of the program: the process in which the cells run.

/// Becomes the process in which the cells run, and never returns, when the environment says so (`SWATH_CHILD=1`).
/// The first line of `main` calls it.
pub(crate) fn run_if_child() {}
