use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::module::Module;
use serde::{Deserialize, Serialize};

use super::{BoxedDetectionNetwork, DetectionNetwork, ObjectDetection};
use crate::Result;
use crate::device::Device;
use crate::models::architecture::pretrained_path;
use crate::models::centernet::{CenterNetModel, CenterNetOptions};
use crate::models::{Blueprint, EncoderKind, ModelError, Normalisation, tensors, weights};

type Constructor = dyn Fn(usize, usize, &Device) -> BoxedDetectionNetwork + Send + Sync;

/// A description of a detection network: what a bundle keeps, and what training builds.
///
/// ```
/// use swath::models::CenterNet;
/// assert_eq!(CenterNet::efficientnet_lite0().name(), "CenterNet EfficientNet-Lite0");
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DetectorArchitecture {
    kind: Kind,
    /// The pretrained part; none for a network of one's own.
    backbone: Option<Backbone>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    CenterNet(CenterNetOptions),
    Custom {
        name: String,
        #[serde(skip)]
        constructor: Option<Arc<Constructor>>,
    },
}

/// The encoder of a detection network, and how it is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Backbone {
    /// The encoder.
    pub encoder: EncoderKind,
    /// Whether training starts from ImageNet weights that Swath can fetch.
    pub pretrained: bool,
    /// A state dict to start the encoder from instead.
    #[serde(skip)]
    pub weights: Option<PathBuf>,
    /// Whether it stays as it is while training.
    pub frozen: bool,
    /// Its learning rate as a share of the rest's.
    pub lr_scale: f64,
}

impl Backbone {
    fn new(encoder: EncoderKind, pretrained: bool) -> Self {
        Self {
            encoder,
            pretrained,
            weights: None,
            frozen: false,
            lr_scale: 1.0,
        }
    }
}

impl DetectorArchitecture {
    pub(in crate::models) fn centernet(encoder: EncoderKind, pretrained: bool) -> Self {
        Self {
            kind: Kind::CenterNet(CenterNetOptions::default()),
            backbone: Some(Backbone::new(encoder, pretrained)),
        }
    }

    /// A network of your own: `build(bands, classes, device)` makes the module; `classes` counts the background.
    ///
    /// A bundle keeps only the name; loading one needs the same architecture again, through `Detector::load_as`.
    pub fn custom<N: DetectionNetwork>(
        name: impl Into<String>,
        build: impl Fn(usize, usize, &burn::tensor::Device) -> N + Send + Sync + 'static,
    ) -> Self {
        let constructor = move |bands, classes, device: &Device| -> BoxedDetectionNetwork {
            Box::new(build(bands, classes, device.burn()))
        };
        Self {
            kind: Kind::Custom {
                name: name.into(),
                constructor: Some(Arc::new(constructor)),
            },
            backbone: None,
        }
    }

    fn change(mut self, change: impl FnOnce(&mut Backbone)) -> Self {
        if let Some(backbone) = &mut self.backbone {
            change(backbone);
        }
        self
    }

    /// Whether to start from ImageNet weights. Only EfficientNet-Lite0's can be fetched.
    #[must_use]
    pub fn pretrained(self, pretrained: bool) -> Self {
        self.change(|backbone| {
            backbone.pretrained = pretrained && backbone.encoder == EncoderKind::EfficientnetLite0;
        })
    }

    /// Starts the encoder from a state dict with torchvision's or `efficientnet_lite_pytorch`'s names (`.pth` or
    /// `.safetensors`).
    #[must_use]
    pub fn weights(self, path: impl Into<PathBuf>) -> Self {
        self.change(|backbone| backbone.weights = Some(path.into()))
    }

    /// Keeps the encoder as it is while training.
    #[must_use]
    pub fn freeze_encoder(self, freeze: bool) -> Self {
        self.change(|backbone| backbone.frozen = freeze)
    }

    /// Trains the encoder at `scale` times the learning rate.
    #[must_use]
    pub fn encoder_lr_scale(self, scale: f64) -> Self {
        self.change(|backbone| backbone.lr_scale = scale)
    }

    /// The encoder, where there is one of ours.
    #[must_use]
    pub fn backbone(&self) -> Option<&Backbone> {
        self.backbone.as_ref()
    }

    /// The name people know it by, such as `CenterNet EfficientNet-Lite0`.
    #[must_use]
    pub fn name(&self) -> String {
        let encoder = self
            .backbone
            .as_ref()
            .map_or("", |backbone| backbone.encoder.name());
        match &self.kind {
            Kind::CenterNet(_) => format!("CenterNet {encoder}"),
            Kind::Custom { name, .. } => name.clone(),
        }
    }

    fn check(&self, bands: usize, classes: usize) -> Result<(), ModelError> {
        let wrong = |reason: String| ModelError::Build {
            network: self.name(),
            reason,
        };
        if bands == 0 || bands > 4096 {
            return Err(wrong(format!("{bands} bands; 1 to 4096 are possible")));
        }
        if !(2..=255).contains(&classes) {
            return Err(wrong(format!(
                "{classes} classes; 2 to 255 are possible, background included"
            )));
        }
        Ok(())
    }
}

impl Blueprint<ObjectDetection> for DetectorArchitecture {
    fn name(&self) -> String {
        Self::name(self)
    }

    fn normalisation(&self, data_type: &str, mean: &[f64], std: &[f64]) -> Normalisation {
        let eight_bit = matches!(data_type, "Byte" | "UInt8" | "u8");
        match &self.backbone {
            Some(backbone) if backbone.encoder == EncoderKind::EfficientnetLite0 => {
                if eight_bit {
                    Normalisation::eight_bit(mean.len())
                } else {
                    Normalisation::from_moments(mean, std, Normalisation::IMAGENET_SPREAD)
                }
            }
            Some(backbone) if backbone.weights.is_some() && eight_bit && mean.len() == 3 => {
                Normalisation::imagenet()
            }
            _ => Normalisation::from_moments(mean, std, 1.0),
        }
    }

    fn build(
        &self,
        bands: usize,
        classes: usize,
        device: &Device,
    ) -> Result<BoxedDetectionNetwork> {
        let (Some(backbone), Kind::CenterNet(options)) = (&self.backbone, &self.kind) else {
            return self.build_blank(bands, classes, device);
        };
        self.check(bands, classes)?;
        let network = CenterNetModel::new(backbone.encoder, bands, classes, options, device.burn());
        let path = match &backbone.weights {
            Some(path) => Some(path.clone()),
            None if backbone.pretrained => Some(pretrained_path()?),
            None => None,
        };
        Ok(Box::new(match path {
            Some(path) => with_encoder_weights(network, &path, bands, &self.name())?,
            None => network,
        }))
    }

    fn build_blank(
        &self,
        bands: usize,
        classes: usize,
        device: &Device,
    ) -> Result<BoxedDetectionNetwork> {
        self.check(bands, classes)?;
        match (&self.kind, &self.backbone) {
            (Kind::CenterNet(options), Some(backbone)) => Ok(Box::new(CenterNetModel::new(
                backbone.encoder,
                bands,
                classes,
                options,
                device.burn(),
            ))),
            (
                Kind::Custom {
                    constructor: Some(constructor),
                    ..
                },
                _,
            ) => Ok(constructor(bands, classes, device)),
            _ => Err(ModelError::NoConstructor { name: self.name() }.into()),
        }
    }

    fn encoder_rate(&self) -> f64 {
        match &self.backbone {
            Some(backbone) if backbone.frozen => 0.0,
            Some(backbone) => backbone.lr_scale,
            None => 1.0,
        }
    }
}

/// Loads a state dict into the part `encoder` of a network, its first convolution adapted to the bands.
fn with_encoder_weights<M: Module>(network: M, path: &Path, bands: usize, name: &str) -> Result<M> {
    let mut loaded = weights::encoder_names(weights::load(path)?);
    for first in ["encoder.conv1.weight", "encoder.conv_stem.weight"] {
        if let Some(weight) = loaded.get_mut(first) {
            *weight =
                weights::adapt_bands(weight, bands).map_err(|reason| ModelError::Weights {
                    path: path.to_owned(),
                    reason,
                })?;
        }
    }
    Ok(tensors::load_part(network, &loaded, name, "encoder")?)
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CenterNet(options) => options.fmt(f),
            Self::Custom { name, .. } => write!(f, "Custom({name:?})"),
        }
    }
}

impl fmt::Debug for DetectorArchitecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetectorArchitecture")
            .field("kind", &self.kind)
            .field("backbone", &self.backbone)
            .finish()
    }
}
