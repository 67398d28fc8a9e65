//! Notebooks in batch jobs: `swath run` runs one from the first cell to the last, without Jupyter and without Python; `swath
//! init --from` reads the choices of one without running it.
//!
//! - [`notebook`]: the file, read, and written whole or not at all
//! - [`parameters`]: values of the command line as Rust, and the cell that sets them
//! - [`client`]: a kernel of its own, and the conversation with it
//! - [`recorder`]: from what a cell says to the outputs that a notebook keeps
//! - [`narrator`]: lines for a log, or for programs
//! - [`init`]: a project file with the choices of a notebook

mod client;
pub(crate) mod init;
mod narrator;
mod notebook;
mod parameters;
mod recorder;
mod runner;

pub(crate) use runner::run;
