//! Reading data sets of chips.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::boxes::BoxFiles;
use super::layout::{self, Item, Part};
use super::manifest::Manifest;
use super::options::Container;
use super::read::{ChipSet, Recorded};
use super::{ChipSetError, layout::name};
use crate::Result;
use crate::labels::{Classes, IGNORE, LabelValues};
use crate::raster::OpenOptions;
use crate::report::{Notice, Report};
use crate::scenes::{LabelFiles, Scenes, ScenesOptions};

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
    /// | COCO | folders of images, `annotations/*.json` |
    ///
    /// Folders called `train`, `val` and so on, above or below `images`, are splits ([`ChipSet::split`]). Each image is a
    /// scene, which needs no place on the ground; nothing but its description is held.
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
    /// [`ChipSetError::NoChips`] where none of these is found; [`ChipSetError::NoLabels`] with the number of chips without a
    /// mask; [`ChipSetError::NoClasses`] for masks of which nothing says what their values mean;
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
        let parts = match &manifest {
            Some(manifest) => parts_of(manifest, &root),
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
        let scenes = opening.scenes(manifest.as_ref(), report)?;
        Ok(Self::new(root, scenes, recorded, folder.own_statistics))
    }
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
        let coco = match &part.split {
            Some(split) => format!("annotations/instances_{split}.json"),
            None => "annotations/instances.json".to_owned(),
        };
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
            yolo: part.yolo && !part.coco && part.chips.iter().all(|chip| chip.yolo.is_some()),
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
    fn scenes(mut self, manifest: Option<&Manifest>, mut report: Report) -> Result<Scenes> {
        self.check_missing(&mut report)?;
        let has_masks = self
            .parts
            .iter()
            .flat_map(|part| &part.items)
            .filter(|item| item.mask.is_some())
            .count();
        let values = self.values(has_masks)?;
        let files = self.parts.iter().flat_map(|part| {
            part.items
                .iter()
                .map(|item| (item.image.clone(), columns(part, item)))
        });
        let files: Vec<(PathBuf, BTreeMap<String, String>)> = files.collect();
        let of: BTreeSet<PathBuf> = self
            .parts
            .iter()
            .flat_map(|part| &part.items)
            .filter_map(|item| item.boxes.clone())
            .collect();
        let boxes = match of.is_empty() {
            true => None,
            false => Some(BoxFiles::read(&of, self.known.as_ref(), &mut report)?),
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
        match boxes {
            Some(boxes) => self.with_boxes(&scenes, &boxes),
            None => Ok(scenes),
        }
    }

    /// A fourth band of PNG is imagery in chips of this library's.
    fn open_options(&self, manifest: Option<&Manifest>) -> Option<OpenOptions> {
        let is_fourth =
            |manifest: &&Manifest| manifest.imagery == Container::Png && manifest.bands.len() == 4;
        let own = manifest
            .filter(is_fourth)
            .map(|_| OpenOptions::new().alpha_as_imagery());
        self.folder.open.clone().or(own)
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
                ("label file", part.yolo, |item| item.boxes.is_none()),
            ] {
                let of = part.items.len();
                let mut without = part.items.iter().filter(|item| lacks(item));
                let first = without.next().map(|item| name(&item.image));
                let (true, Some(first)) = (there, first) else {
                    continue;
                };
                let count = without.count() + 1;
                let text = |done: &str| {
                    format!("{count} of {of} chips have no {what}{done}, such as {first}")
                };
                let about = name(&part.labels_at);
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
    fn values(&self, masks: usize) -> Result<Option<LabelValues>, ChipSetError> {
        if masks == 0 {
            return Ok(None);
        }
        match (&self.folder.values, &self.known) {
            (Some(values), _) => Ok(Some(values.clone())),
            (None, Some(known)) => Ok(Some(LabelValues::from(known).ignore([IGNORE]))),
            (None, None) => Err(ChipSetError::NoClasses {
                path: self.root.to_owned(),
                masks,
            }),
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
        let unknown = std::sync::atomic::AtomicUsize::new(0);
        let nothing = |scene: &crate::scene::Scene| {
            scene.with_labeled_boxes(&[], &boxes.classes, Report::new())
        };
        let boxed = scenes.change_each("labeled", |index, scene| {
            let Some(path) = scenes.column(index, BOXES) else {
                return Ok(nothing(scene));
            };
            Ok(boxes.give(scene, Path::new(path))?.unwrap_or_else(|| {
                unknown.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                nothing(scene)
            }))
        })?;
        let unknown = unknown.into_inner();
        if unknown == 0 {
            return Ok(boxed);
        }
        let of = scenes.len();
        let missing = |index: &usize| {
            let image = scenes
                .get(*index)
                .map(|scene| (scene.raster().path(), scene.raster().size()));
            let path = scenes.column(*index, BOXES).map(Path::new);
            matches!((image, path), (Some((image, size)), Some(path)) if boxes.of(image, size, path).is_ok_and(|found| found.is_none()))
        };
        let first = (0..of)
            .find(missing)
            .and_then(|index| scenes.names().nth(index))
            .unwrap_or_default();
        let text = format!("{unknown} of {of} images are in no list of boxes, such as {first}");
        match self.folder.missing {
            Missing::Refused => Err(ChipSetError::NoLabels {
                path: self.root.to_owned(),
                what: "entry in the COCO file",
                missing: unknown,
                of,
                first: first.to_owned(),
            }
            .into()),
            Missing::Background => {
                Ok(boxed
                    .noting(Notice::assumed(format!("{text}: they hold nothing")).count(unknown)))
            }
            Missing::Skipped => {
                let keep = |index: usize| !missing(&index);
                Ok(boxed
                    .kept(keep)?
                    .noting(Notice::left_out(text).count(unknown)))
            }
        }
    }
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
