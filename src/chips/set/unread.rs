//! What a data set holds and nobody reads: neither imagery nor labels are passed over in silence.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::ChipSetError;
use super::layout::{IMAGES, Item, LABELS, Listing, NO_LABELS, Part, stem};
use crate::report::{Notice, Report, file_name};

/// How deep is looked.
const DEPTH: usize = 6;
/// How many folders are looked into.
const FOLDERS: usize = 20_000;
/// How files of labels end.
const ENDINGS: [&str; 5] = ["txt", "xml", "json", "csv", "geojson"];

/// Tells of imagery and label files beside those that are read.
///
/// # Errors
/// [`ChipSetError::NotAll`] for images in folders that are called as those of a set: they are meant to be of it.
pub(super) fn check(
    root: &Listing,
    parts: &[Part],
    coco: &BTreeSet<&Path>,
    report: &mut Report,
) -> Result<(), ChipSetError> {
    let items = || parts.iter().flat_map(|part| &part.items);
    let labels = items().flat_map(|item| item.mask.iter().chain(&item.boxes));
    let mut looking = Looking {
        root: &root.folder,
        images: items().filter_map(|item| item.image.parent()).collect(),
        stems: items().map(|item| stem(&item.image)).collect(),
        labels: labels
            .map(PathBuf::as_path)
            .chain(coco.iter().copied())
            .collect(),
        unlabeled: !items().any(Item::is_labeled),
        meant: Vec::new(),
        others: Vec::new(),
        unread: BTreeMap::new(),
        left: FOLDERS,
    };
    looking.walk(root, 0);
    let Looking {
        meant,
        others,
        unread,
        ..
    } = looking;
    if !meant.is_empty() {
        return Err(ChipSetError::NotAll {
            path: root.folder.clone(),
            found: meant,
            read: items().count(),
        });
    }
    let about = file_name(&root.folder);
    let count: usize = others.iter().map(|(_, images)| images).sum();
    if count > 0 {
        let folders = others
            .iter()
            .map(|(name, images)| format!("{name} ({images})"));
        let text = format!(
            "{count} images in folders whose names say nothing of a set: {}",
            some(folders.collect())
        );
        let next =
            "images of a set lie in `images/`, or in a folder with a COCO file or called as one";
        report.push(Notice::left_out(text).about(&about).count(count).next(next));
    }
    let count: usize = unread.values().sum();
    if count > 0 {
        let kinds = unread
            .iter()
            .map(|(kind, files)| format!("{kind} ({files})"));
        let text = format!(
            "{count} files that may be labels are not read: {}",
            some(kinds.collect())
        );
        let next = "labels of a set are masks, YOLO's `labels/*.txt`, Pascal VOC's `Annotations/*.xml` or COCO's JSON; others are \
                    given by `Scenes::open(\"images\")?.with_boxes(\"labels\", \"class\")?`";
        report.push(Notice::left_out(text).about(&about).count(count).next(next));
    }
    Ok(())
}

fn some(names: Vec<String>) -> String {
    let more = names.len().saturating_sub(5);
    let shown = names.into_iter().take(5).collect::<Vec<_>>().join(", ");
    match more {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

struct Looking<'a> {
    root: &'a Path,
    /// Folders of images that are read, the stems of these, and the files of labels.
    images: BTreeSet<&'a Path>,
    stems: BTreeSet<String>,
    labels: BTreeSet<&'a Path>,
    /// Whether no image has a label.
    unlabeled: bool,
    /// Folders called as those of images, or in such, each with its images.
    meant: Vec<(String, usize)>,
    /// Other folders with images.
    others: Vec<(String, usize)>,
    /// Files that may be labels, by folder and ending.
    unread: BTreeMap<String, usize>,
    left: usize,
}

impl Looking<'_> {
    fn walk(&mut self, listing: &Listing, depth: usize) {
        let folder = listing.folder.as_path();
        let below = folder.strip_prefix(self.root).unwrap_or(Path::new(""));
        let called = |names: &[&str]| {
            let mut parts = below.iter();
            parts.any(|part| names.contains(&part.to_string_lossy().to_lowercase().as_str()))
        };
        let of_labels = called(&LABELS);
        let images = listing.imagery().len();
        if images > 0 && depth > 0 && !of_labels && !self.images.contains(folder) {
            let found = (below.display().to_string(), images);
            match called(&IMAGES) {
                true => self.meant.push(found),
                false => self.others.push(found),
            }
        }
        for path in &listing.files {
            let ending = path.extension().unwrap_or_default().to_string_lossy();
            let ending = ending.to_lowercase();
            let stem = stem(path);
            let name = stem.trim_matches('_').to_lowercase();
            let meant = self.stems.contains(&stem)
                || (self.unlabeled
                    && (of_labels || LABELS.contains(&name.as_str()))
                    && !NO_LABELS.contains(&name.as_str()));
            if meant && ENDINGS.contains(&ending.as_str()) && !self.labels.contains(path.as_path())
            {
                let kind = below.join(format!("*.{ending}")).display().to_string();
                *self.unread.entry(kind).or_default() += 1;
            }
        }
        if depth == DEPTH {
            return;
        }
        for folder in &listing.folders {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            // What cannot be listed was not read either.
            if let Ok(listing) = Listing::of(folder) {
                self.walk(&listing, depth + 1);
            }
        }
    }
}
