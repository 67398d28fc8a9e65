//! Bands of several files as one raster.

use std::path::{Path, PathBuf};

use super::code_bands::say_codes;
use super::grid::{Extent, Grid, shared};
use super::information::{Information, named};
use super::join_error::JoinError;
use super::layer::{Kind, Layer, Lie};
use super::roles;
use super::sensors;
use super::warp::Resampling;
use super::{Band, DataType, OpenOptions, PixelWindow, Raster, Resolution};
use crate::Result;
use crate::report::{Notice, Report, file_name};

/// Whose pixels a stack has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StackGrid {
    /// The first file's.
    #[default]
    First,
    /// Those of the file with this name in the list, or whose band or file is called so.
    Of(String),
    /// Those of the file with the smallest pixels; the first of several.
    Finest,
}

/// What part of the ground a stack covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StackExtent {
    /// What the file covers that gives the grid.
    #[default]
    OfGrid,
    /// What any of the files covers; where one has nothing, the pixel is invalid.
    Union,
    /// What all of the files cover.
    Intersection,
}

/// One file of a [`Stack`], with one band or several.
///
/// ```
/// use swath::prelude::*;
/// let classes = StackPart::new("SCL_20m.jp2").named("classes").resampling(Resampling::Nearest);
/// let two = StackPart::new("radar.tif").options(OpenOptions::new().bands([0, 1]).nodata(0.0));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct StackPart {
    path: PathBuf,
    name: Option<String>,
    options: OpenOptions,
    resampling: Option<Resampling>,
}

impl StackPart {
    /// All bands of a file.
    #[must_use]
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            name: None,
            options: OpenOptions::new(),
            resampling: None,
        }
    }

    /// What its band is called; of several bands the beginning of their names.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Its bands, nodata values and masks.
    #[must_use]
    pub fn options(mut self, options: OpenOptions) -> Self {
        self.options = options;
        self
    }

    /// How its values come to the grid, where that is another.
    #[must_use]
    pub fn resampling(mut self, resampling: Resampling) -> Self {
        self.resampling = Some(resampling);
        self
    }

    /// What a person calls it.
    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// `scene`: whether palettes become colors, as in a scene.
    pub(super) fn opened(&self, scene: bool) -> Result<Raster> {
        let options = match scene {
            true => self.options.clone().for_scene(),
            false => self.options.clone(),
        };
        Raster::open_with(&self.path, options)
    }

    /// Only these bands of its file, counted from 0 as it is opened now.
    pub(super) fn only(&self, raster: &Raster, bands: &[usize]) -> Self {
        let names = bands.iter().filter_map(|&at| raster.bands().get(at));
        let mut part = self.clone();
        part.options = part.options.bands(names.map(|band| band.name.clone()));
        part
    }

    /// Its file, its name and how it is brought to another grid, in words.
    pub(crate) fn row(&self) -> [String; 3] {
        [
            self.name.clone().unwrap_or_default(),
            self.path.display().to_string(),
            self.resampling
                .map(|how| how.word().to_owned())
                .unwrap_or_default(),
        ]
    }

    /// How its file is opened.
    pub(crate) fn file_options(&self) -> &OpenOptions {
        &self.options
    }

    /// What its bands are called in a stack.
    pub(super) fn band_names(&self, raster: &Raster) -> Vec<String> {
        let stem = stem(raster.path());
        let bands = raster.bands().iter();
        bands
            .map(|band| name_of(self, raster, band, &stem))
            .collect()
    }
}

impl From<&Self> for StackPart {
    fn from(part: &Self) -> Self {
        part.clone()
    }
}

macro_rules! from_path {
    ($($path:ty),*) => {$(
        impl From<$path> for StackPart {
            fn from(path: $path) -> Self {
                Self::new(path)
            }
        }
    )*};
}
from_path!(&str, String, &String, &Path, PathBuf, &PathBuf);

impl<N: Into<String>, P: AsRef<Path>> From<(N, P)> for StackPart {
    fn from((name, path): (N, P)) -> Self {
        Self::new(path).named(name)
    }
}

/// Bands of several files on one grid, whatever their resolution, extent and coordinate reference system: nothing is
/// written, and only what is asked for is read.
///
/// | | unless said otherwise |
/// |---|---|
/// | grid and extent | those of the first file |
/// | values on another grid | the average where a new pixel covers two or more, bilinear otherwise, the nearest pixel for numbers of colors and classes |
/// | validity | a pixel is valid where every file has a valid pixel by its own nodata, mask and alpha |
/// | names of bands | those of the list, or else the file's own, or else what the file's name says (`B02` of `…_B02_10m.jp2`) |
///
/// ```no_run
/// use swath::prelude::*;
/// let files = [("B02", "B02_10m.jp2"), ("B03", "B03_10m.jp2"), ("B11", "B11_20m.jp2")];
/// let scene = Scene::stack(files)?;
/// assert_eq!(scene.raster().band_names(), ["B02", "B03", "B11"]);
/// // All on the grid of the 20 m band, over what all of them cover.
/// let coarse = Stack::new(files).grid(StackGrid::Of("B11".into())).extent(StackExtent::Intersection);
/// let scene = Scene::stack_with(coarse)?;
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    parts: Vec<StackPart>,
    grid: StackGrid,
    extent: StackExtent,
    pixel: Option<Resolution>,
    resampling: Resampling,
    name: Option<String>,
}

impl Stack {
    /// These files in this order: paths, pairs of a name and a path, or [`StackPart`]s.
    #[must_use]
    pub fn new<P: Into<StackPart>>(parts: impl IntoIterator<Item = P>) -> Self {
        Self {
            parts: parts.into_iter().map(Into::into).collect(),
            grid: StackGrid::default(),
            extent: StackExtent::default(),
            pixel: None,
            resampling: Resampling::default(),
            name: None,
        }
    }

    /// The same choices for other files.
    pub(super) fn of_parts(&self, parts: Vec<StackPart>) -> Self {
        Self {
            parts,
            ..self.clone()
        }
    }

    /// On the pixels of the first file as they are.
    pub(super) fn on_first(mut self) -> Self {
        (self.grid, self.pixel) = (StackGrid::First, None);
        self
    }

    /// What a person calls it.
    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What was chosen for all files, in words.
    pub(crate) fn facts(&self) -> Vec<(&'static str, String)> {
        let grid = match &self.grid {
            StackGrid::First => "that of the first file".to_owned(),
            StackGrid::Of(name) => format!("that of {name}"),
            StackGrid::Finest => "that of the file with the smallest pixels".to_owned(),
        };
        let extent = match self.extent {
            StackExtent::OfGrid => "what the file of the grid covers",
            StackExtent::Union => "what any file covers",
            StackExtent::Intersection => "what all files cover",
        };
        let mut facts = vec![
            ("grid", grid),
            ("extent", extent.to_owned()),
            ("resampling", self.resampling.word().to_owned()),
        ];
        let pixel = self.pixel.map(|pixel| ("pixel", pixel.in_words()));
        facts.extend(pixel);
        facts.extend(self.name.clone().map(|name| ("name", name)));
        facts
    }

    /// Its files.
    pub(crate) fn parts(&self) -> &[StackPart] {
        &self.parts
    }

    /// Whose pixels it has.
    #[must_use]
    pub fn grid(mut self, grid: StackGrid) -> Self {
        self.grid = grid;
        self
    }

    /// What it covers.
    #[must_use]
    pub fn extent(mut self, extent: StackExtent) -> Self {
        self.extent = extent;
        self
    }

    /// Pixels of another size than those of the file that gives the grid; the extent stays, to the nearest whole pixel.
    #[must_use]
    pub fn pixel_size(mut self, pixel: Resolution) -> Self {
        self.pixel = Some(pixel);
        self
    }

    /// How values come from another grid, unless the file's [`StackPart::resampling`] says otherwise.
    #[must_use]
    pub fn resampling(mut self, resampling: Resampling) -> Self {
        self.resampling = resampling;
        self
    }

    /// What the scene is called; what all file names begin with unless this says it.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Opens the files and puts their bands together.
    ///
    /// # Errors
    /// Those of [`Raster::open_with`] for each file; [`JoinError`] when some files have a place and others none, a file lies
    /// elsewhere, or images without a place differ in size; [`super::RasterError::Crs`] when there is no way between two
    /// systems.
    pub fn open(&self) -> Result<Raster> {
        self.joined(false)
    }

    pub(crate) fn joined(&self, scene: bool) -> Result<Raster> {
        let parts = self.parts.iter();
        let rasters: Result<Vec<Raster>> = parts.map(|part| part.opened(scene)).collect();
        self.join(&rasters?)
    }

    /// The bands of rasters that are open, one for each part.
    pub(super) fn join(&self, rasters: &[Raster]) -> Result<Raster> {
        let mut report = Report::new();
        let (grid, layers) = self.layers(rasters, &mut report)?;
        let bands = self.bands(rasters, &mut report);
        say_types(&mut report, &bands);
        report.extend(say_codes(&bands, |name| {
            format!("leave the file or band {name:?} out of the list")
        }));
        let mut information =
            Information::composed(grid.size, bands, grid.place.clone(), "stack", report);
        let whole = PixelWindow::full(grid.size);
        information.gaps = layers.iter().any(|layer| {
            layer.raster.can_be_invalid()
                || !layer.area.contains(&whole)
                || matches!(layer.lie, Lie::Warped(_))
        });
        information.block = self.grid_of(rasters)?.block_size();
        Ok(Raster::composed(
            self.path(rasters),
            Kind::Stack(layers),
            information,
            OpenOptions::new(),
        ))
    }

    /// The grid, and how rasters that are open lie on it, one for each part.
    pub(super) fn layers(
        &self,
        rasters: &[Raster],
        report: &mut Report,
    ) -> Result<(Grid, Vec<Layer>)> {
        let of = self.grid_of(rasters)?;
        let without: Vec<&Raster> = rasters
            .iter()
            .filter(|one| !one.is_georeferenced())
            .collect();
        if let [first, ..] = without.as_slice()
            && without.len() < rasters.len()
        {
            return Err(JoinError::SomeWithoutPlace {
                path: first.path().to_owned(),
                without: without.len(),
                all: rasters.len(),
            }
            .into());
        }
        let placed = without.is_empty();
        if !placed {
            for raster in rasters {
                if raster.size() != of.size() {
                    return Err(JoinError::OtherSize {
                        path: raster.path().to_owned(),
                        found: raster.size(),
                        expected: of.size(),
                    }
                    .into());
                }
            }
            if rasters.len() > 1 {
                report.push(
                    Notice::assumed(format!(
                        "the {} images have no place on the ground and {} each: they are stacked pixel by pixel",
                        rasters.len(),
                        of.size()
                    ))
                    .next("check that all are of the same place"),
                );
            }
        }
        let grid = self.grid_over(of, rasters)?;
        let name = file_name(of.path());
        let mut layers = Vec::with_capacity(rasters.len());
        for (part, raster) in self.parts.iter().zip(rasters) {
            let extent = match placed {
                true => grid.extent_of(raster)?,
                false => Some(grid.extent()),
            };
            let share = extent.map_or(0.0, |extent| shared(grid.extent(), extent));
            let Some(extent) = extent.filter(|_| share > 0.0) else {
                return Err(elsewhere(&grid, raster, extent, name.clone()).into());
            };
            let resampling = part.resampling.unwrap_or(self.resampling);
            let lies = grid.placed(raster, extent, resampling)?;
            let about = file_name(raster.path());
            if placed {
                say_place(report, &grid, raster, (&lies.lie, share), (&about, &name));
            }
            layers.push(Layer {
                bands: (0..raster.band_count()).collect(),
                raster: raster.clone(),
                lie: lies.lie,
                area: lies.area,
            });
        }
        Ok((grid, layers))
    }

    /// The file that gives the grid.
    fn grid_of<'a>(&self, rasters: &'a [Raster]) -> Result<&'a Raster> {
        let first = rasters
            .first()
            .ok_or(JoinError::Nothing { what: "a stack" })?;
        match &self.grid {
            StackGrid::First => Ok(first),
            StackGrid::Finest => {
                let area = |raster: &Raster| {
                    let (x, y) = raster.nominal_gsd();
                    x * y
                };
                let finest = rasters.iter().fold(first, |finest, one| {
                    if area(one) < area(finest) * (1.0 - 1e-6) {
                        one
                    } else {
                        finest
                    }
                });
                Ok(finest)
            }
            StackGrid::Of(wanted) => {
                let names: Vec<String> = self
                    .parts
                    .iter()
                    .zip(rasters)
                    .map(|(part, raster)| part.name.clone().unwrap_or_else(|| stem(raster.path())))
                    .collect();
                let is = |(name, raster): &(&String, &Raster)| {
                    *name == wanted
                        || raster
                            .path()
                            .file_name()
                            .is_some_and(|file| file.to_string_lossy() == *wanted)
                        || sensors::band_code(&stem(raster.path())).as_ref() == Some(wanted)
                };
                let found = names.iter().zip(rasters).find(is);
                Ok(found
                    .map(|(_, raster)| raster)
                    .ok_or_else(|| JoinError::NoSuchPart {
                        wanted: wanted.clone(),
                        known: names.clone(),
                    })?)
            }
        }
    }

    fn grid_over(&self, of: &Raster, rasters: &[Raster]) -> Result<Grid> {
        let mut grid = Grid::of(of);
        if self.extent != StackExtent::OfGrid && of.is_georeferenced() {
            let outwards = self.extent == StackExtent::Union;
            let mut all: Option<Extent> = None;
            for raster in rasters {
                let Some(one) = grid.extent_of(raster)? else {
                    return Err(elsewhere(&grid, raster, None, file_name(of.path())).into());
                };
                let before = all.unwrap_or(one);
                let pick = |at: usize| match outwards == (at < 2) {
                    true => before[at].min(one[at]),
                    false => before[at].max(one[at]),
                };
                all = Some([pick(0), pick(1), pick(2), pick(3)]);
            }
            grid = grid.over(all.unwrap_or_else(|| grid.extent()), outwards)?;
        }
        match self.pixel {
            Some(resolution) => grid.at(resolution, of.path()),
            None => Ok(grid),
        }
    }

    /// The bands of all files, with their names and what they show.
    pub(super) fn bands(&self, rasters: &[Raster], report: &mut Report) -> Vec<Band> {
        let mut bands: Vec<Band> = Vec::new();
        let mut stems = Vec::new();
        let mut platform = String::new();
        for (image, (part, raster)) in self.parts.iter().zip(rasters).enumerate() {
            let stem = stem(raster.path());
            platform += &raster.inner.information.platform;
            platform.push(' ');
            platform += sensors::platform_of(&stem).unwrap_or_default();
            platform.push(' ');
            for band in raster.bands() {
                let name = name_of(part, raster, band, &stem);
                let role = band.role.filter(|role| *role != super::BandRole::Gray);
                bands.push(Band {
                    number: bands.len() as i32 + 1,
                    reading: super::band::Reading::Plain,
                    own_mask: raster.can_be_invalid(),
                    image,
                    role: role.or_else(|| roles::of_words(&name)),
                    name,
                    ..band.clone()
                });
                stems.push(stem.clone());
            }
        }
        roles::of_products(&mut bands, &platform);
        // Two bands of one name could not be told apart.
        let names: Vec<String> = bands.iter().map(|band| band.name.clone()).collect();
        let mut renamed = Vec::new();
        for at in 0..bands.len() {
            if names.iter().filter(|name| **name == names[at]).count() > 1 {
                let mut name = format!("{}_{}", stems[at], names[at].replace(' ', "_"));
                let mut next = 2;
                while bands.iter().any(|band| band.name == name) {
                    name = format!("{}_{}_{next}", stems[at], names[at].replace(' ', "_"));
                    next += 1;
                }
                bands[at].name.clone_from(&name);
                renamed.push(name);
            }
        }
        if !renamed.is_empty() {
            let names: Vec<&str> = renamed.iter().map(String::as_str).collect();
            report.push(
                Notice::converted(format!(
                    "bands of several files have one name, so that they are called after their files: {}",
                    named(&names)
                ))
                .count(renamed.len())
                .next("`Scene::stack([(\"name\", \"file.tif\"), …])` names them"),
            );
        }
        bands
    }

    /// What stands for the file: the folder of the first one, with a name.
    fn path(&self, rasters: &[Raster]) -> PathBuf {
        let stems: Vec<String> = rasters.iter().map(|raster| stem(raster.path())).collect();
        let name = self.name.clone().unwrap_or_else(|| common(&stems));
        let folder = rasters.first().and_then(|first| first.path().parent());
        folder
            .unwrap_or(Path::new(""))
            .join(format!("{name}.stack"))
    }
}

/// A file's name without its ending.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// What all names begin with, or the first one and how many more there are.
pub(super) fn common(names: &[String]) -> String {
    let Some((first, others)) = names.split_first() else {
        return String::new();
    };
    if others.is_empty() {
        return first.clone();
    }
    let alike = |other: &String| {
        let pairs = first.chars().zip(other.chars());
        pairs.take_while(|(one, other)| one == other).count()
    };
    let length = others.iter().map(alike).min().unwrap_or(0);
    let start: String = first.chars().take(length).collect();
    // Not in the middle of a word or number.
    let whole = match start.rfind(['_', '-', '.', ' ']) {
        _ if names.iter().all(|name| {
            name.chars()
                .nth(length)
                .is_none_or(|next| !next.is_alphanumeric())
        }) =>
        {
            start.as_str()
        }
        Some(end) => &start[..end],
        None => "",
    };
    let trimmed = whole.trim_end_matches(['_', '-', '.', ' ']);
    match trimmed.chars().count() {
        0..=2 => format!("{first} and {} more", others.len()),
        _ => trimmed.to_owned(),
    }
}

/// What a band of a file is called in the stack.
fn name_of(part: &StackPart, raster: &Raster, band: &Band, stem: &str) -> String {
    let numbered = band.name == format!("band {}", band.number);
    match (&part.name, raster.band_count()) {
        (Some(name), 1) => name.clone(),
        (Some(name), _) if numbered => format!("{name}_{}", band.number),
        (Some(name), _) => format!("{name}_{}", band.name),
        (None, 1) if numbered || band.name.eq_ignore_ascii_case("gray") => {
            sensors::band_code(stem).unwrap_or_else(|| stem.to_owned())
        }
        (None, _) => band.name.clone(),
    }
}

/// Says how a file comes to the grid, and what of the grid it covers.
fn say_place(
    report: &mut Report,
    grid: &Grid,
    raster: &Raster,
    (lie, share): (&Lie, f64),
    (about, of): (&str, &str),
) {
    let (own, other) = (&grid.place.crs_wkt, raster.crs_wkt());
    if own.is_empty() != other.is_empty() {
        report.push(
            Notice::assumed(format!(
                "only one of {about} and {of} names a coordinate reference system: it is taken for both"
            ))
            .about(about),
        );
    }
    if let Lie::Warped(warp) = lie {
        let pixel = raster
            .pixel_words()
            .unwrap_or_else(|| "its own pixels".to_owned());
        let mut text = format!(
            "brought from its own grid ({pixel}) to that of the stack: {}",
            warp.method().word()
        );
        if !own.is_empty() && !other.is_empty() && !super::crs::same(own, &other) {
            text += &format!(
                ", from {} to {}",
                raster.crs_name(),
                super::crs::short_name(own)
            );
        }
        report.push(
            Notice::converted(text)
                .about(about)
                .count(raster.band_count())
                .next("`StackPart::new(path).resampling(Resampling::Nearest)` for values that are names"),
        );
    }
    if share < 0.999 {
        report.push(
            Notice::noted(format!(
                "it covers {:.1} % of the stack: the rest is invalid",
                share * 100.0
            ))
            .about(about)
            .next("`Stack::new(files).extent(StackExtent::Intersection)` keeps what all of them cover"),
        );
    }
}

/// Says what becomes of different types.
fn say_types(report: &mut Report, bands: &[Band]) {
    let mut types: Vec<DataType> = bands.iter().map(|band| band.data_type).collect();
    types.dedup();
    types.sort_by_key(|one| one.as_str());
    types.dedup();
    if types.len() > 1 {
        let names: Vec<&str> = types.iter().map(|one| one.as_str()).collect();
        report.push(
            Notice::noted(format!(
                "the bands are of different types ({}): each keeps its own, and all are handed out as 32-bit floats",
                names.join(", ")
            ))
            .count(bands.len())
            .next("`BandTransform::standard()` or `.min_max()` brings them to one scale"),
        );
    }
}

fn elsewhere(grid: &Grid, raster: &Raster, extent: Option<Extent>, of: String) -> JoinError {
    let words = |extent: Extent| {
        let corner = |x: f64, y: f64| grid.place.transform.world_from_pixel((x, y));
        let (a, b) = (corner(extent[0], extent[1]), corner(extent[2], extent[3]));
        format!(
            "x {:.6} to {:.6}, y {:.6} to {:.6}",
            a.0.min(b.0),
            a.0.max(b.0),
            a.1.min(b.1),
            a.1.max(b.1)
        )
    };
    let found = extent.map_or_else(|| "no point".to_owned(), words);
    JoinError::Elsewhere {
        path: raster.path().to_owned(),
        of,
        places: format!(
            "it covers {found} there, the grid {}, both in {}",
            words(grid.extent()),
            super::crs::short_name(&grid.place.crs_wkt)
        ),
    }
}

impl Raster {
    /// The bands of several files as one raster, on the grid of the first: see [`Stack`], which has the rules, and what
    /// can be chosen.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let raster = Raster::stack(["T33UUP_B02_10m.jp2", "T33UUP_B11_20m.jp2"])?;
    /// assert_eq!(raster.band_names(), ["B02", "B11"]);
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Stack::open`].
    #[doc(alias = "MultiRasterSource")]
    #[doc(alias = "merge_bands")]
    pub fn stack<P: Into<StackPart>>(parts: impl IntoIterator<Item = P>) -> Result<Self> {
        Stack::new(parts).open()
    }
}
