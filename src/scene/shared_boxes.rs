//! Which image of a box file each of several scenes is.

use std::path::Path;
use std::sync::Arc;

use super::box_files::class_column;
use super::shared_box_file;
use crate::boxes::formats::{BoxFile, Format, ImageMatch, LabeledImage, ReadOptions};
use crate::raster::stem;
use crate::vector::LabelClass;

/// A box file that is of several scenes, which are told apart by the names of its images.
pub(crate) struct SharedBoxes {
    /// Of each of the scenes.
    pub(crate) matches: Vec<ImageMatch>,
    /// The images' names in the order of the file, empty for those that have none.
    images: Vec<String>,
    /// Boxes of images without a name.
    pub(crate) nameless: usize,
}

impl SharedBoxes {
    /// Those of scenes with these paths. `None` for files of other labels, for a table without a row, which is of every scene,
    /// and for a file that cannot be read, which whoever reads it says.
    pub(crate) fn read(path: &Path, class: &LabelClass, scenes: &[String]) -> Option<Self> {
        let format = shared_box_file::format_of(path).ok()??;
        let file = match format {
            // It is of the image of its own name. Its lines cannot be placed without that.
            Format::Yolo => Arc::new(BoxFile {
                images: vec![LabeledImage {
                    file: stem(path),
                    ..LabeledImage::default()
                }],
                ..BoxFile::default()
            }),
            _ => {
                let options = ReadOptions {
                    class_column: class_column(path, format, class).ok()?,
                    ..ReadOptions::default()
                };
                shared_box_file::read(path, format, &options).ok()?
            }
        };
        let nameless = file.images.iter();
        let nameless = nameless.filter(|image| image.file.trim().is_empty());
        let nameless = nameless
            .map(|image| image.boxes.len() + image.left_out)
            .sum();
        let images = file.images.iter().map(|image| image.file.trim().to_owned());
        let shared = Self {
            matches: file.images_of(scenes),
            images: images.collect(),
            nameless,
        };
        (!shared.is_of_nobody() || nameless > 0).then_some(shared)
    }

    /// The images' names, without those that have none.
    pub(crate) fn names(&self) -> Vec<String> {
        let names = self.images.iter().filter(|name| !name.is_empty());
        names.cloned().collect()
    }

    /// The name of an image.
    pub(crate) fn name(&self, image: usize) -> String {
        self.images.get(image).cloned().unwrap_or_default()
    }

    /// Whether it is of one image, and does not say of which.
    pub(crate) fn is_of_nobody(&self) -> bool {
        matches!(self.images.as_slice(), [only] if only.is_empty())
    }
}
