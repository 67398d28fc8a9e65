//! What was predicted and saved before: a map, boxes or cells, by one of its files or its folder.

use std::path::{Path, PathBuf};

use super::Failure;
use crate::classify::CELL_LABELS;
use crate::detect::SAVED;

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Saved {
    Map,
    Boxes,
    Cells,
}

/// The file of each kind that stands for its folder.
const FILES: [(Saved, &[&str]); 3] = [
    (Saved::Map, &["labels.tif"]),
    (Saved::Boxes, &SAVED),
    (Saved::Cells, &[CELL_LABELS]),
];

/// Folders that an error names.
const NAMED: usize = 5;

/// The folders in one that hold saved predictions: what several scenes were predicted into, by name.
fn of_several(path: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(path) else {
        return Vec::new();
    };
    let is_saved = |folder: &Path| {
        let mut files = FILES.iter().flat_map(|(_, names)| names.iter());
        files.any(|name| folder.join(name).is_file())
    };
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| is_saved(&entry.path()))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    names
}

/// The file that is meant, and what it holds; no kind for models, maps of other names, and what is not there.
///
/// # Errors
/// [`Failure::Usage`] for a folder with several kinds, or none, and for the polygons of a map.
pub(super) fn saved(given: &Path) -> Result<(PathBuf, Option<Saved>), Failure> {
    let path = crate::paths::expanded(given).into_owned();
    if path.is_dir() {
        let there = |names: &[&str]| {
            names
                .iter()
                .map(|name| path.join(name))
                .find(|file| file.is_file())
        };
        let found: Vec<(Saved, PathBuf)> = FILES
            .into_iter()
            .filter_map(|(kind, names)| Some((kind, there(names)?)))
            .collect();
        return match found.as_slice() {
            [(kind, file)] => Ok((file.clone(), Some(*kind))),
            [] => {
                let folders = of_several(&path);
                let Some(first) = folders.first() else {
                    return Err(Failure::Usage(format!(
                        "{} holds nothing that `swath predict` saved: a map has labels.tif, boxes have boxes.gpkg, cells {CELL_LABELS}",
                        given.display()
                    )));
                };
                let (count, more) = (folders.len(), folders.len().saturating_sub(NAMED));
                let more = match more {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                let named: Vec<&str> = folders.iter().take(NAMED).map(String::as_str).collect();
                Err(Failure::Usage(format!(
                    "{} holds predictions of {count} scenes, each in a folder of its own: {}{more}. `swath evaluate {}` with its scene \
                     scores one of them; the command that predicted them scores all together when it is given again with \
                     labels and `--join`",
                    given.display(),
                    named.join(", "),
                    path.join(first).display()
                )))
            }
            several => {
                let names: Vec<String> = several
                    .iter()
                    .map(|(_, file)| file.display().to_string())
                    .collect();
                Err(Failure::Usage(format!(
                    "{} holds several predictions, name one of {}",
                    given.display(),
                    names.join(", ")
                )))
            }
        };
    }
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let is_of_cells = ["cells.", "cell_labels.", "cell_scores."]
        .iter()
        .any(|start| name.starts_with(start));
    if is_of_cells && path.with_file_name(CELL_LABELS).is_file() {
        return Ok((path, Some(Saved::Cells)));
    }
    let map = path.with_file_name("labels.tif");
    if name.starts_with("polygons.") && map.is_file() {
        return Err(Failure::Usage(format!(
            "{} holds the polygons of a map, which are scored by its pixels: `swath evaluate {}`",
            given.display(),
            map.display()
        )));
    }
    let extension = path.extension().unwrap_or_default();
    let is_of_boxes = ["gpkg", "geojson", "json"]
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known));
    Ok((path, is_of_boxes.then_some(Saved::Boxes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_told_by_its_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        assert!(
            matches!(saved(folder.path()), Err(Failure::Usage(_))),
            "an empty folder"
        );
        for scene in ["east", "west"] {
            std::fs::create_dir(path(scene)).expect("it is made");
            std::fs::write(path(scene).join("boxes.gpkg"), "").expect("it is written");
        }
        assert!(matches!(saved(folder.path()), Err(Failure::Usage(told))
                if told.contains("predictions of 2 scenes") && told.contains("east, west")));
        std::fs::write(path("cell_labels.tif"), "").expect("it is written");
        for name in ["cells.gpkg", "cell_scores.tif", "cell_labels.tif"] {
            assert!(
                matches!(saved(&path(name)), Ok((_, Some(Saved::Cells)))),
                "{name}"
            );
        }
        assert!(
            matches!(saved(folder.path()), Ok((file, Some(Saved::Cells))) if file == path("cell_labels.tif"))
        );
        assert!(matches!(
            saved(&path("boxes.gpkg")),
            Ok((_, Some(Saved::Boxes)))
        ));
        assert!(matches!(saved(&path("labels.tif")), Ok((_, None))));
        std::fs::write(path("labels.tif"), "").expect("it is written");
        assert!(
            matches!(saved(folder.path()), Err(Failure::Usage(told)) if told.contains("several"))
        );
        assert!(
            matches!(saved(&path("polygons.gpkg")), Err(Failure::Usage(told)) if told.contains("labels.tif"))
        );
        let alone = folder.path().join("elsewhere/polygons.gpkg");
        assert!(matches!(saved(&alone), Ok((_, Some(Saved::Boxes)))));
    }
}
