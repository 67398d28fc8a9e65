//! Pixels that a mask beside the imagery calls invalid, such as the clouds of a scene classification.

use gdal_sys::GDALRIOResampleAlg;

use super::by_band::ByBand;
use super::information::{Information, named};
use super::layer::{Kind, Layer};
use super::stack::{Stack, StackPart};
use super::warp::Resampling;
use super::{OpenOptions, PixelWindow, Raster, Size};
use crate::host::Step;
use crate::report::{Notice, Report, file_name};
use crate::{Result, session};

/// Which values of a mask mean that there is nothing to see.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Invalid {
    /// These.
    Codes(Vec<f64>),
    /// Those with one of these bits, counted from 0.
    Bits(Vec<u32>),
}

/// What a mask holds over the pixels that were looked at.
struct Looked {
    pixels: usize,
    removed: usize,
    /// For each code or bit, the pixels that have it.
    found: Vec<usize>,
}

impl Invalid {
    /// How many codes or bits there are.
    fn len(&self) -> usize {
        match self {
            Self::Codes(codes) => codes.len(),
            Self::Bits(bits) => bits.len(),
        }
    }

    /// Whether a value has the code or bit of this number.
    fn is(&self, at: usize, value: f32) -> bool {
        match self {
            Self::Codes(codes) => codes.get(at) == Some(&f64::from(value)),
            Self::Bits(bits) => {
                let sound = (0.0..1.8e19).contains(&f64::from(value));
                let has = |&bit: &u32| value as u64 >> bit.min(63) & 1 == 1;
                sound && bits.get(at).is_some_and(has)
            }
        }
    }

    /// The codes or bits of these numbers.
    fn some(&self, of: &[usize]) -> Self {
        fn chosen<T: Copy>(all: &[T], of: &[usize]) -> Vec<T> {
            of.iter().filter_map(|&at| all.get(at).copied()).collect()
        }
        match self {
            Self::Codes(codes) => Self::Codes(chosen(codes, of)),
            Self::Bits(bits) => Self::Bits(chosen(bits, of)),
        }
    }

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

    /// What the mask holds in some windows.
    ///
    /// # Errors
    /// Those of reading.
    fn look(&self, windows: &[PixelWindow]) -> Result<Looked> {
        let nearest = GDALRIOResampleAlg::GRIORA_NearestNeighbour;
        let mut looked = Looked {
            pixels: 0,
            removed: 0,
            found: vec![0; self.invalid.len()],
        };
        for window in windows {
            session::check_interrupt("looking at masks")?;
            let mask = self.mask.read(window, window.size(), nearest)?;
            let known = mask.valid(0);
            for (&value, &known) in mask.band(0).iter().zip(known.iter()) {
                looked.pixels += 1;
                looked.removed += usize::from(known == 0 || self.invalid.holds(value));
                if known != 0 {
                    for (at, count) in looked.found.iter_mut().enumerate() {
                        *count += usize::from(self.invalid.is(at, value));
                    }
                }
            }
        }
        Ok(looked)
    }

    /// A text that differs where the pixels may, beside what the rasters say of themselves.
    pub(super) fn key(&self) -> String {
        format!("{:?} {}", self.invalid, self.mask.key())
    }
}

impl Raster {
    /// What the pixels of a time series' masks say: codes that occur on no date, and dates of which nothing is left.
    pub(super) fn look_at_masks(&self) -> Report {
        let Kind::Series(layers) = &self.inner.kind else {
            return Report::new();
        };
        let dates = self.dates();
        let mut codes: Vec<(Invalid, Vec<usize>)> = Vec::new();
        let (mut pixels, mut empty) = (0, Vec::new());
        let mut masked = 0;
        for (at, layer) in layers.iter().enumerate() {
            let Kind::Masked(one) = &layer.raster.inner.kind else {
                continue;
            };
            // What cannot be read is told when it is read.
            let Ok(looked) = one.look(&layer.raster.samples()) else {
                continue;
            };
            masked += 1;
            pixels += looked.pixels;
            if looked.removed == looked.pixels {
                let name = || file_name(layer.raster.path());
                empty.push(dates.get(at).map_or_else(name, ToString::to_string));
            }
            match codes.iter_mut().find(|(known, _)| *known == one.invalid) {
                Some((_, found)) => {
                    for (all, own) in found.iter_mut().zip(looked.found) {
                        *all += own;
                    }
                }
                None => codes.push((one.invalid.clone(), looked.found)),
            }
        }
        let mut report = Report::new();
        for (invalid, found) in codes {
            let counts = found.iter().enumerate();
            let none: Vec<usize> = counts
                .filter(|(_, count)| **count == 0)
                .map(|(at, _)| at)
                .collect();
            if none.is_empty() {
                continue;
            }
            let text = format!(
                "{} of the mask's codes {} in none of its {pixels} pixels that were looked at: {}",
                none.len(),
                if none.len() == 1 { "occurs" } else { "occur" },
                invalid.some(&none).words()
            );
            report.push(Notice::noted(text).count(none.len()).next(format!(
                "compare them with the mask's values: {}",
                Step::ListValues
            )));
        }
        if !empty.is_empty() {
            let text = format!(
                "the mask leaves no pixel of {} of {masked} dates: {}",
                empty.len(),
                named(&empty.iter().map(String::as_str).collect::<Vec<_>>())
            );
            report.push(Notice::left_out(text).count(empty.len()).next(
                "look at those dates without the mask: its codes may be those of what is clear",
            ));
        }
        report
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
