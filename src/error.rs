//! The one error type of the library's public functions, and hints that name the next step.

use crate::boxes::formats::FormatError;
use crate::staged;

/// The result of every fallible public function.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, by domain. The text says what failed, what was expected and what was found; [`Hint::hint`] names
/// the next step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Files and folders, whatever is in them.
    #[error(transparent)]
    File(#[from] crate::FileError),
    /// Reading or writing imagery.
    #[error(transparent)]
    Raster(#[from] crate::raster::RasterError),
    /// Reading or writing label files of boxes.
    #[error(transparent)]
    Boxes(#[from] crate::boxes::formats::FormatError),
    /// Reading or writing vector files.
    #[error(transparent)]
    Vector(#[from] crate::vector::VectorError),
    /// Label rasters: what their values mean and where they lie.
    #[error(transparent)]
    Labels(#[from] crate::labels::LabelError),
    /// Scenes: areas, splits, labels on a scene.
    #[error(transparent)]
    Scene(#[from] crate::scene::SceneError),
    /// Many scenes: their files, labels, splits.
    #[error(transparent)]
    Scenes(#[from] crate::scenes::ScenesError),
    /// Cutting chips.
    #[error(transparent)]
    Chips(#[from] crate::chips::ChipsError),
    /// Chips as files.
    #[error(transparent)]
    ChipSet(#[from] crate::chips::ChipSetError),
    /// Building models and loading weights or bundles.
    #[error(transparent)]
    Model(#[from] crate::models::ModelError),
    /// Training.
    #[error(transparent)]
    Train(#[from] crate::train::TrainError),
    /// Scores.
    #[error(transparent)]
    Evaluate(#[from] crate::evaluate::EvaluateError),
    /// Boxes: their classes, their scores, saved ones.
    #[error(transparent)]
    Detect(#[from] crate::detect::DetectError),
    /// Prediction and what it writes.
    #[error(transparent)]
    Predict(#[from] crate::predict::PredictError),
    /// Drawing.
    #[error(transparent)]
    Plot(#[from] crate::plot::PlotError),
    /// Fetching data sets and weights.
    #[error(transparent)]
    Data(#[from] crate::data::DataError),
    /// Choosing a device.
    #[error(transparent)]
    Device(#[from] crate::device::DeviceError),
    /// The user interrupted a running step; what was reached so far is kept where the step says so.
    #[error("interrupted while {doing}")]
    Interrupted {
        /// The step that was running, such as `reading chips`.
        doing: &'static str,
    },
}

impl Error {
    /// The name of the domain's own error, such as `RasterError`: what a cell's error is called.
    #[must_use]
    pub fn domain(&self) -> &'static str {
        match self {
            Self::File(_) => "FileError",
            Self::Raster(_) => "RasterError",
            Self::Boxes(_) => "FormatError",
            Self::Vector(_) => "VectorError",
            Self::Labels(_) => "LabelError",
            Self::Scene(_) => "SceneError",
            Self::Scenes(_) => "ScenesError",
            Self::Chips(_) => "ChipsError",
            Self::ChipSet(_) => "ChipSetError",
            Self::Model(_) => "ModelError",
            Self::Train(_) => "TrainError",
            Self::Evaluate(_) => "EvaluateError",
            Self::Detect(_) => "DetectError",
            Self::Predict(_) => "PredictError",
            Self::Plot(_) => "PlotError",
            Self::Data(_) => "DataError",
            Self::Device(_) => "DeviceError",
            Self::Interrupted { .. } => "Interrupted",
        }
    }
}

/// The next step for a person who meets an error, apart from the message itself.
pub trait Hint {
    /// A command, a method, or what exists instead; `None` when there is nothing useful to say.
    fn hint(&self) -> Option<String>;
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint(),
            Self::Raster(error) => error.hint(),
            Self::Boxes(FormatError::Io { path, source, .. }) => staged::hint(path, source),
            Self::Boxes(error) => error.hint(),
            Self::Vector(error) => error.hint(),
            Self::Labels(error) => error.hint(),
            Self::Scene(error) => error.hint(),
            Self::Scenes(error) => error.hint(),
            Self::Chips(error) => error.hint(),
            Self::ChipSet(error) => error.hint(),
            Self::Model(error) => error.hint(),
            Self::Train(error) => error.hint(),
            Self::Evaluate(error) => error.hint(),
            Self::Detect(error) => error.hint(),
            Self::Predict(error) => error.hint(),
            Self::Plot(error) => error.hint(),
            Self::Data(error) => error.hint(),
            Self::Device(error) => error.hint(),
            Self::Interrupted { .. } => None,
        }
    }
}
