//! What is put into the folder of the programs.

use std::path::{Path, PathBuf};

use super::elf::Keep;
use super::manifest::Manifest;
use super::places::Places;
use super::{Bring, PROGRAMS, files, papermill, same_folder, trim};
use crate::paths;
use crate::toolchain::{LIBRARY_FOLDER, Toolchain};

/// Where it comes from, and how much of it.
pub(super) struct Contents<'a> {
    /// The folder of a build, or of another installation.
    pub(super) built: &'a Path,
    /// The toolchain of that build.
    pub(super) toolchain: &'a Toolchain,
    /// What comes along.
    pub(super) bring: Bring,
    /// Swath's version.
    pub(super) version: &'a str,
}

impl Contents<'_> {
    /// Puts it into the folder of its version, in one step. `made` are the folders above that were made for it.
    ///
    /// # Errors
    /// What cannot be copied.
    pub(super) fn put_into(&self, places: &Places, made: &[PathBuf]) -> Result<(), String> {
        if same_folder(self.built, &places.programs) {
            return self.is_here_already();
        }
        let earlier = Manifest::read(&places.programs).unwrap_or_default().made;
        let made = made.iter().map(|it| paths::relative(&places.programs, it));
        let manifest = Manifest {
            version: self.version.to_owned(),
            rustc: self.toolchain.version.clone(),
            made: earlier.into_iter().chain(made).collect(),
            ..Manifest::default()
        };
        files::replace_folder(&places.programs, |new| {
            if self.bring == Bring::Nothing {
                self.copy_plainly(new)?;
            } else {
                self.copy_for_all(new)?;
            }
            papermill::write_source(&new.join(papermill::SOURCE_FOLDER))?;
            let files = Manifest::of(new)?.files;
            Manifest { files, ..manifest }.write(new)?;
            match self.bring {
                Bring::Nothing => Ok(()),
                _ => files::let_all_read(new),
            }
        })
    }

    /// Called again for another name: the programs are in place, if they are what is asked for.
    fn is_here_already(&self) -> Result<(), String> {
        let has = |path: &str| self.built.join(trim::TOOLCHAIN_FOLDER).join(path).is_file();
        let lacks = match self.bring {
            Bring::CompilerAndCargo if !has("bin/cargo") => "cargo",
            Bring::Compiler if !has("bin/rustc") => "toolchain",
            _ => return Ok(()),
        };
        Err(format!(
            "this installation has no {lacks} of its own, and cannot get one from itself: call `swath install` of the \
             build that it was made from"
        ))
    }

    /// For the one who has built it: as it is, with as little copying as possible.
    fn copy_plainly(&self, new: &Path) -> Result<(), String> {
        for program in PROGRAMS {
            files::copy_file(&self.built.join(program), &new.join(program))?;
        }
        files::link_tree(&self.built.join(LIBRARY_FOLDER), &new.join(LIBRARY_FOLDER))?;
        // From an installation that has its own toolchain: the path must not lead out of the new folder.
        let sysroot = self.toolchain.sysroot.display();
        files::write(
            &new.join(LIBRARY_FOLDER).join("toolchain"),
            format!("{sysroot}\n"),
        )
    }

    /// For everybody: what cells need of the library and the toolchain, without symbols.
    fn copy_for_all(&self, new: &Path) -> Result<(), String> {
        let library = self.built.join(LIBRARY_FOLDER);
        let needed = trim::files_of_a_cell(self.toolchain, &library)?;
        for program in PROGRAMS {
            trim::copy_stripped(&self.built.join(program), &new.join(program), Keep::Nothing)?;
        }
        trim::copy_library(&library, &new.join(LIBRARY_FOLDER), &needed)?;
        trim::copy_toolchain(
            self.toolchain,
            &new.join(trim::TOOLCHAIN_FOLDER),
            &needed,
            self.bring == Bring::CompilerAndCargo,
        )
    }
}
