//! The wire: ZeroMQ sockets, signed frames, and the conversation of the Jupyter protocol 5.5.
//!
//! **Invariants.** A message that cannot be read is logged and dropped, it never ends a loop. Every request is
//! surrounded by `busy` and `idle`, and `idle` comes after the last output of its cell. Nothing in this module waits
//! for the engine except the queue of cells ([`execute`]), completion and inspection.

mod comm;
mod complete;
mod connection;
mod control;
mod execute;
mod frames;
mod history_request;
mod inspect;
mod iopub;
mod is_complete;
mod kernel;
mod kernel_info;
mod message;
mod outputs;
mod parent;
mod request;
mod router;
mod shell;
mod sign;
mod stdin;
mod usage;

pub(crate) use execute::{execute_rust, execute_shell, run_captured};
pub(crate) use inspect::look_up;
pub(crate) use kernel::{Kernel, ServeOptions, serve};
pub(crate) use outputs::Stream;

#[cfg(test)]
mod fuzz;
