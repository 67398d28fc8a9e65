//! Label files of boxes: COCO, Pascal VOC, YOLO and CSV, read and written; labelme, CVAT and DOTA, read.
//!
//! All become [`LabeledImage`]s in one convention: pixels with exclusive far edges, class names as text. Rotated boxes keep
//! their corners beside the upright boxes around them ([`LabeledBox::outline`]). Boxes that are
//! none (no width, NaN, edges the wrong way round) or that no reader could place are left out and counted in
//! [`BoxFile::left_out`]; what a person should know besides is in [`BoxFile::remarks`]; what leaves no box is an error.

pub mod coco;
pub mod csv;
pub mod cvat;
pub mod dota;
mod error;
mod json;
mod kind;
pub mod labelme;
mod matching;
mod remark;
mod shape;
mod text;
pub mod voc;
mod xml;
pub mod yolo;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use error::FormatError;
pub use kind::{Format, format_of};
pub use matching::{ImageMatch, composed};
pub use remark::{Remark, RemarkKind};

use crate::{BoundingBox, Quadrilateral};

/// A box with the name of its class, as a label file holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabeledBox {
    /// Where it is, in pixels of its image.
    pub bounds: BoundingBox,
    /// The name of its class; empty where the file names none.
    pub class: String,
    /// Whether it stands for an uncounted crowd (COCO's `iscrowd`).
    pub crowd: bool,
    /// The area of its mask in square pixels, where the file gives one.
    pub area: Option<f64>,
    /// Its outline, where the file has it as a rotated box: `bounds` is the upright box around it then.
    #[serde(default)]
    pub outline: Option<Quadrilateral>,
}

impl LabeledBox {
    /// One object of a class.
    #[must_use]
    pub fn new(bounds: BoundingBox, class: impl Into<String>) -> Self {
        Self {
            bounds,
            class: class.into(),
            crowd: false,
            area: None,
            outline: None,
        }
    }

    /// One object of a rotated box: the upright box around the outline, and the outline unless it is that box.
    ///
    /// ```
    /// use swath_boxes::{BoundingBox, Quadrilateral, formats::LabeledBox};
    /// let ship = LabeledBox::rotated(Quadrilateral::from_center(20.0, 10.0, 12.0, 4.0, 30.0), "ship");
    /// assert!(ship.outline.is_some());
    /// let upright = LabeledBox::rotated(Quadrilateral::from_center(20.0, 10.0, 12.0, 4.0, 0.0), "ship");
    /// assert_eq!((upright.bounds, upright.outline), (BoundingBox::new(14.0, 8.0, 26.0, 12.0), None));
    /// ```
    #[must_use]
    pub fn rotated(outline: Quadrilateral, class: impl Into<String>) -> Self {
        Self {
            outline: (!outline.is_upright()).then_some(outline),
            ..Self::new(outline.bounds(), class)
        }
    }
}

/// An image and its boxes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LabeledImage {
    /// The image's file name, as the label file gives it; empty when it gives none.
    pub file: String,
    /// Columns, when the file says.
    pub width: Option<usize>,
    /// Rows, when the file says.
    pub height: Option<usize>,
    /// Its boxes; none for an image that was looked through and holds nothing.
    pub boxes: Vec<LabeledBox>,
    /// Its boxes that were left out: an image without any box that counts some here is not empty, but broken.
    #[serde(default)]
    pub left_out: usize,
}

/// What a label file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoxFile {
    /// The images, in the file's order.
    pub images: Vec<LabeledImage>,
    /// The classes: COCO's categories in the order of their ids, otherwise the names that occur, sorted.
    pub classes: Vec<String>,
    /// Boxes that are none and were left out, counted by reason.
    pub left_out: BTreeMap<&'static str, usize>,
    /// Where the first one of each reason is: `annotation 5`, `line 3`.
    pub first_left_out: BTreeMap<&'static str, String>,
    /// What else a person should know.
    pub remarks: Vec<Remark>,
    /// Whether the classes are mere numbers, since nothing names them.
    pub unnamed_classes: bool,
}

impl BoxFile {
    /// Files whose classes are those that occur.
    fn named(images: Vec<LabeledImage>, left_out: BTreeMap<&'static str, usize>) -> Self {
        let boxes = images.iter().flat_map(|image| &image.boxes);
        let classes: BTreeSet<&str> = boxes.map(|one| one.class.as_str()).collect();
        let classes = classes.into_iter().filter(|name| !name.is_empty());
        Self {
            classes: classes.map(str::to_owned).collect(),
            images,
            left_out,
            ..Self::default()
        }
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
    /// YOLO's class names by number; otherwise those of a `data.yaml`, `classes.txt` or `obj.names` beside the file or
    /// above it.
    pub class_names: Option<Vec<String>>,
    /// The column of a CSV that holds the class.
    pub class_column: Option<String>,
    /// The name of the image in a file of several, where it is not that of the scene.
    pub image: Option<String>,
}

/// Reads a label file of any format that [`format_of`] knows.
///
/// # Errors
/// [`FormatError`]: the file cannot be read, is of another kind, or contradicts itself.
pub fn read(path: impl AsRef<Path>, options: &ReadOptions) -> Result<BoxFile, FormatError> {
    let path = path.as_ref();
    match format_of(path)? {
        Some(format) => read_as(path, format, options),
        None => Err(FormatError::UnknownKind {
            path: path.to_owned(),
            found: path
                .extension()
                .unwrap_or_default()
                .to_string_lossy()
                .to_lowercase(),
        }),
    }
}

/// Reads a label file of this format, whatever it is called.
///
/// # Errors
/// As [`read`].
pub fn read_as(
    path: impl AsRef<Path>,
    format: Format,
    options: &ReadOptions,
) -> Result<BoxFile, FormatError> {
    match format {
        Format::Coco => coco::read(path),
        Format::LabelMe => labelme::read(path),
        Format::PascalVoc => voc::read(path, options.origin),
        Format::Cvat => cvat::read(path),
        Format::Yolo => yolo::read(path, options),
        Format::Dota => dota::read(path),
        Format::Table => csv::read(path, options.class_column.as_deref()),
    }
}

#[cfg(test)]
mod broken_tests;
#[cfg(test)]
mod entry_tests;
#[cfg(test)]
mod format_tests;
#[cfg(test)]
mod fuzz_tests;
#[cfg(test)]
mod results_tests;
#[cfg(test)]
mod rotated_tests;
#[cfg(test)]
mod tests;
