//! The library's side of the command line: what a batch job does without a notebook. The words, their values and their
//! help are those of [`mod@swath_cli`].
//!
//! Exit codes: 0 done, 1 failed, 2 not understood, 75 a training was stopped and goes on with the same command, 130
//! interrupted, 143 ended by SIGTERM, 138 by SIGUSR1. Results and what was left out or assumed go to stdout, progress and
//! errors to stderr.

mod boxes;
mod cells;
mod commands;
mod info;
mod job;
mod many;
mod npy;
mod predict;
mod saved;
mod scenes;
mod task;
mod terminal;
mod train;

use std::ffi::{CStr, OsStr, OsString, c_char, c_int};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

use ::swath_cli::{Command, DataCommand, LibraryCommand, SampleCommand};

use crate::host::{self, Host};
use crate::{Error, Hint};

/// The command was done.
pub const DONE: i32 = 0;
/// The command failed; stderr says why and what to do.
pub const FAILED: i32 = 1;
/// The command line was not understood.
pub const NOT_UNDERSTOOD: i32 = 2;
/// The user interrupted the command, as shells report it.
pub const INTERRUPTED: i32 = 130;

/// A training was asked to stop, and goes on with the same command: `EX_TEMPFAIL` of sysexits.h.
pub const STOPPED: i32 = 75;

/// Why a command did not succeed.
enum Failure {
    /// An option that is not for these files, and what is expected.
    Usage(String),
    /// What is wrong with a project file.
    Project(::swath_cli::project::Problems),
    /// A training was asked to stop; what is left of it.
    Stopped(String),
    /// What failed, in words.
    Told(String),
    Error(Error),
    /// Some of several scenes failed; each was reported when it did.
    Some {
        failed: usize,
        of: usize,
        /// What could not be done with them.
        done: &'static str,
    },
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// Runs a command; `arguments` are the words after the program's name. Returns the exit code.
#[must_use]
pub fn run(arguments: &[String]) -> i32 {
    run_words(arguments.iter().map(OsString::from).collect())
}

fn run_words(arguments: Vec<OsString>) -> i32 {
    let words = std::iter::once(OsString::from("swath")).chain(arguments);
    let command = match ::swath_cli::parse(words) {
        Ok(Command::Library(command)) => command,
        Ok(Command::Program(_)) => {
            complain(
                "this command is one of the program `swath`, not of its library",
                None,
            );
            return NOT_UNDERSTOOD;
        }
        Err(mistake) => return told(&mistake),
    };
    let began = std::time::Instant::now();
    if let Some(log) = command.log() {
        terminal::configure(log);
    }
    let code = run_command(&command);
    if terminal::in_json() {
        crate::session::tell(|| {
            let facts = serde_json::json!({
                "exit_code": code,
                "seconds": began.elapsed().as_secs_f64(),
            });
            crate::session::Event::new("end", "", facts)
        });
    }
    match swath_link::output::failure() {
        Some(reason) if code == DONE => {
            complain(&reason, None);
            FAILED
        }
        _ => code,
    }
}

fn run_command(command: &LibraryCommand) -> i32 {
    let outcome = match command {
        LibraryCommand::Train(arguments) => train::train(arguments),
        LibraryCommand::Info(arguments) => info::info(arguments),
        LibraryCommand::Predict(arguments) => predict::predict(arguments),
        LibraryCommand::Evaluate(arguments) => predict::evaluate(arguments),
        LibraryCommand::Devices(arguments) => {
            commands::devices(arguments);
            Ok(())
        }
        LibraryCommand::Properties(arguments) => commands::properties(arguments),
        LibraryCommand::Data(DataCommand::List) => {
            commands::data_list();
            Ok(())
        }
        LibraryCommand::Data(DataCommand::Info(arguments)) => commands::data_info(arguments),
        LibraryCommand::Data(DataCommand::Fetch(arguments)) => commands::data_fetch(arguments),
        LibraryCommand::Data(DataCommand::Mirror(arguments)) => commands::data_mirror(arguments),
        LibraryCommand::Data(DataCommand::Search(arguments)) => commands::data_search(arguments),
        LibraryCommand::Sample(SampleCommand::Town(arguments)) => commands::sample_town(arguments),
    };
    match outcome {
        Ok(()) => DONE,
        Err(Failure::Usage(reason)) => told(&::swath_cli::mistake(command.words(), reason)),
        Err(Failure::Project(problems)) => {
            complain(&problems.to_string(), None);
            NOT_UNDERSTOOD
        }
        Err(Failure::Stopped(reason)) => train::stopped(&reason),
        Err(Failure::Told(reason)) => {
            complain(&reason, None);
            FAILED
        }
        Err(Failure::Some { failed, of, done }) => {
            complain(
                &match failed == of {
                    true => format!("none of {of} scenes could be {done}"),
                    false => {
                        format!("{failed} of {of} scenes could not be {done}; the others are done")
                    }
                },
                None,
            );
            FAILED
        }
        // Nothing of a training is lost that was not under way.
        Err(Failure::Error(Error::Interrupted { doing }))
            if matches!(command, LibraryCommand::Train(_)) =>
        {
            train::stopped(&format!("stopped while {doing}: the same command goes on"))
        }
        Err(Failure::Error(error)) => {
            report(&error);
            if matches!(error, Error::Interrupted { .. }) {
                terminal::stopped()
            } else {
                FAILED
            }
        }
    }
}

/// Shows help or a mistake. Returns the exit code.
fn told(mistake: &::swath_cli::Mistake) -> i32 {
    // A closed pipe, as in `swath help | head`, is no failure of ours.
    let _ = mistake.print();
    mistake.exit_code()
}

fn report(error: &Error) {
    complain(&error.to_string(), error.hint());
}

#[expect(clippy::print_stderr, reason = "the command line's place for errors")]
fn complain(message: &str, hint: Option<String>) {
    if terminal::in_json() {
        crate::session::tell(|| {
            let facts = serde_json::json!({ "message": message, "hint": hint });
            crate::session::Event::new("error", "", facts)
        });
    }
    eprintln!("error: {message}");
    if let Some(hint) = hint {
        eprintln!("\nhint: {hint}");
    }
}

/// Runs the command line of a process that loaded this library: its sink writes to the terminal, Ctrl-C and SIGTERM ask the
/// running command to stop.
///
/// # Safety
/// `argv` points to `argc` NUL-terminated strings, the first of which is the program's name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn swath_cli(argc: c_int, argv: *const *const c_char) -> c_int {
    let count = usize::try_from(argc).unwrap_or(0);
    let argument = |index: usize| {
        // SAFETY: by the caller's promise `index < argc` strings are there.
        let text = unsafe { CStr::from_ptr(*argv.add(index)) };
        OsStr::from_bytes(text.to_bytes()).to_owned()
    };
    let arguments: Vec<OsString> = (1..count).map(argument).collect();
    host::set(Host::Shell);
    crate::session::set_sink(Arc::new(terminal::CommandSink::default()));
    terminal::stop_on_signals();
    // A panic must not cross into C.
    std::panic::catch_unwind(|| run_words(arguments)).unwrap_or(FAILED)
}
