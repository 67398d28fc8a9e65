//! Vector files inside archives, which GDAL reads through virtual paths.

use std::path::{Path, PathBuf};

use super::{VectorError, VectorSource};
use crate::raster::gdal_library::{self, c_path, text};

/// The extensions of what is looked for in an archive.
const EXTENSIONS: [&str; 16] = [
    "gpkg", "shp", "geojson", "json", "geojsonl", "fgb", "gml", "kml", "kmz", "tab", "mif", "csv",
    "gpx", "dxf", "osm", "gdb",
];

/// The one vector file of an archive as GDAL's virtual path, or the folder of several shapefiles, whose layers they are;
/// `None` for what is no archive.
pub(super) fn vector_file_in(source: &VectorSource) -> Result<Option<PathBuf>, VectorError> {
    let path = source.path();
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let prefix = match extension.to_lowercase().as_str() {
        "zip" => "/vsizip/",
        "tar" | "tgz" => "/vsitar/",
        "gz" if path.to_string_lossy().to_lowercase().ends_with(".tar.gz") => "/vsitar/",
        // One file, packed as it is.
        "gz" => return Ok(Some(virtual_path("/vsigzip/", path))),
        _ => return Ok(None),
    };
    let root = match path.to_string_lossy().starts_with("/vsi") {
        true => path.to_owned(),
        false => virtual_path(prefix, path),
    };
    let entries = entries(&root);
    let mut found: Vec<&String> = entries
        .iter()
        .filter(|entry| {
            let inside = Path::new(entry.trim_end_matches('/'));
            let extension = inside.extension().unwrap_or_default().to_string_lossy();
            EXTENSIONS.contains(&extension.to_lowercase().as_str())
                && !entry.starts_with("__MACOSX")
                && !inside
                    .ancestors()
                    .skip(1)
                    .any(|folder| folder.extension().is_some_and(|end| end == "gdb"))
        })
        .collect();
    if let Some(layer) = &source.layer {
        let is_named = |entry: &&String| {
            Path::new(entry.as_str())
                .file_stem()
                .is_some_and(|stem| stem.to_string_lossy() == layer.as_str())
        };
        if let Some(named) = found.iter().copied().find(is_named) {
            found = vec![named];
        }
    }
    let folder = |entry: &String| Path::new(entry).parent().map(Path::to_owned);
    match found.as_slice() {
        [] => Err(VectorError::NotAVector {
            path: path.to_owned(),
            detail: match entries.as_slice() {
                [] => "the archive cannot be read, or is empty".to_owned(),
                all => format!("the archive holds {}", shortened(all)),
            },
        }),
        [one] => Ok(Some(root.join(one.trim_end_matches('/')))),
        [first, ..]
            if found.iter().all(|entry| {
                entry.to_lowercase().ends_with(".shp") && folder(entry) == folder(first)
            }) =>
        {
            Ok(Some(root.join(folder(first).unwrap_or_default())))
        }
        _ => Err(VectorError::SeveralFiles {
            path: path.to_owned(),
            files: found
                .iter()
                .map(|entry| root.join(entry).display().to_string())
                .collect(),
        }),
    }
}

fn virtual_path(prefix: &str, path: &Path) -> PathBuf {
    let mut whole = std::ffi::OsString::from(prefix);
    whole.push(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
    PathBuf::from(whole)
}

/// The names of all files, in alphabetical order.
fn entries(archive: &Path) -> Vec<String> {
    let name = c_path(archive);
    let (mut names, _) = gdal_library::with_messages(|| {
        let mut names = Vec::new();
        // SAFETY: the name outlives the call; the list ends with a null pointer and is ours to free.
        unsafe {
            let list = gdal_sys::VSIReadDirRecursive(name.as_ptr());
            let mut next = list;
            while !next.is_null() && !(*next).is_null() {
                names.push(text(*next));
                next = next.add(1);
            }
            gdal_sys::CSLDestroy(list);
        }
        names
    });
    names.sort();
    names
}

fn shortened(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(6).map(String::as_str).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
