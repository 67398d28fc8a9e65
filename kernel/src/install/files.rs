//! Folders that are replaced in one step.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

fn failed(what: &str, path: &Path, error: &std::io::Error) -> String {
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
    std::fs::create_dir_all(parent)
        .map_err(|error| failed("the folder cannot be made", parent, &error))?;
    let new = tempfile::Builder::new()
        .prefix(".swath-new-")
        .tempdir_in(parent)
        .map_err(|error| failed("the folder cannot be written", parent, &error))?;
    fill(new.path())?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(new.path(), mode)
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

/// Copies a file with its mode.
pub(super) fn copy_file(from: &Path, to: &Path) -> Result<(), String> {
    std::fs::copy(from, to)
        .map(drop)
        .map_err(|error| failed("the file cannot be copied", from, &error))
}

/// Copies a folder; metadata of crates is linked where the file system allows, because it is large and never written
/// in place.
pub(super) fn copy_tree(from: &Path, to: &Path) -> Result<(), String> {
    std::fs::create_dir_all(to).map_err(|error| failed("the folder cannot be made", to, &error))?;
    let entries = std::fs::read_dir(from)
        .map_err(|error| failed("the folder cannot be read", from, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| failed("the folder cannot be read", from, &error))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_tree(&source, &target)?;
        } else if source
            .extension()
            .is_none_or(|extension| extension != "rmeta")
            || std::fs::hard_link(&source, &target).is_err()
        {
            copy_file(&source, &target)?;
        }
    }
    Ok(())
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
