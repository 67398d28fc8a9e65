//! A scene: imagery, labels, boxes, the area in use.

mod area;
mod bands;
mod box_files;
mod boxes;
mod colors;
mod drawn;
mod error;
mod label_place;
mod label_raster;
mod label_reading;
mod labeling;
mod only;
mod open;
mod overlap;
mod partial;
mod parts;
mod picture;
mod quicklook;
mod read;
pub(crate) mod seen;
mod show;
mod split;
mod zoom;

pub use area::AreaOfInterest;
pub(crate) use box_files::{is_background, is_box_file, notices};
pub(crate) use boxes::{around, bounds_of};
pub use error::SceneError;
pub use open::Scene;
pub(crate) use picture::Over;
pub(crate) use quicklook::Quicklook;
pub(crate) use show::classes_text;
pub use split::Split;
