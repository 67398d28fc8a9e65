//! Slurm's programs, run with the folder and the environment of whoever asks.

use std::ffi::{OsStr, OsString};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::{Job, SlurmError};

/// Whether a variable goes on to a job. Those that Slurm gave to the job in which JupyterLab runs say nothing of another job, and
/// would be taken for its own; those of a kernel end with it.
fn is_for_jobs(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let of_cluster = ["SLURM_CONF", "SLURM_CLUSTERS", "SLURM_CONF_SERVER"];
    let of_job = name.starts_with("SLURM_") || name.starts_with("SLURMD_");
    let of_kernel = [
        "SWATH_KERNEL",
        "SWATH_FORWARDED",
        "SWATH_CHILD",
        "SWATH_SESSION",
    ];
    (!of_job || of_cluster.contains(&&*name)) && !of_kernel.contains(&&*name)
}

/// What a shell says of a program that is not there.
const NOT_FOUND: i32 = 127;

/// How Slurm is asked.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// The folder in which jobs work.
    pub folder: PathBuf,
    /// The environment; that of this process where there is none.
    pub environment: Option<Vec<(OsString, OsString)>>,
    /// The mask for new files, which goes on to jobs; that of this process where there is none. A kernel's own is not its user's.
    pub umask: Option<u32>,
}

impl Cluster {
    /// With this process' folder and environment.
    ///
    /// # Errors
    /// When the working folder is gone.
    pub fn here() -> Result<Self, SlurmError> {
        let folder = std::env::current_dir().map_err(|source| SlurmError::File {
            action: "find the working folder",
            path: PathBuf::from("."),
            source,
        })?;
        Ok(Self {
            folder,
            environment: None,
            umask: None,
        })
    }

    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let given = self.environment.clone();
        let environment = given.unwrap_or_else(|| std::env::vars_os().collect());
        let mut command = match self.umask {
            None => Command::new(program),
            Some(umask) => {
                let mut shell = Command::new("/bin/sh");
                let script = format!("umask {umask:04o} && exec \"$0\" \"$@\"");
                shell.arg("-c").arg(script).arg(program);
                shell
            }
        };
        command
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .env_clear()
            .envs(
                environment
                    .into_iter()
                    .filter(|(name, _)| is_for_jobs(name)),
            );
        command
    }

    /// Jobs that were submitted before, by their numbers.
    ///
    /// # Errors
    /// [`SlurmError::NoSuchJob`].
    pub fn job(&self, ids: &[String]) -> Result<Job, SlurmError> {
        let mut job = Job::default();
        for id in ids {
            let done = self.ask("scontrol", ["--oneliner", "show", "job", id])?;
            let text = String::from_utf8_lossy(&done.stdout).into_owned();
            let Some(line) = text.lines().next().filter(|_| done.status.success()) else {
                return Err(SlurmError::NoSuchJob { id: id.clone() });
            };
            let fact = |name: &str| {
                let words = line.split_whitespace();
                words
                    .filter_map(|word| word.split_once('='))
                    .find(|(key, _)| *key == name)
            };
            let log = fact("StdOut").map_or("", |(_, path)| path);
            // That of one task stands for all of them.
            let log = match fact("ArrayTaskId") {
                Some((_, task)) => log.replace(&format!("{id}_{task}"), "%A_%a"),
                None => log.to_owned(),
            };
            job.ids.push(id.clone());
            job.logs.push(PathBuf::from(log));
            job.scripts
                .push(fact("Command").map_or_else(PathBuf::new, |(_, path)| path.into()));
        }
        Ok(job)
    }

    /// Runs a program of Slurm.
    pub(crate) fn ask<S: AsRef<OsStr>>(
        &self,
        program: &'static str,
        words: impl IntoIterator<Item = S>,
    ) -> Result<Output, SlurmError> {
        let absent = |reason: String| SlurmError::NoSlurm { program, reason };
        let done = self.command(program).args(words).output();
        let done = done.map_err(|error| absent(error.to_string()))?;
        if self.umask.is_some() && done.status.code() == Some(NOT_FOUND) {
            return Err(absent(
                String::from_utf8_lossy(&done.stderr).trim().to_owned(),
            ));
        }
        Ok(done)
    }

    /// Makes a folder, and those around it that are missing, as the user's mask has it.
    pub(crate) fn make_folder(&self, folder: &Path) -> std::io::Result<()> {
        let Some(umask) = self.umask else {
            return std::fs::create_dir_all(folder);
        };
        let missing: Vec<&Path> = folder.ancestors().take_while(|one| !one.exists()).collect();
        for one in missing.into_iter().rev() {
            match std::fs::create_dir(one) {
                Err(error) if !one.is_dir() => return Err(error),
                _ => std::fs::set_permissions(one, Permissions::from_mode(0o777 & !umask))?,
            }
        }
        Ok(())
    }

    /// Gives a file that was just written the permissions that the user's mask leaves.
    pub(crate) fn share(&self, file: &Path, mode: u32) -> std::io::Result<()> {
        match self.umask {
            None => Ok(()),
            Some(umask) => std::fs::set_permissions(file, Permissions::from_mode(mode & !umask)),
        }
    }

    /// Ends jobs.
    ///
    /// # Errors
    /// When `scancel` is not there or refuses.
    pub fn cancel(&self, jobs: &[String]) -> Result<(), SlurmError> {
        let done = self.ask("scancel", jobs)?;
        if done.status.success() {
            return Ok(());
        }
        Err(SlurmError::Failed {
            program: "scancel".to_owned(),
            told: String::from_utf8_lossy(&done.stderr).into_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_of_a_kernel_have_the_mask_of_its_user() {
        let folder = tempfile::tempdir().expect("a folder");
        let cluster = Cluster {
            folder: folder.path().to_owned(),
            environment: None,
            umask: Some(0o027),
        };
        let done = cluster
            .command("/bin/sh")
            .args(["-c", "umask; echo \"$1\"", "_", "a b"])
            .output();
        assert_eq!(done.expect("a shell").stdout, b"0027\na b\n");
        let made = folder.path().join("maps/.swath");
        cluster.make_folder(&made).expect("a folder");
        let mode = |path: &Path| {
            std::fs::metadata(path)
                .expect("it is there")
                .permissions()
                .mode()
                & 0o777
        };
        assert_eq!(
            (mode(&made), mode(&folder.path().join("maps"))),
            (0o750, 0o750)
        );
        let absent = Cluster {
            environment: Some(vec![("PATH".into(), folder.path().into())]),
            ..cluster
        };
        assert!(matches!(
            absent.ask("sbatch", ["x"]),
            Err(SlurmError::NoSlurm { .. })
        ));
    }

    #[test]
    fn a_job_within_a_job_has_variables_of_its_own() {
        for (name, goes_on) in [
            ("SLURM_CPUS_PER_TASK", false),
            ("SLURM_MEM_PER_CPU", false),
            ("SLURM_JOB_ID", false),
            ("SLURM_CONF", true),
            ("SBATCH_ACCOUNT", true),
            ("SWATH_KERNEL", false),
            ("SWATH_CACHE", true),
            ("PATH", true),
        ] {
            assert_eq!(is_for_jobs(OsStr::new(name)), goes_on, "{name}");
        }
    }
}
