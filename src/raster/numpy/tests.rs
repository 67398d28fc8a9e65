//! Files that NumPy wrote (`tests/python/make_numpy_fixtures.py`); what is in them is their formula's.

use std::path::{Path, PathBuf};

use super::*;
use crate::Hint;
use crate::raster::{PixelWindow, Raster};
use crate::report::NoticeKind;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/numpy")
        .join(name)
}

/// `100 * band + 10 * row + column` of 3 bands, 4 rows, 5 columns.
fn formula() -> Vec<f32> {
    let one = |at: usize| (100 * (at / 20) + 10 * (at / 5 % 4) + at % 5) as f32;
    (0..60).map(one).collect()
}

fn values(raster: &Raster) -> Vec<f32> {
    raster.read(&raster.full()).unwrap().data
}

#[test]
fn every_type_order_and_version_of_numpy_is_read() {
    let mut seen = 0;
    for entry in std::fs::read_dir(file("")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_image = ["image_", "version_", "last_", "one.npz"]
            .iter()
            .any(|start| name.starts_with(start));
        if !is_image {
            continue;
        }
        let raster = Raster::open(&path).unwrap();
        let bytes = ["image_u1", "image_i1"]
            .iter()
            .any(|start| name.starts_with(start));
        let expected = formula().into_iter().map(|value| match name.as_str() {
            "image_bool.npy" => value % 2.0,
            _ if bytes => value % 128.0,
            _ => value,
        });
        assert_eq!(values(&raster), expected.collect::<Vec<f32>>(), "{name}");
        let kind = name.split(['_', '.']).nth(1).unwrap_or_default();
        if name.starts_with("image_") {
            let expected = match kind {
                "bool" | "u1" => DataType::U8,
                "i1" => DataType::I8,
                "u2" => DataType::U16,
                "i2" => DataType::I16,
                "u4" => DataType::U32,
                "i4" => DataType::I32,
                "u8" => DataType::U64,
                "i8" => DataType::I64,
                "f2" | "f4" => DataType::F32,
                _ => DataType::F64,
            };
            assert_eq!(raster.data_type(), expected, "{name}");
        }
        let window = PixelWindow::new(3, 1, 4, 2);
        let part = raster.read(&window).unwrap();
        assert_eq!(
            part.value(0, 0, 0),
            Some(if name == "image_bool.npy" { 1.0 } else { 13.0 }),
            "{name}"
        );
        assert_eq!(part.valid, [1, 1, 0, 0, 1, 1, 0, 0], "{name}");
        assert_eq!(raster.format(), "NumPy");
        let said = raster
            .report()
            .iter()
            .map(ToString::to_string)
            .collect::<String>();
        assert!(said.contains("counts the bands"), "{name}: {said}");
        assert_eq!(
            said.contains("Fortran"),
            name.contains("fortran"),
            "{name}: {said}"
        );
        seen += 1;
    }
    assert_eq!(seen, 2 * (2 + 9 * 2) + 1 + 2 + 2 + 1);
}

#[test]
fn planes_and_holes_are_read() {
    let plane: Vec<f32> = formula()[20..40].to_vec();
    for name in ["plane_f4.npy", "plane_i4_fortran.npy"] {
        let raster = Raster::open(file(name)).unwrap();
        assert_eq!(
            (values(&raster), raster.band_count()),
            (plane.clone(), 1),
            "{name}"
        );
    }
    let raster = Raster::open(file("holes.npy")).unwrap();
    let patch = raster.read(&raster.full()).unwrap();
    assert_eq!(
        (
            patch.value(0, 1, 2),
            patch.value(0, 2, 3),
            patch.value(0, 3, 4)
        ),
        (None, None, Some(34.0))
    );
}

#[test]
fn arrays_of_archives_are_chosen_by_name() {
    let image = Raster::open(file("several.npz?image")).unwrap();
    assert_eq!(values(&image), formula());
    let mask = Raster::open(file("packed.npz?mask.npy")).unwrap();
    let expected: Vec<f32> = formula()[..20]
        .iter()
        .map(|&value| f32::from(value > 20.0))
        .collect();
    assert_eq!(values(&mask), expected);
    assert_eq!(
        values(&Raster::open(file("packed.npz?image")).unwrap()),
        formula()
    );
    let error = Raster::open(file("several.npz")).unwrap_err();
    assert!(error.to_string().contains("3 arrays"), "{error}");
    let hint = error.hint().unwrap();
    for part in [
        "image (3, 4, 5) uint16",
        "classes (4, 5) int64",
        "several.npz?image`",
    ] {
        assert!(hint.contains(part), "{part} in {hint}");
    }
    let error = Raster::open(file("several.npz?labels")).unwrap_err();
    assert!(error.to_string().contains("no array \"labels\""), "{error}");
    assert!(
        Raster::open(file("without.npz"))
            .unwrap_err()
            .to_string()
            .contains("no array")
    );
    assert!(matches!(
        Raster::open(file("nowhere.npz?image")).unwrap_err(),
        crate::Error::Raster(RasterError::Missing { .. })
    ));
}

#[test]
fn an_array_in_an_archive_of_files_is_read() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("arrays.zip");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    archive
        .start_file("a/image.npy", zip::write::SimpleFileOptions::default())
        .unwrap();
    archive
        .write_all(&std::fs::read(file("image_f4_little.npy")).unwrap())
        .unwrap();
    archive.finish().unwrap();
    assert_eq!(values(&Raster::open(&path).unwrap()), formula());
}

#[test]
fn what_is_no_imagery_says_why() {
    let error = |name: &str| {
        let error = Raster::open(file(name)).unwrap_err();
        let Some(hint) = error.hint() else {
            return error.to_string();
        };
        format!("{error} | {hint}")
    };
    for (name, parts) in [
        ("refused_complex.npy", &["complex", "np.abs"][..]),
        ("refused_object.npy", &["object", "pickle", "np.stack"]),
        ("refused_fields.npy", &["fields", "array[\"field\"]"]),
        ("refused_text.npy", &["text", "astype"]),
        ("refused_time.npy", &["time"]),
        ("refused_axes.npy", &["(1, 3, 4, 5)", "array[0]"]),
        ("refused_row.npy", &["(20,)", "reshape"]),
        ("refused_empty.npy", &["(3, 0, 5)", "holds nothing"]),
        ("refused_which.npy", &["(4, 5, 4)", "bands_axis_last"]),
        (
            "cut_short.npy",
            &["608 bytes were expected, 508 are there", "write it again"],
        ),
        ("no_array.npy", &["NumPy's mark", "np.save"]),
    ] {
        let said = error(name);
        assert!(
            parts.iter().all(|part| said.contains(part)),
            "{name}: {said}"
        );
    }
    let last = OpenOptions::new().bands_axis_last();
    let raster = Raster::open_with(file("refused_which.npy"), &last).unwrap();
    assert_eq!(
        (raster.band_count(), raster.size()),
        (4, crate::raster::Size::new(5, 4))
    );
    let first =
        Raster::open_with(file("last_u2.npy"), OpenOptions::new().bands_axis_first()).unwrap();
    assert_eq!(
        (first.band_count(), first.size()),
        (4, crate::raster::Size::new(3, 5))
    );
    assert!(
        !first
            .report()
            .iter()
            .any(|notice| notice.text().contains("counts the bands"))
    );
}

#[test]
fn what_is_rounded_or_left_is_told() {
    let raster = Raster::open(file("large_integers.npy")).unwrap();
    let rounded = raster
        .report()
        .iter()
        .find(|notice| notice.text().contains("rounded"));
    // 2^24 + 1 and 2^53 + 1; -2^40 and 7 are floats of 32 bits.
    assert!(rounded.is_some_and(
        |notice| notice.kind() == NoticeKind::Converted && notice.text().contains("2 values")
    ));
    let raster = Raster::open(file("two_in_one.npy")).unwrap();
    assert_eq!(values(&raster), formula());
    assert!(
        raster
            .report()
            .iter()
            .any(|notice| notice.text().contains("goes on behind"))
    );
}

/// NumPy's own statistics of the formula, and a file that another one takes the place of.
#[test]
fn statistics_other_sizes_and_changes_are_those_of_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b & c.npy");
    std::fs::copy(file("image_f4_big.npy"), &path).unwrap();
    let raster = Raster::open(&path).unwrap();
    let statistics = raster.statistics().unwrap();
    // np.arange(4)[:, None] * 10 + np.arange(5): mean 17.0, std 11.269428...
    assert!(
        (statistics[0].mean - 17.0).abs() < 1e-9
            && (statistics[0].std - 11.269_427_669_584_644).abs() < 1e-9
    );
    assert!(raster.identity().is_some(), "statistics are kept");
    let half = raster.at(crate::raster::Resolution::Factor(0.5)).unwrap();
    // Three columns of five: all of the first and two thirds of the second in each row, and two rows, averaged.
    let first = half.read(&PixelWindow::new(0, 0, 1, 1)).unwrap();
    assert!((first.value(0, 0, 0).unwrap() - (5.0 + 0.4)).abs() < 1e-5);
    std::fs::copy(file("image_f8_big.npy"), &path).unwrap();
    let error = raster.read(&raster.full()).unwrap_err();
    assert!(error.to_string().contains("changed"), "{error}");
    assert!(matches!(
        Raster::open(folder.path()).unwrap_err(),
        crate::Error::Raster(RasterError::SeveralRasters { .. })
    ));
}

/// NumPy's own bytes are not all that is needed: turned values lie beside them, and singles take twice what halves do.
/// Files without a block on the disk, of three tenths of the memory and of a fifth.
#[test]
fn arrays_that_would_not_fit_in_memory_with_what_they_become_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let memory = memory::physical().unwrap();
    for (kind, fortran, share, times) in [
        ("<f8", "True", 3, 2),
        ("<f2", "False", 2, 3),
        ("<f2", "True", 2, 3),
    ] {
        let bytes_each = if kind == "<f8" { 8 } else { 2 };
        let rows = memory * share / 10 / bytes_each / 1000;
        let head = format!(
            "{{'descr': '{kind}', 'fortran_order': {fortran}, 'shape': ({rows}, 1000), }}\n"
        );
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((head.len() as u16).to_le_bytes());
        bytes.extend(head.as_bytes());
        let path = folder.path().join("large.npy");
        std::fs::write(&path, &bytes).unwrap();
        let of_values = rows * 1000 * bytes_each;
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_len(bytes.len() as u64 + of_values).unwrap();
        let error = Raster::open(&path).unwrap_err();
        assert!(
            error
                .to_string()
                .contains(&format!("the {} bytes", times * of_values)),
            "{kind} {fortran}: {error}"
        );
    }
}
