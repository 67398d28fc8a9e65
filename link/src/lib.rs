//! What the kernel, `swath-cell` and the library's runtime of cells (`src/rt`) say to each other.
//!
//! * [`message`]: what the process of the cells tells and asks the front process, and the answers, framed by [`frame`];
//! * [`exchange`] and [`record`]: the files that the kernel and `swath-cell` exchange in the session's folder;
//! * [`environment`]: the names of the environment variables;
//! * [`bundle`]: the header of saved models, which the front process reads without the library;
//! * [`limits`]: what this process may use of a shared machine;
//! * [`output`]: standard output of commands, and whether all of it was written;
//! * [`permissions`]: what other users of the machine could change, for all programs alike;
//! * [`networks`]: the networks that the library registers;
//! * [`types`]: names of types as people write them.
//!
//! Each end is compiled by itself (the library is installed as a shared object of its own), so a message may come from
//! another version, and the socket's other end belongs to the user's code: whatever cannot be read is a
//! [`DecodeError`] that names it, and nothing is put in the place of a missing field.

pub mod bundle;
pub mod data_sets;
pub mod environment;
pub mod exchange;
pub mod frame;
pub mod limits;
pub mod message;
pub mod networks;
pub mod output;
pub mod permissions;
pub mod record;
pub mod types;

pub use message::DecodeError;
