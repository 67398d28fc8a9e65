use std::borrow::Borrow;
use std::collections::BTreeMap;

use super::ground::tell_of_other_ground;
use super::network::Member;
use super::scene::predict_members;
use super::values::{FOR_MAPS, check_models};
use super::{PredictError, PredictOptions, SceneMap};
use crate::Result;
use crate::display::{Output, Show};
use crate::labels::Classes;
use crate::scene::Scene;
use crate::train::Segmenter;

/// Several trained models that predict together: their probabilities are averaged, pixel by pixel. Their architectures
/// and the normalization of their input may differ; bands and classes may not.
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
        let together = (models.iter())
            .map(|model| Ok((model.classes(), model.trained_bands()?)))
            .collect::<Result<Vec<_>>>()?;
        check_together(&together)?;
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
            .map(|(network, normalization)| Member {
                network,
                normalization,
            })
            .collect();
        let device = self.models[0].device_for_run()?;
        if !options.is_quiet() {
            let metas = self.models.iter().filter_map(Segmenter::meta);
            tell_of_other_ground(metas.map(|meta| meta.gsd), scene);
        }
        let trained = self.models.iter().filter_map(Segmenter::meta);
        let bands = trained.map(|meta| meta.trained_bands.as_slice());
        let report = check_models(bands, scene, FOR_MAPS, options.of_values())?;
        let map = predict_members(&members, self.classes(), scene, &device, &options)?;
        let metas = self.models.iter().filter_map(Segmenter::meta);
        let trained = metas.flat_map(|meta| meta.trained_areas.clone());
        Ok(map.with_report(report).of_models(trained))
    }
}

impl Show for Ensemble {
    fn output(&self) -> Output {
        models_table(self.models.iter().map(|model| {
            let provenance = model.meta().map(|meta| &meta.provenance);
            (model.architecture().name(), provenance)
        }))
    }
}

/// Whether models, of which each has these classes and bands, can predict together.
pub(crate) fn check_together(models: &[(&Classes, usize)]) -> Result<(), PredictError> {
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

/// A row for each model of an ensemble: its architecture, and what its bundle says it was trained on.
pub(crate) fn models_table<'a>(
    models: impl Iterator<Item = (String, Option<&'a BTreeMap<String, String>>)>,
) -> Output {
    let rows: Vec<Vec<String>> = models
        .enumerate()
        .map(|(index, (architecture, provenance))| {
            let scene = provenance.and_then(|provenance| provenance.get("trained on"));
            vec![
                (index + 1).to_string(),
                architecture,
                scene.cloned().unwrap_or_default(),
            ]
        })
        .collect();
    let heads = ["model", "architecture", "trained on"];
    Output::styled(
        crate::plot::table_text(&heads, &rows),
        crate::plot::table_html(&heads, &rows),
    )
}

crate::show_in_cells!(Ensemble);
