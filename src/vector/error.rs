use std::path::PathBuf;

use super::PlaceError;
use super::formats::EXPORT;
use crate::Hint;
use crate::host::{Step, either};

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
    /// A buffer whose distance is none.
    #[error("the distance of a buffer must be a number above 0, found {found}")]
    BadBuffer {
        /// What was given.
        found: f64,
    },
    /// Words that say no buffer.
    #[error("a buffer is a number of meters or pixels or a column, found {found:?}")]
    BufferWords {
        /// The words.
        found: String,
    },
    /// A buffer in meters where nobody knows a meter.
    #[error(
        "the buffer is in meters, but the image does not say what a meter is ({image}): {path:?}"
    )]
    NoMeters {
        /// The vector file.
        path: PathBuf,
        /// What the image says of its place.
        image: String,
    },
    /// GDAL was built without GEOS, which makes buffers.
    #[error("lines and points cannot be buffered, since this GDAL has no GEOS: {path:?}")]
    NoGeos {
        /// The vector file.
        path: PathBuf,
    },
    /// The features have no such property.
    #[error(
        "the features have no property {property:?}, {}: {path:?}",
        those(names)
    )]
    NoProperty {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        property: String,
        /// The properties there are.
        names: Vec<String>,
        /// Those that may have been meant.
        near: Vec<String>,
    },
    /// A table that does not say where rasters lie.
    #[error("the table gives no places of rasters: {reason}: {path:?}")]
    Places {
        /// The table.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// A table with columns for the places of rasters, in which no row has one.
    #[error(
        "the table gives no places of rasters: none of its {rows} rows has a file and a place that can be read{found}: {path:?}"
    )]
    NoPlaces {
        /// The table.
        path: PathBuf,
        /// Its rows.
        rows: usize,
        /// What the first one has instead, such as `; row 1 has xmin "0,5"`.
        found: String,
    },
    /// The file is imagery.
    #[error("the file is a raster, vector features were expected: {path:?}")]
    IsARaster {
        /// The file.
        path: PathBuf,
    },
    /// A file of a kind that is known, and holds no features that can be read here.
    #[error("this is {what}, vector features were expected: {path:?}")]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: String,
        /// How to get features out of it.
        way: String,
    },
    /// A layer that the file does not have.
    #[error("the file has no layer {layer:?}, its layers are: {}: {path:?}", layers.join(", "))]
    NoLayer {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        layer: String,
        /// The layers there are, with what they hold.
        layers: Vec<String>,
    },
    /// Several layers, and nothing says which one is meant.
    #[error("the file has several layers that may be meant, one has to be named: {}: {path:?}", layers.join(", "))]
    SeveralLayers {
        /// The file.
        path: PathBuf,
        /// The layers there are, with what they hold.
        layers: Vec<String>,
    },
    /// Several layers without any area.
    #[error("no layer of the file holds areas: {}: {path:?}", layers.join(", "))]
    NoAreas {
        /// The file.
        path: PathBuf,
        /// The layers there are, with what they hold.
        layers: Vec<String>,
    },
    /// An archive of several vector files.
    #[error("the archive holds several vector files, one has to be named: {}: {path:?}", files.join(", "))]
    SeveralFiles {
        /// The archive.
        path: PathBuf,
        /// GDAL's paths of the files in it.
        files: Vec<String>,
    },
    /// A condition that cannot be understood.
    #[error(
        "the filter {filter:?} cannot be applied: {detail}; {}: {path:?}",
        those(names)
    )]
    BadFilter {
        /// The file.
        path: PathBuf,
        /// The condition.
        filter: String,
        /// GDAL's own words.
        detail: String,
        /// The properties there are.
        names: Vec<String>,
    },
    /// A condition that no feature fulfils.
    #[error(
        "none of {features} features passes the filter {filter:?}; {}: {path:?}",
        those(names)
    )]
    NothingPasses {
        /// The file.
        path: PathBuf,
        /// The condition.
        filter: String,
        /// Features without it.
        features: usize,
        /// The properties there are.
        names: Vec<String>,
    },
    /// Rules for classes, none.
    #[error("there is no rule that would give the features a class: {path:?}")]
    NoRules {
        /// The file.
        path: PathBuf,
    },
    /// An encoding that GDAL does not know.
    #[error("the encoding {encoding:?} is not known: {path:?}")]
    UnknownEncoding {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        encoding: String,
    },
    /// The file names a coordinate reference system that nobody understands.
    #[error("the file's coordinate reference system cannot be read: {detail}: {path:?}")]
    UnreadableCrs {
        /// The file.
        path: PathBuf,
        /// GDAL's own words.
        detail: String,
    },
    /// Reading failed part of the way.
    #[error("not all features of the file can be read: {detail}: {path:?}")]
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
    /// GDAL was built without the driver of a format.
    #[error(
        "this GDAL does not write {format}: it has no driver {driver:?} that creates files: {path:?}"
    )]
    NoDriver {
        /// The file that was to be written.
        path: PathBuf,
        /// The format.
        format: &'static str,
        /// GDAL's name for the driver.
        driver: &'static str,
    },
    /// GDAL was built without GEOS, which draws outlines.
    #[error("outlines cannot be drawn anew, since this GDAL has no GEOS")]
    OutlinesWithoutGeos,
    /// An ending that says no format.
    #[error(
        "features are saved as .gpkg, .geojson, .fgb, .shp or .parquet, which this is not: {path:?}"
    )]
    UnknownFormat {
        /// The file that was to be written.
        path: PathBuf,
    },
    /// Labels to trace do not fit their size.
    #[error("{found} labels were given for {expected} pixels")]
    WrongLength {
        /// Pixels.
        expected: usize,
        /// Labels.
        found: usize,
    },
    /// The features' place would have to be guessed.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A file that cannot be used.
    #[error(transparent)]
    File(#[from] crate::FileError),
}

impl Hint for VectorError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing { path } => return Some(crate::paths::missing_hint(path)),
            Self::NotAVector { .. } => format!(
                "if another program shows it, {EXPORT}; boxes in pixels go to {}",
                Step::GiveBoxes
            ),
            Self::IsARaster { .. } => format!("labels that are pixels are given by {}", Step::LabelRaster),
            Self::Places { .. } => {
                "a column `file` has the names, `xmin`, `ymin`, `xmax` and `ymax` have the outer edges, and `crs` has the system, \
                 such as EPSG:25832"
                    .to_owned()
            }
            Self::NoPlaces { .. } => {
                "numbers have a decimal point, such as 500000.5; xmin is below xmax, and ymin below ymax".to_owned()
            }
            Self::OtherFormat { way, .. } => way.clone(),
            Self::NoLayer { .. } => format!("{}, one of these", Step::OtherLayer),
            Self::SeveralLayers { path, layers } => {
                let of_areas = layers.iter().find(|layer| layer.contains("olygon"));
                let first = of_areas.or(layers.first()).map_or("", String::as_str);
                let name = first.rsplit_once(" (").map_or(first, |(name, _)| name);
                Step::ChooseLayer { path, layer: name }.to_string()
            }
            Self::NoPolygons { .. } | Self::NoAreas { .. } => format!(
                "labels are areas: lines and points become areas with {}; closed lines do in QGIS with Vector > Geometry \
                 Tools > Lines to Polygons",
                Step::BufferLines
            ),
            Self::BadBuffer { .. } => format!("{}: how far it reaches to each side", Step::BufferLines),
            Self::BufferWords { .. } => {
                "`3m`, `4px`, `width:COLUMN` (the full width in meters) or `distance:COLUMN` (meters to each side)".to_owned()
            }
            Self::NoMeters { .. } => format!("give it in pixels: {}", Step::BufferPixels),
            Self::NoGeos { .. } => {
                "install a GDAL with GEOS, as Debian, Fedora, Homebrew and conda-forge have it, or buffer the features in \
                 QGIS and save them as polygons"
                    .to_owned()
            }
            Self::SeveralFiles { .. } => "give one of these paths, as it stands".to_owned(),
            Self::BadFilter { .. } => {
                "conditions are written as in SQL: names of properties plain or in double quotes, text in single quotes: \
                 `split = 'train' AND height > 3`"
                    .to_owned()
            }
            Self::NothingPasses { .. } => either(
                "check the values of the property: `.with_labels(path, LabelClass::property(name))` lists them in the \
                 scene's report",
                "check the values of the property: `swath info SCENE --labels FILE --class PROPERTY` lists them",
            )
            .to_owned(),
            Self::NoRules { .. } => {
                "`LabelClass::rules([(\"building IS NOT NULL\", \"building\")])` has one".to_owned()
            }
            Self::UnknownEncoding { .. } => "known are UTF-8, ISO-8859-1, CP1252, CP936 and the like".to_owned(),
            Self::UnreadableCrs { .. } => format!("state it: {}", Step::StateAnyCrs { crs: "EPSG:32633" }),
            Self::NoProperty { near, .. } if !near.is_empty() => {
                let near: Vec<String> = near.iter().map(|name| format!("{name:?}")).collect();
                format!("was {} meant? Capitals count", near.join(" or "))
            }
            Self::NoProperty { .. } => either(
                "choose one of these; `LabelClass::one(name)` makes every feature of one class",
                "choose one of these; `--class` with the name of one of the model's classes makes every feature of it",
            )
            .to_owned(),
            // Only which step to name follows from words; that reading failed is GDAL's own class.
            Self::Read { path, detail } if detail.contains("crs not found") || detail.contains("resolve host") => format!(
                "the file names a reference system that nobody knows: {} states it{}",
                Step::StateCrs { path, crs: "EPSG:…" },
                Step::CrsOption
            ),
            Self::Read { .. } => format!(
                "the file is cut short or damaged: fetch or export it again; to keep what is left of it, {EXPORT}"
            ),
            Self::Write { .. } => {
                "free some space or choose another folder, then save again: nothing that was there is lost".to_owned()
            }
            Self::OutlinesWithoutGeos => {
                "install a GDAL with GEOS, as Debian, Fedora, Homebrew and conda-forge have it".to_owned()
            }
            Self::NoDriver { driver: "Parquet", .. } => {
                "a GDAL that was built with Arrow has it, such as conda-forge's `libgdal-arrow-parquet`; or save as .fgb or .gpkg, \
                 which geopandas reads and writes again: `geopandas.read_file(FILE).to_parquet(\"NAME.parquet\")`"
                    .to_owned()
            }
            Self::NoDriver { .. } => "save as .gpkg or .geojson".to_owned(),
            Self::UnknownFormat { path } => {
                format!("{:?} is a file for QGIS and geopandas", path.with_extension("gpkg"))
            }
            Self::Place(error) => return error.hint(),
            Self::File(error) => return error.hint(),
            Self::WrongLength { .. } => return None,
        })
    }
}

/// `its properties are id, kind`.
fn those(names: &[String]) -> String {
    if names.is_empty() {
        return "it has no properties".to_owned();
    }
    // Names that hold blanks or commas, or nothing, would not be seen for what they are.
    let shown = |name: &String| {
        let is_plain = |letter: char| letter.is_alphanumeric() || "_-:.".contains(letter);
        match !name.is_empty() && name.chars().all(is_plain) {
            true => name.clone(),
            false => format!("{name:?}"),
        }
    };
    let listed: Vec<String> = names.iter().take(40).map(shown).collect();
    match names.len() - listed.len() {
        0 => format!("its properties are {}", listed.join(", ")),
        more => format!("its properties are {} and {more} more", listed.join(", ")),
    }
}
