//! What the kernel and the helping process say to each other: one JSON value a line.

use serde::{Deserialize, Serialize};

use crate::eval::interface::{Completions, MimeBundle};

/// Where in a cell somebody asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The session's variables, as statements before the cell.
    pub(crate) declarations: String,
    /// The cell without its magics.
    pub(crate) code: String,
    /// The cursor, in code points.
    pub(crate) cursor: usize,
}

/// What somebody wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// What can stand at the cursor.
    Complete,
    /// What the name at the cursor is.
    Inspect,
}

/// What the kernel tells the helping process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Message {
    /// The session's items, all of them, in place of those before.
    Items(String),
    /// The cells' crate: its manifest, and which versions cargo has chosen.
    Crate(CrateFiles),
    /// A question, which makes earlier ones of its kind useless.
    Ask { id: u64, kind: Kind, place: Place },
}

/// What cargo needs to say which crates the cells use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CrateFiles {
    pub(crate) manifest: String,
    pub(crate) lock: Option<String>,
}

/// The answer to the question with the same number; number 0 says that everything is loaded.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Reply {
    pub(crate) id: u64,
    pub(crate) completions: Option<Completions>,
    pub(crate) bundle: Option<MimeBundle>,
}

impl Reply {
    /// The answer of somebody who knows nothing.
    pub(crate) fn empty(id: u64) -> Self {
        Self {
            id,
            ..Self::default()
        }
    }
}
