//! Random inputs for the engine's parsers: cells, the child's messages, rich blocks in its text. See [`crate::fuzz`].

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use swath_link::message::{self, Done, Message, Outcome};

use super::channel::Channel;
use super::content::{ContentFilter, Piece};
use super::interface::OutputEvent;
use super::items::ItemStore;
use super::phase::Phase;
use super::places::Places;
use super::source_map::CellSource;
use super::split::{Cell, Known};
use super::{imports, items, macros, shape, state};
use crate::fuzz_harness::{Target, random_of};
use crate::fuzz_words_tests::{CELLS, RUST};
use crate::text::Utf8Stream;

#[test]
fn cells_are_split_whatever_they_hold() {
    let target = Target {
        name: "split",
        seeds: CELLS,
        words: RUST,
        depth: 40_000,
    };
    target.run(|input| check_split(&String::from_utf8_lossy(input)));
}

fn check_split(code: &str) {
    let known = Known {
        constants: ["X".to_owned()].into(),
        unknown_macros_make_items: random_of(code.as_bytes()).below(2) == 0,
        ..Known::default()
    };
    let cell = Cell::parse(code, &known);
    assert_eq!(
        cell.rust.len(),
        code.len(),
        "positions are those of the cell"
    );
    assert_eq!(
        cell.rust.matches('\n').count(),
        code.matches('\n').count(),
        "and lines"
    );
    assert_eq!(cell.statements_text().len(), code.len());
    let mut end = 0;
    for item in &cell.items {
        assert!(
            item.range.start >= end && item.range.end >= item.range.start,
            "{item:?} overlaps"
        );
        assert!(
            cell.rust.get(item.range.clone()).is_some(),
            "{item:?} cuts a character"
        );
        end = item.range.end;
    }
    if let Some(tail) = &cell.tail {
        assert!(cell.rust.get(tail.clone()).is_some(), "{tail:?}");
    }
    for name in cell.used_after_binding() {
        assert!(cell.bound.contains_key(&name) && cell.used.contains_key(&name));
    }
    let source = CellSource::new(1, code);
    if !cell.broken {
        ItemStore::default().merge(&cell, &source);
    }
    for item in &cell.items {
        let text = cell.item_text(item);
        macros::shape_of_text(text);
        imports::imports(text);
        state::texts(text, 1);
    }
    items::heads(code);
    shape::is_settled(code);
    for end in &cell.returns {
        assert!(cell.rust.get(end.range.clone()).is_some());
    }
}

#[test]
fn messages_of_the_child_are_read_whatever_they_hold() {
    let harness = Side::start();
    let target = Target {
        name: "side-channel",
        seeds: &[
            r#"{"kind":"begin","pid":0}"#,
            r#"{"kind":"result","bundle":{"text/plain":"1"},"metadata":{}}"#,
            r#"{"kind":"display","bundle":{"text/html":"<b>"},"metadata":{"text/html":{"isolated":true}},"id":"a"}"#,
            r#"{"kind":"update","bundle":{},"metadata":{},"id":"a"}"#,
            r#"{"kind":"clear","wait":true}"#,
            r#"{"kind":"input","prompt":"?","password":false,"stdin":true}"#,
            r#"{"kind":"panic","message":"at src/lib.rs:1"}"#,
            r#"{"kind":"done","outcome":{"kind":"ok"},"completed":true,"names":["a","b"],"shown":false,"surroundings":null,"words":null}"#,
        ],
        words: &[
            "\"kind\"",
            "\"id\"",
            "\"bundle\"",
            "\"names\"",
            "\"outcome\"",
            "\"pid\"",
            ":",
            ",",
            "{",
            "}",
            "[",
            "]",
            "\"done\"",
            "\"result\"",
            "true",
            "1.5",
            "\"\\ud800\"",
        ],
        depth: 60_000,
    };
    target.run(|input| harness.check(input));
    assert!(
        harness.events.load(Ordering::Relaxed) > 0,
        "nothing was shown"
    );
}

/// A channel with the child's end in our hands.
struct Side {
    channel: Channel,
    child: Mutex<UnixStream>,
    events: Arc<AtomicUsize>,
    _pipes: [std::os::fd::OwnedFd; 2],
}

impl Side {
    fn start() -> Self {
        let events = Arc::new(AtomicUsize::new(0));
        let seen = events.clone();
        let sink: super::OutputSink = Box::new(move |event| {
            seen.fetch_add(1, Ordering::Relaxed);
            // Nobody can answer.
            if let OutputEvent::Input { reply, .. } = event {
                let _ = reply.send(None);
            }
        });
        let phase = Arc::new(Phase::new(PathBuf::from("/nonexistent/compiler")));
        let silent = Arc::new(AtomicBool::new(false));
        let (channel, ends) = Channel::open(
            Arc::new(sink),
            phase,
            Arc::new(Places::default()),
            silent,
            |_| Vec::new(),
        )
        .expect("a channel");
        let child = UnixStream::from(ends.side);
        child.set_nonblocking(true).expect("a socket");
        Self {
            channel,
            child: Mutex::new(child),
            events,
            _pipes: [ends.stdout, ends.stderr],
        }
    }

    /// Sends the input as one framed message, now and then with a wrong length, and then one that must be understood.
    fn check(&self, input: &[u8]) {
        let mut random = random_of(input);
        let length = match random.below(50) {
            0 => random.below(input.len() + 1),
            1 => input.len() + random.below(100_000),
            _ => input.len(),
        };
        let outcome = Outcome::Load {
            message: "understood".to_owned(),
        };
        let done = message::encode(&Message::Done(Done {
            outcome: outcome.clone(),
            completed: false,
            names: Vec::new(),
            shown: false,
            surroundings: None,
            words: None,
        }))
        .expect("a message");
        self.send(length, input);
        if length != input.len() {
            // What a child that died has left behind.
            self.channel.forget_child();
        }
        self.send(done.len(), &done);
        let end = self.channel.finish_cell();
        assert_eq!(
            end.outcome(),
            Some(&outcome),
            "the output thread no longer understands messages"
        );
        let mut child = self.child.lock().expect("one thread");
        while child.read(&mut [0; 4096]).is_ok_and(|length| length > 0) {}
    }

    fn send(&self, length: usize, text: &[u8]) {
        let mut frame = u32::try_from(length)
            .unwrap_or(u32::MAX)
            .to_le_bytes()
            .to_vec();
        frame.extend(text);
        let mut child = self.child.lock().expect("one thread");
        child.write_all(&frame).expect("the channel reads");
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        self.channel.stop();
    }
}

#[test]
fn text_is_the_same_in_whatever_pieces_it_arrives() {
    let target = Target {
        name: "text",
        seeds: &[
            "plain\nlines é🛰\n",
            "EVCXR_BEGIN_CONTENT text/html\n<b>1</b>\nEVCXR_END_CONTENT\n",
            "a\nEVCXR_BEGIN_CONTENT application/json\n{\"a\":[1]}\nEVCXR_END_CONTENT\nEVCXR_BEGIN_CONTENT image/png\nAAAA\nEVCXR_END_CONTENT\nb",
            "50 %\r60 %\r\n",
        ],
        words: &[
            "EVCXR_BEGIN_CONTENT ",
            "EVCXR_END_CONTENT",
            "\n",
            "\r",
            "text/plain",
            "EVCXR",
            "_",
            "a",
            "\u{1b}[1m",
        ],
        depth: 2000,
    };
    target.run(check_text);
}

/// Text and blocks must not depend on where the pipe cuts.
fn check_text(input: &[u8]) {
    let mut random = random_of(input);
    let whole = pieces_of(std::iter::once(input));
    let mut cuts = Vec::new();
    let mut rest = input;
    while !rest.is_empty() {
        let (part, after) = rest.split_at(1 + random.below(rest.len().min(1 + input.len() / 8)));
        cuts.push(part);
        rest = after;
    }
    let cut = pieces_of(cuts.into_iter());
    assert_eq!(whole, cut, "in {:?}", String::from_utf8_lossy(input));
}

/// The text without the blocks, and the blocks with the length of the text before each.
fn pieces_of<'a>(parts: impl Iterator<Item = &'a [u8]>) -> (String, BTreeMap<usize, Vec<String>>) {
    let (mut decoder, mut filter) = (Utf8Stream::default(), ContentFilter::default());
    let mut pieces = Vec::new();
    for part in parts {
        pieces.extend(filter.push(&decoder.push(part)));
    }
    pieces.extend(filter.push(&decoder.finish()));
    pieces.extend(filter.finish());
    let (mut text, mut blocks) = (String::new(), BTreeMap::<usize, Vec<String>>::new());
    for piece in pieces {
        match piece {
            Piece::Text(more) => text.push_str(&more),
            Piece::Content(bundle) => {
                let bundle = serde_json::to_string(&bundle).expect("a map of JSON");
                blocks.entry(text.len()).or_default().push(bundle);
            }
            Piece::Question { prompt, password } => {
                let question = format!("{prompt}, {password}");
                blocks.entry(text.len()).or_default().push(question);
            }
            Piece::Panic => blocks
                .entry(text.len())
                .or_default()
                .push("panic".to_owned()),
        }
    }
    (text, blocks)
}
