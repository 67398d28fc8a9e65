//! Boxes of chips: files that hold many are read once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::layout::CocoFiles;
use crate::Result;
use crate::boxes::formats::{BoxFile, FormatError, LabeledImage, ReadOptions, coco, yolo};
use crate::labels::Classes;
use crate::raster::read_whole;
use crate::report::{Notice, Report, file_name};
use crate::scene::{Scene, is_background, notices};

/// The box files of a set.
pub(super) struct BoxFiles {
    coco: HashMap<PathBuf, Listed>,
    /// YOLO's names by number; none where numbers are names.
    names: Vec<String>,
    pub(super) classes: Classes,
}

/// A file of many images.
struct Listed {
    images: Vec<LabeledImage>,
    /// By file name, and by stem.
    by_name: HashMap<String, usize>,
    by_stem: HashMap<String, usize>,
}

impl BoxFiles {
    /// Reads what is of many chips, but for the files that have been read already. `known` are the classes that a manifest
    /// names.
    pub(super) fn read(
        paths: &BTreeSet<PathBuf>,
        mut parsed: CocoFiles,
        known: Option<&Classes>,
        report: &mut Report,
    ) -> Result<Self> {
        let mut all = HashMap::new();
        let mut names: Vec<String> = Vec::new();
        let (texts, lists): (Vec<&PathBuf>, Vec<&PathBuf>) =
            paths.iter().partition(|path| is_yolo(path));
        for path in lists {
            let file = match parsed.remove(path) {
                Some(file) => file,
                None => read_coco(path)?,
            };
            let about = file_name(path);
            report.extend(notices(&file, &about));
            for class in &file.classes {
                if !names.contains(class) {
                    names.push(class.clone());
                }
            }
            all.insert(path.clone(), Listed::of(file));
        }
        let mut numbers: Vec<String> = known
            .iter()
            .flat_map(|known| known.names().into_iter().skip(1))
            .map(str::to_owned)
            .collect();
        if let Some(first) = texts.first() {
            if known.is_none() {
                numbers = yolo::class_names(first)?;
            }
            names.extend(numbers.iter().cloned());
            if numbers.is_empty() && known.is_none() {
                names.extend(numbers_in(&texts)?);
                let next = "a `data.yaml` or `classes.txt` beside the labels names them";
                report.push(
                    Notice::assumed(
                        "nothing names the classes of YOLO's files: their numbers are their names",
                    )
                    .next(next),
                );
            }
        }
        let (out, kept): (Vec<String>, Vec<String>) =
            names.into_iter().partition(|name| is_background(name));
        if let (Some(out), None) = (out.first(), known) {
            let text = format!(
                "boxes of the class {out:?} are left out: the background is class 0 of every model, which no object is of"
            );
            report.push(
                Notice::left_out(text)
                    .next("rename the class in the file if its boxes are objects"),
            );
        }
        Ok(Self {
            coco: all,
            names: numbers,
            classes: known.cloned().unwrap_or_else(|| Classes::new(kept)),
        })
    }

    /// Whether a file of boxes knows an image: one of YOLO's is of its image alone.
    pub(super) fn lists(&self, image: &Path, path: &Path) -> bool {
        is_yolo(path) || self.listed(image, path).is_some()
    }

    fn listed(&self, image: &Path, path: &Path) -> Option<&LabeledImage> {
        self.coco.get(path)?.image(&file_name(image))
    }

    /// The boxes of a chip; `None` when its file does not know it.
    fn of(&self, scene: &Scene, path: &Path, report: &mut Report) -> Result<Option<LabeledImage>> {
        let (image, size) = (scene.raster().path(), scene.raster().size());
        if !is_yolo(path) {
            let found = self.listed(image, path);
            found.map_or(Ok(()), |found| scene.check_image_size(path, found))?;
            return Ok(found.cloned());
        }
        let options = ReadOptions {
            size: Some((size.width, size.height)),
            class_names: Some(self.names.clone()),
            ..ReadOptions::default()
        };
        let file = yolo::read(path, &options)?;
        report.extend(notices(&file, &file_name(path)));
        Ok(file.images.into_iter().next())
    }

    /// Gives a scene its boxes; those that were left out are in its report.
    pub(super) fn give(&self, scene: &Scene, path: &Path) -> Result<Option<Scene>> {
        let mut report = Report::new();
        let Some(image) = self.of(scene, path, &mut report)? else {
            return Ok(None);
        };
        Ok(Some(scene.with_labeled_boxes(
            &image.boxes,
            &self.classes,
            report,
        )))
    }
}

fn is_yolo(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("txt"))
}

impl Listed {
    fn of(file: BoxFile) -> Self {
        let (mut by_name, mut by_stem) = (HashMap::new(), HashMap::new());
        for (index, image) in file.images.iter().enumerate() {
            let name = image
                .file
                .rsplit(['/', '\\'])
                .next()
                .unwrap_or_default()
                .to_owned();
            let stem = name
                .rsplit_once('.')
                .map_or(name.as_str(), |(stem, _)| stem)
                .to_owned();
            by_name.entry(name).or_insert(index);
            by_stem.entry(stem).or_insert(index);
        }
        Self {
            images: file.images,
            by_name,
            by_stem,
        }
    }

    fn image(&self, name: &str) -> Option<&LabeledImage> {
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let index = self.by_name.get(name).or_else(|| self.by_stem.get(stem))?;
        self.images.get(*index)
    }
}

/// Reads a COCO file, in an archive, too.
fn read_coco(path: &Path) -> Result<BoxFile> {
    Ok(match path.starts_with("/vsizip") {
        true => coco::parse(path, read_whole(path)?)?,
        false => coco::read(path)?,
    })
}

/// The class numbers that occur in files without names, in their order.
fn numbers_in(texts: &[&PathBuf]) -> Result<Vec<String>, FormatError> {
    let mut numbers = BTreeMap::<usize, String>::new();
    let options = ReadOptions {
        size: Some((1, 1)),
        // No names: no folder is searched for some, and numbers are the classes.
        class_names: Some(Vec::new()),
        ..ReadOptions::default()
    };
    for path in texts {
        for class in yolo::read(path, &options)?.classes {
            if let Ok(number) = class.parse() {
                numbers.insert(number, class);
            }
        }
    }
    Ok(numbers.into_values().collect())
}
