//! Whole-scene detection: overlapping tiles, boxes joined across them, scores, files, pictures.
//!
//! A [`crate::train::Detector`] gives [`SceneBoxes`] for a scene: every box in pixels of the scene's raster, with class and
//! score. Their threshold can be changed without detecting again.

mod options;
mod save;
mod scene;
mod scene_boxes;
mod scores;
mod show;
mod tiles;

pub use options::DetectionOptions;
pub use scene::detect_scene;
pub use scene_boxes::SceneBoxes;
pub use scores::BoxScores;
pub(crate) use scores::best_threshold;

#[cfg(test)]
mod tests;
