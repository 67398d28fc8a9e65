//! Label files of boxes: COCO, Pascal VOC, YOLO and CSV, read and written.
//!
//! All four become [`LabelledImage`]s in one convention: pixels with exclusive far edges, class names as text. Boxes that
//! are none (no width, NaN, edges the wrong way round) are left out and counted in [`BoxFile::left_out`]; what makes a file
//! contradict itself is an error.

pub mod coco;
pub mod csv;
mod error;
pub mod voc;
mod xml;
pub mod yolo;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use error::FormatError;

use crate::BoundingBox;

/// A box with the name of its class, as a label file holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelledBox {
    /// Where it is, in pixels of its image.
    pub bounds: BoundingBox,
    /// The name of its class; empty where the file names none.
    pub class: String,
    /// Whether it stands for an uncounted crowd (COCO's `iscrowd`).
    pub crowd: bool,
    /// The area of its mask in square pixels, where the file gives one.
    pub area: Option<f64>,
}

impl LabelledBox {
    /// One object of a class.
    #[must_use]
    pub fn new(bounds: BoundingBox, class: impl Into<String>) -> Self {
        Self {
            bounds,
            class: class.into(),
            crowd: false,
            area: None,
        }
    }
}

/// An image and its boxes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LabelledImage {
    /// The image's file name, as the label file gives it; empty when it gives none.
    pub file: String,
    /// Columns, when the file says.
    pub width: Option<usize>,
    /// Rows, when the file says.
    pub height: Option<usize>,
    /// Its boxes; none for an image that was looked through and holds nothing.
    pub boxes: Vec<LabelledBox>,
}

/// What a label file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoxFile {
    /// The images, in the file's order.
    pub images: Vec<LabelledImage>,
    /// The classes: COCO's categories in the order of their ids, otherwise the names that occur, sorted.
    pub classes: Vec<String>,
    /// Boxes that are none and were left out, counted by reason.
    pub left_out: BTreeMap<&'static str, usize>,
}

impl BoxFile {
    /// Files whose classes are those that occur.
    pub(crate) fn named(
        images: Vec<LabelledImage>,
        left_out: BTreeMap<&'static str, usize>,
    ) -> Self {
        let boxes = images.iter().flat_map(|image| &image.boxes);
        let classes: BTreeSet<&str> = boxes.map(|one| one.class.as_str()).collect();
        let classes = classes.into_iter().filter(|name| !name.is_empty());
        Self {
            classes: classes.map(str::to_owned).collect(),
            images,
            left_out,
        }
    }

    /// The image of this file name: the whole path as the file gives it, its last part, or its last part without
    /// extension, whichever fits first; the only image when there is only one.
    ///
    /// # Errors
    /// [`FormatError::NoImage`] lists images that there are; [`FormatError::SeveralImages`] when two fit equally.
    pub fn image(&self, path: &Path, wanted: &str) -> Result<&LabelledImage, FormatError> {
        if let [only] = self.images.as_slice() {
            return Ok(only);
        }
        fn last(name: &str) -> &str {
            name.rsplit(['/', '\\']).next().unwrap_or(name)
        }
        fn stem(name: &str) -> &str {
            let name = last(name);
            name.rsplit_once('.').map_or(name, |(stem, _)| stem)
        }
        fn whole(name: &str) -> &str {
            name
        }
        for part in [whole, last, stem] {
            let fits = |image: &&LabelledImage| part(&image.file) == part(wanted);
            let mut fitting = self.images.iter().filter(fits);
            match (fitting.next(), fitting.next()) {
                (Some(image), None) => return Ok(image),
                (Some(_), Some(_)) => {
                    return Err(FormatError::SeveralImages {
                        path: path.to_owned(),
                        wanted: wanted.to_owned(),
                    });
                }
                (None, _) => {}
            }
        }
        Err(FormatError::NoImage {
            path: path.to_owned(),
            wanted: wanted.to_owned(),
            images: self.images.len(),
            some: self
                .images
                .iter()
                .take(5)
                .map(|image| image.file.clone())
                .collect(),
        })
    }

    /// One sentence about the boxes that were left out; `None` when there were none.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        let counts = self.left_out.iter();
        let counts: Vec<String> = counts
            .map(|(why, count)| format!("{count} {why}"))
            .collect();
        (!counts.is_empty()).then(|| format!("boxes left out: {}", counts.join(", ")))
    }
}

/// How a label file is read, where it does not say so itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// How Pascal VOC counts pixels.
    pub origin: voc::Origin,
    /// Columns and rows of the image, which YOLO's shares of it need.
    pub size: Option<(usize, usize)>,
    /// YOLO's class names by number; otherwise those of a `classes.txt`, `obj.names` or `data.yaml` beside the file.
    pub class_names: Option<Vec<String>>,
    /// The column of a CSV that holds the class.
    pub class_column: Option<String>,
}

/// Reads a label file by its extension: `.xml` is Pascal VOC, `.json` COCO, `.txt` YOLO, `.csv` a table.
///
/// # Errors
/// [`FormatError`]: the file cannot be read, is of another kind, or contradicts itself.
pub fn read(path: impl AsRef<Path>, options: &ReadOptions) -> Result<BoxFile, FormatError> {
    let path = path.as_ref();
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    match extension.to_lowercase().as_str() {
        "xml" => voc::read(path, options.origin),
        "json" => coco::read(path),
        "txt" => yolo::read(path, options),
        "csv" | "tsv" => csv::read(path, options.class_column.as_deref()),
        found => Err(FormatError::UnknownKind {
            path: path.to_owned(),
            found: found.to_owned(),
        }),
    }
}

/// The text of a file, its byte order mark taken off; bytes that are not UTF-8 are replaced.
fn text_of(path: &Path) -> Result<String, FormatError> {
    let bytes = std::fs::read(path).map_err(|source| FormatError::Io {
        path: path.to_owned(),
        doing: "read",
        source,
    })?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// Writes a file under another name first, so that a full disk or a crash leaves the old one whole.
fn write_text(path: &Path, text: &str) -> Result<(), FormatError> {
    let io = |source| FormatError::Io {
        path: path.to_owned(),
        doing: "write",
        source,
    };
    // What a link points to is replaced, not the link.
    let target = match std::fs::canonicalize(path) {
        Ok(pointed) if path.is_symlink() => pointed,
        _ => path.to_owned(),
    };
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(format!(".{}.new", std::process::id()));
    let staged = target.with_file_name(name);
    write_and_rename(&staged, &target, text).map_err(|source| {
        let _ = std::fs::remove_file(&staged);
        io(source)
    })
}

/// The new file has the permissions of the one it replaces, and is on the disk before it has its name.
fn write_and_rename(staged: &Path, target: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut file = std::fs::File::create(staged)?;
    file.write_all(text.as_bytes())?;
    if let Ok(replaced) = std::fs::metadata(target)
        && replaced.is_file()
    {
        file.set_permissions(replaced.permissions())?;
    }
    file.sync_all()?;
    std::fs::rename(staged, target)?;
    let folder = target
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    // Some file systems refuse to flush a folder; the rename itself has succeeded then.
    if let Ok(folder) = std::fs::File::open(folder.unwrap_or(Path::new("."))) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// Why a box is none; `None` for one that is.
fn fault(bounds: &BoundingBox) -> Option<&'static str> {
    if !bounds.is_finite() {
        Some("with coordinates that are not finite numbers")
    } else if bounds.width() < 0.0 || bounds.height() < 0.0 {
        Some("with edges the wrong way round")
    } else if bounds.area() == 0.0 {
        Some("without width or height")
    } else {
        None
    }
}

/// Counts a box that is none, or returns `true`.
fn accept(bounds: &BoundingBox, left_out: &mut BTreeMap<&'static str, usize>) -> bool {
    let fault = fault(bounds);
    if let Some(why) = fault {
        *left_out.entry(why).or_default() += 1;
    }
    fault.is_none()
}

#[cfg(test)]
mod results_tests;
#[cfg(test)]
mod tests;
