//! What happens in a long command, for those who write it into a log or read it by a program.

use serde_json::{Map, Value};

use super::sink;

/// Something that has happened: progress, the end of an epoch, a file that was written.
///
/// A sink gets events when [`super::Sink::takes_events`] says so: the command line does, a notebook has live views.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// What it is: `progress`, `epoch`, `checkpoint`, `scene`, `scores`, `file`, `end`.
    pub name: &'static str,
    /// One line for a person; empty for what only programs want to know.
    pub text: String,
    /// The facts by name. Progress has `done` and `total`.
    pub facts: Map<String, Value>,
}

impl Event {
    pub(crate) fn new(name: &'static str, text: impl Into<String>, facts: Value) -> Self {
        let facts = match facts {
            Value::Object(facts) => facts,
            _ => Map::new(),
        };
        Self {
            name,
            text: text.into(),
            facts,
        }
    }
}

/// Whether anybody wants events in the place of live views.
pub(crate) fn takes_events() -> bool {
    sink().takes_events()
}

/// Tells of something, where anybody wants to know.
pub(crate) fn tell(event: impl FnOnce() -> Event) {
    let sink = sink();
    if sink.takes_events() {
        sink.event(&event());
    }
}
