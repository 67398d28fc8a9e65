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

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::models::choices::{EncoderOptions, NetworkConfig, check_channels, encoder_of_field};
use crate::models::{BoxedDetectionNetwork, ObjectDetection};

pub use model::{CenterNetModel, CenterNetOptions};

/// Image pixels along the side of a cell of the heat map.
const STRIDE: usize = 4;

/// The builder of CenterNets: a U-Net decoder up to stride 4, with a heat map of centers and the sides of boxes.
///
/// No anchors, one pass, and quick to learn: the detector for a few hundred labeled objects and a CPU.
///
/// ```
/// use swath::models::CenterNet;
/// assert_eq!(CenterNet::efficientnet_lite0().name(), "CenterNet EfficientNet-Lite0");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CenterNet {
    #[serde(flatten)]
    encoder: EncoderOptions,
    #[serde(flatten)]
    options: CenterNetOptions,
}

impl CenterNet {
    /// The decoder's channels at strides 16, 8 and 4, 1 to 4096 each; `[256, 128, 64]` unless set.
    #[must_use]
    pub fn decoder_widths(mut self, widths: [usize; 3]) -> Self {
        self.options.decoder_widths = widths;
        self
    }

    /// The channels between the decoder and each of the two outputs, 1 to 4096; 64 unless set.
    #[must_use]
    pub fn head_width(mut self, width: usize) -> Self {
        self.options.head_width = width;
        self
    }
}

impl NetworkConfig<ObjectDetection> for CenterNet {
    const IN_TORCHVISION: bool = false;

    fn on(encoder: EncoderOptions) -> Self {
        Self {
            encoder,
            options: CenterNetOptions::default(),
        }
    }

    encoder_of_field!();

    fn check(&self) -> Result<(), String> {
        check_channels("decoder widths", &self.options.decoder_widths)?;
        check_channels("head widths", &[self.options.head_width])
    }

    fn init(
        &self,
        bands: usize,
        classes: usize,
        device: &Device,
    ) -> Result<BoxedDetectionNetwork, String> {
        let (encoder, options) = (self.encoder.encoder, &self.options);
        Ok(Box::new(CenterNetModel::new(
            encoder, bands, classes, options, device,
        )))
    }
}
