//! The command `swath` on the search path: a link to the installed program.

use std::path::{Path, PathBuf};

use crate::paths::{relative, straight};

/// How a link says where it leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By the whole path.
    Absolute,
    /// From its own folder: both can be moved together.
    Relative,
}

/// What became of the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CommandLink {
    /// It starts the installed program.
    Made(PathBuf),
    /// Why there is none; the kernel works without.
    Left(String),
}

/// Makes `command` start `program`, by a relative link where `way` is one. A file of somebody else's stays as it is; a link of an earlier installation is
/// replaced in one step.
pub(super) fn link(command: &Path, program: &Path, way: Way) -> CommandLink {
    if command.symlink_metadata().is_ok() && !is_ours(command) {
        return CommandLink::Left(format!(
            "{} is something else and was left alone; the command is {}",
            command.display(),
            program.display()
        ));
    }
    let folder = command.parent().unwrap_or_else(|| Path::new("/"));
    let target = match way {
        Way::Absolute => program.to_owned(),
        Way::Relative => relative(folder, program),
    };
    match replace(command, folder, &target) {
        Ok(()) => CommandLink::Made(command.to_owned()),
        Err(error) => CommandLink::Left(format!(
            "{} cannot be written ({error}); the command is {}",
            command.display(),
            program.display()
        )),
    }
}

/// Removes the link, if it starts a program in `folder`. Returns whether it did.
pub(super) fn unlink(command: &Path, folder: &Path) -> bool {
    target(command).is_some_and(|target| target.starts_with(folder))
        && std::fs::remove_file(command).is_ok()
}

/// What a link leads to.
fn target(command: &Path) -> Option<PathBuf> {
    let target = std::fs::read_link(command).ok()?;
    Some(straight(&command.parent()?.join(target)))
}

/// Whether a file is a link that an installation made: to the program `swath` beside the program for cells, or to one
/// that is gone.
fn is_ours(command: &Path) -> bool {
    let Some(target) = target(command) else {
        return false;
    };
    let is_swath = target.file_name() == Some(super::PROGRAMS[0].as_ref());
    is_swath && (!target.exists() || target.with_file_name(super::PROGRAMS[1]).exists())
}

fn replace(command: &Path, folder: &Path, target: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let aside = tempfile::Builder::new()
        .prefix(".swath-new-")
        .tempdir_in(folder)?;
    let new = aside.path().join("link");
    std::os::unix::fs::symlink(target, &new)?;
    std::fs::rename(&new, command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_elses_command_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let command = folder.path().join("bin/swath");
        let program = folder.path().join("lib/swath/swath");
        std::fs::create_dir_all(command.parent().unwrap()).unwrap();
        std::fs::write(&command, "#!/bin/sh\n").unwrap();
        let CommandLink::Left(why) = link(&command, &program, Way::Absolute) else {
            panic!("a file of somebody else's was replaced");
        };
        assert!(
            why.contains("left alone") && why.contains("lib/swath/swath"),
            "{why}"
        );
        assert_eq!(std::fs::read_to_string(&command).unwrap(), "#!/bin/sh\n");
        assert!(!unlink(&command, folder.path()));
        assert!(command.exists());
    }

    #[test]
    fn a_link_of_an_earlier_installation_is_replaced_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let command = folder.path().join("bin/swath");
        for (place, way) in [
            ("gone", Way::Relative),
            ("here", Way::Absolute),
            ("here", Way::Relative),
        ] {
            let program = folder.path().join(place).join("swath");
            assert_eq!(
                link(&command, &program, way),
                CommandLink::Made(command.clone())
            );
            assert_eq!(target(&command), Some(program));
        }
        assert_eq!(
            std::fs::read_link(&command).unwrap(),
            Path::new("../here/swath")
        );
        let left = std::fs::read_dir(command.parent().unwrap())
            .unwrap()
            .count();
        assert_eq!(left, 1, "nothing temporary is left");
        assert!(!unlink(&command, &folder.path().join("gone")));
        assert!(unlink(&command, &folder.path().join("here")));
        assert!(command.symlink_metadata().is_err());
    }
}
