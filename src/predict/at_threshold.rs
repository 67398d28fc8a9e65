use super::SceneMap;
use crate::Result;
use crate::scene::Scene;

/// What counts from another score on, without predicting again: maps and boxes alike.
pub trait AtThreshold: Sized {
    /// The same prediction with this threshold: of a map [`SceneMap::threshold`], of boxes
    /// [`crate::detect::SceneBoxes::threshold`].
    ///
    /// # Errors
    /// As [`SceneMap::threshold`].
    fn at_threshold(&self, score: f32) -> Result<Self>;

    /// The threshold with the highest F1 on the labels of a scene: of a map [`SceneMap::best_threshold`], of boxes
    /// [`crate::detect::BoxScores::best_f1`] at IoU 0.5.
    ///
    /// # Errors
    /// As those of evaluating.
    fn threshold_for(&self, scene: &Scene) -> Result<f32>;
}

impl AtThreshold for SceneMap {
    fn at_threshold(&self, score: f32) -> Result<Self> {
        self.threshold(score)
    }

    fn threshold_for(&self, scene: &Scene) -> Result<f32> {
        self.best_threshold(scene)
    }
}
