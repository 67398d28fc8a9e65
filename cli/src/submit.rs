//! Jobs of Slurm: `submit`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::{ArgAction, Args, Command, ValueEnum, ValueHint};

use crate::values;

/// What a job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Submitted {
    /// A training
    Train,
    /// A notebook
    Run,
    /// The prediction of scenes: several become an array of tasks and a last step that joins their results
    Predict,
    /// Scores of a model or of what was predicted
    Evaluate,
}

impl Submitted {
    /// The command of `swath`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Run => "run",
            Self::Predict => "predict",
            Self::Evaluate => "evaluate",
        }
    }
}

/// Arguments of `swath submit`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct SubmitArguments {
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would be that of the command")]
    pub slurm: SlurmOptions,
    /// What the job does, with the arguments that it has without `submit`
    #[arg(value_enum, value_name = "COMMAND")]
    pub command: Submitted,
    /// The arguments of that command
    #[arg(
        value_name = "ARGUMENT",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub words: Vec<OsString>,
}

/// What a job asks of Slurm, and what becomes of its script. They may stand before and behind the command and its arguments.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct SlurmOptions {
    /// GPUs and the like on a node, such as gpu:1 or gpu:a100_1g.10gb:1
    #[arg(long, value_name = "NAME:TYPE:N", value_parser = values::one_line, help_heading = "Slurm")]
    pub gres: Option<String>,
    /// The longest time: MINUTES, MINUTES:SECONDS, HOURS:MINUTES:SECONDS, DAYS-HOURS, DAYS-HOURS:MINUTES or DAYS-HOURS:MINUTES:SECONDS; 2:00 is two minutes [default: the partition's]
    #[arg(long, value_name = "TIME", value_parser = values::time_limit, help_heading = "Slurm")]
    pub time: Option<TimeLimit>,
    /// Memory on the node, such as 32G [default: the partition's]
    #[arg(long, value_name = "SIZE", value_parser = values::one_line, help_heading = "Slurm")]
    pub mem: Option<String>,
    /// Processors, and threads that compute [default: the partition's]
    #[arg(long, value_name = "N", value_parser = values::parts, help_heading = "Slurm")]
    pub cpus_per_task: Option<usize>,
    /// The partition [default: the cluster's]
    #[arg(long, value_name = "NAME", value_parser = values::one_line, help_heading = "Slurm")]
    pub partition: Option<String>,
    /// The account that pays [default: yours]
    #[arg(long, value_name = "NAME", value_parser = values::one_line, help_heading = "Slurm")]
    pub account: Option<String>,
    /// The quality of service
    #[arg(long, value_name = "NAME", value_parser = values::one_line, help_heading = "Slurm")]
    pub qos: Option<String>,
    /// Nodes with this feature only
    #[arg(long, value_name = "FEATURE", value_parser = values::one_line, help_heading = "Slurm")]
    pub constraint: Option<String>,
    /// The job's name [default: from the command and its first file]
    #[arg(long, value_name = "NAME", value_parser = values::one_line, help_heading = "Slurm")]
    pub job_name: Option<String>,
    /// Any other option of sbatch, such as --sbatch=--exclude=node7; can be given several times
    #[arg(long, value_name = "OPTION", value_parser = values::sbatch_option, allow_hyphen_values = true, help_heading = "Slurm")]
    pub sbatch: Vec<String>,
    /// A line for the shell before the work, such as 'module load swath'; can be given several times
    #[arg(long, value_name = "LINE", value_parser = values::one_line, help_heading = "Slurm")]
    pub setup: Vec<String>,
    /// Of a prediction: the most tasks that its scenes are divided between [default: 8]
    #[arg(long, value_name = "N", value_parser = values::parts, help_heading = "Slurm")]
    pub tasks: Option<usize>,
    /// Of a prediction: the most tasks that run at a time
    #[arg(long, value_name = "N", value_parser = values::parts, help_heading = "Slurm")]
    pub at_once: Option<usize>,
    /// How long before the time limit the work stops, writes a checkpoint, and the job is queued again; at most half of --time [default: 120]
    #[arg(long, value_name = "SECONDS", value_parser = values::warning, help_heading = "Slurm")]
    pub warn: Option<u32>,
    /// How often a job is queued again at its time limit, in all [default: 20]
    #[arg(long, value_name = "N", value_parser = values::restarts, help_heading = "Slurm")]
    pub restarts: Option<u32>,
    /// The folder for scripts and logs
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, default_value = "swath-jobs", help_heading = "Slurm")]
    pub jobs: PathBuf,
    /// Submit nothing: print the script
    #[arg(long, help_heading = "Slurm")]
    pub dry_run: bool,
    /// Show the state of the job and its log until it ends, with its exit code
    #[arg(long, conflicts_with = "dry_run", help_heading = "Slurm")]
    pub follow: bool,
}

/// A time limit of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeLimit {
    /// As it was written, which sbatch takes.
    pub text: String,
    /// `None` for no limit.
    pub seconds: Option<u64>,
}

/// The words of `swath submit …` with the options of Slurm first, wherever they stood: what is left is the command line of the
/// job's command.
pub(crate) fn ordered(words: &[OsString], tree: &Command) -> Vec<OsString> {
    let Some(submit) = tree.find_subcommand("submit") else {
        return words.to_vec();
    };
    // Whether it takes a value, when the word is an option of Slurm.
    let of_slurm = |word: &OsStr| -> Option<bool> {
        let name = word.to_str()?.strip_prefix("--")?;
        let (name, has_value) = match name.split_once('=') {
            Some((name, _)) => (name, true),
            None => (name, false),
        };
        let argument = submit
            .get_arguments()
            .find(|argument| argument.get_long() == Some(name))?;
        let takes = !matches!(argument.get_action(), ArgAction::SetTrue | ArgAction::Help);
        Some(takes && !has_value)
    };
    let (mut first, mut rest) = (Vec::new(), Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            rest.push(word.clone());
            rest.extend(words.by_ref().cloned());
        } else if word == "--help" || word == "-h" {
            return vec!["--help".into()];
        } else if let Some(takes_next) = of_slurm(word) {
            first.push(word.clone());
            if takes_next {
                first.extend(words.next().cloned());
            }
        } else {
            rest.push(word.clone());
        }
    }
    first.extend(rest);
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Command as Parsed, ProgramCommand, parse};

    fn submit(line: &str) -> SubmitArguments {
        match parse(line.split_whitespace()) {
            Ok(Parsed::Program(ProgramCommand::Submit(arguments))) => arguments,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn mistake(line: &str) -> String {
        parse(line.split_whitespace())
            .expect_err("a mistake")
            .to_string()
    }

    #[test]
    fn options_of_slurm_stand_anywhere() {
        let before =
            submit("swath submit --gres gpu:1 --time=2:00:00 predict a.swath b.tif -o c --quiet");
        let between =
            submit("swath submit predict a.swath --gres=gpu:1 b.tif -o c --time 2:00:00 --quiet");
        assert_eq!(before, between);
        assert_eq!(before.command, Submitted::Predict);
        let words = ["a.swath", "b.tif", "-o", "c", "--quiet"];
        assert_eq!(before.words, words.map(OsString::from));
        assert_eq!(before.slurm.gres.as_deref(), Some("gpu:1"));
        assert_eq!(before.slurm.time.and_then(|time| time.seconds), Some(7200));
        // What follows two dashes is of the command.
        let words = submit("swath submit predict -o c --dry-run -- a.swath --gres").words;
        assert_eq!(
            words,
            ["-o", "c", "--", "a.swath", "--gres"].map(OsString::from)
        );
    }

    #[test]
    fn the_command_of_the_job_is_understood_before_it_is_submitted() {
        assert!(mistake("swath submit predict a.swath b.tif").contains("--out <DIR>"));
        assert!(mistake("swath submit predict a b -o c --windows 3").contains("--window"));
        assert!(
            mistake("swath submit info a")
                .contains("[possible values: train, run, predict, evaluate]")
        );
        for (options, told) in [
            ("--time soon", "HOURS:MINUTES"),
            ("--warn 0", "seconds"),
            ("--tasks 0", "at least 1"),
            ("--sbatch exclude=node7", "begins with a dash"),
            ("--dry-run --follow", "cannot be used with"),
        ] {
            let line = format!("swath submit {options} predict a b -o c");
            assert!(
                mistake(&line).contains(told),
                "{options}: {}",
                mistake(&line)
            );
        }
        for own in ["--plan p --part 1", "--join", "--plan p --parts 2"] {
            let told = mistake(&format!("swath submit predict a b -o c {own}"));
            assert!(told.contains("divides the scenes itself"), "{told}");
        }
        // Nothing of a value gets into a line of its own.
        let words = [
            "swath",
            "submit",
            "--account",
            "a\nrm -rf",
            "predict",
            "a",
            "b",
            "-o",
            "c",
        ];
        assert!(parse(words).is_err());
    }

    #[test]
    fn help_is_that_of_submit() {
        let told = mistake("swath submit predict --help");
        assert!(
            told.contains("--gres") && told.contains("Usage: swath submit"),
            "{told}"
        );
    }

    #[test]
    fn time_limits_are_those_of_slurm() {
        // The forms of sbatch's manual.
        for (text, seconds) in [
            ("90", Some(5400)),
            ("90:30", Some(5430)),
            ("1:30:00", Some(5400)),
            ("2-12", Some(216_000)),
            ("2-12:30", Some(217_800)),
            ("2-12:30:15", Some(217_815)),
            ("UNLIMITED", None),
            ("infinite", None),
        ] {
            let limit = values::time_limit(text).expect("a time");
            assert_eq!((limit.text.as_str(), limit.seconds), (text, seconds));
        }
        for text in [
            "",
            "soon",
            "1:2:3:4",
            "-5",
            "1-",
            "1.5",
            "3-4:5:6:7",
            "99999999999999999999",
        ] {
            assert!(values::time_limit(text).is_err(), "{text}");
        }
    }
}
