use std::path::PathBuf;

use crate::evaluate::same_classes;
use crate::raster::{PixelWindow, Size};
use crate::{Hint, staged};

/// What can go wrong in [`crate::predict`] and [`crate::evaluate`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PredictError {
    /// A failure of the operating system on a file.
    #[error("cannot {action}: {source}: {path:?}")]
    Io {
        /// What was attempted.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },
    /// Boxes that were found and boxes that are labeled have different classes.
    #[error("the classes differ: expected {} but found {}", expected.join(", "), found.join(", "))]
    BoxClassesDiffer {
        /// The classes of the boxes that were found.
        expected: Vec<String>,
        /// The classes of the labeled boxes.
        found: Vec<String>,
    },
    /// A choice in [`crate::predict::PredictOptions`] or [`crate::predict::SaveOptions`] that cannot be.
    #[error("the option `{name}` is {found}, expected {expected}")]
    Option {
        /// The option.
        name: &'static str,
        /// Its value.
        found: String,
        /// What would do.
        expected: String,
    },
    /// The scene has other bands than the network was trained on.
    #[error("the network was trained on {expected} bands but the scene has {found}: {path:?}")]
    Bands {
        /// Bands of the network.
        expected: usize,
        /// Bands of the scene.
        found: usize,
        /// The scene's imagery.
        path: PathBuf,
    },
    /// The scene's bands are those of the training in another order.
    #[error(
        "{who} the bands {}, the scene has {}: {path:?}", expected.join(", "), found.join(", ")
    )]
    BandOrder {
        /// What the scene is compared with: `the model was trained on`, `the training scene has`.
        who: String,
        /// The bands of the training.
        expected: Vec<String>,
        /// The bands of the scene.
        found: Vec<String>,
        /// How to go on all the same.
        on_purpose: &'static str,
        /// The scene's imagery.
        path: PathBuf,
    },
    /// The scene's values are of another kind than those of the training.
    #[error("{who} other values: {}: {path:?}", bands.join("; "))]
    OtherValues {
        /// What the scene is compared with: `the model was trained on`, `the training scene has`.
        who: String,
        /// What differs, by band.
        bands: Vec<String>,
        /// How to go on all the same.
        on_purpose: &'static str,
        /// The scene's imagery.
        path: PathBuf,
    },
    /// The network failed while it ran.
    #[error("the network failed: {detail}")]
    Network {
        /// Its own words.
        detail: String,
    },
    /// The device has not enough memory for the network.
    #[error(
        "the device has not enough memory for {windows} window(s) of {width} x {height} pixels: {detail}"
    )]
    OutOfMemory {
        /// Windows that were scored at once; 1 when fewer were tried already.
        windows: usize,
        /// Columns of a window.
        width: usize,
        /// Rows of a window.
        height: usize,
        /// The device's own words.
        detail: String,
    },
    /// The network does not give one score per class and pixel.
    #[error(
        "the network gave scores of shape {found:?}, expected {expected:?} (windows, classes, height, width)"
    )]
    NetworkOutput {
        /// The shape that fits windows and classes.
        expected: [usize; 4],
        /// The shape of its output.
        found: [usize; 4],
    },
    /// A set of models without one model.
    #[error("an ensemble has no model, expected at least 1")]
    NoModels,
    /// Models of one ensemble that do not give the same classes.
    #[error("model {model} of the ensemble tells apart {}, the first one {}", found.join(", "), expected.join(", "))]
    EnsembleClasses {
        /// The model's place, counted from 1.
        model: usize,
        /// Its classes.
        found: Vec<String>,
        /// The classes of the first model.
        expected: Vec<String>,
    },
    /// Models of one ensemble that were trained on other numbers of bands.
    #[error(
        "model {model} of the ensemble was trained on {found} bands, the first one on {expected}"
    )]
    EnsembleBands {
        /// The model's place, counted from 1.
        model: usize,
        /// Its bands.
        found: usize,
        /// The bands of the first model.
        expected: usize,
    },
    /// What needs the classes' scores was asked of a map that was predicted without them.
    #[error("the map was predicted without its scores, which a new threshold needs: {scene}")]
    NoScores {
        /// The scene's name.
        scene: String,
    },
    /// Objects were to be saved as a file of a kind that cannot be written.
    #[error("objects are saved as .csv, .shp, .gpkg or .geojson, not as {found}: {path:?}")]
    ObjectFile {
        /// The ending that was given.
        found: String,
        /// The file.
        path: PathBuf,
    },
    /// Something was to be saved over a file that holds something else.
    #[error("there is a file of that name that nothing of the kind was saved to: {path:?}")]
    FileOfOthers {
        /// The file.
        path: PathBuf,
    },
    /// A folder was named like a file.
    #[error("several files are saved into a folder, and {path:?} is the name of one")]
    FolderName {
        /// The name.
        path: PathBuf,
    },
    /// No threshold makes one box of the scene right.
    #[error("no threshold makes one of the boxes right: {scene}")]
    NothingRight {
        /// The scene's name.
        scene: String,
    },
    /// Scores were asked for where nothing is labeled.
    #[error("the scene has no labeled pixel to score against: {scene}")]
    NoLabels {
        /// The scene's name.
        scene: String,
    },
    /// Boxes were to be scored where none is labeled.
    #[error("the scene has no labeled box to score against: {scene}")]
    NoBoxes {
        /// The scene's name.
        scene: String,
    },
    /// Boxes that were to be read back lack scores.
    #[error("saved boxes have a score each, but {found}: {path:?}")]
    NoBoxScores {
        /// The file.
        path: PathBuf,
        /// What is there in their place.
        found: String,
    },
    /// Saved boxes are of a class that the scene or the caller does not name.
    #[error("the saved boxes are of class `{found}`, the classes are {}: {path:?}", classes.join(", "))]
    BoxOfUnknownClass {
        /// The file.
        path: PathBuf,
        /// The class, or its number.
        found: String,
        /// The classes.
        classes: Vec<String>,
    },
    /// Nobody names the classes of saved boxes, which have numbers or nothing.
    #[error(
        "the saved boxes do not name their classes, nor does the scene or the caller: {path:?}"
    )]
    NamelessBoxClasses {
        /// The file.
        path: PathBuf,
    },
    /// A file of results is of several images, and a scene is one.
    #[error("the results are of {images} images, expected those of one scene: {path:?}")]
    BoxesOfSeveralImages {
        /// The file.
        path: PathBuf,
        /// Images in the file.
        images: usize,
    },
    /// A vector file that was to hold saved boxes has no areas.
    #[error("none of {features} features is a box ({reasons}): {path:?}")]
    NoSavedBoxes {
        /// The file.
        path: PathBuf,
        /// Features in the file.
        features: usize,
        /// What they are instead, with counts.
        reasons: String,
    },
    /// No saved box lies on the scene.
    #[error("none of {boxes} saved boxes lies on the scene of {scene}: {path:?}")]
    BoxesElsewhere {
        /// The file.
        path: PathBuf,
        /// Boxes in the file.
        boxes: usize,
        /// Size of the scene's raster.
        scene: Size,
    },
    /// The map and the scene to score against share no pixel.
    #[error("the map covers {map} but the scene to score against {scene}: {name}")]
    NoOverlap {
        /// Pixels of the map.
        map: PixelWindow,
        /// Pixels of the scene.
        scene: PixelWindow,
        /// The scene's name.
        name: String,
    },
    /// The map and the scene to score against lie on different pixels.
    #[error("{}: {path:?}", other_grid(*expected, *found))]
    OtherGrid {
        /// Size of the map's raster.
        expected: Size,
        /// Size of the other raster.
        found: Size,
        /// The other raster.
        path: PathBuf,
    },
}

fn other_grid(expected: Size, found: Size) -> String {
    if expected == found {
        return format!(
            "the map and the scene to score against lie at different places, both on a grid of {expected}"
        );
    }
    format!(
        "the map lies on a grid of {expected} and the scene to score against on another one of {found}"
    )
}

impl Hint for PredictError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { path, source, .. } => staged::hint(path, source),
            Self::Option { .. } => None,
            Self::BoxClassesDiffer { expected, found } => {
                Some(same_classes(expected, found, "with_box_classes"))
            }
            Self::Bands { .. } => {
                Some("train on imagery with these bands, or predict imagery like the training imagery".to_owned())
            }
            Self::BandOrder { expected, on_purpose, .. } => Some(format!(
                "`Scene::open_with(path, OpenOptions::new().bands([{}]))` opens the bands in the order of the training; \
                 {on_purpose} takes them as they are",
                (expected.iter().map(|name| format!("{name:?}"))).collect::<Vec<_>>().join(", ")
            )),
            Self::OtherValues { on_purpose, .. } => Some(format!(
                "give the scene the values of the training, multiplied by the factor, or train on imagery like this; \
                 {on_purpose} takes them as they are"
            )),
            Self::Network { .. } => Some(
                "a network must take any number of images whose sides are multiples of 32 pixels".to_owned(),
            ),
            Self::OutOfMemory { .. } => Some(
                "smaller windows need less memory: `PredictOptions::new().window(256)`, for objects \
                 `DetectionOptions::new().window(256)`; `%gpu` shows which programs hold the device's memory"
                    .to_owned(),
            ),
            Self::NoModels => Some(
                "`Ensemble::new([&first, &second])`, of detectors `DetectorEnsemble::new`, takes models that were trained \
                 or loaded"
                    .to_owned(),
            ),
            Self::EnsembleClasses { .. } => {
                Some("train the models on the same classes, in the same order".to_owned())
            }
            Self::EnsembleBands { .. } => Some("train the models on the same bands".to_owned()),
            Self::NetworkOutput { .. } => {
                Some("a network returns class scores as large as its images: `[n, classes, height, width]`".to_owned())
            }
            Self::NoScores { .. } => Some(
                "`PredictOptions::new().scores(true)` keeps them, and is the default; or predict again with \
                 `PredictOptions::new().threshold(0.4)`"
                    .to_owned(),
            ),
            Self::FileOfOthers { .. } => Some("choose another name, or remove that file first".to_owned()),
            Self::FolderName { .. } => Some(
                "`.save(\"folder\")` makes a folder; `.objects()?.save(\"objects.gpkg\")` saves the areas or boxes as one file"
                    .to_owned(),
            ),
            Self::NothingRight { .. } => {
                Some("look at the boxes with `boxes.threshold(0.0)`, and train longer or on more chips".to_owned())
            }
            Self::ObjectFile { path, .. } => Some(format!(
                "`objects.save({:?})` writes a file for QGIS and geopandas",
                path.with_extension("gpkg")
            )),
            Self::NoLabels { .. } => {
                Some("`scene.with_labels(\"labels.geojson\", \"building\")` gives a scene its labels".to_owned())
            }
            Self::NoBoxes { .. } => {
                Some("`scene.with_boxes(\"boxes.xml\", \"tree\")` gives a scene its boxes; where it has some, none \
                 lies in the pixels that were searched".to_owned())
            }
            Self::NoBoxScores { .. } => Some(
                "boxes with scores are what `SceneBoxes::save` writes; labels are given to a scene: \
                 `scene.with_boxes(path, \"class\")`"
                    .to_owned(),
            ),
            Self::BoxOfUnknownClass { .. } => Some(
                "`SceneBoxes::open_with_classes(path, &scene, model.classes())` names the classes of the model that found \
                 the boxes"
                    .to_owned(),
            ),
            Self::NamelessBoxClasses { path } => Some(format!(
                "open {:?} beside it, which names them, or say `SceneBoxes::open_with_classes(path, &scene, Classes::new([\"tree\"]))`",
                path.with_file_name("boxes.gpkg")
            )),
            Self::BoxesOfSeveralImages { .. } => {
                Some("keep the results of one image, with one `image_id`, in a file of their own".to_owned())
            }
            Self::NoSavedBoxes { path, .. } => Some(format!(
                "boxes are saved as rectangles, beside their center points: {:?}",
                path.with_file_name("boxes.gpkg")
            )),
            Self::BoxesElsewhere { .. } => {
                Some("open them with the scene that was searched".to_owned())
            }
            Self::NoOverlap { .. } => {
                Some("predict the scene that you score, or the whole scene it is a part of".to_owned())
            }
            Self::OtherGrid { .. } => Some(
                "score with the scene that was predicted, or a part of it; another scene is predicted first: \
                 `run.best().predict(&other)?`"
                    .to_owned(),
            ),
        }
    }
}
