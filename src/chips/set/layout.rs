//! Which files of a folder are the chips of a data set, and which labels belong to which.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{ChipSetError, archive};
use crate::boxes::formats::{Format, format_of};
use crate::raster::is_raster_name;
use crate::report::{Notice, Report};
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

/// A chip's files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) image: PathBuf,
    pub(super) mask: Option<PathBuf>,
    /// A file of YOLO's, or a COCO file that holds many.
    pub(super) boxes: Option<PathBuf>,
    /// What a manifest says of the scene that it was cut from.
    pub(super) scene: Option<String>,
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
    pub(super) yolo: bool,
}

/// What is in a folder; hidden entries are not.
struct Listing {
    folder: PathBuf,
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Listing {
    fn of(folder: &Path) -> Result<Self> {
        let failed = |source| FileError::Io {
            action: "list the folder",
            path: folder.to_owned(),
            source,
        };
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if name(&path).starts_with('.') {
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

    fn imagery(&self) -> Vec<&PathBuf> {
        self.files
            .iter()
            .filter(|path| is_raster_name(&name(path)))
            .collect()
    }

    /// The folders in it that are called so, the likeliest first.
    fn called(&self, names: &[&str]) -> Vec<&PathBuf> {
        let of = |wanted: &&str| {
            self.folders
                .iter()
                .find(|path| name(path).to_lowercase() == **wanted)
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

pub(super) fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The chips of a folder or an archive whose layout is known.
///
/// | layout | images | labels |
/// |---|---|---|
/// | plain, TorchGeo | `images/`, `image/`, `img/` | `masks/`, `labels/`, `label/`, … of equal stems |
/// | splits below (YOLO, torchvision) | `images/train/` | `labels/train/`, `masks/train/` |
/// | splits above (Raster Vision, Roboflow) | `train/img/`, `train/images/` | `train/labels/`, `train/labels.json` |
/// | COCO | `images/`, `train2017/` | `annotations/*.json`, `*.json` |
///
/// # Errors
/// [`ChipSetError::NoChips`], [`ChipSetError::Twice`], [`FileError::Io`].
pub(super) fn discover(root: &Path, report: &mut Report) -> Result<Vec<Part>> {
    if root.is_file() {
        return archive::parts(&[root.to_owned()], root, report);
    }
    let listing = Listing::of(root)?;
    let mut finder = Finder {
        root: &listing,
        coco: coco_files(&listing)?,
        parts: Vec::new(),
        report,
    };
    finder.find()?;
    let Finder { parts, .. } = finder;
    if !parts.is_empty() {
        return Ok(parts);
    }
    let archives: Vec<PathBuf> = listing.ending("zip").cloned().collect();
    if !archives.is_empty() {
        return archive::parts(&archives, root, report);
    }
    let below: Vec<String> = listing.folders.iter().map(|path| name(path)).collect();
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

/// The COCO files beside folders of images, and in folders of annotations.
fn coco_files(listing: &Listing) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = listing.ending("json").cloned().collect();
    for folder in listing.called(&LABELS) {
        files.extend(Listing::of(folder)?.ending("json").cloned());
    }
    files.retain(|path| is_coco(path));
    Ok(files)
}

fn is_coco(path: &Path) -> bool {
    name(path) != super::manifest::NAME && matches!(format_of(path), Ok(Some(Format::Coco)))
}

struct Finder<'a> {
    root: &'a Listing,
    /// COCO files that are of no split's folder.
    coco: Vec<PathBuf>,
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
                let split = name(below);
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
            let name = name(path).to_lowercase();
            !IMAGES.contains(&name.as_str()) && !LABELS.contains(&name.as_str())
        };
        for folder in root.folders.iter().filter(known) {
            let (split, own) = (name(folder), Listing::of(folder)?);
            let coco = coco_files(&own)?;
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
        numpy(images, self.report);
        let imagery = images.imagery();
        if imagery.is_empty() {
            return Ok(());
        }
        let mut stems = BTreeMap::<String, &Path>::new();
        for path in &imagery {
            if let Some(other) = stems.insert(stem(path), path) {
                return Err(ChipSetError::Twice {
                    chip: stem(path),
                    first: other.to_owned(),
                    second: path.to_path_buf(),
                }
                .into());
            }
        }
        let (mut masks, mut yolo) = (BTreeMap::new(), BTreeMap::new());
        let mut labels_at = labels
            .first()
            .map_or_else(|| images.folder.clone(), |folder| (*folder).clone());
        for folder in labels {
            let listing = Listing::of(folder)?;
            if masks.is_empty() {
                masks = by_stem(&stems, &listing.imagery())?;
                if !masks.is_empty() {
                    labels_at.clone_from(&listing.folder);
                    strays(&stems, &listing.imagery(), &masks, &listing, self.report);
                }
                numpy(&listing, self.report);
            }
            if yolo.is_empty() {
                let texts: Vec<&PathBuf> = listing.ending("txt").collect();
                let of_images: Vec<&PathBuf> = texts
                    .iter()
                    .copied()
                    .filter(|path| stems.contains_key(&stem(path)))
                    .collect();
                yolo = by_stem(&stems, &of_images)?;
                if !yolo.is_empty() && masks.is_empty() {
                    labels_at.clone_from(&listing.folder);
                }
            }
        }
        // YOLO's files beside the images.
        if labels.is_empty() && coco.is_empty() {
            let texts: Vec<&PathBuf> = images
                .ending("txt")
                .filter(|path| stems.contains_key(&stem(path)))
                .collect();
            yolo = by_stem(&stems, &texts)?;
        }
        let listed = self.coco_of(split, coco);
        if let (Some(first), true) = (listed.first(), masks.is_empty()) {
            labels_at.clone_from(first);
        }
        let (has_masks, has_yolo) = (!masks.is_empty(), !yolo.is_empty() && listed.is_empty());
        let shared = listed.first();
        let items = imagery.iter().map(|image| {
            let stem = stem(image);
            Item {
                image: (*image).clone(),
                mask: masks.get(&stem).cloned(),
                boxes: shared.cloned().or_else(|| yolo.get(&stem).cloned()),
                scene: None,
            }
        });
        self.parts.push(Part {
            split: split.map(str::to_owned),
            labels_at,
            items: items.collect(),
            masks: has_masks,
            yolo: has_yolo,
        });
        if listed.len() > 1 {
            let names: Vec<String> = listed.iter().map(|path| name(path)).collect();
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

/// The label files of images, by the image's stem.
fn by_stem(
    images: &BTreeMap<String, &Path>,
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
fn image_of(images: &BTreeMap<String, &Path>, label: &str) -> Option<String> {
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

/// Tells of masks without an image.
fn strays(
    images: &BTreeMap<String, &Path>,
    all: &[&PathBuf],
    masks: &BTreeMap<String, PathBuf>,
    listing: &Listing,
    report: &mut Report,
) {
    let stray = all.len() - masks.len().min(all.len());
    if stray > 0 {
        let first = all
            .iter()
            .find(|path| image_of(images, &stem(path)).is_none());
        let first = first.map_or_else(String::new, |path| format!(", such as {}", name(path)));
        let text = format!(
            "{stray} of {} masks have no image of their name{first}",
            all.len()
        );
        report.push(
            Notice::left_out(text)
                .about(name(&listing.folder))
                .count(stray),
        );
    }
}

/// Tells of arrays, which are no imagery that is read here.
fn numpy(listing: &Listing, report: &mut Report) {
    let arrays = |path: &&PathBuf| {
        let is = |ending: &str| {
            path.extension()
                .is_some_and(|own| own.eq_ignore_ascii_case(ending))
        };
        (is("npy") || is("npz")) && !is_raster_name(&name(path))
    };
    let count = listing.files.iter().filter(arrays).count();
    if count > 0 {
        report.push(of_arrays(count).about(name(&listing.folder)));
    }
}

pub(super) fn of_arrays(count: usize) -> Notice {
    Notice::left_out(format!(
        "{count} chips or masks are NumPy arrays (.npy), which chip sets do not read"
    ))
    .count(count)
    .next("write them as GeoTIFF, with rasterio for example")
}
