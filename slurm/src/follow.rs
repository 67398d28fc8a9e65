//! What has happened to jobs since one last looked.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::{Cluster, Job, SlurmError, State, TaskState};

/// Slurm's controller serves a whole cluster: it is asked often at first, and later now and then.
const OFTEN: Duration = Duration::from_secs(2);
const SELDOM: Duration = Duration::from_secs(10);
const OFTEN_FOR: Duration = Duration::from_secs(60);
/// Bytes of a log that are taken at a time.
const PIECE: u64 = 256 * 1024;
/// Looks that find no job any more, after which it is taken for ended: a job that was just submitted may not be listed yet.
const UNKNOWN: u32 = 3;

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A job or task does something else now.
    State(TaskState),
    /// Whole lines of a log, with the job or task that wrote them.
    Log {
        /// `12`, or `12_3` of an array.
        id: String,
        /// Text that ends with a line.
        text: String,
    },
}

/// Looks at jobs again and again.
#[derive(Debug)]
pub struct Follower {
    cluster: Cluster,
    job: Job,
    tasks: BTreeMap<String, TaskState>,
    logs: BTreeMap<String, Log>,
    asked: Option<Instant>,
    began: Instant,
    unknown: u32,
}

#[derive(Debug, Default)]
struct Log {
    read: u64,
    /// The beginning of a line whose end is not written yet.
    begun: Vec<u8>,
}

impl Follower {
    /// Follows jobs that were submitted.
    #[must_use]
    pub fn new(cluster: Cluster, job: Job) -> Self {
        Self {
            cluster,
            job,
            tasks: BTreeMap::new(),
            logs: BTreeMap::new(),
            asked: None,
            began: Instant::now(),
            unknown: 0,
        }
    }

    /// The jobs.
    #[must_use]
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// What is known of each job and task, in their order.
    #[must_use]
    pub fn tasks(&self) -> Vec<&TaskState> {
        let mut tasks: Vec<&TaskState> = self.tasks.values().collect();
        tasks.sort_by_key(|task| order(&task.id));
        tasks
    }

    /// Whether all jobs have ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let known = |id: &String| {
            let tasks = self.tasks.values().filter(|task| job_of(&task.id) == id);
            let ends: Vec<bool> = tasks.map(|task| task.state.is_end()).collect();
            !ends.is_empty() && ends.into_iter().all(|end| end)
        };
        self.unknown >= UNKNOWN || self.job.ids.iter().all(known)
    }

    /// Looks once; returns at once, with what is new.
    ///
    /// # Errors
    /// When Slurm does not answer; the next look may go better.
    pub fn look(&mut self) -> Result<Vec<Event>, SlurmError> {
        let pause = if self.began.elapsed() < OFTEN_FOR {
            OFTEN
        } else {
            SELDOM
        };
        let mut events = Vec::new();
        if self.asked.is_none_or(|asked| asked.elapsed() >= pause) {
            self.asked = Some(Instant::now());
            let found = self.cluster.states(&self.job.ids)?;
            self.unknown = if found.is_empty() {
                self.unknown + 1
            } else {
                0
            };
            for task in found {
                let before = self.tasks.insert(task.id.clone(), task.clone());
                if before.is_none_or(|before| before.state != task.state) {
                    events.push(Event::State(task));
                }
            }
        }
        // What a task has written comes before its end.
        let mut lines = self.new_lines();
        lines.append(&mut events);
        Ok(lines)
    }

    fn new_lines(&mut self) -> Vec<Event> {
        let started = |task: &&TaskState| {
            !matches!(task.state, State::Pending(_)) || self.logs.contains_key(&task.id)
        };
        let ids: Vec<String> = self
            .tasks
            .values()
            .filter(started)
            .map(|task| task.id.clone())
            .collect();
        let mut events = Vec::new();
        for id in ids {
            let Some(path) = self.log_of(&id) else {
                continue;
            };
            let is_over = self.tasks.get(&id).is_some_and(|task| task.state.is_end());
            let log = self.logs.entry(id.clone()).or_default();
            if let Some(text) = log.more(&path, is_over) {
                events.push(Event::Log { id, text });
            }
        }
        events
    }

    /// The log of a job or task.
    #[must_use]
    pub fn log_of(&self, id: &str) -> Option<PathBuf> {
        let place = self.job.ids.iter().position(|job| job == job_of(id))?;
        let pattern = self.job.logs.get(place)?.display().to_string();
        Some(PathBuf::from(
            pattern.replace("%A_%a", id).replace("%j", id),
        ))
    }

    /// The exit code of all together: that of the last job, which knows what the others have left undone, or of the first that
    /// failed where the last one ended well.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let failed = |task: &&&TaskState| task.state != State::Completed;
        let tasks = self.tasks();
        let last = self.job.ids.last().map_or("", String::as_str);
        let of_last = tasks.iter().filter(|task| job_of(&task.id) == last);
        // A task that failed and was done again by another job is told by the join alone.
        let found = match self.job.ids.len() {
            0 | 1 => tasks.iter().find(failed),
            _ => of_last
                .into_iter()
                .find(|task| task.state != State::Completed),
        };
        match found {
            None if tasks.is_empty() => 1,
            None => 0,
            Some(task) => match self.cluster.exit_code(&task.id) {
                Some(code) if code > 0 => code,
                _ => 1,
            },
        }
    }
}

/// `12` of `12_3`.
fn job_of(id: &str) -> &str {
    id.split('_').next().unwrap_or(id)
}

fn order(id: &str) -> (u64, u64) {
    let (job, task) = id.split_once('_').unwrap_or((id, "0"));
    (job.parse().unwrap_or(0), task.parse().unwrap_or(0))
}

impl Log {
    /// The lines that were written since; at the end of the job also one that was not finished.
    fn more(&mut self, path: &std::path::Path, is_over: bool) -> Option<String> {
        let read = || -> std::io::Result<Vec<u8>> {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(self.read))?;
            let mut bytes = Vec::new();
            file.take(PIECE).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        // A log that is not there yet will be.
        let bytes = read().unwrap_or_default();
        self.read += bytes.len() as u64;
        self.begun.extend(&bytes);
        let end = match self.begun.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            None if is_over && bytes.is_empty() => self.begun.len(),
            None => 0,
        };
        let lines: Vec<u8> = self.begun.drain(..end).collect();
        (!lines.is_empty()).then(|| String::from_utf8_lossy(&lines).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read_by_whole_lines() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("12.log");
        let mut log = Log::default();
        assert_eq!(log.more(&path, false), None, "it is not there yet");
        std::fs::write(&path, "one\ntw").expect("a file");
        assert_eq!(log.more(&path, false).as_deref(), Some("one\n"));
        std::fs::write(&path, "one\ntwo\nthr").expect("a file");
        assert_eq!(log.more(&path, false).as_deref(), Some("two\n"));
        assert_eq!(log.more(&path, false), None);
        assert_eq!(log.more(&path, true).as_deref(), Some("thr"));
        assert_eq!(log.more(&path, true), None);
    }
}
