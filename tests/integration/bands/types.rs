//! Types: each band of its own, signed bytes.

use super::*;

/// numpy: band 2 holds n 3712, mean 0.5044, std 0.2911; 0.9062 of the pixels have both.
#[test]
fn bands_of_several_types_have_their_own_statistics() {
    let scene = Scene::open(case("f01-mixed-types/stack.vrt")).unwrap();
    let statistics = scene.statistics().unwrap();
    assert_eq!(statistics[0].count, 64 * 64);
    near(&statistics[1], 3712, 0.5044, 0.2911);
    let patch = scene.read(&scene.area()).unwrap();
    assert!((patch.valid_fraction() - 0.90625).abs() < 1e-9);
    assert!(patch.data.iter().all(|value| value.is_finite()));
    assert!(scene.raster().can_be_invalid());
    let types: Vec<DataType> = scene
        .raster()
        .bands()
        .iter()
        .map(|band| band.data_type)
        .collect();
    assert_eq!(types, [DataType::U8, DataType::F32]);
    assert!(
        scene
            .report()
            .mentions("384 of 4096 pixels are invalid since one band has no value")
    );
}

/// A stack of 16 bits without sign and elevation with sign, below 0 and with holes: elevation is another measurement, so
/// that its holes are holes of the pixel; statistics of the first band do not lose them.
#[test]
fn a_stack_of_imagery_and_elevation_keeps_negative_values_and_holes() {
    let folder = tempfile::tempdir().unwrap();
    let size = Size::new(20, 10);
    let imagery: Vec<f64> = (0..200).map(|at| f64::from(40_000 + at)).collect();
    let elevation: Vec<f64> = (0..200)
        .map(|at| {
            if at < 50 {
                -32_768.0
            } else {
                f64::from(at) - 120.0
            }
        })
        .collect();
    Drawn::new(
        &folder.path().join("a.tif"),
        size,
        1,
        GDALDataType::GDT_UInt16,
        &[],
    )
    .values(0, &imagery)
    .finish();
    Drawn::new(
        &folder.path().join("dem.tif"),
        size,
        1,
        GDALDataType::GDT_Int16,
        &[],
    )
    .values(0, &elevation)
    .nodata(0, -32_768.0)
    .finish();
    let path = stack(
        &folder.path().join("stack.vrt"),
        size,
        &[
            ("UInt16", "", "a.tif"),
            ("Int16", "<NoDataValue>-32768</NoDataValue>", "dem.tif"),
        ],
    );
    let raster = Raster::open(&path).unwrap();
    let statistics = raster.statistics().unwrap();
    assert_eq!(
        (statistics[0].count, statistics[0].min, statistics[0].max),
        (200, 40_000.0, 40_199.0)
    );
    assert_eq!(
        (statistics[1].count, statistics[1].min, statistics[1].max),
        (150, -70.0, 79.0)
    );
    assert!((statistics[1].mean - 4.5).abs() < 1e-9);
    assert_eq!(
        read(&raster)
            .valid
            .iter()
            .filter(|&&valid| valid == 0)
            .count(),
        50
    );
    assert_eq!(raster.data_type(), DataType::I32);
}

/// numpy and GDAL 3.7 or later: n 3776, mean -1.0336, min -90.
#[test]
fn eight_bits_with_sign_are_signed() {
    let scene = Scene::open(case("f03-int8/ndvi8.tif")).unwrap();
    let statistics = scene.statistics().unwrap();
    near(&statistics[0], 3776, -1.0336, statistics[0].std);
    assert_eq!(statistics[0].min, -90.0);
    assert_eq!(scene.raster().data_type(), DataType::I8);
    assert_eq!(scene.raster().nodata(), Some(-128.0));
    let patch = scene.read(&scene.area()).unwrap();
    assert_eq!(
        patch.valid.iter().filter(|&&valid| valid != 0).count(),
        3776
    );
}

/// Averages and other pixel sizes are of signed values: those of 127 and -1 are 63, not -65 or 191.
#[test]
fn signed_bytes_of_any_driver_are_averaged_as_signed() {
    let folder = tempfile::tempdir().unwrap();
    let size = Size::new(8, 4);
    let values: Vec<f64> = (0..32)
        .map(|at| if at % 2 == 0 { 127.0 } else { 255.0 })
        .collect();
    for name in ["a.tif", "a.img"] {
        let path = Drawn::new(
            &folder.path().join(name),
            size,
            1,
            GDALDataType::GDT_Byte,
            &["PIXELTYPE=SIGNEDBYTE"],
        )
        .values(0, &values)
        .finish();
        let raster = Raster::open(&path).unwrap();
        if raster.data_type() != DataType::I8 {
            continue; // GDAL 3.7 and later has a type instead of the option.
        }
        assert_eq!(&read(&raster).data[..2], [127.0, -1.0], "{name}");
        let statistics = raster.statistics().unwrap();
        assert_eq!(
            (statistics[0].min, statistics[0].mean),
            (-1.0, 63.0),
            "{name}"
        );
        let small = raster.read_scaled(&raster.full(), Size::new(4, 2)).unwrap();
        assert!(
            small.data.iter().all(|&value| value == 63.0),
            "{name}: {:?}",
            small.data
        );
        let half = raster.at(Resolution::Factor(0.5)).unwrap();
        assert_eq!(half.size(), Size::new(4, 2));
        assert!(
            read(&half).data.iter().all(|&value| value == 63.0),
            "{name}"
        );
        assert_eq!(half.statistics().unwrap()[0].mean, 63.0);
        let double = raster.at(Resolution::Factor(2.0)).unwrap();
        let row: Vec<f32> = read(&double).data[..4].to_vec();
        assert_eq!(
            row,
            [127.0, 95.0, 31.0, 31.0],
            "bilinear, rounded to whole numbers"
        );
    }
}

/// A virtual raster over signed bytes: what GDAL 3.10 writes (`Int8`) and what GDAL 3.6 writes (`PIXELTYPE`).
#[test]
fn virtual_rasters_of_signed_bytes_are_signed_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(case("f03-int8/ndvi8.tif"), folder.path().join("a.tif")).unwrap();
    let size = Size::new(64, 64);
    for (kind, extra) in [
        ("Int8", "<NoDataValue>-128</NoDataValue>"),
        (
            "Byte",
            "<Metadata domain=\"IMAGE_STRUCTURE\"><MDI key=\"PIXELTYPE\">SIGNEDBYTE</MDI></Metadata>\
             <NoDataValue>-128</NoDataValue>",
        ),
    ] {
        let path = stack(
            &folder.path().join("v.vrt"),
            size,
            &[(kind, extra, "a.tif")],
        );
        match Raster::open(&path) {
            Ok(raster) => {
                let statistics = raster.statistics().unwrap();
                near(&statistics[0], 3776, -1.0336, statistics[0].std);
            }
            // GDAL before 3.7.
            Err(error) => {
                assert_eq!(kind, "Int8");
                assert!(error.hint().unwrap().contains("3.7"), "{error}");
            }
        }
    }
}
