//! The installation itself: the library, its compiler, GDAL.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Finding, on_path};
use crate::install::{Manifest, libraries_needed, linked_folder};
use crate::natives;
use crate::toolchain::{Toolchain, built_for, program_folder, readable};

pub(super) fn library(lib_dir: &Path) -> Finding {
    let missing: Vec<&str> = ["libswath.so", "libswath.rmeta", "deps", "swath-api"]
        .into_iter()
        .filter(|name| !lib_dir.join(name).exists())
        .collect();
    if !missing.is_empty() {
        return Finding::bad(
            format!("{} missing in {}", missing.join(", "), lib_dir.display()),
            "make build && swath install",
        );
    }
    for name in ["libswath.so", "libswath.rmeta"] {
        if let Err(error) = std::fs::File::open(lib_dir.join(name)) {
            return Finding::bad(
                format!("{} cannot be read: {error}", lib_dir.join(name).display()),
                "whoever has installed it: swath install --with-toolchain, which makes it readable",
            );
        }
    }
    let programs = program_folder();
    let damaged = Manifest::read(&programs)
        .map(|manifest| {
            let damaged = manifest.damaged(&programs);
            let first = damaged.first().map(|path| path.display().to_string());
            (damaged.len(), first.unwrap_or_default())
        })
        .unwrap_or_default();
    match damaged {
        (0, _) => Finding::Good(lib_dir.display().to_string()),
        (count, first) => Finding::bad(
            format!(
                "{count} of the installed files are missing or not whole in {}, such as {first}",
                programs.display()
            ),
            "install again: swath install",
        ),
    }
}

/// Whether the system's C library is new enough for everything that is loaded.
pub(super) fn c_library(lib_dir: &Path) -> Finding {
    let mut files = vec![lib_dir.join("libswath.so")];
    if let Some(toolchain) = Toolchain::recorded(lib_dir) {
        files.push(toolchain.join("bin/rustc"));
    }
    let needed = files
        .iter()
        .filter_map(|file| Some((libraries_needed(file)?, file)))
        .max();
    let Some((needed, file)) = needed else {
        return Finding::note(
            "what the library needs of the C library cannot be read",
            "install again: swath install",
        );
    };
    let here = system_version();
    let text = |(major, minor): (u32, u32)| format!("{major}.{minor}");
    match here {
        Some(here) if here < needed => Finding::bad(
            format!(
                "glibc {} is too old: {} needs {}",
                text(here),
                file.display(),
                text(needed)
            ),
            "build on this machine, or on one as old: make build   (or: a container of a newer system)",
        ),
        Some(here) => Finding::Good(format!("glibc {}, {} is needed", text(here), text(needed))),
        None => Finding::note("no glibc", "use a system with the GNU C library"),
    }
}

fn system_version() -> Option<(u32, u32)> {
    // SAFETY: the function returns a text that is always there.
    let text = unsafe { std::ffi::CStr::from_ptr(libc::gnu_get_libc_version()) };
    let mut parts = text.to_str().ok()?.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

pub(super) fn toolchain(lib_dir: &Path, found: &Result<Toolchain, String>) -> Finding {
    let pinned = format!(
        "rustup toolchain install {} --component rust-src",
        built_for()
    );
    // Another toolchain may stand in for one that cannot be read, and does not fit.
    let unreadable = Toolchain::recorded(lib_dir)
        .and_then(|recorded| readable(&recorded.join("bin/rustc")).err());
    match found
        .as_ref()
        .map_err(Clone::clone)
        .and_then(|toolchain| Ok((toolchain, toolchain.current_version()?)))
    {
        Ok((toolchain, version)) if version.split_whitespace().nth(1) == Some(built_for()) => {
            if toolchain.standard_library_folder().is_none() {
                return Finding::bad(
                    format!("{version} has no shared standard library (libstd-*.so)"),
                    pinned,
                );
            }
            match unreadable {
                Some(reason) => Finding::note(
                    reason,
                    format!(
                        "until then another one is used: {}",
                        toolchain.sysroot.display()
                    ),
                ),
                None => Finding::Good(format!("{version} in {}", toolchain.sysroot.display())),
            }
        }
        Ok((_, version)) => Finding::bad(
            format!(
                "{}{version}, but the library was built with {}",
                unreadable
                    .map(|reason| format!("{reason}; found "))
                    .unwrap_or_default(),
                built_for()
            ),
            format!("{pinned}; or build again: make build"),
        ),
        Err(reason) => Finding::bad(
            reason,
            format!("curl -sSf https://sh.rustup.rs | sh; {pinned}"),
        ),
    }
}

pub(super) fn rust_source(toolchain: &Result<Toolchain, String>) -> Finding {
    let in_sysroot = toolchain
        .iter()
        .map(|toolchain| toolchain.sysroot.join("lib/rustlib/src/rust/library"));
    let given = std::env::var_os("RUST_SRC_PATH").map(PathBuf::from);
    match in_sysroot
        .chain(given)
        .find(|folder| folder.join("std").is_dir())
    {
        Some(folder) => Finding::Good(folder.display().to_string()),
        None => Finding::note(
            "the standard library's sources are missing: completion and inspection know less",
            "rustup component add rust-src   (Debian: apt-get install rust-src, and RUST_SRC_PATH)",
        ),
    }
}

/// Whether GDAL is found, and finds its tables: the library itself draws a small raster with a reference system.
pub(super) fn gdal(lib_dir: &Path) -> Finding {
    let own = natives::library_folders(lib_dir)
        .into_iter()
        .find(|folder| {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries
                .into_iter()
                .any(|it| it.file_name().to_string_lossy().starts_with("libgdal"))
        });
    let mend = "apt-get install libgdal-dev   (or: conda install -c conda-forge libgdal, then build with GDAL_HOME)";
    let folder = match own.or_else(|| linked_folder(&lib_dir.join("libswath.so"), "libgdal")) {
        Some(folder) => folder,
        None => match on_path("gdal-config")
            .and_then(|program| Command::new(program).arg("--version").output().ok())
        {
            Some(version) => {
                return Finding::note(
                    format!(
                        "GDAL {} is here, but the library is not linked to it",
                        String::from_utf8_lossy(&version.stdout).trim()
                    ),
                    "make build",
                );
            }
            None => return Finding::bad("libgdal is not found by the loader", mend),
        },
    };
    match draw_a_raster() {
        Ok(()) => Finding::Good(format!("libgdal in {}", folder.display())),
        Err(reason) => Finding::bad(
            format!("libgdal in {} does not work: {reason}", folder.display()),
            "unset GDAL_DATA PROJ_DATA PROJ_LIB   (or set them to the folders of this GDAL: its share/gdal and share/proj)",
        ),
    }
}

fn draw_a_raster() -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let output = Command::new(program)
        .args(["sample", "town", "--size", "64", "--out"])
        .arg(folder.path().join("town"))
        .output()
        .map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said
        .lines()
        .map(str::trim)
        .find(|line| line.contains("PROJ") || line.contains("error"));
    if output.status.success() {
        return Ok(());
    }
    Err(last
        .or(said.lines().last())
        .unwrap_or("no reason was given")
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_not_complete_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let finding = library(folder.path());
        assert!(
            matches!(&finding, Finding::Bad(found, mend) if found.contains("libswath.so, libswath.rmeta, deps, swath-api missing")
                && mend.contains("make build")),
            "{finding:?}"
        );
    }

    #[test]
    fn a_c_library_that_is_too_old_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let system = linked_folder(&std::env::current_exe().unwrap(), "libc.so").unwrap();
        let mut bytes = std::fs::read(system.join("libm.so.6")).unwrap();
        let file = folder.path().join("libswath.so");
        std::fs::write(&file, &bytes).unwrap();
        assert!(matches!(c_library(folder.path()), Finding::Good(_)));
        // As if it had been built on a system of the future.
        let old = b"GLIBC_2.2.5\0";
        let places: Vec<usize> = (0..bytes.len() - old.len())
            .filter(|at| bytes[*at..].starts_with(old))
            .collect();
        for at in places {
            bytes[at..at + old.len()].copy_from_slice(b"GLIBC_9.9.9\0");
        }
        std::fs::write(&file, &bytes).unwrap();
        let finding = c_library(folder.path());
        assert!(
            matches!(&finding, Finding::Bad(found, _) if found.contains("needs 9.9")),
            "{finding:?}"
        );
    }

    #[test]
    fn a_toolchain_that_is_gone_or_of_another_version_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("toolchain"), "/nowhere").unwrap();
        let finding = toolchain(folder.path(), &Err("the compiler is gone".to_owned()));
        assert!(
            matches!(&finding, Finding::Bad(found, mend) if found.contains("gone") && mend.contains("rustup"))
        );
        // One that says another version.
        let rustc = folder.path().join("bin/rustc");
        std::fs::create_dir_all(rustc.parent().unwrap()).unwrap();
        std::fs::write(&rustc, "#!/bin/sh\necho rustc 1.2.3\n").unwrap();
        std::fs::set_permissions(&rustc, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
        let other = Toolchain {
            sysroot: folder.path().to_owned(),
            version: String::new(),
        };
        let finding = toolchain(folder.path(), &Ok(other));
        assert!(
            matches!(&finding, Finding::Bad(found, _) if found.contains("rustc 1.2.3, but the library was built with")),
            "{finding:?}"
        );
        // The right one stands in for one that is gone.
        let finding = toolchain(folder.path(), &Toolchain::from_search_path());
        assert!(
            matches!(&finding, Finding::Note(found, _) if found.contains("/nowhere")),
            "{finding:?}"
        );
    }

    #[test]
    fn missing_sources_are_a_note() {
        let folder = tempfile::tempdir().unwrap();
        let bare = Toolchain {
            sysroot: folder.path().to_owned(),
            version: String::new(),
        };
        let finding = rust_source(&Ok(bare));
        assert!(
            matches!(&finding, Finding::Note(_, advice) if advice.contains("rust-src")),
            "{finding:?}"
        );
    }
}
