//! Bands read as what they are: types, nodata, masks, palettes, complex numbers, their choice and their names.

mod meaning;
mod nodata;
mod reference;
mod types;

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

    fn palette(self, colors: &[[i16; 4]]) -> Self {
        // SAFETY: the table is ours and freed once.
        unsafe {
            let table = gdal_sys::GDALCreateColorTable(gdal_sys::GDALPaletteInterp::GPI_RGB);
            for (index, [c1, c2, c3, c4]) in colors.iter().copied().enumerate() {
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
