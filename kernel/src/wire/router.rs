//! Shell, control and stdin: ROUTER sockets with a reader and an ordered writer each, and the heartbeat's echo.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use zeromq::{RouterRecvHalf, RouterSocket, SocketRecv, SocketSend, ZmqMessage};

use super::frames::{decode, encode};
use super::message::Message;
use super::sign::Signer;

/// Multipart frames as the socket takes them.
pub(crate) fn to_zmq(frames: Vec<Vec<u8>>) -> ZmqMessage {
    let mut frames = frames.into_iter();
    let mut message = ZmqMessage::from(frames.next().unwrap_or_default());
    for frame in frames {
        message.push_back(frame.into());
    }
    message
}

fn from_zmq(message: ZmqMessage) -> Vec<Vec<u8>> {
    message
        .into_vec()
        .into_iter()
        .map(|frame| frame.to_vec())
        .collect()
}

#[expect(
    clippy::large_enum_variant,
    reason = "almost every job is the large one"
)]
enum Job {
    Send(Message),
    Flush(oneshot::Sender<()>),
}

/// Queues answers in order. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Replies {
    session: Arc<str>,
    jobs: mpsc::UnboundedSender<Job>,
}

impl Replies {
    /// Queues an answer to `parent`.
    pub(crate) fn reply(&self, msg_type: &str, parent: &Message, content: serde_json::Value) {
        let _ = self.jobs.send(Job::Send(Message::new(
            &self.session,
            msg_type,
            Some(parent),
            content,
        )));
    }

    /// Waits until everything queued before has been handed to the socket.
    pub(crate) async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.jobs.send(Job::Flush(done)).is_ok() {
            let _ = flushed.await;
        }
    }
}

/// Incoming messages of one socket; what cannot be read is logged and dropped.
pub(crate) struct Requests {
    channel: &'static str,
    socket: RouterRecvHalf,
    signer: Signer,
}

impl Requests {
    /// The next valid message; `None` when the socket is gone.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        loop {
            match self.socket.recv().await {
                Ok(frames) => match decode(from_zmq(frames), &self.signer) {
                    Ok(message) => return Some(message),
                    Err(error) => {
                        crate::log::warn(&format!("{}: message dropped: {error}", self.channel));
                    }
                },
                Err(error) => {
                    crate::log::warn(&format!("{}: {error}", self.channel));
                    return None;
                }
            }
        }
    }
}

/// Splits `socket` into its reader and the queue of its writer task.
pub(crate) fn start_router(
    channel: &'static str,
    socket: RouterSocket,
    session: Arc<str>,
    signer: Signer,
) -> (Requests, Replies) {
    let (mut writer, reader) = socket.split();
    let (jobs, mut queue) = mpsc::unbounded_channel();
    let write_signer = signer.clone();
    tokio::spawn(async move {
        while let Some(job) = queue.recv().await {
            match job {
                Job::Send(message) => {
                    // A client that left before its answer is no reason to stop.
                    if let Err(error) = writer.send(to_zmq(encode(message, &write_signer))).await {
                        crate::log::debug(&format!("{channel}: an answer was not sent: {error}"));
                    }
                }
                Job::Flush(done) => {
                    let _ = done.send(());
                }
            }
        }
    });
    (
        Requests {
            channel,
            socket: reader,
            signer,
        },
        Replies { session, jobs },
    )
}

/// Echoes every heartbeat frame. A ROUTER instead of a REP: it has no request-reply state that a lost peer can break.
pub(crate) fn start_heartbeat(socket: RouterSocket) {
    let (mut writer, mut reader) = socket.split();
    tokio::spawn(async move {
        while let Ok(message) = reader.recv().await {
            let _ = writer.send(message).await;
        }
    });
}
