//! Whether other people use what is installed in a folder.

use std::ffi::CStr;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

/// Folders of a system, whoever may read them at this moment.
const OF_ALL: [&str; 3] = ["/usr", "/opt", "/srv"];

/// Whether anybody but the owner can read what will be in this folder: everybody, or a group that is not the owner's
/// alone. Of a folder that is not there yet its nearest parent tells, since new ones are made readable.
pub(super) fn is_shared(prefix: &Path) -> bool {
    OF_ALL.iter().any(|folder| prefix.starts_with(folder)) || is_read_by_others(prefix)
}

fn is_read_by_others(prefix: &Path) -> bool {
    let real = prefix
        .ancestors()
        .find_map(|folder| folder.canonicalize().ok());
    let Some(real) = real else {
        return false;
    };
    let may = |bit: u32| {
        let enters = real.ancestors().all(|folder| mode(folder) & bit != 0);
        // Reading a folder's list is not needed to start what is in it, but Jupyter looks for kernels in one.
        enters && mode(&real) & (bit << 2) != 0
    };
    may(0o001) || (may_group(&real) && mode(&real) & 0o050 == 0o050)
}

/// Whether a group of several people can go all the way: each step is open to all, or to a group that is not the owner's
/// own.
fn may_group(folder: &Path) -> bool {
    let is_open = |folder: &Path| {
        mode(folder) & 0o001 != 0 || (mode(folder) & 0o010 != 0 && !is_of_one(folder))
    };
    !is_of_one(folder) && folder.ancestors().all(is_open)
}

fn mode(folder: &Path) -> u32 {
    folder.metadata().map_or(0, |it| it.permissions().mode())
}

/// Whether the folder's group is the one that many systems make for each person, with the person's name; or root's.
fn is_of_one(folder: &Path) -> bool {
    let Ok(about) = folder.metadata() else {
        return true;
    };
    about.gid() == 0
        || user_name(about.uid()).is_some_and(|name| Some(name) == group_name(about.gid()))
}

fn user_name(uid: u32) -> Option<String> {
    // SAFETY: the answer is null or a record that is valid until the next such call; it is copied at once.
    unsafe {
        let found = libc::getpwuid(uid);
        (!found.is_null()).then(|| {
            CStr::from_ptr((*found).pw_name)
                .to_string_lossy()
                .into_owned()
        })
    }
}

fn group_name(gid: u32) -> Option<String> {
    // SAFETY: as above.
    unsafe {
        let found = libc::getgrgid(gid);
        (!found.is_null()).then(|| {
            CStr::from_ptr((*found).gr_name)
                .to_string_lossy()
                .into_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_others_can_read_is_shared_and_a_private_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("env/inner");
        std::fs::create_dir_all(&inner).unwrap();
        let set = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        set(&inner, 0o755);
        set(inner.parent().unwrap(), 0o755);
        set(folder.path(), 0o700);
        assert!(!is_shared(&inner), "its parent is private");
        set(folder.path(), 0o755);
        let above = folder.path().parent().unwrap();
        assert_eq!(
            is_shared(&inner),
            above.ancestors().all(|it| mode(it) & 1 != 0)
        );
        assert_eq!(is_shared(&inner.join("new/one")), is_shared(&inner));
        set(&inner, 0o711);
        assert!(!is_shared(&inner), "nobody else finds a kernel in it");
        assert!(is_shared(Path::new("/opt/nowhere/at/all")));
        assert!(is_shared(Path::new("/usr/local")));
    }
}
