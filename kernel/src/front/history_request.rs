//! `history_request`: tail, range and search over the stored cells.
//!
//! Read by hand: a number may be as large as a front end likes, and is then as large as it can be here.

use jupyter_protocol::ReplyStatus;
use serde_json::Value;

use crate::history::{Entry, History, Query};
use crate::wire::messages::{HistoryEntry, HistoryReply};

/// The reply's content.
///
/// # Errors
/// When there is no such kind of access.
pub(crate) async fn reply(history: &History, content: &Value) -> Result<HistoryReply, String> {
    let entries = history.query(query(content)?).await;
    let with_output = content["output"].as_bool().unwrap_or(false);
    let rows = entries.into_iter().map(|entry| row(entry, with_output));
    Ok(HistoryReply {
        status: ReplyStatus::Ok,
        history: rows.collect(),
    })
}

fn query(content: &Value) -> Result<Query, String> {
    let count = |name: &str| usize::try_from(integer(&content[name], 0).max(0)).unwrap_or(0);
    match content["hist_access_type"].as_str().unwrap_or("tail") {
        "tail" => Ok(Query::Tail { n: count("n") }),
        "range" => Ok(Query::Range {
            session: integer(&content["session"], 0),
            start: integer(&content["start"], 0),
            stop: integer(&content["stop"], i64::MAX),
        }),
        "search" => Ok(Query::Search {
            pattern: content["pattern"].as_str().unwrap_or("*").to_owned(),
            unique: content["unique"].as_bool().unwrap_or(false),
            n: Some(count("n")).filter(|n| *n > 0),
        }),
        other => Err(format!(
            "history_request cannot be read: hist_access_type is {other:?}, expected \"tail\", \"range\" or \"search\""
        )),
    }
}

/// The whole number nearest to `value`.
fn integer(value: &Value, default: i64) -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast saturates, which is what is wanted"
    )]
    let rounded = |number: f64| number as i64;
    let large = value.as_u64().map(|_| i64::MAX);
    value
        .as_i64()
        .or(large)
        .or_else(|| value.as_f64().map(rounded))
        .unwrap_or(default)
}

fn row(entry: Entry, with_output: bool) -> HistoryEntry {
    if with_output {
        let texts = (entry.source, entry.output);
        HistoryEntry::InputOutput(entry.session, entry.line, texts)
    } else {
        HistoryEntry::Input(entry.session, entry.line, entry.source)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_of_any_size_are_taken() {
        for (written, expected) in [
            ("5", 5),
            ("-1", -1),
            ("1000000000000", 1_000_000_000_000),
            ("9223372036854775807", i64::MAX),
            ("18446744073709551615", i64::MAX),
            ("1e300", i64::MAX),
            ("-1e300", i64::MIN),
            ("null", 7),
            ("\"5\"", 7),
        ] {
            let value: Value = serde_json::from_str(written).unwrap();
            assert_eq!(integer(&value, 7), expected, "{written}");
        }
    }

    #[test]
    fn what_is_left_out_has_its_default_and_an_unknown_access_is_named() {
        let search = query(&json!({ "hist_access_type": "search", "n": null })).unwrap();
        assert!(
            matches!(search, Query::Search { pattern, unique: false, n: None } if pattern == "*")
        );
        let range = query(&json!({ "hist_access_type": "range" })).unwrap();
        let whole = matches!(
            range,
            Query::Range {
                session: 0,
                start: 0,
                stop: i64::MAX
            }
        );
        assert!(whole);
        assert!(
            query(&json!({ "hist_access_type": "all" }))
                .unwrap_err()
                .contains("\"all\"")
        );
    }
}
