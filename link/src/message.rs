//! What the process of the cells tells and asks the front process, and the answers: one JSON object each, whose `kind`
//! says which one. Every message is answered before its sender goes on.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Forms of one value by MIME type, or what is known about them.
pub type Bundle = Map<String, Value>;

/// What the process of the cells tells or asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Message {
    /// A cell is about to run. Answered by [`Answer::Begin`].
    Begin {
        /// The process in which it runs.
        pid: i32,
    },
    /// The value of the cell's last expression.
    Result {
        /// Its forms.
        bundle: Bundle,
        /// What is known about them.
        metadata: Bundle,
    },
    /// A value that is shown in between.
    Display {
        /// Its forms.
        bundle: Bundle,
        /// What is known about them.
        metadata: Bundle,
        /// Its name for updates.
        id: Option<String>,
    },
    /// Takes the place of what was displayed before.
    Update {
        /// Its forms.
        bundle: Bundle,
        /// What is known about them.
        metadata: Bundle,
        /// The name under which it was displayed.
        id: String,
    },
    /// Removes what the cell has shown so far.
    Clear {
        /// Whether to wait for what is shown next.
        wait: bool,
    },
    /// A question to the user. Answered by [`Answer::Line`], [`Answer::Interrupted`] or [`Answer::Nobody`].
    Input {
        /// The question.
        prompt: String,
        /// Whether what is typed must not be seen.
        password: bool,
        /// Whether the cell reads standard input, and may have printed its question.
        stdin: bool,
    },
    /// A panic, told at once, in case the process does not live to tell the cell's end.
    Panic {
        /// Its text.
        message: String,
    },
    /// The cell has ended. Answered by [`Answer::Remove`].
    Done(Done),
}

/// What there is to say at the end of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// How it ended.
    pub outcome: Outcome,
    /// Whether its statements came to their end, so that all that it binds is kept.
    pub completed: bool,
    /// The names of all variables.
    pub names: Vec<String>,
    /// Whether its value was shown through the library.
    pub shown: bool,
    /// What cells have changed of their folder and environment, when they have.
    pub surroundings: Option<Surroundings>,
    /// Names from the user's values and files, when they are others than those that were told last.
    pub words: Option<Words>,
}

/// How a cell ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// It ran to its end.
    Ok,
    /// It panicked.
    Panic {
        /// The panic's text.
        message: String,
        /// Where it panicked.
        place: Place,
    },
    /// It ended with an error.
    Error(Failure),
    /// The user has stopped it.
    Interrupted {
        /// What it was doing.
        message: String,
    },
    /// The user has stopped it before its object was loaded.
    Cancelled,
    /// Variables that it needs are gone, since their types changed.
    Lost {
        /// Their names.
        names: Vec<String>,
    },
    /// It did not listen to an interrupt and was put aside.
    Aside {
        /// The variables that it was using, which are lost.
        names: Vec<String>,
    },
    /// Its object could not be loaded.
    Load {
        /// What the loader says.
        message: String,
    },
}

/// An error that left a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Short name of the error's type; of the library's errors that of the domain, such as `RasterError`.
    pub name: String,
    /// Its text.
    pub message: String,
    /// The next step for the reader.
    pub hint: Option<String>,
    /// The `?` through which it left the cell.
    pub place: Place,
}

/// A place in a source file, as `std::panic::Location` tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file's name; empty when nobody knows.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

/// What cells have changed of their folder and environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surroundings {
    /// The working folder, when it is another one.
    pub folder: Option<String>,
    /// Variables with a new value.
    pub set: BTreeMap<String, String>,
    /// Variables that are gone.
    pub unset: Vec<String>,
}

/// Names with which strings are completed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// What the variables have names for.
    pub variables: BTreeMap<String, Names>,
    /// The properties of the vector files that were opened.
    pub properties: BTreeMap<String, Vec<String>>,
}

/// What a value has names for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// Its classes.
    pub classes: Vec<String>,
    /// Its bands.
    pub bands: Vec<String>,
}

/// How the front process answers a [`Message`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Answer {
    /// It took note, and the sender goes on.
    Noted,
    /// Whether the cell that is about to run was interrupted already.
    Begin {
        /// Whether it must not run.
        cancel: bool,
    },
    /// What the user has typed.
    Line {
        /// Without the end of the line.
        text: String,
    },
    /// The user has interrupted the question.
    Interrupted,
    /// There is nobody to answer.
    Nobody,
    /// Variables that no later cell can use, such as closures: they are to be dropped.
    Remove {
        /// Their names.
        names: Vec<String>,
    },
    /// The message could not be read.
    NotUnderstood {
        /// Why not.
        reason: String,
    },
}

/// A message that cannot be read: what it calls itself, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// What the message names as its kind, when it can be told.
    pub kind: Option<String>,
    /// What is wrong.
    pub reason: String,
}

/// So many characters of what nobody knows are repeated.
const MOST: usize = 60;

impl DecodeError {
    fn of(text: &[u8], error: &serde_json::Error) -> Self {
        let kind = serde_json::from_slice::<Value>(text)
            .ok()
            .and_then(|value| Some(shortened(value.get("kind")?.as_str()?, MOST)));
        Self {
            kind,
            reason: shortened(&error.to_string(), 4 * MOST),
        }
    }
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl Display for DecodeError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        match &self.kind {
            Some(kind) => write!(formatter, "a message {kind:?}: {}", self.reason),
            None => write!(formatter, "a message without a kind: {}", self.reason),
        }
    }
}

impl std::error::Error for DecodeError {}

/// A message or an answer as it goes over the socket, before it is framed.
///
/// # Errors
/// None for the types of this module, whose keys are all texts; serde asks for it.
pub fn encode<T: Serialize>(message: &T) -> std::io::Result<Vec<u8>> {
    Ok(serde_json::to_vec(message)?)
}

/// Reads a message or an answer.
///
/// # Errors
/// When its kind is unknown, a field is missing or of another type, or it is no JSON.
pub fn decode<T: DeserializeOwned>(text: &[u8]) -> Result<T, DecodeError> {
    serde_json::from_slice(text).map_err(|error| DecodeError::of(text, &error))
}

#[cfg(test)]
mod tests;
