//! `swath info` as batch jobs call it: several files, labels, arrays, exit codes.

use std::path::Path;

use swath::cli::{DONE, FAILED, NOT_UNDERSTOOD, run};

use crate::support::case;

fn swath(words: &[&str]) -> i32 {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    run(&words)
}

/// The values of a `.npy` file of version 1.0, as NumPy's format description has it.
fn npy(path: &Path) -> (String, Vec<u8>) {
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert_eq!((10 + length) % 64, 0);
    let header = String::from_utf8(bytes[10..10 + length].to_vec()).unwrap();
    (header, bytes[10 + length..].to_vec())
}

#[test]
fn a_file_that_cannot_be_read_stops_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let (out, image) = (folder.path().join("out"), case("f07-mask-255/image.tif"));
    let (out_text, image) = (out.display().to_string(), image.display().to_string());
    assert_eq!(
        swath(&[
            "info",
            "nowhere.tif",
            &image,
            "--arrays",
            &out_text,
            "--json"
        ]),
        FAILED
    );
    assert!(out.join("image/values.npy").is_file());
    assert_eq!(swath(&["info", &image, &image, "--statistics"]), DONE);
    assert_eq!(swath(&["info"]), NOT_UNDERSTOOD);
    assert_eq!(swath(&["info", &image, "--labels", "x"]), NOT_UNDERSTOOD);
    assert_eq!(swath(&["info", &image, "--boxes", "x"]), NOT_UNDERSTOOD);
}

#[test]
fn arrays_hold_what_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let image = case("f12-same-crs/image.tif").display().to_string();
    let mask = case("f12-same-crs/mask.asc").display().to_string();
    let out = folder.path().display().to_string();
    let words = [
        "info",
        &image,
        "--label-raster",
        &mask,
        "--classes",
        "a",
        "--arrays",
        &out,
    ];
    // 700 pixels of class 1: both systems are EPSG:32633 (GDAL's OSRIsSame).
    assert_eq!(swath(&words), DONE);
    let (header, labels) = npy(&folder.path().join("labels.npy"));
    assert!(
        header.contains("'|u1'") && header.contains("(64, 64"),
        "{header}"
    );
    assert_eq!(labels.iter().filter(|&&label| label == 1).count(), 700);
    let (header, values) = npy(&folder.path().join("values.npy"));
    assert!(header.contains("'<f4'"), "{header}");
    let (_, valid) = npy(&folder.path().join("valid.npy"));
    assert_eq!((valid.len(), values.len() % (4 * 64 * 64)), (64 * 64, 0));
}
