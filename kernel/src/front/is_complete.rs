//! `is_complete_reply`: whether a console should run the text or ask for another line.

use std::time::Duration;

use crate::magics;
use crate::syntax::{Completeness, completeness};
use crate::wire::messages::IsCompleteReply;

/// Whoever has pressed Enter waits no longer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The reply's content. What is nested too deeply to be read is `invalid`, as ipykernel has it.
pub(crate) async fn reply(code: String) -> IsCompleteReply {
    let judged = tokio::task::spawn_blocking(move || judge(&code));
    match tokio::time::timeout(PATIENCE, judged).await {
        Ok(Ok(Completeness::Complete)) => IsCompleteReply::Complete,
        Ok(Ok(Completeness::Invalid)) => IsCompleteReply::Invalid,
        Ok(Ok(Completeness::Incomplete(indent))) => IsCompleteReply::Incomplete { indent },
        Ok(Err(_)) | Err(_) => IsCompleteReply::Unknown,
    }
}

pub(crate) fn judge(code: &str) -> Completeness {
    // A cell magic takes everything up to an empty line, as in IPython.
    if !magics::is_cell_magic(code) {
        completeness(&magics::without_magics(code))
    } else if code.ends_with("\n\n") {
        Completeness::Complete
    } else {
        Completeness::Incomplete(String::new())
    }
}
