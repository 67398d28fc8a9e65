//! Values of options: each says what it expects when it cannot be read.

use std::ffi::OsStr;
use std::str::FromStr;

use clap::builder::{EnumValueParser, PossibleValue, TypedValueParser};
use clap::{Arg, Command, ValueEnum};

/// Mirrored or turned views of a window, whose predictions are averaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Views {
    /// Mirrored along both axes
    Flips,
    /// Mirrored, and turned by quarters
    Turns,
}

/// What becomes of boxes that overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Fusion {
    /// The best of them stays: non-maximum suppression
    Nms,
    /// The others' scores are lowered: soft suppression
    SoftNms,
    /// They become one, weighted by their scores: weighted boxes fusion
    Weighted,
}

/// A format of polygons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PolygonFormat {
    /// GeoPackage
    Gpkg,
    /// GeoJSON
    Geojson,
    /// FlatGeobuf
    Fgb,
    /// Shapefile
    Shp,
    /// GeoParquet, where GDAL has it
    Parquet,
}

/// How the outlines of polygons are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutlineWay {
    /// Along the edges of pixels
    Pixels,
    /// With right angles where they have such a form: buildings
    RightAngles,
}

/// How finely scores are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ScoreWay {
    /// Bytes in steps of 1/254
    U8,
    /// Bytes in whole percent
    Percent,
    /// Half floats
    F16,
    /// Floats
    F32,
}

/// How a cell gets its class from labels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CellWay {
    /// That of most of its pixels.
    Majority,
    /// That which covers at least this part of it.
    Cell(f64),
    /// That of an object of which at least this part lies in it.
    Object(f64),
}

impl FromStr for CellWay {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "expected `majority`, `cell:SHARE` or `object:SHARE`, such as object:0.5";
        if text == "majority" {
            return Ok(Self::Majority);
        }
        let (kind, share) = text.split_once(':').ok_or(wrong)?;
        let share = share.parse().ok();
        let share = share.filter(|share| *share > 0.0 && *share <= 1.0);
        match (kind, share) {
            ("cell", Some(share)) => Ok(Self::Cell(share)),
            ("object", Some(share)) => Ok(Self::Object(share)),
            _ => Err(wrong),
        }
    }
}

/// A device to compute on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceName {
    /// The processor.
    Cpu,
    /// The GPU of this index.
    Cuda(usize),
}

impl FromStr for DeviceName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = "expected `cpu`, `cuda` or `cuda:N`";
        match text.split_once(':') {
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "cuda" => Ok(Self::Cuda(0)),
            Some(("cuda", index)) => index.parse().map(Self::Cuda).map_err(|_| unknown),
            _ => Err(unknown),
        }
    }
}

/// One value of an enum; spaces around it, as in `gpkg, geojson`, do not count.
#[derive(Clone, Debug)]
pub(crate) struct Trimmed<T: ValueEnum + Clone + Send + Sync + 'static>(EnumValueParser<T>);

impl<T: ValueEnum + Clone + Send + Sync + 'static> Trimmed<T> {
    pub(crate) fn new() -> Self {
        Self(EnumValueParser::new())
    }
}

impl<T: ValueEnum + Clone + Send + Sync + 'static> TypedValueParser for Trimmed<T> {
    type Value = T;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        let trimmed = value.to_str().map_or(value, |text| text.trim().as_ref());
        self.0.parse_ref(command, argument, trimmed)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        self.0.possible_values()
    }
}

/// A name of a list, without the spaces around it.
pub(crate) fn name(text: &str) -> Result<String, &'static str> {
    Ok(text.trim().to_owned())
}

macro_rules! number {
    ($($(#[doc = $doc:literal])* $name:ident: $type:ty, $range:expr, $expected:literal;)*) => {$(
        $(#[doc = $doc])*
        pub(crate) fn $name(text: &str) -> Result<$type, &'static str> {
            let number = text.parse().ok().filter(|number| $range.contains(number));
            number.ok_or(concat!("expected ", $expected))
        }
    )*};
}

number! {
    /// Lengths in pixels.
    pixels: usize, 0.., "a whole number of pixels";
    /// How many windows are predicted at a time.
    windows: usize, 1.., "a whole number of windows, at least 1";
    /// How many boxes there may be.
    boxes: usize, 1.., "a whole number of boxes, at least 1";
    /// A number to begin with.
    seed: u64, 0.., "a whole number";
    /// A score or a probability.
    score: f32, 0.0..=1.0, "a number from 0 to 1";
    /// A number of pixels, of which polygons may have parts.
    pixel_area: f64, 0.0.., "a number of pixels, 0 or more";
    /// A distance on the ground.
    distance: f64, 0.0..1e6, "a number of meters, 0 or more";
    /// An area.
    square_meters: f64, 0.0.., "a number of square meters, 0 or more";
    /// The edge of a pixel on the ground.
    meters: f64, f64::MIN_POSITIVE..1e6, "a number of meters above 0";
    /// A share of a hundred.
    percent: f64, 0.0..=100.0, "a number from 0 to 100";
    /// A time between two lines.
    seconds: f64, 0.0..1e6, "a number of seconds, 0 or more";
    /// How many items there may be.
    items: usize, 1.., "a whole number of items, at least 1";
    /// An overlap of two boxes.
    overlap: f64, 0.0..=1.0, "an overlap from 0 to 1";
}

/// A window of pixels: its left column, its top row, its width and height.
pub(crate) fn crop(text: &str) -> Result<[i64; 4], &'static str> {
    let wrong = "expected COL,ROW,WIDTH,HEIGHT in whole pixels, such as 0,0,512,512";
    let parts: Vec<i64> = text
        .split(',')
        .map(|part| part.trim().parse())
        .collect::<Result<_, _>>()
        .map_err(|_| wrong)?;
    match parts.as_slice() {
        &[col, row, width, height] if width > 0 && height > 0 => Ok([col, row, width, height]),
        _ => Err(wrong),
    }
}

/// A rectangle of degrees.
pub(crate) fn rectangle(text: &str) -> Result<[f64; 4], &'static str> {
    let wrong = "expected WEST,SOUTH,EAST,NORTH in degrees, such as 85.48,27.59,85.56,27.66";
    let parts: Vec<f64> = text
        .split(',')
        .map(|part| part.trim().parse())
        .collect::<Result<_, _>>()
        .map_err(|_| wrong)?;
    match parts.as_slice() {
        &[west, south, east, north] if parts.iter().all(|part| part.abs() <= 180.0) => {
            Ok([west, south, east, north])
        }
        _ => Err(wrong),
    }
}

/// A file or band with values that are not to be used.
pub(crate) fn mask(text: &str) -> Result<(String, Vec<i32>), &'static str> {
    let wrong = "expected NAME:CODE,.. in whole numbers, such as SCL:0,1,3,8,9,10";
    let (name, codes) = text.rsplit_once(':').ok_or(wrong)?;
    let codes: Result<Vec<i32>, _> = codes.split(',').map(|code| code.trim().parse()).collect();
    match (name.trim(), codes) {
        ("", _) | (_, Err(_)) => Err(wrong),
        (name, Ok(codes)) => Ok((name.to_owned(), codes)),
    }
}

/// Two days.
pub(crate) fn days(text: &str) -> Result<(String, String), &'static str> {
    let wrong = "expected DATE,DATE, such as 2023-04-01,2023-09-30";
    let (first, last) = text.split_once(',').ok_or(wrong)?;
    match (first.trim(), last.trim()) {
        ("", _) | (_, "") => Err(wrong),
        (first, last) => Ok((first.to_owned(), last.to_owned())),
    }
}

/// A column of a table with a value.
pub(crate) fn condition(text: &str) -> Result<(String, String), &'static str> {
    let (column, value) = text
        .split_once('=')
        .filter(|(column, _)| !column.trim().is_empty())
        .ok_or("expected COLUMN=VALUE, such as split=test")?;
    Ok((column.trim().to_owned(), value.trim().to_owned()))
}

/// A name of a parameter with its value.
pub(crate) fn parameter(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.trim().is_empty())
        .ok_or("expected NAME=VALUE, such as epochs=20")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}
