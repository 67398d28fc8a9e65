//! A label file of many images is parsed once, not once for each of their scenes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::boxes::formats::{self, BoxFile, Format, FormatError, ReadOptions};

/// Smaller files are parsed sooner than anybody would wait for another scene to have done it.
const WORTHWHILE: u64 = 1 << 18;

/// The file that was parsed last.
static LAST: Mutex<Option<(Key, Arc<BoxFile>)>> = Mutex::new(None);

/// The file whose format was looked for last: to know it, all of a JSON file is read.
static FORMAT: Mutex<Option<(State, Option<Format>)>> = Mutex::new(None);

/// A file as it is.
#[derive(Clone, Debug, PartialEq)]
struct State {
    path: PathBuf,
    length: u64,
    modified: SystemTime,
}

impl State {
    /// `None` for a file that is small, or not to be looked at.
    fn of(path: &Path) -> Option<Self> {
        let about = std::fs::metadata(path).ok()?;
        (about.len() >= WORTHWHILE).then_some(())?;
        Some(Self {
            path: std::fs::canonicalize(path).ok()?,
            length: about.len(),
            modified: about.modified().ok()?,
        })
    }
}

/// What a parsed file depends on.
#[derive(Clone, Debug, PartialEq)]
struct Key {
    state: State,
    format: Format,
    class_column: Option<String>,
}

impl Key {
    /// `None` for a file that is of one image as well.
    fn of(path: &Path, format: Format, options: &ReadOptions) -> Option<Self> {
        if !matches!(format, Format::Coco | Format::Cvat | Format::Table) {
            return None;
        }
        Some(Self {
            state: State::of(path)?,
            format,
            class_column: options.class_column.clone(),
        })
    }
}

/// [`formats::format_of`], or what it gave last for the same file.
///
/// # Errors
/// As [`formats::format_of`].
pub(super) fn format_of(path: &Path) -> Result<Option<Format>, FormatError> {
    let Some(state) = State::of(path) else {
        return formats::format_of(path);
    };
    let mut last = FORMAT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((known, format)) = last.as_ref()
        && *known == state
    {
        return Ok(*format);
    }
    let format = formats::format_of(path)?;
    *last = Some((state, format));
    Ok(format)
}

/// [`formats::read_as`], or what it gave last for the same file. While one scene has it parsed, others wait for the result.
///
/// # Errors
/// As [`formats::read_as`].
pub(super) fn read(
    path: &Path,
    format: Format,
    options: &ReadOptions,
) -> Result<Arc<BoxFile>, FormatError> {
    let Some(key) = Key::of(path, format, options) else {
        return formats::read_as(path, format, options).map(Arc::new);
    };
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((known, file)) = last.as_ref()
        && *known == key
    {
        return Ok(Arc::clone(file));
    }
    let file = Arc::new(formats::read_as(path, format, options)?);
    *last = Some((key, Arc::clone(&file)));
    Ok(file)
}

/// Gives the memory back, when all scenes of a collection have their boxes.
pub(crate) fn forget() {
    *LAST.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coco(path: &Path, boxes: usize) {
        let annotation = |id: usize| serde_json::json!({"id": id, "image_id": 1, "category_id": 1, "bbox": [id % 90, 2, 5, 5], "area": 25, "iscrowd": 0});
        let file = serde_json::json!({
            "images": [{"id": 1, "file_name": "a.png", "width": 100, "height": 100}],
            "categories": [{"id": 1, "name": "car"}],
            "annotations": (1..=boxes).map(annotation).collect::<Vec<_>>(),
        });
        std::fs::write(path, file.to_string()).expect("a file");
    }

    #[test]
    fn a_large_file_is_parsed_once_and_again_when_it_changed() -> Result<(), FormatError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("all.json");
        let read = || read(&path, Format::Coco, &ReadOptions::default());
        coco(&path, 4000);
        let (one, two) = (read()?, read()?);
        assert!(Arc::ptr_eq(&one, &two));
        coco(&path, 5000);
        assert_eq!(read()?.images[0].boxes.len(), 5000);
        coco(&path, 3);
        assert!(!Arc::ptr_eq(&read()?, &read()?), "small files are not kept");
        std::fs::write(&path, "{").expect("a file");
        assert!(read().is_err());
        Ok(())
    }
}
