use std::path::PathBuf;

use crate::Hint;

/// What can go wrong in [`crate::vector`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VectorError {
    /// There is no such file.
    #[error("there is no such vector file: {path:?}")]
    Missing {
        /// The file that was asked for.
        path: PathBuf,
    },
    /// OGR reads no features from the file.
    #[error("the file holds no vector features that GDAL reads ({detail}): {path:?}")]
    NotAVector {
        /// The file.
        path: PathBuf,
        /// GDAL's own words.
        detail: String,
    },
    /// The file is a raster.
    #[error("the file is a raster, features of a vector file are expected: {path:?}")]
    IsRaster {
        /// The file.
        path: PathBuf,
    },
    /// No feature is an area.
    #[error("none of {features} features is a usable polygon ({reasons}): {path:?}")]
    NoPolygons {
        /// The file.
        path: PathBuf,
        /// Features read.
        features: usize,
        /// Why they were left out, with counts.
        reasons: String,
    },
    /// The features have no such property.
    #[error("the features have no property {property:?}, there are: {}: {path:?}", names.join(", "))]
    NoProperty {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        property: String,
        /// The properties there are.
        names: Vec<String>,
    },
    /// Reading failed part of the way.
    #[error("cannot read the vector file: {detail}: {path:?}")]
    Read {
        /// The file.
        path: PathBuf,
        /// GDAL's own words.
        detail: String,
    },
    /// Writing failed; a file that was there before is untouched.
    #[error("cannot write the vector file: {detail}: {path:?}")]
    Write {
        /// The file that was to be written.
        path: PathBuf,
        /// GDAL's or the system's own words.
        detail: String,
    },
    /// Labels to trace do not fit their size.
    #[error("{found} labels were given for {expected} pixels")]
    WrongLength {
        /// Pixels.
        expected: usize,
        /// Labels.
        found: usize,
    },
    /// A failure of the operating system on a file.
    #[error("cannot access the file: {source}: {path:?}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },
}

impl Hint for VectorError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing { path } => return Some(crate::raster::missing_hint(path)),
            Self::NotAVector { .. } => {
                "`ogrinfo -so -al FILE` says what GDAL makes of it; `ogrinfo --formats` lists what it reads".to_owned()
            }
            Self::IsRaster { .. } => {
                "labels that are pixels are given by `.with_label_raster(FILE, CLASSES)`, `%scene … label_raster=FILE \
                 classes=…` or `--label-raster FILE`"
                    .to_owned()
            }
            Self::NoPolygons { .. } => {
                "labels are areas: lines and points become areas with a buffer, for example \
                 `ogr2ogr -dialect sqlite -sql \"SELECT ST_Buffer(geometry, 2) AS geometry FROM layer\" out.gpkg in.gpkg`"
                    .to_owned()
            }
            Self::NoProperty { .. } => "choose one of these, or a class name of your own for every feature".to_owned(),
            Self::Read { .. } => {
                "fetch the file again, or repair it with `ogr2ogr -skipfailures repaired.gpkg FILE`".to_owned()
            }
            Self::Write { .. } => {
                "free some space or choose another folder, then save again: nothing that was there is lost".to_owned()
            }
            Self::Io { path, source } => return crate::staged::hint(path, source),
            Self::WrongLength { .. } => return None,
        })
    }
}
