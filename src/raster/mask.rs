//! Pixels that a mask beside the imagery calls invalid, such as the clouds of a scene classification.

use gdal_sys::GDALRIOResampleAlg;

use super::by_band::ByBand;
use super::information::Information;
use super::layer::{Kind, Layer};
use super::stack::{Stack, StackPart};
use super::warp::Resampling;
use super::{OpenOptions, PixelWindow, Raster, Size};
use crate::Result;
use crate::report::Report;

/// Which values of a mask mean that there is nothing to see.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Invalid {
    /// These.
    Codes(Vec<f64>),
    /// Those with one of these bits, counted from 0.
    Bits(Vec<u32>),
}

impl Invalid {
    fn holds(&self, value: f32) -> bool {
        let value = f64::from(value);
        match self {
            Self::Codes(codes) => codes.contains(&value),
            // Not a number, or below 0, says nothing that could be trusted.
            Self::Bits(_) if !(0.0..1.8e19).contains(&value) => true,
            Self::Bits(bits) => {
                let value = value as u64;
                bits.iter().any(|&bit| value >> bit.min(63) & 1 == 1)
            }
        }
    }

    /// `3, 8, 9`, `bits 3, 4`.
    pub(super) fn words(&self) -> String {
        let list = |numbers: Vec<String>| numbers.join(", ");
        match self {
            Self::Codes(codes) => list(codes.iter().map(f64::to_string).collect()),
            Self::Bits(bits) => {
                format!("bits {}", list(bits.iter().map(u32::to_string).collect()))
            }
        }
    }
}

/// A raster and the mask that lies over it.
#[derive(Debug)]
pub(super) struct Masked {
    pub(super) base: Raster,
    pub(super) mask: Layer,
    invalid: Invalid,
}

impl Masked {
    /// `base` without the pixels that `mask` calls invalid. The mask may have another grid; its nearest pixel counts, and
    /// where it says nothing there is nothing either. What there is to say of its place is added to `report`.
    ///
    /// # Errors
    /// As [`Stack::open`].
    pub(super) fn over(
        base: &Raster,
        mask: &Raster,
        invalid: Invalid,
        report: &mut Report,
    ) -> Result<Raster> {
        let parts = [
            StackPart::new(base.path()),
            StackPart::new(mask.path()).resampling(Resampling::Nearest),
        ];
        let (_, mut layers) = Stack::new(parts).layers(&[base.clone(), mask.clone()], report)?;
        let Some(mask) = layers.pop() else {
            return Ok(base.clone());
        };
        let mut information = Information {
            report: Report::new(),
            ..base.inner.information.clone()
        };
        information.masks = super::information::Masks::default();
        (information.gaps, information.averages_itself) = (true, true);
        information.overviews = 0;
        let masked = Self {
            base: base.clone(),
            mask,
            invalid,
        };
        Ok(Raster::composed(
            base.path().to_owned(),
            Kind::Masked(Box::new(masked)),
            information,
            OpenOptions::new(),
        ))
    }

    /// Reads a window pixel by pixel, or the pixels under the centers of a smaller size.
    pub(super) fn read(&self, window: &PixelWindow, size: Size) -> Result<ByBand> {
        let nearest = GDALRIOResampleAlg::GRIORA_NearestNeighbour;
        let mut read = self.base.read_by_band(window, size, nearest)?;
        let mask = self.mask.read(window, size, nearest)?;
        let known = mask.valid(0);
        for ((valid, &value), &known) in read.base.iter_mut().zip(mask.band(0)).zip(known.iter()) {
            if known == 0 || self.invalid.holds(value) {
                *valid = 0;
            }
        }
        Ok(read)
    }

    /// A text that differs where the pixels may, beside what the rasters say of themselves.
    pub(super) fn key(&self) -> String {
        format!("{:?} {}", self.invalid, self.mask.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bits are those of Landsat's QA_PIXEL: 0 fill, 1 dilated cloud, 3 cloud, 4 shadow; 21824 is clear land, 22280 cloud
    /// of high confidence, 23888 shadow (USGS, Landsat 8-9 Collection 2 Level 2 Product Guide, LSDS-1619).
    #[test]
    fn codes_and_bits_tell_what_is_invalid() {
        let clouds = Invalid::Bits(vec![0, 1, 3, 4]);
        for (value, invalid) in [
            (21_824.0, false),
            (22_280.0, true),
            (23_888.0, true),
            (1.0, true),
            (-1.0, true),
            (f32::NAN, true),
        ] {
            assert_eq!(clouds.holds(value), invalid, "{value}");
        }
        let classes = Invalid::Codes(vec![3.0, 8.0, 9.0]);
        assert!(classes.holds(8.0) && !classes.holds(4.0) && !classes.holds(f32::NAN));
        assert!(!Invalid::Bits(vec![200]).holds(7.0));
        assert_eq!(classes.words(), "3, 8, 9");
        assert_eq!(clouds.words(), "bits 0, 1, 3, 4");
    }
}
