//! Color tables of bands of bytes.

use std::ffi::c_int;

use gdal_sys::{GDALColorEntry, GDALPaletteInterp};

/// Colors of which all are opaque.
pub(super) fn opaque(colors: &[[u8; 3]]) -> Vec<[u8; 4]> {
    let one = |&[red, green, blue]: &[u8; 3]| [red, green, blue, 255];
    colors.iter().map(one).collect()
}

/// A color for all that a byte can be, black beyond `colors`; nothing is seen of the `transparent` values and of nodata.
pub(super) fn with_opacity(
    colors: &[[u8; 3]],
    transparent: &[u8],
    nodata: Option<f64>,
) -> Vec<[u8; 4]> {
    (0..=u8::MAX)
        .map(|value| {
            let [red, green, blue] = colors.get(usize::from(value)).copied().unwrap_or_default();
            let hidden = transparent.contains(&value) || nodata == Some(f64::from(value));
            [red, green, blue, if hidden { 0 } else { 255 }]
        })
        .collect()
}

/// Gives a band a color table and returns whether that failed; each color is red, green, blue and opacity.
///
/// # Safety
/// `band` is an open band that takes a color table.
pub(super) unsafe fn set(band: gdal_sys::GDALRasterBandH, colors: &[[u8; 4]]) -> bool {
    // SAFETY: the table is made here, filled, copied by the band and destroyed.
    unsafe {
        let table = gdal_sys::GDALCreateColorTable(GDALPaletteInterp::GPI_RGB);
        for (value, &[red, green, blue, opacity]) in colors.iter().enumerate().take(256) {
            let entry = GDALColorEntry {
                c1: red.into(),
                c2: green.into(),
                c3: blue.into(),
                c4: opacity.into(),
            };
            gdal_sys::GDALSetColorEntry(table, value as c_int, &raw const entry);
        }
        let failed = gdal_sys::GDALSetRasterColorTable(band, table) != 0;
        gdal_sys::GDALDestroyColorTable(table);
        failed
    }
}
