//! The side channel to the front process: a socket that carries everything a cell shows besides plain text.
//!
//! Each [`Message`] is answered before the sender goes on. The front process reads the text pipes dry before it answers,
//! which keeps the order between text and displays.

use std::io::{Read, Write};
use std::os::fd::{FromRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError, TryLockError};

use base64::Engine as _;
use serde_json::json;
use swath_link::frame;
use swath_link::message::{self, Answer, Bundle, Message};

use crate::display::Output;
use crate::session::Sink;

static CHANNEL: Mutex<Option<UnixStream>> = Mutex::new(None);

/// Takes over the socket that the front process opened for this process.
pub(super) fn connect(descriptor: RawFd) {
    // SAFETY: the descriptor was handed to this process for this purpose, and nobody else uses it here.
    let stream = unsafe {
        libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC);
        UnixStream::from_raw_fd(descriptor)
    };
    *CHANNEL.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream);
}

/// Sends a message and waits for its answer; `None` when the front process has gone, or gives an answer that cannot be
/// read, which is said on standard error.
pub(super) fn ask(message: &Message) -> Option<Answer> {
    let _ = std::io::stdout().flush();
    let answer = {
        let mut channel = CHANNEL.lock().unwrap_or_else(PoisonError::into_inner);
        exchange(channel.as_mut()?, message).ok()?
    };
    message::decode(&answer)
        .inspect_err(|error| {
            super::pipes::write_error(&format!(
                "swath: the kernel has answered with what cannot be read: {error}\n"
            ));
        })
        .ok()
}

/// Tells of a panic at once, in case the process does not live to report it; drops it when the channel is in use.
pub(super) fn announce_panic(message: &str) {
    let channel = match CHANNEL.try_lock() {
        Ok(channel) => Some(channel),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    };
    if let Some(stream) = channel.as_deref().and_then(Option::as_ref) {
        let message = message.to_owned();
        let _ = exchange(&mut &*stream, &Message::Panic { message });
    }
}

fn exchange(mut stream: impl Read + Write, message: &Message) -> std::io::Result<Vec<u8>> {
    frame::write(&mut stream, &message::encode(message)?)?;
    frame::read(stream)
}

/// Sends what the library shows to the front process.
pub(super) struct SideSink;

impl Sink for SideSink {
    fn result(&self, output: Output) {
        let (bundle, metadata) = bundle(&output);
        show(&Message::Result { bundle, metadata });
    }

    fn display(&self, output: Output, id: Option<&str>) {
        let (bundle, metadata) = bundle(&output);
        show(&Message::Display {
            bundle,
            metadata,
            id: id.map(str::to_owned),
        });
    }

    fn update(&self, output: Output, id: &str) {
        let (bundle, metadata) = bundle(&output);
        show(&Message::Update {
            bundle,
            metadata,
            id: id.to_owned(),
        });
    }

    fn clear(&self, wait: bool) {
        show(&Message::Clear { wait });
    }

    fn input(&self, prompt: &str, password: bool) -> Option<String> {
        stop_if_forced();
        let question = Message::Input {
            prompt: prompt.to_owned(),
            password,
            stdin: false,
        };
        match ask(&question) {
            Some(Answer::Line { text }) => Some(text),
            // The signal of the interrupt may come after this answer; the cell must not go on as if nobody was there.
            Some(Answer::Interrupted) => {
                crate::session::set_interrupted(true);
                super::guard::stop_cell("waiting for an answer");
                None
            }
            _ => None,
        }
    }
}

/// Ends a cell that shows one thing after the other and does not ask whether it was interrupted.
fn stop_if_forced() {
    if super::stop::is_forced() {
        super::guard::stop_cell("showing something");
    }
}

fn show(message: &Message) {
    stop_if_forced();
    ask(message);
}

/// The forms of an output by MIME type, and what is known about them.
fn bundle(output: &Output) -> (Bundle, Bundle) {
    let mut bundle = Bundle::new();
    let mut metadata = Bundle::new();
    bundle.insert("text/plain".to_owned(), output.text.clone().into());
    if let Some(html) = &output.html {
        bundle.insert("text/html".to_owned(), html.clone().into());
    }
    if let Some(svg) = &output.svg {
        bundle.insert("image/svg+xml".to_owned(), svg.clone().into());
    }
    for (mime, bytes) in [("image/png", &output.png), ("image/webp", &output.webp)] {
        if let Some(bytes) = bytes {
            bundle.insert(
                mime.to_owned(),
                base64::engine::general_purpose::STANDARD
                    .encode(bytes)
                    .into(),
            );
            if !output.alt.is_empty() {
                metadata.insert(mime.to_owned(), json!({ "alt": output.alt }));
            }
        }
    }
    (bundle, metadata)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn every_form_of_an_output_is_sent_and_pictures_carry_their_words() {
        let output = Output {
            png: Some(vec![1, 2, 3]),
            alt: "a map".to_owned(),
            ..Output::html("map", "<b>map</b>")
        };
        let (bundle, metadata) = bundle(&output);
        assert_eq!(
            Value::from(bundle),
            json!({ "text/plain": "map", "text/html": "<b>map</b>", "image/png": "AQID" })
        );
        assert_eq!(
            Value::from(metadata),
            json!({ "image/png": { "alt": "a map" } })
        );
    }

    #[test]
    fn a_message_waits_for_its_answer() {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        let front = std::thread::spawn(move || {
            let text = frame::read(&mut theirs).unwrap();
            let answer = Answer::Line {
                text: "Anna".to_owned(),
            };
            frame::write(&mut theirs, &message::encode(&answer).unwrap()).unwrap();
            String::from_utf8(text).unwrap()
        });
        let answer = exchange(&mut ours, &Message::Clear { wait: true }).unwrap();
        assert_eq!(
            message::decode(&answer),
            Ok(Answer::Line {
                text: "Anna".to_owned()
            })
        );
        assert_eq!(front.join().unwrap(), r#"{"kind":"clear","wait":true}"#);
    }
}
