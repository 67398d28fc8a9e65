//! Processes that carry the kernel's mark in their environment. The kernel's front process uses this file too.
//!
//! A program inherits the environment, so it is found wherever it has gone, into a session or a process group of its
//! own as well.

pub(crate) use swath_link::environment::KERNEL as MARK_ENV;

/// Kills every process that carries the mark, but for this one; those that they start meanwhile as well.
pub(crate) fn end_marked(mark: &str) {
    if mark.is_empty() {
        return;
    }
    let entry = format!("{MARK_ENV}={mark}");
    for _ in 0..10 {
        let found: Vec<i32> = processes()
            .filter(|pid| !is_this_process(*pid) && carries(*pid, entry.as_bytes()))
            .collect();
        if found.is_empty() {
            return;
        }
        for pid in found {
            // SAFETY: kill has no memory effects.
            unsafe { libc::kill(pid, libc::SIGKILL) };
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

fn is_this_process(pid: i32) -> bool {
    u32::try_from(pid) == Ok(std::process::id())
}

/// The numbers of all processes.
pub(crate) fn processes() -> impl Iterator<Item = i32> {
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn carries(pid: i32, entry: &[u8]) -> bool {
    std::fs::read(format!("/proc/{pid}/environ"))
        .is_ok_and(|environment| environment.split(|byte| *byte == 0).any(|it| it == entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn programs_are_found_by_the_mark_they_inherit() {
        assert!(!carries(i32::MAX, b"SWATH_KERNEL=x"));
        let mark = format!("test-{}", std::process::id());
        let mut daemon = Command::new("setsid")
            .args(["sh", "-c", "sleep 60; true"])
            .env(MARK_ENV, &mark)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // It is another program's environment until it has become the shell.
        let entry = format!("{MARK_ENV}={mark}");
        let pid = i32::try_from(daemon.id()).unwrap();
        while !carries(pid, entry.as_bytes()) {
            std::thread::yield_now();
        }
        end_marked("another mark");
        assert!(daemon.try_wait().unwrap().is_none());
        end_marked(&mark);
        assert!(!daemon.wait().unwrap().success());
    }
}
