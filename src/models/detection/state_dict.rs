//! State dicts in detectors: of the encoder alone, or of a whole detector.

use burn::tensor::TensorData;

use super::{AnyDetectionNetwork, ObjectDetection};
use crate::Result;
use crate::models::state_dict::{Strictness, load_state_dict_with};
use crate::models::{NamedTensors, WeightsReport};

/// Where torchvision's detectors have their encoder.
const BODY: &str = "backbone.body.";
/// The names that only the file of a whole detector has: the encoder in torchvision's, the heat map in a CenterNet's.
const OF_DETECTORS: [&str; 2] = [BODY, "heat."];
/// The layers whose sizes depend on the classes.
const OF_CLASSES: [&str; 3] = [
    "head.classification_head.cls_logits",
    "roi_heads.box_predictor",
    "heat.out",
];
/// Our batch norms' epsilon, and torchvision's but for the detectors of its `COCO_V1` weights.
const EPSILON: f32 = 1e-5;

/// Puts a state dict into a detector: a whole detector's where its names say so, otherwise an encoder's.
///
/// A detector's file must hold every tensor but those of the classes, so that one of another detector or another depth is
/// refused. The first convolution is adapted to the bands.
///
/// # Errors
///
/// When the tensors are not those of the network: then the error names the first ones, and the network is unchanged.
pub(super) fn load(
    network: &mut (dyn AnyDetectionNetwork + 'static),
    name: &str,
    file: NamedTensors,
) -> Result<WeightsReport> {
    let file = current(file);
    let of_a_detector = |name: &String| OF_DETECTORS.iter().any(|part| name.starts_with(part));
    let strictness = if file.keys().any(of_a_detector) {
        Strictness::AllBut(&OF_CLASSES)
    } else {
        Strictness::Encoder
    };
    load_state_dict_with::<ObjectDetection>(network, name, &file, strictness)
}

/// The names of today's torchvision, where the file has those of before version 0.13: convolutions of the pyramid and the
/// heads without the number of a `Sequential`.
///
/// These are the `COCO_V1` weights, trained when torchvision's frozen batch norms had no epsilon: it loads them and then
/// calls `overwrite_eps(model, 0.0)` (`faster_rcnn.py`, `retinanet.py`, version 0.29). No newer file has these names. As
/// our norms have an epsilon, it is taken off the variances, which comes to the same.
fn current(tensors: NamedTensors) -> NamedTensors {
    let mut old = false;
    let mut renamed: NamedTensors = tensors
        .into_iter()
        .map(|(name, data)| match current_name(&name) {
            Some(name) => {
                old = true;
                (name, data)
            }
            None => (name, data),
        })
        .collect();
    if old {
        for (name, data) in &mut renamed {
            if name.starts_with(BODY)
                && name.ends_with("running_var")
                && let Ok(values) = data.as_slice::<f32>()
            {
                let values: Vec<f32> = values.iter().map(|value| value - EPSILON).collect();
                *data = TensorData::new(values, data.shape().to_vec());
            }
        }
    }
    renamed
}

/// The name of today, where this is one of before.
fn current_name(name: &str) -> Option<String> {
    let (parts, kind) = name.rsplit_once('.')?;
    let (start, number) = match parts {
        "rpn.head.conv" => return Some(format!("rpn.head.conv.0.0.{kind}")),
        _ => parts.rsplit_once('.')?,
    };
    let number: usize = number.parse().ok()?;
    match start {
        "backbone.fpn.inner_blocks" | "backbone.fpn.layer_blocks" => {
            Some(format!("{start}.{number}.0.{kind}"))
        }
        // A ReLU stood between the convolutions and had a number too.
        "head.classification_head.conv" | "head.regression_head.conv" => {
            Some(format!("{start}.{}.0.{kind}", number / 2))
        }
        _ => None,
    }
}
