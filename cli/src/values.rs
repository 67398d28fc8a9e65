//! Values of options: each says what it expects when it cannot be read.

use std::ffi::OsStr;
use std::str::FromStr;

use clap::builder::{EnumValueParser, PossibleValue, TypedValueParser};
use clap::{Arg, Command, ValueEnum};

use crate::submit::TimeLimit;

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
    /// The GPU of this index, as NVIDIA's driver counts.
    Cuda(usize),
    /// The GPU of this index through Vulkan, the quickest kind first.
    Vulkan(usize),
}

impl DeviceName {
    /// What names a device, for messages.
    pub const EXPECTED: &str = "expected `cpu`, `cuda`, `cuda:N`, `vulkan` or `vulkan:N`";
}

impl FromStr for DeviceName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, index) = match text.split_once(':') {
            Some((kind, index)) => (kind, index.parse().ok()),
            None => (text, Some(0)),
        };
        match (kind, index) {
            ("cpu", Some(0)) if text == "cpu" => Ok(Self::Cpu),
            ("cuda", Some(index)) => Ok(Self::Cuda(index)),
            ("vulkan", Some(index)) => Ok(Self::Vulkan(index)),
            _ => Err(Self::EXPECTED),
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
    /// One of several parts, or how many there are: Slurm's arrays have at most so many tasks.
    parts: usize, 1..=4_000_000, "a whole number of parts, at least 1";
    /// How long a job has to come to an end.
    warning: u32, 1..=65535, "a whole number of seconds from 1 to 65535";
    /// How often something is done again.
    restarts: u32, 0..=100_000, "a whole number";
    /// An overlap of two boxes.
    overlap: f64, 0.0..=1.0, "an overlap from 0 to 1";
}

/// A text that stays within its line of a script.
pub(crate) fn one_line(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("expected a text"),
        _ if text.contains(char::is_control) => Err("expected one line"),
        text => Ok(text.to_owned()),
    }
}

/// An option as sbatch has it.
pub(crate) fn sbatch_option(text: &str) -> Result<String, &'static str> {
    let text = one_line(text)?;
    match text.starts_with('-') {
        true => Ok(text),
        false => {
            Err("expected an option of sbatch, which begins with a dash: --sbatch=--exclude=node7")
        }
    }
}

/// A time limit in the forms of sbatch: minutes, `minutes:seconds`, `hours:minutes:seconds`, and days with hours before them.
pub(crate) fn time_limit(text: &str) -> Result<TimeLimit, &'static str> {
    let wrong = "expected MINUTES, MINUTES:SECONDS, HOURS:MINUTES:SECONDS or DAYS-HOURS:MINUTES, such as 90, 90:00, 1:30:00 or 2-12:00";
    let limit = |seconds| TimeLimit {
        text: text.to_owned(),
        seconds,
    };
    if ["unlimited", "infinite"].contains(&text.to_lowercase().as_str()) {
        return Ok(limit(None));
    }
    let (days, rest) = match text.split_once('-') {
        Some((days, rest)) => (Some(days), rest),
        None => (None, text),
    };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u32>().ok().filter(|_| digits).map(u64::from)
    };
    let parts: Option<Vec<u64>> = rest.split(':').map(number).collect();
    let parts = parts.ok_or(wrong)?;
    let (hours, minutes, seconds) = match (days, parts.as_slice()) {
        (None, &[minutes]) => (0, minutes, 0),
        (None, &[minutes, seconds]) => (0, minutes, seconds),
        (None | Some(_), &[hours, minutes, seconds]) => (hours, minutes, seconds),
        (Some(_), &[hours]) => (hours, 0, 0),
        (Some(_), &[hours, minutes]) => (hours, minutes, 0),
        _ => return Err(wrong),
    };
    let days = days.map_or(Some(0), number).ok_or(wrong)?;
    Ok(limit(Some(
        ((days * 24 + hours) * 60 + minutes) * 60 + seconds,
    )))
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
