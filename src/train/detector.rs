//! A detection model: an architecture, its classes, and its weights once it has some.

use std::path::Path;

#[cfg(doc)]
use super::TrainError;
use super::model::Model;
use super::{FitOptions, LrFinder, Run, fit, lr_finder};
use crate::Result;
use crate::chips::Chips;
use crate::detect::{BoxScores, DetectionOptions, SceneBoxes, detect_scene};
use crate::device::Device;
use crate::display::{Output, Show};
use crate::labels::Classes;
use crate::models::{
    AnyDetectionNetwork, BundleMeta, DetectorArchitecture, ModelError, Normalization,
    ObjectDetection, export,
};
use crate::predict::{FOR_OBJECTS, check_models, tell_of_other_ground};
use crate::scene::Scene;
use crate::session;

/// A detection model. [`Detector::new`] describes it, [`Detector::fit`] trains it, [`Detector::load`] reads one that was
/// saved.
///
/// It is cheap to clone: copies share their weights, which never change.
///
/// ```no_run
/// use swath::prelude::*;
/// let scene = Scene::open("forest.tif")?.with_boxes("crowns.xml", "tree")?;
/// let (train, valid) = scene.split(Split::columns(0.8));
/// let chips = train.chips(Chips::random(400, 256).seed(7))?;
/// let model = Detector::new(CenterNet::efficientnet_lite0(), scene.classes());
/// let run = model.fit(&chips, &valid, FitOptions::epochs(5))?;
/// run.best().predict(&valid)?.save("crowns")?;
/// # Ok::<(), swath::Error>(())
/// ```
///
/// | to | methods |
/// |---|---|
/// | train | [`Detector::fit`] with [`super::FitOptions`], [`Detector::find_rate`] |
/// | predict | [`Detector::predict`], [`Detector::predict_with`], [`Detector::evaluate`] |
/// | keep | [`Detector::save`], [`Detector::load`], [`Detector::export_torchvision`] |
#[derive(Clone)]
pub struct Detector {
    pub(super) model: Model<ObjectDetection>,
}

impl From<Model<ObjectDetection>> for Detector {
    fn from(model: Model<ObjectDetection>) -> Self {
        Self { model }
    }
}

impl Detector {
    /// A model without weights. `classes` are those of the scene it will be trained on: `scene.classes()`.
    #[must_use]
    pub fn new(architecture: impl Into<DetectorArchitecture>, classes: impl Into<Classes>) -> Self {
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

    /// Trains on `chips` and validates on `valid` after every pass over them, as [`super::Segmenter::fit`] does, with the
    /// same defaults; the loss is the network's own, so [`FitOptions::loss`] and [`FitOptions::class_weights`] are errors. The best
    /// epoch is the one with the highest AP50 on `valid`, where each window is an image of its own; the threshold with the
    /// highest F1 there becomes the model's.
    ///
    /// # Errors
    /// [`TrainError`]: scenes without boxes, with other classes or bands than the model; a checkpoint of another run; a
    /// loss that is not finite before the first validation. [`crate::device::DeviceError`] when the device asked for is
    /// absent. Errors of reading chips.
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
    ) -> Result<Run<Self>> {
        fit::fit(
            &self.model,
            chips,
            valid,
            options.borrow(),
            &session::interrupted,
        )
    }

    /// Looks for a learning rate, as [`super::Segmenter::find_rate`] does. This model stays as it is.
    ///
    /// ```no_run
    /// # use swath::prelude::*;
    /// # fn example(model: &Detector, chips: &Chips, valid: &Scene) -> swath::Result<()> {
    /// let search = model.find_rate(chips, FitOptions::epochs(5))?;
    /// let rate = search.valley().unwrap_or(1e-3);
    /// let run = model.fit(chips, valid, FitOptions::epochs(5).lr(rate))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Detector::fit`]. Interrupting it is no error: it returns the rates tried so far.
    #[doc(alias = "lr_find")]
    #[doc(alias = "find_lr")]
    pub fn find_rate(
        &self,
        chips: &Chips,
        options: impl std::borrow::Borrow<FitOptions>,
    ) -> Result<LrFinder> {
        lr_finder::find_rate(&self.model, chips, options.borrow(), &session::interrupted)
    }

    /// Finds the objects in the whole area of a scene.
    ///
    /// # Errors
    /// [`TrainError::NotTrained`] without weights, [`TrainError::BandsDiffer`] for imagery with other bands, and those
    /// of [`detect_scene`].
    #[doc(alias = "predict_proba")]
    #[doc(alias = "predict_scene")]
    #[doc(alias = "detect")]
    #[doc(alias = "forward")]
    #[doc(alias = "infer")]
    #[doc(alias = "inference")]
    #[doc(alias = "predict_tile")]
    pub fn predict(&self, scene: &Scene) -> Result<SceneBoxes> {
        self.predict_with(scene, DetectionOptions::default())
    }

    /// [`Detector::predict`] with other options.
    ///
    /// # Errors
    /// As [`Detector::predict`].
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers build the options in place, as a chain of calls"
    )]
    #[doc(alias = "predict_options")]
    pub fn predict_with(&self, scene: &Scene, options: DetectionOptions) -> Result<SceneBoxes> {
        let trained = self.model.weights_for(scene)?;
        if !options.is_quiet() {
            tell_of_other_ground([trained.meta.gsd], scene);
        }
        let bands = [trained.meta.trained_bands.as_slice()];
        let report = check_models(bands, scene, FOR_OBJECTS, options.of_values())?;
        let found = detect_scene(
            trained.network.as_ref(),
            &trained.meta.normalization,
            &self.model.classes,
            scene,
            &self.model.device_for_run()?,
            &options,
            trained.meta.threshold,
        )?;
        Ok(found
            .with_report(report)
            .of_models(trained.meta.trained_areas.clone()))
    }

    /// Finds the objects in a scene and scores them against its boxes.
    ///
    /// # Errors
    /// As [`Detector::predict`] and [`SceneBoxes::evaluate`].
    #[doc(alias = "score")]
    #[doc(alias = "validate")]
    #[doc(alias = "test")]
    #[doc(alias = "val")]
    pub fn evaluate(&self, scene: &Scene) -> Result<BoxScores> {
        self.predict(scene)?.evaluate(scene)
    }

    /// Names the license of the weights, as [`super::Segmenter::with_license`] does.
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

    /// Writes the weights for PyTorch: safetensors under torchvision's names, with the input's normalization and the
    /// classes as metadata (`mean`, `std`, `classes`: JSON).
    ///
    /// A RetinaNet or Faster R-CNN loads into `torchvision.models.detection.retinanet_resnet50_fpn(weights=None,
    /// weights_backbone=None, num_classes=…)` or `fasterrcnn_resnet50_fpn(…)` (classes counted with background), or into
    /// `RetinaNet` or `FasterRCNN` over `resnet_fpn_backbone` with another ResNet, with `load_state_dict(strict=True)` and
    /// equal boxes. Torchvision's detectors normalize and resize images themselves: give them `image_mean`, `image_std`,
    /// `min_size` and `max_size` of your imagery, and the anchors that this model was made with.
    ///
    /// # Errors
    /// [`TrainError::NotTrained`] without weights; [`crate::models::ModelError::NotInTorchvision`] for a CenterNet or a
    /// network of one's own; [`crate::models::ModelError`] when the file cannot be written.
    #[doc(alias = "to_torch")]
    #[doc(alias = "to_pytorch")]
    #[doc(alias = "export")]
    #[doc(alias = "to_onnx")]
    pub fn export_torchvision(&self, path: impl AsRef<Path>) -> Result<()> {
        let trained = self.model.weights("be exported")?;
        if !self.model.architecture.is_in_torchvision() {
            let network = self.model.architecture.name();
            return Err(ModelError::NotInTorchvision { network }.into());
        }
        let meta = &trained.meta;
        let tensors = trained.network.named_tensors();
        export::write(path.as_ref(), &tensors, &meta.normalization, &meta.classes)
    }

    /// Reads a model that [`Detector::save`] wrote. Nothing in the file is executed.
    ///
    /// # Errors
    /// [`crate::models::ModelError`] when the file is damaged, too new, or holds a model for something else
    /// ([`crate::models::ModelError::OtherTask`]) or a network of one's own, for which [`Detector::load_as`] is made.
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

    /// Reads a model whose network is one of your own, made by [`DetectorArchitecture::custom`].
    ///
    /// # Errors
    /// As [`Detector::load`], and when the network does not fit the weights.
    pub fn load_as(
        path: impl AsRef<Path>,
        architecture: impl Into<DetectorArchitecture>,
    ) -> Result<Self> {
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
    pub fn architecture(&self) -> &DetectorArchitecture {
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

    /// The number of bands it was trained with, or the error of a model without weights.
    pub(crate) fn trained_bands(&self) -> Result<usize> {
        Ok(self.model.weights("predict")?.meta.bands)
    }

    /// The device it predicts on.
    pub(crate) fn device_for_run(&self) -> Result<Device> {
        self.model.device_for_run()
    }

    /// What its bundle says about it, once it has weights.
    #[must_use]
    #[doc(alias = "config")]
    #[doc(alias = "metadata")]
    #[doc(alias = "hparams")]
    pub fn meta(&self) -> Option<&BundleMeta<DetectorArchitecture>> {
        self.model.trained().map(|trained| &trained.meta)
    }

    /// Its network, as an inference copy, and the normalization of its input, once it has weights.
    #[must_use]
    #[doc(alias = "model")]
    #[doc(alias = "module")]
    pub fn network(&self) -> Option<(&dyn AnyDetectionNetwork, &Normalization)> {
        self.model
            .trained()
            .map(|trained| (trained.network.as_ref(), &trained.meta.normalization))
    }
}

impl std::fmt::Debug for Detector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.model.debug(f)
    }
}

impl Show for Detector {
    fn output(&self) -> Output {
        self.model.output()
    }
}

crate::show_in_cells!(Detector);
crate::show_in_cells!(Run<Detector>);
