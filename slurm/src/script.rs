//! The script of a job.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use swath_cli::SlurmOptions;

use crate::quote::{directive, quoted};

/// How long before the time limit a job is warned, unless something else is asked for.
const WARN: u32 = 120;
/// How often a job is queued again, unless something else is asked for.
const RESTARTS: u32 = 20;

/// A script that `sbatch` takes, to be read and changed by people.
#[derive(Clone, Debug)]
pub struct Script {
    /// The job's name.
    pub name: String,
    /// Where it is, or would be.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// Its log, with Slurm's patterns: `%j`, or `%A_%a` of an array.
    pub log: PathBuf,
    /// Tasks of an array.
    pub tasks: Option<usize>,
}

/// What a script is made of.
pub(crate) struct Plan<'a> {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) folder: &'a Path,
    pub(crate) options: &'a SlurmOptions,
    /// The program and its arguments.
    pub(crate) work: Vec<OsString>,
    /// Words behind them that the shell reads, such as the number of the task.
    pub(crate) rest: Vec<String>,
    /// Lines of the shell before the work.
    pub(crate) before: Vec<String>,
    pub(crate) tasks: Option<usize>,
    /// Whether the job needs what `--gres` names.
    pub(crate) computes: bool,
    /// What the script is for, in a line.
    pub(crate) about: String,
}

impl Plan<'_> {
    pub(crate) fn script(self) -> Script {
        let log = self.path.with_extension("");
        let pattern = if self.tasks.is_some() { "%A_%a" } else { "%j" };
        // A folder may have a `%` in its name, which would begin a pattern.
        let escaped = log.display().to_string().replace('%', "%%");
        let log_text = format!("{escaped}-{pattern}.log");
        Script {
            log: PathBuf::from(format!("{}-{pattern}.log", log.display())),
            text: self.text(&log_text),
            name: self.name,
            path: self.path,
            tasks: self.tasks,
        }
    }

    fn text(&self, log: &str) -> String {
        let mut text = format!(
            "#!/bin/bash\n# Written by `swath submit`, to be read and changed: {}\n# Submit it again: sbatch {}\n#\n",
            self.about,
            quoted(&self.path)
        );
        for line in self.directives(log) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "#SBATCH {line}");
        }
        text += "\nset -u\n";
        for line in &self.options.setup {
            let _ = writeln!(text, "{line}");
        }
        let job = match self.tasks {
            // The number of the job alone stands for all tasks.
            Some(_) => "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID",
            None => "$SLURM_JOB_ID",
        };
        let _ = writeln!(
            text,
            "job={job}\nstarts=$((${{SLURM_RESTART_COUNT:-0}} + 1))\n\
             say() {{ echo \"== $(date '+%F %T') job $job: $*\"; }}\n\
             say \"start $starts on $(hostname)\"\n"
        );
        for line in &self.before {
            let _ = writeln!(text, "{line}");
        }
        text += "work=(\n";
        let mut words = self.work.iter();
        let program = words.by_ref().take(2).map(quoted).collect::<Vec<_>>();
        let _ = writeln!(text, "    {}", program.join(" "));
        let rest: Vec<String> = words.map(quoted).chain(self.rest.iter().cloned()).collect();
        if !rest.is_empty() {
            let _ = writeln!(text, "    {}", rest.join(" "));
        }
        text += ")\n";
        text += &self.ending();
        text
    }

    fn directives(&self, log: &str) -> Vec<String> {
        let options = self.options;
        let mut lines = vec![
            format!("--job-name={}", self.name),
            format!("--chdir={}", directive(&self.folder.display().to_string())),
            format!("--output={}", directive(log)),
            "--open-mode=append".to_owned(),
            "--nodes=1".to_owned(),
            "--ntasks=1".to_owned(),
            "--requeue".to_owned(),
        ];
        let warn = self.warn();
        if warn > 0 {
            lines.push(format!("--signal=B:USR1@{warn}"));
        }
        let mut add = |name: &str, value: Option<String>| {
            lines.extend(value.map(|value| format!("--{name}={}", directive(&value))));
        };
        add("partition", options.partition.clone());
        add("account", options.account.clone());
        add("qos", options.qos.clone());
        add("constraint", options.constraint.clone());
        add("gres", options.gres.clone().filter(|_| self.computes));
        add(
            "cpus-per-task",
            options.cpus_per_task.map(|count| count.to_string()),
        );
        add("mem", options.mem.clone());
        add(
            "time",
            options.time.as_ref().map(|limit| limit.text.clone()),
        );
        if let Some(tasks) = self.tasks {
            let at_once = options
                .at_once
                .map_or_else(String::new, |count| format!("%{count}"));
            lines.push(format!("--array=1-{tasks}{at_once}"));
        }
        lines.extend(options.sbatch.iter().cloned());
        lines
    }

    /// Seconds before the time limit; at most half of it.
    fn warn(&self) -> u32 {
        let warn = self.options.warn.unwrap_or(WARN);
        let limit = self.options.time.as_ref().and_then(|limit| limit.seconds);
        let half = limit.map_or(u32::MAX, |limit| {
            u32::try_from(limit / 2).unwrap_or(u32::MAX)
        });
        warn.min(half)
    }

    /// How the work is run, warned, and queued again.
    fn ending(&self) -> String {
        let (warn, restarts) = (self.warn(), self.options.restarts.unwrap_or(RESTARTS));
        format!(
            r#"
# Slurm warns this script {warn} s before the time limit. The work is told to stop, which keeps what it has (a checkpoint,
# finished scenes), and the job is queued again: it goes on from there. SIGTERM, of scancel or of a job that takes the place
# of this one, reaches the work by itself; Slurm queues a job again that had to give way.
warned=
woken=yes
trap 'warned=yes; woken=yes; say "the time limit is near: it stops and is queued again"; kill -TERM "$running"' USR1
trap 'woken=yes' TERM

"${{work[@]}}" &
running=$!
# A signal ends `wait`, and not the work.
while [ -n "$woken" ]; do
    woken=
    wait "$running"
    code=$?
done

# 75: a checkpoint is written, and the same command goes on from it. 143: stopped by the signal.
if [ -n "$warned" ] && {{ [ "$code" = 75 ] || [ "$code" = 143 ]; }}; then
    if [ "$starts" -le {restarts} ]; then
        # Slurm ends this script, too; it does not wait for it.
        scontrol requeue "$job" && sleep 120
    else
        say "it has been queued again {restarts} times, and is not once more: submit the same command, which goes on"
    fi
fi
say "ended with $code"
exit "$code"
"#
        )
    }
}
