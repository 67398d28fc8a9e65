use std::borrow::Borrow;

use super::scene::{Member, USUAL_THRESHOLD, detect_members};
use super::{DetectionOptions, SceneBoxes};
use crate::Result;
use crate::display::{Output, Show};
use crate::labels::Classes;
#[cfg(doc)]
use crate::predict::PredictError;
use crate::predict::{
    FOR_OBJECTS, check_models, check_together, models_table, tell_of_other_ground,
};
use crate::scene::Scene;
use crate::train::Detector;

/// Several trained detectors that search together: the boxes that they find of one object become one. Their architectures
/// and the normalization of their input may differ; bands and classes may not.
///
/// A fused box is the mean of its boxes, weighted by their scores; its score is their mean score over all models, so that
/// what only one of two models finds has half of the score that it gave. False finds are seldom repeated, and fall.
/// [`DetectionOptions::fusion`] says, as for one detector, what becomes of the boxes that each model finds; with
/// suppression, which is usual, no two fused boxes overlap by more than it allows either.
///
/// # Source
/// Weighted boxes fusion, Solovyev and others, *Weighted boxes fusion: Ensembling boxes from different object detection
/// models*, 2021, arXiv:1910.13302, with its overlap of 0.55 unless [`crate::boxes::BoxFusion::WeightedBoxes`] says another.
///
/// ```no_run
/// use swath::prelude::*;
/// let scene = Scene::open("forest.tif")?;
/// let models = [Detector::load("first.swath")?, Detector::load("second.swath")?];
/// let trees = DetectorEnsemble::new(&models)?.predict(&scene)?;
/// trees.save("trees")?;
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct DetectorEnsemble {
    models: Vec<Detector>,
}

impl DetectorEnsemble {
    /// The models, each of which counts the same.
    ///
    /// # Errors
    /// [`PredictError::NoModels`] without any; [`crate::train::TrainError::NotTrained`] for one without weights;
    /// [`PredictError::EnsembleClasses`] and [`PredictError::EnsembleBands`] for models that do not fit together.
    pub fn new<M: Borrow<Detector>>(models: impl IntoIterator<Item = M>) -> Result<Self> {
        let models: Vec<Detector> = models
            .into_iter()
            .map(|model| model.borrow().clone())
            .collect();
        let together = (models.iter())
            .map(|model| Ok((model.classes(), model.trained_bands()?)))
            .collect::<Result<Vec<_>>>()?;
        check_together(&together)?;
        Ok(Self { models })
    }

    /// The models.
    #[must_use]
    pub fn models(&self) -> &[Detector] {
        &self.models
    }

    /// The classes that the models tell apart, background first.
    #[must_use]
    pub fn classes(&self) -> &Classes {
        self.models[0].classes()
    }

    /// Finds the objects in the whole area of a scene, with one model after the other, on the device of the first one.
    /// Memory does not grow with the scene, apart from the boxes of each model.
    ///
    /// # Errors
    /// As [`super::detect_scene`].
    pub fn predict(&self, scene: &Scene) -> Result<SceneBoxes> {
        self.predict_with(scene, DetectionOptions::default())
    }

    /// [`DetectorEnsemble::predict`] with other options. The threshold is the mean of those that the models' validation
    /// found best unless the options set another.
    ///
    /// # Errors
    /// As [`DetectorEnsemble::predict`].
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers build the options in place, as a chain of calls"
    )]
    pub fn predict_with(&self, scene: &Scene, options: DetectionOptions) -> Result<SceneBoxes> {
        let members: Vec<Member<'_>> = (self.models.iter())
            .filter_map(Detector::network)
            .map(|(network, normalization)| Member {
                network,
                normalization,
            })
            .collect();
        if !options.is_quiet() {
            let metas = self.models.iter().filter_map(Detector::meta);
            tell_of_other_ground(metas.map(|meta| meta.gsd), scene);
        }
        let trained = self.models.iter().filter_map(Detector::meta);
        let bands = trained.map(|meta| meta.trained_bands.as_slice());
        let report = check_models(bands, scene, FOR_OBJECTS, options.of_values())?;
        let found = detect_members(
            &members,
            self.classes(),
            scene,
            &self.models[0].device_for_run()?,
            &options,
            Some(self.threshold()),
        )?;
        let metas = self.models.iter().filter_map(Detector::meta);
        let trained = metas.flat_map(|meta| meta.trained_areas.clone());
        Ok(found.with_report(report).of_models(trained))
    }

    /// The mean of the models' own thresholds: fused scores are means, too.
    fn threshold(&self) -> f32 {
        let of_model = |model: &Detector| {
            let own = model.meta().and_then(|meta| meta.threshold);
            f64::from(own.unwrap_or(USUAL_THRESHOLD))
        };
        let sum: f64 = self.models.iter().map(of_model).sum();
        (sum / self.models.len() as f64) as f32
    }
}

impl Show for DetectorEnsemble {
    fn output(&self) -> Output {
        models_table(self.models.iter().map(|model| {
            let provenance = model.meta().map(|meta| &meta.provenance);
            (model.architecture().name(), provenance)
        }))
    }
}

crate::show_in_cells!(DetectorEnsemble);
