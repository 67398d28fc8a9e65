//! The Jupyter kernel "Rust (Swath)", its installer and the command `swath`, which is [`run`].
//!
//! [`Engine`] runs cells without Jupyter, for tests and tools: each process has one, since it sets variables of the
//! environment ([`mark_environment`], [`prepare_environment`]).

mod advice;
mod batch;
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
mod permissions;
mod shell_command;
mod submit;
mod syntax;
mod text;
mod toolchain;
mod umask;
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
    threads_of_job();
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

/// In a job of Slurm as many threads compute as it has processors, also where the cluster does not bind its tasks to them.
fn threads_of_job() {
    const THREADS: &str = "RAYON_NUM_THREADS";
    let given = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    // Without `--cpus-per-task` Slurm does not set it, and a task has what the job has on this node.
    let of_job = given("SLURM_JOB_ID")
        .and_then(|_| given("SLURM_CPUS_PER_TASK").or_else(|| given("SLURM_CPUS_ON_NODE")));
    let count = of_job.and_then(|count| count.parse::<usize>().ok());
    if given(THREADS).is_none()
        && let Some(count) = count.filter(|count| *count > 0)
    {
        let here = std::thread::available_parallelism().map_or(count, usize::from);
        // SAFETY: the process has only this thread yet.
        unsafe { std::env::set_var(THREADS, count.min(here).to_string()) };
    }
}
