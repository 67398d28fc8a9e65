//! Stand-in for `ra_ap_ide_diagnostics`, the diagnostics of rust-analyzer: 24,000 lines that `ra_ap_ide` links and that
//! neither evcxr nor Swath's completion ever calls, since cells are checked by rustc itself. What `ra_ap_ide` names is here,
//! and there is no diagnostic.

use ide_db::assists::{Assist, AssistResolveStrategy};
use ide_db::{FileId, RootDatabase};

/// What rust-analyzer calls a kind of diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiagnosticCode {
    /// One of rustc's, by its number.
    RustcHardError(&'static str),
}

/// A diagnostic; there are none.
#[derive(Debug)]
pub struct Diagnostic {
    /// Its kind.
    pub code: DiagnosticCode,
    /// Its text.
    pub message: String,
    /// What would mend it.
    pub fixes: Option<Vec<Assist>>,
}

/// Which diagnostics are asked for.
#[derive(Clone, Debug, Default)]
pub struct DiagnosticsConfig {
    /// Whether any are.
    pub enabled: bool,
}

/// No diagnostics.
pub fn syntax_diagnostics(
    _: &RootDatabase,
    _: &DiagnosticsConfig,
    _: FileId,
) -> Vec<Diagnostic> {
    Vec::new()
}

/// No diagnostics.
pub fn semantic_diagnostics(
    _: &RootDatabase,
    _: &DiagnosticsConfig,
    _: &AssistResolveStrategy,
    _: FileId,
) -> Vec<Diagnostic> {
    Vec::new()
}

/// No diagnostics.
pub fn full_diagnostics(
    _: &RootDatabase,
    _: &DiagnosticsConfig,
    _: &AssistResolveStrategy,
    _: FileId,
) -> Vec<Diagnostic> {
    Vec::new()
}
