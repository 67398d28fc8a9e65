//! Magics: `%name` lines and `%%name` cells. **One table** ([`table`]) stands behind running, `%lsmagic`, help,
//! completion and the documentation; those that make values expand to Rust over the library's API.

pub(crate) mod arguments;
mod assist;
#[cfg(test)]
mod book_tests;
pub(crate) mod expand;
mod fit;
#[cfg(test)]
mod fuzz_tests;
mod label_raster;
pub(crate) mod markdown;
mod negation;
pub(crate) mod parameters;
pub(crate) mod plan;
mod scene;
mod scenes;
mod strings;
pub(crate) mod table;
mod time;
mod views;

pub(crate) use assist::{Known, at_cursor, complete, is_cell_magic, without_magics};
pub(crate) use fit::loader;
pub(crate) use markdown::reference;
pub(crate) use negation::Surroundings;
pub(crate) use plan::{Step, misread_negation, plan, without_marks_of_editors};
pub(crate) use strings::complete_string;
