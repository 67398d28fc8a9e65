//! Networks: encoders, U-Net, CenterNet, convolutions for the CPU, weights from elsewhere, bundles.
//!
//! An [`Architecture`] is a description that can be saved; [`Architecture::build`] makes a [`BoxedNetwork`] of it. Any
//! Burn module that implements [`Network`] is an [`AnyNetwork`] by a blanket implementation, also one defined in a cell
//! (through [`Architecture::custom`]).

mod arrays;
mod bands;
mod biased;
mod blueprint;
pub mod bundle;
pub mod catalog;
pub mod centernet;
pub(crate) mod choices;
pub mod classification;
pub mod conv;
mod deeplab;
pub mod detection;
mod efficientnet;
mod encoder;
mod error;
pub(crate) mod export;
mod fpn;
mod layers;
mod model;
pub(crate) mod module;
mod network;
mod normalization;
mod ops;
mod origin;
mod precision;
mod pyramid;
pub mod registry;
mod resnet;
mod state_dict;
mod task;
pub(crate) mod tensors;
mod trained_area;
mod unet;
pub mod weights;

pub use crate::optim::NamedTensors;
pub use bands::TrainedBand;
pub(crate) use blueprint::current_form;
pub use blueprint::{Architecture, Blueprint, ClassifierArchitecture, DetectorArchitecture};
pub use bundle::{BundleMeta, bundle_task, load_bundle, load_bundle_for, save_bundle};
pub use catalog::{Catalog, PublishedWeights};
pub use centernet::CenterNet;
pub use choices::{EncoderOptions, KnownNetwork, NetworkEntry};
pub use classification::{
    AnyClassificationNetwork, BoxedClassificationNetwork, ChipClassification,
    ClassificationNetwork, ImageClassifier, ImageClassifierModel,
};
pub use deeplab::{DeepLabV3, DeepLabV3Model, DeepLabV3Plus, DeepLabV3PlusModel};
pub use detection::{
    AnyDetectionNetwork, BoxedDetectionNetwork, DetectOptions, DetectionNetwork, FasterRcnn,
    ObjectDetection, RetinaNet,
};
pub use efficientnet::EfficientNetLite;
pub use encoder::{Encoder, EncoderKind};
pub use error::ModelError;
pub use fpn::{ExtraLevels, FeaturePyramid, ResNetFpn};
pub use layers::{Activation, BatchNorm2d, Conv2d, Conv2dConfig, Padding};
pub use model::{Classifier, Detector, Model, Segmenter};
pub use module::{AnyModule, parameters_under};
pub use network::{AnyNetwork, BoxedNetwork, Network};
pub use normalization::Normalization;
pub use precision::Precision;
pub use pyramid::{Fpn, FpnModel};
pub use resnet::{ResNet, ResNetConfig, ResNetKind};
pub use state_dict::{OtherShape, WeightsReport, load_state_dict};
pub use task::{Segmentation, Task};
pub use trained_area::TrainedArea;
pub use unet::{Unet, UnetModel};

#[cfg(test)]
mod fold_tests;
#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod parity_tests;
#[cfg(test)]
mod segmentation_tests;
#[cfg(test)]
mod tests;
