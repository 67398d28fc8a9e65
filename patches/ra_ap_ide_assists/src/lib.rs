//! Stand-in for `ra_ap_ide_assists`, the code actions of rust-analyzer ("add missing match arms", …): 110,000 lines that
//! `ra_ap_ide` links and that neither evcxr nor Swath's completion ever calls. What `ra_ap_ide` names is here, and there is
//! no code action.

pub mod utils;

use ide_db::assists::ExprFillDefaultMode;
use ide_db::imports::insert_use::InsertUseConfig;
use ide_db::{FileRange, RootDatabase, SnippetCap};

pub use ide_db::assists::{
    Assist, AssistId, AssistKind, AssistResolveStrategy, GroupLabel, SingleResolve,
};

/// What code actions would be offered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "those of rust-analyzer")]
pub struct AssistConfig {
    pub snippet_cap: Option<SnippetCap>,
    pub allowed: Option<Vec<AssistKind>>,
    pub insert_use: InsertUseConfig,
    pub prefer_no_std: bool,
    pub prefer_prelude: bool,
    pub prefer_absolute: bool,
    pub assist_emit_must_use: bool,
    pub term_search_fuel: u64,
    pub code_action_grouping: bool,
    pub expr_fill_default: ExprFillDefaultMode,
    pub prefer_self_ty: bool,
    pub show_rename_conflicts: bool,
}

/// No code actions.
pub fn assists(
    _: &RootDatabase,
    _: &AssistConfig,
    _: AssistResolveStrategy,
    _: FileRange,
) -> Vec<Assist> {
    Vec::new()
}
