use std::ffi::c_int;

use gdal_sys::{GDALColorInterp, GDALDataType};

use super::gdal_library::text;
use super::handle::Handle;
use super::{GeoTransform, Size};

/// What is read once when a raster is opened.
#[derive(Clone, Debug)]
pub(crate) struct Information {
    pub(crate) size: Size,
    /// GDAL's numbers of the bands with imagery, from 1; alpha bands are left out.
    pub(crate) bands: Vec<c_int>,
    pub(crate) band_names: Vec<String>,
    pub(crate) nodata: Vec<Option<f64>>,
    pub(crate) mask: MaskSource,
    pub(crate) data_type: GDALDataType::Type,
    pub(crate) block: Size,
    pub(crate) overviews: usize,
    pub(crate) transform: GeoTransform,
    pub(crate) georeferenced: bool,
    pub(crate) crs_wkt: String,
    pub(crate) category_names: Vec<String>,
    pub(crate) driver: String,
}

/// Where validity is stored apart from nodata values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MaskSource {
    /// Nowhere.
    None,
    /// In an alpha band: 0 is invalid.
    Alpha(c_int),
    /// In one mask for all bands.
    Dataset,
    /// In a mask for each band.
    Bands,
}

impl Information {
    pub(crate) fn read(handle: &Handle) -> Self {
        let dataset = handle.raw();
        // SAFETY: the dataset is open, band numbers run from 1 to its count, and GDAL owns every string it returns.
        unsafe {
            let count = gdal_sys::GDALGetRasterCount(dataset);
            let mut bands = Vec::new();
            let (mut band_names, mut nodata) = (Vec::new(), Vec::new());
            let mut mask = MaskSource::None;
            for number in 1..=count {
                let band = gdal_sys::GDALGetRasterBand(dataset, number);
                let meaning = gdal_sys::GDALGetRasterColorInterpretation(band);
                if meaning == GDALColorInterp::GCI_AlphaBand && count > 1 {
                    mask = MaskSource::Alpha(number);
                    continue;
                }
                bands.push(number);
                let described = text(gdal_sys::GDALGetDescription(band));
                let named = text(gdal_sys::GDALGetColorInterpretationName(meaning));
                band_names.push(match (described.is_empty(), named.as_str()) {
                    (false, _) => described,
                    (true, "Undefined" | "Gray" | "Palette" | "") => format!("band {number}"),
                    (true, _) => named.to_lowercase(),
                });
                let mut has_nodata: c_int = 0;
                let value = gdal_sys::GDALGetRasterNoDataValue(band, &raw mut has_nodata);
                nodata.push((has_nodata != 0).then_some(value));
                if mask == MaskSource::None {
                    mask = mask_source(gdal_sys::GDALGetMaskFlags(band) as u32);
                }
            }
            let first = bands
                .first()
                .map(|&number| gdal_sys::GDALGetRasterBand(dataset, number));
            let mut block = (0, 0);
            let mut overviews = 0;
            let mut data_type = GDALDataType::GDT_Unknown;
            let mut category_names = Vec::new();
            if let Some(band) = first {
                gdal_sys::GDALGetBlockSize(band, &raw mut block.0, &raw mut block.1);
                overviews = usize::try_from(gdal_sys::GDALGetOverviewCount(band)).unwrap_or(0);
                data_type = gdal_sys::GDALGetRasterDataType(band);
                category_names = string_list(gdal_sys::GDALGetRasterCategoryNames(band).cast());
            }
            let mut transform = [0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
            let georeferenced = gdal_sys::GDALGetGeoTransform(dataset, transform.as_mut_ptr()) == 0;
            if !georeferenced {
                // Some drivers leave a row axis that points up.
                transform = [0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
            }
            Self {
                size: Size {
                    width: usize::try_from(gdal_sys::GDALGetRasterXSize(dataset)).unwrap_or(0),
                    height: usize::try_from(gdal_sys::GDALGetRasterYSize(dataset)).unwrap_or(0),
                },
                bands,
                band_names,
                nodata,
                mask,
                data_type,
                block: Size {
                    width: usize::try_from(block.0).unwrap_or(0).max(1),
                    height: usize::try_from(block.1).unwrap_or(0).max(1),
                },
                overviews,
                transform: GeoTransform(transform),
                georeferenced,
                crs_wkt: text(gdal_sys::GDALGetProjectionRef(dataset)),
                category_names,
                driver: text(gdal_sys::GDALGetDescription(
                    gdal_sys::GDALGetDatasetDriver(dataset),
                )),
            }
        }
    }

    /// Whether any pixel inside the raster can be invalid.
    pub(crate) fn can_be_invalid(&self) -> bool {
        self.mask != MaskSource::None || self.nodata.iter().any(Option::is_some) || self.is_float()
    }

    pub(crate) fn is_float(&self) -> bool {
        matches!(
            self.data_type,
            GDALDataType::GDT_Float32
                | GDALDataType::GDT_Float64
                | GDALDataType::GDT_CFloat32
                | GDALDataType::GDT_CFloat64
        )
    }

    pub(crate) fn type_name(&self) -> String {
        // SAFETY: GDAL returns a static string, or null for an unknown type.
        unsafe { text(gdal_sys::GDALGetDataTypeName(self.data_type)) }
    }
}

fn mask_source(flags: u32) -> MaskSource {
    // GDAL's GMF_* flags; alpha is found by the band's meaning instead, and nodata by its value.
    const ALL_VALID: u32 = 1;
    const PER_DATASET: u32 = 2;
    const ALPHA: u32 = 4;
    const NODATA: u32 = 8;
    if flags & (ALL_VALID | NODATA | ALPHA) != 0 {
        MaskSource::None
    } else if flags & PER_DATASET != 0 {
        MaskSource::Dataset
    } else {
        MaskSource::Bands
    }
}

/// Copies a null-terminated list of strings that GDAL owns.
///
/// # Safety
/// `list` is null or a valid GDAL string list.
unsafe fn string_list(list: *const *const std::ffi::c_char) -> Vec<String> {
    let mut strings = Vec::new();
    if !list.is_null() {
        let mut next = list;
        // SAFETY: by the caller's promise the list ends with a null pointer.
        unsafe {
            while !(*next).is_null() {
                strings.push(text(*next));
                next = next.add(1);
            }
        }
    }
    strings
}
