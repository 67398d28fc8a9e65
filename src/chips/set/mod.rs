//! Chip sets: chips as files, with their labels and a manifest, out of this library and into it.

mod archive;
mod boxes;
mod choose;
mod error;
#[cfg(test)]
mod fuzz_tests;
mod image;
mod image_sets;
mod layout;
mod lists;
mod manifest;
mod open;
mod options;
mod png;
mod publish;
mod read;
mod save;
mod saved;
mod told;
mod unread;

pub use error::ChipSetError;
pub use open::ChipFolder;
pub use options::ChipSetOptions;
pub use read::ChipSet;
pub use saved::SavedChips;
