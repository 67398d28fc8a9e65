//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::eval::EngineOptions;
use crate::install::{CommandLink, InstallOptions, Place, Translator};
use crate::toolchain::{Toolchain, library_folder};
use crate::wire::{ServeOptions, serve};
use crate::{doctor, forward, install};

#[derive(Parser)]
#[command(
    name = "swath",
    version,
    about = "Geospatial deep learning in Rust notebooks",
    after_help = "Commands of the library: info, data list, data fetch, sample town, predict, evaluate.\n\
                  `swath COMMAND --help` explains one."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the Jupyter kernel (Jupyter calls this)
    Kernel {
        /// Jupyter's connection file
        #[arg(short = 'f', long = "connection-file", value_name = "FILE")]
        connection_file: PathBuf,
        /// What `jupyter run FILE` hands on, the names of its files, which it runs itself
        #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
        for_others: Vec<OsString>,
    },
    /// Install the kernel "Rust (Swath)" for Jupyter
    Install {
        #[command(flatten)]
        place: PlaceArguments,
        /// What Jupyter's launcher shows
        #[arg(long, default_value = "Rust (Swath)")]
        display_name: String,
        /// A variable of the kernel's environment; can be given several times
        #[arg(long, num_args = 2, value_names = ["NAME", "VALUE"])]
        env: Vec<String>,
    },
    /// Remove the kernel
    Uninstall {
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// Say what is missing on this machine, and the command that mends it
    Doctor,
    /// Write the reference page of the magics
    #[command(hide = true)]
    Magics,
    /// Commands of the library: data, info, predict, evaluate
    #[command(external_subcommand)]
    Library(Vec<OsString>),
}

#[derive(Args)]
struct PlaceArguments {
    /// For this user (the default)
    #[arg(long, conflicts_with_all = ["sys_prefix", "prefix"])]
    user: bool,
    /// Into the active Python or conda environment
    #[arg(long, conflicts_with = "prefix")]
    sys_prefix: bool,
    /// Into DIR/lib/swath and DIR/share/jupyter
    #[arg(long, value_name = "DIR")]
    prefix: Option<PathBuf>,
    /// The kernel's name
    #[arg(long, default_value = "swath")]
    name: String,
}

impl PlaceArguments {
    fn place(&self) -> Place {
        match &self.prefix {
            Some(prefix) => Place::Prefix(prefix.clone()),
            None if self.sys_prefix => Place::SysPrefix,
            None => Place::User,
        }
    }
}

/// Runs the command of this process.
pub(crate) fn run() -> ExitCode {
    run_command(Cli::parse().command).unwrap_or_else(|reason| {
        crate::log::warn(&reason);
        ExitCode::FAILURE
    })
}

fn run_command(command: Command) -> Result<ExitCode, String> {
    match command {
        Command::Kernel {
            connection_file, ..
        } => kernel(connection_file)?,
        Command::Install {
            place,
            display_name,
            env,
        } => {
            let env = env
                .chunks_exact(2)
                .map(|pair| (pair[0].clone(), pair[1].clone()))
                .collect();
            let options = InstallOptions {
                place: place.place(),
                name: place.name,
                display_name,
                env,
            };
            let installed = install::install(&options)?;
            print(&format!(
                "program and library: {}\n",
                installed.program_folder.display()
            ));
            print(&format!(
                "kernelspec:          {}\n",
                installed.spec_folder.display()
            ));
            print(&match installed.command {
                CommandLink::Made(path) => format!("command:             {}\n", path.display()),
                CommandLink::Left(why) => format!("no command `swath`:  {why}\n"),
            });
            print(&match installed.papermill {
                Translator::Made(path) => format!("for papermill:       {}\n", path.display()),
                Translator::Left(why) => format!("nothing for papermill: {why}\n"),
            });
        }
        Command::Uninstall { place } => {
            for folder in install::uninstall(&place.place(), &place.name)? {
                print(&format!("removed {}\n", folder.display()));
            }
        }
        Command::Doctor => {
            return Ok(if doctor::examine(print) {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }
        Command::Magics => print(&crate::magics::reference()),
        Command::Library(arguments) => return forward::forward(&arguments),
    }
    Ok(ExitCode::SUCCESS)
}

/// A closed pipe is no reason to panic.
fn print(text: &str) {
    use std::io::Write;
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn kernel(connection_file: PathBuf) -> Result<(), String> {
    crate::eval::prepare_environment();
    let lib_dir = library_folder();
    // A kernel without a toolchain still answers: its cells say what is missing.
    let toolchain = Toolchain::find(&lib_dir)
        .map(|toolchain| toolchain.sysroot)
        .unwrap_or_else(|reason| {
            crate::log::warn(&reason);
            PathBuf::new()
        });
    let working_dir = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    let engine = EngineOptions {
        program: None,
        lib_dir,
        toolchain,
        working_dir,
        cell_tool: None,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .thread_name("wire")
        .thread_stack_size(8 << 20)
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
