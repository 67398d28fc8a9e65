//! From the names that people give to those that GDAL opens.

use std::path::{Path, PathBuf};

use super::gdal_library;

/// Endings of names that GDAL opens through an archive.
const ARCHIVES: [(&str, &str); 4] = [
    (".zip", "/vsizip/"),
    (".tar", "/vsitar/"),
    (".tgz", "/vsitar/"),
    (".tar.gz", "/vsitar/"),
];

/// GDAL's name for a path, a URL or an archive.
///
/// # Source
/// rasterio's schemes: `s3://`, `gs://`, `az://`, `oss://`, `http(s)://`, `ftp://`, `file://`, `zip://a.zip!inner.tif`,
/// `tar://`, `gzip://`, and joined ones such as `zip+https://`.
pub(super) fn gdal_name(path: &Path) -> PathBuf {
    let text = path.to_string_lossy();
    if let Some((scheme, rest)) = text.split_once("://") {
        let schemes: Vec<String> = scheme.split('+').map(str::to_lowercase).collect();
        if let Some(name) = of_schemes(&schemes, rest) {
            return PathBuf::from(name);
        }
    }
    if gdal_library::is_virtual(path) || path.is_dir() {
        return path.to_owned();
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if let Some(prefix) = archive(&text)
        && path.is_file()
    {
        let inner = inside(prefix, &absolute);
        return match inner.as_slice() {
            [one] => PathBuf::from(format!("{prefix}{}/{one}", absolute.display())),
            _ => absolute,
        };
    }
    // Absolute, so that the raster outlives a change of the current folder.
    absolute
}

fn archive(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    ARCHIVES
        .iter()
        .find(|(end, _)| name.ends_with(end))
        .map(|(_, prefix)| *prefix)
}

fn of_schemes(schemes: &[String], rest: &str) -> Option<String> {
    let (first, others) = schemes.split_first()?;
    // `zip://a.zip!/inner.tif`: what comes after the mark is inside.
    let (outer, inner) = match rest.split_once('!') {
        Some((outer, inner)) => (outer, format!("/{}", inner.trim_start_matches('/'))),
        None => (rest, String::new()),
    };
    let nested = |prefix: &str| -> Option<String> {
        let outer = if others.is_empty() {
            std::path::absolute(outer).map_or_else(
                |_| outer.to_owned(),
                |path| path.to_string_lossy().into_owned(),
            )
        } else {
            of_schemes(others, outer)?
        };
        if inner.is_empty()
            && others.is_empty()
            && let [one] = inside(prefix, Path::new(&outer)).as_slice()
        {
            return Some(format!("{prefix}{outer}/{one}"));
        }
        Some(format!("{prefix}{outer}{inner}"))
    };
    Some(match first.as_str() {
        "zip" => nested("/vsizip/")?,
        "tar" => nested("/vsitar/")?,
        "gzip" => nested("/vsigzip/")?,
        "file" => local_path(rest),
        "s3" => format!("/vsis3/{rest}"),
        "gs" => format!("/vsigs/{rest}"),
        "az" => format!("/vsiaz/{rest}"),
        "oss" => format!("/vsioss/{rest}"),
        "http" | "https" | "ftp" => format!("/vsicurl/{first}://{rest}"),
        _ => return None,
    })
}

/// The path in a `file://` URL: without its host, percent signs decoded.
fn local_path(rest: &str) -> String {
    let rest = rest.strip_prefix("localhost").unwrap_or(rest);
    if Path::new(rest).exists() {
        return rest.to_owned();
    }
    let bytes = rest.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%')
            .then(|| rest.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8(decoded).unwrap_or_else(|_| rest.to_owned())
}

/// The names of the rasters in an archive of this machine: those that end as one, or all when none does.
pub(super) fn inside(prefix: &str, archive: &Path) -> Vec<String> {
    let name = gdal_library::c_string(&format!("{prefix}{}", archive.display()));
    let mut names = Vec::new();
    let (list, _) = gdal_library::with_messages(|| {
        // SAFETY: the name is a C string.
        unsafe { gdal_sys::VSIReadDirRecursive(name.as_ptr()) }
    });
    // SAFETY: the list is ours, ends with a null pointer, and is freed once.
    unsafe {
        let mut next: *const *mut std::ffi::c_char = list;
        while !next.is_null() && !(*next).is_null() {
            names.push(
                std::ffi::CStr::from_ptr(*next)
                    .to_string_lossy()
                    .into_owned(),
            );
            next = next.add(1);
        }
        gdal_sys::CSLDestroy(list);
    }
    names.retain(|name| !name.ends_with('/') && is_raster_name(name));
    names.sort();
    names
}

/// Whether a file is likely a raster, by its ending.
pub(crate) fn is_raster_name(name: &str) -> bool {
    const ENDINGS: [&str; 23] = [
        "tif", "tiff", "jp2", "vrt", "img", "png", "jpg", "jpeg", "nc", "h5", "hdf", "hdf5", "asc",
        "bil", "grd", "dem", "dt2", "webp", "safe", "zarr", "dat", "npy", "npz",
    ];
    let ending = name
        .rsplit_once('.')
        .map(|(_, ending)| ending.to_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

/// Rasters in a folder or an archive, or that match a pattern: what one of can be opened. `None` when the path is none of
/// these.
pub(super) fn choices(path: &Path) -> Option<(&'static str, Vec<String>)> {
    let text = path.to_string_lossy().into_owned();
    if path.is_dir() {
        return Some(("a folder", rasters_of(path, |_| true)));
    }
    if path.is_file()
        && let Some(prefix) = archive(&text)
    {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let one = |name: &String| format!("{prefix}{}/{name}", absolute.display());
        return Some(("an archive", inside(prefix, path).iter().map(one).collect()));
    }
    let name = path.file_name()?.to_string_lossy().into_owned();
    if path.exists() || !name.contains(['*', '?', '[']) {
        return None;
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    Some((
        "a pattern",
        rasters_of(folder, |found| matches(&name, found)),
    ))
}

/// The rasters that a folder, an archive or a pattern stands for, by name with 2 before 10; `None` for the path of a file.
/// `*`, `?` and `[…]` stand for parts of one name, `**` for folders of any depth.
pub(super) fn spread(path: &Path) -> Option<Vec<PathBuf>> {
    let text = path.to_string_lossy();
    if super::numpy::names_member(path) {
        return None;
    }
    let is_pattern = text.contains(['*', '?', '[']);
    if gdal_library::is_virtual(path) || path.is_file() || !path.is_dir() && !is_pattern {
        return match choices(path) {
            Some(("an archive", found)) => Some(in_order(found.into_iter().map(PathBuf::from))),
            _ => None,
        };
    }
    if path.is_dir() {
        let found = rasters_of(path, |_| true);
        return Some(in_order(found.into_iter().map(PathBuf::from)));
    }
    let mut found = Vec::new();
    let parts: Vec<std::path::Component<'_>> = path.components().collect();
    walk(PathBuf::new(), &parts, 0, &mut found);
    // A pattern with an ending of its own says what is a raster.
    let all = found.clone();
    found.retain(|path| is_raster_name(&path.to_string_lossy()));
    Some(in_order(
        if found.is_empty() { all } else { found }.into_iter(),
    ))
}

/// Folders deeper than this are not looked into: a link may lead back.
const DEEPEST: usize = 32;

fn walk(base: PathBuf, parts: &[std::path::Component<'_>], depth: usize, found: &mut Vec<PathBuf>) {
    let Some((first, rest)) = parts.split_first() else {
        if base.is_file() {
            found.push(base);
        }
        return;
    };
    let pattern = first.as_os_str().to_string_lossy().into_owned();
    let is_name = matches!(first, std::path::Component::Normal(_));
    if !is_name || !pattern.contains(['*', '?', '[']) || base.join(first).exists() {
        walk(base.join(first), rest, depth, found);
        return;
    }
    let folder = match base.as_os_str().is_empty() {
        true => Path::new("."),
        false => &base,
    };
    if pattern == "**" {
        walk(base.clone(), rest, depth, found);
    }
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let text = name.to_string_lossy();
        let hidden = text.starts_with('.') && !pattern.starts_with('.');
        if hidden {
            continue;
        }
        if pattern == "**" {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && depth < DEEPEST {
                walk(base.join(&name), parts, depth + 1, found);
            }
        } else if matches(&pattern, &text) {
            walk(base.join(&name), rest, depth, found);
        }
    }
}

/// Sorted by name, numbers by their value.
fn in_order(paths: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut keyed: Vec<(Vec<Piece>, PathBuf)> = paths
        .map(|path| (pieces(&path.to_string_lossy()), path))
        .collect();
    keyed.sort();
    keyed.dedup();
    keyed.into_iter().map(|(_, path)| path).collect()
}

/// A number without leading zeros, by length and digits, or a letter.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Number(usize, String),
    Letter(char),
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(one) = letters.next() {
        if !one.is_ascii_digit() {
            pieces.push(Piece::Letter(one));
            continue;
        }
        let mut digits = String::from(one);
        while let Some(next) = letters.next_if(char::is_ascii_digit) {
            digits.push(next);
        }
        let digits = digits.trim_start_matches('0');
        pieces.push(Piece::Number(digits.len(), digits.to_owned()));
    }
    pieces
}

fn rasters_of(folder: &Path, keep: impl Fn(&str) -> bool) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| is_raster_name(name) && keep(name))
        .map(|name| match folder == Path::new(".") {
            true => name,
            false => folder.join(name).display().to_string(),
        })
        .collect();
    names.sort();
    names
}

/// Whether a name matches a shell's pattern of `*` and `?`; anything else, brackets too, stands for itself or one letter.
fn matches(pattern: &str, name: &str) -> bool {
    fn go(pattern: &[char], name: &[char]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some(('*', rest)) => (0..=name.len()).any(|skip| go(rest, &name[skip..])),
            Some(('?', rest)) => name.split_first().is_some_and(|(_, name)| go(rest, name)),
            Some(('[', rest)) => match rest.iter().position(|&letter| letter == ']') {
                Some(end) => name.split_first().is_some_and(|(letter, name)| {
                    in_brackets(&rest[..end], *letter) && go(&rest[end + 1..], name)
                }),
                None => name
                    .split_first()
                    .is_some_and(|(letter, name)| *letter == '[' && go(rest, name)),
            },
            Some((one, rest)) => name
                .split_first()
                .is_some_and(|(letter, name)| letter == one && go(rest, name)),
        }
    }
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    go(&pattern, &name)
}

fn in_brackets(set: &[char], letter: char) -> bool {
    let range = |three: &[char]| three[1] == '-' && (three[0]..=three[2]).contains(&letter);
    set.contains(&letter) || set.windows(3).any(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_those_of_gdal_as_rasterio_makes_them() {
        for (given, name) in [
            ("s3://bucket/a b.tif", "/vsis3/bucket/a b.tif"),
            ("gs://bucket/a.tif", "/vsigs/bucket/a.tif"),
            ("az://bucket/a.tif", "/vsiaz/bucket/a.tif"),
            ("https://host/a.tif?x=1", "/vsicurl/https://host/a.tif?x=1"),
            ("file:///data/a%20b.tif", "/data/a b.tif"),
            ("zip:///data/a.zip!b/c.tif", "/vsizip//data/a.zip/b/c.tif"),
            ("zip:///data/a.zip!/c.tif", "/vsizip//data/a.zip/c.tif"),
            (
                "zip+https://host/a.zip!c.tif",
                "/vsizip//vsicurl/https://host/a.zip/c.tif",
            ),
            ("tar:///data/a.tar!c.tif", "/vsitar//data/a.tar/c.tif"),
            ("/vsicurl/https://host/a.tif", "/vsicurl/https://host/a.tif"),
            ("NETCDF:\"day.nc\":ndvi", "NETCDF:\"day.nc\":ndvi"),
        ] {
            assert_eq!(gdal_name(Path::new(given)), PathBuf::from(name), "{given}");
        }
    }

    #[test]
    fn a_pattern_is_spread_in_the_order_of_numbers() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "a/t_10.tif",
            "a/t_2.tif",
            "b c/t_1.tif",
            "a/x.txt",
            ".h/t_3.tif",
            "a/t_2.tif.aux.xml",
        ] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let names = |pattern: &str| -> Vec<String> {
            let found = spread(&folder.path().join(pattern)).unwrap();
            let name = |path: PathBuf| {
                path.strip_prefix(folder.path())
                    .unwrap()
                    .display()
                    .to_string()
            };
            found.into_iter().map(name).collect()
        };
        assert_eq!(names("a/*"), ["a/t_2.tif", "a/t_10.tif"]);
        assert_eq!(names("*/*.tif"), ["a/t_2.tif", "a/t_10.tif", "b c/t_1.tif"]);
        assert_eq!(
            names("**/t_[12]*.tif"),
            ["a/t_2.tif", "a/t_10.tif", "b c/t_1.tif"]
        );
        assert_eq!(names("a"), ["a/t_2.tif", "a/t_10.tif"]);
        assert!(names("c/*.tif").is_empty());
        assert!(spread(&folder.path().join("a/t_2.tif")).is_none());
        assert!(spread(&folder.path().join("a/gone.tif")).is_none());
    }

    #[test]
    fn patterns_are_those_of_a_shell() {
        assert!(matches("*.jp2", "B02.jp2") && matches("B?[0-9]*", "B02.jp2"));
        assert!(matches("a[bc].tif", "ac.tif") && !matches("a[bc].tif", "ad.tif"));
        assert!(!matches("*.jp2", "B02.tif") && matches("*", ""));
    }
}
