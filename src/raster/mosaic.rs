//! Tiles beside each other as one raster.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::grid::{Extent, Grid};
use super::information::{Information, named};
use super::join_error::JoinError;
use super::layer::{Kind, Layer, Lie};
use super::series_files::date_of;
use super::stack::{common, stem};
use super::tile_names::{self, Counting};
use super::warp::Resampling;
use super::{Band, Date, OpenOptions, PixelWindow, Raster, names};
use crate::report::{Notice, Report, file_name};
use crate::{Hint as _, Result, session};

/// What a mosaic is made of: a folder, a pattern (`"tiles/*.tif"`, `"15/**/*.png"`), one file, or a list of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tiles(Vec<PathBuf>);

macro_rules! from_one {
    ($($path:ty),*) => {$(
        impl From<$path> for Tiles {
            fn from(path: $path) -> Self {
                let path: &Path = path.as_ref();
                Self(vec![path.to_owned()])
            }
        }
    )*};
}
from_one!(&str, String, &String, &Path, PathBuf, &PathBuf);

impl<P: AsRef<Path>> From<Vec<P>> for Tiles {
    fn from(paths: Vec<P>) -> Self {
        paths.into_iter().collect()
    }
}

impl<P: AsRef<Path>> From<&[P]> for Tiles {
    fn from(paths: &[P]) -> Self {
        paths.iter().collect()
    }
}

impl<P: AsRef<Path>> From<&Vec<P>> for Tiles {
    fn from(paths: &Vec<P>) -> Self {
        paths.iter().collect()
    }
}

impl<P: AsRef<Path>, const N: usize> From<&[P; N]> for Tiles {
    fn from(paths: &[P; N]) -> Self {
        paths.iter().collect()
    }
}

impl<P: AsRef<Path>, const N: usize> From<[P; N]> for Tiles {
    fn from(paths: [P; N]) -> Self {
        paths.into_iter().collect()
    }
}

impl<P: AsRef<Path>> FromIterator<P> for Tiles {
    fn from_iter<I: IntoIterator<Item = P>>(paths: I) -> Self {
        Self(
            paths
                .into_iter()
                .map(|path| path.as_ref().to_owned())
                .collect(),
        )
    }
}

impl Tiles {
    /// What was given, in words: a pattern or folder, or the first of several.
    pub(super) fn words(&self) -> String {
        match self.0.as_slice() {
            [one] => one.display().to_string(),
            several => format!(
                "{} files: {}",
                several.len(),
                crate::report::several_files(several)
            ),
        }
    }

    /// The files, in the order in which they lie over each other; `what` is made of them.
    pub(super) fn files(&self, what: &'static str) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for path in &self.0 {
            let path = crate::paths::expanded(path);
            match names::spread(&path) {
                Some(found) if found.is_empty() => {
                    return Err(JoinError::NoTiles {
                        what,
                        path: path.into_owned(),
                    }
                    .into());
                }
                Some(found) => files.extend(found),
                None => files.push(path.into_owned()),
            }
        }
        let mut seen = std::collections::HashSet::new();
        files.retain(|file| seen.insert(file.clone()));
        Ok(files)
    }
}

/// Tiles beside each other as one raster: nothing is written, and only the tiles that a window touches are read.
///
/// | | rule |
/// |---|---|
/// | grid | the pixels and the coordinate reference system of the first tile, over all that any tile covers |
/// | other pixels or another system | resampled to that grid: the average where a new pixel covers two or more, bilinear otherwise |
/// | overlaps | later tiles lie over earlier ones, with their valid pixels; files of a pattern or folder come in the order of their names, 2 before 10 |
/// | gaps | invalid |
/// | bands | as many as in the first tile, by name where all have the same names, by order otherwise; alpha is a mask, so that RGB and RGBA go together |
/// | tiles without a place | lie where their names say: row and column, pixels, or `z/x/y` in web mercator |
/// | tiles that cannot be opened | are left out and told of |
///
/// ```no_run
/// use swath::prelude::*;
/// let town = Scene::mosaic("tiles/*.tif")?;
/// let drone = Scene::mosaic_with(Mosaic::new("tile_*.png").columns_first())?;
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Mosaic {
    tiles: Tiles,
    options: OpenOptions,
    resampling: Resampling,
    counting: Counting,
    name: Option<String>,
}

impl<T: Into<Tiles>> From<T> for Mosaic {
    fn from(tiles: T) -> Self {
        Self::new(tiles)
    }
}

impl From<&Self> for Mosaic {
    fn from(mosaic: &Self) -> Self {
        mosaic.clone()
    }
}

impl Mosaic {
    /// These tiles.
    #[must_use]
    pub fn new(tiles: impl Into<Tiles>) -> Self {
        Self {
            tiles: tiles.into(),
            options: OpenOptions::new(),
            resampling: Resampling::default(),
            counting: Counting::default(),
            name: None,
        }
    }

    /// Bands, nodata values and masks of every tile.
    #[must_use]
    pub fn options(mut self, options: OpenOptions) -> Self {
        self.options = options;
        self
    }

    /// How values of tiles on another grid are taken.
    #[must_use]
    pub fn resampling(mut self, resampling: Resampling) -> Self {
        self.resampling = resampling;
        self
    }

    /// Of two numbers in the name of a tile without a place, the first is the column: `tile_3_7.png` is column 3, row 7.
    /// Unless this says so, the first is the row.
    #[must_use]
    pub fn columns_first(mut self) -> Self {
        self.counting.columns_first = true;
        self
    }

    /// Rows of `z/x/y` tiles are counted from the south, as by the Tile Map Service (TMS).
    #[must_use]
    #[doc(alias = "tms")]
    pub fn from_the_south(mut self) -> Self {
        self.counting.from_the_south = true;
        self
    }

    /// What the scene is called; what all tiles' names begin with, or their folder, unless this says it.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The tiles as they are found without opening one, and how many of them are not there; tiles of addresses and archives
    /// are not looked for.
    ///
    /// # Errors
    /// [`JoinError::NoTiles`] when a pattern or folder has none.
    pub(crate) fn listed(&self) -> Result<(Vec<PathBuf>, usize)> {
        let files = self.tiles.files("a mosaic")?;
        let elsewhere = |path: &&PathBuf| {
            path.to_string_lossy().contains("://") || path.to_string_lossy().starts_with("/vsi")
        };
        let gone = files
            .iter()
            .filter(|path| !elsewhere(path) && !path.exists());
        let gone = gone.count();
        Ok((files, gone))
    }

    /// What was chosen, in words.
    pub(crate) fn facts(&self) -> Vec<(&'static str, String)> {
        let numbers = match (self.counting.columns_first, self.counting.from_the_south) {
            (false, false) => "row before column, from the north",
            (true, false) => "column before row, from the north",
            (false, true) => "row before column, from the south",
            (true, true) => "column before row, from the south",
        };
        let mut facts = vec![
            ("tiles", self.tiles.words()),
            ("resampling", self.resampling.word().to_owned()),
            ("numbers in names", numbers.to_owned()),
        ];
        facts.extend(self.name.clone().map(|name| ("name", name)));
        facts
    }

    /// How every tile is opened.
    pub(crate) fn tile_options(&self) -> &OpenOptions {
        &self.options
    }

    /// Opens every tile once, to learn where it lies, and puts them beside each other.
    ///
    /// # Errors
    /// [`JoinError`] when there are no tiles, none opens, some have a place and others none, names do not say a place, or a
    /// tile has other bands; [`super::RasterError::Missing`] for a file that was named and is not there.
    pub fn open(&self) -> Result<Raster> {
        self.joined(false)
    }

    pub(crate) fn joined(&self, scene: bool) -> Result<Raster> {
        let paths = self.tiles.files("a mosaic")?;
        let options = match scene {
            true => self.options.clone().for_scene(),
            false => self.options.clone(),
        };
        let mut report = Report::new();
        let tiles = opened(&paths, &options, &mut report)?;
        let Some(first) = tiles.first() else {
            return Err(JoinError::Nothing { what: "a mosaic" }.into());
        };
        let without: Vec<&Raster> = tiles.iter().filter(|one| !one.is_georeferenced()).collect();
        let (grid, layers) = match without.as_slice() {
            [] => self.by_place(&tiles, &mut report)?,
            all if all.len() == tiles.len() => self.by_name(&tiles, &mut report)?,
            [one, ..] => {
                return Err(JoinError::SomeWithoutPlace {
                    path: one.path().to_owned(),
                    without: without.len(),
                    all: tiles.len(),
                }
                .into());
            }
        };
        report.extend(laid_over(&layers));
        let types: Vec<&str> =
            tiles
                .iter()
                .map(|tile| tile.data_type().as_str())
                .fold(Vec::new(), |mut all, one| {
                    if !all.contains(&one) {
                        all.push(one);
                    }
                    all
                });
        if types.len() > 1 {
            report.push(
                Notice::noted(format!(
                    "the tiles are of different types ({}): values are as stored in each, so that one value may mean \
                     different things",
                    types.join(", ")
                ))
                .count(types.len())
                .next("bring the tiles to one type and range before they are joined"),
            );
        }
        let gaps = covers_all(&layers, &grid);
        if !gaps {
            report.push(Notice::noted(format!(
                "{} tiles cover {} with gaps between them, which are invalid",
                layers.len(),
                grid.size
            )));
        }
        let may_miss = !gaps
            || layers
                .iter()
                .any(|layer| layer.raster.can_be_invalid() || matches!(layer.lie, Lie::Warped(_)));
        let bands = bands_of(first, &layers, may_miss);
        let mut information = Information::composed(grid.size, bands, grid.place, "mosaic", report);
        information.gaps = may_miss;
        information.block = first.block_size();
        Ok(Raster::composed(
            self.path(&tiles),
            Kind::Mosaic(layers),
            information,
            self.options.clone(),
        ))
    }

    /// Tiles that say where they lie.
    fn by_place(&self, tiles: &[Raster], report: &mut Report) -> Result<(Grid, Vec<Layer>)> {
        let Some(first) = tiles.first() else {
            return Err(JoinError::Nothing { what: "a mosaic" }.into());
        };
        let own = Grid::of(first);
        let mut all = own.extent();
        for tile in tiles {
            session::check_interrupt("opening a mosaic")?;
            let Some(extent) = own.extent_of(tile)? else {
                return Err(JoinError::Elsewhere {
                    path: tile.path().to_owned(),
                    of: file_name(first.path()),
                    places: format!("it covers no point in {}", first.crs_name()),
                }
                .into());
            };
            all = [
                all[0].min(extent[0]),
                all[1].min(extent[1]),
                all[2].max(extent[2]),
                all[3].max(extent[3]),
            ];
        }
        let grid = own.over(all, true)?;
        let mut layers = Vec::with_capacity(tiles.len());
        let (mut systems, mut pixels, mut assumed) = (Vec::new(), Vec::new(), Vec::new());
        for tile in tiles {
            let extent: Extent = grid.extent_of(tile)?.unwrap_or_else(|| grid.extent());
            let placed = grid.placed(tile, extent, self.resampling)?;
            let other = tile.crs_wkt();
            let name = file_name(tile.path());
            if other.is_empty() != own.place.crs_wkt.is_empty() {
                assumed.push(name.clone());
            }
            if let Lie::Warped(warp) = &placed.lie {
                match other.is_empty()
                    || own.place.crs_wkt.is_empty()
                    || super::crs::same(&own.place.crs_wkt, &other)
                {
                    true => pixels.push((name, warp.method().word())),
                    false => systems.push((name, warp.method().word())),
                }
            }
            layers.push(Layer {
                bands: matched(first, tile)?,
                raster: tile.clone(),
                lie: placed.lie,
                area: placed.area,
            });
        }
        let about = file_name(first.path());
        let mut say = |found: &[(String, &str)], what: &str| {
            let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
            if let Some((_, method)) = found.first() {
                report.push(
                    Notice::converted(format!(
                        "{} of {} tiles {what} than the first, {about}, and are resampled to its grid ({method}): {}",
                        found.len(),
                        tiles.len(),
                        named(&names)
                    ))
                    .count(found.len())
                    .next("`Mosaic::new(tiles).resampling(Resampling::Nearest)` for values that are names"),
                );
            }
        };
        say(&systems, "are in another coordinate reference system");
        say(&pixels, "have other pixels");
        if !assumed.is_empty() {
            let names: Vec<&str> = assumed.iter().map(String::as_str).collect();
            report.push(
                Notice::assumed(format!(
                    "some tiles name a coordinate reference system and others none: one is taken for all ({})",
                    named(&names)
                ))
                .count(assumed.len()),
            );
        }
        Ok((grid, layers))
    }

    /// Tiles whose names say where they lie.
    fn by_name(&self, tiles: &[Raster], report: &mut Report) -> Result<(Grid, Vec<Layer>)> {
        let Some(first) = tiles.first() else {
            return Err(JoinError::Nothing { what: "a mosaic" }.into());
        };
        let sizes: Vec<_> = tiles
            .iter()
            .map(|tile| (tile.path(), tile.size()))
            .collect();
        let laid = tile_names::laid(&sizes, self.counting)?;
        report.extend(laid.report);
        let mut layers = Vec::with_capacity(tiles.len());
        for (tile, (col, row)) in tiles.iter().zip(laid.places) {
            let size = tile.size();
            layers.push(Layer {
                bands: matched(first, tile)?,
                raster: tile.clone(),
                lie: Lie::Pixels { col, row },
                area: PixelWindow::new(col, row, size.width, size.height),
            });
        }
        Ok((laid.grid, layers))
    }

    /// What stands for the file: the tiles' folder, with a name.
    fn path(&self, tiles: &[Raster]) -> PathBuf {
        let stems: Vec<String> = tiles.iter().map(|tile| stem(tile.path())).collect();
        let folder = tiles.first().and_then(|first| first.path().parent());
        let folder = folder.unwrap_or(Path::new(""));
        let name = self.name.clone().unwrap_or_else(|| {
            let name = common(&stems);
            match (name.ends_with(" more"), folder.file_name()) {
                (true, Some(folder)) => folder.to_string_lossy().into_owned(),
                _ => name,
            }
        });
        folder.join(format!("{name}.mosaic"))
    }
}

/// Opens tiles on all processors. Those that cannot be opened are left out, unless they all are or one is not there.
fn opened(paths: &[PathBuf], options: &OpenOptions, report: &mut Report) -> Result<Vec<Raster>> {
    let results: Vec<Result<Raster>> = paths
        .par_iter()
        .map(|path| {
            session::check_interrupt("opening a mosaic")?;
            Raster::open_with(path, options)
        })
        .collect();
    let (mut tiles, mut broken) = (Vec::with_capacity(paths.len()), Vec::new());
    for (path, result) in paths.iter().zip(results) {
        match result {
            Ok(tile) => tiles.push(tile),
            Err(error @ crate::Error::Interrupted { .. }) => return Err(error),
            // What is wrong with the options is wrong for all.
            Err(crate::Error::Raster(
                error @ (super::RasterError::Missing { .. }
                | super::RasterError::NoSuchBand { .. }
                | super::RasterError::BadResolution { .. }),
            )) => return Err(error.into()),
            Err(error) => broken.push((path, error)),
        }
    }
    let Some((first, error)) = broken.first() else {
        return Ok(tiles);
    };
    if tiles.is_empty() {
        return Err(JoinError::NoneOpens {
            path: (*first).clone(),
            tiles: paths.len(),
            reason: error.to_string(),
        }
        .into());
    }
    let names: Vec<String> = broken.iter().map(|(path, _)| file_name(path)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    report.push(
        Notice::left_out(format!(
            "{} of {} tiles cannot be opened, where they would lie is invalid: {} (the first: {error})",
            broken.len(),
            paths.len(),
            named(&names)
        ))
        .count(broken.len())
        .next(error.hint().unwrap_or_else(|| "fetch them again".to_owned())),
    );
    Ok(tiles)
}

/// For each band of the first tile, the one of this tile that belongs to it.
fn matched(first: &Raster, tile: &Raster) -> Result<Vec<usize>> {
    let (expected, found) = (first.band_names(), tile.band_names());
    if expected.len() != found.len() {
        return Err(JoinError::OtherBands {
            path: tile.path().to_owned(),
            found,
            expected,
            first: file_name(first.path()),
        }
        .into());
    }
    let places: Option<Vec<usize>> = expected
        .iter()
        .map(|name| found.iter().position(|other| other == name))
        .collect();
    let in_order = || (0..expected.len()).collect();
    let Some(places) = places else {
        return Ok(in_order());
    };
    let mut sorted = places.clone();
    sorted.sort_unstable();
    sorted.dedup();
    Ok(match sorted.len() == expected.len() {
        true => places,
        false => in_order(),
    })
}

/// The bands of the mosaic: those of the first tile, of types that hold the values of all.
fn bands_of(first: &Raster, layers: &[Layer], may_miss: bool) -> Vec<Band> {
    let mut bands: Vec<Band> = first.bands().to_vec();
    for (at, band) in bands.iter_mut().enumerate() {
        band.number = at as i32 + 1;
        band.reading = super::band::Reading::Plain;
        band.own_mask = may_miss;
        for layer in layers {
            let place = layer.bands.get(at);
            if let Some(other) = place.and_then(|&place| layer.raster.bands().get(place)) {
                band.data_type = band.data_type.union(other.data_type);
            }
        }
    }
    bands
}

/// Whether every pixel of the grid lies in a tile, as far as the tiles' rectangles say.
fn covers_all(layers: &[Layer], grid: &Grid) -> bool {
    let whole = PixelWindow::full(grid.size);
    let areas: Vec<PixelWindow> = layers
        .iter()
        .filter_map(|layer| layer.area.intersect(&whole))
        .collect();
    let mut columns: Vec<i64> = areas
        .iter()
        .flat_map(|area| [area.col, area.right()])
        .collect();
    columns.extend([whole.col, whole.right()]);
    columns.sort_unstable();
    columns.dedup();
    columns.windows(2).all(|pair| {
        let mut rows: Vec<(i64, i64)> = areas
            .iter()
            .filter(|area| area.col <= pair[0] && area.right() >= pair[1])
            .map(|area| (area.row, area.bottom()))
            .collect();
        rows.sort_unstable();
        let reached = rows.into_iter().try_fold(0, |reached, (start, end)| {
            (start <= reached).then_some(reached.max(end))
        });
        reached.is_some_and(|reached| reached >= whole.bottom())
    })
}

impl Raster {
    /// Tiles beside each other as one raster: see [`Mosaic`], which has the rules, and what can be chosen.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let raster = Raster::mosaic("tiles/*.tif")?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Mosaic::open`].
    #[doc(alias = "merge")]
    #[doc(alias = "build_vrt")]
    #[doc(alias = "open_mfdataset")]
    pub fn mosaic(tiles: impl Into<Mosaic>) -> Result<Self> {
        tiles.into().open()
    }
}

/// So many tiles are compared with each other by their dates.
const LOOKED_AT: usize = 1000;

/// What is to be said when tiles are rather the bands or the dates of one place, of which only the last is seen.
fn laid_over(layers: &[Layer]) -> Option<Notice> {
    let mut seen = HashSet::new();
    let areas = layers.iter().rev().map(|layer| layer.area);
    let hidden = areas.filter(|area| !seen.insert(*area)).count();
    let of_date = |layer: &Layer| Some((date_of(layer.raster.path())?, layer.area));
    let dated: Vec<(Date, PixelWindow)> =
        layers.iter().take(LOOKED_AT).filter_map(of_date).collect();
    let same_place = |one: &PixelWindow, other: &PixelWindow| {
        let common = one.intersect(other).map_or(0, |common| common.area());
        2 * common > one.area().min(other.area())
    };
    let meets = |(at, (date, area)): (usize, &(Date, PixelWindow))| {
        let mut before = dated[..at].iter();
        before.any(|(other, place)| other != date && same_place(area, place))
    };
    let is_dated = dated.iter().enumerate().any(meets);
    let (what, instead) = match (hidden, is_dated) {
        (0, false) => return None,
        (_, true) => (
            "tiles of several dates, by their names, lie over each other, the last ones of the list above".to_owned(),
            "`Scene::series(files)` keeps the bands of every date",
        ),
        (hidden, false) => (
            format!("{hidden} of {} tiles cover the same pixels as a later one, which lies over them", layers.len()),
            "`Scene::stack(files)` takes files of one place as bands",
        ),
    };
    Some(Notice::assumed(what).count(hidden.max(1)).next(instead))
}
