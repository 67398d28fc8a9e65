//! The Jupyter kernel "Rust (Swath)", its installer and the command `swath`, which is [`run`].
//!
//! [`Engine`] runs cells without Jupyter, for tests and tools: each process has one, since it sets variables of the
//! environment ([`mark_environment`], [`prepare_environment`]).

mod advice;
mod cli;
mod commands;
mod doctor;
mod error_report;
mod eval;
mod forward;
mod front;
#[cfg(test)]
#[path = "../../tests/fuzz/harness.rs"]
mod fuzz_harness;
#[cfg(test)]
mod fuzz_words_tests;
mod history;
mod install;
mod loader;
mod log;
mod magics;
mod man_pages;
mod natives;
mod notebooks;
mod nvidia;
mod parse;
mod paths;
mod shell_command;
mod syntax;
mod text;
mod toolchain;
mod wire;

pub use eval::{
    Answer, CellStatus, Completion, Completions, Engine, EngineOptions, ErrorReport,
    ExecuteOptions, MimeBundle, OutputEvent, OutputSink, Variable, mark_environment,
    prepare_environment,
};

/// The program `swath`. Call it first thing in `main`: it may become the process in which cells run, and it sets variables of
/// the environment.
#[must_use]
pub fn run() -> std::process::ExitCode {
    eval::child::run_if_child();
    eval::mark_environment();
    toolchain::complete_search_path();
    shell_command::remember_environment();
    complete_environment();
    cli::run()
}

/// A server that starts kernels with an empty environment leaves out `HOME`, which cargo needs.
fn complete_environment() {
    if std::env::var_os("HOME").is_none()
        && let Some(home) = dirs::home_dir()
    {
        // SAFETY: the process has only this thread yet.
        unsafe { std::env::set_var("HOME", home) };
    }
}
