//! How scores are stored, and read again whatever they are stored as.

use super::blend_strip::{FULL_SCORE, NODATA};
use crate::Result;
use crate::raster::{DataType, Patch, PixelWindow, Raster, RasterType};

/// How finely a map keeps its scores, in memory's files and in `scores.tif` alike.
///
/// | choice | stored | of a probability, at most off by | bytes |
/// |---|---|---|---|
/// | [`ScoreType::U8`] | 0 to 254, with the scale 1/254 | 1/508 | 1 |
/// | [`ScoreType::Percent`] | 0 to 100, with the scale 0.01 | 1/200 | 1 |
/// | [`ScoreType::F16`] | 0 to 1 as half floats | 1/2048 | 2 |
/// | [`ScoreType::F32`] | 0 to 1 as floats | nothing | 4 |
///
/// Bytes have 255 where there is no data, floats NaN. Programs that apply a band's scale, such as QGIS and xarray, read
/// probabilities from all of them; [`crate::raster::Raster::read`] gives what is stored, and the scale is in
/// [`crate::raster::Raster::bands`]. Half floats are a TIFF of 32-bit floats with `NBITS=16`, which GDAL reads as floats in any
/// version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScoreType {
    /// A byte in steps of 1/254.
    #[default]
    U8,
    /// A byte in whole percent.
    Percent,
    /// A half float.
    #[doc(alias = "float16")]
    #[doc(alias = "half")]
    F16,
    /// A float.
    #[doc(alias = "float32")]
    F32,
}

impl ScoreType {
    pub(super) fn raster_type(self) -> RasterType {
        match self {
            Self::U8 | Self::Percent => RasterType::U8,
            Self::F16 => RasterType::F16,
            Self::F32 => RasterType::F32,
        }
    }

    /// What a probability of 1 is stored as.
    fn full(self) -> f32 {
        match self {
            Self::U8 => FULL_SCORE,
            Self::Percent => 100.0,
            Self::F16 | Self::F32 => 1.0,
        }
    }

    pub(super) fn scale(self) -> Option<f64> {
        self.is_byte().then(|| 1.0 / f64::from(self.full()))
    }

    pub(super) fn nodata(self) -> f64 {
        if self.is_byte() {
            f64::from(NODATA)
        } else {
            f64::NAN
        }
    }

    pub(super) fn is_byte(self) -> bool {
        self.raster_type() == RasterType::U8
    }

    /// A probability, NaN where there is none, as a byte.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=254 first"
    )]
    pub(crate) fn byte(self, probability: f32) -> u8 {
        if probability.is_nan() {
            return NODATA;
        }
        let full = self.full();
        (probability * full).round().clamp(0.0, full) as u8
    }
}

/// Reads a window of stored scores as probabilities times [`FULL_SCORE`], [`NODATA`] where there are none.
pub(super) fn read_scores(scores: &Raster, window: &PixelWindow) -> Result<Patch> {
    let mut patch = scores.read(window)?;
    let is_float = matches!(scores.data_type(), DataType::F16 | DataType::F32);
    let scale = scores.bands().first().map_or(1.0, |band| band.scale);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a factor of about 1 to 254"
    )]
    let factor = match is_float {
        true => FULL_SCORE,
        // One over 254 times 254 is not always 1.
        false if (scale * f64::from(FULL_SCORE) - 1.0).abs() < 1e-6 => 1.0,
        false => (scale * f64::from(FULL_SCORE)) as f32,
    };
    if is_float || factor != 1.0 {
        let missing = f32::from(NODATA);
        for plane in patch.data.chunks_mut(patch.valid.len().max(1)) {
            for (value, valid) in plane.iter_mut().zip(&patch.valid) {
                *value = match *valid == 0 || value.is_nan() || !is_float && *value == missing {
                    true => missing,
                    false => *value * factor,
                };
            }
        }
    }
    Ok(patch)
}

/// The type that a file of ours has.
pub(super) fn stored_type(scores: &Raster) -> ScoreType {
    let scale = scores.bands().first().map_or(1.0, |band| band.scale);
    match scores.data_type() {
        DataType::F16 => ScoreType::F16,
        DataType::F32 => ScoreType::F32,
        _ if (scale - 0.01).abs() < 1e-9 => ScoreType::Percent,
        _ => ScoreType::U8,
    }
}
