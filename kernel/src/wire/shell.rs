//! The shell channel: cells go to their queue, everything else is answered while they run.

use std::sync::Arc;

use jupyter_protocol::{CompleteRequest, HistoryRequest, InspectRequest, IsCompleteRequest};
use serde_json::json;
use tokio::sync::mpsc::UnboundedSender;

use super::kernel::{Kernel, error_content, reply_type};
use super::message::Message;
use super::router::{Replies, Requests};
use super::{comm, complete, control, history_request, inspect, is_complete, request};

/// Serves shell requests until the socket is gone; `cells` is the queue of [`super::execute::run_queue`].
pub(crate) async fn serve(
    kernel: Arc<Kernel>,
    mut requests: Requests,
    replies: Replies,
    cells: UnboundedSender<Message>,
) {
    while let Some(message) = requests.next().await {
        if message.msg_type() == "execute_request" {
            if cells.send(message).is_err() {
                return;
            }
        // VS Code sends interrupt_request on shell: control's requests are accepted here too.
        } else if !control::answer(&kernel, &message, &replies) {
            dispatch(&kernel, message, &replies);
        }
    }
}

fn dispatch(kernel: &Arc<Kernel>, message: Message, replies: &Replies) {
    match message.msg_type() {
        "comm_info_request" => kernel.answer(replies, &message, comm::comm_info()),
        "comm_open" => kernel.with_status(&message, || comm::comm_open(&kernel.iopub, &message)),
        "comm_msg" | "comm_close" => kernel.with_status(&message, || {}),
        "connect_request" => kernel.answer(replies, &message, json!({ "status": "ok" })),
        "is_complete_request" => {
            let content = request::read::<IsCompleteRequest>(&message, json!({})).map_or_else(
                |reason| error_content("BadRequest", &reason),
                |request| is_complete::reply(&request.code),
            );
            kernel.answer(replies, &message, content);
        }
        // These wait for a disk or for the engine: each has its own task, so that the channel goes on.
        "history_request" | "complete_request" | "inspect_request" => {
            let (kernel, replies) = (kernel.clone(), replies.clone());
            tokio::spawn(async move {
                kernel.iopub.status("busy", Some(&message));
                let content = slow_answer(&kernel, &message)
                    .await
                    .unwrap_or_else(|reason| error_content("BadRequest", &reason));
                replies.reply(&reply_type(message.msg_type()), &message, content);
                kernel.idle(&message);
            });
        }
        other => {
            crate::log::debug(&format!("shell: {other:?} is not answered"));
            kernel.with_status(&message, || {});
        }
    }
}

async fn slow_answer(kernel: &Arc<Kernel>, message: &Message) -> Result<serde_json::Value, String> {
    match message.msg_type() {
        "history_request" => {
            let defaults = json!({
                "hist_access_type": "tail", "output": false, "raw": true, "unique": false, "n": 0, "pattern": "*",
                "start": 0, "stop": i32::MAX,
            });
            let request: HistoryRequest = request::read(message, defaults)?;
            Ok(history_request::reply(&kernel.history, request).await)
        }
        "complete_request" => {
            let request: CompleteRequest = request::read(message, json!({}))?;
            Ok(complete::reply(kernel, request).await)
        }
        _ => {
            let request: InspectRequest = request::read(message, json!({ "detail_level": 0 }))?;
            Ok(inspect::reply(kernel, request).await)
        }
    }
}
