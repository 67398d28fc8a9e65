//! Sections of a project file: a type, and a table of its keys, from one description.

use super::node::{Data, Node, Place, Table};
use super::{Problem, sections};

/// What a key usually is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usual {
    /// The library does this where the key is not there: the text is TOML.
    Default(&'static str),
    /// Nothing is done where the key is not there; the TOML is an example.
    Example(&'static str),
}

/// A key of a section.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name, where that is no word of Rust with a dash behind it.
    pub(super) field: &'static str,
    /// Other names that are understood.
    pub synonyms: &'static [&'static str],
    /// What it means, a sentence or two.
    pub about: &'static [&'static str],
    /// Its default, or an example.
    pub usual: Usual,
}

impl Key {
    /// Its name in the file.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.field.trim_end_matches('_')
    }

    /// Whether a person may call it so.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name() == name || self.synonyms.contains(&name)
    }
}

/// A section of a project file.
pub trait Section {
    /// Its name.
    const WORD: &'static str;
    /// What it is for, a line each.
    const ABOUT: &'static [&'static str];
    /// Its keys, in the order in which they are written.
    const KEYS: &'static [Key];
}

/// Describes a section: `key: type = reader, Default "toml";`, `or "name"` behind the key for another name.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        $name:ident = $word:literal {
            $(
                $(#[doc = $doc:literal])+
                $field:ident $(or $synonym:literal)*: $type:ty = $reader:expr, $usual:ident $text:literal;
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $field: Option<$type>,)+
        }

        impl $crate::project::Section for $name {
            const WORD: &'static str = $word;
            const ABOUT: &'static [&'static str] = &[$($about),+];
            const KEYS: &'static [$crate::project::Key] = &[$(
                $crate::project::Key {
                    field: stringify!($field),
                    synonyms: &[$($synonym),*],
                    about: &[$($doc),+],
                    usual: $crate::project::Usual::$usual($text),
                }
            ),+];
        }

        impl $name {
            /// Takes the section out of what was read.
            pub(super) fn read(reader: &mut $crate::project::section::Reader<'_>) -> Self {
                Self { $($field: reader.take(stringify!($field), $reader)),+ }
            }
        }
    };
}
pub(super) use section;

/// Reads one section.
pub(super) struct Reader<'a> {
    pub(super) word: &'static str,
    pub(super) keys: &'static [Key],
    pub(super) table: Table,
    pub(super) problems: &'a mut Vec<Problem>,
    /// Where the values stand that were there.
    pub(super) places: Vec<(&'static str, Place)>,
}

impl Reader<'_> {
    /// The value of a key, read by `read`, which says what it expects when it cannot.
    pub(super) fn take<T>(
        &mut self,
        field: &'static str,
        read: impl Fn(&Node) -> Result<T, String>,
    ) -> Option<T> {
        let key = self.keys.iter().find(|key| key.field == field)?;
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.table.len() {
            if key.is_called(&self.table[at].0) {
                found.push(self.table.remove(at));
            } else {
                at += 1;
            }
        }
        let (name, _, node) = match found.len() {
            0 | 1 => found.pop()?,
            _ => {
                let (second, place, node) = found.pop()?;
                let first = &found.first()?.0;
                self.problems.push(Problem {
                    place: Some(place.clone()),
                    text: format!(
                        "`{first}` and `{second}` in [{}] are one: give it once",
                        self.word
                    ),
                });
                (second, place, node)
            }
        };
        self.places.push((key.name(), node.place.clone()));
        match read(&node) {
            Ok(value) => Some(value),
            Err(expected) => {
                self.problems.push(Problem {
                    place: Some(node.place.clone()),
                    text: format!(
                        "`{name}` in [{}] is {}, expected {expected}",
                        self.word,
                        node.shown()
                    ),
                });
                None
            }
        }
    }

    /// What nobody has taken has names that are not known.
    pub(super) fn finish(self) -> Vec<(&'static str, Place)> {
        for (name, place, node) in &self.table {
            let text = unknown(self.word, self.keys, name, node);
            self.problems.push(Problem {
                place: Some(place.clone()),
                text,
            });
        }
        self.places
    }
}

/// Says what may be meant by a key that the section does not have.
fn unknown(word: &str, keys: &[Key], name: &str, node: &Node) -> String {
    let what = match node.data {
        Data::Table(_) => "section",
        _ => "key",
    };
    let start = format!("unknown {what} `{name}` in [{word}]");
    // A key of another section is none that was misspelled.
    let elsewhere = sections()
        .into_iter()
        .find(|(_, _, keys)| keys.iter().any(|key| key.is_called(name)));
    let names = keys
        .iter()
        .flat_map(|key| std::iter::once(key.name()).chain(key.synonyms.iter().copied()));
    match (nearest(name, names), elsewhere) {
        (_, Some((other, _, _))) => format!("{start}: it is a key of [{other}]"),
        (Some(near), None) => format!("{start}: did you mean `{near}`?"),
        (None, None) => {
            let names: Vec<&str> = keys.iter().map(Key::name).collect();
            format!("{start}: it has {}", names.join(", "))
        }
    }
}

/// The name that a person may have meant.
pub(super) fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let wanted = plain(name);
    names
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(&wanted, &plain(known)), known))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, known)| distance * 3 <= known.len().max(wanted.len()))
        .map(|(_, known)| known)
}
