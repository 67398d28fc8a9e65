use std::path::PathBuf;

use super::{PixelWindow, Resolution, Size};
use crate::Hint;
use crate::host::{Step, either, in_a_shell};
use crate::paths::told;

/// What can go wrong in [`crate::raster`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RasterError {
    /// There is no such file.
    #[error("there is no such raster: {told}", told = told(path))]
    Missing {
        /// The file that was asked for.
        path: PathBuf,
    },
    /// The file holds nothing.
    #[error("the file has zero bytes, a raster was expected: {told}", told = told(path))]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// GDAL reads no raster from the file.
    #[error("the file is not a raster that GDAL reads ({detail}): {told}", told = told(path))]
    NotARaster {
        /// The file.
        path: PathBuf,
        /// GDAL's own words.
        detail: String,
    },
    /// The file has no band with imagery, but perhaps rasters with names of their own.
    #[error("{}: {told}", no_bands(rasters), told = told(path))]
    NoBands {
        /// The file.
        path: PathBuf,
        /// Names and descriptions of the rasters that it holds.
        rasters: Vec<(String, String)>,
    },
    /// A folder, an archive or a pattern, of which one raster must be chosen.
    #[error("{what} is no raster, one of the {} in it must be named: {told}", found.len(), told = told(path))]
    SeveralRasters {
        /// What was asked for.
        path: PathBuf,
        /// `a folder`, `an archive`, `a pattern`.
        what: &'static str,
        /// What could be opened.
        found: Vec<String>,
    },
    /// A virtual raster names files that are not there.
    #[error(
        "{} of the {parts} files that the virtual raster is made of {} missing ({}): {told}",
        missing.len(),
        if missing.len() == 1 { "is" } else { "are" },
        few(missing), told = told(path)
    )]
    MissingParts {
        /// The virtual raster.
        path: PathBuf,
        /// The files that are not there.
        missing: Vec<PathBuf>,
        /// How many files it names.
        parts: usize,
    },
    /// The file is another one than was opened.
    #[error(
        "the file was changed after it was opened, what is known of it no longer holds: {told}", told = told(path)
    )]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A band that the raster does not have, or has more than once.
    #[error("{}: {told}", which_band(wanted, *matching, known.len()), told = told(path))]
    NoSuchBand {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        wanted: String,
        /// How many bands that means.
        matching: usize,
        /// The bands, with their places.
        known: Vec<String>,
    },
    /// A window in map coordinates that the raster has no pixels for.
    #[error("no pixels can be found for the window {window}: {reason}: {told}", told = told(path))]
    NoMapWindow {
        /// The file.
        path: PathBuf,
        /// The window, in words.
        window: String,
        /// What is missing.
        reason: String,
    },
    /// One band has no valid pixel, though others have.
    #[error("the band {band:?} has no valid pixel in {window}, all of it is nodata: {told}", told = told(path))]
    NoValidPixelsInBand {
        /// The file.
        path: PathBuf,
        /// The band's name.
        band: String,
        /// Where it was looked for.
        window: PixelWindow,
    },
    /// Reading a window failed, most often since the file is cut short.
    #[error("cannot read {window}{}: {detail}: {told}", block.map(|(x, y)| format!(", block column {x} row {y}")).unwrap_or_default(), told = told(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// The window that was asked for.
        window: PixelWindow,
        /// The damaged block, by column and row of blocks, when GDAL names it.
        block: Option<(usize, usize)>,
        /// GDAL's own words.
        detail: String,
    },
    /// Nothing in the raster is valid.
    #[error("the raster has no valid pixel in {window}, all of it is nodata: {told}", told = told(path))]
    NoValidPixels {
        /// The file.
        path: PathBuf,
        /// Where it was looked for.
        window: PixelWindow,
    },
    /// A target size or window that cannot be.
    #[error(
        "a window of {found} cannot be read, at least one pixel and at most 2^31 values are expected: {told}", told = told(path)
    )]
    BadSize {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        found: Size,
    },
    /// A pixel size that leaves no raster, or one too large.
    #[error(
        "a raster of {size} cannot be seen at {resolution:?}: at least one pixel and fewer than 2^31 columns are expected: {told}", told = told(path)
    )]
    BadResolution {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        resolution: Resolution,
        /// The size of the raster.
        size: Size,
    },
    /// A length in meters on a raster that does not say what a meter is.
    #[error(
        "the raster does not say how long a meter is on it (no coordinate reference system, or one of unknown units): {told}", told = told(path)
    )]
    UnknownUnit {
        /// The file.
        path: PathBuf,
    },
    /// Values to write do not fit the window.
    #[error("{found} values were given for a window of {expected}")]
    WrongLength {
        /// Values that the window holds, over all bands.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// A window to write lies outside the file.
    #[error("cannot write {window} into a raster of {size}")]
    OutsideTarget {
        /// The window.
        window: PixelWindow,
        /// The size of the raster that is written.
        size: Size,
    },
    /// Writing failed; a file that was there before is untouched.
    #[error("cannot write the raster: {detail}: {told}", told = told(path))]
    Write {
        /// The file that was to be written.
        path: PathBuf,
        /// GDAL's or the system's own words.
        detail: String,
    },
    /// A coordinate reference system that PROJ cannot use.
    #[error("cannot use the coordinate reference system {crs}: {detail}")]
    Crs {
        /// Its name or text.
        crs: String,
        /// PROJ's own words.
        detail: String,
    },
    /// Several files that cannot be one raster.
    #[error(transparent)]
    Join(#[from] super::JoinError),
    /// Bands that cannot be changed as was asked.
    #[error(transparent)]
    Transform(#[from] super::TransformError),
    /// Arrays that cannot be imagery or labels.
    #[error(transparent)]
    Array(#[from] super::ArrayError),
    /// A file that cannot be used.
    #[error(transparent)]
    File(#[from] crate::FileError),
}

impl Hint for RasterError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing { path } => return Some(crate::paths::missing_hint(path)),
            Self::Empty { .. } => "the download or copy that made it did not finish: fetch it again".to_owned(),
            Self::NotARaster { detail, .. } if detail.contains("dataType = Int8") => {
                "this GDAL is older than 3.7 and knows no virtual raster of type Int8: open the files that it is made of"
                    .to_owned()
            }
            Self::NotARaster { path, .. } => match path.extension().and_then(|extension| extension.to_str()) {
                Some("geojson" | "json" | "gpkg" | "shp" | "fgb" | "parquet") => format!(
                    "this looks like a vector file: name the imagery, and give it labels by {}",
                    Step::GiveLabels
                ),
                _ => "check that it is the imagery itself and complete; a format that GDAL does not read is exported as \
                      GeoTIFF, from QGIS for one"
                    .to_owned(),
            },
            Self::NoBands { rasters, .. } => match rasters.first() {
                Some((name, _)) => either(
                    format!("open one by its name: `Scene::open(r#\"{name}\"#)`"),
                    format!("name one: '{name}'"),
                ),
                None => either(
                    "a vector file is given to `.with_labels(path, class)` of a scene that opens the imagery; bands that \
                     are all marked as alpha are read by `OpenOptions::new().alpha_as_imagery()`",
                    "a vector file is given by `--labels FILE`, beside the imagery; bands that are all marked as alpha are read \
                     by `--bands 1,2,3`",
                )
                .to_owned(),
            },
            Self::SeveralRasters { found, .. } => match found.as_slice() {
                [] => "no file in it looks like a raster; give the path of the imagery itself".to_owned(),
                [one, ..] => {
                    let names: Vec<&str> = found.iter().map(String::as_str).collect();
                    let several = format!(
                        "there are several: {}; {}",
                        super::information::named(&names),
                        Step::OpenImagery { path: one }
                    );
                    let joined = "; `Scene::mosaic(…)` puts tiles beside each other, `Scene::stack(…)` bands over each other";
                    several + either(joined, "")
                }
            },
            Self::MissingParts { .. } => {
                "put the files where the virtual raster names them, or write it anew for where they are; a part that is \
                 complete can be opened by itself"
                    .to_owned()
            }
            Self::Changed { .. } => "open it again: `Scene::open(path)`".to_owned(),
            Self::NoSuchBand { known, .. } => {
                format!(
                    "the bands: {}; choose by name, such as \"red\", or {}",
                    either(known.clone(), from_one(known)).join("; "),
                    Step::BandNumbers
                )
            }
            Self::NoMapWindow { .. } => {
                "give it in pixels: `PixelWindow::new(column, row, width, height)`, counted from the top-left corner".to_owned()
            }
            Self::NoValidPixelsInBand { .. } => format!(
                "{} leaves the band out, {}",
                Step::LeaveBandsOut,
                either(
                    "`.without_nodata()` takes its nodata value for an ordinary one",
                    "`--nodata VALUE` states another nodata value"
                )
            ),
            Self::Read { .. } => format!(
                "the file is most likely cut short or damaged: fetch it again; what lies before that block still reads through {}",
                either("`scene.crop(window)`", "`--crop COL,ROW,WIDTH,HEIGHT`")
            ),
            Self::NoValidPixels { .. } => either(
                "`raster.nodata()` says the nodata value; a wrong one is left aside by \
                 `Scene::open_with(path, OpenOptions::new().without_nodata())`, an alpha band by `.alpha_as_imagery()`",
                "`swath info FILE` says the nodata value; `--nodata VALUE` states another one, `--bands` leaves bands out",
            )
            .to_owned(),
            Self::Write { .. } => {
                "free some space or choose another folder, then save again: nothing that was there is lost".to_owned()
            }
            Self::Crs { .. } => {
                "name it as `EPSG:CODE`, or give its WKT or PROJ text; a label file's is stated with \
                 `VectorSource::new(path).crs(\"EPSG:CODE\")`"
                    .to_owned()
            }
            Self::BadResolution { .. } if in_a_shell() => {
                "give the edge of a pixel on the ground: `--pixel-size 0.5`".to_owned()
            }
            Self::UnknownUnit { .. } if in_a_shell() => {
                "leave `--pixel-size` out: scenes are predicted pixel by pixel".to_owned()
            }
            Self::BadResolution { .. } => {
                "give the edge of a pixel on the ground, `Resolution::Meters(0.5)`, or pixels for each pixel of the file, \
                 `Resolution::Factor(2.0)`"
                    .to_owned()
            }
            Self::UnknownUnit { .. } => {
                "count in pixels: `Resolution::Factor(2.0)`, `Chips::random(400, 256)`, `.window_sizes(150..=200)`".to_owned()
            }
            Self::BadSize { .. } | Self::WrongLength { .. } | Self::OutsideTarget { .. } => return None,
            Self::Join(error) => return error.hint(),
            Self::Transform(error) => return error.hint(),
            Self::Array(error) => return error.hint(),
            Self::File(error) => return error.hint(),
        })
    }
}

/// What a file without imagery holds instead.
fn no_bands(rasters: &[(String, String)]) -> String {
    let names: Vec<&str> = rasters.iter().map(|(name, _)| name.as_str()).collect();
    match names.len() {
        0 => "the raster has no band with imagery".to_owned(),
        count => {
            let shown = names[..count.min(12)].join(", ");
            let more = if count > 12 {
                format!(" and {} more", count - 12)
            } else {
                String::new()
            };
            format!(
                "the file is a container of {count} rasters, one of them must be named: {shown}{more}"
            )
        }
    }
}

/// `0: "red" (Byte)` as somebody says it who counts from 1.
fn from_one(known: &[String]) -> Vec<String> {
    let next = |band: &String| match band.split_once(": ") {
        Some((at, what)) => match at.parse::<usize>() {
            Ok(at) => format!("{}: {what}", at + 1),
            Err(_) => band.clone(),
        },
        None => band.clone(),
    };
    known.iter().map(next).collect()
}

/// How a choice of a band failed.
fn which_band(wanted: &str, matching: usize, count: usize) -> String {
    match matching {
        0 if let Some(number) = either(None, wanted.parse::<i64>().ok()) => {
            let number = number.saturating_add(1);
            format!("there is no band {number}, counted from 1: there are {count}")
        }
        0 if wanted.parse::<i64>().is_ok() => {
            format!("there is no band {wanted}, counted from 0: there are {count}")
        }
        0 => format!("there is no band {wanted} among the {count} of the file"),
        _ => format!("{matching} bands are meant by {wanted}, one was expected"),
    }
}

/// At most three of the files.
fn few(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths
        .iter()
        .take(3)
        .map(|path| path.display().to_string())
        .collect();
    let more = if paths.len() > 3 { ", …" } else { "" };
    names.join(", ") + more
}
