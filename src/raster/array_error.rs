use std::path::PathBuf;

use super::RasterError;
use crate::Hint;
use crate::paths::told;

/// What can go wrong with arrays that are to be imagery or labels.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArrayError {
    /// An array with other axes than imagery has.
    #[error("an array of shape {} is no imagery, (rows, columns), (bands, rows, columns) or (rows, columns, bands) was expected{}", shape_words(shape), of_file(path.as_ref()))]
    Axes {
        /// Its shape.
        shape: Vec<usize>,
        /// The file it is in.
        path: Option<PathBuf>,
    },
    /// An array whose first and last axis are as long, so that nothing tells which one counts the bands.
    #[error("nothing tells which axis of an array of shape {} counts the bands{}", shape_words(shape), of_file(path.as_ref()))]
    WhichAxis {
        /// Its shape.
        shape: Vec<usize>,
        /// The file it is in.
        path: Option<PathBuf>,
    },
    /// An array without one value.
    #[error("an array of shape {} holds nothing{}", shape_words(shape), of_file(path.as_ref()))]
    Empty {
        /// Its shape.
        shape: Vec<usize>,
        /// The file it is in.
        path: Option<PathBuf>,
    },
    /// An array with more columns, rows or bands than GDAL counts.
    #[error("an array of shape {} is too large for GDAL, which counts 2^31 - 1 columns and rows and 65,535 bands{}", shape_words(shape), of_file(path.as_ref()))]
    TooLarge {
        /// Its shape.
        shape: Vec<usize>,
        /// The file it is in.
        path: Option<PathBuf>,
    },
    /// Values that are no real numbers.
    #[error("values of the type {found} cannot be imagery or labels{}", of_file(path.as_ref()))]
    Type {
        /// The type, in NumPy's or Burn's words.
        found: String,
        /// The file they are in.
        path: Option<PathBuf>,
    },
    /// Another number of names than of bands.
    #[error("{found} band names were given for {expected} bands")]
    Names {
        /// How many bands there are.
        expected: usize,
        /// How many names were given.
        found: usize,
    },
    /// Labels of another size than the imagery.
    #[error(
        "an array of {found} cannot label imagery of {expected}, which is pixel by pixel without a place of its own"
    )]
    LabelSize {
        /// The imagery's size.
        expected: super::Size,
        /// The array's.
        found: super::Size,
    },
    /// A file that is no array of NumPy.
    #[error("the file is no array that NumPy wrote: {reason}: {told}", told = told(path))]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file that ends before its array does.
    #[error(
        "the file ends before its array: {expected} bytes were expected, {found} are there: {told}", told = told(path)
    )]
    CutShort {
        /// The file.
        path: PathBuf,
        /// Its length, were it complete.
        expected: u64,
        /// Its length.
        found: u64,
    },
    /// An archive of several arrays, of which one must be named, or one that it does not hold.
    #[error("{}: {told}", member_words(wanted.as_deref(), found.len()), told = told(path))]
    Member {
        /// The archive.
        path: PathBuf,
        /// The name that was asked for.
        wanted: Option<String>,
        /// The arrays that it holds, with shape and type.
        found: Vec<String>,
    },
    /// An array that would have to be rearranged in memory, and does not fit.
    #[error(
        "the array has to be {why} in memory, where the {bytes} bytes that this takes do not fit: {told}", told = told(path)
    )]
    Memory {
        /// The file.
        path: PathBuf,
        /// `unpacked`, `rearranged`.
        why: &'static str,
        /// The bytes in memory that this takes.
        bytes: u64,
    },
}

impl From<ArrayError> for crate::Error {
    fn from(error: ArrayError) -> Self {
        RasterError::from(error).into()
    }
}

impl Hint for ArrayError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Axes { shape, .. } if shape.len() > 3 => {
                "take one image of it before: `array[0]` in NumPy, `array.index_axis_move(Axis(0), 0)` in ndarray".to_owned()
            }
            Self::Axes { .. } => "a row of pixels has two axes: `array.reshape(1, -1)` in NumPy".to_owned(),
            Self::WhichAxis { path: Some(_), .. } => {
                "say it: `OpenOptions::new().bands_axis_first()` or `.bands_axis_last()`".to_owned()
            }
            Self::WhichAxis { path: None, .. } => "say it: `ImageArray::new(array).bands_last()`".to_owned(),
            Self::Type { found, .. } if found.contains("complex") => {
                "take what a model is to see: `np.abs(array)`, `np.angle(array)`, or both as two bands".to_owned()
            }
            Self::Type { found, .. } if found.contains("object") => {
                "such a file holds Python objects (pickle), which run code when they are loaded and are not read here; \
                 `np.stack(array)` makes numbers of equal arrays"
                    .to_owned()
            }
            Self::Type { .. } => {
                "convert it before: `array.astype(\"float32\")`; of an array with fields, `array[\"field\"]`".to_owned()
            }
            Self::LabelSize { .. } => {
                "give the array its place, `ImageArray::new(labels).place(georeference)`, or cut it to the imagery".to_owned()
            }
            Self::Format { .. } => "`np.save(\"name.npy\", array)` writes such a file".to_owned(),
            Self::CutShort { .. } => "the copy or the program that wrote it did not finish: write it again".to_owned(),
            Self::Member { found, .. } if found.is_empty() => {
                "`np.savez(\"name.npz\", image=array)` writes such an archive".to_owned()
            }
            Self::Member { path, found, .. } => {
                let first = found[0].split(' ').next().unwrap_or_default();
                format!(
                    "it holds {}; write the name behind a question mark: `{}?{first}`",
                    found.join(", "),
                    path.display()
                )
            }
            Self::Memory { .. } => {
                "write it once as it is read: `np.save(\"name.npy\", np.ascontiguousarray(array))`, which needs no memory here"
                    .to_owned()
            }
            Self::Names { .. } | Self::Empty { .. } | Self::TooLarge { .. } => return None,
        })
    }
}

fn of_file(path: Option<&PathBuf>) -> String {
    path.map_or_else(String::new, |path| format!(": {path:?}"))
}

/// `(3, 256, 256)` as NumPy writes it.
pub(super) fn shape_words(shape: &[usize]) -> String {
    let sides: Vec<String> = shape.iter().map(usize::to_string).collect();
    match sides.as_slice() {
        [one] => format!("({one},)"),
        many => format!("({})", many.join(", ")),
    }
}

fn member_words(wanted: Option<&str>, count: usize) -> String {
    match (wanted, count) {
        (Some(wanted), _) => format!("the archive holds no array {wanted:?}"),
        (None, 0) => "the archive holds no array".to_owned(),
        (None, _) => format!("the archive holds {count} arrays, one of them must be named"),
    }
}
