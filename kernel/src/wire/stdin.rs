//! Questions to the user: `input_request` on the stdin channel, answered by `input_reply`.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::message::Message;
use super::router::{Replies, Requests};

type Answer = std::sync::mpsc::Sender<Option<String>>;

/// The stdin channel. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Stdin {
    replies: Replies,
    waiting: Arc<Mutex<Option<Answer>>>,
}

impl Stdin {
    /// Starts the task that reads answers.
    pub(crate) fn start(mut requests: Requests, replies: Replies) -> Self {
        let stdin = Self {
            replies,
            waiting: Arc::default(),
        };
        let own = stdin.clone();
        tokio::spawn(async move {
            while let Some(message) = requests.next().await {
                if message.msg_type() == "input_reply" {
                    let value = message
                        .content
                        .get("value")
                        .and_then(Value::as_str)
                        .unwrap_or_default();
                    own.answer(Some(value.to_owned()));
                }
            }
        });
        stdin
    }

    /// Asks the front end that sent `parent`.
    pub(crate) fn ask(&self, parent: &Message, prompt: &str, password: bool, answer: Answer) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        self.replies.reply(
            "input_request",
            parent,
            json!({ "prompt": prompt, "password": password }),
        );
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
