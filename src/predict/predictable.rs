//! Prediction of whole scenes as methods of a model, whatever its task.

use std::borrow::Borrow;
use std::fmt::Debug;
use std::path::Path;

use super::ground::tell_of_other_ground;
use super::many::Imagery;
use super::options::OptionsFor;
use super::raw::prepared;
use super::save::SavedFiles;
use super::values::check_models;
use crate::Result;
use crate::device::Device;
use crate::labels::{CellRule, Classes};
use crate::models::{Model, ModelError, Normalization, Task, TrainedArea};
use crate::report::Report;
use crate::scene::Scene;

/// A task whose models predict whole scenes ([`Model::predict`]).
pub trait Predictable: Task {
    /// What can be chosen beside windows, batches and views: see [`OptionsFor`].
    type Options: Clone + Debug + PartialEq + Default;
    /// What a scene becomes: [`crate::predict::SceneMap`], [`crate::detect::SceneBoxes`].
    type Prediction;
    /// What a prediction gets against labels: [`crate::evaluate::Scores`], [`crate::detect::BoxScores`].
    type Scores: Clone;

    /// The main figures of scores, the first of which says how good they are.
    const FIGURES: &'static [&'static str];
    /// Unless options say otherwise, neighboring windows share one in so many of a window's pixels.
    const OVERLAP_DIVISOR: usize;
    /// How imagery unlike that of the training is predicted all the same, for errors.
    const ANY_VALUES: &'static str;

    /// Predicts the area in use of a scene with several networks together, on one device. The scene has the bands of all of
    /// them, and there is at least one.
    ///
    /// # Errors
    /// [`crate::predict::PredictError`]; errors of reading; [`crate::Error::Interrupted`].
    fn predict(
        members: &[Member<'_, Self>],
        classes: &Classes,
        scene: &Scene,
        device: &Device,
        options: &OptionsFor<Self>,
    ) -> Result<Self::Prediction>;

    /// The prediction with what a person should know about it, and the areas that its models were trained on.
    fn with_notes(
        prediction: Self::Prediction,
        report: Report,
        trained: Vec<TrainedArea>,
    ) -> Self::Prediction;

    /// Scores a prediction against a scene's labels.
    ///
    /// # Errors
    /// When the scene has no labels, or others.
    fn evaluate(prediction: &Self::Prediction, scene: &Scene) -> Result<Self::Scores>;

    /// The scores of several scenes as those of one; there is at least one.
    ///
    /// # Errors
    /// When they are of different classes.
    fn pool(scores: &[&Self::Scores]) -> Result<Self::Scores>;

    /// The main figures, as [`Predictable::FIGURES`] calls them; NaN where there is none.
    fn figures(scores: &Self::Scores) -> Vec<f64>;

    /// Saves a prediction into a folder, all files or none.
    ///
    /// # Errors
    /// When the files cannot be written.
    fn save(prediction: &Self::Prediction, folder: &Path) -> Result<SavedFiles>;
}

/// A network that predicts, and what its model knows.
pub struct Member<'a, T: Task> {
    pub(crate) network: &'a T::Network,
    pub(crate) normalization: &'a Normalization,
    /// The threshold that its validation found best.
    pub(crate) threshold: Option<f32>,
    /// The edge of the chips that it was trained on, in pixels.
    pub(crate) chip: usize,
    /// How its training cells got their classes.
    pub(crate) cells: Option<&'a CellRule>,
}

impl<T: Predictable> Model<T> {
    /// Predicts the whole area of a scene, as a stream: memory does not grow with it. Many scenes give
    /// [`super::Predictions`], one for each. A segmenter gives a
    /// [`crate::predict::SceneMap`] (see [`crate::predict::predict_scene`]), a detector [`crate::detect::SceneBoxes`] (see
    /// [`crate::detect::detect_scene`]).
    ///
    /// # Errors
    /// [`ModelError::NotTrained`] without weights, [`ModelError::BandsDiffer`] for imagery with other bands,
    /// [`crate::predict::PredictError::OtherValues`] and [`crate::predict::PredictError::BandOrder`] for imagery of another
    /// kind than that of the training, and those of `predict_scene` and `detect_scene`.
    #[doc(alias = "predict_proba")]
    #[doc(alias = "predict_scene")]
    #[doc(alias = "predict_tile")]
    #[doc(alias = "forward")]
    #[doc(alias = "infer")]
    #[doc(alias = "inference")]
    #[doc(alias = "segment")]
    #[doc(alias = "detect")]
    pub fn predict<I: Imagery<T>>(&self, scene: I) -> Result<I::Prediction> {
        self.predict_with(scene, OptionsFor::default())
    }

    /// [`Model::predict`] with other options: [`crate::predict::PredictOptions`] of a segmenter,
    /// [`crate::detect::DetectionOptions`] of a detector.
    ///
    /// # Errors
    /// As [`Model::predict`].
    #[doc(alias = "predict_options")]
    pub fn predict_with<I: Imagery<T>>(
        &self,
        scene: I,
        options: impl Borrow<OptionsFor<T>>,
    ) -> Result<I::Prediction> {
        scene.predict(std::slice::from_ref(self), options.borrow())
    }

    /// Predicts a scene and scores the result against its labels. Many scenes give [`super::ScenesScores`]: of all together
    /// and of each.
    ///
    /// # Errors
    /// As [`Model::predict`]; when the scene has no labels, or others.
    #[doc(alias = "score")]
    #[doc(alias = "validate")]
    #[doc(alias = "test")]
    #[doc(alias = "val")]
    pub fn evaluate<I: Imagery<T>>(&self, scene: I) -> Result<I::Scores> {
        self.evaluate_with(scene, OptionsFor::default())
    }

    /// [`Model::evaluate`] with options of the prediction.
    ///
    /// # Errors
    /// As [`Model::evaluate`].
    pub fn evaluate_with<I: Imagery<T>>(
        &self,
        scene: I,
        options: impl Borrow<OptionsFor<T>>,
    ) -> Result<I::Scores> {
        scene.evaluate(std::slice::from_ref(self), options.borrow())
    }
}

/// The scene has as many bands as a model was trained on.
pub(crate) fn same_bands(expected: usize, scene: &Scene) -> Result<(), ModelError> {
    let found = scene.band_count();
    if expected == found {
        return Ok(());
    }
    Err(ModelError::BandsDiffer {
        area: "scene",
        other: "the model",
        expected,
        found,
        scene: scene.name(),
    })
}

/// Predicts a scene with models of the same classes and bands, on the device of the first one.
pub(super) fn predict_together<T: Predictable>(
    models: &[Model<T>],
    scene: &Scene,
    options: &OptionsFor<T>,
) -> Result<T::Prediction> {
    let first = models.first().ok_or(super::PredictError::NoModels)?;
    let mut members = Vec::with_capacity(models.len());
    let mut metas = Vec::with_capacity(models.len());
    for model in models {
        let weights = model.weights("predict")?;
        metas.push(&weights.meta);
        members.push(Member {
            network: weights.network.as_ref(),
            normalization: &weights.meta.normalization,
            threshold: weights.meta.threshold,
            chip: weights.meta.chip_size,
            cells: weights.meta.cells.as_ref(),
        });
    }
    let prepared = prepared(&metas, scene)?;
    let scene = prepared.as_ref().unwrap_or(scene);
    for meta in &metas {
        same_bands(meta.bands, scene)?;
    }
    if !options.is_quiet() {
        tell_of_other_ground(metas.iter().map(|meta| meta.gsd), scene);
    }
    let bands = metas.iter().map(|meta| meta.trained_bands.as_slice());
    let report = check_models(bands, scene, T::ANY_VALUES, options.of_values())?;
    let device = first.device_for_run()?;
    let prediction = T::predict(&members, first.classes(), scene, &device, options)?;
    let areas = metas.iter().flat_map(|meta| meta.trained_areas.clone());
    Ok(T::with_notes(prediction, report, areas.collect()))
}
