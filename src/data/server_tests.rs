//! A server on this machine that does what servers do: ranges, tags, truncation, resets, redirections, refusals.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What was asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Where an open range begins.
    pub(super) fn begin(&self) -> Option<usize> {
        let range = self.header("range")?.strip_prefix("bytes=")?;
        range.strip_suffix('-')?.parse().ok()
    }
}

/// What is answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// After so many bytes the connection ends, as if it were whole or with a reset.
    pub(super) ends_after: Option<usize>,
    pub(super) reset: bool,
    /// A pause after every 1,000 bytes.
    pub(super) slow: Duration,
    /// The length that is announced, where it is not that of the body; `Some(None)` announces none.
    pub(super) length: Option<Option<u64>>,
}

impl Answer {
    pub(super) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            body: body.into(),
            ..Self::default()
        }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The whole file or the part that is asked for, as RFC 9110 says, under a tag.
    pub(super) fn file(asked: &Asked, bytes: &[u8], tag: &str) -> Self {
        let fits = asked.header("if-range").is_none_or(|known| known == tag);
        let answer = match asked.begin().filter(|_| fits) {
            Some(begin) if begin >= bytes.len() => {
                Self::new(416, "").with("Content-Range", format!("bytes */{}", bytes.len()))
            }
            Some(begin) => Self::new(206, &bytes[begin..]).with(
                "Content-Range",
                format!("bytes {begin}-{}/{}", bytes.len() - 1, bytes.len()),
            ),
            None => Self::new(200, bytes),
        };
        match tag.is_empty() {
            true => answer,
            false => answer.with("ETag", tag),
        }
    }
}

/// A server of one handler, which is told how many requests came before.
pub(super) struct Server {
    pub(super) address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(super) fn start(handler: impl Fn(&Asked, usize) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::Builder::new()
            .name("test server".to_owned())
            .spawn(move || {
                for stream in listener.incoming() {
                    let Ok(mut stream) = stream else { continue };
                    let Some(request) = read(&stream) else {
                        continue;
                    };
                    let count = {
                        let mut log = log.lock().unwrap();
                        log.push(request.clone());
                        log.len() - 1
                    };
                    let answer = handler(&request, count);
                    // A client that went away is what some tests want.
                    let _ = write(&mut stream, &answer);
                    if answer.reset {
                        reset(&stream);
                    }
                }
            })
            .unwrap();
        Self { address, asked }
    }

    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let mut asked = Asked {
        method: words.next()?.to_owned(),
        path: words.next()?.to_owned(),
        ..Asked::default()
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        asked
            .headers
            .push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = asked
        .header("content-length")
        .and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    asked.body = String::from_utf8(body).ok()?;
    Some(asked)
}

fn write(stream: &mut TcpStream, answer: &Answer) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} Status\r\nConnection: close\r\n", answer.status);
    match answer.length {
        None => head += &format!("Content-Length: {}\r\n", answer.body.len()),
        Some(Some(length)) => head += &format!("Content-Length: {length}\r\n"),
        Some(None) => (),
    }
    for (name, value) in &answer.headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all((head + "\r\n").as_bytes())?;
    let end = answer.ends_after.unwrap_or(answer.body.len());
    for part in answer.body[..end].chunks(1000) {
        stream.write_all(part)?;
        if !answer.slow.is_zero() {
            stream.flush()?;
            std::thread::sleep(answer.slow);
        }
    }
    stream.flush()
}

/// Closes with RST instead of FIN, as a server that dies does.
fn reset(stream: &TcpStream) {
    use std::os::fd::AsRawFd as _;
    // What was sent has arrived by then, on a busy machine, too.
    std::thread::sleep(Duration::from_secs(2));
    let linger = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    // SAFETY: the socket is open, and the option has the type and length that it says.
    unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            (&raw const linger).cast(),
            size_of::<libc::linger>() as libc::socklen_t,
        );
    }
}
