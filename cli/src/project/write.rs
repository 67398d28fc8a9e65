//! The file with every key, as `swath init` writes it.

use std::fmt::Write as _;

use super::section::Usual;
use super::{Key, sections};

/// A value that the file is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The section.
    pub section: &'static str,
    /// The key.
    pub key: &'static str,
    /// The value as TOML.
    pub value: String,
    /// What is said about it, a line each, beside the meaning of the key.
    pub notes: Vec<String>,
}

/// What a project file must have to train anything: the file is written with it where nothing else is known.
const FIRST: [(&str, &str, &str); 3] = [
    ("scenes", "files", r#""scene.tif""#),
    ("labels", "file", r#""labels.geojson""#),
    ("labels", "class", r#""building""#),
];

/// The text of a project file: `head` above it, a line each; every key with its meaning, those of `choices` with their
/// values, the others as comments with their default or an example.
#[must_use]
pub fn written(choices: &[Choice], head: &[String]) -> String {
    let mut text = String::new();
    for line in head {
        comment(&mut text, line);
    }
    // Where nothing is chosen, a person finds what to change.
    let begins = choices.is_empty();
    for (word, about, keys) in sections() {
        text.push('\n');
        for line in about {
            comment(&mut text, line);
        }
        // Writing to a String cannot fail.
        let _ = writeln!(text, "[{word}]");
        for key in keys {
            let name = key.name();
            let chosen = choices
                .iter()
                .find(|choice| choice.section == word && choice.key == name);
            text.push('\n');
            for line in key.about {
                comment(&mut text, line);
            }
            for note in chosen.iter().flat_map(|choice| &choice.notes) {
                comment(&mut text, note);
            }
            let first = FIRST
                .iter()
                .find(|(section, key, _)| begins && *section == word && *key == name);
            match (chosen, first) {
                (Some(choice), _) => {
                    let _ = writeln!(text, "{name} = {}", choice.value);
                }
                (None, Some((_, _, value))) => {
                    let _ = writeln!(text, "{name} = {value}");
                }
                (None, None) => unset(&mut text, key),
            }
        }
    }
    text
}

/// A key that is not given, as a comment.
fn unset(text: &mut String, key: &Key) {
    let name = key.name();
    let _ = match key.usual {
        Usual::Default(value) => writeln!(text, "# {name} = {value}"),
        Usual::Example(value) => writeln!(text, "# {name} = {value}  # for example"),
    };
}

fn comment(text: &mut String, line: &str) {
    let line = line.trim();
    let _ = match line.is_empty() {
        true => writeln!(text, "#"),
        false => writeln!(text, "# {line}"),
    };
}
