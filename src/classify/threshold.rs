//! From which probability on a cell is of a class.

use super::SceneCells;
use super::scene_cells::{Pairs, choose};
use crate::Result;
use crate::models::ChipClassification;
use crate::predict::{
    AtThreshold, IntoThreshold, Predictions, ThresholdChoice, ThresholdPoint,
    choose as choose_threshold, chosen_on,
};
use crate::scene::Scene;
use crate::scenes::Scenes;

/// Thresholds that are looked at: hundredths.
const STEPS: u8 = 100;

/// Cells that are right and wrong at each threshold, from 0 to 1.
struct Counts {
    right: Vec<u64>,
    wrong: Vec<u64>,
    /// Cells that are labeled as something but background.
    labeled: u64,
}

impl Default for Counts {
    fn default() -> Self {
        let none = vec![0; usize::from(STEPS) + 1];
        Self {
            right: none.clone(),
            wrong: none,
            labeled: 0,
        }
    }
}

fn threshold_of(step: usize) -> f32 {
    step as f32 / f32::from(STEPS)
}

impl Counts {
    fn choice(&self, on: String) -> ThresholdChoice {
        let points = self.right.iter().zip(&self.wrong).enumerate();
        let points = points.map(|(step, (&right, &wrong))| {
            ThresholdPoint::of(threshold_of(step), right, wrong, self.labeled)
        });
        choose_threshold(self.labeled, points.collect(), "cell", on)
    }
}

impl SceneCells {
    fn count(&self, scene: &Scene, counts: &mut Counts) -> Result<()> {
        let Pairs { pairs, .. } = self.pairs(scene)?;
        for (index, truth) in pairs {
            counts.labeled += u64::from(truth > 0);
            let probabilities = self.probabilities(index).unwrap_or_default();
            let decided = counts.right.iter_mut().zip(&mut counts.wrong).enumerate();
            for (step, (right, wrong)) in decided {
                match choose(probabilities, Some(threshold_of(step))).0 {
                    0 => {}
                    class if class == usize::from(truth) => *right += 1,
                    _ => *wrong += 1,
                }
            }
        }
        Ok(())
    }

    /// A good threshold for the labels of a scene, of hundredths, with the curve of all: of those with nearly the highest F1 the
    /// one nearest to a half, as [`crate::predict::SceneMap::best_threshold`] chooses. A cell counts as right when it has a
    /// class other than background, and the right one.
    ///
    /// # Errors
    /// As [`SceneCells::evaluate`].
    pub fn best_threshold(&self, scene: &Scene) -> Result<ThresholdChoice> {
        let mut counts = Counts::default();
        self.count(scene, &mut counts)?;
        Ok(counts.choice(scene.name()))
    }
}

impl Predictions<ChipClassification> {
    /// A good threshold for the labels of all scenes together, as [`SceneCells::best_threshold`] finds one for a scene.
    /// [`Predictions::at_threshold`] takes it.
    ///
    /// # Errors
    /// [`crate::predict::PredictError::OtherScenes`] for other scenes than those that were predicted; those of
    /// [`SceneCells::evaluate`].
    pub fn best_threshold(&self, scenes: &Scenes) -> Result<ThresholdChoice> {
        self.check_scenes(scenes)?;
        let mut counts = Counts::default();
        for ((_, cells), scene) in self.iter().zip(scenes.iter()) {
            cells.count(scene, &mut counts)?;
        }
        Ok(counts.choice(chosen_on(scenes)))
    }
}

impl AtThreshold for SceneCells {
    fn at_threshold(&self, score: impl IntoThreshold) -> Result<Self> {
        self.threshold(score)
    }

    fn threshold_for(&self, scene: &Scene) -> Result<ThresholdChoice> {
        self.best_threshold(scene)
    }
}
