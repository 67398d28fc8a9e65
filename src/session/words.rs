//! Names from the user's files that a person may want to type again: classes, bands, properties. The kernel completes with
//! them what stands in a string.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

/// What a name is the name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A class of labels.
    Class,
    /// A band of imagery.
    Band,
    /// A property of the features of a vector file.
    Property,
}

/// So many names of a kind are kept: nobody picks one of more from a list.
const MOST: usize = 500;

struct Words {
    known: BTreeMap<Kind, BTreeSet<String>>,
    /// Whether there are some that nobody was told of.
    are_new: bool,
}

static WORDS: Mutex<Words> = Mutex::new(Words {
    known: BTreeMap::new(),
    are_new: false,
});

/// Takes note of names.
pub(crate) fn know<'a>(kind: Kind, names: impl IntoIterator<Item = &'a str>) {
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    let known = words.known.entry(kind).or_default();
    let mut are_new = false;
    for name in names {
        if known.len() < MOST && !name.is_empty() && !known.contains(name) {
            known.insert(name.to_owned());
            are_new = true;
        }
    }
    words.are_new |= are_new;
}

/// All names by kind when there are new ones since the last call, otherwise null.
pub(crate) fn news() -> Value {
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    if !std::mem::take(&mut words.are_new) {
        return Value::Null;
    }
    let of = |kind| words.known.get(&kind);
    json!({ "class": of(Kind::Class), "band": of(Kind::Band), "property": of(Kind::Property) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_when_some_are_new() {
        know(Kind::Class, ["a roof of this test", ""]);
        let told = news();
        let classes = told["class"].as_array().unwrap();
        assert!(classes.contains(&"a roof of this test".into()));
        assert!(!classes.contains(&"".into()));
        know(
            Kind::Property,
            (0..2 * MOST).map(|_| "a property of this test"),
        );
        assert!(
            news()["property"]
                .as_array()
                .unwrap()
                .contains(&"a property of this test".into())
        );
    }
}
