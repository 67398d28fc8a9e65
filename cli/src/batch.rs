//! Batch work without a notebook: `train`, `init` and `run`, and what every long command writes into its log.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::values;

/// How a long command tells what it does.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct LogOptions {
    /// Write one JSON object a line to stdout, for programs: what starts, progress, epochs, scores, files, errors, the end
    #[arg(long, help_heading = "Log")]
    pub json_lines: bool,
    /// The least time between two lines of progress where the output is no terminal; 0 writes none [default: 10]
    #[arg(
        long,
        value_name = "SECONDS",
        value_parser = values::seconds,
        allow_negative_numbers = true,
        help_heading = "Log"
    )]
    pub progress: Option<f64>,
}

/// Seconds between two lines of progress in a log file.
const EVERY: f64 = 10.0;

impl LogOptions {
    /// The least time between two lines of progress; none are written when there is none.
    #[must_use]
    pub fn every(&self) -> Option<std::time::Duration> {
        let seconds = self.progress.unwrap_or(EVERY);
        (seconds > 0.0).then(|| std::time::Duration::from_secs_f64(seconds))
    }
}

/// Arguments of `swath train`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct TrainArguments {
    /// The project file: scenes, labels, chips, network, training, outputs; `swath init` writes one
    #[arg(value_name = "PROJECT.toml", value_hint = ValueHint::FilePath)]
    pub project: PathBuf,
    /// A value other than the file's, such as fit.epochs=3; can be given several times
    #[arg(long, value_name = "SECTION.KEY=VALUE")]
    pub set: Vec<String>,
    /// Begin anew, whatever checkpoint there is
    #[arg(long)]
    pub fresh: bool,
    /// Fail unless there is a checkpoint to go on from
    #[arg(long, conflicts_with = "fresh")]
    pub resume: bool,
    /// Read the file and the scenes, say what would be trained, and train nothing
    #[arg(long)]
    pub check: bool,
    /// Show nothing but errors
    #[arg(long, conflicts_with = "json_lines")]
    pub quiet: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would be that of the command")]
    pub log: LogOptions,
}

/// Arguments of `swath init`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct InitArguments {
    /// The project file to write
    #[arg(value_name = "PROJECT.toml", default_value = "project.toml", value_hint = ValueHint::FilePath)]
    pub project: PathBuf,
    /// Take the choices of this notebook: its magics and typed calls are read, nothing is run
    #[arg(long, value_name = "NOTEBOOK", value_hint = ValueHint::FilePath)]
    pub from: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `swath run`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct RunArguments {
    /// The notebook to run
    #[arg(value_hint = ValueHint::FilePath)]
    pub notebook: PathBuf,
    /// A parameter: a number, true, false, null, a JSON list or object, or a text; can be given several times
    #[arg(short, long = "parameter", value_name = "NAME=VALUE", value_parser = values::parameter, allow_hyphen_values = true)]
    pub parameters: Vec<(String, String)>,
    /// A parameter that is a text, whatever it looks like; can be given several times
    #[arg(short, long, value_name = "NAME=TEXT", value_parser = values::parameter, allow_hyphen_values = true)]
    pub raw: Vec<(String, String)>,
    /// The notebook with its outputs [default: NOTEBOOK.out.ipynb beside it]
    #[arg(short, long, value_name = "OUT.ipynb", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// Write the outputs into the notebook itself
    #[arg(long, conflicts_with = "out")]
    pub in_place: bool,
    /// Go on after a cell that failed
    #[arg(long)]
    pub keep_going: bool,
    /// The folder in which the cells run [default: that of the notebook]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub cwd: Option<PathBuf>,
    /// Show nothing but errors
    #[arg(long, conflicts_with = "json_lines")]
    pub quiet: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would be that of the command")]
    pub log: LogOptions,
}
