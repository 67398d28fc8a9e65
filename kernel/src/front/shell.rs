//! The shell channel: cells go to their queue, everything else is answered while they run.

use std::sync::Arc;

use jupyter_protocol::{CompleteRequest, ExecutionState, InspectRequest, IsCompleteRequest};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

use super::kernel::{Kernel, reply_type};
use super::{comm, complete, control, history_request, inspect, is_complete};
use crate::wire::message::{Message, encoded};
use crate::wire::messages::ErrorReply;
use crate::wire::request;
use crate::wire::router::{Replies, Requests};

/// The queue of [`super::execute::run_queue`]: requests, and where their replies go.
pub(crate) type Cells = UnboundedSender<(Message, Replies)>;

/// Serves shell requests until the socket is gone.
pub(crate) async fn serve(
    kernel: Arc<Kernel>,
    mut requests: Requests,
    replies: Replies,
    cells: Cells,
) {
    while let Some(message) = requests.next().await {
        // VS Code sends interrupt_request on shell: control's requests are accepted here too.
        if !control::answer(&kernel, &message, &replies) {
            dispatch(&kernel, message, &replies, &cells);
        }
    }
}

/// Answers the requests of this channel, whichever one they came on.
pub(crate) fn dispatch(kernel: &Arc<Kernel>, message: Message, replies: &Replies, cells: &Cells) {
    match message.msg_type() {
        // The queue ends with the kernel.
        "execute_request" => drop(cells.send((message, replies.clone()))),
        "comm_info_request" => kernel.answer(replies, &message, &comm::comm_info()),
        "comm_open" => kernel.with_status(&message, || comm::comm_open(&kernel.iopub, &message)),
        "comm_msg" | "comm_close" => kernel.with_status(&message, || {}),
        "connect_request" => kernel.answer(replies, &message, &kernel.ports),
        // These parse, or wait for a disk or for the engine: each has its own task, so that the channel goes on.
        "is_complete_request" | "history_request" | "complete_request" | "inspect_request" => {
            let (kernel, replies) = (kernel.clone(), replies.clone());
            tokio::spawn(async move {
                kernel.iopub.status(ExecutionState::Busy, Some(&message));
                let content = slow_answer(&kernel, &message)
                    .await
                    .unwrap_or_else(|reason| encoded(&ErrorReply::new("BadRequest", &reason)));
                replies.reply(&reply_type(message.msg_type()), &message, &content);
                kernel.idle(&message);
            });
        }
        other => {
            crate::log::debug(&format!("{other:?} is not answered"));
            kernel.with_status(&message, || {});
        }
    }
}

/// The encoded content of the reply.
async fn slow_answer(kernel: &Arc<Kernel>, message: &Message) -> Result<Value, String> {
    match message.msg_type() {
        "is_complete_request" => {
            let request: IsCompleteRequest = request::read(message, json!({}))?;
            Ok(encoded(&is_complete::reply(request.code).await))
        }
        "history_request" => {
            let reply = history_request::reply(&kernel.history, &message.content).await?;
            Ok(encoded(&reply))
        }
        "complete_request" => {
            let request: CompleteRequest = request::read(message, json!({}))?;
            Ok(encoded(&complete::reply(kernel, request).await))
        }
        _ => {
            let request: InspectRequest = request::read(message, json!({ "detail_level": 0 }))?;
            Ok(encoded(&inspect::reply(kernel, request).await))
        }
    }
}
