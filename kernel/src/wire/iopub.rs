//! The broadcast channel: one task owns the XPUB socket, greets subscribers and sends what the others queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use zeromq::{SocketRecv, SocketSend, XPubSocket};

use super::frames::encode;
use super::message::Message;
use super::router::to_zmq;
use super::sign::Signer;

#[expect(
    clippy::large_enum_variant,
    reason = "almost every job is the large one"
)]
enum Job {
    Publish(Message, usize),
    Flush(oneshot::Sender<()>),
}

/// Queues broadcasts in order. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Iopub {
    session: Arc<str>,
    jobs: mpsc::UnboundedSender<Job>,
    pending_bytes: Arc<AtomicUsize>,
}

impl Iopub {
    /// Starts the task that owns `socket`.
    pub(crate) fn start(mut socket: XPubSocket, session: Arc<str>, signer: Signer) -> Self {
        let (jobs, mut queue) = mpsc::unbounded_channel();
        let pending_bytes = Arc::new(AtomicUsize::new(0));
        let pending = pending_bytes.clone();
        let own_session = session.clone();
        tokio::spawn(async move {
            loop {
                // XPUB registers a subscription only while its `recv` is polled, so both sides share one loop.
                tokio::select! {
                    received = socket.recv() => match received {
                        Ok(frame) => {
                            let Some(welcome) = welcome(&own_session, frame.get(0).map(std::convert::AsRef::as_ref)) else { continue };
                            send(&mut socket, welcome, &signer).await;
                        }
                        // A subscriber that breaks off is not an end of the channel.
                        Err(error) => crate::log::debug(&format!("iopub: {error}")),
                    },
                    job = queue.recv() => match job {
                        Some(Job::Publish(message, size)) => {
                            send(&mut socket, message, &signer).await;
                            pending.fetch_sub(size, Ordering::Relaxed);
                        }
                        Some(Job::Flush(done)) => { let _ = done.send(()); }
                        None => return,
                    },
                }
            }
        });
        Self {
            session,
            jobs,
            pending_bytes,
        }
    }

    /// Queues a broadcast that belongs to `parent`.
    pub(crate) fn publish(&self, msg_type: &str, parent: Option<&Message>, content: Value) {
        let size = match &content {
            Value::Object(map) => map
                .values()
                .map(|value| value.as_str().map_or(256, str::len))
                .sum(),
            _ => 256,
        };
        let mut message = Message::new(&self.session, msg_type, parent, content);
        message.identities = vec![format!("kernel.{}.{msg_type}", self.session).into_bytes()];
        self.pending_bytes.fetch_add(size, Ordering::Relaxed);
        // The receiver lives as long as the process.
        let _ = self.jobs.send(Job::Publish(message, size));
    }

    /// Publishes the state of a request.
    pub(crate) fn status(&self, state: &str, parent: Option<&Message>) {
        self.publish("status", parent, json!({ "execution_state": state }));
    }

    /// Waits until everything queued before has been written.
    pub(crate) async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.jobs.send(Job::Flush(done)).is_ok() {
            let _ = flushed.await;
        }
    }

    /// How many bytes of text wait to be written: producers slow down when this grows.
    pub(crate) fn pending_bytes(&self) -> usize {
        self.pending_bytes.load(Ordering::Relaxed)
    }
}

/// The greeting of JEP 65 for a subscription frame: byte 1 and the topic.
fn welcome(session: &str, frame: Option<&[u8]>) -> Option<Message> {
    let topic = std::str::from_utf8(frame?.strip_prefix(&[1])?).ok()?;
    let mut message = Message::new(
        session,
        "iopub_welcome",
        None,
        json!({ "subscription": topic }),
    );
    message.identities = vec![topic.as_bytes().to_vec()];
    Some(message)
}

async fn send(socket: &mut XPubSocket, message: Message, signer: &Signer) {
    if let Err(error) = socket.send(to_zmq(encode(message, signer))).await {
        crate::log::warn(&format!("iopub: a message was not sent: {error}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_subscriptions_with_readable_topics_are_greeted() {
        assert_eq!(
            welcome("s", Some(&[1])).unwrap().content,
            json!({"subscription": ""})
        );
        assert_eq!(
            welcome("s", Some(b"\x01kernel")).unwrap().content,
            json!({"subscription": "kernel"})
        );
        assert!(welcome("s", Some(&[0])).is_none());
        assert!(welcome("s", Some(&[1, 0xff])).is_none());
        assert!(welcome("s", Some(&[])).is_none());
        assert!(welcome("s", None).is_none());
    }
}
