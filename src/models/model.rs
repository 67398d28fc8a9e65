//! The model that people hold: a description of a network, its classes, and its weights once it has some.

use std::borrow::Borrow;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::{
    AnyModule, Blueprint, BundleMeta, ChipClassification, ModelError, NamedTensors, Normalization,
    ObjectDetection, Segmentation, Task, bundle, export, load_bundle_for,
};
use crate::Result;
use crate::device::{Device, random};
use crate::display::{Output, Show};
use crate::labels::Classes;
use crate::plot::facts_html;

/// A model of task `T`, under the names [`Segmenter`], [`Detector`] and [`Classifier`]. [`Model::new`] describes it, [`Model::fit`] trains
/// it, [`Model::load`] reads one that was saved.
///
/// It is cheap to clone: copies share their weights, which never change.
pub struct Model<T: Task> {
    architecture: Blueprint<T>,
    classes: Classes,
    device: Option<Device>,
    /// Of the weights it has, or of those that it starts from or will have.
    license: Option<String>,
    weights: Option<Arc<Weights<T>>>,
}

/// A segmentation model: it gives every pixel a class. `Segmenter::new` describes it, `fit` trains it, `Segmenter::load`
/// reads one that was saved. It is cheap to clone: copies share their weights, which never change.
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
/// | train | [`Segmenter::fit`](Model::fit) with [`crate::train::FitOptions`], [`Segmenter::find_rate`](Model::find_rate) |
/// | predict | [`Segmenter::predict`](Model::predict), [`Segmenter::predict_with`](Model::predict_with), [`Segmenter::evaluate`](Model::evaluate) |
/// | keep | [`Segmenter::save`](Model::save), [`Segmenter::load`](Model::load), [`Segmenter::export_torchvision`](Model::export_torchvision) |
pub type Segmenter = Model<Segmentation>;

/// A detection model: it finds objects and their boxes. `Detector::new` describes it, `fit` trains it, `Detector::load` reads
/// one that was saved. It is cheap to clone: copies share their weights, which never change.
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
/// | train | [`Detector::fit`](Model::fit) with [`crate::train::FitOptions`], [`Detector::find_rate`](Model::find_rate) |
/// | predict | [`Detector::predict`](Model::predict), [`Detector::predict_with`](Model::predict_with), [`Detector::evaluate`](Model::evaluate) |
/// | keep | [`Detector::save`](Model::save), [`Detector::load`](Model::load), [`Detector::export_torchvision`](Model::export_torchvision) |
pub type Detector = Model<ObjectDetection>;

/// A chip classification model: it gives every cell of a scene, that is every window of a grid, one class.
/// `Classifier::new` describes it, `fit` trains it, `Classifier::load` reads one that was saved. It is cheap to clone: copies
/// share their weights, which never change.
///
/// ```no_run
/// use swath::prelude::*;
/// let scene = Scene::open("city.tif")?
///     .with_labels("buildings.geojson", LabelClass::one("building"))?
///     .with_cells(CellRule::share_of_object(0.5))?;
/// let (train, valid) = scene.split(Split::columns(0.75));
/// let chips = train.chips(Chips::random(400, 128).seed(7))?;
/// let run = Classifier::new(ImageClassifier::resnet18(), scene.classes()).fit(&chips, &valid, FitOptions::epochs(5))?;
/// run.best().predict(&valid)?.save("cells")?;
/// # Ok::<(), swath::Error>(())
/// ```
///
/// | to | methods |
/// |---|---|
/// | train | [`Classifier::fit`](Model::fit) with [`crate::train::FitOptions`], [`Classifier::find_rate`](Model::find_rate) |
/// | predict | [`Classifier::predict`](Model::predict), [`Classifier::predict_with`](Model::predict_with), [`Classifier::evaluate`](Model::evaluate) |
/// | keep | [`Classifier::save`](Model::save), [`Classifier::load`](Model::load), [`Classifier::export_torchvision`](Model::export_torchvision) |
pub type Classifier = Model<ChipClassification>;

/// What training or a bundle gives a model.
pub(crate) struct Weights<T: Task> {
    pub(crate) network: Box<T::Network>,
    pub(crate) meta: BundleMeta<T>,
}

impl<T: Task> Model<T> {
    /// A model without weights. `classes` are those of the scene it will be trained on: `scene.classes()`.
    #[must_use]
    pub fn new(architecture: impl Into<Blueprint<T>>, classes: impl Into<Classes>) -> Self {
        Self {
            architecture: architecture.into(),
            classes: classes.into(),
            device: None,
            license: None,
            weights: None,
        }
    }

    /// Trains and predicts on this device instead of [`Device::current`].
    #[must_use]
    #[doc(alias = "to")]
    #[doc(alias = "cuda")]
    #[doc(alias = "cpu")]
    pub fn device(mut self, device: impl Borrow<Device>) -> Self {
        self.device = Some(device.borrow().clone());
        self
    }

    /// Names the license of the weights, such as that of the imagery and labels they come from. The bundle keeps it, a
    /// cell shows it ([`Model::meta`] reads it), and models trained from this one have it as well.
    ///
    /// ```no_run
    /// # use swath::prelude::*;
    /// # fn example(run: &Run) -> swath::Result<()> {
    /// run.best().clone().with_license("CC BY-SA 4.0").save("buildings.swath")?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    #[doc(alias = "with_licence")]
    pub fn with_license(mut self, license: impl Into<String>) -> Self {
        let license = license.into();
        self.weights = self.weights.map(|weights| {
            let mut meta = weights.meta.clone();
            meta.license = Some(license.clone());
            let network = weights.network.clone_box();
            Arc::new(Weights { network, meta })
        });
        self.license = Some(license);
        self
    }

    /// Writes the model to one file: safetensors with its description as JSON, no code. An older file stays whole until
    /// the new one is on disk.
    ///
    /// # Errors
    /// [`ModelError::NotTrained`] without weights; another [`ModelError`] when the file cannot be written.
    #[doc(alias = "save_model")]
    #[doc(alias = "save_weights")]
    #[doc(alias = "state_dict")]
    #[doc(alias = "save_pretrained")]
    #[doc(alias = "dump")]
    #[doc(alias = "to_file")]
    #[doc(alias = "write")]
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let weights = self.weights("be saved")?;
        let tensors = weights.network.named_tensors();
        bundle::save_tensors(path.as_ref(), &weights.meta, &tensors)
    }

    /// Writes the weights for PyTorch: safetensors under the names of its libraries, with the input's normalization and
    /// the classes as metadata (`mean`, `std`, `classes`: JSON).
    ///
    /// All of these load with `load_state_dict(strict=True)` and give equal outputs:
    ///
    /// | network | loads into |
    /// |---|---|
    /// | DeepLabV3 | `torchvision.models.segmentation.deeplabv3_resnet50(weights=None, weights_backbone=None, num_classes=…)` |
    /// | U-Net on a ResNet | `segmentation_models_pytorch.Unet("resnet50", …)` |
    /// | image classifier on a ResNet | `torchvision.models.resnet50(weights=None, num_classes=…)` (classes counted with background) |
    /// | RetinaNet, Faster R-CNN | `torchvision.models.detection.retinanet_resnet50_fpn(weights=None, weights_backbone=None, num_classes=…)`, `fasterrcnn_resnet50_fpn(…)` (classes counted with background), or `RetinaNet` or `FasterRCNN` over `resnet_fpn_backbone` with another ResNet |
    ///
    /// The other networks that map areas have torchvision's names in their encoders (`backbone.` or `encoder.`) and their
    /// own behind them. Torchvision's detectors normalize and resize images themselves: give them `image_mean`,
    /// `image_std`, `min_size` and `max_size` of your imagery, and the anchors that this model was made with.
    ///
    /// # Errors
    /// [`ModelError::NotTrained`] without weights; [`ModelError::NotInTorchvision`] for a CenterNet or a detection network
    /// of one's own; another [`ModelError`] when the file cannot be written.
    #[doc(alias = "to_torch")]
    #[doc(alias = "to_pytorch")]
    #[doc(alias = "export")]
    #[doc(alias = "to_onnx")]
    pub fn export_torchvision(&self, path: impl AsRef<Path>) -> Result<()> {
        let Weights { network, meta } = self.weights("be exported")?;
        if !self.architecture.is_in_torchvision() {
            let network = self.architecture.name();
            return Err(ModelError::NotInTorchvision { network }.into());
        }
        let tensors = network.named_tensors();
        export::write(path.as_ref(), &tensors, &meta.normalization, &meta.classes)
    }

    /// Reads a model that [`Model::save`] wrote. Nothing in the file is executed.
    ///
    /// # Errors
    /// [`ModelError`] when the file is damaged, too new, holds a model for something else ([`ModelError::OtherTask`]), or
    /// a network of one's own, for which [`Model::load_as`] is made.
    #[doc(alias = "load_model")]
    #[doc(alias = "load_state_dict")]
    #[doc(alias = "load_weights")]
    #[doc(alias = "load_bundle")]
    #[doc(alias = "open")]
    #[doc(alias = "read")]
    #[doc(alias = "from_file")]
    #[doc(alias = "from_pretrained")]
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let (meta, tensors) = load_bundle_for::<T>(path.as_ref())?;
        Self::from_bundle(meta, &tensors)
    }

    /// Reads a model whose network is one of your own, made by `Architecture::custom` or `DetectorArchitecture::custom`.
    ///
    /// # Errors
    /// As [`Model::load`], and when the network does not fit the weights.
    pub fn load_as(path: impl AsRef<Path>, architecture: impl Into<Blueprint<T>>) -> Result<Self> {
        let (mut meta, tensors) = load_bundle_for::<T>(path.as_ref())?;
        meta.architecture = architecture.into();
        Self::from_bundle(meta, &tensors)
    }

    fn from_bundle(meta: BundleMeta<T>, tensors: &NamedTensors) -> Result<Self> {
        let device = Device::current();
        let _alone = random::alone();
        let mut network = meta
            .architecture
            .build_blank(meta.bands, meta.classes.len(), &device)?;
        network.load_tensors(tensors)?;
        let mut classes = Classes::new(meta.classes.iter().skip(1));
        for (name, color) in meta.classes.iter().zip(&meta.colors) {
            classes = classes.with_stored_color(name, *color);
        }
        Ok(Self {
            architecture: meta.architecture.clone(),
            classes,
            device: None,
            license: meta.license.clone(),
            weights: Some(Arc::new(Weights {
                network: network.inference(),
                meta,
            })),
        })
    }

    /// The classes it tells apart, background first.
    #[must_use]
    #[doc(alias = "num_classes")]
    #[doc(alias = "class_names")]
    #[doc(alias = "categories")]
    pub fn classes(&self) -> &Classes {
        &self.classes
    }

    /// What its network looks like.
    #[must_use]
    #[doc(alias = "backbone")]
    #[doc(alias = "encoder")]
    pub fn architecture(&self) -> &Blueprint<T> {
        &self.architecture
    }

    /// Whether it has weights: trained or loaded.
    #[must_use]
    #[doc(alias = "is_fitted")]
    #[doc(alias = "fitted")]
    pub fn is_trained(&self) -> bool {
        self.weights.is_some()
    }

    /// The number of bands it was trained with.
    #[must_use]
    #[doc(alias = "in_channels")]
    #[doc(alias = "channels")]
    #[doc(alias = "num_bands")]
    #[doc(alias = "band_count")]
    pub fn bands(&self) -> Option<usize> {
        self.meta().map(|meta| meta.bands)
    }

    /// What its bundle says about it, once it has weights.
    #[must_use]
    #[doc(alias = "config")]
    #[doc(alias = "metadata")]
    #[doc(alias = "hparams")]
    pub fn meta(&self) -> Option<&BundleMeta<T>> {
        self.weights.as_ref().map(|weights| &weights.meta)
    }

    /// Its network, as an inference copy, and the normalization of its input, once it has weights.
    #[must_use]
    #[doc(alias = "model")]
    #[doc(alias = "module")]
    pub fn network(&self) -> Option<(&T::Network, &Normalization)> {
        let weights = self.weights.as_deref()?;
        Some((weights.network.as_ref(), &weights.meta.normalization))
    }

    /// The weights, or an error that says what needs them.
    pub(crate) fn weights(&self, doing: &'static str) -> Result<&Weights<T>, ModelError> {
        let model = T::MODEL;
        self.weights
            .as_deref()
            .ok_or(ModelError::NotTrained { doing, model })
    }

    /// This model with other weights.
    pub(crate) fn with_weights(&self, network: Box<T::Network>, mut meta: BundleMeta<T>) -> Self {
        meta.license.clone_from(&self.license);
        Self {
            weights: Some(Arc::new(Weights { network, meta })),
            ..self.clone()
        }
    }

    pub(crate) fn device_for_run(&self) -> Result<Device> {
        self.device.clone().map_or_else(Device::for_run, Ok)
    }
}

/// Not derived: that would ask for a task that can be cloned.
impl<T: Task> Clone for Model<T> {
    fn clone(&self) -> Self {
        Self {
            architecture: self.architecture.clone(),
            classes: self.classes.clone(),
            device: self.device.clone(),
            license: self.license.clone(),
            weights: self.weights.clone(),
        }
    }
}

impl<T: Task> fmt::Debug for Model<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weights = match self.bands() {
            None => "without weights".to_owned(),
            Some(bands) => format!("trained on {bands} bands"),
        };
        let (architecture, classes) = (self.architecture.name(), self.classes.in_words());
        write!(f, "{}({architecture}, {weights}{classes})", T::MODEL)
    }
}

impl<T: Task> Show for Model<T> {
    fn output(&self) -> Output {
        let mut facts = vec![
            ("architecture", self.architecture.name()),
            ("classes", self.classes.names().join(", ")),
        ];
        match &self.weights {
            None => facts.push(("weights", "none yet: train it with fit".to_owned())),
            Some(weights) => {
                let count = weights.network.parameter_count();
                facts.push(("parameters", format!("{:.1} million", count as f64 / 1e6)));
                facts.push(("bands", weights.meta.bands.to_string()));
                if let Some(license) = &weights.meta.license {
                    facts.push(("license", license.clone()));
                }
                for (name, value) in &weights.meta.provenance {
                    facts.push((name.as_str(), value.clone()));
                }
            }
        }
        let text: Vec<_> = facts
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        Output::styled(
            format!("{}\n{}", T::MODEL, text.join("\n")),
            facts_html(&facts),
        )
    }
}

crate::show_in_cells!(<T: Task> Model<T>);
