//! Room on the disk, asked before it is needed.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::DataError;

/// Bytes that a user may still write where `path` is to lie; `None` where the system does not say.
pub(super) fn free(path: &Path) -> Option<u64> {
    let there = path.ancestors().find(|folder| folder.exists())?;
    let there = CString::new(there.as_os_str().as_bytes()).ok()?;
    let mut found = std::mem::MaybeUninit::<libc::statvfs>::zeroed();
    // SAFETY: `there` ends with a zero byte, and `found` has room for the answer.
    let failed = unsafe { libc::statvfs(there.as_ptr(), found.as_mut_ptr()) };
    if failed != 0 {
        return None;
    }
    // SAFETY: it was filled, and zeros are valid, too.
    let found = unsafe { found.assume_init() };
    #[allow(
        clippy::unnecessary_cast,
        clippy::useless_conversion,
        reason = "the types differ between systems"
    )]
    let (blocks, size) = (u64::from(found.f_bavail), found.f_frsize as u64);
    Some(blocks.saturating_mul(size))
}

/// An error when `needed` bytes more do not fit where `path` is to lie.
pub(super) fn check(path: &Path, needed: u64) -> Result<(), DataError> {
    match free(path) {
        Some(free) if free < needed => Err(DataError::NoSpace {
            path: path.to_owned(),
            needed,
            free,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_told_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("not/yet/there");
        assert!(free(&path).unwrap() > 0);
        check(&path, 1).unwrap();
        let error = check(&path, u64::MAX).unwrap_err().to_string();
        assert!(
            error.contains("not/yet/there") && error.contains("free"),
            "{error}"
        );
    }
}
