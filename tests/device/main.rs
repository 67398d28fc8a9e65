//! The device suite: what runs on a GPU, run on the device of the session and compared with the CPU.
//!
//! `SWATH_DEVICE` says which device: `vulkan` with SwiftShader, a software driver, in `make test`; `cuda` on a GPU; and
//! `cuda` with the stand-in driver of `tests/driver`, where kernels are compiled and launched but not run, so that only
//! shapes are compared (`SWATH_NUMBERS=0`). The kernels' sources are the same on all of them: what differs is the code
//! generator.
//!
//! One process for all tests: kernels are compiled once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod lasting;
mod networks;
mod operations;
mod support;
mod training;
