//! What goes wrong with files, whatever is in them: one error for all domains.

use std::io;
use std::path::PathBuf;

use crate::host::either;
use crate::{Hint, staged};

/// A file or folder that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// A failure of the operating system.
    #[error("cannot {action}: {source}: {path:?}")]
    Io {
        /// What was attempted.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's own error.
        source: io::Error,
    },
    /// Something was to be saved over a file that holds something else.
    #[error("there is a file of that name that nothing of the kind was saved to: {path:?}")]
    OfOthers {
        /// The file.
        path: PathBuf,
    },
    /// A folder was named like a file.
    #[error("several files are saved into a folder, and {path:?} is the name of one")]
    FolderName {
        /// The name.
        path: PathBuf,
    },
    /// The folder for cells was named like a file.
    #[error(
        "the cells of a scene are several files in a folder, and {path:?} is the name of one file"
    )]
    CellsFile {
        /// The name.
        path: PathBuf,
    },
}

impl FileError {
    /// A file that could not be read or written.
    ///
    /// ```
    /// let read = |path: &str| std::fs::read(path).map_err(|source| swath::FileError::new(path, source));
    /// assert!(read("nowhere.txt").is_err_and(|error| error.to_string().contains("nowhere.txt")));
    /// ```
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Io {
            action: "access the file",
            path: path.into(),
            source,
        }
    }

    /// Whether the file is not there.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

impl Hint for FileError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { path, source, .. } => staged::hint(path, source),
            Self::OfOthers { .. } => {
                Some("choose another name, or remove that file first".to_owned())
            }
            Self::FolderName { path } => {
                let folder = path.with_extension("");
                Some(either(
                    format!(
                        "`.save({folder:?})` makes a folder; of maps and boxes `.objects()?.save(\"objects.gpkg\")` saves the areas \
                         or boxes as one file"
                    ),
                    format!("`--out {}` names a folder", folder.display()),
                ))
            }
            Self::CellsFile { path } => {
                let folder = path.with_extension("");
                Some(format!(
                    "`cells.save({folder:?})` (`%map save={}`) makes a folder: the squares are in its `cells.gpkg` and \
                     `cells.geojson`, one pixel for each cell in `cell_labels.tif`",
                    folder.display()
                ))
            }
        }
    }
}
