//! Options, roles and random rasters beside a plain reference.

use super::*;

/// torchgeo PR#3847: an undeclared edge of 0 halves the mean.
#[test]
fn nodata_can_be_stated_and_left_aside() {
    let folder = tempfile::tempdir().unwrap();
    let size = Size::new(8, 8);
    let edge: Vec<f64> = (0..64)
        .map(|at| if at % 8 < 4 { 0.0 } else { 1654.0 })
        .collect();
    let path = Drawn::new(
        &folder.path().join("edge.tif"),
        size,
        2,
        GDALDataType::GDT_UInt16,
        &[],
    )
    .values(0, &edge)
    .values(1, &edge)
    .finish();
    assert_eq!(
        Raster::open(&path).unwrap().statistics().unwrap()[0].mean,
        827.0
    );
    let stated = Raster::open_with(&path, OpenOptions::new().nodata(0.0)).unwrap();
    let statistics = stated.statistics().unwrap();
    assert_eq!((statistics[0].count, statistics[0].mean), (32, 1654.0));
    assert_eq!(read(&stated).valid_fraction(), 0.5);
    assert_eq!(stated.nodata(), Some(0.0));
    // Through averages and other pixel sizes, in which GDAL knows nothing of it.
    for (width, valid) in [(2, 0.5), (1, 1.0)] {
        let small = stated
            .read_scaled(&stated.full(), Size::new(width, 2))
            .unwrap();
        assert!(
            small
                .data
                .iter()
                .zip(&small.valid)
                .all(|(&value, _)| value == 0.0 || value == 1654.0)
        );
        assert_eq!(small.valid_fraction(), valid);
    }
    let third = stated.at(Resolution::Factor(3.0 / 8.0)).unwrap();
    let patch = read(&third);
    assert!(
        patch
            .data
            .iter()
            .all(|&value| value == 0.0 || value == 1654.0),
        "{patch:?}"
    );
    assert_eq!(third.statistics().unwrap()[1].mean, 1654.0);
    // One band alone.
    let one = Raster::open_with(&path, OpenOptions::new().nodata_of(1, 0.0)).unwrap();
    let counts: Vec<u64> = one
        .statistics()
        .unwrap()
        .iter()
        .map(|band| band.count)
        .collect();
    assert_eq!(counts, [64, 32]);
    // A wrong one is left aside.
    let path = Drawn::new(
        &folder.path().join("wrong.tif"),
        size,
        1,
        GDALDataType::GDT_Byte,
        &[],
    )
    .nodata(0, 7.0)
    .values(0, &[7.0; 64])
    .finish();
    let error = Raster::open(&path).unwrap().statistics().unwrap_err();
    assert!(
        error.hint().unwrap().contains("without_nodata"),
        "{:?}",
        error.hint()
    );
    let all = Raster::open_with(&path, OpenOptions::new().without_nodata()).unwrap();
    assert_eq!(all.statistics().unwrap()[0].count, 64);
}

#[test]
fn roles_come_from_names_wavelengths_and_satellites() {
    let folder = tempfile::tempdir().unwrap();
    let roles = |name: &str, names: &[&str], platform: &str| -> Vec<Option<BandRole>> {
        let path = folder.path().join(name);
        let mut drawn = Drawn::new(
            &path,
            Size::new(1, 1),
            names.len(),
            GDALDataType::GDT_UInt16,
            &[],
        );
        for (band, name) in names.iter().enumerate() {
            drawn = drawn.name(band, name).values(band, &[1.0]);
        }
        if !platform.is_empty() {
            drawn = drawn.metadata("SPACECRAFT_ID", platform);
        }
        let raster = Raster::open(drawn.finish()).unwrap();
        raster.bands().iter().map(|band| band.role).collect()
    };
    use BandRole::{Blue, Coastal, Green, NearInfrared, Red, ShortWaveInfrared};
    assert_eq!(
        roles("a.tif", &["coastal", "blue", "Band 3 (Green)"], ""),
        [Some(Coastal), Some(Blue), Some(Green)]
    );
    assert_eq!(
        roles("b.tif", &["SR_B4", "SR_B5", "SR_B6"], ""),
        [None; 3],
        "Landsat 5 and 8 differ"
    );
    assert_eq!(
        roles("c.tif", &["SR_B4", "SR_B5", "SR_B6"], "LANDSAT_8"),
        [Some(Red), Some(NearInfrared), Some(ShortWaveInfrared)]
    );
    assert_eq!(
        roles("d.tif", &["SR_B3", "SR_B4", "SR_B5"], "LANDSAT_5"),
        [Some(Red), Some(NearInfrared), Some(ShortWaveInfrared)]
    );
    assert_eq!(roles("e.tif", &["VV", "VH"], ""), [None, None]);
    let path = folder.path().join("f.dat");
    Drawn::new(&path, Size::new(1, 1), 2, GDALDataType::GDT_UInt16, &[])
        .values(0, &[1.0])
        .values(1, &[1.0])
        .finish();
    let header = path.with_extension("hdr");
    let mut text = std::fs::read_to_string(&header).unwrap();
    text = text.split("band names").next().unwrap().to_owned();
    text += "wavelength units = Nanometers\nwavelength = {665.0, 865.0}\n";
    std::fs::write(&header, text).unwrap();
    let found: Vec<_> = Raster::open(&path)
        .unwrap()
        .bands()
        .iter()
        .map(|band| band.role)
        .collect();
    assert_eq!(found, [Some(Red), Some(NearInfrared)]);
}

/// Random rasters of every type and kind of mask, compared with the rules in plain words.
#[test]
fn random_rasters_agree_with_a_plain_reference() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(9);
    let kinds: [(GDALDataType::Type, f64, f64); 9] = [
        (GDALDataType::GDT_Byte, 0.0, 6.0),
        (GDALDataType::GDT_UInt16, 0.0, 6.0),
        (GDALDataType::GDT_Int16, -3.0, 3.0),
        (GDALDataType::GDT_UInt32, 0.0, 6.0),
        (GDALDataType::GDT_Int32, -3.0, 3.0),
        (GDALDataType::GDT_Int64, -3.0, 3.0),
        (GDALDataType::GDT_UInt64, 0.0, 6.0),
        (GDALDataType::GDT_Float32, -3.0, 3.0),
        (GDALDataType::GDT_Float64, -3.0, 3.0),
    ];
    for round in 0..180 {
        let (kind, low, high) = kinds[round % kinds.len()];
        let float = matches!(kind, GDALDataType::GDT_Float32 | GDALDataType::GDT_Float64);
        let size = Size::new(random.random_range(1..24), random.random_range(1..24));
        let area = size.area();
        let bands = random.random_range(1..5);
        let mut planes: Vec<Vec<f64>> = (0..bands)
            .map(|_| {
                (0..area)
                    .map(|_| random.random_range(low..high).floor())
                    .collect()
            })
            .collect();
        if float && random.random_range(0..2) == 0 {
            for plane in &mut planes {
                for value in plane.iter_mut() {
                    if random.random_range(0..8) == 0 {
                        *value = [f64::NAN, f64::INFINITY][random.random_range(0..2)];
                    }
                }
            }
        }
        let path = folder.path().join(format!("{round}.tif"));
        let mut drawn = Drawn::new(&path, size, bands, kind, &["PHOTOMETRIC=MINISBLACK"]);
        for (band, plane) in planes.iter().enumerate() {
            drawn = drawn.values(band, plane);
        }
        let nodata =
            (random.random_range(0..3) != 0).then(|| random.random_range(low..high).floor());
        if let Some(nodata) = nodata {
            if matches!(kind, GDALDataType::GDT_Int64) {
                // SAFETY: the band is open.
                unsafe { gdal_sys::GDALSetRasterNoDataValueAsInt64(drawn.band(0), nodata as i64) };
            } else if matches!(kind, GDALDataType::GDT_UInt64) {
                // SAFETY: the band is open.
                unsafe { gdal_sys::GDALSetRasterNoDataValueAsUInt64(drawn.band(0), nodata as u64) };
            } else {
                drawn = drawn.nodata(0, nodata);
            }
        }
        let mask: Option<Vec<f64>> = (random.random_range(0..3) == 0).then(|| {
            (0..area)
                .map(|_| 255.0 * f64::from(random.random_range(0..2u8)))
                .collect()
        });
        if let Some(mask) = &mask {
            drawn = drawn.mask(None, mask);
        }
        let raster = Raster::open(drawn.finish()).unwrap();
        // A mask is asked in place of nodata.
        let nodata = nodata.filter(|_| mask.is_none());
        let base = |pixel: usize| mask.as_ref().is_none_or(|mask| mask[pixel] != 0.0);
        let has = |band: usize, pixel: usize| {
            let value = planes[band][pixel];
            base(pixel) && value.is_finite() && Some(value) != nodata
        };
        let valid = |pixel: usize| match float {
            true => (0..bands).all(|band| has(band, pixel)),
            false => (0..bands).any(|band| has(band, pixel)),
        };
        let patch = read(&raster);
        let by_band = raster.valid_by_band(&raster.full()).unwrap();
        for pixel in 0..area {
            assert_eq!(
                patch.valid[pixel] != 0,
                valid(pixel),
                "round {round}, pixel {pixel}"
            );
            for band in 0..bands {
                let found = patch.data[band * area + pixel];
                assert_eq!(
                    by_band[band * area + pixel] != 0,
                    has(band, pixel),
                    "round {round}"
                );
                if valid(pixel) && has(band, pixel) {
                    assert_eq!(f64::from(found), planes[band][pixel], "round {round}");
                }
                assert!(
                    found.is_finite() && (valid(pixel) || found == 0.0),
                    "round {round}"
                );
            }
        }
        let expected: Vec<Vec<f64>> = (0..bands)
            .map(|band| {
                (0..area)
                    .filter(|&pixel| has(band, pixel))
                    .map(|pixel| planes[band][pixel])
                    .collect()
            })
            .collect();
        match raster.statistics() {
            Ok(statistics) => {
                for (found, values) in statistics.iter().zip(&expected) {
                    let mean = values.iter().sum::<f64>() / values.len() as f64;
                    assert_eq!(found.count, values.len() as u64, "round {round}");
                    assert!((found.mean - mean).abs() < 1e-9, "round {round}");
                }
            }
            Err(_) => assert!(expected.iter().any(Vec::is_empty), "round {round}"),
        }
    }
}

/// GDAL's own resampling and ours agree where both can be had, so that what is stated changes nothing else.
#[test]
fn another_pixel_size_is_the_same_with_and_without_gdal() {
    let folder = tempfile::tempdir().unwrap();
    let size = Size::new(40, 24);
    let values: Vec<f64> = (0..960).map(|at| f64::from(at * 7919 % 1000)).collect();
    let path = Drawn::new(
        &folder.path().join("a.tif"),
        size,
        1,
        GDALDataType::GDT_UInt16,
        &[],
    )
    .values(0, &values)
    .finish();
    let plain = Raster::open(&path).unwrap();
    let ours = Raster::open_with(&path, OpenOptions::new().nodata(5000.0)).unwrap();
    for factor in [0.25, 0.5, 2.0, 1.5] {
        let (a, b) = (
            plain.at(Resolution::Factor(factor)).unwrap(),
            ours.at(Resolution::Factor(factor)).unwrap(),
        );
        assert_eq!((a.size(), a.transform()), (b.size(), b.transform()));
        let windows = [
            a.full(),
            PixelWindow::new(-2, 3, 9, 5),
            PixelWindow::new(3, 1, 4, 4),
        ];
        for window in windows {
            let (one, other) = (a.read(&window).unwrap(), b.read(&window).unwrap());
            assert_eq!(one.valid, other.valid, "{factor} {window}");
            for (left, right) in one.data.iter().zip(&other.data) {
                assert!(
                    (left - right).abs() <= 1.0,
                    "{factor} {window}: {left} {right}"
                );
            }
        }
    }
}
