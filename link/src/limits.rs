//! What this process may use of the machine: a node of a cluster is shared, and its whole memory is not for one job.

use std::path::Path;

/// Bytes of memory for this process and those beside it in its job: that of the machine, or less where a control group or Slurm
/// says so. `None` where the system does not tell.
#[must_use]
pub fn memory() -> Option<u64> {
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let of_machine = memory_of_machine();
    let of_group = of_groups(
        Path::new("/sys/fs/cgroup"),
        &own,
        "memory.max",
        "memory.limit_in_bytes",
    );
    let of_job = of_job(|name| std::env::var(name).ok());
    [of_machine, of_group, of_job].into_iter().flatten().min()
}

/// Bytes of memory of the whole machine, whoever may use them. `None` where the system does not tell.
#[must_use]
pub fn memory_of_machine() -> Option<u64> {
    of_machine(&std::fs::read_to_string("/proc/meminfo").unwrap_or_default())
}

/// Bytes of memory in use in this process' control group.
#[must_use]
pub fn memory_in_use() -> Option<u64> {
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let folders = folders(Path::new("/sys/fs/cgroup"), &own);
    let mut used = folders.into_iter().filter_map(|(folder, is_new)| {
        let file = if is_new {
            "memory.current"
        } else {
            "memory.usage_in_bytes"
        };
        number(&folder.join(file))
    });
    used.next()
}

fn of_machine(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1024)
}

/// Without control groups Slurm only says what a job has, and ends it when it takes more.
fn of_job(variable: impl Fn(&str) -> Option<String>) -> Option<u64> {
    variable("SLURM_JOB_ID")?;
    let count = |name: &str| variable(name)?.trim().parse::<u64>().ok();
    // In megabytes; 0 is all memory of the node.
    let of_node = count("SLURM_MEM_PER_NODE");
    let of_processors = || {
        let count = count("SLURM_CPUS_ON_NODE").unwrap_or(1);
        number_of(variable("SLURM_MEM_PER_CPU")?)?.checked_mul(count)
    };
    let megabytes = of_node.or_else(of_processors).filter(|count| *count > 0)?;
    megabytes.checked_mul(1 << 20)
}

fn number_of(text: impl AsRef<str>) -> Option<u64> {
    text.as_ref().trim().parse().ok()
}

fn number(path: &Path) -> Option<u64> {
    number_of(std::fs::read_to_string(path).ok()?)
}

/// The folders of this process' control groups, and whether they are of the second version.
fn folders(root: &Path, own: &str) -> Vec<(std::path::PathBuf, bool)> {
    let mut found = Vec::new();
    for line in own.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(kinds), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let path = path.trim_start_matches('/');
        if kinds.is_empty() {
            // Beside groups of the first version, those of the second have a folder of their own.
            let apart = root.join("unified");
            let base = if apart.is_dir() {
                apart
            } else {
                root.to_owned()
            };
            found.push((base.join(path), true));
        } else if kinds.split(',').any(|kind| kind == "memory") {
            found.push((root.join("memory").join(path), false));
        }
    }
    found
}

/// The least that a group or one around it allows.
fn of_groups(root: &Path, own: &str, new: &str, old: &str) -> Option<u64> {
    let mut least = None;
    for (folder, is_new) in folders(root, own) {
        let file = if is_new { new } else { old };
        for folder in folder
            .ancestors()
            .take_while(|folder| folder.starts_with(root))
        {
            // `max`, and in the first version the largest number of pages, is no limit.
            let limit = number(&folder.join(file)).filter(|limit| *limit < 1 << 60);
            least = [least, limit].into_iter().flatten().min();
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_least_limit_around_a_process_counts() {
        let root = tempfile::tempdir().expect("a folder");
        let root = root.path();
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        };
        // The second version, as Slurm's cgroup/v2 makes them.
        let own = "0::/system.slice/slurmstepd.scope/job_12/step_batch/user/task_0\n";
        let limit = |own: &str| of_groups(root, own, "memory.max", "memory.limit_in_bytes");
        write(
            "system.slice/slurmstepd.scope/job_12/step_batch/user/task_0/memory.max",
            "max\n",
        );
        write(
            "system.slice/slurmstepd.scope/job_12/memory.max",
            "34359738368\n",
        );
        assert_eq!(limit(own), Some(32 << 30));
        // The first version, whose largest number is no limit.
        let own = "5:cpuset:/\n4:memory:/slurm/uid_0/job_12/step_batch\n";
        write(
            "memory/slurm/uid_0/job_12/step_batch/memory.limit_in_bytes",
            "9223372036854771712\n",
        );
        assert_eq!(limit(own), None);
        write(
            "memory/slurm/uid_0/job_12/memory.limit_in_bytes",
            "1073741824\n",
        );
        assert_eq!(limit(own), Some(1 << 30));
        assert_eq!(limit(""), None);
        assert_eq!(limit("nonsense"), None);
    }

    #[test]
    fn slurm_says_what_a_job_has() {
        let job = |pairs: &[(&str, &str)]| {
            of_job(|name| {
                pairs
                    .iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| (*value).to_owned())
            })
        };
        let id = ("SLURM_JOB_ID", "12");
        assert_eq!(job(&[("SLURM_MEM_PER_NODE", "1000")]), None, "no job");
        assert_eq!(job(&[id]), None);
        assert_eq!(job(&[id, ("SLURM_MEM_PER_NODE", "32768")]), Some(32 << 30));
        assert_eq!(
            job(&[id, ("SLURM_MEM_PER_NODE", "0")]),
            None,
            "all of the node"
        );
        let of_processors = [
            id,
            ("SLURM_MEM_PER_CPU", "2048"),
            ("SLURM_CPUS_ON_NODE", "4"),
        ];
        assert_eq!(job(&of_processors), Some(8 << 30));
        assert_eq!(
            job(&[id, ("SLURM_MEM_PER_NODE", "99999999999999999999")]),
            None
        );
    }

    #[test]
    fn this_machine_has_memory() {
        assert_eq!(
            of_machine("MemFree: 1 kB\nMemTotal:       24683912 kB\n"),
            Some(24_683_912 * 1024)
        );
        assert!(memory().is_some_and(|bytes| bytes > 1 << 20));
    }
}
