//! Archives, those that mean well and those that do not.

use std::io::{Cursor, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::SimpleFileOptions;

use super::unpack::{is_archive, unpack};
use crate::report::Report;

pub(super) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// An entry as it stands in a tar: `tar`'s own builder refuses names that lead outside.
fn entry(name: &str, kind: tar::EntryType, bytes: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    let mut all = header.as_bytes().to_vec();
    all.extend(bytes);
    all.resize(all.len().next_multiple_of(512), 0);
    all
}

fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut all = entries.concat();
    all.extend([0; 1024]);
    all
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn files(folder: &Path, within: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder.join(within)).unwrap() {
        let name = within.join(entry.unwrap().file_name());
        match folder.join(&name).is_dir() {
            true => files(folder, &name, found),
            false => found.push(name.to_str().unwrap().to_owned()),
        }
    }
    found.sort();
}

/// Unpacks, and returns the files with the report; nothing lies beside the folder in either case.
fn unpacked(bytes: &[u8]) -> Result<(Vec<String>, String), String> {
    let outer = tempfile::tempdir().unwrap();
    let archive = outer.path().join("set.archive");
    std::fs::write(&archive, bytes).unwrap();
    let into = outer.path().join("data/set");
    let ended = unpack(&archive, &into, true);
    let mut beside: Vec<_> = std::fs::read_dir(outer.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    beside.sort();
    assert!(beside.len() <= 2, "{beside:?}");
    let within = std::fs::read_dir(outer.path().join("data")).map_or(0, Iterator::count);
    assert_eq!(
        within,
        usize::from(ended.is_ok()),
        "nothing half unpacked stays"
    );
    let ended = ended.map_err(|error| error.to_string())?;
    let (mut found, mut report) = (Vec::new(), Report::new());
    files(&into, Path::new(""), &mut found);
    assert_eq!(found.len(), ended.files.len());
    ended.report("set.archive", &mut report);
    Ok((found, report.to_string()))
}

#[test]
fn zip_tar_and_tar_gz_give_the_same_files() {
    let plain = |name| entry(name, tar::EntryType::Regular, b"content");
    let one = tar(&[
        entry("a/", tar::EntryType::Directory, b""),
        plain("a/one.tif"),
        plain("./two.tif"),
    ]);
    let expected = (
        vec!["a/one.tif".to_owned(), "two.tif".to_owned()],
        String::new(),
    );
    for bytes in [
        zip(&[("a/one.tif", b"content"), ("two.tif", b"content")]),
        gz(&one),
        one,
    ] {
        assert_eq!(unpacked(&bytes).unwrap(), expected);
    }
}

#[test]
fn names_that_lead_outside_are_left_out_and_counted() {
    for name in [
        "../evil.txt",
        "/tmp/evil.txt",
        "a/../../evil.txt",
        "..\\evil.txt",
        "C:\\evil.txt",
        "a/../b.txt",
    ] {
        let good = entry("good.txt", tar::EntryType::Regular, b"1");
        let evil = entry(name, tar::EntryType::Regular, b"1");
        let mut found = vec![("tar", unpacked(&tar(&[good, evil])))];
        found.push(("zip", unpacked(&zip(&[("good.txt", b"1"), (name, b"1")]))));
        for (kind, found) in found {
            let (files, report) = found.unwrap();
            assert_eq!(files, ["good.txt"], "{kind} {name}");
            assert!(
                report.contains("1 files that lead out of the folder"),
                "{kind} {name}: {report}"
            );
        }
    }
}

#[test]
fn links_and_companions_are_left_out_and_counted() {
    let mut link = tar::Header::new_ustar();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_path("link").unwrap();
    link.set_link_name("/etc/passwd").unwrap();
    link.set_size(0);
    link.set_cksum();
    let plain = |name| entry(name, tar::EntryType::Regular, b"1");
    // Through the link the next file would be written into /etc.
    let bytes = tar(&[
        link.as_bytes().to_vec(),
        plain("a/b"),
        plain("__MACOSX/a/._b"),
        plain(".DS_Store"),
        plain("._c"),
    ]);
    let (files, report) = unpacked(&bytes).unwrap();
    assert_eq!(files, ["a/b"]);
    assert!(
        report.contains("1 links") && report.contains("3 files that macOS adds"),
        "{report}"
    );
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("link", "/etc/passwd", SimpleFileOptions::default())
        .unwrap();
    zip.start_file("a", SimpleFileOptions::default()).unwrap();
    let (files, report) = unpacked(&zip.finish().unwrap().into_inner()).unwrap();
    assert!(
        files == ["a"] && report.contains("1 links"),
        "{files:?} {report}"
    );
}

#[test]
fn a_name_that_comes_twice_counts_once_with_the_later_content() {
    let bytes = tar(&[
        entry("a", tar::EntryType::Regular, b"first"),
        entry("a", tar::EntryType::Regular, b"second"),
    ]);
    let (files, report) = unpacked(&bytes).unwrap();
    assert!(
        files == ["a"] && report.contains("1 files whose name a later one has"),
        "{report}"
    );
}

#[test]
fn archives_that_are_cut_or_none_are_errors_and_nothing_stays() {
    let noise: Vec<u8> = (0..60_000_u64)
        .map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
        .collect();
    let whole = gz(&tar(&[entry("a", tar::EntryType::Regular, &noise)]));
    assert!(unpacked(&whole).is_ok());
    let zipped = zip(&[("a", &noise)]);
    for bytes in [&whole[..], &zipped[..]] {
        for end in [bytes.len() / 3, bytes.len() / 2, bytes.len() - 30] {
            let error = unpacked(&bytes[..end]).unwrap_err();
            assert!(error.contains("cannot be unpacked"), "{end}: {error}");
        }
        let mut broken = bytes.to_vec();
        let middle = broken.len() / 2;
        broken[middle] ^= 0xff;
        assert!(unpacked(&broken).is_err(), "the checksum within notices");
    }
    for bytes in [
        &b""[..],
        b"7z\xbc\xaf\x27\x1c",
        b"Rar!",
        b"PK\x03\x04",
        b"\x1f\x8b",
        &zip(&[])[..],
    ] {
        let error = unpacked(bytes).unwrap_err();
        assert!(error.contains("cannot be unpacked"), "{error}");
    }
}

#[test]
fn a_zip_that_states_more_than_fits_is_not_begun() {
    // The size that the directory states (APPNOTE 4.4.9, of zip64 4.5.3) is checked before anything is written.
    let mut bytes = zip(&[("a", b"1")]);
    let directory = bytes
        .windows(4)
        .rposition(|four| four == b"PK\x01\x02")
        .unwrap();
    bytes[directory + 24..directory + 28].copy_from_slice(&0xffff_fffe_u32.to_le_bytes());
    // 4 GB fit: then it is the content that is shorter than stated.
    let error = unpacked(&bytes).unwrap_err();
    assert!(
        error.contains("are needed") || error.contains("are stated") || error.contains("unpacked"),
        "{error}"
    );
}

#[test]
fn archives_are_told_by_their_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    for (bytes, archive) in [
        (&zip(&[("a", b"1")])[..], true),
        (b"x,y\n", false),
        (b"", false),
    ] {
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(is_archive(&path), archive);
    }
    assert!(!is_archive(&folder.path().join("none")));
}

/// Two files, one of them in a folder.
pub(super) fn small_tar() -> Vec<u8> {
    let plain = |name| entry(name, tar::EntryType::Regular, b"content");
    tar(&[plain("a/one.tif"), plain("two.tif")])
}
