//! What changes of values need to know of each band, and how they reach the valid ones.

use crate::raster::{Band, BandStatistics, DataType, Patch};

/// A band's values over the scene, in its own units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BandValues {
    pub(super) mean: f32,
    pub(super) std: f32,
    pub(super) p2: f32,
    pub(super) p98: f32,
}

impl BandValues {
    pub(super) fn new(statistics: &BandStatistics) -> Self {
        Self {
            mean: statistics.mean as f32,
            std: statistics.std as f32,
            p2: statistics.p2 as f32,
            p98: statistics.p98 as f32,
        }
    }
}

/// The least and the largest value of a band's type; infinite where values have more than 16 bits.
pub(super) type Range = (f32, f32);

pub(super) fn range_of(band: &Band) -> Range {
    match band.data_type {
        DataType::U8 => (0.0, 255.0),
        DataType::I8 => (-128.0, 127.0),
        DataType::U16 => (0.0, 65_535.0),
        DataType::I16 => (-32_768.0, 32_767.0),
        _ => (f32::NEG_INFINITY, f32::INFINITY),
    }
}

/// Changes every valid value by what is known of its band. What would not be a finite number stays as it is: a network cannot be
/// fed it.
pub(super) fn change<T>(patch: &mut Patch, bands: &[T], mut of_band: impl FnMut(&T, f32) -> f32) {
    let area = patch.size.area().max(1);
    for (values, band) in patch.data.chunks_exact_mut(area).zip(bands) {
        for (value, &valid) in values.iter_mut().zip(&patch.valid) {
            if valid != 0 {
                let changed = of_band(band, *value);
                if changed.is_finite() {
                    *value = changed;
                }
            }
        }
    }
}

/// Keeps every valid value within the range of its type.
pub(super) fn keep_to_types(patch: &mut Patch, ranges: &[Range]) {
    if ranges.iter().any(|range| range.0.is_finite()) {
        change(patch, ranges, |range, value| value.clamp(range.0, range.1));
    }
}
