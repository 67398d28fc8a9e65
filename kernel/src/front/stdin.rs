//! Questions to the user: `input_request` on the stdin channel, answered by `input_reply`.

use std::sync::{Arc, Mutex, PoisonError};

use jupyter_protocol::InputRequest;
use serde_json::Value;

use super::control;
use super::kernel::Kernel;
use crate::wire::message::Message;
use crate::wire::messages::{Content, ErrorReply};
use crate::wire::router::{Replies, Requests};

type Answer = std::sync::mpsc::Sender<Option<String>>;

/// The stdin channel. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Stdin {
    replies: Replies,
    waiting: Arc<Mutex<Option<Answer>>>,
}

impl Stdin {
    pub(crate) fn new(replies: Replies) -> Self {
        Self {
            replies,
            waiting: Arc::default(),
        }
    }

    /// Asks the front end that sent `parent`.
    pub(crate) fn ask(&self, parent: &Message, prompt: &str, password: bool, answer: Answer) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        let question = InputRequest {
            prompt: prompt.to_owned(),
            password,
        };
        self.replies.reply(InputRequest::TYPE, parent, &question);
    }

    /// Ends the wait of whoever asked; after an interrupt with `None`.
    pub(crate) fn answer(&self, value: Option<String>) {
        if let Some(waiting) = self
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            // The cell may have gone meanwhile.
            let _ = waiting.send(value);
        }
    }
}

/// Reads answers, until the socket is gone. Requests have other channels; those who err are told so.
pub(crate) async fn serve(kernel: Arc<Kernel>, mut requests: Requests, replies: Replies) {
    while let Some(message) = requests.next().await {
        let kind = message.msg_type();
        if kind == "input_reply" {
            let part = |name: &str| message.content.get(name).and_then(Value::as_str);
            // A front end that nobody sits before says so: the cell learns that there is no answer.
            let answer = match part("status") {
                Some("error") => None,
                _ => Some(part("value").unwrap_or_default().to_owned()),
            };
            kernel.stdin.answer(answer);
        } else if !control::answer(&kernel, &message, &replies) && kind.ends_with("_request") {
            let reason = format!("{kind} is answered on the shell channel, not on stdin");
            kernel.answer(
                &replies,
                &message,
                &ErrorReply::new("WrongChannel", &reason),
            );
        }
    }
}
