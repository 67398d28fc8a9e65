//! What waits to be written to one connection: counted in bytes, with the time since when nothing has moved.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};

/// Bytes as they go onto the wire, shared by all connections that they go to.
#[derive(Debug)]
pub(crate) struct Packet {
    bytes: Vec<u8>,
    /// Counts the bytes of all packets that live.
    alive: Option<Arc<AtomicUsize>>,
}

impl Packet {
    pub(crate) fn new(bytes: Vec<u8>) -> Arc<Self> {
        Arc::new(Self { bytes, alive: None })
    }

    /// A packet whose bytes are added to `alive` until the last connection has written it.
    pub(crate) fn counted(bytes: Vec<u8>, alive: &Arc<AtomicUsize>) -> Arc<Self> {
        alive.fetch_add(bytes.len(), Ordering::Relaxed);
        Arc::new(Self {
            bytes,
            alive: Some(alive.clone()),
        })
    }
}

impl Drop for Packet {
    fn drop(&mut self) {
        if let Some(alive) = &self.alive {
            alive.fetch_sub(self.bytes.len(), Ordering::Relaxed);
        }
    }
}

#[derive(Debug)]
struct Gauge {
    began: Instant,
    queued: AtomicUsize,
    /// Milliseconds after `began` at which the peer last took something, or the queue was last empty.
    moved: AtomicU64,
    close: Notify,
}

impl Gauge {
    fn note_move(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved.store(now, Ordering::Relaxed);
    }
}

/// The way to one connection. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    queue: mpsc::UnboundedSender<Arc<Packet>>,
    gauge: Arc<Gauge>,
}

/// The other end, for [`write()`].
pub(crate) struct Pending {
    queue: mpsc::UnboundedReceiver<Arc<Packet>>,
    gauge: Arc<Gauge>,
}

pub(crate) fn outgoing() -> (Outgoing, Pending) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let gauge = Arc::new(Gauge {
        began: Instant::now(),
        queued: AtomicUsize::new(0),
        moved: AtomicU64::new(0),
        close: Notify::new(),
    });
    let outgoing = Outgoing {
        queue: sender,
        gauge: gauge.clone(),
    };
    let pending = Pending {
        queue: receiver,
        gauge,
    };
    (outgoing, pending)
}

impl Outgoing {
    /// Queues a packet; nothing is lost but with the connection.
    pub(crate) fn send(&self, packet: Arc<Packet>) {
        let length = packet.bytes.len();
        if self.gauge.queued.fetch_add(length, Ordering::Relaxed) == 0 {
            self.gauge.note_move();
        }
        if self.queue.send(packet).is_err() {
            self.gauge.queued.fetch_sub(length, Ordering::Relaxed);
        }
    }

    /// How many bytes wait.
    pub(crate) fn queued(&self) -> usize {
        self.gauge.queued.load(Ordering::Relaxed)
    }

    /// Since when the peer has taken nothing although something waits.
    pub(crate) fn stalled_for(&self) -> Duration {
        if self.queued() == 0 {
            return Duration::ZERO;
        }
        let moved = Duration::from_millis(self.gauge.moved.load(Ordering::Relaxed));
        self.gauge.began.elapsed().saturating_sub(moved)
    }

    /// Ends the connection.
    pub(crate) fn close(&self) {
        self.gauge.close.notify_one();
    }

    /// Waits until the connection is to be ended.
    pub(crate) async fn closed(&self) {
        self.gauge.close.notified().await;
    }
}

/// Writes everything that is queued, until the peer is gone.
pub(crate) async fn write(mut output: impl AsyncWrite + Unpin, mut pending: Pending) {
    while let Some(packet) = pending.queue.recv().await {
        let mut rest = &packet.bytes[..];
        while !rest.is_empty() {
            match output.write(rest).await {
                Ok(written) if written > 0 => {
                    rest = &rest[written..];
                    pending.gauge.queued.fetch_sub(written, Ordering::Relaxed);
                    pending.gauge.note_move();
                }
                _ => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_are_counted_until_the_peer_takes_them() {
        let alive = Arc::new(AtomicUsize::new(0));
        let (one, one_pending) = outgoing();
        let (other, other_pending) = outgoing();
        let packet = Packet::counted(vec![7; 1000], &alive);
        one.send(packet.clone());
        other.send(packet);
        assert_eq!((one.queued(), alive.load(Ordering::Relaxed)), (1000, 1000));
        let (mut near, far) = tokio::io::duplex(600);
        let writer = tokio::spawn(write(far, one_pending));
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert_eq!(one.queued(), 400);
        assert!(one.stalled_for() >= Duration::from_millis(20));
        let mut taken = vec![0; 1000];
        tokio::io::AsyncReadExt::read_exact(&mut near, &mut taken)
            .await
            .unwrap();
        assert_eq!(taken, vec![7; 1000]);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!((one.queued(), one.stalled_for()), (0, Duration::ZERO));
        assert_eq!(alive.load(Ordering::Relaxed), 1000, "the other has it yet");
        drop(other_pending);
        assert_eq!(alive.load(Ordering::Relaxed), 0);
        drop(one);
        writer.await.unwrap();
    }
}
