//! The wire: ZeroMQ sockets, signed frames, and the messages of the Jupyter protocol 5.5. What they ask is answered by
//! [`crate::front`].
//!
//! What strangers can reach is our own ([`zmtp`], [`gate`]): a library that believes the lengths that strangers name, or that
//! waits for each subscriber in turn, lets anybody on the machine stop the kernel. The ROUTER sockets behind the gate are
//! zeromq's ([`behind`], [`router`]): only messages whose signature is good get to them.
//!
//! **Invariant.** A message that cannot be read is logged and dropped, it never ends a loop.

pub(crate) mod behind;
mod colors;
pub(crate) mod complaints;
pub(crate) mod connection;
pub(crate) mod endpoint;
pub(crate) mod frames;
pub(crate) mod gate;
pub(crate) mod heartbeat;
pub(crate) mod iopub;
pub(crate) mod message;
pub(crate) mod messages;
pub(crate) mod outgoing;
pub(crate) mod replay;
pub(crate) mod request;
pub(crate) mod router;
pub(crate) mod sign;
pub(crate) mod users;
pub(crate) mod zmtp;

#[cfg(test)]
mod fuzz_tests;
#[cfg(test)]
mod router_tests;
