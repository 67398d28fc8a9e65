//! The same bands of several dates as one raster.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use super::band_words::find;
use super::code_bands::say_codes;
use super::dated;
use super::information::{Information, named};
use super::join_error::JoinError;
use super::layer::{Kind, Layer, alike};
use super::mask::{Invalid, Masked};
use super::mosaic::Tiles;
use super::series_files::{by_date, is_called, say_dates};
use super::stack::{Stack, StackExtent, StackGrid, StackPart, common, stem};
use super::{Band, BandTransform, DataType, Date, OpenOptions, Raster, Resampling, Resolution};
use crate::Result;
use crate::host::Step;
use crate::report::{Notice, Report};
use crate::session;

/// The files of one date of a [`TimeSeries`].
///
/// ```
/// use swath::prelude::*;
/// let april = SeriesDate::new("2023-04-15", ["april_B04.tif", "april_B08.tif"]).mask("april_clouds.tif", [1]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesDate {
    date: String,
    parts: Vec<StackPart>,
    mask: Option<(PathBuf, Invalid)>,
}

impl SeriesDate {
    /// A date ([`Date`], or a text that [`Date::parse`] understands) and its files: paths, pairs of a name and a path, or
    /// [`StackPart`]s.
    #[must_use]
    pub fn new<P: Into<StackPart>>(date: impl Display, parts: impl IntoIterator<Item = P>) -> Self {
        Self {
            date: date.to_string(),
            parts: parts.into_iter().map(Into::into).collect(),
            mask: None,
        }
    }

    /// A raster in which these values stand for pixels that are not to be used on this date, such as clouds.
    #[must_use]
    pub fn mask<C: Into<f64>>(
        mut self,
        path: impl AsRef<Path>,
        invalid: impl IntoIterator<Item = C>,
    ) -> Self {
        let codes = invalid.into_iter().map(Into::into).collect();
        self.mask = Some((path.as_ref().to_owned(), Invalid::Codes(codes)));
        self
    }
}

impl SeriesDate {
    /// The date as it was given.
    pub(crate) fn written(&self) -> &str {
        &self.date
    }

    /// Its files, without that of its mask.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.parts.iter().map(StackPart::path)
    }

    /// Its mask, in words.
    pub(crate) fn mask_words(&self) -> Option<String> {
        let (path, invalid) = self.mask.as_ref()?;
        Some(format!(
            "{}, missing where it is {}",
            path.display(),
            invalid.words()
        ))
    }
}

impl<D: Display, P: Into<StackPart>> From<(D, P)> for SeriesDate {
    fn from((date, part): (D, P)) -> Self {
        Self::new(date, [part])
    }
}

/// Scenes of one place on several dates as one scene: the bands of every date on one grid, date after date, called
/// `B04 2023-04-15`. Nothing is written, and only what is asked for is read.
///
/// | | unless said otherwise |
/// |---|---|
/// | dates | those in the names of files, or else of their folders: `20230415`, `2023-04-15`, `2023105` |
/// | bands of a date | all of its files, stacked as by [`Stack`], on the grid of the finest |
/// | grid and extent | those of the first date |
/// | order | by date; two files of one band and date are an error |
/// | bands | those of the first date; a date that lacks one is an error |
/// | validity | on each date as its files and its mask say; a pixel of the series is valid where any date is, and 0 where a date is missing ([`BandTransform::fill_dates`] fills it) |
///
/// ```no_run
/// use swath::prelude::*;
/// let series = TimeSeries::new("s2/*.tif").bands(["B02", "B03", "B04", "B08"]).mask("SCL", [0, 1, 3, 8, 9, 10]);
/// let scene = Scene::series_with(series)?.with_index("ndvi")?; // an NDVI for each date
/// let summer = scene.composite(Composite::Median)?;
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TimeSeries {
    files: Tiles,
    dates: Vec<SeriesDate>,
    between: Option<(String, String)>,
    bands: Option<Vec<String>>,
    mask: Option<(String, Invalid)>,
    /// How the files of a date are stacked: everything of a [`Stack`] but its files.
    stack: Stack,
    report: Report,
}

/// Dates with their files.
type DatedFiles = Vec<(Date, Vec<PathBuf>)>;

/// A date that is open.
struct Opened {
    date: Date,
    raster: Raster,
}

impl<T: Into<Tiles>> From<T> for TimeSeries {
    fn from(files: T) -> Self {
        Self::new(files)
    }
}

impl From<&Self> for TimeSeries {
    fn from(series: &Self) -> Self {
        series.clone()
    }
}

impl TimeSeries {
    /// A folder, a pattern such as `"s2/**/*.tif"`, or a list of files with dates in their names: one file for each date or
    /// one for each band.
    #[must_use]
    pub fn new(files: impl Into<Tiles>) -> Self {
        Self {
            files: files.into(),
            dates: Vec::new(),
            between: None,
            bands: None,
            mask: None,
            stack: Stack::new::<StackPart>([]).grid(StackGrid::Finest),
            report: Report::new(),
        }
    }

    /// Dates that are stated: pairs of a date and a file, or [`SeriesDate`]s.
    ///
    /// ```
    /// use swath::prelude::*;
    /// let series = TimeSeries::of([("2023-04-15", "april.tif"), ("2023-06-04", "june.tif")]);
    /// ```
    #[must_use]
    pub fn of<D: Into<SeriesDate>>(dates: impl IntoIterator<Item = D>) -> Self {
        Self {
            dates: dates.into_iter().map(Into::into).collect(),
            ..Self::new(Tiles::default())
        }
    }

    /// Only the dates from one day to another, both included. The earlier day comes first.
    #[must_use]
    #[doc(alias = "date_range")]
    pub fn between(mut self, first: impl Display, last: impl Display) -> Self {
        self.between = Some((first.to_string(), last.to_string()));
        self
    }

    /// Only these bands, in this order: by name, or by what they show. Files of other bands are opened for the names of
    /// their bands alone, so that they may lie anywhere or nowhere; none of their pixels are read.
    #[must_use]
    pub fn bands<B: Into<String>>(mut self, bands: impl IntoIterator<Item = B>) -> Self {
        self.bands = Some(bands.into_iter().map(Into::into).collect());
        self
    }

    /// The file or band of each date that tells what is not to be used, and the values that say so: of Sentinel-2's `SCL`
    /// usually 0, 1, 3, 8, 9, 10 and 11. It is no band of the series.
    #[must_use]
    #[doc(alias = "cloud_mask")]
    #[doc(alias = "maskClouds")]
    pub fn mask<C: Into<f64>>(
        mut self,
        name: impl Into<String>,
        invalid: impl IntoIterator<Item = C>,
    ) -> Self {
        let codes = invalid.into_iter().map(Into::into).collect();
        self.mask = Some((name.into(), Invalid::Codes(codes)));
        self
    }

    /// As [`TimeSeries::mask`], where bits of the values say it, counted from 0: of Landsat's `QA_PIXEL` usually 0, 1, 3
    /// and 4.
    #[must_use]
    #[doc(alias = "bitmask")]
    pub fn mask_bits(
        mut self,
        name: impl Into<String>,
        bits: impl IntoIterator<Item = u32>,
    ) -> Self {
        self.mask = Some((name.into(), Invalid::Bits(bits.into_iter().collect())));
        self
    }

    /// Whose pixels the files of a date are brought to.
    #[must_use]
    pub fn grid(mut self, grid: StackGrid) -> Self {
        self.stack = self.stack.grid(grid);
        self
    }

    /// What it covers: what the first date covers, any of them, or all.
    #[must_use]
    pub fn extent(mut self, extent: StackExtent) -> Self {
        self.stack = self.stack.extent(extent);
        self
    }

    /// Pixels of another size.
    #[must_use]
    pub fn pixel_size(mut self, pixel: Resolution) -> Self {
        self.stack = self.stack.pixel_size(pixel);
        self
    }

    /// How values come from another grid; those of masks are always the nearest.
    #[must_use]
    pub fn resampling(mut self, resampling: Resampling) -> Self {
        self.stack = self.stack.resampling(resampling);
        self
    }

    /// What the scene is called; what all file names begin with unless this says it.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.stack = self.stack.named(name);
        self
    }

    /// What there is to say of how it was made.
    pub(crate) fn reported(mut self, report: Report) -> Self {
        self.report = report;
        self
    }

    /// Opens the files and puts the dates behind each other. One of several bands of which some are wanted is opened twice:
    /// for their names, and for those alone.
    ///
    /// # Errors
    /// [`JoinError`] when names have no date, the days of [`TimeSeries::between`] run backwards, two files are of one band and date, a date lacks a band or its mask; as
    /// [`Stack::open`].
    pub fn open(&self) -> Result<Raster> {
        self.joined(false)
    }

    /// What was chosen, in words.
    pub(crate) fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = Vec::new();
        if self.dates.is_empty() {
            facts.push(("files", self.files.words()));
        }
        if let Some((first, last)) = &self.between {
            facts.push(("between", format!("{first} and {last}")));
        }
        let bands = self.bands.as_ref();
        facts.push((
            "bands",
            bands.map_or_else(
                || "those of the first date".to_owned(),
                |bands| bands.join(", "),
            ),
        ));
        if let Some((name, invalid)) = &self.mask {
            facts.push((
                "mask",
                format!("{name}, missing where it is {}", invalid.words()),
            ));
        }
        facts.extend(self.stack.facts());
        facts
    }

    /// Its dates with the names of their files, as they are found without opening one, and what was assumed.
    ///
    /// # Errors
    /// As [`TimeSeries::open`].
    pub(crate) fn listed(&self) -> Result<(DatedFiles, Report)> {
        let (dates, mut report) = self.chosen()?;
        let files = |one: &SeriesDate| one.paths().map(Path::to_owned).collect();
        let called = |one: &SeriesDate, name: &str| {
            let mut parts = one.parts.iter();
            parts.any(|part| is_called(part.path(), part.name(), name))
        };
        if let Some((name, _)) = &self.mask {
            let without = |(_, one): &&(Date, SeriesDate)| one.mask.is_none() && !called(one, name);
            let count = dates.iter().filter(without).count();
            if count > 0 {
                let text = format!(
                    "{count} of {} dates have no file that is called {name:?}",
                    dates.len()
                );
                report.push(
                    Notice::noted(text)
                        .count(count)
                        .next("opening the series looks for a band of that name in the files"),
                );
            }
        }
        let rows = dates.iter().map(|(date, one)| (*date, files(one)));
        Ok((rows.collect(), report))
    }

    /// The dates that are wanted, with their files, and what there is to say of them.
    fn chosen(&self) -> Result<(Vec<(Date, SeriesDate)>, Report)> {
        let mut report = self.report.clone();
        let dates = self.limited(self.dated(&mut report)?)?;
        if self.dates.is_empty() {
            let known: Vec<Date> = dates.iter().map(|(date, _)| *date).collect();
            report.extend(say_dates(&known));
        }
        Ok((dates, report))
    }

    pub(crate) fn joined(&self, scene: bool) -> Result<Raster> {
        let (dates, mut report) = self.chosen()?;
        let mut opened = Vec::with_capacity(dates.len());
        let mut of_dates = Report::new();
        for (date, files) in &dates {
            session::check_interrupt("opening a time series")?;
            let raster = self.one(*date, files, scene, &mut of_dates)?;
            opened.push(Opened {
                date: *date,
                raster,
            });
        }
        let names = match opened.first() {
            Some(first) => self.names_of(first)?,
            None => {
                return Err(JoinError::Nothing {
                    what: "a time series",
                }
                .into());
            }
        };
        let parts = opened
            .iter()
            .map(|one| StackPart::new(one.raster.path()).named(one.date.to_string()));
        let rasters: Vec<Raster> = opened.iter().map(|one| one.raster.clone()).collect();
        let dates_as_parts = self.stack.of_parts(parts.collect()).on_first();
        let (grid, mut layers) = dates_as_parts.layers(&rasters, &mut of_dates)?;
        // Every date says much the same.
        report.extend(alike(
            of_dates.into_iter().map(|notice| {
                let about = notice.subject().unwrap_or_default().to_owned();
                (notice, about)
            }),
            "dates",
        ));
        let mut bands: Vec<Band> = Vec::with_capacity(opened.len() * names.len());
        let mut left_out: Vec<String> = Vec::new();
        for (one, layer) in opened.iter().zip(&mut layers) {
            layer.bands = places(one, &names)?;
            for &place in &layer.bands {
                let band = &one.raster.bands()[place];
                bands.push(Band {
                    number: bands.len() as i32 + 1,
                    name: format!("{} {}", band.name, one.date),
                    date: Some(one.date),
                    ..of_series(band)
                });
            }
            let all = one.raster.band_names().into_iter();
            left_out.extend(all.filter(|name| self.bands.is_none() && !names.contains(name)));
        }
        say_bands(&bands, &left_out, &mut report);
        let mut information =
            Information::composed(grid.size, bands, grid.place, "time series", report);
        if let Some(first) = rasters.first() {
            information.block = first.block_size();
        }
        Ok(Raster::composed(
            self.path(&dates),
            Kind::Series(layers),
            information,
            OpenOptions::new(),
        ))
    }

    /// The dates with their files, the earliest first.
    fn dated(&self, report: &mut Report) -> Result<Vec<(Date, SeriesDate)>> {
        let mut dates: Vec<(Date, SeriesDate)> = Vec::new();
        for one in &self.dates {
            let date = Date::parse(&one.date).ok_or_else(|| JoinError::BadDate {
                text: one.date.clone(),
            })?;
            if dates.iter().any(|(known, _)| *known == date) {
                return Err(JoinError::SameDate { date }.into());
            }
            dates.push((date, one.clone()));
        }
        if self.dates.is_empty() {
            let files = self.files.files("a time series")?;
            if files.is_empty() {
                return Err(JoinError::Nothing {
                    what: "a time series",
                }
                .into());
            }
            let found = by_date(files, report)?.into_iter();
            dates.extend(found.map(|(date, files)| (date, SeriesDate::new(date, files))));
        }
        dates.sort_by_key(|(date, _)| *date);
        Ok(dates)
    }

    /// Those between the days that a person named.
    fn limited(&self, mut dates: Vec<(Date, SeriesDate)>) -> Result<Vec<(Date, SeriesDate)>> {
        let Some((first, last)) = &self.between else {
            return Ok(dates);
        };
        let day =
            |text: &String| Date::parse(text).ok_or(JoinError::BadDate { text: text.clone() });
        let (first, last) = (day(first)?, day(last)?);
        if first > last {
            return Err(JoinError::Backwards { first, last }.into());
        }
        let known: Vec<Date> = dates.iter().map(|(date, _)| *date).collect();
        dates.retain(|(date, _)| (first..=last).contains(date));
        match dates.is_empty() {
            false => Ok(dates),
            true => Err(JoinError::NoSuchDate {
                wanted: format!("{first} to {last}"),
                known,
            }
            .into()),
        }
    }

    /// One date: its files on one grid, without what its mask calls invalid.
    fn one(
        &self,
        date: Date,
        files: &SeriesDate,
        scene: bool,
        report: &mut Report,
    ) -> Result<Raster> {
        let mut mask: Option<(Raster, Invalid)> = None;
        if let Some((path, invalid)) = &files.mask {
            mask = Some((Raster::open_as_stored(path)?, invalid.clone()));
        }
        let mut imagery: Vec<(StackPart, Raster)> = Vec::new();
        for part in &files.parts {
            let Some((name, invalid)) = self.mask.as_ref().filter(|_| files.mask.is_none()) else {
                imagery.push((part.clone(), part.opened(scene)?));
                continue;
            };
            let is_mask = is_called(part.path(), part.name(), name);
            if is_mask && let Some((first, _)) = &mask {
                return Err(JoinError::SeveralOfDate {
                    date,
                    band: name.clone(),
                    first: first.path().to_owned(),
                    path: part.path().to_owned(),
                }
                .into());
            }
            if is_mask {
                mask = Some((Raster::open_as_stored(part.path())?, invalid.clone()));
                continue;
            }
            let raster = part.opened(scene)?;
            let called = |band: &Band| band.name.trim().eq_ignore_ascii_case(name.trim());
            let own = raster.bands().iter().position(called);
            match own.filter(|_| mask.is_none() && raster.band_count() > 1) {
                Some(at) => {
                    let only = part.only(&raster, &[at]);
                    mask = Some((only.opened(false)?, invalid.clone()));
                    let others = (0..raster.band_count()).filter(|&other| other != at);
                    let part = part.only(&raster, &others.collect::<Vec<_>>());
                    let raster = part.opened(scene)?;
                    imagery.push((part, raster));
                }
                None => imagery.push((part.clone(), raster)),
            }
        }
        let once = once(date, &imagery)?;
        if let (Some((name, _)), None) = (&self.mask, &mask) {
            return Err(JoinError::NoMask {
                date,
                wanted: name.clone(),
                known: once,
            }
            .into());
        }
        let raster = self.stacked(date, imagery, scene)?;
        match mask {
            Some((mask, invalid)) => {
                report.push(
                    Notice::noted(format!(
                        "pixels are missing on a date where its mask is {}",
                        invalid.words()
                    ))
                    .about(crate::report::file_name(mask.path())),
                );
                Masked::over(&raster, &mask, invalid, report)
            }
            None => Ok(raster),
        }
    }

    /// The bands of a date that are wanted, on one grid.
    fn stacked(
        &self,
        date: Date,
        mut imagery: Vec<(StackPart, Raster)>,
        scene: bool,
    ) -> Result<Raster> {
        if let Some(wanted) = &self.bands {
            let (parts, rasters): (Vec<StackPart>, Vec<Raster>) = imagery.iter().cloned().unzip();
            // What there is to say of bands is said when those that are wanted are joined.
            let all = (self.stack.of_parts(parts)).bands(&rasters, &mut Report::new());
            let found = wanted.iter().map(|name| find(name, &all, ("", 0)));
            let found: std::result::Result<Vec<usize>, _> = found.collect();
            let found = found?;
            let mut before = 0;
            let mut kept = Vec::new();
            for (part, raster) in imagery {
                let own = before..before + raster.band_count();
                before = own.end;
                let places: Vec<usize> = own
                    .clone()
                    .filter(|at| found.contains(at))
                    .map(|at| at - own.start)
                    .collect();
                match places.len() {
                    0 => {}
                    count if count == raster.band_count() => kept.push((part, raster)),
                    _ => {
                        let part = part.only(&raster, &places);
                        let raster = part.opened(scene)?;
                        kept.push((part, raster));
                    }
                }
            }
            imagery = kept;
        }
        let (parts, rasters): (Vec<StackPart>, Vec<Raster>) = imagery.into_iter().unzip();
        let stack = self.stack.of_parts(parts).named(date.to_string());
        stack.join(&rasters)
    }

    /// The names of the bands that every date is to have.
    fn names_of(&self, first: &Opened) -> Result<Vec<String>> {
        let bands = first.raster.bands();
        let Some(wanted) = &self.bands else {
            return Ok(first.raster.band_names());
        };
        let mut names: Vec<String> = Vec::with_capacity(wanted.len());
        for word in wanted {
            let name = bands[find(word, bands, ("", 0))?].name.clone();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// What stands for the files: the folder of the first one, with a name.
    fn path(&self, dates: &[(Date, SeriesDate)]) -> PathBuf {
        let parts = || dates.iter().flat_map(|(_, files)| &files.parts);
        let stems: Vec<String> = parts().map(|part| stem(part.path())).collect();
        let first = parts().next().map(StackPart::path);
        let folder = first.and_then(Path::parent).unwrap_or(Path::new(""));
        let name = self
            .stack
            .name()
            .map_or_else(|| common(&stems), str::to_owned);
        folder.join(format!("{name}.series"))
    }
}

/// The names of a date's bands, each in one file.
///
/// # Errors
/// [`JoinError::SeveralOfDate`].
fn once(date: Date, imagery: &[(StackPart, Raster)]) -> Result<Vec<String>, JoinError> {
    let mut known: Vec<(String, &Path)> = Vec::new();
    for (part, raster) in imagery {
        let before = known.len();
        for name in part.band_names(raster) {
            let same = known[..before].iter().find(|(other, _)| *other == name);
            if let Some((_, first)) = same {
                return Err(JoinError::SeveralOfDate {
                    date,
                    band: name,
                    first: (*first).to_owned(),
                    path: part.path().to_owned(),
                });
            }
            known.push((name, part.path()));
        }
    }
    Ok(known.into_iter().map(|(name, _)| name).collect())
}

/// Where the bands of these names are on a date.
fn places(one: &Opened, names: &[String]) -> Result<Vec<usize>, JoinError> {
    let own = one.raster.band_names();
    let place = |name: &String| own.iter().position(|other| other == name);
    let missing: Vec<String> = names
        .iter()
        .filter(|name| place(name).is_none())
        .cloned()
        .collect();
    match missing.is_empty() {
        true => Ok(names.iter().filter_map(place).collect()),
        false => Err(JoinError::MissingBands {
            date: one.date,
            missing,
        }),
    }
}

/// A date's band in the series, where it is missing as its date is.
fn of_series(band: &Band) -> Band {
    Band {
        reading: super::band::Reading::Plain,
        missing: None,
        own_mask: true,
        image: 0,
        ..band.clone()
    }
}

/// Says what differs between dates.
fn say_bands(bands: &[Band], left_out: &[String], report: &mut Report) {
    let mut types: Vec<&str> = Vec::new();
    let (mut other_types, mut other_scales) = (Vec::new(), Vec::new());
    for band in dated::through(bands) {
        let of: Vec<&Band> = band.places.iter().map(|&(_, at)| &bands[at]).collect();
        let Some((first, others)) = of.split_first() else {
            continue;
        };
        if others.iter().any(|one| one.data_type != first.data_type) {
            types.extend(of.iter().map(|one| DataType::as_str(one.data_type)));
            other_types.push(band.name.clone());
        }
        if let Some(other) =
            (others.iter()).find(|one| (one.scale, one.offset) != (first.scale, first.offset))
        {
            let words = |one: &Band| format!("value x {} + {}", one.scale, one.offset);
            other_scales.push((band.name.clone(), words(first), words(other)));
        }
    }
    if !other_types.is_empty() {
        types.sort_unstable();
        types.dedup();
        let names: Vec<&str> = other_types.iter().map(String::as_str).collect();
        report.push(
            Notice::noted(format!(
                "{} of several dates are of different types ({}): values are as stored in each",
                named(&names),
                types.join(", ")
            ))
            .count(other_types.len())
            .next("bring the files to one type and range before they are joined"),
        );
    }
    if let Some((_, first, other)) = other_scales.first() {
        let names: Vec<&str> = other_scales
            .iter()
            .map(|(name, ..)| name.as_str())
            .collect();
        report.push(
            Notice::noted(format!(
                "the files of several dates give different scales and offsets to {}, such as {first} and {other}: values are as \
                 stored, so that one number means different things",
                named(&names)
            ))
            .count(other_scales.len())
            .next("`BandTransform::linear(scale, offset).on([\"B04 2021-06-01\", …])` brings each to one unit"),
        );
    }
    report.extend(say_codes(bands, |name| {
        format!(
            "{} takes it as the mask, {} leaves it out",
            Step::MaskSeries { name },
            Step::BandsOfSeries
        )
    }));
    if !left_out.is_empty() {
        let mut names: Vec<&str> = left_out.iter().map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        report.push(
            Notice::left_out(format!(
                "bands that the first date does not have: {}",
                named(&names)
            ))
            .count(left_out.len())
            .next(format!("{} says which are wanted", Step::BandsOfSeries)),
        );
    }
}

impl Raster {
    /// One date of a time series, by a [`Date`] or a text such as `"2023-04-15"`; its bands are called without the date, unless
    /// the series was changed before.
    ///
    /// # Errors
    /// [`JoinError::BadDate`], [`JoinError::NoSuchDate`], [`JoinError::NotASeries`].
    #[doc(alias = "sel")]
    pub fn on_date(&self, date: impl Display) -> Result<Self> {
        let text = date.to_string();
        let dates = self.dates();
        if dates.is_empty() {
            return Err(JoinError::NotASeries {
                path: self.path().to_owned(),
            }
            .into());
        }
        let date = Date::parse(&text).ok_or(JoinError::BadDate { text: text.clone() })?;
        if !dates.contains(&date) {
            return Err(JoinError::NoSuchDate {
                wanted: date.to_string(),
                known: dates,
            }
            .into());
        }
        let own: Vec<&Band> = (self.bands().iter())
            .filter(|band| band.date == Some(date))
            .collect();
        let layer: Option<&Layer> = match &self.inner.kind {
            Kind::Series(layers) => dates
                .iter()
                .position(|one| *one == date)
                .and_then(|at| layers.get(at)),
            _ => None,
        };
        let Some(layer) = layer else {
            let names = own.iter().map(|band| band.name.clone());
            return self.with_transforms([BandTransform::select(names)]);
        };
        let bands = own.iter().enumerate().map(|(at, band)| Band {
            number: at as i32 + 1,
            name: band.undated_name().to_owned(),
            date: None,
            ..(*band).clone()
        });
        let information = Information {
            bands: bands.collect(),
            report: Report::new(),
            ..self.inner.information.clone()
        };
        let name = format!("{} {date}.series", stem(self.path()));
        Ok(Self::composed(
            self.path().with_file_name(name),
            Kind::Series(vec![layer.clone()]),
            information,
            OpenOptions::new(),
        ))
    }
}
