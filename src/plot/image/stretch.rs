//! Values of any type to bytes: linear stretches between two percentiles.

use super::RgbImage;
use crate::Result;
use crate::plot::{INVALID, PlotError};
use crate::raster::{BandStatistics, Patch};

/// A linear stretch of one band: `low` becomes 0 and `high` becomes 255; values beyond are clipped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// The value shown as black.
    pub low: f32,
    /// The value shown at full brightness.
    pub high: f32,
}

impl Stretch {
    /// From `low` to `high`. Bounds that are not finite become 0 and 1.
    #[must_use]
    pub fn new(low: f32, high: f32) -> Self {
        if low.is_finite() && high.is_finite() {
            Self { low, high }
        } else {
            Self {
                low: 0.0,
                high: 1.0,
            }
        }
    }

    /// From the 2nd to the 98th percentile of the band.
    #[must_use]
    pub fn from_statistics(statistics: &BandStatistics) -> Self {
        Self::new(statistics.p2 as f32, statistics.p98 as f32)
    }

    /// From the 2nd to the 98th percentile of the valid pixels of one band of `patch` (exact for patches of up to
    /// about 260,000 pixels, on a regular sample beyond). A band without valid pixels gets 0 to 1.
    #[must_use]
    pub fn of_patch(patch: &Patch, band: usize) -> Self {
        let pixels = patch.size.width * patch.size.height;
        let values = patch
            .data
            .get(band * pixels..(band + 1) * pixels)
            .unwrap_or_default();
        let step = (pixels / 262_144).max(1);
        let mut sample: Vec<f32> = values
            .iter()
            .zip(&patch.valid)
            .step_by(step)
            .filter(|(value, valid)| **valid != 0 && value.is_finite())
            .map(|(value, _)| *value)
            .collect();
        if sample.is_empty() {
            return Self::new(0.0, 1.0);
        }
        let mut percentile = |share: f64| {
            let at = ((sample.len() - 1) as f64 * share).round() as usize;
            *sample.select_nth_unstable_by(at, f32::total_cmp).1
        };
        Self::new(percentile(0.02), percentile(0.98))
    }

    /// The byte that `value` is shown as. A band with one single value is mid-gray; NaN is 0.
    #[must_use]
    pub fn byte(self, value: f32) -> u8 {
        if value.is_nan() {
            return 0;
        }
        let range = self.high - self.low;
        if !(range.is_finite() && range > 0.0) {
            return if value < self.low {
                0
            } else if value > self.low {
                255
            } else {
                127
            };
        }
        (((value - self.low) / range).clamp(0.0, 1.0) * 255.0).round() as u8
    }
}

/// The bands shown when nobody says which and nothing is known of them: one band as gray, two as the first in gray, three
/// and more as red, green, blue in file order. [`super::composite()`] goes by what they are.
#[must_use]
pub fn default_bands(bands: usize) -> Vec<usize> {
    if bands >= 3 { vec![0, 1, 2] } else { vec![0] }
}

/// Draws bands of a patch as an image: one band in gray, or three as red, green and blue. Invalid pixels are neutral
/// gray.
///
/// `stretches` holds one stretch for each entry of `bands`; where it is shorter, the patch's own percentiles are used.
///
/// # Errors
/// [`PlotError::Band`] for a band that the patch does not have, [`PlotError::BandCount`] when `bands` names neither one
/// nor three, [`PlotError::Shape`] when the patch's buffers do not fit its size.
///
/// ```
/// # use swath::{plot::image::{Stretch, rgb}, raster::{Patch, Size}};
/// let patch = Patch { size: Size { width: 2, height: 1 }, bands: 1, data: vec![10.0, 20.0], valid: vec![1, 1] };
/// let image = rgb(&patch, &[0], &[Stretch::new(10.0, 20.0)])?;
/// assert_eq!(image.data, [0, 0, 0, 255, 255, 255]);
/// # Ok::<(), swath::Error>(())
/// ```
pub fn rgb(patch: &Patch, bands: &[usize], stretches: &[Stretch]) -> Result<RgbImage> {
    if bands.len() != 1 && bands.len() != 3 {
        return Err(PlotError::BandCount { found: bands.len() }.into());
    }
    let pixels = patch.size.width * patch.size.height;
    let shape = |what, expected, found| {
        if expected == found {
            Ok(())
        } else {
            Err(PlotError::Shape {
                what,
                expected,
                found,
            })
        }
    };
    shape("a patch", patch.bands * pixels, patch.data.len())?;
    shape("the valid pixels of a patch", pixels, patch.valid.len())?;
    let mut planes = Vec::with_capacity(3);
    for (at, &band) in bands.iter().enumerate() {
        if band >= patch.bands {
            return Err(PlotError::Band {
                band,
                bands: patch.bands,
            }
            .into());
        }
        let stretch = stretches
            .get(at)
            .copied()
            .unwrap_or_else(|| Stretch::of_patch(patch, band));
        planes.push((&patch.data[band * pixels..(band + 1) * pixels], stretch));
    }
    let mut data = Vec::with_capacity(pixels * 3);
    for pixel in 0..pixels {
        if patch.valid[pixel] == 0 {
            data.extend(INVALID);
            continue;
        }
        for channel in 0..3 {
            let (plane, stretch) = planes[if planes.len() == 1 { 0 } else { channel }];
            data.push(stretch.byte(plane[pixel]));
        }
    }
    Ok(RgbImage {
        width: patch.size.width,
        height: patch.size.height,
        data,
    })
}

/// [`rgb`] with [`default_bands`], and the stretches of `statistics` when given (one per band of the patch).
/// [`super::rgb_of`] knows what the bands are.
///
/// # Errors
/// As [`rgb`].
pub fn rgb_auto(patch: &Patch, statistics: Option<&[BandStatistics]>) -> Result<RgbImage> {
    let bands = default_bands(patch.bands);
    super::rgb_shown(patch, &bands, statistics)
}
