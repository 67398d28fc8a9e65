//! Raster Vision's archives of chips.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use super::ChipSetError;
use super::layout::{IMAGES, Item, LABELS, Part, of_arrays};
use crate::raster::is_raster_name;
use crate::report::Report;
use crate::{FileError, Result};

/// What a split is called.
const SPLITS: [&str; 5] = ["train", "valid", "val", "validation", "test"];

/// The chips of archives as Raster Vision's `chip` command writes them: `[SPLIT/]img/NAME.png` with `[SPLIT/]labels/NAME.png`
/// for segmentation and `[SPLIT/]labels.json` (COCO) for detection; without a folder of its own the split is what the
/// archive's name begins with (`train-UUID.zip`). Files are read where they are, in the archive.
///
/// # Errors
/// [`ChipSetError::NoChips`], [`FileError::Io`].
pub(super) fn parts(archives: &[PathBuf], root: &Path, report: &mut Report) -> Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    let mut arrays = 0;
    for path in archives {
        for part in of_archive(path, &mut arrays)? {
            match parts.iter_mut().find(|other| other.split == part.split) {
                Some(other) => {
                    other.items.extend(part.items);
                    other.masks |= part.masks;
                }
                None => parts.push(part),
            }
        }
    }
    if arrays > 0 {
        report.push(of_arrays(arrays));
    }
    if parts.is_empty() {
        let reason = match arrays {
            0 => "the archives hold no folder img or images".to_owned(),
            _ => format!(
                "{arrays} chips or masks are NumPy arrays (.npy), which chip sets do not read"
            ),
        };
        let path = root.to_owned();
        return Err(ChipSetError::NoChips { path, reason }.into());
    }
    Ok(parts)
}

/// The files of one split in an archive, by stem.
#[derive(Default)]
struct Files {
    images: BTreeMap<String, String>,
    masks: BTreeMap<String, String>,
    coco: Option<String>,
}

fn of_archive(path: &Path, arrays: &mut usize) -> Result<Vec<Part>> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let file = File::open(path).map_err(|error| FileError::new(path, error))?;
    let broken = |error: zip::result::ZipError| ChipSetError::NoChips {
        path: path.to_owned(),
        reason: format!("it is no archive that can be read: {error}"),
    };
    let zip = zip::ZipArchive::new(file).map_err(broken)?;
    let mut splits = BTreeMap::<Option<String>, Files>::new();
    for entry in zip.file_names() {
        sort(&entry.map_err(broken)?, path, &mut splits, arrays);
    }
    let inside = |entry: &String| PathBuf::from(format!("/vsizip/{}/{entry}", absolute.display()));
    let with_images = splits
        .into_iter()
        .filter(|(_, files)| !files.images.is_empty());
    let part = |(split, files): (Option<String>, Files)| Part {
        split,
        labels_at: path.to_owned(),
        masks: !files.masks.is_empty(),
        yolo: false,
        items: files
            .images
            .iter()
            .map(|(stem, image)| Item {
                image: inside(image),
                mask: files.masks.get(stem).map(inside),
                boxes: files.coco.as_ref().map(inside),
                scene: None,
            })
            .collect(),
    };
    Ok(with_images.map(part).collect())
}

/// Puts an entry where it belongs; what is no chip is passed over.
fn sort(
    entry: &str,
    archive: &Path,
    splits: &mut BTreeMap<Option<String>, Files>,
    arrays: &mut usize,
) {
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
    let coco = file.eq_ignore_ascii_case("labels.json");
    if !images && !masks && !coco {
        return;
    }
    if images || masks {
        folders.pop();
    }
    let split = match folders.last() {
        Some(split) => Some((*split).to_owned()),
        None => {
            let stem = archive
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let start = stem
                .split(['-', '_'])
                .next()
                .unwrap_or_default()
                .to_lowercase();
            SPLITS.contains(&start.as_str()).then_some(start)
        }
    };
    let files = splits.entry(split).or_default();
    let stem = file
        .rsplit_once('.')
        .map_or(file, |(stem, _)| stem)
        .to_owned();
    if coco && !images {
        files.coco = Some(entry.to_owned());
    } else if !is_raster_name(file) {
        *arrays += usize::from(file.to_lowercase().ends_with(".npy"));
    } else if images {
        files.images.insert(stem, entry.to_owned());
    } else {
        files.masks.insert(stem, entry.to_owned());
    }
}
