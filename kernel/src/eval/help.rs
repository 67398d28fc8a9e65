//! The kernel's side of the helping process: starts it, asks it, starts it again when it fails.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::child::{CHILD_ENV, HELP, LIBRARY_ENV};
use super::exchange;
use super::helper::{Question, Reply};
use super::interface::{Completions, EngineOptions, MimeBundle};
use super::session::Session;
use super::shared::lock;

/// A process that fails again and again is left alone.
const MAX_STARTS: u32 = 3;
/// How much below the cells' own work and the compiler it comes: a little, since somebody waits for it.
const NICENESS: i32 = 5;

/// Who waits for an answer, and what they get when there is none.
enum Waiting {
    Completion(
        oneshot::Sender<Option<Completions>>,
        Box<Option<Completions>>,
    ),
    Inspection(oneshot::Sender<Option<MimeBundle>>),
}

impl Waiting {
    fn answer(self, reply: Reply) {
        match self {
            Self::Completion(sender, otherwise) => {
                drop(sender.send(reply.completions.or(*otherwise)));
            }
            Self::Inspection(sender) => drop(sender.send(reply.bundle)),
        }
    }
}

#[derive(Default)]
struct State {
    /// How to start the process; none before the engine has started.
    how: Option<(EngineOptions, &'static Session)>,
    process: Option<(Child, ChildStdin)>,
    starts: u32,
    /// Tells this process from earlier ones.
    generation: u64,
    /// Whether it has loaded everything.
    is_ready: bool,
    /// What a new process must learn.
    learnt: Vec<String>,
    waiting: HashMap<u64, Waiting>,
    last_id: u64,
}

/// A handle to the helping process; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Help(Arc<Mutex<State>>);

impl std::fmt::Debug for Help {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Help")
    }
}

impl Help {
    /// Starts the process, which needs seconds until its first answer.
    pub(crate) fn start(&self, options: &EngineOptions, session: &'static Session) {
        let mut state = lock(&self.0);
        state.how = Some((options.clone(), session));
        self.ensure_process(&mut state);
    }

    /// Passes on what a cell has defined, or a command that it ran.
    pub(crate) fn learn(&self, code: &str) {
        let mut state = lock(&self.0);
        state.learnt.push(code.to_owned());
        send(&mut state, &Question::Learn(code.to_owned()));
    }

    /// Forgets everything, with a new process.
    pub(crate) fn forget(&self) {
        let mut state = lock(&self.0);
        state.learnt.clear();
        state.starts = 0;
        stop(&mut state);
        self.ensure_process(&mut state);
    }

    /// Ends the process.
    pub(crate) fn stop(&self) {
        let mut state = lock(&self.0);
        state.how = None;
        stop(&mut state);
    }

    /// Completes `code` at `cursor`, or answers with `otherwise` when rust-analyzer knows nothing or is not there.
    pub(crate) fn complete(
        &self,
        declarations: String,
        code: String,
        cursor: usize,
        otherwise: Option<Completions>,
        answer: oneshot::Sender<Option<Completions>>,
    ) {
        self.ask(Waiting::Completion(answer, Box::new(otherwise)), |id| {
            Question::Complete {
                id,
                declarations,
                code,
                cursor,
            }
        });
    }

    /// Says what the name at `cursor` is.
    pub(crate) fn inspect(
        &self,
        declarations: String,
        code: String,
        cursor: usize,
        answer: oneshot::Sender<Option<MimeBundle>>,
    ) {
        self.ask(Waiting::Inspection(answer), |id| Question::Inspect {
            id,
            declarations,
            code,
            cursor,
        });
    }

    fn ask(&self, waiting: Waiting, question: impl FnOnce(u64) -> Question) {
        let mut state = lock(&self.0);
        self.ensure_process(&mut state);
        state.last_id += 1;
        let id = state.last_id;
        // Names that are known by themselves need not wait for rust-analyzer to load.
        let has_own_answer =
            matches!(&waiting, Waiting::Completion(_, otherwise) if otherwise.is_some());
        let is_sent = (state.is_ready || !has_own_answer) && send(&mut state, &question(id));
        if is_sent {
            state.waiting.insert(id, waiting);
        } else {
            drop(state);
            waiting.answer(Reply::default());
        }
    }

    /// Starts the process unless it runs.
    fn ensure_process(&self, state: &mut State) {
        if state.process.is_some() || state.starts >= MAX_STARTS {
            return;
        }
        let Some((options, session)) = &state.how else {
            return;
        };
        state.starts += 1;
        state.generation += 1;
        let started = command(options, session).and_then(|mut command| command.spawn());
        let Ok(mut process) = started else { return };
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return;
        };
        let (generation, shared) = (state.generation, self.clone());
        state.process = Some((process, input));
        for code in state.learnt.clone() {
            send(state, &Question::Learn(code));
        }
        let reader = std::thread::Builder::new()
            .name("swath-replies".to_owned())
            .spawn(move || shared.read_replies(output, generation));
        if reader.is_err() {
            // Nobody would hear its answers.
            stop(state);
        }
    }

    /// Passes answers on until the process ends.
    fn read_replies(&self, output: ChildStdout, generation: u64) {
        for line in BufReader::new(output).lines() {
            let Ok(line) = line else { break };
            // evcxr may print something of its own.
            let Ok(reply) = serde_json::from_str::<Reply>(&line) else {
                continue;
            };
            let mut state = lock(&self.0);
            state.is_ready |= state.generation == generation;
            let waiting = state.waiting.remove(&reply.id);
            drop(state);
            if let Some(waiting) = waiting {
                waiting.answer(reply);
            }
        }
        let mut state = lock(&self.0);
        if state.generation == generation {
            stop(&mut state);
        }
    }
}

/// Ends the process and answers everybody who waits.
fn stop(state: &mut State) {
    state.is_ready = false;
    if let Some((mut process, input)) = state.process.take() {
        drop(input);
        let _ = process.kill();
        let _ = process.wait();
    }
    for (_, waiting) in state.waiting.drain() {
        waiting.answer(Reply::default());
    }
}

/// Sends a question; whether there was somebody to take it.
fn send(state: &mut State, question: &Question) -> bool {
    let (Some((_, input)), Ok(line)) = (&mut state.process, serde_json::to_string(question)) else {
        return false;
    };
    writeln!(input, "{line}")
        .and_then(|()| input.flush())
        .is_ok()
}

fn command(options: &EngineOptions, session: &Session) -> std::io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    let dir = session.help_dir();
    let quiet = std::env::var_os("SWATH_TRACE").is_none();
    command
        .env(CHILD_ENV, HELP)
        .env(LIBRARY_ENV, &options.lib_dir)
        .env("PATH", session.help_path())
        .env("EVCXR_TMPDIR", dir.join("cell"))
        .env(exchange::SESSION_ENV, &dir)
        .env_remove("RUSTUP_TOOLCHAIN")
        .current_dir(&dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(if quiet {
            Stdio::null()
        } else {
            Stdio::inherit()
        });
    // SAFETY: the closure only makes system calls that are safe between fork and exec.
    unsafe {
        command.pre_exec(|| {
            // Ctrl-C in a terminal is for the cells.
            libc::setpgid(0, 0);
            libc::nice(NICENESS);
            Ok(())
        });
    }
    Ok(command)
}
