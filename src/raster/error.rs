use crate::Hint;

/// What can go wrong in [`crate::raster`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RasterError {
    /// A failure of the operating system on a file.
    #[error("cannot access the file: {source}: {path:?}")]
    Io {
        /// The file.
        path: std::path::PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },
}

impl Hint for RasterError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { .. } => None,
        }
    }
}
