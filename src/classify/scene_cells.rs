use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::CellGrid;
use crate::Result;
use crate::evaluate::{Confusion, EvaluateError, Scores};
use crate::labels::{CellRule, Classes, IGNORE};
use crate::models::TrainedArea;
use crate::predict::{IntoThreshold, check_probability};
use crate::raster::PixelWindow;
use crate::report::{Notice, Report};
use crate::scene::Scene;
use crate::session;

/// The cells of a scene with their classes, as a [`crate::models::Classifier`] found them. Shows itself over the imagery;
/// [`SceneCells::evaluate`] scores it, [`SceneCells::save`] writes GIS files. Cheap to clone.
#[derive(Clone)]
pub struct SceneCells {
    inner: Arc<Inner>,
    threshold: Option<f32>,
    /// The classes that cells were saved with, until another threshold decides; [`IGNORE`] for those without one.
    saved: Option<Arc<[u8]>>,
    report: Report,
    trained: Vec<TrainedArea>,
    /// How the training cells of the model got their classes.
    rule: Option<CellRule>,
}

struct Inner {
    grid: CellGrid,
    /// `[cells, classes]`; NaN for cells without valid imagery.
    probabilities: Vec<f32>,
    classes: Classes,
    scene: Scene,
    /// The latest evaluation with the threshold that it was made at; saved with cells of the same threshold.
    evaluated: Mutex<Option<(Option<f32>, Scores)>>,
}

/// What cells and the labels of a scene have in common.
pub(super) struct Pairs {
    /// The pixels that both cover.
    common: PixelWindow,
    /// Places of cells in the grid, with their classes by the labels.
    pub(super) pairs: Vec<(usize, u8)>,
    /// Cells that have a class here, and none by the labels.
    uncounted: usize,
}

/// A cell with its class.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Where it lies, in pixels of the whole raster; it may reach over the edge of the area.
    pub window: PixelWindow,
    /// The index of its class.
    pub class: usize,
    /// The probability of that class.
    pub score: f32,
}

impl SceneCells {
    pub(super) fn new(
        grid: CellGrid,
        probabilities: Vec<f32>,
        classes: Classes,
        scene: Scene,
        threshold: Option<f32>,
    ) -> Self {
        // One class has one color in the pictures of a scene, of its chips and of what was found there.
        let classes = classes.in_colors_of(scene.classes());
        let empty = probabilities.iter().all(|value| value.is_nan());
        let mut report = Report::new();
        if empty {
            let text = "no pixel of the scene is valid: no cell has a class";
            report.push(Notice::noted(text).about(scene.name()));
        }
        Self {
            inner: Arc::new(Inner {
                grid,
                probabilities,
                classes,
                scene,
                evaluated: Mutex::new(None),
            }),
            threshold,
            saved: None,
            report,
            trained: Vec::new(),
            rule: None,
        }
    }

    /// Cells of a model whose training cells got their classes so.
    pub(super) fn by_rule(mut self, rule: Option<&CellRule>) -> Self {
        self.rule = rule.cloned();
        self
    }

    /// Cells that have been decided before.
    pub(super) fn with_saved(mut self, classes: Vec<u8>) -> Self {
        self.saved = Some(classes.into());
        self
    }

    pub(super) fn with_report(mut self, report: Report) -> Self {
        self.report.extend(report);
        self
    }

    pub(super) fn of_models(mut self, trained: impl IntoIterator<Item = TrainedArea>) -> Self {
        self.trained.extend(trained);
        self
    }

    /// What a person should know about the prediction, such as values unlike those of the training.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Where the cells lie.
    #[must_use]
    pub fn grid(&self) -> &CellGrid {
        &self.inner.grid
    }

    /// The classes, background first.
    #[must_use]
    #[doc(alias = "class_names")]
    pub fn classes(&self) -> &Classes {
        &self.inner.classes
    }

    /// The scene that was classified.
    #[must_use]
    pub fn scene(&self) -> &Scene {
        &self.inner.scene
    }

    /// The same cells with a threshold: a cell gets its most probable class other than background when that is at least
    /// `probability`, and background otherwise. Nothing is predicted again.
    ///
    /// # Errors
    /// [`crate::predict::PredictError::Option`] for a threshold that is no probability.
    pub fn threshold(&self, probability: impl IntoThreshold) -> Result<Self> {
        let probability = probability.into_threshold();
        check_probability("threshold", probability)?;
        Ok(Self {
            threshold: Some(probability),
            saved: None,
            ..self.clone()
        })
    }

    /// The probability of each class in a cell; `None` for one without valid imagery.
    #[must_use]
    #[doc(alias = "predict_proba")]
    pub fn probabilities(&self, index: usize) -> Option<&[f32]> {
        let count = self.inner.classes.len();
        let found = self
            .inner
            .probabilities
            .get(index * count..(index + 1) * count)?;
        found
            .first()
            .is_some_and(|first| !first.is_nan())
            .then_some(found)
    }

    /// The cell at a place of the grid, counted row by row; `None` for one without valid imagery.
    #[must_use]
    #[doc(alias = "__getitem__")]
    pub fn get(&self, index: usize) -> Option<Cell> {
        let probabilities = self.probabilities(index)?;
        let saved = self.saved.as_ref().and_then(|saved| saved.get(index));
        let saved = saved
            .filter(|class| **class != IGNORE)
            .map(|&class| usize::from(class));
        let (class, score) = match saved.and_then(|class| Some((class, *probabilities.get(class)?)))
        {
            Some(saved) => saved,
            None => choose(probabilities, self.threshold),
        };
        Some(Cell {
            window: self.inner.grid.window(index),
            class,
            score,
        })
    }

    /// The cells with a class, row by row.
    pub fn iter(&self) -> impl Iterator<Item = Cell> {
        (0..self.inner.grid.len()).filter_map(|index| self.get(index))
    }

    /// How many cells there are of each class, by name; classes without any are left out.
    #[must_use]
    #[doc(alias = "value_counts")]
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for cell in self.iter() {
            *counts.entry(self.class_name(cell.class)).or_default() += 1;
        }
        counts
    }

    pub(super) fn class_name(&self, class: usize) -> String {
        let found = self.inner.classes.get(class);
        found.map_or_else(String::new, |class| class.name.clone())
    }

    /// The class of each cell as labels have it, [`IGNORE`] for those without one.
    pub(super) fn labels(&self) -> Vec<u8> {
        let label = |index| self.get(index).map_or(IGNORE, |cell| cell.class as u8);
        (0..self.inner.grid.len()).map(label).collect()
    }

    /// The part of the cells' area that lies in the imagery, in pixels of the whole raster.
    pub(super) fn within(&self, window: &PixelWindow) -> PixelWindow {
        window.intersect(&self.inner.grid.area()).unwrap_or(*window)
    }

    /// Scores the cells against those of a labeled scene on the same grid of pixels: the class of each by the scene's rule
    /// ([`Scene::with_cells`]), or by that of the model's training where the scene has none. Cells that do not count there, or have no class here, are left out. Where the model was
    /// trained on these pixels, the scores say so.
    ///
    /// # Errors
    /// [`EvaluateError::NoLabels`], [`EvaluateError::NoOverlap`], [`EvaluateError::OtherGrid`],
    /// [`EvaluateError::ClassesDiffer`] when the two cannot be compared.
    #[doc(alias = "score")]
    #[doc(alias = "accuracy")]
    #[doc(alias = "compare")]
    pub fn evaluate(&self, scene: &Scene) -> Result<Scores> {
        let Pairs {
            common,
            pairs,
            uncounted,
        } = self.pairs(scene)?;
        let (mut truth, mut found) = (Vec::new(), Vec::new());
        for (cell, class) in pairs
            .iter()
            .filter_map(|(index, class)| Some((self.get(*index)?, class)))
        {
            truth.push(*class);
            found.push(cell.class as u8);
        }
        let mut confusion = Confusion::named(self.classes().names());
        confusion.add(&truth, &found)?;
        let mut seen = scene.report_scored(self.scene().raster().path(), common, &self.trained);
        if uncounted > 0 {
            let text = format!(
                "{uncounted} of {} cells do not count: less than half of their pixels do, or their rule says so",
                uncounted + pairs.len()
            );
            seen.push(Notice::left_out(text).about(scene.name()).count(uncounted));
        }
        let scores = confusion.scores().of_cells().with_report(seen);
        *self
            .inner
            .evaluated
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some((self.threshold, scores.clone()));
        Ok(scores)
    }

    /// The cells that have a class both here and by the labels of `scene`, each with the latter; and the pixels that cells and
    /// labels both cover.
    pub(super) fn pairs(&self, scene: &Scene) -> Result<Pairs> {
        scene.check_grid(self.scene().raster())?;
        if !scene.has_labels() && !scene.has_boxes() {
            let scene = scene.name();
            return Err(EvaluateError::NoLabels { scene }.into());
        }
        scene.check_classes(self.classes())?;
        let common = scene.shared_area(self.grid().area())?;
        let rule = match (scene.cells(), &self.rule) {
            (None, Some(rule)) => rule.clone(),
            _ => scene.cell_rule(),
        };
        let (mut pairs, mut uncounted) = (Vec::new(), 0);
        for index in 0..self.grid().len() {
            session::check_interrupt("scoring cells")?;
            let window = self.grid().window(index);
            if self.probabilities(index).is_none() || window.intersect(&common).is_none() {
                continue;
            }
            match scene.cell_class_by(&rule, &window)? {
                Some(class) => pairs.push((index, class as u8)),
                None => uncounted += 1,
            }
        }
        if pairs.is_empty() {
            return Err(EvaluateError::NoCells {
                scene: scene.name(),
                uncounted,
                rule: rule.words(),
            }
            .into());
        }
        Ok(Pairs {
            common,
            pairs,
            uncounted,
        })
    }

    /// What [`SceneCells::evaluate`] found last, if that was at the present threshold.
    #[must_use]
    #[doc(alias = "metrics")]
    pub fn scores(&self) -> Option<Scores> {
        let evaluated = self.inner.evaluated.lock();
        let evaluated = evaluated.unwrap_or_else(PoisonError::into_inner);
        let (threshold, scores) = evaluated.as_ref()?;
        (*threshold == self.threshold).then(|| scores.clone())
    }
}

/// The class of a cell and its probability: the most probable one, or with a threshold the most probable one but the
/// background where it reaches that.
pub(super) fn choose(probabilities: &[f32], threshold: Option<f32>) -> (usize, f32) {
    let from = usize::from(threshold.is_some());
    let mut best = (0, probabilities.first().copied().unwrap_or(f32::NAN));
    let mut most = f32::NEG_INFINITY;
    for (class, &probability) in probabilities.iter().enumerate().skip(from) {
        if probability > most {
            most = probability;
            if threshold.is_none_or(|least| probability >= least) {
                best = (class, probability);
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_decides_between_background_and_the_most_probable_class() {
        let probabilities = [0.5, 0.2, 0.3];
        assert_eq!(choose(&probabilities, None), (0, 0.5));
        assert_eq!(choose(&probabilities, Some(0.25)), (2, 0.3));
        assert_eq!(choose(&probabilities, Some(0.3)), (2, 0.3));
        assert_eq!(choose(&probabilities, Some(0.4)), (0, 0.5));
        assert_eq!(choose(&[0.1, 0.45, 0.45], None), (1, 0.45));
    }
}
