//! RetinaNet, after torchvision (`torchvision/models/detection/retinanet.py`, version 0.29; Lin et al. 2017, *Focal Loss
//! for Dense Object Detection*), with its parameter names: `backbone.body`, `backbone.fpn`,
//! `head.classification_head`, `head.regression_head`.

use burn::module::{Initializer, Module};
use burn::tensor::{Device, Int, Tensor, TensorData};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::anchors::AnchorGenerator;
use super::assign::{Match, Matcher};
use super::coder::{BoxCoder, Corners, clip_to_image};
use super::common::{
    anchored_builder, best, by_anchor, check_anchors, check_counts, detection, head_conv, nothing,
    padded, read, rows, suppress, usable,
};
use super::roi_align::indices;
use super::{DetectOptions, DetectionNetwork, losses};
use crate::boxes::{Annotation, Detection};
use crate::models::choices::EncoderOptions;
use crate::models::{Activation, Conv2d, ExtraLevels, ResNetConfig, ResNetFpn, ResNetKind};

/// Channels of the pyramid and the heads.
const CHANNELS: usize = 256;
/// The share of anchors on objects that training starts from.
const PRIOR: f64 = 0.01;

/// How the sides of boxes are learned.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoxLoss {
    /// The absolute error of the offsets, torchvision's choice.
    L1,
    /// The absolute error, rounded off below `beta`.
    SmoothL1 {
        /// Where the absolute error begins.
        beta: f64,
    },
    /// `1 - GIoU` of the boxes.
    Giou,
}

/// The choices of a RetinaNet; torchvision's unless set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RetinaNetOptions {
    /// The side of the smallest anchors in pixels at strides 8, 16, 32, 64 and 128. `[32, 64, 128, 256, 512]` unless set;
    /// halve them for objects of 10 to 20 pixels.
    pub anchor_sizes: [f64; 5],
    /// From this intersection over union on an anchor learns an object; 0.5 unless set.
    pub object_iou: f32,
    /// Below this intersection over union it learns that there is none; 0.4 unless set.
    pub background_iou: f32,
    /// How the sides of boxes are learned.
    pub box_loss: BoxLoss,
    /// The best boxes of each level that go into the suppression of overlaps; 1000 unless set.
    pub candidates: usize,
}

impl Default for RetinaNetOptions {
    fn default() -> Self {
        Self {
            anchor_sizes: [32.0, 64.0, 128.0, 256.0, 512.0],
            object_iou: 0.5,
            background_iou: 0.4,
            box_loss: BoxLoss::L1,
            candidates: 1000,
        }
    }
}

/// The builder of RetinaNets: a feature pyramid with anchors at every cell, one pass, focal loss.
///
/// Networks and state dicts are torchvision's (`retinanet_resnet50_fpn`).
///
/// ```
/// use swath::models::RetinaNet;
/// assert_eq!(RetinaNet::resnet50().name(), "RetinaNet ResNet-50");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetinaNet {
    #[serde(flatten)]
    encoder: EncoderOptions,
    #[serde(flatten)]
    options: RetinaNetOptions,
}

anchored_builder!(RetinaNet of RetinaNetOptions for RetinaNetModel);

impl RetinaNet {
    /// The side of the smallest anchors in pixels, finest level first: at strides 8 to 128. `[32, 64, 128, 256,
    /// 512]` unless set; halve them for objects of 10 to 20 pixels.
    #[must_use]
    pub fn anchor_sizes(mut self, sizes: [f64; 5]) -> Self {
        self.options.anchor_sizes = sizes;
        self
    }

    /// Whether the batch norms keep their statistics and factors while training, for batches too small to have statistics
    /// of their own: torchvision's `FrozenBatchNorm2d`. They do with [`RetinaNet::weights`] and [`RetinaNet::pretrained`], as
    /// in torchvision, and do not with random weights.
    #[must_use]
    pub fn frozen_norms(mut self, frozen: bool) -> Self {
        self.encoder.frozen_norms = frozen;
        self
    }

    /// How the sides of boxes are learned; [`BoxLoss::L1`] unless set.
    #[must_use]
    pub fn box_loss(mut self, loss: BoxLoss) -> Self {
        self.options.box_loss = loss;
        self
    }
}

impl RetinaNetOptions {
    fn check(&self) -> Result<(), String> {
        check_anchors(&self.anchor_sizes)?;
        let (object, background) = (self.object_iou, self.background_iou);
        if !(0.0 <= background && background <= object && object <= 1.0) {
            return Err(format!(
                "intersections over union of {background} for the background and {object} for objects; 0 to 1 is possible, in \
                 this order"
            ));
        }
        match self.box_loss {
            BoxLoss::SmoothL1 { beta } if !(beta.is_finite() && beta >= 0.0) => Err(format!(
                "a smooth L1 loss with beta = {beta}; 0 or a positive number is possible"
            )),
            _ => check_counts("candidates", &[self.candidates]),
        }
    }
}

#[derive(Module, Debug)]
struct ClassificationHead {
    // Vectors of one: torchvision has a `Sequential` there, and its number in the names.
    conv: Vec<Vec<Conv2d>>,
    cls_logits: Conv2d,
}

#[derive(Module, Debug)]
struct RegressionHead {
    conv: Vec<Vec<Conv2d>>,
    bbox_reg: Conv2d,
}

#[derive(Module, Debug)]
struct Head {
    classification_head: ClassificationHead,
    regression_head: RegressionHead,
}

fn tower(device: &Device) -> Vec<Vec<Conv2d>> {
    (0..4)
        .map(|_| vec![head_conv([CHANNELS; 2], 3, device)])
        .collect()
}

/// Convolutions, each with a ReLU behind it.
pub(super) fn climb(tower: &[Vec<Conv2d>], x: Tensor<4>) -> Tensor<4> {
    tower
        .iter()
        .flatten()
        .fold(x, |x, conv| conv.forward_activated(x, Activation::Relu))
}

/// RetinaNet: a ResNet with a feature pyramid from stride 8 to 128, and at every cell nine anchors with a score for each
/// class and four offsets.
///
/// Channel 0 of the scores is the background's, as in torchvision: no anchor ever learns it, and nothing reads it.
#[derive(Module, Debug)]
pub struct RetinaNetModel {
    backbone: ResNetFpn,
    head: Head,
    #[module(skip)]
    classes: usize,
    #[module(skip)]
    options: RetinaNetOptions,
}

/// What the heads say of each level, finest first.
pub(super) struct HeadOutput {
    /// Scores before the sigmoid, `[n, anchors, classes]` a level.
    pub(super) scores: Vec<Tensor<3>>,
    /// Offsets, `[n, anchors, 4]` a level.
    pub(super) offsets: Vec<Tensor<3>>,
    /// The anchors of each level, alike for all images.
    pub(super) anchors: Vec<Vec<Corners>>,
}

impl RetinaNetModel {
    /// Random weights, as torchvision draws those of the pyramid and the heads; `classes` counts the background.
    #[must_use]
    pub fn new(
        resnet: ResNetKind,
        bands: usize,
        classes: usize,
        options: &RetinaNetOptions,
        device: &Device,
    ) -> Self {
        let anchors = AnchorGenerator::retinanet(&options.anchor_sizes).per_cell();
        let mut cls_logits = head_conv([CHANNELS, anchors * classes], 3, device);
        let bias = -((1.0 - PRIOR) / PRIOR).ln();
        cls_logits.bias =
            Some(Initializer::Constant { value: bias }.init([anchors * classes], device));
        Self {
            backbone: ResNetFpn::new(
                ResNetConfig::new(resnet, bands),
                2,
                CHANNELS,
                ExtraLevels::P6P7 { input: CHANNELS },
                device,
            ),
            head: Head {
                classification_head: ClassificationHead {
                    conv: tower(device),
                    cls_logits,
                },
                regression_head: RegressionHead {
                    conv: tower(device),
                    bbox_reg: head_conv([CHANNELS, anchors * 4], 3, device),
                },
            },
            classes,
            options: options.clone(),
        }
    }

    pub(super) fn outputs(&self, images: Tensor<4>) -> HeadOutput {
        let images = padded(images);
        let [_, _, height, width] = images.dims();
        let levels = self.backbone.forward(images);
        let maps: Vec<[usize; 2]> = levels
            .iter()
            .map(|level| [level.dims()[2], level.dims()[3]])
            .collect();
        let Head {
            classification_head: classification,
            regression_head: regression,
        } = &self.head;
        let scores = |level: &Tensor<4>| {
            let x = climb(&classification.conv, level.clone());
            by_anchor(classification.cls_logits.forward(x), self.classes)
        };
        let offsets = |level: &Tensor<4>| {
            let x = climb(&regression.conv, level.clone());
            by_anchor(regression.bbox_reg.forward(x), 4)
        };
        HeadOutput {
            scores: levels.iter().map(scores).collect(),
            offsets: levels.iter().map(offsets).collect(),
            anchors: AnchorGenerator::retinanet(&self.options.anchor_sizes)
                .grid(&maps, [height, width]),
        }
    }

    /// What every anchor is to learn. It depends on the labels alone: the device need not be waited for.
    fn wanted(&self, anchors: &[Corners], targets: &[Vec<Annotation>]) -> Wanted {
        let matcher = Matcher {
            object_iou: self.options.object_iou,
            background_iou: self.options.background_iou,
            keep_best: true,
        };
        let coder = BoxCoder::new();
        let mut wanted = Wanted::default();
        for (image, target) in targets.iter().enumerate() {
            let objects = usable(target, self.classes);
            let matches = matcher.assign(&objects.corners, anchors);
            let found = matches.iter().filter(|found| found.object().is_some());
            // Every image counts alike, and within it every anchor on an object.
            let weight = 1.0 / (found.count().max(1) * targets.len()) as f32;
            for (index, found) in matches.iter().enumerate() {
                let class = found.object().map(|object| objects.classes[object] as i64);
                wanted.classes.push(class.unwrap_or(-1));
                wanted.weights.push(match found {
                    Match::Ignored => 0.0,
                    Match::Object(_) | Match::Background => weight,
                });
                if let Some(object) = found.object() {
                    let corners = objects.corners[object];
                    wanted.places.push((image * anchors.len() + index) as i64);
                    wanted.offsets.push(coder.encode(&corners, &anchors[index]));
                    wanted.corners.push(corners);
                    wanted.anchors.push(anchors[index]);
                    wanted.box_weights.push([weight]);
                }
            }
        }
        wanted
    }

    fn box_loss(&self, offsets: Tensor<3>, wanted: &Wanted) -> Tensor<1> {
        if wanted.places.is_empty() {
            return nothing(offsets);
        }
        let device = offsets.device();
        let [images, anchors, _] = offsets.dims();
        let found = offsets
            .reshape([images * anchors, 4])
            .select(0, indices(wanted.places.clone(), &device));
        let loss = match self.options.box_loss {
            BoxLoss::L1 => losses::smooth_l1(found, rows(&wanted.offsets, &device), 0.0),
            BoxLoss::SmoothL1 { beta } => {
                losses::smooth_l1(found, rows(&wanted.offsets, &device), beta)
            }
            BoxLoss::Giou => losses::giou(
                &BoxCoder::new().decode_tensor(&found, &rows(&wanted.anchors, &device)),
                &rows(&wanted.corners, &device),
            ),
        };
        (loss * rows(&wanted.box_weights, &device)).sum()
    }

    /// The objects of one image from the scores and offsets of each level.
    ///
    /// torchvision's rule but for one thing: boxes that lie outside the image, and have no area once they are cut to it, are
    /// left out. torchvision keeps them, on the image's edge; they suppress nothing, for they overlap nothing.
    pub(super) fn found(
        &self,
        levels: &[(&[f32], &[f32], &[Corners])],
        image: [usize; 2],
        options: &DetectOptions,
    ) -> Vec<Detection> {
        let coder = BoxCoder::new();
        let mut found = Vec::new();
        for (scores, offsets, anchors) in levels {
            let scored = scores
                .iter()
                .enumerate()
                .filter(|(place, _)| place % self.classes != 0)
                .map(|(place, score)| (1.0 / (1.0 + (-score).exp()), place))
                .filter(|(score, _)| *score > options.min_score)
                .collect();
            for (score, place) in best(scored, self.options.candidates) {
                let anchor = place / self.classes;
                let offsets = std::array::from_fn(|index| offsets[anchor * 4 + index]);
                let corners = coder.decode(&offsets, &anchors[anchor]);
                found.extend(detection(
                    clip_to_image(&corners, image),
                    place % self.classes,
                    score,
                ));
            }
        }
        suppress(&found, options)
    }
}

/// What the anchors of a batch are to learn.
#[derive(Default)]
struct Wanted {
    /// The class of each anchor of each image, or -1.
    classes: Vec<i64>,
    /// How much each of them counts.
    weights: Vec<f32>,
    /// The anchors on objects, among all of the batch.
    places: Vec<i64>,
    offsets: Vec<[f32; 4]>,
    corners: Vec<Corners>,
    anchors: Vec<Corners>,
    box_weights: Vec<[f32; 1]>,
}

impl DetectionNetwork for RetinaNetModel {
    fn losses(
        &self,
        images: Tensor<4>,
        targets: &[Vec<Annotation>],
    ) -> Vec<(&'static str, Tensor<1>)> {
        let output = self.outputs(images);
        let wanted = self.wanted(&output.anchors.concat(), targets);
        let scores = Tensor::cat(output.scores, 1);
        let device = scores.device();
        let [images, anchors, classes] = scores.dims();
        let shape = [images, anchors, 1];
        let of_anchors =
            Tensor::<3, Int>::from_data(TensorData::new(wanted.classes.clone(), shape), &device);
        let of_channels = Tensor::<1, Int>::arange(0..classes as i64, &device);
        let right = of_anchors
            .expand([images, anchors, classes])
            .equal(
                of_channels
                    .reshape([1, 1, classes])
                    .expand([images, anchors, classes]),
            )
            .float();
        let weights =
            Tensor::<3>::from_data(TensorData::new(wanted.weights.clone(), shape), &device);
        let focal = losses::sigmoid_focal(scores, right, 0.25, 2.0);
        vec![
            ("classification", (focal * weights).sum()),
            (
                "bbox_regression",
                self.box_loss(Tensor::cat(output.offsets, 1), &wanted),
            ),
        ]
    }

    fn detect(&self, images: Tensor<4>, options: &DetectOptions) -> Vec<Vec<Detection>> {
        let [count, _, height, width] = images.dims();
        let output = self.outputs(images);
        let scores: Vec<Vec<f32>> = output.scores.into_iter().map(read).collect();
        let offsets: Vec<Vec<f32>> = output.offsets.into_iter().map(read).collect();
        let of_image = |image: usize| {
            let levels: Vec<_> = scores
                .iter()
                .zip(&offsets)
                .zip(&output.anchors)
                .map(|((scores, offsets), anchors)| {
                    let part = |values: &'_ [f32]| values.len() / count * image;
                    (
                        &scores[part(scores)..][..scores.len() / count],
                        &offsets[part(offsets)..][..offsets.len() / count],
                        anchors.as_slice(),
                    )
                })
                .collect();
            self.found(&levels, [height, width], options)
        };
        (0..count).into_par_iter().map(of_image).collect()
    }

    fn fold_norms(&mut self) {
        self.backbone.fold_norms();
    }

    fn encoder_prefixes(&self) -> Vec<&'static str> {
        vec!["backbone.body"]
    }
}
