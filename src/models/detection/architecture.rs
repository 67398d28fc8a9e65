use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::module::Module;
use serde::{Deserialize, Serialize};

use super::faster_rcnn::{FasterRcnnModel, FasterRcnnOptions};
use super::retinanet::{BoxLoss, RetinaNetModel, RetinaNetOptions};
use super::{BoxedDetectionNetwork, DetectionNetwork, ObjectDetection, common, state_dict};
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
    RetinaNet(RetinaNetOptions),
    FasterRcnn(FasterRcnnOptions),
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
    /// Whether its batch norms keep their statistics and factors while training.
    #[serde(default)]
    pub frozen_norms: bool,
}

impl Backbone {
    fn new(encoder: EncoderKind, pretrained: bool) -> Self {
        Self {
            encoder,
            pretrained,
            weights: None,
            frozen: false,
            lr_scale: 1.0,
            frozen_norms: false,
        }
    }
}

impl Backbone {
    /// Freezes the batch norms where that is wanted.
    fn settle<M: Module>(&self, network: M) -> M {
        match self.frozen_norms {
            true => common::freeze_norms(network),
            false => network,
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

    pub(super) fn retinanet(encoder: EncoderKind) -> Self {
        Self {
            kind: Kind::RetinaNet(RetinaNetOptions::default()),
            backbone: Some(Backbone::new(encoder, false)),
        }
    }

    pub(super) fn faster_rcnn(encoder: EncoderKind) -> Self {
        Self {
            kind: Kind::FasterRcnn(FasterRcnnOptions::default()),
            backbone: Some(Backbone::new(encoder, false)),
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
    ///
    /// RetinaNet and Faster R-CNN also take torchvision's state dict of the whole detector, such as that of COCO; the
    /// layers whose sizes depend on the classes then start from random weights, unless their number is the same.
    #[must_use]
    pub fn weights(self, path: impl Into<PathBuf>) -> Self {
        self.change(|backbone| {
            backbone.weights = Some(path.into());
            backbone.frozen_norms = true;
        })
    }

    /// The side of the smallest anchors in pixels, finest level first: at strides 8 to 128 of RetinaNet and 4 to 64 of
    /// Faster R-CNN. `[32, 64, 128, 256, 512]` unless set; halve them for objects of 10 to 20 pixels. Detectors without
    /// anchors stay as they are.
    #[must_use]
    pub fn anchor_sizes(mut self, sizes: [f64; 5]) -> Self {
        match &mut self.kind {
            Kind::RetinaNet(options) => options.anchor_sizes = sizes,
            Kind::FasterRcnn(options) => options.anchor_sizes = sizes,
            Kind::CenterNet(_) | Kind::Custom { .. } => {}
        }
        self
    }

    /// How RetinaNet learns the sides of boxes; [`BoxLoss::L1`] unless set. Other detectors stay as they are.
    #[must_use]
    pub fn box_loss(mut self, loss: BoxLoss) -> Self {
        if let Kind::RetinaNet(options) = &mut self.kind {
            options.box_loss = loss;
        }
        self
    }

    /// Whether the batch norms of RetinaNet and Faster R-CNN keep their statistics and factors while training, for
    /// batches too small to have statistics of their own: torchvision's `FrozenBatchNorm2d`. They do with
    /// [`DetectorArchitecture::weights`], as in torchvision, and do not with random weights.
    #[must_use]
    pub fn frozen_norms(self, frozen: bool) -> Self {
        self.change(|backbone| backbone.frozen_norms = frozen)
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
            Kind::RetinaNet(_) => format!("RetinaNet {encoder}"),
            Kind::FasterRcnn(_) => format!("Faster R-CNN {encoder}"),
            Kind::Custom { name, .. } => name.clone(),
        }
    }

    /// Whether torchvision has this detector, with the same structure and names.
    pub(crate) fn is_in_torchvision(&self) -> bool {
        matches!(self.kind, Kind::RetinaNet(_) | Kind::FasterRcnn(_))
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
        let path = match &self.backbone {
            Some(Backbone {
                weights: Some(path),
                ..
            }) => Some(path.clone()),
            Some(backbone) if backbone.pretrained => Some(pretrained_path()?),
            _ => None,
        };
        self.make(bands, classes, device, path.as_deref())
    }

    fn build_blank(
        &self,
        bands: usize,
        classes: usize,
        device: &Device,
    ) -> Result<BoxedDetectionNetwork> {
        self.make(bands, classes, device, None)
    }

    fn encoder_rate(&self) -> f64 {
        match &self.backbone {
            Some(backbone) if backbone.frozen => 0.0,
            Some(backbone) => backbone.lr_scale,
            None => 1.0,
        }
    }
}

impl DetectorArchitecture {
    /// The network, with the weights of a file where there is one and with random weights otherwise.
    fn make(
        &self,
        bands: usize,
        classes: usize,
        device: &Device,
        weights: Option<&Path>,
    ) -> Result<BoxedDetectionNetwork> {
        self.check(bands, classes)?;
        let (name, place) = (self.name(), device.burn());
        let resnet = |backbone: &Backbone| {
            backbone.encoder.resnet().ok_or_else(|| ModelError::Build {
                network: self.name(),
                reason: "its encoder has to be a ResNet".to_owned(),
            })
        };
        match (&self.kind, &self.backbone) {
            (Kind::CenterNet(options), Some(backbone)) => {
                let network = CenterNetModel::new(backbone.encoder, bands, classes, options, place);
                Ok(match weights {
                    Some(path) => Box::new(with_encoder_weights(network, path, bands, &name)?),
                    None => Box::new(network),
                })
            }
            (Kind::RetinaNet(options), Some(backbone)) => {
                let resnet = resnet(backbone)?;
                let network = RetinaNetModel::new(resnet, bands, classes, options, place);
                let network = state_dict::load(network, weights, bands, &name)?;
                Ok(Box::new(backbone.settle(network)))
            }
            (Kind::FasterRcnn(options), Some(backbone)) => {
                let resnet = resnet(backbone)?;
                let network = FasterRcnnModel::new(resnet, bands, classes, options, place);
                let network = state_dict::load(network, weights, bands, &name)?;
                Ok(Box::new(backbone.settle(network)))
            }
            (
                Kind::Custom {
                    constructor: Some(constructor),
                    ..
                },
                _,
            ) => Ok(constructor(bands, classes, device)),
            _ => Err(ModelError::NoConstructor { name }.into()),
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
            Self::RetinaNet(options) => options.fmt(f),
            Self::FasterRcnn(options) => options.fmt(f),
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
