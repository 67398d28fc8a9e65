//! Rasters that are made of others while they are read: stacks, mosaics, time series, masked and transformed bands.

use std::path::PathBuf;

use gdal_sys::GDALRIOResampleAlg;

use super::bound::{self, Bound};
use super::by_band::ByBand;
use super::code_bands::says_codes;
use super::mask::Masked;
use super::read::target_of;
use super::warp::Warp;
use super::{PixelWindow, Raster, Size};
use crate::report::{Notice, Report, file_name};
use crate::{Result, session};

/// Where the pixels of a raster come from.
#[derive(Debug)]
pub(super) enum Kind {
    /// GDAL reads them.
    File,
    /// Another pixel size of a raster, where GDAL cannot make that.
    Regridded(Raster),
    /// The bands of several rasters on one grid.
    Stack(Vec<Layer>),
    /// Several rasters beside each other; later ones lie over earlier ones.
    Mosaic(Vec<Layer>),
    /// The same bands of several dates, one date after another.
    Series(Vec<Layer>),
    /// A raster without what its mask calls invalid.
    Masked(Box<Masked>),
    /// The bands of a raster, changed.
    Transformed(Raster, Vec<Bound>),
}

impl Raster {
    /// Whether a file is read as it is, or at another pixel size: it can be opened again with other bands.
    pub(crate) fn is_of_a_file(&self) -> bool {
        match &self.inner.kind {
            Kind::File => true,
            Kind::Regridded(base) => base.is_of_a_file(),
            Kind::Stack(_)
            | Kind::Mosaic(_)
            | Kind::Series(_)
            | Kind::Masked(_)
            | Kind::Transformed(..) => false,
        }
    }
}

/// A raster that another one is made of.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) raster: Raster,
    pub(super) lie: Lie,
    /// What it covers, in pixels of the whole.
    pub(super) area: PixelWindow,
    /// For each band of a mosaic, or of a date of a series, the raster's own that belongs there.
    pub(super) bands: Vec<usize>,
}

/// How the pixels of a layer lie on those of the whole.
#[derive(Clone, Debug)]
pub(super) enum Lie {
    /// Its first pixel is this one.
    Pixels { col: i64, row: i64 },
    /// On another grid.
    Warped(Warp),
}

impl Layer {
    /// Reads a window of the whole.
    pub(super) fn read(
        &self,
        window: &PixelWindow,
        size: Size,
        algorithm: GDALRIOResampleAlg::Type,
    ) -> Result<ByBand> {
        match &self.lie {
            Lie::Pixels { col, row } => {
                let own = PixelWindow {
                    col: window.col.saturating_sub(*col),
                    row: window.row.saturating_sub(*row),
                    ..*window
                };
                self.raster.read_by_band(&own, size, algorithm)
            }
            Lie::Warped(warp) => warp.read(&self.raster, window, size, algorithm),
        }
    }
}

impl Kind {
    /// The rasters that it is made of; `None` for a file.
    pub(super) fn parts(&self) -> Option<Vec<&Raster>> {
        match self {
            Self::File => None,
            Self::Regridded(base) | Self::Transformed(base, _) => Some(vec![base]),
            Self::Stack(layers) | Self::Mosaic(layers) | Self::Series(layers) => {
                Some(layers.iter().map(|layer| &layer.raster).collect())
            }
            Self::Masked(masked) => Some(vec![&masked.base, &masked.mask.raster]),
        }
    }

    /// The files behind it.
    pub(super) fn paths(&self, paths: &mut Vec<PathBuf>) {
        for part in self.parts().unwrap_or_default() {
            match &part.inner.kind {
                Self::File => paths.push(part.path().to_owned()),
                kind => kind.paths(paths),
            }
        }
    }

    /// A text that differs where pixels may; `None` where that cannot be said.
    pub(super) fn identity(&self) -> Option<String> {
        let mut text = String::new();
        for part in self.parts()? {
            text += &part.identity()?;
            text.push('\n');
        }
        match self {
            Self::File => return None,
            Self::Regridded(_) => text += "own",
            Self::Stack(layers) | Self::Mosaic(layers) | Self::Series(layers) => {
                text.extend(layers.iter().map(|layer| layer.key() + "\n"));
            }
            Self::Masked(masked) => text += &masked.key(),
            Self::Transformed(_, steps) => {
                for bound in steps {
                    text += &serde_json::to_string(&bound.numbers).ok()?;
                }
            }
        }
        Some(text)
    }

    /// What there is to say of the rasters that it is made of. A tile's is only what its file says: thousands of tiles are
    /// not looked through.
    pub(super) fn report(&self) -> Report {
        let mut report = Report::new();
        match self {
            Self::File | Self::Regridded(_) => {}
            Self::Transformed(base, _) => report.extend(base.report().clone()),
            Self::Masked(masked) => report.extend(masked.base.report().clone()),
            Self::Series(layers) => {
                let all = layers.iter().flat_map(|layer| {
                    let about = file_name(layer.raster.path());
                    let notices = own_words(&layer.raster);
                    notices.map(move |notice| {
                        let about = notice.subject().map_or(about.clone(), str::to_owned);
                        (notice, about)
                    })
                });
                report.extend(alike(all, "files"));
            }
            Self::Stack(layers) => {
                for layer in layers {
                    let about = file_name(layer.raster.path());
                    let notices = own_words(&layer.raster);
                    report.extend(notices.map(|notice| match notice.subject() {
                        Some(_) => notice,
                        None => notice.about(about.clone()),
                    }));
                }
            }
            Self::Mosaic(layers) => report.extend(same_of_many(layers)),
        }
        report
    }
}

/// What a raster says of itself that what is made of it does not say anew.
fn own_words(raster: &Raster) -> impl Iterator<Item = Notice> {
    let notices = raster.report().clone().into_iter();
    notices.filter(|notice| !says_codes(notice))
}

/// What the files of tiles say, each once with the number of tiles that say it.
fn same_of_many(layers: &[Layer]) -> Report {
    let all = layers.iter().flat_map(|layer| {
        let about = file_name(layer.raster.path());
        let notices = layer.raster.inner.information.report.clone().into_iter();
        notices.map(move |notice| (notice, about.clone()))
    });
    alike(all, &format!("of {} tiles", layers.len()))
}

/// Each notice once, with how many say it and the first one that does.
pub(super) fn alike(all: impl Iterator<Item = (Notice, String)>, what: &str) -> Report {
    let mut found: Vec<(Notice, usize, String)> = Vec::new();
    for (notice, about) in all {
        match found
            .iter_mut()
            .find(|(known, ..)| known.text() == notice.text())
        {
            Some((_, count, _)) => *count += 1,
            None => found.push((notice, 1, about)),
        }
    }
    found
        .into_iter()
        .map(|(notice, count, first)| match count {
            1 if first.is_empty() => notice,
            1 => notice.about(first),
            _ if first.is_empty() => notice.about(format!("{count} {what}")),
            _ => notice.about(format!("{count} {what}, the first is {first}")),
        })
        .collect()
}

impl Layer {
    /// A text that differs where it lies otherwise or has other bands.
    pub(super) fn key(&self) -> String {
        format!("{:?} {:?} {:?}", self.area, self.bands, self.lie.key())
    }
}

impl Lie {
    fn key(&self) -> String {
        match self {
            Self::Pixels { col, row } => format!("{col} {row}"),
            Self::Warped(warp) => warp.key(),
        }
    }
}

impl Raster {
    /// Reads from what the raster is made of.
    pub(super) fn read_composed(
        &self,
        kind: &Kind,
        window: &PixelWindow,
        size: Size,
        algorithm: GDALRIOResampleAlg::Type,
    ) -> Result<ByBand> {
        let same = size == window.size();
        if !same && size.width >= window.width && size.height >= window.height {
            return Ok(self
                .read_by_band(window, window.size(), algorithm)?
                .repeated(size));
        }
        match kind {
            Kind::Stack(layers) => self.read_stack(layers, window, size, algorithm),
            Kind::Mosaic(layers) => self.read_mosaic(layers, window, size, algorithm),
            Kind::Series(layers) => self.read_dates(layers, window, size, algorithm),
            // Before they are averaged, pixels must lose what is invalid.
            Kind::Masked(_)
                if !same && algorithm != GDALRIOResampleAlg::GRIORA_NearestNeighbour =>
            {
                self.averaged(window, size)
            }
            Kind::Masked(masked) => masked.read(window, size),
            Kind::Transformed(base, steps) => {
                let read = base.read_by_band(window, size, algorithm)?;
                Ok(bound::apply(steps, base.bands(), read))
            }
            Kind::File | Kind::Regridded(_) => self.read_by_band(window, size, algorithm),
        }
    }

    /// Bands without values yet, valid where the window lies in the raster; `None` where it lies nowhere on it.
    fn valid_inside(&self, window: &PixelWindow, size: Size) -> Option<ByBand> {
        let inside = self.full().intersect(window)?;
        let target = target_of(window, &inside, size)?;
        let mut all = ByBand::nothing(size, self.band_count());
        for row in target.row..target.bottom() {
            let start = row as usize * size.width + target.col as usize;
            all.base[start..start + target.width].fill(1);
        }
        Some(all)
    }

    fn read_stack(
        &self,
        layers: &[Layer],
        window: &PixelWindow,
        size: Size,
        algorithm: GDALRIOResampleAlg::Type,
    ) -> Result<ByBand> {
        let area = size.area();
        let Some(mut all) = self.valid_inside(window, size) else {
            return Ok(ByBand::nothing(size, self.band_count()));
        };
        let mut to = 0;
        for layer in layers {
            session::check_interrupt("reading imagery")?;
            let read = layer.read(window, size, algorithm)?;
            // Comparing whole slices is a call of the C library; most windows are without holes.
            let same = read.base == all.base;
            for band in 0..layer.raster.band_count() {
                all.data[to * area..(to + 1) * area].copy_from_slice(read.band(band));
                if !(same && read.present[band].is_none()) {
                    let valid = read.valid(band);
                    let mut pixels = valid.iter().zip(&all.base);
                    let holes = pixels.any(|(&here, &base)| here < base);
                    all.present[to] = holes.then(|| valid.into_owned());
                }
                to += 1;
            }
        }
        Ok(all)
    }

    /// Each date's pixels are valid by its own rules, all bands of the date alike; elsewhere they hold 0.
    fn read_dates(
        &self,
        layers: &[Layer],
        window: &PixelWindow,
        size: Size,
        algorithm: GDALRIOResampleAlg::Type,
    ) -> Result<ByBand> {
        let area = size.area();
        let Some(mut all) = self.valid_inside(window, size) else {
            return Ok(ByBand::nothing(size, self.band_count()));
        };
        let mut to = 0;
        for layer in layers {
            session::check_interrupt("reading imagery")?;
            let read = layer.read(window, size, algorithm)?;
            let pixels = read.pixels(layer.raster.bands());
            let mut holes = pixels.iter().zip(&all.base);
            let holes = holes.any(|(&here, &base)| here < base);
            for &from in &layer.bands {
                let values = all.data[to * area..(to + 1) * area].iter_mut();
                for ((value, &own), &here) in values.zip(read.band(from)).zip(&pixels) {
                    *value = if here == 0 { 0.0 } else { own };
                }
                all.present[to] = holes.then(|| pixels.clone());
                to += 1;
            }
        }
        Ok(all)
    }

    fn read_mosaic(
        &self,
        layers: &[Layer],
        window: &PixelWindow,
        size: Size,
        algorithm: GDALRIOResampleAlg::Type,
    ) -> Result<ByBand> {
        let (bands, area) = (self.band_count(), size.area());
        let mut all = ByBand::nothing(size, bands);
        let Some(window_inside) = self.full().intersect(window) else {
            return Ok(all);
        };
        for layer in layers {
            let Some(inside) = layer.area.intersect(&window_inside) else {
                continue;
            };
            let Some(target) = target_of(window, &inside, size) else {
                continue;
            };
            session::check_interrupt("reading imagery")?;
            let read = layer.read(&inside, target.size(), algorithm)?;
            let pixels = read.pixels(layer.raster.bands());
            for row in 0..target.height {
                let line = row * target.width;
                let start = (target.row as usize + row) * size.width + target.col as usize;
                for col in (0..target.width).filter(|col| pixels[line + col] != 0) {
                    all.base[start + col] = 1;
                }
                for (to, &from) in layer.bands.iter().enumerate().take(bands) {
                    let values = &read.band(from)[line..line + target.width];
                    let target_values = &mut all.data[to * area + start..][..target.width];
                    for (col, (value, &new)) in target_values.iter_mut().zip(values).enumerate() {
                        if pixels[line + col] != 0 {
                            *value = new;
                        }
                    }
                    if read.present[from].is_none() && all.present[to].is_none() {
                        continue;
                    }
                    let present = all.present[to].get_or_insert_with(|| vec![1; area]);
                    for col in (0..target.width).filter(|col| pixels[line + col] != 0) {
                        let own = read.present[from].as_ref();
                        present[start + col] = own.map_or(1, |own| own[line + col]);
                    }
                }
            }
        }
        Ok(all)
    }
}
