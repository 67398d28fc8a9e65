//! Whole-scene detection: overlapping tiles, boxes joined across them, scores, files, pictures.
//!
//! A [`crate::models::Detector`] gives [`SceneBoxes`] for a scene: every box in pixels of the scene's raster, with class and
//! score. Their threshold can be changed without detecting again. A [`DetectorEnsemble`] makes one set of boxes of what
//! several detectors find; boxes that were saved are read back by [`SceneBoxes::open`].

mod detection;
mod error;
mod fuse;
mod objects;
mod open;
mod options;
mod save;
mod scene;
mod scene_boxes;
mod scores;
mod searched;
mod show;
mod tiles;

pub use detection::{DetectorEnsemble, DetectorPredictions, DetectorScenesScores};
pub use error::DetectError;
pub(crate) use open::{SAVED, saved_class_names};
pub use options::{BoxOptions, DetectionOptions};
pub use save::BoxSaveOptions;
pub use scene::detect_scene;
pub use scene_boxes::SceneBoxes;
pub use scores::BoxScores;
pub(crate) use scores::best_threshold;

#[cfg(test)]
mod ensemble_tests;
#[cfg(test)]
mod memory_tests;
#[cfg(test)]
mod open_tests;
#[cfg(test)]
mod save_tests;
#[cfg(test)]
mod searched_tests;
#[cfg(test)]
mod tests;
