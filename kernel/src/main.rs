//! The program `swath`: the Jupyter kernel, its installer and the library's command line.

mod cli;
mod eval;
mod history;
mod log;
mod magics;
mod shell_command;
mod syntax;
mod text;
mod toolchain;
mod wire;

fn main() -> std::process::ExitCode {
    eval::child::run_if_child();
    if let Some(code) = eval::trial::run_if_asked() {
        return code;
    }
    shell_command::remember_environment();
    cli::run()
}
