//! The Rust toolchain: the one that built the library must compile the cells.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

/// The version of Rust that this program, and so the library beside it, was built with.
pub(crate) fn built_for() -> &'static str {
    env!("SWATH_RUSTC_VERSION")
}

/// Where the tools are, without rustup's proxies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Toolchain {
    /// `rustc --print sysroot`.
    pub(crate) sysroot: PathBuf,
    /// The first line of `rustc --version`.
    pub(crate) version: String,
}

/// The file that `swath install` writes beside the program.
pub(crate) const RECORD: &str = "toolchain.json";

impl Toolchain {
    /// The recorded toolchain, or the one that `rustc` on the search path belongs to.
    ///
    /// # Errors
    /// When there is none, with the command that installs one.
    pub(crate) fn find(lib_dir: &Path) -> Result<Self, String> {
        let recorded = std::fs::read_to_string(lib_dir.join(RECORD)).ok();
        if let Some(recorded) = recorded.and_then(|text| serde_json::from_str::<Self>(&text).ok())
            && recorded.sysroot.join("bin/rustc").is_file()
        {
            return Ok(recorded);
        }
        Self::from_search_path()
    }

    /// Asks `rustc` (or `RUSTC`) for its folder and version.
    ///
    /// # Errors
    /// When it cannot be run.
    pub(crate) fn from_search_path() -> Result<Self, String> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let ask = |argument: &[&str]| -> Result<String, String> {
            let output = Command::new(&rustc)
                .args(argument)
                .output()
                .map_err(|error| {
                    format!(
                        "rustc cannot be run: {error}; install it from https://rustup.rs: {}",
                        rustc.display()
                    )
                })?;
            if !output.status.success() {
                return Err(format!(
                    "rustc {} failed: {}",
                    argument.join(" "),
                    String::from_utf8_lossy(&output.stderr).trim()
                ));
            }
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        Ok(Self {
            sysroot: PathBuf::from(ask(&["--print", "sysroot"])?),
            version: ask(&["--version"])?,
        })
    }

    /// A tool of this toolchain, such as `rustc`.
    pub(crate) fn tool(&self, name: &str) -> PathBuf {
        self.sysroot.join("bin").join(name)
    }
}

/// The folder of the running program: the library and its metadata lie beside it.
pub(crate) fn program_folder() -> PathBuf {
    std::env::current_exe()
        .ok()
        .and_then(|program| program.canonicalize().ok())
        .and_then(|program| program.parent().map(Path::to_owned))
        .unwrap_or_else(|| PathBuf::from("."))
}
