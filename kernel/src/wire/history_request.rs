//! `history_request`: tail, range and search over the stored cells.

use jupyter_protocol::HistoryRequest;
use serde_json::{Value, json};

use crate::history::{Entry, History, Query};

/// The reply's content.
pub(crate) async fn reply(history: &History, request: HistoryRequest) -> Value {
    let count = |n: i32| usize::try_from(n).unwrap_or(0);
    let (query, with_output) = match request {
        HistoryRequest::Tail { n, output, .. } => (Query::Tail { n: count(n) }, output),
        HistoryRequest::Range {
            session,
            start,
            stop,
            output,
            ..
        } => (
            Query::Range {
                session: session.unwrap_or(0).into(),
                start: start.into(),
                stop: stop.into(),
            },
            output,
        ),
        HistoryRequest::Search {
            pattern,
            unique,
            output,
            n,
            ..
        } => (
            Query::Search {
                pattern,
                unique,
                n: (n > 0).then(|| count(n)),
            },
            output,
        ),
    };
    let entries = history.query(query).await;
    json!({ "status": "ok", "history": entries.iter().map(|entry| row(entry, with_output)).collect::<Vec<_>>() })
}

fn row(entry: &Entry, with_output: bool) -> Value {
    if with_output {
        json!([entry.session, entry.line, [entry.source, entry.output]])
    } else {
        json!([entry.session, entry.line, entry.source])
    }
}
