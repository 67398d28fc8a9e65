//! Rasters whose values are labels, read as they are stored: palettes stay numbers, and no value is lost to a mask that
//! is not one.

use std::collections::BTreeMap;
use std::ffi::{c_int, c_void};
use std::path::Path;

use gdal_sys::{GDALColorInterp, GDALDataType, GDALRATFieldUsage, GDALRWFlag};
use rayon::prelude::*;

use super::gdal_library::{self, text};
use super::{DataType, PixelWindow, Raster, RasterError, Size, describe, information};
use crate::labels::{LabelError, NumberKind, Tally, ValueCount, ValueCounts, ValueTable, packed};
use crate::{Result, session};

/// Pixels counted at most; of larger rasters every n-th block.
const MOST_COUNTED: usize = 1 << 30;

/// Values that a table holds.
const MOST_ROWS: usize = 100;

/// A band of labels.
#[derive(Clone, Debug)]
pub(crate) struct LabelBand {
    number: c_int,
    pub(crate) name: String,
    pub(crate) data_type: DataType,
    pub(crate) nodata: Option<f64>,
    pub(crate) is_alpha: bool,
}

/// A raster of labels.
#[derive(Clone, Debug)]
pub(crate) struct LabelFile {
    pub(crate) raster: Raster,
    /// All bands, with alpha.
    pub(crate) bands: Vec<LabelBand>,
    /// Whether the file has a mask beside its bands.
    masked: bool,
    /// The colors of the first band's values.
    pub(crate) palette: Vec<[u8; 3]>,
    /// What the file calls the values of its first band.
    pub(crate) names: BTreeMap<i64, String>,
    /// A compression that changes values.
    pub(crate) lossy: Option<String>,
}

/// How the bands become one number for each pixel; bands are counted from 0.
#[derive(Clone, Debug)]
pub(crate) enum Reading {
    /// The band's value.
    Band(usize),
    /// Three bands as one color.
    Color([usize; 3]),
    /// The color that the band's value has in the palette.
    Palette(usize),
    /// Which band is set.
    OneHot(Vec<usize>),
}

impl Reading {
    pub(crate) fn kind(&self) -> NumberKind {
        match self {
            Self::Band(_) => NumberKind::Value,
            Self::Color(_) | Self::Palette(_) => NumberKind::Color,
            Self::OneHot(_) => NumberKind::Band,
        }
    }

    fn bands(&self) -> Vec<usize> {
        match self {
            Self::Band(band) | Self::Palette(band) => vec![*band],
            Self::Color(bands) => bands.to_vec(),
            Self::OneHot(bands) => bands.clone(),
        }
    }
}

impl LabelFile {
    /// Opens a raster of labels.
    ///
    /// # Errors
    /// As [`Raster::open`]; [`LabelError::Type`] for complex numbers.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let raster = Raster::open_as_stored(path)?;
        let handle = raster.handle()?;
        let dataset = handle.raw();
        let (mut file, _) = gdal_library::with_messages(|| {
            // SAFETY: the dataset is open, and bands are numbered from 1 to its count; GDAL owns what it returns, which is
            // copied before the dataset closes.
            unsafe {
                let count = gdal_sys::GDALGetRasterCount(dataset);
                let bands: Vec<LabelBand> = (1..=count)
                    .map(|number| {
                        band_of(gdal_sys::GDALGetRasterBand(dataset, number), number, count)
                    })
                    .collect();
                let first = gdal_sys::GDALGetRasterBand(dataset, 1);
                Self {
                    raster: raster.clone(),
                    bands,
                    masked: is_masked(first),
                    palette: palette_of(first),
                    names: names_of(dataset, first),
                    lossy: lossy_compression(dataset),
                }
            }
        });
        // A category without a name is none.
        file.names.retain(|_, name| !name.trim().is_empty());
        if let Some(band) = file
            .bands
            .iter()
            .find(|band| matches!(band.data_type, DataType::Complex | DataType::Unknown))
        {
            return Err(LabelError::Type {
                path: path.to_owned(),
                found: band.data_type.to_string(),
            }
            .into());
        }
        Ok(file)
    }

    /// The bands that are not alpha, counted from 0.
    pub(crate) fn plain_bands(&self) -> Vec<usize> {
        (0..self.bands.len())
            .filter(|&band| !self.bands[band].is_alpha)
            .collect()
    }

    /// `red, green, blue`.
    pub(crate) fn band_names(&self) -> String {
        let names: Vec<&str> = self.bands.iter().map(|band| band.name.as_str()).collect();
        names.join(", ")
    }

    /// Whether the numbers of a reading are 32-bit floats.
    pub(crate) fn is_single(&self, reading: &Reading) -> bool {
        matches!(reading, Reading::Band(band)
            if matches!(self.bands[*band].data_type, DataType::F32 | DataType::F16))
    }

    /// The nodata value as one of the numbers of a reading.
    pub(crate) fn nodata(&self, reading: &Reading) -> Option<f64> {
        match reading {
            Reading::Band(band) => self.bands[*band].nodata,
            Reading::Palette(band) => {
                let index = self.bands[*band].nodata?;
                let color = self.palette.get(index as usize)?;
                Some(packed(color.map(f64::from)))
            }
            Reading::Color(bands) => {
                let color = bands.map(|band| self.bands[band].nodata.unwrap_or(f64::NAN));
                Some(packed(color)).filter(|value| !value.is_nan())
            }
            Reading::OneHot(_) => None,
        }
    }

    /// One number for each pixel of the window: NaN where there is no data, infinity beyond the raster.
    pub(crate) fn numbers(&self, reading: &Reading, window: &PixelWindow) -> Result<Vec<f64>> {
        let mut numbers = vec![f64::INFINITY; window.area()];
        let Some(inside) = self.raster.full().intersect(window) else {
            return Ok(numbers);
        };
        for tile in inside.tiles(self.chunk()) {
            session::check_interrupt("reading labels")?;
            let read = self.tile(reading, &tile)?;
            for row in 0..tile.height {
                let at = (tile.row - window.row) as usize + row;
                let start = at * window.width + (tile.col - window.col) as usize;
                numbers[start..start + tile.width]
                    .copy_from_slice(&read[row * tile.width..(row + 1) * tile.width]);
            }
        }
        Ok(numbers)
    }

    /// How often each number occurs in a window.
    pub(crate) fn count(&self, reading: &Reading, window: &PixelWindow) -> Result<ValueCounts> {
        let tiles: Vec<PixelWindow> = window.tiles(self.chunk()).collect();
        let one_of = window.area().div_ceil(MOST_COUNTED).max(1);
        let looked_at: Vec<PixelWindow> = tiles.into_iter().step_by(one_of).collect();
        let tally = looked_at
            .par_iter()
            .try_fold(Tally::default, |mut tally, tile| -> Result<Tally> {
                session::check_interrupt("counting the values of labels")?;
                tally.add(&self.tile(reading, tile)?);
                Ok(tally)
            })
            .try_reduce(Tally::default, |mut all, some| {
                all.merge(&some);
                Ok(all)
            })?;
        Ok(tally.finish(one_of))
    }

    /// Whole blocks of bounded size.
    fn chunk(&self) -> Size {
        self.raster.chunk_size()
    }

    /// The numbers of a tile that lies inside the raster.
    fn tile(&self, reading: &Reading, tile: &PixelWindow) -> Result<Vec<f64>> {
        let bands = reading.bands();
        let mut read = bands
            .iter()
            .map(|&band| self.values(band, tile))
            .collect::<Result<Vec<_>>>()?;
        let mut numbers = match reading {
            Reading::Band(_) => read.swap_remove(0),
            Reading::Palette(_) => read[0]
                .iter()
                .map(|&index| {
                    let color = self.palette.get(index as usize);
                    color.map_or(f64::NAN, |color| packed(color.map(f64::from)))
                })
                .collect(),
            Reading::Color(_) => (0..tile.area())
                .map(|pixel| packed([read[0][pixel], read[1][pixel], read[2][pixel]]))
                .collect(),
            Reading::OneHot(_) => (0..tile.area())
                .map(|pixel| self.set_band(&bands, &read, pixel))
                .collect(),
        };
        for masking in self.masks(&bands) {
            let mask = self.mask(masking, tile)?;
            for (number, mask) in numbers.iter_mut().zip(mask) {
                if mask == 0.0 {
                    *number = f64::NAN;
                }
            }
        }
        for number in &mut numbers {
            if number.is_infinite() {
                *number = f64::NAN;
            }
        }
        Ok(numbers)
    }

    /// Which of several bands is set at a pixel ([`NumberKind::Band`]).
    fn set_band(&self, bands: &[usize], read: &[Vec<f64>], pixel: usize) -> f64 {
        let (mut last, mut set) = (0, 0);
        for (index, (values, &band)) in read.iter().zip(bands).enumerate() {
            let value = values[pixel];
            let nodata = self.bands[band].nodata.filter(|nodata| *nodata != 0.0);
            if value.is_nan() || nodata == Some(value) {
                return f64::NAN;
            }
            if value.fract() != 0.0 {
                return -1.0;
            }
            if value != 0.0 {
                (last, set) = (index + 1, set + 1);
            }
        }
        last as f64 + if set > 1 { 0.5 } else { 0.0 }
    }

    /// What says where there is data: alpha unless it is read as labels, and masks.
    fn masks(&self, used: &[usize]) -> Vec<Mask> {
        let alpha = self.bands.iter().position(|band| band.is_alpha);
        let alpha = alpha.filter(|band| !used.contains(band)).map(Mask::Alpha);
        let beside = self.masked.then_some(Mask::Beside);
        alpha.into_iter().chain(beside).collect()
    }

    fn mask(&self, mask: Mask, tile: &PixelWindow) -> Result<Vec<f64>> {
        match mask {
            Mask::Alpha(band) => self.values(band, tile),
            Mask::Beside => {
                let handle = self.raster.handle()?;
                // SAFETY: the dataset is open and has a first band.
                let band = unsafe {
                    gdal_sys::GDALGetMaskBand(gdal_sys::GDALGetRasterBand(handle.raw(), 1))
                };
                self.read(band, tile)
            }
        }
    }

    fn values(&self, band: usize, tile: &PixelWindow) -> Result<Vec<f64>> {
        let handle = self.raster.handle()?;
        let about = &self.bands[band];
        // SAFETY: the dataset is open and has this band.
        let raw = unsafe { gdal_sys::GDALGetRasterBand(handle.raw(), about.number) };
        let mut values = self.read(raw, tile)?;
        if about.data_type == DataType::I8 {
            // GDAL before 3.7 reads signed bytes as unsigned ones.
            for value in values.iter_mut().filter(|value| **value > 127.0) {
                *value -= 256.0;
            }
        }
        Ok(values)
    }

    fn read(&self, band: gdal_sys::GDALRasterBandH, tile: &PixelWindow) -> Result<Vec<f64>> {
        let mut values = vec![0.0_f64; tile.area()];
        let (failed, messages) = gdal_library::with_messages(|| {
            // SAFETY: the band is one of an open dataset, the tile lies inside the raster, and `values` holds all of it.
            unsafe {
                gdal_sys::GDALRasterIO(
                    band,
                    GDALRWFlag::GF_Read,
                    tile.col as c_int,
                    tile.row as c_int,
                    tile.width as c_int,
                    tile.height as c_int,
                    values.as_mut_ptr().cast::<c_void>(),
                    tile.width as c_int,
                    tile.height as c_int,
                    GDALDataType::GDT_Float64,
                    0,
                    0,
                ) != 0
            }
        });
        if failed {
            return Err(RasterError::Read {
                path: self.raster.path().to_owned(),
                window: *tile,
                block: None,
                detail: messages.joined("GDAL gives no reason"),
            }
            .into());
        }
        Ok(values)
    }
}

#[derive(Clone, Copy)]
enum Mask {
    Alpha(usize),
    Beside,
}

impl Raster {
    /// How many pixels each value of the file has: of one band its numbers, of three bands their colors, of other files
    /// the numbers of the first band. Values are those that the file stores, palettes stay numbers.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// println!("{}", Raster::open("mask.tif")?.value_table()?.output().text);
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`RasterError::Read`] when the file is damaged; [`LabelError::Type`] for complex numbers.
    pub fn value_table(&self) -> Result<ValueTable> {
        let file = LabelFile::open(self.path())?;
        let reading = match file.plain_bands()[..] {
            [red, green, blue] => Reading::Color([red, green, blue]),
            [first, ..] => Reading::Band(first),
            [] => Reading::Band(0),
        };
        let kind = reading.kind();
        let counts = file.count(&reading, &file.raster.full())?;
        let values = counts.values.iter().take(MOST_ROWS);
        Ok(ValueTable {
            values: values
                .map(|&(value, pixels)| ValueCount {
                    value: kind.shown(value),
                    pixels,
                    name: (kind == NumberKind::Value && value.fract() == 0.0)
                        .then(|| file.names.get(&(value as i64)).cloned())
                        .flatten(),
                })
                .collect(),
            different: counts.values.len(),
            no_data: counts.no_data,
            nodata: file.nodata(&reading).map(|value| kind.shown(value)),
            one_of: counts.one_of,
        })
    }
}

/// # Safety
/// `band` is a band of an open dataset.
unsafe fn band_of(band: gdal_sys::GDALRasterBandH, number: c_int, count: c_int) -> LabelBand {
    // SAFETY: by the caller's promise; GDAL owns every string that it returns.
    unsafe {
        let meaning = gdal_sys::GDALGetRasterColorInterpretation(band);
        let name = describe::name_of(band, number, meaning);
        let data_type = describe::data_type_of(band);
        let mut has: c_int = 0;
        let nodata = match data_type {
            DataType::I64 => gdal_sys::GDALGetRasterNoDataValueAsInt64(band, &raw mut has) as f64,
            DataType::U64 => gdal_sys::GDALGetRasterNoDataValueAsUInt64(band, &raw mut has) as f64,
            _ => gdal_sys::GDALGetRasterNoDataValue(band, &raw mut has),
        };
        LabelBand {
            number,
            name,
            data_type,
            nodata: (has != 0).then_some(nodata),
            is_alpha: meaning == GDALColorInterp::GCI_AlphaBand && count > 1,
        }
    }
}

/// Whether a mask lies beside the bands; alpha and nodata values are looked at for themselves.
///
/// # Safety
/// `band` is a band of an open dataset.
unsafe fn is_masked(band: gdal_sys::GDALRasterBandH) -> bool {
    const ALL_VALID: c_int = 1;
    const ALPHA: c_int = 4;
    const NODATA: c_int = 8;
    // SAFETY: by the caller's promise.
    let flags = unsafe { gdal_sys::GDALGetMaskFlags(band) };
    flags & (ALL_VALID | NODATA | ALPHA) == 0
}

/// # Safety
/// `band` is a band of an open dataset.
unsafe fn palette_of(band: gdal_sys::GDALRasterBandH) -> Vec<[u8; 3]> {
    // SAFETY: by the caller's promise; the table belongs to the band, and entries are numbered from 0 to its count.
    unsafe {
        let table = gdal_sys::GDALGetRasterColorTable(band);
        if table.is_null() {
            return Vec::new();
        }
        (0..gdal_sys::GDALGetColorEntryCount(table))
            .map(|index| {
                let entry = gdal_sys::GDALGetColorEntry(table, index);
                if entry.is_null() {
                    return [0; 3];
                }
                [(*entry).c1, (*entry).c2, (*entry).c3].map(|part| part.clamp(0, 255) as u8)
            })
            .collect()
    }
}

/// Category names, or the names in an attribute table, or those in the file's own tags.
///
/// # Safety
/// `band` is a band of the open dataset.
unsafe fn names_of(
    dataset: gdal_sys::GDALDatasetH,
    band: gdal_sys::GDALRasterBandH,
) -> BTreeMap<i64, String> {
    let mut names = BTreeMap::new();
    // SAFETY: by the caller's promise; the list ends with a null pointer, and rows and columns are numbered from 0.
    unsafe {
        let mut list = gdal_sys::GDALGetRasterCategoryNames(band);
        let mut value = 0;
        while !list.is_null() && !(*list).is_null() {
            names.insert(value, text(*list));
            list = list.add(1);
            value += 1;
        }
        if !names.is_empty() {
            return names;
        }
        let tags = || {
            let tags = information::class_tags(dataset).into_iter();
            (0_i64..).zip(tags).collect()
        };
        let table = gdal_sys::GDALGetDefaultRAT(band);
        if table.is_null() {
            return tags();
        }
        let name = gdal_sys::GDALRATGetColOfUsage(table, GDALRATFieldUsage::GFU_Name);
        let value = gdal_sys::GDALRATGetColOfUsage(table, GDALRATFieldUsage::GFU_MinMax);
        if name < 0 {
            return tags();
        }
        for row in 0..gdal_sys::GDALRATGetRowCount(table) {
            let number = if value < 0 {
                f64::from(row)
            } else {
                gdal_sys::GDALRATGetValueAsDouble(table, row, value)
            };
            let called = text(gdal_sys::GDALRATGetValueAsString(table, row, name));
            if number.fract() == 0.0 {
                names.insert(number as i64, called);
            }
        }
    }
    names
}

/// # Safety
/// `dataset` is an open dataset.
unsafe fn lossy_compression(dataset: gdal_sys::GDALDatasetH) -> Option<String> {
    // SAFETY: by the caller's promise; GDAL owns the strings.
    let (driver, compression, reversible) = unsafe {
        let item = |name: &std::ffi::CStr| {
            text(gdal_sys::GDALGetMetadataItem(
                dataset,
                name.as_ptr(),
                c"IMAGE_STRUCTURE".as_ptr(),
            ))
        };
        (
            text(gdal_sys::GDALGetDescription(
                gdal_sys::GDALGetDatasetDriver(dataset),
            )),
            item(c"COMPRESSION"),
            item(c"COMPRESSION_REVERSIBILITY"),
        )
    };
    if driver == "JPEG" || compression.contains("JPEG") && !reversible.starts_with("LOSSLESS") {
        Some("JPEG".to_owned())
    } else if reversible.starts_with("LOSSY") {
        Some(if compression.is_empty() {
            driver
        } else {
            compression
        })
    } else {
        None
    }
}
