//! Stops a thread that does not listen, without the process that holds the variables.
//!
//! A thread cannot be ended from outside: its stack may be borrowed, its locks are never unlocked, its values never
//! dropped. It can be put aside, though: a signal handler on that very thread never returns. Its stack is never freed,
//! so whatever points into it stays valid, and what it owned is lost in the sense of a leak.
//!
//! That is harmless only where the thread holds nothing that others need: the allocator's, the loader's or this
//! library's locks. So the handler looks at where the thread is: in code of the cell itself, or in a system call that
//! waits and that the cell has made through Rust's standard library, with nobody else between the cell's code and
//! [`within_cell`]. Meanwhile another thread holds the locks of the standard streams: who prints in a loop waits for
//! them then, instead of holding them. Where all this does not help, the library's own functions end the cell as soon
//! as it calls one that shows something ([`is_forced`]).

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::CellError;
use super::frames::Place;
use super::signals;

/// How long the handler may take to answer, and the other thread to get the locks.
const ANSWER_WITHIN: Duration = Duration::from_millis(200);
/// How much of a stack is left alone above what is given back to the system: the handler's own frames.
const STACK_IN_USE: usize = 512 << 10;

/// Nobody asks, or the handler has answered and nothing came of it.
const IDLE: i32 = 0;
/// The thread is asked whether it can be put aside.
const ASKED: i32 = 1;
/// Its handler looks.
const LOOKING: i32 = 2;
/// It could be put aside, and waits in its handler.
const HELD: i32 = 3;
/// It is put aside for ever.
const ASIDE: i32 = 4;

static STATE: AtomicI32 = AtomicI32::new(IDLE);
/// An address on the stack of the thread that runs a cell, between the cell's frames and ours; 0 outside.
static MARK: AtomicUsize = AtomicUsize::new(0);
/// Where the stack of the thread that is held ends.
static HELD_AT: AtomicUsize = AtomicUsize::new(0);
/// Whether the handler was installed.
static INSTALLED: AtomicBool = AtomicBool::new(false);
/// Whether the running cell is to be stopped by force.
static FORCED: AtomicBool = AtomicBool::new(false);

/// Whether the running cell was interrupted long ago and goes on.
pub(super) fn is_forced() -> bool {
    FORCED.load(Ordering::Relaxed)
}

/// Says whether the running cell is to be stopped by force.
pub(super) fn set_forced(forced: bool) {
    FORCED.store(forced, Ordering::Relaxed);
}

/// Marks the place on the stack from which on everything belongs to the cell.
struct Mark(usize);

impl Drop for Mark {
    fn drop(&mut self) {
        MARK.store(0, Ordering::SeqCst);
        std::hint::black_box(self.0);
    }
}

/// Runs a cell's statements; while they run, their thread can be put aside.
#[inline(never)]
pub(super) fn within_cell(
    statements: &mut dyn FnMut() -> Result<(), CellError>,
) -> Result<(), CellError> {
    let mark = Mark(0);
    MARK.store((&raw const mark).addr(), Ordering::SeqCst);
    statements()
}

/// A thread with the part of its memory that its stack is in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    thread: i32,
    stack_start: usize,
}

impl Target {
    /// This thread.
    pub(super) fn this_thread() -> Self {
        let (mut start, mut size) = (std::ptr::null_mut(), 0);
        // SAFETY: the attributes are filled in before they are read, and destroyed.
        unsafe {
            let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
            if libc::pthread_getattr_np(libc::pthread_self(), &raw mut attributes) == 0 {
                libc::pthread_attr_getstack(&raw const attributes, &raw mut start, &raw mut size);
                libc::pthread_attr_destroy(&raw mut attributes);
            }
            Self {
                thread: libc::gettid(),
                stack_start: start.addr(),
            }
        }
    }

    /// The number of the system call in which it waits.
    fn waits_in(self) -> Option<i64> {
        std::fs::read_to_string(format!("/proc/self/task/{}/syscall", self.thread))
            .ok()?
            .split(' ')
            .next()?
            .parse()
            .ok()
    }

    /// Whether it waits as one does for a program: for its end, or for what it writes.
    pub(super) fn may_wait_for_a_program(self) -> bool {
        let calls = [
            libc::SYS_wait4,
            libc::SYS_waitid,
            libc::SYS_ppoll,
            libc::SYS_read,
        ];
        self.waits_in().is_some_and(|call| {
            calls.contains(&call) || {
                #[cfg(target_arch = "x86_64")]
                let is_poll = call == libc::SYS_poll;
                #[cfg(not(target_arch = "x86_64"))]
                let is_poll = false;
                is_poll
            }
        })
    }

    /// Puts the thread aside for ever if it is at a place where that harms nobody; whether it was.
    pub(super) fn put_aside(self, cells: &std::path::Path) -> bool {
        if !INSTALLED.load(Ordering::SeqCst) || STATE.load(Ordering::SeqCst) != IDLE {
            return false;
        }
        let Some(locks) = Locks::take() else {
            return false;
        };
        // SAFETY: the state is idle: no handler looks, and none begins to before it is asked.
        unsafe { super::objects::take_stock(cells) };
        STATE.store(ASKED, Ordering::SeqCst);
        // SAFETY: tgkill has no memory effects.
        let sent = unsafe {
            libc::syscall(
                libc::SYS_tgkill,
                libc::getpid(),
                self.thread,
                signals::look_signal(),
            )
        };
        if sent != 0 {
            STATE.store(IDLE, Ordering::SeqCst);
            return false;
        }
        if !answered() {
            return false;
        }
        if !locks.others_are_free() {
            set_state(IDLE);
            return false;
        }
        set_state(ASIDE);
        self.give_back_stack();
        // The next thread is asked anew; the one that is put aside does not look any more.
        while STATE.load(Ordering::SeqCst) != IDLE {
            std::thread::yield_now();
        }
        true
    }

    /// Gives the part of the stack that is not in use back to the system.
    fn give_back_stack(self) {
        let page = 4096;
        let start = (self.stack_start + 16 * page).next_multiple_of(page);
        let end = HELD_AT.load(Ordering::SeqCst).saturating_sub(STACK_IN_USE) / page * page;
        if self.stack_start != 0 && start < end {
            // SAFETY: the range lies in the stack of a thread that never runs again outside its handler, whose frames
            // lie above it: nobody reads it.
            unsafe {
                libc::madvise(
                    std::ptr::with_exposed_provenance_mut(start),
                    end - start,
                    libc::MADV_DONTNEED,
                )
            };
        }
    }
}

/// Waits for the handler's answer; whether it holds its thread.
fn answered() -> bool {
    let asked = Instant::now();
    loop {
        match STATE.load(Ordering::SeqCst) {
            HELD => return true,
            IDLE => return false,
            ASKED if asked.elapsed() > ANSWER_WITHIN => {
                // Perhaps the thread blocks the signal. Once the handler has begun to look, it ends soon.
                let withdrawn =
                    STATE.compare_exchange(ASKED, IDLE, Ordering::SeqCst, Ordering::SeqCst);
                if withdrawn.is_ok() {
                    return false;
                }
            }
            _ => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// Another thread that holds the locks of the standard streams, until this is dropped.
struct Locks {
    question: mpsc::Sender<()>,
    answers: mpsc::Receiver<()>,
}

impl Locks {
    /// `None` when somebody else keeps the locks.
    fn take() -> Option<Self> {
        let (question, questions) = mpsc::channel();
        let (answer, answers) = mpsc::channel();
        std::thread::Builder::new()
            .name("swath-locks".to_owned())
            .spawn(move || {
                let _locks = (std::io::stdout().lock(), std::io::stderr().lock());
                if answer.send(()).is_ok() && questions.recv().is_ok() {
                    drop(std::env::var_os("PATH"));
                    drop(std::hint::black_box(vec![1_u8; 1 << 20]));
                    crate::session::touch();
                    let _ = answer.send(());
                    // Until the thread is put aside, or goes on.
                    let _ = questions.recv();
                }
            })
            .ok()?;
        answers.recv_timeout(ANSWER_WITHIN).ok()?;
        Some(Self { question, answers })
    }

    /// Whether other locks that everybody needs can be had too, while the cell's thread is held.
    fn others_are_free(&self) -> bool {
        self.question.send(()).is_ok() && self.answers.recv_timeout(ANSWER_WITHIN).is_ok()
    }
}

/// Sets the state and wakes the handler that waits for another one.
fn set_state(state: i32) {
    STATE.store(state, Ordering::SeqCst);
    futex(libc::FUTEX_WAKE, i32::MAX);
}

fn futex(operation: c_int, value: i32) {
    // SAFETY: the state lives for ever; a null pointer means no time limit.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            STATE.as_ptr(),
            operation | libc::FUTEX_PRIVATE_FLAG,
            value,
            std::ptr::null::<libc::timespec>(),
        )
    };
}

/// Has threads look when they are asked.
pub(super) fn install() {
    let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = look;
    // SAFETY: the action is fully initialized (zeroed, then set). The handler runs on the thread's own stack, which it
    // may never leave.
    let set = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART | libc::SA_SIGINFO;
        libc::sigaction(
            signals::look_signal(),
            &raw const action,
            std::ptr::null_mut(),
        )
    };
    INSTALLED.store(set == 0, Ordering::SeqCst);
}

/// The handler: everything that it calls is safe in one.
extern "C" fn look(_signal: c_int, _information: *mut libc::siginfo_t, context: *mut c_void) {
    let asked = STATE.compare_exchange(ASKED, LOOKING, Ordering::SeqCst, Ordering::SeqCst);
    if asked.is_err() {
        return;
    }
    // SAFETY: the system hands a valid context to the handler.
    let place = unsafe { Place::of(context) };
    let mark = MARK.load(Ordering::SeqCst);
    if mark == 0 || !place.is_some_and(|place| place.can_be_left(mark)) {
        STATE.store(IDLE, Ordering::SeqCst);
        return;
    }
    let here = 0_u8;
    HELD_AT.store((&raw const here).addr(), Ordering::SeqCst);
    STATE.store(HELD, Ordering::SeqCst);
    loop {
        match STATE.load(Ordering::SeqCst) {
            HELD => futex(libc::FUTEX_WAIT, HELD),
            ASIDE => stay_for_ever(),
            _ => return,
        }
    }
}

fn stay_for_ever() -> ! {
    // SAFETY: the set is filled before it is used; no other thread's signals are touched.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
        STATE.store(IDLE, Ordering::SeqCst);
        loop {
            libc::pause();
        }
    }
}
