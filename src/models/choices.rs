//! What the builders of all networks share: the encoder, its weights and its training.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::Device;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::origin::Origin;
use super::{EncoderKind, Task};

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
    /// The encoder's learning rate as a share of the rest's.
    pub encoder_lr_scale: f64,
    /// Whether batch norms keep their statistics and factors while training, as torchvision's `FrozenBatchNorm2d`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub frozen_norms: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(value: &bool) -> bool {
    !*value
}

impl EncoderOptions {
    /// An encoder that learns as the rest does. EfficientNet-Lite0 starts from ImageNet, a ResNet from random weights.
    #[must_use]
    pub fn new(encoder: EncoderKind) -> Self {
        Self {
            encoder,
            pretrained: encoder == EncoderKind::EfficientnetLite0,
            weights: None,
            freeze_encoder: false,
            encoder_lr_scale: 1.0,
            frozen_norms: false,
        }
    }

    /// The file it starts from; `None` is random weights.
    pub(super) fn origin(&self) -> Option<Origin<'_>> {
        Origin::of(self.encoder, self.pretrained, self.weights.as_deref())
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let scale = self.encoder_lr_scale;
        if scale.is_finite() && scale >= 0.0 {
            return Ok(());
        }
        Err(format!(
            "an encoder at {scale} times the learning rate; 0 or more is possible"
        ))
    }
}

/// What every builder of a network of task `T` has; [`crate::models::registry`] registers it.
pub(crate) trait NetworkConfig<T: Task>:
    Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// Whether its batch norms are frozen when it starts from weights.
    const FREEZES_NORMS: bool = false;
    /// Whether PyTorch's libraries have a network of this structure, or at least its encoder under these names.
    const IN_TORCHVISION: bool = true;

    /// The usual choices.
    fn on(encoder: EncoderOptions) -> Self;

    /// The encoder.
    fn encoder(&self) -> &EncoderOptions;

    /// The encoder, to change.
    fn encoder_mut(&mut self) -> &mut EncoderOptions;

    /// Says whether the encoder starts from ImageNet weights.
    fn set_pretrained(&mut self, pretrained: bool) {
        let encoder = self.encoder_mut();
        if Self::FREEZES_NORMS && encoder.pretrained != pretrained {
            encoder.frozen_norms = pretrained || encoder.weights.is_some();
        }
        encoder.pretrained = pretrained;
    }

    /// Names the state dict to start from.
    fn set_weights(&mut self, path: &Path) {
        let encoder = self.encoder_mut();
        encoder.weights = Some(crate::paths::expanded(path).into_owned());
        encoder.frozen_norms |= Self::FREEZES_NORMS;
    }

    /// Whether the choices beside the encoder's are possible, or what is wrong.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    /// The network with random weights, or why it cannot be.
    fn init(
        &self,
        bands: usize,
        classes: usize,
        device: &Device,
    ) -> Result<Box<T::Network>, String>;
}

/// The encoder of a builder that has it in a field of that name.
macro_rules! encoder_of_field {
    () => {
        fn encoder(&self) -> &$crate::models::EncoderOptions {
            &self.encoder
        }

        fn encoder_mut(&mut self) -> &mut $crate::models::EncoderOptions {
            &mut self.encoder
        }
    };
}
pub(crate) use encoder_of_field;

/// What is registered of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NetworkEntry {
    /// What it is for: [`Task::NAME`].
    pub task: &'static str,
    /// The type of its models, such as `Segmenter`.
    pub model: &'static str,
    /// Its name in files.
    pub key: &'static str,
    /// What people type: `unet`.
    pub word: &'static str,
    /// The type of its builder: `Unet`.
    pub builder: &'static str,
    /// The name people know it by: `U-Net`.
    pub family: &'static str,
    /// The builder's constructors, one for each encoder; the first is the usual one.
    pub encoders: &'static [&'static str],
}

/// A builder with its entry; implemented by `registered!` alone.
pub(crate) trait Registered<T: Task>: NetworkConfig<T> {
    const ENTRY: NetworkEntry;
}

/// Makes a builder on an encoder: whether it starts from ImageNet, and the state dict that it starts from.
type OnEncoder<T> = fn(EncoderKind, Option<bool>, Option<PathBuf>) -> Arc<dyn AnyConfig<T>>;

/// A registered network of task `T`.
pub struct KnownNetwork<T: Task> {
    pub(crate) entry: NetworkEntry,
    /// Reads the choices out of a file.
    pub(crate) read: fn(Value) -> serde_json::Result<Arc<dyn AnyConfig<T>>>,
    /// The usual choices on an encoder, with what is said of its weights.
    pub(crate) on: OnEncoder<T>,
}

impl<T: Task> KnownNetwork<T> {
    pub(crate) const fn of<C: Registered<T>>() -> Self {
        Self {
            entry: C::ENTRY,
            read: |choices| Ok(Arc::new(serde_json::from_value::<C>(choices)?)),
            on: |encoder, pretrained, weights| {
                let mut builder = C::on(EncoderOptions::new(encoder));
                if let Some(pretrained) = pretrained {
                    builder.set_pretrained(pretrained);
                }
                if let Some(weights) = weights {
                    builder.set_weights(&weights);
                }
                Arc::new(builder)
            },
        }
    }
}

/// A [`Registered`] builder without its type.
pub(crate) trait AnyConfig<T: Task>: Debug + Send + Sync {
    fn entry(&self) -> NetworkEntry;
    fn name(&self) -> String;
    fn encoder(&self) -> &EncoderOptions;
    fn is_in_torchvision(&self) -> bool;
    fn check(&self) -> Result<(), String>;
    fn init(
        &self,
        bands: usize,
        classes: usize,
        device: &Device,
    ) -> Result<Box<T::Network>, String>;
    fn choices(&self) -> serde_json::Result<Value>;
}

impl<T: Task, C: Registered<T>> AnyConfig<T> for C {
    fn entry(&self) -> NetworkEntry {
        C::ENTRY
    }

    fn name(&self) -> String {
        let encoder = NetworkConfig::encoder(self).encoder.name();
        format!("{} {encoder}", C::ENTRY.family)
    }

    fn encoder(&self) -> &EncoderOptions {
        NetworkConfig::encoder(self)
    }

    fn is_in_torchvision(&self) -> bool {
        C::IN_TORCHVISION
    }

    fn check(&self) -> Result<(), String> {
        NetworkConfig::check(self)
    }

    fn init(
        &self,
        bands: usize,
        classes: usize,
        device: &Device,
    ) -> Result<Box<T::Network>, String> {
        NetworkConfig::init(self, bands, classes, device)
    }

    fn choices(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }
}

/// Channels that a layer can have, or what is wrong.
pub(crate) fn check_channels(what: &str, channels: &[usize]) -> Result<(), String> {
    match channels.iter().all(|width| (1..=4096).contains(width)) {
        true => Ok(()),
        false => Err(format!("{what} {channels:?}; 1 to 4096 are possible")),
    }
}

/// A share that training can set to 0, or what is wrong.
pub(super) fn check_dropout(share: f64) -> Result<(), String> {
    match (0.0..1.0).contains(&share) {
        true => Ok(()),
        false => Err(format!(
            "dropout of {share}; 0 up to (not including) 1 is possible"
        )),
    }
}

/// The encoder of a network that is built on ResNets alone.
pub(super) fn resnet(options: &EncoderOptions) -> Result<super::ResNetKind, String> {
    let found = options.encoder.resnet();
    found.ok_or_else(|| "its encoder must be a ResNet".to_owned())
}
