//! `swath install` and `swath uninstall`: the kernel in a stable folder of its own, and its kernelspec for Jupyter.
//!
//! ```text
//! PREFIX/bin/swath                                the command, a link
//! PREFIX/lib/swath/VERSION/                       the programs; several versions lie side by side
//!   swath, swath-cell, manifest.json, papermill/
//!   lib-swath/                                    the library and its metadata (scripts/build-dylib.sh)
//!     toolchain                                   where the compiler is: `../toolchain`, or a path of the machine
//!     lib/, share/gdal, share/proj                GDAL, where it was brought along (`natives`)
//!   toolchain/                                    the part of the compiler that cells need (`trim`)
//! PREFIX/share/jupyter/kernels/NAME/              the kernelspec
//! ```
//! With its own toolchain an installation names nothing outside and no absolute path inside: it can be moved, mounted
//! elsewhere and used by everybody who can read it. Nothing is written there when a kernel runs.

mod command;
mod contents;
mod elf;
mod environment;
mod files;
mod manifest;
mod papermill;
mod places;
mod sharing;
mod spec;
mod trim;
mod uninstall;

use std::path::{Path, PathBuf};

pub(crate) use command::CommandLink;
pub(crate) use elf::libraries_needed;
pub(crate) use environment::linked_folder;
pub(crate) use manifest::Manifest;
pub(crate) use papermill::Translator;
pub(crate) use places::Place;
pub(crate) use spec::installed_specs;
pub(crate) use uninstall::uninstall;

use crate::toolchain::{LIBRARY_FOLDER, Toolchain, program_folder};
use command::Way;
use contents::Contents;
use places::Places;

/// The compiler and cargo in an installation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Bring {
    /// The compiler where others use the place, nothing where one person does.
    #[default]
    WhereShared,
    /// Nothing: the toolchain stays where it is.
    Nothing,
    /// What cells need.
    Compiler,
    /// What cells need, and what builds crates that they add.
    CompilerAndCargo,
}

/// What to install, and where.
#[derive(Clone, Debug)]
pub(crate) struct InstallOptions {
    /// Where.
    pub(crate) place: Place,
    /// The kernel's name, which is the name of its kernelspec folder.
    pub(crate) name: String,
    /// What the launcher shows.
    pub(crate) display_name: String,
    /// Variables for the kernel's environment beside those it needs.
    pub(crate) env: Vec<(String, String)>,
    /// What comes along.
    pub(crate) bring: Bring,
    /// Whether other versions of the place stay.
    pub(crate) side_by_side: bool,
    /// Whether only a kernelspec is written, which starts this program where it is.
    pub(crate) spec_only: bool,
}

/// What was written.
#[derive(Debug)]
pub(crate) struct Installed {
    /// The folder with the program and the library.
    pub(crate) program_folder: PathBuf,
    /// What came along.
    pub(crate) brought: Bring,
    /// Bytes in that folder.
    pub(crate) size: u64,
    /// The kernelspec's folder.
    pub(crate) spec_folder: PathBuf,
    /// The command `swath` for the shell; `None` when only a kernelspec was written.
    pub(crate) command: Option<CommandLink>,
    /// What teaches papermill to write parameters in Rust.
    pub(crate) papermill: Option<Translator>,
    /// What became of other versions, and what else somebody has to know.
    pub(crate) notes: Vec<String>,
}

/// The programs beside each other in the build folder and in the installed one.
const PROGRAMS: [&str; 2] = ["swath", "swath-cell"];

/// Installs what lies beside the running program.
///
/// # Errors
/// When the build is not complete, the name cannot be one, or a folder cannot be written.
pub(crate) fn install(options: &InstallOptions) -> Result<Installed, String> {
    install_from(&program_folder(), options, env!("CARGO_PKG_VERSION"))
}

fn install_from(
    built: &Path,
    options: &InstallOptions,
    version: &str,
) -> Result<Installed, String> {
    check_name(&options.name)?;
    for name in PROGRAMS.iter().copied().chain([LIBRARY_FOLDER]) {
        if !built.join(name).exists() {
            return Err(format!(
                "the build is not complete: {name} is missing in {}; `make build` (or scripts/build-dylib.sh) makes it",
                built.display()
            ));
        }
    }
    let places = options.place.of_version(version)?;
    spec::check_place(&places.kernels.join(&options.name))?;
    if options.spec_only {
        return spec_only(built, options, &places);
    }
    let toolchain = Toolchain::find(&built.join(LIBRARY_FOLDER))?;
    let bring = match options.bring {
        Bring::WhereShared
            if options.place != Place::User && sharing::is_shared(&places.versions) =>
        {
            Bring::Compiler
        }
        Bring::WhereShared => Bring::Nothing,
        chosen => chosen,
    };
    let mut notes = Vec::new();
    let is_default = options.bring == Bring::WhereShared;
    let bring = match trim::is_whole(&toolchain) {
        Err(reason) if is_default && bring == Bring::Compiler => {
            notes.push(format!("the compiler stays where it is: {reason}"));
            Bring::Nothing
        }
        _ => bring,
    };
    let contents = Contents {
        built,
        toolchain: &toolchain,
        bring,
        version,
    };
    let for_all = bring != Bring::Nothing;
    let made = make_parents(&places, for_all)?;
    contents.put_into(&places, &made)?;

    let program = places.programs.join(PROGRAMS[0]);
    let toolchain = (!for_all).then_some(&toolchain);
    let mut env = kernel_environment(toolchain, &places.programs.join(LIBRARY_FOLDER));
    env.extend(options.env.iter().cloned());
    let spec_folder = places.kernels.join(&options.name);
    if options.side_by_side {
        notes.extend(keep_earlier(&places, &options.name)?);
    }
    let (argument, way) = if for_all {
        (
            spec::relative_program(&spec_folder, &program)?,
            Way::Relative,
        )
    } else {
        (spec::text(&program)?.to_owned(), Way::Absolute)
    };
    write_spec(&spec_folder, &argument, options, &env, for_all)?;
    let command = command::link(&places.command, &program, way);
    let source = places.programs.join(papermill::SOURCE_FOLDER);
    if !options.side_by_side {
        notes.extend(uninstall::remove_unused(&places)?);
    }
    let translator = papermill::install(&options.place, &source);
    if let Translator::Made(module) = &translator
        && for_all
    {
        papermill::let_all_read(module)?;
    }
    let about = Manifest::read(&places.programs).unwrap_or_default();
    Ok(Installed {
        command: Some(command),
        papermill: Some(translator),
        program_folder: places.programs,
        size: about.files.iter().map(|file| file.size).sum(),
        brought: bring,
        spec_folder,
        notes,
    })
}

/// Writes a kernelspec alone: for one of many who use the same installation.
fn spec_only(built: &Path, options: &InstallOptions, places: &Places) -> Result<Installed, String> {
    let program = built.join(PROGRAMS[0]);
    let spec_folder = places.kernels.join(&options.name);
    let lib_dir = built.join(LIBRARY_FOLDER);
    let toolchain = if Toolchain::is_inside(&lib_dir) {
        None
    } else {
        Some(Toolchain::find(&lib_dir)?)
    };
    let mut env = kernel_environment(toolchain.as_ref(), &lib_dir);
    env.extend(options.env.iter().cloned());
    write_spec(&spec_folder, spec::text(&program)?, options, &env, false)?;
    Ok(Installed {
        program_folder: built.to_owned(),
        brought: Bring::Nothing,
        size: 0,
        spec_folder,
        command: None,
        papermill: None,
        notes: Vec::new(),
    })
}

/// The kernelspec's variables, from this process' environment.
fn kernel_environment(toolchain: Option<&Toolchain>, lib_dir: &Path) -> Vec<(String, String)> {
    let library = lib_dir.join("libswath.so");
    environment::kernel_environment(toolchain, &library, &|name| std::env::var(name).ok())
}

fn write_spec(
    folder: &Path,
    program: &str,
    options: &InstallOptions,
    env: &[(String, String)],
    for_all: bool,
) -> Result<(), String> {
    files::replace_folder(folder, |new| {
        spec::write(new, program, &options.display_name, env)?;
        if for_all {
            files::let_all_read(new)
        } else {
            Ok(())
        }
    })
}

/// Makes the folders above those that are written; those that were new.
fn make_parents(places: &Places, for_all: bool) -> Result<Vec<PathBuf>, String> {
    let command = places.command.parent().unwrap_or(&places.versions);
    let mut made = Vec::new();
    for folder in [&places.versions, &places.kernels, command] {
        if for_all {
            made.extend(files::make_for_all(folder)?);
        } else {
            files::make_folder(folder)?;
        }
    }
    Ok(made)
}

/// Gives the kernelspec `name`, when it starts another version, a name that says which. Returns what became of it.
fn keep_earlier(places: &Places, name: &str) -> Result<Vec<String>, String> {
    let found = installed_specs(&places.kernels)
        .into_iter()
        .find(|(known, _)| known == name);
    let Some((_, program)) = found else {
        return Ok(Vec::new());
    };
    let folder = program.parent().unwrap_or(&program);
    let is_earlier = folder.starts_with(&places.versions) && folder != places.programs;
    let Some(version) = folder
        .file_name()
        .and_then(|it| it.to_str())
        .filter(|_| is_earlier)
    else {
        return Ok(Vec::new());
    };
    let (old, new) = (
        places.kernels.join(name),
        places.kernels.join(format!("{name}-{version}")),
    );
    let shown = spec::display_name(&old).unwrap_or_else(|| name.to_owned());
    if new.exists() {
        files::remove(&new)?;
    }
    std::fs::rename(&old, &new)
        .map_err(|error| files::failed("the kernelspec cannot be renamed", &old, &error))?;
    let shown = format!("{shown} {version}");
    spec::rename(&new, &shown)?;
    Ok(vec![format!(
        "version {version} stays, as the kernel {name}-{version}, \"{shown}\""
    )])
}

fn same_folder(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

fn check_name(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if !name.is_empty() && name.chars().all(fits) && !name.starts_with('.') {
        return Ok(());
    }
    Err(format!(
        "a kernel's name has letters, digits, `-`, `_` and `.`, found {name:?}"
    ))
}

#[cfg(test)]
mod tests;
