//! The engine with the real library: `scripts/build-dylib.sh` must have run (or `SWATH_LIB_DIR` names its folder).

#![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

mod corpus;
mod errors;
mod interrupts;
mod keeping;
mod output;
mod process;
mod session;
mod show;
mod variables;
