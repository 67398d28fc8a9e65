//! Files of all chips together: boxes as COCO, YOLO's description, the table of classes.

use std::fmt::Write as _;
use std::path::Path;

use super::manifest::{self, Manifest, PartEntry};
use super::save::{Saving, Written};
use crate::boxes::formats::{LabeledImage, coco};
use crate::labels::Classes;
use crate::vector::read_table;
use crate::{FileError, Result};

impl Saving<'_> {
    /// What is of all chips together: boxes as COCO, the classes.
    pub(super) fn write_lists(
        &self,
        staging: &Path,
        part: &PartEntry,
        written: &[Written],
        with_boxes: bool,
    ) -> Result<()> {
        if with_boxes && part.coco {
            let images: Vec<LabeledImage> = written.iter().map(|one| one.boxes.clone()).collect();
            let path = staging.join(manifest::coco_place(part.split.as_deref()));
            make_folder(path.parent().unwrap_or(staging))?;
            coco::write(path, &images, self.box_names())?;
        }
        let mut table = "index,name,red,green,blue\n".to_owned();
        for (index, class) in self.chips.scenes().classes().iter().enumerate() {
            let [red, green, blue] = class.color;
            // RFC 4180: quotes within quotes are doubled.
            let name = class.name.replace('"', "\"\"");
            let _ = writeln!(table, "{index},\"{name}\",{red},{green},{blue}");
        }
        write(&staging.join(manifest::CLASSES), table.as_bytes())
    }

    /// What Ultralytics' YOLO reads first.
    pub(super) fn write_yaml(&self, staging: &Path, manifest: &Manifest) -> Result<()> {
        let mut yaml = "# YOLO data set, written by swath\npath: .\n".to_owned();
        let with_yolo = manifest.parts.iter().filter(|part| part.yolo);
        for part in with_yolo {
            // Quoted as JSON, which YAML understands.
            let images =
                |split: &str| serde_json::Value::from(format!("images/{split}")).to_string();
            let _ = match part.split.as_deref() {
                None => writeln!(yaml, "train: images\nval: images"),
                Some("valid" | "validation") => {
                    writeln!(
                        yaml,
                        "val: {}",
                        images(part.split.as_deref().unwrap_or_default())
                    )
                }
                Some(split) => writeln!(
                    yaml,
                    "{}: {}",
                    serde_json::Value::from(split),
                    images(split)
                ),
            };
        }
        yaml.push_str("names:\n");
        for (number, name) in self.box_names().iter().enumerate() {
            let _ = writeln!(
                yaml,
                "  {number}: {}",
                serde_json::Value::from(name.as_str())
            );
        }
        write(&staging.join(manifest::YAML), yaml.as_bytes())
    }
}

/// The classes of the table in a folder, as saving writes it; `None` where there is none, or another one.
pub(super) fn classes(root: &Path) -> Option<Classes> {
    let path = root.join(manifest::CLASSES);
    if !path.is_file() {
        return None;
    }
    let table = read_table(&(&path).into()).ok()?;
    let column = |name: &str| table.column(&[name]);
    let (index, name) = (column("index")?, column("name")?);
    let colors = [column("red"), column("green"), column("blue")];
    let text = |row: &[Option<String>], at: usize| row.get(at).cloned().flatten();
    let mut found: Vec<(String, Option<[u8; 3]>)> = Vec::new();
    for (at, row) in table.rows.iter().enumerate() {
        // Index 0 is the background, and every index is there once.
        if text(row, index)?.trim().parse() != Ok(at) {
            return None;
        }
        let part = |column: Option<usize>| text(row, column?)?.trim().parse().ok();
        let color = colors.map(part);
        let color = match color {
            [Some(red), Some(green), Some(blue)] => Some([red, green, blue]),
            _ => None,
        };
        found.push((text(row, name)?, color));
    }
    let names = found.iter().skip(1).map(|(name, _)| name.clone());
    let mut classes = Classes::new(names);
    if found.is_empty() || classes.len() != found.len() {
        return None;
    }
    for (name, color) in found.iter().skip(1) {
        if let Some(color) = color {
            classes = classes.with_stored_color(name, *color);
        }
    }
    Some(classes)
}

pub(super) fn make_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|source| {
        FileError::Io {
            action: "make the folder",
            path: folder.to_owned(),
            source,
        }
        .into()
    })
}

/// Writes a file of the staging folder, whose files get their places together.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).map_err(|source| {
        FileError::Io {
            action: "write the file",
            path: path.to_owned(),
            source,
        }
        .into()
    })
}
