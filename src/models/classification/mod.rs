//! Chip classification: one class for a whole image.

mod image_classifier;
mod network;

pub use image_classifier::{ImageClassifier, ImageClassifierModel};
pub use network::{
    AnyClassificationNetwork, BoxedClassificationNetwork, ChipClassification, ClassificationNetwork,
};
