//! The engine with the real library: `scripts/build-dylib.sh` must have run (or `SWATH_LIB_DIR` names its folder).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod corpus;
mod errors;
mod interrupts;
mod keeping;
mod output;
mod process;
mod session;
mod show;
mod trial;
mod variables;
