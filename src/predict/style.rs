//! Styles beside saved files: ours are replaced, those of users stay.

use std::path::Path;

use super::save::io;
use crate::Result;
use crate::labels::MARK;
use crate::report::{Notice, Report, file_name};

/// Whether there is a style that somebody has made or changed: QGIS leaves our mark out when it saves one.
pub(super) fn is_of_user(path: &Path) -> bool {
    match std::fs::read(path) {
        Ok(bytes) => !bytes.is_empty() && !String::from_utf8_lossy(&bytes).contains(MARK),
        // What is there and cannot be read is not ours to replace.
        Err(_) => path.symlink_metadata().is_ok(),
    }
}

/// That one stays.
pub(super) fn kept(path: &Path) -> Notice {
    Notice::left_out("the style that lies there is not one of ours and stays as it is")
        .about(file_name(path))
        .count(1)
        .next("remove it and save again, to have the colors of these classes")
}

/// Takes the styles that users have in `dir` out of what is to be put there. Returns the names of the `set` that may be
/// replaced.
pub(super) fn keep_those_of_users<'a>(
    set: &[&'a str],
    staged: &Path,
    dir: &Path,
) -> Result<(Vec<&'a str>, Report)> {
    let (mut replaceable, mut report) = (Vec::with_capacity(set.len()), Report::new());
    for name in set {
        let (new, old) = (staged.join(name), dir.join(name));
        if !name.ends_with(".qml") || !is_of_user(&old) {
            replaceable.push(*name);
            continue;
        }
        if new.exists() {
            std::fs::remove_file(&new).map_err(io("remove the file", &new))?;
            report.push(kept(&old));
        }
    }
    Ok((replaceable, report))
}
