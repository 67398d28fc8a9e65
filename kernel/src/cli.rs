//! The command line.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use swath_cli::{
    Command, InstallArguments, KernelArguments, ManArguments, PlaceArguments, ProgramCommand, Shell,
};

use swath_link::output::{self, print};

use crate::doctor::DoctorOptions;
use crate::eval::EngineOptions;
use crate::front::{ServeOptions, serve};
use crate::install::{Bring, CommandLink, InstallOptions, Place, Translator};
use crate::toolchain::{Toolchain, library_folder};
use crate::{doctor, forward, install, man_pages, notebooks, permissions, umask};

/// Runs the command of this process. What a person may have meant is answered here; only what the library does opens it.
pub(crate) fn run() -> ExitCode {
    let command = match swath_cli::parse(std::env::args_os()) {
        Ok(command) => command,
        Err(mistake) => {
            let code = u8::try_from(mistake.exit_code()).unwrap_or(2);
            // Help and versions go to standard output.
            output::remember(mistake.print());
            return told_or_failed(ExitCode::from(code), code == 0);
        }
    };
    // What the kernel has to say goes to Jupyter's log, where its name is before it.
    let is_kernel = matches!(command, Command::Program(ProgramCommand::Kernel(_)));
    let done = match command {
        Command::Library(_) => forward::forward(std::env::args_os().skip(1)),
        Command::Program(command) => run_command(command),
    };
    let done = done.map(|code| told_or_failed(code, code == ExitCode::SUCCESS));
    done.unwrap_or_else(|reason| {
        if is_kernel {
            crate::log::warn(&reason);
        } else {
            let _ = writeln!(std::io::stderr(), "error: {reason}");
        }
        ExitCode::FAILURE
    })
}

fn run_command(command: ProgramCommand) -> Result<ExitCode, String> {
    match command {
        ProgramCommand::Kernel(KernelArguments {
            connection_file, ..
        }) => kernel(connection_file)?,
        ProgramCommand::Run(arguments) => {
            return Ok(ExitCode::from(crate::batch::run(&arguments)));
        }
        ProgramCommand::Init(arguments) => {
            print(&crate::batch::init::init(&arguments)?);
        }
        ProgramCommand::Install(arguments) => say_installed(arguments)?,
        ProgramCommand::Uninstall(arguments) => {
            let done = install::uninstall(&place(&arguments.place), &arguments.place.name)?;
            for path in done.removed {
                print(&format!("removed {}\n", path.display()));
            }
            for path in done.left {
                print(&format!(
                    "left {}, which was not installed\n",
                    path.display()
                ));
            }
        }
        ProgramCommand::Submit(arguments) => return crate::submit::submit(&arguments),
        ProgramCommand::Doctor(arguments) => {
            let options = DoctorOptions {
                json: arguments.json,
                as_other_user: arguments.as_other_user,
            };
            return Ok(if doctor::examine(options, print)? {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }
        ProgramCommand::Notebooks(arguments) => print(&notebooks::write(
            &arguments.folder,
            arguments.with_outputs,
            arguments.force,
        )?),
        ProgramCommand::Completions(arguments) => print(&completions(arguments.shell)),
        ProgramCommand::Man(ManArguments { out: None }) => {
            print(&man_pages::page().map_err(|error| format!("there is no man page: {error}"))?);
        }
        ProgramCommand::Man(ManArguments { out: Some(folder) }) => {
            man_pages::write(&folder).map_err(|error| {
                format!(
                    "the man pages cannot be written: {error}: {}",
                    folder.display()
                )
            })?;
            print(&format!("man pages in {}\n", folder.display()));
        }
        ProgramCommand::Magics => print(&crate::magics::reference()),
        ProgramCommand::Commands => print(&swath_cli::reference()),
    }
    Ok(ExitCode::SUCCESS)
}

fn place(arguments: &PlaceArguments) -> Place {
    match &arguments.prefix {
        Some(prefix) => Place::Prefix(prefix.clone()),
        None if arguments.sys_prefix => Place::SysPrefix,
        None => Place::User,
    }
}

fn say_installed(arguments: InstallArguments) -> Result<(), String> {
    umask::keep_unchanged();
    let env = arguments
        .env
        .chunks_exact(2)
        .map(|pair| (pair[0].clone(), pair[1].clone()))
        .collect();
    let bring = match (
        arguments.with_cargo,
        arguments.with_toolchain,
        arguments.without_toolchain,
    ) {
        (true, ..) => Bring::CompilerAndCargo,
        (_, true, _) => Bring::Compiler,
        (.., true) => Bring::Nothing,
        _ => Bring::WhereShared,
    };
    let options = InstallOptions {
        place: place(&arguments.place),
        name: arguments.place.name,
        display_name: arguments.display_name,
        env,
        bring,
        side_by_side: arguments.side_by_side,
        spec_only: arguments.spec_only,
    };
    let installed = install::install(&options)?;
    print(&format!(
        "program and library: {}{}\n",
        installed.program_folder.display(),
        match installed.size {
            0 => String::new(),
            bytes => format!(" ({} MB)", bytes.div_ceil(1_000_000)),
        }
    ));
    print(match installed.brought {
        Bring::CompilerAndCargo => "toolchain:           came along, with cargo\n",
        Bring::Compiler => {
            "toolchain:           came along, without cargo: cells cannot add crates (--with-cargo)\n"
        }
        Bring::Nothing | Bring::WhereShared => "",
    });
    print(&format!(
        "kernelspec:          {}\n",
        installed.spec_folder.display()
    ));
    print(&match installed.command {
        Some(CommandLink::Made(path)) => format!("command:             {}\n", path.display()),
        Some(CommandLink::Left(why)) => format!("no command `swath`:  {why}\n"),
        None => String::new(),
    });
    print(&match installed.papermill {
        Some(Translator::Made(path)) => format!("for papermill:       {}\n", path.display()),
        Some(Translator::Left(why)) => format!("nothing for papermill: {why}\n"),
        None => String::new(),
    });
    for note in installed.notes {
        print(&format!("note:                {note}\n"));
    }
    Ok(())
}

/// The script that makes a shell complete commands, options and values.
fn completions(shell: Shell) -> String {
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut swath_cli::shown(), "swath", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The exit code, or failure where what a successful command has to say could not be written.
fn told_or_failed(code: ExitCode, is_success: bool) -> ExitCode {
    match output::failure() {
        Some(reason) if is_success => {
            let _ = writeln!(std::io::stderr(), "error: {reason}");
            ExitCode::FAILURE
        }
        _ => code,
    }
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
    if let Err(reason) = permissions::check(&permissions::of_kernel(&lib_dir, &toolchain)) {
        // The cells say so, too.
        crate::log::warn(&reason);
    }
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
