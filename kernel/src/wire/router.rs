//! Shell, control and stdin: a ROUTER socket of zeromq behind a gate.
//!
//! The gate checks signatures and repetitions, and passes on what is good; it takes what the socket answers and queues it for
//! each client, with bounds. The socket gathers the messages of all clients in turn and addresses the answers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::sync::{OnceCell, mpsc, oneshot};
use zeromq::{
    RouterRecvHalf, RouterSendHalf, RouterSocket, Socket, SocketEvent, SocketRecv, SocketSend,
    ZmqMessage,
};

use super::behind::{Door, Said, Way};
use super::endpoint::Listener;
use super::frames::{FrameError, encode, parse, verify};
use super::gate::{self, Channel, Peer};
use super::message::Message;
use super::outgoing::{Outgoing, Packet};
use super::replay::Seen;
use super::sign::Signer;
use super::zmtp::{self, Incoming, Limits, Pool, Refusal};

/// The longest message of somebody who has shown the key, and of somebody who has not.
const KNOWN_BYTES: usize = 256 << 20;
const STRANGE_BYTES: usize = 32 << 20;
/// Frames of a message: buffers are frames.
const FRAMES: usize = 4096;
/// What waits for a client that does not read its replies, before it is dropped.
const REPLY_BYTES: usize = 256 << 20;
/// How many messages of one connection may be nonsense, one after the other.
const NONSENSE: usize = 20;
/// Beyond this, checking a signature or parsing takes so long that other connections of the thread would notice.
const LONG_CHECK: usize = 1 << 20;
/// How long the end of the kernel waits for clients to take their last replies.
const FLUSH: Duration = Duration::from_secs(1);
/// How long the socket behind the gate may take to know a new client: it is in this process.
const OPENING: Duration = Duration::from_secs(10);
/// What comes from the socket behind the gate is our own.
const OWN: Limits = Limits {
    message: usize::MAX,
    frames: usize::MAX,
};

/// What the sockets of a kernel share.
#[derive(Clone)]
pub(crate) struct Security {
    pub(crate) signer: Signer,
    /// The signed messages that came, on whatever socket.
    pub(crate) seen: Seen,
    /// Unfinished messages of strangers.
    pub(crate) pool: Arc<Pool>,
}

/// A client of the socket.
struct Client {
    peer: Arc<Peer>,
    /// What stands for it behind the gate, and in the identities of its messages: its number, and when it has a ZeroMQ
    /// identity, the digest of that. Together with the number, an identity could be longer than ZeroMQ allows.
    address: Vec<u8>,
    /// Its connection behind the gate, from its first message with a good signature, or the first one to it.
    way: OnceCell<tokio::sync::Mutex<Way>>,
    /// Answers that are on their way to its queue.
    coming: Arc<AtomicUsize>,
}

impl Client {
    fn new(peer: &Arc<Peer>) -> Self {
        let identity = &peer.hello.identity;
        let mut address = peer.id.to_be_bytes().to_vec();
        if !identity.is_empty() {
            address.extend(Sha256::digest(identity));
        }
        Self {
            peer: peer.clone(),
            address,
            way: OnceCell::new(),
            coming: Arc::default(),
        }
    }
}

/// The number of a client, and the digest of its identity.
fn parts(address: &[u8]) -> Option<(u64, &[u8])> {
    let (id, identity) = address.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*id), identity))
}

/// The clients of one socket and the way to them.
struct Router {
    name: &'static str,
    security: Security,
    door: Door,
    clients: Mutex<HashMap<u64, Arc<Client>>>,
    /// Those that the socket behind the gate is about to know.
    opening: Mutex<HashMap<Vec<u8>, oneshot::Sender<()>>>,
}

impl Router {
    fn clients(&self) -> MutexGuard<'_, HashMap<u64, Arc<Client>>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn opening(&self) -> MutexGuard<'_, HashMap<Vec<u8>, oneshot::Sender<()>>> {
        self.opening.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn client(&self, id: u64) -> Option<Arc<Client>> {
        self.clients().get(&id).cloned()
    }

    /// The clients that an answer goes to: the one that asked; where it is gone or is of another socket (a question on
    /// stdin about a request on shell), those with its ZeroMQ identity.
    fn receivers(&self, address: &[u8]) -> Vec<Arc<Client>> {
        let clients = self.clients();
        let Some((id, identity)) = parts(address) else {
            return Vec::new();
        };
        if let Some(client) = clients.get(&id) {
            return vec![client.clone()];
        }
        let same = |client: &&Arc<Client>| {
            !identity.is_empty() && parts(&client.address).is_some_and(|(_, own)| own == identity)
        };
        clients.values().filter(same).cloned().collect()
    }

    /// The way of a client to the socket behind the gate; once there is one, answers find the way back.
    async fn way<'a>(&self, client: &'a Client) -> Result<&'a tokio::sync::Mutex<Way>, Refusal> {
        client.way.get_or_try_init(|| self.open(client)).await
    }

    async fn open(&self, client: &Client) -> Result<tokio::sync::Mutex<Way>, Refusal> {
        let (accepted, known) = oneshot::channel();
        self.opening().insert(client.address.clone(), accepted);
        let opened = tokio::time::timeout(OPENING, async {
            let halves = self.door.connect(&client.address).await?;
            known.await.map_err(|_| Refusal::Ended)?;
            Ok(halves)
        });
        let opened = opened.await;
        self.opening().remove(&client.address);
        let (said, way) = opened.map_err(|_| Refusal::Behind("no answer".to_owned()))??;
        let (outgoing, coming) = (client.peer.outgoing.clone(), client.coming.clone());
        tokio::spawn(relay(self.name, said, outgoing, coming));
        Ok(tokio::sync::Mutex::new(way))
    }

    /// Notes a message that cannot be read; too many of them end the connection.
    fn nonsense(&self, peer: &Peer, error: &FrameError) -> Result<(), Refusal> {
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

    /// Reads what has come through the socket behind the gate.
    fn read(&self, frames: Vec<Vec<u8>>) -> Option<Message> {
        let sender = frames.first().and_then(|address| parts(address));
        let client = sender.and_then(|(id, _)| self.client(id));
        match unhurried(size(&frames), || parse(frames)) {
            Ok(message) => {
                if let Some(client) = client {
                    client.peer.nonsense.store(0, Ordering::Relaxed);
                }
                Some(message)
            }
            Err(error) => {
                if let Some(client) = client
                    && let Err(refusal) = self.nonsense(&client.peer, &error)
                {
                    crate::log::warn(&format!(
                        "{}: a connection was closed: {refusal}",
                        self.name
                    ));
                    client.peer.outgoing.close();
                }
                None
            }
        }
    }
}

/// Does what takes time with long messages so that the thread's other connections do not notice.
fn unhurried<T>(size: usize, work: impl FnOnce() -> T) -> T {
    if size > LONG_CHECK {
        tokio::task::block_in_place(work)
    } else {
        work()
    }
}

fn size(frames: &[Vec<u8>]) -> usize {
    frames.iter().map(Vec::len).sum()
}

/// Queues for one client what the socket behind the gate says to it, until that has seen the client's last message. Always
/// reads: the socket never waits for a client.
async fn relay(name: &str, mut said: Said, outgoing: Outgoing, coming: Arc<AtomicUsize>) {
    let mut dropped = false;
    while let Ok(incoming) = said.next(OWN, None).await {
        let Incoming::Message(frames) = incoming else {
            continue;
        };
        outgoing.send(Packet::new(zmtp::message(&frames)));
        coming.fetch_sub(1, Ordering::Relaxed);
        if outgoing.queued() > REPLY_BYTES && !dropped {
            dropped = true;
            crate::log::warn(&format!(
                "{name}: a client that does not read its replies was dropped"
            ));
            outgoing.close();
        }
    }
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
        self.clients().insert(peer.id, Arc::new(Client::new(peer)));
    }

    fn left(&self, peer: &Peer) {
        self.clients().remove(&peer.id);
    }

    async fn message(&self, peer: &Arc<Peer>, frames: Vec<Vec<u8>>) -> Result<(), Refusal> {
        let check = || verify(&frames, &self.security.signer, &self.security.seen);
        if let Err(error) = unhurried(size(&frames), check) {
            return self.nonsense(peer, &error);
        }
        peer.is_known();
        let client = self.client(peer.id).ok_or(Refusal::Ended)?;
        let mut way = self.way(&client).await?.lock().await;
        let written = zmtp::write_message(&mut way, frames).await;
        written.map_err(|error| Refusal::Behind(error.to_string()))
    }
}

/// An answer and those who get it.
struct Answer {
    receivers: Vec<Arc<Client>>,
    frames: Vec<Vec<u8>>,
}

/// Sends answers, in order for each connection. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Replies {
    session: Arc<str>,
    router: Arc<Router>,
    answers: mpsc::UnboundedSender<Answer>,
}

impl Replies {
    /// Sends an answer to `parent`.
    pub(crate) fn reply(&self, msg_type: &str, parent: &Message, content: &impl Serialize) {
        let message = Message::new(&self.session, msg_type, Some(parent), content);
        let mut frames = encode(message, &self.router.security.signer);
        if frames.is_empty() {
            return;
        }
        let receivers = self.router.receivers(&frames.remove(0));
        if receivers.is_empty() {
            // A client that left before its answer is no reason to stop.
            crate::log::debug(&format!("{}: nobody takes an answer", self.router.name));
            return;
        }
        for client in &receivers {
            client.coming.fetch_add(1, Ordering::Relaxed);
        }
        // The sender lives as long as the kernel serves.
        let _ = self.answers.send(Answer { receivers, frames });
    }

    /// Waits until everything queued before has been handed to the system, or a client does not take it.
    pub(crate) async fn flush(&self) {
        let began = Instant::now();
        let waiting = || {
            let clients = self.router.clients();
            clients.values().any(|client| {
                client.coming.load(Ordering::Relaxed) > 0 || client.peer.outgoing.queued() > 0
            })
        };
        while waiting() && began.elapsed() < FLUSH {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// Hands answers to the socket behind the gate, in order.
async fn send_answers(
    router: Arc<Router>,
    mut socket: RouterSendHalf,
    mut answers: mpsc::UnboundedReceiver<Answer>,
) {
    while let Some(Answer { receivers, frames }) = answers.recv().await {
        let frames: Vec<ZmqMessage> = frames.into_iter().map(ZmqMessage::from).collect();
        for client in receivers {
            let mut message = ZmqMessage::from(client.address.clone());
            for frame in frames.iter().flat_map(ZmqMessage::iter) {
                message.push_back(frame.clone());
            }
            let sent = match router.way(&client).await {
                Ok(_) => socket
                    .send(message)
                    .await
                    .map_err(|error| error.to_string()),
                Err(refusal) => Err(refusal.to_string()),
            };
            if let Err(reason) = sent {
                client.coming.fetch_sub(1, Ordering::Relaxed);
                crate::log::debug(&format!(
                    "{}: an answer was not sent: {reason}",
                    router.name
                ));
            }
        }
    }
}

/// Incoming messages of one socket.
pub(crate) struct Requests {
    router: Arc<Router>,
    socket: RouterRecvHalf,
}

impl Requests {
    /// The next valid message.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        loop {
            match self.socket.recv().await {
                Ok(message) => {
                    let frames = message.into_vec().into_iter().map(Vec::from).collect();
                    if let Some(message) = self.router.read(frames) {
                        return Some(message);
                    }
                }
                Err(error) => {
                    crate::log::warn(&format!("{}: {error}", self.router.name));
                    return None;
                }
            }
        }
    }
}

/// Serves a socket: what comes in, and the way for answers.
///
/// # Errors
/// When there can be no socket behind the gate: why, in one sentence.
pub(crate) async fn start_router(
    name: &'static str,
    listener: Listener,
    session: Arc<str>,
    security: Security,
) -> Result<(Requests, Replies), String> {
    let failed = |reason: String| format!("the {name} channel cannot be served: {reason}");
    let (behind, door) = Door::open().map_err(failed)?;
    let mut socket = RouterSocket::new();
    let mut events = socket.monitor();
    let bound = socket.bind_listener(behind).await;
    bound.map_err(|error| failed(error.to_string()))?;
    let (sender, receiver) = socket.split();
    let pool = security.pool.clone();
    let router = Arc::new(Router {
        name,
        security,
        door,
        clients: Mutex::default(),
        opening: Mutex::default(),
    });
    let (answers, queue) = mpsc::unbounded_channel();
    tokio::spawn(send_answers(router.clone(), sender, queue));
    let opens = router.clone();
    tokio::spawn(async move {
        while let Ok(event) = events.recv().await {
            if let SocketEvent::Accepted(_, address) = event
                && let Some(accepted) = opens.opening().remove(address.as_ref())
            {
                let _ = accepted.send(());
            }
        }
    });
    gate::serve(listener, router.clone(), pool);
    let requests = Requests {
        router: router.clone(),
        socket: receiver,
    };
    Ok((
        requests,
        Replies {
            session,
            router,
            answers,
        },
    ))
}
