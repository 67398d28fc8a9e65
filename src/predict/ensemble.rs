use std::borrow::Borrow;

use super::network::Member;
use super::scene::predict_members;
use super::{PredictError, PredictOptions, SceneMap};
use crate::Result;
use crate::display::{Output, Show};
use crate::labels::Classes;
use crate::scene::Scene;
use crate::train::Segmenter;

/// Several trained models that predict together: their probabilities are averaged, pixel by pixel. Their architectures
/// and the normalisation of their input may differ; bands and classes may not.
///
/// ```no_run
/// use swath::predict::Ensemble;
/// use swath::prelude::*;
/// let scene = Scene::open("scene.tif")?;
/// let models = [Segmenter::load("first.swath")?, Segmenter::load("second.swath")?];
/// let map = Ensemble::new(&models)?.predict(&scene)?;
/// map.save("map")?;
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Ensemble {
    models: Vec<Segmenter>,
}

impl Ensemble {
    /// The models, each of which counts the same.
    ///
    /// # Errors
    /// [`PredictError::NoModels`] without any; [`crate::train::TrainError::NotTrained`] for one without weights;
    /// [`PredictError::EnsembleClasses`] and [`PredictError::EnsembleBands`] for models that do not fit together.
    pub fn new<M: Borrow<Segmenter>>(models: impl IntoIterator<Item = M>) -> Result<Self> {
        let models: Vec<Segmenter> = models
            .into_iter()
            .map(|model| model.borrow().clone())
            .collect();
        let first = models.first().ok_or(PredictError::NoModels)?;
        let owned = |model: &Segmenter| -> Vec<String> {
            (model.classes().names().into_iter().map(str::to_owned)).collect()
        };
        let bands = first.trained_bands()?;
        for (index, model) in models.iter().enumerate() {
            if model.classes().names() != first.classes().names() {
                return Err(PredictError::EnsembleClasses {
                    model: index + 1,
                    found: owned(model),
                    expected: owned(first),
                }
                .into());
            }
            let found = model.trained_bands()?;
            if found != bands {
                return Err(PredictError::EnsembleBands {
                    model: index + 1,
                    found,
                    expected: bands,
                }
                .into());
            }
        }
        Ok(Self { models })
    }

    /// The models.
    #[must_use]
    pub fn models(&self) -> &[Segmenter] {
        &self.models
    }

    /// The classes that the models tell apart, background first.
    #[must_use]
    pub fn classes(&self) -> &Classes {
        self.models[0].classes()
    }

    /// Predicts the whole area of a scene, as a stream: memory does not grow with it. On the device of the first model.
    ///
    /// # Errors
    /// As [`Segmenter::predict`].
    pub fn predict(&self, scene: &Scene) -> Result<SceneMap> {
        self.predict_with(scene, PredictOptions::default())
    }

    /// [`Ensemble::predict`] with other options.
    ///
    /// # Errors
    /// As [`Segmenter::predict`].
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers build the options in place, as a chain of calls"
    )]
    pub fn predict_with(&self, scene: &Scene, options: PredictOptions) -> Result<SceneMap> {
        let members: Vec<Member<'_>> = (self.models.iter())
            .filter_map(Segmenter::network)
            .map(|(network, normalisation)| Member {
                network,
                normalisation,
            })
            .collect();
        let device = self.models[0].device_for_run()?;
        predict_members(&members, self.classes(), scene, &device, &options)
    }
}

impl Show for Ensemble {
    fn output(&self) -> Output {
        let rows: Vec<Vec<String>> = (self.models.iter().enumerate())
            .map(|(index, model)| {
                let trained = model.meta().map(|meta| &meta.provenance);
                let scene = trained.and_then(|provenance| provenance.get("trained on"));
                vec![
                    (index + 1).to_string(),
                    model.architecture().name(),
                    scene.cloned().unwrap_or_default(),
                ]
            })
            .collect();
        let heads = ["model", "architecture", "trained on"];
        Output::html(
            crate::plot::table_text(&heads, &rows),
            crate::plot::table_html(&heads, &rows),
        )
    }
}

crate::show_in_cells!(Ensemble);
