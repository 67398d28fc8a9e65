//! A segmentation model: an architecture, its classes, and its weights once it has some.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::{EpochRecord, Fit, Run, TrainError, fit};
use crate::Result;
use crate::chips::Chips;
use crate::device::Device;
use crate::display::{Output, Show};
use crate::labels::Classes;
use crate::models::{
    Architecture, BoxedNetwork, BundleMeta, NamedTensors, Normalisation, bundle, load_bundle,
};
use crate::plot::facts_html;
use crate::predict::{PredictOptions, SceneMap, predict_scene};
use crate::scene::Scene;
use crate::session;

/// A segmentation model. [`Segmenter::new`] describes it, [`Segmenter::fit`] trains it, [`Segmenter::load`] reads one
/// that was saved.
///
/// It is cheap to clone: copies share their weights, which never change.
///
/// ```no_run
/// use swath::prelude::*;
/// let scene = Scene::open("scene.tif")?.with_labels("buildings.geojson", "building")?;
/// let (train, valid) = scene.split(Split::columns(0.75));
/// let chips = train.chips(Chips::random(400, 256).seed(7))?;
/// let model = Segmenter::new(Unet::resnet18(), scene.classes());
/// let run = model.fit(&chips, &valid, Fit::epochs(12))?;
/// run.best().save("buildings.swath")?;
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Clone)]
pub struct Segmenter {
    architecture: Architecture,
    classes: Classes,
    device: Option<Device>,
    trained: Option<Arc<Trained>>,
}

/// What training or a bundle gives a model.
pub(super) struct Trained {
    network: BoxedNetwork,
    meta: BundleMeta,
}

impl Trained {
    /// A network after `step` steps on `chips`.
    pub(super) fn after(
        network: BoxedNetwork,
        normalisation: Normalisation,
        chips: &Chips,
        step: usize,
        record: Option<&EpochRecord>,
    ) -> Parts {
        let scene = chips.scene();
        let mut provenance = BTreeMap::new();
        provenance.insert("trained on".to_owned(), scene.name());
        provenance.insert(
            "chips".to_owned(),
            format!("{} of {} px", chips.len(), chips.size()),
        );
        provenance.insert(
            "steps".to_owned(),
            record.map_or(step, |record| record.step).to_string(),
        );
        if let Some(score) = record.and_then(EpochRecord::score) {
            provenance.insert("validation mean IoU".to_owned(), format!("{score:.4}"));
        }
        let (x, y) = scene.raster().metres_per_pixel();
        Parts {
            network,
            normalisation,
            bands: scene.band_count(),
            band_names: scene.raster().band_names(),
            chip_size: chips.size(),
            metres_per_pixel: (x.is_finite() && y.is_finite()).then_some([x, y]),
            provenance,
        }
    }
}

/// A trained network with what its bundle will say about it.
pub(super) struct Parts {
    network: BoxedNetwork,
    normalisation: Normalisation,
    bands: usize,
    band_names: Vec<String>,
    chip_size: usize,
    metres_per_pixel: Option<[f64; 2]>,
    provenance: BTreeMap<String, String>,
}

impl Segmenter {
    /// A model without weights. `classes` are those of the scene it will be trained on: `scene.classes()`.
    #[must_use]
    pub fn new(architecture: impl Into<Architecture>, classes: impl Into<Classes>) -> Self {
        Self {
            architecture: architecture.into(),
            classes: classes.into(),
            device: None,
            trained: None,
        }
    }

    /// Trains and predicts on this device instead of [`Device::current`].
    #[must_use]
    pub fn device(mut self, device: impl std::borrow::Borrow<Device>) -> Self {
        self.device = Some(device.borrow().clone());
        self
    }

    /// Trains on `chips` and validates on `valid` after every pass over them. A model that has weights goes on from
    /// them; this model itself stays as it is, and [`Run::best`] is the new one.
    ///
    /// Defaults, all methods of [`Fit`]: 4 chips a step; cross-entropy + dice; AdamW with weight decay 0.01 and a
    /// one-cycle learning rate of at most 1e-3; all gradients together clipped to norm 1; no early stop, no checkpoints; seed 0. Input is normalised as
    /// [`Architecture::normalisation`] says. The best epoch is the one with the highest mean IoU over the classes other
    /// than background on `valid`.
    ///
    /// A live view shows progress, curves and an example. **Interrupting the cell stops the training within one step and
    /// is not an error**: the run comes back with the best weights so far, and [`Run::stopped`] says
    /// [`super::StopReason::Interrupted`].
    ///
    /// # Errors
    /// [`TrainError`]: scenes without labels, with other classes or bands than the model; a
    /// checkpoint of another run; a loss that is not finite before the first validation. [`crate::device::DeviceError`]
    /// when the device asked for is absent. Errors of reading chips.
    pub fn fit(
        &self,
        chips: &Chips,
        valid: &Scene,
        options: impl std::borrow::Borrow<Fit>,
    ) -> Result<Run> {
        fit::fit(self, chips, valid, options.borrow(), &session::interrupted)
    }

    /// Predicts the whole area of a scene, as a stream: memory does not grow with it.
    ///
    /// # Errors
    /// [`TrainError::NotTrained`] without weights, [`TrainError::BandsDiffer`] for imagery with other bands, and those
    /// of [`predict_scene`].
    pub fn predict(&self, scene: &Scene) -> Result<SceneMap> {
        self.predict_with(scene, PredictOptions::default())
    }

    /// [`Segmenter::predict`] with other options.
    ///
    /// # Errors
    /// As [`Segmenter::predict`].
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers build the options in place, as a chain of calls"
    )]
    pub fn predict_with(&self, scene: &Scene, options: PredictOptions) -> Result<SceneMap> {
        let trained = self.weights("predict")?;
        let (expected, found) = (trained.meta.bands, scene.band_count());
        if expected != found {
            let (area, other) = ("scene", "the model");
            return Err(TrainError::BandsDiffer {
                area,
                other,
                expected,
                found,
                scene: scene.name(),
            }
            .into());
        }
        let device = self.device_for_run()?;
        let moved = (trained.network.device() != *device.burn())
            .then(|| trained.network.to_device(device.burn()));
        let network = moved.as_deref().unwrap_or(trained.network.as_ref());
        predict_scene(
            network,
            &trained.meta.normalisation,
            &self.classes,
            scene,
            &device,
            &options,
        )
    }

    /// Writes the model to one file: safetensors with its description as JSON, no code. An older file stays whole until
    /// the new one is on disk.
    ///
    /// # Errors
    /// [`TrainError::NotTrained`] without weights; [`crate::models::ModelError`] when the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let trained = self.weights("be saved")?;
        bundle::save_bundle(path, &trained.meta, trained.network.as_ref())
    }

    /// Reads a model that [`Segmenter::save`] wrote. Nothing in the file is executed.
    ///
    /// # Errors
    /// [`crate::models::ModelError`] when the file is damaged, too new, or holds a network of one's own, for which
    /// [`Segmenter::load_as`] is made.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let (meta, tensors) = load_bundle(path)?;
        Self::from_bundle(meta, &tensors)
    }

    /// Reads a model whose network is one of your own, made by [`Architecture::custom`].
    ///
    /// # Errors
    /// As [`Segmenter::load`], and when the network does not fit the weights.
    pub fn load_as(path: impl AsRef<Path>, architecture: impl Into<Architecture>) -> Result<Self> {
        let (mut meta, tensors) = load_bundle(path)?;
        meta.architecture = architecture.into();
        Self::from_bundle(meta, &tensors)
    }

    fn from_bundle(meta: BundleMeta, tensors: &NamedTensors) -> Result<Self> {
        let device = Device::current();
        let mut network = meta
            .architecture
            .build_blank(meta.bands, meta.classes.len(), &device)?;
        network.load_tensors(tensors)?;
        let mut classes = Classes::new(meta.classes.iter().skip(1));
        for (name, color) in meta.classes.iter().zip(&meta.colors) {
            classes = classes.with_color(name, *color);
        }
        let (architecture, network) = (meta.architecture.clone(), network.inference());
        Ok(Self {
            architecture,
            classes,
            device: None,
            trained: Some(Arc::new(Trained { network, meta })),
        })
    }

    /// The classes it tells apart, background first.
    #[must_use]
    pub fn classes(&self) -> &Classes {
        &self.classes
    }

    /// What its network looks like.
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Whether it has weights: trained or loaded.
    #[must_use]
    pub fn is_trained(&self) -> bool {
        self.trained.is_some()
    }

    /// The number of bands it was trained with.
    #[must_use]
    pub fn bands(&self) -> Option<usize> {
        self.trained.as_ref().map(|trained| trained.meta.bands)
    }

    /// What its bundle says about it, once it has weights.
    #[must_use]
    pub fn meta(&self) -> Option<&BundleMeta> {
        self.trained.as_ref().map(|trained| &trained.meta)
    }

    /// Its network, as an inference copy, and the normalisation of its input, once it has weights.
    #[must_use]
    pub fn network(&self) -> Option<(&dyn crate::models::AnyNetwork, &Normalisation)> {
        self.trained
            .as_ref()
            .map(|trained| (trained.network.as_ref(), &trained.meta.normalisation))
    }

    fn weights(&self, doing: &'static str) -> Result<&Trained, TrainError> {
        self.trained
            .as_deref()
            .ok_or(TrainError::NotTrained { doing })
    }

    pub(super) fn device_for_run(&self) -> Result<Device> {
        self.device.clone().map_or_else(Device::for_run, Ok)
    }

    /// The network that a training starts from, with the normalisation of its input.
    pub(super) fn start(
        &self,
        scene: &Scene,
        device: &Device,
    ) -> Result<(BoxedNetwork, Normalisation)> {
        if let Some(trained) = &self.trained {
            return Ok((
                trained.network.to_device(device.burn()),
                trained.meta.normalisation.clone(),
            ));
        }
        let statistics = scene.statistics()?;
        let mean: Vec<f64> = statistics.iter().map(|band| band.mean).collect();
        let std: Vec<f64> = statistics.iter().map(|band| band.std).collect();
        let normalisation =
            self.architecture
                .normalisation(&scene.raster().data_type(), &mean, &std);
        let network = self
            .architecture
            .build(scene.band_count(), self.classes.len(), device)?;
        Ok((network, normalisation))
    }

    pub(super) fn with_weights(&self, parts: Parts) -> Self {
        let names = self
            .classes
            .names()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let mut meta = BundleMeta::new(
            self.architecture.clone(),
            parts.bands,
            names,
            parts.normalisation,
            parts.chip_size,
        );
        meta.colors = self.classes.colors();
        meta.metres_per_pixel = parts.metres_per_pixel;
        if parts.band_names.len() == parts.bands {
            meta.band_names = parts.band_names;
        }
        meta.provenance.extend(parts.provenance);
        Self {
            trained: Some(Arc::new(Trained {
                network: parts.network,
                meta,
            })),
            ..self.clone()
        }
    }
}

impl std::fmt::Debug for Segmenter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Segmenter")
            .field("architecture", &self.architecture)
            .field("classes", &self.classes.names())
            .field("trained", &self.is_trained())
            .finish_non_exhaustive()
    }
}

impl Show for Segmenter {
    fn output(&self) -> Output {
        let mut facts = vec![
            ("architecture", self.architecture.name()),
            ("classes", self.classes.names().join(", ")),
        ];
        match &self.trained {
            None => facts.push(("weights", "none yet: train it with fit".to_owned())),
            Some(trained) => {
                let count = trained.network.parameter_count();
                facts.push(("parameters", format!("{:.1} million", count as f64 / 1e6)));
                facts.push(("bands", trained.meta.bands.to_string()));
                for (name, value) in &trained.meta.provenance {
                    facts.push((name.as_str(), value.clone()));
                }
            }
        }
        let text: Vec<_> = facts
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        Output::html(
            format!("Segmenter\n{}", text.join("\n")),
            facts_html(&facts),
        )
    }
}

crate::show_in_cells!(Segmenter);
