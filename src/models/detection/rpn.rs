//! Region proposals: where objects of whatever class may be, after torchvision's `RegionProposalNetwork` (Ren et al.
//! 2015).

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

use super::anchors::AnchorGenerator;
use super::assign::{Match, Matcher, Sampler};
use super::coder::{BoxCoder, Corners, clip_to_image};
use super::common::{best, by_anchor, detection, head_conv, nothing, read, rows, usable};
use super::faster_rcnn::{BETA, CHANNELS, FasterRcnnOptions};
use super::losses;
use super::retinanet::climb;
use super::roi_align::indices;
use crate::boxes::{Annotation, Detection, batched_nms};
use crate::models::Conv2d;

/// Of two proposals of a level that overlap by more, the worse goes.
const OVERLAP: f64 = 0.7;
/// Smaller boxes are no proposals, in pixels.
const SMALLEST: f32 = 1e-3;

#[derive(Module, Debug)]
struct RpnHead {
    conv: Vec<Vec<Conv2d>>,
    cls_logits: Conv2d,
    bbox_pred: Conv2d,
}

/// The part of Faster R-CNN that proposes boxes.
#[derive(Module, Debug)]
pub(super) struct Rpn {
    head: RpnHead,
    #[module(skip)]
    anchors: AnchorGenerator,
}

impl Rpn {
    pub(super) fn new(options: &FasterRcnnOptions, device: &Device) -> Self {
        let anchors = AnchorGenerator::faster_rcnn(&options.anchor_sizes);
        let each = anchors.per_cell();
        Self {
            head: RpnHead {
                conv: vec![vec![head_conv([CHANNELS; 2], 3, device)]],
                cls_logits: head_conv([CHANNELS, each], 1, device),
                bbox_pred: head_conv([CHANNELS, each * 4], 1, device),
            },
            anchors,
        }
    }

    /// Scores and offsets of each level as the convolutions give them: `[n, anchors, h, w]`, `[n, anchors * 4, h, w]`.
    pub(super) fn heads(&self, levels: &[Tensor<4>]) -> Vec<(Tensor<4>, Tensor<4>)> {
        levels
            .iter()
            .map(|level| {
                let x = climb(&self.head.conv, level.clone());
                (
                    self.head.cls_logits.forward(x.clone()),
                    self.head.bbox_pred.forward(x),
                )
            })
            .collect()
    }

    /// `image` is the images' height and width before they were padded.
    pub(super) fn forward(&self, levels: &[Tensor<4>], image: [usize; 2]) -> RpnOutput {
        let maps: Vec<[usize; 2]> = levels
            .iter()
            .map(|level| [level.dims()[2], level.dims()[3]])
            .collect();
        let padded = image.map(|size| size.next_multiple_of(32));
        let (scores, offsets) = self
            .heads(levels)
            .into_iter()
            .map(|(scores, offsets)| (by_anchor(scores, 1), by_anchor(offsets, 4)))
            .unzip();
        RpnOutput {
            scores: Tensor::cat(scores, 1),
            offsets: Tensor::cat(offsets, 1),
            anchors: self.anchors.grid(&maps, padded),
        }
    }
}

/// What the head says of the anchors of all levels.
pub(super) struct RpnOutput {
    /// Scores before the sigmoid, `[n, anchors, 1]`.
    scores: Tensor<3>,
    /// `[n, anchors, 4]`.
    offsets: Tensor<3>,
    /// The anchors of each level.
    anchors: Vec<Vec<Corners>>,
}

/// The proposals of a batch.
pub(super) struct Proposals {
    /// Of each image, best first.
    pub(super) boxes: Vec<Vec<Corners>>,
    /// For the drawing of samples, one an image. They come from the scores: so a run repeated from its seed draws the
    /// same samples, and a resumed one has no generator to restore.
    pub(super) seeds: Vec<u64>,
}

impl RpnOutput {
    /// The best boxes of each level, and of these the best `proposals` that do not overlap within their level. No
    /// gradient flows through them.
    pub(super) fn proposals(
        &self,
        image: [usize; 2],
        candidates: usize,
        proposals: usize,
    ) -> Proposals {
        let anchors: usize = self.anchors.iter().map(Vec::len).sum();
        let scores = read(self.scores.clone().detach());
        let offsets = read(self.offsets.clone().detach());
        let (boxes, seeds) = scores
            .par_chunks_exact(anchors.max(1))
            .zip(offsets.par_chunks_exact((anchors * 4).max(1)))
            .map(|(scores, offsets)| {
                let boxes = self.of_image(scores, offsets, image, candidates);
                (boxes.into_iter().take(proposals).collect(), seed(scores))
            })
            .unzip();
        Proposals { boxes, seeds }
    }

    fn of_image(
        &self,
        scores: &[f32],
        offsets: &[f32],
        image: [usize; 2],
        candidates: usize,
    ) -> Vec<Corners> {
        let coder = BoxCoder::new();
        let mut found: Vec<Detection> = Vec::new();
        let mut corners_of: Vec<Corners> = Vec::new();
        let mut first = 0;
        for (level, anchors) in self.anchors.iter().enumerate() {
            let scored = (0..anchors.len())
                .map(|index| (scores[first + index], index))
                .collect();
            for (score, index) in best(scored, candidates) {
                let offsets = std::array::from_fn(|part| offsets[(first + index) * 4 + part]);
                let corners = clip_to_image(&coder.decode(&offsets, &anchors[index]), image);
                if corners[2] - corners[0] < SMALLEST || corners[3] - corners[1] < SMALLEST {
                    continue;
                }
                // The level in the place of the class: levels are suppressed apart.
                let probability = 1.0 / (1.0 + (-score).exp());
                if let Some(detection) = detection(corners, level, probability) {
                    found.push(detection);
                    corners_of.push(corners);
                }
            }
            first += anchors.len();
        }
        batched_nms(&found, OVERLAP)
            .into_iter()
            .map(|index| corners_of[index])
            .collect()
    }

    /// The losses of scores and of offsets.
    pub(super) fn losses(
        self,
        targets: &[Vec<Annotation>],
        classes: usize,
        samples: usize,
        seeds: &[u64],
    ) -> [Tensor<1>; 2] {
        let matcher = Matcher {
            object_iou: 0.7,
            background_iou: 0.3,
            keep_best: true,
        };
        let sampler = Sampler {
            per_image: samples,
            object_share: 0.5,
        };
        let coder = BoxCoder::new();
        let anchors = self.anchors.concat();
        let (mut places, mut right) = (Vec::new(), Vec::new());
        let (mut on_objects, mut offsets) = (Vec::new(), Vec::new());
        for (image, (target, &seed)) in targets.iter().zip(seeds).enumerate() {
            let objects = usable(target, classes);
            let matches = matcher.assign(&objects.corners, &anchors);
            let (drawn, background) = sampler.draw(&matches, seed);
            let place = |index: usize| (image * anchors.len() + index) as i64;
            for index in drawn {
                if let Match::Object(object) = matches[index] {
                    on_objects.push(place(index));
                    offsets.push(coder.encode(&objects.corners[object], &anchors[index]));
                    places.push(place(index));
                    right.push(1.0f32);
                }
            }
            for index in background {
                places.push(place(index));
                right.push(0.0);
            }
        }
        let device = self.scores.device();
        let [images, count, _] = self.scores.dims();
        let drawn = places.len();
        if drawn == 0 {
            return [nothing(self.scores), nothing(self.offsets)];
        }
        let scores = self
            .scores
            .reshape([images * count, 1])
            .select(0, indices(places, &device));
        let right = Tensor::<2>::from_data(TensorData::new(right, [drawn, 1]), &device);
        let score_loss = losses::binary_cross_entropy(scores, right).mean();
        if on_objects.is_empty() {
            return [score_loss, nothing(self.offsets)];
        }
        let found = self
            .offsets
            .reshape([images * count, 4])
            .select(0, indices(on_objects, &device));
        let box_loss = losses::smooth_l1(found, rows(&offsets, &device), BETA).sum();
        [score_loss, box_loss / drawn as f64]
    }
}

/// FNV-1a of the values.
fn seed(values: &[f32]) -> u64 {
    values.iter().fold(0xcbf2_9ce4_8422_2325, |hash, value| {
        (hash ^ u64::from(value.to_bits())).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
