//! Whether something besides the running cell may be printing: threads that cells have started.

use std::path::Path;

use swath_link::environment::{CELLS, CHILD};

/// Whether the process of the cells has more threads than the one that runs cells. In doubt, it has.
pub(crate) fn cells_have_threads() -> bool {
    let own = format!("/proc/{}/task", std::process::id());
    let Ok(threads) = std::fs::read_dir(own) else {
        return true;
    };
    // Children belong to the thread that started them.
    let children: Vec<String> = threads
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok())
        .collect();
    let mut pids = children.iter().flat_map(|pids| pids.split_whitespace());
    // Not every system tells.
    children.is_empty() || pids.any(runs_cells_and_threads)
}

fn runs_cells_and_threads(pid: &str) -> bool {
    let process = Path::new("/proc").join(pid);
    let wanted = format!("{CHILD}={CELLS}");
    let environment = std::fs::read(process.join("environ")).unwrap_or_default();
    let runs_cells = environment
        .split(|byte| *byte == 0)
        .any(|variable| variable == wanted.as_bytes());
    runs_cells && std::fs::read_dir(process.join("task")).is_ok_and(|tasks| tasks.count() > 1)
}
