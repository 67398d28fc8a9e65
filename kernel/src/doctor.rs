//! `swath doctor`: what is missing on this machine, and the command that mends it.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::install::{Place, installed_specs, linked_folder};
use crate::toolchain::{Toolchain, built_for, library_folder, program_folder};

/// How a check ended.
enum Finding {
    Good(String),
    /// Something is slower or missing that is not needed.
    Note(String, String),
    /// What is wrong, and what mends it.
    Bad(String, String),
}

/// Prints every check; returns whether all that is needed is there.
pub(crate) fn examine(print: impl Fn(&str)) -> bool {
    let lib_dir = library_folder();
    let toolchain = Toolchain::find(&lib_dir);
    let checks = [
        ("library", library(&lib_dir)),
        ("toolchain", check_toolchain(&toolchain)),
        ("rust-src", rust_source(&toolchain)),
        ("linker", linker()),
        ("GDAL", gdal(&lib_dir)),
        ("temporary files", temporary_folder()),
        ("Jupyter", jupyter()),
        ("kernelspec", kernelspec()),
        ("GPU", gpu()),
    ];
    let mut well = true;
    for (name, finding) in checks {
        match finding {
            Finding::Good(found) => print(&format!("ok    {name}: {found}\n")),
            Finding::Note(found, advice) => {
                print(&format!("note  {name}: {found}\n          {advice}\n"));
            }
            Finding::Bad(found, mend) => {
                well = false;
                print(&format!("BAD   {name}: {found}\n          {mend}\n"));
            }
        }
    }
    well
}

fn library(lib_dir: &Path) -> Finding {
    let missing: Vec<&str> = ["libswath.so", "libswath.rmeta", "deps", "swath-api"]
        .into_iter()
        .filter(|name| !lib_dir.join(name).exists())
        .collect();
    if missing.is_empty() {
        return Finding::Good(lib_dir.display().to_string());
    }
    Finding::Bad(
        format!("{} missing in {}", missing.join(", "), lib_dir.display()),
        "make build && swath install".to_owned(),
    )
}

fn check_toolchain(toolchain: &Result<Toolchain, String>) -> Finding {
    let pinned = format!(
        "rustup toolchain install {} --component rust-src",
        built_for()
    );
    match toolchain
        .as_ref()
        .map_err(Clone::clone)
        .and_then(|toolchain| Ok((toolchain, toolchain.current_version()?)))
    {
        Ok((toolchain, version)) if version.split_whitespace().nth(1) == Some(built_for()) => {
            if toolchain.standard_library_folder().is_none() {
                return Finding::Bad(
                    format!("{version} has no shared standard library (libstd-*.so)"),
                    pinned,
                );
            }
            Finding::Good(format!("{version} in {}", toolchain.sysroot.display()))
        }
        Ok((_, version)) => Finding::Bad(
            format!("{version}, but the library was built with {}", built_for()),
            format!("{pinned}; or build again: make build"),
        ),
        Err(reason) => Finding::Bad(
            reason,
            format!("curl -sSf https://sh.rustup.rs | sh; {pinned}"),
        ),
    }
}

fn rust_source(toolchain: &Result<Toolchain, String>) -> Finding {
    let in_sysroot = toolchain
        .iter()
        .map(|toolchain| toolchain.sysroot.join("lib/rustlib/src/rust/library"));
    let given = std::env::var_os("RUST_SRC_PATH").map(PathBuf::from);
    match in_sysroot
        .chain(given)
        .find(|folder| folder.join("std").is_dir())
    {
        Some(folder) => Finding::Good(folder.display().to_string()),
        None => Finding::Note(
            "the standard library's sources are missing: completion and inspection know less"
                .to_owned(),
            "rustup component add rust-src   (Debian: apt-get install rust-src, and RUST_SRC_PATH)"
                .to_owned(),
        ),
    }
}

/// The first file of this name on the search path.
fn on_path(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

fn linker() -> Finding {
    let Some(compiler) = ["cc", "gcc", "clang"].iter().find_map(|name| on_path(name)) else {
        return Finding::Bad(
            "no C compiler, which links crates that a cell adds".to_owned(),
            "apt-get install gcc   (or: conda install -c conda-forge gcc_linux-64)".to_owned(),
        );
    };
    match ["mold", "ld.lld", "ld"]
        .iter()
        .find_map(|name| on_path(name))
    {
        Some(linker) => Finding::Good(format!("{}, {}", compiler.display(), linker.display())),
        None => Finding::Bad(
            "no linker".to_owned(),
            "apt-get install mold   (or: binutils)".to_owned(),
        ),
    }
}

fn gdal(lib_dir: &Path) -> Finding {
    let mend = "apt-get install libgdal-dev   (or: conda install -c conda-forge libgdal, then build with GDAL_HOME)".to_owned();
    match linked_folder(&lib_dir.join("libswath.so"), "libgdal") {
        Some(folder) => Finding::Good(format!("libgdal in {}", folder.display())),
        None => match on_path("gdal-config")
            .and_then(|program| Command::new(program).arg("--version").output().ok())
        {
            Some(version) => Finding::Note(
                format!(
                    "GDAL {} is here, but the library is not linked to it",
                    String::from_utf8_lossy(&version.stdout).trim()
                ),
                "make build".to_owned(),
            ),
            None => Finding::Bad("libgdal is not found by the loader".to_owned(), mend),
        },
    }
}

fn temporary_folder() -> Finding {
    let folder = std::env::temp_dir();
    let Ok(path) = CString::new(folder.as_os_str().as_bytes()) else {
        return Finding::Bad(
            "TMPDIR is no path".to_owned(),
            "export TMPDIR=/dev/shm".to_owned(),
        );
    };
    // SAFETY: an all-zero statvfs is valid, and the path is zero-terminated.
    let (status, flags) = unsafe {
        let mut about: libc::statvfs = std::mem::zeroed();
        (libc::statvfs(path.as_ptr(), &mut about), about.f_flag)
    };
    if status != 0 || tempfile::tempfile_in(&folder).is_err() {
        return Finding::Bad(
            format!("{} cannot be written", folder.display()),
            "export TMPDIR=<a folder that can>".to_owned(),
        );
    }
    if flags & libc::ST_NOEXEC != 0 {
        return Finding::Bad(
            format!(
                "{} is mounted noexec: compiled cells cannot be loaded from it",
                folder.display()
            ),
            "swath install --env TMPDIR <a folder without noexec>".to_owned(),
        );
    }
    Finding::Good(folder.display().to_string())
}

fn jupyter() -> Finding {
    match ["jupyter-lab", "jupyter-notebook", "jupyter"]
        .iter()
        .find_map(|name| on_path(name))
    {
        Some(program) => Finding::Good(program.display().to_string()),
        None => Finding::Note(
            "not on the search path".to_owned(),
            "pip install jupyterlab   (or: make lab)".to_owned(),
        ),
    }
}

fn kernelspec() -> Finding {
    let mut folders: Vec<PathBuf> = std::env::var_os("JUPYTER_PATH")
        .iter()
        .flat_map(std::env::split_paths)
        .map(|folder| folder.join("kernels"))
        .collect();
    let places = [
        Place::User,
        Place::SysPrefix,
        Place::Prefix("/usr/local".into()),
        Place::Prefix("/usr".into()),
    ];
    // The environment that this program is installed in, active or not.
    let own = program_folder();
    let prefix = own.ends_with("lib/swath").then(|| own.ancestors().nth(2));
    let own = prefix
        .flatten()
        .map(|prefix| Place::Prefix(prefix.to_owned()));
    folders.extend(
        own.iter()
            .chain(&places)
            .filter_map(|place| place.resolve().ok())
            .map(|places| places.kernels),
    );
    let specs: Vec<(String, PathBuf)> = folders
        .iter()
        .flat_map(|folder| installed_specs(folder))
        .collect();
    match specs.first() {
        None => Finding::Bad(
            "not installed where Jupyter looks".to_owned(),
            "swath install".to_owned(),
        ),
        Some((name, program)) if !program.is_file() => Finding::Bad(
            format!("{name} starts {}, which is not there", program.display()),
            "swath install".to_owned(),
        ),
        Some((name, program)) => Finding::Good(format!("{name} starts {}", program.display())),
    }
}

fn gpu() -> Finding {
    let listed =
        on_path("nvidia-smi").and_then(|program| Command::new(program).arg("-L").output().ok());
    match listed.filter(|output| output.status.success()) {
        Some(output) => Finding::Good(
            String::from_utf8_lossy(&output.stdout)
                .trim()
                .replace('\n', "; "),
        ),
        None => Finding::Note(
            "no NVIDIA driver answers: models train on the CPU".to_owned(),
            "on a cluster: ask for a node with a GPU".to_owned(),
        ),
    }
}
