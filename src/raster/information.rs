use std::ffi::c_int;
use std::path::Path;

use gdal_sys::GDALColorInterp;

use super::gdal_library::text;
use super::handle::Handle;
use super::place::Place;
use super::{Band, BandRole, DataType, GeoTransform, Size};
use crate::report::Report;

/// What is read once when a raster is opened.
#[derive(Clone, Debug)]
pub(crate) struct Information {
    pub(crate) size: Size,
    /// The bands with imagery; alpha bands are left out.
    pub(crate) bands: Vec<Band>,
    pub(crate) mask: MaskSource,
    pub(crate) block: Size,
    pub(crate) overviews: usize,
    pub(crate) transform: GeoTransform,
    pub(crate) georeferenced: bool,
    pub(crate) crs_wkt: String,
    /// Why there is no place on the ground, in the file's own terms.
    pub(crate) missing_place: Option<String>,
    pub(crate) category_names: Vec<String>,
    pub(crate) driver: String,
    /// What was left out or assumed.
    pub(crate) report: Report,
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
    pub(crate) fn read(handle: &Handle, path: &Path) -> Self {
        let dataset = handle.raw();
        // SAFETY: the dataset is open, band numbers run from 1 to its count, and GDAL owns every string it returns.
        unsafe {
            let count = gdal_sys::GDALGetRasterCount(dataset);
            let mut bands = Vec::new();
            let mut mask = MaskSource::None;
            for number in 1..=count {
                let band = gdal_sys::GDALGetRasterBand(dataset, number);
                let meaning = gdal_sys::GDALGetRasterColorInterpretation(band);
                if meaning == GDALColorInterp::GCI_AlphaBand && count > 1 {
                    mask = MaskSource::Alpha(number);
                    continue;
                }
                bands.push(band_of(band, number, meaning));
                if mask == MaskSource::None {
                    mask = mask_source(gdal_sys::GDALGetMaskFlags(band) as u32);
                }
            }
            let first = bands
                .first()
                .map(|band| gdal_sys::GDALGetRasterBand(dataset, band.number));
            let mut block = (0, 0);
            let mut overviews = 0;
            let mut category_names = Vec::new();
            if let Some(band) = first {
                gdal_sys::GDALGetBlockSize(band, &raw mut block.0, &raw mut block.1);
                overviews = usize::try_from(gdal_sys::GDALGetOverviewCount(band)).unwrap_or(0);
                category_names = string_list(gdal_sys::GDALGetRasterCategoryNames(band).cast());
            }
            let place = Place::read(dataset, path);
            Self {
                size: Size {
                    width: usize::try_from(gdal_sys::GDALGetRasterXSize(dataset)).unwrap_or(0),
                    height: usize::try_from(gdal_sys::GDALGetRasterYSize(dataset)).unwrap_or(0),
                },
                bands,
                mask,
                block: Size {
                    width: usize::try_from(block.0).unwrap_or(0).max(1),
                    height: usize::try_from(block.1).unwrap_or(0).max(1),
                },
                overviews,
                transform: place.transform,
                georeferenced: place.transform != GeoTransform::PIXELS,
                crs_wkt: place.crs_wkt,
                missing_place: place.missing,
                category_names,
                driver: text(gdal_sys::GDALGetDescription(
                    gdal_sys::GDALGetDatasetDriver(dataset),
                )),
                report: place.report,
            }
        }
    }

    /// Whether any pixel inside the raster can be invalid.
    pub(crate) fn can_be_invalid(&self) -> bool {
        self.mask != MaskSource::None
            || self
                .bands
                .iter()
                .any(|band| band.nodata.is_some() || band.data_type.is_float())
    }

    /// The smallest type that holds the values of every band.
    pub(crate) fn data_type(&self) -> DataType {
        let types = self.bands.iter().map(|band| band.data_type);
        types.reduce(DataType::union).unwrap_or(DataType::Unknown)
    }
}

/// What a file says of one of its bands.
///
/// # Safety
/// `band` is a band of an open dataset.
unsafe fn band_of(
    band: gdal_sys::GDALRasterBandH,
    number: c_int,
    meaning: GDALColorInterp::Type,
) -> Band {
    // SAFETY: by the caller's promise; GDAL owns every string that it returns.
    unsafe {
        let described = text(gdal_sys::GDALGetDescription(band));
        let named = text(gdal_sys::GDALGetColorInterpretationName(meaning));
        let name = match (described.is_empty(), named.as_str()) {
            (false, _) => described,
            (true, "Undefined" | "Gray" | "Palette" | "") => format!("band {number}"),
            (true, _) => named.to_lowercase(),
        };
        let pixel_type = text(gdal_sys::GDALGetMetadataItem(
            band,
            c"PIXELTYPE".as_ptr(),
            c"IMAGE_STRUCTURE".as_ptr(),
        ));
        let data_type = DataType::of_gdal(
            gdal_sys::GDALGetRasterDataType(band),
            pixel_type == "SIGNEDBYTE",
        );
        let mut has: c_int = 0;
        let nodata = gdal_sys::GDALGetRasterNoDataValue(band, &raw mut has);
        let nodata = (has != 0).then_some(nodata);
        let scale = gdal_sys::GDALGetRasterScale(band, &raw mut has);
        let scale = if has == 0 { 1.0 } else { scale };
        let offset = gdal_sys::GDALGetRasterOffset(band, &raw mut has);
        let offset = if has == 0 { 0.0 } else { offset };
        Band {
            number,
            name,
            data_type,
            nodata,
            scale,
            offset,
            role: role_of(meaning),
        }
    }
}

/// What a colour interpretation says that a band shows.
fn role_of(meaning: GDALColorInterp::Type) -> Option<BandRole> {
    Some(match meaning {
        GDALColorInterp::GCI_RedBand => BandRole::Red,
        GDALColorInterp::GCI_GreenBand => BandRole::Green,
        GDALColorInterp::GCI_BlueBand => BandRole::Blue,
        GDALColorInterp::GCI_GrayIndex => BandRole::Grey,
        _ => return None,
    })
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
