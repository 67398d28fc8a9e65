//! Conversations with the real program over real sockets that need no engine: protocol, front-end magics, shell
//! commands. Cells of Rust are tested in `tests/python`, with the engine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod cells; // execute_request: shell commands and magics, order, interrupt, abort
mod frontend; // the front end that the tests play
mod requests; // all other requests, damaged messages, start and end
