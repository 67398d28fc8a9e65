//! What GDAL says of one band: its type, its nodata value, its palette, what it shows.

use std::ffi::c_int;
use std::sync::Arc;

use gdal_sys::{GDALColorEntry, GDALColorInterp, GDALPaletteInterp};

use super::band::{Nodata, Reading};
use super::gdal_library::text;
use super::{Band, BandRole, DataType, roles};

/// A band's own name, its color, or its number.
///
/// # Safety
/// `band` is a band of an open dataset.
pub(super) unsafe fn name_of(
    band: gdal_sys::GDALRasterBandH,
    number: c_int,
    meaning: GDALColorInterp::Type,
) -> String {
    // SAFETY: by the caller's promise; GDAL owns every string that it returns.
    let (described, named) = unsafe {
        (
            text(gdal_sys::GDALGetDescription(band)),
            text(gdal_sys::GDALGetColorInterpretationName(meaning)),
        )
    };
    match (described.is_empty(), named.as_str()) {
        (false, _) => described,
        (true, "Undefined" | "Gray" | "Palette" | "") => format!("band {number}"),
        (true, _) => named.to_lowercase(),
    }
}

/// The type of a band's values, signed bytes of GDAL before 3.7 included.
///
/// # Safety
/// `band` is a band of an open dataset.
pub(super) unsafe fn data_type_of(band: gdal_sys::GDALRasterBandH) -> DataType {
    // SAFETY: by the caller's promise; GDAL owns every string that it returns.
    unsafe {
        let pixel_type = text(gdal_sys::GDALGetMetadataItem(
            band,
            c"PIXELTYPE".as_ptr(),
            c"IMAGE_STRUCTURE".as_ptr(),
        ));
        let stored = gdal_sys::GDALGetRasterDataType(band);
        let bits = text(gdal_sys::GDALGetMetadataItem(
            band,
            c"NBITS".as_ptr(),
            c"IMAGE_STRUCTURE".as_ptr(),
        ));
        match DataType::of_gdal(stored, pixel_type == "SIGNEDBYTE") {
            // GDAL before 3.11 has half floats as floats of 16 bits.
            DataType::F32 if bits == "16" => DataType::F16,
            data_type => data_type,
        }
    }
}

/// What a file says of one of its bands.
///
/// # Safety
/// `band` is a band of an open dataset.
pub(super) unsafe fn band_of(
    band: gdal_sys::GDALRasterBandH,
    number: c_int,
    meaning: GDALColorInterp::Type,
) -> Band {
    // SAFETY: by the caller's promise; GDAL owns every string that it returns.
    unsafe {
        let name = name_of(band, number, meaning);
        let stored = gdal_sys::GDALGetRasterDataType(band);
        let data_type = data_type_of(band);
        let reading = match data_type {
            DataType::I8 if stored == gdal_sys::GDALDataType::GDT_Byte => Reading::SignedByte,
            DataType::Complex => Reading::Amplitude,
            _ => Reading::Plain,
        };
        let missing = nodata_of(band, data_type);
        let mut has: c_int = 0;
        let scale = gdal_sys::GDALGetRasterScale(band, &raw mut has);
        let scale = if has == 0 { 1.0 } else { scale };
        let offset = gdal_sys::GDALGetRasterOffset(band, &raw mut has);
        let offset = if has == 0 { 0.0 } else { offset };
        let role = wavelength_of(band)
            .and_then(roles::of_wavelength)
            .or_else(|| roles::of_words(&name))
            .or_else(|| roles::of_interpretation(meaning));
        Band {
            number,
            reading,
            missing,
            own_mask: false,
            image: 0,
            stored: None,
            name,
            data_type,
            nodata: missing.map(Nodata::as_f64),
            scale,
            offset,
            role,
            date: None,
        }
    }
}

/// The nodata value of a band in its own type.
///
/// # Safety
/// `band` is a band of an open dataset.
unsafe fn nodata_of(band: gdal_sys::GDALRasterBandH, data_type: DataType) -> Option<Nodata> {
    let mut has: c_int = 0;
    // SAFETY: by the caller's promise.
    let value = unsafe {
        match data_type {
            DataType::I64 => Nodata::Signed(gdal_sys::GDALGetRasterNoDataValueAsInt64(
                band,
                &raw mut has,
            )),
            DataType::U64 => Nodata::Unsigned(gdal_sys::GDALGetRasterNoDataValueAsUInt64(
                band,
                &raw mut has,
            )),
            _ => Nodata::Real(gdal_sys::GDALGetRasterNoDataValue(band, &raw mut has)),
        }
    };
    let value = match value {
        // Written by tools that take the byte for one without sign.
        Nodata::Real(value) if data_type == DataType::I8 && (128.0..=255.0).contains(&value) => {
            Nodata::Real(value - 256.0)
        }
        value => value,
    };
    (has != 0).then_some(value)
}

/// The wavelength that a band's metadata give, in micrometers.
///
/// # Safety
/// `band` is a band of an open dataset.
unsafe fn wavelength_of(band: gdal_sys::GDALRasterBandH) -> Option<f64> {
    let item = |name: &std::ffi::CStr, domain: Option<&std::ffi::CStr>| {
        let domain = domain.map_or(std::ptr::null(), std::ffi::CStr::as_ptr);
        // SAFETY: by the caller's promise; both names are C strings, and GDAL owns the text.
        unsafe { text(gdal_sys::GDALGetMetadataItem(band, name.as_ptr(), domain)) }
    };
    if let Ok(value) = item(c"CENTRAL_WAVELENGTH_UM", Some(c"IMAGERY"))
        .trim()
        .parse()
    {
        return Some(value);
    }
    let value: f64 = item(c"wavelength", None).trim().parse().ok()?;
    let scale = roles::micrometers(&item(c"wavelength_units", None))?;
    Some(value * scale)
}

/// The colors of a palette; `None` when there is none, or one of something else than red, green and blue.
///
/// # Safety
/// `table` is null or a color table that GDAL owns.
pub(super) unsafe fn colors(table: gdal_sys::GDALColorTableH) -> Option<Vec<[u8; 4]>> {
    if table.is_null() {
        return None;
    }
    // SAFETY: by the caller's promise; entries are asked for within the count.
    unsafe {
        let kind = gdal_sys::GDALGetPaletteInterpretation(table);
        if kind != GDALPaletteInterp::GPI_RGB && kind != GDALPaletteInterp::GPI_Gray {
            return None;
        }
        let count = gdal_sys::GDALGetColorEntryCount(table);
        let byte = |value: i16| value.clamp(0, 255) as u8;
        let one = |index| {
            let entry: *const GDALColorEntry = gdal_sys::GDALGetColorEntry(table, index);
            let Some(entry) = entry.as_ref() else {
                return [0, 0, 0, 255];
            };
            match kind {
                GDALPaletteInterp::GPI_Gray => {
                    [byte(entry.c1), byte(entry.c1), byte(entry.c1), 255]
                }
                _ => [
                    byte(entry.c1),
                    byte(entry.c2),
                    byte(entry.c3),
                    byte(entry.c4),
                ],
            }
        };
        (count > 0).then(|| (0..count).map(one).collect())
    }
}

/// Three bands of colors in place of one of their numbers.
pub(super) fn expanded(band: &Band, table: &Arc<Vec<[u8; 4]>>) -> impl Iterator<Item = Band> {
    let colors = [
        ("red", BandRole::Red),
        ("green", BandRole::Green),
        ("blue", BandRole::Blue),
    ];
    let (band, table) = (band.clone(), Arc::clone(table));
    colors
        .into_iter()
        .enumerate()
        .map(move |(component, (name, role))| Band {
            name: name.to_owned(),
            role: Some(role),
            data_type: DataType::U8,
            reading: Reading::Color {
                component,
                table: Arc::clone(&table),
            },
            scale: 1.0,
            offset: 0.0,
            ..band.clone()
        })
}

/// What the file says of the satellite.
///
/// # Safety
/// `dataset` is open.
pub(super) unsafe fn platform(dataset: gdal_sys::GDALDatasetH) -> String {
    const KEYS: [&std::ffi::CStr; 6] = [
        c"SPACECRAFT_ID",
        c"SATELLITEID",
        c"DATATAKE_1_SPACECRAFT_NAME",
        c"PLATFORM",
        c"SENSOR_ID",
        c"SATELLITE",
    ];
    let mut said = String::new();
    for domain in [std::ptr::null(), c"IMAGERY".as_ptr()] {
        for key in KEYS {
            // SAFETY: by the caller's promise; GDAL owns the text.
            said += &unsafe { text(gdal_sys::GDALGetMetadataItem(dataset, key.as_ptr(), domain)) };
            said.push(' ');
        }
    }
    said
}
