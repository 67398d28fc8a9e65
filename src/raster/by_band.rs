//! Which pixels are valid, band by band and all together.
//!
//! Three rules, and whose they are:
//! 1. Alpha of 0, a mask of the whole dataset and the world outside the raster take the whole pixel (GDAL, rasterio). An
//!    explicit mask is asked alone: nodata values beside it do not count (GDAL's order of masks).
//! 2. Bands of one integer type are one image: its pixel is missing where ALL of them are nodata or masked (rasterio's
//!    `dataset_mask`), since a dark lake may be 0 and a roof 65535 in one band of an image that uses that value for its
//!    edges. Bands of another type are another measurement, such as elevation under a photograph: the pixel is missing
//!    where either is.
//! 3. Bands of floating point are judged one by one: NaN, infinity and nodata in any of them take the whole pixel (numpy's
//!    `isfinite().all()`), since no network can be fed with NaN, and nodata stands for it.
//!
//! 4. In a stack of files each file is an image of its own: a pixel is missing where any of them has none.
//! 5. In a time series each date is judged by itself; a pixel is missing where every date is.
//!
//! In a pixel that is valid all the same, a band's own nodata is handed out as it is stored where imagery can hold it (0
//! and up), and as 0 where it is a mark below 0. Statistics of a band are those of its own valid values, whatever the
//! others are.

use super::resize::under_centers;
use super::{Band, DataType, Patch, Size};

/// Pixels of a window with the validity of every band.
#[derive(Clone, Debug)]
pub(crate) struct ByBand {
    pub(crate) size: Size,
    /// `[bands, height, width]`; anything where a band has no value.
    pub(crate) data: Vec<f32>,
    /// `[height, width]`: 1 inside the raster where neither alpha nor a mask of the dataset say otherwise.
    pub(crate) base: Vec<u8>,
    /// For each band `[height, width]`, 1 where it has a value of its own; `None` where that is everywhere.
    pub(crate) present: Vec<Option<Vec<u8>>>,
}

impl ByBand {
    pub(crate) fn nothing(size: Size, bands: usize) -> Self {
        Self {
            size,
            data: vec![0.0; bands * size.area()],
            base: vec![0; size.area()],
            present: vec![None; bands],
        }
    }

    pub(crate) fn band(&self, band: usize) -> &[f32] {
        let area = self.size.area();
        &self.data[band * area..(band + 1) * area]
    }

    /// Where one band is valid, whatever the others are.
    pub(crate) fn valid(&self, band: usize) -> std::borrow::Cow<'_, [u8]> {
        match &self.present[band] {
            None => self.base.as_slice().into(),
            Some(present) => {
                let both = self.base.iter().zip(present).map(|(&a, &b)| a & b);
                both.collect::<Vec<_>>().into()
            }
        }
    }

    /// Each pixel repeated into a larger size.
    pub(crate) fn repeated(&self, size: Size) -> Self {
        let bytes = |plane: &[u8]| under_centers(plane, self.size, size);
        let mut data = Vec::with_capacity(self.present.len() * size.area());
        for band in 0..self.present.len() {
            data.extend(under_centers(self.band(band), self.size, size));
        }
        Self {
            size,
            data,
            base: bytes(&self.base),
            present: self
                .present
                .iter()
                .map(|one| one.as_deref().map(bytes))
                .collect(),
        }
    }

    /// Where the pixel as a whole is valid.
    pub(crate) fn pixels(&self, bands: &[Band]) -> Vec<u8> {
        let mut pixels = self.base.clone();
        if self.present.iter().all(Option::is_none) {
            return pixels;
        }
        for (band, present) in bands.iter().zip(&self.present) {
            if let Some(present) = present
                && band.judged_as().is_float()
                && band.date.is_none()
            {
                pixels
                    .iter_mut()
                    .zip(present)
                    .for_each(|(all, &one)| *all &= one);
            }
        }
        let group = |band: &Band| match band.date {
            Some(_) => (usize::MAX, DataType::Unknown),
            None => (band.image, band.judged_as()),
        };
        let mut done: Vec<(usize, DataType)> = Vec::new();
        for first in bands {
            if done.contains(&group(first)) {
                continue;
            }
            done.push(group(first));
            let image: Vec<&Option<Vec<u8>>> = bands
                .iter()
                .zip(&self.present)
                .filter(|(band, _)| group(band) == group(first))
                .map(|(_, present)| present)
                .collect();
            let Some(holes) = image
                .iter()
                .map(|present| present.as_deref())
                .collect::<Option<Vec<&[u8]>>>()
            else {
                continue;
            };
            for (pixel, valid) in pixels.iter_mut().enumerate() {
                *valid &= u8::from(holes.iter().any(|present| present[pixel] != 0));
            }
        }
        pixels
    }

    pub(crate) fn into_patch(self, bands: &[Band]) -> Patch {
        let pixels = self.pixels(bands);
        let area = self.size.area();
        let mut patch = Patch {
            size: self.size,
            bands: bands.len(),
            data: self.data,
            valid: Vec::new(),
        };
        for (index, band) in bands.iter().enumerate() {
            if let Some(present) = &self.present[index]
                && band.marks_nodata()
            {
                let values = &mut patch.data[index * area..(index + 1) * area];
                for (value, &present) in values.iter_mut().zip(present) {
                    if present == 0 {
                        *value = 0.0;
                    }
                }
            }
        }
        if pixels.contains(&0) {
            patch.valid = vec![1; area];
            patch.mask_with(&pixels);
        } else {
            patch.valid = pixels;
        }
        patch
    }
}
