//! Detection networks: what every one of them is, and how they are described.

mod architecture;
mod network;

pub use architecture::{Backbone, DetectorArchitecture};
pub use network::{
    AnyDetectionNetwork, BoxedDetectionNetwork, DetectOptions, DetectionNetwork, ObjectDetection,
};
