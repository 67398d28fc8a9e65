//! Shell, control and stdin: requests of all connections in one queue, replies to the connection that asked.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::endpoint::Listener;
use super::frames::{FrameError, decode, encode};
use super::gate::{self, Channel, Peer};
use super::message::Message;
use super::outgoing::Packet;
use super::replay::Seen;
use super::sign::Signer;
use super::zmtp::{self, Limits, Pool, Refusal};

/// The longest message of somebody who has shown the key, and of somebody who has not.
const KNOWN_BYTES: usize = 256 << 20;
const STRANGE_BYTES: usize = 32 << 20;
/// Frames of a message: buffers are frames.
const FRAMES: usize = 4096;
/// How many requests wait to be looked at before their connections have to wait.
const REQUESTS: usize = 256;
/// What waits for a client that does not read its replies, before it is dropped.
const REPLY_BYTES: usize = 256 << 20;
/// How many messages of one connection may be nonsense, one after the other.
const NONSENSE: usize = 20;
/// Beyond this, checking a signature takes so long that other connections of the thread would notice.
const LONG_CHECK: usize = 1 << 20;
/// How long the end of the kernel waits for clients to take their last replies.
const FLUSH: Duration = Duration::from_secs(1);

/// What the sockets of a kernel share.
#[derive(Clone)]
pub(crate) struct Security {
    pub(crate) signer: Signer,
    /// The signed messages that came, on whatever socket.
    pub(crate) seen: Seen,
    /// Unfinished messages of strangers.
    pub(crate) pool: Arc<Pool>,
}

/// The connections of one socket and the way to them.
struct Router {
    name: &'static str,
    security: Security,
    peers: Mutex<HashMap<u64, Arc<Peer>>>,
    requests: mpsc::Sender<Message>,
}

impl Router {
    fn peers(&self) -> MutexGuard<'_, HashMap<u64, Arc<Peer>>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connections that an answer goes to: the one that asked; where it is gone or is of another socket (a question on
    /// stdin about a request on shell), those with its ZeroMQ identity.
    fn receivers(&self, address: &[u8]) -> Vec<Arc<Peer>> {
        let peers = self.peers();
        let Some((id, identity)) = address.split_first_chunk::<8>() else {
            return Vec::new();
        };
        if let Some(peer) = peers.get(&u64::from_be_bytes(*id)) {
            return vec![peer.clone()];
        }
        let same = |peer: &&Arc<Peer>| !identity.is_empty() && peer.hello.identity == identity;
        peers.values().filter(same).cloned().collect()
    }
}

/// What stands for a connection in the identities of its messages.
fn address(peer: &Peer) -> Vec<u8> {
    [&peer.id.to_be_bytes()[..], &peer.hello.identity].concat()
}

impl Channel for Router {
    fn name(&self) -> &'static str {
        self.name
    }

    fn socket_type(&self) -> &'static str {
        "ROUTER"
    }

    fn peer_types(&self) -> &'static [&'static str] {
        &["DEALER", "REQ", "ROUTER"]
    }

    fn limits(&self, known: bool) -> Limits {
        Limits {
            message: if known { KNOWN_BYTES } else { STRANGE_BYTES },
            frames: FRAMES,
        }
    }

    fn joined(&self, peer: &Arc<Peer>) {
        self.peers().insert(peer.id, peer.clone());
    }

    fn left(&self, peer: &Peer) {
        self.peers().remove(&peer.id);
    }

    async fn message(&self, peer: &Arc<Peer>, mut frames: Vec<Vec<u8>>) -> Result<(), Refusal> {
        let size: usize = frames.iter().map(Vec::len).sum();
        frames.insert(0, address(peer));
        let check = || decode(frames, &self.security.signer, &self.security.seen);
        match if size > LONG_CHECK {
            tokio::task::block_in_place(check)
        } else {
            check()
        } {
            Ok(message) => {
                peer.is_known();
                peer.nonsense.store(0, Ordering::Relaxed);
                // The receiver lives as long as the kernel serves.
                self.requests
                    .send(message)
                    .await
                    .map_err(|_| Refusal::Ended)
            }
            Err(error) => {
                // Whoever repeats a message has it from somebody with the key.
                if !matches!(error, FrameError::BadSignature | FrameError::Repeated) {
                    crate::log::debug(&format!("{}: {error}", self.name));
                }
                let count = peer.nonsense.fetch_add(1, Ordering::Relaxed) + 1;
                if count == 1 {
                    crate::log::warn(&format!("{}: message dropped: {error}", self.name));
                }
                if count > NONSENSE {
                    return Err(Refusal::Nonsense(NONSENSE));
                }
                Ok(())
            }
        }
    }
}

/// Sends answers, in order for each connection. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Replies {
    session: Arc<str>,
    router: Arc<Router>,
}

impl Replies {
    /// Sends an answer to `parent`.
    pub(crate) fn reply(&self, msg_type: &str, parent: &Message, content: serde_json::Value) {
        let message = Message::new(&self.session, msg_type, Some(parent), content);
        let frames = encode(message, &self.router.security.signer);
        let Some((address, frames)) = frames.split_first() else {
            return;
        };
        let receivers = self.router.receivers(address);
        if receivers.is_empty() {
            // A client that left before its answer is no reason to stop.
            crate::log::debug(&format!("{}: nobody takes an answer", self.router.name));
            return;
        }
        let packet = Packet::new(zmtp::message(frames));
        for peer in receivers {
            peer.outgoing.send(packet.clone());
            if peer.outgoing.queued() > REPLY_BYTES {
                crate::log::warn(&format!(
                    "{}: a client that does not read its replies was dropped",
                    self.router.name
                ));
                peer.outgoing.close();
            }
        }
    }

    /// Waits until everything queued before has been handed to the system, or a client does not take it.
    pub(crate) async fn flush(&self) {
        let began = Instant::now();
        let waiting = || {
            let peers = self.router.peers();
            peers.values().any(|peer| peer.outgoing.queued() > 0)
        };
        while waiting() && began.elapsed() < FLUSH {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// Incoming messages of one socket.
pub(crate) struct Requests(mpsc::Receiver<Message>);

impl Requests {
    /// The next valid message.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        self.0.recv().await
    }
}

/// Serves a socket: what comes in, and the way for answers.
pub(crate) fn start_router(
    name: &'static str,
    listener: Listener,
    session: Arc<str>,
    security: Security,
) -> (Requests, Replies) {
    let (requests, receiver) = mpsc::channel(REQUESTS);
    let pool = security.pool.clone();
    let router = Arc::new(Router {
        name,
        security,
        peers: Mutex::default(),
        requests,
    });
    gate::serve(listener, router.clone(), pool);
    (Requests(receiver), Replies { session, router })
}
