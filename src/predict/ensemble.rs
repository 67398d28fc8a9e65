use std::borrow::Borrow;

use super::PredictError;
use super::many::Imagery;
use super::options::OptionsFor;
use super::predictable::Predictable;
use crate::Result;
use crate::display::{Output, Show};
use crate::labels::Classes;
use crate::models::{Model, Segmentation, Task};

/// Several trained models of one task that predict together. Their architectures and the normalization of their input may
/// differ; bands and classes may not. [`crate::detect::DetectorEnsemble`] is the one of detectors,
/// [`crate::classify::ClassifierEnsemble`] that of classifiers.
///
/// | models | together |
/// |---|---|
/// | segmenters | their probabilities are averaged, pixel by pixel |
/// | classifiers | their probabilities are averaged, cell by cell |
/// | detectors | the boxes that they find of one object become one: weighted boxes fusion |
///
/// A fused box is the mean of its boxes, weighted by their scores; its score is their mean score over all models, so that
/// what only one of two models finds has half of the score that it gave. False finds are seldom repeated, and fall.
/// [`crate::detect::DetectionOptions::fusion`] says, as for one detector, what becomes of the boxes that each model finds;
/// with suppression, which is usual, no two fused boxes overlap by more than it allows either. The threshold is the mean
/// of those that the models' validation found best unless the options set another.
///
/// # Source
/// Weighted boxes fusion, Solovyev and others, *Weighted boxes fusion: Ensembling boxes from different object detection
/// models*, 2021, arXiv:1910.13302, with its overlap of 0.55 unless [`crate::boxes::BoxFusion::WeightedBoxes`] says another.
///
/// ```no_run
/// use swath::prelude::*;
/// let scene = Scene::open("scene.tif")?;
/// let models = [Segmenter::load("first.swath")?, Segmenter::load("second.swath")?];
/// let map = Ensemble::new(&models)?.predict(&scene)?;
/// map.save("map")?;
///
/// let models = [Detector::load("first.swath")?, Detector::load("second.swath")?];
/// let trees = DetectorEnsemble::new(&models)?.predict(&scene)?;
/// trees.save("trees")?;
/// # Ok::<(), swath::Error>(())
/// ```
pub struct Ensemble<T: Task = Segmentation> {
    models: Vec<Model<T>>,
}

impl<T: Task> Ensemble<T> {
    /// The models, each of which counts the same.
    ///
    /// # Errors
    /// [`PredictError::NoModels`] without any; [`crate::models::ModelError::NotTrained`] for one without weights;
    /// [`PredictError::EnsembleClasses`] and [`PredictError::EnsembleBands`] for models that do not fit together.
    pub fn new<M: Borrow<Model<T>>>(models: impl IntoIterator<Item = M>) -> Result<Self> {
        let models: Vec<Model<T>> = models
            .into_iter()
            .map(|model| model.borrow().clone())
            .collect();
        let together = (models.iter())
            .map(|model| Ok((model.classes(), model.weights("predict")?.meta.bands)))
            .collect::<Result<Vec<_>>>()?;
        check_together(&together)?;
        Ok(Self { models })
    }

    /// The models.
    #[must_use]
    pub fn models(&self) -> &[Model<T>] {
        &self.models
    }

    /// The classes that the models tell apart, background first.
    #[must_use]
    pub fn classes(&self) -> &Classes {
        self.models[0].classes()
    }
}

impl<T: Predictable> Ensemble<T> {
    /// Predicts the whole area of a scene, as [`Model::predict`] does, on the device of the first model.
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn predict<I: Imagery<T>>(&self, scene: I) -> Result<I::Prediction> {
        self.predict_with(scene, OptionsFor::default())
    }

    /// [`Ensemble::predict`] with other options.
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn predict_with<I: Imagery<T>>(
        &self,
        scene: I,
        options: impl Borrow<OptionsFor<T>>,
    ) -> Result<I::Prediction> {
        scene.predict(&self.models, options.borrow())
    }

    /// Predicts a scene and scores the result against its labels.
    ///
    /// # Errors
    /// As [`Model::evaluate`].
    pub fn evaluate<I: Imagery<T>>(&self, scene: I) -> Result<I::Scores> {
        self.evaluate_with(scene, OptionsFor::default())
    }

    /// [`Ensemble::evaluate`] with options of the prediction.
    ///
    /// # Errors
    /// As [`Model::evaluate`].
    pub fn evaluate_with<I: Imagery<T>>(
        &self,
        scene: I,
        options: impl Borrow<OptionsFor<T>>,
    ) -> Result<I::Scores> {
        scene.evaluate(&self.models, options.borrow())
    }
}

/// Not derived: that would ask for a task that can be cloned.
impl<T: Task> Clone for Ensemble<T> {
    fn clone(&self) -> Self {
        Self {
            models: self.models.clone(),
        }
    }
}

impl<T: Task> std::fmt::Debug for Ensemble<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ensemble")
            .field("models", &self.models)
            .finish()
    }
}

/// A row for each model: its architecture, and what its bundle says it was trained on.
impl<T: Task> Show for Ensemble<T> {
    fn output(&self) -> Output {
        let row = |(index, model): (usize, &Model<T>)| {
            let scene = model
                .meta()
                .and_then(|meta| meta.provenance.get("trained on"));
            vec![
                (index + 1).to_string(),
                model.architecture().name(),
                scene.cloned().unwrap_or_default(),
            ]
        };
        let rows: Vec<Vec<String>> = self.models.iter().enumerate().map(row).collect();
        let heads = ["model", "architecture", "trained on"];
        Output::styled(
            crate::plot::table_text(&heads, &rows),
            crate::plot::table_html(&heads, &rows),
        )
    }
}

/// Whether models, of which each has these classes and bands, can predict together.
fn check_together(models: &[(&Classes, usize)]) -> Result<(), PredictError> {
    let (first, bands) = models.first().ok_or(PredictError::NoModels)?;
    let owned = |classes: &Classes| -> Vec<String> {
        classes.iter().map(|class| class.name.clone()).collect()
    };
    for (index, (classes, found)) in models.iter().enumerate() {
        if classes.names() != first.names() {
            return Err(PredictError::EnsembleClasses {
                model: index + 1,
                found: owned(classes),
                expected: owned(first),
            });
        }
        if found != bands {
            return Err(PredictError::EnsembleBands {
                model: index + 1,
                found: *found,
                expected: *bands,
            });
        }
    }
    Ok(())
}

crate::show_in_cells!(<T: Task> Ensemble<T>);
