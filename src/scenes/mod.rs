//! Many scenes as one: opened together, labeled together, split by scene, group or column, cut into chips, scored as a whole.

mod bands;
mod collection;
mod error;
mod footprint;
mod labeled;
mod labels;
mod name;
mod open;
mod show;
mod split;
mod stac;
mod statistics;
mod table;

pub use collection::Scenes;
pub use error::ScenesError;
pub use labels::LabelFiles;
pub use open::{SceneFiles, ScenesOptions};
pub use split::SceneSplit;
