//! Where kernels and their kernelspecs go.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A choice of place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The user's own data folder.
    User,
    /// The Python or conda environment that is active.
    SysPrefix,
    /// A given prefix.
    Prefix(PathBuf),
}

/// The folders of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Places {
    /// The folder of all versions.
    pub(crate) versions: PathBuf,
    /// Program and library of this version.
    pub(crate) programs: PathBuf,
    /// Jupyter's kernelspecs.
    pub(crate) kernels: PathBuf,
    /// The command `swath`, in a folder that is usually on the search path.
    pub(crate) command: PathBuf,
}

impl Place {
    /// The prefix, for places that have one.
    ///
    /// # Errors
    /// When it is the active environment's and there is none.
    pub(super) fn prefix(&self) -> Result<PathBuf, String> {
        match self {
            Self::User => Err("the user's own place has no prefix".to_owned()),
            Self::Prefix(prefix) => Ok(prefix.clone()),
            Self::SysPrefix => variable("VIRTUAL_ENV")
                .or_else(|| variable("CONDA_PREFIX"))
                .or_else(python_prefix)
                .ok_or_else(|| {
                    "there is no active Python environment: activate one or give --prefix DIR"
                        .to_owned()
                }),
        }
    }

    /// The folders of this version, absolute.
    ///
    /// # Errors
    /// When there is no home folder, or no active environment.
    pub(crate) fn resolve(&self) -> Result<Places, String> {
        self.of_version(env!("CARGO_PKG_VERSION"))
    }

    /// The folders of a version, absolute.
    ///
    /// # Errors
    /// As of [`Place::resolve`].
    pub(super) fn of_version(&self, version: &str) -> Result<Places, String> {
        match self {
            Self::User => {
                let data = dirs::data_dir().ok_or("there is no home folder: give --prefix DIR")?;
                let jupyter = variable("JUPYTER_DATA_DIR").unwrap_or_else(|| data.join("jupyter"));
                let versions = absolute(&data.join("swath/kernel"))?;
                Ok(Places {
                    programs: versions.join(version),
                    versions,
                    kernels: absolute(&jupyter.join("kernels"))?,
                    command: dirs::executable_dir()
                        .unwrap_or_else(|| data.join("swath/bin"))
                        .join("swath"),
                })
            }
            Self::SysPrefix => Self::Prefix(self.prefix()?).of_version(version),
            Self::Prefix(prefix) => {
                let prefix = absolute(prefix)?;
                let versions = prefix.join("lib/swath");
                Ok(Places {
                    programs: versions.join(version),
                    versions,
                    kernels: prefix.join("share/jupyter/kernels"),
                    command: prefix.join("bin/swath"),
                })
            }
        }
    }
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

fn absolute(path: &Path) -> Result<PathBuf, String> {
    std::path::absolute(path)
        .map_err(|error| format!("the folder is no path: {error}: {}", path.display()))
}

fn python_prefix() -> Option<PathBuf> {
    let output = Command::new("python3")
        .args(["-c", "import sys; print(sys.prefix)"])
        .output()
        .ok()?;
    let prefix = String::from_utf8(output.stdout).ok()?;
    output
        .status
        .success()
        .then(|| PathBuf::from(prefix.trim()))
}
