//! `swath install` and `swath uninstall`: the kernel in a stable folder of its own, and its kernelspec for Jupyter.

mod command;
mod environment;
mod files;
mod papermill;
mod places;
mod spec;

use std::path::{Path, PathBuf};

pub(crate) use command::CommandLink;
pub(crate) use environment::linked_folder;
pub(crate) use papermill::Translator;
pub(crate) use places::Place;
pub(crate) use spec::installed_specs;

use crate::toolchain::{LIBRARY_FOLDER, Toolchain, program_folder};

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
}

/// What was written.
#[derive(Debug)]
pub(crate) struct Installed {
    /// The folder with the program and the library.
    pub(crate) program_folder: PathBuf,
    /// The kernelspec's folder.
    pub(crate) spec_folder: PathBuf,
    /// The command `swath` for the shell.
    pub(crate) command: CommandLink,
    /// What teaches papermill to write parameters in Rust.
    pub(crate) papermill: Translator,
}

/// The programs beside each other in the build folder and in the installed one.
const PROGRAMS: [&str; 2] = ["swath", "swath-cell"];

/// Installs what lies beside the running program.
///
/// # Errors
/// When the build is not complete, the name cannot be one, or a folder cannot be written.
pub(crate) fn install(options: &InstallOptions) -> Result<Installed, String> {
    install_from(&program_folder(), options)
}

fn install_from(built: &Path, options: &InstallOptions) -> Result<Installed, String> {
    check_name(&options.name)?;
    for name in PROGRAMS.iter().copied().chain([LIBRARY_FOLDER]) {
        if !built.join(name).exists() {
            return Err(format!(
                "the build is not complete: {name} is missing in {}; `make build` (or scripts/build-dylib.sh) makes it",
                built.display()
            ));
        }
    }
    let places = options.place.resolve()?;
    let toolchain = Toolchain::find(&built.join(LIBRARY_FOLDER))?;

    if same_folder(built, &places.programs) {
        // Installed already, called again for another name: the programs are in place.
    } else {
        files::replace_folder(&places.programs, |new| {
            for program in PROGRAMS {
                files::copy_file(&built.join(program), &new.join(program))?;
            }
            papermill::write_source(&new.join(papermill::SOURCE_FOLDER))?;
            files::copy_tree(&built.join(LIBRARY_FOLDER), &new.join(LIBRARY_FOLDER))
        })?;
    }
    let program = places.programs.join(PROGRAMS[0]);
    let library = places.programs.join(LIBRARY_FOLDER).join("libswath.so");
    let mut env =
        environment::kernel_environment(&toolchain, &library, &|name| std::env::var(name).ok());
    env.extend(options.env.iter().cloned());
    let spec_folder = places.kernels.join(&options.name);
    files::replace_folder(&spec_folder, |new| {
        spec::write(new, &program, &options.display_name, &env)
    })?;
    Ok(Installed {
        command: command::link(&places.command, &program),
        papermill: papermill::install(
            &options.place,
            &places.programs.join(papermill::SOURCE_FOLDER),
        ),
        program_folder: places.programs,
        spec_folder,
    })
}

/// Removes a kernelspec, and the programs when no other kernelspec of the place uses them.
///
/// # Errors
/// When there is no such kernelspec, or something cannot be removed.
pub(crate) fn uninstall(place: &Place, name: &str) -> Result<Vec<PathBuf>, String> {
    check_name(name)?;
    let places = place.resolve()?;
    let spec_folder = places.kernels.join(name);
    if !spec::is_ours(&spec_folder) {
        let found: Vec<String> = installed_specs(&places.kernels)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        let found = if found.is_empty() {
            "none".to_owned()
        } else {
            found.join(", ")
        };
        return Err(format!(
            "there is no Swath kernel {name:?} in {}; found: {found}",
            places.kernels.display()
        ));
    }
    let mut removed = vec![spec_folder.clone()];
    files::remove(&spec_folder)?;
    let used = installed_specs(&places.kernels)
        .iter()
        .any(|(_, program)| program.starts_with(&places.programs));
    if !used && places.programs.join(PROGRAMS[0]).exists() {
        files::remove(&places.programs)?;
        if command::unlink(&places.command, &places.programs) {
            removed.push(places.command);
        }
        removed.extend(papermill::uninstall(place));
        removed.push(places.programs);
    }
    Ok(removed)
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
mod tests {
    use super::*;

    fn build(folder: &Path, mark: &str) -> PathBuf {
        let built = folder.join("build");
        std::fs::create_dir_all(built.join("lib-swath/deps")).unwrap();
        std::fs::create_dir_all(built.join("lib-swath/swath-api/src")).unwrap();
        for name in [
            "swath",
            "swath-cell",
            "lib-swath/libswath.so",
            "lib-swath/libswath.rmeta",
            "lib-swath/deps/a.rmeta",
        ] {
            std::fs::write(built.join(name), mark).unwrap();
        }
        std::fs::write(built.join("lib-swath/swath-api/src/lib.rs"), mark).unwrap();
        let toolchain = Toolchain::from_search_path().unwrap();
        std::fs::write(
            built.join("lib-swath/toolchain"),
            toolchain.sysroot.to_str().unwrap(),
        )
        .unwrap();
        built
    }

    fn options(prefix: &Path, name: &str) -> InstallOptions {
        InstallOptions {
            place: Place::Prefix(prefix.to_owned()),
            name: name.to_owned(),
            display_name: "Rust \"Swath\"".to_owned(),
            env: vec![("SWATH_TEST".to_owned(), "a=b \\ c".to_owned())],
        }
    }

    #[test]
    fn an_installation_is_complete_absolute_and_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let prefix = folder.path().join("the prefix");
        let built = build(folder.path(), "one");
        install_from(&built, &options(&prefix, "swath")).unwrap();
        std::fs::write(prefix.join("lib/swath/left-over"), "").unwrap();
        let built = build(folder.path(), "two");
        let installed = install_from(&built, &options(&prefix, "swath")).unwrap();

        assert_eq!(
            std::fs::read_to_string(prefix.join("lib/swath/lib-swath/deps/a.rmeta")).unwrap(),
            "two"
        );
        assert!(!prefix.join("lib/swath/left-over").exists());
        assert_eq!(
            std::fs::read_dir(prefix.join("lib")).unwrap().count(),
            1,
            "nothing temporary is left"
        );
        let spec: serde_json::Value = serde_json::from_str(
            &std::fs::read_to_string(installed.spec_folder.join("kernel.json")).unwrap(),
        )
        .unwrap();
        assert_eq!(
            spec["argv"][0],
            prefix.join("lib/swath/swath").to_str().unwrap()
        );
        assert_eq!(spec["argv"][3], "{connection_file}");
        assert_eq!(spec["display_name"], "Rust \"Swath\"");
        assert_eq!(spec["interrupt_mode"], "message");
        assert_eq!(spec["env"]["SWATH_TEST"], "a=b \\ c");
        for logo in ["logo-32x32.png", "logo-64x64.png", "logo-svg.svg"] {
            assert!(
                installed.spec_folder.join(logo).metadata().unwrap().len() > 100,
                "{logo}"
            );
        }
    }

    #[test]
    fn programs_stay_until_their_last_kernelspec_goes() {
        let folder = tempfile::tempdir().unwrap();
        let prefix = folder.path().join("prefix");
        let built = build(folder.path(), "one");
        install_from(&built, &options(&prefix, "swath")).unwrap();
        install_from(&prefix.join("lib/swath"), &options(&prefix, "swath-2")).unwrap();
        let place = Place::Prefix(prefix.clone());
        assert_eq!(uninstall(&place, "swath").unwrap().len(), 1);
        assert!(prefix.join("lib/swath/swath").exists());
        assert_eq!(
            std::fs::canonicalize(prefix.join("bin/swath")).unwrap(),
            std::fs::canonicalize(prefix.join("lib/swath/swath")).unwrap()
        );
        assert_eq!(uninstall(&place, "swath-2").unwrap().len(), 3);
        assert!(!prefix.join("lib/swath").exists());
        assert!(prefix.join("bin/swath").symlink_metadata().is_err());
        assert!(
            uninstall(&place, "swath")
                .unwrap_err()
                .contains("found: none")
        );
    }

    #[test]
    fn a_kernelspec_that_is_not_ours_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("share/jupyter/kernels/python3");
        std::fs::create_dir_all(&other).unwrap();
        std::fs::write(
            other.join("kernel.json"),
            r#"{"argv": ["python3"], "language": "python"}"#,
        )
        .unwrap();
        assert!(uninstall(&Place::Prefix(folder.path().to_owned()), "python3").is_err());
        assert!(other.join("kernel.json").exists());
    }

    #[test]
    fn an_incomplete_build_and_a_bad_name_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let built = build(folder.path(), "one");
        std::fs::remove_file(built.join("swath-cell")).unwrap();
        let error = install_from(&built, &options(folder.path(), "swath")).unwrap_err();
        assert!(error.contains("swath-cell is missing"), "{error}");
        assert!(install_from(&built, &options(folder.path(), "../x")).is_err());
        assert!(install_from(&built, &options(folder.path(), "")).is_err());
    }
}
