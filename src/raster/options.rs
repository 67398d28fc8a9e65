//! How a raster is to be read where its file is silent, wrong, or has more than is wanted.

use std::path::Path;

use super::band::{Nodata, Reading};
use super::places::StatedPlace;
use super::{Band, BandRole, DataType, GeoReference, Places, Raster, RasterError, Resolution};

/// One band of a raster: by its place, its name or what it shows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BandChoice {
    /// By its place, counted from 0 as [`crate::scene::Scene::show_bands`] does. Bands that the file marks as alpha come
    /// after all others; chosen, they are imagery (as Raster Vision's `channel_order` has it).
    Index(i64),
    /// By its name ([`Band::name`]), whatever its capitals.
    Name(String),
    /// By what it shows ([`Band::role`]).
    Role(BandRole),
}

macro_rules! by_index {
    ($($whole:ty),*) => {$(
        impl From<$whole> for BandChoice {
            fn from(index: $whole) -> Self {
                Self::Index(i64::try_from(index).unwrap_or(i64::MAX))
            }
        }
    )*};
}
by_index!(usize, i32, i64, u32, u8);

macro_rules! by_reference {
    ($($given:ty),*) => {$(
        impl From<&$given> for BandChoice {
            fn from(given: &$given) -> Self {
                Self::from(*given)
            }
        }
    )*};
}
by_reference!(usize, i32, i64, u32, u8, BandRole);

impl From<&Self> for BandChoice {
    fn from(choice: &Self) -> Self {
        choice.clone()
    }
}

impl From<&str> for BandChoice {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<&&str> for BandChoice {
    fn from(name: &&str) -> Self {
        Self::Name((*name).to_owned())
    }
}

impl From<String> for BandChoice {
    fn from(name: String) -> Self {
        Self::Name(name)
    }
}

impl From<&String> for BandChoice {
    fn from(name: &String) -> Self {
        Self::Name(name.clone())
    }
}

impl From<BandRole> for BandChoice {
    fn from(role: BandRole) -> Self {
        Self::Role(role)
    }
}

impl std::fmt::Display for BandChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Index(index) => write!(f, "{index}"),
            Self::Name(name) => write!(f, "{name:?}"),
            Self::Role(role) => write!(f, "{role:?}"),
        }
    }
}

/// What becomes of a band whose values are numbers of colors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Palette {
    Numbers,
    Colors,
}

/// What is known of a band whose file does not say it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StatedBand {
    pub(crate) name: String,
    pub(crate) role: Option<BandRole>,
    pub(crate) scale: f64,
    pub(crate) offset: f64,
}

/// How to read a raster where its file says nothing, says it wrong, or has more bands than are wanted: for
/// [`crate::raster::Raster::open_with`] and [`crate::scene::Scene::open_with`].
///
/// ```no_run
/// use swath::prelude::*;
/// // Near infrared, red and green of a file whose fourth band is marked as alpha, and 0 at the edges.
/// let options = OpenOptions::new().bands([3, 0, 1]).nodata(0.0);
/// let scene = Scene::open_with("rgbn.tif", options)?;
/// assert_eq!(scene.band_count(), 3);
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenOptions {
    pub(super) bands: Option<Vec<BandChoice>>,
    nodata: Option<f64>,
    nodata_of: Vec<(BandChoice, f64)>,
    without_nodata: bool,
    pub(super) alpha_as_imagery: bool,
    palette: Option<Palette>,
    pub(crate) resolution: Option<Resolution>,
    /// Of an array of NumPy with three axes: whether the last one counts the bands.
    pub(super) bands_axis_last: Option<bool>,
    /// Where it lies, when its file does not say so.
    pub(super) stated: StatedPlace,
    /// What its bands are, when another file says so.
    stated_bands: Vec<StatedBand>,
    /// Whether it is for a scene.
    scene: bool,
}

impl OpenOptions {
    /// Everything as the file says.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// These bands in this order; a band may be named more than once. A band that the file marks as alpha becomes imagery
    /// when it is named.
    ///
    /// ```
    /// use swath::prelude::*;
    /// use swath::raster::BandRole;
    /// let by_index = OpenOptions::new().bands([2, 1, 0]);
    /// let by_name = OpenOptions::new().bands(["B08", "B04", "B03"]);
    /// let by_role = OpenOptions::new().bands([BandRole::NearInfrared, BandRole::Red, BandRole::Green]);
    /// ```
    #[must_use]
    pub fn bands<B: Into<BandChoice>>(mut self, bands: impl IntoIterator<Item = B>) -> Self {
        self.bands = Some(bands.into_iter().map(Into::into).collect());
        self
    }

    /// The value that stands for "no data" in every band, instead of what the file says.
    #[must_use]
    pub fn nodata(mut self, value: f64) -> Self {
        self.nodata = Some(value);
        self
    }

    /// The value that stands for "no data" in one band. Places are those of the file, not of [`OpenOptions::bands`].
    #[must_use]
    pub fn nodata_of(mut self, band: impl Into<BandChoice>, value: f64) -> Self {
        self.nodata_of.push((band.into(), value));
        self
    }

    /// The file's nodata values are ordinary values: a wrong one takes nothing away.
    #[must_use]
    pub fn without_nodata(mut self) -> Self {
        self.without_nodata = true;
        self
    }

    /// A band that the file marks as alpha is imagery: near infrared, for one, which GDAL marks so in a file of four 8-bit
    /// bands when the writer does not say what the fourth is.
    #[must_use]
    pub fn alpha_as_imagery(mut self) -> Self {
        self.alpha_as_imagery = true;
        self
    }

    /// A band with a palette becomes three of red, green and blue, which is how [`crate::scene::Scene::open`] reads an
    /// image of one such band; a palette of one among several bands is expanded by this alone.
    #[must_use]
    pub fn palette_as_colors(mut self) -> Self {
        self.palette = Some(Palette::Colors);
        self
    }

    /// A band with a palette holds the numbers of its colors, such as classes: the way of
    /// [`crate::raster::Raster::open`].
    #[must_use]
    pub fn palette_as_numbers(mut self) -> Self {
        self.palette = Some(Palette::Numbers);
        self
    }

    /// At another pixel size, as by [`crate::raster::Raster::at`].
    #[must_use]
    pub fn at(mut self, resolution: Resolution) -> Self {
        self.resolution = Some(resolution);
        self
    }

    /// The first axis of an array of NumPy counts its bands, (bands, rows, columns): PyTorch's order, and rasterio's.
    #[must_use]
    #[doc(alias = "channels_first")]
    #[doc(alias = "chw")]
    pub fn bands_axis_first(mut self) -> Self {
        self.bands_axis_last = Some(false);
        self
    }

    /// The last axis of an array of NumPy counts its bands, (rows, columns, bands): the order of Pillow, OpenCV and
    /// TensorFlow.
    #[must_use]
    #[doc(alias = "channels_last")]
    #[doc(alias = "hwc")]
    pub fn bands_axis_last(mut self) -> Self {
        self.bands_axis_last = Some(true);
        self
    }

    /// Where the raster lies, whatever its file says: for one without a place, or with a wrong one.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// use swath::raster::{GeoReference, GeoTransform};
    /// let place = GeoReference::new(GeoTransform::north_up(500_000.0, 4_000_000.0, 0.5), "EPSG:32613");
    /// let scene = Scene::open_with("scan.png", OpenOptions::new().place(place))?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    #[must_use]
    #[doc(alias = "georeference")]
    #[doc(alias = "crs")]
    #[doc(alias = "transform")]
    pub fn place(mut self, place: GeoReference) -> Self {
        self.stated.one = Some(place);
        self
    }

    /// Where rasters lie that have no place of their own, by a table beside them: see [`Places`]. A file that says itself where
    /// it lies keeps its place, and its report says so.
    #[must_use]
    pub fn places(mut self, places: impl Into<Places>) -> Self {
        self.stated.places = Some(places.into());
        self.stated.of_own_table = false;
        self
    }

    /// The places of the table that names the rasters, which says more of them than this: quietly, where a file has its own.
    pub(crate) fn or_places_of_table(mut self, places: Places) -> Self {
        if self.stated.is_empty() {
            self.stated.places = Some(places);
            self.stated.of_own_table = true;
        }
        self
    }

    /// What the bands of the file are, all of them in its order: a manifest says so. Files with more or fewer keep what they
    /// say themselves.
    pub(crate) fn stating_bands(mut self, bands: Vec<StatedBand>) -> Self {
        self.stated_bands = bands;
        self
    }

    /// Gives the bands of a file what is known of them.
    pub(super) fn state_bands(&self, bands: &mut [Band]) {
        if bands.len() != self.stated_bands.len() {
            return;
        }
        for (band, stated) in bands.iter_mut().zip(&self.stated_bands) {
            band.name.clone_from(&stated.name);
            band.role = stated.role;
            (band.scale, band.offset) = (stated.scale, stated.offset);
        }
    }

    /// As a scene reads it: an image of one band with a palette is one of colors, unless a person says otherwise.
    pub(crate) fn for_scene(mut self) -> Self {
        self.scene = true;
        self
    }

    /// Whether the numbers of palettes were asked for.
    pub(super) fn wants_palette_numbers(&self) -> bool {
        self.palette == Some(Palette::Numbers)
    }

    /// Whether a band with a palette becomes colors; `alone` when it is the only one with imagery.
    pub(super) fn expands_palette(&self, alone: bool) -> bool {
        match self.palette {
            Some(palette) => palette == Palette::Colors,
            None => self.scene && alone,
        }
    }

    /// Whether values mean something else than GDAL's own averages take them for.
    pub(super) fn changes_validity(&self) -> bool {
        self.nodata.is_some()
            || !self.nodata_of.is_empty()
            || self.without_nodata
            || self.alpha_as_imagery
    }

    /// Gives the bands of a file the nodata values that a person states.
    pub(super) fn set_nodata(&self, bands: &mut [Band], path: &Path) -> Result<(), RasterError> {
        let set = |band: &mut Band, value: f64| {
            band.missing = Some(match band.reading {
                // A palette's nodata value is a number of a color.
                Reading::Color { .. } => Nodata::Real(value),
                _ => Nodata::given(value, band.data_type),
            });
            band.nodata = Some(value);
        };
        for band in &mut *bands {
            if self.without_nodata {
                (band.missing, band.nodata) = (None, None);
            }
            if let Some(value) = self.nodata {
                set(band, value);
            }
        }
        for (choice, value) in &self.nodata_of {
            let at = chosen(choice, bands, path)?;
            set(&mut bands[at], *value);
        }
        Ok(())
    }
}

impl Raster {
    /// The places, counted from 0, of the bands that a picture is to show.
    pub(crate) fn band_places<B: Into<BandChoice>>(
        &self,
        bands: impl IntoIterator<Item = B>,
    ) -> Result<Vec<usize>, RasterError> {
        bands
            .into_iter()
            .map(|band| chosen(&band.into(), self.bands(), self.path()))
            .collect()
    }
}

/// The place of the band that is meant.
pub(super) fn chosen(
    choice: &BandChoice,
    bands: &[Band],
    path: &Path,
) -> Result<usize, RasterError> {
    let places = |is: &dyn Fn(&Band) -> bool| -> Vec<usize> {
        (0..bands.len()).filter(|&at| is(&bands[at])).collect()
    };
    let found = match choice {
        BandChoice::Index(index) => usize::try_from(*index)
            .ok()
            .filter(|&at| at < bands.len())
            .into_iter()
            .collect(),
        BandChoice::Role(role) => places(&|band| band.role == Some(*role)),
        BandChoice::Name(name) => {
            let wanted = name.trim().to_lowercase();
            let exact = places(&|band| band.name == *name);
            let named = places(&|band| band.name.trim().to_lowercase() == wanted);
            match (exact.is_empty(), named.is_empty()) {
                (false, _) => exact,
                (true, false) => named,
                (true, true) => match super::roles::of_words(&wanted) {
                    Some(role) => {
                        let date = super::Date::parse(&wanted);
                        let all = places(&|band| {
                            band.role == Some(role) && (date.is_none() || band.date == date)
                        });
                        let of_role: Vec<Band> = all.iter().map(|&at| bands[at].clone()).collect();
                        let word = wanted.split_whitespace().next().unwrap_or_default();
                        match super::band_words::shows(word, &of_role).as_slice() {
                            [usual] => vec![all[*usual]],
                            _ => all,
                        }
                    }
                    None => places(&|band| band.undated_name().to_lowercase() == wanted),
                },
            }
        }
    };
    match found.as_slice() {
        [one] => Ok(*one),
        _ => Err(RasterError::NoSuchBand {
            path: path.to_owned(),
            wanted: choice.to_string(),
            matching: found.len(),
            known: described(bands),
        }),
    }
}

/// `0: red (Byte)`, one text a band.
fn described(bands: &[Band]) -> Vec<String> {
    let one = |(at, band): (usize, &Band)| {
        let role = band
            .role
            .map_or_else(String::new, |role| format!(", {role:?}"));
        let data_type: DataType = band.data_type;
        format!("{at}: {:?} ({data_type}{role})", band.name)
    };
    bands.iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::{BandRole, Date};

    /// The bands of Sentinel-2 that words mean, alone and on two dates.
    #[test]
    fn of_several_bands_of_a_kind_the_usual_one_is_meant() {
        use BandRole::{NearInfrared, RedEdge, ShortWaveInfrared};
        let kinds = [
            ("B05", RedEdge),
            ("B06", RedEdge),
            ("B08", NearInfrared),
            ("B8A", NearInfrared),
            ("B11", ShortWaveInfrared),
            ("B12", ShortWaveInfrared),
        ];
        let band = |(name, role): (&str, BandRole), date: Option<Date>| Band {
            name: date.map_or_else(|| name.to_owned(), |date| format!("{name} {date}")),
            role: Some(role),
            date,
            ..Band::plain(1, DataType::U16)
        };
        let alone = kinds.map(|kind| band(kind, None));
        let meant = |word: &str, bands: &[Band]| chosen(&word.into(), bands, Path::new("s2")).ok();
        let of_one = [
            ("nir", Some(2)),
            ("NIR", Some(2)),
            ("b8a", Some(3)),
            ("swir1", Some(4)),
            ("swir2", Some(5)),
            ("rededge", None),
            ("swir", None),
        ];
        for (word, place) in of_one {
            assert_eq!(meant(word, &alone), place, "{word}");
        }
        let dates = [Date::new(2023, 4, 15), Date::new(2023, 6, 4)];
        let series: Vec<Band> = (dates.iter())
            .flat_map(|&date| kinds.map(|kind| band(kind, date)))
            .collect();
        assert_eq!(meant("nir", &series), None);
        assert_eq!(meant("nir 2023-06-04", &series), Some(8));
        assert_eq!(meant("swir2 2023-04-15", &series), Some(5));
        assert_eq!(meant("B8A 2023-06-04", &series), Some(9));
    }
}
