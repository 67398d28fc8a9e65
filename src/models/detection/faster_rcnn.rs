//! Faster R-CNN, after torchvision (`torchvision/models/detection/{faster_rcnn,roi_heads}.py`, version 0.29; Ren et al.
//! 2015, with the feature pyramid of Lin et al. 2017), with its parameter names: `backbone.body`, `backbone.fpn`,
//! `rpn.head`, `roi_heads.box_head`, `roi_heads.box_predictor`.

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData, activation};
use serde::{Deserialize, Serialize};

use super::assign::{Match, Matcher, Sampler};
use super::coder::{BoxCoder, Corners, clip_to_image};
use super::common::{
    anchored_builder, best, check_anchors, check_counts, detection, nothing, padded, read, rows,
    suppress, usable,
};
use super::roi_align::{RoiAlign, indices};
use super::rpn::{Proposals, Rpn};
use super::{DetectOptions, DetectionNetwork, losses};
use crate::boxes::{Annotation, Detection};
use crate::models::choices::EncoderOptions;
use crate::models::layers::Linear;
use crate::models::{ExtraLevels, ResNetConfig, ResNetFpn, ResNetKind};

/// Channels of the pyramid and the region proposals.
pub(super) const CHANNELS: usize = 256;
/// Channels of a box's features.
const WIDTH: usize = 1024;
/// Where the smooth-L1 loss of offsets becomes the absolute error.
pub(super) const BETA: f64 = 1.0 / 9.0;
/// Smaller boxes are no detections, in pixels.
const SMALLEST: f32 = 1e-2;

/// The choices of a Faster R-CNN; torchvision's unless set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FasterRcnnOptions {
    /// The side of the anchors in pixels at strides 4, 8, 16, 32 and 64. `[32, 64, 128, 256, 512]` unless set; halve
    /// them for objects of 10 to 20 pixels.
    pub anchor_sizes: [f64; 5],
    /// Anchors of each image that the loss of the proposals looks at; 256 unless set, at most half of them on objects.
    pub proposal_samples: usize,
    /// Proposals of each image that the loss of the boxes looks at; 512 unless set, at most a quarter on objects.
    pub box_samples: usize,
    /// The best boxes of each level that go into the proposals, in training and in inference; 2000 and 1000.
    pub candidates: [usize; 2],
    /// Proposals of an image, in training and in inference; 2000 and 1000.
    pub proposals: [usize; 2],
}

impl Default for FasterRcnnOptions {
    fn default() -> Self {
        Self {
            anchor_sizes: [32.0, 64.0, 128.0, 256.0, 512.0],
            proposal_samples: 256,
            box_samples: 512,
            candidates: [2000, 1000],
            proposals: [2000, 1000],
        }
    }
}

/// The builder of Faster R-CNNs: a feature pyramid, proposals, and a second look at each of them.
///
/// Networks and state dicts are torchvision's (`fasterrcnn_resnet50_fpn`).
///
/// ```
/// use swath::models::FasterRcnn;
/// assert_eq!(FasterRcnn::resnet50().name(), "Faster R-CNN ResNet-50");
/// ```
///
/// Only RetinaNet has a choice of losses for its boxes:
/// ```compile_fail,E0599
/// use swath::models::{FasterRcnn, detection::retinanet::BoxLoss};
/// FasterRcnn::resnet50().box_loss(BoxLoss::Giou);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FasterRcnn {
    #[serde(flatten)]
    encoder: EncoderOptions,
    #[serde(flatten)]
    options: FasterRcnnOptions,
}

anchored_builder!(FasterRcnn of FasterRcnnOptions for FasterRcnnModel);

impl FasterRcnn {
    /// The side of the smallest anchors in pixels, finest level first: at strides 4 to 64. `[32, 64, 128, 256,
    /// 512]` unless set; halve them for objects of 10 to 20 pixels.
    #[must_use]
    pub fn anchor_sizes(mut self, sizes: [f64; 5]) -> Self {
        self.options.anchor_sizes = sizes;
        self
    }

    /// Whether the batch norms keep their statistics and factors while training, for batches too small to have statistics
    /// of their own: torchvision's `FrozenBatchNorm2d`. They do with [`FasterRcnn::weights`] and [`FasterRcnn::pretrained`], as
    /// in torchvision, and do not with random weights.
    #[must_use]
    pub fn frozen_norms(mut self, frozen: bool) -> Self {
        self.encoder.frozen_norms = frozen;
        self
    }
}

impl FasterRcnnOptions {
    fn check(&self) -> Result<(), String> {
        check_anchors(&self.anchor_sizes)?;
        check_counts(
            "samples of the losses",
            &[self.proposal_samples, self.box_samples],
        )?;
        check_counts("candidates", &self.candidates)?;
        check_counts("proposals", &self.proposals)
    }
}

#[derive(Module, Debug)]
struct BoxHead {
    fc6: Linear,
    fc7: Linear,
}

#[derive(Module, Debug)]
struct BoxPredictor {
    cls_score: Linear,
    bbox_pred: Linear,
}

#[derive(Module, Debug)]
struct RoiHeads {
    box_head: BoxHead,
    box_predictor: BoxPredictor,
}

/// Faster R-CNN: a ResNet with a feature pyramid from stride 4 to 64, proposals from its anchors, and for each proposal
/// its features, a class and four offsets for each class.
#[derive(Module, Debug)]
pub struct FasterRcnnModel {
    backbone: ResNetFpn,
    rpn: Rpn,
    roi_heads: RoiHeads,
    #[module(skip)]
    classes: usize,
    #[module(skip)]
    options: FasterRcnnOptions,
}

impl FasterRcnnModel {
    /// Random weights, as torchvision draws those of the pyramid and the heads; `classes` counts the background.
    #[must_use]
    pub fn new(
        resnet: ResNetKind,
        bands: usize,
        classes: usize,
        options: &FasterRcnnOptions,
        device: &Device,
    ) -> Self {
        let bins = RoiAlign::new().bins;
        Self {
            backbone: ResNetFpn::new(
                ResNetConfig::new(resnet, bands),
                1,
                CHANNELS,
                ExtraLevels::Pool,
                device,
            ),
            rpn: Rpn::new(options, device),
            roi_heads: RoiHeads {
                box_head: BoxHead {
                    fc6: Linear::new(CHANNELS * bins * bins, WIDTH, device),
                    fc7: Linear::new(WIDTH, WIDTH, device),
                },
                box_predictor: BoxPredictor {
                    cls_score: Linear::new(WIDTH, classes, device),
                    bbox_pred: Linear::new(WIDTH, classes * 4, device),
                },
            },
            classes,
            options: options.clone(),
        }
    }

    pub(super) fn levels(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        self.backbone.forward(padded(images))
    }

    #[cfg(test)]
    pub(super) fn rpn(&self) -> &Rpn {
        &self.rpn
    }

    /// Class scores `[boxes, classes]` and offsets `[boxes, classes * 4]` of boxes, which must be at least one.
    pub(super) fn classify(
        &self,
        levels: &[Tensor<4>],
        boxes: &[Vec<Corners>],
        image: [usize; 2],
    ) -> (Tensor<2>, Tensor<2>) {
        // The coarsest level is for proposals only.
        let levels = &levels[..levels.len().min(4)];
        let features = RoiAlign::new().align_levels(levels, boxes, image);
        let RoiHeads {
            box_head,
            box_predictor,
        } = &self.roi_heads;
        let x = activation::relu(box_head.fc6.forward(features.flatten(1, 3)));
        let x = activation::relu(box_head.fc7.forward(x));
        (
            box_predictor.cls_score.forward(x.clone()),
            box_predictor.bbox_pred.forward(x),
        )
    }

    /// Draws the proposals that the loss of the boxes looks at, and says what each is to learn.
    fn samples(&self, proposals: &Proposals, targets: &[Vec<Annotation>]) -> Samples {
        let matcher = Matcher {
            object_iou: 0.5,
            background_iou: 0.5,
            keep_best: false,
        };
        let sampler = Sampler {
            per_image: self.options.box_samples,
            object_share: 0.25,
        };
        let coder = box_coder();
        let mut samples = Samples::default();
        for ((target, proposed), &seed) in
            targets.iter().zip(&proposals.boxes).zip(&proposals.seeds)
        {
            let objects = usable(target, self.classes);
            // The objects themselves are proposals too: at first the network has no better ones.
            let candidates = [proposed.as_slice(), &objects.corners].concat();
            let matches = matcher.assign(&objects.corners, &candidates);
            let (mut drawn, background) = sampler.draw(&matches, seed.wrapping_add(1));
            drawn.extend(background);
            drawn.sort_unstable();
            for &index in &drawn {
                let class = match matches[index] {
                    Match::Object(object) => {
                        let class = objects.classes[object];
                        samples
                            .places
                            .push((samples.labels.len() * self.classes + class) as i64);
                        samples
                            .offsets
                            .push(coder.encode(&objects.corners[object], &candidates[index]));
                        class
                    }
                    Match::Background | Match::Ignored => 0,
                };
                samples.labels.push(class as i64);
            }
            samples
                .boxes
                .push(drawn.into_iter().map(|index| candidates[index]).collect());
        }
        samples
    }

    fn box_losses(
        &self,
        levels: &[Tensor<4>],
        samples: Samples,
        image: [usize; 2],
    ) -> [Tensor<1>; 2] {
        let count = samples.labels.len();
        if count == 0 {
            let Some(level) = levels.first() else {
                unreachable!("a pyramid has levels")
            };
            return [nothing(level.clone()), nothing(level.clone())];
        }
        let (scores, offsets) = self.classify(levels, &samples.boxes, image);
        let device = scores.device();
        let labels = Tensor::<1, Int>::from_data(TensorData::new(samples.labels, [count]), &device);
        let class_loss = losses::cross_entropy(scores, labels).mean();
        if samples.places.is_empty() {
            return [class_loss, nothing(offsets)];
        }
        let found = offsets
            .reshape([count * self.classes, 4])
            .select(0, indices(samples.places, &device));
        let wanted = rows(&samples.offsets, &device);
        let box_loss = losses::smooth_l1(found, wanted, BETA).sum() / count as f64;
        [class_loss, box_loss]
    }

    /// The objects of one image from its proposals, and the class probabilities and offsets of each.
    fn found(
        &self,
        proposals: &[Corners],
        probabilities: &[f32],
        offsets: &[f32],
        image: [usize; 2],
        options: &DetectOptions,
    ) -> Vec<Detection> {
        let coder = box_coder();
        let scored = probabilities
            .iter()
            .copied()
            .enumerate()
            .filter(|&(place, score)| place % self.classes != 0 && score > options.min_score)
            .map(|(place, score)| (score, place))
            .collect();
        let mut found = Vec::new();
        for (score, place) in best(scored, usize::MAX) {
            let offsets = std::array::from_fn(|index| offsets[place * 4 + index]);
            let corners = coder.decode(&offsets, &proposals[place / self.classes]);
            let corners = clip_to_image(&corners, image);
            if corners[2] - corners[0] >= SMALLEST && corners[3] - corners[1] >= SMALLEST {
                found.extend(detection(corners, place % self.classes, score));
            }
        }
        suppress(&found, options)
    }
}

fn box_coder() -> BoxCoder {
    BoxCoder::with_weights([10.0, 10.0, 5.0, 5.0])
}

/// The proposals that the loss of the boxes looks at.
#[derive(Default)]
struct Samples {
    /// Of each image.
    boxes: Vec<Vec<Corners>>,
    /// The class of each of them, of all images.
    labels: Vec<i64>,
    /// Those on objects: proposal times classes plus class.
    places: Vec<i64>,
    /// And the offsets that these are to learn.
    offsets: Vec<[f32; 4]>,
}

impl DetectionNetwork for FasterRcnnModel {
    fn losses(
        &self,
        images: Tensor<4>,
        targets: &[Vec<Annotation>],
    ) -> Vec<(&'static str, Tensor<1>)> {
        let [_, _, height, width] = images.dims();
        let levels = self.levels(images);
        let output = self.rpn.forward(&levels, [height, width]);
        let [candidates, proposals] = [self.options.candidates[0], self.options.proposals[0]];
        let proposals = output.proposals([height, width], candidates, proposals);
        let [objectness, proposal_boxes] = output.losses(
            targets,
            self.classes,
            self.options.proposal_samples,
            &proposals.seeds,
        );
        let samples = self.samples(&proposals, targets);
        let [classifier, boxes] = self.box_losses(&levels, samples, [height, width]);
        vec![
            ("loss_classifier", classifier),
            ("loss_box_reg", boxes),
            ("loss_objectness", objectness),
            ("loss_rpn_box_reg", proposal_boxes),
        ]
    }

    fn detect(&self, images: Tensor<4>, options: &DetectOptions) -> Vec<Vec<Detection>> {
        let [count, _, height, width] = images.dims();
        let image = [height, width];
        let levels = self.levels(images);
        let [candidates, proposals] = [self.options.candidates[1], self.options.proposals[1]];
        let proposals = self
            .rpn
            .forward(&levels, image)
            .proposals(image, candidates, proposals);
        // One image after another: the features of a thousand boxes take 50 MB.
        (0..count)
            .map(|index| {
                let boxes = &proposals.boxes[index];
                if boxes.is_empty() {
                    return Vec::new();
                }
                let of_image: Vec<Tensor<4>> = levels
                    .iter()
                    .map(|level| level.clone().narrow(0, index, 1))
                    .collect();
                let (scores, offsets) =
                    self.classify(&of_image, std::slice::from_ref(boxes), image);
                let probabilities = read(activation::softmax(scores, 1));
                self.found(boxes, &probabilities, &read(offsets), image, options)
            })
            .collect()
    }

    fn fold_norms(&mut self) {
        self.backbone.fold_norms();
    }

    fn encoder_prefixes(&self) -> Vec<&'static str> {
        vec!["backbone.body"]
    }
}
