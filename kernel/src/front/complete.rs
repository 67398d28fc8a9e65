//! `complete_reply`: magics from their table, everything else from the engine.

use std::sync::Arc;
use std::time::Duration;

use jupyter_protocol::{CompleteReply, CompleteRequest, ReplyStatus};
use serde_json::{Map, Value, json};

use super::kernel::Kernel;
use crate::eval::Completions;
use crate::magics;

/// A completion that takes longer is no help to somebody who types.
const PATIENCE: Duration = Duration::from_secs(10);
/// While rust-analyzer reads, which takes longer than anybody looks at a menu that does not come.
const PATIENCE_AT_START: Duration = Duration::from_secs(2);

/// The reply's content.
pub(crate) async fn reply(kernel: &Arc<Kernel>, request: CompleteRequest) -> CompleteReply {
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
        words: &|kind, variable| kernel.engine.words(kind, variable),
        properties: &|file| {
            let known = kernel.engine.properties(file);
            known.unwrap_or_else(|| ask_for_properties(file))
        },
        prelude: &|| kernel.engine.prelude(),
    };
    let found = match magics::complete(&request.code, cursor, &known) {
        Some(found) => Some(found),
        None => {
            let code = magics::without_magics(&request.code);
            if !crate::parse::can_be_analyzed(&code) {
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

/// The properties of a vector file that nobody has opened yet, as the library's command line tells them.
fn ask_for_properties(file: &str) -> Vec<String> {
    if !std::path::Path::new(file).is_file() {
        return Vec::new();
    }
    let Ok(program) = std::env::current_exe() else {
        return Vec::new();
    };
    let (answer, receiver) = std::sync::mpsc::channel();
    let file = file.to_owned();
    std::thread::spawn(move || {
        let told = std::process::Command::new(program)
            .args(["properties", "--", &file])
            .stdin(std::process::Stdio::null())
            .output();
        // Nobody waits any more when it took too long.
        let _ = answer.send(told);
    });
    let Ok(Ok(told)) = receiver.recv_timeout(PATIENCE_AT_START) else {
        return Vec::new();
    };
    let text = String::from_utf8_lossy(&told.stdout);
    let names = text.lines().filter(|_| told.status.success());
    names.map(str::to_owned).collect()
}

fn content(found: Option<Completions>, cursor: usize) -> CompleteReply {
    let found = found.unwrap_or(Completions {
        matches: Vec::new(),
        start: cursor,
        end: cursor,
    });
    let texts = found.matches.iter().map(|it| it.text.clone());
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
    CompleteReply {
        matches: texts.collect(),
        cursor_start: found.start,
        cursor_end: found.end,
        // What JupyterLab reads beside the protocol.
        metadata: Map::from_iter([("_jupyter_types_experimental".to_owned(), typed.into())]),
        status: ReplyStatus::Ok,
        error: None,
    }
}
