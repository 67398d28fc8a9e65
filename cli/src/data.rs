//! Files, data and devices: `info`, `properties`, `data`, `sample`, `devices`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use crate::{examples, values};

/// A vector file of labels and what it leaves open.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct LabelFile {
    /// Labels: a vector file of areas, or a file of boxes; of several scenes a pattern with {stem}, or a folder
    #[arg(long, value_name = "FILE", help_heading = "Labels")]
    pub labels: Option<PathBuf>,
    /// The property that names the classes, or the one class of all features
    #[arg(long, value_name = "NAME", help_heading = "Labels")]
    pub class: Option<String>,
    /// The layer, where the file has several
    #[arg(long, value_name = "NAME", help_heading = "Labels")]
    pub layer: Option<String>,
    /// The coordinate reference system, where the file does not say it, such as EPSG:32631
    #[arg(long, value_name = "CRS", help_heading = "Labels")]
    pub labels_crs: Option<String>,
    /// Only the features for which this holds, in SQL: "split = 'train'"
    #[arg(
        long = "where",
        value_name = "SQL",
        allow_hyphen_values = true,
        help_heading = "Labels"
    )]
    pub condition: Option<String>,
    /// Makes areas of lines and points, as far to each side: 3m, 4px, width:COLUMN (the full width) or distance:COLUMN
    #[arg(long, value_name = "DISTANCE", help_heading = "Labels")]
    pub buffer: Option<String>,
    /// Labels are complete only within the areas of this vector file: outside, nothing counts
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Labels")]
    pub labeled_within: Option<PathBuf>,
    /// Labels are complete only where something is drawn: what no label covers does not count
    #[arg(long, help_heading = "Labels")]
    pub labeled_only: bool,
}

/// Arguments of `swath devices`.
#[derive(Args, Clone, Copy, Debug, Default, PartialEq)]
pub struct DevicesArguments {
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `swath info`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct InfoArguments {
    /// Rasters to look at
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Write JSON: one object, or one on each line for several files
    #[arg(long)]
    pub json: bool,
    /// Read all pixels: mean, deviation and range of each band, valid pixels
    #[arg(long)]
    pub statistics: bool,
    /// List the values there are with their pixels, as for label rasters
    #[arg(long)]
    pub values: bool,
    /// Write the pixels for NumPy, a folder for each of several files: values.npy, valid.npy, labels.npy
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub arrays: Option<PathBuf>,
    /// Only what lies within the areas of this vector file
    #[arg(long, value_name = "FILE")]
    pub aoi: Option<PathBuf>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would be that of the command")]
    pub labels: LabelFile,
    /// Labels: a raster of class indices
    #[arg(
        long,
        value_name = "FILE",
        requires = "classes",
        conflicts_with = "labels",
        help_heading = "Labels"
    )]
    pub label_raster: Option<PathBuf>,
    /// The classes of the label raster, from index 1 on
    #[arg(
        long,
        value_name = "NAME,..",
        requires = "label_raster",
        conflicts_with = "labels",
        value_delimiter = ',',
        value_parser = values::name,
        help_heading = "Labels"
    )]
    pub classes: Vec<String>,
    /// Boxes around objects: Pascal VOC, COCO, YOLO, CSV, or a vector file
    #[arg(long, value_name = "FILE", help_heading = "Labels")]
    pub boxes: Option<PathBuf>,
}

impl InfoArguments {
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if (self.labels.labels.is_some() || self.boxes.is_some()) && self.labels.class.is_none() {
            return Err(
                "'--class <NAME>' is missing: the property that names the classes of the labels, or the one class of all",
            );
        }
        Ok(())
    }
}

/// Arguments of `swath properties`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct PropertiesArguments {
    /// The vector file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// The layer, where the file has several
    #[arg(long, value_name = "NAME")]
    pub layer: Option<String>,
}

/// What `swath data` does.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum DataCommand {
    /// List the data sets and weights that can be fetched
    #[command(after_help = examples::DATA_LIST)]
    List,
    /// Say what a data set is before it is fetched: size, license, credit, citation, addresses
    #[command(after_help = examples::DATA_INFO)]
    Info(FetchArguments),
    /// Fetch a data set or weights into the per-user cache, checked, with license and credit
    #[command(after_help = examples::DATA_FETCH)]
    Fetch(FetchArguments),
    /// Fetch data sets and weights into a folder that many users, and machines without network, read: SWATH_MIRROR=DIR
    #[command(after_help = examples::DATA_MIRROR)]
    Mirror(MirrorArguments),
    /// Search a STAC service for imagery of a place and a date; what it finds is a file for `Scenes::stac`
    #[command(after_help = examples::DATA_SEARCH)]
    Search(SearchArguments),
}

/// Arguments of `swath data fetch`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct FetchArguments {
    /// One of the names that `swath data list` shows
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// Arguments of `swath data mirror`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct MirrorArguments {
    /// The folder, which everybody may read
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,
    /// Names that `swath data list` shows, and published weights such as torchvision/resnet50 [default: what the tutorials need]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
}

/// Arguments of `swath data search`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct SearchArguments {
    /// The collections, such as sentinel-2-l2a, naip or landsat-c2-l2
    #[arg(value_name = "COLLECTION", required = true)]
    pub collections: Vec<String>,
    /// The item collection to write
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: PathBuf,
    /// The service: earth-search, planetary-computer, or the address of another
    #[arg(long, value_name = "API", default_value = "earth-search")]
    pub api: String,
    /// Only what touches this rectangle, in degrees
    #[arg(
        long,
        value_name = "WEST,SOUTH,EAST,NORTH",
        value_parser = values::rectangle,
        allow_hyphen_values = true
    )]
    pub bbox: Option<[f64; 4]>,
    /// Only what was taken on this day or later, such as 2024-06-01
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,
    /// Only what was taken on this day or earlier
    #[arg(long, value_name = "DATE")]
    pub to: Option<String>,
    /// Only what has less cloud cover than this, in percent
    #[arg(long, value_name = "PERCENT", value_parser = values::percent, allow_negative_numbers = true)]
    pub max_clouds: Option<f64>,
    /// The most items to take
    #[arg(long, value_name = "N", default_value = "100", value_parser = values::items, allow_negative_numbers = true)]
    pub limit: usize,
}

/// What `swath sample` does.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum SampleCommand {
    /// Draw a georeferenced town with exact labels
    #[command(after_help = examples::SAMPLE_TOWN)]
    Town(TownArguments),
}

/// Arguments of `swath sample town`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct TownArguments {
    /// The folder for scene and labels
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    /// Width and height of the scene
    #[arg(long, value_name = "PX", default_value = "2000", value_parser = values::pixels, allow_negative_numbers = true)]
    pub size: usize,
    /// Another number draws another town
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::seed, allow_negative_numbers = true)]
    pub seed: u64,
}
