//! Shows what cargo does while it does it: `swath-cell` writes cargo's status lines into a pipe with a name.

use std::ffi::CString;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use swath_link::record;

use super::OutputSink;
use super::interface::OutputEvent;
use super::shared::lock;

/// Begins the line with which this process asks whether everything before it was shown.
const MARK: char = '\u{1}';

/// The kernel's end of the pipe.
pub(crate) struct ProgressPipe {
    pipe: File,
    shown: Arc<Mutex<Option<mpsc::Sender<()>>>>,
    /// Whether lines can still arrive: a line of a build that is over has no cell.
    listening: Arc<AtomicBool>,
}

impl ProgressPipe {
    /// Makes the pipe in the session's folder and starts to read it.
    pub(crate) fn open(session: &Path, sink: Arc<OutputSink>) -> std::io::Result<Self> {
        let path = record::progress_path(session);
        let name = CString::new(path.as_os_str().as_bytes())?;
        let _ = std::fs::remove_file(&path);
        // SAFETY: the path ends in zero.
        if unsafe { libc::mkfifo(name.as_ptr(), 0o600) } != 0 {
            return Err(std::io::Error::last_os_error());
        }
        // Open for both, so that it never ends.
        let pipe = File::options().read(true).write(true).open(&path)?;
        let lines = BufReader::new(pipe.try_clone()?).lines();
        let shown: Arc<Mutex<Option<mpsc::Sender<()>>>> = Arc::default();
        let listening = Arc::new(AtomicBool::new(false));
        let (waiting, active) = (Arc::clone(&shown), Arc::clone(&listening));
        let show = move || {
            for line in lines.map_while(Result::ok) {
                if line.starts_with(MARK) {
                    if let Some(waiting) = lock(&waiting).take() {
                        let _ = waiting.send(());
                    }
                } else if active.load(Ordering::Relaxed) {
                    sink(OutputEvent::Stderr(line + "\n"));
                }
            }
        };
        std::thread::Builder::new()
            .name("swath-progress".to_owned())
            .spawn(show)?;
        Ok(Self {
            pipe,
            shown,
            listening,
        })
    }

    /// What arrives from now on belongs to the cell that begins.
    pub(crate) fn listen(&self, silent: bool) {
        self.listening.store(!silent, Ordering::Relaxed);
    }

    /// Everything that was written is with the sink when this returns.
    pub(crate) fn finish(&self) {
        let (sender, receiver) = mpsc::channel();
        *lock(&self.shown) = Some(sender);
        if (&self.pipe)
            .write_all(format!("{MARK}\n").as_bytes())
            .is_ok()
        {
            let _ = receiver.recv_timeout(std::time::Duration::from_secs(2));
        }
        self.listening.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_shown_before_the_end_of_the_cell_that_waits_for_them() {
        let folder = tempfile::tempdir().unwrap();
        let seen: Arc<Mutex<String>> = Arc::default();
        let kept = Arc::clone(&seen);
        let sink: OutputSink = Box::new(move |event| {
            if let OutputEvent::Stderr(text) = event {
                lock(&kept).push_str(&text);
            }
        });
        let pipe = ProgressPipe::open(folder.path(), Arc::new(sink)).unwrap();
        let write = |text: &str| {
            let path = record::progress_path(folder.path());
            let mut file = File::options().write(true).open(path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        pipe.listen(false);
        write("   Compiling log v1\n   Compiling rand v1\n");
        pipe.finish();
        assert_eq!(*lock(&seen), "   Compiling log v1\n   Compiling rand v1\n");
        write("   Compiling late v1\n");
        pipe.listen(true);
        pipe.finish();
        assert!(!lock(&seen).contains("late"));
    }
}
