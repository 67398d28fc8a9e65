//! From a command line to the scripts of its jobs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use swath_cli::project::Project;
use swath_cli::{Command, LibraryCommand, PredictArguments, SubmitArguments, Submitted};

use crate::script::Plan;
use crate::{Cluster, Script, SlurmError};

/// Tasks of a prediction, unless something else is asked for.
const TASKS: usize = 8;

/// Jobs that are ready to be submitted.
#[derive(Debug)]
pub struct Batch {
    /// The jobs, each of which waits for the end of those before it.
    pub scripts: Vec<Script>,
    /// What there is to know before, such as how many scenes are finished already.
    pub told: String,
    /// The plan of a prediction, where it goes and its text.
    plan: Option<(PathBuf, Vec<u8>)>,
}

/// Jobs that were submitted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// Their numbers, the last of which joins the results of the others.
    pub ids: Vec<String>,
    /// Where each writes its log, with Slurm's patterns.
    pub logs: Vec<PathBuf>,
    /// The scripts.
    pub scripts: Vec<PathBuf>,
}

/// A division of scenes, as `swath predict --plan` writes it.
#[derive(Debug, Deserialize)]
struct Division {
    scenes: usize,
    finished: usize,
    parts: Vec<serde_json::Value>,
}

/// Makes the scripts of a command line. `program` is `swath` itself. Nothing is written and nothing is submitted.
///
/// # Errors
/// When scenes cannot be divided, or the command line is not understood.
pub fn prepare(
    arguments: &SubmitArguments,
    program: &Path,
    cluster: &Cluster,
) -> Result<Batch, SlurmError> {
    let words = ["swath".into(), arguments.command.word().into()];
    let words = words.into_iter().chain(arguments.words.iter().cloned());
    let command = swath_cli::parse(words).map_err(|error| SlurmError::Words(error.to_string()))?;
    let maker = Maker {
        arguments,
        program,
        cluster,
        name: name(arguments),
    };
    match command {
        Command::Library(LibraryCommand::Predict(predict)) => maker.prediction(&predict),
        Command::Library(LibraryCommand::Train(train)) => {
            // A mistake in the project file is told here, and not after hours in the queue.
            let path = cluster.folder.join(&train.project);
            let read = Project::read(&path, &train.set).map_err(|source| SlurmError::File {
                action: "read the project file",
                path,
                source,
            })?;
            read.map_err(|problems| SlurmError::Words(problems.to_string()))?;
            Ok(maker.one_job())
        }
        _ => Ok(maker.one_job()),
    }
}

/// A job's name: that of the command and of its first file, in letters that Slurm and file systems take.
fn name(arguments: &SubmitArguments) -> String {
    let plain = |letter: char| match letter {
        letter if letter.is_ascii_alphanumeric() => letter,
        '.' | '_' => letter,
        _ => '-',
    };
    if let Some(name) = &arguments.slurm.job_name {
        return name.chars().map(plain).collect();
    }
    let is_option = |word: &&OsString| word.to_string_lossy().starts_with('-');
    let first = arguments.words.iter().find(|word| !is_option(word));
    let stem = first.and_then(|word| Path::new(word).file_stem());
    let stem = stem.unwrap_or_default().to_string_lossy().into_owned();
    let name = format!("{}-{stem}", arguments.command.word());
    name.trim_end_matches('-')
        .chars()
        .map(plain)
        .take(60)
        .collect()
}

struct Maker<'a> {
    arguments: &'a SubmitArguments,
    program: &'a Path,
    cluster: &'a Cluster,
    name: String,
}

impl Maker<'_> {
    fn one_job(&self) -> Batch {
        let about = format!("`swath {}`", self.arguments.command.word());
        Batch {
            scripts: vec![self.script("", Vec::new(), None, &about)],
            told: String::new(),
            plan: None,
        }
    }

    fn script(
        &self,
        ending: &str,
        mut rest: Vec<String>,
        tasks: Option<usize>,
        about: &str,
    ) -> Script {
        let folder = self.cluster.folder.join(&self.arguments.slurm.jobs);
        let program = self.program.as_os_str().to_owned();
        let mut work = vec![program, self.arguments.command.word().into()];
        // A job that is queued again must not begin anew: only its first start is fresh.
        let is_fresh =
            |word: &OsString| self.arguments.command == Submitted::Train && word == "--fresh";
        let words = &self.arguments.words;
        work.extend(words.iter().filter(|word| !is_fresh(word)).cloned());
        let mut before = Vec::new();
        if words.iter().any(is_fresh) {
            before.push("fresh=\n[ \"$starts\" -gt 1 ] || fresh=--fresh".to_owned());
            rest.push("${fresh:+\"$fresh\"}".to_owned());
        }
        let name = format!("{}{ending}", self.name);
        Plan {
            path: folder.join(format!("{name}.sh")),
            name,
            folder: &self.cluster.folder,
            options: &self.arguments.slurm,
            work,
            rest,
            before,
            tasks,
            computes: ending.is_empty(),
            about: about.to_owned(),
        }
        .script()
    }

    /// Several scenes are divided between the tasks of an array, and joined when all have ended.
    fn prediction(&self, predict: &PredictArguments) -> Result<Batch, SlurmError> {
        let (division, text) = self.division()?;
        if division.scenes < 2 {
            let rest = vec!["--resume".to_owned()];
            return Ok(Batch {
                scripts: vec![self.script("", rest, None, "the prediction of a scene")],
                told: String::new(),
                plan: None,
            });
        }
        let join = || {
            let about = "joins what the tasks have predicted, and says what is missing";
            self.script("-join", vec!["--join".to_owned()], None, about)
        };
        let parts = division.parts.len();
        let missing = division.scenes - division.finished.min(division.scenes);
        let told = format!(
            "{} scenes, of which {} are finished: {missing} in {parts} tasks",
            division.scenes, division.finished
        );
        if parts == 0 {
            return Ok(Batch {
                scripts: vec![join()],
                told: format!(
                    "all {} scenes are finished: they are joined",
                    division.scenes
                ),
                plan: None,
            });
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |time| time.as_millis());
        let out = self.cluster.folder.join(&predict.out);
        let plan = out.join(".swath").join(format!("{}-{now}.json", self.name));
        let rest = vec![
            "--plan".to_owned(),
            crate::quote::quoted(&plan),
            "--part \"$SLURM_ARRAY_TASK_ID\"".to_owned(),
        ];
        let about = format!("each task predicts a part of {missing} scenes");
        Ok(Batch {
            scripts: vec![self.script("", rest, Some(parts), &about), join()],
            told,
            plan: Some((plan, text)),
        })
    }

    /// Asks the library to divide the scenes: only it knows what they are.
    fn division(&self) -> Result<(Division, Vec<u8>), SlurmError> {
        let file = |action, path: &Path| {
            let path = path.to_owned();
            move |source| SlurmError::File {
                action,
                path,
                source,
            }
        };
        let folder = std::env::temp_dir();
        let path = folder.join(format!(
            ".swath-plan-{}-{:?}.json",
            std::process::id(),
            std::thread::current().id()
        ));
        let tasks = self.arguments.slurm.tasks.unwrap_or(TASKS);
        let done = (self.cluster.command(self.program))
            .arg(Submitted::Predict.word())
            .args(&self.arguments.words)
            .args(["--quiet".as_ref(), "--plan".as_ref(), path.as_os_str()])
            .args(["--parts", &tasks.to_string()])
            .output()
            .map_err(file("start", self.program))?;
        if !done.status.success() {
            let _ = std::fs::remove_file(&path);
            return Err(SlurmError::Plan {
                told: String::from_utf8_lossy(&done.stderr).into_owned(),
                code: done.status.code().unwrap_or(1),
            });
        }
        let text = std::fs::read(&path).map_err(file("read the plan", &path));
        let _ = std::fs::remove_file(&path);
        let text = text?;
        let division = serde_json::from_slice(&text).map_err(|error| SlurmError::Plan {
            told: error.to_string(),
            code: 1,
        })?;
        Ok((division, text))
    }
}

impl Batch {
    /// Writes the scripts and hands them to `sbatch`. A script that is there already keeps its name: this one gets a number.
    ///
    /// # Errors
    /// [`SlurmError::Refused`] with Slurm's own words; jobs that were taken before are cancelled then.
    pub fn submit(mut self, cluster: &Cluster) -> Result<Job, SlurmError> {
        let file = |action, path: &Path| {
            let path = path.to_owned();
            move |source| SlurmError::File {
                action,
                path,
                source,
            }
        };
        if let Some((path, text)) = &self.plan {
            let folder = path.parent().unwrap_or(Path::new("."));
            cluster
                .make_folder(folder)
                .map_err(file("make the folder", folder))?;
            std::fs::write(path, text)
                .and_then(|()| cluster.share(path, 0o666))
                .map_err(file("write the plan", path))?;
        }
        let mut job = Job::default();
        for script in &mut self.scripts {
            let folder = script.path.parent().unwrap_or(Path::new("."));
            cluster
                .make_folder(folder)
                .map_err(file("make the folder", folder))?;
            write_new(script)
                .and_then(|()| cluster.share(&script.path, 0o777))
                .map_err(file("write the script", &script.path))?;
            let mut words: Vec<OsString> = vec!["--parsable".into()];
            if let Some(before) = job.ids.last() {
                // After any end of the tasks: what is there is joined, and what is missing is named.
                words.push(format!("--dependency=afterany:{before}").into());
            }
            words.push(script.path.clone().into());
            let taken = cluster.ask("sbatch", words).and_then(|done| {
                let told = String::from_utf8_lossy(&done.stdout).into_owned();
                let id = told.trim().split(';').next().unwrap_or_default().to_owned();
                match done.status.success() && !id.is_empty() {
                    true => Ok(id),
                    false => Err(SlurmError::Refused {
                        told: without_prefix(&String::from_utf8_lossy(&done.stderr)),
                    }),
                }
            });
            match taken {
                Ok(id) => job.ids.push(id),
                Err(error) => {
                    if !job.ids.is_empty() {
                        // Half of the work is none.
                        let _ = cluster.cancel(&job.ids);
                    }
                    return Err(error);
                }
            }
            job.logs.push(script.log.clone());
            job.scripts.push(script.path.clone());
        }
        Ok(job)
    }
}

/// Writes a script under its own name, or under the first free one with a number: an earlier job's log is told by it.
fn write_new(script: &mut Script) -> std::io::Result<()> {
    let stem = script.path.with_extension("");
    for number in 1.. {
        let path = match number {
            1 => script.path.clone(),
            number => PathBuf::from(format!("{}-{number}.sh", stem.display())),
        };
        let opened = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path);
        match opened {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(mut file) => {
                use std::io::Write as _;
                use std::os::unix::fs::PermissionsExt as _;
                let text = script.text.replace(
                    &stem.display().to_string(),
                    &path.with_extension("").display().to_string(),
                );
                file.write_all(text.as_bytes())?;
                file.set_permissions(std::fs::Permissions::from_mode(0o755))?;
                let log = script.log.display().to_string();
                script.log = PathBuf::from(log.replace(
                    &stem.display().to_string(),
                    &path.with_extension("").display().to_string(),
                ));
                script.text = text;
                script.path = path;
                return Ok(());
            }
        }
    }
    Ok(())
}

/// What sbatch says, without its own name before each line.
fn without_prefix(told: &str) -> String {
    let lines = told.lines().map(|line| {
        let line = line.strip_prefix("sbatch: ").unwrap_or(line);
        let line = line.strip_prefix("error: ").unwrap_or(line);
        line.strip_prefix("Batch job submission failed: ")
            .unwrap_or(line)
    });
    lines.collect::<Vec<_>>().join("\n")
}
