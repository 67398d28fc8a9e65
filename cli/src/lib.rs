//! The command line of `swath`: every command, option and value, as types.
//!
//! The program parses its arguments with them, answers `--help`, mistakes, completions and man pages without opening the
//! library, and hands on what the library does; the library parses the same words again and has them typed. Nothing here
//! knows Burn, GDAL or Jupyter.
//!
//! - [`parse`]: words to a [`Command`], mistakes to an error that prints itself and knows its exit code
//! - [`command`]: the tree itself; [`shown`]: what completions and man pages show of it
//! - [`project`]: project files, from which `swath train` trains
//! - [`reference()`]: the page `docs/cli.md`
//! - [`mistake`]: a mistake that shows only later, such as an option that is not for this kind of model

mod batch;
mod data;
mod examples;
mod help;
mod many;
mod models;
mod program;
pub mod project;
mod reference;
mod submit;
mod values;

#[cfg(test)]
mod tests;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{ArgAction, CommandFactory as _, FromArgMatches as _, Subcommand};

pub use batch::{InitArguments, LogOptions, RunArguments, TrainArguments};
pub use clap;
pub use data::{
    DataCommand, DevicesArguments, FetchArguments, InfoArguments, LabelFile, MirrorArguments,
    PropertiesArguments, SampleCommand, SearchArguments, TownArguments,
};
pub use many::ManyOptions;
pub use models::{
    EvaluateArguments, ImageryOptions, LabelArguments, MapOptions, ModelOptions, ObjectOptions,
    PredictArguments,
};
pub use program::{
    CompletionsArguments, DoctorArguments, InstallArguments, KernelArguments, ManArguments,
    NotebooksArguments, PlaceArguments, Shell, UninstallArguments,
};
pub use reference::reference;
pub use submit::{SlurmOptions, SubmitArguments, Submitted, TimeLimit};
pub use values::{CellWay, DeviceName, Fusion, OutlineWay, PolygonFormat, ScoreWay, Views};

/// Geospatial deep learning in Rust notebooks and batch jobs
#[derive(Debug, clap::Parser)]
#[command(name = "swath", version)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

/// What `swath` does.
#[derive(Clone, Debug, PartialEq, Subcommand)]
#[expect(
    clippy::large_enum_variant,
    reason = "a process has one, for as long as its command runs"
)]
pub enum Command {
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would be that of every command")]
    Library(LibraryCommand),
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would be that of every command")]
    Program(ProgramCommand),
}

/// What the library does.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum LibraryCommand {
    /// Say what is read of rasters: facts, figures, labels, and what was left out or assumed
    #[command(after_help = examples::INFO)]
    Info(InfoArguments),
    /// Train a model as a project file says, and go on where a training was stopped
    #[command(after_help = examples::TRAIN)]
    Train(TrainArguments),
    /// Predict scenes with a trained model: maps and polygons, boxes, or classes of cells
    #[command(after_help = examples::PREDICT)]
    Predict(PredictArguments),
    /// Score a map, boxes, cells or a model against labels
    #[command(after_help = examples::EVALUATE)]
    Evaluate(EvaluateArguments),
    /// List the GPUs that a run here could compute on, and the device that it takes
    #[command(after_help = examples::DEVICES)]
    Devices(DevicesArguments),
    /// List the properties of the features of a vector file, one a line
    #[command(after_help = examples::PROPERTIES)]
    Properties(PropertiesArguments),
    /// List and fetch data sets and pretrained weights, search for imagery
    #[command(subcommand)]
    Data(DataCommand),
    /// Draw sample data with exact labels
    #[command(subcommand)]
    Sample(SampleCommand),
}

impl LibraryCommand {
    /// The words that name it, such as `["data", "fetch"]`.
    #[must_use]
    pub fn words(&self) -> &'static [&'static str] {
        match self {
            Self::Info(_) => &["info"],
            Self::Train(_) => &["train"],
            Self::Predict(_) => &["predict"],
            Self::Evaluate(_) => &["evaluate"],
            Self::Devices(_) => &["devices"],
            Self::Properties(_) => &["properties"],
            Self::Data(DataCommand::List) => &["data", "list"],
            Self::Data(DataCommand::Info(_)) => &["data", "info"],
            Self::Data(DataCommand::Fetch(_)) => &["data", "fetch"],
            Self::Data(DataCommand::Mirror(_)) => &["data", "mirror"],
            Self::Data(DataCommand::Search(_)) => &["data", "search"],
            Self::Sample(SampleCommand::Town(_)) => &["sample", "town"],
        }
    }

    /// How it tells what it does, where that can be chosen.
    #[must_use]
    pub fn log(&self) -> Option<&LogOptions> {
        match self {
            Self::Train(arguments) => Some(&arguments.log),
            Self::Predict(arguments) => Some(&arguments.log),
            Self::Evaluate(arguments) => Some(&arguments.log),
            Self::Info(_)
            | Self::Devices(_)
            | Self::Properties(_)
            | Self::Data(_)
            | Self::Sample(_) => None,
        }
    }
}

/// What the program does by itself.
#[derive(Clone, Debug, PartialEq, Subcommand)]
#[expect(
    clippy::large_enum_variant,
    reason = "a process has one, for as long as its command runs"
)]
pub enum ProgramCommand {
    /// Write a project file for `swath train`, with every key, its meaning and its default
    #[command(after_help = examples::INIT)]
    Init(InitArguments),
    /// Run a notebook without Jupyter, with parameters, and save its outputs as they come
    #[command(after_help = examples::RUN)]
    Run(RunArguments),
    /// Install the kernel "Rust (Swath)" for Jupyter
    #[command(after_help = examples::INSTALL)]
    Install(InstallArguments),
    /// Remove the kernel
    #[command(after_help = examples::UNINSTALL)]
    Uninstall(UninstallArguments),
    /// Submit a training, a notebook or the prediction of scenes as a job of Slurm
    #[command(after_help = examples::SUBMIT)]
    Submit(SubmitArguments),
    /// Say what is missing on this machine, and the command that mends it
    #[command(after_help = examples::DOCTOR)]
    Doctor(DoctorArguments),
    /// Write the tutorials into a folder
    #[command(after_help = examples::NOTEBOOKS)]
    Notebooks(NotebooksArguments),
    /// Run the Jupyter kernel (Jupyter calls this)
    #[command(after_help = examples::KERNEL)]
    Kernel(KernelArguments),
    /// Write the completions of a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArguments),
    /// Write the man page, or one for each command into a folder
    #[command(after_help = examples::MAN)]
    Man(ManArguments),
    /// Write the reference page of the magics
    #[command(hide = true)]
    Magics,
    /// Write the reference page of the command line
    #[command(hide = true)]
    Commands,
}

/// A command line that asks for help or was not understood. It prints itself and knows its exit code.
pub type Mistake = clap::Error;

/// The whole tree of commands.
#[must_use]
pub fn command() -> clap::Command {
    help::grouped(with_repeated_switches(CommandLine::command()))
}

/// The tree without the commands that only developers need: what completions and man pages show.
#[must_use]
pub fn shown() -> clap::Command {
    let tree = with_repeated_switches(CommandLine::command());
    let shown = tree
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    clap::Command::new("swath")
        .version(env!("CARGO_PKG_VERSION"))
        .about(tree.get_about().cloned().unwrap_or_default())
        .subcommand_required(true)
        .subcommands(shown.cloned())
}

/// Switches that are given twice are as good as given once, since scripts add theirs to those of people.
fn with_repeated_switches(tree: clap::Command) -> clap::Command {
    let is_switch = |argument: &clap::Arg| matches!(argument.get_action(), ArgAction::SetTrue);
    tree.mut_args(|argument| {
        let id = argument.get_id().clone();
        if is_switch(&argument) {
            argument.overrides_with(id)
        } else {
            argument
        }
    })
    .mut_subcommands(with_repeated_switches)
}

/// Parses a command line whose first word is the program's name.
///
/// # Errors
/// When help is asked for (exit code 0) and when the words are not understood (exit code 2).
pub fn parse(
    words: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<Command, Mistake> {
    // Under whatever name the program was started, it is called `swath`.
    let mut words: Vec<OsString> = words.into_iter().skip(1).map(Into::into).collect();
    // clap's `help` knows no similar names; the option does.
    if words.len() > 1 && words[0] == "help" {
        words.remove(0);
        words.push("--help".into());
    }
    let tree = command();
    if words.first().is_some_and(|word| word == "submit") {
        words = std::iter::once(words[0].clone())
            .chain(submit::ordered(&words[1..], &tree))
            .collect();
    }
    let words = std::iter::once(OsString::from("swath")).chain(words);
    let matches = tree.try_get_matches_from(words)?;
    let parsed = CommandLine::from_arg_matches(&matches)?.command;
    if let Command::Program(ProgramCommand::Submit(arguments)) = &parsed {
        check_submitted(arguments)?;
    }
    if let Command::Library(command) = &parsed {
        let checked = match command {
            LibraryCommand::Info(arguments) => arguments.check().map_err(str::to_owned),
            LibraryCommand::Predict(arguments) => arguments
                .objects
                .check()
                .map_err(str::to_owned)
                .and_then(|()| arguments.maps.check())
                .and_then(|()| arguments.many.check().map_err(str::to_owned)),
            LibraryCommand::Evaluate(arguments) => arguments.objects.check().map_err(str::to_owned),
            _ => Ok(()),
        };
        checked.map_err(|reason| mistake(command.words(), reason))?;
    }
    Ok(parsed)
}

/// A job that fails for its command line has waited for nothing.
fn check_submitted(arguments: &SubmitArguments) -> Result<(), Mistake> {
    let words = ["swath".into(), arguments.command.word().into()];
    let command = parse(words.into_iter().chain(arguments.words.iter().cloned()))?;
    if let Command::Library(LibraryCommand::Predict(predict)) = command
        && (predict.many.join || predict.many.plan.is_some())
    {
        return Err(mistake(
            &["submit"],
            "'--plan' and '--join' are for the tasks of a job: `swath submit predict` divides the scenes itself",
        ));
    }
    Ok(())
}

/// A mistake in the arguments of the command that `words` name, told as all others are.
#[must_use]
pub fn mistake(words: &[&str], reason: impl std::fmt::Display) -> Mistake {
    let mut found = command();
    found.build();
    for word in words {
        // Words of the tree itself: where one is not there, the nearest command tells its own usage.
        let Some(inner) = found.find_subcommand(word).cloned() else {
            break;
        };
        found = inner;
    }
    found.error(ErrorKind::ArgumentConflict, reason)
}
