//! The segmentation networks by name: `Unet::resnet50()`, `DeepLabV3::resnet101()`, …

use super::architecture::{Architecture, Decoder};
use super::encoder::EncoderKind;

/// U-Net: class scores from features of all strides, joined step by step.
pub struct Unet;

/// A feature pyramid under one head (Kirillov and others, *Panoptic Feature Pyramid Networks*, 2019).
pub struct Fpn;

/// DeepLabV3 with torchvision's structure and parameter names: features of stride 8 under a pyramid of dilations.
pub struct DeepLabV3;

/// DeepLabV3+: a pyramid of dilations at stride 16, joined with features of stride 4.
pub struct DeepLabV3Plus;

/// Constructors on ResNets.
macro_rules! on_resnets {
    ($maker:ident, $name:literal, $decoder:expr, $($function:ident: $kind:ident, $resnet:literal;)*) => {
        impl $maker {
            $(
                #[doc = concat!($name, " on ", $resnet, ", from random weights, a state dict of torchvision or TorchGeo ([`Architecture::weights`]), or torchvision's ImageNet weights ([`Architecture::pretrained`]).")]
                #[must_use]
                pub fn $function() -> Architecture {
                    Architecture::encoded(EncoderKind::$kind, $decoder)
                }
            )*
        }
    };
    ($maker:ident, $name:literal, $decoder:expr) => {
        on_resnets! {
            $maker, $name, $decoder,
            resnet18: Resnet18, "ResNet-18";
            resnet34: Resnet34, "ResNet-34";
            resnet50: Resnet50, "ResNet-50";
            resnet101: Resnet101, "ResNet-101";
        }
    };
}

on_resnets!(Unet, "U-Net", Decoder::unet());
on_resnets!(Fpn, "FPN", Decoder::fpn());
on_resnets!(DeepLabV3, "DeepLabV3", Decoder::deeplab_v3());
on_resnets!(DeepLabV3Plus, "DeepLabV3+", Decoder::deeplab_v3_plus());

impl Unet {
    /// U-Net on EfficientNet-Lite0, pretrained on ImageNet.
    #[must_use]
    pub fn efficientnet_lite0() -> Architecture {
        Architecture::encoded(EncoderKind::EfficientnetLite0, Decoder::unet()).pretrained(true)
    }
}

impl Fpn {
    /// FPN on EfficientNet-Lite0, pretrained on ImageNet.
    #[must_use]
    pub fn efficientnet_lite0() -> Architecture {
        Architecture::encoded(EncoderKind::EfficientnetLite0, Decoder::fpn()).pretrained(true)
    }
}
