//! Removes what was installed, and nothing else.

use std::path::{Path, PathBuf};

use super::command::{self, Way};
use super::manifest::Manifest;
use super::places::Places;
use super::{PROGRAMS, Place, check_name, files, installed_specs, papermill, spec};
use crate::paths;
use crate::toolchain::LIBRARY_FOLDER;

/// What was removed, and what was found with it that somebody else has put there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Uninstalled {
    /// Files and folders that are gone.
    pub(crate) removed: Vec<PathBuf>,
    /// Files that were not installed, and stay.
    pub(crate) left: Vec<PathBuf>,
}

/// Removes a kernelspec, and the programs when no other kernelspec of the place uses them.
///
/// # Errors
/// When there is no such kernelspec, or something cannot be removed.
pub(crate) fn uninstall(place: &Place, name: &str) -> Result<Uninstalled, String> {
    check_name(name)?;
    let places = place.resolve()?;
    let specs = installed_specs(&places.kernels);
    let Some((_, program)) = specs.iter().find(|(known, _)| known == name) else {
        let found: Vec<&str> = specs.iter().map(|(name, _)| name.as_str()).collect();
        let found = if found.is_empty() {
            "none".to_owned()
        } else {
            found.join(", ")
        };
        return Err(format!(
            "there is no Swath kernel {name:?} in {}; found: {found}",
            places.kernels.display()
        ));
    };
    let mut done = Uninstalled::default();
    remove_spec(&places.kernels.join(name), &mut done)?;
    let programs = program.parent().unwrap_or(program).to_owned();
    let rest = installed_specs(&places.kernels);
    let is_used = rest.iter().any(|(_, other)| other.starts_with(&programs));
    // A kernelspec alone starts programs that belong to somebody else.
    if is_used || !programs.starts_with(&places.versions) || !program.exists() {
        return Ok(done);
    }
    let made = Manifest::read(&programs).unwrap_or_default().made;
    remove_programs(&programs, &mut done)?;
    let mut last = !rest
        .iter()
        .any(|(_, other)| other.starts_with(&places.versions));
    if command::unlink(&places.command, &programs) {
        done.removed.push(places.command.clone());
        if let Some((_, other)) = rest.iter().find(|(_, it)| it.starts_with(&places.versions)) {
            // The command is that of a version that stays.
            command::link(&places.command, other, Way::Relative);
            done.removed.pop();
        }
    }
    if last {
        done.removed.extend(papermill::uninstall(place));
        last = std::fs::remove_dir(&places.versions).is_ok();
    }
    if last {
        for folder in made.iter().rev() {
            // One that others use by now is not empty, and stays.
            let _ = std::fs::remove_dir(paths::straight(&programs.join(folder)));
        }
    }
    Ok(done)
}

/// Removes the versions of a place that no kernelspec starts, and what an installation without versions has left. Returns
/// what was removed.
///
/// # Errors
/// When something cannot be removed.
pub(super) fn remove_unused(places: &Places) -> Result<Vec<String>, String> {
    let specs = installed_specs(&places.kernels);
    let is_used = |folder: &Path| specs.iter().any(|(_, it)| it.parent() == Some(folder));
    let mut gone = Vec::new();
    for folder in files::list(&places.versions)? {
        let is_version = folder.join(PROGRAMS[0]).is_file() && folder.join(LIBRARY_FOLDER).is_dir();
        if is_version && folder != places.programs && !is_used(&folder) {
            remove_programs(&folder, &mut Uninstalled::default())?;
            gone.push(format!("removed {}", folder.display()));
        }
    }
    let without_version = places.versions.join(PROGRAMS[0]).is_file();
    if without_version && !is_used(&places.versions) {
        remove_old(&places.versions)?;
        gone.push(format!(
            "removed the programs of an earlier version in {}",
            places.versions.display()
        ));
    }
    Ok(gone)
}

fn remove_spec(folder: &Path, done: &mut Uninstalled) -> Result<(), String> {
    for name in spec::FILES {
        let path = folder.join(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(files::failed("the file cannot be removed", &path, &error));
            }
            _ => {}
        }
    }
    if std::fs::remove_dir(folder).is_err() {
        done.left.extend(files::list(folder)?);
    }
    done.removed.push(folder.to_owned());
    Ok(())
}

fn remove_programs(folder: &Path, done: &mut Uninstalled) -> Result<(), String> {
    match Manifest::read(folder) {
        Some(manifest) => done.left.extend(manifest.remove(folder)?),
        None => remove_old(folder)?,
    }
    done.removed.push(folder.to_owned());
    Ok(())
}

/// Removes what installations had that did not list what they were made of.
fn remove_old(folder: &Path) -> Result<(), String> {
    for name in [LIBRARY_FOLDER, papermill::SOURCE_FOLDER] {
        if folder.join(name).is_dir() {
            files::remove(&folder.join(name))?;
        }
    }
    for name in PROGRAMS {
        let _ = std::fs::remove_file(folder.join(name));
    }
    let _ = std::fs::remove_dir(folder);
    Ok(())
}
