//! Another decision threshold on a map that was predicted.

use super::blend_strip::{FULL_SCORE, NODATA};
use super::files::{LABELS, label_options, working_folder};
use super::map::label_values;
use super::score_type::read_scores;
use super::tiling::check_probability;
use super::{IntoThreshold, PredictError, Predictions, SceneMap, ThresholdChoice, ThresholdPoint};
use crate::labels::IGNORE;
use crate::models::Segmentation;
use crate::raster::{PixelWindow, Raster, RasterType, RasterWriter, Size};
use crate::report::Notice;
use crate::scene::Scene;
use crate::scenes::Scenes;
use crate::{Result, session};

/// Rows that are decided at once: a row of the files' tiles.
const ROWS: usize = 256;

impl SceneMap {
    /// The same map with another decision threshold, without predicting again: a pixel gets its most probable class other
    /// than background when the score is at least `score`, from 0 to 1, and background otherwise, as
    /// [`super::PredictOptions::threshold`] decides. Below 0.5 more is found and more of it wrongly.
    ///
    /// The map itself stays as it is, and the threshold of the result can be changed again: the scores are always those
    /// of the prediction. What was evaluated has to be evaluated anew.
    ///
    /// # Accuracy
    /// Scores are kept in 255 steps. Only pixels whose score is within half a step, 0.002, of the threshold can differ from
    /// those of predicting again with it; with the threshold that the map was predicted with none does.
    ///
    /// # Errors
    /// [`PredictError::NoScores`] for a map that was predicted without keeping its scores, [`PredictError::Option`] for a
    /// threshold that is no probability, [`crate::raster::RasterError`] when a working file cannot be read or written.
    ///
    /// # Examples
    /// ```no_run
    /// # use swath::prelude::*;
    /// # fn example(map: &SceneMap, test: &Scene) -> swath::Result<()> {
    /// for score in [0.3, 0.5, 0.7] {
    ///     let building = map.threshold(score)?.evaluate(test)?.class("building")?.clone();
    ///     println!("{score}: precision {:.2}, recall {:.2}", building.precision, building.recall);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn threshold(&self, score: impl IntoThreshold) -> Result<Self> {
        let score = score.into_threshold();
        check_probability("threshold", score)?;
        let predicted = self.predicted();
        let Some(scores) = &predicted.scores else {
            let scene = self.scene().name();
            return Err(PredictError::NoScores { scene }.into());
        };
        let size = predicted.area.size();
        let folder = working_folder()?;
        let mut writer = RasterWriter::create(
            folder.path().join(LABELS),
            size,
            1,
            RasterType::U8,
            predicted.labels.transform(),
            &predicted.labels.crs_wkt(),
            label_options(self.classes()).plain_tiles(),
        )?;
        let decision = Decision {
            score,
            of_map: predicted.threshold,
            classes: self.classes().len(),
        };
        for window in PixelWindow::full(size).tiles(Size::new(size.width, ROWS)) {
            session::check_interrupt("changing the threshold")?;
            let labels = label_values(&predicted.labels.read(&window)?);
            let scores = read_scores(scores, &window)?;
            let decided = decision.labels(&labels, &scores.data);
            writer.write_window(&window, &decided)?;
        }
        let labels = Raster::open(writer.finish()?)?;
        Ok(self.relabeled(folder, labels, score))
    }

    /// The threshold at which labeled objects and what the map takes for them agree well on these labels: of those whose F1
    /// of everything but background is within 2 % of the highest, the one nearest to one half, because the last percents are of
    /// these very labels (the idea of the one-standard-error rule of Breiman and others, *Classification and Regression Trees*,
    /// 1984). It belongs to the scene that it was found on: choose it where the model was validated, and score it elsewhere.
    ///
    /// ```no_run
    /// # use swath::prelude::*;
    /// # fn example(map: &SceneMap, valid: &Scene) -> swath::Result<()> {
    /// let map = map.threshold(map.best_threshold(valid)?)?;
    /// # Ok(()) }
    /// ```
    ///
    /// The choice shows itself as a small curve of precision, recall and F1; [`Predictions::best_threshold`] looks at many
    /// scenes together.
    ///
    /// # Errors
    /// [`PredictError::NoScores`] for a map without scores, and those of [`SceneMap::evaluate`].
    #[doc(alias = "choose_threshold")]
    #[doc(alias = "optimal_threshold")]
    pub fn best_threshold(&self, scene: &Scene) -> Result<ThresholdChoice> {
        let mut counts = Counts::default();
        self.count_scores(scene, &mut counts)?;
        Ok(counts.choice(scene.name()))
    }

    /// Adds how many pixels of objects, and of background, have each score.
    fn count_scores(&self, scene: &Scene, counts: &mut Counts) -> Result<()> {
        let common = self.common_with(scene)?;
        let predicted = self.predicted();
        let Some(scores) = &predicted.scores else {
            let scene = self.scene().name();
            return Err(PredictError::NoScores { scene }.into());
        };
        for window in common.tiles(Size::new(common.width, ROWS)) {
            session::check_interrupt("looking for the best threshold")?;
            let truth = scene.label_window(&window)?;
            let scores = read_scores(scores, &self.in_map(&window))?.data;
            let pixels = truth.len();
            for (pixel, &truth) in truth.iter().enumerate() {
                let background = scores[pixel];
                if truth == IGNORE || background > FULL_SCORE {
                    continue;
                }
                let other = (1..self.classes().len()).map(|class| scores[class * pixels + pixel]);
                let best = other.fold(0.0, f32::max) as usize;
                counts.0[usize::from(truth == 0)][best.min(FULL_SCORE as usize)] += 1;
            }
        }
        Ok(())
    }

    /// The threshold that decided between background and the other classes; `None` where the most probable class won.
    #[must_use]
    pub fn threshold_score(&self) -> Option<f32> {
        self.inner.threshold
    }
}

/// What a threshold was chosen on, in words.
pub(crate) fn chosen_on(scenes: &Scenes) -> String {
    match scenes.len() {
        1 => scenes.first().name(),
        many => format!("{many} scenes"),
    }
}

impl Predictions<Segmentation> {
    /// A good threshold for the labels of all scenes together, as [`SceneMap::best_threshold`] finds one for a scene: their
    /// pixels are counted as those of one large scene. [`Predictions::at_threshold`] takes it.
    ///
    /// ```no_run
    /// # use swath::prelude::*;
    /// # fn example(run: &Run, valid: &Scenes, test: &Scenes) -> swath::Result<()> {
    /// let choice = run.best().predict(valid)?.best_threshold(valid)?;
    /// let scores = run.best().evaluate_with(test, PredictOptions::new().threshold(&choice))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`PredictError::OtherScenes`] for other scenes than those that were predicted; those of
    /// [`SceneMap::best_threshold`].
    pub fn best_threshold(&self, scenes: &Scenes) -> Result<ThresholdChoice> {
        self.check_scenes(scenes)?;
        let mut counts = Counts::default();
        for ((_, map), scene) in self.iter().zip(scenes.iter()) {
            map.count_scores(scene, &mut counts)?;
        }
        Ok(counts.choice(chosen_on(scenes)))
    }
}

/// How many pixels of objects, and of background, have each score.
struct Counts([[u64; FULL_SCORE as usize + 1]; 2]);

impl Default for Counts {
    fn default() -> Self {
        Self([[0; FULL_SCORE as usize + 1]; 2])
    }
}

impl Counts {
    fn choice(&self, on: String) -> ThresholdChoice {
        let (objects, all) = points(&self.0);
        choose(objects, all, "pixel", on)
    }
}

/// The labeled pixels of objects, and what each threshold gives, rising.
fn points(counts: &[[u64; FULL_SCORE as usize + 1]; 2]) -> (u64, Vec<ThresholdPoint>) {
    let objects: u64 = counts[0].iter().sum();
    let (mut right, mut wrong) = (0, 0);
    let mut all: Vec<ThresholdPoint> = Vec::with_capacity(counts[0].len());
    for step in (1..counts[0].len()).rev() {
        right += counts[0][step];
        wrong += counts[1][step];
        let threshold = step as f32 / FULL_SCORE;
        all.push(ThresholdPoint::of(threshold, right, wrong, objects));
    }
    all.reverse();
    (objects, all)
}

/// A threshold of rising `points`, with a notice where none finds anything right; `labeled` is how many of the `unit`s are labeled
/// as something but background.
pub(crate) fn choose(
    labeled: u64,
    points: Vec<ThresholdPoint>,
    unit: &str,
    on: String,
) -> ThresholdChoice {
    let chosen = good_threshold(&points);
    let choice = ThresholdChoice::new(chosen, points, format!("{unit}s"), on);
    let why = match (labeled, chosen.f1 > 0.0) {
        (0, _) => format!("no {unit} of an object is labeled there"),
        (_, false) => format!("no {unit} of an object has any score of one"),
        _ => return choice,
    };
    choice.with_notice(
        Notice::assumed(format!("{why}: one half was taken"))
            .next("choose it where objects are labeled and found"),
    )
}

/// How much of the highest F1 is enough.
const ENOUGH: f64 = 0.98;

/// Of the thresholds with nearly the highest F1 the one nearest to a half.
fn good_threshold(all: &[ThresholdPoint]) -> ThresholdPoint {
    let f1 = |point: &ThresholdPoint| if point.f1.is_nan() { 0.0 } else { point.f1 };
    let highest = all.iter().map(f1).fold(0.0, f64::max);
    let from_half = |point: &ThresholdPoint| (point.threshold - 0.5).abs();
    // From the top: of two that are as near, the higher one, which takes less for an object.
    all.iter()
        .rev()
        .filter(|point| f1(point) >= ENOUGH * highest)
        .min_by(|one, other| from_half(one).total_cmp(&from_half(other)))
        .copied()
        .unwrap_or(ThresholdPoint::of(0.5, 0, 0, 0))
}

/// How pixels are decided anew.
struct Decision {
    score: f32,
    /// The threshold of the predicted labels.
    of_map: Option<f32>,
    classes: usize,
}

impl Decision {
    /// # Shapes
    /// - `labels`: `[pixels]`, as predicted
    /// - `scores`: `[classes, pixels]`, as stored, probabilities times [`FULL_SCORE`]
    fn labels(&self, labels: &[u8], scores: &[f32]) -> Vec<u8> {
        let pixels = labels.len();
        let at = |class: usize, pixel: usize| scores[class * pixels + pixel];
        let decide = |(pixel, &label): (usize, &u8)| {
            if label == NODATA || self.classes < 2 {
                return label;
            }
            let mut best = 1;
            for class in 2..self.classes {
                if at(class, pixel) > at(best, pixel) {
                    best = class;
                }
            }
            // What the prediction told apart before scores were rounded decides between equal ones.
            let was = usize::from(label);
            if (1..self.classes).contains(&was) && at(was, pixel) >= at(best, pixel) {
                best = was;
            }
            let reached = at(best, pixel) / FULL_SCORE >= self.score;
            let reached = match self.of_map {
                Some(of_map) if was == 0 && self.score >= of_map => false,
                Some(of_map) if was > 0 && self.score <= of_map => true,
                // Of two classes the more probable one has more than a half.
                None if self.classes == 2 && was == 0 && self.score >= 0.5 => false,
                None if self.classes == 2 && was > 0 && self.score <= 0.5 => true,
                _ => reached,
            };
            if reached {
                u8::try_from(best).unwrap_or(NODATA)
            } else {
                0
            }
        };
        labels.iter().enumerate().map(decide).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F1 by its definition, at every threshold.
    fn f1_at(counts: &[[u64; FULL_SCORE as usize + 1]; 2], step: usize) -> f64 {
        let right: u64 = counts[0][step..].iter().sum();
        let wrong: u64 = counts[1][step..].iter().sum();
        let missed: u64 = counts[0][..step].iter().sum();
        2.0 * right as f64 / (2 * right + wrong + missed).max(1) as f64
    }

    fn chosen(counts: &[[u64; FULL_SCORE as usize + 1]; 2]) -> f32 {
        good_threshold(&points(counts).1).threshold
    }

    #[test]
    fn the_best_threshold_is_the_one_nearest_to_a_half_of_those_that_are_nearly_the_best() {
        let mut counts = [[0; FULL_SCORE as usize + 1]; 2];
        (counts[0][200], counts[0][100]) = (5, 3);
        (counts[1][100], counts[1][50]) = (10, 100);
        // All from 101 to 200 are as good.
        assert_eq!(chosen(&counts), 0.5);
        let mut number = 12_345_u64;
        for _ in 0..200 {
            for count in counts.iter_mut().flatten() {
                number = number
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                *count = (number >> 33) % 7;
            }
            let best = (chosen(&counts) * FULL_SCORE).round() as usize;
            let steps = 1..=FULL_SCORE as usize;
            let highest = steps.clone().map(|step| f1_at(&counts, step));
            let highest = highest.fold(0.0, f64::max);
            assert!(f1_at(&counts, best) >= 0.98 * highest - 1e-12);
            for step in steps.filter(|step| step.abs_diff(127) < best.abs_diff(127)) {
                assert!(f1_at(&counts, step) < 0.98 * highest, "{step} {best}");
            }
        }
        assert_eq!(chosen(&[[0; FULL_SCORE as usize + 1]; 2]), 0.5);
        let choice = Counts::default().choice("valid".to_owned());
        assert!(
            choice
                .report()
                .iter()
                .any(|notice| notice.text().contains("labeled there"))
        );
    }
}
