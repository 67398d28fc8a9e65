use std::path::PathBuf;

use crate::Hint;
use crate::host::Step;
use crate::paths::told;

/// Features whose place on a raster would have to be guessed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// The features have a reference system and the image has none.
    #[error(
        "the features are in {system}, but the image names no coordinate reference system ({image}){looks}: {told}", told = told(path)
    )]
    ImageWithoutSystem {
        /// The vector file.
        path: PathBuf,
        /// The features' system.
        system: String,
        /// What the image says of its place.
        image: String,
        /// What the coordinates look like, as the rest of a sentence; may be empty.
        looks: String,
    },
    /// Coordinates of a geographic system that are far beyond all degrees.
    #[error("the coordinates are no degrees (x {x}, y {y}), though {claim}: {told}", told = told(path))]
    NoDegrees {
        /// The vector file.
        path: PathBuf,
        /// The first of them.
        x: f64,
        /// The first of them.
        y: f64,
        /// Who says that they are.
        claim: String,
    },
    /// No transformation leads from the features' system to the image's.
    #[error(
        "no way leads from the features' coordinate reference system ({system}) to the image's ({image}): {detail}: {told}", told = told(path)
    )]
    NoWay {
        /// The vector file.
        path: PathBuf,
        /// The features' system.
        system: String,
        /// The image's.
        image: String,
        /// PROJ's own words.
        detail: String,
    },
    /// The file names no system, and what was assumed puts nothing on the image.
    #[error(
        "the file names no coordinate reference system, so {assumed}, but then nothing lies on it: the features cover \
         {features} and the image {image}: {told}", told = told(path)
    )]
    AssumedElsewhere {
        /// The vector file.
        path: PathBuf,
        /// What was assumed.
        assumed: String,
        /// The features' extent.
        features: String,
        /// The image's extent.
        image: String,
    },
    /// With x and y exchanged the features would lie on the image.
    #[error(
        "nothing lies on the image, but with x and y exchanged {count} of {total} polygons would: the file most likely has \
         latitude or northing first (x {x}, y {y}): {told}", told = told(path)
    )]
    Exchanged {
        /// The vector file.
        path: PathBuf,
        /// Polygons that would lie on the image.
        count: usize,
        /// Polygons looked at.
        total: usize,
        /// The middle of the first of them, as the file has it.
        x: f64,
        /// The middle of the first of them, as the file has it.
        y: f64,
        /// The features' system, such as `EPSG:4326`.
        system: String,
    },
}

impl Hint for PlaceError {
    fn hint(&self) -> Option<String> {
        let stated = |path: &PathBuf, crs: &str| Step::StateCrs { path, crs }.to_string();
        Some(match self {
            Self::ImageWithoutSystem { path, .. } => format!(
                "give the image its place: a GeoTIFF with a reference system, exported from QGIS (Export, Save As) after \
                 georeferencing; or say that the coordinates are the image's own with {}, or that they are its pixels (x to \
                 the right, y down) with {}",
                stated(path, "raster"),
                stated(path, "pixels")
            ),
            Self::NoDegrees { path, .. } => format!(
                "state the system that they are in: {}, or {} when it is the image's own{}",
                stated(path, "EPSG:CODE"),
                stated(path, "raster"),
                Step::CrsOption
            ),
            Self::NoWay { path, .. } => format!(
                "when the features are in the image's own coordinates, say so: {}; otherwise state their system with {}",
                stated(path, "raster"),
                stated(path, "EPSG:CODE")
            ),
            Self::AssumedElsewhere { path, .. } => format!(
                "state the system that the coordinates are in: {}, or {} when they are pixels of the image",
                stated(path, "EPSG:CODE"),
                stated(path, "pixels")
            ),
            Self::Exchanged { path, system, .. } => match epsg_code(system) {
                Some(code) => format!(
                    "{} takes the coordinates in EPSG's order, latitude or northing first where it says so",
                    stated(path, &format!("urn:ogc:def:crs:EPSG::{code}"))
                ),
                None => format!(
                    "write the file with x (longitude, easting) first, or state EPSG's order: {}",
                    stated(path, "urn:ogc:def:crs:EPSG::CODE")
                ),
            },
        })
    }
}

/// The number in `EPSG:4326`, whatever is said after it.
fn epsg_code(system: &str) -> Option<&str> {
    let code = system.strip_prefix("EPSG:")?;
    let end = code.find(|character: char| !character.is_ascii_digit());
    let code = &code[..end.unwrap_or(code.len())];
    (!code.is_empty()).then_some(code)
}

impl From<PlaceError> for crate::Error {
    fn from(error: PlaceError) -> Self {
        super::VectorError::from(error).into()
    }
}
