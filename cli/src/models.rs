//! Models: `predict` and `evaluate`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueHint};

use crate::batch::LogOptions;
use crate::data::LabelFile;
use crate::many::ManyOptions;
use crate::values::{
    self, CellWay, DeviceName, Fusion, OutlineWay, PolygonFormat, ScoreWay, Trimmed, Views,
};

/// Labels to score against.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct LabelArguments {
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would be that of the command")]
    pub file: LabelFile,
    /// Labels: a raster of the model's class indices, or as --values or --binary say; of several scenes a pattern with
    /// {stem}, or a folder
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "labels",
        help_heading = "Labels"
    )]
    pub label_raster: Option<PathBuf>,
    /// What the values of the label raster mean: 10:tree,50:built,0:background,255:ignore
    #[arg(
        long,
        value_name = "VALUE:NAME,..",
        requires = "label_raster",
        conflicts_with_all = ["binary", "labels"],
        allow_hyphen_values = true,
        help_heading = "Labels"
    )]
    pub values: Option<String>,
    /// The one class of a label raster that is a mask of 0 and 255
    #[arg(
        long,
        value_name = "NAME",
        requires = "label_raster",
        conflicts_with = "labels",
        help_heading = "Labels"
    )]
    pub binary: Option<String>,
    /// How a cell gets its class from the labels: majority, cell:SHARE or object:SHARE [default: that of the training, of saved
    /// cells majority]
    #[arg(long, value_name = "RULE", help_heading = "Labels")]
    pub cells: Option<CellWay>,
}

/// How a model is applied, whatever it predicts.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct ModelOptions {
    /// A further model of the same classes, averaged with the first; can be given several times
    #[arg(long, value_name = "BUNDLE", help_heading = "Model")]
    pub also: Vec<PathBuf>,
    /// Test-time augmentation: mirrored or turned views, averaged
    #[arg(long, value_name = "VIEWS", value_enum, help_heading = "Model")]
    pub tta: Option<Views>,
    /// Width and height of the windows that are predicted, or of the cells that get a class [default: 512, for cells that of the training]
    #[arg(long, value_name = "PX", value_parser = values::pixels, allow_negative_numbers = true, help_heading = "Model")]
    pub window: Option<usize>,
    /// How far neighboring windows overlap [default: an eighth of the window, for boxes a quarter]
    #[arg(long, value_name = "PX", value_parser = values::pixels, allow_negative_numbers = true, help_heading = "Model")]
    pub overlap: Option<usize>,
    /// How many windows are predicted at a time [default: 1, on a GPU what is fastest]
    #[arg(long, value_name = "N", value_parser = values::windows, allow_negative_numbers = true, help_heading = "Model")]
    pub batch: Option<usize>,
    /// Where to compute: cpu, cuda, cuda:N, vulkan or vulkan:N [default: a GPU where one is usable]
    #[arg(long, value_name = "DEVICE", help_heading = "Model")]
    pub device: Option<DeviceName>,
    /// Take imagery whose values or order of bands are not those of the training
    #[arg(long, help_heading = "Model")]
    pub any_values: bool,
}

impl ModelOptions {
    /// The first of these options that was given: what was predicted before takes none of them.
    #[must_use]
    pub fn given(&self) -> Option<&'static str> {
        let Self {
            also,
            tta,
            window,
            overlap,
            batch,
            device,
            any_values,
        } = self;
        first([
            ("--also", !also.is_empty()),
            ("--tta", tta.is_some()),
            ("--window", window.is_some()),
            ("--overlap", overlap.is_some()),
            ("--batch", batch.is_some()),
            ("--device", device.is_some()),
            ("--any-values", *any_values),
        ])
    }
}

/// What only models that map areas take.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct MapOptions {
    /// Leave out polygons below this area
    #[arg(
        long,
        value_name = "M2",
        value_parser = values::square_meters,
        allow_negative_numbers = true,
        help_heading = "Maps of areas"
    )]
    pub min_area: Option<f64>,
    /// Leave out polygons of fewer pixels
    #[arg(
        long,
        value_name = "PX",
        value_parser = values::pixel_area,
        allow_negative_numbers = true,
        help_heading = "Maps of areas"
    )]
    pub min_pixels: Option<f64>,
    /// How the outlines of polygons are drawn [default: pixels]
    #[arg(long, value_name = "WAY", value_enum, help_heading = "Maps of areas")]
    pub outlines: Option<OutlineWay>,
    /// Leave out points by which outlines change less than this
    #[arg(
        long,
        value_name = "METERS",
        value_parser = values::distance,
        allow_negative_numbers = true,
        help_heading = "Maps of areas"
    )]
    pub simplify: Option<f64>,
    /// Fill holes of polygons below this area
    #[arg(
        long,
        value_name = "M2",
        value_parser = values::square_meters,
        allow_negative_numbers = true,
        help_heading = "Maps of areas"
    )]
    pub fill_holes: Option<f64>,
    /// How finely scores.tif has the scores [default: u8]
    #[arg(
        long,
        value_name = "TYPE",
        value_enum,
        conflicts_with = "no_scores",
        help_heading = "Maps of areas"
    )]
    pub scores: Option<ScoreWay>,
    /// Formats of the polygons, or of boxes [default: gpkg,geojson]
    #[arg(
        long,
        value_name = "FORMAT,..",
        value_delimiter = ',',
        value_parser = Trimmed::<PolygonFormat>::new(),
        help_heading = "Maps of areas"
    )]
    pub formats: Vec<PolygonFormat>,
    /// Write no raster of the scores
    #[arg(long, help_heading = "Maps of areas")]
    pub no_scores: bool,
    /// Write no polygons
    #[arg(long, help_heading = "Maps of areas")]
    pub no_polygons: bool,
}

impl MapOptions {
    /// The first of these options that was given.
    #[must_use]
    pub fn given(&self) -> Option<&'static str> {
        let formats = (!self.formats.is_empty()).then_some("--formats");
        self.of_maps_alone().or(formats)
    }

    /// The first of them that was given and that boxes do not have.
    #[must_use]
    pub fn of_maps_alone(&self) -> Option<&'static str> {
        let Self {
            min_area,
            min_pixels,
            outlines,
            simplify,
            fill_holes,
            scores,
            formats: _,
            no_scores,
            no_polygons,
        } = self;
        first([
            ("--min-area", min_area.is_some()),
            ("--min-pixels", min_pixels.is_some()),
            ("--outlines", outlines.is_some()),
            ("--simplify", simplify.is_some()),
            ("--fill-holes", fill_holes.is_some()),
            ("--scores", scores.is_some()),
            ("--no-scores", *no_scores),
            ("--no-polygons", *no_polygons),
        ])
    }

    /// Polygons that are not written need no outlines.
    pub(crate) fn check(&self) -> Result<(), String> {
        let of_polygons = first([
            ("--min-area", self.min_area.is_some()),
            ("--min-pixels", self.min_pixels.is_some()),
            ("--outlines", self.outlines.is_some()),
            ("--simplify", self.simplify.is_some()),
            ("--fill-holes", self.fill_holes.is_some()),
            ("--formats", !self.formats.is_empty()),
        ]);
        match of_polygons.filter(|_| self.no_polygons) {
            Some(option) => Err(format!(
                "'{option}' is for polygons, and '--no-polygons' writes none"
            )),
            None => Ok(()),
        }
    }
}

/// What only models that find objects take.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct ObjectOptions {
    /// What becomes of boxes that overlap [default: nms]
    #[arg(
        long,
        alias = "merge",
        value_name = "WAY",
        value_enum,
        help_heading = "Boxes of objects"
    )]
    pub fusion: Option<Fusion>,
    /// The overlap (intersection over union) from which boxes are one object [default: 0.5, weighted 0.55]
    #[arg(
        long,
        alias = "merge-iou",
        value_name = "IOU",
        value_parser = values::overlap,
        allow_negative_numbers = true,
        help_heading = "Boxes of objects"
    )]
    pub fusion_iou: Option<f64>,
    /// Drop boxes below this score before they are fused [default: 0.05]
    #[arg(
        long,
        value_name = "P",
        value_parser = values::score,
        allow_negative_numbers = true,
        help_heading = "Boxes of objects"
    )]
    pub min_score: Option<f32>,
    /// How many boxes a window may have [default: 300]
    #[arg(long, value_name = "N", value_parser = values::boxes, allow_negative_numbers = true, help_heading = "Boxes of objects")]
    pub max_boxes: Option<usize>,
}

impl ObjectOptions {
    /// The first of these options that was given.
    #[must_use]
    pub fn given(&self) -> Option<&'static str> {
        let Self {
            fusion,
            fusion_iou,
            min_score,
            max_boxes,
        } = self;
        first([
            ("--fusion", fusion.is_some()),
            ("--fusion-iou", fusion_iou.is_some()),
            ("--min-score", min_score.is_some()),
            ("--max-boxes", max_boxes.is_some()),
        ])
    }

    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if self.fusion == Some(Fusion::SoftNms) && self.fusion_iou.is_some() {
            return Err(
                "'--fusion-iou' is not for '--fusion soft-nms', which lowers scores by the overlap and has no limit of it",
            );
        }
        Ok(())
    }
}

/// Arguments of `swath predict`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct PredictArguments {
    /// The model, as `run.best().save(…)` wrote it; the file says whether it maps areas or finds objects
    #[arg(value_name = "BUNDLE", value_hint = ValueHint::FilePath)]
    pub bundle: PathBuf,
    /// Scenes to predict: files, folders, patterns in quotes ('tiles/*.tif'), tables with a column `image`; several get a
    /// folder each within DIR
    #[arg(value_name = "SCENE", required = true, value_hint = ValueHint::FilePath)]
    pub scenes: Vec<PathBuf>,
    /// The folder for the results
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    /// Only what lies within the areas of this vector file
    #[arg(long, value_name = "FILE")]
    pub aoi: Option<PathBuf>,
    /// The probability or score from which something is a class or an object
    #[arg(long, value_name = "P", value_parser = values::score, allow_negative_numbers = true)]
    pub threshold: Option<f32>,
    /// Show nothing but errors
    #[arg(long, conflicts_with = "json_lines")]
    pub quiet: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would be that of the command")]
    pub log: LogOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would be that of the command")]
    pub imagery: ImageryOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would be that of the command")]
    pub labels: LabelArguments,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would be that of the command")]
    pub model: ModelOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would be that of the command")]
    pub maps: MapOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would be that of the command")]
    pub objects: ObjectOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would be that of the command")]
    pub many: ManyOptions,
}

/// Arguments of `swath evaluate`.
#[derive(Args, Clone, Debug, PartialEq)]
#[command(group(ArgGroup::new("truth").required(true).args(["labels", "label_raster"])))]
pub struct EvaluateArguments {
    /// A class map (labels.tif), saved boxes (boxes.gpkg, boxes.geojson, detections.json), saved cells (cell_labels.tif), the
    /// folder of one of these, or a model
    #[arg(value_name = "MAP|BOXES|CELLS|BUNDLE", value_hint = ValueHint::AnyPath)]
    pub predicted: PathBuf,
    /// The scene that was, or is to be, predicted; a model is scored on several together: files, folders, patterns in quotes
    /// ('tiles/*.tif'), tables with a column `image`
    #[arg(value_name = "SCENE", required = true, value_hint = ValueHint::FilePath)]
    pub scenes: Vec<PathBuf>,
    /// Write the scores to this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub json: Option<PathBuf>,
    /// Only what lies within the areas of this vector file
    #[arg(long, value_name = "FILE")]
    pub aoi: Option<PathBuf>,
    /// The probability or score from which something is a class or an object
    #[arg(long, value_name = "P", value_parser = values::score, allow_negative_numbers = true)]
    pub threshold: Option<f32>,
    /// Show nothing but errors, when the scores go to a file
    #[arg(long, conflicts_with = "json_lines")]
    pub quiet: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would be that of the command")]
    pub log: LogOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would be that of the command")]
    pub imagery: ImageryOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would be that of the command")]
    pub labels: LabelArguments,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would be that of the command")]
    pub model: ModelOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would be that of the command")]
    pub objects: ObjectOptions,
}

/// How scenes are opened, and which part of them counts.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct ImageryOptions {
    /// Bands in this order: numbers from 1, or names
    #[arg(
        long,
        value_name = "BAND,..",
        value_delimiter = ',',
        help_heading = "Scenes"
    )]
    pub bands: Vec<String>,
    /// The value of pixels without data, whatever the files say
    #[arg(
        long,
        value_name = "VALUE",
        allow_negative_numbers = true,
        help_heading = "Scenes"
    )]
    pub nodata: Option<f64>,
    /// Bring scenes to this pixel size on the ground
    #[arg(long, value_name = "METERS", value_parser = values::meters, allow_negative_numbers = true, help_heading = "Scenes")]
    pub pixel_size: Option<f64>,
    /// Only this window of each scene, in pixels
    #[arg(
        long,
        value_name = "COL,ROW,WIDTH,HEIGHT",
        value_parser = values::crop,
        allow_hyphen_values = true,
        help_heading = "Scenes"
    )]
    pub crop: Option<[i64; 4]>,
    /// Each SCENE is a folder or a pattern of files of one place on several dates, which are one scene
    #[arg(long, conflicts_with_all = ["nodata", "only"], help_heading = "Scenes")]
    pub series: bool,
    /// The file or band of each date with the values that are not to be used: SCL:0,1,3,8,9,10
    #[arg(
        long,
        value_name = "NAME:CODE,..",
        value_parser = values::mask,
        requires = "series",
        help_heading = "Scenes"
    )]
    pub mask: Option<(String, Vec<i32>)>,
    /// Only the dates from one day to another, both included: 2023-04-01,2023-09-30
    #[arg(
        long,
        value_name = "DATE,DATE",
        value_parser = values::days,
        requires = "series",
        help_heading = "Scenes"
    )]
    pub between: Option<(String, String)>,
    /// Of the scenes of a table, those with this value in a column, such as split=test
    #[arg(long, value_name = "COLUMN=VALUE", value_parser = values::condition, help_heading = "Scenes")]
    pub only: Option<(String, String)>,
}

impl ImageryOptions {
    /// The first of these options that was given: a scene whose map or boxes are saved is read as it was then.
    #[must_use]
    pub fn given(&self) -> Option<&'static str> {
        let Self {
            bands,
            nodata,
            pixel_size,
            crop,
            series,
            mask,
            between,
            only,
        } = self;
        first([
            ("--bands", !bands.is_empty()),
            ("--nodata", nodata.is_some()),
            ("--pixel-size", pixel_size.is_some()),
            ("--crop", crop.is_some()),
            ("--series", *series),
            ("--mask", mask.is_some()),
            ("--between", between.is_some()),
            ("--only", only.is_some()),
        ])
    }
}

fn first<const N: usize>(options: [(&'static str, bool); N]) -> Option<&'static str> {
    let found = options.into_iter().find(|(_, given)| *given);
    found.map(|(name, _)| name)
}
