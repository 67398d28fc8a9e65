use std::path::PathBuf;

use super::{Date, RasterError, Size};
use crate::Hint;
use crate::host::Step;
use crate::paths::told;

/// What can go wrong when several files are to be one raster.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// There is nothing to join.
    #[error("{what} of no files was asked for: at least one is expected")]
    Nothing {
        /// `a stack`, `a mosaic`.
        what: &'static str,
    },
    /// Some files have a place on the ground and others have none.
    #[error(
        "{without} of the {all} files have no place on the ground and the others have one, so that nobody knows how they \
         lie: the first without is {told}", told = told(path)
    )]
    SomeWithoutPlace {
        /// The first file without a place.
        path: PathBuf,
        /// How many have none.
        without: usize,
        /// How many files there are.
        all: usize,
    },
    /// Images without a place of different sizes.
    #[error(
        "the images have no place on the ground and different sizes, {expected} and {found}, so that nobody knows which \
         pixels belong together: {told}", told = told(path)
    )]
    OtherSize {
        /// The image of another size.
        path: PathBuf,
        /// Its size.
        found: Size,
        /// That of the first.
        expected: Size,
    },
    /// A file lies elsewhere.
    #[error("the file lies nowhere on the grid of {of}: {places}: {told}", told = told(path))]
    Elsewhere {
        /// The file.
        path: PathBuf,
        /// The file whose grid it is.
        of: String,
        /// Both extents in the grid's coordinate reference system, in words.
        places: String,
    },
    /// The files have no ground in common.
    #[error("the files share no pixel: their intersection is empty")]
    NoCommonGround,
    /// More pixels than a raster can have.
    #[error(
        "together the files would make a raster of {wide:.0} x {high:.0} px, at most 2^31 columns and rows are possible"
    )]
    TooLarge {
        /// Columns.
        wide: f64,
        /// Rows.
        high: f64,
    },
    /// A file that is to give the grid and is not in the list.
    #[error("the grid is to be that of {wanted:?}, which is none of the files: {}", known.join(", "))]
    NoSuchPart {
        /// What was asked for.
        wanted: String,
        /// The names of the files.
        known: Vec<String>,
    },
    /// A tile with other bands than the first one.
    #[error(
        "the tile has {} and the first one, {first}, has {}: {told}",
        bands_in_words(found),
        bands_in_words(expected), told = told(path)
    )]
    OtherBands {
        /// The tile.
        path: PathBuf,
        /// Its bands.
        found: Vec<String>,
        /// Those of the first tile.
        expected: Vec<String>,
        /// The first tile's file.
        first: String,
    },
    /// Nothing that could be opened.
    #[error("none of the {tiles} tiles can be opened, the first since {reason}: {told}", told = told(path))]
    NoneOpens {
        /// The first tile.
        path: PathBuf,
        /// How many there are.
        tiles: usize,
        /// Why.
        reason: String,
    },
    /// A pattern or a folder without rasters.
    #[error("there is no raster to make {what} of: {told}", told = told(path))]
    NoTiles {
        /// `a mosaic`, `a time series`.
        what: &'static str,
        /// The pattern or folder.
        path: PathBuf,
    },
    /// Tiles without a place whose names do not say it either.
    #[error(
        "the tiles have no place on the ground, and their names do not say it: {reason}: {told}", told = told(path)
    )]
    Unplaced {
        /// The tile.
        path: PathBuf,
        /// What is missing in its name.
        reason: String,
    },
    /// No name has a date.
    #[error("none of the {files} files has a date in its name or in that of a folder: {told}", told = told(path))]
    NoDates {
        /// The first file.
        path: PathBuf,
        /// How many there are.
        files: usize,
    },
    /// A text that is no date.
    #[error("{text:?} is no date")]
    BadDate {
        /// The text.
        text: String,
    },
    /// A date that was stated twice.
    #[error("{date} was given twice")]
    SameDate {
        /// The date.
        date: Date,
    },
    /// A date that a series does not have.
    #[error("there is no date {wanted}, there are {}", dates_in_words(known))]
    NoSuchDate {
        /// What was asked for.
        wanted: String,
        /// The dates there are.
        known: Vec<Date>,
    },
    /// The last day of a choice lies before the first.
    #[error("dates from {first} to {last} were asked for, and the second lies before the first")]
    Backwards {
        /// The day that was named first.
        first: Date,
        /// The day that was named last.
        last: Date,
    },
    /// Two files of one band and one date.
    #[error(
        "the band {band} of {date} is in several files, of which one is expected: {first:?}, {told}", told = told(path)
    )]
    SeveralOfDate {
        /// The date.
        date: Date,
        /// The band.
        band: String,
        /// The first file.
        first: PathBuf,
        /// The second file.
        path: PathBuf,
    },
    /// A date that lacks bands.
    #[error("{date} lacks the bands {}, which another date has", missing.join(", "))]
    MissingBands {
        /// The date.
        date: Date,
        /// The bands.
        missing: Vec<String>,
    },
    /// A date without a mask.
    #[error("{date} has no mask {wanted:?}, it has {}", bands_in_words(known))]
    NoMask {
        /// The date.
        date: Date,
        /// What the mask was said to be called.
        wanted: String,
        /// The bands of the date.
        known: Vec<String>,
    },
    /// A raster whose bands have no dates.
    #[error("the raster is no time series: its bands have no dates: {told}", told = told(path))]
    NotASeries {
        /// The raster.
        path: PathBuf,
    },
}

fn dates_in_words(dates: &[Date]) -> String {
    let texts: Vec<String> = dates.iter().take(12).map(Date::to_string).collect();
    let more = if dates.len() > 12 { ", …" } else { "" };
    texts.join(", ") + more
}

fn bands_in_words(names: &[String]) -> String {
    let plural = if names.len() == 1 { "" } else { "s" };
    format!("{} band{plural} ({})", names.len(), names.join(", "))
}

impl From<JoinError> for crate::Error {
    fn from(error: JoinError) -> Self {
        RasterError::from(error).into()
    }
}

impl Hint for JoinError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Nothing { .. } => {
                "name the files: `Scene::stack([(\"red\", \"B04.tif\"), (\"nir\", \"B08.tif\")])`, \
                 `Scene::mosaic(\"tiles/*.tif\")`"
                    .to_owned()
            }
            Self::SomeWithoutPlace { .. } => {
                "give it the place of the others (a world file and a `.prj` beside it, or QGIS: Raster, Projections, Assign \
                 Projection), or leave it out"
                    .to_owned()
            }
            Self::OtherSize { .. } => {
                "images without a place are stacked pixel by pixel: bring them to one size, or give each a place".to_owned()
            }
            Self::Elsewhere { .. } => {
                "check that the files are of the same place, and that each names the coordinate reference system that it is \
                 in"
                    .to_owned()
            }
            Self::NoCommonGround => {
                "`StackExtent::Union` keeps what any of them covers; check that they are of the same place".to_owned()
            }
            Self::TooLarge { .. } => {
                "check that the files are near each other and name the right coordinate reference systems; a larger pixel is \
                 chosen by `Resolution::Meters(…)`"
                    .to_owned()
            }
            Self::NoSuchPart { wanted, known } => {
                let near = super::band_words::near(wanted, known);
                match near.is_empty() {
                    true => "name one as in the list of files".to_owned(),
                    false => format!("was {} meant?", near.join(" or ")),
                }
            }
            Self::OtherBands { .. } => {
                "tiles of one kind make a mosaic: leave the others out, or choose the same bands of all by \
                 `Mosaic::new(tiles).options(OpenOptions::new().bands([0, 1, 2]))`"
                    .to_owned()
            }
            Self::NoneOpens { .. } => {
                "check that these are the tiles themselves and complete".to_owned()
            }
            Self::NoTiles { path, .. } if path.exists() => {
                "give the rasters themselves or a pattern, such as \"tiles/*.tif\"; `**` stands for folders of any depth"
                    .to_owned()
            }
            Self::NoTiles { path, .. } => match path.to_string_lossy().contains(['*', '?', '[']) {
                true => "check the folder and the ending; `*` does not reach into folders, `**` does".to_owned(),
                false => crate::paths::missing_hint(path),
            },
            Self::NoDates { .. } => {
                "dates are read as `20230415`, `2023-04-15` or `2023105` (day of the year); \
                 `TimeSeries::of([(\"2023-04-15\", \"april.tif\"), …])` states them"
                    .to_owned()
            }
            Self::BadDate { .. } => "write it as `2023-04-15`".to_owned(),
            Self::SameDate { date } => format!(
                "give all files of a date at once: `SeriesDate::new(\"{date}\", [\"B04.tif\", \"B08.tif\"])`; two images of one \
                 day are joined before by `Scene::mosaic`, or one of them is left out"
            ),
            Self::NoSuchDate { .. } | Self::NotASeries { .. } => {
                "`scene.dates()` has the dates of a series, `Scene::series(\"s2/*.tif\")` makes one".to_owned()
            }
            Self::Backwards { first, last } => {
                format!("`.between(\"{last}\", \"{first}\")` names the earlier day first")
            }
            Self::SeveralOfDate { .. } => {
                "leave one of them out; images of one day beside each other are one scene by `Raster::mosaic`; files of other \
                 bands are told apart by `StackPart::new(path).named(\"B04\")`"
                    .to_owned()
            }
            Self::MissingBands { .. } => {
                format!(
                    "{} takes only bands that every date has; or leave the date out by {}",
                    Step::BandsOfSeries,
                    Step::DaysOfSeries
                )
            }
            Self::NoMask { .. } => {
                format!(
                    "name it as its file or band is called, such as {}, and check that the pattern matches its file, too",
                    Step::MaskSeries { name: "SCL" }
                )
            }
            Self::Unplaced { .. } => {
                "names that tell: `tile_3_7.png` (row 3, column 7), `r003_c007.png`, `x512_y0.png` (pixels), \
                 `15/17602/10749.png` (z/x/y); or a world file (`.pgw`, `.tfw`) beside each"
                    .to_owned()
            }
        })
    }
}
