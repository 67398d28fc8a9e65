//! Looks at an installation as somebody else would: for whoever installs for others.
//!
//! The administrator becomes a user who owns nothing, with an empty environment and no home, and asks again. Whoever is not
//! the administrator can only look at the modes of files.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Finding, is_well, report};
use crate::toolchain::{Toolchain, library_folder, program_folder};

/// The user who owns nothing; most systems call it `nobody`.
const NOBODY: u32 = 65534;

pub(super) fn examine(json: bool, print: impl Fn(&str)) -> Result<bool, String> {
    let closed = closed_to_others();
    // SAFETY: the call has no preconditions.
    let is_root = unsafe { libc::geteuid() } == 0;
    if let Finding::Bad(..) = closed {
        // Another user could not even start this program.
        let findings = [("files", closed)];
        report(&findings, json, print);
        return Ok(false);
    }
    if !is_root {
        let findings = [
            ("files", closed),
            (
                "other user",
                Finding::note(
                    "only the modes of files were looked at",
                    "as root, this command becomes another user and makes every check",
                ),
            ),
        ];
        report(&findings, json, print);
        return Ok(is_well(&findings));
    }
    let program = std::env::current_exe()
        .map_err(|error| format!("this program does not find itself: {error}"))?;
    let mut command = Command::new(program);
    // With the user the groups of root go, too.
    command
        .arg("doctor")
        .env_clear()
        .current_dir("/")
        .gid(NOBODY)
        .uid(NOBODY);
    if json {
        command.arg("--json");
    }
    for name in ["PATH", "LANG", "JUPYTER_PATH", "TMPDIR"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    let output = command
        .env("HOME", "/nonexistent")
        .output()
        .map_err(|error| format!("cannot become another user: {error}"))?;
    print(&String::from_utf8_lossy(&output.stdout));
    let said = String::from_utf8_lossy(&output.stderr);
    if !said.trim().is_empty() {
        return Err(said.trim().to_owned());
    }
    Ok(output.status.success())
}

/// The first thing that others cannot read, on the way to the programs or among them.
fn closed_to_others() -> Finding {
    let programs = program_folder();
    let mut folders = vec![programs.clone(), library_folder()];
    folders.extend(Toolchain::recorded(&library_folder()));
    match folders.iter().find_map(|folder| closed(folder)) {
        Some(path) => Finding::bad(
            format!("others cannot read {}", path.display()),
            "install for others: swath install --prefix DIR --with-toolchain, where every folder of DIR is open   (or: \
             chmod a+rX)",
        ),
        None => Finding::Good(format!("others can read all of {}", programs.display())),
    }
}

fn closed(folder: &Path) -> Option<PathBuf> {
    let mode = |path: &Path| path.metadata().map_or(0, |it| it.permissions().mode());
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let above = folder.ancestors().find(|it| mode(it) & 0o001 == 0);
    if let Some(path) = above {
        return Some(path.to_owned());
    }
    // A toolchain of rustup has ten thousand files, of which the first tell.
    let mut folders = vec![folder];
    let mut looked_at = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            looked_at += 1;
            let is_folder = path.is_dir();
            let needed = if is_folder { 0o005 } else { 0o004 };
            if path.exists() && mode(&path) & needed != needed {
                return Some(path);
            }
            if is_folder && looked_at < 5000 {
                folders.push(path);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_cannot_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        let set = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        for path in [folder.path(), inner.parent().unwrap(), &inner] {
            set(path, 0o755);
        }
        std::fs::write(inner.join("file"), "").unwrap();
        set(&inner.join("file"), 0o644);
        let above_is_open = folder
            .path()
            .ancestors()
            .skip(1)
            .all(|it| it.metadata().unwrap().permissions().mode() & 0o001 != 0);
        assert!(above_is_open, "the temporary folder is open to all");
        assert_eq!(closed(&folder.path().join("a")), None);
        set(&inner.join("file"), 0o600);
        assert_eq!(closed(&folder.path().join("a")), Some(inner.join("file")));
        set(&inner.join("file"), 0o644);
        set(folder.path(), 0o700);
        assert_eq!(
            closed(&folder.path().join("a")),
            Some(folder.path().to_owned())
        );
    }
}
