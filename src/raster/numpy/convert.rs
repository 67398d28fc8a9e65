//! Arrays in another order or of another type than GDAL reads, rearranged once.

use half::f16;

use super::header::Header;
use crate::raster::held::{Layout, Source, Values, bytes_of};
use crate::raster::{DataType, Size};

/// Pixels of a square that is turned at a time, so that both sides stay in the processor's cache.
const SQUARE: usize = 32;

/// The values as planes of rows, or in their own order where that can be read.
pub(super) fn planes(
    raw: Vec<u8>,
    header: &Header,
    bands_last: bool,
    layout: &Layout,
) -> (Source, Layout) {
    let mut layout = layout.clone();
    let mut values = raw;
    // What was there before goes at once: `Header::bytes_in_memory` counts on it, and on the order of the two.
    if header.is_turned() {
        values = turned(&values, header, bands_last, &layout);
        let (Size { width, height }, bytes) = (layout.size, bytes_of(layout.value));
        layout.to_next_pixel = bytes as u64;
        layout.to_next_row = (width * bytes) as u64;
        layout.to_next_band = (width * height * bytes) as u64;
    }
    if header.value == DataType::F16 {
        layout.big_endian = cfg!(target_endian = "big");
        values = singles(&values, header.big_endian);
    }
    (Source::Memory(Values::Bytes(values)), layout)
}

/// Values of Fortran order as planes of rows.
fn turned(raw: &[u8], header: &Header, bands_last: bool, layout: &Layout) -> Vec<u8> {
    let Size { width, height } = layout.size;
    let bands = layout.bands;
    // Steps in values; the first axis has a step of one.
    let (to_band, to_row, to_col) = match (header.shape.len(), bands_last) {
        (3, true) => (height * width, 1, height),
        (3, false) => (1, bands, bands * height),
        _ => (0, 1, height),
    };
    let bytes = bytes_of(header.value);
    let mut turned = vec![0; raw.len()];
    for band in 0..bands {
        for top in (0..height).step_by(SQUARE) {
            for left in (0..width).step_by(SQUARE) {
                for row in top..(top + SQUARE).min(height) {
                    for col in left..(left + SQUARE).min(width) {
                        let from = (band * to_band + row * to_row + col * to_col) * bytes;
                        let to = ((band * height + row) * width + col) * bytes;
                        turned[to..to + bytes].copy_from_slice(&raw[from..from + bytes]);
                    }
                }
            }
        }
    }
    turned
}

/// 16-bit floats as 32-bit ones of this machine.
fn singles(raw: &[u8], big_endian: bool) -> Vec<u8> {
    let (pairs, _) = raw.as_chunks::<2>();
    let one = |&pair: &[u8; 2]| {
        let half = if big_endian {
            f16::from_be_bytes(pair)
        } else {
            f16::from_le_bytes(pair)
        };
        half.to_f32().to_ne_bytes()
    };
    let mut values = Vec::with_capacity(pairs.len() * 4);
    values.extend(pairs.iter().flat_map(one));
    values
}
