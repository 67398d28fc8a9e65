use std::path::{Path, PathBuf};

use geo::MultiPolygon;

use super::{geojson, geopackage};
use crate::Result;

/// Writes features with their reference system, as WKT, to a new file.
type Writer = fn(&Path, &[PolygonFeature], &str) -> Result<()>;

/// A polygon to write.
#[derive(Clone, Debug, PartialEq)]
pub struct PolygonFeature {
    /// Its shape in WORLD coordinates of the reference system it is written with.
    pub geometry: MultiPolygon<f64>,
    /// The name of its class.
    pub class: String,
    /// How sure the model is, from 0 to 1.
    pub score: Option<f32>,
    /// Its area on the ground in square meters; without a coordinate reference system in squares of whatever its
    /// coordinates are in, such as pixels.
    pub area_m2: f64,
}

/// A point to write.
#[derive(Clone, Debug, PartialEq)]
pub struct PointFeature {
    /// Its place in WORLD coordinates of the reference system it is written with.
    pub point: geo::Point<f64>,
    /// The name of its class.
    pub class: String,
    /// How sure the model is, from 0 to 1.
    pub score: Option<f32>,
}

/// A vector file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// GeoPackage (`.gpkg`), in the given coordinate reference system.
    GeoPackage,
    /// GeoJSON by RFC 7946 (`.geojson`): longitude and latitude, exterior rings anticlockwise.
    GeoJson,
}

/// Writes polygons with the properties `class`, `score` and `area_m2`, which is called `area` when `crs_wkt` is empty and
/// nobody knows the meter, atomically: a file that was there before is replaced when the new one is complete, and untouched
/// otherwise. `path` is the file, or a folder, in which it is then
/// named `polygons.gpkg` or `polygons.geojson`.
///
/// # Errors
/// [`super::VectorError::Write`] when the disk is full or the folder cannot be written.
pub fn write_polygons(
    path: impl AsRef<Path>,
    features: &[PolygonFeature],
    crs_wkt: &str,
    format: Format,
) -> Result<PathBuf> {
    let mut path = crate::paths::expanded(path.as_ref()).into_owned();
    let (name, write): (_, Writer) = match format {
        Format::GeoPackage => ("polygons.gpkg", geopackage::write),
        Format::GeoJson => ("polygons.geojson", geojson::write),
    };
    if path.is_dir() || path.extension().is_none() {
        path.push(name);
    }
    write(&path, features, crs_wkt)?;
    Ok(path)
}

/// What the area of a polygon is called in a file.
pub(super) fn area_name(crs_wkt: &str) -> &'static str {
    if crs_wkt.is_empty() {
        "area"
    } else {
        "area_m2"
    }
}

/// Writes points with the properties `class` and `score`, as [`write_polygons`] does polygons. A folder gets
/// `points.gpkg` or `points.geojson`.
///
/// # Errors
/// As [`write_polygons`].
pub fn write_points(
    path: impl AsRef<Path>,
    features: &[PointFeature],
    crs_wkt: &str,
    format: Format,
) -> Result<PathBuf> {
    let mut path = crate::paths::expanded(path.as_ref()).into_owned();
    let name = match format {
        Format::GeoPackage => "points.gpkg",
        Format::GeoJson => "points.geojson",
    };
    if path.is_dir() || path.extension().is_none() {
        path.push(name);
    }
    match format {
        Format::GeoPackage => geopackage::write_points(&path, features, crs_wkt)?,
        Format::GeoJson => geojson::write_points(&path, features, crs_wkt)?,
    }
    Ok(path)
}
