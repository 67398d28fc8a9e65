//! Detection networks: what every one of them is, how they are described, and those with anchors: RetinaNet, Faster
//! R-CNN and their parts.

pub mod anchors;
pub mod assign;
pub mod coder;
mod common;
pub mod faster_rcnn;
pub mod losses;
mod network;
pub mod retinanet;
pub mod roi_align;
mod roi_ops;
mod rpn;
mod state_dict;

pub use faster_rcnn::FasterRcnn;
pub use network::{
    AnyDetectionNetwork, BoxedDetectionNetwork, DetectOptions, DetectionNetwork, ObjectDetection,
};
pub use retinanet::RetinaNet;

use super::CenterNet;
use super::registry::registered;

registered! {
    ObjectDetection: DETECTION {
        CenterNet, "CenterNet", "centernet", file "center-net", on [efficientnet_lite0, resnet18, resnet34];
        RetinaNet, "RetinaNet", "retinanet", file "retina-net", on [resnet18, resnet34, resnet50];
        FasterRcnn, "Faster R-CNN", "fasterrcnn", file "faster-rcnn", on [resnet18, resnet34, resnet50];
    }
}

#[cfg(test)]
mod behavior_tests;
#[cfg(test)]
mod models_tests;
#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod pieces_tests;
#[cfg(test)]
mod weights_tests;
