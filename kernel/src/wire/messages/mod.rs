//! The contents of the messages that the kernel sends. Most are types of `jupyter-protocol`; here are those that it has not,
//! or not as the protocol says, one in each file, with the reason.

mod connect_reply;
mod display_data;
mod error_reply;
mod execute_reply;
mod execute_result;
mod history_reply;
mod is_complete_reply;
mod kernel_info_reply;
mod update_display_data;
mod usage_reply;

use jupyter_protocol::{
    ClearOutput, CommClose, ErrorOutput, ExecuteInput, InputRequest, IoPubWelcome, ReplyError,
    ShutdownReply, Status, StreamContent,
};
use serde::Serialize;

pub(crate) use connect_reply::ConnectReply;
pub(crate) use display_data::DisplayData;
pub(crate) use error_reply::ErrorReply;
pub(crate) use execute_reply::{ExecuteReply, ExpressionResult};
pub(crate) use execute_result::ExecuteResult;
pub(crate) use history_reply::{HistoryEntry, HistoryReply};
pub(crate) use is_complete_reply::IsCompleteReply;
pub(crate) use kernel_info_reply::KernelInfoReply;
pub(crate) use update_display_data::UpdateDisplayData;
pub(crate) use usage_reply::{HostMemory, UsageReply};

use super::colors::readable;
use crate::eval::ErrorReport;

/// A content that names its message. That of a reply follows from its request (`front::kernel::reply_type`).
pub(crate) trait Content: Serialize {
    /// The message's type.
    const TYPE: &'static str;
}

macro_rules! contents {
    ($($content:ty => $kind:literal,)+) => {$(
        impl Content for $content {
            const TYPE: &'static str = $kind;
        }
    )+};
}

contents! {
    ClearOutput => "clear_output",
    CommClose => "comm_close",
    DisplayData => "display_data",
    ErrorOutput => "error",
    ExecuteInput => "execute_input",
    ExecuteResult => "execute_result",
    InputRequest => "input_request",
    IoPubWelcome => "iopub_welcome",
    // Broadcast, too.
    ShutdownReply => "shutdown_reply",
    Status => "status",
    StreamContent => "stream",
    UpdateDisplayData => "update_display_data",
}

/// An error in the front end's colors.
pub(crate) fn reply_error(error: &ErrorReport) -> ReplyError {
    ReplyError {
        ename: error.ename.clone(),
        evalue: error.evalue.clone(),
        traceback: readable(&error.traceback),
    }
}

/// Encodes a content, compares it with what the protocol says, and reads it back.
#[cfg(test)]
#[track_caller]
fn round_trip<T: Serialize + serde::de::DeserializeOwned>(
    content: &T,
    expected: &serde_json::Value,
) {
    let text = serde_json::to_string(content).unwrap();
    let encoded: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(&encoded, expected);
    let decoded: T = serde_json::from_str(&text).unwrap();
    assert_eq!(&serde_json::to_value(&decoded).unwrap(), expected);
}
