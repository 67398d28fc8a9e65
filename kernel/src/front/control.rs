//! The control channel: answered at once, whatever runs. Requests of the shell channel are answered here too, as ipykernel
//! does it; a cell waits for its turn among the others.

use std::sync::Arc;

use jupyter_protocol::{InterruptReply, ReplyStatus, ShutdownReply};
use serde_json::Value;

use super::kernel::Kernel;
use super::kernel_info::kernel_info;
use super::shell::{self, Cells};
use super::usage::usage;
use crate::wire::message::Message;
use crate::wire::messages::ErrorReply;
use crate::wire::router::{Replies, Requests};

const INTERRUPTED: InterruptReply = InterruptReply {
    status: ReplyStatus::Ok,
    error: None,
};

/// Serves control requests until the socket is gone.
pub(crate) async fn serve(
    kernel: Arc<Kernel>,
    mut requests: Requests,
    replies: Replies,
    cells: Cells,
) {
    while let Some(request) = requests.next().await {
        if is_late_interrupt(&kernel, &request) {
            kernel.answer(&replies, &request, &INTERRUPTED);
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
        "kernel_info_request" => kernel.answer(replies, request, &kernel_info()),
        "interrupt_request" => {
            kernel.interrupt();
            kernel.answer(replies, request, &INTERRUPTED);
        }
        "shutdown_request" => {
            let restart = request
                .content
                .get("restart")
                .and_then(Value::as_bool)
                .unwrap_or(false);
            let reply = ShutdownReply {
                restart,
                status: ReplyStatus::Ok,
                error: None,
            };
            kernel.answer(replies, request, &reply);
            kernel.iopub.publish(Some(request), &reply);
            kernel.request_stop();
        }
        "usage_request" => kernel.answer(replies, request, &usage()),
        "debug_request" => kernel.answer(
            replies,
            request,
            &ErrorReply::new("NotSupported", "Swath has no debugger"),
        ),
        "create_subshell_request" | "delete_subshell_request" | "list_subshell_request" => {
            kernel.answer(
                replies,
                request,
                &ErrorReply::new(
                    "NotSupported",
                    "Swath needs no subshells: see supported_features",
                ),
            );
        }
        _ => return false,
    }
    true
}
