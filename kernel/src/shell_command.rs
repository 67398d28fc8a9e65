//! `!command` and `%%bash`: run here, in a process group of their own, with the folder and the environment that `%cd`
//! and `%env` set; their output appears while they run.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use crate::text::Utf8Stream;
use crate::umask;

static ENVIRONMENT: OnceLock<Vec<(OsString, OsString)>> = OnceLock::new();

/// Keeps the environment as the user gave it, before the engine puts its private tools first on `PATH`: commands must
/// find the user's own cargo. Called first thing in `main`.
pub(crate) fn remember_environment() {
    let _ = ENVIRONMENT.set(std::env::vars_os().collect());
}

/// Takes what a command says.
pub(crate) trait CommandOutput: Send + Sync + 'static {
    /// Takes text of standard output or standard error.
    fn write(&self, is_stderr: bool, text: &str);
    /// Whether more should wait: a command that never stops talking (`!yes`) must not fill the memory.
    fn is_full(&self) -> bool;
}

/// Runs commands, one at a time.
pub(crate) struct Shell {
    /// The process group that runs now; 0 when none does.
    group: AtomicI32,
    changed: Mutex<BTreeMap<String, Option<String>>>,
}

impl Shell {
    pub(crate) fn new() -> Self {
        Self {
            group: AtomicI32::new(0),
            changed: Mutex::default(),
        }
    }

    /// Sets a variable for all later commands.
    pub(crate) fn set_variable(&self, name: &str, value: &str) {
        self.changed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned(), Some(value.to_owned()));
    }

    /// Takes a variable away from all later commands.
    pub(crate) fn remove_variable(&self, name: &str) {
        self.changed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned(), None);
    }

    /// The variables that were set, with their values, and those that were removed.
    pub(crate) fn changed_variables(&self) -> BTreeMap<String, Option<String>> {
        self.changed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The environment of commands.
    pub(crate) fn variables(&self) -> BTreeMap<OsString, OsString> {
        let mut variables: BTreeMap<_, _> = match ENVIRONMENT.get() {
            Some(variables) => variables.iter().cloned().collect(),
            None => std::env::vars_os().collect(),
        };
        for (name, value) in self.changed_variables() {
            match value {
                Some(value) => variables.insert(name.into(), value.into()),
                None => variables.remove(std::ffi::OsStr::new(&name)),
            };
        }
        variables
    }

    /// Runs `script` with `program -c`.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub(crate) async fn run(
        &self,
        program: &str,
        script: &str,
        output: Arc<impl CommandOutput>,
    ) -> std::io::Result<ExitStatus> {
        if script.contains('\0') {
            return Err(std::io::Error::other(
                "the command holds a NUL character, which no program can be given",
            ));
        }
        let mut command = Command::new(program);
        command
            .arg("-c")
            .arg(script)
            .env_clear()
            .envs(self.variables());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let mask = umask::of_user();
        // SAFETY: the closure only makes a system call that is safe between fork and exec.
        unsafe {
            command.pre_exec(move || {
                umask::give_back(mask);
                Ok(())
            });
        }
        let mut child = command.spawn()?;
        let group = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .unwrap_or(0);
        self.group.store(group, Ordering::SeqCst);
        let readers = [
            child
                .stdout
                .take()
                .map(|pipe| tokio::spawn(copy(pipe, false, output.clone()))),
            child
                .stderr
                .take()
                .map(|pipe| tokio::spawn(copy(pipe, true, output))),
        ];
        let status = child.wait().await;
        // A daemon that the command left behind may hold the pipes open: what it says later is not waited for.
        for reader in readers.into_iter().flatten() {
            let abort = reader.abort_handle();
            if tokio::time::timeout(Duration::from_millis(300), reader)
                .await
                .is_err()
            {
                abort.abort();
            }
        }
        self.group.store(0, Ordering::SeqCst);
        status
    }

    /// Sends SIGINT to the running command, and what ends it for certain when it does not listen.
    pub(crate) fn interrupt(self: &Shell) {
        let group = self.group.load(Ordering::SeqCst);
        if group == 0 {
            return;
        }
        signal_group(group, libc::SIGINT);
        tokio::spawn(async move {
            for signal in [libc::SIGTERM, libc::SIGKILL] {
                tokio::time::sleep(Duration::from_secs(2)).await;
                signal_group(group, signal);
            }
        });
    }

    /// Ends the running command at once.
    pub(crate) fn kill(&self) {
        let group = self.group.load(Ordering::SeqCst);
        if group != 0 {
            signal_group(group, libc::SIGKILL);
        }
    }
}

fn signal_group(group: i32, signal: i32) {
    // SAFETY: kill has no preconditions; a group that is gone gives an error, which is what is wanted then.
    let _ = unsafe { libc::kill(-group, signal) };
}

async fn copy(mut pipe: impl AsyncRead + Unpin, is_stderr: bool, output: Arc<impl CommandOutput>) {
    let mut text = Utf8Stream::default();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match pipe.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(count) => output.write(is_stderr, &text.push(&buffer[..count])),
        }
        while output.is_full() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    output.write(is_stderr, &text.finish());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Texts(Mutex<[String; 2]>);

    impl CommandOutput for Texts {
        fn write(&self, is_stderr: bool, text: &str) {
            self.0.lock().unwrap()[usize::from(is_stderr)].push_str(text);
        }

        fn is_full(&self) -> bool {
            false
        }
    }

    async fn run(shell: &Shell, script: &str) -> (String, String, ExitStatus) {
        let texts = Arc::new(Texts::default());
        let status = shell.run("sh", script, texts.clone()).await.unwrap();
        let [out, err] = texts.0.lock().unwrap().clone();
        (out, err, status)
    }

    #[tokio::test]
    async fn both_streams_the_status_and_set_variables_are_seen() {
        let shell = Shell::new();
        shell.set_variable("COLOR", "ocker \"ü\"");
        let (out, err, status) = run(&shell, "echo $COLOR; echo oops >&2; exit 3").await;
        assert_eq!(
            (out.as_str(), err.as_str(), status.code()),
            ("ocker \"ü\"\n", "oops\n", Some(3))
        );
    }

    #[tokio::test]
    async fn a_daemon_left_behind_is_not_waited_for() {
        let started = std::time::Instant::now();
        let (out, _, _) = run(&Shell::new(), "sleep 20 & echo done").await;
        assert_eq!(out, "done\n");
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[tokio::test]
    async fn an_interrupt_ends_the_whole_group() {
        let shell = Arc::new(Shell::new());
        let own = shell.clone();
        let running = tokio::spawn(async move { run(&own, "sleep 30; echo not reached").await });
        while shell.group.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        shell.interrupt();
        let (out, _, status) = tokio::time::timeout(Duration::from_secs(10), running)
            .await
            .unwrap()
            .unwrap();
        assert!(out.is_empty() && !status.success(), "{out} {status}");
    }
}
