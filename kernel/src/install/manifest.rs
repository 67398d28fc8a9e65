//! What an installation is made of, so that all of it goes again and nothing else.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The list's own file, in the folder of the programs.
pub(super) const FILE: &str = "manifest.json";

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InstalledFile {
    /// Its path in the folder of the programs.
    pub(crate) path: PathBuf,
    /// Bytes.
    pub(crate) size: u64,
}

/// What lies in a folder of programs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// Swath's version.
    pub(crate) version: String,
    /// The compiler that built it.
    pub(crate) rustc: String,
    /// All files but this list.
    pub(crate) files: Vec<InstalledFile>,
    /// Folders outside that were made for it, seen from the folder of the programs, outermost first.
    #[serde(default)]
    pub(crate) made: Vec<PathBuf>,
}

impl Manifest {
    /// Lists what is in a folder.
    ///
    /// # Errors
    /// Which folder cannot be read.
    pub(super) fn of(folder: &Path) -> Result<Self, String> {
        let mut files = Vec::new();
        walk(folder, &mut |path, about| {
            let inside = path.strip_prefix(folder).unwrap_or(path);
            if !about.is_dir() && inside != Path::new(FILE) {
                files.push(InstalledFile {
                    path: inside.to_owned(),
                    size: about.len(),
                });
            }
            Ok(())
        })?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self {
            files,
            ..Self::default()
        })
    }

    /// The list that lies in a folder of programs.
    pub(crate) fn read(folder: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(folder.join(FILE)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Writes the list into its folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write(&self, folder: &Path) -> Result<(), String> {
        let path = folder.join(FILE);
        let text = serde_json::to_string_pretty(self).unwrap_or_default() + "\n";
        std::fs::write(&path, text)
            .map_err(|error| format!("the file cannot be written: {error}: {}", path.display()))
    }

    /// The files that are missing in a folder, or have another size.
    pub(crate) fn damaged(&self, folder: &Path) -> Vec<&Path> {
        let is_damaged = |file: &&InstalledFile| {
            folder
                .join(&file.path)
                .symlink_metadata()
                .map_or(true, |about| about.len() != file.size)
        };
        self.files
            .iter()
            .filter(is_damaged)
            .map(|file| file.path.as_path())
            .collect()
    }

    /// Removes what is listed, then the folders that are empty without it. Returns the files that are left, which
    /// somebody else has put there.
    ///
    /// # Errors
    /// Which file cannot be removed.
    pub(super) fn remove(&self, folder: &Path) -> Result<Vec<PathBuf>, String> {
        let listed = self.files.iter().map(|file| file.path.as_path());
        for path in listed.chain([Path::new(FILE)]) {
            // A list that somebody has written must not lead elsewhere.
            if path.is_absolute() || path.components().any(|it| it.as_os_str() == "..") {
                continue;
            }
            let path = folder.join(path);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(format!(
                        "the file cannot be removed: {error}: {}",
                        path.display()
                    ));
                }
                _ => {}
            }
        }
        let (mut folders, mut left) = (vec![folder.to_owned()], Vec::new());
        walk(folder, &mut |path, about| {
            let list = if about.is_dir() {
                &mut folders
            } else {
                &mut left
            };
            list.push(path.to_owned());
            Ok(())
        })?;
        folders.sort_by_key(|folder| std::cmp::Reverse(folder.components().count()));
        for folder in folders {
            // One that is not empty stays.
            let _ = std::fs::remove_dir(folder);
        }
        Ok(left)
    }
}

/// Visits what is below a folder, without following links.
pub(super) fn walk(
    folder: &Path,
    visit: &mut dyn FnMut(&Path, &std::fs::Metadata) -> Result<(), String>,
) -> Result<(), String> {
    let cannot =
        |error: std::io::Error| format!("the folder cannot be read: {error}: {}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let about = path.symlink_metadata().map_err(cannot)?;
        visit(&path, &about)?;
        if about.is_dir() {
            walk(&path, visit)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_goes_and_what_others_put_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let programs = folder.path().join("0.1.0");
        std::fs::create_dir_all(programs.join("lib/deps")).unwrap();
        for name in ["swath", "lib/a.so", "lib/deps/b.rmeta"] {
            std::fs::write(programs.join(name), name).unwrap();
        }
        let manifest = Manifest::of(&programs).unwrap();
        manifest.write(&programs).unwrap();
        assert_eq!(Manifest::read(&programs).as_ref(), Some(&manifest));
        assert_eq!(manifest.files.len(), 3);
        assert!(manifest.damaged(&programs).is_empty());

        std::fs::write(programs.join("lib/deps/mine.txt"), "notes").unwrap();
        std::fs::write(programs.join("lib/a.so"), "cut").unwrap();
        assert_eq!(manifest.damaged(&programs), [Path::new("lib/a.so")]);
        let left = manifest.remove(&programs).unwrap();
        assert_eq!(left, [programs.join("lib/deps/mine.txt")]);
        assert!(!programs.join("swath").exists() && left[0].exists());

        std::fs::remove_file(&left[0]).unwrap();
        assert!(manifest.remove(&programs).unwrap().is_empty());
        assert!(!programs.exists());
    }

    #[test]
    fn a_list_that_leads_elsewhere_removes_nothing_there() {
        let folder = tempfile::tempdir().unwrap();
        let (programs, other) = (folder.path().join("programs"), folder.path().join("other"));
        std::fs::create_dir_all(&programs).unwrap();
        std::fs::write(&other, "").unwrap();
        let file = |path: &Path| InstalledFile {
            path: path.to_owned(),
            size: 0,
        };
        let manifest = Manifest {
            files: vec![file(Path::new("../other")), file(&other)],
            ..Manifest::default()
        };
        manifest.remove(&programs).unwrap();
        assert!(other.exists());
    }
}
