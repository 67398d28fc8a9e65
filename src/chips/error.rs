use crate::Hint;

/// What can go wrong in [`crate::chips`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChipsError {
    /// A failure of the operating system on a file.
    #[error("cannot access the file: {source}: {path:?}")]
    Io {
        /// The file.
        path: std::path::PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },
}

impl Hint for ChipsError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { .. } => None,
        }
    }
}
