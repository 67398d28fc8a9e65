use std::path::PathBuf;

use crate::Hint;
use crate::host::{Step, either};
use crate::paths::told;

/// What can go wrong in [`crate::predict`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PredictError {
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
    /// The scene's bands are those of the training in another order.
    #[error(
        "{who} the bands {}, the scene has {}: {told}", expected.join(", "), found.join(", "), told = told(path)
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
    #[error("{who} other values: {}: {told}", bands.join("; "), told = told(path))]
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
    /// Scenes other than those that were predicted.
    #[error(
        "{expected} scenes were predicted and {found} are given{}",
        if first.is_empty() { String::new() } else { format!(": {first:?} is not among them") }
    )]
    OtherScenes {
        /// Predicted scenes.
        expected: usize,
        /// Scenes that were given.
        found: usize,
        /// A predicted scene that is not among them.
        first: String,
    },
    /// Models together that were trained on bands changed in different ways.
    #[error(
        "the models were trained on bands that were changed in different ways, so that one scene cannot serve all"
    )]
    OtherTransforms,
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
    /// A folder that no map was saved to.
    #[error("there is no class map to open, whose file is called labels.tif: {told}", told = told(path))]
    NoSavedMap {
        /// Where its file would be.
        path: PathBuf,
    },
    /// A folder that no cells were saved to, or whose files do not belong together.
    #[error("there are no cells to open: {reason}: {told}", told = told(path))]
    NoSavedCells {
        /// The file.
        path: PathBuf,
        /// What is missing or differs.
        reason: String,
    },
    /// Objects were to be saved as a file of a kind that cannot be written.
    #[error(
        "objects are saved as .csv, .gpkg, .geojson, .fgb, .shp or .parquet, not as {found}: {told}", told = told(path)
    )]
    ObjectFile {
        /// The ending that was given.
        found: String,
        /// The file.
        path: PathBuf,
    },
}

impl Hint for PredictError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Option { .. } => None,
            Self::OtherScenes { .. } => {
                Some("score the scenes that were predicted, in their order: `predictions.evaluate(&scenes)?`".to_owned())
            }
            Self::OtherTransforms => Some(
                "predict with each alone; or give a scene with its transforms, `scene.with_transforms([…])`, which is taken as \
                 it is"
                    .to_owned(),
            ),
            Self::BandOrder { expected, on_purpose, .. } => {
                let names: Vec<String> = expected.iter().map(|name| format!("{name:?}")).collect();
                Some(format!(
                    "{} opens the bands in the order of the training; {} takes them as they are",
                    either(
                        format!("`Scene::open_with(path, OpenOptions::new().bands([{}]))`", names.join(", ")),
                        format!("`--bands \"{}\"`", expected.join(","))
                    ),
                    Step::AnyValues { call: on_purpose }
                ))
            }
            Self::OtherValues { on_purpose, .. } => Some(format!(
                "give the scene the values of the training, multiplied by the factor, or train on imagery like this; \
                 {} takes them as they are",
                Step::AnyValues { call: on_purpose }
            )),
            Self::Network { .. } => Some(
                "a network must take any number of images whose sides are multiples of 32 pixels".to_owned(),
            ),
            Self::OutOfMemory { .. } => Some(format!(
                "smaller windows need less memory: {}; {}",
                Step::SmallerWindows,
                Step::ShowDevicePrograms
            )),
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
            Self::NoSavedMap { .. } => Some(
                "give a folder that `map.save(FOLDER)?` wrote, or scenes that a segmenter predicted: detectors save boxes"
                    .to_owned(),
            ),
            Self::NoSavedCells { .. } => Some(
                "a classifier's cells are saved together, `cell_labels.tif` beside `cell_scores.tif`: give the folder that holds \
                 both as they were saved"
                    .to_owned(),
            ),
            Self::ObjectFile { path, .. } => Some(format!(
                "`objects.save({:?})` writes a file for QGIS and geopandas",
                path.with_extension("gpkg")
            )),
        }
    }
}
