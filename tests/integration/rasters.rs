//! Rasters: windows, masks, statistics, writing.

use swath::Hint;
use swath::labels::LabelValues;
use swath::raster::{
    GeoTransform, PixelWindow, Raster, RasterType, RasterWriter, Resolution, Size, WriterOptions,
};
use swath::scene::Scene;

use crate::support::{assert_passed, crop, facts, grid, in_child, is_child, raster};

#[test]
fn crops_read_as_the_facts_say() {
    for (name, type_name) in [
        ("vegas", "UInt16"),
        ("sn7_train", "Byte"),
        ("sn7_val", "Byte"),
    ] {
        let facts = &facts()["maps"][name];
        let raster = Raster::open(crop(&format!("{name}.tif"))).unwrap();
        let size = raster.size();
        assert_eq!(
            serde_json::json!([size.width, size.height]),
            facts["size"],
            "{name}"
        );
        assert_eq!(raster.data_type().as_str(), type_name, "{name}");
        assert_eq!(raster.crs_name(), format!("EPSG:{}", facts["epsg"]));
        for (found, expected) in raster
            .transform()
            .0
            .iter()
            .zip(numbers(&facts["geo_transform"]))
        {
            assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{name}");
        }
        let patch = raster.read(&raster.full()).unwrap();
        for pixel in facts["pixels"].as_array().unwrap() {
            let at = |of: &str| pixel[of].as_u64().unwrap() as usize;
            for (band, expected) in numbers(&pixel["values"]).into_iter().enumerate() {
                let found = patch.value(band, at("row"), at("col"));
                assert_eq!(found, Some(expected as f32), "{name} {band} {pixel}");
            }
        }
    }
}

#[test]
fn statistics_are_exact() {
    for name in ["vegas", "sn7_train", "sn7_val"] {
        let facts = &facts()["maps"][name];
        let raster = Raster::open(crop(&format!("{name}.tif"))).unwrap();
        let found = raster.statistics().unwrap();
        let expected = facts["statistics"].as_array().unwrap();
        assert_eq!(found.len(), expected.len(), "{name}");
        for (band, expected) in found.iter().zip(expected) {
            let of = |what: &str| expected[what].as_f64().unwrap();
            assert!(
                (band.mean - of("mean")).abs() < 1e-8 && (band.std - of("std")).abs() < 1e-8,
                "{name}: {band:?}, {expected}"
            );
            assert_eq!((band.min, band.max), (of("min"), of("max")), "{name}");
            assert_eq!(band.count, raster.size().area() as u64, "{name}");
            assert!(
                (band.p2 - of("p2")).abs() <= 1.0 && (band.p98 - of("p98")).abs() <= 1.0,
                "{name}: {band:?}, {expected}"
            );
        }
    }
}

/// The numbers of a list of the facts.
fn numbers(list: &serde_json::Value) -> Vec<f64> {
    let list = list.as_array().unwrap();
    list.iter().map(|number| number.as_f64().unwrap()).collect()
}

#[test]
fn an_alpha_band_is_a_mask_and_no_band() {
    let scene = Raster::open(crop("sn7_train.tif")).unwrap();
    assert_eq!(facts()["maps"]["sn7_train"]["bands"], 4);
    assert_eq!((scene.size(), scene.band_count()), (Size::new(256, 255), 3));
    let folder = tempfile::tempdir().unwrap();
    let options = WriterOptions::default().alpha();
    let value = |band, col, _| {
        if band == 3 {
            if col < 3 { 0.0 } else { 255.0 }
        } else {
            7.0
        }
    };
    let path = raster(
        &folder.path().join("alpha.tif"),
        Size::new(8, 4),
        4,
        RasterType::U8,
        options,
        value,
    );
    let raster = Raster::open(path).unwrap();
    assert_eq!(raster.band_count(), 3);
    let patch = raster.read(&raster.full()).unwrap();
    assert_eq!(patch.valid[..8], [0, 0, 0, 1, 1, 1, 1, 1]);
    assert_eq!(
        (patch.value(0, 0, 2), patch.value(2, 3, 3)),
        (None, Some(7.0))
    );
}

#[test]
fn nodata_and_values_that_are_not_numbers_are_invalid() {
    let folder = tempfile::tempdir().unwrap();
    let value = |band: usize, col: usize, _| match (band, col) {
        (0, 1) => f32::NAN,
        (1, 2) => -9999.0,
        (1, 3) => f32::INFINITY,
        _ => 5.0,
    };
    let options = WriterOptions::default().nodata(-9999.0);
    let path = raster(
        &folder.path().join("holes.tif"),
        Size::new(6, 2),
        2,
        RasterType::F32,
        options,
        value,
    );
    let holes = Raster::open(path).unwrap();
    assert_eq!(holes.nodata(), Some(-9999.0));
    let patch = holes.read(&holes.full()).unwrap();
    assert_eq!(patch.valid[..6], [1, 0, 0, 0, 1, 1]);
    assert!(
        patch
            .data
            .iter()
            .all(|value| *value == 0.0 || *value == 5.0)
    );
    let statistics = holes.statistics().unwrap();
    // Each band's own: one column of two rows is NaN in the first, two are missing in the second.
    assert_eq!((statistics[0].count, statistics[1].count), (10, 8));
    assert_eq!((statistics[0].mean, statistics[1].std), (5.0, 0.0));
}

#[test]
fn a_raster_without_a_valid_pixel_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let options = WriterOptions::default().nodata(0.0);
    let path = raster(
        &folder.path().join("empty.tif"),
        Size::new(40, 30),
        1,
        RasterType::U8,
        options,
        |_, _, _| 0.0,
    );
    let empty = Raster::open(&path).unwrap();
    assert_eq!(empty.read(&empty.full()).unwrap().valid_fraction(), 0.0);
    let error = empty.statistics().unwrap_err();
    assert!(
        error.to_string().contains("no valid pixel") && error.hint().is_some(),
        "{error}"
    );
}

#[test]
fn a_mask_for_all_bands_is_honored() {
    let folder = tempfile::tempdir().unwrap();
    let options = WriterOptions::default().plain_tiles();
    let path = raster(
        &folder.path().join("mask.tif"),
        Size::new(20, 10),
        2,
        RasterType::U16,
        options,
        |_, _, _| 300.0,
    );
    {
        let options = gdal::DatasetOptions {
            open_flags: gdal::GdalOpenFlags::GDAL_OF_UPDATE,
            ..Default::default()
        };
        let dataset = gdal::Dataset::open_ex(&path, options).unwrap();
        let mut band = dataset.rasterband(1).unwrap();
        band.create_mask_band(true).unwrap();
        let mask: Vec<u8> = (0..200)
            .map(|pixel| if pixel % 20 < 5 { 0 } else { 255 })
            .collect();
        let mut buffer = gdal::raster::Buffer::new((20, 10), mask);
        band.open_mask_band()
            .unwrap()
            .write((0, 0), (20, 10), &mut buffer)
            .unwrap();
    }
    let masked = Raster::open(&path).unwrap();
    assert!(masked.can_be_invalid());
    let patch = masked.read(&PixelWindow::new(3, 2, 4, 1)).unwrap();
    assert_eq!(
        (patch.valid, patch.data),
        (
            vec![0, 0, 1, 1],
            vec![0.0, 0.0, 300.0, 300.0, 0.0, 0.0, 300.0, 300.0]
        )
    );
}

#[test]
fn windows_beyond_the_edge_are_masked() {
    let folder = tempfile::tempdir().unwrap();
    let value = |_, col: usize, row: usize| (row * 10 + col) as f32;
    let path = raster(
        &folder.path().join("ten.tif"),
        Size::new(10, 10),
        1,
        RasterType::U8,
        WriterOptions::default(),
        value,
    );
    let ten = Raster::open(path).unwrap();
    let patch = ten.read(&PixelWindow::new(-2, 7, 5, 5)).unwrap();
    for row in 0..5 {
        for col in 0..5 {
            let expected = (col >= 2 && row < 3).then(|| ((row + 7) * 10 + col - 2) as f32);
            assert_eq!(patch.value(0, row, col), expected);
        }
    }
    assert_eq!(
        ten.read(&PixelWindow::new(50, 50, 3, 3))
            .unwrap()
            .valid_fraction(),
        0.0
    );
    assert!(ten.read(&PixelWindow::new(0, 0, 0, 3)).is_err());
}

#[test]
fn smaller_sizes_average_and_use_overviews() {
    let folder = tempfile::tempdir().unwrap();
    let value = |_, col: usize, _| if col.is_multiple_of(2) { 10.0 } else { 30.0 };
    let path = raster(
        &folder.path().join("stripes.tif"),
        Size::new(1200, 900),
        1,
        RasterType::U8,
        WriterOptions::default(),
        value,
    );
    let stripes = Raster::open(path).unwrap();
    assert!(
        stripes.overview_count() > 0,
        "a COG of this size has overviews"
    );
    let patch = stripes
        .read_scaled(&stripes.full(), Size::new(120, 90))
        .unwrap();
    assert!(
        patch.data.iter().all(|value| (value - 20.0).abs() <= 1.0),
        "{:?}",
        &patch.data[..8]
    );
    let nearest = stripes
        .read_nearest(&PixelWindow::new(0, 0, 100, 90), Size::new(10, 9))
        .unwrap();
    assert!(
        nearest
            .data
            .iter()
            .all(|&value| value == 10.0 || value == 30.0)
    );
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let value = |band: usize, col: usize, row: usize| (band * 20_000 + row * 300 + col) as f32;
    for (name, raster_type, plain) in [
        ("u16.tif", RasterType::U16, false),
        ("f32.tif", RasterType::F32, false),
        ("plain.tif", RasterType::U16, true),
    ] {
        let options = WriterOptions::default().band_names(&["near", "far"]);
        let options = if plain {
            options.plain_tiles().uncompressed().overviews()
        } else {
            options
        };
        let path = raster(
            &folder.path().join(name),
            Size::new(290, 61),
            2,
            raster_type,
            options,
            value,
        );
        let back = Raster::open(&path).unwrap();
        assert_eq!(
            (back.transform(), back.crs_name().as_str()),
            (grid(), "EPSG:32632")
        );
        assert_eq!(back.band_names(), ["near", "far"]);
        assert_eq!(back.nominal_gsd(), (0.5, 0.5));
        let patch = back.read(&back.full()).unwrap();
        assert_eq!(patch.value(1, 60, 289), Some(value(1, 289, 60)));
        assert_eq!(patch.data.len(), 2 * 290 * 61);
    }
}

#[test]
fn class_maps_carry_colors_and_names() {
    let folder = tempfile::tempdir().unwrap();
    let options = WriterOptions::default()
        .nodata(255.0)
        .color_table(&[[0, 0, 0], [230, 159, 0]])
        .category_names(&["background", "building"]);
    let value = |_, col: usize, _| (col % 2) as f32;
    let path = raster(
        &folder.path().join("labels.tif"),
        Size::new(20, 10),
        1,
        RasterType::U8,
        options,
        value,
    );
    assert_eq!(
        Raster::open(&path).unwrap().category_names(),
        ["background", "building"]
    );
    // A file that is copied alone has its names in its own tags (GDAL keeps category names of GeoTIFF in `.aux.xml`).
    let alone = folder.path().join("alone.tif");
    std::fs::copy(&path, &alone).unwrap();
    assert_eq!(
        Raster::open(&alone).unwrap().category_names(),
        ["background", "building"]
    );
    let scene = Scene::open(&alone)
        .unwrap()
        .with_label_raster(&alone, LabelValues::of_file())
        .unwrap();
    assert_eq!(scene.classes().names(), ["background", "building"]);
    let dataset = gdal::Dataset::open(&path).unwrap();
    let entry = dataset
        .rasterband(1)
        .unwrap()
        .color_table()
        .unwrap()
        .entry_as_rgb(1)
        .unwrap();
    assert_eq!((entry.r, entry.g, entry.b), (230, 159, 0));
    use gdal::Metadata;
    assert_eq!(
        dataset.metadata_item("CLASS_1", "").as_deref(),
        Some("building")
    );
    assert_eq!(
        dataset
            .metadata_item("LAYOUT", "IMAGE_STRUCTURE")
            .as_deref(),
        Some("COG")
    );
}

#[test]
fn many_threads_read_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let value = |_, col: usize, row: usize| ((row * 131 + col * 7) % 251) as f32;
    let path = raster(
        &folder.path().join("shared.tif"),
        Size::new(600, 600),
        1,
        RasterType::U8,
        WriterOptions::default(),
        value,
    );
    let raster = Raster::open(path).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let raster = raster.clone();
            scope.spawn(move || {
                for step in 0..40 {
                    let window = PixelWindow::new(
                        (thread * 61 + step * 13) % 560,
                        (step * 29) % 560,
                        32,
                        32,
                    );
                    let patch = raster.read(&window).unwrap();
                    let expected = value(0, window.col as usize + 31, window.row as usize + 5);
                    assert_eq!(patch.value(0, 5, 31), Some(expected));
                }
            });
        }
    });
}

#[test]
fn a_file_that_is_missing_empty_or_no_raster_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let present = folder.path().join("present.tif");
    std::fs::write(&present, "").unwrap();
    let missing = Raster::open(folder.path().join("absent.tif")).unwrap_err();
    assert!(missing.to_string().contains("absent.tif"), "{missing}");
    assert!(missing.hint().unwrap().contains("present.tif"));
    let empty = Raster::open(&present).unwrap_err();
    assert!(empty.to_string().contains("zero bytes"), "{empty}");
    let text = folder.path().join("labels.geojson");
    std::fs::write(&text, "{\"type\":\"FeatureCollection\",\"features\":[]}").unwrap();
    let no_raster = Raster::open(&text).unwrap_err();
    assert!(
        no_raster.to_string().contains("not a raster"),
        "{no_raster}"
    );
    assert!(no_raster.hint().unwrap().contains("with_labels"));
    assert!(Raster::open(folder.path()).is_err());
    assert!(Raster::open("/vsizip/nowhere.zip/a.tif").is_err());
}

#[test]
fn a_truncated_file_names_the_block() {
    let folder = tempfile::tempdir().unwrap();
    let options = WriterOptions::default().plain_tiles().uncompressed();
    let value = |_, col: usize, row: usize| ((row + col) % 250) as f32;
    let path = raster(
        &folder.path().join("cut.tif"),
        Size::new(1024, 1024),
        1,
        RasterType::U8,
        options,
        value,
    );
    let length = std::fs::metadata(&path).unwrap().len();
    std::fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(length * 6 / 10)
        .unwrap();
    let cut = Raster::open(&path).unwrap();
    let upper = cut.read(&PixelWindow::new(0, 0, 1024, 256)).unwrap();
    assert_eq!(
        upper.value(0, 200, 900),
        Some(value(0, 900, 200)),
        "what lies before the damage still reads"
    );
    let error = cut.read(&PixelWindow::new(0, 768, 1024, 256)).unwrap_err();
    assert!(
        error.to_string().contains("block column") && error.to_string().contains("row 3:"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("cut short"));
    assert!(cut.statistics().is_err());
}

#[test]
fn a_writer_that_is_dropped_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("unfinished.tif");
    let options = WriterOptions::default();
    let mut writer = swath::raster::RasterWriter::create(
        &path,
        Size::new(300, 300),
        1,
        RasterType::U8,
        grid(),
        "",
        options,
    )
    .unwrap();
    writer.write_rows(0, &[1u8; 300 * 10]).unwrap();
    assert!(
        writer.write_rows(295, &[1u8; 300 * 10]).is_err(),
        "rows beyond the end are refused"
    );
    drop(writer);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// The system refuses to let files grow beyond 300 kB, as a full disk would.
#[test]
fn a_full_disk_leaves_the_old_file_intact() {
    if !is_child() {
        assert_passed(&in_child(
            "rasters::a_full_disk_leaves_the_old_file_intact",
            &[],
        ));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("map.tif");
    let noise =
        |_, col: usize, row: usize| ((row * 7919 + col * 104_729 + row * col * 31) % 251) as f32;
    raster(
        &path,
        Size::new(64, 64),
        1,
        RasterType::U8,
        WriterOptions::default(),
        noise,
    );
    let before = std::fs::read(&path).unwrap();
    let limit = libc::rlimit {
        rlim_cur: 300_000,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: the process is this test's own; ignoring the signal turns the limit into an ordinary error.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit), 0);
    }
    let write = || -> swath::Result<()> {
        let options = WriterOptions::default();
        let size = Size::new(1500, 1500);
        let mut writer = swath::raster::RasterWriter::create(
            &path,
            size,
            1,
            RasterType::U8,
            grid(),
            "",
            options,
        )?;
        for row in 0..1500 {
            let values: Vec<f32> = (0..1500).map(|col| noise(0, col, row)).collect();
            writer.write_rows(row, &values)?;
        }
        writer.finish().map(drop)
    };
    let error = write().unwrap_err();
    assert!(
        error.to_string().contains("cannot write") && error.hint().unwrap().contains("space"),
        "{error}"
    );
    assert_eq!(
        std::fs::read(&path).unwrap(),
        before,
        "the old file is intact"
    );
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing half-written stays behind"
    );
}

/// Bilinear samples at the middles of the new pixels, in the file's pixels, its edge repeated.
fn bilinear(values: &[f32], width: usize, height: usize, x: f64, y: f64) -> f32 {
    let at = |col: f64, row: f64| {
        let col = col.clamp(0.0, width as f64 - 1.0) as usize;
        let row = row.clamp(0.0, height as f64 - 1.0) as usize;
        f64::from(values[row * width + col])
    };
    let (x, y) = (x - 0.5, y - 0.5);
    let (dx, dy) = (x - x.floor(), y - y.floor());
    let (x, y) = (x.floor(), y.floor());
    let top = at(x, y) * (1.0 - dx) + at(x + 1.0, y) * dx;
    let bottom = at(x, y + 1.0) * (1.0 - dx) + at(x + 1.0, y + 1.0) * dx;
    (top * (1.0 - dy) + bottom * dy) as f32
}

/// Grainy imagery of three bands in degrees, whose pixels are higher than wide on the ground.
fn in_degrees(folder: &std::path::Path) -> Raster {
    let (size, path) = (Size::new(650, 650), folder.join("drawn.tif"));
    let transform = GeoTransform::north_up(-115.2, 36.1, 2.7e-6);
    let options = WriterOptions::default().plain_tiles();
    let mut writer = RasterWriter::create(
        &path,
        size,
        3,
        RasterType::U16,
        transform,
        "EPSG:4326",
        options,
    )
    .unwrap();
    let value = |at: usize| (at.wrapping_mul(2_654_435_761) >> 7) % 1000 + 200;
    let values: Vec<f32> = (0..3 * size.area()).map(|at| value(at) as f32).collect();
    writer
        .write_window(&PixelWindow::full(size), &values)
        .unwrap();
    Raster::open(writer.finish().unwrap()).unwrap()
}

#[test]
fn a_finer_raster_is_bilinear_and_the_same_in_any_windows() {
    let folder = tempfile::tempdir().unwrap();
    let drawn = in_degrees(folder.path());
    let whole = drawn.read(&drawn.full()).unwrap();
    let finer = drawn.at(Resolution::Factor(1.28)).unwrap();
    assert_eq!(finer.size(), Size::new(832, 832));
    assert_eq!(finer.path(), drawn.path());
    let all = finer.read(&finer.full()).unwrap();
    for (row, col) in [(0, 0), (3, 700), (417, 212), (831, 831)] {
        let (x, y) = ((col as f64 + 0.5) / 1.28, (row as f64 + 0.5) / 1.28);
        let expected = bilinear(whole.band(1), 650, 650, x, y);
        let found = all.value(1, row, col).unwrap();
        // GDAL rounds to the file's integers.
        assert!(
            (found - expected).abs() <= 0.51,
            "{row} {col}: {found}, {expected}"
        );
    }
    for window in [
        PixelWindow::new(100, 50, 256, 256),
        PixelWindow::new(701, 333, 131, 200),
    ] {
        let part = finer.read(&window).unwrap();
        for row in 0..window.height {
            for col in 0..window.width {
                let whole = all.value(2, row + window.row as usize, col + window.col as usize);
                let found = part.value(2, row, col);
                assert_eq!(found, whole, "{window}: {row} {col}");
            }
        }
    }
    // The same ground.
    let corner = |raster: &Raster| {
        let size = raster.size();
        raster
            .transform()
            .world_from_pixel((size.width as f64, size.height as f64))
    };
    let (a, b) = (corner(&drawn), corner(&finer));
    assert!(
        (a.0 - b.0).abs() < 1e-9 && (a.1 - b.1).abs() < 1e-9,
        "{a:?} {b:?}"
    );
}

#[test]
fn a_coarser_raster_averages_and_has_statistics_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let drawn = in_degrees(folder.path());
    let coarser = drawn.at(Resolution::Factor(0.5)).unwrap();
    let (fine, coarse) = (
        drawn.read(&PixelWindow::new(20, 40, 2, 2)).unwrap(),
        coarser.read(&PixelWindow::new(10, 20, 1, 1)).unwrap(),
    );
    let mean = fine.band(0).iter().sum::<f32>() / 4.0;
    assert!(
        (coarse.band(0)[0] - mean).abs() <= 0.51,
        "{coarse:?} {mean}"
    );
    let (of_file, of_coarser) = (drawn.statistics().unwrap(), coarser.statistics().unwrap());
    assert_eq!(of_coarser[0].count, 325 * 325);
    assert!((of_file[0].mean - of_coarser[0].mean).abs() < 0.5);
    assert!(of_file[0].std > of_coarser[0].std + 5.0);
}

#[test]
fn a_resolution_in_meters_is_reached_on_the_ground() {
    let folder = tempfile::tempdir().unwrap();
    let raster = in_degrees(folder.path());
    let meter = raster.at(Resolution::Meters(1.0)).unwrap();
    let (width, height) = meter.nominal_gsd();
    assert!(
        (width - 1.0).abs() < 0.01 && (height - 1.0).abs() < 0.01,
        "{width} {height}"
    );
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-9, 1e9] {
        let error = raster.at(Resolution::Meters(bad)).unwrap_err();
        assert!(error.to_string().contains("cannot be seen at"), "{error}");
        assert!(error.hint().unwrap().contains("Resolution::Meters"));
    }
}

/// A name in ISO 8859-1 is not UTF-8, which a `.prj` file need not be.
#[test]
fn a_prj_file_beside_the_image_is_read_in_any_encoding_or_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plain.tif");
    let options = WriterOptions::default().plain_tiles();
    let size = Size::new(8, 8);
    let mut writer =
        RasterWriter::create(&path, size, 1, RasterType::U8, grid(), "", options).unwrap();
    writer
        .write_window(&PixelWindow::full(size), &[1.0; 64])
        .unwrap();
    writer.finish().unwrap();
    let prj = path.with_extension("prj");
    let utm = b"PROJCS[\"Z\xfcrich\",GEOGCS[\"GCS_WGS_1984\",DATUM[\"D_WGS_1984\",SPHEROID[\"WGS_1984\",\
        6378137.0,298.257223563]],PRIMEM[\"Greenwich\",0.0],UNIT[\"Degree\",0.0174532925199433]],\
        PROJECTION[\"Transverse_Mercator\"],PARAMETER[\"False_Easting\",500000.0],PARAMETER[\"False_Northing\",0.0],\
        PARAMETER[\"Central_Meridian\",9.0],PARAMETER[\"Scale_Factor\",0.9996],PARAMETER[\"Latitude_Of_Origin\",0.0],\
        UNIT[\"Meter\",1.0]]";
    std::fs::write(&prj, utm).unwrap();
    let said = |raster: &Raster| raster.report().to_string();
    let found = Raster::open(&path).unwrap();
    assert!(found.crs_name().ends_with("rich"), "{}", found.crs_name());
    assert!(
        said(&found).contains("is that of plain.prj"),
        "{}",
        said(&found)
    );
    std::fs::write(&prj, "no system").unwrap();
    let broken = Raster::open(&path).unwrap();
    assert!(
        said(&broken).contains("plain.prj beside it holds no coordinate reference system"),
        "{}",
        said(&broken)
    );
}
