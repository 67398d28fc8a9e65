//! `swath submit`: a job of Slurm, and what becomes of it.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use swath_cli::SubmitArguments;
use swath_slurm::{Cluster, Event, Follower, Job, SlurmError, State, prepare};

/// How often logs are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Looks in a row that Slurm may leave unanswered while it is restarted.
const UNANSWERED: u32 = 60;

/// Writes the scripts, submits them, and follows the job when that is asked for.
pub(crate) fn submit(arguments: &SubmitArguments) -> Result<ExitCode, String> {
    match submitted(arguments) {
        Ok(code) => Ok(code),
        // The command has said itself what is wrong with its arguments.
        Err(SlurmError::Words(told)) => {
            say_error(told.trim_end());
            Ok(ExitCode::from(2))
        }
        Err(SlurmError::Plan { told, code }) => {
            say_error(told.trim_end());
            Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
        }
        Err(error) => Err(told(&error)),
    }
}

/// An error with its hint, as all commands tell theirs.
pub(crate) fn told(error: &SlurmError) -> String {
    match error.hint() {
        Some(hint) => format!("{error}\n\nhint: {hint}"),
        None => error.to_string(),
    }
}

/// This program, as a script calls it: by the link on the search path where that leads here, which outlives an update.
pub(crate) fn program() -> Result<std::path::PathBuf, SlurmError> {
    std::env::current_exe().map_err(|source| SlurmError::File {
        action: "find this program",
        path: "swath".into(),
        source,
    })
}

fn submitted(arguments: &SubmitArguments) -> Result<ExitCode, SlurmError> {
    let cluster = Cluster::here()?;
    let batch = prepare(arguments, &program()?, &cluster)?;
    if arguments.slurm.dry_run {
        for script in &batch.scripts {
            say(&format!(
                "# {}\n{}\n",
                script.path.display(),
                script.text.trim_end()
            ));
        }
        return Ok(ExitCode::SUCCESS);
    }
    if !batch.told.is_empty() {
        say(&batch.told);
    }
    let job = batch.submit(&cluster)?;
    say(&lines(&job).join("\n"));
    match arguments.slurm.follow {
        true => follow(cluster, job),
        false => Ok(ExitCode::SUCCESS),
    }
}

/// What was submitted, in lines.
pub(crate) fn lines(job: &Job) -> Vec<String> {
    let each = job.ids.iter().zip(&job.scripts).zip(&job.logs);
    let mut lines: Vec<String> = each
        .map(|((id, script), log)| {
            let log = log.display().to_string();
            let log = log.replace("%A", id).replace("%j", id).replace("%a", "*");
            format!("job {id}: {}, log {log}", script.display())
        })
        .collect();
    lines.push(format!(
        "squeue --jobs {0} shows it, scancel {1} ends it",
        job.ids.join(","),
        job.ids.join(" ")
    ));
    lines
}

/// Tells states on stderr and logs on stdout until all jobs have ended.
fn follow(cluster: Cluster, job: Job) -> Result<ExitCode, SlurmError> {
    let several = job.ids.len() > 1;
    let mut follower = Follower::new(cluster, job);
    let mut unanswered = 0;
    loop {
        match follower.look() {
            Ok(events) => {
                unanswered = 0;
                for event in events {
                    tell(&event, several);
                }
            }
            Err(error) if unanswered < UNANSWERED && matches!(error, SlurmError::Failed { .. }) => {
                unanswered += 1;
            }
            Err(error) => return Err(error),
        }
        if follower.is_over() {
            break;
        }
        std::thread::sleep(LOOK);
    }
    // What was written between the last look at the logs and the end.
    for _ in 0..2 {
        for event in follower.look()? {
            tell(&event, several);
        }
    }
    Ok(ExitCode::from(follower.exit_code()))
}

fn tell(event: &Event, several: bool) {
    match event {
        Event::State(task) => say_error(&format!("job {}: {}", task.id, task.state)),
        Event::Log { id, text } => {
            for line in text.lines() {
                match several {
                    true => say(&format!("{id}| {line}")),
                    false => say(line),
                }
            }
        }
    }
}

/// Whether all has gone well, in a word and a color of HTML.
pub(crate) fn color(state: &State) -> &'static str {
    match state {
        State::Completed => "var(--jp-success-color1, #388e3c)",
        State::Ended(_) => "var(--jp-error-color1, #d32f2f)",
        State::Running(_) => "var(--jp-brand-color1, #1976d2)",
        State::Pending(_) | State::Between(_) => "var(--jp-ui-font-color2, #757575)",
    }
}

fn say(text: &str) {
    swath_link::output::print(&format!("{text}\n"));
}

fn say_error(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
