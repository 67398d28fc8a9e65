//! Libraries of other languages that an installation brings along, GDAL above all, and the tables they read.
//!
//! They lie in the library's folder: `lib/`, `lib/gdalplugins/`, `share/gdal/`, `share/proj/`. Without them the library is
//! linked to the system's, and nothing is set.

use std::path::{Path, PathBuf};

/// Where the loader looks for them, before the folders of the user.
pub(crate) fn library_folder(lib_dir: &Path) -> Option<PathBuf> {
    Some(lib_dir.join("lib")).filter(|folder| folder.is_dir())
}

/// Variables of the processes that open the library: another version's tables, which a module or conda may have named, do
/// not fit what was brought along.
pub(crate) fn variables(lib_dir: &Path) -> Vec<(&'static str, PathBuf)> {
    [
        ("GDAL_DATA", "share/gdal"),
        ("PROJ_DATA", "share/proj"),
        ("PROJ_LIB", "share/proj"),
        ("GDAL_DRIVER_PATH", "lib/gdalplugins"),
    ]
    .into_iter()
    .map(|(name, folder)| (name, lib_dir.join(folder)))
    .filter(|(_, folder)| folder.is_dir())
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_brought_along_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(library_folder(folder.path()), None);
        assert!(variables(folder.path()).is_empty());
        std::fs::create_dir_all(folder.path().join("lib")).unwrap();
        std::fs::create_dir_all(folder.path().join("share/proj")).unwrap();
        assert_eq!(
            library_folder(folder.path()),
            Some(folder.path().join("lib"))
        );
        let names: Vec<&str> = variables(folder.path())
            .iter()
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(names, ["PROJ_DATA", "PROJ_LIB"]);
    }
}
