//! The pipes and the side channel between the front process and the child, and the one thread that reads them.
//!
//! One thread reads all three, so that what a cell shows keeps its order: before a message of the side channel is
//! handled, both text pipes are read dry, and the child waits for the answer before it goes on.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;
use swath_link::message::{self, Answer, Done, Message, Outcome};
use swath_link::{DecodeError, frame};

use super::OutputSink;
use super::content::{ContentFilter, Piece};
use super::interface::{MimeBundle, OutputEvent};
use super::phase::Phase;
use super::places::{PlaceNames, Places};
use crate::text::Utf8Stream;

/// How long text is gathered before it is shown.
const BATCH_INTERVAL: Duration = Duration::from_millis(50);
/// How much text is gathered at most.
const BATCH_BYTES: usize = 256 << 10;
/// How long a display that may be the cell's value waits for the cell's end.
const VALUE_WAIT: Duration = Duration::from_secs(1);
/// What is said when a cell reads standard input and nobody can answer.
const NOBODY_ANSWERS: &str = "this cell reads standard input, which nobody can answer: the front end does not let cells \
                              ask (`allow_stdin` is false)\n";

/// The descriptors that every child inherits.
#[derive(Debug)]
pub(crate) struct ChildEnds {
    pub(crate) stdout: OwnedFd,
    pub(crate) stderr: OwnedFd,
    pub(crate) side: OwnedFd,
}

/// What the child said about a cell.
#[derive(Debug, Default)]
pub(crate) struct CellEnd {
    /// What the child told at its end, without the variables that later cells cannot use; `None` when it did not come to
    /// say it, or said what cannot be read.
    pub(crate) told: Option<Done>,
    /// What could not be read of what the child has told.
    pub(crate) misunderstood: Option<String>,
    /// The last panic that was announced.
    pub(crate) panic: Option<String>,
    /// A panic outside of the cell's statements, which evcxr has noticed.
    pub(crate) stray_panic: Option<String>,
    /// How long it ran.
    pub(crate) run_ms: u128,
}

impl CellEnd {
    /// How it ended, when the child said so.
    pub(crate) fn outcome(&self) -> Option<&Outcome> {
        self.told.as_ref().map(|told| &told.outcome)
    }
}

enum Request {
    /// Read everything there is and tell how the cell ended.
    Finish(mpsc::Sender<CellEnd>),
    /// The child is new: forget half messages of the old one.
    Forget(mpsc::Sender<()>),
    Stop,
}

/// The front process' handle on the reading thread.
pub(crate) struct Channel {
    requests: mpsc::Sender<Request>,
    wake: UnixStream,
}

impl Channel {
    /// Opens the pipes and starts the reading thread. `unkept` picks from the names in the
    /// child's store those that must not live on.
    pub(crate) fn open(
        sink: Arc<OutputSink>,
        phase: Arc<Phase>,
        places: Arc<Places>,
        silent: Arc<AtomicBool>,
        unkept: impl Fn(&[String]) -> Vec<String> + Send + 'static,
    ) -> std::io::Result<(Self, ChildEnds)> {
        let (stdout, stdout_end) = pipe()?;
        let (stderr, stderr_end) = pipe()?;
        let (side, side_end) = UnixStream::pair()?;
        let (wake, woken) = UnixStream::pair()?;
        side.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        let (requests, receiver) = mpsc::channel();
        let reader = Reader {
            stdout: Stream {
                pipe: stdout,
                decoder: Utf8Stream::default(),
                text: String::new(),
            },
            stderr: Stream {
                pipe: stderr,
                decoder: Utf8Stream::default(),
                text: String::new(),
            },
            filter: ContentFilter::default(),
            stdout_names: PlaceNames::default(),
            stderr_names: PlaceNames::default(),
            question: None,
            said_nobody: false,
            latest_text: Instant::now(),
            side,
            frame: Vec::new(),
            woken,
            requests: receiver,
            end: CellEnd::default(),
            gathered_since: None,
            began: Instant::now(),
            sink,
            phase,
            places,
            silent,
            unkept: Box::new(unkept),
        };
        std::thread::Builder::new()
            .name("swath-output".to_owned())
            .spawn(move || reader.run())?;
        Ok((
            Self { requests, wake },
            ChildEnds {
                stdout: stdout_end,
                stderr: stderr_end,
                side: side_end.into(),
            },
        ))
    }

    /// After evcxr's return: everything the cell has shown is with the sink when this returns.
    pub(crate) fn finish_cell(&self) -> CellEnd {
        let (answer, receiver) = mpsc::channel();
        self.send(Request::Finish(answer));
        receiver.recv().unwrap_or_default()
    }

    /// After evcxr has started another child.
    pub(crate) fn forget_child(&self) {
        let (answer, receiver) = mpsc::channel();
        self.send(Request::Forget(answer));
        let _ = receiver.recv();
    }

    pub(crate) fn stop(&self) {
        self.send(Request::Stop);
    }

    fn send(&self, request: Request) {
        if self.requests.send(request).is_ok() {
            let _ = (&self.wake).write_all(b"w");
        }
    }
}

/// A pipe whose reading end does not block; both ends are closed in other programs.
fn pipe() -> std::io::Result<(std::fs::File, OwnedFd)> {
    let mut ends: [RawFd; 2] = [0; 2];
    // SAFETY: pipe2 fills the two descriptors, which are ours to own.
    let (read, write) = unsafe {
        if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) != 0 {
            return Err(std::io::Error::last_os_error());
        }
        // More room means fewer waits of a cell that prints much; the default is kept where the system refuses.
        libc::fcntl(ends[1], libc::F_SETPIPE_SZ, 1 << 20);
        libc::fcntl(ends[0], libc::F_SETFL, libc::O_NONBLOCK);
        (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1]))
    };
    Ok((read.into(), write))
}

struct Stream {
    pipe: std::fs::File,
    decoder: Utf8Stream,
    text: String,
}

impl Stream {
    /// Reads once; whether there was anything.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 64 << 10];
        match self.pipe.read(&mut buffer) {
            Ok(0) | Err(_) => false,
            Ok(length) => {
                self.text.push_str(&self.decoder.push(&buffer[..length]));
                true
            }
        }
    }
}

/// Picks from the names in the child's store those that must not live on.
type Unkept = dyn Fn(&[String]) -> Vec<String> + Send;

struct Reader {
    stdout: Stream,
    stderr: Stream,
    filter: ContentFilter,
    stdout_names: PlaceNames,
    stderr_names: PlaceNames,
    /// The prompt of a question that the cell has printed, and whether it is for a password.
    question: Option<(String, bool)>,
    /// Whether the cell was told that nobody answers.
    said_nobody: bool,
    /// When standard output had something last.
    latest_text: Instant,
    side: UnixStream,
    frame: Vec<u8>,
    woken: UnixStream,
    requests: mpsc::Receiver<Request>,
    end: CellEnd,
    gathered_since: Option<Instant>,
    began: Instant,
    sink: Arc<OutputSink>,
    phase: Arc<Phase>,
    places: Arc<Places>,
    silent: Arc<AtomicBool>,
    unkept: Box<Unkept>,
}

impl Reader {
    fn run(mut self) {
        loop {
            let [stdout, stderr, side, woken] = self.wait();
            if stdout {
                self.show_stderr();
                self.stdout.read();
            }
            if stderr {
                if !self.stdout.text.is_empty() {
                    self.show_stdout();
                }
                self.stderr.read();
            }
            self.show_when_due();
            if side {
                self.read_side();
            }
            if woken {
                let _ = self.woken.read(&mut [0; 64]);
                while let Ok(request) = self.requests.try_recv() {
                    match request {
                        Request::Finish(answer) => {
                            let _ = answer.send(self.finish());
                        }
                        Request::Forget(answer) => {
                            self.forget();
                            let _ = answer.send(());
                        }
                        Request::Stop => return,
                    }
                }
            }
        }
    }

    /// Waits until something can be read or gathered text is due; says what can be read.
    fn wait(&self) -> [bool; 4] {
        let descriptors = [
            self.stdout.pipe.as_raw_fd(),
            self.stderr.pipe.as_raw_fd(),
            self.side.as_raw_fd(),
            self.woken.as_raw_fd(),
        ];
        let mut polled = descriptors.map(|fd| libc::pollfd {
            fd,
            events: libc::POLLIN,
            revents: 0,
        });
        let timeout = self.gathered_since.map_or(-1, |since| {
            i32::try_from(BATCH_INTERVAL.saturating_sub(since.elapsed()).as_millis()).unwrap_or(0)
        });
        // SAFETY: the array lives through the call and its length is given.
        unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, timeout) };
        polled.map(|polled| polled.revents & libc::POLLIN != 0)
    }

    fn show_when_due(&mut self) {
        let length = self.stdout.text.len() + self.stderr.text.len();
        if length == 0 && !self.holds_back() {
            self.gathered_since = None;
            return;
        }
        let since = *self.gathered_since.get_or_insert_with(Instant::now);
        if length < BATCH_BYTES && since.elapsed() < BATCH_INTERVAL {
            return;
        }
        if length == 0 {
            // What may have gone on did not.
            let may_be_value = self.places.shows_value() && self.latest_text.elapsed() < VALUE_WAIT;
            self.settle(may_be_value);
        } else {
            self.show_stdout();
            self.show_stderr();
        }
        self.gathered_since = self.holds_back().then(Instant::now);
    }

    /// Whether something waits for what may follow it.
    fn holds_back(&self) -> bool {
        self.filter.holds() || self.stdout_names.holds() || self.stderr_names.holds()
    }

    fn show_stdout(&mut self) {
        let text = std::mem::take(&mut self.stdout.text);
        if !text.is_empty() {
            self.latest_text = Instant::now();
            let pieces = self.filter.push(&text);
            self.show_pieces(pieces);
        }
    }

    fn show_stderr(&mut self) {
        let text = std::mem::take(&mut self.stderr.text);
        if !text.is_empty() {
            let text = self.stderr_names.push(text, &self.places);
            self.send_stderr(text);
        }
    }

    /// Shows what was held back because more might have followed.
    fn settle(&mut self, keep_content: bool) {
        let pieces = self.filter.settle(keep_content);
        self.show_pieces(pieces);
        let text = self.stdout_names.settle(&self.places);
        self.send_stdout(text);
        let text = self.stderr_names.settle(&self.places);
        self.send_stderr(text);
    }

    fn send_stdout(&self, text: String) {
        if !text.is_empty() {
            (self.sink)(OutputEvent::Stdout(text));
        }
    }

    fn send_stderr(&self, text: String) {
        if !text.is_empty() {
            (self.sink)(OutputEvent::Stderr(text));
        }
    }

    fn show_pieces(&mut self, pieces: Vec<Piece>) {
        for piece in pieces {
            match piece {
                Piece::Text(text) => {
                    let text = self.stdout_names.push(text, &self.places);
                    self.send_stdout(text);
                }
                Piece::Content(bundle) => {
                    let before = self.stdout_names.settle(&self.places);
                    self.send_stdout(before);
                    (self.sink)(OutputEvent::Display {
                        bundle,
                        metadata: MimeBundle::new(),
                        id: None,
                    });
                }
                Piece::Question { prompt, password } => self.question = Some((prompt, password)),
                Piece::Panic => {
                    let message = self.end.panic.clone();
                    self.end.stray_panic = Some(message.unwrap_or_default());
                }
            }
        }
    }

    /// Shows what the cell has printed last: a value if its type has shown itself by evcxr's convention.
    fn show_last(&mut self, mut pieces: Vec<Piece>) {
        let was_not_shown = self.end.told.as_ref().is_some_and(|told| !told.shown);
        let is_value = self.places.shows_value() && was_not_shown;
        match pieces.pop() {
            Some(Piece::Content(bundle)) if is_value => {
                self.show_pieces(pieces);
                self.settle(false);
                self.result(bundle, MimeBundle::new());
            }
            last => {
                pieces.extend(last);
                self.show_pieces(pieces);
                self.settle(false);
            }
        }
    }

    fn result(&self, mut bundle: MimeBundle, metadata: MimeBundle) {
        if !self.silent.load(Ordering::Relaxed) {
            if let Some(Value::String(text)) = bundle.get_mut("text/plain") {
                let mut names = PlaceNames::default();
                *text = names.push(std::mem::take(text), &self.places);
                text.push_str(&names.settle(&self.places));
            }
            (self.sink)(OutputEvent::Result { bundle, metadata });
        }
    }

    /// Reads both pipes dry and shows it all.
    fn drain(&mut self) {
        while self.stdout.read() {
            if self.stdout.text.len() >= BATCH_BYTES {
                self.show_stdout();
            }
        }
        self.show_stdout();
        while self.stderr.read() {}
        self.show_stderr();
        self.gathered_since = self.holds_back().then(Instant::now);
    }

    fn read_side(&mut self) {
        let mut buffer = [0; 64 << 10];
        loop {
            match (&self.side).read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => self.frame.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        while let Some(text) = frame::take(&mut self.frame) {
            self.drain();
            let answer = match message::decode(&text) {
                Ok(message) => self.handle(message),
                Err(error) => self.misunderstand(&error),
            };
            self.answer(&answer);
        }
    }

    fn answer(&mut self, answer: &Answer) {
        // An answer is a few bytes and the child waits for it, so the socket has room. A child that has died reads none.
        if let Ok(text) = message::encode(answer) {
            let _ = frame::write(&self.side, &text);
        }
    }

    /// The other end belongs to the user's code, or to a library of another version: anything may arrive.
    fn misunderstand(&mut self, error: &DecodeError) -> Answer {
        let reason = format!("the cells' process has sent what this kernel cannot read: {error}");
        self.send_stderr(format!("{reason}\n"));
        self.end.misunderstood = Some(reason.clone());
        Answer::NotUnderstood { reason }
    }

    fn handle(&mut self, message: Message) -> Answer {
        if !matches!(
            message,
            Message::Begin { .. } | Message::Panic { .. } | Message::Done(_)
        ) {
            self.settle(false);
        }
        match message {
            Message::Begin { pid } => {
                self.end = CellEnd::default();
                self.began = Instant::now();
                self.said_nobody = false;
                return Answer::Begin {
                    cancel: !self.phase.begin_run(pid),
                };
            }
            Message::Result { bundle, metadata } => self.result(bundle, metadata),
            Message::Display {
                bundle,
                metadata,
                id,
            } => (self.sink)(OutputEvent::Display {
                bundle,
                metadata,
                id,
            }),
            Message::Update {
                bundle,
                metadata,
                id,
            } => (self.sink)(OutputEvent::Update {
                bundle,
                metadata,
                id,
            }),
            Message::Clear { wait } => (self.sink)(OutputEvent::Clear { wait }),
            Message::Input {
                prompt,
                password,
                stdin,
            } => return self.ask_user(prompt, password, stdin),
            Message::Panic { message } => self.end.panic = Some(message),
            Message::Done(done) => return self.note_end(done),
        }
        Answer::Noted
    }

    /// Keeps what was told at the cell's end; which variables the child must drop.
    fn note_end(&mut self, mut done: Done) -> Answer {
        self.end.run_ms = self.began.elapsed().as_millis();
        let unkept = (self.unkept)(&done.names);
        done.names.retain(|name| !unkept.contains(name));
        self.end.told = Some(done);
        Answer::Remove { names: unkept }
    }

    fn ask_user(&mut self, prompt: String, password: bool, reads_stdin: bool) -> Answer {
        let printed = self.question.take_if(|_| reads_stdin);
        let (prompt, password) = printed.unwrap_or((prompt, password));
        let (reply, receiver) = mpsc::channel();
        (self.sink)(OutputEvent::Input {
            prompt,
            password,
            reply,
        });
        loop {
            match receiver.recv_timeout(Duration::from_millis(100)) {
                Ok(Some(text)) => return Answer::Line { text },
                _ if self.phase.is_interrupted() => return Answer::Interrupted,
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Ok(None) | Err(mpsc::RecvTimeoutError::Disconnected) => {
                    if reads_stdin && !std::mem::replace(&mut self.said_nobody, true) {
                        self.send_stderr(NOBODY_ANSWERS.to_owned());
                    }
                    return Answer::Nobody;
                }
            }
        }
    }

    fn finish(&mut self) -> CellEnd {
        self.read_side();
        self.drain();
        let text = self.stdout.decoder.finish();
        let mut pieces = self.filter.push(&text);
        pieces.extend(self.filter.finish());
        self.show_last(pieces);
        if let Some((prompt, _)) = self.question.take() {
            // Nobody has read the answer.
            self.send_stdout(prompt + "\n");
        }
        self.stderr.text = self.stderr.decoder.finish();
        self.show_stderr();
        self.settle(false);
        self.gathered_since = None;
        std::mem::take(&mut self.end)
    }

    fn forget(&mut self) {
        self.read_side();
        self.frame.clear();
        self.drain();
    }
}

#[cfg(test)]
mod tests;
