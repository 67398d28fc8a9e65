//! Boxes of chips: files that hold many are read once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::layout::name;
use crate::boxes::formats::{self, BoxFile, FormatError, LabeledImage, ReadOptions, coco, yolo};
use crate::labels::Classes;
use crate::raster::{Size, read_whole};
use crate::report::{Notice, Report};
use crate::scene::{Scene, SceneError, is_background, notices};
use crate::{FileError, Result};

/// The box files of a set.
pub(super) struct BoxFiles {
    coco: HashMap<PathBuf, Listed>,
    /// YOLO's names by number.
    names: Option<Vec<String>>,
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
    /// Reads what is of many chips. `known` are the classes that a manifest names.
    pub(super) fn read(
        paths: &BTreeSet<PathBuf>,
        known: Option<&Classes>,
        report: &mut Report,
    ) -> Result<Self> {
        let mut all = HashMap::new();
        let mut names: Vec<String> = Vec::new();
        let (texts, lists): (Vec<&PathBuf>, Vec<&PathBuf>) =
            paths.iter().partition(|path| is_yolo(path));
        for path in lists {
            let file = read_coco(path)?;
            let about = name(path);
            report.extend(notices(&file, &about));
            for class in &file.classes {
                if !names.contains(class) {
                    names.push(class.clone());
                }
            }
            all.insert(path.clone(), Listed::of(file));
        }
        let mut numbers = known.map(|known| {
            known
                .names()
                .into_iter()
                .skip(1)
                .map(str::to_owned)
                .collect()
        });
        if let Some(first) = texts.first() {
            if numbers.is_none() {
                let found = yolo::class_names(first)?;
                numbers = (!found.is_empty()).then_some(found);
            }
            match &numbers {
                Some(found) => names.extend(found.iter().cloned()),
                None => {
                    names.extend(numbers_in(&texts)?);
                    let next = "a `data.yaml` or `classes.txt` beside the labels names them";
                    report.push(Notice::assumed("nothing names the classes of YOLO's files: their numbers are their names").next(next));
                }
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

    /// The boxes of a chip; `None` when its file does not know it.
    pub(super) fn of(&self, image: &Path, size: Size, path: &Path) -> Result<Option<LabeledImage>> {
        if !is_yolo(path) {
            let listed = self.coco.get(path);
            let found = listed.and_then(|listed| listed.image(&name(image)));
            return match found {
                Some(found) => check(found, size, path).map(Some),
                None => Ok(None),
            };
        }
        let options = ReadOptions {
            size: Some((size.width, size.height)),
            class_names: self.names.clone().or_else(|| Some(self.numbers())),
            ..ReadOptions::default()
        };
        let file = yolo::read(path, &options)?;
        let left_out = file.left_out.values().sum();
        let image = file.images.into_iter().next().unwrap_or_default();
        Ok(Some(LabeledImage { left_out, ..image }))
    }

    /// Gives a scene its boxes; those that were left out are in its report.
    pub(super) fn give(&self, scene: &Scene, path: &Path) -> Result<Option<Scene>> {
        let Some(image) = self.of(scene.raster().path(), scene.raster().size(), path)? else {
            return Ok(None);
        };
        let mut report = Report::new();
        if image.left_out > 0 && is_yolo(path) {
            let text = format!(
                "boxes that are none: {} of {}",
                image.left_out,
                image.left_out + image.boxes.len()
            );
            report.push(
                Notice::left_out(text)
                    .about(name(path))
                    .count(image.left_out),
            );
        }
        Ok(Some(scene.with_labeled_boxes(
            &image.boxes,
            &self.classes,
            report,
        )))
    }

    /// The numbers themselves, as far as there are classes.
    fn numbers(&self) -> Vec<String> {
        let last = self
            .classes
            .names()
            .into_iter()
            .filter_map(|name| name.parse::<usize>().ok())
            .max();
        last.map_or_else(Vec::new, |last| {
            (0..=last).map(|number| number.to_string()).collect()
        })
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

/// Refuses boxes of an image of another size.
fn check(image: &LabeledImage, size: Size, path: &Path) -> Result<LabeledImage> {
    if let (Some(width), Some(height)) = (image.width, image.height)
        && width > 0
        && height > 0
        && (width, height) != (size.width, size.height)
    {
        return Err(SceneError::BoxesOfAnotherImage {
            path: path.to_owned(),
            found: Size::new(width, height),
            scene: size,
        }
        .into());
    }
    Ok(image.clone())
}

/// Reads a COCO file, in an archive, too.
fn read_coco(path: &Path) -> Result<BoxFile> {
    if !path.starts_with("/vsizip") {
        return Ok(coco::read(path)?);
    }
    let bytes = read_whole(path)?;
    let failed = |source| FileError::Io {
        action: "unpack the file",
        path: path.to_owned(),
        source,
    };
    let mut unpacked = tempfile::Builder::new()
        .suffix(".json")
        .tempfile()
        .map_err(failed)?;
    unpacked.write_all(&bytes).map_err(failed)?;
    Ok(coco::read(unpacked.path())?)
}

/// The class numbers that occur in files without names, in their order.
fn numbers_in(texts: &[&PathBuf]) -> Result<Vec<String>, FormatError> {
    let mut numbers = BTreeMap::<usize, String>::new();
    for path in texts {
        let options = ReadOptions {
            size: Some((1, 1)),
            ..ReadOptions::default()
        };
        let file = formats::yolo::read(path, &options)?;
        for class in file.classes {
            if let Ok(number) = class.parse() {
                numbers.insert(number, class);
            }
        }
    }
    Ok(numbers.into_values().collect())
}
