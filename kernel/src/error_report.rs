//! Why a cell did not end well.

/// Why a cell did not end well, in the three parts of a Jupyter `error` message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorReport {
    /// Short name: `E0308`, `CompileError`, `Panic`, the error type of a `?`, `KeyboardInterrupt`, `ChildDied`.
    pub ename: String,
    /// One line that says what happened.
    pub evalue: String,
    /// Colored (ANSI) lines for a person.
    pub traceback: Vec<String>,
}
