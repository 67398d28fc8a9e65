//! From what a cell shows to messages on iopub: streams in batches, displays in their order, the cell's own header
//! as parent.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jupyter_protocol::{ClearOutput, Stdio, StreamContent, Transient};
use serde_json::Value;
use tokio::runtime::Handle;

use super::stdin::Stdin;
use super::threads::cells_have_threads;
use crate::eval::{MimeBundle, OutputEvent};
use crate::shell_command::CommandOutput;
use crate::wire::iopub::Iopub;
use crate::wire::message::Message;
use crate::wire::messages::{Content, DisplayData, ExecuteResult, UpdateDisplayData};

/// How long text is gathered before it is sent.
const BATCH: Duration = Duration::from_millis(50);
/// Text beyond this many bytes is sent at once.
const BATCH_BYTES: usize = 64 * 1024;
/// How long a producer waits for each piece while front ends do not read as fast as it makes.
const BACKLOG_WAIT: Duration = Duration::from_secs(10);
/// The same for one whose cell was interrupted: it must come to the place where it stops.
const HURRIED_WAIT: Duration = Duration::from_millis(20);
/// A silent cell is still being compiled: what is printed is of threads.
const COMPILES: Duration = Duration::from_millis(50);

/// A text stream of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    fn name(self) -> Stdio {
        match self {
            Self::Stdout => Stdio::Stdout,
            Self::Stderr => Stdio::Stderr,
        }
    }
}

/// What happens to a cell's outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// They are broadcast.
    Publish,
    /// They are dropped (`silent`), but for text of threads that other cells have started.
    Discard,
    /// They are kept for [`Outputs::take_captured`] (`%%capture`).
    Capture,
    /// The result is kept; text is broadcast, or dropped in a silent cell (`user_expressions`).
    KeepResult,
}

/// What was kept of a captured run.
#[derive(Debug, Default)]
pub(crate) struct Captured {
    /// Text of both streams in order.
    pub(crate) text: String,
    /// The last result, with its metadata.
    pub(crate) result: Option<(MimeBundle, MimeBundle)>,
}

struct State {
    parent: Option<Arc<Message>>,
    /// The last cell that was not silent: text of threads belongs to it.
    text_parent: Option<Arc<Message>>,
    /// Since when a silent cell runs.
    silent: Option<Instant>,
    execution_count: u32,
    mode: Mode,
    text: Option<(Stream, String)>,
    flush_scheduled: bool,
    result_text: Option<String>,
    captured: Captured,
    allow_stdin: bool,
}

/// The outputs of the running cell. One for the kernel, shared by the engine's sink and the shell commands.
pub(crate) struct Outputs {
    iopub: Iopub,
    stdin: Stdin,
    runtime: Handle,
    state: Mutex<State>,
    /// Whether the running cell was interrupted.
    hurried: AtomicBool,
}

impl Outputs {
    pub(crate) fn new(iopub: Iopub, stdin: Stdin) -> Arc<Self> {
        let state = State {
            parent: None,
            text_parent: None,
            silent: None,
            execution_count: 0,
            mode: Mode::Publish,
            text: None,
            flush_scheduled: false,
            result_text: None,
            captured: Captured::default(),
            allow_stdin: false,
        };
        Arc::new(Self {
            iopub,
            stdin,
            runtime: Handle::current(),
            state: Mutex::new(state),
            hurried: AtomicBool::new(false),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Outputs from now on belong to `parent`.
    pub(crate) fn begin(
        &self,
        parent: Arc<Message>,
        execution_count: u32,
        mode: Mode,
        allow_stdin: bool,
    ) {
        let mut state = self.state();
        self.send_text(&mut state);
        self.hurried.store(false, Ordering::Relaxed);
        state.silent = (mode == Mode::Discard).then(Instant::now);
        if mode != Mode::Discard {
            state.text_parent = Some(parent.clone());
        }
        state.parent = Some(parent);
        state.execution_count = execution_count;
        state.mode = mode;
        state.allow_stdin = allow_stdin;
        state.result_text = None;
        state.captured = Captured::default();
    }

    /// Sends what is still gathered, and returns the plain text of the cell's result for the history. What threads show
    /// from now on belongs to the last cell that was not silent.
    pub(crate) fn finish(&self) -> Option<String> {
        let mut state = self.state();
        self.send_text(&mut state);
        state.allow_stdin = false;
        state.silent = None;
        state.mode = Mode::Publish;
        state.parent = state.text_parent.clone();
        state.result_text.take()
    }

    /// The running cell was interrupted: until it ends nobody is waited for.
    pub(crate) fn hurry(&self) {
        self.hurried.store(true, Ordering::Relaxed);
    }

    /// Changes what happens to outputs; returns what happened before.
    pub(crate) fn set_mode(&self, mode: Mode) -> Mode {
        let mut state = self.state();
        self.send_text(&mut state);
        std::mem::replace(&mut state.mode, mode)
    }

    /// What was captured since the mode was set.
    pub(crate) fn take_captured(&self) -> Captured {
        std::mem::take(&mut self.state().captured)
    }

    /// Adds text of the running cell's magics and commands to a stream.
    pub(crate) fn write(self: &Arc<Self>, stream: Stream, text: &str) {
        self.add(stream, text, false);
    }

    /// Adds text to a stream; `of_process` when it comes from the process of the cells, which may have threads.
    fn add(self: &Arc<Self>, stream: Stream, text: &str, of_process: bool) {
        if text.is_empty() {
            return;
        }
        let mut state = self.state();
        if state.mode == Mode::Capture {
            state.captured.text.push_str(text);
            return;
        }
        if let Some(since) = state.silent {
            let of_threads = of_process && (since.elapsed() < COMPILES || cells_have_threads());
            if !of_threads {
                return;
            }
        }
        if state
            .text
            .as_ref()
            .is_some_and(|(pending, _)| *pending != stream)
        {
            self.send_text(&mut state);
        }
        let pending = &mut state.text.get_or_insert_with(|| (stream, String::new())).1;
        pending.push_str(text);
        if pending.len() >= BATCH_BYTES {
            self.send_text(&mut state);
        } else if !state.flush_scheduled {
            state.flush_scheduled = true;
            let outputs = self.clone();
            self.runtime.spawn(async move {
                tokio::time::sleep(BATCH).await;
                let mut state = outputs.state();
                state.flush_scheduled = false;
                outputs.send_text(&mut state);
            });
        }
    }

    /// Takes one event of the engine; called from the engine's threads.
    pub(crate) fn accept(self: &Arc<Self>, event: OutputEvent) {
        self.wait_for_backlog();
        match event {
            OutputEvent::Stdout(text) => self.add(Stream::Stdout, &text, true),
            OutputEvent::Stderr(text) => self.add(Stream::Stderr, &text, true),
            OutputEvent::Result { bundle, metadata } => self.result(bundle, metadata),
            OutputEvent::Display {
                bundle,
                metadata,
                id,
            } => self.publish(&DisplayData {
                data: bundle,
                metadata,
                transient: Transient { display_id: id },
            }),
            OutputEvent::Update {
                bundle,
                metadata,
                id,
            } => self.publish(&UpdateDisplayData {
                data: bundle,
                metadata,
                transient: Transient {
                    display_id: Some(id),
                },
            }),
            OutputEvent::Clear { wait } => self.publish(&ClearOutput { wait }),
            OutputEvent::Input {
                prompt,
                password,
                reply,
            } => self.ask(&prompt, password, reply),
        }
    }

    /// Shows the value of a cell, or of a magic that ends one.
    pub(crate) fn result(self: &Arc<Self>, bundle: MimeBundle, metadata: MimeBundle) {
        let mut state = self.state();
        if matches!(state.mode, Mode::Capture | Mode::KeepResult) {
            state.captured.result = Some((bundle, metadata));
            return;
        }
        state.result_text = bundle
            .get("text/plain")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let count = state.execution_count;
        drop(state);
        self.publish(&ExecuteResult {
            execution_count: count,
            data: bundle,
            metadata,
            transient: Transient::default(),
        });
    }

    /// Broadcasts a message of the running cell, after the text before it.
    pub(crate) fn publish(&self, content: &impl Content) {
        let mut state = self.state();
        let shown = matches!(state.mode, Mode::Publish | Mode::KeepResult);
        if shown && state.silent.is_none() {
            self.send_text(&mut state);
            self.iopub.publish(state.parent.as_deref(), content);
        }
    }

    fn ask(&self, prompt: &str, password: bool, reply: std::sync::mpsc::Sender<Option<String>>) {
        let mut state = self.state();
        self.send_text(&mut state);
        match state.parent.clone() {
            Some(parent) if state.allow_stdin => self.stdin.ask(&parent, prompt, password, reply),
            // Whoever asked is told that nobody can answer.
            _ => drop(reply.send(None)),
        }
    }

    fn send_text(&self, state: &mut State) {
        if let Some((stream, text)) = state.text.take() {
            let name = stream.name();
            let parent = state.text_parent.as_deref();
            self.iopub.publish(parent, &StreamContent { name, text });
        }
    }

    fn wait_for_backlog(&self) {
        let started = Instant::now();
        while self.iopub.is_congested() {
            let hurried = self.hurried.load(Ordering::Relaxed);
            if started.elapsed() > if hurried { HURRIED_WAIT } else { BACKLOG_WAIT } {
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Shell commands write into the running cell.
pub(super) struct CellOutput(pub(super) Arc<Outputs>);

impl CommandOutput for CellOutput {
    fn write(&self, is_stderr: bool, text: &str) {
        self.0.write(
            if is_stderr {
                Stream::Stderr
            } else {
                Stream::Stdout
            },
            text,
        );
    }

    fn is_full(&self) -> bool {
        !self.0.hurried.load(Ordering::Relaxed) && self.0.iopub.is_congested()
    }
}
