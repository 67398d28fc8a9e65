//! The Rust toolchain: the one that built the library must compile the cells.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The version of Rust that this program, and so the library beside it, was built with.
pub(crate) fn built_for() -> &'static str {
    env!("SWATH_RUSTC_VERSION")
}

/// The folder beside the program with the library and what compiling a cell needs (`scripts/build-dylib.sh`).
pub(crate) const LIBRARY_FOLDER: &str = "lib-swath";

/// Where the tools are, without rustup's proxies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Toolchain {
    /// `rustc --print sysroot`.
    pub(crate) sysroot: PathBuf,
    /// The first line of `rustc --version`.
    pub(crate) version: String,
}

impl Toolchain {
    /// The toolchain recorded with the library in `lib_dir`, or the one that `rustc` on the search path belongs to.
    ///
    /// # Errors
    /// When there is none, with where to get one.
    pub(crate) fn find(lib_dir: &Path) -> Result<Self, String> {
        if let Ok(recorded) = std::fs::read_to_string(lib_dir.join("toolchain")) {
            let sysroot = PathBuf::from(recorded.trim());
            let version =
                std::fs::read_to_string(lib_dir.join("rustc-version")).unwrap_or_default();
            if sysroot.join("bin/rustc").is_file() {
                return Ok(Self {
                    sysroot,
                    version: version.lines().next().unwrap_or_default().to_owned(),
                });
            }
        }
        Self::from_search_path()
    }

    /// Asks `rustc` (or `RUSTC`) for its folder and version.
    ///
    /// # Errors
    /// When it cannot be run.
    pub(crate) fn from_search_path() -> Result<Self, String> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let ask = |arguments: &[&str]| run(Path::new(&rustc), arguments);
        Ok(Self {
            sysroot: PathBuf::from(ask(&["--print", "sysroot"])?),
            version: ask(&["--version"])?,
        })
    }

    /// A tool of this toolchain, such as `rustc`.
    pub(crate) fn tool(&self, name: &str) -> PathBuf {
        self.sysroot.join("bin").join(name)
    }

    /// What the toolchain's `rustc` says it is now.
    ///
    /// # Errors
    /// When it cannot be run.
    pub(crate) fn current_version(&self) -> Result<String, String> {
        run(&self.tool("rustc"), &["--version"])
    }

    /// The folder of the shared standard library that cells and the library link to.
    pub(crate) fn standard_library_folder(&self) -> Option<PathBuf> {
        let targets = std::fs::read_dir(self.sysroot.join("lib/rustlib")).ok()?;
        let holds_std = |folder: &PathBuf| {
            std::fs::read_dir(folder).is_ok_and(|files| {
                files.flatten().any(|file| {
                    let name = file.file_name();
                    let name = name.to_string_lossy();
                    name.starts_with("libstd-") && name.ends_with(".so")
                })
            })
        };
        let host = format!("{}-", std::env::consts::ARCH);
        let mut folders: Vec<PathBuf> = targets
            .flatten()
            .filter(|target| target.file_name().to_string_lossy().starts_with(&host))
            .map(|target| target.path().join("lib"))
            .filter(holds_std)
            .collect();
        folders.sort_by_key(|folder| !folder.to_string_lossy().contains("linux-gnu"));
        folders.into_iter().next()
    }
}

fn run(program: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| {
            format!(
                "rustc cannot be run: {error}; install it from https://rustup.rs: {}",
                program.display()
            )
        })?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "rustc {} failed: {}",
            arguments.join(" "),
            reason.trim()
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The folder of the running program: the library's folder lies beside it.
pub(crate) fn program_folder() -> PathBuf {
    std::env::current_exe()
        .ok()
        .and_then(|program| program.canonicalize().ok())
        .and_then(|program| program.parent().map(Path::to_owned))
        .unwrap_or_else(|| PathBuf::from("."))
}

/// The library's folder: `SWATH_LIB_DIR`, or the one beside the program.
pub(crate) fn library_folder() -> PathBuf {
    std::env::var_os(swath_link::environment::LIB_DIR)
        .map_or_else(|| program_folder().join(LIBRARY_FOLDER), PathBuf::from)
}
