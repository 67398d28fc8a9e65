//! Nodata, masks and alpha.

use super::*;

/// rasterio's dataset_mask: valid where any band is; the lake's red is 0. {1: 1700, 255: 256}.
#[test]
fn nodata_in_one_band_leaves_an_image_valid() {
    let scene = Scene::open(case("f05-nodata-any-band/rgb.tif"))
        .unwrap()
        .with_labels(case("f05-nodata-any-band/lake.geojson"), "lake")
        .unwrap();
    let counts = label_counts(&scene);
    assert_eq!(
        (counts.get(&1), counts.get(&255)),
        (Some(&1700), Some(&256))
    );
    assert!(scene.report().mentions("nodata in some bands"));
}

/// rasterio's dataset_mask on other types: a saturated roof, a mark below 0, a nodata value of each band's own. Bands of
/// floating point are judged one by one, nodata as NaN.
#[test]
fn the_rule_of_nodata_holds_for_every_type() {
    let folder = tempfile::tempdir().unwrap();
    let size = Size::new(10, 10);
    for (name, kind, nodata, handed_out) in [
        ("u16.tif", GDALDataType::GDT_UInt16, 65_535.0, 65_535.0),
        ("i16.tif", GDALDataType::GDT_Int16, -9999.0, 0.0),
        ("i32.tif", GDALDataType::GDT_Int32, -2_147_483_648.0, 0.0),
        ("f32.tif", GDALDataType::GDT_Float32, -9999.0, 0.0),
        (
            "f64.tif",
            GDALDataType::GDT_Float64,
            -1.797_693_134_862_315_7e308,
            0.0,
        ),
    ] {
        let mut bands = vec![vec![100.0; 100]; 3];
        // Ten pixels of edge in all bands, twenty more in one alone.
        for (index, band) in bands.iter_mut().enumerate() {
            band[..10].fill(nodata);
            if index == 1 {
                band[10..30].fill(nodata);
            }
        }
        let mut drawn = Drawn::new(&folder.path().join(name), size, 3, kind, &[]);
        for (index, band) in bands.iter().enumerate() {
            drawn = drawn.nodata(index, nodata).values(index, band);
        }
        let raster = Raster::open(drawn.finish()).unwrap();
        let patch = read(&raster);
        let expected = if name.starts_with('f') { 70 } else { 90 };
        assert_eq!(
            patch.valid.iter().filter(|&&v| v != 0).count(),
            expected,
            "{name}"
        );
        assert_eq!(patch.band(1)[20], handed_out, "{name}");
        let counts: Vec<u64> = raster
            .statistics()
            .unwrap()
            .iter()
            .map(|band| band.count)
            .collect();
        assert_eq!(counts, [90, 70, 90], "{name}");
        let valid = raster.valid_by_band(&raster.full()).unwrap();
        let of_band: Vec<usize> = valid
            .chunks(100)
            .map(|band| band.iter().filter(|&&v| v != 0).count())
            .collect();
        assert_eq!(of_band, [90, 70, 90], "{name}");
    }
    // Another nodata value in each band, which only a virtual raster can have.
    for (name, first) in [("a.tif", 0.0), ("b.tif", 1.0)] {
        let mut values = vec![50.0; 100];
        values[..10].fill(first);
        values[if first == 0.0 { 10 } else { 11 }] = first;
        Drawn::new(
            &folder.path().join(name),
            size,
            1,
            GDALDataType::GDT_Byte,
            &[],
        )
        .values(0, &values)
        .finish();
    }
    let path = stack(
        &folder.path().join("two.vrt"),
        size,
        &[
            ("Byte", "<NoDataValue>0</NoDataValue>", "a.tif"),
            ("Byte", "<NoDataValue>1</NoDataValue>", "b.tif"),
        ],
    );
    let patch = read(&Raster::open(path).unwrap());
    assert_eq!(patch.valid.iter().filter(|&&v| v != 0).count(), 90);
}

/// 64-bit integers and nodata values that a 32-bit float cannot tell from their neighbors are compared exactly.
#[test]
fn nodata_is_compared_in_the_bands_own_type() {
    let folder = tempfile::tempdir().unwrap();
    let size = Size::new(4, 1);
    let big = 9_007_199_254_740_993_i64; // 2^53 + 1: no double holds it.
    let path = folder.path().join("i64.tif");
    let drawn = Drawn::new(&path, size, 1, GDALDataType::GDT_Int64, &[])
        .integers(0, &[big - 1, big, big + 1, -5]);
    // SAFETY: the band is open.
    unsafe { gdal_sys::GDALSetRasterNoDataValueAsInt64(drawn.band(0), big) };
    drawn.finish();
    let raster = Raster::open(&path).unwrap();
    assert_eq!(read(&raster).valid, [1, 0, 1, 1]);
    assert_eq!(raster.statistics().unwrap()[0].count, 3);
    assert!(
        raster.report().mentions("rounded to 32-bit floats"),
        "{}",
        raster.report()
    );
    for (name, kind, values, nodata) in [
        (
            "i32.tif",
            GDALDataType::GDT_Int32,
            [16_777_216.0, 16_777_217.0, 5.0, -3.0],
            16_777_217.0,
        ),
        (
            "u32.tif",
            GDALDataType::GDT_UInt32,
            [4_294_967_294.0, 4_294_967_295.0, 0.0, 1.0],
            4_294_967_295.0,
        ),
        (
            "f64.tif",
            GDALDataType::GDT_Float64,
            [0.1 + 1e-12, 0.1, 0.0, 7.0],
            0.1,
        ),
        (
            "tiny.tif",
            GDALDataType::GDT_Float64,
            [0.0, 1e-60, 1.0, 2.0],
            1e-60,
        ),
    ] {
        let path = Drawn::new(&folder.path().join(name), size, 1, kind, &[])
            .nodata(0, nodata)
            .values(0, &values)
            .finish();
        assert_eq!(
            read(&Raster::open(&path).unwrap()).valid,
            [1, 0, 1, 1],
            "{name}"
        );
    }
    // A value beyond what a 32-bit float holds is left out, and said to be.
    let path = Drawn::new(
        &folder.path().join("huge.tif"),
        size,
        1,
        GDALDataType::GDT_Float64,
        &[],
    )
    .values(0, &[1e300, 1.0, 2.0, f64::NAN])
    .finish();
    let huge = Raster::open(path).unwrap();
    assert_eq!(read(&huge).valid, [0, 1, 1, 0]);
    assert!(
        huge.report().mentions("beyond what a 32-bit float holds"),
        "{}",
        huge.report()
    );
    // A nodata value that no pixel can hold takes nothing away, and the report says so.
    let path = Drawn::new(
        &folder.path().join("u8.tif"),
        size,
        1,
        GDALDataType::GDT_Byte,
        &[],
    )
    .nodata(0, -9999.0)
    .values(0, &[0.0, 241.0, 1.0, 255.0])
    .finish();
    let byte = Raster::open(path).unwrap();
    assert_eq!(read(&byte).valid, [1; 4]);
    assert!(
        byte.report()
            .mentions("no pixel can hold the nodata value -9999")
    );
}

/// An alpha of 0.4 is imagery; so is one of 16 bits, and one that is not the last band.
#[test]
fn alpha_bands_of_every_type_are_masks_where_they_are_zero() {
    let folder = tempfile::tempdir().unwrap();
    let size = Size::new(4, 1);
    for (name, kind, alpha, at) in [
        (
            "f32.tif",
            GDALDataType::GDT_Float32,
            [0.0, 0.4, 1.0, 1e-6],
            3,
        ),
        (
            "u16.tif",
            GDALDataType::GDT_UInt16,
            [0.0, 1.0, 65_535.0, 300.0],
            3,
        ),
        (
            "u8.tif",
            GDALDataType::GDT_Byte,
            [0.0, 1.0, 255.0, 128.0],
            1,
        ),
        (
            "five.tif",
            GDALDataType::GDT_Int16,
            [0.0, 1.0, 255.0, 128.0],
            4,
        ),
    ] {
        let bands = at.max(3) + 1;
        let mut drawn = Drawn::new(&folder.path().join(name), size, bands, kind, &["ALPHA=NO"]);
        for band in 0..bands {
            let meaning = match band == at {
                true => GDALColorInterp::GCI_AlphaBand,
                false => GDALColorInterp::GCI_Undefined,
            };
            let values = [alpha, [5.0 + band as f64; 4]][usize::from(band != at)];
            drawn = drawn.interpretation(band, meaning).values(band, &values);
        }
        let raster = Raster::open(drawn.finish()).unwrap();
        assert_eq!(raster.band_count(), bands - 1, "{name}");
        assert_eq!(read(&raster).valid, [0, 1, 1, 1], "{name}");
        let report = raster.report();
        assert!(
            report.mentions(&format!("band {} is marked as alpha", at + 1)),
            "{report}"
        );
        assert!(report.mentions("it is 0 in 1 of 4 pixels"), "{report}");
    }
}

/// A notice that band 4 was taken as alpha, and a way to say otherwise (TorchGeo reads all four bands; Raster Vision's
/// channel_order=[0,1,2,3] brings it back).
#[test]
fn near_infrared_that_is_marked_as_alpha_can_be_brought_back() {
    let path = case("f06-nir-as-alpha/rgbn.tif");
    let scene = Scene::open(&path).unwrap();
    assert_eq!(scene.band_count(), 3);
    let report = scene.report();
    assert!(
        report.mentions("band 4 is marked as alpha") && report.mentions("alpha_as_imagery"),
        "{report}"
    );
    let all = Scene::open_with(&path, OpenOptions::new().alpha_as_imagery()).unwrap();
    assert_eq!(all.band_count(), 4);
    let patch = all.read(&all.area()).unwrap();
    assert_eq!(patch.valid_fraction(), 1.0);
    assert!(!all.report().mentions("alpha"), "{}", all.report());
    let by_order = Scene::open_with(&path, OpenOptions::new().bands([0, 1, 2, 3])).unwrap();
    assert_eq!(by_order.read(&by_order.area()).unwrap(), patch);
    let turned = Scene::open_with(&path, OpenOptions::new().bands([3, 0])).unwrap();
    let turned = turned.read(&turned.area()).unwrap();
    assert_eq!(
        (turned.band(0), turned.band(1)),
        (patch.band(3), patch.band(0))
    );
    // At another pixel size and averaged, water of near infrared 0 keeps its colors.
    let half = Scene::open_with(
        &path,
        OpenOptions::new()
            .alpha_as_imagery()
            .at(Resolution::Factor(0.5)),
    )
    .unwrap();
    let small = half.read(&half.area()).unwrap();
    let averaged = all.raster().read_scaled(&all.area(), small.size).unwrap();
    assert_eq!(small.valid_fraction(), 1.0);
    for (at, (&one, &other)) in small.data.iter().zip(&averaged.data).enumerate() {
        assert!((one - other).abs() <= 0.5, "{at}: {one} {other}");
    }
}
