use jupyter_protocol::ReplyStatus;
use serde::{Deserialize, Serialize};

/// `history_reply`.
///
/// That of `jupyter-protocol` has no place for a cell without an output, which is `null` as ipykernel has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct HistoryReply {
    pub(crate) status: ReplyStatus,
    pub(crate) history: Vec<HistoryEntry>,
}

/// A cell: its session, its number, and its text, with its output when that was asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum HistoryEntry {
    Input(i64, i64, String),
    InputOutput(i64, i64, (String, Option<String>)),
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::round_trip;
    use super::*;

    #[test]
    fn entries_are_tuples_and_an_output_may_be_missing() {
        let reply = HistoryReply {
            status: ReplyStatus::Ok,
            history: vec![
                HistoryEntry::Input(1, 2, "a".to_owned()),
                HistoryEntry::InputOutput(1, 2, ("a".to_owned(), Some("5".to_owned()))),
                HistoryEntry::InputOutput(1, 3, ("b".to_owned(), None)),
            ],
        };
        round_trip(
            &reply,
            &json!({ "status": "ok", "history": [[1, 2, "a"], [1, 2, ["a", "5"]], [1, 3, ["b", null]]] }),
        );
    }
}
