//! Detection networks: what every one of them is, how they are described, and the parts of those with anchors.

pub mod anchors;
mod architecture;
pub mod assign;
pub mod coder;
pub mod losses;
mod network;
pub mod roi_align;
mod roi_ops;

pub use architecture::{Backbone, DetectorArchitecture};
pub use network::{
    AnyDetectionNetwork, BoxedDetectionNetwork, DetectOptions, DetectionNetwork, ObjectDetection,
};

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod pieces_tests;
