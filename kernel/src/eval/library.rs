//! Which files the library consisted of when the cells' process started, so that a library that was installed anew under
//! a running kernel is told from every other reason why a cell does not load.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What tells a file from another one of the same name: device, inode, length, time of the last change.
type Identity = (u64, u64, u64, i64, i64);

/// The library's files as they were at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LibraryFiles {
    files: Vec<(PathBuf, Option<Identity>)>,
}

impl LibraryFiles {
    /// Looks at what the cells' process loads, and at what cells are compiled against.
    pub(crate) fn of(lib_dir: &Path) -> Self {
        let files = ["libswath.so", "libswath.rmeta"].map(|name| lib_dir.join(name));
        Self {
            files: files
                .into_iter()
                .map(|file| {
                    let identity = identity(&file);
                    (file, identity)
                })
                .collect(),
        }
    }

    /// Which of the files is another one now, or gone, as a sentence; `None` when all are the same.
    pub(crate) fn replaced(&self) -> Option<String> {
        self.files.iter().find_map(|(file, before)| {
            let now = identity(file);
            let what = match now {
                now if now == *before => return None,
                Some(_) => "is another file than when it started",
                None => "is gone",
            };
            Some(format!(
                "the library was replaced while this kernel ran: {} {what}",
                file.display()
            ))
        })
    }
}

fn identity(file: &Path) -> Option<Identity> {
    let metadata = file.metadata().ok()?;
    Some((
        metadata.dev(),
        metadata.ino(),
        metadata.len(),
        metadata.mtime(),
        metadata.mtime_nsec(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_file_of_the_same_name_and_a_missing_one_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let new = folder.path().join("new");
            std::fs::write(&new, text).unwrap();
            std::fs::rename(&new, folder.path().join(name)).unwrap();
        };
        write("libswath.so", "one");
        write("libswath.rmeta", "one");
        let files = LibraryFiles::of(folder.path());
        assert_eq!(files.replaced(), None);
        write("libswath.rmeta", "two");
        let message = files.replaced().unwrap();
        assert!(
            message.contains("libswath.rmeta is another file"),
            "{message}"
        );
        std::fs::remove_file(folder.path().join("libswath.so")).unwrap();
        assert!(files.replaced().unwrap().contains("libswath.so is gone"));
        // Noted anew, as another cells' process does.
        assert_eq!(LibraryFiles::of(folder.path()).replaced(), None);
    }
}
