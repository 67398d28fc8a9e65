//! Files that take their final name only when they are complete.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A file that is written beside the target under a hidden name, flushed to the disk, then renamed. It has the
/// permissions of the file it replaces. Dropped before that, it disappears and the target stays as it was.
#[derive(Debug)]
pub(crate) struct StagedFile {
    staged: PathBuf,
    target: PathBuf,
    done: bool,
}

impl StagedFile {
    /// A new name beside `target`, whose folder is made when it is missing. `label` keeps several files for one target
    /// apart, and the extension is kept, since drivers look at it.
    pub(crate) fn new(target: &Path, label: &str) -> io::Result<Self> {
        let target = std::path::absolute(target)?;
        fs::create_dir_all(target.parent().unwrap_or_else(|| Path::new("/")))?;
        Self::beside(&target, label)
    }

    /// [`StagedFile::new`] in a folder that has to be there.
    fn beside(target: &Path, label: &str) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let mut target = std::path::absolute(target)?;
        // What a link points to is replaced, not the link.
        if target.is_symlink()
            && let Ok(pointed) = fs::canonicalize(&target)
        {
            target = pointed;
        }
        let folder = target.parent().unwrap_or_else(|| Path::new("/"));
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let stem = target.file_stem().unwrap_or_default().to_string_lossy();
        let extension = target.extension().unwrap_or_default().to_string_lossy();
        let staged = folder.join(format!(
            ".{stem}.{label}-{}-{number}.{extension}",
            std::process::id()
        ));
        Ok(Self {
            staged,
            target,
            done: false,
        })
    }

    /// Where to write.
    pub(crate) fn path(&self) -> &Path {
        &self.staged
    }

    /// The final name.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Gives a file within a folder for files under way its name, which is not final yet: nothing is flushed.
    pub(crate) fn rename(mut self) -> io::Result<()> {
        fs::rename(&self.staged, &self.target)?;
        self.done = true;
        Ok(())
    }

    /// Gives the complete file its final name.
    pub(crate) fn commit(self) -> io::Result<()> {
        if let Ok(replaced) = fs::metadata(&self.target)
            && replaced.is_file()
        {
            fs::set_permissions(&self.staged, replaced.permissions())?;
        }
        File::open(&self.staged)?.sync_all()?;
        let target = self.target.clone();
        self.rename()?;
        sync_folder(&target);
        Ok(())
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if !self.done {
            let _ = fs::remove_file(&self.staged);
        }
        // Drivers leave companions: GDAL's own metadata file, SQLite's journal.
        for suffix in [".aux.xml", "-journal", "-wal", "-shm"] {
            let mut companion = self.staged.clone().into_os_string();
            companion.push(suffix);
            let _ = fs::remove_file(companion);
        }
    }
}

/// What went wrong with an exchange of files.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {path:?}: {source}")]
pub(crate) struct ExchangeError {
    pub(crate) action: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) source: io::Error,
}

/// Puts the files `names` out of the folder `staged` into `dir`, and whatever else of the names in `set` lies there into
/// `staged/replaced`, or leaves both folders as they were.
pub(crate) fn exchange(
    set: &[OsString],
    staged: &Path,
    dir: &Path,
    names: &[OsString],
) -> Result<(), ExchangeError> {
    exchange_by(set, staged, dir, names, |from, to| fs::rename(from, to))
}

/// [`exchange`] with another way to rename, which may fail.
pub(crate) fn exchange_by(
    set: &[OsString],
    staged: &Path,
    dir: &Path,
    names: &[OsString],
    mut rename: impl FnMut(&Path, &Path) -> io::Result<()>,
) -> Result<(), ExchangeError> {
    let failed = |action: &'static str, path: &Path, source: io::Error| ExchangeError {
        action,
        path: path.to_owned(),
        source,
    };
    let mut old: Vec<&OsString> = Vec::new();
    for name in set.iter().chain(names) {
        if dir.join(name).symlink_metadata().is_ok() && !old.contains(&name) {
            old.push(name);
        }
    }
    let mut places = old.iter().map(|name| dir.join(name));
    if let Some(folder) = places.find(|path| path.is_dir()) {
        let action = "replace what is a folder with a file";
        return Err(failed(action, &folder, ErrorKind::IsADirectory.into()));
    }
    let replaced = staged.join("replaced");
    fs::create_dir(&replaced).map_err(|error| failed("write into the folder", staged, error))?;
    let moves: Vec<(PathBuf, PathBuf)> = old
        .iter()
        .map(|name| (dir.join(name), replaced.join(name)))
        .chain(names.iter().map(|name| (staged.join(name), dir.join(name))))
        .collect();
    for (done, (from, to)) in moves.iter().enumerate() {
        let Err(error) = rename(from, to) else {
            continue;
        };
        let place = if done < old.len() { from } else { to };
        let failure = failed("move the file to its place", place, error);
        for (from, to) in moves[..done].iter().rev() {
            if let Err(error) = rename(to, from) {
                // The old files must not disappear with the staging folder.
                let kept = rescue(&replaced, dir);
                let action = "put back the file, whose folder is kept,";
                return Err(failed(action, &kept, error));
            }
        }
        return Err(failure);
    }
    Ok(())
}

/// Moves the folder of old files out of the staging folder, which is about to be deleted, and says where it is.
fn rescue(replaced: &Path, dir: &Path) -> PathBuf {
    let kept = dir.join(format!("replaced-{}", std::process::id()));
    if fs::rename(replaced, &kept).is_ok() {
        kept
    } else {
        replaced.to_owned()
    }
}

/// Flushes the folder of `path`, so that a rename survives a power cut. Some file systems refuse; the rename itself has
/// succeeded then.
fn sync_folder(path: &Path) {
    if let Some(folder) = path.parent()
        && let Ok(folder) = File::open(folder)
    {
        let _ = folder.sync_all();
    }
}

/// Writes a file whole or not at all, into a folder that is there. A new file has the permissions that the user's mask
/// leaves, as from any program.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // `/dev/stdout` and the like are written to, not replaced.
    if let Ok(found) = fs::metadata(path)
        && !found.is_file()
        && !found.is_dir()
    {
        return OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    let staged = StagedFile::beside(path, "new")?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(staged.path())?;
    file.write_all(bytes)?;
    drop(file);
    staged.commit()
}

/// Whether a file could not be written for want of space.
pub(crate) fn is_no_room(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::FileTooLarge | ErrorKind::QuotaExceeded
    )
}

/// The next step after a failure of the operating system on a file.
pub(crate) fn hint(path: &Path, error: &io::Error) -> Option<String> {
    match error.kind() {
        _ if is_no_room(error) => Some(
            "there is no room for the file, and one that was there is unchanged: free some space or choose another \
             folder"
                .to_owned(),
        ),
        ErrorKind::NotFound => Some(crate::paths::missing_hint(path)),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            Some("choose a file or folder that you may read and write".to_owned())
        }
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
            Some("a file has that name, or that of a folder on the way: choose another folder".to_owned())
        }
        ErrorKind::IsADirectory => Some("this is a folder: name a file in it".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_file_keeps_the_permissions_of_the_one_it_replaces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scores.json");
        let usual = folder.path().join("usual");
        fs::write(&usual, "").unwrap();
        write(&path, b"first").unwrap();
        assert_eq!(mode(&path), mode(&usual), "as any program's");
        for wanted in [0o640, 0o664, 0o600] {
            fs::set_permissions(&path, fs::Permissions::from_mode(wanted)).unwrap();
            write(&path, b"second").unwrap();
            assert_eq!(mode(&path), wanted);
        }
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn links_and_devices_stay_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").unwrap();
        symlink(&real, &link).unwrap();
        write(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"new");
        write(Path::new("/dev/null"), b"nothing").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn what_cannot_be_written_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("nowhere/scores.json");
        let error = write(&missing, b"").unwrap_err();
        let said = hint(&missing, &error).unwrap();
        assert!(said.contains("nowhere"), "{said}");
        let error = write(folder.path(), b"").unwrap_err();
        assert!(
            hint(folder.path(), &error).unwrap().contains("folder"),
            "{error}"
        );
        assert!(folder.path().read_dir().unwrap().next().is_none());
        for kind in [
            ErrorKind::StorageFull,
            ErrorKind::FileTooLarge,
            ErrorKind::QuotaExceeded,
        ] {
            let said = hint(&missing, &kind.into()).unwrap();
            assert!(said.contains("free some space"), "{said}");
        }
    }
}
