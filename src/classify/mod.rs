//! Whole-scene chip classification: a grid of cells over a scene, each with a class, its scores, files, pictures.
//!
//! A [`crate::models::Classifier`] gives [`SceneCells`] for a scene: the probabilities of every cell. A
//! [`ClassifierEnsemble`] averages those of several classifiers.

mod classification;
mod grid;
mod open;
mod options;
mod save;
mod scene;
mod scene_cells;
mod show;
mod threshold;

pub use classification::{ClassifierEnsemble, ClassifierPredictions, ClassifierScenesScores};
pub use grid::CellGrid;
pub(crate) use open::LABELS as CELL_LABELS;
pub use options::{CellOptions, ClassificationOptions};
pub use scene::classify_scene;
pub use scene_cells::{Cell, SceneCells};

#[cfg(test)]
mod tests;
