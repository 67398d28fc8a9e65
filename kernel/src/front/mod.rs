//! The conversation with front ends: the queue of cells, questions, and the magics that the kernel itself answers.
//!
//! **Invariants.** Every request is surrounded by `busy` and `idle`, and `idle` comes after the last output of its cell. Nothing in
//! this module waits for the engine except the queue of cells ([`execute`]), completion and inspection.

mod built_ins;
mod comm;
mod commands;
mod complete;
mod control;
mod execute;
mod history_request;
mod inspect;
pub(crate) mod is_complete;
mod kernel;
pub(crate) mod kernel_info;
mod outputs;
mod parent;
mod shell;
mod signals;
mod startup;
mod stdin;
mod submit;
mod threads;
mod usage;

pub(crate) use kernel::{ServeOptions, serve};
