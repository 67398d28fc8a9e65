//! The side channel to the front process: a socket that carries everything a cell shows besides plain text.
//!
//! Each message is a four-byte little-endian length and that many bytes of JSON; each is answered by one of the same
//! form before the sender goes on. The front process reads the text pipes dry before it answers, which keeps the
//! order between text and displays.

use std::io::{Read, Write};
use std::os::fd::{FromRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError, TryLockError};

use base64::Engine as _;
use serde_json::{Map, Value, json};

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

/// Sends a message and waits for its answer; `None` when the front process has gone.
pub(super) fn ask(message: &Value) -> Option<Value> {
    let _ = std::io::stdout().flush();
    let mut channel = CHANNEL.lock().unwrap_or_else(PoisonError::into_inner);
    exchange(channel.as_mut()?, message).ok()
}

/// Tells of a panic at once, in case the process does not live to report it; drops it when the channel is in use.
pub(super) fn announce_panic(message: &str) {
    let channel = match CHANNEL.try_lock() {
        Ok(channel) => Some(channel),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    };
    if let Some(stream) = channel.as_deref().and_then(Option::as_ref) {
        let _ = exchange(
            &mut &*stream,
            &json!({ "kind": "panic", "message": message }),
        );
    }
}

fn exchange(mut stream: impl Read + Write, message: &Value) -> std::io::Result<Value> {
    let text = serde_json::to_vec(message)?;
    let length = u32::try_from(text.len()).map_err(std::io::Error::other)?;
    let mut frame = Vec::with_capacity(text.len() + 4);
    frame.extend(length.to_le_bytes());
    frame.extend(text);
    stream.write_all(&frame)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut answer = vec![0; u32::from_le_bytes(length) as usize];
    stream.read_exact(&mut answer)?;
    Ok(serde_json::from_slice(&answer)?)
}

/// Sends what the library shows to the front process.
pub(super) struct SideSink;

impl Sink for SideSink {
    fn result(&self, output: Output) {
        show(&output, json!({ "kind": "result" }));
    }

    fn display(&self, output: Output, id: Option<&str>) {
        show(&output, json!({ "kind": "display", "id": id }));
    }

    fn update(&self, output: Output, id: &str) {
        show(&output, json!({ "kind": "update", "id": id }));
    }

    fn clear(&self, wait: bool) {
        stop_if_forced();
        ask(&json!({ "kind": "clear", "wait": wait }));
    }

    fn input(&self, prompt: &str, password: bool) -> Option<String> {
        stop_if_forced();
        match ask(&json!({ "kind": "input", "prompt": prompt, "password": password })) {
            Some(Value::String(line)) => Some(line),
            // The signal of the interrupt may come after this answer; the cell must not go on as if nobody was there.
            Some(answer) if answer["interrupted"] == true => {
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

fn show(output: &Output, mut message: Value) {
    stop_if_forced();
    let (bundle, metadata) = bundle(output);
    message["bundle"] = bundle.into();
    message["metadata"] = metadata.into();
    ask(&message);
}

/// The forms of an output by MIME type, and what is known about them.
fn bundle(output: &Output) -> (Map<String, Value>, Map<String, Value>) {
    let mut bundle = Map::new();
    let mut metadata = Map::new();
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
            let mut length = [0; 4];
            theirs.read_exact(&mut length).unwrap();
            let mut text = vec![0; u32::from_le_bytes(length) as usize];
            theirs.read_exact(&mut text).unwrap();
            theirs.write_all(&[6, 0, 0, 0]).unwrap();
            theirs.write_all(b"\"Anna\"").unwrap();
            String::from_utf8(text).unwrap()
        });
        let answer = exchange(&mut ours, &json!({ "kind": "input" })).unwrap();
        assert_eq!(answer, "Anna");
        assert_eq!(front.join().unwrap(), r#"{"kind":"input"}"#);
    }
}
