//! ZMTP 3, the protocol beneath ZeroMQ, as far as a Jupyter kernel speaks it: greeting, NULL handshake, frames.
//!
//! **Invariants.** Whatever is read comes from somebody who need not have the key. No length is believed: it is compared
//! with the limit first, and memory grows only with bytes that have arrived.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufWriter};
use tokio::time::{Instant, timeout_at};

/// The greeting of version 3.0 with the mechanism NULL.
pub(crate) const GREETING: [u8; 64] = {
    let mut bytes = [0; 64];
    bytes[0] = 0xff;
    bytes[9] = 0x7f;
    bytes[10] = 3;
    bytes[12] = b'N';
    bytes[13] = b'U';
    bytes[14] = b'L';
    bytes[15] = b'L';
    bytes
};

const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// A command is a handful of names and values: READY with an identity, PING, SUBSCRIBE.
const COMMAND_BYTES: usize = 4096;
/// ZeroMQ's own limit.
const IDENTITY_BYTES: usize = 255;
/// How much is read at once, and so how far memory can be ahead of what has arrived.
const CHUNK: usize = 64 << 10;
/// The part of a message that counts for nothing in the pool of strangers: everybody may begin.
const FREE_BYTES: usize = 64 << 10;

/// Why a connection was closed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the connection ended")]
    Ended,
    #[error("what came is not the greeting of ZMTP 3")]
    Greeting,
    #[error("the security mechanism is {0:?}, expected \"NULL\"")]
    Mechanism(String),
    #[error("the handshake is not a READY command with a socket type")]
    Ready,
    #[error("a socket of type {0:?} does not belong here")]
    SocketType(String),
    #[error("an identity of {0} bytes, the limit is {IDENTITY_BYTES}")]
    Identity(usize),
    #[error("the flags {0:#04x} of a frame mean nothing")]
    Flags(u8),
    #[error("a frame of {found} bytes, the limit here is {limit}")]
    FrameTooLong { found: u64, limit: usize },
    #[error("a message of more than {0} frames")]
    TooManyFrames(usize),
    #[error("more is being sent without the key than {0} bytes")]
    PoolExhausted(usize),
    #[error("a message that was begun has not come to its end in {0} s")]
    TooSlow(u64),
    #[error("the handshake has not come to its end in {0} s")]
    Handshake(u64),
    #[error("more than {0} subscriptions")]
    Subscriptions(usize),
    #[error("{0} messages one after the other could not be read")]
    Nonsense(usize),
    #[error("the kernel's socket behind the gate cannot be reached: {0}")]
    Behind(String),
}

/// What a channel takes from one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes of a message.
    pub(crate) message: usize,
    /// Frames of a message.
    pub(crate) frames: usize,
}

/// Bytes of unfinished messages, of all those together who have not shown the key.
#[derive(Debug)]
pub(crate) struct Pool {
    used: AtomicUsize,
    limit: usize,
}

impl Pool {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            used: AtomicUsize::new(0),
            limit,
        })
    }
}

/// The part of a pool that one message takes; given back at its end.
#[derive(Debug, Default)]
struct Share {
    pool: Option<Arc<Pool>>,
    free: usize,
    taken: usize,
}

impl Share {
    fn take(&mut self, bytes: usize) -> Result<(), Refusal> {
        let Some(pool) = &self.pool else {
            return Ok(());
        };
        let counted = bytes.saturating_sub(self.free);
        self.free = self.free.saturating_sub(bytes);
        if pool.used.fetch_add(counted, Ordering::Relaxed) + counted > pool.limit {
            pool.used.fetch_sub(counted, Ordering::Relaxed);
            return Err(Refusal::PoolExhausted(pool.limit));
        }
        self.taken += counted;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Some(pool) = &self.pool {
            pool.used.fetch_sub(self.taken, Ordering::Relaxed);
        }
    }
}

/// What a peer says of itself in its READY command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hello {
    pub(crate) socket_type: String,
    pub(crate) identity: Vec<u8>,
}

/// What comes after the handshake.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    Message(Vec<Vec<u8>>),
    Command { name: Vec<u8>, body: Vec<u8> },
}

struct Header {
    flags: u8,
    length: u64,
}

/// Reads what one peer sends.
pub(crate) struct PeerReader<R> {
    input: R,
    frames: Vec<Vec<u8>>,
    size: usize,
    share: Share,
    /// When the message that was begun must be whole, and how many seconds it had.
    deadline: Option<(Instant, u64)>,
}

impl<R: AsyncRead + Unpin> PeerReader<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            frames: Vec::new(),
            size: 0,
            share: Share::default(),
            deadline: None,
        }
    }

    /// Reads the greeting of a peer that speaks ZMTP 3 with the mechanism NULL.
    pub(crate) async fn greeting(&mut self) -> Result<(), Refusal> {
        let mut signature = [0; 10];
        // The first byte tells a stranger (a browser, a port scanner) from a peer.
        self.exact(&mut signature[..1]).await?;
        if signature[0] != 0xff {
            return Err(Refusal::Greeting);
        }
        self.exact(&mut signature[1..]).await?;
        if signature[9] & 1 == 0 {
            return Err(Refusal::Greeting);
        }
        let mut rest = [0; 54];
        self.exact(&mut rest[..1]).await?;
        if rest[0] < 3 {
            return Err(Refusal::Greeting);
        }
        self.exact(&mut rest[1..]).await?;
        let mechanism = rest[2..22].split(|byte| *byte == 0).next();
        let mechanism = mechanism.unwrap_or_default();
        if mechanism != b"NULL" {
            let name = String::from_utf8_lossy(mechanism).into_owned();
            return Err(Refusal::Mechanism(name));
        }
        Ok(())
    }

    /// Reads the READY command.
    pub(crate) async fn hello(&mut self) -> Result<Hello, Refusal> {
        let header = self.header().await?;
        if header.flags & COMMAND == 0 {
            return Err(Refusal::Ready);
        }
        match self.command(&header).await? {
            Incoming::Command { name, body } if name == b"READY" => parse_ready(&body),
            _ => Err(Refusal::Ready),
        }
    }

    /// The next message or command. With a `pool`, the peer has not shown the key: its unfinished message counts there, and
    /// must be whole within `patience` of its first byte.
    pub(crate) async fn next(
        &mut self,
        limits: Limits,
        pool: Option<(&Arc<Pool>, std::time::Duration)>,
    ) -> Result<Incoming, Refusal> {
        loop {
            let header = self.header().await?;
            if header.flags & COMMAND != 0 {
                return self.command(&header).await;
            }
            if self.frames.is_empty() {
                self.share = Share {
                    pool: pool.map(|(pool, _)| pool.clone()),
                    free: FREE_BYTES,
                    taken: 0,
                };
                self.deadline =
                    pool.map(|(_, patience)| (Instant::now() + patience, patience.as_secs()));
            }
            if self.frames.len() >= limits.frames {
                return Err(Refusal::TooManyFrames(limits.frames));
            }
            let left = limits.message - self.size;
            let deadline = self.deadline;
            let body = within(deadline, self.body(&header, left, limits.message)).await?;
            self.size += body.len();
            self.frames.push(body);
            if header.flags & MORE == 0 {
                self.share = Share::default();
                self.size = 0;
                self.deadline = None;
                return Ok(Incoming::Message(std::mem::take(&mut self.frames)));
            }
        }
    }

    async fn exact(&mut self, buffer: &mut [u8]) -> Result<(), Refusal> {
        let read = self.input.read_exact(buffer).await;
        read.map(drop).map_err(|_| Refusal::Ended)
    }

    async fn header(&mut self) -> Result<Header, Refusal> {
        within(self.deadline, self.header_bytes()).await
    }

    async fn header_bytes(&mut self) -> Result<Header, Refusal> {
        let mut flags = [0];
        self.exact(&mut flags).await?;
        let flags = flags[0];
        let unknown = flags & !(MORE | LONG | COMMAND) != 0;
        if unknown || flags & (MORE | COMMAND) == MORE | COMMAND {
            return Err(Refusal::Flags(flags));
        }
        let mut length = [0; 8];
        let bytes = if flags & LONG == 0 { 7..8 } else { 0..8 };
        self.exact(&mut length[bytes]).await?;
        Ok(Header {
            flags,
            length: u64::from_be_bytes(length),
        })
    }

    /// Reads the `length` bytes of a frame, when they are not more than are `left` of the limit.
    async fn body(
        &mut self,
        header: &Header,
        left: usize,
        limit: usize,
    ) -> Result<Vec<u8>, Refusal> {
        let length = usize::try_from(header.length)
            .ok()
            .filter(|length| *length <= left);
        let Some(length) = length else {
            let found = header.length;
            return Err(Refusal::FrameTooLong { found, limit });
        };
        let mut body = Vec::new();
        while body.len() < length {
            let (begin, step) = (body.len(), CHUNK.min(length - body.len()));
            self.share.take(step)?;
            body.resize(begin + step, 0);
            self.exact(&mut body[begin..]).await?;
        }
        Ok(body)
    }

    async fn command(&mut self, header: &Header) -> Result<Incoming, Refusal> {
        let body = self.body(header, COMMAND_BYTES, COMMAND_BYTES).await?;
        let Some((&length, rest)) = body.split_first() else {
            return Err(Refusal::Flags(header.flags));
        };
        let (name, body) = rest
            .split_at_checked(length.into())
            .ok_or(Refusal::Flags(header.flags))?;
        Ok(Incoming::Command {
            name: name.to_vec(),
            body: body.to_vec(),
        })
    }
}

/// What `read` brings, when that is before the deadline.
async fn within<T>(
    deadline: Option<(Instant, u64)>,
    read: impl Future<Output = Result<T, Refusal>>,
) -> Result<T, Refusal> {
    match deadline {
        Some((deadline, seconds)) => timeout_at(deadline, read)
            .await
            .unwrap_or(Err(Refusal::TooSlow(seconds))),
        None => read.await,
    }
}

/// Reads the properties of a READY command.
fn parse_ready(mut body: &[u8]) -> Result<Hello, Refusal> {
    let (mut socket_type, mut identity) = (None, Vec::new());
    while let Some((&length, rest)) = body.split_first() {
        let (name, rest) = rest.split_at_checked(length.into()).ok_or(Refusal::Ready)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(Refusal::Ready)?;
        let length = u32::from_be_bytes(*length) as usize;
        let (value, rest) = rest.split_at_checked(length).ok_or(Refusal::Ready)?;
        if name.eq_ignore_ascii_case(b"socket-type") {
            socket_type = Some(String::from_utf8_lossy(value).into_owned());
        } else if name.eq_ignore_ascii_case(b"identity") {
            if value.len() > IDENTITY_BYTES {
                return Err(Refusal::Identity(value.len()));
            }
            identity = value.to_vec();
        }
        body = rest;
    }
    Ok(Hello {
        socket_type: socket_type.ok_or(Refusal::Ready)?,
        identity,
    })
}

/// The READY command of a socket of this type.
pub(crate) fn ready(socket_type: &str, identity: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in [
        ("Socket-Type", socket_type.as_bytes()),
        ("Identity", identity),
    ] {
        body.push(u8::try_from(name.len()).unwrap_or(0));
        body.extend(name.as_bytes());
        body.extend(u32::try_from(value.len()).unwrap_or(0).to_be_bytes());
        body.extend(value);
    }
    command("READY", &body)
}

/// A command with its frame.
pub(crate) fn command(name: &str, body: &[u8]) -> Vec<u8> {
    let mut inner = vec![u8::try_from(name.len()).unwrap_or(0)];
    inner.extend(name.as_bytes());
    inner.extend(body);
    let mut bytes = Vec::with_capacity(inner.len() + 9);
    push_frame(&mut bytes, COMMAND, &inner);
    bytes
}

/// A message with the headers of its frames.
pub(crate) fn message<F: AsRef<[u8]>>(frames: &[F]) -> Vec<u8> {
    let size = frames.iter().map(|frame| frame.as_ref().len() + 9).sum();
    let mut bytes = Vec::with_capacity(size);
    for (index, frame) in frames.iter().enumerate() {
        let more = if index + 1 < frames.len() { MORE } else { 0 };
        push_frame(&mut bytes, more, frame.as_ref());
    }
    bytes
}

fn push_frame(bytes: &mut Vec<u8>, flags: u8, body: &[u8]) {
    push_header(bytes, flags, body.len());
    bytes.extend(body);
}

fn push_header(bytes: &mut Vec<u8>, flags: u8, length: usize) {
    match u8::try_from(length) {
        Ok(length) => bytes.extend([flags, length]),
        Err(_) => {
            bytes.push(flags | LONG);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
}

/// Writes a message frame by frame: a large one is not copied, and what is written is freed.
pub(crate) async fn write_message(
    output: &mut BufWriter<impl AsyncWrite + Unpin>,
    frames: Vec<Vec<u8>>,
) -> std::io::Result<()> {
    let last = frames.len().saturating_sub(1);
    for (index, frame) in frames.into_iter().enumerate() {
        let mut header = Vec::with_capacity(9);
        push_header(
            &mut header,
            if index < last { MORE } else { 0 },
            frame.len(),
        );
        output.write_all(&header).await?;
        output.write_all(&frame).await?;
    }
    output.flush().await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SMALL: Limits = Limits {
        message: 1000,
        frames: 3,
    };

    async fn read(bytes: &[u8]) -> Result<Incoming, Refusal> {
        PeerReader::new(bytes).next(SMALL, None).await
    }

    fn frame(flags: u8, length: u64, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![flags];
        if flags & LONG == 0 {
            bytes.push(u8::try_from(length).unwrap());
        } else {
            bytes.extend(length.to_be_bytes());
        }
        bytes.extend(body);
        bytes
    }

    #[tokio::test]
    async fn what_is_written_is_read_whatever_its_lengths() {
        let all = [vec![], vec![1], vec![2; 255], vec![3; 256], vec![4; 70_000]];
        let limits = Limits {
            message: 1 << 20,
            frames: 9,
        };
        let bytes = message(&all);
        let read = PeerReader::new(&bytes[..]).next(limits, None).await;
        assert_eq!(read.unwrap(), Incoming::Message(all.to_vec()));
        // Every text that breaks off is an end, never a message.
        for end in (0..bytes.len()).step_by(997) {
            let read = PeerReader::new(&bytes[..end]).next(limits, None).await;
            assert!(matches!(read, Err(Refusal::Ended)), "{end}");
        }
    }

    #[tokio::test]
    async fn no_length_is_believed() {
        for exponent in [10, 20, 31, 32, 33, 40, 47, 62, 63] {
            for flags in [LONG, LONG | MORE, LONG | COMMAND] {
                for length in [(1_u64 << exponent) - 1, 1 << exponent] {
                    let limit = if flags & COMMAND == 0 { 1000 } else { 4096 };
                    if length <= limit {
                        continue;
                    }
                    let read = read(&frame(flags, length, b"few")).await;
                    let refused = matches!(read, Err(Refusal::FrameTooLong { .. }));
                    assert!(refused, "{flags} {length}: {read:?}");
                }
            }
        }
        let read = read(&frame(LONG, u64::MAX, b"few")).await;
        assert!(matches!(read, Err(Refusal::FrameTooLong { .. })));
    }

    #[tokio::test]
    async fn the_limit_is_of_the_whole_message_and_of_its_frames() {
        let bytes = [
            frame(MORE, 200, &[0; 200]).repeat(2),
            frame(LONG, 601, &[0; 601]),
        ]
        .concat();
        let found = read(&bytes).await;
        assert!(
            matches!(found, Err(Refusal::FrameTooLong { found: 601, .. })),
            "{found:?}"
        );
        let found = read(&frame(MORE, 0, b"").repeat(9)).await;
        assert!(matches!(found, Err(Refusal::TooManyFrames(3))));
    }

    #[tokio::test]
    async fn a_long_header_of_a_short_frame_is_good_and_unknown_flags_are_not() {
        let found = read(&frame(LONG, 2, b"ab")).await.unwrap();
        assert_eq!(found, Incoming::Message(vec![b"ab".to_vec()]));
        for flags in 8..=255 {
            let found = read(&[flags, 0]).await;
            assert!(matches!(found, Err(Refusal::Flags(_))), "{flags}");
        }
        let found = read(&[MORE | COMMAND, 0]).await;
        assert!(matches!(found, Err(Refusal::Flags(_))));
        for empty in [vec![COMMAND, 0], vec![COMMAND, 2, 9, b'P']] {
            assert!(matches!(read(&empty).await, Err(Refusal::Flags(_))));
        }
    }

    #[tokio::test]
    async fn a_command_between_two_frames_leaves_the_message_whole() {
        let bytes = [
            frame(MORE, 1, b"a"),
            command("PING", b"\0\0x"),
            frame(0, 1, b"b"),
        ]
        .concat();
        let mut reader = PeerReader::new(&bytes[..]);
        let ping = Incoming::Command {
            name: b"PING".to_vec(),
            body: b"\0\0x".to_vec(),
        };
        assert_eq!(reader.next(SMALL, None).await.unwrap(), ping);
        let whole = Incoming::Message(vec![b"a".to_vec(), b"b".to_vec()]);
        assert_eq!(reader.next(SMALL, None).await.unwrap(), whole);
    }

    #[tokio::test]
    async fn our_own_handshake_is_understood_and_others_are_refused_by_name() {
        let bytes = [GREETING.to_vec(), ready("DEALER", b"")].concat();
        let mut reader = PeerReader::new(&bytes[..]);
        reader.greeting().await.unwrap();
        let hello = reader.hello().await.unwrap();
        assert_eq!(
            (hello.socket_type.as_str(), hello.identity.len()),
            ("DEALER", 0)
        );

        let greet = async |bytes: &[u8]| PeerReader::new(bytes).greeting().await;
        for bad in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 9], &[0; 64]] {
            assert!(greet(bad).await.is_err());
        }
        let mut curve = GREETING;
        curve[12..17].copy_from_slice(b"CURVE");
        assert!(matches!(greet(&curve).await, Err(Refusal::Mechanism(name)) if name == "CURVE"));
        let mut old = GREETING;
        old[10] = 2;
        assert!(matches!(greet(&old).await, Err(Refusal::Greeting)));
    }

    #[tokio::test]
    async fn handshakes_with_odd_properties_are_refused() {
        let hello = async |bytes: Vec<u8>| PeerReader::new(&bytes[..]).hello().await;
        let property = |name: &[u8], length: u32, value: &[u8]| {
            let mut bytes = vec![u8::try_from(name.len()).unwrap()];
            bytes.extend(name);
            bytes.extend(length.to_be_bytes());
            bytes.extend(value);
            bytes
        };
        let kind = property(b"Socket-Type", 3, b"SUB");
        let long = [kind.clone(), property(b"Identity", 256, &[1; 256])].concat();
        let found = hello(command("READY", &long)).await;
        assert!(matches!(found, Err(Refusal::Identity(256))));
        let lies = [kind.clone(), property(b"Identity", 1 << 31, b"x")].concat();
        assert!(matches!(
            hello(command("READY", &lies)).await,
            Err(Refusal::Ready)
        ));
        let huge = property(b"X-Note", 10 << 20, &vec![0; 10 << 20]);
        let found = hello(command("READY", &[kind.clone(), huge].concat())).await;
        assert!(matches!(found, Err(Refusal::FrameTooLong { .. })));
        assert!(matches!(
            hello(command("READY", b"")).await,
            Err(Refusal::Ready)
        ));
        assert!(matches!(
            hello(command("HELLO", &kind)).await,
            Err(Refusal::Ready)
        ));
        assert!(matches!(hello(message(&[kind])).await, Err(Refusal::Ready)));
    }

    #[tokio::test]
    async fn strangers_share_a_pool_and_give_back_what_they_took() {
        let pool = Pool::new(100_000);
        let limits = Limits {
            message: 1 << 20,
            frames: 9,
        };
        let patience = Duration::from_secs(60);
        let bytes = message(&[vec![0; 150_000]]);
        let mut first = PeerReader::new(&bytes[..]);
        let part = message(&[vec![0; 150_000], vec![]]);
        let mut half = PeerReader::new(&part[..part.len() - 2]);
        let ended = half.next(limits, Some((&pool, patience))).await;
        assert!(matches!(ended, Err(Refusal::Ended)));
        let full = first.next(limits, Some((&pool, patience))).await;
        assert!(matches!(full, Err(Refusal::PoolExhausted(_))));
        drop((first, half));
        assert_eq!(pool.used.load(Ordering::Relaxed), 0);
        let mut again = PeerReader::new(&bytes[..]);
        assert!(again.next(limits, Some((&pool, patience))).await.is_ok());
        assert_eq!(pool.used.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_message_that_never_ends_is_given_up() {
        let (mut sender, receiver) = tokio::io::duplex(64);
        let pool = Pool::new(1 << 20);
        let mut reader = PeerReader::new(receiver);
        tokio::io::AsyncWriteExt::write_all(&mut sender, &frame(MORE, 3, b"abc"))
            .await
            .unwrap();
        let next = reader.next(SMALL, Some((&pool, Duration::from_millis(50))));
        assert!(matches!(next.await, Err(Refusal::TooSlow(_))));
    }
}
