//! `is_complete_reply`: whether a console should run the text or ask for another line.

use std::time::Duration;

use jupyter_protocol::IsCompleteReply;
use serde_json::{Value, json};

use super::message::content;
use crate::magics;
use crate::syntax::{Completeness, completeness};

/// Whoever has pressed Enter waits no longer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The reply's content. What is nested too deeply to be read is `invalid`, as ipykernel has it.
pub(crate) async fn reply(code: String) -> Value {
    let judged = tokio::task::spawn_blocking(move || judge(&code));
    match tokio::time::timeout(PATIENCE, judged).await {
        Ok(Ok(Completeness::Complete)) => json!({ "status": "complete" }),
        Ok(Ok(Completeness::Invalid)) => json!({ "status": "invalid" }),
        Ok(Ok(Completeness::Incomplete(indent))) => content(&IsCompleteReply::incomplete(indent)),
        Ok(Err(_)) | Err(_) => json!({ "status": "unknown" }),
    }
}

fn judge(code: &str) -> Completeness {
    // A cell magic takes everything up to an empty line, as in IPython.
    if !magics::is_cell_magic(code) {
        completeness(&magics::without_magics(code))
    } else if code.ends_with("\n\n") {
        Completeness::Complete
    } else {
        Completeness::Incomplete(String::new())
    }
}
