//! What the engine is doing right now, so that an interrupt stops the right process.

use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Nothing,
    /// Reading, generating, compiling.
    Preparing,
    /// The child with this process id runs the cell.
    Running(i32),
}

#[derive(Debug)]
struct State {
    doing: Doing,
    /// Counts cells, so that a late kill never hits the next one.
    serial: u64,
    interrupted: bool,
    killed: bool,
    /// When a running cell that was interrupted is killed.
    deadline: Option<Instant>,
    /// The process that ran the last cell.
    child: i32,
    /// Whether a thread watches over an interrupted cell: one at most, whatever the number of cells and interrupts.
    watched: bool,
}

/// How often a compiler is stopped that evcxr may begin anew.
const STOP_INTERVAL: Duration = Duration::from_millis(30);

/// The name of the thread that watches over an interrupted cell.
const WATCHER: &str = "swath-interrupt";

/// Shared between the handle, the engine's thread and the output thread.
#[derive(Debug)]
pub(crate) struct Phase {
    state: Mutex<State>,
    changed: Condvar,
    compiler_file: PathBuf,
}

impl Phase {
    pub(crate) fn new(compiler_file: PathBuf) -> Self {
        let state = State {
            doing: Doing::Nothing,
            serial: 0,
            interrupted: false,
            killed: false,
            deadline: None,
            child: 0,
            watched: false,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            compiler_file,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A cell begins; its serial number.
    pub(crate) fn begin_cell(&self) -> u64 {
        let mut state = self.lock();
        *state = State {
            doing: Doing::Preparing,
            serial: state.serial + 1,
            interrupted: false,
            killed: false,
            deadline: None,
            child: state.child,
            watched: state.watched,
        };
        let _ = std::fs::remove_file(&self.compiler_file);
        state.serial
    }

    /// The same cell has something more compiled, after a part that ran.
    pub(crate) fn prepare(&self) {
        self.lock().doing = Doing::Preparing;
    }

    /// The child begins to run the cell; false when the user has interrupted meanwhile.
    pub(crate) fn begin_run(&self, pid: i32) -> bool {
        let mut state = self.lock();
        state.doing = Doing::Running(pid);
        state.child = pid;
        !state.interrupted
    }

    /// The cell is over; whether it was interrupted, and whether by force.
    pub(crate) fn end_cell(&self) -> (bool, bool) {
        let mut state = self.lock();
        state.doing = Doing::Nothing;
        self.changed.notify_all();
        (state.interrupted, state.killed)
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        self.lock().interrupted
    }

    /// Stops the compiler, or asks the running cell to stop and kills it when it has not after `patience`.
    pub(crate) fn interrupt(self: &std::sync::Arc<Self>, patience: Duration) {
        let mut state = self.lock();
        if state.doing == Doing::Nothing {
            return;
        }
        // A process that somebody has stopped neither begins a cell nor ends it.
        if state.child > 1 {
            signal_cell(state.child, libc::SIGCONT);
        }
        let first = !state.interrupted;
        state.interrupted = true;
        match state.doing {
            Doing::Running(pid) => {
                signal_cell(pid, libc::SIGINT);
                if first {
                    state.deadline = Some(Instant::now() + patience);
                }
            }
            _ => self.stop_compiler(),
        }
        self.changed.notify_all();
        if !state.watched {
            let phase = std::sync::Arc::clone(self);
            let watcher = std::thread::Builder::new().name(WATCHER.to_owned());
            // Where no thread can start, the next interrupt tries again.
            state.watched = watcher.spawn(move || phase.watch()).is_ok();
        }
    }

    fn stop_compiler(&self) {
        let group = std::fs::read_to_string(&self.compiler_file)
            .ok()
            .and_then(|text| text.parse::<i32>().ok());
        if let Some(group) = group.filter(|group| *group > 1) {
            send_signal(-group, libc::SIGKILL);
            // Its number may soon be another process's.
            let _ = std::fs::remove_file(&self.compiler_file);
        }
    }

    /// Until the interrupted cell is over: stops its compilers, for the interrupt may come before the first has begun, and
    /// evcxr may begin another one after it; or kills its process when the deadline has passed.
    fn watch(&self) {
        let mut state = self.lock();
        while state.interrupted && state.doing != Doing::Nothing {
            let wait = match (state.doing, state.deadline) {
                (Doing::Running(pid), Some(deadline)) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        state.killed = true;
                        signal_cell(pid, libc::SIGKILL);
                        break;
                    }
                    left
                }
                // A cell that was interrupted before it ran does not run: its process says so at once.
                (Doing::Running(_), None) => STOP_INTERVAL,
                _ => {
                    self.stop_compiler();
                    STOP_INTERVAL
                }
            };
            state = self
                .changed
                .wait_timeout(state, wait)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        state.watched = false;
    }

    /// Kills the programs that cells have started and that their process, which has ended, has left behind.
    pub(crate) fn end_programs(&self) {
        let child = std::mem::take(&mut self.lock().child);
        if child > 1 {
            send_signal(-child, libc::SIGKILL);
        }
    }

    /// Kills whatever runs: the engine is shut down.
    pub(crate) fn kill(&self) {
        let mut state = self.lock();
        state.interrupted = true;
        match state.doing {
            Doing::Running(pid) => signal_cell(pid, libc::SIGKILL),
            Doing::Preparing => self.stop_compiler(),
            Doing::Nothing => {}
        }
    }
}

/// To the cells' process and the programs that a cell has started, which are of its group.
fn signal_cell(pid: i32, signal: i32) {
    // SAFETY: kill has no memory effects.
    let told = pid > 1 && unsafe { libc::kill(-pid, signal) } == 0;
    if !told {
        send_signal(pid, signal);
    }
}

fn send_signal(pid: i32, signal: i32) {
    if pid != 0 {
        // SAFETY: kill has no memory effects.
        unsafe { libc::kill(pid, signal) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;
    use std::sync::Arc;

    #[test]
    fn a_cell_that_does_not_stop_is_killed_and_the_next_one_is_not() {
        let phase = Arc::new(Phase::new(PathBuf::from("/nonexistent/compiler.pid")));
        let mut child = std::process::Command::new("sh")
            .args(["-c", "trap '' INT; echo deaf; exec sleep 60"])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        phase.begin_cell();
        assert!(phase.begin_run(child.id().try_into().unwrap()));
        // Until it ignores the signal, which a busy machine may let it do late, an interrupt would end it.
        let mut said = [0; 5];
        child
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut said)
            .unwrap();
        phase.interrupt(Duration::from_millis(50));
        child.wait().unwrap();
        assert_eq!(phase.end_cell(), (true, true));

        let mut next = std::process::Command::new("sleep")
            .arg("0.3")
            .spawn()
            .unwrap();
        phase.begin_cell();
        phase.begin_run(next.id().try_into().unwrap());
        assert!(next.wait().unwrap().success());
        assert_eq!(phase.end_cell(), (false, false));
    }

    #[test]
    fn programs_that_a_cell_started_are_interrupted_with_it() {
        use std::os::unix::process::CommandExt;
        let phase = Arc::new(Phase::new(PathBuf::from("/nonexistent/compiler.pid")));
        let mut cell = std::process::Command::new("sh");
        cell.args(["-c", "echo ready; sleep 60; echo over"])
            .stdout(std::process::Stdio::piped())
            .process_group(0);
        // SAFETY: signal is async-signal-safe. What runs in the background may have been told to ignore interrupts.
        unsafe {
            cell.pre_exec(|| {
                libc::signal(libc::SIGINT, libc::SIG_DFL);
                Ok(())
            });
        }
        let mut child = cell.spawn().unwrap();
        phase.begin_cell();
        assert!(phase.begin_run(child.id().try_into().unwrap()));
        let mut output = child.stdout.take().unwrap();
        let mut said = [0; 6];
        output.read_exact(&mut said).unwrap();
        let asked = Instant::now();
        phase.interrupt(Duration::from_secs(50));
        // The shell may just have been about to start its program.
        std::thread::sleep(Duration::from_millis(500));
        phase.interrupt(Duration::from_secs(50));
        // The pipe ends when the shell and its `sleep` have ended.
        let mut rest = String::new();
        output.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
        assert!(!child.wait().unwrap().success());
        assert!(asked.elapsed() < Duration::from_secs(40));
        assert_eq!(phase.end_cell(), (true, false));
    }

    #[test]
    fn a_compiler_that_begins_after_the_interrupt_is_stopped_too() {
        use std::os::unix::process::CommandExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("compiler.pid");
        let phase = Arc::new(Phase::new(file.clone()));
        phase.begin_cell();
        phase.interrupt(Duration::from_secs(5));
        let mut compiler = std::process::Command::new("sleep")
            .arg("60")
            .process_group(0)
            .spawn()
            .unwrap();
        std::fs::write(&file, compiler.id().to_string()).unwrap();
        assert!(!compiler.wait().unwrap().success());
        assert_eq!(phase.end_cell(), (true, false));
    }

    /// The names of this process' threads.
    fn thread_names() -> Vec<String> {
        let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
        threads
            .filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok())
            .map(|name| name.trim().to_owned())
            .collect()
    }

    #[test]
    fn a_thousand_interrupts_of_a_hundred_cells_need_one_thread_with_a_name() {
        // Other tests of this process have watchers of their own, one for each.
        const OTHERS: usize = 3;
        let phase = Arc::new(Phase::new(PathBuf::from("/nonexistent/compiler.pid")));
        let mut most = 0;
        for _ in 0..100 {
            phase.begin_cell();
            for _ in 0..10 {
                phase.interrupt(Duration::from_secs(60));
            }
            assert!(phase.lock().watched);
            let watchers = thread_names()
                .iter()
                .filter(|name| *name == WATCHER)
                .count();
            most = most.max(watchers);
            assert_eq!(phase.end_cell(), (true, false));
        }
        // A thread gets its name when it first runs, which a busy machine may put off.
        assert!(most <= 1 + OTHERS, "{most} watchers");
        let deadline = Instant::now() + Duration::from_secs(10);
        while phase.lock().watched {
            assert!(Instant::now() < deadline, "the watcher does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
