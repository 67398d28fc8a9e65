//! Where the session's folder can be, and who it belongs to.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use swath_link::permissions;

/// What a session needs to begin with.
const ROOM: u64 = 1 << 20;
const LOCK: &str = "lock";

/// Whether the folder for temporary files that the user has named is one in which others could change what lies there.
pub(crate) fn is_unsafe(folder: &Path) -> bool {
    permissions::unfit_for_private(folder).is_some()
}

/// A folder in which a session's folder can be made, and what is to be said when it is not the one that was asked for.
pub(crate) fn choose() -> Result<(PathBuf, Option<String>), String> {
    let mut refused: Option<String> = None;
    for folder in candidates() {
        match unfit(&folder) {
            None => {
                let note = refused.map(|why| {
                    format!("{why}, so the session's files are in {}", folder.display())
                });
                return Ok((folder, note));
            }
            Some(why) => {
                refused.get_or_insert(format!("the temporary folder {} {why}", folder.display()));
            }
        }
    }
    let why = refused.unwrap_or_else(|| "there is no temporary folder".to_owned());
    Err(format!(
        "{why}, nor is there another one: set TMPDIR to a folder that can be written, and restart the kernel"
    ))
}

fn candidates() -> Vec<PathBuf> {
    let mut folders = vec![std::env::temp_dir(), PathBuf::from("/tmp")];
    folders.extend(dirs::cache_dir().map(|folder| folder.join("swath/sessions")));
    folders.extend(dirs::runtime_dir());
    folders.extend(["/var/tmp", "/dev/shm"].map(PathBuf::from));
    folders
        .into_iter()
        .map(|folder| std::path::absolute(&folder).unwrap_or(folder))
        .collect()
}

/// Why no session can be in this folder.
fn unfit(folder: &Path) -> Option<String> {
    if let Some(why) = odd_name(folder) {
        return Some(why.to_owned());
    }
    if let Err(error) = std::fs::create_dir_all(folder) {
        return Some(format!("cannot be made ({error})"));
    }
    if let Some(why) = permissions::unfit_for_private(folder) {
        return Some(why);
    }
    if forbids_programs(folder) {
        return Some("does not permit programs (it is mounted noexec)".to_owned());
    }
    if has_less_than(folder, ROOM) {
        return Some("is full".to_owned());
    }
    tempfile::tempdir_in(folder)
        .err()
        .map(|error| format!("cannot be written ({error})"))
}

/// What in a folder's name the tools do not stand.
fn odd_name(folder: &Path) -> Option<&'static str> {
    let Some(name) = folder.to_str() else {
        return Some("has a name that is not text");
    };
    if name.contains(':') {
        return Some("has a `:` in its name, at which search paths are split");
    }
    name.chars()
        .any(char::is_control)
        .then_some("has a name with a control character")
}

fn file_system(folder: &Path) -> Option<libc::statvfs> {
    let path = std::ffi::CString::new(folder.as_os_str().as_bytes()).ok()?;
    // SAFETY: the path ends in zero, and the structure is plain numbers that the call fills.
    unsafe {
        let mut answer: libc::statvfs = std::mem::zeroed();
        (libc::statvfs(path.as_ptr(), &raw mut answer) == 0).then_some(answer)
    }
}

/// Whether the folder is mounted so that no code can be loaded from it.
pub(crate) fn forbids_programs(folder: &Path) -> bool {
    file_system(folder).is_some_and(|it| it.f_flag & libc::ST_NOEXEC != 0)
}

/// Whether less room than this is left.
pub(crate) fn has_less_than(folder: &Path, bytes: u64) -> bool {
    file_system(folder).is_some_and(|it| {
        let no_names_left = it.f_files > 0 && it.f_favail == 0;
        no_names_left || it.f_bavail.saturating_mul(it.f_frsize) < bytes
    })
}

/// The lock on a session's folder: held for as long as the kernel that owns the folder lives.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    /// systemd leaves locked folders alone when it tidies up.
    _folder: Option<File>,
}

impl Lock {
    /// Takes the lock of a new folder.
    pub(crate) fn take(dir: &Path) -> std::io::Result<Self> {
        let mut file = File::options()
            .create(true)
            .truncate(true)
            .write(true)
            .read(true)
            .open(dir.join(LOCK))?;
        if !lock(&file) {
            return Err(std::io::Error::other("another kernel has taken it"));
        }
        file.write_all(boot().as_bytes())?;
        let folder = File::open(dir).ok().filter(lock);
        Ok(Self {
            file,
            _folder: folder,
        })
    }

    /// Whether the file that is locked is still the one in this folder.
    pub(crate) fn is_in(&self, dir: &Path) -> bool {
        let identity = |it: std::fs::Metadata| (it.dev(), it.ino());
        let (Ok(own), Ok(there)) = (
            self.file.metadata(),
            std::fs::symlink_metadata(dir.join(LOCK)),
        ) else {
            return false;
        };
        identity(own) == identity(there)
    }
}

fn lock(file: &File) -> bool {
    // SAFETY: flock has no memory effects.
    unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) == 0 }
}

/// Tells this run of this machine from others.
fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default()
}

/// Whether the kernel that owned this folder has ended: only its lock can tell. Process numbers cannot, for kernels of
/// containers and of other machines share temporary folders.
pub(crate) fn is_abandoned(dir: &Path) -> bool {
    // What others have put there is theirs, whatever its name: a link may lead to a device, or to files of ours.
    let is_own = std::fs::symlink_metadata(dir)
        .is_ok_and(|found| found.is_dir() && found.uid() == permissions::user());
    let opened = File::options()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(dir.join(LOCK));
    let (true, Ok(mut file)) = (is_own, opened) else {
        // It is just being made, or somebody else's.
        return false;
    };
    if !lock(&file) {
        return false;
    }
    let mut owner = String::new();
    let _ = file.read_to_string(&mut owner);
    // Not every network file system passes locks on to other machines.
    owner == boot() || !is_of_many_machines(dir)
}

fn is_of_many_machines(dir: &Path) -> bool {
    // NFS, SMB, CIFS, Lustre, GPFS, Ceph, FUSE, 9P, BeeGFS, AFS.
    const TYPES: [u64; 10] = [
        0x6969,
        0xfe53_4d42,
        0xff53_4d42,
        0x0bd0_0bd0,
        0x4750_4653,
        0x00c3_6400,
        0x6573_5546,
        0x0102_1997,
        0x1983_0326,
        0x5346_414f,
    ];
    let Ok(path) = std::ffi::CString::new(dir.as_os_str().as_bytes()) else {
        return true;
    };
    // SAFETY: the path ends in zero, and the structure is plain numbers that the call fills.
    unsafe {
        let mut answer: libc::statfs = std::mem::zeroed();
        libc::statfs(path.as_ptr(), &raw mut answer) != 0
            || TYPES.contains(&(answer.f_type as u64 & 0xffff_ffff))
    }
}

/// What is wrong with the session's folder when a build fails with this text: cause and remedy in one sentence.
pub(crate) fn trouble(dir: &Path, text: &str) -> Option<String> {
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let place = dir.display();
    let remedy = "or set TMPDIR to another folder and restart the kernel";
    if says(&["No space left on device", "os error 28"]) || has_less_than(dir, 64 << 10) {
        return Some(format!(
            "No space left on device in {place}: make room there, {remedy}"
        ));
    }
    if says(&["Disk quota exceeded", "os error 122"]) {
        return Some(format!(
            "Disk quota exceeded in {place}: make room there, {remedy}"
        ));
    }
    if says(&["Read-only file system", "os error 30"]) {
        return Some(format!(
            "Read-only file system in {place}: have it mounted writable, {remedy}"
        ));
    }
    if forbids_programs(dir) {
        return Some(format!(
            "{place} does not permit programs (it is mounted noexec): have it mounted with `exec`, {remedy}"
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_the_tools_do_not_stand_are_refused_and_others_not() {
        for name in [
            "/tmp/with space",
            "/tmp/ü",
            "/tmp/quote'\"",
            "/tmp/$HOME",
            "/tmp/a\\b",
            "/tmp/%s",
        ] {
            assert_eq!(odd_name(Path::new(name)), None, "{name}");
        }
        for name in ["/tmp/a:b", "/tmp/a\nb"] {
            assert!(odd_name(Path::new(name)).is_some(), "{name}");
        }
        let bytes = std::ffi::OsStr::from_bytes(b"/tmp/\xff");
        assert!(odd_name(Path::new(bytes)).is_some());
    }

    #[test]
    fn a_folder_is_abandoned_when_its_lock_is_free_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        assert!(!is_abandoned(dir), "without a lock nobody knows");
        let lock = Lock::take(dir).unwrap();
        assert!(lock.is_in(dir));
        assert!(!is_abandoned(dir));
        assert!(Lock::take(dir).is_err(), "one owner");
        drop(lock);
        assert!(is_abandoned(dir));
    }

    #[test]
    fn a_lock_whose_file_was_removed_is_not_in_the_folder_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let lock = Lock::take(folder.path()).unwrap();
        std::fs::remove_file(folder.path().join(LOCK)).unwrap();
        assert!(!lock.is_in(folder.path()));
        let _other = Lock::take(folder.path()).unwrap();
        assert!(!lock.is_in(folder.path()));
    }

    #[test]
    fn a_full_folder_is_told_in_one_sentence() {
        let told = trouble(
            Path::new("/tmp"),
            "Compilation failed, but no parsable errors were found. STDERR:\nerror: No space left on device (os error 28)",
        );
        assert!(
            told.unwrap()
                .starts_with("No space left on device in /tmp: ")
        );
        assert_eq!(trouble(Path::new("/"), "some other failure"), None);
    }
}
