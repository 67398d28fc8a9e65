//! Paths as texts, without looking at the disk.

use std::path::{Component, Path, PathBuf};

/// The way from one absolute folder to another path.
pub(crate) fn relative(from: &Path, to: &Path) -> PathBuf {
    let same = from
        .components()
        .zip(to.components())
        .take_while(|(a, b)| a == b)
        .count();
    let mut way: PathBuf = from.components().skip(same).map(|_| "..").collect();
    way.extend(to.components().skip(same));
    way
}

/// A path without `.` and `..`, by its text alone.
pub(crate) fn straight(path: &Path) -> PathBuf {
    let mut straight = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                straight.pop();
            }
            Component::CurDir => {}
            part => straight.push(part),
        }
    }
    straight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_between_folders_are_found() {
        let way = |from: &str, to: &str| relative(Path::new(from), Path::new(to));
        assert_eq!(
            way("/p/bin", "/p/lib/swath/1/swath"),
            Path::new("../lib/swath/1/swath")
        );
        assert_eq!(way("/p", "/p/a"), Path::new("a"));
        assert_eq!(way("/p/a/b", "/q"), Path::new("../../../q"));
        assert_eq!(
            straight(Path::new("/p/bin/../lib/./x")),
            Path::new("/p/lib/x")
        );
        assert_eq!(straight(Path::new("/../x")), Path::new("/x"));
    }
}
