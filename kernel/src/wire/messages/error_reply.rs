use jupyter_protocol::{ReplyError, ReplyStatus};
use serde::{Deserialize, Serialize};

/// The reply to a request that cannot be answered: a status and the error, whatever else the reply would have.
/// `jupyter-protocol` knows the error only as a part of each reply, beside fields that must be filled.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ErrorReply {
    pub(crate) status: ReplyStatus,
    #[serde(flatten)]
    pub(crate) error: ReplyError,
}

impl ErrorReply {
    pub(crate) fn new(ename: &str, evalue: &str) -> Self {
        Self {
            status: ReplyStatus::Error,
            error: ReplyError {
                ename: ename.to_owned(),
                evalue: evalue.to_owned(),
                traceback: vec![evalue.to_owned()],
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::round_trip;
    use super::*;

    #[test]
    fn the_error_is_not_nested() {
        round_trip(
            &ErrorReply::new("BadRequest", "no code"),
            &json!({ "status": "error", "ename": "BadRequest", "evalue": "no code", "traceback": ["no code"] }),
        );
    }
}
