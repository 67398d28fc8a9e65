//! Comms: channels between front-end widgets and the kernel. No target is registered yet, so that a front end that
//! opens one is told at once that nobody listens.

use serde_json::{Value, json};

use super::iopub::Iopub;
use super::message::Message;

/// The reply to `comm_info_request`.
pub(crate) fn comm_info() -> Value {
    json!({ "status": "ok", "comms": {} })
}

/// Answers `comm_open` of an unknown target with `comm_close`, as the protocol says.
pub(crate) fn comm_open(iopub: &Iopub, request: &Message) {
    if let Some(id) = request.content.get("comm_id").and_then(Value::as_str) {
        iopub.publish(
            "comm_close",
            Some(request),
            json!({ "comm_id": id, "data": {} }),
        );
    }
}
