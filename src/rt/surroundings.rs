//! The working folder and the environment as cells leave them: the front process is told of changes, so that `!command`
//! and later processes of cells see what `std::env::set_current_dir` and `set_var` did.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use swath_link::message;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Surroundings {
    folder: Option<PathBuf>,
    /// Those whose names and values are text.
    variables: BTreeMap<String, String>,
}

/// What the front process knows.
static KNOWN: Mutex<Option<Surroundings>> = Mutex::new(None);

impl Surroundings {
    fn now() -> Self {
        // Others than texts cannot be told to the front process, and stay as they are.
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self {
            folder: std::env::current_dir().ok(),
            variables: variables.collect(),
        }
    }

    /// What is different from `before`, when anything is.
    fn changes_since(&self, before: &Self) -> Option<message::Surroundings> {
        let set: BTreeMap<String, String> = self
            .variables
            .iter()
            .filter(|(name, value)| before.variables.get(*name) != Some(value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let unset: Vec<String> = before
            .variables
            .keys()
            .filter(|name| !self.variables.contains_key(*name))
            .cloned()
            .collect();
        let folder = self
            .folder
            .as_ref()
            .filter(|_| self.folder != before.folder)
            .and_then(|folder| Some(folder.to_str()?.to_owned()));
        let changes = message::Surroundings { folder, set, unset };
        (changes != message::Surroundings::default()).then_some(changes)
    }
}

/// Takes what is now for what the front process knows.
pub(super) fn remember() {
    *KNOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(Surroundings::now());
}

/// What cells have changed since the front process was told last.
pub(super) fn changes() -> Option<message::Surroundings> {
    let now = Surroundings::now();
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let changes = known.as_ref().and_then(|before| now.changes_since(before));
    if known.as_ref() != Some(&now) {
        *known = Some(now);
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surroundings(folder: &str, variables: &[(&str, &str)]) -> Surroundings {
        Surroundings {
            folder: Some(folder.into()),
            variables: variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn only_what_changed_is_told() {
        let before = surroundings("/a", &[("KEPT", "1"), ("SET", "1"), ("GONE", "1")]);
        assert_eq!(before.changes_since(&before), None);
        let now = surroundings("/ü", &[("KEPT", "1"), ("SET", "2"), ("NEW", "")]);
        assert_eq!(
            now.changes_since(&before),
            Some(message::Surroundings {
                folder: Some("/ü".to_owned()),
                set: [("NEW", ""), ("SET", "2")]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into(),
                unset: vec!["GONE".to_owned()],
            })
        );
        let gone = Surroundings {
            folder: None,
            ..before.clone()
        };
        assert_eq!(gone.changes_since(&before), None);
    }
}
