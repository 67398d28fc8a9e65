//! Folders of chips that are there whole or not at all.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::ChipSetError;
use super::manifest::{self, Manifest};
use crate::{FileError, Result, staged};

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> crate::Error {
    let path = path.to_owned();
    move |source| {
        FileError::Io {
            action,
            path,
            source,
        }
        .into()
    }
}

/// Makes the folder and one in it for files under way, beside the final ones, so that renaming never copies.
pub(super) fn staging(folder: &Path) -> Result<tempfile::TempDir> {
    fs::create_dir_all(folder).map_err(failed("make the folder", folder))?;
    tempfile::Builder::new()
        .prefix(".swath-chips-")
        .tempdir_in(folder)
        .map_err(failed("write into the folder", folder))
}

/// Refuses to replace or to mix with what no chips were saved as: each of `places`, relative to the folder, is not there,
/// empty, or holds files of the manifest alone.
pub(super) fn check(folder: &Path, places: &[PathBuf], known: Option<&Manifest>) -> Result<()> {
    let ours: BTreeSet<PathBuf> = known
        .into_iter()
        .flat_map(|known| known.files().map(PathBuf::from).chain(known.lists()))
        .map(|name| folder.join(name))
        .collect();
    // What GDAL and QGIS leave beside a chip that was looked at.
    let beside = |path: &Path| {
        let text = path.to_string_lossy();
        let of = text.strip_suffix(".aux.xml");
        of.is_some_and(|chip| ours.contains(Path::new(chip)))
    };
    for place in places {
        let place = folder.join(place);
        let mut found = Vec::new();
        files_under(&place, &mut found).map_err(failed("list the folder", &place))?;
        if let Some(path) = found
            .into_iter()
            .find(|path| !ours.contains(path) && !beside(path))
        {
            return Err(ChipSetError::OfOthers { path }.into());
        }
    }
    Ok(())
}

fn files_under(place: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    match fs::symlink_metadata(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(about) if !about.is_dir() => {
            // Nobody loses anything by a file without a byte.
            if about.len() > 0 || about.is_symlink() {
                found.push(place.to_owned());
            }
            return Ok(());
        }
        Ok(_) => {}
    }
    for entry in fs::read_dir(place)? {
        files_under(&entry?.path(), found)?;
    }
    Ok(())
}

/// Puts each of `places` out of the staging folder into its place in `folder`, in exchange for what lies there, and then
/// the manifest; when one step fails, all are undone.
pub(super) fn publish(
    staging: &Path,
    folder: &Path,
    places: &[PathBuf],
    manifest: &Manifest,
) -> Result<()> {
    let replaced = staging.join("replaced");
    let mut done: Vec<(PathBuf, PathBuf)> = Vec::new();
    let outcome = (|| -> Result<()> {
        for place in places {
            let (new, target, old) = (
                staging.join(place),
                folder.join(place),
                replaced.join(place),
            );
            let mut steps = Vec::new();
            if target.symlink_metadata().is_ok() {
                steps.push((target.clone(), old));
            }
            if new.symlink_metadata().is_ok() {
                steps.push((new, target));
            }
            for (from, to) in steps {
                let parent = to.parent().unwrap_or(folder);
                fs::create_dir_all(parent).map_err(failed("make the folder", parent))?;
                fs::rename(&from, &to).map_err(failed("move to its place", &to))?;
                done.push((from, to));
            }
        }
        let path = folder.join(manifest::NAME);
        let bytes = manifest.bytes().map_err(|error| ChipSetError::Manifest {
            path: path.clone(),
            reason: format!("the manifest cannot be written: {error}"),
        })?;
        staged::write(&path, &bytes).map_err(failed("write the file", &path))
    })();
    if outcome.is_err() {
        for (from, to) in done.iter().rev() {
            // What cannot be moved back must not disappear with the staging folder.
            if let Err(error) = fs::rename(to, from) {
                let kept = folder.join(format!("replaced-{}", std::process::id()));
                let kept = match fs::rename(&replaced, &kept) {
                    Ok(()) => kept,
                    Err(_) => replaced,
                };
                return Err(failed("put back the files, whose folder is kept,", &kept)(
                    error,
                ));
            }
        }
    }
    outcome
}
