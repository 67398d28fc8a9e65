use crate::Hint;

/// What can go wrong in [`crate::data`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// There is no data set of this name.
    #[error("there is no data set named {name:?}")]
    UnknownName {
        /// What was asked for.
        name: String,
    },
    /// A failure of the operating system on a file.
    #[error("cannot access the file: {source}: {path:?}")]
    Io {
        /// The file.
        path: std::path::PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },
}

impl Hint for DataError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownName { .. } => {
                Some("there are: banepa, efficientnet-lite0, neon".to_owned())
            }
            Self::Io { .. } => None,
        }
    }
}
