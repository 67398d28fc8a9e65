//! Jobs of Slurm that run `swath`: the scripts, their submission, their states and logs.
//!
//! - [`prepare`]: a command line to the scripts of its jobs, [`Batch::submit`] hands them to `sbatch`
//! - [`Follower`]: what has happened since one last looked, for a terminal or a notebook
//!
//! Slurm is asked by its programs (`sbatch`, `squeue`, `scontrol`, `sacct`), which every version has, and not through its
//! library, whose interface changes from one to the next.

mod batch;
mod cluster;
mod error;
mod follow;
mod quote;
mod script;
mod state;
#[cfg(test)]
mod tests;

pub use batch::{Batch, Job, prepare};
pub use cluster::Cluster;
pub use error::SlurmError;
pub use follow::{Event, Follower};
pub use script::Script;
pub use state::{State, TaskState};
