//! Prediction of whole scenes in bounded memory, and the map it makes.
//!
//! [`predict_scene`] streams: see there for what it holds in memory and how windows are blended. It makes a
//! [`SceneMap`], which shows itself over the imagery, is scored by [`SceneMap::evaluate`] and saved by
//! [`SceneMap::save`]. [`SceneMap::objects`] measures what was found, [`SceneMap::threshold`] changes how much that is,
//! [`SceneMap::errors`] and [`SceneMap::worst`] show where it is wrong.

mod arrays;
mod at_threshold;
mod batch;
mod blend_strip;
mod box_feature;
mod ensemble;
mod error;
mod error_map;
mod files;
mod ground;
mod many;
mod map;
mod mosaic;
mod network;
mod objects;
mod objects_save;
mod objects_show;
mod open;
mod options;
mod ours;
mod polygons;
mod predict_to;
mod predictable;
mod publish;
mod raw;
mod record;
mod runner;
mod save;
mod scene;
mod score_type;
mod segmentation;
mod show;
mod stream;
mod style;
mod threshold;
mod threshold_choice;
mod tiling;
mod tta;
mod values;
mod windows;
mod worst;

#[cfg(test)]
mod map_tests;
#[cfg(test)]
mod store_tests;

pub use at_threshold::AtThreshold;
pub use ensemble::Ensemble;
pub use error::PredictError;
pub use error_map::ErrorMap;
pub use many::{Imagery, Predictions, ScenesScores};
pub(crate) use map::pixel_size_of;
pub use map::{SceneMap, score_class_map};
pub use objects::{Object, Objects};
pub use options::{MapOptions, OptionsFor, PredictOptions};
pub use predict_to::SavedScenes;
pub(crate) use predictable::same_bands;
pub use predictable::{Member, Predictable};
pub use save::{SaveOptions, SavedFiles};
pub use scene::predict_scene;
pub use score_type::ScoreType;
pub use threshold_choice::{IntoThreshold, ThresholdChoice, ThresholdPoint};
pub use worst::{WorstWindow, WorstWindows};

pub(crate) use crate::session::progress::{self, Progress};
pub(crate) use batch::BatchSize;
pub(crate) use box_feature::{box_feature, ground_place};
pub(crate) use files::{label_options, score_options};
pub(crate) use ground::ground_pixel;
pub(crate) use mosaic::join_classes;
pub(crate) use network::Inputs;
pub(crate) use objects::Ruler;
pub(crate) use open::saved_classes;
pub(crate) use ours::check_folder_name;
pub(crate) use publish::publish_set;
pub(crate) use record::{Record, digest, work_on};
pub(crate) use runner::{Failed, Runner, on_device, placed};
pub(crate) use save::{staging_folder, write_synced};
pub(crate) use threshold::{choose, chosen_on};
pub(crate) use tiling::{Layout, check_probability, wrong};
pub(crate) use tta::TtaView;
pub(crate) use values::{FOR_TRAINING, Known, compare, in_order_of};
