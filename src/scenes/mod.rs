//! Many scenes as one: opened together, labeled together, split by scene, group or column, cut into chips, scored as a whole.

mod bands;
mod box_images;
mod collection;
mod error;
mod footprint;
#[cfg(test)]
mod fuzz_tests;
mod image_classes;
mod labeled;
mod labels;
mod name;
mod open;
mod shares;
mod show;
mod split;
mod stac;
mod statistics;
mod table;

pub(crate) use box_images::shared_boxes;
pub use collection::Scenes;
pub use error::ScenesError;
pub(crate) use error::opened_by;
pub use labels::LabelFiles;
pub(crate) use labels::label_file;
pub(crate) use name::{names, told_apart};
pub(crate) use open::{ListedImage, ListedScene, in_order, listed_files};
pub use open::{SceneFiles, ScenesOptions};
pub use shares::ClassShares;
pub use split::SceneSplit;
