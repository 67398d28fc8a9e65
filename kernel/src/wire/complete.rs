//! `complete_reply`: magics from their table, everything else from the engine.

use std::sync::Arc;
use std::time::Duration;

use jupyter_protocol::CompleteRequest;
use serde_json::{Value, json};

use super::kernel::Kernel;
use crate::eval::Completions;
use crate::magics;

/// A completion that takes longer is no help to somebody who types.
const PATIENCE: Duration = Duration::from_secs(10);
/// While rust-analyzer reads, which takes longer than anybody looks at a menu that does not come.
const PATIENCE_AT_START: Duration = Duration::from_secs(2);

/// The reply's content.
pub(crate) async fn reply(kernel: &Arc<Kernel>, request: CompleteRequest) -> Value {
    // A place behind the end is the end.
    let cursor = request.cursor_pos.min(request.code.chars().count());
    let variables = || {
        kernel
            .engine
            .variables()
            .into_iter()
            .map(|variable| variable.name)
            .collect()
    };
    let known = magics::Known {
        variables: &variables,
        words: &|kind| kernel.engine.words(kind),
    };
    let found = match magics::complete(&request.code, cursor, &known) {
        Some(found) => Some(found),
        None => {
            let code = magics::without_magics(&request.code);
            if !crate::parse::can_be_analysed(&code) {
                return content(None, cursor);
            }
            if let Some(found) = magics::complete_string(&code, cursor, &known) {
                return content(Some(found), cursor);
            }
            let answer = kernel.engine.complete(code, cursor);
            let patience = match kernel.engine.is_help_ready() {
                true => PATIENCE,
                false => PATIENCE_AT_START,
            };
            tokio::time::timeout(patience, answer)
                .await
                .ok()
                .and_then(Result::ok)
                .flatten()
        }
    };
    content(found, cursor)
}

fn content(found: Option<Completions>, cursor: usize) -> Value {
    let found = found.unwrap_or(Completions {
        matches: Vec::new(),
        start: cursor,
        end: cursor,
    });
    let texts: Vec<&str> = found
        .matches
        .iter()
        .map(|candidate| candidate.text.as_str())
        .collect();
    let typed: Vec<Value> = found
        .matches
        .iter()
        .map(|candidate| {
            json!({
                "start": found.start, "end": found.end, "text": candidate.text, "displayText": candidate.label,
                "type": candidate.kind,
            })
        })
        .collect();
    json!({
        "status": "ok", "matches": texts, "cursor_start": found.start, "cursor_end": found.end,
        "metadata": { "_jupyter_types_experimental": typed },
    })
}
