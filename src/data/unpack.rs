//! Archives as folders, without trusting what they say of their files.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read, Write as _};
use std::path::{Component, Path, PathBuf};

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;

use super::progress::Progress;
use super::{DataError, disk};
use crate::display::units::file_size;
use crate::report::{Notice, Report};
use crate::{Result, session};

/// Left on the disk whatever an archive holds.
const SPARE: u64 = 256 << 20;
/// The disk is looked at again after so many bytes.
const LOOK_AGAIN: u64 = 64 << 20;
/// What may stand behind the end of a tar: blocks of zeros.
const MOST_BEHIND: u64 = 64 << 20;
/// No data set has as many files.
const MOST_FILES: usize = 20_000_000;

/// What was taken out of an archive.
#[derive(Debug, Default)]
pub(super) struct Unpacked {
    /// Paths within the folder, sorted.
    pub(super) files: BTreeSet<PathBuf>,
    pub(super) bytes: u64,
    /// Links, devices and pipes, which data sets have no need of.
    links: usize,
    /// Names that lead out of the folder.
    outside: Vec<String>,
    /// What macOS adds for itself.
    companions: usize,
    /// A name that an earlier file had, too: the later one counts, as for tar.
    again: usize,
}

impl Unpacked {
    pub(super) fn report(&self, archive: &str, report: &mut Report) {
        let mut left_out = |count: usize, what: &str| {
            if count > 0 {
                report.push(
                    Notice::left_out(format!("{count} {what}"))
                        .about(archive)
                        .count(count),
                );
            }
        };
        left_out(self.links, "links and other special files");
        left_out(
            self.companions,
            "files that macOS adds (__MACOSX, ._name, .DS_Store)",
        );
        left_out(self.again, "files whose name a later one has, too");
        if let Some(first) = self.outside.first() {
            let count = self.outside.len();
            let text = format!("{count} files that lead out of the folder, such as {first:?}");
            let next = "the archive was made to do harm, or by mistake: ask its publisher";
            report.push(
                Notice::left_out(text)
                    .about(archive)
                    .count(count)
                    .next(next),
            );
        }
    }
}

/// Whether a file is an archive that can be unpacked, by its first bytes.
pub(super) fn is_archive(path: &Path) -> bool {
    matches!(kind(path), Ok(Some(_)))
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Zip,
    TarGz,
    Tar,
}

fn kind(path: &Path) -> std::io::Result<Option<Kind>> {
    let mut begin = Vec::new();
    File::open(path)?.take(512).read_to_end(&mut begin)?;
    Ok(match begin.as_slice() {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Kind::Zip),
        [0x1f, 0x8b, ..] => Some(Kind::TarGz),
        bytes if bytes.get(257..262) == Some(b"ustar") => Some(Kind::Tar),
        _ => None,
    })
}

/// Unpacks a zip, tar or tar.gz into `into`, which appears only when it is complete and must not be there yet.
///
/// Only plain files are taken; those whose names lead out of the folder, links and devices are left out and counted.
pub(super) fn unpack(archive: &Path, into: &Path, quiet: bool) -> Result<Unpacked> {
    let failed = |detail: String| DataError::Unpack {
        path: archive.to_owned(),
        detail,
    };
    let io = |error| DataError::File(crate::FileError::new(archive.to_owned(), error));
    let Some(kind) = kind(archive).map_err(io)? else {
        let detail = "it is no zip, tar or tar.gz (7z and rar are not read)".to_owned();
        return Err(failed(detail).into());
    };
    let parent = into.parent().unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(parent)
        .map_err(|error| DataError::File(crate::FileError::new(parent.to_owned(), error)))?;
    // Gone when it is not complete, however that comes.
    let staged = tempfile::Builder::new()
        .prefix(".unpacking-")
        .tempdir_in(parent)
        .map_err(|error| DataError::File(crate::FileError::new(parent.to_owned(), error)))?;
    let name = archive
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    // A folder within, since the temporary one is for its owner alone.
    let ready = staged.path().join("files");
    std::fs::create_dir(&ready)
        .map_err(|error| DataError::File(crate::FileError::new(ready.clone(), error)))?;
    let mut writer = Writer {
        folder: &ready,
        archive,
        unpacked: Unpacked::default(),
        looked: 0,
        progress: Progress::new(format!("unpacking {name}"), quiet),
    };
    match kind {
        Kind::Zip => zipped(archive, &mut writer)?,
        Kind::Tar => tarred(
            BufReader::new(File::open(archive).map_err(io)?),
            &mut writer,
        )?,
        Kind::TarGz => {
            let plain = MultiGzDecoder::new(BufReader::new(File::open(archive).map_err(io)?));
            tarred(plain, &mut writer)?;
        }
    }
    let Writer {
        unpacked,
        mut progress,
        ..
    } = writer;
    if unpacked.files.is_empty() {
        return Err(failed("it holds no files".to_owned()).into());
    }
    progress.end(&format!(
        "{} files, {}",
        unpacked.files.len(),
        file_size(unpacked.bytes)
    ));
    crate::cache::share(&ready)
        .and_then(|()| std::fs::rename(&ready, into))
        .map_err(|error| DataError::File(crate::FileError::new(into.to_owned(), error)))?;
    Ok(unpacked)
}

fn zipped(archive: &Path, writer: &mut Writer<'_>) -> Result<()> {
    let io = |error| DataError::File(crate::FileError::new(archive.to_owned(), error));
    let failed = |detail: String| DataError::Unpack {
        path: archive.to_owned(),
        detail,
    };
    let file = BufReader::new(File::open(archive).map_err(io)?);
    let mut zip = ZipArchive::new(file).map_err(|error| failed(error.to_string()))?;
    writer.check_count(zip.len())?;
    let mut total: u64 = 0;
    for index in 0..zip.len() {
        let member = zip
            .by_index_raw(index)
            .map_err(|error| failed(error.to_string()))?;
        total = total.saturating_add(member.size());
    }
    disk::check(writer.folder, total.saturating_add(SPARE))?;
    writer.progress.expect(Some(total));
    for index in 0..zip.len() {
        let member = zip.by_index(index);
        let mut member = member.map_err(|error| failed(format!("file {}: {error}", index + 1)))?;
        let name = member
            .name()
            .map_err(|error| failed(format!("file {}: {error}", index + 1)))?;
        let name = name.into_owned();
        if member.is_dir() {
            continue;
        }
        if !member.is_file() {
            writer.unpacked.links += 1;
            continue;
        }
        let size = member.size();
        writer.write(&name, Path::new(&name), &mut member, size)?;
    }
    Ok(())
}

fn tarred(file: impl Read, writer: &mut Writer<'_>) -> Result<()> {
    let failed = |error: std::io::Error, archive: &Path| DataError::Unpack {
        path: archive.to_owned(),
        detail: error.to_string(),
    };
    let mut tar = tar::Archive::new(file);
    let entries = tar
        .entries()
        .map_err(|error| failed(error, writer.archive))?;
    for entry in entries {
        let mut entry = entry.map_err(|error| failed(error, writer.archive))?;
        writer.check_count(writer.unpacked.files.len())?;
        let kind = entry.header().entry_type();
        if kind.is_dir() || kind.is_pax_global_extensions() {
            continue;
        }
        if !(kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse()) {
            writer.unpacked.links += 1;
            continue;
        }
        let path = entry
            .path()
            .map_err(|error| failed(error, writer.archive))?
            .into_owned();
        let size = entry.size();
        writer.write(&path.to_string_lossy(), &path, &mut entry, size)?;
    }
    // gzip's own checksum stands behind the end of the tar.
    let mut rest = tar.into_inner().take(MOST_BEHIND);
    std::io::copy(&mut rest, &mut std::io::sink())
        .map_err(|error| failed(error, writer.archive))?;
    Ok(())
}

struct Writer<'a> {
    folder: &'a Path,
    archive: &'a Path,
    unpacked: Unpacked,
    /// Bytes when the disk was last looked at.
    looked: u64,
    progress: Progress,
}

impl Writer<'_> {
    fn check_count(&self, count: usize) -> Result<()> {
        if count <= MOST_FILES {
            return Ok(());
        }
        let detail = format!("it holds more than {MOST_FILES} files");
        Err(DataError::Unpack {
            path: self.archive.to_owned(),
            detail,
        }
        .into())
    }

    fn write(&mut self, name: &str, path: &Path, from: &mut impl Read, size: u64) -> Result<()> {
        session::check_interrupt("unpacking")?;
        let Some(inside) = inside(path) else {
            self.unpacked.outside.push(name.to_owned());
            return Ok(());
        };
        if is_companion(&inside) {
            self.unpacked.companions += 1;
            return Ok(());
        }
        let target = self.folder.join(&inside);
        let io = |error| DataError::File(crate::FileError::new(target.clone(), error));
        let unpack = |error: String| DataError::Unpack {
            path: self.archive.to_owned(),
            detail: format!("{name}: {error}"),
        };
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent).map_err(io)?;
        }
        let mut to = File::create(&target).map_err(io)?;
        // One byte more shows that an entry is longer than it says.
        let mut from = from.take(size.saturating_add(1));
        let (mut buffer, mut written) = (vec![0; 1 << 18], 0_u64);
        loop {
            let count = from
                .read(&mut buffer)
                .map_err(|error| unpack(error.to_string()))?;
            let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else {
                break;
            };
            to.write_all(part).map_err(io)?;
            written += count as u64;
            self.unpacked.bytes += count as u64;
            if self.unpacked.bytes - self.looked >= LOOK_AGAIN {
                self.looked = self.unpacked.bytes;
                disk::check(self.folder, SPARE)?;
                session::check_interrupt("unpacking")?;
            }
            self.progress.update(self.unpacked.bytes);
        }
        if written != size {
            return Err(unpack(format!("it holds {written} bytes where {size} are stated")).into());
        }
        if !self.unpacked.files.insert(inside) {
            self.unpacked.again += 1;
        }
        Ok(())
    }
}

/// The path of an entry within the folder; `None` when it leads out of it. Backslashes separate on Windows, and some
/// zip programs there write them.
fn inside(path: &Path) -> Option<PathBuf> {
    let text = path.to_string_lossy().replace('\\', "/");
    if text.contains('\0') || text.starts_with('/') || text.as_bytes().get(1) == Some(&b':') {
        return None;
    }
    let mut inside = PathBuf::new();
    for part in Path::new(&text).components() {
        match part {
            Component::Normal(name) => inside.push(name),
            Component::CurDir => (),
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    (!inside.as_os_str().is_empty()).then_some(inside)
}

fn is_companion(path: &Path) -> bool {
    path.components().any(|part| {
        let name = part.as_os_str().to_string_lossy();
        name == "__MACOSX" || name == ".DS_Store" || name.starts_with("._")
    })
}
