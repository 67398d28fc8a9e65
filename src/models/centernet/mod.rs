//! CenterNet: objects as points of a heat map, with the distances from there to the four sides of their boxes.
//!
//! # Source
//! Zhou, Wang, Krähenbühl, *Objects as Points*, 2019 (arXiv:1904.07850) for the heat map, its loss and the reading of
//! its peaks; Liu et al., *Training-Time-Friendly Network for Real-Time Object Detection*, 2019 (arXiv:1909.00700) for
//! the elliptic Gaussians and for learning the sides at every cell near a center, which needs far fewer steps than
//! learning a size at the center alone.

mod decode;
mod losses;
mod model;
mod targets;

use crate::models::{DetectorArchitecture, EncoderKind};

pub use model::{CenterNetModel, CenterNetOptions};

/// Image pixels along the side of a cell of the heat map.
const STRIDE: usize = 4;

/// Makers of CenterNets: a U-Net decoder up to stride 4, with a heat map of centers and the sides of boxes.
///
/// No anchors, one pass, and quick to learn: the detector for a few hundred labeled objects and a CPU.
pub struct CenterNet;

impl CenterNet {
    /// CenterNet on EfficientNet-Lite0, pretrained on ImageNet.
    #[must_use]
    pub fn efficientnet_lite0() -> DetectorArchitecture {
        DetectorArchitecture::centernet(EncoderKind::EfficientnetLite0, true)
    }

    /// CenterNet on ResNet-18, from random weights, a state dict ([`DetectorArchitecture::weights`]), or torchvision's
    /// ImageNet weights ([`DetectorArchitecture::pretrained`]).
    #[must_use]
    pub fn resnet18() -> DetectorArchitecture {
        DetectorArchitecture::centernet(EncoderKind::Resnet18, false)
    }

    /// CenterNet on ResNet-34, from random weights, a state dict ([`DetectorArchitecture::weights`]), or torchvision's
    /// ImageNet weights ([`DetectorArchitecture::pretrained`]).
    #[must_use]
    pub fn resnet34() -> DetectorArchitecture {
        DetectorArchitecture::centernet(EncoderKind::Resnet34, false)
    }
}
