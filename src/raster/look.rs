//! What a person should know of a raster that only its pixels say: counted when the report is asked for, over all pixels
//! of a small raster and over samples of a large one.

use gdal_sys::GDALRIOResampleAlg;

use super::band::Reading;
use super::information::named;
use super::layer::Kind;
use super::{DataType, PixelWindow, Raster, Size};
use crate::Result;
use crate::host::{Step, either};
use crate::report::{Notice, Report, Topic};

/// Values up to which a raster is looked at whole.
const WHOLE: usize = 1 << 22;
/// The side of the windows that are looked at in a larger one, and how many there are in each direction.
const SIDE: usize = 128;
const ALONG: usize = 4;

/// Counts over the pixels that were looked at.
#[derive(Default)]
struct Counts {
    pixels: usize,
    transparent: usize,
    /// Values of alpha bands that are neither 0 nor the largest one.
    between: usize,
    /// Valid pixels in which a band is nodata.
    partly: usize,
    /// Pixels that are invalid since one band is not finite while another is.
    broken: usize,
    /// Values that `f32` rounds, and those that it cannot hold at all.
    rounded: usize,
    lost: usize,
}

impl Raster {
    /// The notices that pixels give rise to; what cannot be read is told when it is read.
    pub(super) fn look(&self) -> Report {
        let information = &self.inner.information;
        let mut report = Report::new();
        let counts = self.counts().ok();
        let of = |count: usize, pixels: usize| {
            let whole = pixels == self.size().area();
            let looked = if whole { "" } else { " that were looked at" };
            format!("{count} of {pixels} pixels{looked}")
        };
        if !information.masks.alpha.is_empty() {
            let numbers: Vec<String> = information
                .masks
                .alpha
                .iter()
                .map(|number| format!("band {number}"))
                .collect();
            let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
            let mut text = format!(
                "{} is marked as alpha by the file and was taken as such, not as imagery",
                named(&numbers)
            );
            if let Some(counts) = &counts {
                text += &format!(
                    ": it is 0 in {}, which are invalid",
                    of(counts.transparent, counts.pixels)
                );
                if counts.between * 10 > counts.pixels {
                    text += &format!(
                        ", and neither 0 nor full in {}, as imagery would be",
                        counts.between
                    );
                }
            }
            let notice = Notice::assumed(text)
                .count(counts.as_ref().map_or(0, |counts| counts.transparent))
                .next(format!(
                    "if it is near infrared or any other imagery: {}",
                    either(
                        "`Scene::open_with(path, OpenOptions::new().alpha_as_imagery())`",
                        "`--bands` with its number among the others"
                    )
                ));
            report.push(notice);
        }
        report.extend(self.look_at_masks());
        let Some(counts) = counts else {
            return report;
        };
        if counts.partly > 0 && self.bands().iter().any(|band| band.date.is_some()) {
            report.push(
                Notice::noted(format!(
                    "{} are missing on some dates but not on all: they are valid, with 0 where a date is missing",
                    of(counts.partly, counts.pixels)
                ))
                .of(Topic::MissingOnSomeDates)
                .count(counts.partly)
                .next(format!(
                    "`scene.fill_dates()` gives them values between the dates around, {} one value for all dates",
                    either(
                        "`scene.composite(Composite::Median)` (`composite=median` with `%scene`)",
                        "`scene.composite(Composite::Median)`"
                    )
                )),
            );
        } else if counts.partly > 0 {
            report.push(
                Notice::noted(format!(
                    "{} are nodata in some bands but not in all of one integer type: they are valid, as for rasterio's dataset_mask",
                    of(counts.partly, counts.pixels)
                ))
                .of(Topic::MissingInSomeBands)
                .count(counts.partly)
                .next("`raster.valid_by_band(&window)` has the validity of each band"),
            );
        }
        if counts.broken > 0 {
            report.push(
                Notice::left_out(format!(
                    "{} are invalid since one band has no value there (NaN, infinite or nodata), though another has",
                    of(counts.broken, counts.pixels)
                ))
                .of(Topic::MissingInSomeBands)
                .count(counts.broken)
                .next(format!("{} leaves a band with holes out", Step::LeaveBandsOut)),
            );
        }
        if counts.rounded > 0 {
            report.push(
                Notice::converted(format!(
                    "values of 32 or 64 bits were rounded to 32-bit floats, which hold 7 digits: {} values in {} pixels",
                    counts.rounded, counts.pixels
                ))
                .count(counts.rounded)
                .next("take a large constant away before export where the last digits matter"),
            );
        }
        if counts.lost > 0 {
            report.push(
                Notice::left_out(format!(
                    "values beyond what a 32-bit float holds (3.4e38) are invalid: {} values in {} pixels",
                    counts.lost, counts.pixels
                ))
                .count(counts.lost)
                .next(format!("state such a value with {} when it stands for nodata", Step::StateNodata)),
            );
        }
        report
    }

    fn counts(&self) -> Result<Counts> {
        let mut counts = Counts::default();
        let information = &self.inner.information;
        let wide = self.bands().iter().any(|band| !band.data_type.fits_f32());
        let several = self.band_count() > 1 && self.bands().iter().any(super::Band::can_miss);
        if information.masks.alpha.is_empty() && !wide && !several {
            return Ok(counts);
        }
        for window in self.samples() {
            counts.pixels += window.area();
            if several {
                let nearest = GDALRIOResampleAlg::GRIORA_NearestNeighbour;
                let read = self.read_by_band(&window, window.size(), nearest)?;
                let pixels = read.pixels(self.bands());
                for pixel in 0..window.area() {
                    let misses = |present: &Option<Vec<u8>>| {
                        present.as_ref().is_some_and(|present| present[pixel] == 0)
                    };
                    let missing = read.present.iter().filter(|one| misses(one)).count();
                    if read.base[pixel] == 0 || missing == 0 {
                        continue;
                    }
                    if pixels[pixel] != 0 {
                        counts.partly += 1;
                    } else if missing < self.band_count() {
                        counts.broken += 1;
                    }
                }
            }
            for &number in &information.masks.alpha {
                let values = self.raw_band(number, &window)?;
                let full = values.iter().copied().fold(0.0, f64::max);
                counts.transparent += values.iter().filter(|&&value| value == 0.0).count();
                counts.between += values
                    .iter()
                    .filter(|&&value| value != 0.0 && value != full)
                    .count();
            }
            for band in self.bands() {
                if band.data_type.fits_f32()
                    || band.reading != Reading::Plain
                    || !matches!(self.inner.kind, Kind::File)
                {
                    continue;
                }
                let nodata = band.missing.map(super::band::Nodata::as_f64);
                let whole = matches!(band.data_type, DataType::I64 | DataType::U64);
                for value in self.raw_band(band.number, &window)? {
                    if Some(value) == nodata || !value.is_finite() {
                        continue;
                    }
                    let held = f64::from(value as f32);
                    counts.lost += usize::from(!held.is_finite());
                    let beyond = whole && value.abs() >= 9e15;
                    counts.rounded += usize::from(held.is_finite() && (held != value || beyond));
                }
            }
        }
        Ok(counts)
    }

    /// All of a small raster, windows spread over a large one.
    pub(super) fn samples(&self) -> Vec<PixelWindow> {
        let size = self.size();
        if size.area().saturating_mul(self.band_count()) <= WHOLE {
            return vec![self.full()];
        }
        let side = Size::new(SIDE.min(size.width), SIDE.min(size.height));
        let at = |index: usize, full: usize, side: usize| (full - side) * index / (ALONG - 1);
        (0..ALONG * ALONG)
            .map(|index| {
                PixelWindow::new(
                    at(index % ALONG, size.width, side.width) as i64,
                    at(index / ALONG, size.height, side.height) as i64,
                    side.width,
                    side.height,
                )
            })
            .collect()
    }
}
