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
        let Some(sysroot) = Self::recorded(lib_dir) else {
            return Self::from_search_path();
        };
        if let Err(reason) = readable(&sysroot.join("bin/rustc")) {
            return Self::from_search_path().map_err(|_| reason);
        }
        let version = std::fs::read_to_string(lib_dir.join("rustc-version")).unwrap_or_default();
        Ok(Self {
            sysroot,
            version: version.lines().next().unwrap_or_default().to_owned(),
        })
    }

    /// The folder that is recorded with the library; a relative path starts at the library's folder.
    pub(crate) fn recorded(lib_dir: &Path) -> Option<PathBuf> {
        let text = std::fs::read_to_string(lib_dir.join("toolchain")).ok()?;
        let recorded = lib_dir.join(text.trim());
        Some(recorded.canonicalize().unwrap_or(recorded))
    }

    /// Whether the library's folder has its toolchain beside it.
    pub(crate) fn is_inside(lib_dir: &Path) -> bool {
        std::fs::read_to_string(lib_dir.join("toolchain"))
            .is_ok_and(|text| Path::new(text.trim()).is_relative())
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

/// Whether this user can read a file of a toolchain.
///
/// # Errors
/// Why not, and what helps.
pub(crate) fn readable(rustc: &Path) -> Result<(), String> {
    match std::fs::File::open(rustc) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Err(format!(
            "the compiler {} cannot be read by this user: whoever has installed Swath can bring it along: \
             swath install --with-toolchain",
            rustc.display()
        )),
        Err(error) => Err(format!(
            "the compiler {} that this installation was made with is gone ({error}): install again",
            rustc.display()
        )),
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

/// Puts the tools of an installation that has its own at the end of the search path, so that commands in cells find its
/// cargo where there is no other. Call it while the process has one thread.
pub(crate) fn complete_search_path() {
    let tools = program_folder().join("toolchain/bin");
    // Without cargo they are of no use to commands: rustc alone, without the standard library's objects, links nothing.
    if !tools.join("cargo").is_file() {
        return;
    }
    let mut folders: Vec<PathBuf> = std::env::var_os("PATH")
        .iter()
        .flat_map(std::env::split_paths)
        .collect();
    if folders.contains(&tools) {
        return;
    }
    folders.push(tools);
    if let Ok(path) = std::env::join_paths(folders) {
        // SAFETY: the caller promises that there are no other threads.
        unsafe { std::env::set_var("PATH", path) };
    }
}

/// The library's folder: `SWATH_LIB_DIR`, or the one beside the program.
pub(crate) fn library_folder() -> PathBuf {
    std::env::var_os(swath_link::environment::LIB_DIR)
        .map_or_else(|| program_folder().join(LIBRARY_FOLDER), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_toolchain_moves_with_the_library() {
        let folder = tempfile::tempdir().unwrap();
        let lib_dir = folder.path().join("here/lib-swath");
        let tools = folder.path().join("here/toolchain/bin");
        std::fs::create_dir_all(&lib_dir).unwrap();
        std::fs::create_dir_all(&tools).unwrap();
        std::fs::write(tools.join("rustc"), "").unwrap();
        std::fs::write(lib_dir.join("toolchain"), "../toolchain\n").unwrap();
        std::fs::write(lib_dir.join("rustc-version"), "rustc 9.9.9\nhost: x\n").unwrap();
        assert!(Toolchain::is_inside(&lib_dir));
        std::fs::rename(folder.path().join("here"), folder.path().join("there")).unwrap();
        let lib_dir = folder.path().join("there/lib-swath");
        let found = Toolchain::find(&lib_dir).unwrap();
        assert_eq!(
            found.sysroot,
            folder
                .path()
                .join("there/toolchain")
                .canonicalize()
                .unwrap()
        );
        assert_eq!(found.version, "rustc 9.9.9");

        std::fs::write(lib_dir.join("toolchain"), "/nowhere/at/all").unwrap();
        assert!(!Toolchain::is_inside(&lib_dir));
        let error = readable(Path::new("/nowhere/at/all/bin/rustc")).unwrap_err();
        assert!(
            error.contains("is gone") && error.contains("install again"),
            "{error}"
        );
    }
}
