//! The broadcast channel: every subscriber has a queue of its own, so that one who does not read delays nobody.
//!
//! There is no zeromq behind this gate: its XPUB awaits each subscriber in turn, so that one who does not read stops all, and
//! its PUB drops what does not fit instead of telling producers to wait. Besides, subscribers show no key: whatever stood
//! behind would be spoken to by strangers.
//!
//! **Bounds.** Producers are paced by the subscribers that read: they wait while one that still takes something has more
//! than [`WAITING_BYTES`] before it. One that has stopped taking, or that stays behind for [`BEHIND`] while somebody else
//! has everything, paces nobody; when all have stopped, they are waited for, for [`PATIENCE`]. It is dropped when that is
//! over, or when [`DROPPED_BYTES`] wait for it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jupyter_protocol::{ExecutionState, IoPubWelcome, Status};

use super::endpoint::Listener;
use super::frames::encode;
use super::gate::{self, Channel, Peer};
use super::message::Message;
use super::messages::Content;
use super::outgoing::Packet;
use super::sign::Signer;
use super::zmtp::{self, Limits, Pool, Refusal};

/// What may wait for a subscriber before producers wait for it.
const WAITING_BYTES: usize = 32 << 20;
/// What may wait for one that has stopped reading.
const DROPPED_BYTES: usize = 128 << 20;
/// What may wait for all of them together: those that have stopped reading are dropped, the longest queue first.
const ALL_BYTES: usize = 192 << 20;
/// Whoever has taken nothing for so long has stopped reading, for the present: ZeroMQ's own receivers take a thousand
/// messages, and nothing more until their program has worked through five hundred of them.
const STOPPED: Duration = Duration::from_millis(500);
/// How long one that reads slowly may hold up those who read fast.
const BEHIND: Duration = Duration::from_secs(2);
/// Whoever has no more than this before it has everything, as far as people can see.
const CAUGHT_UP: usize = 1 << 20;
/// How long one that has stopped is waited for when there is nobody else.
const PATIENCE: Duration = Duration::from_secs(30);
/// Subscriptions of one connection: a client has one, or one for each kind of message.
const SUBSCRIPTIONS: usize = 64;
/// A subscription is a topic.
const LIMITS: Limits = Limits {
    message: 1024,
    frames: 1,
};
const FLUSH: Duration = Duration::from_secs(1);

struct Subscriber {
    peer: Arc<Peer>,
    topics: Vec<Vec<u8>>,
    /// Since when producers have had to wait for it, on and off.
    behind: Option<Instant>,
}

impl Subscriber {
    fn wants(&self, topic: &[u8]) -> bool {
        self.topics.iter().any(|prefix| topic.starts_with(prefix))
    }

    /// What waits for it now. Half of what producers wait for ends a time of being behind.
    fn queue(&mut self, id: u64) -> Queue {
        let bytes = self.peer.outgoing.queued();
        if bytes > WAITING_BYTES {
            self.behind.get_or_insert_with(Instant::now);
        } else if bytes < WAITING_BYTES / 2 {
            self.behind = None;
        }
        Queue {
            id,
            bytes,
            stalled: self.peer.outgoing.stalled_for(),
            behind: self.behind.map_or(Duration::ZERO, |since| since.elapsed()),
        }
    }
}

struct Broadcast {
    session: Arc<str>,
    signer: Signer,
    subscribers: Mutex<HashMap<u64, Subscriber>>,
    /// Bytes that wait for anybody, each counted once.
    alive: Arc<AtomicUsize>,
}

impl Broadcast {
    fn subscribers(&self) -> MutexGuard<'_, HashMap<u64, Subscriber>> {
        self.subscribers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn packet(&self, message: Message) -> Arc<Packet> {
        let frames = encode(message, &self.signer);
        Packet::counted(zmtp::message(&frames), &self.alive)
    }

    /// Byte 1 and a topic subscribes, byte 0 ends a subscription.
    fn subscribe(&self, peer: &Peer, wanted: bool, topic: &[u8]) -> Result<(), Refusal> {
        if topic.len() > LIMITS.message {
            return Err(Refusal::Subscriptions(SUBSCRIPTIONS));
        }
        let mut subscribers = self.subscribers();
        let Some(subscriber) = subscribers.get_mut(&peer.id) else {
            return Ok(());
        };
        if !wanted {
            if let Some(place) = subscriber.topics.iter().position(|known| known == topic) {
                subscriber.topics.swap_remove(place);
            }
            return Ok(());
        }
        if subscriber.topics.len() >= SUBSCRIPTIONS {
            return Err(Refusal::Subscriptions(SUBSCRIPTIONS));
        }
        subscriber.topics.push(topic.to_vec());
        // Greeted before the lock is given back, and so before anything else that it is to get.
        if let Some(welcome) = welcome(&self.session, topic) {
            peer.outgoing.send(self.packet(welcome));
        }
        if peer.outgoing.queued() > WAITING_BYTES {
            return Err(Refusal::Subscriptions(SUBSCRIPTIONS));
        }
        Ok(())
    }
}

impl Channel for Broadcast {
    fn name(&self) -> &'static str {
        "iopub"
    }

    fn socket_type(&self) -> &'static str {
        "XPUB"
    }

    fn peer_types(&self) -> &'static [&'static str] {
        &["SUB", "XSUB"]
    }

    fn limits(&self, _known: bool) -> Limits {
        LIMITS
    }

    fn joined(&self, peer: &Arc<Peer>) {
        let subscriber = Subscriber {
            peer: peer.clone(),
            topics: Vec::new(),
            behind: None,
        };
        self.subscribers().insert(peer.id, subscriber);
    }

    fn left(&self, peer: &Peer) {
        self.subscribers().remove(&peer.id);
    }

    async fn message(&self, peer: &Arc<Peer>, frames: Vec<Vec<u8>>) -> Result<(), Refusal> {
        match frames.first().and_then(|frame| frame.split_first()) {
            Some((&sign @ (0 | 1), topic)) => self.subscribe(peer, sign == 1, topic),
            // What else a subscriber sends is for nobody.
            _ => Ok(()),
        }
    }

    /// ZMTP 3.1 has commands instead.
    fn command(&self, peer: &Arc<Peer>, name: &[u8], body: &[u8]) -> Result<(), Refusal> {
        match name {
            b"SUBSCRIBE" => self.subscribe(peer, true, body),
            b"CANCEL" => self.subscribe(peer, false, body),
            _ => Ok(()),
        }
    }
}

/// Broadcasts, in order for each thread. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Iopub(Arc<Broadcast>);

impl Iopub {
    /// Serves subscribers.
    pub(crate) fn start(
        listener: Listener,
        session: Arc<str>,
        signer: Signer,
        pool: Arc<Pool>,
    ) -> Self {
        let broadcast = Arc::new(Broadcast {
            session,
            signer,
            subscribers: Mutex::default(),
            alive: Arc::default(),
        });
        gate::serve(listener, broadcast.clone(), pool);
        Self(broadcast)
    }

    /// Broadcasts a message that belongs to `parent`.
    pub(crate) fn publish<C: Content>(&self, parent: Option<&Message>, content: &C) {
        let msg_type = C::TYPE;
        let topic = format!("kernel.{}.{msg_type}", self.0.session).into_bytes();
        let mut message = Message::new(&self.0.session, msg_type, parent, content);
        message.identities = vec![topic.clone()];
        let packet = self.0.packet(message);
        for subscriber in self.0.subscribers().values() {
            if subscriber.wants(&topic) {
                subscriber.peer.outgoing.send(packet.clone());
            }
        }
    }

    /// Publishes the state of a request.
    pub(crate) fn status(&self, state: ExecutionState, parent: Option<&Message>) {
        let status = Status {
            execution_state: state,
        };
        self.publish(parent, &status);
    }

    /// Waits until everything published has been handed to the system, or nobody takes it.
    pub(crate) async fn flush(&self) {
        let began = Instant::now();
        let waiting = || {
            let subscribers = self.0.subscribers();
            subscribers.values().any(|subscriber| {
                let outgoing = &subscriber.peer.outgoing;
                outgoing.queued() > 0 && outgoing.stalled_for() < STOPPED
            })
        };
        while waiting() && began.elapsed() < FLUSH {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Whether producers are to wait. Subscribers that have stopped reading are dropped here.
    pub(crate) fn is_congested(&self) -> bool {
        let alive = self.0.alive.load(Ordering::Relaxed);
        if alive <= WAITING_BYTES {
            return false;
        }
        let mut subscribers = self.0.subscribers();
        let queues: Vec<Queue> = subscribers
            .iter_mut()
            .map(|(&id, subscriber)| subscriber.queue(id))
            .collect();
        let (dropped, wait) = judge(&queues, alive);
        for id in dropped {
            let Some(subscriber) = subscribers.remove(&id) else {
                continue;
            };
            let outgoing = &subscriber.peer.outgoing;
            crate::log::warn(&format!(
                "iopub: a subscriber that does not read fast enough was dropped: {} MB waited for it, nothing was taken for {:.1} s",
                outgoing.queued() >> 20,
                outgoing.stalled_for().as_secs_f32()
            ));
            outgoing.close();
        }
        wait
    }
}

#[derive(Clone, Copy, Debug)]
struct Queue {
    id: u64,
    bytes: usize,
    stalled: Duration,
    behind: Duration,
}

/// Which subscribers to drop, and whether producers wait for the others.
fn judge(queues: &[Queue], alive: usize) -> (Vec<u64>, bool) {
    let caught_up = queues
        .iter()
        .any(|queue| queue.bytes <= CAUGHT_UP && queue.stalled <= STOPPED);
    let (stopped, reading): (Vec<&Queue>, Vec<&Queue>) = queues
        .iter()
        .filter(|queue| queue.bytes > 0)
        .partition(|queue| queue.stalled > STOPPED || caught_up && queue.behind > BEHIND);
    let too_long = |queue: &&&Queue| {
        queue.bytes > DROPPED_BYTES || queue.bytes > WAITING_BYTES && queue.stalled > PATIENCE
    };
    let mut dropped: Vec<u64> = stopped
        .iter()
        .filter(too_long)
        .map(|queue| queue.id)
        .collect();
    if alive > ALL_BYTES && dropped.is_empty() {
        let longest = stopped.iter().max_by_key(|queue| queue.bytes);
        dropped.extend(longest.map(|queue| queue.id));
    }
    let long = |queue: &&Queue| queue.bytes > WAITING_BYTES && !dropped.contains(&queue.id);
    let nobody_reads = reading.is_empty() && !caught_up;
    let wait = reading.iter().any(&long) || nobody_reads && stopped.iter().any(&long);
    (dropped, wait)
}

/// The greeting of JEP 65 for a subscription to `topic`.
fn welcome(session: &str, topic: &[u8]) -> Option<Message> {
    let topic = std::str::from_utf8(topic).ok()?;
    let content = IoPubWelcome {
        subscription: topic.to_owned(),
    };
    let mut message = Message::new(session, IoPubWelcome::TYPE, None, &content);
    message.identities = vec![topic.as_bytes().to_vec()];
    Some(message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_subscriptions_with_readable_topics_are_greeted() {
        assert_eq!(
            welcome("s", b"").unwrap().content,
            json!({"subscription": ""})
        );
        assert_eq!(
            welcome("s", b"kernel").unwrap().content,
            json!({"subscription": "kernel"})
        );
        assert!(welcome("s", &[0xff]).is_none());
    }

    fn queue(id: u64, megabytes: usize, seconds: f32) -> Queue {
        Queue {
            id,
            bytes: megabytes << 20,
            stalled: Duration::from_secs_f32(seconds),
            behind: Duration::ZERO,
        }
    }

    fn behind(queue: Queue, seconds: u64) -> Queue {
        Queue {
            behind: Duration::from_secs(seconds),
            ..queue
        }
    }

    #[track_caller]
    fn check(queues: &[Queue], dropped: &[u64], wait: bool) {
        let alive = queues.iter().map(|queue| queue.bytes).max().unwrap_or(0);
        assert_eq!(judge(queues, alive), (dropped.to_vec(), wait), "{queues:?}");
    }

    #[test]
    fn readers_pace_producers_and_those_who_have_stopped_do_not() {
        check(&[], &[], false);
        check(&[queue(1, 40, 0.1)], &[], true);
        check(&[queue(1, 20, 0.1)], &[], false);
        // Somebody else reads: nobody waits for one that has stopped, and it is dropped in the end.
        check(&[queue(1, 0, 0.0), queue(2, 40, 1.0)], &[], false);
        check(&[queue(1, 1, 0.0), queue(2, 40, 1.0)], &[], false);
        check(&[queue(1, 1, 0.0), queue(2, 40, 31.0)], &[2], false);
        check(&[queue(1, 1, 0.0), queue(2, 129, 1.0)], &[2], false);
        check(&[queue(1, 40, 0.0), queue(2, 129, 1.0)], &[2], true);
        // However long the queue of one that reads: it is not dropped.
        check(&[queue(1, 500, 0.1)], &[], true);
        // Alone, it is waited for.
        check(&[queue(1, 40, 1.0)], &[], true);
        check(&[queue(1, 40, 31.0)], &[1], false);
        // One that takes a little now and then holds up somebody faster for a while only, and is dropped in the end.
        check(&[queue(1, 0, 0.0), behind(queue(2, 40, 0.1), 1)], &[], true);
        check(
            &[queue(1, 0, 0.0), behind(queue(2, 40, 0.1), 3)],
            &[],
            false,
        );
        check(
            &[queue(1, 0, 0.0), behind(queue(2, 129, 0.1), 3)],
            &[2],
            false,
        );
        // Two that are equally slow are both waited for.
        let equal = [behind(queue(1, 40, 0.1), 60), behind(queue(2, 40, 0.1), 60)];
        check(&equal, &[], true);
        // A short queue is no reason to drop anybody, however long it takes.
        check(&[queue(1, 20, 600.0)], &[], false);
    }

    #[test]
    fn all_together_are_bounded_too() {
        let queues = [queue(1, 50, 1.0), queue(2, 60, 1.0), queue(3, 1, 0.0)];
        assert_eq!(judge(&queues, 200 << 20), (vec![2], false));
    }
}
