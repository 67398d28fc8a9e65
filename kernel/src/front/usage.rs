//! `usage_request`: processor and memory of the kernel and its machine, for JupyterLab's status bar.

use jupyter_protocol::ReplyStatus;

use crate::wire::messages::{HostMemory, UsageReply};

fn first_number(text: &str, key: &str) -> Option<u64> {
    text.lines()
        .find_map(|line| line.strip_prefix(key))?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

/// Resident memory in bytes of a process and its children, one level down (the cells' process).
fn resident_bytes() -> u64 {
    let own = std::process::id();
    let children =
        std::fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
    let pids = std::iter::once(own).chain(
        children
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok()),
    );
    pids.filter_map(|pid| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        Some(first_number(&status, "VmRSS:")? * 1024)
    })
    .sum()
}

/// The reply's content.
pub(crate) fn usage() -> UsageReply {
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = |key: &str| first_number(&meminfo, key).unwrap_or(0) * 1024;
    let (machine, available) = (kib("MemTotal:"), kib("MemAvailable:"));
    // Of a job the limit is what counts: it is ended when it takes more, however much the node has.
    let total = swath_link::limits::memory().map_or(machine, |limit| limit.min(machine));
    let available = match total < machine {
        true => {
            let used = swath_link::limits::memory_in_use().unwrap_or_else(resident_bytes);
            available.min(total.saturating_sub(used))
        }
        false => available,
    };
    let percent = if total == 0 {
        0.0
    } else {
        (total - available.min(total)) as f64 / total as f64 * 100.0
    };
    let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    UsageReply {
        status: ReplyStatus::Ok,
        hostname: hostname.trim().to_owned(),
        pid: std::process::id(),
        kernel_memory: resident_bytes(),
        cpu_count: std::thread::available_parallelism().map_or(1, usize::from),
        host_virtual_memory: HostMemory {
            total,
            available,
            percent,
            used: total - available.min(total),
            free: kib("MemFree:"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_memory_is_some_megabytes() {
        let bytes = usage().kernel_memory;
        assert!((1_000_000..10_000_000_000).contains(&bytes), "{bytes}");
    }
}
