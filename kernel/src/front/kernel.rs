//! The front process: binds the sockets, starts the engine, serves until shutdown.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jupyter_protocol::{ConnectionInfo, ExecutionState};
use serde::Serialize;
use tokio::sync::{Notify, mpsc};

use super::outputs::Outputs;
use super::signals::terminated;
use super::stdin::Stdin;
use super::{control, execute, parent, shell, stdin};
use crate::eval::{Engine, EngineOptions};
use crate::history::History;
use crate::shell_command::Shell;
use crate::wire::connection::read_connection_file;
use crate::wire::endpoint::{Listener, remove_ipc_files};
use crate::wire::heartbeat;
use crate::wire::iopub::Iopub;
use crate::wire::message::Message;
use crate::wire::messages::ConnectReply;
use crate::wire::replay::Seen;
use crate::wire::router::{Replies, Security, start_router};
use crate::wire::sign::Signer;
use crate::wire::users::Users;
use crate::wire::zmtp::Pool;

/// Unfinished messages of all those together who have not shown the key.
const STRANGERS_BYTES: usize = 64 << 20;

/// How the kernel is started.
pub(crate) struct ServeOptions {
    /// Jupyter's connection file.
    pub(crate) connection_file: PathBuf,
    /// Where the engine finds the library and the toolchain.
    pub(crate) engine: EngineOptions,
}

/// What commands have chosen for the cells that follow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Preferences {
    /// Whether each cell tells how long it took (`:timing`).
    pub(crate) timing: bool,
    /// Whether variables outlive a panic (`:preserve_vars_on_panic`).
    pub(crate) preserve_variables: bool,
}

/// What all parts of the front share.
pub(crate) struct Kernel {
    pub(crate) iopub: Iopub,
    pub(crate) stdin: Stdin,
    pub(crate) outputs: Arc<Outputs>,
    pub(crate) engine: Engine,
    pub(crate) history: History,
    pub(crate) shell: Shell,
    pub(crate) execution_count: AtomicU32,
    /// The execute request that runs now.
    running: Mutex<Option<Arc<Message>>>,
    /// Set by an interrupt, cleared when a cell begins: steps between engine calls look at it.
    interrupted: AtomicBool,
    /// Set when the cells' process is a new one, which lacks what `%cd` and `%env` did.
    replay: AtomicBool,
    previous_folder: Mutex<Option<PathBuf>>,
    /// What `connect_request` asks for.
    pub(crate) ports: ConnectReply,
    preferences: Mutex<Preferences>,
    /// What the next cell that shows something has to tell.
    notes: Mutex<Vec<String>>,
    /// The folder in which the kernel was started.
    pub(crate) first_folder: PathBuf,
    /// Whether a cell has run: startup files are read before the first.
    began: AtomicBool,
    stop: Notify,
}

impl Kernel {
    /// Runs `answer` between `busy` and `idle` of `request`, for requests that are answered while a cell may run.
    pub(crate) fn with_status(&self, request: &Message, answer: impl FnOnce()) {
        self.iopub.status(ExecutionState::Busy, Some(request));
        answer();
        self.idle(request);
    }

    /// Publishes `idle` for a request. Front ends show the kernel's last state whatever its parent: while a cell runs
    /// its `busy` is repeated, so that a completion does not make the kernel look idle.
    pub(crate) fn idle(&self, request: &Message) {
        let running = self.running();
        self.iopub.status(ExecutionState::Idle, Some(request));
        if let Some(running) = running.as_deref() {
            self.iopub.status(ExecutionState::Busy, Some(running));
        }
    }

    /// Sends `content` in reply to `request` between `busy` and `idle`.
    pub(crate) fn answer(&self, replies: &Replies, request: &Message, content: &impl Serialize) {
        let reply = reply_type(request.msg_type());
        self.with_status(request, || replies.reply(&reply, request, content));
    }

    pub(crate) fn running(&self) -> std::sync::MutexGuard<'_, Option<Arc<Message>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops the running cell, whatever it does: engine, shell command, question to the user.
    pub(crate) fn interrupt(&self) {
        self.interrupted.store(true, Ordering::SeqCst);
        // A cell that waits for a front end to read can stop only when it waits no longer.
        self.outputs.hurry();
        self.shell.interrupt();
        self.engine.interrupt();
        // Last: a cell that goes on without an answer finds the request to stop there.
        self.stdin.answer(None);
    }

    pub(crate) fn set_interrupted(&self, value: bool) {
        self.interrupted.store(value, Ordering::SeqCst);
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }

    /// The next cell first restores folder and variables.
    pub(crate) fn need_replay(&self) {
        self.replay.store(true, Ordering::SeqCst);
    }

    pub(crate) fn take_replay(&self) -> bool {
        self.replay.swap(false, Ordering::SeqCst)
    }

    /// The folder before the last `%cd`.
    pub(crate) fn previous_folder(&self) -> Option<PathBuf> {
        self.previous_folder
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn set_previous_folder(&self, folder: Option<PathBuf>) {
        *self
            .previous_folder
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = folder;
    }

    /// What commands have chosen.
    pub(crate) fn preferences(&self) -> std::sync::MutexGuard<'_, Preferences> {
        self.preferences
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What has to be told in a cell.
    pub(crate) fn notes(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether no cell has run yet; true once.
    pub(crate) fn is_first_cell(&self) -> bool {
        !self.began.swap(true, Ordering::SeqCst)
    }

    /// Has shell commands and the front process follow what cells did to their folder and environment.
    pub(crate) fn follow_cells(&self) {
        for change in self.engine.take_surroundings() {
            for (name, value) in &change.set {
                self.shell.set_variable(name, value);
            }
            for name in &change.unset {
                self.shell.remove_variable(name);
            }
            let before = std::env::current_dir().ok();
            if let Some(folder) = change.folder.map(PathBuf::from)
                && before.as_ref() != Some(&folder)
                && std::env::set_current_dir(&folder).is_ok()
            {
                self.set_previous_folder(before);
            }
        }
    }

    pub(crate) fn folder_changed(&self) -> bool {
        self.previous_folder().is_some()
    }

    /// Ends [`serve`].
    pub(crate) fn request_stop(&self) {
        self.stop.notify_one();
    }
}

/// `execute_request` is answered by `execute_reply`, and so on.
pub(crate) fn reply_type(request: &str) -> String {
    format!(
        "{}_reply",
        request.strip_suffix("_request").unwrap_or(request)
    )
}

/// Serves a front end until it asks for shutdown, its server dies, or a signal that ends it arrives.
///
/// # Errors
/// When the connection file cannot be used or a socket cannot be bound.
pub(crate) async fn serve(options: ServeOptions) -> Result<(), String> {
    let info: ConnectionInfo = read_connection_file(&options.connection_file)?;
    let users = Users::of(&options.connection_file);
    let security = Security {
        signer: Signer::new(&info.key),
        seen: Seen::default(),
        pool: Pool::new(STRANGERS_BYTES),
    };
    let session: Arc<str> = uuid::Uuid::new_v4().to_string().into();

    heartbeat::start(&info, &users, security.pool.clone()).await?;
    let iopub = Iopub::start(
        Listener::bind(&info, info.iopub_port, "iopub", &users).await?,
        session.clone(),
        security.signer.clone(),
        security.pool.clone(),
    );
    let router = async |port, channel| -> Result<_, String> {
        let listener = Listener::bind(&info, port, channel, &users).await?;
        start_router(channel, listener, session.clone(), security.clone()).await
    };
    let (shell_requests, shell_replies) = router(info.shell_port, "shell").await?;
    let (control_requests, control_replies) = router(info.control_port, "control").await?;
    let (stdin_requests, stdin_replies) = router(info.stdin_port, "stdin").await?;
    iopub.status(ExecutionState::Starting, None);

    let questions = Stdin::new(stdin_replies.clone());
    let outputs = Outputs::new(iopub.clone(), questions.clone());
    let sink = outputs.clone();
    let first_folder = options.engine.working_dir.clone();
    let engine = Engine::start(options.engine, Box::new(move |event| sink.accept(event)));
    let kernel = Arc::new(Kernel {
        iopub,
        stdin: questions,
        outputs,
        engine,
        history: History::open_default(),
        shell: Shell::new(),
        execution_count: AtomicU32::new(0),
        running: Mutex::new(None),
        interrupted: AtomicBool::new(false),
        replay: AtomicBool::new(false),
        previous_folder: Mutex::new(None),
        ports: ConnectReply::new(&info),
        preferences: Mutex::new(Preferences {
            timing: false,
            preserve_variables: true,
        }),
        notes: Mutex::default(),
        first_folder,
        began: AtomicBool::new(false),
        stop: Notify::new(),
    });

    let (cells, queue) = mpsc::unbounded_channel();
    tokio::spawn(execute::run_queue(kernel.clone(), queue));
    tokio::spawn(shell::serve(
        kernel.clone(),
        shell_requests,
        shell_replies.clone(),
        cells.clone(),
    ));
    tokio::spawn(control::serve(
        kernel.clone(),
        control_requests,
        control_replies.clone(),
        cells,
    ));
    tokio::spawn(stdin::serve(kernel.clone(), stdin_requests, stdin_replies));

    tokio::select! {
        () = kernel.stop.notified() => {}
        () = parent::wait_until_gone() => crate::log::warn("the process that started this kernel is gone: ending"),
        name = terminated() => crate::log::debug(&format!("{name}: ending")),
    }
    kernel.shell.kill();
    let engine = kernel.engine.clone();
    // Killing and reaping the child may take a moment; the connection ends all the same.
    let ended = tokio::task::spawn_blocking(move || engine.shutdown());
    let _ = tokio::time::timeout(std::time::Duration::from_secs(2), ended).await;
    control_replies.flush().await;
    shell_replies.flush().await;
    kernel.iopub.flush().await;
    kernel.history.close();
    remove_ipc_files(&info);
    Ok(())
}
