use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::encoder::{EncoderKind, check_lr_scale};
use super::origin::Origin;
use super::unet::UnetModel;
use super::{
    BoxedNetwork, DeepLabV3Model, DeepLabV3PlusModel, FpnModel, ModelError, Network, Normalization,
    ResNetKind, Segmentation, Task, WeightsReport, state_dict, weights,
};
use crate::Result;
use crate::device::Device;

type Constructor = dyn Fn(usize, usize, &Device) -> BoxedNetwork + Send + Sync;

/// A description of a network: what a bundle keeps, and what [`Architecture::build`] makes a network of.
///
/// # Example
///
/// ```
/// use swath::models::Unet;
///
/// let architecture = Unet::resnet18().decoder_widths([128, 64, 32, 16, 16]);
/// assert_eq!(architecture.name(), "U-Net ResNet-18");
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Architecture {
    kind: Kind,
    /// Choices made that this network does not have: an error at [`Architecture::build`].
    #[serde(skip)]
    misplaced: Vec<&'static str>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Unet(UnetOptions),
    Fpn(FpnOptions),
    DeeplabV3(DeepLabOptions),
    DeeplabV3Plus(DeepLabOptions),
    Custom {
        name: String,
        #[serde(skip)]
        constructor: Option<Arc<Constructor>>,
    },
}

/// The encoder of a network, where its weights come from, and how it is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EncoderOptions {
    /// The encoder.
    pub encoder: EncoderKind,
    /// Whether training starts from ImageNet weights that Swath can fetch.
    pub pretrained: bool,
    /// A state dict to start from instead.
    #[serde(skip)]
    pub weights: Option<PathBuf>,
    /// Whether the encoder stays as it is while training.
    pub freeze_encoder: bool,
    /// The encoder's learning rate as a share of the decoder's.
    pub encoder_lr_scale: f64,
}

/// The choices of a U-Net.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnetOptions {
    /// The encoder.
    #[serde(flatten)]
    pub encoder: EncoderOptions,
    /// The decoder's channels from stride 16 to stride 1.
    pub decoder_widths: [usize; 5],
}

/// The choices of a segmentation network on a feature pyramid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FpnOptions {
    /// The encoder.
    #[serde(flatten)]
    pub encoder: EncoderOptions,
    /// Channels of the pyramid; its decoder has half as many.
    pub channels: usize,
}

/// The choices of DeepLabV3 and DeepLabV3+.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeepLabOptions {
    /// The encoder: a ResNet.
    #[serde(flatten)]
    pub encoder: EncoderOptions,
    /// The share of the pyramid's outputs that training sets to 0.
    pub dropout: f64,
}

/// What a network has behind its encoder.
#[derive(Clone, Copy)]
pub(super) enum Decoder {
    Unet { widths: [usize; 5] },
    Fpn { channels: usize },
    DeepLabV3 { dropout: f64 },
    DeepLabV3Plus { dropout: f64 },
}

impl Decoder {
    pub(super) fn unet() -> Self {
        Self::Unet {
            widths: [256, 128, 64, 32, 16],
        }
    }

    pub(super) fn fpn() -> Self {
        Self::Fpn { channels: 256 }
    }

    /// Torchvision's dropout.
    pub(super) fn deeplab_v3() -> Self {
        Self::DeepLabV3 { dropout: 0.5 }
    }

    pub(super) fn deeplab_v3_plus() -> Self {
        Self::DeepLabV3Plus { dropout: 0.5 }
    }
}

impl Architecture {
    /// A network of ours, from random weights.
    pub(super) fn encoded(encoder: EncoderKind, decoder: Decoder) -> Self {
        let encoder = EncoderOptions {
            encoder,
            pretrained: false,
            weights: None,
            freeze_encoder: false,
            encoder_lr_scale: 1.0,
        };
        let kind = match decoder {
            Decoder::Unet { widths } => Kind::Unet(UnetOptions {
                encoder,
                decoder_widths: widths,
            }),
            Decoder::Fpn { channels } => Kind::Fpn(FpnOptions { encoder, channels }),
            Decoder::DeepLabV3 { dropout } => Kind::DeeplabV3(DeepLabOptions { encoder, dropout }),
            Decoder::DeepLabV3Plus { dropout } => {
                Kind::DeeplabV3Plus(DeepLabOptions { encoder, dropout })
            }
        };
        Self {
            kind,
            misplaced: Vec::new(),
        }
    }

    /// A network of your own: `build(bands, classes, device)` makes the module.
    ///
    /// A bundle keeps only the name; loading one needs the same `Architecture::custom` again.
    pub fn custom<N: Network>(
        name: impl Into<String>,
        build: impl Fn(usize, usize, &burn::tensor::Device) -> N + Send + Sync + 'static,
    ) -> Self {
        let constructor = move |bands, classes, device: &Device| -> BoxedNetwork {
            Box::new(build(bands, classes, device.burn()))
        };
        Self {
            kind: Kind::Custom {
                name: name.into(),
                constructor: Some(Arc::new(constructor)),
            },
            misplaced: Vec::new(),
        }
    }

    /// Changes the encoder; a network of one's own has none to change, which matters if the choice `says` anything.
    fn change(
        mut self,
        choice: &'static str,
        says: bool,
        change: impl FnOnce(&mut EncoderOptions),
    ) -> Self {
        match &mut self.kind {
            Kind::Unet(UnetOptions { encoder, .. })
            | Kind::Fpn(FpnOptions { encoder, .. })
            | Kind::DeeplabV3(DeepLabOptions { encoder, .. })
            | Kind::DeeplabV3Plus(DeepLabOptions { encoder, .. }) => change(encoder),
            Kind::Custom { .. } if says => self.misplaced.push(choice),
            Kind::Custom { .. } => {}
        }
        self
    }

    /// Whether to start the encoder from ImageNet weights: EfficientNet-Lite0's come from the Python package index,
    /// torchvision's ResNets from PyTorch's server (see [`crate::models::catalog`]).
    #[must_use]
    pub fn pretrained(self, pretrained: bool) -> Self {
        self.change("pretrained", pretrained, |encoder| {
            encoder.pretrained = pretrained;
        })
    }

    /// Starts from a state dict (`.pth` or `.safetensors`) of the encoder or of the whole network, as
    /// [`crate::models::load_state_dict`] understands it. [`Architecture::weights_report`] says what is used of it.
    #[must_use]
    pub fn weights(self, path: impl Into<PathBuf>) -> Self {
        self.change("weights", true, |encoder| {
            encoder.weights = Some(crate::paths::expanded(&path.into()).into_owned());
        })
    }

    /// A U-Net's decoder channels from stride 16 to stride 1; `[256, 128, 64, 32, 16]` unless set. On another network it
    /// is an error of [`Architecture::build`].
    #[must_use]
    pub fn decoder_widths(mut self, widths: [usize; 5]) -> Self {
        match &mut self.kind {
            Kind::Unet(options) => options.decoder_widths = widths,
            _ => self.misplaced.push("decoder_widths"),
        }
        self
    }

    /// The share of a DeepLab pyramid's outputs that training sets to 0; 0.5 unless set. On another network it is an
    /// error of [`Architecture::build`].
    #[must_use]
    pub fn dropout(mut self, share: f64) -> Self {
        match &mut self.kind {
            Kind::DeeplabV3(options) | Kind::DeeplabV3Plus(options) => options.dropout = share,
            _ => self.misplaced.push("dropout"),
        }
        self
    }

    /// Keeps the encoder as it is while training.
    #[must_use]
    pub fn freeze_encoder(self, freeze: bool) -> Self {
        self.change("freeze_encoder", freeze, |encoder| {
            encoder.freeze_encoder = freeze;
        })
    }

    /// Trains the encoder at `scale` times the learning rate.
    #[must_use]
    pub fn encoder_lr_scale(self, scale: f64) -> Self {
        self.change("encoder_lr_scale", scale != 1.0, |encoder| {
            encoder.encoder_lr_scale = scale;
        })
    }

    /// The name people know it by, such as `U-Net EfficientNet-Lite0`.
    #[must_use]
    pub fn name(&self) -> String {
        let family = match &self.kind {
            Kind::Unet(_) => "U-Net",
            Kind::Fpn(_) => "FPN",
            Kind::DeeplabV3(_) => "DeepLabV3",
            Kind::DeeplabV3Plus(_) => "DeepLabV3+",
            Kind::Custom { name, .. } => return name.clone(),
        };
        let encoder = self
            .encoder_options()
            .map_or("", |options| options.encoder.name());
        format!("{family} {encoder}")
    }

    /// The encoder and its training, for a network of ours.
    #[must_use]
    pub fn encoder_options(&self) -> Option<&EncoderOptions> {
        match &self.kind {
            Kind::Unet(UnetOptions { encoder, .. })
            | Kind::Fpn(FpnOptions { encoder, .. })
            | Kind::DeeplabV3(DeepLabOptions { encoder, .. })
            | Kind::DeeplabV3Plus(DeepLabOptions { encoder, .. }) => Some(encoder),
            Kind::Custom { .. } => None,
        }
    }

    /// The choices, for a U-Net.
    #[must_use]
    pub fn unet_options(&self) -> Option<&UnetOptions> {
        match &self.kind {
            Kind::Unet(options) => Some(options),
            _ => None,
        }
    }

    /// Whether a notebook or program must supply the constructor before [`Architecture::build`] works.
    #[must_use]
    pub fn needs_constructor(&self) -> bool {
        matches!(
            &self.kind,
            Kind::Custom {
                constructor: None,
                ..
            }
        )
    }

    /// How pixels of `data_type` (GDAL's name, such as `Byte` or `UInt16`) with these statistics become input.
    ///
    /// See [`Normalization`] for the rules.
    #[must_use]
    pub fn normalization(&self, data_type: &str, mean: &[f64], std: &[f64]) -> Normalization {
        let eight_bit = matches!(data_type, "Byte" | "UInt8" | "u8");
        match self.encoder_options().map(|options| {
            (
                options.encoder,
                options.weights.is_some() || options.pretrained,
            )
        }) {
            Some((EncoderKind::EfficientnetLite0, _)) if eight_bit => {
                Normalization::eight_bit(mean.len())
            }
            Some((EncoderKind::EfficientnetLite0, _)) => {
                Normalization::from_moments(mean, std, Normalization::IMAGENET_SPREAD)
            }
            Some((_, true)) if eight_bit && mean.len() == 3 => Normalization::imagenet(),
            _ => Normalization::from_moments(mean, std, 1.0),
        }
    }

    /// A network to start training from: random weights from the device's generator (`device.burn().seed(…)`), and the
    /// encoder's pretrained ones where the architecture asks for them.
    ///
    /// # Errors
    ///
    /// When the sizes are impossible, or the pretrained weights cannot be had or do not fit.
    pub fn build(&self, bands: usize, classes: usize, device: &Device) -> Result<BoxedNetwork> {
        Ok(self.build_with_report(bands, classes, device)?.0)
    }

    /// What [`Architecture::build`] uses of the state dict it starts from; `None` when it starts from random weights.
    ///
    /// # Errors
    ///
    /// As [`Architecture::build`].
    pub fn weights_report(&self, bands: usize, classes: usize) -> Result<Option<WeightsReport>> {
        Ok(self
            .build_with_report(bands, classes, &Device::current())?
            .1)
    }

    pub(crate) fn build_with_report(
        &self,
        bands: usize,
        classes: usize,
        device: &Device,
    ) -> Result<(BoxedNetwork, Option<WeightsReport>)> {
        let mut network = self.build_blank(bands, classes, device)?;
        let origin = self.encoder_options().and_then(|options| {
            Origin::of(
                options.encoder,
                options.pretrained,
                options.weights.as_deref(),
            )
        });
        let Some(origin) = origin else {
            return Ok((network, None));
        };
        let file = weights::load(origin.path()?)?;
        let report =
            state_dict::load_state_dict::<Segmentation>(network.as_mut(), &self.name(), &file)?;
        Ok((network, Some(report)))
    }

    /// A network whose weights will be loaded at once: nothing is fetched or read.
    ///
    /// # Errors
    ///
    /// When the sizes are impossible, or a custom architecture came from a bundle and has no constructor.
    pub fn build_blank(
        &self,
        bands: usize,
        classes: usize,
        device: &Device,
    ) -> Result<BoxedNetwork> {
        let burn = device.burn();
        ModelError::refuse_misplaced(&self.misplaced, &self.name())?;
        if !matches!(self.kind, Kind::Custom { .. }) {
            self.check(bands, classes)?;
        }
        Ok(match &self.kind {
            Kind::Unet(UnetOptions {
                encoder,
                decoder_widths,
            }) => Box::new(UnetModel::new(
                encoder.encoder,
                bands,
                classes,
                *decoder_widths,
                burn,
            )),
            Kind::Fpn(FpnOptions { encoder, channels }) => Box::new(FpnModel::new(
                encoder.encoder,
                bands,
                classes,
                *channels,
                burn,
            )),
            Kind::DeeplabV3(options) => Box::new(DeepLabV3Model::new(
                self.resnet()?,
                bands,
                classes,
                options.dropout,
                burn,
            )),
            Kind::DeeplabV3Plus(options) => Box::new(DeepLabV3PlusModel::new(
                self.resnet()?,
                bands,
                classes,
                options.dropout,
                burn,
            )),
            Kind::Custom {
                constructor: Some(constructor),
                ..
            } => constructor(bands, classes, device),
            Kind::Custom { name, .. } => {
                let (name, model) = (name.clone(), Segmentation::MODEL);
                return Err(ModelError::NoConstructor { name, model }.into());
            }
        })
    }

    fn wrong(&self, reason: String) -> ModelError {
        ModelError::Build {
            network: self.name(),
            reason,
        }
    }

    fn resnet(&self) -> Result<ResNetKind, ModelError> {
        self.encoder_options()
            .and_then(|options| options.encoder.resnet())
            .ok_or_else(|| self.wrong("its encoder must be a ResNet".to_owned()))
    }

    /// Whether the sizes are possible.
    fn check(&self, bands: usize, classes: usize) -> Result<(), ModelError> {
        if bands == 0 || bands > 4096 {
            return Err(self.wrong(format!("{bands} bands; 1 to 4096 are possible")));
        }
        if !(2..=255).contains(&classes) {
            return Err(self.wrong(format!(
                "{classes} classes; 2 to 255 are possible, background included"
            )));
        }
        let scale = self
            .encoder_options()
            .map_or(1.0, |encoder| encoder.encoder_lr_scale);
        check_lr_scale(scale).map_err(|reason| self.wrong(reason))?;
        let possible = |width: &usize| (1..=4096).contains(width);
        match &self.kind {
            Kind::Unet(options) if !options.decoder_widths.iter().all(possible) => {
                Err(self.wrong(format!(
                    "decoder widths {:?}; 1 to 4096 are possible",
                    options.decoder_widths
                )))
            }
            Kind::Fpn(options) if !possible(&options.channels) => Err(self.wrong(format!(
                "a pyramid of {} channels; 1 to 4096 are possible",
                options.channels
            ))),
            Kind::DeeplabV3(options) | Kind::DeeplabV3Plus(options)
                if !(0.0..1.0).contains(&options.dropout) =>
            {
                Err(self.wrong(format!(
                    "dropout of {}; 0 up to (not including) 1 is possible",
                    options.dropout
                )))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unet(options) => options.fmt(f),
            Self::Fpn(options) => options.fmt(f),
            Self::DeeplabV3(options) | Self::DeeplabV3Plus(options) => options.fmt(f),
            Self::Custom { name, .. } => write!(f, "Custom({name:?})"),
        }
    }
}

impl fmt::Debug for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}
