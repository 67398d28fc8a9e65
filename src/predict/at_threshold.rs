use super::{IntoThreshold, Predictable, Predictions, SceneMap, ThresholdChoice};
use crate::Result;
use crate::scene::Scene;

/// What counts from another score on, without predicting again: maps, boxes and cells alike.
pub trait AtThreshold: Sized {
    /// The same prediction with this threshold: of a map [`SceneMap::threshold`], of boxes
    /// [`crate::detect::SceneBoxes::threshold`], of cells [`crate::classify::SceneCells::threshold`].
    ///
    /// # Errors
    /// As [`SceneMap::threshold`].
    fn at_threshold(&self, score: impl IntoThreshold) -> Result<Self>;

    /// A good threshold for the labels of a scene: of a map [`SceneMap::best_threshold`], of boxes
    /// [`crate::detect::SceneBoxes::best_threshold`], of cells [`crate::classify::SceneCells::best_threshold`].
    ///
    /// # Errors
    /// As those of evaluating.
    fn threshold_for(&self, scene: &Scene) -> Result<ThresholdChoice>;
}

impl AtThreshold for SceneMap {
    fn at_threshold(&self, score: impl IntoThreshold) -> Result<Self> {
        self.threshold(score)
    }

    fn threshold_for(&self, scene: &Scene) -> Result<ThresholdChoice> {
        self.best_threshold(scene)
    }
}

impl<T: Predictable<Prediction: AtThreshold>> Predictions<T> {
    /// The same predictions with this threshold, in all scenes.
    ///
    /// # Errors
    /// As [`SceneMap::threshold`].
    #[doc(alias = "threshold")]
    pub fn at_threshold(&self, score: impl IntoThreshold) -> Result<Self> {
        let score = score.into_threshold();
        let one = |(name, prediction): (&str, &T::Prediction)| {
            Ok((name.to_owned(), prediction.at_threshold(score)?))
        };
        Ok(Self::of(self.iter().map(one).collect::<Result<_>>()?))
    }
}
