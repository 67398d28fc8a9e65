//! Why a job is not submitted or not told about.

use std::path::PathBuf;

/// What goes wrong with jobs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SlurmError {
    /// There is no Slurm here.
    #[error("there is no `{program}` on this machine: {reason}")]
    NoSlurm {
        /// The program.
        program: &'static str,
        /// What the system said.
        reason: String,
    },
    /// A job was refused.
    #[error("Slurm does not take the job: {}", .told.trim())]
    Refused {
        /// What `sbatch` said.
        told: String,
    },
    /// Slurm's daemon, or a command, failed.
    #[error("{program} failed: {}", .told.trim())]
    Failed {
        /// The program.
        program: String,
        /// What it said.
        told: String,
    },
    /// There is no such job.
    #[error("Slurm knows no job {id}")]
    NoSuchJob {
        /// Its number.
        id: String,
    },
    /// The scenes could not be divided; the command has said why.
    #[error("the scenes could not be divided between tasks: {}", .told.trim())]
    Plan {
        /// What `swath predict --parts` said.
        told: String,
        /// Its exit code.
        code: i32,
    },
    /// The command line of the job.
    #[error("{0}")]
    Words(String),
    /// A file or folder.
    #[error("cannot {action}: {source}: {path:?}")]
    File {
        /// What was attempted.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },
}

impl SlurmError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoSlurm { .. } => {
                "jobs are submitted from a login node of the cluster, where `sbatch` is on the search path (`module load slurm` at some)"
            }
            Self::Refused { told } => return refused(told).map(str::to_owned),
            Self::NoSuchJob { .. } => {
                "Slurm forgets jobs some minutes after their end; `sacct -j NUMBER` asks its accounting, and the log is in swath-jobs"
            }
            Self::Failed { told, .. } if told.contains("contact slurm controller") => {
                "the cluster's controller does not answer: try again in a minute, or ask its administrators"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// What may be done about a refusal, by its words, which are those of Slurm's table of errors.
fn refused(told: &str) -> Option<&'static str> {
    let table = [
        (
            "group not permitted",
            "--partition names a partition that you may use: `sinfo --format='%P %g %G %l'` lists them with groups, GPUs and time limits",
        ),
        (
            "Invalid account",
            "--account names an account that pays for your jobs: `sacctmgr show associations user=$USER format=account,partition,qos` lists them",
        ),
        (
            "nvalid partition",
            "`sinfo --format='%P %G %l'` lists the partitions with their GPUs and time limits",
        ),
        (
            "nvalid qos",
            "`sacctmgr show associations user=$USER format=account,qos` lists the qualities of service that you may ask for",
        ),
        (
            "time limit is invalid",
            "--time is longer than the partition allows: `sinfo --format='%P %l'` lists the limits; a training that is queued again goes on",
        ),
        (
            "generic resource",
            "`sinfo --format='%P %G'` lists what --gres can name on each partition, such as gpu:a100_1g.10gb:1",
        ),
        (
            "node configuration is not available",
            "no node has so much of what --mem, --cpus-per-task and --gres ask for: `sinfo --format='%P %c %m %G'` lists processors, memory in megabytes and GPUs of each partition",
        ),
        (
            "memory specification",
            "--mem is more than a node has: `sinfo --format='%P %m'` lists the memory in megabytes",
        ),
        (
            "Job violates accounting/QOS policy",
            "a limit of your account is reached: `squeue --me` lists your jobs, `sacctmgr show qos` the limits",
        ),
        (
            "contact slurm controller",
            "the cluster's controller does not answer: try again in a minute, or ask its administrators",
        ),
        (
            "configuration source",
            "this machine belongs to no cluster: jobs are submitted from a login node, or SLURM_CONF names the cluster's settings",
        ),
    ];
    let found = table.iter().find(|(words, _)| told.contains(words));
    found.map(|(_, hint)| *hint)
}
