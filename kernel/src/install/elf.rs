//! Programs and shared objects without what only debuggers and static linkers read.
//!
//! A third of the compiler's own libraries are names and debug information that no running program needs. They are taken
//! away here, without `strip`: no tool has to be there, and files that were rearranged after their link (rustc's are, by
//! BOLT) come to no harm, since not one byte of what is loaded moves.

use std::ops::Range;
use std::path::Path;

const HEADER: usize = 64;
const SECTION: usize = 64;
const SEGMENT: usize = 56;
const IS_LOADED: u64 = 2;
const NO_BITS: u32 = 8;
/// Where a crate's metadata is; the compiler reads it of macros, which have it nowhere else.
const METADATA: &[u8] = b".rustc";

/// What stays beside that which is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// Nothing.
    Nothing,
    /// A crate's metadata.
    Metadata,
}

/// The file without symbol tables, debug information and notes; `None` when it is no such file, or not of a kind that is
/// understood, and has to stay as it is.
pub(super) fn stripped(file: &[u8], keep: Keep) -> Option<Vec<u8>> {
    let is_elf = file.starts_with(b"\x7fELF\x02\x01\x01");
    // A program or a shared object.
    if !is_elf || ![2, 3].contains(&short(file, 16)?) {
        return None;
    }
    let segments = table(file, long(file, 32)?, short(file, 56)?, SEGMENT)?;
    let table = table(file, long(file, 40)?, short(file, 60)?, SECTION)?;
    if table.is_empty() {
        return None;
    }
    let mut end = segments.end.max(HEADER);
    for segment in file.get(segments)?.chunks_exact(SEGMENT) {
        let (start, size) = (long(segment, 8)?, long(segment, 32)?);
        end = end.max(usize::try_from(start.checked_add(size)?).ok()?);
    }
    let sections: Vec<&[u8]> = file.get(table)?.chunks_exact(SECTION).collect();
    let names_at = usize::from(short(file, 62)?);
    let names = contents(file, sections.get(names_at)?)?;
    let mut kept = file.get(..end)?.to_vec();
    let mut headers: Vec<u8> = Vec::with_capacity(sections.len() * SECTION);
    for (number, section) in sections.iter().enumerate() {
        let mut header = section.to_vec();
        let is_loaded = long(section, 8)? & IS_LOADED != 0;
        let is_kept =
            number == names_at || (keep == Keep::Metadata && name(names, section)? == METADATA);
        if is_loaded {
            let past = long(section, 24)?.checked_add(long(section, 32)?)?;
            if word(section, 4)? != NO_BITS && past > end as u64 {
                return None;
            }
        } else if is_kept {
            kept.resize(kept.len().next_multiple_of(16), 0);
            header
                .get_mut(24..32)?
                .copy_from_slice(&(kept.len() as u64).to_le_bytes());
            kept.extend(contents(file, section)?);
        } else {
            // Others are known by their numbers: its place stays, as one that is not used.
            header.fill(0);
        }
        headers.extend(header);
    }
    kept.resize(kept.len().next_multiple_of(16), 0);
    let at = kept.len() as u64;
    kept.extend(headers);
    kept.get_mut(40..48)?.copy_from_slice(&at.to_le_bytes());
    Some(kept)
}

/// The newest version of the GNU C library whose names a program or a shared object uses.
pub(crate) fn libraries_needed(path: &Path) -> Option<(u32, u32)> {
    let file = std::fs::read(path).ok()?;
    if !file.starts_with(b"\x7fELF\x02\x01\x01") {
        return None;
    }
    let table = table(&file, long(&file, 40)?, short(&file, 60)?, SECTION)?;
    let sections: Vec<&[u8]> = file.get(table)?.chunks_exact(SECTION).collect();
    let names = contents(&file, sections.get(usize::from(short(&file, 62)?))?)?;
    let texts = sections
        .iter()
        .find(|section| name(names, section) == Some(b".dynstr".as_slice()))
        .and_then(|section| contents(&file, section))?;
    texts
        .split(|byte| *byte == 0)
        .filter_map(|text| std::str::from_utf8(text.strip_prefix(b"GLIBC_")?).ok())
        .filter_map(|version| {
            let mut parts = version.split('.').map(str::parse);
            Some((parts.next()?.ok()?, parts.next()?.ok()?))
        })
        .max()
}

/// Where a table of `count` entries lies, which must be in the file.
fn table(file: &[u8], start: u64, count: u16, entry: usize) -> Option<Range<usize>> {
    let start = usize::try_from(start).ok()?;
    let end = start.checked_add(usize::from(count) * entry)?;
    (end <= file.len()).then_some(start..end)
}

fn contents<'a>(file: &'a [u8], section: &[u8]) -> Option<&'a [u8]> {
    let start = usize::try_from(long(section, 24)?).ok()?;
    let size = usize::try_from(long(section, 32)?).ok()?;
    file.get(start..start.checked_add(size)?)
}

fn name<'a>(names: &'a [u8], section: &[u8]) -> Option<&'a [u8]> {
    let start = usize::try_from(word(section, 0)?).ok()?;
    names.get(start..)?.split(|byte| *byte == 0).next()
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::loader::Library;

    fn compile(folder: &Path, kind: &str, source: &str) -> Vec<u8> {
        let file = folder.join("source.rs");
        std::fs::write(&file, source).unwrap();
        let out = folder.join(format!("compiled-{kind}"));
        let compiled = Command::new("rustc")
            .args([
                "--edition=2024",
                "--crate-type",
                kind,
                "-Cdebuginfo=2",
                "-o",
            ])
            .args([&out, &file])
            .status();
        assert!(compiled.unwrap().success());
        std::fs::read(out).unwrap()
    }

    #[test]
    fn a_program_without_symbols_is_smaller_and_does_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let whole = compile(
            folder.path(),
            "bin",
            r#"fn main() { println!("{}", std::panic::catch_unwind(|| panic!("x")).is_err()); }"#,
        );
        let small = stripped(&whole, Keep::Nothing).unwrap();
        assert!(
            small.len() * 3 < whole.len(),
            "{} of {}",
            small.len(),
            whole.len()
        );
        let program = folder.path().join("small");
        std::fs::write(&program, &small).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&program, mode).unwrap();
        // Unwinding needs tables that must still be there.
        let output = Command::new(&program).output().unwrap();
        assert_eq!(output.stdout, b"true\n");
        assert_eq!(stripped(&small, Keep::Nothing).unwrap().len(), small.len());
    }

    #[test]
    fn a_library_keeps_what_it_exports_and_its_metadata_when_that_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let whole = compile(
            folder.path(),
            "dylib",
            r#"#[unsafe(no_mangle)] pub extern "C" fn swath_answer() -> i32 { 42 }"#,
        );
        let holds = |bytes: &[u8]| bytes.windows(4).any(|window| window == b"rust");
        assert!(holds(&whole));
        let bare = stripped(&whole, Keep::Nothing).unwrap();
        let with_metadata = stripped(&whole, Keep::Metadata).unwrap();
        assert!(bare.len() < with_metadata.len() && with_metadata.len() < whole.len());
        let library = folder.path().join("libbare.so");
        std::fs::write(&library, &bare).unwrap();
        let library = Library::open(&library).unwrap();
        // SAFETY: the function above.
        let answer = unsafe { library.symbol::<extern "C" fn() -> i32>(c"swath_answer") }.unwrap();
        assert_eq!(answer(), 42);
    }

    #[test]
    fn the_c_library_that_is_needed_is_read() {
        let own = std::env::current_exe().unwrap();
        let (major, minor) = libraries_needed(&own).unwrap();
        assert!(major == 2 && (14..100).contains(&minor), "{major}.{minor}");
        assert_eq!(libraries_needed(Path::new("/dev/null")), None);
    }

    #[test]
    fn what_is_no_program_and_what_is_cut_off_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(stripped(b"", Keep::Nothing), None);
        assert_eq!(stripped(b"#!/bin/sh\n", Keep::Nothing), None);
        let whole = compile(folder.path(), "bin", "fn main() {}");
        for length in [16, 63, 64, 200, whole.len() / 2, whole.len() - 1] {
            assert_eq!(stripped(&whole[..length], Keep::Nothing), None, "{length}");
        }
        let mut wrong = whole;
        wrong[40..48].fill(0xff);
        assert_eq!(stripped(&wrong, Keep::Nothing), None);
    }
}
