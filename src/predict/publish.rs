//! Giving finished files their names: all of them or none.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::{fs, io};

use super::SavedFiles;
use super::files::MAP;
use super::save::io as io_error;
use crate::vector::Format;
use crate::{Result, staged};

/// Moves every finished file from the staging folder to its place, and lists them without GDAL's side files. What was
/// there goes into the staging folder, so that a failure halfway can be undone; that of an earlier map disappears with
/// it.
pub(super) fn publish(staged: &Path, dir: &Path) -> Result<SavedFiles> {
    let polygons = Format::names_of(&["polygons"]);
    let set: Vec<&str> = (polygons.iter().map(String::as_str)).chain(MAP).collect();
    publish_set(&set, staged, dir)
}

/// As [`publish`] for files other than a map's; `set` is every name that saving such a thing gives.
///
/// # Errors
/// [`crate::FileError::OfOthers`] before anything moves, [`crate::FileError::Io`].
pub(crate) fn publish_set(set: &[&str], staged: &Path, dir: &Path) -> Result<SavedFiles> {
    super::ours::check(dir, set)?;
    let kept = super::style::keep_those_of_users(set, staged, dir)?;
    let (set, report) = kept;
    Ok(publish_over(&set, staged, dir)?.with_report(report))
}

/// As [`publish_set`], whatever lies there.
fn publish_over(set: &[&str], staged: &Path, dir: &Path) -> Result<SavedFiles> {
    let mut names: Vec<OsString> = fs::read_dir(staged)
        .and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect())
        .map_err(io_error("list the folder", staged))?;
    names.sort();
    exchange(set, staged, dir, &names, |from, to| fs::rename(from, to))?;
    // Some file systems refuse to flush a folder; the renames have succeeded then.
    let _ = fs::File::open(dir).and_then(|folder| folder.sync_all());
    let files = names.iter().map(|name| dir.join(name));
    Ok(SavedFiles::new(
        files
            .filter(|path| path.extension().is_none_or(|extension| extension != "xml"))
            .collect(),
    ))
}

/// Puts `names` out of `staged` into `dir` and everything else of the `set` that may lie there into `staged/replaced`, or
/// leaves both folders as they were.
fn exchange(
    set: &[&str],
    staged: &Path,
    dir: &Path,
    names: &[OsString],
    rename: impl FnMut(&Path, &Path) -> io::Result<()>,
) -> Result<()> {
    let set: Vec<OsString> = with_side_files(set).collect();
    staged::exchange_by(&set, staged, dir, names, rename)
        .map_err(|error| io_error(error.action, &error.path)(error.source))
}

/// These names and those of GDAL's side files.
fn with_side_files(set: &[&str]) -> impl Iterator<Item = OsString> {
    set.iter()
        .flat_map(|name| [(*name).to_owned(), format!("{name}.aux.xml")])
        .map(|name| OsStr::new(&name).to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::*;

    const SET: [&str; 4] = ["labels.tif", "scores.tif", "scores.json", "polygons.gpkg"];

    fn write(folder: &Path, files: &[(&str, &str)]) {
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
    }

    fn files(folder: &Path) -> BTreeMap<String, String> {
        let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
        entries
            .filter(|entry| entry.path().is_file())
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                (name, fs::read_to_string(entry.path()).unwrap())
            })
            .collect()
    }

    /// A folder with an earlier map and the user's notes, and in it the staging folder with a new map.
    fn folders() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let old = [
            ("labels.tif", "old"),
            ("polygons.gpkg", "old"),
            ("scores.json", "old"),
            ("notes.txt", "mine"),
        ];
        write(dir.path(), &old);
        let staged = dir.path().join(".staged");
        fs::create_dir(&staged).unwrap();
        write(
            &staged,
            &[
                ("labels.tif", "new"),
                ("scores.tif", "new"),
                ("labels.tif.aux.xml", "new"),
            ],
        );
        (dir, staged)
    }

    #[test]
    fn the_folder_holds_one_map_afterwards_and_what_is_not_ours() {
        let (dir, staged) = folders();
        let saved = publish_over(&SET, &staged, dir.path()).unwrap();
        let names: Vec<_> = saved.iter().filter_map(|path| path.file_name()).collect();
        assert_eq!(names, ["labels.tif", "scores.tif"]);
        let expected = [
            ("labels.tif", "new"),
            ("labels.tif.aux.xml", "new"),
            ("notes.txt", "mine"),
            ("scores.tif", "new"),
        ];
        let expected = expected.map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(files(dir.path()), BTreeMap::from(expected));
    }

    #[test]
    fn files_of_others_are_an_error_before_anything_moves() {
        let (dir, staged) = folders();
        let (before, new) = (files(dir.path()), files(&staged));
        let error = publish(&staged, dir.path()).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("nothing of the kind was saved to"),
            "{error}"
        );
        assert_eq!((files(dir.path()), files(&staged)), (before, new));
        // Files without a byte are nobody's.
        for name in ["labels.tif", "polygons.gpkg", "scores.json"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        publish(&staged, dir.path()).unwrap();
    }

    #[test]
    fn a_failure_at_any_rename_leaves_everything_as_it_was() {
        for failing in 0..6 {
            let (dir, staged) = folders();
            let (before, new) = (files(dir.path()), files(&staged));
            let names: Vec<OsString> = new.keys().map(OsString::from).collect();
            let mut count = 0;
            let outcome = exchange(&SET, &staged, dir.path(), &names, |from, to| {
                count += 1;
                if count == failing + 1 {
                    return Err(io::ErrorKind::PermissionDenied.into());
                }
                fs::rename(from, to)
            });
            assert!(outcome.is_err(), "rename {failing} fails");
            assert_eq!(files(dir.path()), before);
            assert_eq!(files(&staged), new);
        }
    }

    #[test]
    fn a_folder_in_the_way_is_an_error_before_anything_moves() {
        let (dir, staged) = folders();
        fs::create_dir_all(dir.path().join("scores.tif/inside")).unwrap();
        let before = files(dir.path());
        let error = publish_over(&SET, &staged, dir.path()).unwrap_err();
        assert!(error.to_string().contains("scores.tif"), "{error}");
        assert_eq!(files(dir.path()), before);
        assert!(dir.path().join("scores.tif/inside").is_dir());
    }

    #[test]
    fn when_undoing_fails_too_the_old_files_are_kept() {
        let (dir, staged) = folders();
        let names = [OsString::from("labels.tif")];
        let mut count = 0;
        let error = exchange(&SET, &staged, dir.path(), &names, |from, to| {
            count += 1;
            if count > 3 {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            fs::rename(from, to)
        });
        let text = error.unwrap_err().to_string();
        fs::remove_dir_all(&staged).unwrap();
        let kept = dir.path().join(format!("replaced-{}", std::process::id()));
        assert!(text.contains("replaced-"), "{text}");
        assert_eq!(files(&kept)["labels.tif"], "old");
        assert_eq!(files(&kept).len(), 3);
    }
}
