//! Folders that are replaced in one step.

use std::ffi::CString;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::manifest;

pub(super) fn failed(what: &str, path: &Path, error: &std::io::Error) -> String {
    format!("{what}: {error}: {}", path.display())
}

/// Fills a new folder beside `target` with `fill` and puts it in `target`'s place; a failure leaves `target` as it was.
///
/// # Errors
/// What `fill` returns, or which folder cannot be written.
pub(super) fn replace_folder(
    target: &Path,
    fill: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<(), String> {
    let parent = target
        .parent()
        .ok_or_else(|| format!("{} cannot be replaced", target.display()))?;
    make_folder(parent)?;
    let new = tempfile::Builder::new()
        .prefix(".swath-new-")
        .tempdir_in(parent)
        .map_err(|error| failed("the folder cannot be written", parent, &error))?;
    fill(new.path())?;
    close(new.path()).map_err(|error| failed("a mode cannot be set", new.path(), &error))?;
    std::fs::set_permissions(new.path(), std::fs::Permissions::from_mode(0o755))
        .map_err(|error| failed("the folder's mode cannot be set", new.path(), &error))?;
    let replaced = if target.exists() {
        exchange(new.path(), target)
    } else {
        std::fs::rename(new.path(), target)
    };
    replaced.map_err(|error| failed("the folder cannot be replaced", target, &error))?;
    // After an exchange the old folder lies in the new one's place, and goes with it.
    Ok(())
}

/// Takes from everybody the right to write what is in a folder, which a builder's mask may have given: a kernel does not start
/// from what all can change.
fn close(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)?.flatten() {
        let found = entry.metadata()?;
        let mode = found.permissions().mode();
        if !found.is_symlink() && mode & 0o002 != 0 {
            let closed = std::fs::Permissions::from_mode(mode & 0o7755);
            std::fs::set_permissions(entry.path(), closed)?;
        }
        if found.is_dir() {
            close(&entry.path())?;
        }
    }
    Ok(())
}

/// Exchanges two folders in one step, or in two where the file system cannot.
fn exchange(new: &Path, target: &Path) -> std::io::Result<()> {
    let path =
        |path: &Path| CString::new(path.as_os_str().as_bytes()).map_err(std::io::Error::other);
    let (new_c, target_c) = (path(new)?, path(target)?);
    // SAFETY: both are zero-terminated paths that outlive the call.
    let result = unsafe {
        libc::renameat2(
            libc::AT_FDCWD,
            new_c.as_ptr(),
            libc::AT_FDCWD,
            target_c.as_ptr(),
            libc::RENAME_EXCHANGE,
        )
    };
    if result == 0 {
        return Ok(());
    }
    let aside = new.join("replaced");
    std::fs::rename(target, &aside).or_else(|_| std::fs::remove_dir_all(target))?;
    // `aside` lies in the new folder: it must not stay there.
    let fresh = new.with_extension("fresh");
    std::fs::rename(new, &fresh)?;
    let _ = std::fs::create_dir(new);
    let _ = std::fs::rename(fresh.join("replaced"), new.join("replaced"));
    std::fs::rename(&fresh, target)
}

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| failed("the file cannot be read", path, &error))
}

/// Writes a file.
pub(super) fn write(path: &Path, contents: impl AsRef<[u8]>) -> Result<(), String> {
    std::fs::write(path, contents)
        .map_err(|error| failed("the file cannot be written", path, &error))
}

/// Makes a folder and those above it.
pub(super) fn make_folder(path: &Path) -> Result<(), String> {
    std::fs::create_dir_all(path).map_err(|error| failed("the folder cannot be made", path, &error))
}

/// What is in a folder, in the order of names.
pub(super) fn list(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(folder)
        .map_err(|error| failed("the folder cannot be read", folder, &error))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

/// Copies a file with its mode.
pub(super) fn copy_file(from: &Path, to: &Path) -> Result<(), String> {
    std::fs::copy(from, to)
        .map(drop)
        .map_err(|error| failed("the file cannot be copied", from, &error))
}

/// Copies a folder.
pub(super) fn copy_tree(from: &Path, to: &Path) -> Result<(), String> {
    copy_each(from, to, &copy_file)
}

/// Copies a folder; metadata of crates is linked where the file system allows, because it is large and never written
/// in place.
pub(super) fn link_tree(from: &Path, to: &Path) -> Result<(), String> {
    copy_each(from, to, &|source, target| {
        let is_metadata = source
            .extension()
            .is_some_and(|extension| extension == "rmeta");
        if is_metadata && std::fs::hard_link(source, target).is_ok() {
            return Ok(());
        }
        copy_file(source, target)
    })
}

fn copy_each(
    from: &Path,
    to: &Path,
    copy: &dyn Fn(&Path, &Path) -> Result<(), String>,
) -> Result<(), String> {
    make_folder(to)?;
    for source in list(from)? {
        let Some(name) = source.file_name() else {
            continue;
        };
        let target = to.join(name);
        if source.is_dir() {
            copy_each(&source, &target, copy)?;
        } else {
            copy(&source, &target)?;
        }
    }
    Ok(())
}

/// Lets everybody read what is in a folder, and start what is a program, whatever the umask was.
pub(super) fn let_all_read(folder: &Path) -> Result<(), String> {
    let set = |path: &Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
            .map_err(|error| failed("the mode cannot be set", path, &error))
    };
    set(folder, 0o755)?;
    manifest::walk(folder, &mut |path, about| {
        if about.is_symlink() {
            return Ok(());
        }
        let may_start = about.permissions().mode() & 0o111 != 0;
        let is_program = about.is_dir() || may_start && can_be_started(path);
        set(path, if is_program { 0o755 } else { 0o644 })
    })
}

/// Whether a file is a program, a shared object or a script: rustc and cargo let everything that they write be started, metadata
/// too.
fn can_be_started(path: &Path) -> bool {
    let mut start = [0; 4];
    let read = std::fs::File::open(path).and_then(|mut file| file.read(&mut start));
    // One that cannot be read keeps what it has.
    read.map_or(true, |read| {
        start[..read].starts_with(b"\x7fELF") || start[..read].starts_with(b"#!")
    })
}

/// Makes a folder and those above it, readable by everybody whatever the umask is. Returns those that were made,
/// outermost first.
pub(super) fn make_for_all(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let missing: Vec<PathBuf> = folder
        .ancestors()
        .take_while(|it| !it.as_os_str().is_empty() && it.symlink_metadata().is_err())
        .map(Path::to_owned)
        .collect();
    let mut made = Vec::new();
    for folder in missing.into_iter().rev() {
        match std::fs::create_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(failed("the folder cannot be made", &folder, &error)),
            Ok(()) => {}
        }
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755))
            .map_err(|error| failed("the mode cannot be set", &folder, &error))?;
        made.push(folder);
    }
    Ok(made)
}

/// Removes a folder.
pub(super) fn remove(folder: &Path) -> Result<(), String> {
    std::fs::remove_dir_all(folder)
        .map_err(|error| failed("the folder cannot be removed", folder, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_else_can_write_what_is_installed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("installed");
        let open = std::fs::Permissions::from_mode(0o777);
        replace_folder(&target, |new| {
            make_folder(&new.join("deps"))?;
            write(&new.join("deps/a.so"), "")?;
            for path in [new.join("deps"), new.join("deps/a.so")] {
                std::fs::set_permissions(path, open.clone()).unwrap();
            }
            Ok(())
        })
        .unwrap();
        for path in ["", "deps", "deps/a.so"] {
            let mode = target.join(path).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o755, "{path:?}");
        }
    }

    #[test]
    fn folders_and_files_are_readable_by_all_after_a_private_umask() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a/b");
        let made = make_for_all(&target).unwrap();
        assert_eq!(made, [folder.path().join("a"), target.clone()]);
        assert!(make_for_all(&target).unwrap().is_empty());
        std::fs::create_dir(target.join("c")).unwrap();
        for (name, mode, text) in [
            ("c/program", 0o700, "#!/bin/sh\n"),
            ("c/data", 0o600, "data"),
            ("c/library.rmeta", 0o755, "rust"),
        ] {
            std::fs::write(target.join(name), text).unwrap();
            std::fs::set_permissions(target.join(name), std::fs::Permissions::from_mode(mode))
                .unwrap();
        }
        std::fs::set_permissions(target.join("c"), std::fs::Permissions::from_mode(0o700)).unwrap();
        let_all_read(&target).unwrap();
        let mode = |name: &str| target.join(name).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(
            (
                mode("c"),
                mode("c/program"),
                mode("c/data"),
                mode("c/library.rmeta")
            ),
            (0o755, 0o755, 0o644, 0o644)
        );
    }

    #[test]
    fn a_failed_fill_leaves_the_old_folder() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        replace_folder(&target, |new| {
            std::fs::write(new.join("a"), "old").map_err(|error| error.to_string())
        })
        .unwrap();
        let error = replace_folder(&target, |new| {
            std::fs::write(new.join("a"), "half").map_err(|error| error.to_string())?;
            Err("no space left".to_owned())
        });
        assert_eq!(error, Err("no space left".to_owned()));
        assert_eq!(std::fs::read_to_string(target.join("a")).unwrap(), "old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
