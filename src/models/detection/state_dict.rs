//! Torchvision's state dicts in RetinaNet and Faster R-CNN: of the encoder alone, or of a whole detector.
//!
//! Not through [`crate::models::load_state_dict`], which wants only the encoder complete and lets the rest keep its random
//! weights. A detector's file must hold every tensor but those of the classes, so that one of another detector or another
//! depth is refused; and an old file's variances have to change, by what only its names tell.

use std::path::Path;

use burn::module::Module;
use burn::tensor::TensorData;

use crate::Result;
use crate::models::{ModelError, NamedTensors, tensors, weights};

/// Where a detector has its encoder.
const BODY: &str = "backbone.body.";
/// The layers whose sizes depend on the classes.
const OF_CLASSES: [&str; 2] = [
    "head.classification_head.cls_logits.",
    "roi_heads.box_predictor.",
];
/// Our batch norms' epsilon, and torchvision's but for the detectors of its `COCO_V1` weights.
const EPSILON: f32 = 1e-5;

/// Puts a state dict, if there is one, into a detector: a whole detector's where its names say so, otherwise an
/// encoder's.
///
/// The layers whose sizes depend on the classes keep their random weights where the file is about other classes. The
/// first convolution is adapted to the bands.
///
/// # Errors
///
/// When the file cannot be read, or its tensors are not those of the network: then the error names the first ones.
pub(super) fn load<M: Module>(
    network: M,
    path: Option<&Path>,
    bands: usize,
    name: &str,
) -> Result<M> {
    let Some(path) = path else {
        return Ok(network);
    };
    let mut loaded = weights::load(path)?;
    let whole = loaded.keys().any(|name| name.starts_with(BODY));
    if whole {
        loaded = current(loaded);
    } else {
        loaded = loaded
            .into_iter()
            .map(|(name, data)| (format!("{BODY}{name}"), data))
            .collect();
    }
    if let Some(weight) = loaded.get_mut("backbone.body.conv1.weight") {
        *weight = weights::adapt_bands(weight, bands).map_err(|reason| ModelError::Weights {
            path: path.to_owned(),
            reason,
        })?;
    }
    if !whole {
        return Ok(tensors::load_part(network, &loaded, name, BODY)?);
    }
    for (own, data) in tensors::collect(&network.valid()) {
        let depends = OF_CLASSES.iter().any(|prefix| own.starts_with(prefix));
        let fits = loaded
            .get(&own)
            .is_some_and(|loaded| loaded.shape() == data.shape());
        if depends && !fits {
            loaded.insert(own, data);
        }
    }
    Ok(tensors::load(network, &loaded, name)?)
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
