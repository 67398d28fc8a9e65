use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use burn::module::Module;
use serde::{Deserialize, Serialize};

use super::faster_rcnn::{FasterRcnnModel, FasterRcnnOptions};
use super::retinanet::{BoxLoss, RetinaNetModel, RetinaNetOptions};
use super::{BoxedDetectionNetwork, DetectionNetwork, ObjectDetection, common, state_dict};
use crate::Result;
use crate::device::Device;
use crate::models::centernet::{CenterNetModel, CenterNetOptions};
use crate::models::encoder::check_lr_scale;
use crate::models::origin::Origin;
use crate::models::{
    Blueprint, EncoderKind, ModelError, Normalization, Task, WeightsReport, weights,
};

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
    /// Choices made that this network does not have: an error when it is built.
    #[serde(skip)]
    misplaced: Vec<&'static str>,
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

    /// The file it starts from; `None` is random weights.
    pub(in crate::models) fn origin(&self) -> Option<Origin<'_>> {
        Origin::of(self.encoder, self.pretrained, self.weights.as_deref())
    }
}

impl DetectorArchitecture {
    fn new(kind: Kind, backbone: Option<Backbone>) -> Self {
        Self {
            kind,
            backbone,
            misplaced: Vec::new(),
        }
    }

    pub(in crate::models) fn centernet(encoder: EncoderKind, pretrained: bool) -> Self {
        let kind = Kind::CenterNet(CenterNetOptions::default());
        Self::new(kind, Some(Backbone::new(encoder, pretrained)))
    }

    pub(super) fn retinanet(encoder: EncoderKind) -> Self {
        let kind = Kind::RetinaNet(RetinaNetOptions::default());
        Self::new(kind, Some(Backbone::new(encoder, false)))
    }

    pub(super) fn faster_rcnn(encoder: EncoderKind) -> Self {
        let kind = Kind::FasterRcnn(FasterRcnnOptions::default());
        Self::new(kind, Some(Backbone::new(encoder, false)))
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
        let kind = Kind::Custom {
            name: name.into(),
            constructor: Some(Arc::new(constructor)),
        };
        Self::new(kind, None)
    }

    /// Changes the encoder; a network of one's own has none to change, which matters if the choice `says` anything.
    fn change(
        mut self,
        choice: &'static str,
        says: bool,
        change: impl FnOnce(&mut Backbone),
    ) -> Self {
        match &mut self.backbone {
            Some(backbone) => change(backbone),
            None if says => self.misplaced.push(choice),
            None => {}
        }
        self
    }

    /// Whether to start the encoder from ImageNet weights: EfficientNet-Lite0's come from the Python package index,
    /// torchvision's ResNets from PyTorch's server (see [`crate::models::catalog`]).
    ///
    /// RetinaNet and Faster R-CNN then keep their batch norms frozen ([`DetectorArchitecture::frozen_norms`]), as in
    /// torchvision.
    #[must_use]
    pub fn pretrained(self, pretrained: bool) -> Self {
        let has_frozen_norms = self.is_in_torchvision();
        self.change("pretrained", pretrained, |backbone| {
            if has_frozen_norms && backbone.pretrained != pretrained {
                backbone.frozen_norms = pretrained || backbone.weights.is_some();
            }
            backbone.pretrained = pretrained;
        })
    }

    /// Starts from a state dict (`.pth` or `.safetensors`) of the encoder, with torchvision's or
    /// `efficientnet_lite_pytorch`'s names, or of the whole detector. [`DetectorArchitecture::weights_report`] says what is
    /// used of it.
    ///
    /// For RetinaNet and Faster R-CNN the whole detector is torchvision's, such as that of COCO. Layers whose sizes depend
    /// on the classes start from random weights, unless their number is the same; all else must be there.
    #[must_use]
    pub fn weights(self, path: impl Into<PathBuf>) -> Self {
        let has_frozen_norms = self.is_in_torchvision();
        self.change("weights", true, |backbone| {
            backbone.weights = Some(crate::paths::expanded(&path.into()).into_owned());
            backbone.frozen_norms |= has_frozen_norms;
        })
    }

    /// The side of the smallest anchors in pixels, finest level first: at strides 8 to 128 of RetinaNet and 4 to 64 of
    /// Faster R-CNN. `[32, 64, 128, 256, 512]` unless set; halve them for objects of 10 to 20 pixels. For a detector
    /// without anchors it is an error when the network is built.
    #[must_use]
    pub fn anchor_sizes(mut self, sizes: [f64; 5]) -> Self {
        match &mut self.kind {
            Kind::RetinaNet(options) => options.anchor_sizes = sizes,
            Kind::FasterRcnn(options) => options.anchor_sizes = sizes,
            Kind::CenterNet(_) | Kind::Custom { .. } => self.misplaced.push("anchor_sizes"),
        }
        self
    }

    /// How RetinaNet learns the sides of boxes; [`BoxLoss::L1`] unless set. For another detector it is an error when the
    /// network is built.
    #[must_use]
    pub fn box_loss(mut self, loss: BoxLoss) -> Self {
        match &mut self.kind {
            Kind::RetinaNet(options) => options.box_loss = loss,
            _ => self.misplaced.push("box_loss"),
        }
        self
    }

    /// Whether the batch norms of RetinaNet and Faster R-CNN keep their statistics and factors while training, for
    /// batches too small to have statistics of their own: torchvision's `FrozenBatchNorm2d`. They do with
    /// [`DetectorArchitecture::weights`] and [`DetectorArchitecture::pretrained`], as in torchvision, and do not with
    /// random weights. For another detector `true` is an error when the network is built.
    #[must_use]
    pub fn frozen_norms(mut self, frozen: bool) -> Self {
        if frozen && !self.is_in_torchvision() {
            self.misplaced.push("frozen_norms");
            return self;
        }
        self.change("frozen_norms", frozen, |backbone| {
            backbone.frozen_norms = frozen;
        })
    }

    /// Keeps the encoder as it is while training.
    #[must_use]
    pub fn freeze_encoder(self, freeze: bool) -> Self {
        self.change("freeze_encoder", freeze, |backbone| {
            backbone.frozen = freeze;
        })
    }

    /// Trains the encoder at `scale` times the learning rate.
    #[must_use]
    pub fn encoder_lr_scale(self, scale: f64) -> Self {
        self.change("encoder_lr_scale", scale != 1.0, |backbone| {
            backbone.lr_scale = scale;
        })
    }

    /// What building a network for these bands and classes uses of the state dict it starts from; `None` when it starts
    /// from random weights.
    ///
    /// # Errors
    ///
    /// When the sizes are impossible, or the weights cannot be had or do not fit.
    pub fn weights_report(&self, bands: usize, classes: usize) -> Result<Option<WeightsReport>> {
        Ok(self
            .build_with_report(bands, classes, &Device::current())?
            .1)
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
        let sizes = match &self.kind {
            Kind::RetinaNet(options) => Some(options.anchor_sizes),
            Kind::FasterRcnn(options) => Some(options.anchor_sizes),
            Kind::CenterNet(_) | Kind::Custom { .. } => None,
        };
        let possible = |size: &f64| size.is_finite() && *size > 0.0;
        if let Some(sizes) = sizes.filter(|sizes| !sizes.iter().all(possible)) {
            return Err(wrong(format!(
                "anchor sizes {sizes:?}; numbers of pixels above 0 are possible"
            )));
        }
        let scale = self.backbone.as_ref().map_or(1.0, |it| it.lr_scale);
        check_lr_scale(scale).map_err(wrong)
    }
}

impl Blueprint<ObjectDetection> for DetectorArchitecture {
    fn name(&self) -> String {
        Self::name(self)
    }

    fn normalization(&self, data_type: &str, mean: &[f64], std: &[f64]) -> Normalization {
        let eight_bit = matches!(data_type, "Byte" | "UInt8" | "u8");
        match &self.backbone {
            Some(backbone) if backbone.encoder == EncoderKind::EfficientnetLite0 => {
                if eight_bit {
                    Normalization::eight_bit(mean.len())
                } else {
                    Normalization::from_moments(mean, std, Normalization::IMAGENET_SPREAD)
                }
            }
            Some(backbone) if backbone.origin().is_some() && eight_bit && mean.len() == 3 => {
                Normalization::imagenet()
            }
            _ => Normalization::from_moments(mean, std, 1.0),
        }
    }

    fn build(
        &self,
        bands: usize,
        classes: usize,
        device: &Device,
    ) -> Result<BoxedDetectionNetwork> {
        Ok(self.build_with_report(bands, classes, device)?.0)
    }

    fn build_blank(
        &self,
        bands: usize,
        classes: usize,
        device: &Device,
    ) -> Result<BoxedDetectionNetwork> {
        self.make(bands, classes, device)
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
    fn build_with_report(
        &self,
        bands: usize,
        classes: usize,
        device: &Device,
    ) -> Result<(BoxedDetectionNetwork, Option<WeightsReport>)> {
        let mut network = self.make(bands, classes, device)?;
        let Some(origin) = self.backbone.as_ref().and_then(Backbone::origin) else {
            return Ok((network, None));
        };
        let file = weights::load(origin.path()?)?;
        let report = state_dict::load(network.as_mut(), &self.name(), file)?;
        Ok((network, Some(report)))
    }

    /// The network with random weights.
    fn make(&self, bands: usize, classes: usize, device: &Device) -> Result<BoxedDetectionNetwork> {
        let name = self.name();
        ModelError::refuse_misplaced(&self.misplaced, &name)?;
        self.check(bands, classes)?;
        let place = device.burn();
        let resnet = |backbone: &Backbone| {
            backbone.encoder.resnet().ok_or_else(|| ModelError::Build {
                network: self.name(),
                reason: "its encoder has to be a ResNet".to_owned(),
            })
        };
        match (&self.kind, &self.backbone) {
            (Kind::CenterNet(options), Some(backbone)) => Ok(Box::new(CenterNetModel::new(
                backbone.encoder,
                bands,
                classes,
                options,
                place,
            ))),
            (Kind::RetinaNet(options), Some(backbone)) => {
                let network =
                    RetinaNetModel::new(resnet(backbone)?, bands, classes, options, place);
                Ok(Box::new(backbone.settle(network)))
            }
            (Kind::FasterRcnn(options), Some(backbone)) => {
                let network =
                    FasterRcnnModel::new(resnet(backbone)?, bands, classes, options, place);
                Ok(Box::new(backbone.settle(network)))
            }
            (
                Kind::Custom {
                    constructor: Some(constructor),
                    ..
                },
                _,
            ) => Ok(constructor(bands, classes, device)),
            _ => {
                let model = ObjectDetection::MODEL;
                Err(ModelError::NoConstructor { name, model }.into())
            }
        }
    }
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
