use serde::{Deserialize, Serialize};

/// `is_complete_reply`.
///
/// That of `jupyter-protocol` always has an `indent`; the protocol: "for other statuses [than incomplete], this field does
/// not exist".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub(crate) enum IsCompleteReply {
    /// It can run.
    Complete,
    /// It will never run.
    Invalid,
    /// Nobody knows.
    Unknown,
    /// Another line must follow, which begins with `indent`.
    Incomplete { indent: String },
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::round_trip;
    use super::*;

    #[test]
    fn only_incomplete_text_has_an_indent() {
        round_trip(&IsCompleteReply::Complete, &json!({ "status": "complete" }));
        round_trip(&IsCompleteReply::Invalid, &json!({ "status": "invalid" }));
        round_trip(&IsCompleteReply::Unknown, &json!({ "status": "unknown" }));
        let indent = "    ".to_owned();
        round_trip(
            &IsCompleteReply::Incomplete { indent },
            &json!({ "status": "incomplete", "indent": "    " }),
        );
    }
}
