use std::collections::BTreeMap;

use jupyter_protocol::{Payload, ReplyError};
use serde::{Deserialize, Serialize};

use crate::eval::MimeBundle;

/// `execute_reply`.
///
/// That of `jupyter-protocol` writes a count for a cell that did not run, which a front end would write beside it, and its
/// `ExpressionResult` holds a `Media` (see [`super::DisplayData`]).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub(crate) enum ExecuteReply {
    /// The cell ran to its end.
    Ok {
        execution_count: u32,
        payload: Vec<Payload>,
        user_expressions: BTreeMap<String, ExpressionResult>,
    },
    /// It failed or was stopped.
    Error {
        #[serde(flatten)]
        error: ReplyError,
        execution_count: u32,
        payload: Vec<Payload>,
        user_expressions: BTreeMap<String, ExpressionResult>,
    },
    /// One before it failed.
    Aborted,
}

/// The value of one of `user_expressions`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub(crate) enum ExpressionResult {
    Ok {
        data: MimeBundle,
        metadata: MimeBundle,
    },
    Error(ReplyError),
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::round_trip;
    use super::*;

    fn error() -> ReplyError {
        ReplyError {
            ename: "Panic".to_owned(),
            evalue: "boom".to_owned(),
            traceback: vec!["boom".to_owned()],
        }
    }

    #[test]
    fn a_reply_has_what_its_status_has() {
        let value = ExpressionResult::Ok {
            data: MimeBundle::from_iter([("text/plain".to_owned(), json!("2"))]),
            metadata: MimeBundle::new(),
        };
        let user_expressions = BTreeMap::from([
            ("bad".to_owned(), ExpressionResult::Error(error())),
            ("good".to_owned(), value),
        ]);
        let payload = vec![Payload::SetNextInput {
            text: "1".to_owned(),
            replace: false,
        }];
        let reply = ExecuteReply::Ok {
            execution_count: 3,
            payload,
            user_expressions,
        };
        round_trip(
            &reply,
            &json!({
                "status": "ok",
                "execution_count": 3,
                "payload": [{ "source": "set_next_input", "text": "1", "replace": false }],
                "user_expressions": {
                    "bad": { "status": "error", "ename": "Panic", "evalue": "boom", "traceback": ["boom"] },
                    "good": { "status": "ok", "data": { "text/plain": "2" }, "metadata": {} },
                },
            }),
        );
        let reply = ExecuteReply::Error {
            error: error(),
            execution_count: 3,
            payload: Vec::new(),
            user_expressions: BTreeMap::new(),
        };
        round_trip(
            &reply,
            &json!({
                "status": "error", "ename": "Panic", "evalue": "boom", "traceback": ["boom"],
                "execution_count": 3, "payload": [], "user_expressions": {},
            }),
        );
        round_trip(&ExecuteReply::Aborted, &json!({ "status": "aborted" }));
    }
}
