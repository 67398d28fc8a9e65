//! Everything a notebook needs, in scope in every cell.

pub use crate::boxes::{Annotation, BoundingBox, BoxFusion, Detection, Quadrilateral};
pub use crate::chips::{
    Affine, Augment, ChipFolder, ChipOptions, ChipSet, ChipSetOptions, Chips, CopyPaste, SavedChips,
};
pub use crate::classify::{
    Cell, CellGrid, ClassificationOptions, ClassifierEnsemble, ClassifierPredictions,
    ClassifierScenesScores, SceneCells,
};
pub use crate::detect::{
    BoxSaveOptions, BoxScores, DetectionOptions, DetectorEnsemble, DetectorPredictions,
    DetectorScenesScores, SceneBoxes,
};
pub use crate::device::Device;
pub use crate::display::{Output, Show};
pub use crate::evaluate::{ClassScore, Confusion, Scores};
pub use crate::labels::{CellRule, Classes, LabelValues};
pub use crate::models::{
    Architecture, CenterNet, ClassificationNetwork, ClassifierArchitecture, DeepLabV3,
    DeepLabV3Plus, DetectionNetwork, DetectorArchitecture, FasterRcnn, Fpn, ImageClassifier,
    Network, Normalization, Precision, RetinaNet, Unet,
};
pub use crate::plot::Figure;
pub use crate::predict::{
    AtThreshold, Ensemble, ErrorMap, Object, Objects, PredictOptions, Predictions, SaveOptions,
    SavedFiles, SavedScenes, SceneMap, ScenesScores, ScoreType, ThresholdChoice, WorstWindow,
    WorstWindows,
};
pub use crate::raster::{
    BandChoice, BandRole, BandTransform, Composite, Date, ImageArray, MapWindow, Mosaic,
    OpenOptions, PixelWindow, Places, Raster, Resampling, Resolution, SeriesDate, SeriesPatch,
    SpectralIndex, Stack, StackExtent, StackGrid, StackPart, TimeSeries,
};
pub use crate::report::{Notice, Report};
pub use crate::scene::{Scene, Split};
pub use crate::scenes::{ClassShares, LabelFiles, SceneSplit, Scenes, ScenesOptions};
pub use crate::session::show_all;
pub use crate::train::{
    Classifier, Detector, FitOptions, Loss, LrFinder, Optimizer, Run, Schedule, Segmenter,
    StopReason,
};
pub use crate::vector::{Buffer, LabelClass, Outlines, VectorSource};
pub use crate::{data, plot, samples, session};
