use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::Hint;
use crate::host::{Step, either};
use crate::paths::told;
use crate::raster::{PixelWindow, Size};

/// What can go wrong in [`crate::scene`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SceneError {
    /// The labels lie elsewhere.
    #[error(
        "no label lies on the scene: the labels cover {labels} and the scene {scene}, both in the scene's {crs}: {told}", told = told(path)
    )]
    NoOverlap {
        /// The label file.
        path: PathBuf,
        /// The labels' extent in the scene's coordinates.
        labels: String,
        /// The scene's extent.
        scene: String,
        /// The scene's coordinate reference system.
        crs: String,
    },
    /// A feature or pixel is of a class that was not named.
    #[error("the labels hold {found:?}, which is none of the classes {}: {told}", classes.join(", "), told = told(path))]
    UnknownClass {
        /// The label file.
        path: PathBuf,
        /// The class or value found.
        found: String,
        /// The classes that were named.
        classes: Vec<String>,
    },
    /// An area that is to limit the scene lies elsewhere.
    #[error(
        "the {what} lies nowhere on the scene: it covers {asked} and the scene {scene}, both in the scene's {crs}: \
         {told}", told = told(path)
    )]
    AreaElsewhere {
        /// The file of the area.
        path: PathBuf,
        /// What it is: area of interest, area with labels.
        what: &'static str,
        /// The area's extent in the scene's coordinates.
        asked: String,
        /// The scene's extent.
        scene: String,
        /// The scene's coordinate reference system.
        crs: String,
    },
    /// Features are of classes that were not named.
    #[error(
        "the labels hold {}, the classes are {}: {told}",
        crate::vector::listed(found),
        classes.join(", "), told = told(path)
    )]
    UnknownClasses {
        /// The label file.
        path: PathBuf,
        /// All such classes, with how many features are of them.
        found: BTreeMap<String, usize>,
        /// The classes that were named.
        classes: Vec<String>,
    },
    /// The property that is to name the classes is empty everywhere.
    #[error("the property {property:?} has no value in any of {features} features: {told}", told = told(path))]
    NoValues {
        /// The label file.
        path: PathBuf,
        /// The property.
        property: String,
        /// Features with an area.
        features: usize,
    },
    /// A class was asked for that the scene does not have.
    #[error("the scene has no class {found:?}, its classes are {}: {told}", classes.join(", "), told = told(path))]
    NoSuchClass {
        /// The scene's imagery.
        path: PathBuf,
        /// What was asked for.
        found: String,
        /// The classes of the scene, without the background.
        classes: Vec<String>,
    },
    /// The label property has more values than labels can hold.
    #[error(
        "property {property:?} has {found} different values, at most 254 classes are possible: {told}", told = told(path)
    )]
    TooManyClasses {
        /// The label file.
        path: PathBuf,
        /// The property.
        property: String,
        /// Different values.
        found: usize,
    },
    /// An area that the scene does not have.
    #[error("the area ({asked}) holds no pixel of the scene ({scene}{ground})")]
    EmptyArea {
        /// What was asked for.
        asked: String,
        /// What the scene has.
        scene: PixelWindow,
        /// The same in map coordinates, after a semicolon; empty without a place on the ground.
        ground: String,
    },
    /// A share that is none.
    #[error("the share of the {lines} must lie between 0 and 1, found {share}")]
    SplitShare {
        /// What was asked for.
        share: f64,
        /// `columns` or `rows`.
        lines: &'static str,
    },
    /// A split with nothing on one side.
    #[error("a split after {first} of {length} {lines} leaves one part empty")]
    SplitPlace {
        /// Columns or rows of the first part.
        first: usize,
        /// Those of the area in use.
        length: usize,
        /// `columns` or `rows`.
        lines: &'static str,
    },
    /// Labels were asked for where there are none.
    #[error("the scene has no labels: {told}", told = told(path))]
    NoLabels {
        /// The scene's imagery.
        path: PathBuf,
    },
    /// A share of a cell or an object that is none.
    #[error("a share of {found} was asked for; above 0 and at most 1 is possible")]
    CellShare {
        /// What was asked for.
        found: f64,
    },
    /// A rule about objects where there are none.
    #[error("the labels of the scene are no objects, neither polygons nor boxes: {told}", told = told(path))]
    NoObjects {
        /// The scene's imagery.
        path: PathBuf,
    },
    /// No box lies on the scene.
    #[error(
        "no box lies on the scene: {read} were read and the scene is {scene}{}: {told}",
        if notice.is_empty() { String::new() } else { format!(" ({notice})") }, told = told(path)
    )]
    NoBoxes {
        /// The label file.
        path: PathBuf,
        /// Boxes that were read.
        read: usize,
        /// The scene's size.
        scene: Size,
        /// What was left out.
        notice: String,
    },
    /// An ending that no format of boxes has.
    #[error(
        "boxes are saved as .json (COCO), .gpkg, .geojson, .fgb, .shp or .parquet, which this is not: {path:?}"
    )]
    BoxesAs {
        /// The file that was to be written.
        path: PathBuf,
    },
    /// A layer, a coordinate reference system or a filter given for a file of boxes in pixels.
    #[error("{given} was given for a file of boxes in pixels, which has none: {told}", told = told(path))]
    PixelBoxes {
        /// The label file.
        path: PathBuf,
        /// What was given.
        given: String,
    },
    /// Boxes that are to be of the class that stands for everything but objects.
    #[error("boxes cannot be of the class background, which is index 0 of all classes: {told}", told = told(path))]
    BackgroundBoxes {
        /// The label file.
        path: PathBuf,
    },
    /// Boxes of an image that cannot be this scene.
    #[error("the boxes are of an image of {found}, the scene has {scene}: {told}", told = told(path))]
    BoxesOfAnotherImage {
        /// The label file.
        path: PathBuf,
        /// The image's size, as the label file gives it.
        found: Size,
        /// The scene's size.
        scene: Size,
    },
    /// Boxes with other classes than the labels of the same scene.
    #[error(
        "the classes of the boxes are {}, those of the scene's labels {}: {told}",
        found.join(", "),
        expected.join(", "), told = told(path)
    )]
    OtherClasses {
        /// The label file.
        path: PathBuf,
        /// The classes that were named.
        found: Vec<String>,
        /// The classes of the labels.
        expected: Vec<String>,
    },
    /// A picture of the scene of no size.
    #[error("a quicklook of {found} cannot be drawn")]
    BadQuicklook {
        /// The size.
        found: Size,
    },
}

impl Hint for SceneError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoOverlap { .. } => format!(
                "check that both files belong to the same place; where the label file's coordinate reference system is not \
                 what it says, {} states it; for a scene that is meant to be all \
                 background, {}",
                Step::StateAnyCrs { crs: "EPSG:…" },
                Step::AllowElsewhere
            ),
            Self::AreaElsewhere { .. } => format!(
                "check that the file of the area belongs to this scene, and that its coordinate reference system is what it \
                 says{}",
                Step::AreaCrs
            ),
            Self::UnknownClasses { .. } => Step::OtherClasses.to_string(),
            Self::NoValues { property, .. } => format!(
                "{} makes every feature of one class; or choose another property",
                Step::OneClass { class: property }
            ),
            Self::UnknownClass { .. } => either(
                "name every class that the file holds, or let `.with_labels(path, property)` find them",
                "`--where \"property IN ('a', 'b')\"` reads only features of classes that the model has",
            )
            .to_owned(),
            Self::NoSuchClass { classes, .. } if classes.is_empty() => {
                format!("{} gives the scene classes", Step::GiveLabels)
            }
            Self::NoSuchClass { found, classes, .. } => {
                let near = crate::vector::near(found, classes);
                let near: Vec<String> = near.iter().map(|name| format!("{name:?}")).collect();
                match near.is_empty() {
                    true => "write the class as the label file does, capitals included".to_owned(),
                    false => format!("was {} meant? Capitals count", near.join(" or ")),
                }
            }
            Self::TooManyClasses { .. } => {
                "choose a property with few values, or a class name of your own for every feature".to_owned()
            }
            Self::SplitShare { share, lines } => {
                // 75 is meant in percent; nobody means 1.5 % by 1.5.
                let percent = *share >= 5.0 && *share < 100.0;
                let right = if percent { share / 100.0 } else { 0.75 };
                format!("`Split::{lines}({right})` puts {:.0} % into the first part", right * 100.0)
            }
            Self::SplitPlace { length, lines, .. } => format!(
                "the area in use has {length} {lines}: the place must lie within; \
                 `Split::{lines}(0.75)` puts three quarters into the first part"
            ),
            Self::EmptyArea { .. } => either(
                "a `PixelWindow` is counted in pixels from the top-left corner of the file, a `MapWindow` is in the coordinates of \
                 `scene.bounds()`",
                "`--crop COL,ROW,WIDTH,HEIGHT` is counted in pixels from the top-left corner of the file",
            )
            .to_owned(),
            Self::NoLabels { .. } => format!("{} gives the scene labels", Step::GiveLabels),
            Self::CellShare { .. } => {
                "half of a cell or an object is `CellRule::share_of_cell(0.5)` or `CellRule::share_of_object(0.5)`".to_owned()
            }
            Self::NoObjects { .. } => either(
                "`CellRule::share_of_cell(0.5)` or `CellRule::majority()` looks at pixels; \
                 `.with_labels(path, class)` with a vector file gives objects",
                "`--cells cell:0.5` or `--cells majority` looks at pixels; `--labels FILE` with a vector file gives objects",
            )
            .to_owned(),
            Self::NoBoxes { read: 0, .. } => {
                "all boxes of this image are broken, as the message says: correct them in the labeling program and export \
                 the file again; an image that is meant to be empty has no entries at all"
                    .to_owned()
            }
            Self::BoxesAs { path } => format!(
                "{:?} holds them in pixels, as torchvision and pycocotools read them, {:?} on the ground, for QGIS and geopandas",
                path.with_extension("json"),
                path.with_extension("gpkg")
            ),
            Self::PixelBoxes { .. } => {
                "give the path alone; layers, systems and filters are of vector files such as GeoPackage and GeoJSON".to_owned()
            }
            Self::BackgroundBoxes { .. } => {
                "give the objects a class name of their own, such as \"object\"".to_owned()
            }
            Self::NoBoxes { .. } => format!(
                "boxes of COCO, VOC, YOLO and CSV files are counted in pixels from the top-left corner, those of vector \
                 files lie where their coordinate reference system says; for a scene that is meant to have none, {}",
                Step::AllowElsewhere
            ),
            Self::BoxesOfAnotherImage { .. } => {
                "check that both files belong together; a scaled image needs scaled boxes".to_owned()
            }
            Self::OtherClasses { .. } => "give labels and boxes of a scene the same classes".to_owned(),
            Self::BadQuicklook { .. } => return None,
        })
    }
}
