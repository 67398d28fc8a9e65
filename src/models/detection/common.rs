//! What RetinaNet and Faster R-CNN share around their networks.

use burn::module::{Initializer, Module, ParamGroup};
use burn::tensor::ops::PadMode;
use burn::tensor::{Device, Tensor, TensorData};

use super::DetectOptions;
use super::coder::Corners;
use crate::boxes::{Annotation, BoundingBox, Detection, batched_nms};
use crate::models::{Conv2d, Conv2dConfig, EncoderOptions};

/// The coarsest level that every image size must be a multiple of, as torchvision pads its batches.
const MULTIPLE: usize = 32;

/// The images with zeros at the right and at the bottom, up to a multiple of 32 pixels.
pub(super) fn padded(images: Tensor<4>) -> Tensor<4> {
    let [_, _, height, width] = images.dims();
    let missing = |size: usize| size.next_multiple_of(MULTIPLE) - size;
    if missing(height) + missing(width) == 0 {
        return images;
    }
    images.pad(
        (0, missing(width), 0, missing(height)),
        PadMode::Constant(0.0),
    )
}

/// Whether anchors can have these sides, or what is wrong.
pub(super) fn check_anchors(sizes: &[f64]) -> Result<(), String> {
    match sizes.iter().all(|size| size.is_finite() && *size > 0.0) {
        true => Ok(()),
        false => Err(format!(
            "anchor sizes {sizes:?}; numbers of pixels above 0 are possible"
        )),
    }
}

/// Whether each of these counts is one of something, or what is wrong.
pub(super) fn check_counts(what: &str, counts: &[usize]) -> Result<(), String> {
    match counts.contains(&0) {
        true => Err(format!("{what} {counts:?}; 1 or more is possible")),
        false => Ok(()),
    }
}

/// Makes a builder with fields `encoder` and `options` one of networks with anchors over a pyramid of features. Its own
/// methods stand in its file: before rust-analyzer is ready, completion reads them there.
macro_rules! anchored_builder {
    ($builder:ident of $options:ident for $network:ident) => {
        impl $crate::models::choices::NetworkConfig<$crate::models::ObjectDetection> for $builder {
            const FREEZES_NORMS: bool = true;

            fn on(encoder: $crate::models::EncoderOptions) -> Self {
                Self {
                    encoder,
                    options: $options::default(),
                }
            }

            $crate::models::choices::encoder_of_field!();

            fn check(&self) -> Result<(), String> {
                self.options.check()
            }

            fn init(
                &self,
                bands: usize,
                classes: usize,
                device: &burn::tensor::Device,
            ) -> Result<$crate::models::detection::BoxedDetectionNetwork, String> {
                let encoder = $crate::models::choices::resnet(&self.encoder)?;
                let network = $network::new(encoder, bands, classes, &self.options, device);
                Ok(Box::new($crate::models::detection::common::settled(
                    network,
                    &self.encoder,
                )))
            }
        }
    };
}
pub(super) use anchored_builder;

/// The network, its batch norms frozen where that is wanted.
pub(super) fn settled<M: Module>(network: M, encoder: &EncoderOptions) -> M {
    match encoder.frozen_norms {
        true => freeze_norms(network),
        false => network,
    }
}

/// The objects of an image that a loss can use, in the precision of the network.
#[derive(Debug, Default)]
pub(super) struct Objects {
    pub(super) corners: Vec<Corners>,
    pub(super) classes: Vec<usize>,
}

/// Leaves out crowds, boxes without area or with NaN, and classes that the network does not have.
pub(super) fn usable(target: &[Annotation], classes: usize) -> Objects {
    let mut objects = Objects::default();
    for annotation in target {
        let bounds = annotation.bounds;
        let corners = [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max].map(|v| v as f32);
        let sound = corners.iter().all(|value| value.is_finite())
            && corners[2] > corners[0]
            && corners[3] > corners[1];
        if sound && !annotation.crowd && (1..classes).contains(&annotation.class) {
            objects.corners.push(corners);
            objects.classes.push(annotation.class);
        }
    }
    objects
}

/// The values of a tensor. A device that cannot give its results panics here; whoever calls a network catches that.
pub(super) fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor
        .into_data()
        .convert::<f32>()
        .try_to_vec::<f32>()
        .unwrap_or_default()
}

/// Values as a tensor `[n, COLUMNS]`.
pub(super) fn rows<const COLUMNS: usize>(values: &[[f32; COLUMNS]], device: &Device) -> Tensor<2> {
    Tensor::from_data(
        TensorData::new(values.concat(), [values.len(), COLUMNS]),
        device,
    )
}

/// A loss of nothing: 0, with a gradient of 0, so that every parameter keeps one.
pub(super) fn nothing<const D: usize>(outputs: Tensor<D>) -> Tensor<1> {
    outputs.sum() * 0.0
}

/// A head's output `[n, anchors * values, h, w]` as `[n, h * w * anchors, values]`, in the order of the anchors.
pub(super) fn by_anchor(output: Tensor<4>, values: usize) -> Tensor<3> {
    let [images, channels, height, width] = output.dims();
    let anchors = channels / values;
    output
        .reshape([images, anchors, values, height, width])
        .permute([0, 3, 4, 1, 2])
        .reshape([images, height * width * anchors, values])
}

/// A convolution with a bias of 0 and weights from a normal distribution of the deviation 0.01, as the heads of
/// torchvision's detectors start.
pub(super) fn head_conv(channels: [usize; 2], kernel: usize, device: &Device) -> Conv2d {
    let [input, output] = channels;
    let config = Conv2dConfig {
        bias: true,
        ..Conv2dConfig::new(channels, kernel)
    };
    let initializer = Initializer::Normal {
        mean: 0.0,
        std: 0.01,
    };
    let mut conv = config.init(device);
    conv.weight = initializer.init([output, input, kernel, kernel], device);
    conv
}

/// The places of the highest scores, best first, at most `count`; equal ones by place.
pub(super) fn best(mut scored: Vec<(f32, usize)>, count: usize) -> Vec<(f32, usize)> {
    let order = |a: &(f32, usize), b: &(f32, usize)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    if scored.len() > count && count > 0 {
        scored.select_nth_unstable_by(count - 1, order);
    }
    scored.truncate(count);
    scored.sort_unstable_by(order);
    scored
}

/// A found object; `None` when its box has no area.
pub(super) fn detection(corners: Corners, class: usize, score: f32) -> Option<Detection> {
    let [x_min, y_min, x_max, y_max] = corners.map(f64::from);
    let bounds = BoundingBox::new(x_min, y_min, x_max, y_max);
    bounds
        .is_valid()
        .then(|| Detection::new(bounds, class, score))
}

/// Suppresses overlaps within a class and keeps the best.
pub(super) fn suppress(found: &[Detection], options: &DetectOptions) -> Vec<Detection> {
    batched_nms(found, options.nms_iou)
        .into_iter()
        .take(options.max_boxes)
        .map(|index| found[index])
        .collect()
}

/// Keeps the statistics and factors of every batch norm as they are: torchvision's `FrozenBatchNorm2d`, for batches too
/// small to have statistics of their own.
pub(super) fn freeze_norms<M: Module>(network: M) -> M {
    freeze(network, r"(^|\.)bn[0-9]\.|\.downsample\.1\.")
}

/// Stops training what a regular expression finds in a parameter's name.
pub(super) fn freeze<M: Module>(network: M, pattern: &str) -> M {
    match ParamGroup::from_any_regexes(vec![pattern.to_owned()]) {
        Ok(group) => network.freeze_group(group),
        Err(_) => network,
    }
}
