//! Scenes of several dates.

use std::fmt::Display;

use super::Scene;
use crate::Result;
use crate::plot::image::{Stretch, composite};
use crate::plot::{DateCell, Figure, date_strip};
use crate::raster::{
    BandChoice, BandTransform, Composite, Date, Patch, PixelWindow, Raster, SeriesPatch, Size,
    TimeSeries,
};
use crate::session;

/// The longest side of what a date's missing pixels are counted in.
const COUNTED: usize = 1024;
/// How wide a strip is, and the sides that its pictures may have.
const STRIP: usize = 900;
const SIDES: std::ops::RangeInclusive<usize> = 140..=300;

impl Scene {
    /// Scenes of one place on several dates as one: files with dates in their names, by a folder, a pattern or a list, one for
    /// each date or one for each band. See [`TimeSeries`], which has the rules and is taken as well. Bands are called `B04 2023-04-15`.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = Scene::series("s2/*.tif")?.with_labels("fields.gpkg", "crop")?;
    /// println!("{:?}", scene.dates());
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`TimeSeries::open`].
    #[doc(alias = "TemporalRasterSource")]
    #[doc(alias = "time_series")]
    #[doc(alias = "SITS")]
    pub fn series(files: impl Into<TimeSeries>) -> Result<Self> {
        Self::series_with(files.into())
    }

    /// [`Scene::series`] with stated dates, chosen bands, masks or another grid.
    ///
    /// # Errors
    /// As [`TimeSeries::open`].
    pub fn series_with(series: impl std::borrow::Borrow<TimeSeries>) -> Result<Self> {
        Ok(Self::of(series.borrow().joined(true)?))
    }

    /// The dates of a time series, the earliest first; empty for other scenes.
    #[must_use]
    pub fn dates(&self) -> Vec<Date> {
        self.raster().dates()
    }

    /// One date of a time series, with the same labels and area: by a [`Date`], or a text such as `"2023-04-15"`. Its bands are
    /// called without the date, unless the series was changed before.
    ///
    /// # Errors
    /// As [`Raster::on_date`].
    #[doc(alias = "sel")]
    pub fn on_date(&self, date: impl Display) -> Result<Self> {
        Ok(self.with_raster(self.raster().on_date(date)?))
    }

    /// One band of the same band of all dates, by the dates on which each pixel is valid: see [`BandTransform::composite`].
    ///
    /// # Errors
    /// [`crate::raster::TransformError::NoDates`]; of [`Composite::MaxNdvi`] when a date lacks red or near infrared.
    #[doc(alias = "median_composite")]
    pub fn composite(&self, how: Composite) -> Result<Self> {
        self.with_transforms([BandTransform::composite(how)])
    }

    /// Values where a date has none, between those of the dates around: see [`BandTransform::fill_dates`].
    ///
    /// # Errors
    /// [`crate::raster::TransformError::NoDates`].
    #[doc(alias = "interpolate_na")]
    #[doc(alias = "gap_fill")]
    pub fn fill_dates(&self) -> Result<Self> {
        self.with_transforms([BandTransform::fill_dates()])
    }

    /// Reads a window on every date, as a sequence: `[dates, bands, height, width]`. What lies outside the area in use is
    /// invalid on all of them.
    ///
    /// # Errors
    /// As [`Raster::read_series`].
    #[doc(alias = "to_sequence")]
    pub fn read_series(&self, window: &PixelWindow) -> Result<SeriesPatch> {
        let mut patch = self.raster().read_series(window)?;
        if let Some(keep) = super::read::inside(window, &self.area(), None) {
            patch.mask_with(&keep);
        }
        Ok(patch)
    }

    /// A small picture of every date in a row, all stretched alike, with the date and the share of its pixels that are missing:
    /// clouds, where the series has masks.
    ///
    /// # Errors
    /// As [`Scene::show_series_bands`].
    #[doc(alias = "show_dates")]
    #[doc(alias = "time_strip")]
    pub fn show_series(&self) -> Result<Figure> {
        self.strip(composite)
    }

    /// [`Scene::show_series`] of other bands: one in gray, or three as red, green and blue, named without a date.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = Scene::series("s2/*.tif")?.with_index("ndvi")?;
    /// scene.show_series_bands(["nir", "red", "green"])?;
    /// scene.show_series_bands(["ndvi"])?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::raster::JoinError::NotASeries`] for a scene without dates; [`crate::raster::RasterError::NoSuchBand`];
    /// [`crate::plot::PlotError::BandCount`] for neither one nor three; [`crate::raster::RasterError::Read`].
    pub fn show_series_bands<B: Into<BandChoice>>(
        &self,
        bands: impl IntoIterator<Item = B>,
    ) -> Result<Figure> {
        let choices: Vec<BandChoice> = bands.into_iter().map(Into::into).collect();
        let dates = self.dates();
        let Some(first) = dates.first() else {
            return Err(self.no_series());
        };
        let places = self.raster().on_date(first)?.band_places(choices)?;
        self.strip(|_| places.clone())
    }

    fn no_series(&self) -> crate::Error {
        let path = self.raster().path().to_owned();
        crate::raster::JoinError::NotASeries { path }.into()
    }

    fn strip(&self, shown: impl Fn(&[crate::raster::Band]) -> Vec<usize>) -> Result<Figure> {
        let dates = self.dates();
        if dates.is_empty() {
            return Err(self.no_series());
        }
        let (width, height) = self.size();
        // With room between them.
        let side = (STRIP / dates.len()).saturating_sub(6);
        let side = side.clamp(*SIDES.start(), *SIDES.end());
        let size = self.quicklook_size(side);
        let mut cells = Vec::with_capacity(dates.len());
        let mut words = String::new();
        for date in dates {
            session::check_interrupt("drawing a time series")?;
            let raster = self.raster().on_date(date)?;
            let bands = shown(raster.bands());
            if words.is_empty() {
                words = crate::plot::image::band_words(raster.bands(), &bands);
            }
            let mut patch = self.small(&raster, size)?;
            let missing = 1.0 - self.share_valid(&raster)?;
            let only: Vec<f32> = bands
                .iter()
                .flat_map(|&at| patch.band(at).to_vec())
                .collect();
            (patch.data, patch.bands) = (only, bands.len());
            cells.push(DateCell {
                date: date.to_string(),
                missing,
                patch,
            });
        }
        let title = format!(
            "{} on {} dates, {width} x {height} pixels; bands shown: {words}",
            self.name(),
            cells.len()
        );
        date_strip(&cells, &stretches(&cells), STRIP, &title)
    }

    /// A small picture of a date, without what lies outside the area of interest.
    fn small(&self, raster: &Raster, size: Size) -> Result<Patch> {
        let mut patch = raster.read_scaled(&self.area(), size)?;
        if let Some(aoi) = self.aoi() {
            patch.mask_with(&self.sampled_rows(size, |window| Ok(aoi.mask(window)))?);
        }
        Ok(patch)
    }

    /// The share of the area in use and of interest that a date has, counted pixel by pixel in scenes up to a thousand pixels
    /// wide, in a sample of larger ones.
    fn share_valid(&self, raster: &Raster) -> Result<f64> {
        let size = self.quicklook_size(COUNTED);
        let mut patch = raster.read_sampled(&self.area(), size)?;
        let inside = match self.aoi() {
            Some(aoi) => self.sampled_rows(size, |window| Ok(aoi.mask(window)))?,
            None => vec![1; size.area()],
        };
        patch.mask_with(&inside);
        let count = |one: &[u8]| one.iter().filter(|&&one| one != 0).count();
        Ok(count(&patch.valid) as f64 / count(&inside).max(1) as f64)
    }
}

/// The median of the dates' own percentiles: one date under clouds does not change all the others.
fn stretches(cells: &[DateCell]) -> Vec<Stretch> {
    let bands = cells.first().map_or(0, |cell| cell.patch.bands);
    let of = |band: usize| {
        let each: Vec<Stretch> = cells
            .iter()
            .filter(|cell| cell.patch.valid.contains(&1))
            .map(|cell| Stretch::of_patch(&cell.patch, band))
            .collect();
        let median = |pick: fn(&Stretch) -> f32| {
            let mut values: Vec<f32> = each.iter().map(pick).collect();
            values.sort_by(f32::total_cmp);
            values.get(values.len() / 2).copied()
        };
        let (low, high) = (median(|one| one.low), median(|one| one.high));
        Stretch::new(low.unwrap_or(0.0), high.unwrap_or(1.0))
    };
    (0..bands).map(of).collect()
}
