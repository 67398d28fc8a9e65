//! The control channel: answered at once, whatever runs. Requests of the shell channel are answered here too, as ipykernel
//! does it; a cell waits for its turn among the others.

use std::sync::Arc;

use serde_json::{Value, json};

use super::kernel::{Kernel, error_content};
use super::kernel_info::kernel_info;
use super::message::Message;
use super::router::{Replies, Requests};
use super::shell::{self, Cells};
use super::usage::usage;

/// Serves control requests until the socket is gone.
pub(crate) async fn serve(
    kernel: Arc<Kernel>,
    mut requests: Requests,
    replies: Replies,
    cells: Cells,
) {
    while let Some(request) = requests.next().await {
        if is_late_interrupt(&kernel, &request) {
            kernel.answer(&replies, &request, json!({ "status": "ok" }));
        } else if !answer(&kernel, &request, &replies) {
            shell::dispatch(&kernel, request, &replies, &cells);
        }
    }
}

/// Whether an interrupt was about a cell before the one that runs. It comes by another way than the cells: the one that
/// its sender saw running may be over.
fn is_late_interrupt(kernel: &Kernel, request: &Message) -> bool {
    request.msg_type() == "interrupt_request"
        && kernel
            .running()
            .as_deref()
            .is_some_and(|running| request.was_sent_before(running))
}

/// Answers what both control and shell understand; `false` for a message of another kind.
pub(crate) fn answer(kernel: &Kernel, request: &Message, replies: &Replies) -> bool {
    match request.msg_type() {
        "kernel_info_request" => kernel.answer(replies, request, kernel_info()),
        "interrupt_request" => {
            kernel.interrupt();
            kernel.answer(replies, request, json!({ "status": "ok" }));
        }
        "shutdown_request" => {
            let restart = request
                .content
                .get("restart")
                .and_then(Value::as_bool)
                .unwrap_or(false);
            kernel.answer(
                replies,
                request,
                json!({ "status": "ok", "restart": restart }),
            );
            kernel.iopub.publish(
                "shutdown_reply",
                Some(request),
                json!({ "status": "ok", "restart": restart }),
            );
            kernel.request_stop();
        }
        "usage_request" => kernel.answer(replies, request, usage_reply()),
        "debug_request" => kernel.answer(
            replies,
            request,
            error_content("NotSupported", "Swath has no debugger"),
        ),
        "create_subshell_request" | "delete_subshell_request" | "list_subshell_request" => {
            kernel.answer(
                replies,
                request,
                error_content(
                    "NotSupported",
                    "Swath needs no subshells: see supported_features",
                ),
            );
        }
        _ => return false,
    }
    true
}

fn usage_reply() -> Value {
    let mut reply = usage();
    reply["status"] = json!("ok");
    reply
}
