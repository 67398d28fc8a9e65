//! The working folder and the environment as cells leave them: the front process is told of changes, so that `!command`
//! and later processes of cells see what `std::env::set_current_dir` and `set_var` did.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};

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
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self {
            folder: std::env::current_dir().ok(),
            variables: variables.collect(),
        }
    }

    /// What is different from `before`; `Null` when nothing is.
    fn changes_since(&self, before: &Self) -> Value {
        let set: Map<String, Value> = self
            .variables
            .iter()
            .filter(|(name, value)| before.variables.get(*name) != Some(value))
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect();
        let unset: Vec<&String> = before
            .variables
            .keys()
            .filter(|name| !self.variables.contains_key(*name))
            .collect();
        let folder = self
            .folder
            .as_ref()
            .filter(|_| self.folder != before.folder)
            .and_then(|folder| folder.to_str());
        if set.is_empty() && unset.is_empty() && folder.is_none() {
            return Value::Null;
        }
        json!({ "folder": folder, "set": set, "unset": unset })
    }
}

/// Takes what is now for what the front process knows.
pub(super) fn remember() {
    *KNOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(Surroundings::now());
}

/// What cells have changed since the front process was told last.
pub(super) fn changes() -> Value {
    let now = Surroundings::now();
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let changes = known
        .as_ref()
        .map_or(Value::Null, |before| now.changes_since(before));
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
        assert_eq!(before.changes_since(&before), Value::Null);
        let now = surroundings("/ü", &[("KEPT", "1"), ("SET", "2"), ("NEW", "")]);
        assert_eq!(
            now.changes_since(&before),
            json!({ "folder": "/ü", "set": { "NEW": "", "SET": "2" }, "unset": ["GONE"] })
        );
        let gone = Surroundings {
            folder: None,
            ..before.clone()
        };
        assert_eq!(gone.changes_since(&before), Value::Null);
    }
}
