//! Boxes of chips: files that hold many are read once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::ChipSetError;
use super::layout::CocoFiles;
use crate::Result;
use crate::boxes::formats::{
    BoxFile, FormatError, ImageMatch, LabeledImage, ReadOptions, coco, voc, yolo,
};
use crate::labels::Classes;
use crate::raster::read_whole;
use crate::report::{Notice, Report, file_name};
use crate::scene::{Scene, is_background, notices};

/// The box files of a set.
pub(super) struct BoxFiles {
    /// Files of many images.
    coco: HashMap<PathBuf, Listed>,
    /// Pascal VOC's, of one image each; those that cannot be read are none of them.
    voc: HashMap<PathBuf, BoxFile>,
    /// YOLO's names by number; none where numbers are names.
    names: Vec<String>,
    pub(super) classes: Classes,
}

/// A file of many images.
struct Listed {
    images: Vec<LabeledImage>,
    /// By the paths of the chips.
    matches: HashMap<PathBuf, ImageMatch>,
}

impl BoxFiles {
    /// Reads what is of many chips, but for the files that have been read already. `of` has the images of each file, `known` are
    /// the classes that a manifest names.
    pub(super) fn read(
        of: &BTreeMap<PathBuf, Vec<PathBuf>>,
        mut parsed: CocoFiles,
        known: Option<&Classes>,
        report: &mut Report,
    ) -> Result<Self> {
        let (mut coco, mut voc) = (HashMap::new(), HashMap::new());
        let mut names: Vec<String> = Vec::new();
        let (mut texts, mut of_voc) = (Vec::new(), BTreeSet::new());
        for (path, images) in of {
            if is_yolo(path) {
                texts.push(path);
                continue;
            }
            if is_voc(path) {
                // What cannot be read is an error of its chip.
                if let Ok(file) = voc::read(path, voc::Origin::default()) {
                    of_voc.extend(file.classes.iter().cloned());
                    voc.insert(path.clone(), file);
                }
                continue;
            }
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
            coco.insert(path.clone(), Listed::of(path, file, images)?);
        }
        names.extend(of_voc);
        let mut numbers: Vec<String> = known
            .iter()
            .flat_map(|known| known.names().into_iter().skip(1))
            .map(str::to_owned)
            .collect();
        if !texts.is_empty() {
            if known.is_none() {
                numbers = yolo::class_names_of(&texts)?;
            }
            names.extend(numbers.iter().filter(|name| !name.is_empty()).cloned());
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
            coco,
            voc,
            names: numbers,
            classes: known.cloned().unwrap_or_else(|| Classes::new(kept)),
        })
    }

    /// Whether a file of boxes knows an image: one of YOLO's or Pascal VOC's is of its image alone.
    pub(super) fn lists(&self, image: &Path, path: &Path) -> bool {
        match self.coco.get(path) {
            None => true,
            Some(listed) => !matches!(
                listed.matches.get(&whole(image)),
                None | Some(ImageMatch::Missing)
            ),
        }
    }

    /// The boxes of a chip; `None` when its file does not know it.
    fn of(&self, scene: &Scene, path: &Path, report: &mut Report) -> Result<Option<LabeledImage>> {
        let (image, size) = (scene.raster().path(), scene.raster().size());
        if let Some(listed) = self.coco.get(path) {
            let found = match listed.matches.get(&whole(image)) {
                Some(ImageMatch::Several) => {
                    return Err(FormatError::SeveralImages {
                        path: path.to_owned(),
                        wanted: file_name(image),
                    }
                    .into());
                }
                Some(ImageMatch::Image(place)) => listed.images.get(*place),
                _ => None,
            };
            found.map_or(Ok(()), |found| scene.check_image_size(path, found))?;
            return Ok(found.cloned());
        }
        if is_voc(path) {
            let file = match self.voc.get(path) {
                Some(file) => file.clone(),
                None => voc::read(path, voc::Origin::default())?,
            };
            report.extend(notices(&file, &file_name(path)));
            let found = file.images.into_iter().next();
            (found.iter()).try_for_each(|found| scene.check_image_size(path, found))?;
            return Ok(found);
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

fn is_voc(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("xml"))
}

/// A path as an opened image is called.
fn whole(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

impl Listed {
    /// A file with the chips whose boxes it may have.
    ///
    /// # Errors
    /// [`ChipSetError::SharedEntry`] when one of its images would be that of several of them.
    fn of(path: &Path, file: BoxFile, chips: &[PathBuf]) -> Result<Self, ChipSetError> {
        let paths: Vec<PathBuf> = chips.iter().map(|path| whole(path)).collect();
        let names = paths.iter().map(|path| path.to_string_lossy());
        let matches = file.images_of(&names.collect::<Vec<_>>());
        let mut shared = BTreeMap::<usize, Vec<&PathBuf>>::new();
        for (matched, chip) in matches.iter().zip(chips) {
            if let ImageMatch::Shared(image) = matched {
                shared.entry(*image).or_default().push(chip);
            }
        }
        if let Some((image, chips)) = shared.into_iter().next() {
            let entry = file.images.get(image).map(|image| image.file.clone());
            return Err(ChipSetError::SharedEntry {
                path: path.to_owned(),
                entry: entry.unwrap_or_default(),
                chips: chips.into_iter().cloned().collect(),
            });
        }
        Ok(Self {
            images: file.images,
            matches: paths.into_iter().zip(matches).collect(),
        })
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
