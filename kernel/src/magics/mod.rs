//! Magics: `%name` lines and `%%name` cells. **One table** ([`table`]) stands behind running, `%lsmagic`, help,
//! completion and the documentation; those that make values expand to Rust over the library's API.

mod arguments;
mod assist;
#[cfg(test)]
mod book_tests;
mod commands;
mod expand;
mod fit;
#[cfg(test)]
mod fuzz_tests;
mod label_raster;
mod markdown;
mod negation;
mod parameters;
mod plan;
mod run;
mod startup;
mod strings;
mod table;
mod time;
mod views;

pub(crate) use assist::{Known, at_cursor, complete, is_cell_magic, without_magics};
pub(crate) use commands::run as run_command;
pub(crate) use markdown::reference;
pub(crate) use negation::Surroundings;
pub(crate) use plan::{Step, misread_negation, plan, without_marks_of_editors};
pub(crate) use run::{Outcome, failure, folder_code, help, run, variable_code};
pub(crate) use startup::{before_first_cell, tell_notes};
pub(crate) use strings::complete_string;
