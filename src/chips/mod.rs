//! Chips: windows of a scene with their labels and boxes, sampled reproducibly and decoded in worker threads;
//! and sets of chips as files.

mod augment;
mod by_class;
mod chip;
mod class_ground;
mod error;
mod ground;
mod objects;
mod of_objects;
mod options;
mod parts;
mod place;
mod placing;
mod set;
mod show;
mod sizes;
mod stream;

pub use augment::{Affine, Augment, CopyPaste};
pub use chip::{Chip, Chips};
pub use error::ChipsError;
pub use options::ChipOptions;
pub use set::{ChipFolder, ChipSet, ChipSetError, ChipSetOptions, SavedChips};
pub use stream::ChipStream;
