//! Magics: `%name` lines and `%%name` cells. **One table** ([`table`]) stands behind running, `%lsmagic`, help,
//! completion and the documentation; those that make values expand to Rust over the library's API.

mod arguments;
mod assist;
mod expand;
mod fit;
#[cfg(test)]
mod fuzz;
mod label_raster;
mod markdown;
mod plan;
mod run;
mod table;
mod time;

pub(crate) use assist::{at_cursor, complete, is_cell_magic, without_magics};
pub(crate) use markdown::reference;
pub(crate) use plan::{Step, plan};
pub(crate) use run::{Outcome, failure, folder_code, help, run, variable_code};
