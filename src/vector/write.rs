use std::path::{Path, PathBuf};

use geo::MultiPolygon;

use super::VectorError;
use super::measured::{Layout, Shapes};
use super::vector_writer::{VectorWriter, file_in};
use crate::Result;

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
///
/// | format | ending | what it does not hold |
/// |---|---|---|
/// | [`Format::GeoPackage`] | `.gpkg` | nothing is lost |
/// | [`Format::GeoJson`] | `.geojson` | any system but longitude and latitude; digits below a millimeter |
/// | [`Format::FlatGeobuf`] | `.fgb` | the order of the features, which is that of its spatial index |
/// | [`Format::Shapefile`] | `.shp` and files beside it | names of columns above 10 letters, texts above 254 bytes, more than 2 GB |
/// | [`Format::GeoParquet`] | `.parquet` | nothing is lost; needs a GDAL that was built with Arrow |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// GeoPackage, in the given coordinate reference system.
    GeoPackage,
    /// GeoJSON by RFC 7946: longitude and latitude, exterior rings anticlockwise.
    GeoJson,
    /// FlatGeobuf with a spatial index, in the given coordinate reference system.
    FlatGeobuf,
    /// A shapefile, in the given coordinate reference system; its texts are UTF-8, which its `.cpg` says.
    Shapefile,
    /// GeoParquet, in the given coordinate reference system. Where GDAL has no driver for it, as in Debian's packages, it
    /// cannot be written ([`VectorError::NoDriver`]).
    GeoParquet,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [
        Self::GeoPackage,
        Self::GeoJson,
        Self::FlatGeobuf,
        Self::Shapefile,
        Self::GeoParquet,
    ];

    /// The format of a file by its ending; `.json` is GeoJSON and `.geoparquet` GeoParquet, too.
    ///
    /// ```
    /// use swath::vector::Format;
    /// assert_eq!(Format::of_path("houses.fgb")?, Format::FlatGeobuf);
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`VectorError::UnknownFormat`] for any other ending.
    pub fn of_path(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        match ending.to_lowercase().as_str() {
            "gpkg" => Ok(Self::GeoPackage),
            "geojson" | "json" => Ok(Self::GeoJson),
            "fgb" => Ok(Self::FlatGeobuf),
            "shp" => Ok(Self::Shapefile),
            "parquet" | "geoparquet" => Ok(Self::GeoParquet),
            _ => Err(VectorError::UnknownFormat {
                path: path.to_owned(),
            }
            .into()),
        }
    }

    /// The ending of its files, without the point.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::GeoPackage => "gpkg",
            Self::GeoJson => "geojson",
            Self::FlatGeobuf => "fgb",
            Self::Shapefile => "shp",
            Self::GeoParquet => "parquet",
        }
    }

    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GeoPackage => "GeoPackage",
            Self::GeoJson => "GeoJSON",
            Self::FlatGeobuf => "FlatGeobuf",
            Self::Shapefile => "shapefile",
            Self::GeoParquet => "GeoParquet",
        }
    }

    /// GDAL's name for its driver.
    pub(super) const fn driver(self) -> &'static str {
        match self {
            Self::GeoPackage => "GPKG",
            Self::GeoJson => "GeoJSON",
            Self::FlatGeobuf => "FlatGeobuf",
            Self::Shapefile => "ESRI Shapefile",
            Self::GeoParquet => "Parquet",
        }
    }

    /// Options of a layer of its driver.
    pub(super) const fn layer_options(self) -> &'static [&'static str] {
        match self {
            Self::GeoPackage => &["SPATIAL_INDEX=YES", "GEOMETRY_NAME=geom"],
            Self::FlatGeobuf => &["SPATIAL_INDEX=YES"],
            // What is larger than most programs read is an error instead of a file that they do not open.
            Self::Shapefile => &["ENCODING=UTF-8", "2GB_LIMIT=YES"],
            Self::GeoParquet => &["GEOMETRY_NAME=geometry"],
            Self::GeoJson => &[],
        }
    }

    /// Every name that saving layers called so may give, in all formats.
    pub(crate) fn names_of(stems: &[&str]) -> Vec<String> {
        let named = |ending| stems.iter().map(move |stem| format!("{stem}.{ending}"));
        let endings = Self::ALL.into_iter().flat_map(Self::endings);
        endings.flat_map(named).collect()
    }

    /// The endings of all files that saving a layer may leave.
    pub(crate) fn endings(self) -> Vec<&'static str> {
        match self {
            Self::Shapefile => super::shapefile::PARTS.to_vec(),
            _ => vec![self.ending()],
        }
    }
}

/// Writes polygons with the properties `class`, `score` and `area_m2`, which is called `area` when `crs_wkt` is empty and
/// nobody knows the meter, atomically: a file that was there before is replaced when the new one is complete, and untouched
/// otherwise. `path` is the file, or a folder, in which it is then named `polygons.gpkg`, `polygons.geojson`, ….
///
/// # Errors
/// [`VectorError::Write`] when the disk is full or the folder cannot be written, [`VectorError::NoDriver`] when this GDAL
/// does not write the format.
pub fn write_polygons(
    path: impl AsRef<Path>,
    features: &[PolygonFeature],
    crs_wkt: &str,
    format: Format,
) -> Result<PathBuf> {
    let path = file_in(path.as_ref(), "polygons", format);
    let longest = features.iter().map(|feature| feature.class.len()).max();
    let mut writer = VectorWriter::polygons(&path, format, crs_wkt, longest.unwrap_or(1))?;
    for feature in features {
        writer.add_polygon(feature)?;
    }
    writer.finish()?;
    Ok(path)
}

/// What the area of a polygon is called in a file.
pub(crate) fn area_name(crs_wkt: &str) -> &'static str {
    if crs_wkt.is_empty() {
        "area"
    } else {
        "area_m2"
    }
}

/// Writes points with the properties `class` and `score`, as [`write_polygons`] does polygons. A folder gets
/// `points.gpkg`, `points.geojson`, ….
///
/// # Errors
/// As [`write_polygons`].
pub fn write_points(
    path: impl AsRef<Path>,
    features: &[PointFeature],
    crs_wkt: &str,
    format: Format,
) -> Result<PathBuf> {
    let path = file_in(path.as_ref(), "points", format);
    let longest = features.iter().map(|feature| feature.class.len()).max();
    let layout = Layout {
        shapes: Shapes::Points,
        numbers: &[],
        longest_class: longest.unwrap_or(1),
        decimals: None,
    };
    let mut writer = VectorWriter::create(&path, format, crs_wkt, &layout)?;
    for feature in features {
        writer.add_point(feature)?;
    }
    writer.finish()?;
    Ok(path)
}
