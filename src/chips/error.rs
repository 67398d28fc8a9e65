use std::path::PathBuf;

use crate::Hint;
use crate::paths::told;
use crate::raster::{PixelWindow, Size};

/// What can go wrong in [`crate::chips`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChipsError {
    /// Chips larger than the scene, or the windows they are resized from.
    #[error("windows of {chip} x {chip} px do not fit into the scene's area of {scene}: {told}", told = told(path))]
    LargerThanScene {
        /// The scene's imagery.
        path: PathBuf,
        /// The edge of a chip, or the largest of its windows.
        chip: usize,
        /// The area in use.
        scene: Size,
    },
    /// Options that cannot be.
    #[error("{what} is {found}, {expected} is expected")]
    BadOption {
        /// Which option.
        what: &'static str,
        /// What was given.
        found: String,
        /// What would do.
        expected: &'static str,
    },
    /// Every pixel of the area is ignored: not valid, not of interest, or without a label.
    #[error("no pixel of the area ({area}) is labeled, not even as background: {told}", told = told(path))]
    NothingLabeled {
        /// The scene's imagery.
        path: PathBuf,
        /// The area in use.
        area: PixelWindow,
    },
    /// No place with enough valid pixels was found.
    #[error(
        "no place for chips of {chip} px with at least {wanted:.0} % valid pixels in the area ({area}), the best has \
         {best:.0} %: {told}", told = told(path)
    )]
    NoValidPlace {
        /// The scene's imagery.
        path: PathBuf,
        /// The area in use.
        area: PixelWindow,
        /// The edge of the windows in pixels.
        chip: usize,
        /// The valid share that was asked for, in percent.
        wanted: f64,
        /// The largest valid share that was found, in percent.
        best: f64,
    },
    /// The area of interest lies elsewhere.
    #[error("no chip of the area ({area}) touches the area of interest: {told}", told = told(path))]
    OutsideInterest {
        /// The scene's imagery.
        path: PathBuf,
        /// The area in use.
        area: PixelWindow,
    },
    /// A chip that there is not.
    #[error("there is no chip {index}, there are {count}")]
    NoSuchChip {
        /// What was asked for.
        index: usize,
        /// Chips.
        count: usize,
    },
    /// Changes of colors on imagery that has none.
    #[error(
        "{change} needs one red, one green and one blue band, the bands are {}: {told}", bands.join(", "), told = told(path)
    )]
    NoColors {
        /// The scene's imagery.
        path: PathBuf,
        /// `hue` or `saturation`.
        change: &'static str,
        /// The names of its bands.
        bands: Vec<String>,
    },
    /// Objects were to be pasted that there are not.
    #[error("objects cannot be pasted, the scene has no boxes: {told}", told = told(path))]
    NoObjects {
        /// The scene's imagery.
        path: PathBuf,
    },
    /// Chips of objects were to be cut, and there is none.
    #[error("no labeled object has its middle in the area ({area}): {path:?}")]
    NoObjectInArea {
        /// The scene's imagery.
        path: PathBuf,
        /// The area in use.
        area: PixelWindow,
    },
    /// A class that the scenes do not have.
    #[error("there is no class {wanted:?} to cut chips around, the classes are {}", known.join(", "))]
    UnknownClass {
        /// What was asked for.
        wanted: String,
        /// The classes of the scenes.
        known: Vec<String>,
    },
    /// Chips were to be cut around classes of scenes that have none.
    #[error("chips cannot be cut around classes, the scenes have no {}: {told}", if *objects { "boxes" } else { "labels" }, told = told(path))]
    NoClasses {
        /// The first scene's imagery.
        path: PathBuf,
        /// Whether objects were asked for.
        objects: bool,
    },
    /// A worker thread ended before its work was done.
    #[error("a thread that reads chips ended unexpectedly")]
    WorkerLost,
}

impl Hint for ChipsError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::LargerThanScene { scene, .. } => format!(
                "choose at most {} px, or `.padded()` to let chips reach over the edge (what lies outside is masked)",
                scene.width.min(scene.height)
            ),
            Self::NothingLabeled { .. } => {
                "show the scene to see where its labels lie, and split it so that both parts have some".to_owned()
            }
            // Below 2 % a chip shows next to nothing.
            Self::NoValidPlace { best, chip, .. } if *best >= 2.0 => format!(
                "`.min_valid({:.2})` takes the fullest places, chips smaller than {chip} px fit better into what is valid",
                (best - 1.0).floor() / 100.0
            ),
            Self::NoValidPlace { .. } => {
                "show the scene: it has next to no valid pixel in this area, so look at its nodata value and its mask"
                    .to_owned()
            }
            Self::OutsideInterest { .. } => {
                "show the scene: the area of interest, or the area with labels, and the part in use (`split`) share no pixel".to_owned()
            }
            Self::NoColors { .. } => "leave it out (`brightness`, `contrast` and `gamma` work on any bands), or open the bands that \
                                      are colors and give the file their names"
                .to_owned(),
            Self::NoObjects { .. } | Self::NoObjectInArea { .. } => {
                "give the scene polygons or boxes: `scene.with_labels(\"cars.gpkg\", \"car\")`, `scene.with_boxes(\"cars.xml\", \
                 \"car\")`"
                    .to_owned()
            }
            Self::UnknownClass { .. } => {
                "name a class as `scene.classes()` does; chips of no class are cut anywhere".to_owned()
            }
            Self::NoClasses { objects: true, .. } => {
                "give boxes or polygons, `scene.with_boxes(\"cars.xml\", \"car\")`, or leave `.around_objects()` out".to_owned()
            }
            Self::NoClasses { objects: false, .. } => {
                "give labels first: `scene.with_labels(\"roads.gpkg\", \"road\")`".to_owned()
            }
            Self::BadOption { .. } | Self::NoSuchChip { .. } | Self::WorkerLost => return None,
        })
    }
}
