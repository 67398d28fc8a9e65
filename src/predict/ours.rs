//! What must not be replaced without a word: files that no map, boxes or objects were saved to, and names of files where a
//! folder is meant.

use std::path::Path;

use super::files::{LABELS, SCORES};
use crate::FileError;
use crate::raster::{DataType, Raster};
use crate::vector::lacks;

/// Endings of files; somebody who gives one to a folder means a file.
const FILES: [&str; 12] = [
    "tif", "tiff", "gpkg", "geojson", "json", "shp", "fgb", "parquet", "csv", "png", "kml", "txt",
];

/// # Errors
/// [`FileError::FolderName`] for a folder that is not there and has the name of a file.
pub(crate) fn check_folder_name(dir: &Path) -> Result<(), FileError> {
    let ending = dir.extension().unwrap_or_default().to_string_lossy();
    let is_file = FILES.contains(&ending.to_lowercase().as_str());
    if is_file && !dir.is_dir() {
        let path = dir.to_owned();
        return Err(FileError::FolderName { path });
    }
    Ok(())
}

/// Whether a file of one of the names that are saved into a folder is somebody else's.
fn is_of_others(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return false;
    };
    // Nobody loses anything by a file without a byte.
    if !std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0) {
        return false;
    }
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    match &*ending {
        "tif" => Raster::open(path).map_or(true, |raster| {
            let is_float = matches!(raster.data_type(), DataType::F16 | DataType::F32);
            let is_saved = match raster.data_type() {
                DataType::U8 => raster.nodata() == Some(255.0),
                _ => is_float && name == SCORES && raster.nodata().is_some_and(f64::is_nan),
            };
            let first = raster.band_names().into_iter().next().unwrap_or_default();
            let is_labels = raster.band_count() == 1 && first == "class";
            !is_saved || name == LABELS && !is_labels || name == SCORES && is_labels
        }),
        "gpkg" | "geojson" | "fgb" | "shp" | "parquet" => lacks(path, &["class", "score"]),
        "json" => {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let marks = ["\"metrics\"", "\"bbox\"", "\"ap50\"", "\"searched\""];
            !marks.iter().any(|mark| text.contains(mark)) && text.trim() != "[]"
        }
        _ => false,
    }
}

/// # Errors
/// [`FileError::OfOthers`] for the first of the files `names` in `dir` that no such thing was saved to.
pub(super) fn check(dir: &Path, names: &[&str]) -> Result<(), FileError> {
    let mut paths = names.iter().map(|name| dir.join(name));
    match paths.find(|path| is_of_others(path)) {
        Some(path) => Err(FileError::OfOthers { path }),
        None => Ok(()),
    }
}
