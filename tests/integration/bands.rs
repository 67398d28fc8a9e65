//! Bands read as what they are: types, nodata, masks, palettes, complex numbers, their choice and their names.

use std::ffi::{CString, c_int, c_void};
use std::path::{Path, PathBuf};

use gdal_sys::{GDALColorInterp, GDALDataType, GDALRWFlag};
use rand::{RngExt, SeedableRng};
use swath::Hint as _;
use swath::prelude::*;
use swath::raster::{BandRole, BandStatistics, DataType, PixelWindow, Size};

use crate::support::{case, label_counts};

/// A raster that GDAL writes, for what the library itself does not write.
struct Drawn {
    handle: gdal_sys::GDALDatasetH,
    size: Size,
    path: PathBuf,
}

impl Drawn {
    fn new(
        path: &Path,
        size: Size,
        bands: usize,
        kind: GDALDataType::Type,
        options: &[&str],
    ) -> Self {
        let driver = match path.extension().and_then(|end| end.to_str()) {
            Some("img") => "HFA",
            Some("dat") => "ENVI",
            _ => "GTiff",
        };
        // SAFETY: GDAL allows this from any thread, as often as one likes.
        unsafe { gdal_sys::GDALAllRegister() };
        let strings: Vec<CString> = options
            .iter()
            .map(|one| CString::new(*one).unwrap())
            .collect();
        let mut list: Vec<*mut std::ffi::c_char> =
            strings.iter().map(|one| one.as_ptr().cast_mut()).collect();
        list.push(std::ptr::null_mut());
        let name = CString::new(path.to_str().unwrap()).unwrap();
        let driver = CString::new(driver).unwrap();
        // SAFETY: all strings outlive the calls.
        let handle = unsafe {
            gdal_sys::GDALCreate(
                gdal_sys::GDALGetDriverByName(driver.as_ptr()),
                name.as_ptr(),
                size.width as c_int,
                size.height as c_int,
                bands as c_int,
                kind,
                list.as_mut_ptr(),
            )
        };
        assert!(!handle.is_null());
        let drawn = Self {
            handle,
            size,
            path: path.to_owned(),
        };
        let mut transform = [500_000.0, 0.5, 0.0, 5_000_000.0, 0.0, -0.5];
        // SAFETY: the dataset is open.
        unsafe { gdal_sys::GDALSetGeoTransform(handle, transform.as_mut_ptr()) };
        drawn
    }

    fn band(&self, band: usize) -> gdal_sys::GDALRasterBandH {
        // SAFETY: the dataset is open.
        unsafe { gdal_sys::GDALGetRasterBand(self.handle, band as c_int + 1) }
    }

    fn write(
        &self,
        band: gdal_sys::GDALRasterBandH,
        values: *const c_void,
        kind: GDALDataType::Type,
    ) {
        let (width, height) = (self.size.width as c_int, self.size.height as c_int);
        // SAFETY: the values fill the raster.
        let failed = unsafe {
            gdal_sys::GDALRasterIO(
                band,
                GDALRWFlag::GF_Write,
                0,
                0,
                width,
                height,
                values.cast_mut(),
                width,
                height,
                kind,
                0,
                0,
            )
        };
        assert_eq!(failed, 0);
    }

    fn values(self, band: usize, values: &[f64]) -> Self {
        assert_eq!(values.len(), self.size.area());
        self.write(
            self.band(band),
            values.as_ptr().cast(),
            GDALDataType::GDT_Float64,
        );
        self
    }

    fn integers(self, band: usize, values: &[i64]) -> Self {
        self.write(
            self.band(band),
            values.as_ptr().cast(),
            GDALDataType::GDT_Int64,
        );
        self
    }

    fn complex(self, values: &[[f64; 2]]) -> Self {
        self.write(
            self.band(0),
            values.as_ptr().cast(),
            GDALDataType::GDT_CFloat64,
        );
        self
    }

    fn nodata(self, band: usize, value: f64) -> Self {
        // SAFETY: the band is open.
        unsafe { gdal_sys::GDALSetRasterNoDataValue(self.band(band), value) };
        self
    }

    fn interpretation(self, band: usize, meaning: GDALColorInterp::Type) -> Self {
        // SAFETY: the band is open.
        unsafe { gdal_sys::GDALSetRasterColorInterpretation(self.band(band), meaning) };
        self
    }

    fn name(self, band: usize, name: &str) -> Self {
        let name = CString::new(name).unwrap();
        // SAFETY: the band is open.
        unsafe { gdal_sys::GDALSetDescription(self.band(band), name.as_ptr()) };
        self
    }

    /// A mask of all bands (`GMF_PER_DATASET`) or of one.
    fn mask(self, band: Option<usize>, values: &[f64]) -> Self {
        // SAFETY: the bands are open.
        unsafe {
            let flags = if band.is_some() { 0 } else { 2 };
            let of = self.band(band.unwrap_or(0));
            assert_eq!(gdal_sys::GDALCreateMaskBand(of, flags), 0);
            let mask = gdal_sys::GDALGetMaskBand(of);
            self.write(mask, values.as_ptr().cast(), GDALDataType::GDT_Float64);
        }
        self
    }

    fn palette(self, colours: &[[i16; 4]]) -> Self {
        // SAFETY: the table is ours and freed once.
        unsafe {
            let table = gdal_sys::GDALCreateColorTable(gdal_sys::GDALPaletteInterp::GPI_RGB);
            for (index, [c1, c2, c3, c4]) in colours.iter().copied().enumerate() {
                let entry = gdal_sys::GDALColorEntry { c1, c2, c3, c4 };
                gdal_sys::GDALSetColorEntry(table, index as c_int, &raw const entry);
            }
            gdal_sys::GDALSetRasterColorTable(self.band(0), table);
            gdal_sys::GDALDestroyColorTable(table);
        }
        self
    }

    fn metadata(self, name: &str, value: &str) -> Self {
        let (name, value) = (CString::new(name).unwrap(), CString::new(value).unwrap());
        // SAFETY: the dataset is open.
        unsafe {
            gdal_sys::GDALSetMetadataItem(
                self.handle,
                name.as_ptr(),
                value.as_ptr(),
                std::ptr::null(),
            )
        };
        self
    }

    fn scale(self, band: usize, scale: f64, offset: f64) -> Self {
        // SAFETY: the band is open.
        unsafe {
            gdal_sys::GDALSetRasterScale(self.band(band), scale);
            gdal_sys::GDALSetRasterOffset(self.band(band), offset);
        }
        self
    }

    fn finish(self) -> PathBuf {
        // SAFETY: the dataset is open and closed once.
        unsafe { gdal_sys::GDALClose(self.handle) };
        self.path
    }
}

/// A virtual raster of one band of each file.
fn stack(path: &Path, size: Size, bands: &[(&str, &str, &str)]) -> PathBuf {
    let bands: String = bands
        .iter()
        .enumerate()
        .map(|(index, (kind, extra, file))| {
            format!(
                "<VRTRasterBand dataType=\"{kind}\" band=\"{}\">{extra}<SimpleSource><SourceFilename relativeToVRT=\"1\">\
                 {file}</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand>",
                index + 1
            )
        })
        .collect();
    let text = format!(
        "<VRTDataset rasterXSize=\"{}\" rasterYSize=\"{}\"><SRS>EPSG:32633</SRS><GeoTransform>500000,0.5,0,5000000,0,-0.5\
         </GeoTransform>{bands}</VRTDataset>",
        size.width, size.height
    );
    std::fs::write(path, text).unwrap();
    path.to_owned()
}

fn near(found: &BandStatistics, count: u64, mean: f64, std: f64) {
    assert!(
        found.count == count && (found.mean - mean).abs() < 6e-5 && (found.std - std).abs() < 6e-5,
        "{found:?}, expected {count} {mean} {std}"
    );
}

fn read(raster: &Raster) -> swath::raster::Patch {
    raster.read(&raster.full()).unwrap()
}

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

/// 64-bit integers and nodata values that a 32-bit float cannot tell from their neighbours are compared exactly.
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
    // At another pixel size and averaged, water of near infrared 0 keeps its colours.
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

/// rasterio: the palette's colours of each pixel; a notice that says so.
#[test]
fn a_palette_becomes_colours_in_a_scene_and_stays_numbers_in_a_raster() {
    let path = case("f33-palette-2/scan.tif");
    let scene = Scene::open(&path).unwrap();
    assert_eq!(scene.band_count(), 3);
    assert!(scene.report().mentions("colours of a palette"));
    let raster = Raster::open(&path).unwrap();
    assert_eq!(raster.band_count(), 1);
    assert!(raster.report().mentions("numbers of colours"));
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
        "averages of colours, not of their numbers"
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
        (OpenOptions::new().bands([5]), "0 bands are meant by 5"),
        (OpenOptions::new().bands([-1]), "0 bands are meant by -1"),
        (
            OpenOptions::new().bands(["swir"]),
            "0 bands are meant by \"swir\"",
        ),
        (
            OpenOptions::new().bands([BandRole::NearInfrared]),
            "2 bands are meant by NearInfrared",
        ),
        (
            OpenOptions::new().nodata_of(9, 0.0),
            "0 bands are meant by 9",
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
