//! Arrays of NumPy as rasters: `.npy`, and one array of an `.npz`.
//!
//! What is stored as it is read (C order, not packed) is read from the file, window by window. Other arrays are unpacked or
//! rearranged once when they are opened, in memory; a notice says so.

mod convert;
mod header;
mod python;

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zip::{CompressionMethod, ZipArchive};

use self::header::{Header, Trouble};
use super::array::{layout, names_of};
use super::array_error::{ArrayError, shape_words};
use super::held::{About, Held, Source, Values};
use super::vsi::VsiFile;
use super::{DataType, OpenOptions, RasterError, memory};
use crate::report::{Notice, Report};

/// An array that somebody asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) file: PathBuf,
    /// Of an archive, the name of one that it holds.
    member: Option<String>,
    archive: bool,
}

impl Chosen {
    /// Whether the path says which array of an archive is meant.
    pub(super) fn names_member(&self) -> bool {
        self.member.is_some()
    }
}

/// `a.npy`, `a.npz`, `a.npz?name`; `None` for other files.
pub(super) fn chosen(name: &Path) -> Option<Chosen> {
    let text = name.to_string_lossy();
    let lower = text.to_ascii_lowercase();
    let of = |file: &str, member: Option<&str>, archive| Chosen {
        file: PathBuf::from(file),
        member: member.map(str::to_owned),
        archive,
    };
    if lower.ends_with(".npy") {
        return Some(match lower.rfind(".npz?") {
            // Archives hold files of this ending.
            Some(at) => of(&text[..at + 4], Some(&text[at + 5..]), true),
            None => of(&text, None, false),
        });
    }
    if lower.ends_with(".npz") {
        return Some(of(&text, None, true));
    }
    let at = lower.rfind(".npz?")?;
    Some(of(&text[..at + 4], Some(&text[at + 5..]), true))
}

/// Whether a text with a question mark in it names an array of an archive that is there, and is no pattern.
pub(crate) fn names_member(path: &Path) -> bool {
    chosen(path).is_some_and(|chosen| chosen.member.is_some() && chosen.file.is_file())
}

/// An array as it lies in a file.
struct Stored {
    header: Header,
    /// Of a packed one all that follows its head.
    unpacked: Option<Vec<u8>>,
    /// The place of the first value in the file.
    start: u64,
    /// What there is from there on.
    available: u64,
}

/// Opens an array.
///
/// # Errors
/// [`ArrayError`] for what is no array of numbers, is cut short or has other axes than imagery.
pub(super) fn open(chosen: &Chosen, options: &OpenOptions) -> Result<Arc<Held>, RasterError> {
    let path = &chosen.file;
    let mut file = VsiFile::open(path)?;
    let stored = match chosen.archive {
        true => of_archive(file, chosen)?,
        false => {
            let header = Header::read(&mut file).map_err(|trouble| told(trouble, path))?;
            let length = file.length();
            Stored {
                start: header.start,
                available: length.saturating_sub(header.start),
                unpacked: None,
                header,
            }
        }
    };
    let Stored {
        header,
        unpacked,
        start,
        available,
    } = stored;
    let mut report = Report::new();
    let bands_last = axes(&header, options, path, &mut report)?;
    let too_large = || ArrayError::TooLarge {
        shape: header.shape.clone(),
        path: Some(path.clone()),
    };
    let bytes = header.bytes().ok_or_else(too_large)?;
    if available < bytes {
        return Err(ArrayError::CutShort {
            path: path.clone(),
            expected: start.saturating_add(bytes),
            found: start.saturating_add(available),
        }
        .into());
    }
    if available > bytes && unpacked.is_none() && !chosen.archive {
        report.push(
            Notice::left_out(format!(
                "the file goes on behind its first array: {} bytes are not read",
                available - bytes
            ))
            .next("`np.savez` writes several arrays into one archive, each with a name"),
        );
    }
    let fortran = header.is_turned();
    let value = match header.value {
        DataType::F16 => DataType::F32,
        value => value,
    };
    let mut layout = layout(
        &header.shape,
        bands_last && header.shape.len() == 3,
        value,
        Some(path),
    )?;
    layout.big_endian = header.big_endian;
    let (values, layout) = if fortran || header.value == DataType::F16 {
        let raw = match unpacked {
            Some(raw) => raw,
            None => read_all(path, start, &header)?,
        };
        if header.value == DataType::F16 {
            report.push(Notice::converted(
                "16-bit floats were read as 32-bit ones, which hold each of them exactly",
            ));
        }
        if fortran {
            report.push(
                Notice::converted(format!(
                    "the array is in Fortran order: its {bytes} bytes were rearranged in memory"
                ))
                .next("`np.save(name, np.ascontiguousarray(array))` writes one that is read window by window"),
            );
        }
        convert::planes(raw, &header, bands_last, &layout)
    } else {
        if let Some(raw) = unpacked {
            (Source::Memory(Values::Bytes(raw)), layout)
        } else {
            layout.start = start;
            (Source::File(path.clone()), layout)
        }
    };
    let about = About {
        names: names_of(Vec::new(), &layout, &mut report),
        ..About::default()
    };
    let stem = match &chosen.member {
        Some(member) => member.trim_end_matches(".npy").to_owned(),
        None => path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
    };
    Held::new(&stem, values, &layout, &about, Some(path.clone()), report)
}

/// Whether the last axis counts the bands.
fn axes(
    header: &Header,
    options: &OpenOptions,
    path: &Path,
    report: &mut Report,
) -> Result<bool, ArrayError> {
    let &[first, middle, last] = header.shape.as_slice() else {
        return Ok(false);
    };
    if let Some(bands_last) = options.bands_axis_last {
        return Ok(bands_last);
    }
    // A single row or column is no hint: what has one pixel across is not imagery.
    let bands_last = match first.cmp(&last) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => {
            return Err(ArrayError::WhichAxis {
                shape: header.shape.clone(),
                path: Some(path.to_owned()),
            });
        }
    };
    let (words, bands, size) = match bands_last {
        true => ("(rows, columns, bands)", last, (middle, first)),
        false => ("(bands, rows, columns)", first, (last, middle)),
    };
    report.push(
        Notice::assumed(format!(
            "the shorter of the first and the last axis counts the bands: {} is {words}, {bands} bands of {} x {} pixels",
            shape_words(&header.shape),
            size.0,
            size.1
        ))
        .next("`OpenOptions::new().bands_axis_first()` or `.bands_axis_last()` says it"),
    );
    Ok(bands_last)
}

fn told(trouble: Trouble, path: &Path) -> ArrayError {
    match trouble {
        Trouble::Format(reason) => ArrayError::Format {
            path: path.to_owned(),
            reason,
        },
        Trouble::Type(found) => ArrayError::Type {
            found,
            path: Some(path.to_owned()),
        },
    }
}

/// The stored bytes of an array that is unpacked or rearranged in memory, where that takes half of it at most, with all that
/// is made of them.
fn check_memory(path: &Path, header: &Header, why: &'static str) -> Result<usize, ArrayError> {
    let needed = header.bytes_in_memory().unwrap_or(u64::MAX);
    let refused = || ArrayError::Memory {
        path: path.to_owned(),
        why,
        bytes: needed,
    };
    if memory::physical().is_some_and(|memory| needed > memory / 2) {
        return Err(refused());
    }
    let stored = header.bytes().and_then(|bytes| usize::try_from(bytes).ok());
    stored.ok_or_else(refused)
}

fn read_all(path: &Path, start: u64, header: &Header) -> Result<Vec<u8>, RasterError> {
    let length = check_memory(path, header, "rearranged")?;
    let mut file = VsiFile::open(path)?;
    let mut raw = vec![0; length];
    let read = file
        .seek(SeekFrom::Start(start))
        .and_then(|_| file.read_exact(&mut raw));
    read.map_err(|source| crate::FileError::new(path.to_owned(), source))?;
    Ok(raw)
}

/// An array of an archive.
fn of_archive(file: VsiFile, chosen: &Chosen) -> Result<Stored, RasterError> {
    let path = &chosen.file;
    let format = |reason: String| ArrayError::Format {
        path: path.clone(),
        reason,
    };
    let mut zip = ZipArchive::new(file).map_err(|error| format(error.to_string()))?;
    let mut members: Vec<(usize, String)> = Vec::new();
    for index in 0..zip.len() {
        let member = zip
            .by_index_raw(index)
            .map_err(|error| format(error.to_string()))?;
        let name = member
            .name()
            .map_err(|error| format(error.to_string()))?
            .into_owned();
        if let Some(name) = name.strip_suffix(".npy") {
            members.push((index, name.to_owned()));
        }
    }
    let wanted = chosen
        .member
        .as_deref()
        .map(|name| name.strip_suffix(".npy").unwrap_or(name));
    let found = match (wanted, members.as_slice()) {
        (None, [one]) => Some(one.0),
        (None, _) => None,
        (Some(wanted), _) => members
            .iter()
            .find(|(_, name)| name == wanted)
            .map(|(index, _)| *index),
    };
    let Some(index) = found else {
        let mut found = Vec::new();
        for (index, name) in members.iter().take(32) {
            let head = zip
                .by_index(*index)
                .ok()
                .and_then(|mut member| Header::read(&mut member).ok());
            found.push(head.map_or_else(
                || name.clone(),
                |head| format!("{name} {} {}", shape_words(&head.shape), head.type_name),
            ));
        }
        return Err(ArrayError::Member {
            path: path.clone(),
            wanted: chosen.member.clone(),
            found,
        }
        .into());
    };
    let mut member = zip
        .by_index(index)
        .map_err(|error| format(error.to_string()))?;
    let length = member.size();
    let header = Header::read(&mut member).map_err(|trouble| told(trouble, path))?;
    let available = length.saturating_sub(header.start);
    if member.compression() == CompressionMethod::Stored
        && let Some(start) = member.data_start()
    {
        return Ok(Stored {
            start: start.saturating_add(header.start),
            available,
            unpacked: None,
            header,
        });
    }
    let bytes = header.bytes().unwrap_or(u64::MAX);
    if available < bytes {
        return Err(ArrayError::CutShort {
            path: path.clone(),
            expected: header.start.saturating_add(bytes),
            found: length,
        }
        .into());
    }
    let mut raw = vec![0; check_memory(path, &header, "unpacked")?];
    member
        .read_exact(&mut raw)
        .map_err(|error| format(format_args!("{error}").to_string()))?;
    Ok(Stored {
        start: header.start,
        available: bytes,
        unpacked: Some(raw),
        header,
    })
}

#[cfg(test)]
mod fuzz_tests;
#[cfg(test)]
mod tests;
