//! Names of scenes: the stems of their files, with as much of the folders before them as tells them apart.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A name for each path, all of them different.
pub(crate) fn names<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Vec<String> {
    let paths = paths.into_iter();
    let parts: Vec<Vec<String>> = paths
        .map(|path| parts_from_the_end(path.as_ref()))
        .collect();
    let mut depth = vec![1; parts.len()];
    let name = |parts: &[String], depth: usize| {
        let mut shown: Vec<&str> = parts.iter().take(depth).map(String::as_str).collect();
        shown.reverse();
        shown.join("/")
    };
    // Those that share a name take one more folder, until there is none left to take.
    loop {
        let mut of: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, parts) in parts.iter().enumerate() {
            of.entry(name(parts, depth[index])).or_default().push(index);
        }
        let mut changed = false;
        for same in of.into_values().filter(|same| same.len() > 1) {
            for index in same {
                if depth[index] < parts[index].len() {
                    depth[index] += 1;
                    changed = true;
                }
            }
        }
        if !changed {
            break;
        }
    }
    let wanted = parts.iter().zip(depth);
    told_apart(wanted.map(|(parts, depth)| name(parts, depth)))
}

/// The names, each of those that are taken already with a number.
pub(crate) fn told_apart(names: impl Iterator<Item = String>) -> Vec<String> {
    let names: Vec<String> = names.collect();
    let wanted: BTreeSet<&String> = names.iter().collect();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut next: BTreeMap<&String, usize> = BTreeMap::new();
    let mut told = Vec::with_capacity(names.len());
    for name in &names {
        let mut free = name.clone();
        while taken.contains(&free) || (free != *name && wanted.contains(&free)) {
            let number = next.entry(name).or_insert(1);
            *number += 1;
            free = format!("{name} ({number})");
        }
        taken.insert(free.clone());
        told.push(free);
    }
    told
}

/// The stem of the file, then its folders outward.
fn parts_from_the_end(path: &Path) -> Vec<String> {
    let text = |part: &std::ffi::OsStr| part.to_string_lossy().into_owned();
    let stem = path.file_stem().map(text).unwrap_or_default();
    let folders = path.parent().into_iter().flat_map(Path::components).rev();
    let folders = folders.map(|part| text(part.as_os_str()));
    std::iter::once(stem)
        .chain(folders.filter(|part| part != "/" && part != "."))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(paths: &[&str]) -> Vec<String> {
        names(paths.iter().map(Path::new))
    }

    #[test]
    fn names_are_stems_and_take_folders_where_these_are_the_same() {
        assert_eq!(named(&["a/x.tif", "a/y.tif"]), ["x", "y"]);
        assert_eq!(
            named(&["p/a/x.tif", "p/b/x.tif", "p/b/y.tif"]),
            ["a/x", "b/x", "y"]
        );
        assert_eq!(
            named(&["1/a/x.tif", "2/a/x.tif", "2/b/x.tif"]),
            ["1/a/x", "2/a/x", "b/x"]
        );
    }

    #[test]
    fn the_same_file_twice_has_a_number() {
        assert_eq!(named(&["x.tif", "x.tif", "x.png"]), ["x", "x (2)", "x (3)"]);
        assert_eq!(named(&["/x.tif"]), ["x"]);
        assert_eq!(
            named(&["d/x.tif", "d/x.png", "d/x (2).tif", "d/x (2).png"]),
            ["d/x", "d/x (3)", "d/x (2)", "d/x (2) (2)"]
        );
    }
}
