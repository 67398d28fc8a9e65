//! The properties of the vector files that were opened: names that a person may want to type again. The kernel completes with
//! them what stands in a string.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// So many files are remembered, and so many properties of one.
const MOST: usize = 200;

static PROPERTIES: Mutex<BTreeMap<PathBuf, Vec<String>>> = Mutex::new(BTreeMap::new());

/// Takes note of a file's properties.
pub(crate) fn know_properties<'a>(path: &Path, names: impl Iterator<Item = &'a str>) {
    let mut known = PROPERTIES.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() < MOST || known.contains_key(path) {
        let names = names.take(MOST).map(str::to_owned).collect();
        known.insert(path.to_owned(), names);
    }
}

/// The properties of all files.
pub(crate) fn properties() -> BTreeMap<PathBuf, Vec<String>> {
    PROPERTIES
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_opened_again_has_its_newest_properties() {
        let path = Path::new("/nowhere/of this test.gpkg");
        know_properties(path, ["class", "age"].into_iter());
        know_properties(path, (0..2 * MOST).map(|_| "kind"));
        assert_eq!(properties()[path], vec!["kind"; MOST]);
    }
}
