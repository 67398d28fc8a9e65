//! Where a network's first weights come from.

use std::path::{Path, PathBuf};

use super::{EncoderKind, ModelError, PublishedWeights, catalog};
use crate::Result;

/// A file to start a network from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin<'a> {
    /// The user's own.
    File(&'a Path),
    /// Torchvision's ImageNet weights of a ResNet.
    Published(&'static PublishedWeights),
    /// EfficientNet-Lite0's ImageNet weights.
    EfficientnetLite0,
}

impl<'a> Origin<'a> {
    /// What an architecture asks for: a file of one's own comes before ImageNet weights; `None` is random weights.
    pub(super) fn of(
        encoder: EncoderKind,
        pretrained: bool,
        weights: Option<&'a Path>,
    ) -> Option<Self> {
        match (weights, pretrained, encoder.resnet()) {
            (Some(path), _, _) => Some(Self::File(path)),
            (None, false, _) => None,
            (None, true, Some(resnet)) => Some(Self::Published(catalog::imagenet(resnet))),
            (None, true, None) => Some(Self::EfficientnetLite0),
        }
    }

    /// The file, fetched where it has to be.
    pub(super) fn path(self) -> Result<PathBuf> {
        match self {
            Self::File(path) => Ok(path.to_owned()),
            Self::Published(weights) => catalog::fetch(weights),
            Self::EfficientnetLite0 => efficientnet_lite0(),
        }
    }
}

/// Where EfficientNet-Lite0's ImageNet weights are: the file that `SWATH_EFFICIENTNET_LITE0` names, otherwise the fetched
/// one.
pub(super) fn efficientnet_lite0() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(swath_link::environment::EFFICIENTNET_LITE0) {
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
