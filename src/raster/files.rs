//! The files behind a raster, and whether they are still what they were.
//!
//! A file is taken for the same while its length, its times of modification and of change (to the nanosecond), its inode
//! and its content are: all of it up to 1 MiB, otherwise the head, the tail and samples between. So a file copied over
//! another with the same length and modification time is told apart: the copy sets the time of change, which no program
//! can set back.

use std::ffi::{CStr, c_char};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use super::gdal_library;
use super::handle::Handle;

/// Files up to this length are hashed whole.
const WHOLE: u64 = 1 << 20;
/// What is read of each end of a longer one.
const END: usize = 64 << 10;
/// Samples between the ends, of [`SAMPLE`] bytes each.
const SAMPLES: u64 = 16;
const SAMPLE: usize = 4 << 10;
/// The content of so many files is looked at; of the others, what the file system knows.
const HASHED: usize = 64;
/// A mosaic of more files is not searched for missing ones when it is opened.
pub(super) const SEARCHED: usize = 2000;
/// As many files are compared at every read.
const WATCHED: usize = 8;
/// Files that GDAL reads beside any other when they are there.
const SIDE_CARS: [&str; 3] = [".aux.xml", ".msk", ".ovr"];

/// What the file system says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    node: (u64, u64),
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let about = std::fs::metadata(path).ok()?;
        Some(Self {
            length: about.len(),
            modified: (about.mtime(), about.mtime_nsec()),
            changed: (about.ctime(), about.ctime_nsec()),
            node: (about.dev(), about.ino()),
        })
    }

    /// Whether pixels may be others: a new name or other permissions change no pixel.
    fn differs(&self, now: &Self) -> bool {
        (self.length, self.modified, self.node) != (now.length, now.modified, now.node)
    }
}

/// The files behind a raster, as they were when it was opened.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Files with pixels, or descriptions of them, sorted.
    data: Vec<(PathBuf, Option<Stamp>)>,
    /// Files beside them, there or not.
    beside: Vec<(PathBuf, Option<Stamp>)>,
    /// Whether nothing is remote or in a folder, where changes are not seen.
    complete: bool,
    /// Parts that a virtual raster names and that are not there.
    missing: Vec<PathBuf>,
    /// Parts that virtual rasters name.
    parts: usize,
    /// Virtual rasters that were looked into.
    nested: Vec<PathBuf>,
}

impl Files {
    pub(super) fn of(handle: &Handle, name: &Path, driver: &str) -> Self {
        let mut files = Self {
            complete: !matches!(driver, "WMS" | "WMTS" | "WCS" | "MEM" | "STACIT" | "STACTA"),
            ..Self::default()
        };
        let mut names: Vec<PathBuf> = listed(handle);
        if name.to_string_lossy().trim_start().starts_with('<') {
            files.virtual_raster(&name.to_string_lossy(), Path::new("."), &mut names, 0);
        } else {
            names.push(name.to_owned());
            if driver == "VRT" {
                files.virtual_file(name, &mut names, 0);
            }
        }
        let mut found: Vec<PathBuf> = Vec::new();
        for name in names {
            match local(&name) {
                Some(path) if path.is_dir() => files.complete = false,
                Some(path) => found.push(std::path::absolute(&path).unwrap_or(path)),
                None => files.complete = false,
            }
        }
        found.sort();
        found.dedup();
        for path in &found {
            for end in SIDE_CARS {
                let mut beside = path.clone().into_os_string();
                beside.push(end);
                let beside = PathBuf::from(beside);
                if found.binary_search(&beside).is_err() {
                    let stamp = Stamp::of(&beside);
                    files.beside.push((beside, stamp));
                }
            }
        }
        files.complete &= !found.is_empty();
        let side_car = |path: &Path| {
            let name = path.to_string_lossy().to_lowercase();
            SIDE_CARS.iter().any(|end| name.ends_with(end))
        };
        for path in found {
            let stamp = Stamp::of(&path);
            if side_car(&path) {
                files.beside.push((path, stamp));
            } else {
                files.data.push((path, stamp));
            }
        }
        files
    }

    /// Of an array: the file of NumPy that it is in; an array in memory has none.
    pub(super) fn of_array(file: Option<&Path>) -> Self {
        let found = file.and_then(local);
        let data = found.map(|path| {
            let path = std::path::absolute(&path).unwrap_or(path);
            let stamp = Stamp::of(&path);
            (path, stamp)
        });
        Self {
            complete: data.is_some(),
            data: data.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Parts that are named and not there, and how many are named.
    pub(super) fn missing(&self) -> Option<(&[PathBuf], usize)> {
        (!self.missing.is_empty()).then_some((self.missing.as_slice(), self.parts))
    }

    /// A file with pixels that is another one by now; a file that is gone still reads where it is open.
    pub(super) fn changed(&self) -> Option<&Path> {
        let watched = self.data.iter().take(WATCHED);
        Self::changed_of(watched)
    }

    fn changed_of<'a>(
        mut files: impl Iterator<Item = &'a (PathBuf, Option<Stamp>)>,
    ) -> Option<&'a Path> {
        files
            .find(|(path, before)| match (before, Stamp::of(path)) {
                (Some(before), Some(now)) => before.differs(&now),
                _ => false,
            })
            .map(|(path, _)| path.as_path())
    }

    /// Whether all files are those that were opened, by length, inode and times; of what was written a moment ago that cannot be
    /// said, since it may change again within the grain of the clock.
    pub(super) fn are_as_opened(&self) -> bool {
        let mut all = self.data.iter().chain(&self.beside);
        self.complete
            && all.all(|(path, before)| {
                Stamp::of(path) == *before && !before.as_ref().is_some_and(is_recent)
            })
    }

    /// A text that differs when any of the files does; `None` when that cannot be said: for remote files, for those that
    /// have changed since they were opened, and for long ones that were written a moment ago, which may change again within
    /// the grain of the clock.
    pub(super) fn identity(&self) -> Option<String> {
        if !self.complete {
            return None;
        }
        let mut hash = Sha256::new();
        let all = self.data.iter().map(|file| (file, true));
        let all = all.chain(self.beside.iter().map(|file| (file, false)));
        for (index, ((path, before), _)) in all.enumerate() {
            let now = Stamp::of(path);
            if now != *before {
                return None;
            }
            let Some(stamp) = now else {
                continue;
            };
            hash.update(format!(
                "{:?} {stamp:?}\n",
                std::fs::canonicalize(path).ok()?
            ));
            if index < HASHED {
                content(path, stamp.length, &mut hash).ok()?;
            }
            if (stamp.length > WHOLE || index >= HASHED) && is_recent(&stamp) {
                return None;
            }
        }
        Some(hex(&hash.finalize()[..16]))
    }

    fn virtual_file(&mut self, path: &Path, names: &mut Vec<PathBuf>, depth: usize) {
        const LONGEST: u64 = 64 << 20;
        let Some(path) = local(path) else {
            return;
        };
        if std::fs::metadata(&path).is_ok_and(|about| about.len() > LONGEST) {
            self.complete = false;
            return;
        }
        let Ok(text) = std::fs::read(&path) else {
            return;
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        self.virtual_raster(&String::from_utf8_lossy(&text), folder, names, depth);
    }

    /// The files that the text of a virtual raster names, and those that they name.
    fn virtual_raster(
        &mut self,
        text: &str,
        folder: &Path,
        names: &mut Vec<PathBuf>,
        depth: usize,
    ) {
        const DEEPEST: usize = 8;
        if depth > DEEPEST {
            self.complete = false;
            return;
        }
        for (relative, name) in sources(text) {
            if name.trim_start().starts_with('<') {
                self.virtual_raster(&name, folder, names, depth + 1);
                continue;
            }
            let mut source = PathBuf::from(&name);
            if relative && !gdal_library::is_virtual(&source) {
                source = folder.join(source);
            }
            self.parts += 1;
            if let Some(path) = local(&source)
                && self.parts <= SEARCHED
                && !path.exists()
            {
                if !self.missing.contains(&path) {
                    self.missing.push(path);
                }
                continue;
            }
            let nested = source
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("vrt"));
            if nested && !self.nested.contains(&source) {
                self.nested.push(source.clone());
                self.virtual_file(&source, names, depth + 1);
            }
            names.push(source);
        }
    }
}

/// What GDAL says it reads.
fn listed(handle: &Handle) -> Vec<PathBuf> {
    let mut names = Vec::new();
    let (list, _) = gdal_library::with_messages(|| {
        // SAFETY: the dataset is open.
        unsafe { gdal_sys::GDALGetFileList(handle.raw()) }
    });
    // SAFETY: the list is ours, ends with a null pointer, and is freed once.
    unsafe {
        let mut next: *const *mut c_char = list;
        while !next.is_null() && !(*next).is_null() {
            let name = CStr::from_ptr(*next).to_string_lossy().into_owned();
            names.push(PathBuf::from(name));
            next = next.add(1);
        }
        gdal_sys::CSLDestroy(list);
    }
    names
}

/// The sources in the text of a virtual raster: whether relative to it, and the name.
fn sources(text: &str) -> Vec<(bool, String)> {
    let mut found = Vec::new();
    for tag in ["<SourceFilename", "<SourceDataset", "<SourceDatasetName"] {
        let mut rest = text;
        while let Some(at) = rest.find(tag) {
            rest = &rest[at + tag.len()..];
            if !rest.starts_with([' ', '>', '\n', '\t', '\r']) {
                continue;
            }
            let Some(end) = rest.find('>') else {
                break;
            };
            let (attributes, after) = (&rest[..end], &rest[end + 1..]);
            let Some(close) = after.find("</") else {
                break;
            };
            let relative = attributes.contains("relativeToVRT=\"1\"")
                || attributes.contains("relativeToVRT='1'")
                || attributes.contains("relativetoVRT=\"1\"");
            if !attributes.ends_with('/') {
                let name = plain(after[..close].trim());
                if !name.is_empty() && !found.contains(&(relative, name.clone())) {
                    found.push((relative, name));
                }
            }
            rest = &after[close..];
        }
    }
    found
}

/// XML's five entities.
fn plain(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

/// The file of this machine that one of GDAL's names stands for, there or not; `None` for what is elsewhere.
pub(super) fn local(name: &Path) -> Option<PathBuf> {
    let text = name.to_string_lossy();
    for archive in ["/vsizip/", "/vsitar/", "/vsigzip/", "/vsi7z/", "/vsirar/"] {
        if let Some(rest) = text.strip_prefix(archive) {
            let rest = rest.trim_start_matches('{');
            if rest.starts_with("vsi") || rest.starts_with("/vsi") {
                return local(Path::new(rest));
            }
            let mut path = PathBuf::from(rest.replace('}', ""));
            while !path.is_file() {
                if !path.pop() {
                    return None;
                }
            }
            return Some(path);
        }
    }
    if let Some(rest) = text.strip_prefix("/vsisubfile/") {
        return local(Path::new(rest.split_once(',')?.1));
    }
    if text.starts_with("/vsi") {
        return None;
    }
    if !gdal_library::is_virtual(name) {
        return Some(name.to_owned());
    }
    // A raster in a container: `NETCDF:"day.nc":ndvi`, `GTIFF_DIR:2:pages.tif`.
    if let Some((_, rest)) = text.split_once('"') {
        let inside = rest.split_once('"')?.0;
        return local(Path::new(inside)).filter(|path| path.exists());
    }
    let parts: Vec<&str> = text.split(':').collect();
    parts
        .iter()
        .skip(1)
        .map(|part| PathBuf::from(part.trim_start_matches("//")))
        .chain(parts.iter().skip(1).map(PathBuf::from))
        .find(|path| path.is_file())
}

/// Whether a file was written so lately that a further change may bear the same time.
fn is_recent(stamp: &Stamp) -> bool {
    let time = stamp.modified.max(stamp.changed);
    let Ok(seconds) = u64::try_from(time.0) else {
        return false;
    };
    let written = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    SystemTime::now()
        .duration_since(written)
        .is_ok_and(|age| age < Duration::from_secs(2))
}

fn content(path: &Path, length: u64, hash: &mut Sha256) -> std::io::Result<()> {
    let mut file = std::fs::File::open(path)?;
    if length <= WHOLE {
        std::io::copy(&mut file, hash)?;
        return Ok(());
    }
    let mut part = |start: u64, length: usize| -> std::io::Result<()> {
        let mut bytes = vec![0; length];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut bytes)?;
        hash.update(&bytes);
        Ok(())
    };
    part(0, END)?;
    part(length - END as u64, END)?;
    for sample in 1..=SAMPLES {
        part((length - SAMPLE as u64) / (SAMPLES + 1) * sample, SAMPLE)?;
    }
    Ok(())
}

/// Bytes as text.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_virtual_rasters_are_found() {
        let text = "<VRTDataset><SourceFilename relativeToVRT=\"1\">a &amp; b.tif</SourceFilename>\
                    <SourceFilename shared='0'>/c.tif</SourceFilename><SourceDataset relativeToVRT=\"0\">/d.tif</SourceDataset>\
                    <SourceFilename>a";
        let found = sources(text);
        assert_eq!(
            found,
            [
                (true, "a & b.tif".to_owned()),
                (false, "/c.tif".to_owned()),
                (false, "/d.tif".to_owned())
            ]
        );
    }

    #[test]
    fn the_same_length_and_modification_time_do_not_make_a_file_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        std::fs::write(&path, [1; 100]).unwrap();
        let (before, time) = (
            Stamp::of(&path).unwrap(),
            std::fs::metadata(&path).unwrap().modified().unwrap(),
        );
        let mut hash = Sha256::new();
        content(&path, 100, &mut hash).unwrap();
        let first = hash.finalize();
        std::fs::write(&path, [2; 100]).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(time).unwrap();
        let now = Stamp::of(&path).unwrap();
        assert!(!before.differs(&now), "length, time and inode are the same");
        let mut hash = Sha256::new();
        content(&path, 100, &mut hash).unwrap();
        assert_ne!(first, hash.finalize());
    }
}
