//! States of jobs and array tasks.

use std::fmt;

use crate::{Cluster, SlurmError};

/// What a job or a task is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits; why, in Slurm's word.
    Pending(String),
    /// It runs on these nodes.
    Running(String),
    /// It is being queued again, or stopped.
    Between(String),
    /// It has ended well.
    Completed,
    /// It has ended otherwise: Slurm's word, such as `FAILED`, `TIMEOUT`, `CANCELLED`.
    Ended(String),
}

impl State {
    /// From Slurm's long word, its reason and its nodes.
    fn of(word: &str, reason: &str, nodes: &str) -> Self {
        match word {
            "PENDING" | "REQUEUED" => Self::Pending(reason.to_owned()),
            "RUNNING" => Self::Running(nodes.to_owned()),
            "COMPLETED" => Self::Completed,
            "FAILED" | "CANCELLED" | "TIMEOUT" | "NODE_FAIL" | "OUT_OF_MEMORY" | "BOOT_FAIL"
            | "DEADLINE" | "PREEMPTED" | "REVOKED" => Self::Ended(word.to_owned()),
            // COMPLETING, CONFIGURING, SUSPENDED, STOPPED, SIGNALING, STAGE_OUT, RESIZING, REQUEUE_HOLD, …
            other => Self::Between(other.to_owned()),
        }
    }

    /// Whether it has ended, well or not.
    #[must_use]
    pub fn is_end(&self) -> bool {
        matches!(self, Self::Completed | Self::Ended(_))
    }

    /// One word: `pending`, `running`, `completed`, `failed`, …
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            Self::Pending(_) => "pending".to_owned(),
            Self::Running(_) => "running".to_owned(),
            Self::Completed => "completed".to_owned(),
            Self::Between(word) | Self::Ended(word) => word.to_lowercase().replace('_', " "),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending(reason) if !["", "None", "(null)"].contains(&reason.as_str()) => {
                write!(f, "pending ({reason})")
            }
            Self::Running(nodes) if !nodes.is_empty() => write!(f, "running on {nodes}"),
            other => f.write_str(&other.word()),
        }
    }
}

/// A job, or a task of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskState {
    /// `12`, or `12_3` of an array.
    pub id: String,
    /// What it is doing.
    pub state: State,
    /// How long it has run, as Slurm writes it.
    pub time: String,
}

impl Cluster {
    /// The states of jobs and their tasks, by job and task. Jobs that ended some minutes ago are looked up in the accounting, where
    /// the cluster has one; those that nobody knows any more are left out.
    ///
    /// # Errors
    /// When Slurm does not answer.
    pub fn states(&self, jobs: &[String]) -> Result<Vec<TaskState>, SlurmError> {
        let mut found = Vec::new();
        for job in jobs {
            let mut of_job = self.in_the_queue(job)?;
            if of_job.is_empty() {
                of_job = self.in_the_accounting(job);
            }
            found.extend(of_job);
        }
        found.sort_by_key(|task| numbers(&task.id));
        Ok(found)
    }

    fn in_the_queue(&self, job: &str) -> Result<Vec<TaskState>, SlurmError> {
        let done = self.ask(
            "squeue",
            [
                "--array",
                "--states=all",
                "--noheader",
                "--format=%i|%T|%r|%N|%M",
                "--jobs",
                job,
            ],
        )?;
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        if !done.status.success() && !told.contains("Invalid job id") {
            return Err(SlurmError::Failed {
                program: "squeue".to_owned(),
                told,
            });
        }
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        Ok(text.lines().filter_map(of_queue).collect())
    }

    /// Nothing where there is no accounting.
    fn in_the_accounting(&self, job: &str) -> Vec<TaskState> {
        let words = [
            "--noheader",
            "--parsable2",
            "--allocations",
            "--format=JobID,State,NodeList,Elapsed",
            "--jobs",
            job,
        ];
        match self.ask("sacct", words) {
            Ok(done) if done.status.success() => {
                let text = String::from_utf8_lossy(&done.stdout).into_owned();
                text.lines().filter_map(of_accounting).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The exit code of a job that has ended; `None` where nobody knows it. A signal is 128 and its number.
    #[must_use]
    pub fn exit_code(&self, job: &str) -> Option<u8> {
        let done = self
            .ask("scontrol", ["--oneliner", "show", "job", job])
            .ok()?;
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        let word = text
            .split_whitespace()
            .find_map(|word| word.strip_prefix("ExitCode="))?;
        let (code, signal) = word.split_once(':')?;
        match (code.parse().ok()?, signal.parse::<u8>().ok()?) {
            (0, signal) if signal > 0 => Some(128 + signal.min(127)),
            (code, _) => Some(code),
        }
    }
}

/// A line of `squeue`.
fn of_queue(line: &str) -> Option<TaskState> {
    let mut words = line.split('|');
    let (id, state, reason) = (words.next()?, words.next()?, words.next()?);
    let nodes = words.next().unwrap_or_default();
    Some(TaskState {
        id: id.trim().to_owned(),
        state: State::of(state, reason, nodes),
        time: words.next().unwrap_or_default().trim().to_owned(),
    })
}

/// A line of `sacct`, whose state may have a word behind it: `CANCELLED by 1000`.
fn of_accounting(line: &str) -> Option<TaskState> {
    let mut words = line.split('|');
    let (id, state) = (words.next()?, words.next()?);
    let nodes = words.next().unwrap_or_default();
    Some(TaskState {
        id: id.to_owned(),
        state: State::of(state.split_whitespace().next()?, "", nodes),
        time: words.next().unwrap_or_default().to_owned(),
    })
}

/// Job and task as numbers, by which they are sorted.
fn numbers(id: &str) -> Vec<u64> {
    let parts = id.split(|letter: char| !letter.is_ascii_digit());
    parts.filter_map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_squeue_and_sacct_are_read() {
        let state = |line: &str| of_queue(line).expect("a line").state;
        assert_eq!(
            state("12_3|RUNNING|None|node7|1:02"),
            State::Running("node7".to_owned())
        );
        assert_eq!(
            state("12|PENDING|Resources||0:00").to_string(),
            "pending (Resources)"
        );
        assert_eq!(state("12|COMPLETING|None|n|1:00").word(), "completing");
        assert!(!state("12|COMPLETING|None|n|1:00").is_end());
        for word in [
            "FAILED",
            "TIMEOUT",
            "OUT_OF_MEMORY",
            "CANCELLED",
            "NODE_FAIL",
        ] {
            let state = state(&format!("12|{word}|None|n|1:00"));
            assert!(state.is_end() && state != State::Completed, "{word}");
        }
        assert_eq!(
            state("12|OUT_OF_MEMORY|None|n|1:00").word(),
            "out of memory"
        );
        let of_accounting = of_accounting("12_1|CANCELLED by 1000|node7|00:01:02").expect("a line");
        assert_eq!(of_accounting.state, State::Ended("CANCELLED".to_owned()));
        assert_eq!(of_queue(""), None);
        let mut ids = ["12_10", "12_2", "9", "12_1"];
        ids.sort_by_key(|id| numbers(id));
        assert_eq!(ids, ["9", "12_1", "12_2", "12_10"]);
    }
}
