//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::eval::EngineOptions;
use crate::toolchain::{Toolchain, program_folder};
use crate::wire::{ServeOptions, serve};

#[derive(Parser)]
#[command(
    name = "swath",
    version,
    about = "Geospatial deep learning in Rust notebooks"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the Jupyter kernel (Jupyter calls this)
    Kernel {
        /// Jupyter's connection file
        #[arg(short = 'f', long = "connection-file", value_name = "FILE")]
        connection_file: PathBuf,
    },
    /// Writes the reference page of the magics
    Magics,
}

/// Runs the command of this process.
pub(crate) fn run() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::Kernel { connection_file } => kernel(connection_file),
        Command::Magics => {
            print(&crate::magics::reference());
            Ok(())
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            crate::log::warn(&reason);
            ExitCode::FAILURE
        }
    }
}

fn print(text: &str) {
    use std::io::Write;
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn kernel(connection_file: PathBuf) -> Result<(), String> {
    crate::eval::prepare_environment();
    let lib_dir = program_folder();
    // A kernel without a toolchain still answers: its cells say what is missing.
    let toolchain = Toolchain::find(&lib_dir)
        .map(|toolchain| toolchain.sysroot)
        .unwrap_or_else(|reason| {
            crate::log::warn(&reason);
            PathBuf::new()
        });
    let working_dir = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    let engine = EngineOptions {
        lib_dir,
        toolchain,
        working_dir,
        cell_tool: None,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .thread_name("wire")
        .enable_all()
        .build()
        .map_err(|error| format!("the kernel's threads cannot start: {error}"))?;
    let ended = runtime.block_on(serve(ServeOptions {
        connection_file,
        engine,
    }));
    // Threads of the engine that are still busy must not hold up the end.
    runtime.shutdown_background();
    ended
}
