//! Where what can be had again is kept, and who may read and write it there.
//!
//! The folder itself decides: one that Swath makes is its user's alone; in one that an administrator has made for a group, what
//! is added has the permissions of the folder, whatever the user's mask, so that all of the group can use it. A folder that
//! every user of the machine can write to is refused, since what lies there is trusted.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use swath_link::{environment, permissions};

/// How often a process looks whether another one has done what it wants to do.
const PAUSE: Duration = Duration::from_millis(100);

/// The user's folder for what can be fetched or computed again: `SWATH_CACHE` when it is set, otherwise `swath` in the
/// system's cache folder.
#[must_use]
pub fn cache_dir() -> PathBuf {
    if let Some(folder) = named() {
        return folder;
    }
    dirs::cache_dir().map_or_else(without_home, |folder| folder.join("swath"))
}

fn named() -> Option<PathBuf> {
    std::env::var_os(environment::CACHE)
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from)
}

/// Who has no home folder has one in that for temporary files, whose name others could take first.
fn without_home() -> PathBuf {
    let place = std::env::temp_dir().join(format!("swath-{}", permissions::user()));
    if permissions::private_folder(&place).is_ok() {
        return place;
    }
    static OWN: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    let own = || {
        let made = tempfile::Builder::new()
            .prefix("swath-cache-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir();
        // A name that nobody can take: whatever is written there fails, and says so.
        made.map_or_else(|_| place.join("nowhere"), tempfile::TempDir::keep)
    };
    OWN.get_or_init(own).clone()
}

/// Makes the cache's folder, and says whether what lies there can be trusted.
///
/// # Errors
/// When it cannot be made, or every user of this machine can write to it.
pub(crate) fn prepare() -> io::Result<PathBuf> {
    let folder = cache_dir();
    prepare_at(&folder, named().is_some())?;
    Ok(folder)
}

fn prepare_at(folder: &Path, is_named: bool) -> io::Result<()> {
    if !folder.is_dir() {
        permissions::private_folder(folder)?;
    }
    let owner = std::fs::metadata(folder)?.uid();
    if !is_named && owner == permissions::user() {
        // It was not private once.
        let mode = std::fs::metadata(folder)?.mode() & 0o777;
        if mode & 0o077 != 0 {
            std::fs::set_permissions(folder, Permissions::from_mode(0o700))?;
        }
    }
    trusted(folder, environment::CACHE)
}

/// Refuses a folder, or a file, that every user of this machine can change; `variable` names another one.
pub(crate) fn trusted(path: &Path, variable: &str) -> io::Result<()> {
    let owner = std::fs::metadata(path)?.uid();
    match permissions::open_to_all(path, &[owner]) {
        Some(open) if !environment::takes_open_folders() => {
            let remedy = open.remedy();
            Err(io::Error::other(format!(
                "{open}, so nothing there can be trusted ({remedy}, or set {variable} to another folder)"
            )))
        }
        _ => Ok(()),
    }
}

/// What is added to the cache gets these permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Modes {
    folder: u32,
    file: u32,
    group: u32,
}

impl Modes {
    fn of(cache: &Path) -> io::Result<Self> {
        let found = std::fs::metadata(cache)?;
        let mode = found.mode();
        Ok(Self {
            folder: 0o700 | (mode & 0o2075),
            file: 0o600 | (mode & 0o064),
            group: found.gid(),
        })
    }

    /// Makes a folder that has its permissions as soon as it has its name: another user may be about to use it.
    fn make(self, folder: &Path) -> io::Result<()> {
        let parent = folder.parent().unwrap_or(Path::new("/"));
        let made = private_in(parent)?.keep();
        let named = self
            .give(&made)
            .and_then(|()| std::fs::rename(&made, folder));
        if named.is_err() {
            let _ = std::fs::remove_dir(&made);
        }
        // Somebody may have been quicker.
        named.or_else(|error| folder.is_dir().then_some(()).ok_or(error))
    }

    fn give(self, path: &Path) -> io::Result<()> {
        let found = std::fs::symlink_metadata(path)?;
        if found.uid() != permissions::user() || !(found.is_dir() || found.is_file()) {
            return Ok(());
        }
        // The group first: changing it takes the bit away that hands it on.
        if found.gid() != self.group && self.file & 0o060 != 0 {
            // Not every user is in that group; with the bit the system has done it already.
            let _ = std::os::unix::fs::chown(path, None, Some(self.group));
        }
        let mode = if found.is_dir() {
            self.folder
        } else {
            self.file
        };
        if found.mode() & 0o7777 != mode {
            std::fs::set_permissions(path, Permissions::from_mode(mode))?;
        }
        Ok(())
    }
}

/// Gives what this process has put into the cache, and all within, the permissions of the cache. Call it before the last
/// name is given. Nothing is done elsewhere.
pub(crate) fn share(path: &Path) -> io::Result<()> {
    share_in(&cache_dir(), path)
}

fn share_in(cache: &Path, path: &Path) -> io::Result<()> {
    if !path.starts_with(cache) || path == cache {
        return Ok(());
    }
    let modes = Modes::of(cache)?;
    // The folders on the way, as far as they are this user's.
    let way = path.ancestors().take_while(|folder| *folder != cache);
    for folder in way {
        modes.give(folder)?;
    }
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            modes.give(&entry.path())?;
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            }
        }
    }
    Ok(())
}

/// A folder of the cache for what is made anew by one call, ready to be written.
///
/// # Errors
/// Those of [`prepare`].
pub(crate) fn shelf(name: &str) -> Result<PathBuf, crate::FileError> {
    let failed = |error| crate::FileError::new(cache_dir().join(name), error);
    let shelf = prepare().map_err(failed)?.join(name);
    make_folder(&shelf).map_err(failed)?;
    Ok(shelf)
}

/// A folder for what is not whole yet: nobody else sees it, and it goes when it is dropped. What a process that was killed
/// leaves there stands in nobody's way.
pub(crate) fn private_in(folder: &Path) -> io::Result<tempfile::TempDir> {
    tempfile::Builder::new()
        .prefix(".under-way-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(folder)
}

/// Makes a folder in the cache, with its permissions.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    make_folder_in(&cache_dir(), folder)
}

fn make_folder_in(cache: &Path, folder: &Path) -> io::Result<()> {
    if !folder.starts_with(cache) || folder == cache {
        return std::fs::create_dir_all(folder);
    }
    if !cache.is_dir() {
        permissions::private_folder(cache)?;
    }
    let modes = Modes::of(cache)?;
    let mut missing: Vec<&Path> = folder
        .ancestors()
        .take_while(|it| *it != cache && !it.is_dir())
        .collect();
    missing.reverse();
    missing.into_iter().try_for_each(|it| modes.make(it))
}

/// Gives a whole file its name in the cache. Another process may have been quicker: its file is as good.
pub(crate) fn publish(from: &Path, to: &Path) -> io::Result<()> {
    share_in_file(&cache_dir(), from)?;
    match std::fs::rename(from, to) {
        // In a folder with the sticky bit nobody replaces what is another's.
        Err(_) if to.is_file() => {
            let _ = std::fs::remove_file(from);
            Ok(())
        }
        done => done,
    }
}

fn share_in_file(cache: &Path, file: &Path) -> io::Result<()> {
    if !file.starts_with(cache) {
        return Ok(());
    }
    Modes::of(cache)?.give(file)
}

/// The right to make one thing in the cache, which processes of all users have one after the other. It ends with the value, or
/// with the process.
#[derive(Debug)]
pub(crate) struct Turn {
    _file: Option<File>,
}

impl Turn {
    /// Waits until nobody else makes `name`; `doing` says what is interrupted.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`].
    pub(crate) fn wait(name: &str, doing: &'static str) -> crate::Result<Self> {
        Self::wait_in(&cache_dir(), name, doing)
    }

    fn wait_in(cache: &Path, name: &str, doing: &'static str) -> crate::Result<Self> {
        // Without a file, or on a file system without locks, the work is done all the same: what comes of it is whole, and
        // the last one remains.
        let Some(file) = lock_file(cache, name) else {
            return Ok(Self { _file: None });
        };
        loop {
            match file.try_lock() {
                Err(std::fs::TryLockError::WouldBlock) => {
                    crate::session::check_interrupt(doing)?;
                    std::thread::sleep(PAUSE);
                }
                _ => return Ok(Self { _file: Some(file) }),
            }
        }
    }
}

/// Opened for reading alone where it is another user's, which is enough for a lock.
fn lock_file(cache: &Path, name: &str) -> Option<File> {
    let folder = cache.join("locks");
    make_folder_in(cache, &folder).ok()?;
    let path = folder.join(name);
    if !path.exists() {
        let new = tempfile::Builder::new().tempfile_in(&folder).ok()?;
        Modes::of(cache)
            .and_then(|modes| modes.give(new.path()))
            .ok()?;
        // Somebody may have been quicker.
        let _ = new.persist_noclobber(&path);
    }
    let opened = File::options().read(true).write(true).open(&path);
    opened.or_else(|_| File::open(&path)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().mode() & 0o7777
    }

    fn chmod(path: &Path, mode: u32) {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// A folder in which the cache is.
    fn place() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        chmod(folder.path(), 0o755);
        folder
    }

    #[test]
    fn a_cache_that_is_made_is_private_and_one_that_all_can_write_is_refused() {
        let folder = place();
        let cache = folder.path().join("swath");
        prepare_at(&cache, true).unwrap();
        assert_eq!(mode(&cache), 0o700);
        chmod(&cache, 0o2775);
        prepare_at(&cache, true).unwrap();
        assert_eq!(mode(&cache), 0o2775, "who names it decides");
        prepare_at(&cache, false).unwrap();
        assert_eq!(mode(&cache), 0o700, "the user's own");
        for open in [0o777, 0o1777] {
            chmod(&cache, open);
            let error = prepare_at(&cache, true).unwrap_err().to_string();
            assert!(
                error.contains("every user") && error.contains("SWATH_CACHE"),
                "{error}"
            );
        }
    }

    #[test]
    fn what_is_added_has_the_permissions_of_the_cache() {
        let folder = place();
        for (cache_mode, folder_mode, file_mode) in [
            (0o700, 0o700, 0o600),
            (0o755, 0o755, 0o644),
            (0o2775, 0o2775, 0o664),
            (0o2770, 0o2770, 0o660),
        ] {
            let cache = folder.path().join(format!("{cache_mode:o}"));
            std::fs::create_dir(&cache).unwrap();
            chmod(&cache, cache_mode);
            let inner = cache.join("data/set/deep");
            std::fs::create_dir_all(&inner).unwrap();
            let file = inner.join("a.tif");
            std::fs::write(&file, "").unwrap();
            chmod(&file, 0o600);
            chmod(&inner, 0o711);
            share_in(&cache, &cache.join("data/set")).unwrap();
            for below in ["data", "data/set", "data/set/deep"] {
                assert_eq!(mode(&cache.join(below)), folder_mode, "{below}");
            }
            assert_eq!(mode(&file), file_mode);
        }
        let elsewhere = folder.path().join("elsewhere");
        std::fs::write(&elsewhere, "").unwrap();
        chmod(&elsewhere, 0o640);
        share_in(&folder.path().join("700"), &elsewhere).unwrap();
        assert_eq!(mode(&elsewhere), 0o640);
    }

    #[test]
    fn one_after_the_other_has_a_turn() {
        let folder = place();
        let first = Turn::wait_in(folder.path(), "set", "testing").unwrap();
        let other = Turn::wait_in(folder.path(), "another", "testing").unwrap();
        let cache = folder.path().to_owned();
        let waiting = std::thread::spawn(move || {
            Turn::wait_in(&cache, "set", "testing").unwrap();
            std::time::Instant::now()
        });
        std::thread::sleep(PAUSE * 2);
        let ended = std::time::Instant::now();
        drop(first);
        assert!(waiting.join().unwrap() >= ended);
        drop(other);
    }
}
