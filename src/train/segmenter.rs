//! A segmentation model: an architecture, its classes, and its weights once it has some.

use std::path::Path;

#[cfg(doc)]
use super::TrainError;
use super::model::Model;
use super::{FitOptions, LrFinder, Run, fit, lr_finder};
use crate::Result;
use crate::chips::Chips;
use crate::device::Device;
use crate::display::{Output, Show};
use crate::evaluate::Scores;
use crate::labels::Classes;
use crate::models::{Architecture, BundleMeta, Normalization, Segmentation, export};
use crate::predict::{
    FOR_MAPS, PredictOptions, SceneMap, check_models, predict_scene, tell_of_other_ground,
};
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
/// let run = model.fit(&chips, &valid, FitOptions::epochs(12))?;
/// run.best().save("buildings.swath")?;
/// # Ok::<(), swath::Error>(())
/// ```
///
/// | to | methods |
/// |---|---|
/// | train | [`Segmenter::fit`] with [`super::FitOptions`], [`Segmenter::find_rate`] |
/// | predict | [`Segmenter::predict`], [`Segmenter::predict_with`], [`Segmenter::evaluate`] |
/// | keep | [`Segmenter::save`], [`Segmenter::load`], [`Segmenter::export_torchvision`] |
#[derive(Clone)]
pub struct Segmenter {
    pub(super) model: Model<Segmentation>,
}

impl From<Model<Segmentation>> for Segmenter {
    fn from(model: Model<Segmentation>) -> Self {
        Self { model }
    }
}

impl Segmenter {
    /// A model without weights. `classes` are those of the scene it will be trained on: `scene.classes()`.
    #[must_use]
    pub fn new(architecture: impl Into<Architecture>, classes: impl Into<Classes>) -> Self {
        Model::new(architecture.into(), classes.into()).into()
    }

    /// Trains and predicts on this device instead of [`Device::current`].
    #[must_use]
    #[doc(alias = "to")]
    #[doc(alias = "cuda")]
    #[doc(alias = "cpu")]
    pub fn device(self, device: impl std::borrow::Borrow<Device>) -> Self {
        self.model.on(device.borrow().clone()).into()
    }

    /// Trains on `chips` and validates on `valid` after every pass over them. A model that has weights goes on from
    /// them; this model itself stays as it is, and [`Run::best`] is the new one.
    ///
    /// Defaults, all methods of [`FitOptions`]: 4 chips a step; cross-entropy + dice; AdamW with weight decay 0.01 and a
    /// one-cycle learning rate of at most 1e-3; all gradients together clipped to norm 1; no early stop, no checkpoints; seed 0. Input is normalized as
    /// [`Architecture::normalization`] says. The best epoch is the one with the highest mean IoU on `valid`
    /// ([`super::ValidationScores::main`]), or the lowest loss where `valid` holds no class but the background, which
    /// [`Run::report`] then says.
    ///
    /// A live view shows progress, curves and an example. **Interrupting the cell stops the training within one step and
    /// is not an error**: the run comes back with the best weights so far, and [`Run::stopped`] says
    /// [`super::StopReason::Interrupted`].
    ///
    /// # Errors
    /// [`TrainError`]: scenes without labels, with other classes or bands than the model; a
    /// checkpoint of another run; a loss that is not finite before the first validation. [`crate::device::DeviceError`]
    /// when the device asked for is absent. Errors of reading chips.
    #[doc(alias = "train")]
    #[doc(alias = "train_model")]
    #[doc(alias = "fit_one_cycle")]
    #[doc(alias = "fine_tune")]
    #[doc(alias = "learn")]
    pub fn fit(
        &self,
        chips: &Chips,
        valid: &Scene,
        options: impl std::borrow::Borrow<FitOptions>,
    ) -> Result<Run> {
        fit::fit(
            &self.model,
            chips,
            valid,
            options.borrow(),
            &session::interrupted,
        )
    }

    /// Looks for a learning rate: a short training (100 steps, or those of [`FitOptions::steps`]) whose rate rises from 1e-7 to
    /// 10, or until the loss blows up. [`LrFinder::valley`] is the rate to use. This model stays as it is.
    ///
    /// ```no_run
    /// # use swath::prelude::*;
    /// # fn example(model: &Segmenter, chips: &Chips, valid: &Scene) -> swath::Result<()> {
    /// let search = model.find_rate(chips, FitOptions::epochs(12))?;
    /// let rate = search.valley().unwrap_or(1e-3);
    /// let run = model.fit(chips, valid, FitOptions::epochs(12).lr(rate))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Segmenter::fit`]. Interrupting it is no error: it returns the rates tried so far.
    #[doc(alias = "lr_find")]
    #[doc(alias = "find_lr")]
    pub fn find_rate(
        &self,
        chips: &Chips,
        options: impl std::borrow::Borrow<FitOptions>,
    ) -> Result<LrFinder> {
        lr_finder::find_rate(&self.model, chips, options.borrow(), &session::interrupted)
    }

    /// Predicts the whole area of a scene, as a stream: memory does not grow with it.
    ///
    /// # Errors
    /// [`TrainError::NotTrained`] without weights, [`TrainError::BandsDiffer`] for imagery with other bands,
    /// [`crate::predict::PredictError::OtherValues`] and [`crate::predict::PredictError::BandOrder`] for imagery of another
    /// kind than that of the training, and those of [`predict_scene`].
    #[doc(alias = "predict_proba")]
    #[doc(alias = "predict_scene")]
    #[doc(alias = "forward")]
    #[doc(alias = "infer")]
    #[doc(alias = "inference")]
    #[doc(alias = "segment")]
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
    #[doc(alias = "predict_options")]
    pub fn predict_with(&self, scene: &Scene, options: PredictOptions) -> Result<SceneMap> {
        let trained = self.model.weights_for(scene)?;
        if !options.is_quiet() {
            tell_of_other_ground([trained.meta.gsd], scene);
        }
        let bands = [trained.meta.trained_bands.as_slice()];
        let report = check_models(bands, scene, FOR_MAPS, options.of_values())?;
        let device = self.model.device_for_run()?;
        let moved = (trained.network.device() != *device.burn())
            .then(|| trained.network.to_device(device.burn()));
        let network = moved.as_deref().unwrap_or(trained.network.as_ref());
        let map = predict_scene(
            network,
            &trained.meta.normalization,
            &self.model.classes,
            scene,
            &device,
            &options,
        )?;
        Ok(map
            .with_report(report)
            .of_models(trained.meta.trained_areas.clone()))
    }

    /// Predicts a scene and scores the map against its labels.
    ///
    /// # Errors
    /// As [`Segmenter::predict`] and [`SceneMap::evaluate`].
    #[doc(alias = "score")]
    #[doc(alias = "validate")]
    #[doc(alias = "test")]
    pub fn evaluate(&self, scene: &Scene) -> Result<Scores> {
        self.predict(scene)?.evaluate(scene)
    }

    /// Names the license of the weights, such as that of the imagery and labels they come from. The bundle keeps it, a
    /// cell shows it ([`Segmenter::meta`] reads it), and models trained from this one have it as well.
    ///
    /// ```no_run
    /// # use swath::prelude::*;
    /// # fn example(run: &Run) -> swath::Result<()> {
    /// run.best().clone().with_license("CC BY-SA 4.0").save("buildings.swath")?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_license(self, license: impl Into<String>) -> Self {
        self.model.with_license(license.into()).into()
    }

    /// Writes the model to one file: safetensors with its description as JSON, no code. An older file stays whole until
    /// the new one is on disk.
    ///
    /// # Errors
    /// [`TrainError::NotTrained`] without weights; [`crate::models::ModelError`] when the file cannot be written.
    #[doc(alias = "save_model")]
    #[doc(alias = "save_weights")]
    #[doc(alias = "state_dict")]
    #[doc(alias = "save_pretrained")]
    #[doc(alias = "dump")]
    #[doc(alias = "to_file")]
    #[doc(alias = "write")]
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.model.save(path.as_ref())
    }

    /// Writes the weights for PyTorch: safetensors under the names of its libraries, with the input's normalization and
    /// the classes as metadata (`mean`, `std`, `classes`: JSON).
    ///
    /// A DeepLabV3 loads into `torchvision.models.segmentation.deeplabv3_resnet50(weights=None, weights_backbone=None,
    /// num_classes=…)`, a U-Net on a ResNet into `segmentation_models_pytorch.Unet("resnet50", …)`, with
    /// `load_state_dict(strict=True)` and equal outputs. The other networks have torchvision's names in their encoders
    /// (`backbone.` or `encoder.`) and their own behind them.
    ///
    /// # Errors
    /// [`TrainError::NotTrained`] without weights; [`crate::models::ModelError`] when the file cannot be written.
    #[doc(alias = "to_torch")]
    #[doc(alias = "to_pytorch")]
    #[doc(alias = "export")]
    #[doc(alias = "to_onnx")]
    pub fn export_torchvision(&self, path: impl AsRef<Path>) -> Result<()> {
        let trained = self.model.weights("be exported")?;
        let meta = &trained.meta;
        let tensors = trained.network.named_tensors();
        export::write(path.as_ref(), &tensors, &meta.normalization, &meta.classes)
    }

    /// Reads a model that [`Segmenter::save`] wrote. Nothing in the file is executed.
    ///
    /// # Errors
    /// [`crate::models::ModelError`] when the file is damaged, too new, or holds a network of one's own, for which
    /// [`Segmenter::load_as`] is made.
    #[doc(alias = "load_model")]
    #[doc(alias = "load_state_dict")]
    #[doc(alias = "load_weights")]
    #[doc(alias = "load_bundle")]
    #[doc(alias = "open")]
    #[doc(alias = "read")]
    #[doc(alias = "from_file")]
    #[doc(alias = "from_pretrained")]
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Model::load(path.as_ref()).map(Self::from)
    }

    /// Reads a model whose network is one of your own, made by [`Architecture::custom`].
    ///
    /// # Errors
    /// As [`Segmenter::load`], and when the network does not fit the weights.
    pub fn load_as(path: impl AsRef<Path>, architecture: impl Into<Architecture>) -> Result<Self> {
        Model::load_as(path.as_ref(), architecture.into()).map(Self::from)
    }

    /// The classes it tells apart, background first.
    #[must_use]
    #[doc(alias = "num_classes")]
    #[doc(alias = "class_names")]
    #[doc(alias = "categories")]
    pub fn classes(&self) -> &Classes {
        &self.model.classes
    }

    /// What its network looks like.
    #[must_use]
    #[doc(alias = "backbone")]
    #[doc(alias = "encoder")]
    pub fn architecture(&self) -> &Architecture {
        &self.model.architecture
    }

    /// Whether it has weights: trained or loaded.
    #[must_use]
    #[doc(alias = "is_fitted")]
    #[doc(alias = "fitted")]
    pub fn is_trained(&self) -> bool {
        self.model.trained().is_some()
    }

    /// The number of bands it was trained with.
    #[must_use]
    #[doc(alias = "in_channels")]
    #[doc(alias = "channels")]
    #[doc(alias = "num_bands")]
    #[doc(alias = "band_count")]
    pub fn bands(&self) -> Option<usize> {
        self.model.bands()
    }

    /// What its bundle says about it, once it has weights.
    #[must_use]
    #[doc(alias = "config")]
    #[doc(alias = "metadata")]
    #[doc(alias = "hparams")]
    pub fn meta(&self) -> Option<&BundleMeta> {
        self.model.trained().map(|trained| &trained.meta)
    }

    /// The number of bands it was trained with, or the error of a model without weights.
    pub(crate) fn trained_bands(&self) -> Result<usize> {
        Ok(self.model.weights("predict")?.meta.bands)
    }

    /// The device it predicts on.
    pub(crate) fn device_for_run(&self) -> Result<Device> {
        self.model.device_for_run()
    }

    /// Its network, as an inference copy, and the normalization of its input, once it has weights.
    #[must_use]
    #[doc(alias = "model")]
    #[doc(alias = "module")]
    pub fn network(&self) -> Option<(&dyn crate::models::AnyNetwork, &Normalization)> {
        self.model
            .trained()
            .map(|trained| (trained.network.as_ref(), &trained.meta.normalization))
    }
}

impl std::fmt::Debug for Segmenter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.model.debug(f)
    }
}

impl Show for Segmenter {
    fn output(&self) -> Output {
        self.model.output()
    }
}

crate::show_in_cells!(Segmenter);
