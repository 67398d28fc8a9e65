//! Another decision threshold on a map that was predicted.

use super::band::{FULL_SCORE, NODATA};
use super::files::{LABELS, label_options, working_folder};
use super::map::label_values;
use super::tiling::check_probability;
use super::{PredictError, SceneMap};
use crate::raster::{PixelWindow, Raster, RasterType, RasterWriter, Size};
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
    pub fn threshold(&self, score: f32) -> Result<Self> {
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
            let scores = scores.read(&window)?;
            let decided = decision.labels(&labels, &scores.data);
            writer.write_window(&window, &decided)?;
        }
        let labels = Raster::open(writer.finish()?)?;
        Ok(self.relabelled(folder, labels, score))
    }

    /// The threshold that decided between background and the other classes; `None` where the most probable class won.
    #[must_use]
    pub fn threshold_score(&self) -> Option<f32> {
        self.inner.threshold
    }
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
