//! Raster Vision's archives of chips.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use super::ChipSetError;
use super::layout::{IMAGES, Item, LABELS, Part, by_stem, stem, stems_of, strays};
use crate::raster::is_raster_name;
use crate::report::Report;
use crate::scenes::in_order;
use crate::{FileError, Result};

/// What a split is called.
const SPLITS: [&str; 5] = ["train", "valid", "val", "validation", "test"];

/// The chips of archives as Raster Vision's `chip` command writes them: `[SPLIT/]img/NAME.png` with `[SPLIT/]labels/NAME.png`
/// for segmentation (`.npy` where it is no image) and `[SPLIT/]labels.json` (COCO) for detection; without a folder of its own
/// the split is what the archive's name begins with (`train-UUID.zip`). Files are read where they are, in the archive.
///
/// # Errors
/// [`ChipSetError::NoChips`], [`ChipSetError::Twice`], [`FileError::Io`].
pub(super) fn parts(archives: &[PathBuf], root: &Path, report: &mut Report) -> Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    for path in archives {
        for part in of_archive(path, report)? {
            match parts.iter_mut().find(|other| other.split == part.split) {
                Some(other) => {
                    other.items.extend(part.items);
                    other.masks |= part.masks;
                }
                None => parts.push(part),
            }
        }
    }
    match parts.is_empty() {
        false => Ok(parts),
        true => Err(ChipSetError::NoChips {
            path: root.to_owned(),
            reason: "the archives hold no folder img or images".to_owned(),
        }
        .into()),
    }
}

/// The files of one split in an archive, by GDAL's names.
#[derive(Default)]
struct Files {
    images: Vec<PathBuf>,
    masks: Vec<PathBuf>,
    coco: Option<PathBuf>,
}

fn of_archive(path: &Path, report: &mut Report) -> Result<Vec<Part>> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let file = File::open(path).map_err(|error| FileError::new(path, error))?;
    let broken = |error: zip::result::ZipError| ChipSetError::NoChips {
        path: path.to_owned(),
        reason: format!("it is no archive that can be read: {error}"),
    };
    let zip = zip::ZipArchive::new(file).map_err(broken)?;
    let mut splits = BTreeMap::<Option<String>, Files>::new();
    for entry in zip.file_names() {
        sort(&entry.map_err(broken)?, &absolute, &mut splits);
    }
    let with_images = splits
        .into_iter()
        .filter(|(_, files)| !files.images.is_empty());
    let part = |(split, mut files): (Option<String>, Files)| -> Result<Part> {
        files.images.sort_by_key(|path| in_order(path));
        let stems = stems_of(&files.images.iter().collect::<Vec<_>>())?;
        let all: Vec<&PathBuf> = files.masks.iter().collect();
        let masks = by_stem(&stems, &all)?;
        strays(&stems, &all, &masks, path, report);
        let item = |image: &PathBuf| Item {
            image: image.clone(),
            mask: masks.get(&stem(image)).cloned(),
            boxes: files.coco.clone(),
            scene: None,
        };
        Ok(Part {
            split,
            labels_at: path.to_owned(),
            masks: !masks.is_empty(),
            own_boxes: false,
            items: files.images.iter().map(item).collect(),
        })
    };
    with_images.map(part).collect()
}

/// Puts an entry where it belongs; what is no chip is passed over.
fn sort(entry: &str, archive: &Path, splits: &mut BTreeMap<Option<String>, Files>) {
    let mut folders: Vec<&str> = entry.split('/').collect();
    let Some(file) = folders
        .pop()
        .filter(|file| !file.is_empty() && !file.starts_with('.'))
    else {
        return;
    };
    let is = |known: &[&str], folder: Option<&str>| {
        folder.is_some_and(|folder| known.contains(&folder.to_lowercase().as_str()))
    };
    let last = folders.last().copied();
    let (images, masks) = (is(&IMAGES, last), is(&LABELS, last));
    let coco = file.eq_ignore_ascii_case("labels.json") && !images;
    if !coco && !((images || masks) && is_raster_name(file)) {
        return;
    }
    if images || masks {
        folders.pop();
    }
    let split = match folders.last() {
        Some(split) => Some((*split).to_owned()),
        None => {
            let stem = stem(archive);
            let start = stem.split(['-', '_']).next().unwrap_or_default();
            let start = start.to_lowercase();
            SPLITS.contains(&start.as_str()).then_some(start)
        }
    };
    let files = splits.entry(split).or_default();
    let inside = PathBuf::from(format!("/vsizip/{}/{entry}", archive.display()));
    if coco {
        files.coco = Some(inside);
    } else if images {
        files.images.push(inside);
    } else {
        files.masks.push(inside);
    }
}
