//! Which files and folders other users of the machine could change: what code is read from, and what private files lie in.
//!
//! The rules are those of OpenSSH and sudo for their own files, as far as they fit a machine that many share: whoever owns a
//! program that you start is trusted, as is root; everybody is not. So a folder that all may write to is no place for code,
//! and neither is a file, except that in a folder with the sticky bit (`/tmp`) nobody renames what is another's.

use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

/// The bits of a mode: everybody may write, a group may, only owners rename.
const ALL_WRITE: u32 = 0o002;
const GROUP_WRITES: u32 = 0o020;
const STICKY: u32 = 0o1000;
/// Links that are followed at most, as the system does.
const LINKS: usize = 40;

/// The user that this process acts as.
#[must_use]
pub fn user() -> u32 {
    // SAFETY: geteuid has no preconditions.
    unsafe { libc::geteuid() }
}

/// Whether files of this user are the system's: root's, also where a container shows root as nobody.
fn is_system(owner: u32) -> bool {
    owner == 0 || (owner == unmapped() && !knows_all_users())
}

/// The user that stands for those whom a container does not know.
fn unmapped() -> u32 {
    let text = std::fs::read_to_string("/proc/sys/kernel/overflowuid").unwrap_or_default();
    text.trim().parse().unwrap_or(65534)
}

/// Whether this process is in the machine's own name space of users.
fn knows_all_users() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let words: Vec<&str> = map.split_whitespace().collect();
    words.is_empty() || words == ["0", "0", "4294967295"]
}

/// A file or folder that any user of the machine can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Where it is.
    pub path: PathBuf,
    /// Its permissions.
    pub mode: u32,
    /// Who can change what.
    pub why: Why,
}

/// Why a path is open to all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Everybody may put files into the folder and take others out.
    Folder,
    /// Everybody may write the file.
    File,
    /// It lies in a folder where everybody may put something, and this is the owner, a stranger.
    Planted(u32),
}

impl std::fmt::Display for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.path.display();
        match self.why {
            Why::Folder => write!(
                f,
                "every user of this machine can write to the folder {path} (mode {:04o})",
                self.mode
            ),
            Why::File => write!(
                f,
                "every user of this machine can write to the file {path} (mode {:04o})",
                self.mode
            ),
            Why::Planted(owner) => write!(
                f,
                "{path} belongs to user {owner} and lies in a folder where everybody can put files"
            ),
        }
    }
}

impl Open {
    /// The command or step that mends it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self.why {
            Why::Folder | Why::File => format!("chmod o-w {}", quoted(&self.path)),
            Why::Planted(_) => format!("use another place than {}", self.path.display()),
        }
    }
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// The first folder or file by which any user of the machine could change what is found at `path`: itself, a folder on the
/// way to it, or one on the way to what a link means. What is not there is not open. `trusted` are owners beside root and
/// the present user.
#[must_use]
pub fn open_to_all(path: &Path, trusted: &[u32]) -> Option<Open> {
    let path = std::path::absolute(path).ok()?;
    let mut rest: Vec<std::ffi::OsString> = reversed(&path);
    let mut here = PathBuf::from("/");
    let mut links = 0;
    let mut found = std::fs::symlink_metadata(&here).ok()?;
    while let Some(name) = rest.pop() {
        if name == ".." {
            here.pop();
            found = std::fs::symlink_metadata(&here).ok()?;
            continue;
        }
        if found.mode() & ALL_WRITE != 0 && found.mode() & STICKY == 0 {
            return Some(open(here, &found, Why::Folder));
        }
        let is_shared = found.mode() & ALL_WRITE != 0;
        let next = here.join(&name);
        found = std::fs::symlink_metadata(&next).ok()?;
        let owner = found.uid();
        if is_shared && !is_system(owner) && owner != user() && !trusted.contains(&owner) {
            return Some(open(next, &found, Why::Planted(owner)));
        }
        if !found.is_symlink() {
            here = next;
            continue;
        }
        links += 1;
        let target = std::fs::read_link(&next).ok().filter(|_| links <= LINKS)?;
        rest.extend(reversed(&target));
        if target.is_absolute() {
            here = PathBuf::from("/");
        }
        found = std::fs::symlink_metadata(&here).ok()?;
    }
    let why = if found.is_dir() {
        Why::Folder
    } else {
        Why::File
    };
    let writes = found.mode() & ALL_WRITE != 0;
    (writes && (found.is_dir() || found.is_file())).then(|| open(here, &found, why))
}

/// Why a file may have been written by anybody, where a program is to go on with what it has written itself: everybody may
/// write it, or it is a stranger's in a place where everybody can put files. A file of this user's or of root's is trusted
/// wherever it lies.
#[must_use]
pub fn could_be_planted(file: &Path) -> Option<Open> {
    let found = std::fs::metadata(file).ok()?;
    if found.mode() & ALL_WRITE != 0 {
        return Some(open(file.to_owned(), &found, Why::File));
    }
    let owner = found.uid();
    if owner == user() || is_system(owner) {
        return None;
    }
    open_to_all(file, &[])
}

fn open(path: PathBuf, found: &std::fs::Metadata, why: Why) -> Open {
    Open {
        path,
        mode: found.mode() & 0o7777,
        why,
    }
}

/// The names of a path, last one first.
fn reversed(path: &Path) -> Vec<std::ffi::OsString> {
    let names = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    });
    let mut names: Vec<_> = names.collect();
    names.reverse();
    names
}

/// The first file or folder within `folder` (itself left out) that any user can write to; links are not followed.
#[must_use]
pub fn open_within(folder: &Path) -> Option<Open> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(found) = entry.metadata() else {
                continue;
            };
            let why = match (found.is_dir(), found.is_file()) {
                (true, _) => Why::Folder,
                (_, true) => Why::File,
                _ => continue,
            };
            if found.mode() & ALL_WRITE != 0 {
                return Some(open(entry.path(), &found, why));
            }
            if found.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    None
}

/// Why a folder is no place for private files and folders, as the end of a sentence that begins with its name; `None` when it
/// is one, or is not there. Fit are folders of the user and of the system, as long as nobody else can rename what lies there.
#[must_use]
pub fn unfit_for_private(folder: &Path) -> Option<String> {
    let found = std::fs::metadata(folder).ok()?;
    let owner = found.uid();
    let is_own = owner == user();
    if !is_own && !is_system(owner) {
        return Some(format!("belongs to another user ({owner})"));
    }
    let mode = found.mode();
    let others = if is_own {
        ALL_WRITE
    } else {
        ALL_WRITE | GROUP_WRITES
    };
    if mode & others != 0 && mode & STICKY == 0 {
        return Some(format!(
            "can be written by others, who could put their files in the place of yours (mode {:04o}, no sticky bit)",
            mode & 0o7777
        ));
    }
    // That the folder itself is open to all does no harm with the sticky bit.
    let way =
        open_to_all(folder, &[]).filter(|open| open.why != Why::Folder || open.mode & STICKY == 0);
    way.map(|open| format!("is not safe: {open}"))
}

/// Makes a folder that is its owner's alone, whatever the user's mask, or takes one that is there and is of this user:
/// nobody else can have made it, it is no link, and it is made private where it was not.
///
/// # Errors
/// When it cannot be made, or when something else has its name: a link, a file, another user's folder.
pub fn private_folder(folder: &Path) -> io::Result<()> {
    if let Some(parent) = folder.parent() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)?;
    }
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let found = std::fs::symlink_metadata(folder)?;
    if !found.is_dir() {
        return Err(io::Error::other(
            "something that is no folder has its name: a link or a file",
        ));
    }
    if found.uid() != user() {
        return Err(io::Error::other(format!(
            "it belongs to another user ({})",
            found.uid()
        )));
    }
    if found.mode() & 0o777 != 0o700 {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn chmod(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A folder whose way from the root is closed: the tests' own lies in one with the sticky bit.
    fn place() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        chmod(folder.path(), 0o700);
        folder
    }

    #[test]
    fn a_folder_on_the_way_that_all_can_write_is_named() {
        let folder = place();
        let way = folder.path().join("a/b");
        std::fs::create_dir_all(&way).unwrap();
        let file = way.join("lib.so");
        std::fs::write(&file, "").unwrap();
        chmod(&file, 0o644);
        assert_eq!(open_to_all(&file, &[]), None);
        chmod(&folder.path().join("a"), 0o777);
        let found = open_to_all(&file, &[]).unwrap();
        assert_eq!(
            (found.path.as_path(), found.why),
            (folder.path().join("a").as_path(), Why::Folder)
        );
        assert!(found.to_string().contains("mode 0777"), "{found}");
        assert!(found.remedy().starts_with("chmod o-w "), "{found:?}");
        // With the sticky bit, what lies there is its owner's.
        chmod(&folder.path().join("a"), 0o1777);
        assert_eq!(open_to_all(&file, &[]), None);
        // Yet the folder itself is none to read code from.
        assert_eq!(
            open_to_all(&folder.path().join("a"), &[]).map(|it| it.why),
            Some(Why::Folder)
        );
        chmod(&file, 0o666);
        assert_eq!(open_to_all(&file, &[]).map(|it| it.why), Some(Why::File));
        assert_eq!(open_to_all(&way.join("missing"), &[]), None);
    }

    #[test]
    fn the_way_to_what_a_link_means_counts() {
        let folder = place();
        let (open, safe) = (folder.path().join("open"), folder.path().join("safe"));
        std::fs::create_dir_all(&open).unwrap();
        std::fs::create_dir_all(&safe).unwrap();
        std::fs::write(open.join("real"), "").unwrap();
        symlink("../open/real", safe.join("link")).unwrap();
        chmod(&open, 0o757);
        let found = open_to_all(&safe.join("link"), &[]).unwrap();
        assert_eq!(found.path, open);
        symlink("loop", safe.join("loop")).unwrap();
        assert_eq!(open_to_all(&safe.join("loop"), &[]), None);
    }

    #[test]
    fn a_file_within_is_found() {
        let folder = place();
        let file = folder.path().join("deps/a.rmeta");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "").unwrap();
        chmod(&file, 0o644);
        assert_eq!(open_within(folder.path()), None);
        chmod(&file, 0o646);
        assert_eq!(open_within(folder.path()).unwrap().path, file);
    }

    #[test]
    fn private_files_lie_in_ones_own_folder_or_in_a_sticky_one_of_the_system() {
        let folder = place();
        assert_eq!(unfit_for_private(folder.path()), None);
        assert_eq!(unfit_for_private(&folder.path().join("missing")), None);
        chmod(folder.path(), 0o777);
        let why = unfit_for_private(folder.path()).unwrap();
        assert!(why.contains("no sticky bit"), "{why}");
        let below = folder.path().join("below");
        std::fs::create_dir(&below).unwrap();
        chmod(&below, 0o700);
        let why = unfit_for_private(&below).unwrap();
        assert!(why.contains("mode 0777"), "{why}");
        chmod(folder.path(), 0o1777);
        assert_eq!(unfit_for_private(folder.path()), None);
        assert_eq!(unfit_for_private(&below), None);
    }

    #[test]
    fn a_private_folder_is_ones_own_and_no_link() {
        let folder = place();
        let wanted = folder.path().join("new/session");
        private_folder(&wanted).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&wanted), 0o700);
        chmod(&wanted, 0o777);
        private_folder(&wanted).unwrap();
        assert_eq!(mode(&wanted), 0o700);
        let link = folder.path().join("link");
        symlink(&wanted, &link).unwrap();
        let error = private_folder(&link).unwrap_err().to_string();
        assert!(error.contains("link"), "{error}");
        std::fs::write(folder.path().join("file"), "").unwrap();
        assert!(private_folder(&folder.path().join("file")).is_err());
    }

    #[test]
    fn a_word_of_a_shell_is_one_word() {
        assert_eq!(quoted(Path::new("/a/b-1.so")), "/a/b-1.so");
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }
}
