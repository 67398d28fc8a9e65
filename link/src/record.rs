//! What was built of the crates that cells have added: written by `swath-cell`, read by the kernel too.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// One set of dependencies, built.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The shared object that holds all of the crates; `None` when they cannot be one, and each cell links its own copies.
    pub object: Option<PathBuf>,
    /// `name=file` of the crates that cells can name.
    pub externs: Vec<String>,
    /// Where rustc finds the crates that these need (`dependency=folder`).
    pub searches: Vec<String>,
    /// Every crate's builds, by the crate's name: another text is another crate for the compiler.
    pub crates: BTreeMap<String, BTreeSet<String>>,
    /// The files of which crates on this machine (path dependencies) were made.
    pub watched: Vec<Watched>,
}

/// A file as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    path: PathBuf,
    /// Length, seconds and nanoseconds of the last change; `None` when there was no such file.
    state: Option<(u64, i64, i64)>,
}

impl Watched {
    /// A file as it is now.
    #[must_use]
    pub fn of(path: PathBuf) -> Self {
        let state = state(&path);
        Self { path, state }
    }

    fn has_changed(&self) -> bool {
        state(&self.path) != self.state
    }
}

fn state(path: &Path) -> Option<(u64, i64, i64)> {
    let metadata = path.metadata().ok()?;
    Some((metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
}

impl Record {
    /// Whether files of path dependencies were edited since.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        self.watched.iter().any(Watched::has_changed)
    }

    /// The names of the crates that were part of `earlier` and are others now. Whoever is gone altogether is not among
    /// them: nothing can name it.
    #[must_use]
    pub fn renewed_since(&self, earlier: &Self) -> BTreeSet<String> {
        let is_other = |(name, builds): &(&String, &BTreeSet<String>)| {
            self.crates
                .get(*name)
                .is_some_and(|now| !builds.is_subset(now))
        };
        let renewed = earlier.crates.iter().filter(is_other);
        renewed.map(|(name, _)| name.clone()).collect()
    }
}

/// Where the record of the dependencies with this key is.
#[must_use]
pub fn record_path(session: &Path, key: &str) -> PathBuf {
    session.join("dependencies").join(format!("{key}.json"))
}

/// Where the symbols of other languages' code in them are, one a line; no file when there are none.
#[must_use]
pub fn natives_path(session: &Path, key: &str) -> PathBuf {
    session.join("dependencies").join(format!("{key}.natives"))
}

/// The pipe through which `swath-cell` tells what cargo does.
#[must_use]
pub fn progress_path(session: &Path) -> PathBuf {
    session.join("progress")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(crates: &[(&str, &[&str])]) -> Record {
        let crates = crates.iter().map(|(name, builds)| {
            let builds = builds.iter().map(|build| (*build).to_owned()).collect();
            ((*name).to_owned(), builds)
        });
        Record {
            crates: crates.collect(),
            ..Record::default()
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let written = Record {
            object: Some("/a.so".into()),
            externs: vec!["log=/log.rlib".to_owned()],
            searches: vec!["dependency=/deps".to_owned()],
            watched: vec![
                Watched::of(folder.path().to_owned()),
                Watched::of("/nowhere/b.rs".into()),
            ],
            ..record(&[("log", &["1", "2"])])
        };
        let path = folder.path().join("key.json");
        crate::exchange::write(&path, &written).unwrap();
        assert_eq!(crate::exchange::read::<Record>(&path).unwrap(), written);
    }

    #[test]
    fn a_crate_whose_build_is_not_there_any_more_was_renewed() {
        let before = record(&[("log", &["1"]), ("rand", &["1"]), ("gone", &["1"])]);
        let now = record(&[("log", &["1"]), ("rand", &["2"]), ("new", &["1"])]);
        let renewed: Vec<String> = now.renewed_since(&before).into_iter().collect();
        assert_eq!(renewed, ["rand"]);
        // A second version beside the first takes nothing away.
        let both = record(&[("log", &["1"]), ("rand", &["1", "2"])]);
        assert!(both.renewed_since(&before).is_empty());
    }

    #[test]
    fn an_edited_file_and_a_new_one_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("a.rs"), folder.path().join("b.rs"));
        std::fs::write(&old, "1").unwrap();
        let record = Record {
            watched: vec![Watched::of(old.clone()), Watched::of(new.clone())],
            ..Record::default()
        };
        assert!(!record.is_outdated());
        std::fs::write(&new, "").unwrap();
        assert!(record.is_outdated());
        std::fs::remove_file(&new).unwrap();
        std::fs::write(&old, "12").unwrap();
        assert!(record.is_outdated());
    }
}
