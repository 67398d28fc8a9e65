//! What the cells' process answers when code in it reads standard input or asks whether it has a terminal.
//!
//! Two functions of the C library are defined here anew. The program comes first when the system looks for a function,
//! so the standard library of the cells calls these. In every other process, and for every other descriptor, they do what
//! the C library's do. Programs that a cell starts are not concerned: their input is `/dev/null`, their output a pipe.

use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

use crate::loader::Library;

/// `swath_read_input` of the library (`src/rt/input.rs`).
type ReadInput = unsafe extern "C" fn(*mut c_void, usize) -> isize;

/// Set in the process of the cells alone.
static READ_INPUT: OnceLock<ReadInput> = OnceLock::new();

/// What bars and colors need in an environment without a terminal, where `TERM` may be missing.
const TERM: &str = "xterm-256color";

/// From now on, reads of standard input ask the user, and standard output and error are taken for terminals: the
/// notebook draws what progress bars write, and colors.
pub(super) fn pretend(library: Library) {
    // SAFETY: the function has this signature in the library.
    if let Ok(read_input) = unsafe { library.symbol::<ReadInput>(c"swath_read_input") } {
        let _ = READ_INPUT.set(read_input);
    }
    if std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb") {
        // SAFETY: this process has only this thread yet.
        unsafe { std::env::set_var("TERM", TERM) };
    }
}

/// The C library's `read`, except for the cells' standard input.
///
/// # Safety
/// As of the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn read(descriptor: c_int, buffer: *mut c_void, count: usize) -> isize {
    if descriptor == libc::STDIN_FILENO
        && let Some(read_input) = READ_INPUT.get()
        && is_null_device(descriptor)
    {
        // SAFETY: the caller promises the same as to us.
        return unsafe { read_input(buffer, count) };
    }
    // SAFETY: the system call behind the C library's function, which sets the error number in the same way.
    let length = unsafe { libc::syscall(libc::SYS_read, descriptor, buffer, count) };
    isize::try_from(length).unwrap_or(-1)
}

/// The C library's `isatty`, except for the cells' standard output and error.
#[unsafe(no_mangle)]
extern "C" fn isatty(descriptor: c_int) -> c_int {
    let is_shown = [libc::STDOUT_FILENO, libc::STDERR_FILENO].contains(&descriptor);
    if is_shown && READ_INPUT.get().is_some() && is_pipe(descriptor) {
        return 1;
    }
    let mut settings = std::mem::MaybeUninit::<libc::termios>::uninit();
    // SAFETY: the function fills the settings or fails; nobody reads them.
    c_int::from(unsafe { libc::tcgetattr(descriptor, settings.as_mut_ptr()) } == 0)
}

/// What a descriptor leads to: users' code may have put a file in its place.
fn status(descriptor: c_int) -> Option<libc::stat> {
    let mut status = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the function fills the status when it returns 0.
    unsafe {
        let found = libc::fstat(descriptor, status.as_mut_ptr()) == 0;
        found.then(|| status.assume_init())
    }
}

fn is_null_device(descriptor: c_int) -> bool {
    status(descriptor).is_some_and(|status| {
        status.st_mode & libc::S_IFMT == libc::S_IFCHR && status.st_rdev == libc::makedev(1, 3)
    })
}

fn is_pipe(descriptor: c_int) -> bool {
    status(descriptor).is_some_and(|status| status.st_mode & libc::S_IFMT == libc::S_IFIFO)
}
