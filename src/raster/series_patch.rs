//! Pixels of a window on every date.

use super::dated::{self, Through};
use super::join_error::JoinError;
use super::{Date, Patch, PixelWindow, Raster, Size};
use crate::Result;

/// Pixels of a window on every date of a time series, as a sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesPatch {
    /// Columns and rows.
    pub size: Size,
    /// The dates, the earliest first.
    pub dates: Vec<Date>,
    /// The names of the bands, without a date.
    pub bands: Vec<String>,
    /// `[dates, bands, height, width]`; 0 where a date has no value.
    pub data: Vec<f32>,
    /// `[dates, height, width]`: 1 where every band of the date has a value.
    pub valid: Vec<u8>,
}

impl SeriesPatch {
    /// Dates, bands, height and width: the order in which [`SeriesPatch::data`] holds them.
    #[must_use]
    pub fn shape(&self) -> [usize; 4] {
        let size = self.size;
        [self.dates.len(), self.bands.len(), size.height, size.width]
    }

    /// One value; `None` outside, and where the date has none.
    #[must_use]
    pub fn value(&self, date: usize, band: usize, row: usize, col: usize) -> Option<f32> {
        let [dates, bands, height, width] = self.shape();
        if date >= dates || band >= bands || row >= height || col >= width {
            return None;
        }
        let pixel = row * width + col;
        let valid = *self.valid.get(date * height * width + pixel)?;
        let value = self
            .data
            .get((date * bands + band) * height * width + pixel);
        value.copied().filter(|_| valid != 0)
    }

    /// The share of pixels that a date has, from 0 to 1; 0 for a date that is not there.
    #[must_use]
    pub fn valid_fraction(&self, date: usize) -> f64 {
        let area = self.size.area();
        let valid = self.valid.get(date * area..(date + 1) * area);
        let count = valid.map_or(0, |valid| valid.iter().filter(|&&one| one != 0).count());
        count as f64 / area.max(1) as f64
    }

    /// The pixels of one date; `None` when it is not there.
    #[must_use]
    pub fn patch(&self, date: usize) -> Option<Patch> {
        let (area, bands) = (self.size.area(), self.bands.len());
        let values = bands * area;
        Some(Patch {
            size: self.size,
            bands,
            data: self.data.get(date * values..(date + 1) * values)?.to_vec(),
            valid: self.valid.get(date * area..(date + 1) * area)?.to_vec(),
        })
    }

    /// Keeps what `keep`, `[height, width]`, does not call 0.
    pub(crate) fn mask_with(&mut self, keep: &[u8]) {
        let (area, bands) = (self.size.area(), self.bands.len());
        for date in 0..self.dates.len() {
            for (pixel, _) in keep.iter().enumerate().filter(|(_, one)| **one == 0) {
                self.valid[date * area + pixel] = 0;
                for band in 0..bands {
                    self.data[(date * bands + band) * area + pixel] = 0.0;
                }
            }
        }
    }
}

impl Raster {
    /// The dates of a time series, the earliest first; empty for other rasters.
    #[must_use]
    pub fn dates(&self) -> Vec<Date> {
        dated::dates(self.bands())
    }

    /// Reads a window of a time series as a sequence of dates. Bands without a date are left out.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let series = TimeSeries::new("s2/*.tif").open()?;
    /// let pixels = series.read_series(&PixelWindow::new(0, 0, 64, 64))?;
    /// assert_eq!(pixels.shape(), [pixels.dates.len(), pixels.bands.len(), 64, 64]);
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`JoinError::NotASeries`] for a raster without dates, [`JoinError::MissingBands`] when a band is not there on every date;
    /// as [`Raster::read`].
    #[doc(alias = "to_sequence")]
    #[doc(alias = "TCHW")]
    pub fn read_series(&self, window: &PixelWindow) -> Result<SeriesPatch> {
        let through = dated::through(self.bands());
        let dates = self.dates();
        if dates.is_empty() {
            return Err(JoinError::NotASeries {
                path: self.path().to_owned(),
            }
            .into());
        }
        let lacks = |band: &Through, date: Date| band.places.iter().all(|(own, _)| *own != date);
        for &date in &dates {
            let missing: Vec<String> = through
                .iter()
                .filter(|band| lacks(band, date))
                .map(|band| band.name.clone())
                .collect();
            if !missing.is_empty() {
                return Err(JoinError::MissingBands { date, missing }.into());
            }
        }
        let nearest = gdal_sys::GDALRIOResampleAlg::GRIORA_NearestNeighbour;
        let read = self.read_by_band(window, window.size(), nearest)?;
        let area = window.area();
        let mut patch = SeriesPatch {
            size: window.size(),
            data: Vec::with_capacity(dates.len() * through.len() * area),
            valid: Vec::with_capacity(dates.len() * area),
            bands: through.iter().map(|band| band.name.clone()).collect(),
            dates,
        };
        for &date in &patch.dates {
            let of_date = through
                .iter()
                .flat_map(|band| &band.places)
                .filter(|(own, _)| *own == date);
            let places: Vec<usize> = of_date.map(|(_, place)| *place).collect();
            let mut valid = read.base.clone();
            for &place in &places {
                if let Some(present) = &read.present[place] {
                    let both = valid.iter_mut().zip(present);
                    both.for_each(|(all, &one)| *all &= one);
                }
            }
            for place in places {
                let values = read.band(place).iter().zip(&valid);
                patch
                    .data
                    .extend(values.map(|(&value, &here)| if here == 0 { 0.0 } else { value }));
            }
            patch.valid.extend(valid);
        }
        Ok(patch)
    }
}
