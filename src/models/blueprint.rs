//! Descriptions of networks: what a model is made with, what a bundle keeps, what a network is built from.

use std::fmt;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::choices::{AnyConfig, EncoderOptions};
use super::{
    ChipClassification, ClassificationNetwork, DetectionNetwork, EncoderKind, ModelError, Network,
    Normalization, ObjectDetection, Segmentation, Task, WeightsReport, weights,
};
use crate::Result;
use crate::device::Device;
use crate::raster::DataType;

/// The kind of a network of one's own in files.
const CUSTOM: &str = "custom";
/// Possible numbers of bands.
const BANDS: std::ops::RangeInclusive<usize> = 1..=4096;
/// Possible numbers of classes, background included: they are stored as bytes, and 255 is "ignore".
const CLASSES: std::ops::RangeInclusive<usize> = 2..=255;

type Constructor<T> = dyn Fn(usize, usize, &Device) -> Box<<T as Task>::Network> + Send + Sync;

/// A description of a network of task `T`: what a model is made with and a bundle keeps.
///
/// The builders of the networks become one, such as [`crate::models::Unet`] or [`crate::models::RetinaNet`], and so does a
/// Burn module of one's own by `Architecture::custom` and `DetectorArchitecture::custom`.
///
/// ```
/// use swath::models::{Architecture, Unet};
///
/// let architecture: Architecture = Unet::resnet18().decoder_widths([128, 64, 32, 16, 16]).into();
/// assert_eq!(architecture.name(), "U-Net ResNet-18");
/// ```
pub struct Blueprint<T: Task>(Kind<T>);

/// A description of a segmentation network.
pub type Architecture = Blueprint<Segmentation>;

/// A description of a detection network.
pub type DetectorArchitecture = Blueprint<ObjectDetection>;

/// A description of a classification network.
pub type ClassifierArchitecture = Blueprint<ChipClassification>;

enum Kind<T: Task> {
    /// A registered one ([`crate::models::registry`]).
    Known(Arc<dyn AnyConfig<T>>),
    Custom {
        name: String,
        /// None in what a bundle kept of it.
        constructor: Option<Arc<Constructor<T>>>,
    },
}

impl<T: Task> Blueprint<T> {
    pub(crate) fn known(config: Arc<dyn AnyConfig<T>>) -> Self {
        Self(Kind::Known(config))
    }

    /// A network that `constructor(bands, classes, device)` makes.
    pub(crate) fn from_constructor(
        name: impl Into<String>,
        constructor: impl Fn(usize, usize, &Device) -> Box<T::Network> + Send + Sync + 'static,
    ) -> Self {
        Self(Kind::Custom {
            name: name.into(),
            constructor: Some(Arc::new(constructor)),
        })
    }

    fn config(&self) -> Option<&dyn AnyConfig<T>> {
        match &self.0 {
            Kind::Known(config) => Some(config.as_ref()),
            Kind::Custom { .. } => None,
        }
    }

    /// The name people know it by, such as `U-Net EfficientNet-Lite0`.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.0 {
            Kind::Known(config) => config.name(),
            Kind::Custom { name, .. } => name.clone(),
        }
    }

    /// The encoder and its training, for a network of ours.
    #[must_use]
    pub fn encoder_options(&self) -> Option<&EncoderOptions> {
        self.config().map(AnyConfig::encoder)
    }

    /// Whether PyTorch's libraries can read its weights under their own names.
    pub(crate) fn is_in_torchvision(&self) -> bool {
        match &self.0 {
            Kind::Known(config) => config.is_in_torchvision(),
            Kind::Custom { .. } => T::EXPORTS_CUSTOM,
        }
    }

    /// The encoder's learning rate as a share of the rest's, 0 for one that stays as it is.
    pub(crate) fn encoder_lr_scale(&self) -> f64 {
        match self.encoder_options() {
            Some(options) if options.freeze_encoder => 0.0,
            Some(options) => options.encoder_lr_scale,
            None => 1.0,
        }
    }

    /// How pixels of a type with these statistics, one mean and one standard deviation for each band, become input.
    ///
    /// See [`Normalization`] for the rules.
    #[must_use]
    pub fn normalization(&self, data_type: DataType, mean: &[f64], std: &[f64]) -> Normalization {
        let eight_bit = data_type == DataType::U8;
        let encoder = self.encoder_options();
        let from_weights = encoder.is_some_and(|options| options.origin().is_some());
        match encoder.map(|options| options.encoder) {
            Some(EncoderKind::EfficientnetLite0) if eight_bit => {
                Normalization::eight_bit(mean.len())
            }
            Some(EncoderKind::EfficientnetLite0) => {
                Normalization::from_moments(mean, std, Normalization::IMAGENET_SPREAD)
            }
            Some(_) if from_weights && eight_bit && mean.len() == 3 => Normalization::imagenet(),
            _ => Normalization::from_moments(mean, std, 1.0),
        }
    }

    /// A network to start training from: random weights from the device's generator (`device.burn().seed(…)`), and
    /// pretrained ones where the description asks for them.
    ///
    /// # Errors
    /// When a choice or a size is impossible, or the pretrained weights cannot be had or do not fit.
    pub fn build(&self, bands: usize, classes: usize, device: &Device) -> Result<Box<T::Network>> {
        Ok(self.build_with_report(bands, classes, device)?.0)
    }

    /// What [`Blueprint::build`] uses of the state dict it starts from; `None` when it starts from random weights.
    ///
    /// # Errors
    /// As [`Blueprint::build`].
    pub fn weights_report(&self, bands: usize, classes: usize) -> Result<Option<WeightsReport>> {
        let built = self.build_with_report(bands, classes, &Device::current())?;
        Ok(built.1)
    }

    fn build_with_report(
        &self,
        bands: usize,
        classes: usize,
        device: &Device,
    ) -> Result<(Box<T::Network>, Option<WeightsReport>)> {
        let mut network = self.build_blank(bands, classes, device)?;
        let Some(origin) = self.encoder_options().and_then(EncoderOptions::origin) else {
            return Ok((network, None));
        };
        let file = weights::load(origin.path()?)?;
        let report = T::load_state_dict(network.as_mut(), &self.name(), file)?;
        Ok((network, Some(report)))
    }

    /// A network whose weights will be loaded at once: nothing is fetched or read.
    ///
    /// # Errors
    /// When a choice or a size is impossible, or a custom description came from a bundle and has no constructor.
    pub fn build_blank(
        &self,
        bands: usize,
        classes: usize,
        device: &Device,
    ) -> Result<Box<T::Network>> {
        self.check(bands, classes)?;
        match &self.0 {
            Kind::Known(config) => Ok(config
                .init(bands, classes, device.burn())
                .map_err(|reason| self.wrong(reason))?),
            Kind::Custom {
                constructor: Some(constructor),
                ..
            } => Ok(constructor(bands, classes, device)),
            Kind::Custom { name, .. } => Err(ModelError::NoConstructor {
                name: name.clone(),
                model: T::MODEL,
                architecture: T::ARCHITECTURE,
            }
            .into()),
        }
    }

    fn wrong(&self, reason: String) -> ModelError {
        ModelError::Build {
            network: self.name(),
            reason,
        }
    }

    /// Whether the choices and sizes are possible; a network of one's own knows that itself.
    ///
    /// # Errors
    /// [`ModelError::Build`].
    pub(crate) fn check(&self, bands: usize, classes: usize) -> Result<(), ModelError> {
        let Some(config) = self.config() else {
            return Ok(());
        };
        if !BANDS.contains(&bands) {
            return Err(self.wrong(format!("{bands} bands; 1 to 4096 are possible")));
        }
        if !CLASSES.contains(&classes) {
            return Err(self.wrong(format!(
                "{classes} classes; 2 to 255 are possible, background included"
            )));
        }
        let encoder = config.encoder().check();
        encoder
            .and_then(|()| config.check())
            .map_err(|reason| self.wrong(reason))
    }
}

impl Blueprint<Segmentation> {
    /// A network of your own: `build(bands, classes, device)` makes the module; `classes` counts the background.
    ///
    /// A bundle keeps only the name; loading one needs the same description again, through `Segmenter::load_as`.
    pub fn custom<N: Network>(
        name: impl Into<String>,
        build: impl Fn(usize, usize, &burn::tensor::Device) -> N + Send + Sync + 'static,
    ) -> Self {
        Self::from_constructor(name, move |bands, classes, device| {
            Box::new(build(bands, classes, device.burn()))
        })
    }
}

impl Blueprint<ObjectDetection> {
    /// A network of your own: `build(bands, classes, device)` makes the module; `classes` counts the background.
    ///
    /// A bundle keeps only the name; loading one needs the same description again, through `Detector::load_as`.
    pub fn custom<N: DetectionNetwork>(
        name: impl Into<String>,
        build: impl Fn(usize, usize, &burn::tensor::Device) -> N + Send + Sync + 'static,
    ) -> Self {
        Self::from_constructor(name, move |bands, classes, device| {
            Box::new(build(bands, classes, device.burn()))
        })
    }
}

impl Blueprint<ChipClassification> {
    /// A network of your own: `build(bands, classes, device)` makes the module; `classes` counts the background.
    ///
    /// A bundle keeps only the name; loading one needs the same description again, through `Classifier::load_as`.
    pub fn custom<N: ClassificationNetwork>(
        name: impl Into<String>,
        build: impl Fn(usize, usize, &burn::tensor::Device) -> N + Send + Sync + 'static,
    ) -> Self {
        Self::from_constructor(name, move |bands, classes, device| {
            Box::new(build(bands, classes, device.burn()))
        })
    }
}

impl<T: Task> Clone for Kind<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Known(config) => Self::Known(Arc::clone(config)),
            Self::Custom { name, constructor } => Self::Custom {
                name: name.clone(),
                constructor: constructor.clone(),
            },
        }
    }
}

impl<T: Task> Clone for Blueprint<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Task> fmt::Debug for Blueprint<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Known(config) => config.fmt(f),
            Kind::Custom { name, .. } => write!(f, "Custom({name:?})"),
        }
    }
}

/// `{"kind": {"unet": {"encoder": "resnet18", …}}}`: the key that the network is registered by, and its choices.
impl<T: Task> Serialize for Blueprint<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (key, choices) = match &self.0 {
            Kind::Known(config) => (
                config.entry().key,
                config.choices().map_err(serde::ser::Error::custom)?,
            ),
            Kind::Custom { name, .. } => (CUSTOM, json!({ "name": name })),
        };
        json!({ "kind": { key: choices } }).serialize(serializer)
    }
}

impl<'de, T: Task> Deserialize<'de> for Blueprint<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = current_form(Value::deserialize(deserializer)?);
        let kind = value.get("kind").and_then(Value::as_object);
        let Some((key, choices)) = kind.and_then(|kind| kind.iter().next()) else {
            return Err(D::Error::custom("it describes no network"));
        };
        if key == CUSTOM {
            let name = choices["name"].as_str().unwrap_or("custom").to_owned();
            return Ok(Self(Kind::Custom {
                name,
                constructor: None,
            }));
        }
        let Some(known) = T::networks().iter().find(|known| known.entry.key == key) else {
            let all = T::networks().iter().map(|known| known.entry.key);
            return Err(D::Error::custom(format!(
                "unknown network {key:?}; this version has {}",
                all.collect::<Vec<_>>().join(", ")
            )));
        };
        let config = (known.read)(choices.clone()).map_err(D::Error::custom)?;
        Ok(Self::known(config))
    }
}

/// A description as it is written today. Files of before kept the encoder of a detector beside its kind, as `backbone`.
pub(crate) fn current_form(mut value: Value) -> Value {
    let Some(description) = value.as_object_mut() else {
        return value;
    };
    let backbone = match description.remove("backbone") {
        Some(Value::Object(backbone)) => backbone,
        _ => Map::new(),
    };
    let kind = description.get_mut("kind").and_then(Value::as_object_mut);
    let choices = kind.and_then(|kind| kind.values_mut().next());
    if let Some(choices) = choices.and_then(Value::as_object_mut) {
        for (name, value) in backbone {
            if name == "frozen_norms" && value == false {
                continue;
            }
            let name = match name.as_str() {
                "frozen" => "freeze_encoder".to_owned(),
                "lr_scale" => "encoder_lr_scale".to_owned(),
                _ => name,
            };
            choices.insert(name, value);
        }
    }
    value
}
