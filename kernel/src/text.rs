//! Text that arrives in pieces, text for HTML, and names of types.

use std::borrow::Cow;

/// Turns bytes into text piece by piece: characters that are split between pieces are kept together, bytes that are no
/// UTF-8 become the replacement character.
#[derive(Default)]
pub(crate) struct Utf8Stream {
    rest: Vec<u8>,
}

impl Utf8Stream {
    /// The text that is complete after `bytes`.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> String {
        self.rest.extend_from_slice(bytes);
        let mut text = String::new();
        loop {
            match std::str::from_utf8(&self.rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    self.rest.clear();
                    return text;
                }
                Err(error) => {
                    let valid = error.valid_up_to();
                    text.push_str(&String::from_utf8_lossy(&self.rest[..valid]));
                    let Some(bad) = error.error_len() else {
                        self.rest.drain(..valid);
                        return text;
                    };
                    text.push(char::REPLACEMENT_CHARACTER);
                    self.rest.drain(..valid + bad);
                }
            }
        }
    }

    /// What is left at the end of the stream.
    pub(crate) fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.rest)).into_owned()
    }
}

/// Levenshtein distance.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let changed = diagonal + usize::from(x != y);
            let best = changed.min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], best);
        }
    }
    row[b.len()]
}

/// Escapes text for HTML elements and attributes.
pub(crate) fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// The library's types of a task, and the names that people write for them: with segmentation, with detection.
const BY_TASK: [(&str, [&str; 2]); 4] = [
    ("Model", ["Segmenter", "Detector"]),
    ("Blueprint", ["Architecture", "DetectorArchitecture"]),
    ("OptionsFor", ["PredictOptions", "DetectionOptions"]),
    ("Ensemble", ["Ensemble", "DetectorEnsemble"]),
];

/// A text with the names that people write for types of a task: `Segmenter` for `swath::models::Model<Segmentation>`.
pub(crate) fn with_task_names(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for (generic, names) in BY_TASK {
        // A message about a method that no task has names the parameter.
        let either = format!("{}` or `{}", names[0], names[1]);
        let names = [names[0], names[1], &either];
        for (task, name) in ["Segmentation", "ObjectDetection", "T"]
            .into_iter()
            .zip(names)
        {
            for task in [task, &format!("swath::models::{task}")] {
                let written = format!("{generic}<{task}>");
                // A longer name that ends so is another type.
                let starts = |at: usize| {
                    let before = text[..at].chars().next_back();
                    !before.is_some_and(|before| before.is_alphanumeric() || before == '_')
                };
                let found: Vec<usize> = text
                    .match_indices(&written)
                    .map(|(at, _)| at)
                    .filter(|&at| starts(at))
                    .collect();
                for at in found.into_iter().rev() {
                    let modules = text[..at].trim_end_matches(|it: char| {
                        it.is_alphanumeric() || it == '_' || it == ':'
                    });
                    let start = modules.len();
                    // `<Model<Segmentation>>::new`: what is no path stays.
                    let start = if text[start..at].ends_with("::") {
                        start
                    } else {
                        at
                    };
                    text.to_mut().replace_range(start..at + written.len(), name);
                }
            }
        }
    }
    text
}

/// A type's name without the modules of the types in it: `Run<Detector>` for
/// `swath::prelude::Run<swath::models::Model<swath::models::ObjectDetection>>`.
pub(crate) fn short_type(name: &str) -> String {
    with_task_names(&without_modules(name)).into_owned()
}

fn without_modules(name: &str) -> String {
    let mut short = String::with_capacity(name.len());
    // Where the word that is being read starts in `short`.
    let mut word = 0;
    let mut rest = name;
    while let Some(next) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("::")
            && short.len() > word
            && after.starts_with(|next: char| next.is_alphabetic() || next == '_')
        {
            short.truncate(word);
            rest = after;
            continue;
        }
        short.push(next);
        if !(next.is_alphanumeric() || next == '_') {
            word = short.len();
        }
        rest = &rest[next.len_utf8()..];
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_lose_their_modules_and_nothing_else() {
        for (name, short) in [
            ("u32", "u32"),
            (
                "swath::prelude::Run<swath::prelude::Detector>",
                "Run<Detector>",
            ),
            (
                "swath::prelude::Run<swath::models::Model<swath::models::ObjectDetection>>",
                "Run<Detector>",
            ),
            (
                "std::vec::Vec<swath::models::Blueprint<swath::models::Segmentation>>",
                "Vec<Architecture>",
            ),
            ("swath::models::Model<my::Task>", "Model<Task>"),
            (
                "MyModel<swath::models::Segmentation>",
                "MyModel<Segmentation>",
            ),
            (
                "std::vec::Vec<(u8, alloc::string::String)>",
                "Vec<(u8, String)>",
            ),
            (
                "&'static [core::option::Option<f64>; 3]",
                "&'static [Option<f64>; 3]",
            ),
            ("<a::B as c::D>::E", "<B as D>::E"),
            ("fn(std::path::PathBuf) -> bool", "fn(PathBuf) -> bool"),
        ] {
            assert_eq!(short_type(name), short);
        }
    }

    #[test]
    fn messages_name_types_of_a_task_as_people_do() {
        assert_eq!(
            with_task_names("no method named `x` found for struct `swath::models::Model<T>`"),
            "no method named `x` found for struct `Segmenter` or `Detector`"
        );
        let message = "no method named `x` found for struct `Model<swath::models::Segmentation>`: expected \
                       `&Blueprint<swath::models::ObjectDetection>`, found `swath::models::Model<Segmentation>` or \
                       `MyModel<Segmentation>`";
        assert_eq!(
            with_task_names(message),
            "no method named `x` found for struct `Segmenter`: expected `&DetectorArchitecture`, found `Segmenter` or \
             `MyModel<Segmentation>`"
        );
        assert!(matches!(with_task_names("nothing"), Cow::Borrowed(_)));
    }

    #[test]
    fn characters_split_at_every_byte_stay_whole() {
        let text = "aü€🛰z";
        for at in 0..=text.len() {
            let mut stream = Utf8Stream::default();
            let found = stream.push(&text.as_bytes()[..at])
                + &stream.push(&text.as_bytes()[at..])
                + &stream.finish();
            assert_eq!(found, text, "split at {at}");
        }
    }

    #[test]
    fn junk_becomes_replacement_characters_and_loses_nothing_else() {
        let mut stream = Utf8Stream::default();
        assert_eq!(stream.push(b"a\xff\xfeb\xc3"), "a\u{fffd}\u{fffd}b");
        assert_eq!(stream.push(b"c"), "\u{fffd}c");
        assert_eq!(stream.push(b"\xe2\x82"), "");
        assert_eq!(stream.finish(), "\u{fffd}");
    }
}
