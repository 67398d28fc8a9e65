//! The lists of Pascal VOC, `ImageSets/Main/train.txt` and the like, as splits.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::layout::{Part, stem};
use crate::boxes::formats::composed;
use crate::report::{Notice, Report};

/// The lists that are splits; `trainval` where neither of the first two is there. Those of single classes
/// (`car_train.txt`) are others.
const LISTS: [&str; 3] = ["train", "val", "test"];

/// The parts of a set, that of the folder's own images by the lists in `ImageSets`, as `torchvision.datasets.VOCDetection` takes
/// them: `Segmentation` where there are masks, `Main` otherwise.
pub(super) fn split(root: &Path, parts: Vec<Part>, report: &mut Report) -> Vec<Part> {
    let lists = root.join("ImageSets");
    if !lists.is_dir() {
        return parts;
    }
    let mut all = Vec::new();
    for part in parts {
        let own = part.split.is_none()
            && (part.items.first())
                .and_then(|item| item.image.parent()?.parent())
                .is_some_and(|above| above == root);
        let segmentation = lists.join("Segmentation");
        let folder = match part.masks && segmentation.is_dir() {
            true => segmentation,
            false => lists.join("Main"),
        };
        match own {
            true => all.extend(by_lists(part, &folder, report)),
            false => all.push(part),
        }
    }
    all
}

fn by_lists(part: Part, folder: &Path, report: &mut Report) -> Vec<Part> {
    let read = |name: &'static str| {
        let names = names_in(&folder.join(format!("{name}.txt")))?;
        Some((name, names))
    };
    let mut lists: Vec<(&'static str, Vec<String>)> = LISTS.into_iter().filter_map(read).collect();
    if !lists
        .iter()
        .any(|(name, _)| ["train", "val"].contains(name))
    {
        lists.extend(read("trainval"));
    }
    if lists.is_empty() {
        return vec![part];
    }
    let about = "ImageSets";
    // The first list that names an image has it.
    let mut of = BTreeMap::<&str, &str>::new();
    let mut twice = BTreeSet::new();
    for (list, names) in &lists {
        for name in names {
            match of.get(name.as_str()) {
                Some(first) if first != list => {
                    twice.insert(name.as_str());
                }
                Some(_) => {}
                None => {
                    of.insert(name, list);
                }
            }
        }
    }
    if let Some(first) = twice.first() {
        let text = format!(
            "{} images are in several lists and of the first one's split, such as {first}",
            twice.len()
        );
        report.push(
            Notice::assumed(text)
                .about(about)
                .count(twice.len())
                .next("a score on images that were trained on says nothing of others"),
        );
    }
    let mut items = BTreeMap::<Option<&str>, Vec<_>>::new();
    let mut there = BTreeSet::new();
    for item in part.items {
        let name = stem(&item.image);
        let list = of.get(name.as_str()).copied();
        items.entry(list).or_default().push(item);
        there.insert(name);
    }
    let gone: Vec<&&str> = of.keys().filter(|name| !there.contains(**name)).collect();
    if let Some(first) = gone.first() {
        let text = format!(
            "{} of {} images that the lists name are not there, such as {first}",
            gone.len(),
            of.len()
        );
        report.push(Notice::left_out(text).about(about).count(gone.len()));
    }
    let rest = items.remove(&None).unwrap_or_default();
    if !rest.is_empty() {
        let text = format!(
            "{} of {} images are in none of the lists {} and of no split",
            rest.len(),
            there.len(),
            lists
                .iter()
                .map(|(name, _)| *name)
                .collect::<Vec<_>>()
                .join(", ")
        );
        report.push(
            Notice::noted(text)
                .about(about)
                .count(rest.len())
                .next("`set.split(name)` has those of a list alone"),
        );
    }
    let splits = lists.iter().filter_map(|&(list, _)| {
        let items = items.remove(&Some(list))?;
        Some((Some(list.to_owned()), items))
    });
    let mut parts: Vec<(Option<String>, Vec<_>)> = splits.collect();
    if !rest.is_empty() {
        parts.push((None, rest));
    }
    let parts = parts.into_iter().map(|(split, items)| Part {
        split,
        items,
        labels_at: part.labels_at.clone(),
        masks: part.masks,
        own_boxes: part.own_boxes,
    });
    parts.collect()
}

/// The names in a list, the first word of each line; `None` for one that is not there.
fn names_in(path: &PathBuf) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(path).ok()?;
    let names = text
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    Some(names.map(composed).collect())
}
