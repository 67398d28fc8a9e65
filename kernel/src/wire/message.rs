//! One message. The header stays raw JSON, so that fields we do not know (`subshell_id`) come back unchanged in the
//! `parent_header` of every answer; contents are typed by `jupyter-protocol` where it has the
//! type, and by [`super::messages`].

use jupyter_protocol::Header;
use serde::Serialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

/// The protocol we speak and announce.
pub(crate) const PROTOCOL_VERSION: &str = "5.5";

/// A Jupyter message with its routing frames and binary buffers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Message {
    /// ZeroMQ routing frames (on iopub: the topic).
    pub(crate) identities: Vec<Vec<u8>>,
    pub(crate) header: Map<String, Value>,
    pub(crate) parent_header: Map<String, Value>,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) content: Value,
    pub(crate) buffers: Vec<Vec<u8>>,
}

impl Message {
    /// A message that answers `parent`, or one without a parent.
    pub(crate) fn new(
        session: &str,
        msg_type: &str,
        parent: Option<&Message>,
        content: &impl Serialize,
    ) -> Self {
        Self {
            identities: parent
                .map(|parent| parent.identities.clone())
                .unwrap_or_default(),
            header: header(session, msg_type),
            parent_header: parent
                .map(|parent| parent.header.clone())
                .unwrap_or_default(),
            metadata: Map::new(),
            content: encoded(content),
            buffers: Vec::new(),
        }
    }

    /// The message type; empty when the header has none.
    pub(crate) fn msg_type(&self) -> &str {
        self.header
            .get("msg_type")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Whether it was sent before `other`, as far as they tell: only the clock of one client counts.
    pub(crate) fn was_sent_before(&self, other: &Message) -> bool {
        let read = |message: &Message| {
            serde_json::from_value::<Header>(Value::Object(message.header.clone())).ok()
        };
        match (read(self), read(other)) {
            (Some(this), Some(other)) => this.session == other.session && this.date < other.date,
            _ => false,
        }
    }
}

fn header(session: &str, msg_type: &str) -> Map<String, Value> {
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
    let date = OffsetDateTime::now_utc()
        .format(&format)
        .unwrap_or_default();
    let value = json!({
        "msg_id": uuid::Uuid::new_v4().to_string(),
        "session": session,
        "username": "swath",
        "date": date,
        "msg_type": msg_type,
        "version": PROTOCOL_VERSION,
    });
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// The JSON of a typed content. Contents are plain structures: they always serialize.
pub(crate) fn encoded(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_else(|_| json!({}))
}
