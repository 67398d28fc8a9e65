//! Polygons with columns of numbers, as the objects of a map have them.

use std::path::Path;

use geo::MultiPolygon;

use super::{geojson, geopackage};
use crate::Result;

/// A polygon to write with its class, its score and a number for each further column.
pub(crate) struct Measured<'a> {
    pub(crate) geometry: &'a MultiPolygon<f64>,
    pub(crate) class: &'a str,
    pub(crate) score: Option<f32>,
    pub(crate) numbers: Vec<f64>,
}

/// What polygons with columns are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    GeoPackage,
    GeoJson,
    /// Not put in place as a whole: a folder for files under way is the caller's part.
    Shapefile,
}

impl Container {
    /// The longest class that it holds, in bytes.
    pub(crate) fn longest_text(self) -> usize {
        match self {
            Self::Shapefile => geopackage::SHAPEFILE_TEXT,
            Self::GeoPackage | Self::GeoJson => usize::MAX,
        }
    }
}

/// Writes polygons with the columns `class`, `score` and `names`.
///
/// # Errors
/// [`super::VectorError::Write`] when the disk is full or the folder cannot be written.
pub(crate) fn write_measured(
    path: &Path,
    features: &[Measured<'_>],
    names: &[&str],
    crs_wkt: &str,
    container: Container,
) -> Result<()> {
    let write = match container {
        Container::GeoPackage => geopackage::write_measured,
        Container::GeoJson => geojson::write_measured,
        Container::Shapefile => geopackage::write_shapefile,
    };
    write(path, features, names, crs_wkt)
}
