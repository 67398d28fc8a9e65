//! What can go wrong when something is drawn, encoded or saved.

use std::path::PathBuf;

use crate::Hint;

/// What can go wrong in [`crate::plot`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// A file that cannot be used.
    #[error(transparent)]
    File(#[from] crate::FileError),
    /// A figure cannot be saved under that file name.
    #[error("cannot save this figure as {path:?}: expected a name that ends in {expected}")]
    FileType {
        /// The file asked for.
        path: PathBuf,
        /// The endings that this figure can be saved as, such as `.svg or .html`.
        expected: &'static str,
    },
    /// A buffer does not hold one value per pixel.
    #[error("cannot draw {what}: expected {expected} values, found {found}")]
    Shape {
        /// What was to be drawn.
        what: &'static str,
        /// Values expected.
        expected: usize,
        /// Values found.
        found: usize,
    },
    /// A band was asked for that the patch does not have.
    #[error("cannot draw band {band}: the image has {bands} (counted from 0)")]
    Band {
        /// The band asked for, counted from 0.
        band: usize,
        /// Bands in the image.
        bands: usize,
    },
    /// A picture has one band in gray or three in colors.
    #[error("a picture shows one band in gray, or three as red, green and blue, not {found}")]
    BandCount {
        /// Bands asked for.
        found: usize,
    },
    /// An image could not be encoded or decoded.
    #[error("cannot {doing} the image as {format}: {reason}")]
    Codec {
        /// `encode` or `decode`.
        doing: &'static str,
        /// `PNG` or `WebP`.
        format: &'static str,
        /// The codec's own words.
        reason: String,
    },
}

impl Hint for PlotError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) if error.is_absent() => Some(
                "the folder has to exist: `std::fs::create_dir_all(\"figures\")` makes it"
                    .to_owned(),
            ),
            Self::FileType { expected, .. } => Some(format!("use a name that ends in {expected}")),
            Self::Band { bands, .. } if *bands > 0 => Some(format!("bands are 0 to {}", bands - 1)),
            Self::BandCount { .. } => Some(
                "name three, such as `scene.show_bands([\"nir\", \"red\", \"green\"])`, or one"
                    .to_owned(),
            ),
            Self::File(error) => error.hint(),
            Self::Shape { .. } | Self::Band { .. } | Self::Codec { .. } => None,
        }
    }
}
