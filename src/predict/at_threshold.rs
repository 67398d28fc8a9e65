use super::SceneMap;
use crate::Result;

/// What counts from another score on, without predicting again: maps and boxes alike.
pub trait AtThreshold: Sized {
    /// The same prediction with this threshold: of a map [`SceneMap::threshold`], of boxes
    /// [`crate::detect::SceneBoxes::threshold`].
    ///
    /// # Errors
    /// As [`SceneMap::threshold`].
    fn at_threshold(&self, score: f32) -> Result<Self>;
}

impl AtThreshold for SceneMap {
    fn at_threshold(&self, score: f32) -> Result<Self> {
        self.threshold(score)
    }
}
