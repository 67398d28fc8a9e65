//! Which files of a folder are the chips of a data set, and which labels belong to which.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::{ChipSetError, archive, image_sets, unread};
use crate::boxes::formats::{BoxFile, Format, FormatError, coco, composed, format_of};
use crate::raster::{self, is_raster_name};
use crate::report::{Notice, Report, file_name};
use crate::scenes::in_order;
use crate::{FileError, Result};

/// What folders of images are called, in small letters.
pub(super) const IMAGES: [&str; 6] = ["images", "image", "imgs", "img", "imagery", "jpegimages"];
/// What folders of masks and label files are called.
pub(super) const LABELS: [&str; 11] = [
    "masks",
    "mask",
    "labels",
    "label",
    "annotations",
    "annotation",
    "targets",
    "target",
    "gt",
    "segmentationclass",
    "lbl",
];
/// What a mask's name may have behind that of its image.
const BEHIND: [&str; 6] = ["_mask", "_label", "_labels", "_gt", "-mask", "-label"];
/// Text files among labels that are none, without their extension.
pub(super) const NO_LABELS: [&str; 10] = [
    "classes", "labels", "names", "train", "val", "valid", "test", "readme", "license", "notes",
];

/// The name of a file without its extension, in one form of Unicode: that of an image and that of its label are the same.
pub(super) fn stem(path: &Path) -> String {
    composed(&raster::stem(path))
}

/// A chip's files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) image: PathBuf,
    pub(super) mask: Option<PathBuf>,
    /// A file of YOLO's or Pascal VOC's, or a COCO file that holds many.
    pub(super) boxes: Option<PathBuf>,
    /// What a manifest says of the scene that it was cut from.
    pub(super) scene: Option<String>,
}

impl Item {
    pub(super) fn is_labeled(&self) -> bool {
        self.mask.is_some() || self.boxes.is_some()
    }
}

/// The chips of one split, or all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) split: Option<String>,
    /// Where its labels lie.
    pub(super) labels_at: PathBuf,
    pub(super) items: Vec<Item>,
    /// Whether there are such files at all.
    pub(super) masks: bool,
    /// Files of boxes of one image each.
    pub(super) own_boxes: bool,
}

/// What the COCO files of a set hold: each is read once, to know that it is one.
pub(super) type CocoFiles = HashMap<PathBuf, BoxFile>;

/// What is in a folder; hidden entries are not.
pub(super) struct Listing {
    pub(super) folder: PathBuf,
    pub(super) files: Vec<PathBuf>,
    pub(super) folders: Vec<PathBuf>,
}

impl Listing {
    pub(super) fn of(folder: &Path) -> Result<Self> {
        let failed = |source| FileError::Io {
            action: "list the folder",
            path: folder.to_owned(),
            source,
        };
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if file_name(&path).starts_with('.') {
                continue;
            }
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
        files.sort_by_key(|path| in_order(path));
        folders.sort_by_key(|path| in_order(path));
        Ok(Self {
            folder: folder.to_owned(),
            files,
            folders,
        })
    }

    pub(super) fn imagery(&self) -> Vec<&PathBuf> {
        self.files
            .iter()
            .filter(|path| is_raster_name(&file_name(path)))
            .collect()
    }

    /// The folders in it that are called so, the likeliest first.
    fn called(&self, names: &[&str]) -> Vec<&PathBuf> {
        let of = |wanted: &&str| {
            self.folders
                .iter()
                .find(|path| file_name(path).to_lowercase() == **wanted)
        };
        names.iter().filter_map(of).collect()
    }

    fn ending(&self, ending: &str) -> impl Iterator<Item = &PathBuf> {
        self.files.iter().filter(move |path| {
            path.extension()
                .is_some_and(|own| own.eq_ignore_ascii_case(ending))
        })
    }
}

/// The chips of a folder or an archive whose layout is known.
///
/// | layout | images | labels |
/// |---|---|---|
/// | plain, TorchGeo | `images/`, `image/`, `img/` | `masks/`, `labels/`, `label/`, … of equal stems |
/// | splits below (YOLO, torchvision) | `images/train/` | `labels/train/`, `masks/train/` |
/// | splits above (Raster Vision, Roboflow) | `train/img/`, `train/images/` | `train/labels/`, `train/labels.json` |
/// | Pascal VOC | `JPEGImages/` | `Annotations/*.xml`, `SegmentationClass/`; splits in `ImageSets/` |
/// | COCO | `images/`, `train2017/` | `annotations/*.json`, `*.json` |
///
/// # Errors
/// [`ChipSetError::NoChips`], [`ChipSetError::NotAll`], [`ChipSetError::Twice`], [`FileError::Io`]; [`FormatError`] for annotations that cannot be read
/// where nothing else labels the images.
pub(super) fn discover(root: &Path, report: &mut Report) -> Result<(Vec<Part>, CocoFiles)> {
    let of_archives = |archives: &[PathBuf], report: &mut Report| {
        archive::parts(archives, root, report).map(|parts| (parts, CocoFiles::new()))
    };
    if root.is_file() {
        return of_archives(&[root.to_owned()], report);
    }
    let listing = Listing::of(root)?;
    let mut lists = Lists::default();
    let mut finder = Finder {
        root: &listing,
        coco: lists.among(&listing)?,
        lists,
        parts: Vec::new(),
        report,
    };
    finder.find()?;
    let Finder {
        parts,
        lists: Lists { read, broken },
        ..
    } = finder;
    if !parts.is_empty() {
        // What cannot be read is told for itself.
        let met = read.keys().chain(broken.iter().map(|(path, _)| path));
        let met = met.map(PathBuf::as_path).collect();
        unread::check(&listing, &parts, &met, report)?;
        let parts = image_sets::split(root, parts, report);
        let labeled = |part: &Part| part.items.iter().any(Item::is_labeled);
        for (path, error) in broken {
            if !parts.iter().any(labeled) {
                return Err(error.into());
            }
            let text = format!("annotations that cannot be read: {error}");
            let next = "mend the file, or remove it";
            report.push(Notice::left_out(text).about(file_name(&path)).next(next));
        }
        return Ok((parts, read));
    }
    let archives: Vec<PathBuf> = listing.ending("zip").cloned().collect();
    if !archives.is_empty() {
        return of_archives(&archives, report);
    }
    let below: Vec<String> = listing.folders.iter().map(|path| file_name(path)).collect();
    Err(ChipSetError::NoChips {
        path: root.to_owned(),
        reason: match below.len() {
            0 => "there is no folder of images in it".to_owned(),
            _ => format!(
                "none of its folders holds images as data sets name them: {}",
                below.iter().take(8).cloned().collect::<Vec<_>>().join(", ")
            ),
        },
    }
    .into())
}

/// The COCO files that were met.
#[derive(Default)]
struct Lists {
    read: CocoFiles,
    /// Those that are meant as such, and why they cannot be read.
    broken: Vec<(PathBuf, FormatError)>,
}

impl Lists {
    /// The COCO files beside folders of images, and in folders of annotations; those that hold objects, by COCO's own names,
    /// before others.
    fn among(&mut self, listing: &Listing) -> Result<Vec<PathBuf>> {
        let mut files: Vec<PathBuf> = listing.ending("json").cloned().collect();
        for folder in listing.called(&LABELS) {
            files.extend(Listing::of(folder)?.ending("json").cloned());
        }
        files.retain(|path| file_name(path) != super::manifest::NAME && self.is_coco(path));
        files.sort_by_key(|path| !file_name(path).starts_with("instances"));
        Ok(files)
    }

    fn is_coco(&mut self, path: &Path) -> bool {
        let error = match coco::read(path) {
            Ok(file) => {
                self.read.insert(path.to_owned(), file);
                return true;
            }
            Err(error) => error,
        };
        // JSON of another kind is nobody's annotations.
        if matches!(
            format_of(path),
            Ok(Some(Format::Coco)) | Err(FormatError::Json { .. } | FormatError::Io { .. })
        ) {
            self.broken.push((path.to_owned(), error));
        }
        false
    }
}

struct Finder<'a> {
    root: &'a Listing,
    /// COCO files that are of no split's folder.
    coco: Vec<PathBuf>,
    lists: Lists,
    parts: Vec<Part>,
    report: &'a mut Report,
}

impl Finder<'_> {
    fn find(&mut self) -> Result<()> {
        let root = self.root;
        for images in root.called(&IMAGES) {
            let own = Listing::of(images)?;
            self.part(None, &own, &root.called(&LABELS), &[])?;
            for below in &own.folders {
                let split = file_name(below);
                let labels = root
                    .called(&LABELS)
                    .into_iter()
                    .map(|folder| folder.join(&split));
                let labels: Vec<PathBuf> = labels.filter(|folder| folder.is_dir()).collect();
                self.part(
                    Some(&split),
                    &Listing::of(below)?,
                    &labels.iter().collect::<Vec<_>>(),
                    &[],
                )?;
            }
        }
        let known = |path: &&PathBuf| {
            let name = file_name(path).to_lowercase();
            !IMAGES.contains(&name.as_str()) && !LABELS.contains(&name.as_str())
        };
        for folder in root.folders.iter().filter(known) {
            let (split, own) = (file_name(folder), Listing::of(folder)?);
            let coco = self.lists.among(&own)?;
            let inside = own.called(&IMAGES);
            for images in &inside {
                self.part(
                    Some(&split),
                    &Listing::of(images)?,
                    &own.called(&LABELS),
                    &coco,
                )?;
            }
            // Roboflow's COCO lies among the images; COCO's own images in folders called as its files.
            let by_name = self.coco.iter().any(|path| stem(path).contains(&split));
            if inside.is_empty() && (!coco.is_empty() || by_name) {
                self.part(Some(&split), &own, &[], &coco)?;
            }
        }
        if self.parts.is_empty() && !self.coco.is_empty() {
            self.part(None, root, &[], &[])?;
        }
        Ok(())
    }

    /// Adds the images of a folder with their labels; a folder without an image is none.
    fn part(
        &mut self,
        split: Option<&str>,
        images: &Listing,
        labels: &[&PathBuf],
        coco: &[PathBuf],
    ) -> Result<()> {
        let imagery = images.imagery();
        if imagery.is_empty() {
            return Ok(());
        }
        let stems = stems_of(&imagery)?;
        let (mut masks, mut texts) = (BTreeMap::new(), BTreeMap::new());
        let mut labels_at = labels
            .first()
            .map_or_else(|| images.folder.clone(), |folder| (*folder).clone());
        for folder in labels {
            let listing = Listing::of(folder)?;
            if masks.is_empty() {
                masks = by_stem(&stems, &listing.imagery())?;
                if !masks.is_empty() {
                    labels_at.clone_from(&listing.folder);
                    strays(
                        &stems,
                        &listing.imagery(),
                        &masks,
                        &listing.folder,
                        self.report,
                    );
                }
            }
            for ending in ["txt", "xml"] {
                if !texts.is_empty() {
                    break;
                }
                let (of_images, others): (Vec<&PathBuf>, Vec<&PathBuf>) = listing
                    .ending(ending)
                    .partition(|path| stems.contains_key(&stem(path)));
                texts = by_stem(&stems, &of_images)?;
                if texts.is_empty() {
                    continue;
                }
                if masks.is_empty() {
                    labels_at.clone_from(&listing.folder);
                }
                without_image(&others, texts.len(), &listing.folder, self.report);
            }
        }
        // YOLO's files beside the images.
        if labels.is_empty() && coco.is_empty() {
            let of_images: Vec<&PathBuf> = images
                .ending("txt")
                .filter(|path| stems.contains_key(&stem(path)))
                .collect();
            texts = by_stem(&stems, &of_images)?;
        }
        let listed = self.coco_of(split, coco);
        if let (Some(first), true) = (listed.first(), masks.is_empty()) {
            labels_at.clone_from(first);
        }
        let (has_masks, own_boxes) = (!masks.is_empty(), !texts.is_empty() && listed.is_empty());
        let shared = listed.first();
        let items = imagery.iter().map(|image| {
            let stem = stem(image);
            Item {
                image: (*image).clone(),
                mask: masks.get(&stem).cloned(),
                boxes: shared.cloned().or_else(|| texts.get(&stem).cloned()),
                scene: None,
            }
        });
        self.parts.push(Part {
            split: split.map(str::to_owned),
            labels_at,
            items: items.collect(),
            masks: has_masks,
            own_boxes,
        });
        if listed.len() > 1 {
            let names: Vec<String> = listed.iter().map(|path| file_name(path)).collect();
            let text = format!(
                "of {} COCO files {} is taken: {}",
                listed.len(),
                names.first().map_or("", String::as_str),
                names.join(", ")
            );
            let next = "move the others away, or call them as the splits are called";
            self.report
                .push(Notice::left_out(text).count(listed.len() - 1).next(next));
        }
        Ok(())
    }

    /// The COCO files of a split: in its folder, called after it, or the one for all.
    fn coco_of(&self, split: Option<&str>, own: &[PathBuf]) -> Vec<PathBuf> {
        if !own.is_empty() {
            return own.to_vec();
        }
        if let Some(split) = split {
            let called: Vec<PathBuf> = (self.coco.iter())
                .filter(|path| {
                    stem(path).split(['_', '-', '.']).any(|word| word == split)
                        || stem(path) == split
                })
                .cloned()
                .collect();
            if !called.is_empty() {
                return called;
            }
            return match self.coco.as_slice() {
                [one] => vec![one.clone()],
                _ => Vec::new(),
            };
        }
        self.coco.clone()
    }
}

/// Images by their stems.
pub(super) type Stems<'a> = BTreeMap<String, &'a Path>;

/// Images by their stems, no two of one.
pub(super) fn stems_of<'a>(images: &[&'a PathBuf]) -> Result<Stems<'a>, ChipSetError> {
    let mut stems = Stems::new();
    for &path in images {
        if let Some(other) = stems.insert(stem(path), path) {
            return Err(ChipSetError::Twice {
                chip: stem(path),
                first: other.to_owned(),
                second: path.clone(),
            });
        }
    }
    Ok(stems)
}

/// The label files of images, by the image's stem.
pub(super) fn by_stem(
    images: &Stems<'_>,
    labels: &[&PathBuf],
) -> Result<BTreeMap<String, PathBuf>, ChipSetError> {
    let mut found = BTreeMap::<String, PathBuf>::new();
    for path in labels {
        let Some(chip) = image_of(images, &stem(path)) else {
            continue;
        };
        if let Some(first) = found.insert(chip.clone(), (*path).clone()) {
            return Err(ChipSetError::Twice {
                chip,
                first,
                second: (*path).clone(),
            });
        }
    }
    Ok(found)
}

/// The stem of the image that a label file of this stem is of.
fn image_of(images: &Stems<'_>, label: &str) -> Option<String> {
    if images.contains_key(label) {
        return Some(label.to_owned());
    }
    let mut shorter = BEHIND
        .iter()
        .filter_map(|behind| label.strip_suffix(behind));
    shorter
        .find(|stem| images.contains_key(*stem))
        .map(str::to_owned)
}

/// Tells of files of boxes without an image.
fn without_image(others: &[&PathBuf], of: usize, place: &Path, report: &mut Report) {
    let stray = others
        .iter()
        .filter(|path| !NO_LABELS.contains(&stem(path).to_lowercase().as_str()));
    let Some(first) = stray.clone().next() else {
        return;
    };
    let count = stray.count();
    let text = format!(
        "{count} of {} label files have no image of their name, such as {}",
        of + count,
        file_name(first)
    );
    report.push(Notice::left_out(text).about(file_name(place)).count(count));
}

/// Tells of masks without an image.
pub(super) fn strays(
    images: &Stems<'_>,
    all: &[&PathBuf],
    masks: &BTreeMap<String, PathBuf>,
    place: &Path,
    report: &mut Report,
) {
    let stray = all.len() - masks.len().min(all.len());
    if stray > 0 {
        let first = all
            .iter()
            .find(|path| image_of(images, &stem(path)).is_none());
        let first = first.map_or_else(String::new, |path| format!(", such as {}", file_name(path)));
        let text = format!(
            "{stray} of {} masks have no image of their name{first}",
            all.len()
        );
        report.push(Notice::left_out(text).about(file_name(place)).count(stray));
    }
}
