//! The wire: ZeroMQ sockets, signed frames, and the conversation of the Jupyter protocol 5.5.
//!
//! What strangers can reach is our own ([`zmtp`], [`gate`]): a library that believes the lengths that strangers name, or that
//! waits for each subscriber in turn, lets anybody on the machine stop the kernel. The ROUTER sockets behind the gate are
//! zeromq's ([`behind`], [`router`]): only messages whose signature is good get to them.
//!
//! **Invariants.** A message that cannot be read is logged and dropped, it never ends a loop. Every request is
//! surrounded by `busy` and `idle`, and `idle` comes after the last output of its cell. Nothing in this module waits
//! for the engine except the queue of cells ([`execute`]), completion and inspection.

mod behind;
mod colors;
mod comm;
mod complaints;
mod complete;
mod connection;
mod control;
mod endpoint;
mod execute;
mod frames;
mod gate;
mod heartbeat;
mod history_request;
mod inspect;
mod iopub;
mod is_complete;
mod kernel;
mod kernel_info;
mod message;
mod messages;
mod outgoing;
mod outputs;
mod parent;
mod replay;
mod request;
mod router;
mod shell;
mod sign;
mod signals;
mod stdin;
mod threads;
mod usage;
mod zmtp;

pub(crate) use execute::{execute_rust, execute_shell, run_captured, run_silently};
pub(crate) use inspect::{look_up, media};
pub(crate) use kernel::{Kernel, ServeOptions, serve};
pub(crate) use outputs::Stream;

#[cfg(test)]
mod fuzz_tests;
#[cfg(test)]
mod router_tests;
