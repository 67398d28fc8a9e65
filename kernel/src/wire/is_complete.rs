//! `is_complete_reply`: whether a console should run the text or ask for another line.

use jupyter_protocol::IsCompleteReply;
use serde_json::{Value, json};

use super::message::content;
use crate::magics;
use crate::syntax::{Completeness, completeness};

/// The reply's content.
pub(crate) fn reply(code: &str) -> Value {
    // A cell magic takes everything up to an empty line, as in IPython.
    let found = if magics::is_cell_magic(code) {
        if code.ends_with("\n\n") {
            Completeness::Complete
        } else {
            Completeness::Incomplete(String::new())
        }
    } else {
        completeness(&magics::without_magics(code))
    };
    match found {
        Completeness::Complete => json!({ "status": "complete" }),
        Completeness::Invalid => json!({ "status": "invalid" }),
        Completeness::Incomplete(indent) => content(&IsCompleteReply::incomplete(indent)),
    }
}
