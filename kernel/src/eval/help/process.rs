//! The helping process: rust-analyzer, asked by the kernel.
//!
//! It reads one [`Message`] a line on standard input and writes one [`Reply`] a line on standard output. It is its own
//! process because rust-analyzer takes seconds and hundreds of megabytes: no cell waits for it, and it can be stopped
//! or fail without anybody losing a variable. Every question has a thread of its own: one that panics costs its own
//! answer, one that is useless by now is cancelled.

#![expect(
    clippy::print_stderr,
    reason = "a process of its own, whose standard error is the log"
)]

use std::collections::VecDeque;
use std::io::{BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use ra_ap_hir::ChangeWithProcMacros;
use ra_ap_ide::AnalysisHost;
use swath_link::environment;

use super::analysis::{Cancelled, Snapshot};
use super::document::Document;
use super::messages::{CrateFiles, Kind, Message, Place, Reply};
use super::project::Project;

/// rust-analyzer recurses deeply over long functions. The memory is taken only when it is used.
const STACK: usize = 256 << 20;
/// Nobody waits longer for an answer.
const PATIENCE: Duration = Duration::from_secs(9);
/// The first lookup reads much of the standard library; who cannot wait for it is answered by the kernel.
const PATIENCE_WITH_READING: Duration = Duration::from_secs(120);
/// How much below everything else reading and warming up come.
const NICENESS: i32 = 5;
/// After so many questions memory is tidied up.
const QUESTIONS_BEFORE_TIDYING: u32 = 300;

/// What is looked up while nobody asks, so that the first who asks need not wait for the standard library's traits.
const WARM_UP: [&str; 5] = [
    "let text = String::new(); text.le",
    "let text = vec![String::new()]; for word in text.iter() { word.",
    "let v = 1;\n",
    "let scene = Scene::open(\"\")?; scene.",
    "let all = vec![1].iter().map(|x| x + 1).",
];

enum Event {
    Said(Message),
    Ended {
        id: u64,
        end: End,
    },
    Loaded(Box<(Project, Result<ChangeWithProcMacros, String>)>),
    /// The kernel is gone.
    Closed,
}

/// How the lookup of an answer ended.
enum End {
    Answered(Reply),
    Cancelled,
    Crashed,
}

struct Question {
    id: u64,
    kind: Kind,
    place: Place,
}

struct Running {
    id: u64,
    kind: Kind,
    deadline: Instant,
    /// Whether the asker has had an answer.
    is_over: bool,
}

/// Answers questions until standard input is closed, and ends the process.
pub(crate) fn run() -> ! {
    let served = std::thread::Builder::new()
        .name("swath-help".to_owned())
        .stack_size(STACK)
        .spawn(serve)
        .map_err(|error| error.to_string())
        .and_then(|thread| {
            let ended = thread.join();
            ended.unwrap_or_else(|_| Err("rust-analyzer panicked".to_owned()))
        });
    if let Err(reason) = served {
        eprintln!("swath help: {reason}");
        std::process::exit(1);
    }
    std::process::exit(0)
}

fn serve() -> Result<(), String> {
    let (sender, events) = mpsc::channel();
    let said = sender.clone();
    spawn("swath-questions", move || read_messages(&said))?;
    let toolchain = std::env::var_os(environment::TOOLCHAIN).ok_or("no toolchain is named")?;
    let folder = std::env::current_dir().map_err(|error| error.to_string())?;
    let project = Project::new(&folder.join("cell"), &PathBuf::from(toolchain))?;
    Server {
        host: AnalysisHost::default(),
        source: project.source,
        project: Some(project),
        crates: CrateFiles::default(),
        is_outdated: false,
        has_intrinsics: false,
        change: None,
        is_loaded: false,
        is_ready: false,
        items: String::new(),
        waiting: VecDeque::new(),
        running: None,
        warm_up: WARM_UP.into(),
        answers: 0,
        is_suspect: false,
        sender,
    }
    .serve(&events)
}

fn read_messages(sender: &Sender<Event>) {
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        if let Ok(message) = serde_json::from_str(&line) {
            let _ = sender.send(Event::Said(message));
        }
    }
    let _ = sender.send(Event::Closed);
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), String> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .stack_size(STACK)
        .spawn(work)
        .map(drop)
        .map_err(|error| format!("a thread cannot start: {error}"))
}

struct Server {
    host: AnalysisHost,
    source: ra_ap_ide::FileId,
    /// Nobody has it while its files are being read.
    project: Option<Project>,
    /// What the cells' crate is.
    crates: CrateFiles,
    /// Whether its crates are to be read.
    is_outdated: bool,
    /// Whether somebody uses `std::arch`, which is not read otherwise.
    has_intrinsics: bool,
    /// The crates that were read, until no question runs.
    change: Option<ChangeWithProcMacros>,
    is_loaded: bool,
    /// Whether anything was found yet.
    is_ready: bool,
    items: String,
    waiting: VecDeque<Question>,
    running: Option<Running>,
    warm_up: VecDeque<&'static str>,
    /// Since memory was tidied up.
    answers: u32,
    /// Whether a lookup has panicked, and nothing has been found since.
    is_suspect: bool,
    sender: Sender<Event>,
}

impl Server {
    fn serve(mut self, events: &Receiver<Event>) -> Result<(), String> {
        loop {
            let event = match self.time_left() {
                Some(left) => match events.recv_timeout(left) {
                    Ok(event) => event,
                    Err(RecvTimeoutError::Timeout) => {
                        self.give_up()?;
                        continue;
                    }
                    Err(RecvTimeoutError::Disconnected) => return Ok(()),
                },
                None => match events.recv() {
                    Ok(event) => event,
                    Err(_) => return Ok(()),
                },
            };
            match event {
                Event::Said(message) => self.hear(message)?,
                Event::Ended { id, end } => self.ended(id, end)?,
                Event::Loaded(loaded) => self.loaded(*loaded)?,
                // Nobody reads what is still being looked up.
                Event::Closed => std::process::exit(0),
            }
            self.go_on()?;
        }
    }

    fn time_left(&self) -> Option<Duration> {
        let running = self.running.as_ref().filter(|running| !running.is_over)?;
        Some(running.deadline.saturating_duration_since(Instant::now()))
    }

    fn hear(&mut self, message: Message) -> Result<(), String> {
        match message {
            Message::Items(items) => {
                self.look_for_intrinsics(&items);
                self.items = items;
            }
            Message::Crate(files) => {
                self.crates = files;
                self.is_outdated = true;
            }
            Message::Ask { id, kind, place } => {
                self.look_for_intrinsics(&place.code);
                let is_older = |question: &Question| question.kind == kind;
                for question in self.waiting.iter().filter(|question| is_older(question)) {
                    say(&Reply::empty(question.id))?;
                }
                self.waiting.retain(|question| !is_older(question));
                // Before anything was found, whatever runs reads what every question needs, and cancelling it would
                // have it begin anew: somebody who asks again and again would never be answered.
                let may_cancel = self.is_ready && !self.is_suspect;
                let is_useless = |it: &Running| may_cancel && (it.kind == kind || it.id == 0);
                if self.running.as_ref().is_some_and(is_useless) {
                    self.give_up()?;
                }
                self.waiting.push_back(Question { id, kind, place });
            }
        }
        Ok(())
    }

    fn look_for_intrinsics(&mut self, code: &str) {
        if !self.has_intrinsics && code.contains("arch::") {
            self.has_intrinsics = true;
            self.is_outdated = true;
        }
    }

    /// Cancels the running lookup.
    fn give_up(&mut self) -> Result<(), String> {
        if let Some(running) = self.running.as_mut().filter(|running| !running.is_over) {
            running.is_over = true;
            if running.id > 0 {
                say(&Reply::empty(running.id))?;
            }
            // Returns when the lookup has noticed.
            self.host.trigger_cancellation();
        }
        Ok(())
    }

    fn ended(&mut self, id: u64, end: End) -> Result<(), String> {
        let Some(running) = self.running.take() else {
            return Ok(());
        };
        match end {
            End::Answered(reply) => {
                self.is_suspect = false;
                if !self.is_ready {
                    self.is_ready = true;
                    say(&Reply::default())?;
                }
                if id > 0 && !running.is_over {
                    say(&reply)?;
                }
            }
            End::Cancelled if running.is_over => {}
            End::Cancelled => say(&Reply::empty(id))?,
            End::Crashed if self.is_suspect => {
                return Err("rust-analyzer panics at everything".to_owned());
            }
            End::Crashed => {
                if !running.is_over {
                    say(&Reply::empty(id))?;
                }
                self.is_suspect = true;
            }
        }
        Ok(())
    }

    fn loaded(
        &mut self,
        loaded: (Project, Result<ChangeWithProcMacros, String>),
    ) -> Result<(), String> {
        let (project, change) = loaded;
        self.project = Some(project);
        match change {
            Ok(change) => self.change = Some(change),
            Err(reason) if self.is_loaded => eprintln!("swath help: {reason}"),
            Err(reason) => return Err(reason),
        }
        Ok(())
    }

    /// Starts whatever can be started.
    fn go_on(&mut self) -> Result<(), String> {
        if self.is_outdated {
            self.load()?;
        }
        if self.running.is_some() {
            return Ok(());
        }
        if let Some(change) = self.change.take() {
            self.host.apply_change(change);
            self.is_loaded = true;
        }
        if !self.is_loaded {
            return Ok(());
        }
        if self.is_suspect {
            // A simple question shows whether others can still be answered.
            return self.look_up(own_question(WARM_UP[0]));
        }
        if let Some(question) = self.waiting.pop_front() {
            return self.look_up(question);
        }
        if let Some(code) = self.warm_up.pop_front() {
            return self.look_up(own_question(code));
        }
        if self.answers >= QUESTIONS_BEFORE_TIDYING {
            self.answers = 0;
            self.host.trigger_garbage_collection();
        }
        Ok(())
    }

    /// Has the crates read, unless some are being read: then afterwards.
    fn load(&mut self) -> Result<(), String> {
        let Some(mut project) = self.project.take() else {
            return Ok(());
        };
        self.is_outdated = false;
        let (files, has_intrinsics) = (self.crates.clone(), self.has_intrinsics);
        let sender = self.sender.clone();
        spawn("swath-crates", move || {
            be_nice();
            let began = Instant::now();
            let change = project.load(&files, has_intrinsics);
            trace(|| format!("crates read in {} ms", began.elapsed().as_millis()));
            let _ = sender.send(Event::Loaded(Box::new((project, change))));
        })
    }

    fn look_up(&mut self, question: Question) -> Result<(), String> {
        let Question { id, kind, place } = question;
        let Some(document) = Document::new(&self.items, kind, &place) else {
            return say(&Reply::empty(id));
        };
        let mut change = ChangeWithProcMacros::default();
        change.change_file(self.source, Some(document.text.clone()));
        self.host.apply_change(change);
        let snapshot = Snapshot {
            analysis: self.host.analysis(),
            file: self.source,
            document,
        };
        let patience = if id == 0 || !self.is_ready {
            PATIENCE_WITH_READING
        } else {
            PATIENCE
        };
        self.running = Some(Running {
            id,
            kind,
            deadline: Instant::now() + patience,
            is_over: false,
        });
        self.answers += 1;
        let nobody_waits = id == 0 && self.is_ready;
        let sender = self.sender.clone();
        spawn("swath-answer", move || {
            if nobody_waits {
                be_nice();
            }
            let began = Instant::now();
            let found = catch_unwind(AssertUnwindSafe(|| answer(id, kind, &snapshot)));
            trace(|| format!("question {id} took {} ms", began.elapsed().as_millis()));
            // A change waits until nobody looks at the files any more.
            drop(snapshot);
            let end = match found {
                Ok(Ok(reply)) => End::Answered(reply),
                Ok(Err(Cancelled)) => End::Cancelled,
                Err(_) => End::Crashed,
            };
            let _ = sender.send(Event::Ended { id, end });
        })
    }
}

/// A question that nobody waits for.
fn own_question(code: &str) -> Question {
    let place = Place {
        declarations: String::new(),
        code: code.to_owned(),
        cursor: code.chars().count(),
    };
    Question {
        id: 0,
        kind: Kind::Complete,
        place,
    }
}

fn answer(id: u64, kind: Kind, snapshot: &Snapshot) -> Result<Reply, Cancelled> {
    let mut reply = Reply::empty(id);
    match kind {
        Kind::Complete => reply.completions = snapshot.complete()?,
        Kind::Inspect => reply.bundle = snapshot.inspect()?,
    }
    Ok(reply)
}

/// Lets everybody else go first; on Linux this is about the thread alone.
fn be_nice() {
    // SAFETY: a system call on numbers.
    unsafe { libc::nice(NICENESS) };
}

/// Says on standard error how long steps take, which is heard with `SWATH_TRACE=1`.
fn trace(text: impl FnOnce() -> String) {
    if std::env::var_os(environment::TRACE).is_some_and(|value| value == "1") {
        eprintln!("swath help: {}", text());
    }
}

fn say(reply: &Reply) -> Result<(), String> {
    let line = serde_json::to_string(reply).map_err(|error| error.to_string())?;
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")
        .and_then(|()| output.flush())
        .map_err(|error| error.to_string())
}
