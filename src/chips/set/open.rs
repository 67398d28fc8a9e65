//! Reading data sets of chips.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::ChipSetError;
use super::boxes::BoxFiles;
use super::layout::{self, CocoFiles, Item, Part};
use super::lists;
use super::manifest::{self, BandEntry, Manifest};
use super::options::Container;
use super::read::{ChipSet, Recorded};
use crate::labels::{CellRule, Classes, IGNORE, LabelValues};
use crate::raster::OpenOptions;
use crate::report::{Notice, Report, file_name};
use crate::scene::{Scene, rotated};
use crate::scenes::{LabelFiles, Scenes, ScenesOptions, opened_by};
use crate::{Error, Result};

/// A folder or an archive of chips, and what it does not say itself.
///
/// | choice | unless set |
/// |---|---|
/// | [`ChipFolder::values`] | class indices of the manifest; masks without one need it |
/// | [`ChipFolder::open`] | imagery as its files say |
/// | [`ChipFolder::skip_broken`] | a chip that cannot be read is an error |
/// | [`ChipFolder::skip_missing`], [`ChipFolder::missing_as_background`] | a chip without a mask or a label file is an error |
/// | [`ChipFolder::own_statistics`] | the manifest's, of the scenes that the chips were cut from |
/// | [`ChipFolder::without_manifest`] | the manifest counts |
///
/// ```no_run
/// use swath::prelude::*;
/// let folder = ChipFolder::new("landcover").values(Classes::new(["building", "woodland", "water", "road"]));
/// let set = ChipSet::open(folder.skip_broken())?;
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct ChipFolder {
    path: PathBuf,
    values: Option<LabelValues>,
    open: Option<OpenOptions>,
    skip_broken: bool,
    missing: Missing,
    own_statistics: bool,
    without_manifest: bool,
}

/// What becomes of a chip without a mask or a label file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    Refused,
    Background,
    Skipped,
}

impl ChipFolder {
    /// A folder, or an archive of Raster Vision's.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            values: None,
            open: None,
            skip_broken: false,
            missing: Missing::Refused,
            own_statistics: false,
            without_manifest: false,
        }
    }

    /// What the values of the masks mean: [`Classes`], for indices with 0 as the background, or [`LabelValues`].
    #[doc(alias = "classes")]
    #[doc(alias = "class_config")]
    pub fn values(mut self, values: impl Into<LabelValues>) -> Self {
        self.values = Some(values.into());
        self
    }

    /// How each image is opened: its bands, nodata.
    pub fn open(mut self, options: OpenOptions) -> Self {
        self.open = Some(options);
        self
    }

    /// Leaves out chips that cannot be opened, read to their end or labeled, and says which and why.
    pub const fn skip_broken(mut self) -> Self {
        self.skip_broken = true;
        self
    }

    /// Leaves out chips without a mask or a label file, and says how many.
    pub const fn skip_missing(mut self) -> Self {
        self.missing = Missing::Skipped;
        self
    }

    /// A chip without a mask or a label file holds nothing: YOLO and some COCO sets are written so.
    pub const fn missing_as_background(mut self) -> Self {
        self.missing = Missing::Background;
        self
    }

    /// Statistics of the chips themselves, not those of the manifest: for normalization.
    pub const fn own_statistics(mut self) -> Self {
        self.own_statistics = true;
        self
    }

    /// The folders alone count, whatever `chips.json` says.
    pub const fn without_manifest(mut self) -> Self {
        self.without_manifest = true;
        self
    }
}

macro_rules! from_paths {
    ($($path:ty),*) => {$(
        impl From<$path> for ChipFolder {
            fn from(path: $path) -> Self {
                Self::new(path)
            }
        }
    )*};
}
from_paths!(&str, String, &String, PathBuf, &Path, &PathBuf);

impl From<&Self> for ChipFolder {
    fn from(folder: &Self) -> Self {
        folder.clone()
    }
}

impl ChipSet {
    /// Opens a data set of chips:
    ///
    /// | what | how it is known |
    /// |---|---|
    /// | chips that [`Chips::save`](crate::chips::Chips::save) wrote | `chips.json` |
    /// | images with masks, as TorchGeo and segmentation libraries have them | `images/` (`image/`, `img/`) and `masks/` (`labels/`, `label/`, …) with files of equal stems, or with `_mask` behind |
    /// | Raster Vision's chips | `train/img/` with `train/labels/` or `train/labels.json`, in a folder or in archives (`*.zip`) |
    /// | YOLO | `images/train/` and `labels/train/`, or `train/images/` and `train/labels/`, with `data.yaml` |
    /// | Pascal VOC | `JPEGImages/`, `Annotations/*.xml`, `SegmentationClass/`; the lists in `ImageSets/` are splits |
    /// | COCO | folders of images, `annotations/*.json` |
    ///
    /// Folders called `train`, `val` and so on, above or below `images`, are splits ([`ChipSet::split`]). Each image is a
    /// scene, which needs no place on the ground; nothing but its description is held. Images in deeper folders, which would be
    /// left out, are an error.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let set = ChipSet::open("town")?;
    /// let (train, valid) = (set.split("train")?, set.split("val")?);
    /// let model = Segmenter::new(Unet::efficientnet_lite0(), set.classes());
    /// let run = model.fit(&train.chips()?, valid.scenes(), FitOptions::epochs(10))?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ChipSetError::NoChips`] where none of these is found; [`ChipSetError::NotAll`] where there are more images in deeper
    /// folders; [`ChipSetError::NoLabels`] with the number of chips without a mask; [`ChipSetError::NoClasses`] for masks of which nothing says what their values mean;
    /// [`crate::scenes::ScenesError::Broken`] with the names of chips that cannot be read, whose mask has another size, or
    /// values beyond the classes.
    #[doc(alias = "ImageFolder")]
    #[doc(alias = "NonGeoDataset")]
    #[doc(alias = "ImageDataset")]
    #[doc(alias = "load")]
    #[doc(alias = "from_folder")]
    pub fn open(folder: impl Into<ChipFolder>) -> Result<Self> {
        let folder = folder.into();
        let root = crate::paths::expanded(&folder.path).into_owned();
        let manifest = match folder.without_manifest {
            true => None,
            false => Manifest::read(&root)?,
        };
        let mut report = Report::new();
        let (parts, lists) = match &manifest {
            Some(manifest) => (parts_of(manifest, &root), CocoFiles::new()),
            None => layout::discover(&root, &mut report)?,
        };
        let known = manifest.as_ref().map(|manifest| manifest.classes.clone());
        let recorded = recorded(manifest.as_ref());
        let opening = Opening {
            folder: &folder,
            root: &root,
            known,
            parts,
        };
        let scenes = opening
            .scenes(manifest.as_ref(), lists, report)
            .map_err(of_chips)?;
        Ok(Self::new(root, scenes, recorded, folder.own_statistics))
    }
}

/// An error of the scenes that chips are, with what leaves chips out.
fn of_chips(error: Error) -> Error {
    opened_by(
        error,
        "`ChipSet::open(ChipFolder::new(folder).skip_broken())` opens the set without these chips, with a count",
        "`ChipSet::open(ChipFolder::new(folder).open(OpenOptions::new().bands([0, 1, 2])))`",
    )
}

/// What a manifest says that chips do not.
fn recorded(manifest: Option<&Manifest>) -> Vec<Recorded> {
    let parts = manifest.into_iter().flat_map(|manifest| &manifest.parts);
    parts
        .map(|part| Recorded {
            split: part.split.clone(),
            seed: part.seed,
            // What has been turned and changed already is not again.
            flips: part.flips && part.epoch.is_none(),
            photometric: if part.epoch.is_none() {
                part.photometric
            } else {
                0.0
            },
            statistics: part.exact_statistics(),
            chips: part.chips.len(),
        })
        .collect()
}

fn parts_of(manifest: &Manifest, root: &Path) -> Vec<Part> {
    let parts = manifest.parts.iter().map(|part| {
        let coco = manifest::coco_place(part.split.as_deref());
        let coco = part.coco.then(|| root.join(coco));
        let items = part.chips.iter().map(|chip| Item {
            image: root.join(&chip.image),
            mask: chip.mask.as_ref().map(|mask| root.join(mask)),
            boxes: coco
                .clone()
                .or_else(|| chip.yolo.as_ref().map(|yolo| root.join(yolo))),
            scene: Some(chip.scene.clone()),
        });
        Part {
            split: part.split.clone(),
            labels_at: root.to_owned(),
            items: items.collect(),
            // A chip of a scene without labels has no mask, and is meant to have none.
            masks: part.masks && part.chips.iter().all(|chip| chip.mask.is_some()),
            own_boxes: part.yolo && !part.coco && part.chips.iter().all(|chip| chip.yolo.is_some()),
        }
    });
    parts.collect()
}

struct Opening<'a> {
    folder: &'a ChipFolder,
    root: &'a Path,
    known: Option<Classes>,
    parts: Vec<Part>,
}

impl Opening<'_> {
    fn scenes(
        mut self,
        manifest: Option<&Manifest>,
        lists: CocoFiles,
        mut report: Report,
    ) -> Result<Scenes> {
        self.check_missing(&mut report)?;
        let has_masks = self
            .parts
            .iter()
            .flat_map(|part| &part.items)
            .filter(|item| item.mask.is_some())
            .count();
        let values = self.values(has_masks, &mut report)?;
        let files = self.parts.iter().flat_map(|part| {
            part.items
                .iter()
                .map(|item| (item.image.clone(), columns(part, item)))
        });
        let files: Vec<(PathBuf, BTreeMap<String, String>)> = files.collect();
        let mut of = BTreeMap::<PathBuf, Vec<PathBuf>>::new();
        for item in self.parts.iter().flat_map(|part| &part.items) {
            if let Some(boxes) = &item.boxes {
                of.entry(boxes.clone())
                    .or_default()
                    .push(item.image.clone());
            }
        }
        let boxes = match of.is_empty() {
            true => None,
            false => Some(BoxFiles::read(
                &of,
                lists,
                self.known.as_ref(),
                &mut report,
            )?),
        };
        let mut options = ScenesOptions::new();
        if let Some(open) = self.open_options(manifest) {
            options = options.open(open);
        }
        if self.folder.skip_broken {
            options = options.skip_broken();
        }
        let mut scenes = Scenes::of_files(files, &options, report)?;
        if let Some(values) = values {
            scenes = self.with_masks(&scenes, values)?;
        }
        if let Some(boxes) = boxes {
            scenes = self.with_boxes(&scenes, &boxes)?;
        }
        match manifest {
            Some(manifest) => with_classes(&scenes, manifest, self.root),
            None => Ok(scenes),
        }
    }

    /// PNG says of its bands neither what they are nor, of a fourth one, that it is imagery: the manifest does.
    fn open_options(&self, manifest: Option<&Manifest>) -> Option<OpenOptions> {
        let Some(manifest) = manifest.filter(|one| one.imagery == Container::Png) else {
            return self.folder.open.clone();
        };
        let mut options = self.folder.open.clone().unwrap_or_default();
        if manifest.bands.len() == 4 {
            options = options.alpha_as_imagery();
        }
        Some(options.stating_bands(manifest.bands.iter().map(BandEntry::stated).collect()))
    }

    /// Chips without a label where others have one: an error, left out, or background.
    fn check_missing(&mut self, report: &mut Report) -> Result<(), ChipSetError> {
        let missing = self.folder.missing;
        for part in &mut self.parts {
            for (what, there, lacks) in [
                (
                    "mask",
                    part.masks,
                    (|item| item.mask.is_none()) as fn(&Item) -> bool,
                ),
                ("label file", part.own_boxes, |item| item.boxes.is_none()),
            ] {
                let of = part.items.len();
                let mut without = part.items.iter().filter(|item| lacks(item));
                let first = without.next().map(|item| file_name(&item.image));
                let (true, Some(first)) = (there, first) else {
                    continue;
                };
                let count = without.count() + 1;
                let text = |done: &str| {
                    format!("{count} of {of} chips have no {what}{done}, such as {first}")
                };
                let about = file_name(&part.labels_at);
                match missing {
                    Missing::Refused => {
                        return Err(ChipSetError::NoLabels {
                            path: part.labels_at.clone(),
                            what,
                            missing: count,
                            of,
                            first,
                        });
                    }
                    Missing::Skipped => {
                        report.push(Notice::left_out(text("")).about(about).count(count));
                        part.items.retain(|item| !lacks(item));
                    }
                    Missing::Background => {
                        report.push(
                            Notice::assumed(text(" and hold nothing"))
                                .about(about)
                                .count(count),
                        );
                    }
                }
            }
        }
        Ok(())
    }

    /// What the masks hold, when there are any.
    fn values(
        &self,
        masks: usize,
        report: &mut Report,
    ) -> Result<Option<LabelValues>, ChipSetError> {
        if masks == 0 {
            return Ok(None);
        }
        match (&self.folder.values, &self.known) {
            (Some(values), _) => Ok(Some(values.clone())),
            (None, Some(known)) => Ok(Some(LabelValues::from(known).ignore([IGNORE]))),
            (None, None) => {
                let classes = lists::classes(self.root).ok_or_else(|| ChipSetError::NoClasses {
                    path: self.root.to_owned(),
                    masks,
                })?;
                report.push(
                    Notice::assumed(format!(
                        "the values of the masks are those of the table of classes: {}",
                        classes.names().join(", ")
                    ))
                    .about(manifest::CLASSES)
                    .next("`ChipFolder::new(folder).values(…)` says what they mean"),
                );
                Ok(Some(LabelValues::from(classes).ignore([IGNORE])))
            }
        }
    }

    fn with_masks(&self, scenes: &Scenes, values: LabelValues) -> Result<Scenes> {
        let with = |index: usize| scenes.column(index, MASK).is_some();
        let background = self.folder.missing == Missing::Background;
        if (0..scenes.len()).all(with) || background {
            let files = LabelFiles::column(MASK).missing_as_background();
            return scenes.with_label_rasters(files, values);
        }
        // Only some scenes had labels when the chips were cut: the others stay without.
        scenes.change_each("labeled", |index, scene| match scenes.column(index, MASK) {
            Some(mask) => scene.with_label_raster(mask, values.clone()),
            None => Ok(scene.clone()),
        })
    }

    fn with_boxes(&self, scenes: &Scenes, boxes: &BoxFiles) -> Result<Scenes> {
        let nothing = |scene: &Scene| scene.with_labeled_boxes(&[], &boxes.classes, Report::new());
        let boxed = scenes.change_each("labeled", |index, scene| {
            let given = match scenes.column(index, BOXES) {
                Some(path) => boxes.give(scene, Path::new(path))?,
                None => None,
            };
            Ok(given.unwrap_or_else(|| nothing(scene)))
        })?;
        let all = boxed.iter().flat_map(Scene::boxes);
        let boxed = match rotated(all, &file_name(self.root)) {
            Some(notice) => boxed.noting(notice),
            None => boxed,
        };
        // By the scenes that are left: others may have been left out.
        let missing = |index: usize| match (boxed.get(index), boxed.column(index, BOXES)) {
            (Some(scene), Some(path)) => !boxes.lists(scene.raster().path(), Path::new(path)),
            _ => false,
        };
        let of = boxed.len();
        let without: Vec<usize> = (0..of).filter(|&index| missing(index)).collect();
        let Some(first) = without.first() else {
            return Ok(boxed);
        };
        let first = boxed.names().nth(*first).unwrap_or_default().to_owned();
        let count = without.len();
        let text = format!("{count} of {of} images are in no list of boxes, such as {first}");
        match self.folder.missing {
            Missing::Refused => Err(ChipSetError::NoLabels {
                path: self.root.to_owned(),
                what: "entry in the COCO file",
                missing: count,
                of,
                first,
            }
            .into()),
            Missing::Background => Ok(
                boxed.noting(Notice::assumed(format!("{text}: they hold nothing")).count(count))
            ),
            Missing::Skipped => Ok(boxed
                .kept(|index| !missing(index))?
                .noting(Notice::left_out(text).count(count))),
        }
    }
}

/// The class that each chip had when it was saved, where its scene had a rule for that: an object that the edge of a chip cuts
/// is not whole in the chip, so that the rule would find another one there.
fn with_classes(scenes: &Scenes, manifest: &Manifest, root: &Path) -> Result<Scenes> {
    let mut classes: BTreeMap<PathBuf, (&CellRule, Option<&str>)> = BTreeMap::new();
    let mut rules = Vec::new();
    let names = manifest.classes.names();
    for part in &manifest.parts {
        let Some(rule) = &part.cells else {
            continue;
        };
        rules.push(match part.is_of_objects() {
            true => "of the class of the object that they were cut around".to_owned(),
            false => rule.words(),
        });
        let of = |class: usize| names.get(class).copied();
        let chips = part.chips.iter();
        // As an opened image is called.
        let path = |image: &String| {
            let path = root.join(image);
            std::path::absolute(&path).unwrap_or(path)
        };
        classes.extend(chips.map(|chip| (path(&chip.image), (rule, chip.class.and_then(of)))));
    }
    if classes.is_empty() {
        return Ok(scenes.clone());
    }
    rules.sort();
    rules.dedup();
    let classed = scenes.change_each("labeled", |_, scene| {
        Ok(match classes.get(scene.raster().path()) {
            Some((rule, class)) => scene.with_stated_class((*rule).clone(), *class),
            None => scene.clone(),
        })
    })?;
    let text = format!(
        "the class of each chip is that of its window in the scene, as the manifest says: cells are {}",
        rules.join("; or ")
    );
    Ok(classed.noting(
        Notice::noted(text)
            .next("`scenes.with_cells(rule)` classes them by what is labeled in them"),
    ))
}

/// The columns that scenes of a set have.
pub(super) const SPLIT: &str = "split";
const MASK: &str = "mask";
const BOXES: &str = "boxes";
const SCENE: &str = "scene";

fn columns(part: &Part, item: &Item) -> BTreeMap<String, String> {
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    let all = [
        (SPLIT, part.split.clone()),
        (MASK, item.mask.as_ref().map(text)),
        (BOXES, item.boxes.as_ref().map(text)),
        (SCENE, item.scene.clone()),
    ];
    let there = all
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    there.collect()
}
