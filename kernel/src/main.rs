//! The program `swath`: the Jupyter kernel, its installer and the library's command line.

mod advice;
mod cli;
mod commands;
mod doctor;
mod eval;
mod forward;
#[cfg(test)]
mod fuzz;
mod history;
mod install;
mod loader;
mod log;
mod magics;
mod networks;
mod parse;
mod shell_command;
mod syntax;
mod text;
mod toolchain;
mod wire;

fn main() -> std::process::ExitCode {
    eval::child::run_if_child();
    eval::mark_environment();
    if let Some(code) = eval::trial::run_if_asked() {
        return code;
    }
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
