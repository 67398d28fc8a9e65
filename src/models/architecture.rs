use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::encoder::EncoderKind;
use super::tensors;
use super::unet::UnetModel;
use super::{BoxedNetwork, ModelError, Network, Normalisation, weights};
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
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Unet(UnetOptions),
    Custom {
        name: String,
        #[serde(skip)]
        constructor: Option<Arc<Constructor>>,
    },
}

/// The choices of a U-Net.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnetOptions {
    /// The encoder.
    pub encoder: EncoderKind,
    /// The decoder's channels from stride 16 to stride 1.
    pub decoder_widths: [usize; 5],
    /// Whether training starts from ImageNet weights that Swath can fetch.
    pub pretrained: bool,
    /// A state dict to start the encoder from instead.
    #[serde(skip)]
    pub weights: Option<PathBuf>,
    /// Whether the encoder stays as it is while training.
    pub freeze_encoder: bool,
    /// The encoder's learning rate as a share of the decoder's.
    pub encoder_lr_scale: f64,
}

/// Makers of U-Nets.
pub struct Unet;

impl Unet {
    /// U-Net on EfficientNet-Lite0, pretrained on ImageNet.
    #[must_use]
    pub fn efficientnet_lite0() -> Architecture {
        Architecture::unet(EncoderKind::EfficientnetLite0, true)
    }

    /// U-Net on ResNet-18, from random weights or a torchvision file ([`Architecture::weights`]).
    #[must_use]
    pub fn resnet18() -> Architecture {
        Architecture::unet(EncoderKind::Resnet18, false)
    }

    /// U-Net on ResNet-34, from random weights or a torchvision file ([`Architecture::weights`]).
    #[must_use]
    pub fn resnet34() -> Architecture {
        Architecture::unet(EncoderKind::Resnet34, false)
    }

    /// U-Net on ResNet-50, from random weights or a torchvision file ([`Architecture::weights`]).
    #[must_use]
    pub fn resnet50() -> Architecture {
        Architecture::unet(EncoderKind::Resnet50, false)
    }

    /// U-Net on ResNet-101, from random weights or a torchvision file ([`Architecture::weights`]).
    #[must_use]
    pub fn resnet101() -> Architecture {
        Architecture::unet(EncoderKind::Resnet101, false)
    }
}

impl Architecture {
    fn unet(encoder: EncoderKind, pretrained: bool) -> Self {
        Self {
            kind: Kind::Unet(UnetOptions {
                encoder,
                decoder_widths: [256, 128, 64, 32, 16],
                pretrained,
                weights: None,
                freeze_encoder: false,
                encoder_lr_scale: 1.0,
            }),
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
        }
    }

    fn change(mut self, change: impl FnOnce(&mut UnetOptions)) -> Self {
        if let Kind::Unet(options) = &mut self.kind {
            change(options);
        }
        self
    }

    /// Whether to start from ImageNet weights. Only EfficientNet-Lite0's can be fetched.
    #[must_use]
    pub fn pretrained(self, pretrained: bool) -> Self {
        self.change(|options| {
            options.pretrained = pretrained && options.encoder == EncoderKind::EfficientnetLite0;
        })
    }

    /// Starts the encoder from a state dict with torchvision's or `efficientnet_lite_pytorch`'s names (`.pth` or
    /// `.safetensors`).
    #[must_use]
    pub fn weights(self, path: impl Into<PathBuf>) -> Self {
        self.change(|options| options.weights = Some(path.into()))
    }

    /// The decoder's channels from stride 16 to stride 1; `[256, 128, 64, 32, 16]` unless set.
    #[must_use]
    pub fn decoder_widths(self, widths: [usize; 5]) -> Self {
        self.change(|options| options.decoder_widths = widths)
    }

    /// Keeps the encoder as it is while training.
    #[must_use]
    pub fn freeze_encoder(self, freeze: bool) -> Self {
        self.change(|options| options.freeze_encoder = freeze)
    }

    /// Trains the encoder at `scale` times the learning rate.
    #[must_use]
    pub fn encoder_lr_scale(self, scale: f64) -> Self {
        self.change(|options| options.encoder_lr_scale = scale)
    }

    /// The name people know it by, such as `U-Net EfficientNet-Lite0`.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.kind {
            Kind::Unet(options) => format!("U-Net {}", options.encoder.name()),
            Kind::Custom { name, .. } => name.clone(),
        }
    }

    /// The choices, for a U-Net.
    #[must_use]
    pub fn unet_options(&self) -> Option<&UnetOptions> {
        match &self.kind {
            Kind::Unet(options) => Some(options),
            Kind::Custom { .. } => None,
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
    /// See [`Normalisation`] for the rules.
    #[must_use]
    pub fn normalisation(&self, data_type: &str, mean: &[f64], std: &[f64]) -> Normalisation {
        let eight_bit = matches!(data_type, "Byte" | "UInt8" | "u8");
        match self
            .unet_options()
            .map(|options| (options.encoder, options.weights.is_some()))
        {
            Some((EncoderKind::EfficientnetLite0, _)) if eight_bit => {
                Normalisation::eight_bit(mean.len())
            }
            Some((EncoderKind::EfficientnetLite0, _)) => {
                Normalisation::from_moments(mean, std, Normalisation::IMAGENET_SPREAD)
            }
            Some((_, true)) if eight_bit && mean.len() == 3 => Normalisation::imagenet(),
            _ => Normalisation::from_moments(mean, std, 1.0),
        }
    }

    /// A network to start training from: random weights from the device's generator (`device.burn().seed(…)`), and the
    /// encoder's pretrained ones where the architecture asks for them.
    ///
    /// # Errors
    ///
    /// When the sizes are impossible, or the pretrained weights cannot be had or do not fit.
    pub fn build(&self, bands: usize, classes: usize, device: &Device) -> Result<BoxedNetwork> {
        let Kind::Unet(options) = &self.kind else {
            return self.build_blank(bands, classes, device);
        };
        let mut network = options.init(bands, classes, device, &self.name())?;
        let path = match &options.weights {
            Some(path) => Some(path.clone()),
            None if options.pretrained => Some(pretrained_path()?),
            None => None,
        };
        if let Some(path) = path {
            let mut loaded = weights::encoder_names(weights::load(&path)?);
            for first in ["encoder.conv1.weight", "encoder.conv_stem.weight"] {
                if let Some(weight) = loaded.get_mut(first) {
                    *weight = weights::adapt_bands(weight, bands).map_err(|reason| {
                        ModelError::Weights {
                            path: path.clone(),
                            reason,
                        }
                    })?;
                }
            }
            network = tensors::load_part(network, &loaded, &self.name(), "encoder")?;
        }
        Ok(Box::new(network))
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
        match &self.kind {
            Kind::Unet(options) => Ok(Box::new(options.init(
                bands,
                classes,
                device,
                &self.name(),
            )?)),
            Kind::Custom {
                constructor: Some(constructor),
                ..
            } => Ok(constructor(bands, classes, device)),
            Kind::Custom { name, .. } => {
                Err(ModelError::NoConstructor { name: name.clone() }.into())
            }
        }
    }
}

impl UnetOptions {
    fn init(&self, bands: usize, classes: usize, device: &Device, name: &str) -> Result<UnetModel> {
        let wrong = |reason: String| ModelError::Build {
            network: name.to_owned(),
            reason,
        };
        if bands == 0 || bands > 4096 {
            return Err(wrong(format!("{bands} bands; 1 to 4096 are possible")).into());
        }
        if !(2..=255).contains(&classes) {
            return Err(wrong(format!(
                "{classes} classes; 2 to 255 are possible, background included"
            ))
            .into());
        }
        if self
            .decoder_widths
            .iter()
            .any(|width| !(1..=4096).contains(width))
        {
            return Err(wrong(format!(
                "decoder widths {:?}; 1 to 4096 are possible",
                self.decoder_widths
            ))
            .into());
        }
        Ok(UnetModel::new(
            self.encoder,
            bands,
            classes,
            self.decoder_widths,
            device.burn(),
        ))
    }
}

/// Where EfficientNet-Lite0's ImageNet weights are: the file that `SWATH_EFFICIENTNET_LITE0` names, otherwise the fetched
/// one.
pub(super) fn pretrained_path() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("SWATH_EFFICIENTNET_LITE0") {
        return Ok(path.into());
    }
    let dataset = crate::data::fetch("efficientnet-lite0")?;
    let weights = |path: &&PathBuf| {
        path.extension()
            .is_some_and(|extension| extension == "pth" || extension == "safetensors")
    };
    dataset.files.iter().find(weights).cloned().ok_or_else(|| {
        let reason = "there is no `.pth` or `.safetensors` file among the fetched ones".to_owned();
        ModelError::Weights {
            path: dataset.dir.clone(),
            reason,
        }
        .into()
    })
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unet(options) => options.fmt(f),
            Self::Custom { name, .. } => write!(f, "Custom({name:?})"),
        }
    }
}

impl fmt::Debug for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}
