//! What values mean: amplitudes, palettes, scales, the choice of bands.

use super::*;

/// numpy: the mean amplitude is 1.2517.
#[test]
fn complex_values_are_amplitudes_and_said_to_be() {
    let scene = Scene::open(case("f33-complex/slc.tif")).unwrap();
    assert!((scene.statistics().unwrap()[0].mean - 1.2517).abs() < 6e-5);
    assert!(
        scene
            .report()
            .mentions("complex values were read as their amplitude")
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cint16.tif");
    for kind in [
        GDALDataType::GDT_CInt16,
        GDALDataType::GDT_CInt32,
        GDALDataType::GDT_CFloat64,
    ] {
        let path = Drawn::new(&path, Size::new(4, 1), 1, kind, &[])
            .nodata(0, 0.0)
            .complex(&[[3.0, 4.0], [0.0, 0.0], [0.0, 2.0], [-6.0, -8.0]])
            .finish();
        let patch = read(&Raster::open(&path).unwrap());
        assert_eq!(patch.data, [5.0, 0.0, 2.0, 10.0]);
        assert_eq!(patch.valid, [1, 0, 1, 1]);
    }
    // Averages are those of amplitudes, not of waves that cancel.
    let pair = Raster::open(&path).unwrap();
    let small = pair.read_scaled(&pair.full(), Size::new(2, 1)).unwrap();
    assert_eq!(small.data, [5.0, 6.0]);
}

/// rasterio: the palette's colors of each pixel; a notice that says so.
#[test]
fn a_palette_becomes_colors_in_a_scene_and_stays_numbers_in_a_raster() {
    let path = case("f33-palette-2/scan.tif");
    let scene = Scene::open(&path).unwrap();
    assert_eq!(scene.band_count(), 3);
    assert!(scene.report().mentions("colors of a palette"));
    let raster = Raster::open(&path).unwrap();
    assert_eq!(raster.band_count(), 1);
    assert!(raster.report().mentions("numbers of colors"));
    let numbers = Scene::open_with(&path, OpenOptions::new().palette_as_numbers()).unwrap();
    assert_eq!(numbers.band_count(), 1);
    let folder = tempfile::tempdir().unwrap();
    let path = Drawn::new(
        &folder.path().join("p.tif"),
        Size::new(6, 1),
        1,
        GDALDataType::GDT_Byte,
        &[],
    )
    .palette(&[[10, 20, 30, 255], [200, 100, 50, 255], [0, 0, 0, 255]])
    .nodata(0, 2.0)
    .values(0, &[0.0, 1.0, 2.0, 1.0, 0.0, 0.0])
    .finish();
    let scene = Scene::open(&path).unwrap();
    let patch = scene.read(&scene.area()).unwrap();
    assert_eq!(patch.band(0), [10.0, 200.0, 0.0, 200.0, 10.0, 10.0]);
    assert_eq!(patch.band(2), [30.0, 50.0, 0.0, 50.0, 30.0, 30.0]);
    assert_eq!(patch.valid, [1, 1, 0, 1, 1, 1]);
    let roles: Vec<_> = scene
        .raster()
        .bands()
        .iter()
        .map(|band| band.role)
        .collect();
    assert_eq!(
        roles,
        [
            Some(BandRole::Red),
            Some(BandRole::Green),
            Some(BandRole::Blue)
        ]
    );
    assert_eq!(scene.statistics().unwrap()[1].max, 100.0);
    let small = scene
        .raster()
        .read_scaled(&scene.area(), Size::new(3, 1))
        .unwrap();
    assert_eq!(
        small.band(0),
        [105.0, 200.0, 10.0],
        "averages of colors, not of their numbers"
    );
    // Transparent entries, in a side-car as GIF and PNG have them.
    let text = "<PAMDataset><PAMRasterBand band=\"1\"><ColorInterp>Palette</ColorInterp><ColorTable>\
                <Entry c1=\"9\" c2=\"9\" c3=\"9\" c4=\"0\"/><Entry c1=\"5\" c2=\"6\" c3=\"7\" c4=\"255\"/></ColorTable>\
                </PAMRasterBand></PAMDataset>";
    let path = folder.path().join("t.img");
    Drawn::new(&path, Size::new(4, 1), 1, GDALDataType::GDT_Byte, &[])
        .values(0, &[0.0, 1.0, 1.0, 0.0])
        .finish();
    let vrt = stack(
        &folder.path().join("t.vrt"),
        Size::new(4, 1),
        &[(
            "Byte",
            &text[text.find("<ColorInterp>").unwrap()..text.find("</PAMRasterBand>").unwrap()],
            "t.img",
        )],
    );
    let scene = Scene::open(&vrt).unwrap();
    assert_eq!(scene.band_count(), 3);
    let patch = scene.read(&scene.area()).unwrap();
    assert_eq!(patch.valid, [0, 1, 1, 0]);
    assert_eq!(patch.value(1, 0, 1), Some(6.0));
    assert!(scene.raster().can_be_invalid());
}

#[test]
fn scale_and_offset_are_told_and_values_stay_as_stored() {
    let folder = tempfile::tempdir().unwrap();
    let path = Drawn::new(
        &folder.path().join("a.tif"),
        Size::new(2, 1),
        2,
        GDALDataType::GDT_UInt16,
        &[],
    )
    .values(0, &[100.0, 200.0])
    .values(1, &[1.0, 2.0])
    .scale(1, 1e-4, -0.1)
    .finish();
    let raster = Raster::open(path).unwrap();
    assert_eq!(read(&raster).data, [100.0, 200.0, 1.0, 2.0]);
    assert_eq!(
        (raster.bands()[1].scale, raster.bands()[1].offset),
        (1e-4, -0.1)
    );
    assert!(
        raster.report().mentions("a scale and an offset to band 2"),
        "{}",
        raster.report()
    );
}

#[test]
fn bands_are_chosen_by_place_name_and_role() {
    let folder = tempfile::tempdir().unwrap();
    let mut drawn = Drawn::new(
        &folder.path().join("s2.tif"),
        Size::new(3, 2),
        5,
        GDALDataType::GDT_UInt16,
        &[],
    );
    for (band, name) in ["B02", "B03", "B04", "B08", "B8A"].into_iter().enumerate() {
        drawn = drawn
            .name(band, name)
            .values(band, &[100.0 * (band + 1) as f64; 6]);
    }
    let path = drawn.finish();
    let first = |options: OpenOptions| -> Vec<f32> {
        let raster = Raster::open_with(&path, options).unwrap();
        let patch = read(&raster);
        let statistics = raster.statistics().unwrap();
        let values: Vec<f32> = (0..patch.bands).map(|band| patch.band(band)[0]).collect();
        let means: Vec<f32> = statistics.iter().map(|band| band.mean as f32).collect();
        assert_eq!(values, means, "statistics are of the chosen bands");
        let small = raster.at(Resolution::Factor(0.5)).unwrap();
        let threads: Vec<Vec<f32>> = std::thread::scope(|scope| {
            let read = |raster: &Raster| {
                read(raster)
                    .data
                    .chunks(raster.size().area())
                    .map(|band| band[0])
                    .collect()
            };
            let tasks: Vec<_> = [&raster, &small]
                .map(|raster| scope.spawn(move || read(raster)))
                .into();
            tasks.into_iter().map(|task| task.join().unwrap()).collect()
        });
        assert!(threads.iter().all(|found| *found == values), "{threads:?}");
        values
    };
    assert_eq!(
        first(OpenOptions::new()),
        [100.0, 200.0, 300.0, 400.0, 500.0]
    );
    assert_eq!(
        first(OpenOptions::new().bands([2, 1, 0])),
        [300.0, 200.0, 100.0]
    );
    assert_eq!(
        first(OpenOptions::new().bands(["B08", "b04", "green"])),
        [400.0, 300.0, 200.0]
    );
    assert_eq!(
        first(OpenOptions::new().bands([BandRole::Red, BandRole::Blue])),
        [300.0, 100.0]
    );
    assert_eq!(first(OpenOptions::new().bands([0usize, 0, 0])), [100.0; 3]);
    for (options, words) in [
        (
            OpenOptions::new().bands([5]),
            "there is no band 5, counted from 0",
        ),
        (
            OpenOptions::new().bands([-1]),
            "there is no band -1, counted from 0",
        ),
        (
            OpenOptions::new().bands(["swir"]),
            "there is no band \"swir\"",
        ),
        (
            OpenOptions::new().bands([BandRole::NearInfrared]),
            "2 bands are meant by NearInfrared",
        ),
        (
            OpenOptions::new().nodata_of(9, 0.0),
            "there is no band 9, counted from 0",
        ),
    ] {
        let error = Scene::open_with(&path, options).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(
            error.hint().unwrap().contains("2: \"B04\" (UInt16, Red)"),
            "{:?}",
            error.hint()
        );
    }
    assert!(Raster::open_with(&path, OpenOptions::new().bands(Vec::<usize>::new())).is_err());
}
