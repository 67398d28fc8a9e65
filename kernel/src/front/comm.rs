//! Comms: channels between front-end widgets and the kernel. No target is registered yet, so that a front end that
//! opens one is told at once that nobody listens.

use std::collections::HashMap;

use jupyter_protocol::{CommClose, CommId, CommInfoReply, ReplyStatus};
use serde_json::{Map, Value};

use crate::wire::iopub::Iopub;
use crate::wire::message::Message;

/// The reply to `comm_info_request`.
pub(crate) fn comm_info() -> CommInfoReply {
    CommInfoReply {
        status: ReplyStatus::Ok,
        comms: HashMap::new(),
        error: None,
    }
}

/// Answers `comm_open` of an unknown target with `comm_close`, as the protocol says.
pub(crate) fn comm_open(iopub: &Iopub, request: &Message) {
    if let Some(id) = request.content.get("comm_id").and_then(Value::as_str) {
        let close = CommClose {
            comm_id: CommId(id.to_owned()),
            data: Map::new(),
        };
        iopub.publish(Some(request), &close);
    }
}
