//! `swath-cell`: stands where evcxr expects cargo, and compiles a cell with one `rustc` and one link of one object.
//!
//! It is started under several names, by links in the session's private tool folder, and does what each name is
//! asked for; anything it does not know it hands to the real tool:
//! * `cargo`, `mold` (evcxr starts `mold -run cargo …`): `build` and `check` of the cells' crate;
//! * `rustup`: `which cargo` and `which rustc`, which evcxr asks for at its start;
//! * `rustc`, `cargo`: what rust-analyzer asks about the cells' crate;
//! * `swath-cc`: what rustc asks of a C compiler, where there is none;
//! * `swath-cell`: rustc's wrapper under the real cargo, when a cell has dependencies of its own.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that speaks with evcxr and cargo by its output"
)]

mod analyzer;
mod c_linker;
mod cargo;
mod check;
mod compile;
mod dependencies;
mod diagnostics;
mod identity;
mod link;
mod natives;
mod progress;
mod proof;
mod shapes;
mod wrapper;

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use swath_link::environment;
use swath_link::exchange::{self, SessionConfig};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let arguments: Vec<OsString> = arguments.collect();
    let Some(session) = exchange::session_dir() else {
        eprintln!(
            "swath-cell: {} is not set; the Swath kernel starts this program",
            environment::SESSION
        );
        return ExitCode::FAILURE;
    };
    let config: SessionConfig = match exchange::read(&exchange::config_path(&session)) {
        Ok(config) => config,
        Err(error) => {
            eprintln!(
                "swath-cell: cannot read the session's settings in {}: {error}",
                session.display()
            );
            return ExitCode::FAILURE;
        }
    };
    match Path::new(&program)
        .file_name()
        .and_then(|name| name.to_str())
    {
        Some("cargo") => cargo::run(&session, &config, &arguments),
        Some("mold") => run_as_mold(&session, &config, &arguments),
        Some("rustc") => analyzer::rustc(&config, &arguments),
        Some(c_linker::NAME) => c_linker::run(&session, &config, &arguments),
        Some("rustup") => run_as_rustup(&session, &config, &arguments),
        _ => wrapper::run(&session, &config, &arguments),
    }
}

/// `mold -run cargo ARGUMENTS…` is how evcxr has cargo link with mold.
fn run_as_mold(session: &Path, config: &SessionConfig, arguments: &[OsString]) -> ExitCode {
    match arguments {
        [run, tool, rest @ ..] if run == "-run" && is_ours(session, tool) => {
            cargo::run(session, config, rest)
        }
        [run, tool, rest @ ..] if run == "-run" => match &config.mold {
            Some(mold) => replace_by(Command::new(mold).arg("-run").arg(tool).args(rest)),
            None => replace_by(Command::new(tool).args(rest)),
        },
        _ => match &config.mold {
            Some(mold) => replace_by(Command::new(mold).args(arguments)),
            None => missing("mold"),
        },
    }
}

fn is_ours(session: &Path, tool: &OsString) -> bool {
    Path::new(tool).starts_with(session)
}

fn run_as_rustup(session: &Path, config: &SessionConfig, arguments: &[OsString]) -> ExitCode {
    match arguments {
        [which, tool] if which == "which" && tool == "cargo" => {
            println!("{}", session.join("bin/cargo").display());
            ExitCode::SUCCESS
        }
        [which, tool] if which == "which" && tool == "rustc" => {
            println!("{}", config.rustc.display());
            ExitCode::SUCCESS
        }
        // rust-analyzer would install the standard library's sources by itself.
        [component, ..] if component == "component" => ExitCode::FAILURE,
        _ => match &config.rustup {
            Some(rustup) => replace_by(Command::new(rustup).args(arguments)),
            None => missing("rustup"),
        },
    }
}

/// Becomes another program; returns only when that fails.
fn replace_by(command: &mut Command) -> ExitCode {
    let error = command.exec();
    eprintln!(
        "swath-cell: cannot start {}: {error}",
        command.get_program().display()
    );
    ExitCode::FAILURE
}

fn missing(tool: &str) -> ExitCode {
    eprintln!("swath-cell: {tool} is not installed");
    ExitCode::FAILURE
}
