//! Paths as people write them.

use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};

use strsim::levenshtein;

use crate::host::Step;

/// Files that a hint names.
const SIMILAR: usize = 6;

/// The path with a `~` at its beginning replaced by the home folder, as shells do for words outside quotes. Whatever is
/// really called `~` in the working folder is meant first; `~name` stays as it is.
pub(crate) fn expanded(path: &Path) -> Cow<'_, Path> {
    let home = || std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
    if path.components().next() != Some(Component::Normal("~".as_ref()))
        || Path::new("~").symlink_metadata().is_ok()
    {
        return Cow::Borrowed(path);
    }
    home().map_or(Cow::Borrowed(path), |home| Cow::Owned(in_home(path, &home)))
}

fn in_home(path: &Path, home: &Path) -> PathBuf {
    home.join(path.components().skip(1).collect::<PathBuf>())
}

/// Where arrays in memory lie for GDAL: nobody has written such a path.
pub(crate) const ARRAYS: &str = "/vsimem/swath-arrays/";

/// Endings of names that stand for several files together, with what these are.
const TOGETHER: [(&str, &str); 3] = [
    ("stack", "stack"),
    ("mosaic", "mosaic"),
    ("series", "time series"),
];

/// The kind of what has been put together under a name that nobody has written, such as `2023-06-04.stack`.
fn together(path: &Path) -> Option<&'static str> {
    let ending = path.extension()?.to_str()?;
    let (_, what) = TOGETHER.iter().find(|(known, _)| *known == ending)?;
    // Somebody may have a file that is really called so.
    (!path.exists()).then_some(*what)
}

/// A path as a message tells it: in quotes, and by what it is where only the library calls it so: `the array "field"`, `the time
/// series "2023-06-04"`.
pub(crate) fn told(path: &Path) -> String {
    if path.starts_with(ARRAYS) {
        return match path.file_name().filter(|name| *name != "array") {
            Some(name) => format!("the array {name:?}"),
            None => "the array in memory".to_owned(),
        };
    }
    match together(path) {
        Some(what) => format!("the {what} {:?}", path.with_extension("")),
        None => format!("{path:?}"),
    }
}

/// The name of a file without its folders; of files together without the ending that only the library gives them.
pub(crate) fn short_name(path: &Path) -> String {
    let name = match together(path) {
        Some(_) => path.file_stem(),
        None => path.file_name(),
    };
    name.unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

/// Names the files beside the missing one that its author may have meant, the most similar ones first, or the folder that
/// is missing.
pub(crate) fn missing_hint(path: &Path) -> String {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let Ok(entries) = std::fs::read_dir(folder) else {
        let current = std::env::current_dir().unwrap_or_default();
        return format!(
            "the folder {folder:?} does not exist either; the current folder is {current:?} ({})",
            Step::ChangeFolder
        );
    };
    let extension = path.extension();
    let entries: Vec<_> = entries.flatten().collect();
    if let Some(wanted) = path.file_name()
        && let Some(found) = entries
            .iter()
            .map(std::fs::DirEntry::file_name)
            .find(|name| {
                name != wanted
                    && name.to_string_lossy().to_lowercase()
                        == wanted.to_string_lossy().to_lowercase()
            })
    {
        return format!("was {found:?} meant? Capitals count");
    }
    let mut names: Vec<String> = entries
        .iter()
        .filter(|entry| {
            extension.is_none() || Path::new(&entry.file_name()).extension() == extension
        })
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    if names.is_empty() {
        return format!("{folder:?} holds no file of that kind");
    }
    // The most similar ones first.
    let wanted = path.file_name().unwrap_or_default().to_string_lossy();
    let wanted = wanted.to_lowercase();
    names.sort();
    names.sort_by_cached_key(|name| levenshtein(&wanted, &name.to_lowercase()));
    let more = match names.len().saturating_sub(SIMILAR) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    names.truncate(SIMILAR);
    format!("{folder:?} holds: {}{more}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_alone_or_before_a_slash_is_the_home_folder() {
        let home = std::env::home_dir().unwrap();
        assert_eq!(*expanded(Path::new("~")), *home);
        assert_eq!(
            *expanded(Path::new("~/data/x.tif")),
            *home.join("data/x.tif")
        );
        assert_eq!(
            in_home(Path::new("~/a/b"), Path::new("/h")),
            Path::new("/h/a/b")
        );
        for same in [
            "~ada/x.tif",
            "a/~/x.tif",
            "./~/x.tif",
            "/~/x.tif",
            "x~",
            "",
            "https://a/~b/x.tif",
        ] {
            assert_eq!(*expanded(Path::new(same)), *Path::new(same));
        }
    }

    #[test]
    fn what_nobody_has_written_is_no_path() {
        let array = |name: &str| Path::new(ARRAYS).join("2f-1").join(name);
        assert_eq!(told(&array("field")), "the array \"field\"");
        assert_eq!(told(&array("array")), "the array in memory");
        assert_eq!(
            told(Path::new("s2/2023-06-04.stack")),
            "the stack \"s2/2023-06-04\""
        );
        assert_eq!(told(Path::new("s2.series")), "the time series \"s2\"");
        assert_eq!(told(Path::new("a/b.tif")), "\"a/b.tif\"");
        assert_eq!(short_name(Path::new("s2/2023-06-04.stack")), "2023-06-04");
        assert_eq!(short_name(Path::new("s2/b.tif")), "b.tif");
        // Somebody's own file of such a name.
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("of mine.stack");
        std::fs::write(&own, "").unwrap();
        assert_eq!(short_name(&own), "of mine.stack");
    }

    #[test]
    fn a_missing_file_s_hint_names_the_most_similar_first() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "a.tif",
            "b.tif",
            "c.tif",
            "d.tif",
            "e.tif",
            "f.tif",
            "scene.tif",
            "scene.txt",
        ] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let hint = missing_hint(&folder.path().join("scnee.tif"));
        assert!(hint.contains("holds: scene.tif, "), "{hint}");
        assert!(hint.ends_with(" and 1 more"), "{hint}");
    }

    #[test]
    fn every_reader_and_writer_knows_the_home_folder() {
        use crate::prelude::*;
        let home = std::env::home_dir().unwrap().display().to_string();
        let missing = "~/no such folder of swath/x";
        let told = |error: crate::Error| {
            let text = error.to_string();
            assert!(text.contains(&home) && !text.contains('~'), "{text}");
        };
        told(Scene::open(missing).unwrap_err());
        told(Raster::open(missing).unwrap_err());
        told(Segmenter::load(missing).map(|_| ()).unwrap_err());
        told(Detector::load(missing).map(|_| ()).unwrap_err());
        told(
            crate::models::weights::load_pth(missing)
                .map(|_| ())
                .unwrap_err(),
        );
        let source = VectorSource::new("~/a.geojson");
        assert_eq!(source.path(), Path::new(&home).join("a.geojson"));
    }
}
