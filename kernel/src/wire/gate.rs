//! Before every channel: takes connections, in bounded number, shakes hands, reads and writes with bounds.
//!
//! Everybody on the machine can connect to a port. A connection that has sent a message with a good signature is *known*;
//! all others are strangers, and only strangers make room for strangers.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::task::AbortHandle;

use super::complaints::Complaints;
use super::endpoint::{Accepted, Listener};
use super::outgoing::{Outgoing, Packet, outgoing, write};
use super::zmtp::{self, GREETING, Hello, Incoming, Limits, PeerReader, Pool, Refusal};

/// How long greeting and READY may take together.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a stranger may take for one message.
const STRANGERS_MESSAGE: Duration = Duration::from_secs(30);
/// Connections of one channel, where the system lets the process have files enough.
const CONNECTIONS: usize = 128;
/// How long to wait when no more connections can be taken (no file descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A connection after its handshake.
pub(crate) struct Peer {
    /// Different for all connections of all channels.
    pub(crate) id: u64,
    pub(crate) hello: Hello,
    pub(crate) outgoing: Outgoing,
    /// How many messages could not be read since the last one that could.
    pub(crate) nonsense: AtomicUsize,
    known: Arc<AtomicBool>,
}

impl Peer {
    /// The peer has shown that it has the key.
    pub(crate) fn is_known(&self) {
        self.known.store(true, Ordering::Relaxed);
    }
}

/// What a channel does with its connections.
pub(crate) trait Channel: Send + Sync + 'static {
    /// Its name in messages.
    fn name(&self) -> &'static str;
    /// Our own type in ZeroMQ's words.
    fn socket_type(&self) -> &'static str;
    /// The types that may connect.
    fn peer_types(&self) -> &'static [&'static str];
    /// What is taken from a stranger, or from a peer that is known.
    fn limits(&self, known: bool) -> Limits;
    /// A connection has shaken hands.
    fn joined(&self, _peer: &Arc<Peer>) {}
    /// A connection is over.
    fn left(&self, _peer: &Peer) {}
    /// A message; an error ends the connection.
    fn message(
        &self,
        peer: &Arc<Peer>,
        frames: Vec<Vec<u8>>,
    ) -> impl Future<Output = Result<(), Refusal>> + Send;
    /// A command that is not ZMTP's own; an error ends the connection.
    fn command(&self, _peer: &Arc<Peer>, _name: &[u8], _body: &[u8]) -> Result<(), Refusal> {
        Ok(())
    }
}

/// Serves `channel` on the present runtime for good.
pub(crate) fn serve<C: Channel>(listener: Listener, channel: Arc<C>, pool: Arc<Pool>) {
    let gate = Arc::new(Gate {
        complaints: Complaints::new(channel.name()),
        channel,
        pool,
        slots: Mutex::default(),
        limit: connection_limit(),
    });
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok(Ok(Accepted::Tcp(stream))) => gate.admit(stream),
                Ok(Ok(Accepted::Ipc(stream))) => gate.admit(stream),
                Ok(Err(refusal)) => gate
                    .complaints
                    .add(&format!("a connection was not taken: {refusal}")),
                Err(error) => {
                    gate.complaints
                        .add(&format!("a connection was not taken: {error}"));
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    });
}

/// An eighth of the files that this process may open, for five channels and everything else.
fn connection_limit() -> usize {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: getrlimit fills the structure that it is given.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } == 0;
    let files = usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX);
    if known {
        (files / 8).clamp(8, CONNECTIONS)
    } else {
        CONNECTIONS
    }
}

struct Slot {
    id: u64,
    shaken: Arc<AtomicBool>,
    known: Arc<AtomicBool>,
    task: Option<AbortHandle>,
}

struct Gate<C> {
    channel: Arc<C>,
    pool: Arc<Pool>,
    complaints: Complaints,
    slots: Mutex<Vec<Slot>>,
    limit: usize,
}

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Ends what a connection holds, however its task ends.
struct Leaving<C: Channel> {
    gate: Arc<Gate<C>>,
    id: u64,
    peer: Option<Arc<Peer>>,
}

impl<C: Channel> Drop for Leaving<C> {
    fn drop(&mut self) {
        self.gate.slots().retain(|slot| slot.id != self.id);
        if let Some(peer) = &self.peer {
            self.gate.channel.left(peer);
        }
    }
}

impl<C: Channel> Gate<C> {
    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a connection a slot and a task; when there are no slots, that of a stranger, or none.
    fn admit<S: AsyncRead + AsyncWrite + Send + 'static>(self: &Arc<Self>, stream: S) {
        let (id, shaken, known) = (next_id(), Arc::default(), Arc::default());
        let slot = Slot {
            id,
            shaken: Arc::clone(&shaken),
            known: Arc::clone(&known),
            task: None,
        };
        if !self.take_slot(slot) {
            return;
        }
        let leaving = Leaving {
            gate: self.clone(),
            id,
            peer: None,
        };
        let task = tokio::spawn(converse(stream, leaving, shaken, known)).abort_handle();
        if let Some(slot) = self.slots().iter_mut().find(|slot| slot.id == id) {
            slot.task = Some(task);
        }
    }

    /// Whether there is a slot, or somebody made room.
    fn take_slot(&self, slot: Slot) -> bool {
        let mut slots = self.slots();
        if slots.len() >= self.limit {
            let open = slots.len();
            self.complaints
                .add(&format!("{open} connections are open: strangers make room"));
            let Some(victim) = victim(&slots) else {
                return false;
            };
            if let Some(task) = slots.remove(victim).task {
                task.abort();
            }
        }
        slots.push(slot);
        true
    }
}

/// Which connection makes room for a new one: any that has not shaken hands, otherwise a stranger of the younger half. The
/// older half is safe, so that a flood leaves those alone who were there before; the choice is random, so that somebody
/// new has a chance against it.
fn victim(slots: &[Slot]) -> Option<usize> {
    let pick = |places: &[usize]| {
        let random = usize::try_from(RandomState::new().hash_one(places.len()) >> 1);
        let place = random.ok()?.checked_rem(places.len())?;
        places.get(place).copied()
    };
    let strange = |slot: &Slot| !slot.known.load(Ordering::Relaxed);
    let half: Vec<usize> = (0..slots.len())
        .filter(|&place| !slots[place].shaken.load(Ordering::Relaxed))
        .collect();
    pick(&half).or_else(|| {
        let strangers: Vec<usize> = (0..slots.len())
            .filter(|&place| strange(&slots[place]))
            .collect();
        pick(&strangers[(slots.len() / 2).min(strangers.len())..])
    })
}

async fn converse<C: Channel, S: AsyncRead + AsyncWrite + Send + 'static>(
    stream: S,
    mut leaving: Leaving<C>,
    shaken: Arc<AtomicBool>,
    known: Arc<AtomicBool>,
) {
    let gate = leaving.gate.clone();
    let (input, mut output) = tokio::io::split(stream);
    let mut reader = PeerReader::new(BufReader::new(input));
    let shaking = shake_hands(&*gate.channel, &mut reader, &mut output);
    let hello = match tokio::time::timeout(HANDSHAKE, shaking).await {
        Ok(Ok(hello)) => hello,
        // Whoever goes away before it has said anything is nobody's concern: a port scan, a closed notebook.
        Ok(Err(Refusal::Ended)) => return,
        Ok(Err(refusal)) => {
            return gate
                .complaints
                .add(&format!("a connection was refused: {refusal}"));
        }
        Err(_) => {
            let refusal = Refusal::Handshake(HANDSHAKE.as_secs());
            return gate
                .complaints
                .add(&format!("a connection was closed: {refusal}"));
        }
    };
    shaken.store(true, Ordering::Relaxed);
    let (outgoing, pending) = outgoing();
    let peer = Arc::new(Peer {
        id: leaving.id,
        hello,
        outgoing,
        nonsense: AtomicUsize::new(0),
        known,
    });
    leaving.peer = Some(peer.clone());
    gate.channel.joined(&peer);
    let refusal = tokio::select! {
        refusal = listen(&gate, &mut reader, &peer) => refusal,
        () = write(output, pending) => Refusal::Ended,
        () = peer.outgoing.closed() => Refusal::Ended,
    };
    if !matches!(refusal, Refusal::Ended) {
        gate.complaints
            .add(&format!("a connection was closed: {refusal}"));
    }
}

async fn shake_hands<C: Channel>(
    channel: &C,
    reader: &mut PeerReader<impl AsyncRead + Unpin>,
    output: &mut (impl AsyncWrite + Unpin),
) -> Result<Hello, Refusal> {
    let send = async |output: &mut _, bytes: &[u8]| -> Result<(), Refusal> {
        AsyncWriteExt::write_all(output, bytes)
            .await
            .map_err(|_| Refusal::Ended)
    };
    send(output, &GREETING).await?;
    reader.greeting().await?;
    send(output, &zmtp::ready(channel.socket_type(), b"")).await?;
    let hello = reader.hello().await?;
    if !channel.peer_types().contains(&hello.socket_type.as_str()) {
        return Err(Refusal::SocketType(hello.socket_type));
    }
    Ok(hello)
}

/// Reads until the peer is gone or has to go; says why.
async fn listen<C: Channel>(
    gate: &Gate<C>,
    reader: &mut PeerReader<impl AsyncRead + Unpin>,
    peer: &Arc<Peer>,
) -> Refusal {
    loop {
        let known = peer.known.load(Ordering::Relaxed);
        let limits = gate.channel.limits(known);
        let pool = (!known).then_some((&gate.pool, STRANGERS_MESSAGE));
        let done = match reader.next(limits, pool).await {
            Ok(Incoming::Message(frames)) => gate.channel.message(peer, frames).await,
            Ok(Incoming::Command { name, body }) if name == b"PING" => pong(peer, &body),
            Ok(Incoming::Command { name, body }) => gate.channel.command(peer, &name, &body),
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = done {
            return refusal;
        }
    }
}

/// Answers ZMTP's heartbeat: two bytes of time to live, then at most 16 that are to come back.
fn pong(peer: &Peer, body: &[u8]) -> Result<(), Refusal> {
    let context = body.get(2..).unwrap_or_default();
    // Somebody who asks and does not read the answers is not alive.
    if context.len() > 16
        || peer.outgoing.queued() > (1 << 20) && !peer.known.load(Ordering::Relaxed)
    {
        return Err(Refusal::Nonsense(1));
    }
    let answer = zmtp::command("PONG", context);
    peer.outgoing.send(Packet::new(answer));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(id: u64, shaken: bool, known: bool) -> Slot {
        Slot {
            id,
            shaken: Arc::new(AtomicBool::new(shaken)),
            known: Arc::new(AtomicBool::new(known)),
            task: None,
        }
    }

    #[test]
    fn half_greetings_go_first_then_young_strangers_and_never_the_known() {
        let mut slots: Vec<Slot> = (0..8).map(|id| slot(id, true, id % 2 == 0)).collect();
        assert_eq!(
            victim(&slots),
            None,
            "four strangers of eight are old enough"
        );
        slots.extend((8..12).map(|id| slot(id, true, false)));
        for _ in 0..100 {
            let gone = victim(&slots).unwrap();
            assert!((10..12).contains(&gone), "{gone}");
        }
        slots.push(slot(99, false, false));
        for _ in 0..100 {
            assert_eq!(victim(&slots), Some(12));
        }
        let known: Vec<Slot> = (0..8).map(|id| slot(id, true, true)).collect();
        assert_eq!(victim(&known), None);
        assert_eq!(victim(&[]), None);
    }
}
