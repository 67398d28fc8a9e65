//! The thread on which cells run, and its supervisor.
//!
//! The supervisor waits until the cell has ended. When it was interrupted and does not end, it has the thread put aside
//! ([`super::stop`]), and another thread takes over the variables and the cells that follow.

use std::ffi::{CStr, CString, c_void};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use swath_link::message::{Answer, Done, Message};

use super::stop::Target;
use super::{
    guard, pipes, programs, shared_objects, show, side, signals, stop, store, surroundings,
};

/// Deep recursion in users' code is common (trees, parsers), so cells get more stack than a main thread's 8 MiB.
const STACK_BYTES: usize = 256 << 20;

/// How long a cell that was interrupted may go on, as a part of the time after which it is killed: by itself,
const GRACE: f64 = 0.1;
/// while a program runs, which may have something to save,
const GRACE_FOR_PROGRAMS: f64 = 0.4;
/// and when it asks from time to time whether it was interrupted.
const GRACE_WHEN_POLITE: f64 = 0.8;
/// A cell is polite when it has asked within this time.
const POLITE_WITHIN: Duration = Duration::from_secs(10);
/// How often an interrupted cell is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The names of the variables when the running cell began.
static BEFORE: Mutex<Vec<String>> = Mutex::new(Vec::new());

enum Job {
    Run {
        path: String,
        function: String,
    },
    /// Tell the front process about a cell that was put aside on another thread.
    Conclude,
}

/// What the cells' thread last said.
#[derive(Debug, Default)]
struct Progress(AtomicU8);

const RUNS: u8 = 0;
const IS_DONE: u8 = 1;
const IS_GONE: u8 = 2;

impl Progress {
    fn set(&self, progress: u8) {
        self.0.store(progress, Ordering::SeqCst);
        signals::wake();
    }
}

/// Says that a thread is gone, however it goes.
struct Farewell(Arc<Progress>);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.set(IS_GONE);
    }
}

/// A thread that runs cells.
struct Runner {
    jobs: mpsc::Sender<Job>,
    thread: JoinHandle<()>,
    target: Target,
    progress: Arc<Progress>,
}

impl Runner {
    /// # Safety
    /// The runner before this one, if any, was put aside.
    unsafe fn start() -> Result<Self, String> {
        let (jobs, receiver) = mpsc::channel();
        let (place, target) = mpsc::channel();
        let progress = Arc::new(Progress::default());
        let farewell = Farewell(Arc::clone(&progress));
        let thread = std::thread::Builder::new()
            .name("main".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                // SAFETY: the caller's promise.
                unsafe { store::adopt() };
                let _ = place.send(Target::this_thread());
                run_jobs(&receiver, &farewell.0);
                store::clear();
            })
            .map_err(|error| format!("cannot start the cells' thread: {error}"))?;
        let target = target
            .recv()
            .map_err(|_| "the cells' thread has ended".to_owned())?;
        Ok(Self {
            jobs,
            thread,
            target,
            progress,
        })
    }

    fn give(&self, job: Job) {
        self.progress.0.store(RUNS, Ordering::SeqCst);
        // A thread that is gone has said so.
        let _ = self.jobs.send(job);
    }

    /// Whether the job is done.
    fn is_done(&self) -> Result<bool, String> {
        match self.progress.0.load(Ordering::SeqCst) {
            IS_DONE => Ok(true),
            IS_GONE => Err("the cells' thread panicked".to_owned()),
            _ => Ok(false),
        }
    }
}

fn run_jobs(jobs: &mpsc::Receiver<Job>, progress: &Progress) {
    for job in jobs {
        match job {
            Job::Run { path, function } => run_cell(&path, &function),
            Job::Conclude => conclude(),
        }
        progress.set(IS_DONE);
    }
}

/// Runs cells one after the other, on a thread that is replaced when it does not stop.
pub(super) struct Cells {
    runner: Runner,
    patience: Duration,
}

impl Cells {
    pub(super) fn start(patience: Duration) -> Result<Self, String> {
        Ok(Self {
            // SAFETY: it is the first one.
            runner: unsafe { Runner::start() }?,
            patience,
        })
    }

    /// Runs a cell to its end, or until it was interrupted and put aside.
    pub(super) fn run(&mut self, path: &str, function: &str) -> Result<(), String> {
        let objects = objects_of_cells(Path::new(path));
        let mut watch = Watch::new(self.patience);
        self.runner.give(Job::Run {
            path: path.to_owned(),
            function: function.to_owned(),
        });
        while !self.runner.is_done()? {
            signals::wait(watch.wakes());
            if self.runner.is_done()? || !watch.is_due(self.runner.target) {
                continue;
            }
            stop::set_forced(!watch.is_polite());
            if self.runner.target.put_aside(&objects) {
                return self.replace_runner();
            }
        }
        Ok(())
    }

    fn replace_runner(&mut self) -> Result<(), String> {
        // What the cell has started since it was first interrupted.
        programs::interrupt();
        // SAFETY: the earlier one was put aside while it ran a cell's code, not the store's.
        self.runner = unsafe { Runner::start() }?;
        self.runner.give(Job::Conclude);
        while !self.runner.is_done()? {
            signals::wait(None);
        }
        Ok(())
    }

    /// Drops the variables and ends the thread.
    pub(super) fn end(self) -> Result<(), String> {
        drop(self.runner.jobs);
        let ended = self.runner.thread.join();
        ended.map_err(|_| "a variable panicked when it was dropped".to_owned())
    }
}

/// The folder under which the objects of cells lie, those of the crates that they add among them.
fn objects_of_cells(object: &Path) -> PathBuf {
    object
        .ancestors()
        .find(|folder| folder.ends_with("cell"))
        .or(object.parent())
        .unwrap_or(object)
        .to_owned()
}

/// Watches over a cell that may be interrupted.
struct Watch {
    patience: Duration,
    interrupts_before: u32,
    first: Option<Instant>,
}

impl Watch {
    fn new(patience: Duration) -> Self {
        Self {
            patience,
            interrupts_before: signals::interrupts(),
            first: None,
        }
    }

    /// After how long the supervisor wants to be woken.
    fn wakes(&self) -> Option<Duration> {
        self.first.map(|_| LOOK_EVERY)
    }

    /// Whether the cell asks from time to time whether it was interrupted, and so will end by itself.
    fn is_polite(&self) -> bool {
        let since = self.first.map(|first| first.elapsed()).unwrap_or_default();
        crate::session::asked_ago().is_some_and(|ago| ago < POLITE_WITHIN + since)
    }

    /// Whether the cell is to be put aside now.
    fn is_due(&mut self, target: Target) -> bool {
        let interrupts = signals::interrupts().wrapping_sub(self.interrupts_before);
        if interrupts == 0 {
            return false;
        }
        let since = self.first.get_or_insert_with(Instant::now).elapsed();
        let after = |part: f64| since >= self.patience.mul_f64(part);
        if self.is_polite() {
            return after(GRACE_WHEN_POLITE);
        }
        // Whoever presses twice does not want to wait.
        interrupts > 1
            || after(GRACE_FOR_PROGRAMS)
            || (after(GRACE) && !(target.may_wait_for_a_program() && programs::any_run()))
    }
}

fn run_cell(path: &str, function: &str) {
    crate::session::set_interrupted(false);
    stop::set_forced(false);
    // SAFETY: a system call without arguments.
    let pid = unsafe { libc::getpid() };
    let answer = side::ask(&Message::Begin { pid });
    *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = store::names();
    guard::begin();
    show::begin();
    pipes::set_running(true);
    match answer {
        Some(Answer::Begin { cancel: true }) => guard::report_cancelled(),
        // A kernel of another version, which would not know that a cell runs.
        Some(Answer::NotUnderstood { reason }) => guard::report_not_loaded(reason),
        _ => {
            if let Err(reason) = load_and_call(path, function) {
                guard::report_not_loaded(reason);
            }
        }
    }
    finish();
}

/// What is left to do for a cell that was put aside.
fn conclude() {
    let mut lost = std::mem::take(&mut *BEFORE.lock().unwrap_or_else(PoisonError::into_inner));
    let left = store::names();
    lost.retain(|name| !left.contains(name));
    guard::report_put_aside(lost);
    finish();
}

/// Tells the front process how the cell has ended.
fn finish() {
    stop::set_forced(false);
    pipes::set_running(false);
    pipes::flush();
    let (outcome, completed) = guard::end();
    let answer = side::ask(&Message::Done(Done {
        outcome,
        completed,
        names: store::names(),
        shown: show::has_shown(),
        surroundings: surroundings::changes(),
        words: super::words::news(),
    }));
    if let Some(Answer::Remove { names }) = answer {
        names.iter().for_each(|name| store::remove(name));
    }
    pipes::flush();
}

/// A symbol of objects that make statics for later ones (see the kernel's `eval::state`).
const GLOBAL: &CStr = c"__SWATH_GLOBAL";

/// The signature that evcxr gives a cell's function; our cells leave its argument alone.
type CellFunction = unsafe extern "C" fn(*mut c_void) -> *mut c_void;

fn load_and_call(path: &str, function: &str) -> Result<(), String> {
    let c_path =
        CString::new(path).map_err(|_| "the object's path holds a zero byte".to_owned())?;
    let c_function =
        CString::new(function).map_err(|_| "the function's name holds a zero byte".to_owned())?;
    shared_objects::open_beside(path)?;
    // SAFETY: both strings end in zero. The object is one that the kernel has just built; it is never unloaded, so
    // the code and the values it leaves behind stay valid.
    let call = unsafe {
        let object = libc::dlopen(c_path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
        if object.is_null() {
            return Err(loader_error());
        }
        // An object that makes statics: later ones find them by their names.
        if !libc::dlsym(object, GLOBAL.as_ptr()).is_null() {
            let flags = libc::RTLD_NOW | libc::RTLD_NOLOAD | libc::RTLD_GLOBAL;
            libc::dlopen(c_path.as_ptr(), flags);
        }
        let symbol = libc::dlsym(object, c_function.as_ptr());
        if symbol.is_null() {
            return Err(loader_error());
        }
        std::mem::transmute::<*mut c_void, CellFunction>(symbol)
    };
    // A loaded object no longer needs its file; a long session would leave thousands.
    let _ = std::fs::remove_file(path);
    // SAFETY: the kernel generated the function with this signature; it ignores its argument and catches panics.
    unsafe { call(std::ptr::null_mut()) };
    Ok(())
}

/// What the system's loader said last.
pub(super) fn loader_error() -> String {
    // SAFETY: dlerror returns null or a string that ends in zero and is valid until the next call.
    unsafe {
        let text = libc::dlerror();
        if text.is_null() {
            "unknown error".to_owned()
        } else {
            CStr::from_ptr(text).to_string_lossy().into_owned()
        }
    }
}
