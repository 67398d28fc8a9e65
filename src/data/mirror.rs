//! Data sets for machines without a network, and for many users of one: a folder that one person fills and all others read.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use swath_link::environment;

use super::{DataError, Dataset};
use crate::{FileError, Result, session};

/// The folder that `SWATH_MIRROR` names: what is there is read in place and not fetched.
pub(crate) fn folder() -> Option<PathBuf> {
    let given = std::env::var_os(environment::MIRROR)?;
    (!given.is_empty()).then(|| PathBuf::from(given))
}

/// Refuses what needs the network where `SWATH_OFFLINE` says that there is none: waiting for an answer that cannot come takes
/// minutes. `what` is a name or an address.
///
/// # Errors
/// [`DataError::Offline`].
pub(crate) fn check_online(what: &str) -> std::result::Result<(), DataError> {
    let set = std::env::var_os(environment::OFFLINE);
    if set.is_none_or(|value| value.is_empty() || value == "0") {
        return Ok(());
    }
    Err(DataError::Offline {
        what: what.to_owned(),
        mirror: folder(),
    })
}

/// Fetches a data set and keeps a copy of it in `folder`, which other users read when `SWATH_MIRROR` names it: each file
/// readable by everybody, the whole set or nothing of it. What the folder has already stays as it is.
///
/// ```no_run
/// swath::data::mirror("banepa", "/project/shared/swath")?;
/// # Ok::<(), swath::Error>(())
/// ```
///
/// # Errors
/// As [`super::fetch()`]; [`FileError::Io`] when the folder cannot be written.
pub fn mirror(name: &str, folder: impl AsRef<Path>) -> Result<Dataset> {
    let folder = crate::paths::expanded(folder.as_ref()).into_owned();
    let place = folder.join("data").join(name);
    if let Some(there) = super::fetch::at(name, &place)? {
        return Ok(there);
    }
    let fetched = super::fetch(name)?;
    if fetched.dir == place {
        return Ok(fetched);
    }
    copy_whole(&fetched.dir, &place)?;
    // What was just copied is whole, unless somebody has removed files of it from the cache meanwhile.
    Ok(super::fetch::at(name, &place)?.unwrap_or(fetched))
}

/// Copies a file into a folder that others read, whole or not at all.
///
/// # Errors
/// [`FileError::Io`].
pub(crate) fn copy_file(file: &Path, folder: &Path) -> Result<PathBuf> {
    let target = folder.join(file.file_name().unwrap_or_default());
    if file == target {
        return Ok(target);
    }
    let io = |error| FileError::new(folder, error);
    make_public(folder).map_err(io)?;
    let staged = tempfile::Builder::new()
        .prefix(".mirror-")
        .tempfile_in(folder)
        .map_err(io)?;
    let copied = fs::copy(file, staged.path()).and_then(|_| {
        fs::set_permissions(staged.path(), fs::Permissions::from_mode(0o644))?;
        staged.as_file().sync_all()
    });
    copied.map_err(io)?;
    staged
        .persist(&target)
        .map_err(|error| FileError::new(&target, error.error))?;
    Ok(target)
}

/// Copies a folder under another name first. Somebody who copies the same at the same time has the same files: the first
/// one's stay.
fn copy_whole(from: &Path, to: &Path) -> Result<()> {
    let parent = to.parent().unwrap_or(Path::new("."));
    let io = |path: &Path, error| FileError::new(path, error);
    make_public(parent).map_err(|error| io(parent, error))?;
    let staged = tempfile::Builder::new()
        .prefix(".mirror-")
        .tempdir_in(parent)
        .map_err(|error| io(parent, error))?;
    let inner = staged.path().join("whole");
    copy_folder(from, &inner)?;
    // What lies there is not whole, or of an earlier recipe.
    let old = staged.path().join("old");
    let _ = fs::rename(to, &old);
    match fs::rename(&inner, to) {
        Err(_) if to.is_dir() => Ok(()),
        renamed => Ok(renamed.map_err(|error| io(to, error))?),
    }
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    let io = |path: &Path, error| FileError::new(path, error);
    make_public(to).map_err(|error| io(to, error))?;
    for entry in fs::read_dir(from).map_err(|error| io(from, error))? {
        session::check_interrupt("copying data")?;
        let path = entry.map_err(|error| io(from, error))?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_folder(&path, &target)?;
            continue;
        }
        let copied = fs::copy(&path, &target)
            .and_then(|_| fs::set_permissions(&target, fs::Permissions::from_mode(0o644)));
        copied.map_err(|error| io(&target, error))?;
    }
    Ok(())
}

/// Makes a folder that everybody reads, whatever the umask is.
fn make_public(folder: &Path) -> std::io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        make_public(parent)?;
    }
    match fs::create_dir(folder) {
        // Somebody else was quicker.
        Err(error) if !(error.kind() == std::io::ErrorKind::AlreadyExists && folder.is_dir()) => {
            Err(error)
        }
        _ => fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).or_else(|error| {
            // Of another user, who has made it as he wants it.
            folder.is_dir().then_some(()).ok_or(error)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_whole_and_readable_by_everybody() -> Result<()> {
        let folder = tempfile::tempdir().expect("a folder");
        let from = folder.path().join("from");
        fs::create_dir_all(from.join("inner")).expect("a folder");
        for (name, mode) in [("a.tif", 0o600), ("inner/b.tif", 0o640)] {
            fs::write(from.join(name), name).expect("a file");
            fs::set_permissions(from.join(name), fs::Permissions::from_mode(mode)).expect("a mode");
        }
        let to = folder.path().join("mirror/data/set");
        copy_whole(&from, &to)?;
        // Once more: what is there is replaced.
        fs::write(to.join("left.txt"), "over").expect("a file");
        copy_whole(&from, &to)?;
        let mode = |path: &Path| {
            fs::metadata(path)
                .expect("it is there")
                .permissions()
                .mode()
                & 0o777
        };
        for (path, expected) in [
            (to.join("a.tif"), 0o644),
            (to.join("inner/b.tif"), 0o644),
            (to.join("inner"), 0o755),
            (to.clone(), 0o755),
            (folder.path().join("mirror/data"), 0o755),
        ] {
            assert_eq!(mode(&path), expected, "{path:?}");
        }
        assert!(!to.join("left.txt").exists());
        let left = fs::read_dir(folder.path().join("mirror/data")).expect("a folder");
        assert_eq!(left.count(), 1, "nothing lies beside it");
        let one = copy_file(&from.join("a.tif"), &folder.path().join("mirror/weights"))?;
        assert_eq!(
            (mode(&one), fs::read(&one).expect("a file")),
            (0o644, b"a.tif".to_vec())
        );
        Ok(())
    }
}
