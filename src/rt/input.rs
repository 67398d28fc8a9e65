//! Standard input of the cells' process: a read asks the person in front of the notebook for a line.
//!
//! The descriptor itself is `/dev/null`, which is what programs that a cell starts get. The kernel's program answers
//! reads of this process by calling [`swath_read_input`] (`eval/terminal.rs`).

use std::sync::{Mutex, PoisonError};

use swath_link::message::{Answer, Message};

use super::side;

/// What is left of the last answer: a reader may take it in pieces.
static REST: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Reads up to `count` bytes of what the user types into `buffer`, as `read` of the C library does.
///
/// # Safety
/// `buffer` must have room for `count` bytes.
#[unsafe(no_mangle)]
#[expect(
    unreachable_pub,
    reason = "the kernel finds it by its name in the shared object"
)]
pub unsafe extern "C" fn swath_read_input(buffer: *mut u8, count: usize) -> isize {
    let mut rest = REST.lock().unwrap_or_else(PoisonError::into_inner);
    if rest.is_empty() {
        match ask() {
            Ok(line) => *rest = line,
            Err(reason) => {
                // SAFETY: the C library gives every thread its own error number.
                unsafe { *libc::__errno_location() = reason };
                return -1;
            }
        }
    }
    let length = rest.len().min(count);
    // SAFETY: the caller promises room for `count` bytes, and `length` is at most that.
    unsafe { std::ptr::copy_nonoverlapping(rest.as_ptr(), buffer, length) };
    rest.drain(..length);
    isize::try_from(length).unwrap_or(0)
}

/// A line, or the number of the error that says why there is none.
fn ask() -> Result<Vec<u8>, libc::c_int> {
    let question = Message::Input {
        prompt: String::new(),
        password: false,
        stdin: true,
    };
    match side::ask(&question) {
        Some(Answer::Line { text }) => Ok((text + "\n").into_bytes()),
        Some(Answer::Interrupted) => {
            crate::session::set_interrupted(true);
            Err(libc::ECANCELED)
        }
        _ => Err(libc::EOPNOTSUPP),
    }
}
